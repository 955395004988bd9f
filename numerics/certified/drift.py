"""Enclosures of the drift coefficients of any pair, whatever form ``derive`` found for them.

``enclosed`` says how a coefficient is enclosed: a polynomial, a closed form, a Gaussian mean. A new
form registers itself there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache, singledispatch
from typing import Any, Literal

from flint import arb, fmpq
from sympy import Expr, Piecewise, Poly, S

from derive.drift import AnyDrift, ClosedDrift, Drift, MeanDrift
from derive.errors import InputError
from derive.exit import noise_integrand, sample_noise
from derive.gaussian import NoClosedForm
from derive.grammar import ActivationLike, parse_activation
from derive.leading import HIGHEST_ORDER
from derive.means import Mean
from derive.pair import PairLike
from derive.pair_drift import DriftLike, drift_of
from derive.plane import PlaneDrift, PlaneMean
from derive.risk import frozen_risk, frozen_risk_integrand
from derive.symbols import mu
from numerics.certified.around_zero import sign_around_zero
from numerics.certified.balls import evaluate, flint_polynomial
from numerics.certified.expressions import ball_function, real_function
from numerics.certified.means import by_strength, mean_function
from numerics.certified.plane import plane_function

BallFunction = Callable[..., arb]  # of a ball, or of a rational, at which polynomials are exact


@dataclass(frozen=True)
class BallDrift:
    """Drift coefficients as functions of balls of ``mu``, each containing every value.

    Fields: ``a``, ``b``, ``slope`` and ``curvature`` (the derivatives of ``a``); ``at_zero``,
    ``at_one``: for an end at which ``a`` vanishes, its first derivative that does not, else
    ``None``; ``misalignment`` ν; ``positive``, whether ``a > 0`` is proved for all strengths in
    (0, 1); ``around_zero``, where ``a`` falls to 0 faster than any power, a ball with its sign on
    (0, ε], ``None`` if unknown; ``certainty``, ``exact`` for closed forms, ``certified`` for
    quadrature. Certified.
    """

    a: BallFunction
    b: BallFunction
    slope: BallFunction
    at_zero: BallFunction | None
    at_one: BallFunction | None
    misalignment: BallFunction | None = None
    certainty: Literal["exact", "certified"] = "exact"
    positive: bool = False
    around_zero: Callable[[fmpq], arb | None] | None = None
    curvature: BallFunction | None = None

    def at(self, strength: fmpq) -> tuple[arb, arb, arb]:
        """``a``, ``b`` and the growth rate at a rational strength in [0, 1]. Certified.

        Raises ``InputError`` where ``b`` is infinite, as it may be at 0.
        """
        b = self.b(strength)
        if strength == 0 and not b.is_finite():
            raise InputError("b is not finite at μ = 0: give a strength μ > 0")
        zero = (strength == 0 and self.at_zero) or (strength == 1 and self.at_one)
        a = arb(0) if zero else self.a(strength)
        extra = (self.misalignment(strength) * b) ** 2 if self.misalignment else arb(0)
        return a, b, growth_rate(b, a * a + extra)


def growth_rate(b: arb, coupling: arb) -> arb:
    r"""Growth rate :math:`\lambda_+ = \tfrac12 (b + \sqrt{b^2 + 4c})`, for a coupling ``c`` ≥ 0.

    The coupling is :math:`a^2`, or :math:`a^2 + \nu^2 b^2` for misaligned pre-training. Source:
    (59), App. A.1. Certified, without cancellation for negative ``b``.

    >>> growth_rate(arb(-1), arb(0)).is_zero()
    True
    """
    root = (b * b + 4 * coupling).sqrt()
    if b > 0:
        return (b + root) / 2
    return arb(0) if coupling.is_zero() else 2 * coupling / (root - b)


def ball_drift(drift: DriftLike) -> BallDrift:
    """Enclose the drift coefficients of a pair, or of what ``drift_of`` takes.

    Raises ``InputError`` if an integrand has no known tail bound. Certified.

    >>> from derive.polynomial_drift import hermite_drift
    >>> ball_drift(hermite_drift(1)).a(arb(1)).is_zero()
    True
    """
    return _known(_Itself(drift_of(drift)))


@dataclass(frozen=True, eq=False)
class _Itself:
    """A drift that is equal to no other: equal ones may be known in unlike forms."""

    drift: AnyDrift

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Itself) and self.drift is other.drift

    def __hash__(self) -> int:
        return id(self.drift)


@lru_cache(maxsize=64)
def _known(drift: _Itself) -> BallDrift:
    return _balls(drift.drift)


@singledispatch
def _balls(drift: AnyDrift) -> BallDrift:
    """From functions of the strength alone."""
    a, slope = _coefficient(drift, "a"), _deferred(lambda: _coefficient(drift, "a", 1))
    at_zero, at_one = (_end(drift, [a, slope], end) for end in (0, 1))
    return BallDrift(
        a,
        _deferred(lambda: _coefficient(drift, "b")),
        slope,
        at_zero,
        at_one,
        misalignment=enclosed(drift.misalignment) if drift.misalignment != 0 else None,
        certainty=drift.certainty,
        positive=drift.positive,
        around_zero=_around_zero(drift),
        curvature=_deferred(lambda: _coefficient(drift, "a", 2)),
    )


@_balls.register
def _(drift: PlaneDrift) -> BallDrift:
    """From means over the plane; where ν = 0 from those of the aligned pair, which they become."""
    spread, aligned = enclosed(drift.misalignment), cache(lambda: ball_drift(drift.aligned))

    def either(name: Literal["a", "b"]) -> BallFunction:
        plane = enclosed(getattr(drift, name))
        return lambda strength: (
            getattr(aligned(), name)(strength)
            if spread(arb(strength)).is_zero()
            else plane(strength)
        )

    def slope(strength: arb) -> arb:
        raise InputError("slopes of a are those of aligned pre-training: give no misalignment")

    ended = aligned().at_one if spread(arb(1)).is_zero() else None
    return BallDrift(either("a"), either("b"), slope, None, ended, spread, drift.certainty)


def _coefficient(drift: AnyDrift, name: Literal["a", "b"], order: int = 0) -> BallFunction:
    """A coefficient, or a derivative of it; around 0 from its means, if it has such."""
    function = enclosed(drift.derivative(name, order))
    means = _means_of(drift)
    if means is None or means is drift:
        return function
    around_zero = _deferred(lambda: enclosed(means.derivative(name, order)))
    return lambda strength: (
        around_zero(strength) if arb(strength).contains(0) else function(strength)
    )


@singledispatch
def _means_of(drift: AnyDrift) -> MeanDrift | None:
    """The form as Gaussian means, where it is known as such too."""
    return None


@_means_of.register
def _(drift: ClosedDrift) -> MeanDrift | None:
    return drift.means


@_means_of.register
def _(drift: MeanDrift) -> MeanDrift | None:
    return drift


def _around_zero(drift: AnyDrift) -> Callable[[fmpq], arb | None] | None:
    means = _means_of(drift)
    return sign_around_zero(means) if means and means.is_flat else None


def _end(drift: AnyDrift, known: list[BallFunction], end: int) -> BallFunction | None:
    """The first derivative of ``a`` that does not vanish at an end where ``a`` does.

    ``known`` are ``a`` and the first derivatives. Where breakpoints move to infinity at 0, what is
    left of the derivatives there is quick to ask.
    """
    means = _means_of(drift) if end == 0 else None
    if means and means.is_flat:
        return None

    def whole(order: int) -> BallFunction:
        return known[order] if order < len(known) else _coefficient(drift, "a", order)

    def there(order: int) -> BallFunction:
        return enclosed(Mean((means.at(0, order),))) if means else whole(order)

    order = 0
    # A ball that excludes 0 spares the symbolic question; only a zero needs a proof.
    while there(order)(arb(end)).contains(0) and drift.vanishes(end, order):
        if order == HIGHEST_ORDER and not isinstance(drift, Drift):
            break  # only polynomials are differentiated for ever
        order += 1
    return _deferred(lambda: whole(order)) if order else None


@singledispatch
def enclosed(coefficient: Any) -> BallFunction:
    """A coefficient of a drift, of a ball of ``mu``. Certified.

    Arguments:
        coefficient: a polynomial, a closed form, or the integrand of a Gaussian mean.

    Raises ``InputError`` for others, and if an integrand has no known tail bound.

    >>> enclosed(Poly(mu**2 / 3, mu, domain="QQ"))(arb(3)).is_exact()
    True
    """
    raise InputError(f"{coefficient} is not accepted: give a Poly, an expression or a Mean")


@enclosed.register
def _(coefficient: Poly) -> BallFunction:
    polynomial = flint_polynomial(coefficient)
    return lambda strength: arb(evaluate(polynomial, strength))


@enclosed.register
def _(coefficient: Expr) -> BallFunction:
    return real_function(coefficient, [mu])


@enclosed.register
def _(coefficient: Mean) -> BallFunction:
    mean = mean_function(coefficient)
    return lambda strength: mean(arb(strength))


@enclosed.register
def _(coefficient: PlaneMean) -> BallFunction:
    mean = plane_function(coefficient)
    return lambda strength: mean(arb(strength))


@enclosed.register
def _(coefficient: Piecewise) -> BallFunction:
    """By strengths: on a ball across several, what all of them give."""
    functions = [enclosed(expression) for expression, _ in coefficient.args]
    cuts = [ball_function(condition.gts, []) for _, condition in coefficient.args[:-1]]
    return by_strength(functions, cuts)


def frozen_risk_function(pair: PairLike) -> BallFunction:
    """The risk of the frozen pre-trained model (``derive.risk.frozen_risk``), of a ball of μ.

    Raises ``InputError`` if its integrand has no known tail bound. Certified.

    >>> frozen_risk_function("relu")(arb("0.5")).contains(arb("0.0625"))
    True
    """
    return _mean_of(lambda: frozen_risk(pair), lambda: frozen_risk_integrand(pair))


def sample_noise_function(pair: PairLike, label_noise: Expr = S.Zero) -> BallFunction:
    """The mean square of a sample's pull on u (``derive.exit.sample_noise``), of a ball of μ.

    Raises ``InputError`` if its integrand has no known tail bound. Certified.

    >>> sample_noise_function("relu")(arb("0.5")).contains(arb("0.125"))
    True
    """
    return _mean_of(
        lambda: sample_noise(pair, label_noise), lambda: noise_integrand(pair, label_noise)
    )


def student_mean_function(student: ActivationLike) -> BallFunction:
    r"""The student's mean :math:`c_0(\mu^2) = E\sigma(\mu z)` (E.5), of a ball of μ.

    Raises ``InputError`` if its integrand has no known tail bound. Certified.

    >>> student_mean_function("He2")(arb(1)).contains(0)
    True
    """
    student = parse_activation(student)
    if student.parity == -1:
        return lambda strength: arb(0)
    return _mean_of(
        lambda: student.hermite_coefficient(0, mu**2), lambda: Mean((student.value.scaled(mu),))
    )


def _mean_of(closed: Callable[[], Expr], integrand: Callable[[], Mean]) -> BallFunction:
    try:
        return enclosed(closed())
    except NoClosedForm:
        return enclosed(integrand())


def _deferred(compile_: Callable[[], BallFunction]) -> BallFunction:
    """A function that is compiled when it is first called: many callers never do."""
    compiled = cache(compile_)
    return lambda strength: compiled()(strength)
