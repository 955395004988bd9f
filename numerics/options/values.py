"""Types of the options that several commands share: strengths, dimensions, files of figures.

Text is matched against a pattern and taken exactly; anything else is refused in one line.
"""

import re
from argparse import ArgumentTypeError, Namespace
from collections.abc import Callable, Iterable
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from derive.command.files import OutputFile
from derive.command.values import Parsed, accepted, integer_between, read_by
from derive.errors import InputError, quoted
from numerics.certified.strengths import parse_correlations, parse_strengths
from numerics.simulation.multiple import Multiple, multiple

if TYPE_CHECKING:
    from numerics.figures.style import Drawn

FIGURE_FORMATS = ("pdf", "png", "svg")
# A figure, with its data and its caption beside it.
figure_path = OutputFile(FIGURE_FORMATS, (".csv", ".tex"), ("numpy", "matplotlib"))
LARGEST_DIMENSION = 10**15


def figure_files(
    path: Path, draw: "Callable[[str], Drawn]", style: Path | None = None, source: str = ""
) -> dict[Path, bytes]:
    """A figure, its data and the LaTeX that shows it with its caption, by their paths.

    Arguments:
        path: of the figure.
        draw: draws it in a form, such as ``pdf``.
        style: a matplotlib style file that goes before the project's style.
        source: provenance that stands above the LaTeX.
    """
    from numerics.figures.caption import snippet
    from numerics.figures.style import user_style  # matplotlib

    with user_style(style):
        figure, data, caption = draw(path.suffix[1:].lower())
    contents = (figure, data, snippet(caption, path, source))
    return dict(zip(figure_path.files(path), contents, strict=True))


def refuse_idle_style(options: Namespace) -> None:
    """Raise ``InputError`` if a style is given and nothing is drawn."""
    if options.style and not options.plot:
        raise InputError("--style is of the figure that --plot draws: add --plot FILE")


def style_path(text: str) -> Path:
    """Option type for a matplotlib style file.

    Raises ``argparse.ArgumentTypeError`` for a file that is none.
    """
    from numerics.figures.style import read_style

    return Path(accepted(lambda name: read_style(Path(name)))(text))


class Strengths(Parsed[Fraction]):
    """Pre-training strengths: decimals in (0, 1], taken exactly.

    Raises ``argparse.ArgumentTypeError`` otherwise.

    >>> [str(mu) for mu in Strengths("0.1:0.5:3")]
    ['1/10', '3/10', '1/2']
    """

    parse = staticmethod(parse_strengths)


class Correlations(Parsed[Fraction]):
    """Correlations: decimals in [-1, 1], taken exactly.

    Raises ``argparse.ArgumentTypeError`` otherwise.

    >>> [str(rho) for rho in Correlations("-1:1:3")]
    ['-1', '0', '1']
    """

    parse = staticmethod(parse_correlations)


def multiple_of(*units: str) -> Callable[[str], Multiple]:
    """Option type for a positive number, alone or followed by one of the ``units``.

    >>> multiple_of("/d", "*stable")("0.5/d")
    Multiple(value=0.5, unit='/d', text='0.5/d')
    """
    return read_by(lambda text: multiple(text, units))


def positive(text: str) -> float:
    """Option type for a positive number.

    >>> positive("0.5")
    0.5
    """
    return multiple_of()(text).value


def dimension(text: str) -> int:
    """Option type for an input dimension: an integer, also as ``1e6``.

    >>> dimension("1e9")
    1000000000
    """
    match = re.fullmatch(r"(\d{1,16})(?:e(\d{1,2}))?", text, re.ASCII)
    value = int(match[1]) * 10 ** int(match[2] or 0) if match else 0
    if not 3 <= value <= LARGEST_DIMENSION:
        raise ArgumentTypeError(
            f"{quoted(text)} is not accepted: give an integer from 3 to 1e15, such as 1000 or 1e6"
        )
    return value


seed = integer_between(0, 10**9 - 1)  # option type for one seed of all random streams


class Probabilities(Parsed[float]):
    """Probabilities in (0, 1) read from text: ``0.99`` or a list ``0.1,0.5,0.9``.

    >>> list(Probabilities("0.5,0.99"))
    [0.5, 0.99]
    """

    @staticmethod
    def parse(text: str) -> Iterable[float]:
        """The probabilities, once each."""
        parts = text.split(",")
        known = all(re.fullmatch(r"0?\.\d{1,12}", part, re.ASCII) for part in parts)
        values = dict.fromkeys(map(float, parts)) if known else {0.0: None}
        if not all(0 < value < 1 for value in values):
            raise ArgumentTypeError(
                f"{quoted(text)} is not accepted: give decimals between 0 and 1: 0.99 or 0.1,0.5"
            )
        return values


def _listed(entry: Callable[[str], int]) -> Callable[[str], Iterable[int]]:
    """What reads integers between commas, once each, from what reads one."""
    return lambda text: dict.fromkeys(map(entry, text.split(",")))


class Dimensions(Parsed[int]):
    """Input dimensions read from text: ``1000``, ``1e6`` or a list ``1e3,1e6``.

    >>> list(Dimensions("1e3,250"))
    [1000, 250]
    """

    parse = staticmethod(_listed(dimension))


class Seeds(Parsed[int]):
    """Seeds read from text: ``7`` or a list ``0,1,2``.

    >>> list(Seeds("0,1"))
    [0, 1]
    """

    parse = staticmethod(_listed(seed))
