r"""Drift coefficients of any teacher-student pair, in closed form where there is one.

With labels ``y = T(φ(ω*·x))``, the pre-trained direction ``μ ω* + ν ξ`` and ``ξ`` orthogonal to
the teacher (App. A.1), Price's theorem and Stein's lemma turn ``a = -(2μ L_Q + L_ρ)``,
``b = -2 L_Q`` into

.. math:: a = E[y\, z\, \sigma_\nu'(\mu z)] - \mu P, \quad b = E[y\, \sigma_\nu''(\mu z)] - P, \quad
          P = E[(\sigma'^2 + \sigma\sigma'')(\sqrt{\mu^2+\nu^2}\, g)]

with :math:`\sigma_\nu` the student smoothed by a Gaussian of variance :math:`\nu^2`. The
correlation loss (App. H) has no ``P``. Polynomial coefficients give a ``Drift``, others in the
algebra of ``derive.gaussian`` a ``ClosedDrift``, all others a ``MeanDrift`` or, misaligned, a
``PlaneDrift``: the integrands, exact, for ``numerics`` to integrate with error bounds.
"""

from dataclasses import replace
from math import factorial
from typing import TypeAlias

from sympy import QQ, Poly, S, Symbol, cos, sin, sqrt

from derive import gaussian
from derive.activation import HermiteActivation
from derive.correlated import Covariance, correlated_mean
from derive.drift import AnyDrift, ClosedDrift, Drift, MeanDrift
from derive.gaussian import NoClosedForm
from derive.hermite import normal_moment, polynomial_mean
from derive.labels import MATCHED
from derive.means import mean_over_strengths, with_kinks
from derive.pair import Pair, PairLike
from derive.piecewise import PiecewiseAnalytic
from derive.plane import plane_drift
from derive.polynomial_drift import LABELS, hermite_drift, in_strength
from derive.symbols import exact, mu, rational_polynomial, z

_NU = Symbol("nu", positive=True)  # ν while a mean is taken


DriftLike: TypeAlias = AnyDrift | PairLike


def drift_of(given: DriftLike) -> AnyDrift:
    """Drift coefficients of a pair, in the best form there is, in units of 1/γ.

    Arguments:
        given: a pair; an activation, as ``parse_activation`` takes it, for its matched pair; or a
            drift, which is returned.

    Raises ``InputError`` if a mean is infinite.
    Source: (8), (52)-(57), App. A.1, App. H. Exact.

    >>> drift_of("relu").a.as_expr()
    1/2 - mu/2
    """
    if isinstance(given, AnyDrift):
        return given
    pair = Pair.of(given)
    if isinstance(pair.student, HermiteActivation) and pair.is_plain and pair.labels.text in LABELS:
        return hermite_drift(pair.student.degree, pair.labels.text)
    square, nu = rational_polynomial(exact(pair.misalignment) ** 2, mu), pair.misalignment
    if square is not None and (known := pair.polynomials) is not None:
        return Drift(*_polynomial_drift(*known, square, pair.loss), misalignment=nu)
    positive = is_positive(pair)
    try:
        closed = replace(closed_drift(pair), positive=positive)
        a, b = (rational_polynomial(f, mu) for f in (closed.derived_a, closed.derived_b))
        if square is None or a is None or b is None:
            return closed
        return Drift(a, b, misalignment=nu, positive=positive)
    except NoClosedForm:
        if nu != 0:
            return plane_drift(pair, drift_of(replace(pair, misalignment=S.Zero)))
        return replace(mean_drift(pair), positive=positive)


def is_positive(pair: Pair) -> bool:
    r"""Whether ``a > 0`` is proved for all strengths in (0, 1).

    It is where teacher and student are one function that is monotone on either side of 0, however
    steep, shifted or kinked: then no strength is singular. In

    .. math:: a = E[(\sigma(z) - \sigma(\mu z))\, z\, \sigma'(\mu z)]

    ``z`` lies farther out than ``μz`` on the same side, so the first factor has the sign of
    :math:`z\sigma'(\mu z)`, or is 0; and somewhere it is not. Exact.

    >>> is_positive(Pair("relu(x - 4)")), is_positive(Pair("gelu"))
    (True, False)
    """
    matched = pair.labels == MATCHED and pair.teacher.value == pair.student.value
    if not matched or pair.loss != "square" or pair.misalignment != 0:
        return False
    return pair.student.value.rises_or_falls_outwards()


def _polynomial_drift(label: Poly, student: Poly, square: Poly, loss: str) -> tuple[Poly, Poly]:
    r"""Drift coefficients of polynomials; ``square`` is :math:`\nu^2`. Exact.

    Smoothing is the heat flow: :math:`\sigma_\nu = \sum_i \nu^{2i} \sigma^{(2i)} / (2^i i!)`.
    """
    degree = max(student.degree(), 0)  # that of 0 is -oo
    means = [polynomial_mean(label * Poly(z**k, z)) for k in range(degree + 1)]
    a = b = Poly(0, mu, domain=QQ)
    for i in range(degree // 2, -1, -1):  # Horner's rule in ν²
        first = student.diff((z, 2 * i + 1)).mul_ground(QQ(1, 2**i * factorial(i)))
        slope, curvature = first.as_dict(native=True), first.diff(z).as_dict(native=True)
        a = a * square + in_strength({k: c * means[k + 1] for (k,), c in slope.items()})
        b = b * square + in_strength({k: c * means[k] for (k,), c in curvature.items()})
    if loss == "correlation":
        return a, b
    growth = (student * student.diff(z)).diff(z).as_dict(native=True)
    by_variance = {k // 2: c * normal_moment(k) for (k,), c in growth.items() if k % 2 == 0}
    power = in_strength(by_variance).compose(square + Poly(mu**2, mu))
    return a - power * Poly(mu, mu), b - power


def closed_drift(pair: PairLike) -> ClosedDrift:
    """Drift coefficients of a pair in closed form, whatever its misalignment.

    Raises ``NoClosedForm`` if there is none. Source: as ``drift_of``. Exact.

    >>> closed_drift(Pair("x", misalignment=sqrt(1 - mu**2))).b
    -1
    """
    pair = Pair.of(pair)
    try:
        found = _closed_in_the_algebra(pair)
        if (pair.label.breaks or pair.student.value.breaks) and found.derived_a.has(sin, cos):
            raise NoClosedForm("closed forms of waves with a phase, cut at 0, are too long")
        return found
    except NoClosedForm:
        if pair.misalignment != 0:
            raise
    means = mean_drift(pair)  # piece by piece
    moves = any(point != 0 for point in pair.student.value.breaks)
    return ClosedDrift(means.a.closed(), means.b.closed(), means=means if moves else None)


def _closed_in_the_algebra(pair: Pair) -> ClosedDrift:
    label, sigma = pair.label.gaussian(), pair.student.value
    first = sigma.derivative()
    second = first.derivative()
    slope, curvature = first.gaussian(), second.gaussian()
    spread = slope**2 + sigma.gaussian() * curvature
    if pair.misalignment == 0:
        # One mean for each coefficient, so that terms that cancel never appear.
        a = label * gaussian.power(1) * slope.scaled(mu)
        b = label * curvature.scaled(mu)
        if pair.loss == "square":
            power = spread.scaled(mu)
            a, b = a - gaussian.constant(mu) * power, b - power
        return ClosedDrift(a.mean(), b.mean())
    seen = Covariance(S.One, mu**2 + _NU**2, mu, _NU**2)
    a = correlated_mean(label * gaussian.power(1), slope, seen)
    b = correlated_mean(label, curvature, seen)
    if pair.loss == "square":
        power = spread.scaled(sqrt(mu**2 + _NU**2)).mean()
        a, b = a - mu * power, b - power
    nu = pair.misalignment
    return ClosedDrift(a.subs(_NU, nu), b.subs(_NU, nu), misalignment=nu)


def mean_drift(pair: Pair) -> MeanDrift:
    """Drift coefficients of a pair that is not misaligned, as means. Exact."""
    label, sigma = pair.label, pair.student.value
    first = sigma.derivative()
    second = first.derivative()
    squared = pair.loss == "square"

    def of_a(
        y: PiecewiseAnalytic, value: PiecewiseAnalytic, slope: PiecewiseAnalytic
    ) -> PiecewiseAnalytic:
        return (y - value if squared else y) * z * slope

    def of_b(
        y: PiecewiseAnalytic,
        value: PiecewiseAnalytic,
        slope: PiecewiseAnalytic,
        curvature: PiecewiseAnalytic,
    ) -> PiecewiseAnalytic:
        residual = y - value if squared else y
        bent = with_kinks(residual, curvature)
        return bent - slope * slope if squared else bent

    a = mean_over_strengths(label, sigma, of_a, first)
    b = mean_over_strengths(label, sigma, of_b, first, second)
    made_of = (label, sigma) if squared else (None, None)
    return MeanDrift(a=a, b=b, slope=b * z**2, label=made_of[0], student=made_of[1])
