r"""Roots of products that stay one root, as in :math:`1/\sqrt{2\pi}`.

SymPy takes the root of every factor by itself and puts those of numbers above the fraction:
:math:`\sqrt2/(2\sqrt\pi)`. ``derive.notation`` writes them as people do.
"""

from typing import Any

from sympy import Expr, Mul


class Radicand(Mul):
    r"""A product of positive factors of which square roots are taken as a whole.

    Arguments:
        factors: positive.

    An ordinary product in all else; ``expand`` and ``simplify`` take its roots apart. Exact.

    >>> from sympy import Rational, Symbol, pi, sqrt
    >>> Q = Symbol("Q", positive=True)
    >>> 1 / sqrt(Radicand(2, pi)), sqrt(Radicand(Q, 1 / pi, Rational(1, 2))), Radicand(2, 3)
    (1/sqrt(2*pi), sqrt(Q/(2*pi)), 6)
    """

    __slots__ = ()

    def __new__(cls, *factors: Expr, **options: Any) -> Expr:
        """The product; an ordinary one where a single factor is left."""
        number, rest = Mul(*factors, evaluate=False).as_coeff_Mul()
        others = Mul.make_args(Mul(*Mul.make_args(rest)))
        number *= Mul(*(f for f in others if f.is_Rational))
        kept = [f for f in others if not f.is_Rational]
        if number != 1:
            kept.insert(0, number)
        return Mul.__new__(cls, *kept, evaluate=False) if len(kept) > 1 else Mul(*kept)

    def _eval_power(self, exponent: Expr) -> Expr | None:
        return None if exponent.is_Rational and exponent.q == 2 else Mul(*self.args) ** exponent
