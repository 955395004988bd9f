"""What people read of a command: the numbers in its tables, and whether its records have them."""

import re
from collections.abc import Iterator

NUMBER = re.compile(r"-?\d+(?:\.(\d+))?(?:e([+-]\d+))?")


def _numbers(data: object) -> Iterator[float]:
    """All numbers of records, also those that are text or names."""
    if isinstance(data, dict):
        yield from _numbers([*data, *data.values()])
    elif isinstance(data, list):
        for part in data:
            yield from _numbers(part)
    elif isinstance(data, str) and NUMBER.fullmatch(data):
        yield float(data)
    elif isinstance(data, int | float):
        yield data


def cells(shown: str) -> Iterator[str]:
    """The cells of tables as text that are numbers."""
    parts = (part for line in shown.splitlines() for part in re.split(r"\s{2,}", line.strip()))
    return filter(NUMBER.fullmatch, parts)


def strange_numbers(shown: str, records: list[dict]) -> list[str]:
    """Numbers in tables, as text, that no number of the records is, rounded to their last place."""
    known = set(_numbers(records))
    return [cell for cell in cells(shown) if not any(_rounds_to(cell, each) for each in known)]


def _rounds_to(cell: str, number: float) -> bool:
    """Enclosed numbers have an error of a unit, all others of a half."""
    places, power = NUMBER.fullmatch(cell).groups()
    unit = 10.0 ** (int(power or 0) - len(places or ""))
    return abs(number - float(cell)) < 1.001 * unit
