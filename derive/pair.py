r"""Drift coefficients of any teacher-student pair, in closed form where there is one.

With labels ``y = T(φ(ω*·x))``, the pre-trained direction ``μ ω* + ν ξ`` and ``ξ`` orthogonal to
the teacher (App. A.1), Price's theorem and Stein's lemma turn ``a = -(2μ L_Q + L_ρ)``,
``b = -2 L_Q`` into

.. math:: a = E[y\, z\, \sigma_\nu'(\mu z)] - \mu P, \quad b = E[y\, \sigma_\nu''(\mu z)] - P, \quad
          P = E[(\sigma'^2 + \sigma\sigma'')(\sqrt{\mu^2+\nu^2}\, g)]

with :math:`\sigma_\nu` the student smoothed by a Gaussian of variance :math:`\nu^2`. The
correlation loss (App. H) has no ``P``. Polynomial coefficients give a ``Drift``, others in the
algebra of ``derive.gaussian`` a ``ClosedDrift``, all others a ``MeanDrift``: the integrands, exact,
for ``numerics`` to integrate with error bounds.
"""

from dataclasses import dataclass
from math import comb, factorial
from typing import Any

from sympy import QQ, Add, Expr, Poly, S, Symbol, expand, sqrt

from derive import gaussian
from derive.activation import Activation, Kinked
from derive.correlated import Covariance, correlated_mean
from derive.drift import Drift
from derive.errors import InputError
from derive.gaussian import NoClosedForm
from derive.hermite import gaussian_mean, normal_moment
from derive.symbols import exact, in_variable, mu, polynomial_in, z

LOSSES = ("square", "correlation")
_MOST_TERMS = 500  # of labels multiplied out
UNCHANGED = Poly(z, z, domain="QQ")
_NU = Symbol("nu", positive=True)  # ν while a mean is taken
MISALIGNMENTS = {"none": S.Zero, "linear": 1 - mu, "spherical": sqrt(1 - mu**2)}


@dataclass(frozen=True)
class Pair:
    """A teacher, a student and how the student is trained.

    Fields: ``teacher``, ``student``; ``transform``, the polynomial ``T`` applied to the teacher's
    output (a ``Poly`` over the rationals), the identity by default; ``loss``, one of ``LOSSES``;
    ``misalignment`` ν, free of ``z``, 0 for the main model.
    """

    teacher: Activation
    student: Activation
    transform: Poly = UNCHANGED
    loss: str = "square"
    misalignment: Expr = S.Zero

    def __post_init__(self) -> None:
        if self.loss not in LOSSES:
            raise InputError(f"loss {self.loss!r} is not accepted: choose from {', '.join(LOSSES)}")
        object.__setattr__(self, "transform", polynomial_in(self.transform, z))
        object.__setattr__(self, "misalignment", in_variable(self.misalignment, mu))
        _insist_on_few_terms(self.teacher, self.transform.degree())

    @property
    def label(self) -> Kinked:
        """The label as a function of the teacher's pre-activation."""
        value = self.teacher.value
        if value.kink == 0:
            return Kinked(_horner(self.transform, value.smooth))
        # On either side of 0, where sgn is ±1: products of two parts would double at each power.
        right, left = (_horner(self.transform, value.smooth + s * value.kink) for s in (1, -1))
        return Kinked((right + left) / 2, (right - left) / 2)

    @property
    def labelled_teacher(self) -> Activation:
        """The teacher with its labels' transform, as an activation of its own."""
        if self.transform == UNCHANGED:
            return self.teacher
        return Activation(f"labels of {self.teacher.text}", self.label)


def _insist_on_few_terms(teacher: Activation, degree: int) -> None:
    """Polynomials have few whatever their degree; raises ``InputError`` for all others."""
    if degree == 1 or teacher.polynomial is not None:
        return
    sides = (teacher.value.smooth + sign * teacher.value.kink for sign in (1, -1))
    count = max(len(Add.make_args(expand(side))) for side in sides)
    if (terms := comb(count + degree - 1, degree)) > _MOST_TERMS:
        raise InputError(
            f"labels of degree {degree} of {teacher.text[:60]!r} have {terms} terms multiplied "
            f"out: give a lower degree, for at most {_MOST_TERMS}"
        )


def _horner(polynomial: Poly, value: Expr) -> Expr:
    total = S.Zero
    for coefficient in polynomial.all_coeffs():
        total = total * value + coefficient
    return total


@dataclass(frozen=True)
class ClosedDrift:
    """Drift coefficients in closed form: expressions ``a``, ``b`` in ``mu``, and ν. Exact."""

    a: Expr
    b: Expr
    misalignment: Expr = S.Zero
    normalization: str = "raw"

    def __post_init__(self) -> None:
        for name in ("a", "b", "misalignment"):
            object.__setattr__(self, name, in_variable(getattr(self, name), mu))


@dataclass(frozen=True)
class MeanDrift:
    """Drift coefficients as means ``a = E f(z)``, ``b = E h(z)`` under the standard normal.

    Fields: ``a``, ``b`` and ``slope`` (whose mean is ``a'``), functions of ``z`` with the parameter
    ``mu``; the jump of ``b`` multiplies δ(z). Exact as integrands.
    """

    a: Kinked
    b: Kinked
    slope: Kinked
    normalization: str = "raw"


def drift_of(pair: Pair) -> Drift | ClosedDrift | MeanDrift:
    """Drift coefficients of a pair, in the best form there is; raw normalisation.

    Raises ``InputError`` if a mean is infinite, or if a misaligned pair has no closed form.
    Source: (8), (52)-(57), App. A.1, App. H. Exact.

    >>> relu = Activation.named("relu")
    >>> drift_of(Pair(relu, relu)).a.as_expr()
    1/2 - mu/2
    """
    teacher, student = pair.teacher.polynomial, pair.student.polynomial
    square = _rational_polynomial(exact(pair.misalignment) ** 2)
    if teacher is not None and student is not None and square is not None:
        label = pair.transform.compose(teacher)
        return Drift(
            *_polynomial_drift(label, student, square, pair.loss), misalignment=pair.misalignment
        )
    try:
        closed = closed_drift(pair)
        a, b = _rational_polynomial(closed.a), _rational_polynomial(closed.b)
        if square is None or a is None or b is None:
            return closed
        return Drift(a, b, misalignment=pair.misalignment)
    except NoClosedForm as reason:
        if pair.misalignment != 0:
            raise InputError(
                f"misaligned pre-training of {pair.student.text} has no closed form ({reason}): "
                "choose an activation that has one, or no misalignment"
            ) from None
        return _as_means(pair)


def _rational_polynomial(expression: Expr) -> Poly | None:
    """The expression as a polynomial in ``mu`` over the rationals, or ``None`` if it is none."""
    if not expression.is_polynomial(mu):
        return None
    found = Poly(expression, mu)
    return found.set_domain(QQ) if found.domain.is_ZZ or found.domain.is_QQ else None


def _polynomial_drift(label: Poly, student: Poly, square: Poly, loss: str) -> tuple[Poly, Poly]:
    r"""Drift coefficients of polynomials; ``square`` is :math:`\nu^2`. Exact.

    Smoothing is the heat flow: :math:`\sigma_\nu = \sum_i \nu^{2i} \sigma^{(2i)} / (2^i i!)`.
    """
    degree = max(student.degree(), 0)  # that of 0 is -oo
    means = [_mean(label * Poly(z**k, z)) for k in range(degree + 1)]
    a = b = Poly(0, mu, domain=QQ)
    for i in range(degree // 2, -1, -1):  # Horner's rule in ν²
        first = student.diff((z, 2 * i + 1)).mul_ground(QQ(1, 2**i * factorial(i)))
        slope, curvature = first.as_dict(native=True), first.diff(z).as_dict(native=True)
        a = a * square + _in_mu({k: c * means[k + 1] for (k,), c in slope.items()})
        b = b * square + _in_mu({k: c * means[k] for (k,), c in curvature.items()})
    if loss == "correlation":
        return a, b
    growth = (student * student.diff(z)).diff(z).as_dict(native=True)
    by_variance = {k // 2: c * normal_moment(k) for (k,), c in growth.items() if k % 2 == 0}
    power = _in_mu(by_variance).compose(square + Poly(mu**2, mu))
    return a - power * Poly(mu, mu), b - power


def _mean(function: Poly) -> Any:
    """Mean of a polynomial in ``z`` under the standard normal, as an element of QQ."""
    terms = function.set_domain(QQ).as_dict(native=True).items()
    return sum((c * normal_moment(k) for (k,), c in terms if k % 2 == 0), QQ(0))


def _in_mu(coefficients: dict[int, Any]) -> Poly:
    return Poly.from_dict({(k,): c for k, c in coefficients.items() if c}, mu, domain=QQ)


def closed_drift(pair: Pair) -> ClosedDrift:
    """Drift coefficients of a pair in closed form, whatever its misalignment.

    Raises ``NoClosedForm`` if there is none. Source: as ``drift_of``. Exact.

    >>> x = Activation.named("identity")
    >>> closed_drift(Pair(x, x, misalignment=sqrt(1 - mu**2))).b
    -1
    """
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
    return ClosedDrift(a.subs(_NU, nu), b.subs(_NU, nu), nu)


def _as_means(pair: Pair) -> MeanDrift:
    label, sigma = pair.label, pair.student.value
    first = sigma.derivative()
    second = first.derivative()
    value, slope = sigma.scaled(mu), first.scaled(mu)
    curvature = Kinked(second.smooth, second.kink).scaled(mu)
    minus, argument = Kinked(-S.One), Kinked(z)
    residual = label if pair.loss == "correlation" else label + minus * value
    spread = Kinked(S.Zero) if pair.loss == "correlation" else slope * slope
    jump = residual.smooth.subs(z, 0) * second.jump / mu
    b = residual * curvature + minus * spread
    return MeanDrift(
        a=residual * argument * slope,
        b=Kinked(b.smooth, b.kink, jump),
        slope=argument * argument * (residual * curvature + minus * spread),
    )


def frozen_risk(pair: Pair) -> Expr:
    r"""Risk of the frozen pre-trained model, :math:`\ell(\mu) = \tfrac12 E(y - \sigma(\mu z))^2`.

    Raises ``NoClosedForm`` if it has none. Its slope is ``-a`` for the square loss. Exact.

    >>> x = Activation.named("identity")
    >>> frozen_risk(Pair(x, x)).factor()
    (mu - 1)**2/2
    """
    integrand = frozen_risk_integrand(pair)
    if integrand.kink == 0 and integrand.smooth.is_polynomial(z):
        return gaussian_mean(integrand.smooth, z)
    residual = pair.label.gaussian() - pair.student.value.gaussian().scaled(mu)
    return (residual**2).mean() / 2


def frozen_risk_integrand(pair: Pair) -> Kinked:
    """The function of ``z`` whose Gaussian mean is the risk of the frozen model. Exact.

    >>> x = Activation.named("identity")
    >>> frozen_risk_integrand(Pair(x, x)).smooth.subs(mu, 0)
    z**2/2
    """
    residual = pair.label + Kinked(-S.One) * pair.student.value.scaled(mu)
    return Kinked(S.Half) * residual * residual
