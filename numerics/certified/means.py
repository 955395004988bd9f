r"""Certified Gaussian means of functions without a closed form.

:math:`E f(z)` is integrated on :math:`[0, R]` in ball arithmetic, with both signs of ``z`` folded
together so that a kink at 0 is an end point; the integrand is analytic on each side. The tails are
bounded by a majorant :math:`|f(z)| \le P(|z|)\, e^{B|z| + Cz^2}` that is read off the expression.
"""

from collections.abc import Callable
from functools import reduce
from operator import add, mul

from flint import acb, arb, ctx, fmpq_poly
from sympy import Add, Expr, Mul, Pow

from derive.errors import InputError
from derive.kinked import Kinked
from derive.symbols import mu, z
from numerics.certified.expressions import ball_function
from numerics.certified.functions import (
    FUNCTIONS,
    ONE,
    Majorant,
    bound_of,
    is_one_and_an_exponential,
)


def majorant(expression: Expr) -> Majorant:
    """A majorant of an expression in ``z`` and ``mu``, for real ``z`` and ``mu`` in [0, 1].

    Raises ``InputError`` if none is found. Certified.

    >>> from sympy import exp
    >>> majorant(z**2 / (1 + exp(-mu * z))).polynomial
    x^2
    """
    if expression == z:
        return Majorant(fmpq_poly([0, 1]))
    if not expression.has(z):
        return Majorant(fmpq_poly([bound_of(expression)]))
    if isinstance(expression, Add | Mul):
        parts = [majorant(part) for part in expression.args]
        return reduce(add if isinstance(expression, Add) else mul, parts)
    found = None
    if isinstance(expression, Pow) and expression.exp.is_Integer:
        base, power = expression.args
        if power > 0:
            return reduce(mul, [majorant(base)] * int(power))
        found = ONE if is_one_and_an_exponential(base) else None
    elif type(expression) in FUNCTIONS:
        found = FUNCTIONS[type(expression)].bound(expression.args[0], majorant)
    if found is None:
        raise InputError(f"no bound is known for {expression}, so its tail cannot be certified")
    return found


def mean_function(function: Kinked) -> Callable[[arb], arb]:
    r"""The mean :math:`E f(z)` as a function of the ball of ``mu``, contained in [0, 1].

    Arguments:
        function: an expression in ``z`` and ``mu``; its jump multiplies δ(z).

    Raises ``InputError`` if no tail bound is known. Certified at the working precision.

    >>> from sympy import Integer
    >>> mean_function(Kinked(z**2))(arb(1)).contains(1)
    True
    """
    right, left = function.sides()
    folded = right + left.subs(z, -z)
    compiled = ball_function(folded, [z, mu], acb)
    bound = reduce(add, map(majorant, function.sides()))
    jump = ball_function(function.jump, [mu])

    def mean(strength: arb) -> arb:
        parameter = acb(strength)

        def integrand(x: acb, analytic: bool) -> acb:
            value: acb = compiled(x, parameter, analytic=analytic) * (-x * x / 2).exp()
            return value

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
