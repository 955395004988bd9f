"""Numbers that people read, and whether they are those of the records: one rule of rounding."""

import re
from collections.abc import Iterable, Iterator
from fractions import Fraction

NUMBER = re.compile(r"-?\d+(?:\.(\d+))?(?:e([+-]\d+))?")
_ALONE = re.compile(r"(?<=[ (])-?\d[\d.e+-]*(?=[ ,)])")
_ROUNDED = 5  # digits, from which an integer may be a number that was rounded
_SLACK = 1e-9  # of a unit, for what is halfway in doubles


def numbers_alone(text: str) -> list[float]:
    """The numbers that stand alone in a text, between spaces and brackets."""
    return [float(number) for number in _ALONE.findall(text)]


def to_digits(numbers: Iterable[float], digits: int) -> list[float]:
    """The numbers rounded to so many digits."""
    return [float(f"{number:.{digits}g}") for number in numbers]


def last_place(written: str) -> float:
    """The unit of a number's last place; 0 for a fraction and a short integer, which are exact."""
    found = NUMBER.fullmatch(written)
    if not found or (len(written) < _ROUNDED and not any(found.groups())):
        return 0.0
    places, power = found.groups()
    return 10.0 ** (int(power or 0) - len(places or ""))


def is_rounding(written: str, number: float, units: float = 0.5) -> bool:
    """Whether what is written is a number to its last place, or off by so many units of it."""
    value = float(Fraction(written))
    return abs(number - value) <= units * last_place(written) + _SLACK * (
        last_place(written) or abs(value)
    )


def is_cut(written: str, number: float) -> bool:
    """Whether what is written are the first digits of a size."""
    return 0 <= number - float(Fraction(written)) < last_place(written)


def cells(shown: str) -> Iterator[str]:
    """The cells of tables as text that are numbers."""
    parts = (part for line in shown.splitlines() for part in re.split(r"\s{2,}", line.strip()))
    return filter(NUMBER.fullmatch, parts)


def strange_numbers(shown: str, records: list[dict]) -> list[str]:
    """Numbers in tables, as text, that no number of the records is, rounded to their last place.

    Those that are enclosed may be off by a unit.
    """
    known = set(_numbers(records))
    return [
        cell
        for cell in cells(shown)
        if not any(is_rounding(cell, each, 1.0 if radius else 0.5) for each, radius in known)
    ]


def _numbers(data: object, enclosed: bool = False) -> Iterator[tuple[float, bool]]:
    """All numbers of records, also those that are text or names; whether they have a radius."""
    if isinstance(data, dict):
        yield from _numbers([*data])
        for name, value in data.items():
            radius = f"{name}_radius" in data or (name == "mu" and "radius" in data)
            yield from _numbers(value, radius)
    elif isinstance(data, list):
        for part in data:
            yield from _numbers(part, enclosed)
    elif isinstance(data, str) and NUMBER.fullmatch(data):
        yield float(data), enclosed
    elif isinstance(data, int | float) and not isinstance(data, bool):
        yield data, enclosed
