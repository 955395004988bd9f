"""Numbers in units of a simulation's own: ``0.1*stable``, ``best``, ``5/d``, ``1.5*tau``."""

import re
from dataclasses import dataclass
from numbers import Real
from typing import TypeAlias

from derive.errors import InputError, quoted

# Of learning rates: the dimension, the largest stable one, that of the fewest samples.
RATES = ("/d", "*stable", "*best")
TIMES = ("*tau",)  # of horizons: τ log d


@dataclass(frozen=True)
class Multiple:
    """A positive number, alone or as a multiple of a named unit.

    Fields:
        value: the number;
        unit: empty for none;
        text: as given.
    """

    value: float
    unit: str
    text: str

    def __str__(self) -> str:
        return self.text


MultipleLike: TypeAlias = Multiple | float | str


def multiple(given: MultipleLike, units: tuple[str, ...] = ()) -> Multiple:
    """A number, or the text of one, alone or with one of the ``units``; ``best`` is ``1*best``.

    Raises ``InputError`` for other text, and unless the number is positive.

    >>> multiple("0.5/d", RATES)
    Multiple(value=0.5, unit='/d', text='0.5/d')
    """
    if isinstance(given, Multiple):
        return given
    text = str(given)
    unit = next((unit for unit in units if text.endswith(unit)), "")
    number: float | str = given if not isinstance(given, str) else text.removesuffix(unit)
    if f"*{text}" in units:
        number, unit = "1", f"*{text}"
    pattern = r"(\d{1,15}(\.\d{0,15})?|\.\d{1,15})(e-?\d{1,2})?"
    plain = isinstance(number, Real) or re.fullmatch(pattern, str(number), re.ASCII)
    value = float(number) if plain else 0.0
    if not 0 < value < float("inf"):
        accepted = ", ".join(["a positive number", *(f"0.5{unit}" for unit in units)])
        raise InputError(f"{quoted(text)} is not accepted: give {accepted}")
    return Multiple(value, unit, text)


def policy_of(rate: Multiple) -> str:
    """What a learning rate means over several strengths, in words.

    >>> policy_of(multiple("0.1*stable", RATES))
    "0.1 times each strength's own largest stable rate"
    """
    share = f"{rate.value:g} times " if rate.value != 1 else ""
    if rate.unit == "*stable":
        return f"{share}each strength's own largest stable rate"
    if rate.unit == "*best":
        return f"{share}each strength's own rate of the fewest samples"
    return f"one for all strengths, {rate.text}"
