"""Where the singularities of Hermite students are, over the degree, and what they tend to."""

from collections.abc import Iterable
from math import log

from matplotlib.figure import Figure

from derive.polynomial_drift import hermite_drift
from numerics.certified.singularities import find_singularities
from numerics.figures.caption import sentences
from numerics.figures.style import (
    OKABE_ITO,
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


def draw_degrees(degrees: Iterable[int], form: str, source: str) -> Drawn:
    """Draw the first and the last zero of ``a`` over the degree, and each in its own scale.

    Arguments: ``degrees``, and ``form`` and ``source`` as of ``draw_curves``. The result is the
    figure's file, its data as CSV and its caption. All places are certified.
    """
    rows = [row for n in degrees for row in _places(n)]
    with own_style():
        figure = Figure(figsize=(page_width(), 2.4), layout="constrained")
        axes, keys = figure.subplots(1, 2), []
        for which, (marker, colour) in _DRAWN.items():
            found = [row for row in rows if row[1] == which]
            look = {"marker": marker, "ls": "", "ms": 2.5, "color": colour}
            for axis, column in zip(axes, (2, 3), strict=True):
                axis.semilogx([r[0] for r in found], [r[column] for r in found], **look)
            keys.append(Key(f"{which} singularity", look))
        for axis in axes:
            axis.set_xlabel("degree $n$")
        axes[0].set_ylabel(r"$\mu_\star$")
        axes[1].set_ylabel(r"$n(1-\mu_\star)$;  $2n\mu_\star^2/\log 4n$")
        letter_panels(axes, ("place", "each in its own scale"))
        add_keys(figure, keys)
        told = sentences(
            r"Certified singularities $\mu_\star$ of matched Hermite students $\mathrm{He}_n$ "
            "over the "
            f"degree, from {min(r[0] for r in rows)} to {max(r[0] for r in rows)}: (a) the first "
            "(triangles; from two on) and the last (discs); (b) the same in the scales in which "
            "they "
            r"tend to constants, $2n\mu_\star^2/\log 4n$ of the first, $n(1-\mu_\star)$ of the "
            "last",
        )
        return drawn(figure, form, source, _HEAD, rows, told)


def _places(n: int) -> list[tuple[int, str, float, float]]:
    """The zeros of one degree, each with what tends to a constant."""
    found = [float(s.mu) for s in find_singularities(hermite_drift(n), 12)]
    last = [(n, "last", mu, n * (1 - mu)) for mu in found[-1:]]
    return [(n, "first", mu, 2 * n * mu**2 / log(4 * n)) for mu in found[:-1]] + last
