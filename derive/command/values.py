"""Types of option values: degrees, integers, names, texts that a grammar reads.

Text is matched against a pattern and taken exactly; anything else is refused in one line.
"""

import argparse
import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Any, ClassVar, Self, TypeVar

from derive.errors import InputError, abridged, quoted

LARGEST_DEGREE = 2000

Entry = TypeVar("Entry", covariant=True)
Value = TypeVar("Value")


class Parsed(tuple[Entry, ...]):
    """What was read from a text; ``str`` gives back the text.

    Raises ``argparse.ArgumentTypeError`` where ``parse`` does, or ``InputError``.
    """

    text: str
    parse: ClassVar[Any]  # from the text to the entries

    def __new__(cls, text: str, **how: Any) -> Self:
        """Parse ``text``."""
        try:
            self = super().__new__(cls, cls.parse(text, **how))
        except InputError as error:
            raise argparse.ArgumentTypeError(str(error)) from None
        self.text = text
        return self

    def __str__(self) -> str:
        return self.text


class Degrees(Parsed[int]):
    """Polynomial degrees read from text such as ``5``, ``3:21``, ``3:21:2`` or ``3,5,10``.

    A range includes both ends. Raises ``argparse.ArgumentTypeError`` for anything else, for degrees
    above ``largest`` and for more than ``LARGEST_DEGREE`` of them.

    >>> list(Degrees("1:4,10"))
    [1, 2, 3, 4, 10]
    """

    @staticmethod
    def parse(text: str, largest: int = LARGEST_DEGREE) -> Iterable[int]:
        """The degrees, once each."""
        degrees: dict[int, None] = {}
        if text.count(",") >= LARGEST_DEGREE:
            raise argparse.ArgumentTypeError(f"give at most {LARGEST_DEGREE} degrees or ranges")
        for part in text.split(","):
            found = _degree_range(part.strip(), text, largest)
            degrees.update(dict.fromkeys(found[: LARGEST_DEGREE + 1]))
            if len(degrees) > LARGEST_DEGREE:
                raise argparse.ArgumentTypeError(f"give at most {LARGEST_DEGREE} degrees")
        return degrees


def _degree_range(part: str, text: str, largest: int) -> range:
    shown = quoted(text)
    accepted = (
        f"give integers from 1 to {largest}: one (5), a range (3:21, or 3:21:2 in steps) "
        "or a list (3,5,10)"
    )
    match = re.fullmatch(r"(\d{1,10})(?::(\d{1,10})(?::(\d{1,10}))?)?", part, re.ASCII)
    if not match:
        raise argparse.ArgumentTypeError(f"{shown} is not accepted: {accepted}")
    first = int(match[1])
    last = int(match[2] or first)
    step = int(match[3] or 1)
    if not 1 <= first <= largest or not 1 <= last <= largest or step < 1:
        raise argparse.ArgumentTypeError(f"{shown} is out of range: {accepted}")
    if last < first:
        raise argparse.ArgumentTypeError(f"{shown} runs backwards: give {last}:{first}")
    return range(first, last + 1, step)


def integer_between(low: int, high: int) -> Callable[[str], int]:
    """Option type for an integer from ``low`` to ``high``."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"\d{1,18}", text, re.ASCII) or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(
                f"{quoted(text)} is not accepted: give an integer from {low} to {high}"
            )
        return int(text)

    return parse


def one_of(names: Callable[[], Iterable[str]], what: str, listed: str) -> Callable[[str], str]:
    """Option type for one of many names; another is answered by the nearest.

    Arguments:
        names: what may be named, asked for when needed.
        what: the word for one of them.
        listed: the option or page that lists them.
    """

    def parse(text: str) -> str:
        known = list(names())
        if text in known:
            return text
        near = ", ".join(map(repr, get_close_matches(abridged(text), known, n=3, cutoff=0)))
        raise argparse.ArgumentTypeError(
            f"{quoted(text)} is no {what}: nearest are {near}; {listed} lists all"
        )

    return parse


def accepted(parse: Callable[[str], object]) -> Callable[[str], str]:
    """Option type for text that ``parse`` accepts; the text itself is the value."""

    return read_by(lambda text: (parse(text), text)[1])


def read_by(parse: Callable[[str], Value]) -> Callable[[str], Value]:
    """Option type for what ``parse`` makes of a text."""

    def read(text: str) -> Value:
        try:
            return parse(text)
        except InputError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return read
