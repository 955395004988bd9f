r"""Majorants of expressions: bounds :math:`|f(z)| \le P(|z|)\, e^{B|z| + Cz^2}` read off them.

They bound the tails of Gaussian means. Where a part is bounded, or stays away from 0, is known from
``derive.ranges``; how fast each function grows, from ``numerics.certified.functions``.
"""

from dataclasses import dataclass
from functools import reduce
from operator import add, mul

from flint import fmpq_poly
from sympy import Add, Expr, Mul, Pow, S, oo

from derive.errors import InputError
from derive.ranges import LINE, Range, range_of
from derive.symbols import mu, z
from numerics.certified.functions import FUNCTIONS, Majorant, bound_of, constant, root_bound


def majorant(expression: Expr, low: Expr = -oo, high: Expr = oo) -> Majorant:
    """A majorant of an expression in ``z`` and ``mu``, for real ``z`` and ``mu`` in [0, 1].

    Arguments:
        expression: of what is in ``FUNCTIONS``, sums, products and powers.
        low, high: the piece on which it counts; ends may move as ``p/mu``.

    Raises ``InputError`` if none is found. Certified.

    >>> from sympy import exp
    >>> majorant(z**2 / (1 + exp(-mu * z))).polynomial
    x^2
    """
    return _Piece(low, high).majorant(expression)


@dataclass(frozen=True)
class _Piece:
    """Where an expression is bounded."""

    low: Expr
    high: Expr

    def range(self, part: Expr) -> Range:
        """What values a part takes: of a function of ``z`` alone, or of ``mu*z``."""
        if not part.has(mu):
            return range_of(part, self._outer(self.low, -1), self._outer(self.high, 1))
        seen = part.subs(z, z / mu)
        if seen.has(mu):
            return LINE
        low, high = self.low * mu, self.high * mu  # of the student's pre-activation
        low = low if low.is_number else min(low.subs(mu, 1), S.Zero)
        high = high if high.is_number else max(high.subs(mu, 1), S.Zero)
        return range_of(seen, low, high)

    @staticmethod
    def _outer(end: Expr, side: int) -> Expr:
        """How far an end may lie on its side: ``p/mu`` lies beyond p, to infinity."""
        if not end.has(mu):
            return end
        number = end * mu
        return side * oo if (side * number).is_positive else number

    def majorant(self, e: Expr) -> Majorant:
        """A majorant of a part."""
        if e == z:
            return Majorant(fmpq_poly([0, 1]))
        if isinstance(e, Pow) and e.base == mu and e.exp.is_negative:
            return self._inverse_strength(-e.exp)
        if not e.has(z) and not isinstance(e, Mul):
            return constant(bound_of(e))
        if isinstance(e, Add | Mul):
            return reduce(add if isinstance(e, Add) else mul, map(self.majorant, e.args))
        found = None
        if isinstance(e, Pow) and e.exp.is_Rational:
            found = self._power(e)
        elif type(e) in FUNCTIONS:
            found = FUNCTIONS[type(e)].bound(e.args[0], self)
        if found is None:
            raise InputError(f"no bound is known for {e}, so its tail cannot be certified")
        return found

    def _inverse_strength(self, power: Expr) -> Majorant:
        """``1/mu`` is at most ``z/p`` beyond a breakpoint ``p/mu``."""
        inner = [end * mu for end, side in ((self.low, 1), (self.high, -1))
                 if end.has(mu) and (side * end * mu).is_positive]  # fmt: skip
        if not inner or not power.is_Integer:
            raise InputError("no bound is known for 1/mu, so a tail cannot be certified")
        return reduce(mul, [Majorant(fmpq_poly([0, bound_of(1 / inner[0])]))] * int(power))

    def _power(self, e: Expr) -> Majorant | None:
        base, exponent = e.args
        if exponent < 0:
            least, greatest = self.range(base)
            if not (least > 0 or greatest < 0):
                return None
            return constant(bound_of((least if least > 0 else -greatest) ** exponent))
        whole = reduce(mul, [self.majorant(base)] * int(exponent), constant(bound_of(S.One)))
        return whole if exponent.is_Integer else whole * root_bound(self.majorant(base))
