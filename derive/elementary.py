"""Expressions in ``z`` on one piece: which are zero, what is simpler, which have exact means."""

from collections.abc import Collection

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
    atan,
    cancel,
    cos,
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

_MOST_POWERS = 200  # of one exponential, that fractions of it are cancelled for
_ELEMENTARY = (exp, tanh, log, sin, cos, Softplus)
EXPONENTIAL = Dummy("w", positive=True)  # e^(gz) of ``in_exponential``


def in_exponential(expression: Expr) -> Expr:
    """The expression with its exponentials ``e^(rz)``, r rational, as powers of one. Exact."""
    whole = expression.replace(tanh, lambda y: tanh(y).rewrite(exp))
    rates = {e: e.args[0] / z for e in whole.atoms(exp)}
    if not rates or not all(rate.is_Rational for rate in rates.values()):
        return whole
    unit = _common(rates.values())
    if unit is None:
        return whole
    return whole.xreplace({e: EXPONENTIAL ** (rate / unit) for e, rate in rates.items()})


def _common(rates: Collection[Rational]) -> Rational | None:
    """What all rates are multiples of, ``None`` if one is too large a multiple."""
    unit = igcd(0, *(r.p for r in rates)) / Integer(ilcm(1, *(r.q for r in rates)))
    return unit if max(map(abs, rates)) <= _MOST_POWERS * unit else None


_SOMEWHERE, _NOT_ZERO = Rational(7, 11), Rational(1, 10**6)


def proved_zero(expression: Expr) -> bool:
    """Whether an expression in ``z`` is proved to be zero. Exact.

    >>> proved_zero(tanh(z) + tanh(-z)), proved_zero(sin(z) * erf(z))
    (True, False)
    """
    # Most are rational in z and exponentials, which is decided at once.
    rational = in_exponential(expression)
    if rational.is_rational_function(z, EXPONENTIAL):
        return bool(_cancelled(rational) == 0)
    if expression.free_symbols == {z} and abs(expression.subs(z, _SOMEWHERE).evalf()) > _NOT_ZERO:
        return False  # what is not zero need not be simplified, which may take minutes
    return bool(simplify(_with_logarithms(expression)) == 0)


def _cancelled(rational: Expr) -> Expr:
    """As it stands if SymPy would take too large powers, as of constants of thirty digits."""
    exponents = [power.as_base_exp()[1] for power in rational.atoms(exp, Pow)]
    rates = [exponent for exponent in exponents if exponent.is_Rational]
    return rational if rates and _common(rates) is None else cancel(rational)


def _with_logarithms(expression: Expr) -> Expr:
    return expression.replace(Softplus, lambda y: log(1 + exp(y)))


def tidied(expression: Expr) -> Expr:
    """A function of ``z`` multiplied out, where that shows it to be simpler. Exact.

    Sums of sigmoids, hyperbolic tangents and logarithms that are polynomials become those, and a
    number at a breakpoint, which is where one of them has a simple value, becomes that.

    >>> tidied(1 / (1 + exp(-z)) + 1 / (1 + exp(z)))
    1
    """
    if not expression.free_symbols:
        expression = _with_logarithms(expression).replace(atan, lambda y: atan(trigsimp(y)))
    plain = expand(expression)
    if not plain.has(*_ELEMENTARY):
        return plain
    rational = in_exponential(expression)
    if rational.is_rational_function(z, EXPONENTIAL):
        simple = _cancelled(rational)
    elif _keeps_softplus(plain):
        return plain
    elif (written := _with_logarithms(plain)).has(log):  # their arguments, 1 + e^y, are positive
        simple = simplify(logcombine(written, force=True))
    elif plain.has(sin, cos):
        simple = trigsimp(plain)
    else:  # exponentials of curved arguments have no more identities, which may take minutes
        return plain
    return simple if not simple.has(EXPONENTIAL, *_ELEMENTARY) else plain


def _keeps_softplus(expression: Expr) -> bool:
    """Whether a softplus is left, of arguments of one sign: those are independent of all else."""
    alike = expression.replace(
        Softplus, lambda y: y + Softplus(-y) if y.could_extract_minus_sign() else Softplus(y)
    )
    return bool(expand(alike).has(Softplus))


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
    shifted_erf = isinstance(expression, erf) and offset != 0
    if isinstance(expression, exp) or shifted_erf or any((quadratic, *higher)):
        raise NoClosedForm(f"{expression} is not in the algebra of exact Gaussian means")
    if isinstance(expression, erf):
        return gaussian.error_function(S.One).scaled(linear)
    if offset != 0:
        s, c = sin(linear * z), cos(linear * z)
        pair = (s, c) if isinstance(expression, sin) else (c, -s)
        return in_the_algebra(pair[0] * cos(offset) + pair[1] * sin(offset))
    plus, minus = (gaussian.exponential(S.Zero, side * I * linear) for side in (1, -1))
    if isinstance(expression, sin):
        return gaussian.constant(-I / 2) * (plus - minus)
    return gaussian.constant(Rational(1, 2)) * (plus + minus)
