r"""Closed forms as one would write them by hand: the same expression, shorter.

Formulas are kept as they were derived, for numbers are computed from them; they are shown as
``written`` gives them. Every step is an identity: products are multiplied out over their radicals
and transcendental factors, equal ones are collected with one factored rational function in front,
common factors are taken out, and of several forms of a part the shortest stays. Nothing is guessed
and nothing is compared in floating point, so the result is equal by construction.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import combinations

from sympy import (
    Add,
    Basic,
    Expr,
    Mul,
    Piecewise,
    Pow,
    S,
    cosh,
    erf,
    erfc,
    exp,
    expand,
    factor,
    factor_terms,
    latex,
    pi,
    sinh,
    sqrt,
)

from derive.angle import Angle
from derive.gaussian import Sum, factored, gather
from derive.symbols import exact

_HIGHEST_POWER = 3  # of a sum that is multiplied out
_MOST_TERMS = 14  # among which common factors are looked for


def written(expression: Expr) -> Expr:
    r"""A closed form as it is shown: equal by construction, and short.

    Arguments:
        expression: exact, such as a drift coefficient, a loss, a Hermite coefficient.

    The result is for people: its products are not to be multiplied out again by arithmetic. Exact.

    >>> from sympy import Symbol
    >>> x = Symbol("x", positive=True)
    >>> written(x * exp(x) * erf(x) - x * exp(x)), written((x**2 + 2 * x + 1) / sqrt(2 * pi))
    (-x*exp(x)*erfc(x), (x + 1)**2/sqrt(2*pi))
    """
    return _written(expression if isinstance(expression, Expr) else exact(expression))


def in_latex(expression: Expr) -> str:
    """LaTeX of an expression as it is shown."""
    return str(latex(written(expression)))


@lru_cache(maxsize=1024)  # a formula stands in a table, in a record and on a page
def _written(expression: Expr) -> Expr:
    if isinstance(expression, Piecewise):
        return Piecewise(*((_written(f), where) for f, where in expression.args), evaluate=False)
    if expression.is_Rational or expression.is_Symbol:
        return expression
    collected = _collected(_multiplied_out(expression.replace(Angle, _tidy_angle)))
    hyperbolic = _by_hyperbolic(collected)
    forms = [collected] if hyperbolic == collected else [collected, hyperbolic]
    sums = map(_added, forms)
    return _shortest([*map(_complementary, sums), expression])


@lru_cache(maxsize=65536)  # parts stand in many forms of a whole
def length(expression: Basic) -> int:
    """How many signs an expression has in print: digits, letters, operators, brackets."""
    if expression.is_Rational:
        return len(str(expression))
    if not expression.args:
        return 1
    inside: int = sum(map(length, expression.args))
    if expression.is_Add:  # the minus sign of a term is its operator
        signed: int = sum(part.could_extract_minus_sign() for part in expression.args)
        return inside + len(expression.args) - max(signed, 1)
    if expression.is_Mul:  # a 1 before other factors, or above them, is not written
        number = expression.args[0]
        unwritten = number.is_Rational and abs(number.p) == 1
        sums = sum(bool(part.is_Add) for part in expression.args)
        return inside + 2 * sums - bool(unwritten)
    if expression.is_Pow:
        bracketed = expression.base.is_Add and expression.exp not in (S.Half, -S.Half)
        return inside + 2 * bool(bracketed)
    return inside + 2


def _shortest(forms: Iterable[Expr]) -> Expr:
    return min(forms, key=length)


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
        gather(found, {rest.replace(exp, _tidy_exponential): S.One}, front)
    fronts = {rest: factored(front) for rest, front in found.items()}
    return {rest: front for rest, front in fronts.items() if front != 0}


def _tidy_angle(c: Expr, determinant: Expr) -> Expr:
    return Angle(_short_sum(c), _short_sum(determinant))


def _tidy_exponential(exponent: Expr) -> Expr:
    return exp(_short_sum(expand(exponent)), evaluate=False)


def _short_sum(value: Expr) -> Expr:
    """A polynomial exponent or argument, factored where that is shorter."""
    return _shortest([value, factor(value), factor_terms(value)]) if value.is_Add else value


def _by_hyperbolic(terms: Sum) -> Sum:
    r"""Two exponentials as one.

    .. math:: f e^{A+B} + g e^{A-B} = e^A ((f+g)\cosh B + (f-g)\sinh B)
    """
    total = dict(terms)
    for (left, p), (right, q) in combinations(_exponentials(terms), 2):
        half = expand((p - q) / 2)
        common = _without_exponential(left)
        if left not in total or right not in total or half.is_Add:
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
        common *= _tidy_exponential((p + q) / 2)
        gather(total, {common * cosh(half): both, common * sinh(half): only}, S.One)
    return {rest: front for rest, front in total.items() if front != 0}


def _exponentials(terms: Sum) -> Iterator[tuple[Expr, Expr]]:
    """Each transcendental factor that holds one exponential, with its exponent."""
    for rest in terms:
        found = [part for part in Mul.make_args(rest) if isinstance(part, exp)]
        if len(found) == 1 and found[0].free_symbols:
            yield rest, found[0].args[0]


def _without_exponential(rest: Expr) -> Expr:
    return Mul(*(part for part in Mul.make_args(rest) if not isinstance(part, exp)))


def _added(terms: Sum) -> Expr:
    """The sum, with factors that several terms share taken out where that makes it shorter."""
    parts = tuple(_product(front, rest) for rest, front in terms.items())
    return _grouped(parts) if len(parts) <= _MOST_TERMS else Add(*parts)


def _product(front: Expr, rest: Expr) -> Expr:
    """One term: its sign in a factor, its numerical radicals in the denominator, where shorter."""
    forms = (*_turned(front), front)
    return _shortest(form for turned in forms for form in _radicals(turned, rest))


def _turned(front: Expr) -> Iterator[Expr]:
    """The same product with the sign of one of its sums turned: ``-(x - 1)`` is ``1 - x``."""
    factors = Mul.make_args(front)
    for i, part in enumerate(factors):
        if part.is_Add and _minus_signs(-part) <= _minus_signs(part):
            others = Mul(*factors[:i], *factors[i + 1 :])
            yield Mul(*_flat(-others), -part, evaluate=False)


def _minus_signs(total: Expr) -> int:
    return sum(term.could_extract_minus_sign() for term in Add.make_args(total))


def _flat(product: Expr) -> tuple[Expr, ...]:
    return () if product == 1 else tuple(Mul.make_args(product))


def _radicals(front: Expr, rest: Expr) -> Iterator[Expr]:
    r"""The product as it is, and with :math:`\sqrt n/\sqrt\pi` as :math:`n/\sqrt{n\pi}`."""
    factors = [*_flat(front), *_flat(rest)]
    yield Mul(*factors, evaluate=False)
    yield front * rest
    roots = [
        part for part in factors if part.is_Pow and part.exp == S.Half and part.base.is_Integer
    ]
    below = 1 / sqrt(pi)
    if len(roots) == 1 and below in factors:
        n = roots[0].base
        left = [part for part in factors if part not in (roots[0], below)]
        number = Mul(*(part for part in left if part.is_Rational), n)
        others = [part for part in left if not part.is_Rational]
        root = Pow(Mul(n, pi, evaluate=False), -S.Half, evaluate=False)
        yield Mul(*_flat(number), *_flat(Mul(*others)), root, evaluate=False)


@lru_cache(maxsize=1024)  # what is left of a sum is met along several ways
def _grouped(parts: tuple[Expr, ...]) -> Expr:
    """The sum of the parts, the factors taken out that save most, one after the other."""
    best = Add(*parts)
    if len(parts) < 2:
        return best
    forms: list[tuple[Expr, tuple[Expr, ...]]] = [(best, parts)]
    for shared in dict.fromkeys(f for part in parts for f in _factors(part)):
        holding = [part for part in parts if shared in _factors(part)]
        if len(holding) < 2:
            continue
        inside = _grouped_once(holding)
        others = tuple(part for part in parts if part not in holding)
        forms.append((Add(inside, *others), (inside, *others)))
    shortest, left = min(forms, key=lambda form: length(form[0]))
    return (
        best if left is parts or len(left) == len(parts) else _shortest([shortest, _grouped(left)])
    )


def _grouped_once(parts: Sequence[Expr]) -> Expr:
    """The sum as its common factors times what is left, which is grouped in turn."""
    total = Add(*parts)
    whole = factor_terms(total)
    forms = [whole, total]
    outside = [part for part in Mul.make_args(whole) if not part.is_Add]
    inside = [part for part in Mul.make_args(whole) if part.is_Add]
    if len(inside) == 1 and outside:
        forms.insert(0, Mul(*outside, _grouped(inside[0].args), evaluate=False))
    return _shortest(forms)


def _factors(part: Expr) -> tuple[Expr, ...]:
    """What a term could share with others: its factors but numbers."""
    return tuple(f for f in Mul.make_args(part) if not f.is_Rational)


def _complementary(expression: Expr) -> Expr:
    """With ``1 - erf`` as ``erfc``."""

    def turned(total: Expr) -> Expr:
        for part in total.args:
            c, f = part.as_coeff_Mul()
            if isinstance(f, erf) and -c in total.args:
                others = [other for other in total.args if other not in (part, -c)]
                return Add(Mul(-c, erfc(*f.args)), *others)
        return total

    found: Expr = expression.replace(lambda part: part.is_Add, turned)
    return found.replace(lambda part: isinstance(part, erf | erfc), _below_a_root)


def _below_a_root(function: Expr) -> Expr:
    r"""An error function of :math:`\sqrt2\,x/2` as one of :math:`x/\sqrt2`."""
    number, rest = function.args[0].as_independent(*function.args[0].free_symbols, as_Add=False)
    square = expand(number**2)
    if not square.is_Rational or square.p != 1 or square == 1 or not number.is_positive:
        return function
    root = Pow(square.q, -S.Half, evaluate=False)
    whole = Mul(*_flat(rest), root, evaluate=False) if rest != 1 else root
    return function.func(whole, evaluate=False)
