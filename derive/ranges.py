"""What values an expression takes on an interval: exact bounds, by interval arithmetic.

The bounds are rational or infinite. They may be wide, never wrong: what they prove is that a
denominator has no zero, that a root or logarithm is real, that a function keeps its sign.
"""

from collections.abc import Callable
from functools import lru_cache, reduce

from sympy import (
    QQ,
    Add,
    Expr,
    Mul,
    Poly,
    Pow,
    Rational,
    S,
    atan,
    cos,
    erf,
    exp,
    expand,
    floor,
    log,
    oo,
    sin,
    sqrt,
    tanh,
)

from derive.softplus import Softplus
from derive.symbols import rational_polynomial, z

Range = tuple[Expr, Expr]
LINE: Range = (-oo, oo)
_SCALE, _DIGITS = 2**40, 40  # of rational bounds of irrational numbers
_HUGE = 10**3  # exponents beyond which an exponential counts as infinite
_MARGIN = Rational(1, 2**20)
_RISING: dict[type[Expr], tuple[Callable[[Expr], Expr], Range]] = {
    # Functions that rise on the line, and what they stay between.
    exp: (exp, (S.Zero, oo)),
    tanh: (tanh, (S.NegativeOne, S.One)),
    erf: (erf, (S.NegativeOne, S.One)),
    atan: (atan, (-Rational(11, 7), Rational(11, 7))),
    Softplus: (Softplus, (S.Zero, oo)),
}
_BETWEEN_ONES: Range = (S.NegativeOne, S.One)


@lru_cache(maxsize=4096)
def range_of(expression: Expr, low: Expr = -oo, high: Expr = oo) -> Range:
    """Bounds of an expression in ``z`` on an interval, rational or infinite. Exact.

    Arguments:
        expression: analytic on the closed interval.
        low, high: of the interval, numbers or infinite.

    >>> range_of(1 / (1 + z**2))
    (0, 1)
    >>> range_of(1 - tanh(z) ** 2, S.Zero, oo)
    (0, 1)
    """
    if expression == z:
        return _down(low), _up(high)
    if not expression.has(z):
        return (_down(expression), _up(expression)) if expression.is_real else LINE
    if (found := rational_polynomial(expression, z)) is not None:
        return _of_polynomial(found, _down(low), _up(high))
    if isinstance(expression, Add):
        return _of_sum(expression, low, high)
    if isinstance(expression, Mul):
        return reduce(_product, (range_of(part, low, high) for part in expression.args))
    inner = range_of(expression.args[0], low, high)
    if isinstance(expression, exp):  # a power, for SymPy: first
        return _rising(exp, inner)
    if isinstance(expression, Pow):
        return _of_power(inner, expression.exp)
    if isinstance(expression, sin | cos):
        return _BETWEEN_ONES
    if isinstance(expression, log):
        return (_down(log(inner[0])) if inner[0] > 0 else -oo, _number(log, inner[1], _up))
    return _rising(type(expression), inner) if type(expression) in _RISING else LINE


def keeps_sign(expression: Expr, low: Expr = -oo, high: Expr = oo) -> int:
    """1 or -1 if the expression is proved to stay above or below 0 on an interval, else 0.

    Arguments:
        expression: in ``z``.
        low, high: ends of the interval.

    It stays away from 0 by a constant. Exact.

    >>> keeps_sign(-1 - z**2), keeps_sign(z)
    (-1, 0)
    """
    least, greatest = range_of(expression, low, high)
    return int(bool(least > 0)) - int(bool(greatest < 0))


def _down(number: Expr) -> Expr:
    if number.is_Rational or number in (oo, -oo):
        return number
    value = Rational(number.evalf(_DIGITS))  # SymPy's floor fails where erf(17) is as near to 1
    return floor((value - abs(value) / 10 ** (_DIGITS - 2)) * _SCALE) / _SCALE


def _up(number: Expr) -> Expr:
    return -_down(-number)


def _number(function: Callable[[Expr], Expr], argument: Expr, rounded: Callable[..., Expr]) -> Expr:
    return argument if argument in (oo, -oo) else rounded(function(argument))


def _rising(known: type[Expr], inner: Range) -> Range:
    """From the ends, where the value is neither extreme nor costly to write as a rational."""
    function, (least, greatest) = _RISING[known]
    low, high = inner
    if -_HUGE < low < _HUGE:
        least = max(least, _down(function(low)))
    if -_HUGE < high < _HUGE:
        greatest = min(greatest, _up(function(high)))
    elif high <= -_HUGE and least == 0:
        greatest = Rational(1, 2**20)
    return least, greatest


def _of_power(base: Range, exponent: Expr) -> Range:
    low, high = base
    if exponent.is_negative:
        below, above = _of_power(base, -exponent)
        if below > 0 or above < 0:
            return _inverse(above), _inverse(below)
        return LINE if below < 0 else ((_inverse(above), oo) if above > 0 else LINE)
    if not exponent.is_Rational or (exponent.q == 2 and low < 0) or exponent.q > 2:
        return LINE
    if exponent.q == 2:
        return tuple(_number(lambda x: sqrt(x) ** exponent.p, end, r)
                     for end, r in ((low, _down), (high, _up)))  # fmt: skip
    ends = sorted((_power(low, exponent), _power(high, exponent)))
    straddles = exponent.p % 2 == 0 and low < 0 < high
    return (S.Zero if straddles else ends[0]), ends[1]


def _power(end: Expr, exponent: Expr) -> Expr:
    if end in (oo, -oo):
        return oo if end == oo or exponent.p % 2 == 0 else -oo
    return end**exponent


def _inverse(end: Expr) -> Expr:
    return S.Zero if end in (oo, -oo) else 1 / end


def _product(one: Range, two: Range) -> Range:
    ends = [S.Zero if 0 in (x, y) else x * y for x in one for y in two]
    return min(ends), max(ends)


def _of_sum(expression: Expr, low: Expr, high: Expr) -> Range:
    """Term by term, but for polynomials, and for pairs of exponentials e^y and e^-y."""
    polynomials, exponentials, others = [], {}, []
    for part in expression.args:
        factor, rest = part.as_coeff_Mul()
        if rational_polynomial(part, z) is not None:
            polynomials.append(part)
        elif isinstance(rest, exp) and factor.is_positive and factor.is_Rational:
            exponentials[rest.args[0]] = factor
        else:
            others.append(part)
    parts = [Add(*polynomials), *others] if polynomials else others
    ranges = [range_of(part, low, high) for part in parts]
    while exponentials:
        argument, factor = exponentials.popitem()
        bounds = range_of(factor * exp(argument), low, high)
        if (other := exponentials.pop(expand(-argument), None)) is not None:
            more = range_of(other * exp(-argument), low, high)
            least = max(bounds[0] + more[0], _down(2 * sqrt(factor * other)))  # of the means
            bounds = (least, bounds[1] + more[1])
        ranges.append(bounds)
    return sum((low for low, _ in ranges), S.Zero), sum((high for _, high in ranges), S.Zero)


def _of_polynomial(f: Poly, low: Expr, high: Expr) -> Range:
    upper = _greatest(f, low, high)
    return -_greatest(-f, low, high), upper


def _greatest(f: Poly, low: Expr, high: Expr) -> Expr:
    """An upper bound: the largest value, or a little more where that is irrational."""
    values = []
    for end, side in ((low, -1), (high, 1)):
        if end not in (oo, -oo):
            values.append(f.eval(end))
        elif f.degree() > 0 and f.LC() * side ** f.degree() > 0:
            return oo
    if f.degree() > 1:
        for (left, right), _ in f.diff(z).intervals(eps=_MARGIN):
            if low < right and left < high:
                values.append(f.eval((left + right) / 2))
    best = max(values, default=f.eval(0))
    if _stays_below(f, best, low, high):
        return best
    step = _MARGIN * (1 + abs(best))
    while not _stays_below(f, best + step, low, high):
        step *= 2
    return best + step


def _stays_below(f: Poly, bound: Expr, low: Expr, high: Expr) -> bool:
    """Whether f ≤ bound on the interval: it crosses it nowhere inside, and is below somewhere."""
    gap = Poly(bound, z, domain=QQ) - f
    crossings = [factor for factor, power in gap.factor_list()[1] if power % 2]
    for factor in crossings:
        inside = factor.count_roots(*(None if end in (oo, -oo) else end for end in (low, high)))
        inside -= sum(factor.eval(end) == 0 for end in (low, high) if end not in (oo, -oo))
        if inside > 0:
            return False
    signs = (gap.eval(point) for point in _points(low, high))
    return bool(next((sign for sign in signs if sign != 0), 1) > 0)


def _points(low: Expr, high: Expr) -> list[Expr]:
    """More points of an interval than a gap of any degree in use has zeros."""
    if low == -oo:
        return [(S.Zero if high == oo else high) - k for k in range(1, 99)]
    if high == oo:
        return [low + k for k in range(1, 99)]
    return [low + (high - low) * Rational(k, 99) for k in range(1, 99)]
