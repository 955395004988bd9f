"""What people give to a function, checked where it comes in: numbers, and objects of a kind.

Ranges are the business of the functions; what is refused here is refused in one line.
"""

from collections.abc import Callable
from fractions import Fraction
from math import isnan, nan
from typing import TypeAlias

from derive.errors import InputError, quoted
from derive.hermite import checked_degree

Kind: TypeAlias = type | tuple[type, ...] | Callable[[object], bool]


def insist_on(given: object, kind: Kind, wanted: str) -> None:
    """Raise ``InputError`` unless what is given is of a kind.

    Arguments:
        given: anything.
        kind: a type, several, or what tells whether something is of the kind, such as ``callable``.
        wanted: how to get one, as it goes on after "give".

    >>> insist_on("relu", float, "a number")
    Traceback (most recent call last):
    ...
    derive.errors.InputError: 'relu' is not accepted: give a number
    """
    if not (isinstance(given, kind) if isinstance(kind, type | tuple) else kind(given)):
        raise InputError(f"{quoted(given)} is not accepted: give {wanted}")


def real(given: object, name: str) -> float:
    """A number, or the text of one, as a double; raises ``InputError`` for anything else.

    Infinite is a number here, ``nan`` and truth are none.

    >>> real("0.5", "noise"), real("1/2", "noise")
    (0.5, 0.5)
    """
    try:
        exact = Fraction(given) if isinstance(given, str) and "/" in given else given
        number = float(exact)  # type: ignore[arg-type]
    except (TypeError, ValueError, ArithmeticError):
        number = nan
    if isnan(number) or isinstance(given, bool):
        raise InputError(f"{name} {quoted(given)} is not accepted: give a number")
    return number


def whole(given: object, name: str, least: int = 0) -> int:
    """An integer, also as the float that ``1e6`` is; raises ``InputError`` for anything else.

    Arguments:
        given: what was given.
        name: of the argument, for the error.
        least: the smallest that is taken.

    >>> whole(1e6, "dimension")
    1000000
    """
    integral = isinstance(given, float) and given.is_integer()
    return checked_degree(int(given) if integral else given, name, least)  # type: ignore[arg-type, call-overload]


def read_numbers(record: object, read: Callable[[object, str], float], *names: str) -> None:
    """Read fields of a frozen record as numbers while it is made, before anything is made of them.

    Arguments:
        record: of a class that calls this in ``__post_init__`` or ``__init__``.
        read: ``real`` or ``whole``.
        names: of fields that are there.

    Raises ``InputError`` as ``read``, with the name of the field.

    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True)
    ... class Noisy:
    ...     noise_level: float
    ...     def __post_init__(self):
    ...         read_numbers(self, real, "noise_level")
    >>> Noisy("0.5")
    Noisy(noise_level=0.5)
    """
    for name in names:
        object.__setattr__(record, name, read(getattr(record, name), name.replace("_", " ")))
