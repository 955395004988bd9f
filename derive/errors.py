"""The exceptions that are not bugs: input not accepted, questions left open, no closed form.

A message is one line, whatever was given: what it repeats of that is cut here.
"""

from pathlib import Path

_MOST = 60  # signs of what was given
_MOST_TOLD = 120  # signs of a path, and of what a library says


class LoraEscapeError(Exception):
    """The base of all errors that this project raises itself."""


class InputError(LoraEscapeError, ValueError):
    """Input outside a function's domain.

    The message is one line: what was given, what is accepted and, where it helps, what to try.
    Commands print it as it stands and leave with exit code 2.
    """


class Undecided(LoraEscapeError, ArithmeticError):
    """A question that the precision in use does not settle: an answer would be a guess.

    Commands print the message as it stands and leave with exit code 1.
    """


def abridged(given: object, most: int | None = None) -> str:
    """As much of what was given as a message repeats: the beginning, or the end of a path.

    Arguments:
        given: anything.
        most: how many signs; 60 by default, 120 of a path.

    >>> abridged("z + z"), abridged("z + " * 40, 12), abridged(Path("results", "cells"), 8)
    ('z + z', 'z + z + z...', '...cells')
    """
    return _cut(" ".join(str(given).split()), given, most)


def quoted(given: object) -> str:
    r"""So much of it in quotes, as Python writes it, for what is text or stands for it.

    >>> quoted("rleu"), quoted("re\nlu")
    ("'rleu'", "'re\\nlu'")
    """
    text = repr(str(given))
    return text[0] + _cut(text[1:-1], given) + text[-1]


def told_by(error: object) -> str:
    r"""What a library says of its error: the first line of it, up to 120 signs.

    >>> told_by(ValueError("Expecting value: line 1 column 1 (char 0)\nand more"))
    'Expecting value: line 1 column 1 (char 0)'
    """
    said = str(error).strip() or type(error).__name__
    return abridged(said.partition("\n")[0], _MOST_TOLD)


def _cut(text: str, given: object, most: int | None = None) -> str:
    is_path = isinstance(given, Path)
    most = most or (_MOST_TOLD if is_path else _MOST)
    if len(text) <= most:
        return text
    kept = most - len("...")
    return f"...{text[-kept:]}" if is_path else f"{text[:kept]}..."
