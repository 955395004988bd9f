r"""The functions that certified numbers are made of: how each is enclosed, and bounded.

A function is one entry of ``FUNCTIONS``. SymPy's printers know how it is vectorised, compiled to
machine code and typeset; one of our own says so in its class (``derive.angle``,
``derive.softplus``). The tests ask every entry the same.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from flint import acb, arb, fmpq, fmpq_poly
from sympy import Abs, Expr, Poly, S, asin, atan, ceiling, cos, erf, erfi, exp, log, oo, sin, tanh

from derive.angle import Angle
from derive.ranges import Range
from derive.softplus import Softplus
from derive.symbols import mu, z


@dataclass(frozen=True)
class Majorant:
    r"""A bound :math:`P(|z|)\, e^{B|z| + Cz^2}` for all ``z`` and all ``mu`` in [0, 1].

    Fields: ``polynomial`` P with coefficients ≥ 0; ``linear`` B, ``quadratic`` C, both ≥ 0.
    """

    polynomial: fmpq_poly
    linear: fmpq = fmpq(0)  # noqa: RUF009 (a FLINT number is immutable)
    quadratic: fmpq = fmpq(0)  # noqa: RUF009

    def __add__(self, other: "Majorant") -> "Majorant":
        return Majorant(
            self.polynomial + other.polynomial,
            max(self.linear, other.linear),
            max(self.quadratic, other.quadratic),
        )

    def __mul__(self, other: "Majorant") -> "Majorant":
        return Majorant(
            self.polynomial * other.polynomial,
            self.linear + other.linear,
            self.quadratic + other.quadratic,
        )

    def seen_from(self, middle: arb, deviation: arb) -> "Majorant":
        """A majorant of the function at ``middle + deviation h``, as a function of ``h``.

        ``|m + s h|² ≤ m² + 2 |m s h| + s² h²``; each factor is rounded up.
        """
        m, s = (abs(ball).upper().fmpq() for ball in (middle, deviation))
        size = (arb(self.linear) * m + arb(self.quadratic) * m**2).exp().upper().fmpq()
        inner = self.polynomial(fmpq_poly([m, s])) * size
        return Majorant(inner, (self.linear + 2 * self.quadratic * m) * s, self.quadratic * s**2)

    def tail(self, start: int) -> arb | None:
        """Bound on the Gaussian integral of the majorant beyond ±start; ``None`` if too early.

        The logarithmic slope of the integrand beyond ``start`` is at most
        ``-s = deg P/start + B - (1-2C) start``, so the integral is at most its value there over s.
        """
        decay = self._decay(fmpq(start))
        return None if decay <= 0 else 2 * self._weighted(fmpq(start)) / decay

    def beyond(self, start: fmpq) -> arb | None:
        """Bound on the majorant times the Gaussian density beyond ±start; ``None`` if too early."""
        return None if start <= 0 or self._decay(start) <= 0 else self._weighted(start)

    def tail_over(self, start: fmpq, point: arb) -> arb | None:
        """Bound on the tail beyond ±start over the density at a point; ``None`` if too early."""
        decay = self._decay(start)
        if decay <= 0:
            return None
        exponent = arb(self.linear * start + (self.quadratic - fmpq(1, 2)) * start**2)
        return 2 * arb(self.polynomial(start)) * (exponent + point**2 / 2).exp() / decay

    def _decay(self, start: fmpq) -> fmpq:
        slope = fmpq(max(self.polynomial.degree(), 0)) / start
        return (1 - 2 * self.quadratic) * start - self.linear - slope

    def _weighted(self, start: fmpq) -> arb:
        exponent = self.linear * start + (self.quadratic - fmpq(1, 2)) * start**2
        density = arb(exponent).exp() / (2 * arb.pi()).sqrt()
        return arb(self.polynomial(start)) * density


def constant(bound: fmpq) -> Majorant:
    """The majorant of a function that is at most that."""
    return Majorant(fmpq_poly([bound]))


ONE = constant(fmpq(1))


class Within(Protocol):
    """How parts of an expression are bounded on the piece that it is considered on."""

    def majorant(self, part: Expr) -> Majorant:
        """A majorant; raises ``InputError`` if none is found."""

    def range(self, part: Expr) -> Range:
        """The values it takes."""


Bound = Callable[[Expr, Within], Majorant | None]


@dataclass(frozen=True)
class Known:
    """What is known of a function.

    Fields: ``enclosed``, from balls of its arguments, and whether the result must be analytic on
    them, to a ball of its values; ``bound``, from its argument, and how parts are bounded, to a
    majorant, ``None`` if there is none.
    """

    enclosed: Callable[..., Any]
    bound: Bound = lambda argument, within: None


def _method(name: str) -> Callable[..., Any]:
    """A function that is analytic wherever it is finite, by FLINT's name."""
    return lambda ball, analytic: getattr(ball, name)()


def logarithm(ball: Any, analytic: bool) -> Any:
    """The principal branch; not finite on a ball that crosses its cut, if it must be analytic."""
    return ball.log() if isinstance(ball, arb) else ball.log(analytic=analytic)


def _softplus(ball: Any, analytic: bool) -> Any:
    """log(1 + e^y): narrow on wide balls too, where 1 + e^y would contain 0."""
    if isinstance(ball, arb):  # it rises
        low, high = ((1 + end.exp()).log() for end in (ball.lower(), ball.upper()))
        return low.union(high)
    middle = acb(ball.real.mid(), ball.imag.mid())
    slope = (1 + (ball / 2).tanh()) / 2  # finite where the function is analytic
    return logarithm(1 + middle.exp(), analytic) + (ball - middle) * slope


def root(radicand: Any, analytic: bool = False) -> Any:
    """The square root wherever it is real: a ball at 0 reaches beyond, its function does not."""
    straddles = isinstance(radicand, arb) and radicand.contains(0)
    if isinstance(radicand, acb):
        return radicand.sqrt(analytic=analytic)
    return (radicand.nonnegative_part() if straddles else radicand).sqrt()


def _arc_tangent(ball: Any, analytic: bool) -> Any:
    """Not finite on a ball that meets its cuts, ±i and beyond."""
    if isinstance(ball, acb) and ball.real.contains(0) and not abs(ball.imag) < 1:
        return acb("nan", "nan")
    return ball.atan()


def _angle(c: Any, d: Any, analytic: bool) -> Any:
    """asin(c/√(c² + D)): an arc tangent for balls, which no pole disturbs."""
    if isinstance(c, arb):
        return arb.atan2(c, root(d))
    return (c / (c * c + d).sqrt()).asin()


def _exponential(argument: Expr, within: Within) -> Majorant | None:
    _, greatest = within.range(argument)
    if greatest < oo:
        return constant(bound_of(exp(greatest)))
    if argument.is_polynomial(z) and Poly(argument, z).degree() <= 2:
        ascending: list[Expr] = [*list(Poly(argument, z).all_coeffs())[::-1], S.Zero, S.Zero]
        offset, linear, quadratic = ascending[:3]
        falls = (-quadratic).is_nonnegative
        return Majorant(
            fmpq_poly([bound_of(exp(offset))]),
            bound_of(linear),
            fmpq(0) if falls else bound_of(quadratic),
        )
    inner = within.majorant(argument)
    if inner.linear or inner.quadratic or inner.polynomial.degree() > 2:
        return None
    offset, linear, quadratic = (inner.polynomial[k] for k in range(3))
    height = _rounded_up(arb(offset).exp())
    return Majorant(fmpq_poly([height]), linear, quadratic)


def _softplus_bound(argument: Expr, within: Within) -> Majorant | None:
    return ONE + within.majorant(argument)  # log(1 + e^y) ≤ 1 + |y|


def _logarithm_bound(argument: Expr, within: Within) -> Majorant | None:
    """|log y| ≤ |log m| + y for y ≥ m > 0; that of 1 + e^y is a softplus."""
    if isinstance(argument - 1, exp):
        return _softplus_bound((argument - 1).args[0], within)
    least, _ = within.range(argument)
    if not least > 0:
        return None
    return constant(bound_of(log(least))) + root_bound(within.majorant(argument))


def _rounded_up(ball: arb) -> fmpq:
    """An integer at least as large."""
    whole = ball.upper().ceil().unique_fmpz()
    assert whole is not None
    return fmpq(whole)


def root_bound(inner: Majorant) -> Majorant:
    """A majorant of the square root, and of the logarithm where that is positive.

    A root of a sum is at most the sum of roots, and |z|^(k/2) at most 1 + |z|^((k+1)/2).
    """
    found = [fmpq(0)] * (max(inner.polynomial.degree(), 0) // 2 + 2)
    for k, coefficient in enumerate(inner.polynomial.coeffs()):
        size = _rounded_up(arb(coefficient).sqrt())
        found[(k + 1) // 2] += size
        found[0] += size * (k % 2)
    return Majorant(fmpq_poly(found), inner.linear / 2, inner.quadratic / 2)


def bound_of(expression: Expr) -> fmpq:
    """A rational at least as large as the absolute value, for ``mu`` in [0, 1]."""
    if expression.has(mu):
        total = fmpq(0)
        for (power,), coefficient in Poly(expression, mu).terms():
            assert power >= 0
            total += bound_of(coefficient)
        return total
    size = abs(expression)
    if size.is_Rational:
        return fmpq(int(size.p), int(size.q))
    return fmpq(int(ceiling(size)))


FUNCTIONS: dict[type[Expr], Known] = {
    Abs: Known(
        lambda ball, analytic: abs(ball), lambda argument, within: within.majorant(argument)
    ),
    Angle: Known(_angle),
    Softplus: Known(_softplus, _softplus_bound),
    asin: Known(_method("asin")),
    atan: Known(_arc_tangent, lambda argument, within: constant(fmpq(2))),
    cos: Known(_method("cos"), lambda argument, within: ONE),
    erf: Known(_method("erf"), lambda argument, within: ONE),
    erfi: Known(_method("erfi")),
    exp: Known(_method("exp"), _exponential),
    log: Known(logarithm, _logarithm_bound),
    sin: Known(_method("sin"), lambda argument, within: ONE),
    tanh: Known(_method("tanh"), lambda argument, within: ONE),
}
