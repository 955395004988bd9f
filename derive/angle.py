r"""The angle of the arcsine law, in the one form that stays exact where two Gaussians coincide.

The mean of two signs, or error functions, of correlated Gaussians is an arcsine whose argument
comes close to ±1 as they coincide. There the arcsine loses half of its digits, and its slope is
infinite. The same angle as an arc tangent of the covariance and what is left of the variances loses
nothing. It is printed as the arcsine that it is.
"""

from typing import Any

from sympy import (
    Expr,
    Float,
    Function,
    Mul,
    Rational,
    S,
    asin,
    atan2,
    cancel,
    factor,
    pi,
    sqrt,
)
from sympy.core.evalf import prec_to_dps

from derive.radical import Radicand

_NEAR_ONE = Rational(1, 1000)  # share of the square below which SymPy's arcsine would lose digits


class Angle(Function):
    r"""The angle :math:`\arcsin(c/\sqrt{c^2+D}) = \operatorname{atan2}(c, \sqrt D)`.

    Arguments:
        c: real.
        D: ≥ 0.

    Both zero give 0, the value for which products with ``c`` stay continuous. Exact.

    >>> Angle(1, 0), Angle(1, 3), Angle(2, 5)
    (pi/2, pi/6, asin(2/3))
    """

    nargs = (2,)
    is_real = True
    is_finite = True

    @classmethod
    def eval(cls, c: Expr, d: Expr) -> Expr | None:
        """The value, where it is simpler than the angle."""
        if c.is_zero:
            return S.Zero
        if d.is_zero and (c.is_positive or c.is_negative):
            return pi / 2 if c.is_positive else -pi / 2
        if c.could_extract_minus_sign():
            return -cls(-c, d)
        if isinstance(c, Float) or isinstance(d, Float):
            return atan2(c, sqrt(d))
        square = c**2
        if square.is_Rational and d.is_Rational:
            value = asin(c / sqrt(square + d))
            if not value.has(asin) or d > _NEAR_ONE * square:
                return value
        return None

    def _eval_rewrite_as_atan2(self, c: Expr, d: Expr, **hints: Any) -> Expr:
        # As a product, D keeps its sign in floats.
        return atan2(c, sqrt(factor(d)))

    def _eval_rewrite_as_asin(self, c: Expr, d: Expr, **hints: Any) -> Expr:
        return asin(c / sqrt(factor(c**2 + d)))

    _eval_rewrite_as_tractable = _eval_rewrite_as_asin  # for limits, which know no other angle

    def _eval_derivative(self, s: Expr) -> Expr:
        # One quotient, so that what cancels for D → 0 is gone before anybody substitutes.
        c, d = self.args
        slope = cancel((2 * d * c.diff(s) - c * d.diff(s)) / (2 * (c**2 + d)))
        return slope / sqrt(d)

    def _eval_is_positive(self) -> bool | None:
        positive: bool | None = self.args[0].is_positive
        return positive

    def _eval_is_negative(self) -> bool | None:
        negative: bool | None = self.args[0].is_negative
        return negative

    def _eval_evalf(self, prec: int) -> Expr | None:
        if not self.is_number:
            return None
        # Each argument to full relative accuracy: evalf sees through their cancellations.
        c, d = (argument.evalf(prec_to_dps(prec) + 3) for argument in self.args)
        return atan2(c, sqrt(d))

    def _code(self, printer: Any) -> str:
        return str(printer._print(self.rewrite(atan2)))

    _pythoncode = _numpycode = _mpmathcode = _code  # what lambdify asks for

    def shown(self) -> Expr:
        r"""The arcsine as it is printed, a number below its radical: :math:`x/\sqrt{3y}`."""
        c, d = self.args
        usual = self._eval_rewrite_as_asin(c, d)  # to rewrite would multiply c out
        (q, upper), (r, lower) = c.as_coeff_Mul(), factor(c**2 + d).as_coeff_Mul()
        roots = [part for part in Mul.make_args(upper) if part.is_Pow and part.is_number]
        share = (q * Mul(*roots)) ** 2 / r
        if not share.is_Rational or not share.is_positive or sqrt(share).is_Rational:
            return usual
        above = sqrt(share.p)  # c begins with no minus sign
        below = 1 / sqrt(Radicand(share.q, lower))
        whole = () if above == 1 else (above,)
        return asin(Mul(*whole, upper / Mul(*roots), below))

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        power = {} if exp is None else {"exp": exp}
        return str(printer._print(self.shown(), **power))

    def _sympystr(self, printer: Any) -> str:
        return str(printer._print(self.shown()))
