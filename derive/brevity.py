"""The shortest of several ways to write a sum of products, of which all are equal.

What an expression is made of says ``derive.notation``; here is how its terms are put together.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache, reduce
from math import gcd, lcm
from operator import and_

from sympy import (
    Add,
    Basic,
    Dummy,
    Expr,
    Mul,
    Poly,
    Pow,
    Rational,
    S,
    erf,
    erfc,
    exp,
    expand,
    factor,
    factor_terms,
    fraction,
    sign,
    sqrt,
)

from derive.angle import Angle
from derive.gaussian import Sum
from derive.radical import Radicand
from derive.symbols import residual, rho

_MOST_TERMS = 14  # among which common factors are looked for
_VARIANCE = Dummy("Q")  # an expression may hold the symbol itself


@lru_cache(maxsize=65536)  # parts stand in many forms of a whole
def length(expression: Basic) -> int:
    """How many signs an expression has in print: digits, letters, operators, brackets."""
    if expression.is_Rational:
        return len(str(expression))
    if isinstance(expression, Angle):
        return length(expression.shown())
    if not expression.args:
        return 1
    inside: int = sum(map(length, expression.args))
    if expression.is_Add:  # the minus sign of a term is its operator
        signed: int = sum(part.could_extract_minus_sign() for part in expression.args)
        return inside + max(len(expression.args) - signed - 1, 0)
    if expression.is_Mul:  # a 1 before other factors, or above them, is not written
        number = expression.args[0]
        unwritten = number.is_Rational and abs(number.p) == 1
        sums = sum(bool(part.is_Add) for part in expression.args)
        return inside + 2 * sums - bool(unwritten)
    if expression.is_Pow:
        bracketed = expression.base.is_Add and expression.exp not in (S.Half, -S.Half)
        return inside + 2 * bool(bracketed)
    return inside + 2


def shortest(forms: Iterable[Expr]) -> Expr:
    """The first of the shortest forms.

    >>> from sympy.abc import x
    >>> shortest([x**2 + x, factor(x**2 + x)]), shortest([x**2 + 2 * x + 1, (x + 1) ** 2])
    (x**2 + x, (x + 1)**2)
    """
    return min(forms, key=length)


def short_sum(value: Expr) -> Expr:
    """A polynomial argument of a function, factored where that is not longer.

    >>> short_sum(-(rho**2) / 2 - residual / 2)
    -(rho**2 + s)/2
    """
    if not value.is_Add:
        return value
    number, inside = value.primitive()
    if value.could_extract_minus_sign():
        number, inside = -number, -inside
    forms = (Mul(*_flat(number), form, evaluate=False) for form in _polynomials(inside))
    return shortest([factor(value), *forms, value])


def added(terms: Sum) -> Expr:
    """The sum of terms, with factors that several share taken out where that makes it shorter.

    Arguments:
        terms: transcendental factors, each with the rational function before it.

    >>> from sympy.abc import x
    >>> added({exp(x): 2 * x**2, erf(x): -2 * x**2})
    2*x**2*(exp(x) - erf(x))
    """
    products = (  # some are seen to be 0 only once they are multiplied out
        [_product(front, rest, merged) for rest, front in terms.items()] for merged in (False, True)
    )
    forms = dict.fromkeys(tuple(part for part in parts if part != 0) for parts in products)
    return shortest(
        _grouped(parts) if len(parts) <= _MOST_TERMS else _sum(parts) for parts in forms
    )


def _product(front: Expr, rest: Expr, merged: bool) -> Expr:
    """One term: its sign in a factor, its radicals as one, where shorter.

    Only those of numbers are ``merged`` if it is not said: terms may share the others.
    """
    fronts = dict.fromkeys((front, _over_one(front), _by_variance(front)))
    forms = [form for each in fronts for form in (*_turned(each), each)]
    found = shortest(form for each in forms for form in _radicals(each, rest, merged))
    return Mul(*map(_tidy, Mul.make_args(found)), evaluate=False) if found.is_Mul else _tidy(found)


def _over_one(front: Expr) -> Expr:
    """The fraction with its numerator multiplied out."""
    above, below = fraction(front, exact=True)
    number, inside = factor_terms(expand(above)).as_coeff_Mul()
    divisor, others = below.as_coeff_Mul()
    return Mul(*_flat(number / divisor), *_flat(inside), *_flat(1 / others), evaluate=False)


def _by_variance(front: Expr) -> Expr:
    """The product with its polynomials in ρ and s as short as they can be."""
    if not front.has(residual):
        return front
    parts = (shortest(_polynomials(part)) for part in Mul.make_args(front))
    return Mul(*parts, evaluate=False)


def _polynomials(total: Expr) -> Iterator[Expr]:
    r"""A polynomial; in ρ and s also by powers of s, and with the variance :math:`\rho^2 + s`."""
    yield total
    if not total.is_Add or not total.is_polynomial(rho, residual) or not total.has(residual):
        return
    yield _grouped(total.args)
    powers = Poly(total, residual).terms()
    yield _sum(Mul(*_flat(factor(c)), *_flat(residual**k), evaluate=False) for (k,), c in powers)
    powers = Poly(total.subs(residual, _VARIANCE - rho**2), _VARIANCE).terms()
    variance = rho**2 + residual
    for least in (1, 2):  # the power from which on the variance is kept
        whole = [(k, c) for (k,), c in powers if k >= least]
        rest = expand(sum(c * variance**k for (k,), c in powers if k < least))
        yield _sum([*(Mul(*_flat(c), variance**k, evaluate=False) for k, c in whole), rest])


def _tidy(part: Expr) -> Expr:
    """A factor with its argument as short as it can be: nothing multiplies it any more."""
    if isinstance(part, exp):
        return exp(short_sum(expand(part.args[0])), evaluate=False)
    if isinstance(part, erf | erfc):
        return part.func(_below_a_root(part.args[0]), evaluate=False)
    if part.is_Pow and isinstance(part.base, erf | erfc):
        return _tidy(part.base) ** part.exp
    return part


def _below_a_root(argument: Expr) -> Expr:
    r"""An argument :math:`3\sqrt2\,x/2` as :math:`3x/\sqrt2`, and one :math:`\sqrt2\sqrt x/2`."""
    merged = shortest(_radicals(argument, S.One, merged=True))
    number, rest = merged.as_independent(*merged.free_symbols, as_Add=False)
    square = expand(number**2)
    above = sqrt(square.p) if square.is_Rational and number.is_positive else S.Zero
    if not above.is_Integer or not above or square.q == 1 or sqrt(square.q).is_Integer:
        return merged
    root = Pow(square.q, -S.Half, evaluate=False)
    return Mul(*_flat(above), *_flat(rest), root, evaluate=False)


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


def _radicals(front: Expr, rest: Expr, merged: bool) -> Iterator[Expr]:
    r"""The product as it is, and with :math:`\sqrt n/\sqrt\pi` as :math:`n/\sqrt{n\pi}`."""
    product = front * rest
    yield Mul(*_flat(front), *_flat(rest), evaluate=False)
    yield product
    roots = [f for f in _flat(product) if _is_root(f) and (merged or not f.free_symbols)]
    if len(roots) < 2:
        return
    number = Mul(*(f for f in _flat(product) if f.is_Rational))
    left = [f for f in _flat(product) if f not in roots and not f.is_Rational]
    above = [f.base for f in roots if f.exp == S.Half]
    below = [f.base for f in roots if f.exp != S.Half]
    yield Mul(*_flat(number), *left, _root(above, below), evaluate=False)
    for n in (base for base in above if base.is_Integer):
        root = _root([base for base in above if base != n], [n, *below])
        yield Mul(*_flat(number * n), *left, root, evaluate=False)


def _root(above: Sequence[Expr], below: Sequence[Expr]) -> Expr:
    if not above:
        return 1 / sqrt(Radicand(*below))
    return sqrt(Radicand(*above, *(1 / base for base in below)))


def _is_root(part: Expr) -> bool:
    return bool(part.is_Pow and part.exp in (S.Half, -S.Half) and part.base.is_positive)


@lru_cache(maxsize=1024)  # what is left of a sum is met along several ways
def _grouped(parts: tuple[Expr, ...]) -> Expr:
    """The sum of the parts, the factors taken out that save most, one after the other."""
    best = _sum(parts)
    if len(parts) < 2:
        return best
    forms: list[tuple[Expr, tuple[Expr, ...]]] = []
    for shared in dict.fromkeys(f for part in parts for f in _factors(part)):
        holding = [part for part in parts if shared in _factors(part)]
        if len(holding) < 2:
            continue
        inside = _divided(holding) if shared.is_Rational else _grouped_once(holding)
        others = tuple(part for part in parts if part not in holding)
        forms.append((_sum([inside, *others]), (inside, *others)))
    found, left = min(forms, key=lambda form: length(form[0]), default=(best, parts))
    if len(left) < len(parts):
        found = shortest([found, _grouped(left)])
    return shortest([found, _divided(parts), best])


def _sum(parts: Iterable[Expr]) -> Expr:
    """The sum, its terms as they are: to evaluate it would multiply some of them out."""
    terms = [term for part in parts for term in Add.make_args(part)]
    return Add(*terms, evaluate=False)


def _grouped_once(parts: Sequence[Expr]) -> Expr:
    """The sum as its common factors times what is left, which is grouped in turn."""
    total = Add(*parts)
    whole = factor_terms(total)
    forms = [_divided(parts), whole, total]
    outside = [part for part in Mul.make_args(whole) if not part.is_Add]
    inside = [part for part in Mul.make_args(whole) if part.is_Add]
    if len(inside) == 1 and outside:
        forms.insert(1, Mul(*outside, _grouped(inside[0].args), evaluate=False))
    return shortest(forms)


def _divided(parts: Sequence[Expr]) -> Expr:
    """The sum as the factors that all parts share, their number too, times what is left.

    A number alone is only taken out if no fraction is left.
    """
    numbers, products = zip(*(part.as_coeff_Mul() for part in parts), strict=True)
    number = Rational(gcd(*(c.p for c in numbers)), lcm(*(c.q for c in numbers)))
    if all(c.is_negative for c in numbers):
        number = -number
    factors = [_flat(product) for product in products]
    shared = reduce(and_, map(Counter, factors))
    whole = len({c.q for c in numbers}) == 1 and all(fraction(f)[1] == 1 for f in products)
    if not shared and (number == 1 or not whole):
        return _sum(parts)
    forms = []
    for outside in dict.fromkeys((number, sign(number) if shared else number)):
        left = tuple(
            Mul(*_flat(c / outside), *(Counter(own) - shared).elements(), evaluate=False)
            for c, own in zip(numbers, factors, strict=True)
        )
        inside = _flat(_grouped(left))
        forms.append(Mul(*_flat(outside), *shared.elements(), *inside, evaluate=False))
    return shortest(forms)


def _factors(part: Expr) -> tuple[Expr, ...]:
    """What a term could share with others: its factors, a number without its sign."""
    factors = (abs(f) if f.is_Rational else f for f in Mul.make_args(part))
    return tuple(f for f in factors if f != 1)
