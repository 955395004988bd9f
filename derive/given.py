"""What people give to a function, checked where it comes in: numbers, and objects of a kind.

Ranges are the business of the functions; what is refused here is refused in one line.
"""

from collections.abc import Callable

from derive.errors import InputError
from derive.hermite import checked_degree


def insist_on(given: object, kind: type | tuple[type, ...], wanted: str) -> None:
    """Raise ``InputError`` unless what is given is of a kind; ``wanted`` says how to get one.

    >>> insist_on("relu", float, "a number")
    Traceback (most recent call last):
    ...
    derive.errors.InputError: 'relu' is not accepted: give a number
    """
    if not isinstance(given, kind):
        raise InputError(f"{str(given)[:40]!r} is not accepted: give {wanted}")


def real(given: object, name: str) -> float:
    """A number, or the text of one, as a double; raises ``InputError`` for anything else.

    >>> real("0.5", "noise")
    0.5
    """
    try:
        return float(given)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{name} {str(given)[:40]!r} is not accepted: give a number") from None


def whole(given: object, name: str) -> int:
    """An integer, also as the float that ``1e6`` is; raises ``InputError`` for anything else.

    >>> whole(1e6, "dimension")
    1000000
    """
    integral = isinstance(given, float) and given.is_integer()
    return checked_degree(int(given) if integral else given, name)  # type: ignore[arg-type, call-overload]


def read_numbers(record: object, read: Callable[[object, str], float], *names: str) -> None:
    """Fields of a frozen record read as numbers, as its last step of being made."""
    for name in names:
        object.__setattr__(record, name, read(getattr(record, name), name.replace("_", " ")))
