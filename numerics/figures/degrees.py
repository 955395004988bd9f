"""Where the singularities of Hermite students are, over the degree, and what they tend to."""

from collections.abc import Iterable, Sequence
from math import log

from matplotlib.figure import Figure

from derive.command.palette import OKABE_ITO
from derive.polynomial_drift import hermite_drift
from numerics.certified.singularities import find_singularities
from numerics.figures.caption import number, sentences
from numerics.figures.style import (
    Drawn,
    Key,
    add_keys,
    drawn,
    letter_panels,
    own_style,
    page_width,
)

_HEAD = ("degree", "which", "mu", "scaled")
_DRAWN = {"first": ("v", OKABE_ITO["vermillion"]), "last": ("o", OKABE_ITO["blue"])}
_SCALED = {"first": r"$2n\mu_\star^2/\log\,4n$", "last": r"$n(1-\mu_\star)$"}


def draw_degrees(degrees: Iterable[int], form: str, source: str) -> Drawn:
    """Draw the first and the last zero of ``a`` over the degree, then each in its own scale.

    Arguments:
        degrees: n ≥ 1 each, of which one at least has a singularity.
        form: ``pdf``, ``png`` or ``svg``.
        source: provenance, kept in the files.

    The result is the figure's file, its data as CSV and its caption. All places are certified.
    """
    rows = [row for n in degrees for row in _places(n)]
    with own_style():
        figure = Figure(figsize=(page_width(), 2.3), layout="constrained")
        (both, *alone), keys = figure.subplots(1, 3, sharex=True), []
        both.set_ylabel(r"$\mu_\star$")
        for axis, (which, (marker, colour)) in zip(alone, _DRAWN.items(), strict=True):
            found = [row for row in rows if row[1] == which]
            look = {"marker": marker, "ls": "", "ms": 2, "color": colour}
            for panel, column in ((both, 2), (axis, 3)):
                panel.semilogx([row[0] for row in found], [row[column] for row in found], **look)
            axis.set_ylabel(_SCALED[which])
            keys.append(Key(f"{which} singularity", look))
        for axis in (both, *alone):
            axis.set_xlabel("degree $n$")
        letter_panels((both, *alone), ("both", "the first, scaled", "the last, scaled"))
        add_keys(figure, keys)
        return drawn(figure, form, source, _HEAD, rows, _told(rows))


def _told(rows: Sequence[tuple[int, str, float, float]]) -> str:
    ends = {which: f"${number(scaled, 4)}$ at $n={n}$" for n, which, _, scaled in rows}
    return sentences(
        r"Certified singularities $\mu_\star$ of matched Hermite students $\mathrm{He}_n$ over the "
        f"degree, from {min(row[0] for row in rows)} to {max(row[0] for row in rows)}: (a) the "
        "first (triangles; of even degrees from 10 on, which have two) and the last (discs); (b) "
        "and (c) each in the scale in which it tends to a constant, "
        + " and ".join(
            f"{_SCALED[which]} of the {which}, {ends[which]}" for which in _DRAWN if which in ends
        ),
    )


def _places(n: int) -> list[tuple[int, str, float, float]]:
    """The zeros of one degree, each with what tends to a constant."""
    found = [float(s.mu) for s in find_singularities(hermite_drift(n), 12)]
    last = [(n, "last", mu, n * (1 - mu)) for mu in found[-1:]]
    return [(n, "first", mu, 2 * n * mu**2 / log(4 * n)) for mu in found[:-1]] + last
