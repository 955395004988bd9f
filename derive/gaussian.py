r"""Exact Gaussian means of a closed algebra of functions.

The algebra is spanned by products of powers :math:`z^k`, exponentials
:math:`e^{-\alpha z^2 + \beta z}`, error functions :math:`\mathrm{erf}(cz)`, signs
:math:`\mathrm{sgn}(z)` (an error function of infinite scale; the step is ``(1 + sgn)/2``) and
:math:`\delta(z)`; complex :math:`\beta` gives sine and cosine. It is closed under sums, products,
derivatives and scaling of the argument, and its means terminate: Stein's lemma lowers the power or
trades an error function for an exponential, reweighting absorbs exponentials, and what is left is
an arcsine. Where there is no closed form, ``NoClosedForm`` says so.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from operator import add
from typing import NamedTuple

from sympy import (
    QQ,
    Add,
    Expr,
    I,
    Integer,
    Mul,
    S,
    cos,
    erf,
    erfi,
    exp,
    expand,
    factor,
    floor,
    fraction,
    oo,
    pi,
    sin,
    sqrt,
    together,
)
from sympy.polys.rings import PolyRing

from derive.angle import Angle
from derive.errors import InputError, LoraEscapeError
from derive.symbols import exact


class NoClosedForm(LoraEscapeError, ArithmeticError):
    """The mean, or the function, lies outside the algebra."""


class Monomial(NamedTuple):
    """One product of the algebra, without its coefficient.

    Fields: ``power`` k ≥ 0; ``quadratic`` α and ``linear`` β of the exponent; ``scales`` of the
    error functions, ``oo`` for a sign; ``delta`` whether it is δ(z), which is then all there is.
    """

    power: int = 0
    quadratic: Expr = S.Zero
    linear: Expr = S.Zero
    scales: tuple[Expr, ...] = ()
    delta: bool = False


_DELTA = Monomial(delta=True)


class GaussianFunction:
    """An element of the algebra: a sum of monomials with coefficients free of ``z``.

    Built from ``constant``, ``power``, ``exponential``, ``error_function`` and ``sign`` by ``+``,
    ``-``, ``*`` and ``**``. Immutable. Exact.

    >>> (sign() * power(1)).mean()  # E|z|
    sqrt(2)/sqrt(pi)
    """

    def __init__(self, terms: Mapping[Monomial, Expr]) -> None:
        self._terms = {key: value for key, value in terms.items() if value != 0}

    @property
    def terms(self) -> dict[Monomial, Expr]:
        """The monomials and their coefficients."""
        return dict(self._terms)

    def __add__(self, other: "GaussianFunction") -> "GaussianFunction":
        return _collect([*self._terms.items(), *other._terms.items()])

    def __neg__(self) -> "GaussianFunction":
        return GaussianFunction({key: -value for key, value in self._terms.items()})

    def __sub__(self, other: "GaussianFunction") -> "GaussianFunction":
        return self + -other

    def __mul__(self, other: "GaussianFunction") -> "GaussianFunction":
        return _collect(
            (monomial, sign_ * c * e)
            for left, c in self._terms.items()
            for right, e in other._terms.items()
            for monomial, sign_ in _product(left, right)
        )

    def __pow__(self, exponent: int) -> "GaussianFunction":
        result = constant(S.One)
        for _ in range(exponent):
            result = result * self
        return result

    def __eq__(self, other: object) -> bool:
        return isinstance(other, GaussianFunction) and not (self - other)._terms

    def scaled(self, factor: Expr) -> "GaussianFunction":
        """The function ``z ↦ f(factor·z)``, for a factor of known sign that is not zero.

        Raises ``InputError`` if the sign is not known. Exact.
        """
        factor = exact(factor)
        if not (factor.is_positive or factor.is_negative):
            raise InputError(
                f"scale {factor} is not accepted: give a number or symbol of known sign"
            )
        size, odd = abs(factor), -1 if factor.is_negative else 1
        return _collect(
            (_DELTA, c / size)
            if key.delta
            else (
                _monomial(
                    key.power,
                    key.quadratic * factor**2,
                    key.linear * factor,
                    tuple(scale * size for scale in key.scales),
                ),
                c * factor**key.power * odd ** len(key.scales),
            )
            for key, c in self._terms.items()
        )

    def derivative(self) -> "GaussianFunction":
        """The derivative, in the sense of distributions. Exact.

        Raises ``NoClosedForm`` for a δ, whose derivative is not in the algebra.

        >>> sign().derivative() == constant(2) * delta()
        True
        """
        return sum((_derivative(key, c) for key, c in self._terms.items()), GaussianFunction({}))

    def mean(self) -> Expr:
        r"""Mean :math:`E f(g)` under the standard normal. Exact.

        Raises ``NoClosedForm`` if there is none in the algebra, ``InputError`` if the mean is
        infinite. Where the sign of :math:`1 + 2\alpha` is open, the result holds where it is
        positive (``conditions``).

        >>> (error_function(1) * error_function(1)).mean()
        2*asin(2/3)/pi
        """
        total: Sum = {}
        for key, c in self._terms.items():
            gather(total, monomial_mean(key), c)
        return Add(*(rest * factored(rational) for rest, rational in total.items()))

    def conditions(self) -> tuple[Expr, ...]:
        """What has to be positive for the mean to exist, where that is not known already. Exact."""
        weights = {1 + 2 * key.quadratic for key in self._terms}
        return tuple(sorted((w for w in weights if w.is_positive is None), key=str))


def constant(value: Expr) -> GaussianFunction:
    """The constant function. Exact."""
    return GaussianFunction({Monomial(): exact(value)})


def power(k: int) -> GaussianFunction:
    """The power ``z^k``, ``k`` ≥ 0. Exact."""
    return GaussianFunction({Monomial(power=k): S.One})


def exponential(quadratic: Expr, linear: Expr) -> GaussianFunction:
    """The exponential ``exp(-quadratic·z² + linear·z)``; ``linear`` may be complex. Exact."""
    return GaussianFunction({_monomial(0, exact(quadratic), exact(linear), ()): S.One})


def error_function(scale: Expr) -> GaussianFunction:
    """The error function ``erf(scale·z)`` for a positive scale. Exact."""
    return GaussianFunction({_monomial(0, S.Zero, S.Zero, (exact(scale),)): S.One})


def sign() -> GaussianFunction:
    """The sign of ``z``. Exact."""
    return GaussianFunction({Monomial(scales=(oo,)): S.One})


def delta() -> GaussianFunction:
    """Dirac's distribution at 0. Exact."""
    return GaussianFunction({_DELTA: S.One})


def _monomial(power_: int, quadratic: Expr, linear: Expr, scales: tuple[Expr, ...]) -> Monomial:
    """A monomial in normal form: exponents expanded, scales sorted, sgn² = 1."""
    finite = sorted((expand(s) for s in scales if s != oo), key=str)
    signs = (oo,) * (sum(s == oo for s in scales) % 2)
    return Monomial(power_, expand(quadratic), expand(linear), (*finite, *signs))


def _collect(pairs: Iterable[tuple[Monomial, Expr]]) -> GaussianFunction:
    terms: dict[Monomial, Expr] = {}
    for key, value in pairs:
        terms[key] = terms.get(key, S.Zero) + value
    return GaussianFunction(terms)


def _product(left: Monomial, right: Monomial) -> list[tuple[Monomial, int]]:
    if left.delta and right.delta:
        raise NoClosedForm("δ(z)² is no distribution")
    if left.delta or right.delta:
        return _at_zero(right if left.delta else left)
    return [(_monomial(*map(add, left[:4], right[:4])), 1)]  # exponents and scales go together


def _at_zero(factor: Monomial) -> list[tuple[Monomial, int]]:
    """The product of a monomial with δ(z): the monomial's value at 0 times δ(z)."""
    if factor.power or any(scale != oo for scale in factor.scales):
        return []
    if factor.scales:
        raise NoClosedForm("sgn(z)·δ(z) is no distribution")
    return [(_DELTA, 1)]


def _derivative(key: Monomial, c: Expr) -> GaussianFunction:
    if key.delta:
        raise NoClosedForm("the derivative of δ(z) is not in the algebra")
    pairs = [
        (key._replace(power=key.power + 1), -2 * key.quadratic * c),
        (key, key.linear * c),
    ]
    if key.power:
        pairs.append((key._replace(power=key.power - 1), key.power * c))
    return _collect([*pairs, *((k, w * c) for k, w in error_derivatives(key))])


def error_derivatives(key: Monomial) -> list[tuple[Monomial, Expr]]:
    """The terms of the derivative that come from the error functions and the sign."""
    pairs: list[tuple[Monomial, Expr]] = []
    for i, scale in enumerate(key.scales):
        others = key.scales[:i] + key.scales[i + 1 :]
        if scale == oo:
            rest = key._replace(scales=others)
            pairs += [(_DELTA, Integer(2 * s)) for _, s in _at_zero(rest)]
        else:
            weight = key.quadratic + scale**2
            pairs.append((_monomial(key.power, weight, key.linear, others), 2 * scale / sqrt(pi)))
    return pairs


# A mean while it is computed: for each radical or transcendental factor, the rational function in
# front of it. This is the form that prints well, and it never has to be searched for.
Sum = dict[Expr, Expr]


def gather(total: Sum, terms: Sum, weight: Expr) -> None:
    """Add ``weight`` times the terms to the total.

    Arguments:
        total: is changed.
        terms: to add.
        weight: of all terms.
    """
    for rest, rational in terms.items():
        front, transcendental = _split(weight * rest)
        total[transcendental] = total.get(transcendental, S.Zero) + front * rational


def _split(product: Expr) -> tuple[Expr, Expr]:
    """A product as a rational function times the rest, where radicals have exponent -1/2."""
    rational, rest = S.One, S.One
    for part in Mul.make_args(product):
        base, exponent = part.as_base_exp()
        if part.is_Rational or (part.free_symbols and part.is_rational_function()):
            rational *= part
        elif exponent.is_Rational and not exponent.is_Integer and base.free_symbols:
            whole = floor(exponent) + 1
            rational, rest = rational * base**whole, rest * base ** (exponent - whole)
        else:
            rest *= part
    return rational, rest


def compact(total: Sum) -> Sum:
    """The same with its rational functions multiplied out: nested, they would double at each power.

    They keep their denominators apart, so that nothing has to be searched for.
    """
    return {rest: expand(rational) for rest, rational in total.items()}


def factored(rational: Expr) -> Expr:
    """The rational function as one factored quotient."""
    if rational.has(sin, cos):  # of a phase: as variables of their own they take minutes
        return rational
    if not rational.free_symbols:
        return rational
    whole = together(rational)
    ring = PolyRing(sorted(whole.free_symbols, key=str), QQ)
    try:  # to cancel there first is many times faster than to expand large expressions
        above, below = (ring.from_expr(part) for part in fraction(whole))
    except ValueError:  # coefficients that are not rational
        return factor(whole)
    above, below = above.cancel(below)
    return factor(above.as_expr() / below.as_expr())


@lru_cache(maxsize=4096)  # Stein's lemma asks for lower powers along several ways
def monomial_mean(key: Monomial) -> Sum:
    """The mean of a monomial, by parts down to what is known. Exact."""
    if key.delta:
        return {1 / sqrt(2 * pi): S.One}
    weight = expand(1 + 2 * key.quadratic)
    if weight.is_nonpositive:
        raise InputError(
            f"exp({-key.quadratic}·z²) grows too fast for a Gaussian: its mean is infinite"
        )
    if key.linear == 0 and (key.power + len(key.scales)) % 2:
        return {}
    if key.power == 0:
        return _mean_without_power(key, weight)
    # Stein's lemma: (1+2α) E[z^k e h] = (k-1) E[z^(k-2) e h] + β E[z^(k-1) e h] + E[z^(k-1) e h'].
    lower = key._replace(power=key.power - 1)
    total: Sum = {}
    gather(total, monomial_mean(lower), key.linear / weight)
    if key.power > 1:
        gather(total, monomial_mean(key._replace(power=key.power - 2)), (key.power - 1) / weight)
    for derived, scale in error_derivatives(lower):
        gather(total, monomial_mean(derived), scale / weight)
    return compact(total)


def _mean_without_power(key: Monomial, weight: Expr) -> Sum:
    """Reweighting: e^(-αz²+βz) turns the standard normal into N(β/w, 1/w), w = 1 + 2α."""
    mass = exp(expand(key.linear**2) / (2 * weight)) / sqrt(weight)
    if not key.scales:
        return {mass: S.One}
    if len(key.scales) == 1:
        (c,) = key.scales  # E erf(cz) = erf(cβ/√(w² + 2c²w)), where a sign is c → ∞
        spread = 2 * weight if c == oo else weight**2 / c**2 + 2 * weight
        return {mass * erf_of(key.linear, 1 / sqrt(expand(spread))): S.One}
    if len(key.scales) == 2 and key.linear == 0:
        return {mass * _angle(*key.scales, weight) / pi: Integer(2)}
    raise NoClosedForm(
        f"the mean of a product of {len(key.scales)} error functions"
        f"{' and an exponential' if key.linear != 0 else ''} has no closed form here"
    )


def _angle(first: Expr, second: Expr, weight: Expr) -> Expr:
    """π/2 times the mean of two error functions under N(0, 1/w): the arcsine law."""
    if second == oo:
        return Angle(sqrt(2) * first, weight)
    rest = weight**2 + 2 * (first**2 + second**2) * weight
    return Angle(2 * first * second, expand(rest))


def erf_of(linear: Expr, factor_: Expr) -> Expr:
    """``erf(linear·factor)``, real for a real ``linear`` and i·erfi for an imaginary one."""
    if not linear.has(I):
        return erf(linear * factor_)
    frequency = expand(-I * linear)
    if frequency.has(I):
        raise NoClosedForm("an error function of a complex argument is not formed here")
    return I * erfi(frequency * factor_)
