"""Piecewise analytic functions put into one another, and chosen between by the sign of one.

Breakpoints are found exactly, as zeros of pieces: rational, square roots, or logarithms and the
like where a single rising function is inverted. What is not found is refused.
"""

from collections.abc import Callable

from sympy import (
    Add,
    Expr,
    Mul,
    Poly,
    Pow,
    Rational,
    S,
    atan,
    cos,
    diff,
    exp,
    log,
    oo,
    real_roots,
    sign,
    sin,
    tanh,
)

from derive.errors import InputError, abridged
from derive.piecewise import PiecewiseAnalytic, in_common, in_order, placed
from derive.ranges import keeps_sign, range_of
from derive.softplus import Softplus
from derive.symbols import z


class NotFound(InputError):
    """A breakpoint is not found, or a function is not proved to be analytic."""


MOST_BREAKS = 40
_SURE = Rational(1, 10**20)  # a value this far from 0 is not 0
_INVERSES: dict[type[Expr], Callable[[Expr], Expr]] = {
    exp: log,
    tanh: lambda y: log((1 + y) / (1 - y)) / 2,
    atan: lambda y: sin(y) / cos(y),
    Softplus: lambda y: log(exp(y) - 1),
}


def chosen(
    judge: PiecewiseAnalytic, above: PiecewiseAnalytic, below: PiecewiseAnalytic
) -> PiecewiseAnalytic:
    """The function that is ``above`` where a judge is positive, ``below`` elsewhere.

    Arguments:
        judge: whose sign chooses.
        above: where it is positive.
        below: where it is negative, or 0 on a whole stretch.

    Raises ``NotFound`` if the judge's changes of sign are not found exactly. Exact.

    >>> from derive.piecewise import analytic
    >>> chosen(analytic(z), analytic(z), analytic(S.Zero)).breaks
    (0,)
    """
    judge, above, below = in_common(judge, above, below)
    judge = _cut_at_zeros(judge)
    above, below = (f.refined(judge.breaks) for f in (above, below))
    signs = [sign_inside(piece, low, high) for piece, low, high in judge.intervals()]
    sides = zip(signs, above.pieces, below.pieces, strict=True)
    pieces = tuple(left if sign > 0 else right for sign, left, right in sides)
    return PiecewiseAnalytic(pieces, judge.breaks).joined()


def composed(outer: PiecewiseAnalytic, inner: PiecewiseAnalytic) -> PiecewiseAnalytic:
    """The function ``z ↦ outer(inner(z))``. Exact.

    Raises ``NotFound`` if it is not found exactly where the inner function meets a breakpoint.

    >>> from derive.piecewise import analytic
    >>> relu = PiecewiseAnalytic((S.Zero, z), (S.Zero,))
    >>> composed(relu, analytic(z - 1)).breaks
    (1,)
    """
    cut = inner
    for point in outer.breaks:
        gap = cut - PiecewiseAnalytic((point,))
        cut = cut.refined(_cut_at_zeros(gap).breaks)
    pieces = []
    for piece, low, high in cut.intervals():
        place = sum(sign_inside(piece - p, low, high) > 0 for p in outer.breaks)
        pieces.append(outer.pieces[place].subs(z, piece))
    return PiecewiseAnalytic(tuple(pieces), cut.breaks).joined()


def zeros(f: PiecewiseAnalytic) -> tuple[Expr, ...]:
    """All points at which a continuous function is 0, in order. Exact.

    Raises ``NotFound`` if they are not found exactly.

    >>> zeros(PiecewiseAnalytic((-1 - z, z - 1), (S.Zero,)))
    (-1, 1)
    """
    points = [point for part in f.intervals() for point in _zeros(*part)]
    return in_order((*points, *(point for point in f.breaks if f.at(point) == 0)))


def largest(one: PiecewiseAnalytic, two: PiecewiseAnalytic) -> PiecewiseAnalytic:
    """The larger of two functions at each place; raises as ``chosen``. Exact."""
    return chosen(one - two, one, two)


def smallest(one: PiecewiseAnalytic, two: PiecewiseAnalytic) -> PiecewiseAnalytic:
    """The smaller of two functions at each place; raises as ``chosen``. Exact."""
    return chosen(two - one, one, two)


def inverse(f: PiecewiseAnalytic) -> PiecewiseAnalytic:
    """One over a function; raises ``NotFound`` unless it is proved to stay away from 0. Exact.

    >>> from derive.piecewise import analytic
    >>> inverse(analytic(1 + z**2)).smooth
    1/(z**2 + 1)
    """
    for part in f.intervals():
        if not keeps_sign(*part):
            raise NotFound(
                f"{_shown(part[0])} is not proved to stay away from 0: no division by it"
            )
    return f.mapped(lambda piece: 1 / piece)


def insist_on_positive(f: PiecewiseAnalytic, what: str) -> PiecewiseAnalytic:
    """The function; raises ``NotFound`` unless it is proved to stay above a positive number."""
    for part in f.intervals():
        if keeps_sign(*part) <= 0:
            raise NotFound(f"{what} is of what is proved to stay above 0, {_shown(part[0])} is not")
    return f


def sign_inside(expression: Expr, low: Expr, high: Expr) -> int:
    """The sign of a function without zeros in an open interval, or that is 0 throughout.

    Arguments:
        expression: in ``z``.
        low, high: ends of the interval, ``-oo`` and ``oo`` among them.
    """
    if not expression.has(z):
        value = placed(expression)
    else:
        value = placed(expression.subs(z, _inside(low, high)))
    return 0 if abs(value) < _SURE else int(sign(value))


def _inside(low: Expr, high: Expr) -> Expr:
    """A rational point of an interval."""
    if low == -oo:
        return S.Zero if high == oo else Rational(placed(high) // 1) - 1
    if high == oo:
        return Rational(placed(low) // 1) + 2
    low, high = placed(low), placed(high)
    return Rational((low + high) / 2).limit_denominator(10**25)


def _cut_at_zeros(f: PiecewiseAnalytic) -> PiecewiseAnalytic:
    """The function with its zeros among its breakpoints."""
    zeros = [point for part in f.intervals() for point in _zeros(*part)]
    breaks = in_order((*f.breaks, *zeros))
    if len(breaks) > MOST_BREAKS:
        raise NotFound(f"more than {MOST_BREAKS} breakpoints are not accepted: give fewer")
    return f.refined(breaks)


def _zeros(f: Expr, low: Expr, high: Expr) -> list[Expr]:
    """All zeros in an open interval, or none of a function that is 0."""
    if not f.has(z) or keeps_sign(f, low, high):
        return []
    candidates = _candidates(f, low, high)
    return [p for p in set(candidates) if _between(p, low, high)]


def _between(point: Expr, low: Expr, high: Expr) -> bool:
    if low != -oo and not (point != low and placed(point - low) > _SURE):
        return False
    return bool(high == oo or (point != high and placed(high - point) > _SURE))


def _candidates(f: Expr, low: Expr, high: Expr) -> list[Expr]:
    """Points among which all zeros in an interval are."""
    if f.is_polynomial(z):
        return _of_polynomial(Poly(f, z), low, high)
    if isinstance(f, Mul):
        return [p for factor in f.args for p in _zeros(factor, low, high)]
    if isinstance(f, Pow) and f.exp.is_Rational:
        return _zeros(f.base, low, high) if f.exp > 0 else []
    offset, rest = f.as_independent(z, as_Add=True) if isinstance(f, Add) else (S.Zero, f)
    factor, rest = rest.as_independent(z, as_Add=False)
    if type(rest) in _INVERSES:
        level = _INVERSES[type(rest)](-offset / factor)
        return _zeros(rest.args[0] - level, low, high) if level.is_real else []
    if f.subs(z, 0) == 0:  # and no other if it is monotone from there to the interval's far end
        least, greatest = range_of(diff(f, z), min(low, S.Zero), max(high, S.Zero))
        if least >= 0 or greatest <= 0:
            return [S.Zero]
    raise NotFound(f"where {_shown(f)} is 0 is not found exactly: give another function")


def _shown(f: Expr) -> str:
    return abridged(str(f).replace("z", "x"))


def _of_polynomial(f: Poly, low: Expr, high: Expr) -> list[Expr]:
    roots: list[Expr] = []
    for factor, _ in f.factor_list()[1]:
        if factor.degree() == 1:
            roots.append(-factor.nth(0) / factor.nth(1))
        elif factor.degree() == 2:
            roots += _of_quadratic(*factor.all_coeffs())
        elif factor.degree() > 2 and not (factor.domain.is_QQ or factor.domain.is_ZZ):
            raise NotFound(f"where {_shown(f.as_expr())} is 0 is not found exactly")
        elif factor.degree() > 2 and any(_between(p, low, high) for p in real_roots(factor)):
            raise NotFound(
                f"{_shown(f.as_expr())} has a zero of degree {factor.degree()}: breakpoints are "
                "rational numbers and square roots"
            )
    return roots


def _of_quadratic(a: Expr, b: Expr, c: Expr) -> list[Expr]:
    """Its real roots; a double one of irrational coefficients too, whose factors are not found."""
    square = b**2 - 4 * a * c
    if abs(placed(square)) <= _SURE * placed(b**2 + abs(4 * a * c)):
        if not square.equals(0):
            raise NotFound(f"where {_shown(a * z**2 + b * z + c)} is 0 is not found exactly")
        return [-b / (2 * a)]
    return [(-b + s * square**S.Half) / (2 * a) for s in (1, -1)] if placed(square) > 0 else []
