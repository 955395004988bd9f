r"""Closed forms as one would write them by hand: the same expression, shorter.

Drifts, landscapes and networks are in hand as ``written`` gives them; what was derived is kept
beside, for numbers are computed from it. Every step is an identity: products are multiplied out
over their radicals and transcendental factors, equal ones are collected with one factored rational
function in front, common factors are taken out, and of several forms of a part the shortest stays.
Nothing is guessed and nothing is compared in floating point, so the result is equal by
construction.
"""

from collections.abc import Iterator
from functools import lru_cache
from itertools import combinations

from sympy import (
    Expr,
    Mul,
    Piecewise,
    Poly,
    Pow,
    S,
    cosh,
    erf,
    erfc,
    exp,
    expand,
    factor_terms,
    latex,
    sinh,
)

from derive.angle import Angle
from derive.brevity import added, length, short_sum, shortest
from derive.gaussian import Sum, factored, gather
from derive.given import insist_on
from derive.radical import Radicand
from derive.symbols import exact

_HIGHEST_POWER = 3  # of a sum that is multiplied out
_USUAL = (
    (Radicand, Mul),
    (erfc, lambda x: 1 - erf(x)),
    (cosh, lambda x: (exp(x) + exp(-x)) / 2),
    (sinh, lambda x: (exp(x) - exp(-x)) / 2),
)


def written(expression: Expr | Poly) -> Expr:
    r"""A closed form as it is shown: equal by construction, and short.

    Arguments:
        expression: exact, or a polynomial, such as a drift coefficient, a loss.

    The result is for people: its products are not to be multiplied out again by arithmetic. Raises
    ``InputError`` for what is neither. Exact.

    >>> from sympy import Symbol, pi, sqrt
    >>> x = Symbol("x", positive=True)
    >>> written(x * exp(x) * erf(x) - x * exp(x)), written((x**2 + 2 * x + 1) / sqrt(2 * pi))
    (-x*exp(x)*erfc(x), (x + 1)**2/sqrt(2*pi))
    """
    given = expression.as_expr() if isinstance(expression, Poly) else expression
    found = given if isinstance(given, Expr) else exact(given)
    insist_on(found, Expr, "an expression or a polynomial")
    return _written(found)


def in_latex(expression: Expr | Poly) -> str:
    r"""LaTeX of an expression as it is shown, the inverse sine as in the tables.

    >>> from sympy import asin
    >>> from derive.symbols import mu
    >>> print(in_latex(asin(mu) / 2))
    \frac{\arcsin{\left(\mu \right)}}{2}
    """
    return str(latex(written(expression), inv_trig_style="full", fold_frac_powers=True))


@lru_cache(maxsize=1024)  # a formula stands in a table, in a record and on a page
def _written(expression: Expr) -> Expr:
    if isinstance(expression, Piecewise):
        return Piecewise(*((_written(f), where) for f, where in expression.args), evaluate=False)
    if expression.is_Rational or expression.is_Symbol:
        return expression
    multiplied = _multiplied_out(unwritten(expression).replace(Angle, _tidy_angle))
    collected = _complementary(_collected(multiplied))
    hyperbolic = _by_hyperbolic(collected)
    forms = [collected] if hyperbolic == collected else [collected, hyperbolic]
    found = [*map(added, forms), expression]
    return shortest(form.replace(_is_power_of_terms, _with_short_base) for form in found)


def _is_power_of_terms(part: Expr) -> bool:
    return bool(part.is_Pow and part.base.is_Add and part.base.has(erf, erfc))


def _with_short_base(power: Expr) -> Expr:
    return Pow(_written(power.base), power.exp, evaluate=False)


def unwritten(expression: Expr) -> Expr:
    r"""The same without what was only written otherwise, so that equal parts are equal.

    Arguments:
        expression: as ``written`` gives it, or made of such.

    The complementary error function, hyperbolic functions and roots of products give way to the
    error function, exponentials and roots of factors. Exact.

    >>> from sympy import Symbol, sinh
    >>> unwritten(2 * sinh(Symbol("x"))), unwritten(1 - erfc(Symbol("x")))
    (exp(x) - exp(-x), erf(x))
    """
    for function, usual in _USUAL:
        expression = expression.replace(function, usual)
    return expression.doit()


def _multiplied_out(expression: Expr) -> Sum:
    """The expression as transcendental factors, each with the rational function before it."""
    total: Sum = {}
    if expression.is_Add:
        for term in expression.args:
            gather(total, _multiplied_out(term), S.One)
        return total
    base, exponent = expression.as_base_exp()
    if expression.is_Pow and exponent.is_Integer and 1 < exponent <= _HIGHEST_POWER:
        factors = (base,) * int(exponent)
    else:
        factors = Mul.make_args(expression)
    product: Sum = {S.One: S.One}
    for part in factors:
        if part == expression or _is_rational(part):
            gather(total, product, part)
            product, total = total, {}
            continue
        terms = _multiplied_out(part)
        for rest, front in product.items():
            gather(total, terms, front * rest)
        product, total = total, {}
    return product


def _is_rational(part: Expr) -> bool:
    return part.is_Rational or bool(part.free_symbols and part.is_rational_function())


def _collected(terms: Sum) -> Sum:
    found: Sum = {}
    for rest, front in terms.items():
        gather(found, {_one_exponential(rest): S.One}, front)
    fronts = {rest: factored(front) for rest, front in found.items()}
    return {rest: front for rest, front in fronts.items() if front != 0}


def _one_exponential(rest: Expr) -> Expr:
    exponents = [part.args[0] for part in Mul.make_args(rest) if isinstance(part, exp)]
    return _without_exponential(rest) * exp(expand(sum(exponents)))


def _tidy_angle(c: Expr, determinant: Expr) -> Expr:
    return Angle(factor_terms(c), short_sum(determinant))


def _complementary(terms: Sum) -> Sum:
    """``1 - erf`` as ``erfc``, whatever stands before both."""
    total = dict(terms)
    for rest, front in terms.items():
        for function in rest.atoms(erf):
            without = rest / function
            if rest in total and expand(total.get(without, S.Zero) + front) == 0:
                del total[rest], total[without]
                found = without * erfc(*function.args)
                total[found] = factored(total.get(found, S.Zero) - front)
    return total


def _by_hyperbolic(terms: Sum) -> Sum:
    r"""Two exponentials as one.

    .. math:: f e^{A+B} + g e^{A-B} = e^A ((f+g)\cosh B + (f-g)\sinh B)
    """
    total = dict(terms)
    for (left, p), (right, q) in combinations(_exponentials(terms), 2):
        half = expand((p - q) / 2)
        common = _without_exponential(left)
        if left not in total or right not in total or half.is_Add or not _is_odd(half):
            continue
        if common != _without_exponential(right):
            continue
        if half.could_extract_minus_sign():
            left, right, half = right, left, -half
        f, g = total[left], total[right]
        both, only = factored(f + g), factored(f - g)
        if length(both) + length(only) >= length(f) + length(g):
            continue
        del total[left], total[right]
        common *= exp(expand((p + q) / 2))
        gather(total, {common * cosh(half): both, common * sinh(half): only}, S.One)
    return {rest: front for rest, front in total.items() if front != 0}


def _is_odd(argument: Expr) -> bool:
    return bool(argument.xreplace({x: -x for x in argument.free_symbols}) == -argument)


def _exponentials(terms: Sum) -> Iterator[tuple[Expr, Expr]]:
    """Each transcendental factor that holds one exponential, with its exponent."""
    for rest in terms:
        found = [part for part in Mul.make_args(rest) if isinstance(part, exp)]
        if len(found) == 1 and found[0].free_symbols:
            yield rest, found[0].args[0]


def _without_exponential(rest: Expr) -> Expr:
    return Mul(*(part for part in Mul.make_args(rest) if not isinstance(part, exp)))
