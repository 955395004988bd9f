"""Strengths and correlations as people give them, taken exactly: numbers, arrays, text."""

import re
from collections.abc import Callable, Iterable
from fractions import Fraction
from numbers import Rational, Real
from typing import TYPE_CHECKING, TypeAlias, Union

from derive.errors import InputError, abridged, quoted

if TYPE_CHECKING:  # a text needs neither
    from numpy.typing import ArrayLike
    from sympy import Expr

MOST_STRENGTHS = 10_000  # in a text
Strength: TypeAlias = Union[int, float, Fraction, "Expr"]  # can be joined, which text cannot
StrengthsLike: TypeAlias = Union[str, Strength, Iterable[Strength | str], "ArrayLike"]


def strengths_of(given: StrengthsLike) -> tuple[Fraction, ...]:
    """Strengths in [0, 1] as exact fractions.

    Arguments:
        given: text as ``parse_strengths`` takes it; a number; or numbers and decimals as text in
            a sequence or array of any shape, in order. A float stands for the dyadic fraction that
            it is, a text for the decimal that it is.

    Raises ``InputError`` for anything else. Exact.

    >>> strengths_of([0.25, Fraction(1, 3), "0.1"])
    (Fraction(1, 4), Fraction(1, 3), Fraction(1, 10))
    """
    return _numbers_of(given, parse_strengths, "strength", (0, "0 ≤ μ ≤ 1"))


def correlations_of(given: StrengthsLike) -> tuple[Fraction, ...]:
    """Correlations in [-1, 1] as exact fractions.

    Arguments:
        given: text as ``parse_correlations`` takes it, or numbers as for ``strengths_of``.

    Raises ``InputError`` for anything else. Exact.

    >>> correlations_of([0.25, -1])
    (Fraction(1, 4), Fraction(-1, 1))
    """
    return _numbers_of(given, parse_correlations, "correlation", (-1, "-1 ≤ ρ ≤ 1"))


def _numbers_of(
    given: StrengthsLike,
    parse: Callable[[str], tuple[Fraction, ...]],
    what: str,
    range_: tuple[int, str],
) -> tuple[Fraction, ...]:
    """Numbers from text, or as they are, within a range that is said in words too."""
    if isinstance(given, str):
        return parse(given)
    import numpy as np
    from sympy import Expr

    if isinstance(given, Real | Expr):
        return (_number(given, what, *range_),)
    try:
        flat = np.ravel(np.asarray(given, dtype=object))
    except ValueError:  # rows of unequal length
        raise InputError(f"{what}s {abridged(given)} are not accepted: give numbers") from None
    return tuple(_number(value, what, *range_) for value in flat)


def _number(value: object, what: str, least: int, accepted: str) -> Fraction:
    """One number from the least to 1, exactly."""
    import numpy as np
    from sympy import Expr

    exact = _decimal(value) if isinstance(value, str) else None
    if isinstance(value, Expr) and value.is_Rational:
        exact = Fraction(int(value.p), int(value.q))
    elif isinstance(value, Rational) or (isinstance(value, Real) and np.isfinite(float(value))):
        exact = Fraction(value) if isinstance(value, Rational) else Fraction(float(value))
    if exact is None or isinstance(value, bool | np.bool_) or not least <= exact <= 1:
        raise InputError(f"{what} {abridged(value)} is not accepted: give {accepted}")
    return exact


def parse_strengths(text: str) -> tuple[Fraction, ...]:
    """Strengths in (0, 1] from text: ``0.3``, ``0.1,0.5`` or ``START:STOP:COUNT``.

    Raises ``InputError`` for anything else. Exact.

    >>> [str(mu) for mu in parse_strengths("0.1:0.5:3")]
    ['1/10', '3/10', '1/2']
    """
    accepted = "give decimals in (0, 1]: one (0.3), a list (0.1,0.5) or START:STOP:COUNT"
    return _within(text, accepted, lambda value: 0 < value <= 1)


def parse_correlations(text: str) -> tuple[Fraction, ...]:
    """Correlations in [-1, 1] from text: ``0.3``, ``-0.5,0.5`` or ``START:STOP:COUNT``.

    Raises ``InputError`` for anything else. Exact.

    >>> [str(rho) for rho in parse_correlations("-1:1:3")]
    ['-1', '0', '1']
    """
    accepted = "give decimals in [-1, 1]: one (0.3), a list (-0.5,0.5) or START:STOP:COUNT"
    return _within(text, accepted, lambda value: -1 <= value <= 1)


def _within(text: str, accepted: str, inside: Callable[[Fraction], bool]) -> tuple[Fraction, ...]:
    values = parse_grid(text, accepted)
    if not all(map(inside, values)):
        raise InputError(f"{quoted(text)} leaves the range: {accepted}")
    return values


def parse_grid(text: str, accepted: str) -> tuple[Fraction, ...]:
    """Decimals from text, exactly: one, a list ``0.1,0.5`` or a grid ``START:STOP:COUNT``.

    Arguments:
        text: as people write it.
        accepted: what to give instead, for errors.

    Raises ``InputError`` for anything else. Exact.
    """
    limit, pieces = f"give at most {MOST_STRENGTHS} numbers", text.split(":")
    if text.count(",") >= MOST_STRENGTHS:
        raise InputError(f"{quoted(text)} is too long: {limit}")
    if len(pieces) == 3 and re.fullmatch(r"\d{1,6}", pieces[2], re.ASCII):
        first, last, count = _decimal(pieces[0]), _decimal(pieces[1]), int(pieces[2])
        if first is None or last is None or count < 2 or last <= first:
            raise InputError(f"{quoted(text)} is no grid: {accepted}, with STOP > START")
        if count > MOST_STRENGTHS:
            raise InputError(f"{quoted(text)} has too many points: {limit}")
        return tuple(first + (last - first) * i / (count - 1) for i in range(count))
    values = [value for piece in text.split(",") if (value := _decimal(piece)) is not None]
    if len(values) != text.count(",") + 1:
        raise InputError(f"{quoted(text)} is not accepted: {accepted}")
    return tuple(values)


def _decimal(text: str) -> Fraction | None:
    """A decimal of at most 30 places, exactly, or ``None``."""
    pattern = r"-?(\d{1,3}(\.\d{0,30})?|\.\d{1,30})"
    return Fraction(text) if re.fullmatch(pattern, text, re.ASCII) else None
