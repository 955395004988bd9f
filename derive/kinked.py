r"""Functions of one variable with a kink at 0, exact.

They are kept as ``smooth(z) + sgn(z)·kink(z)`` with both parts smooth, which is closed under sums,
products and derivatives in the sense of distributions.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sympy import (
    Add,
    Dummy,
    Expr,
    I,
    Integer,
    Mul,
    Poly,
    Pow,
    Rational,
    S,
    Symbol,
    cancel,
    cos,
    diff,
    erf,
    exp,
    expand,
    igcd,
    ilcm,
    log,
    logcombine,
    simplify,
    sin,
    tanh,
    trigsimp,
)

from derive import gaussian
from derive.gaussian import GaussianFunction, NoClosedForm
from derive.softplus import Softplus
from derive.symbols import z


@dataclass(frozen=True)
class Kinked:
    r"""A function or distribution :math:`\mathrm{smooth}(z) + \mathrm{sgn}(z)\,\mathrm{kink}(z)
    + \mathrm{jump}\cdot\delta(z)`.

    Fields: ``smooth`` and ``kink``, expressions in ``z`` without singularities on the real line;
    ``jump``, free of ``z``. Exact.
    """

    smooth: Expr
    kink: Expr = S.Zero
    jump: Expr = S.Zero

    def sides(self) -> tuple[Expr, Expr]:
        """The function for positive arguments, and for negative ones. Exact."""
        return self.smooth + self.kink, self.smooth - self.kink

    def on_sides(self, function: Callable[[Expr], Expr]) -> "Kinked":
        """A function of this one, formed on either side of 0, where sgn is ±1. Exact.

        Products of the two parts would double at each power.
        """
        if self.jump != 0:
            raise NoClosedForm("a function of δ(z) is not formed here")
        if self.kink == 0:
            return Kinked(function(self.smooth))
        return Kinked.of_sides(*map(function, self.sides()))

    @classmethod
    def of_sides(cls, right: Expr, left: Expr) -> "Kinked":
        """The function that is ``right`` for positive arguments, ``left`` for negative ones."""
        return cls((right + left) / 2, (right - left) / 2)

    def _mapped(self, function: Callable[[Expr], Expr]) -> "Kinked":
        return Kinked(function(self.smooth), function(self.kink), function(self.jump))

    def subs(self, symbol: Symbol, value: Expr | int) -> "Kinked":
        """The function with a parameter, not ``z``, put in. Exact."""
        return self._mapped(lambda part: part.subs(symbol, value))

    def diff(self, symbol: Symbol) -> "Kinked":
        """The function differentiated by a parameter, not ``z``. Exact."""
        return self._mapped(lambda part: diff(part, symbol))

    def __add__(self, other: "Kinked") -> "Kinked":
        return Kinked(self.smooth + other.smooth, self.kink + other.kink, self.jump + other.jump)

    def __neg__(self) -> "Kinked":
        return self._mapped(lambda part: -part)

    def __sub__(self, other: "Kinked") -> "Kinked":
        return self + -other

    def __mul__(self, other: "Kinked | Expr") -> "Kinked":
        if not isinstance(other, Kinked):
            return self._mapped(lambda part: part * other)
        if self.jump != 0 or other.jump != 0:
            raise NoClosedForm("a product with δ(z) is not formed here")
        return Kinked(
            self.smooth * other.smooth + self.kink * other.kink,
            self.smooth * other.kink + self.kink * other.smooth,
        )

    def __pow__(self, exponent: int) -> "Kinked":
        return self.on_sides(lambda side: expand(side**exponent))

    def even_parts(self) -> tuple[Expr, Expr]:
        """Twice the even part for positive arguments, by smooth and kink: 0 for an odd function.

        An odd function has the Gaussian mean 0.
        """
        return self.smooth + self.smooth.subs(z, -z), self.kink - self.kink.subs(z, -z)

    @property
    def is_odd(self) -> bool:
        """Whether it is proved to be odd. Exact.

        >>> Kinked(tanh(z)).is_odd, Kinked(S.Zero, z).is_odd
        (True, False)
        """
        return self.jump == 0 and all(_proved_zero(part) for part in self.even_parts())

    def derivative(self) -> "Kinked":
        """The derivative in the sense of distributions. Exact."""
        if self.jump != 0:
            raise NoClosedForm("the derivative of δ(z) is not formed here")
        return Kinked(diff(self.smooth, z), diff(self.kink, z), 2 * self.kink.subs(z, 0))

    def scaled(self, factor: Expr) -> "Kinked":
        """The function ``z ↦ f(factor·z)`` for a positive factor. Exact."""
        return Kinked(
            self.smooth.subs(z, factor * z), self.kink.subs(z, factor * z), self.jump / factor
        )

    def gaussian(self) -> GaussianFunction:
        """The function in the algebra of exact Gaussian means.

        Raises ``NoClosedForm`` if it is not in the algebra. Exact.
        """
        return (
            in_the_algebra(self.smooth)
            + gaussian.sign() * in_the_algebra(self.kink)
            + gaussian.constant(self.jump) * gaussian.delta()
        )


_ELEMENTARY = (exp, tanh, log, sin, cos, Softplus)
EXPONENTIAL = Dummy("w", positive=True)  # e^(gz) of ``in_exponential``


def in_exponential(expression: Expr) -> Expr:
    """The expression with its exponentials ``e^(rz)``, r rational, as powers of one. Exact."""
    whole = expression.replace(tanh, lambda y: tanh(y).rewrite(exp))
    rates = {e: e.args[0] / z for e in whole.atoms(exp)}
    if not rates or not all(rate.is_Rational for rate in rates.values()):
        return whole
    unit = igcd(0, *(r.p for r in rates.values())) / Integer(
        ilcm(1, *(r.q for r in rates.values()))
    )
    return whole.xreplace({e: EXPONENTIAL ** (rate / unit) for e, rate in rates.items()})


def _proved_zero(expression: Expr) -> bool:
    """Whether an expression in ``z`` is proved to be zero."""
    # Most are rational in z and exponentials, which is decided at once.
    rational = in_exponential(expression)
    if rational.is_rational_function(z, EXPONENTIAL):
        return bool(cancel(rational) == 0)
    return bool(simplify(_with_logarithms(expression)) == 0)


def _with_logarithms(expression: Expr) -> Expr:
    return expression.replace(Softplus, lambda y: log(1 + exp(y)))


def tidied(expression: Expr) -> Expr:
    """A function of ``z`` multiplied out, where that shows it to be simpler. Exact.

    Sums of sigmoids, hyperbolic tangents and logarithms that are polynomials become those.

    >>> tidied(1 / (1 + exp(-z)) + 1 / (1 + exp(z)))
    1
    """
    plain = expand(expression)
    if not plain.has(*_ELEMENTARY):
        return plain
    rational = in_exponential(expression)
    if rational.is_rational_function(z, EXPONENTIAL):
        simple = cancel(rational)
    elif (written := _with_logarithms(plain)).has(log):  # their arguments, 1 + e^y, are positive
        simple = simplify(logcombine(written, force=True))
    else:
        simple = trigsimp(plain)
    return simple if not simple.has(EXPONENTIAL, *_ELEMENTARY) else plain


def in_the_algebra(expression: Expr) -> GaussianFunction:
    """An expression in ``z`` as an element of the algebra, or ``NoClosedForm``."""
    if not expression.has(z):
        return gaussian.constant(expression)
    if expression == z:
        return gaussian.power(1)
    if isinstance(expression, Add | Mul):
        first, *others = (in_the_algebra(part) for part in expression.args)
        for other in others:
            first = first + other if isinstance(expression, Add) else first * other
        return first
    if isinstance(expression, Pow) and expression.exp.is_Integer and expression.exp > 0:
        return in_the_algebra(expression.base) ** int(expression.exp)
    argument = expression.args[0] if expression.args else z
    if not isinstance(expression, exp | erf | sin | cos) or not argument.is_polynomial(z):
        raise NoClosedForm(f"{expression} is not in the algebra of exact Gaussian means")
    ascending: list[Expr] = [*list(Poly(argument, z).all_coeffs())[::-1], S.Zero, S.Zero]
    offset, linear, quadratic, *higher = ascending
    if isinstance(expression, exp) and not any(higher):
        return gaussian.constant(exp(offset)) * gaussian.exponential(-quadratic, linear)
    if isinstance(expression, exp) or any((offset, quadratic, *higher)):
        raise NoClosedForm(f"{expression} is not in the algebra of exact Gaussian means")
    if isinstance(expression, erf):
        return gaussian.error_function(S.One).scaled(linear)
    plus, minus = (gaussian.exponential(S.Zero, side * I * linear) for side in (1, -1))
    if isinstance(expression, sin):
        return gaussian.constant(-I / 2) * (plus - minus)
    return gaussian.constant(Rational(1, 2)) * (plus + minus)
