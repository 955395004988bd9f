r"""Certified Gaussian means of functions without a closed form.

:math:`E f(z)` is integrated on :math:`[0, R]` in ball arithmetic, with both signs of ``z`` folded
together so that a kink at 0 is an end point; the integrand is analytic on each side. The tails are
bounded by a majorant :math:`|f(z)| \le P(|z|)\, e^{B|z| + Cz^2}` that is read off the expression.
"""

from collections.abc import Callable
from dataclasses import dataclass

from flint import acb, arb, ctx, fmpq, fmpq_poly
from sympy import Add, Expr, Mul, Poly, Pow, S, ceiling, cos, erf, exp, log, sin, tanh

from derive.errors import InputError
from derive.kinked import Kinked
from derive.symbols import mu, z
from numerics.certified.expressions import ball_function


@dataclass(frozen=True)
class Majorant:
    r"""A bound :math:`P(|z|)\, e^{B|z| + Cz^2}` for all ``z`` and all ``mu`` in [0, 1].

    Fields: ``polynomial`` P with coefficients ≥ 0; ``linear`` B, ``quadratic`` C, both ≥ 0.
    """

    polynomial: fmpq_poly
    linear: fmpq = fmpq(0)  # noqa: RUF009 (a FLINT number is immutable)
    quadratic: fmpq = fmpq(0)  # noqa: RUF009

    def tail(self, start: int) -> arb | None:
        """Bound on the Gaussian integral of the majorant beyond ±start; ``None`` if too early.

        The logarithmic slope of the integrand beyond ``start`` is at most
        ``-s = deg P/start + B - (1-2C) start``, so the integral is at most its value there over s.
        """
        decay = (1 - 2 * self.quadratic) * start - self.linear
        decay -= fmpq(max(self.polynomial.degree(), 0), start)
        if decay <= 0:
            return None
        exponent = self.linear * start + (self.quadratic - fmpq(1, 2)) * start**2
        density = arb(exponent).exp() / (2 * arb.pi()).sqrt()
        return 2 * arb(self.polynomial(fmpq(start))) * density / decay


def majorant(expression: Expr) -> Majorant:
    """A majorant of an expression in ``z`` and ``mu``, for real ``z`` and ``mu`` in [0, 1].

    Raises ``InputError`` if none is found. Certified.

    >>> majorant(z**2 / (1 + exp(-mu * z))).polynomial
    x^2
    """
    if expression == z:
        return Majorant(fmpq_poly([0, 1]))
    if not expression.has(z):
        return Majorant(fmpq_poly([_bound(expression)]))
    parts = expression.args
    if isinstance(expression, Add):
        return _sum([majorant(part) for part in parts])
    if isinstance(expression, Mul):
        return _product([majorant(part) for part in parts])
    if isinstance(expression, Pow) and expression.exp.is_Integer:
        base, power = parts
        if power > 0:
            return _product([majorant(base)] * int(power))
        others = [term for term in Add.make_args(base) if term != 1]
        if base.is_Add and len(others) == len(base.args) - 1 and isinstance(others[0], exp):
            return Majorant(fmpq_poly([1]))  # 1 + e^y is at least 1
    if isinstance(expression, erf | sin | cos | tanh):
        return Majorant(fmpq_poly([1]))
    if isinstance(expression, log) and (parts[0] - 1).func == exp:
        inner = majorant((parts[0] - 1).args[0])  # log(1 + e^y) ≤ 1 + |y|
        return _sum([Majorant(fmpq_poly([1])), inner])
    if isinstance(expression, exp) and parts[0].is_polynomial(z) and Poly(parts[0], z).degree() < 3:
        return _exponential(Poly(parts[0], z))
    raise InputError(f"no bound is known for {expression}, so its tail cannot be certified")


def _sum(parts: list[Majorant]) -> Majorant:
    total = fmpq_poly([0])
    for part in parts:
        total += part.polynomial
    return Majorant(total, max(p.linear for p in parts), max(p.quadratic for p in parts))


def _product(parts: list[Majorant]) -> Majorant:
    total, linear, quadratic = fmpq_poly([1]), fmpq(0), fmpq(0)
    for part in parts:
        total *= part.polynomial
        linear, quadratic = linear + part.linear, quadratic + part.quadratic
    return Majorant(total, linear, quadratic)


def _exponential(exponent: Poly) -> Majorant:
    ascending: list[Expr] = [*list(exponent.all_coeffs())[::-1], S.Zero, S.Zero]
    offset, linear, quadratic = ascending[:3]
    falls = (-quadratic).is_nonnegative
    return Majorant(
        fmpq_poly([_bound(exp(offset))]),
        _bound(linear),
        fmpq(0) if falls else _bound(quadratic),
    )


def _bound(expression: Expr) -> fmpq:
    """A rational at least as large as the absolute value, for ``mu`` in [0, 1]."""
    if expression.has(mu):
        total = fmpq(0)
        for (power,), coefficient in Poly(expression, mu).terms():
            assert power >= 0
            total += _bound(coefficient)
        return total
    size = abs(expression)
    if size.is_Rational:
        return fmpq(int(size.p), int(size.q))
    return fmpq(int(ceiling(size)))


def mean_function(function: Kinked) -> Callable[[arb], arb]:
    r"""The mean :math:`E f(z)` as a function of the ball of ``mu``, contained in [0, 1].

    Arguments: ``function``, an expression in ``z`` and ``mu``; its jump multiplies δ(z).

    Raises ``InputError`` if no tail bound is known. Certified at the working precision.

    >>> from sympy import Integer
    >>> mean_function(Kinked(z**2))(arb(1)).contains(1)
    True
    """
    folded = sum((function.smooth + side * function.kink).subs(z, side * z) for side in (1, -1))
    compiled = ball_function(folded, [z, mu], acb)
    bound = majorant(function.smooth + function.kink)
    other = majorant(function.smooth - function.kink)
    bound = _sum([bound, other])
    jump = ball_function(function.jump, [mu])

    def mean(strength: arb) -> arb:
        parameter = acb(strength)

        def integrand(x: acb, analytic: bool) -> acb:
            return compiled(x, parameter, analytic=analytic) * (-x * x / 2).exp()

        end, tail = _cut(bound)
        tolerance = arb(2) ** -ctx.prec
        inside = acb.integral(integrand, 0, end, rel_tol=tolerance, abs_tol=tolerance)
        root = (2 * arb.pi()).sqrt()
        total = inside.real / root + arb(0, tail.upper())
        return total + jump(strength) / root if function.jump != 0 else total

    return mean


def _cut(bound: Majorant) -> tuple[int, arb]:
    """Where to cut the integral so that the tail is below the working precision."""
    end = 4
    while (tail := bound.tail(end)) is None or not tail < arb(2) ** -ctx.prec:
        end += 2
        if end > 10_000:
            raise InputError("the integrand grows too fast for a Gaussian: its mean is infinite")
    return end, tail
