r"""Captions of figures: said once of the data, written as LaTeX with the figure.

A caption is text with mathematics between dollars, so that pages show it as it is; ``snippet``
makes the ``\begin{figure}`` of it that an author pastes. Nothing here imports matplotlib.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import PurePath
from string import ascii_lowercase
from typing import TYPE_CHECKING, NamedTuple

from derive.command.tabular import rounded, typeset
from derive.tables.names import in_mathematics

if TYPE_CHECKING:
    from derive.pair import Pair
    from numerics.simulation.simulated import SimulatedRuns

QUANTILES = "bands hold the middle 80 per cent of the runs, solid lines are their medians"


class Caption(NamedTuple):
    """What is said of a figure: ``text``, with mathematics between dollars; ``wide``, whether it
    takes both columns of a page.
    """

    text: str
    wide: bool = False

    @property
    def latex(self) -> str:
        r"""The text as LaTeX.

        >>> Caption("80 % of $\\mu$").latex
        '80 \\% of $\\mu$'
        """
        pieces = self.text.split("$")
        pieces[::2] = [typeset(piece) for piece in pieces[::2]]
        return "$".join(pieces)


def snippet(caption: Caption, file: PurePath, source: str) -> bytes:
    """What an author pastes: the figure by its name, its caption and a label.

    Arguments:
        caption: of the figure.
        file: the figure's.
        source: its provenance.
    """
    environment, width = ("figure*", "textwidth") if caption.wide else ("figure", "columnwidth")
    name = re.sub(r"[^\x20-\x7e]", "?", file.name)
    stem = re.sub(r"[^A-Za-z0-9-]+", "-", file.stem).strip("-") or "figure"
    svg = "% LaTeX takes no .svg: draw it as .pdf\n" if file.suffix.lower() == ".svg" else ""
    return (
        f"% {' '.join(source.split())}\n{svg}\\begin{{{environment}}}\n  \\centering\n"
        f"  \\includegraphics[width=\\{width}]{{\\detokenize{{{name}}}}}\n"
        f"  \\caption{{{caption.latex}}}\n"
        f"  \\label{{fig:{stem}}}\n\\end{{{environment}}}\n"
    ).encode(errors="backslashreplace")


# Names.


def shown_function(text: str) -> str:
    r"""A function's text as mathematics.

    >>> shown_function("relu(x - 1)"), shown_function("x + He3")
    ('$\\mathrm{ReLU}(x - 1)$', '$x + \\mathrm{He}_{3}$')
    """
    return f"${in_mathematics(text)}$"


def shown_name(pair: "Pair") -> str:
    """A matched pair by its student, others by teacher and student."""
    teacher, student = pair.texts["teacher"], pair.texts["student"]
    name = in_mathematics(student)
    return f"${name}$" if teacher == student else rf"${in_mathematics(teacher)} \to {name}$"


def shown_pair(pair: "Pair") -> str:
    """The same with what is not usual of the pair."""
    return ", ".join([shown_name(pair), *unusual(pair)])


def unusual(pair: "Pair") -> list[str]:
    """What is not as in the paper's main model: its labels, loss and misalignment."""
    texts, usual = pair.texts, {"labels": "matched", "loss": "square", "misalignment": "none"}
    return [f"{texts[name]} {name}" for name, known in usual.items() if texts[name] != known]


# Sentences.


def sentences(*told: str) -> str:
    """Sentences that are there, each with its full stop, one after another."""
    return " ".join(each if each[-1] in ".!?" else f"{each}." for each in told if each)


def listed(parts: Iterable[str]) -> str:
    """Parts in a row.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    *most, last = dict.fromkeys(parts)
    return f"{', '.join(most)} and {last}" if most else last


def lettered(first: int, count: int) -> str:
    """Panels in a row by their letters.

    >>> lettered(0, 1), lettered(2, 2), lettered(0, 27)
    ('(a)', '(c) and (d)', '(a) to (aa)')
    """
    ends = f"({letter(first)})", f"({letter(first + count - 1)})"
    return ends[0] if count == 1 else f" {'and' if count == 2 else 'to'} ".join(ends)


def letter(place: int) -> str:
    """The letter of a panel by its place: a to z, then aa, bb and so on."""
    doubled, single = divmod(place, len(ascii_lowercase))
    return ascii_lowercase[single] * (doubled + 1)


def number(value: float, digits: int = 3) -> str:
    r"""A number as mathematics, without dollars.

    >>> number(2e-5), number(0.25), number(12345)
    ('2 \\times 10^{-5}', '0.25', '12345')
    """
    if 10 ** (digits - 1) <= abs(value) < 1e6:
        return f"{value:.0f}"
    return rounded(value, digits).latex.strip("$").removeprefix(r"1 \times ")


def spanned(name: str, values: Sequence[float]) -> str:
    r"""One value, or the least and the largest.

    >>> spanned("d", [10, 10]), spanned("B", [1, 2])
    ('$d=10$', '$B=1$ to $2$')
    """
    low, high = min(values), max(values)
    told = f"${name}={number(low)}$"
    return told if low == high else f"{told} to ${number(high)}$"


def strengths_told(strengths: Iterable[float]) -> str:
    r"""Which colours are of which strengths.

    >>> strengths_told([0.5, 0.1, 0.5])
    'Colours are pre-training strengths $\\mu=$ $0.1$ and $0.5$'
    """
    shown = listed(f"${number(mu)}$" for mu in sorted(set(strengths)))
    return rf"Colours are pre-training strengths $\mu=$ {shown}"


def told_runs(points: "Sequence[SimulatedRuns]") -> str:
    """How runs were made: dimension, batch, rate, how many, from what start."""
    all_of = [point.simulation for point in points]
    rates = [each.learning_rate for each in all_of]
    own = ", each strength's and pair's own" if len(set(rates)) > 1 else ""
    parts = [
        spanned("d", [each.dimension for each in all_of]),
        f"batches of {spanned('B', [each.batch for each in all_of])}",
        f"learning rates {spanned(chr(92) + 'gamma', rates)}{own}" if own
        else f"learning rate {spanned(chr(92) + 'gamma', rates)}",
        f"{_count([each.replicas for each in all_of])} runs each",
    ]  # fmt: skip
    if all(each.signs == "aligned" for each in all_of):
        parts.append("which start with $um>0$")
    return "One-pass SGD, simulated exactly in law: " + ", ".join(parts)


def _count(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return f"{low}" if low == high else f"{low} to {high}"
