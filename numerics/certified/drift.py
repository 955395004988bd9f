"""Enclosures of the drift coefficients of any pair, whatever form ``derive`` found for them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from flint import acb, arb, fmpq, fmpq_poly
from sympy import Expr, I, cancel, diff, simplify

from derive.activation import EXPONENTIAL, Activation, Kinked, in_exponential
from derive.drift import ClosedDrift, Drift, MeanDrift
from derive.errors import InputError
from derive.gaussian import NoClosedForm
from derive.pair import Pair
from derive.risk import frozen_risk, frozen_risk_integrand
from derive.symbols import mu, z
from numerics.certified.balls import evaluate, rational_polynomial
from numerics.certified.expressions import ball_function
from numerics.certified.means import mean_function

BallFunction = Callable[[arb], arb]
_HIGHEST_ORDER = 8


@dataclass(frozen=True)
class BallDrift:
    """Drift coefficients as functions of balls of ``mu``, each containing every value.

    Fields: ``a``, ``b``, ``slope`` (the derivative of ``a``); ``at_zero``, ``at_one``: for an end
    at which ``a`` vanishes, its first derivative that does not, else ``None``; ``misalignment`` ν;
    ``certainty``, ``exact`` for closed forms, ``certified`` for quadrature. Certified.
    """

    a: BallFunction
    b: BallFunction
    slope: BallFunction
    at_zero: BallFunction | None
    at_one: BallFunction | None
    misalignment: BallFunction | None = None
    certainty: str = "exact"

    def at(self, strength: fmpq) -> tuple[arb, arb, arb]:
        """``a``, ``b`` and the growth rate at a rational strength in [0, 1]. Certified.

        Raises ``InputError`` where ``b`` is infinite, as it may be at 0.
        """
        mu = arb(strength)
        b = self.b(mu)
        if strength == 0 and not b.is_finite():
            raise InputError("b is not finite at μ = 0: give a strength μ > 0")
        zero = (strength == 0 and self.at_zero) or (strength == 1 and self.at_one)
        a = arb(0) if zero else self.a(mu)
        extra = (self.misalignment(mu) * b) ** 2 if self.misalignment else arb(0)
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


def ball_drift(drift: Drift | ClosedDrift | MeanDrift) -> BallDrift:
    """Enclose the drift coefficients of a pair.

    Raises ``InputError`` if an integrand has no known tail bound. Certified.

    >>> from derive.drift import hermite_drift
    >>> ball_drift(hermite_drift(1)).a(arb(1)).is_zero()
    True
    """
    if isinstance(drift, MeanDrift):
        return _from_means(drift)
    nu = None if drift.misalignment == 0 else ball_function(drift.misalignment, [mu])
    if isinstance(drift, Drift):
        a, b = (_polynomial(rational_polynomial(f)) for f in (drift.a, drift.b))
        slope = _polynomial(rational_polynomial(drift.a).derivative())
        at_zero, at_one = (_polynomial_end(rational_polynomial(drift.a), end) for end in (0, 1))
        return BallDrift(a, b, slope, at_zero, at_one, nu)
    a = real_function(drift.a)
    b = _deferred(lambda: real_function(drift.b))
    slope = _deferred(lambda: real_function(diff(drift.a, mu)))
    return BallDrift(a, b, slope, _end(drift.a, a, 0), _end(drift.a, a, 1), nu)


def frozen_risk_function(pair: Pair) -> BallFunction:
    """The risk of the frozen pre-trained model (``derive.risk.frozen_risk``), of a ball of μ.

    Raises ``InputError`` if its integrand has no known tail bound. Certified.

    >>> from derive import parse_activation
    >>> relu = parse_activation("relu")
    >>> frozen_risk_function(Pair(relu, relu))(arb("0.5")).contains(arb("0.0625"))
    True
    """
    return _mean_of(lambda: frozen_risk(pair), lambda: frozen_risk_integrand(pair))


def student_mean_function(student: Activation) -> BallFunction:
    r"""The student's mean :math:`c_0(\mu^2) = E\sigma(\mu z)` (E.5), of a ball of μ.

    Raises ``InputError`` if its integrand has no known tail bound. Certified.

    >>> from derive import parse_activation
    >>> student_mean_function(parse_activation("He2"))(arb(1)).contains(0)
    True
    """
    if student.parity == -1:
        return lambda strength: arb(0)
    return _mean_of(lambda: student.hermite_coefficient(0, mu**2), lambda: student.value.scaled(mu))


def _mean_of(closed: Callable[[], Expr], integrand: Callable[[], Kinked]) -> BallFunction:
    try:
        return real_function(closed())
    except NoClosedForm:
        return mean_function(integrand())


def _deferred(compile_: Callable[[], BallFunction]) -> BallFunction:
    """A function that is compiled when it is first called: many callers never do."""
    compiled = cache(compile_)
    return lambda strength: compiled()(strength)


def _polynomial(polynomial: fmpq_poly) -> BallFunction:
    return lambda strength: evaluate(polynomial, strength)


def real_function(expression: Expr) -> BallFunction:
    """A real function of ``mu``, also where its closed form is a sum of complex conjugates."""
    if not expression.has(I):
        return ball_function(expression, [mu])
    compiled = ball_function(expression, [mu], acb)
    return lambda strength: compiled(acb(strength)).real


def _polynomial_end(a: fmpq_poly, end: int) -> BallFunction | None:
    """As ``_end``, for a polynomial."""
    order = 0
    while a and a(end) == 0:
        a, order = a.derivative(), order + 1
    return _polynomial(a) if order else None


def _end(a: Expr, compiled: BallFunction, end: int) -> BallFunction | None:
    """The first derivative of ``a`` that does not vanish at an end where ``a`` does."""
    for order in range(_HIGHEST_ORDER):
        # A ball that excludes 0 spares the symbolic question; only a zero needs a proof.
        if not compiled(arb(end)).contains(0) or simplify(a.subs(mu, end)) != 0:
            return compiled if order else None
        a = diff(a, mu)
        compiled = real_function(a)
    return compiled


def _from_means(drift: MeanDrift) -> BallDrift:
    a = mean_function(drift.a)
    b = _deferred(lambda: mean_function(drift.b))
    slope = _deferred(lambda: mean_function(drift.slope))
    at_zero, at_one = (
        slope if a(arb(end)).contains(0) and _vanishes(drift.a, end) else None for end in (0, 1)
    )
    return BallDrift(a, b, slope, at_zero, at_one, certainty="certified")


def _vanishes(function: Kinked, end: int) -> bool:
    """Whether the mean provably vanishes there: its integrand is zero or odd."""
    smooth, kink = (part.subs(mu, end) for part in (function.smooth, function.kink))
    return all(_is_zero(f) for f in (smooth + smooth.subs(z, -z), kink - kink.subs(z, -z)))


def _is_zero(expression: Expr) -> bool:
    """Whether an expression in ``z`` is proved to be zero."""
    # Most are rational in z and exponentials, which is decided at once.
    rational = in_exponential(expression)
    if rational.is_rational_function(z, EXPONENTIAL):
        return cancel(rational) == 0
    return simplify(expression) == 0
