"""The exceptions that are not bugs: input not accepted, questions left open, no closed form.

What a message repeats of what was given is cut here, so that it stays one line.
"""

from pathlib import Path

_MOST_REPEATED = 60  # signs of what was given
_MOST_TOLD = 120  # signs of what a library says


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


def abridged(given: object, most: int = _MOST_REPEATED) -> str:
    """As much of what was given as a message repeats: the beginning, or the end of a path.

    Arguments:
        given: anything.
        most: how many signs.

    >>> abridged("z + z"), abridged("z + " * 40, 12), abridged(Path("results", "cells"), 8)
    ('z + z', 'z + z + z...', '...cells')
    """
    return _cut(str(given), most, isinstance(given, Path))


def quoted(given: object) -> str:
    r"""So much of it in quotes and on one line, for what is text or stands for it.

    >>> quoted("rleu"), quoted("re\nlu")
    ("'rleu'", "'re\\nlu'")
    """
    text = repr(str(given))
    return text[0] + _cut(text[1:-1], _MOST_REPEATED, isinstance(given, Path)) + text[-1]


def told_by(error: object) -> str:
    r"""What a library says of its error: the first line of it, with the place at its end.

    >>> told_by(ValueError("Expecting value: line 1 column 1 (char 0)\nand more"))
    'Expecting value: line 1 column 1 (char 0)'
    """
    return abridged(str(error).strip().partition("\n")[0], _MOST_TOLD)


def _cut(text: str, most: int, to_its_end: bool) -> str:
    if len(text) <= most:
        return text
    kept = most - len("...")
    return f"...{text[-kept:]}" if to_its_end else f"{text[:kept]}..."
