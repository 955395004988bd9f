r"""Drift coefficients of any teacher-student pair, in closed form where there is one.

With labels ``y = T(φ(ω*·x))``, the pre-trained direction ``μ ω* + ν ξ`` and ``ξ`` orthogonal to
the teacher (App. A.1), Price's theorem and Stein's lemma turn ``a = -(2μ L_Q + L_ρ)``,
``b = -2 L_Q`` into

.. math:: a = E[y\, z\, \sigma_\nu'(\mu z)] - \mu P, \quad b = E[y\, \sigma_\nu''(\mu z)] - P, \quad
          P = E[(\sigma'^2 + \sigma\sigma'')(\sqrt{\mu^2+\nu^2}\, g)]

with :math:`\sigma_\nu` the student smoothed by a Gaussian of variance :math:`\nu^2`. The
correlation loss (App. H) has no ``P``. Polynomial pairs give a ``Drift``, pairs in the algebra of
``derive.gaussian`` a ``ClosedDrift``, all others a ``MeanDrift``: the integrands, exact, for
``numerics`` to integrate with error bounds.
"""

from dataclasses import dataclass

from sympy import Expr, Poly, S, Symbol, sqrt

from derive import gaussian
from derive.activation import Activation, Kinked
from derive.correlated import Covariance, correlated_mean
from derive.drift import Drift, drift_from_expectation
from derive.errors import InputError
from derive.gaussian import NoClosedForm
from derive.hermite import gaussian_mean
from derive.symbols import in_variable, mu, polynomial_in, z

LOSSES = ("square", "correlation")
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

    @property
    def label(self) -> Kinked:
        """The label as a function of the teacher's pre-activation."""
        value = Kinked(S.Zero)
        for coefficient in self.transform.all_coeffs():  # Horner's rule
            value = value * self.teacher.value + Kinked(coefficient)
        return value

    @property
    def labelled_teacher(self) -> Activation:
        """The teacher with its labels' transform, as an activation of its own."""
        if self.transform == UNCHANGED:
            return self.teacher
        return Activation(f"labels of {self.teacher.text}", self.label)


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
    >>> drift_of(Pair(relu, relu)).a
    -(mu - 1)/2
    """
    teacher, student = pair.teacher.polynomial, pair.student.polynomial
    plain = pair.loss == "square" and pair.misalignment == 0
    if plain and teacher is not None and student is not None:
        label = pair.transform.compose(teacher)
        return drift_from_expectation(label.as_expr(), student.as_expr(), z)
    try:
        return closed_drift(pair)
    except NoClosedForm as reason:
        if pair.misalignment != 0:
            raise InputError(
                f"misaligned pre-training of {pair.student.text} has no closed form ({reason}): "
                "choose an activation that has one, or no misalignment"
            ) from None
        return _as_means(pair)


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
    return ClosedDrift(*(f.subs(_NU, pair.misalignment) for f in (a, b)), pair.misalignment)


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
