"""Pre-training strengths as people give them, taken exactly: numbers, arrays, text."""

import re
from collections.abc import Iterable
from fractions import Fraction
from numbers import Rational, Real
from typing import TYPE_CHECKING, TypeAlias, Union

from derive.errors import InputError

if TYPE_CHECKING:  # a text needs neither
    from numpy.typing import ArrayLike
    from sympy import Expr

MOST_STRENGTHS = 10_000  # in a text
Strength: TypeAlias = Union[int, float, Fraction, "Expr"]  # can be joined, which text cannot
StrengthsLike: TypeAlias = Union[str, Strength, Iterable[Strength], "ArrayLike"]
_ACCEPTED = "give decimals in (0, 1]: one (0.3), a list (0.1,0.5) or START:STOP:COUNT"


def strengths_of(given: StrengthsLike) -> tuple[Fraction, ...]:
    """Strengths in [0, 1] as exact fractions.

    Arguments:
        given: text as ``parse_strengths`` takes it; a number; or numbers in a sequence or array of
            any shape, in order. A float stands for the dyadic fraction that it is.

    Raises ``InputError`` for anything else. Exact.

    >>> strengths_of([0.25, Fraction(1, 3)])
    (Fraction(1, 4), Fraction(1, 3))
    """
    if isinstance(given, str):
        return parse_strengths(given)
    import numpy as np
    from sympy import Expr

    if isinstance(given, Real | Expr):
        return (_strength(given),)
    try:
        flat = np.ravel(np.asarray(given, dtype=object))
    except ValueError:  # rows of unequal length
        raise InputError(f"strengths {str(given)[:40]} are not accepted: give numbers") from None
    return tuple(map(_strength, flat))


def _strength(value: object) -> Fraction:
    """One strength, exactly."""
    import numpy as np
    from sympy import Expr

    exact = None
    if isinstance(value, Expr) and value.is_Rational:
        exact = Fraction(int(value.p), int(value.q))
    elif isinstance(value, Rational) or (isinstance(value, Real) and np.isfinite(float(value))):
        exact = Fraction(value) if isinstance(value, Rational) else Fraction(float(value))
    if exact is None or isinstance(value, bool | np.bool_) or not 0 <= exact <= 1:
        raise InputError(f"strength {str(value)[:40]} is not accepted: give 0 ≤ μ ≤ 1")
    return exact


def parse_strengths(text: str) -> tuple[Fraction, ...]:
    """Strengths in (0, 1] from text: ``0.3``, ``0.1,0.5`` or ``START:STOP:COUNT``.

    Raises ``InputError`` for anything else. Exact.

    >>> [str(mu) for mu in parse_strengths("0.1:0.5:3")]
    ['1/10', '3/10', '1/2']
    """
    limit, pieces = f"give at most {MOST_STRENGTHS} strengths", text.split(":")
    if text.count(",") >= MOST_STRENGTHS:
        raise InputError(f"{text[:40]!r}... is too long: {limit}")
    if len(pieces) == 3 and re.fullmatch(r"\d{1,6}", pieces[2], re.ASCII):
        first, last, count = _decimal(pieces[0]), _decimal(pieces[1]), int(pieces[2])
        if first is None or last is None or count < 2 or last <= first:
            raise InputError(f"{text[:40]!r} is no grid: {_ACCEPTED}, with STOP > START")
        if count > MOST_STRENGTHS:
            raise InputError(f"{text[:40]!r} has too many points: {limit}")
        values = [first + (last - first) * i / (count - 1) for i in range(count)]
    else:
        values = [value for piece in text.split(",") if (value := _decimal(piece)) is not None]
        if len(values) != text.count(",") + 1:
            raise InputError(f"{text[:40]!r} is not accepted: {_ACCEPTED}")
    if not all(0 < value <= 1 for value in values):
        raise InputError(f"{text[:40]!r} leaves the range: {_ACCEPTED}")
    return tuple(values)


def _decimal(text: str) -> Fraction | None:
    """A decimal of at most 30 places, exactly, or ``None``."""
    pattern = r"\d{1,3}(\.\d{0,30})?|\.\d{1,30}"
    return Fraction(text) if re.fullmatch(pattern, text, re.ASCII) else None
