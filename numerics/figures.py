"""Figures: one style, one way to save them, and the figures themselves.

A figure is vector where the format allows, readable at the width of a journal column, safe for the
colour-blind (perceptually ordered colours that also differ in lightness), and has the data it was
drawn from beside it. This is the only module of ``numerics`` that imports matplotlib.
"""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from fractions import Fraction
from math import ceil, log10, sqrt
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure

from derive.tabular import as_csv
from numerics.cases import Case
from numerics.escape import EscapeCurve, escape_curve
from numerics.singularities import Singularity, find_singularities

COLUMN_WIDTH = 3.4  # inches, one column of a two-column page
_STYLE: dict[Any, Any] = {
    "font.size": 8,
    "font.family": "serif",
    "font.serif": ["STIXGeneral"],
    "mathtext.fontset": "stix",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "lines.linewidth": 1.2,
    "legend.frameon": False,
    "pdf.fonttype": 42,
    "svg.hashsalt": "lora-escape",
}
_MOST_IN_LEGEND = 6
_HIGHEST_TIME = 1e6  # the divergences are cut there, and marked by their certified place


def rendered(figure: Figure, form: str, source: str) -> bytes:
    """A figure as the bytes of a ``pdf``, ``png`` or ``svg`` file, its provenance inside.

    It holds no date: the same command writes the same bytes.
    """
    metadata = {
        "pdf": {"Subject": source, "CreationDate": None},
        "svg": {"Description": source, "Date": None},
        "png": {"Description": source},
    }[form]
    stream = io.BytesIO()
    figure.savefig(stream, format=form, metadata=metadata, dpi=300, bbox_inches="tight")
    return stream.getvalue()


@contextmanager
def own_style() -> Iterator[None]:
    """The project's style, whatever the user's own settings of matplotlib are."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_STYLE)
        yield


def draw_escape_times(chosen: Sequence[Case], form: str, source: str) -> tuple[bytes, bytes]:
    """Draw τ over μ, one curve a case; odd and even Hermite degrees and the rest in panels apart.

    Arguments: ``chosen``, the cases; ``form``, ``pdf``, ``png`` or ``svg``; ``source``, the
    provenance. The result is the figure's file and its data as CSV. After Fig. 1 (right) and
    Fig. 2 (b)-(d). Curves are certified doubles; dotted vertical lines are certified singularities.
    """
    panels: dict[str, list[Case]] = {}
    for case in chosen:
        panels.setdefault(_panel(case), []).append(case)
    rows = []
    with own_style():
        figure = Figure(figsize=(COLUMN_WIDTH, 1.9 * len(panels) + 0.3), layout="constrained")
        axes = figure.subplots(len(panels), sharex=True, squeeze=False)[:, 0]
        for axis, (name, members) in zip(axes, panels.items(), strict=True):
            places = [case.degree or rank for rank, case in enumerate(members)]
            scale = Normalize(min(places), max(max(places), min(places) + 1))
            for place, case in zip(places, members, strict=True):
                colour = _colours()(scale(place))
                curve = _draw_curve(axis, case, colour)
                points = zip(curve.mu, curve.a, curve.b, curve.rate, curve.tau, strict=True)
                rows += [(case.teacher, case.student, *point) for point in points]
            _finish(figure, axis, name, members)
        axes[-1].set_xlabel(r"pre-training strength $\mu$")
        head = ("teacher", "student", "mu", "a", "b", "rate", "tau")
        return rendered(figure, form, source), (as_csv(head, rows, source) + "\n").encode()


def _colours() -> ListedColormap:
    """Viridis without its yellow end, which is too light for thin lines on white."""
    viridis = matplotlib.colormaps["viridis"]
    return ListedColormap([viridis(0.85 * i / 255) for i in range(256)])


def _panel(case: Case) -> str:
    kind = (
        "activations" if case.degree is None else ("even degrees", "odd degrees")[case.degree % 2]
    )
    special = [f"{case.labels} labels" if case.labels != "matched" else ""]
    special.append(f"{case.loss} loss" if case.loss != "square" else "")
    special.append(f"{case.misalignment} misalignment" if case.misalignment != "none" else "")
    return ", ".join([kind, *filter(None, special)])


def _draw_curve(axis: Axes, case: Case, colour: tuple) -> EscapeCurve:
    # Off the teacher's direction the escape goes on through κ where a = 0: nothing diverges there.
    aligned = case.misalignment == "none"
    found = find_singularities(case.drift, digits=20) if aligned else ()
    singular = [s for s in found if s.diverges]
    curve = escape_curve(case.drift, _strengths(singular))
    label = f"$n={case.degree}$" if case.degree else case.name.plain
    axis.plot(curve.mu, curve.tau, color=colour, label=label)
    for s in singular:
        axis.axvline(float(s.mu), color=colour, linewidth=0.6, linestyle=":")
    return curve


def _strengths(singular: Sequence[Singularity]) -> list[Fraction]:
    """An even grid on (0, 1), closing in on the ends and on the singularities.

    Towards a singularity it goes, by a constant factor a step, as far as the local law needs to
    pass the highest time shown.
    """
    even = [Fraction(i, 200) for i in range(1, 200)]
    ends = [
        abs(end - Fraction(10 ** -(k / 8)).limit_denominator(10**9))
        for end in (0, 1)
        for k in range(18, 28)
    ]
    close = []
    for s in singular:
        constant = float(s.constant) if s.constant else 1.0
        nearest = min(max(sqrt(constant / _HIGHEST_TIME) / 30, 1e-14), 1e-3)
        steps = ceil(8 * log10(0.1 / nearest))
        for k in range(steps + 1):
            distance = Fraction(0.1 * (nearest / 0.1) ** (k / steps)).limit_denominator(10**18)
            close += [Fraction(s.mu.mid) + distance, Fraction(s.mu.mid) - distance]
    return sorted({mu for mu in even + ends + close if 0 < mu < 1})


def _finish(figure: Figure, axis: Axes, name: str, members: Sequence[Case]) -> None:
    scaled = members[0].normalization == "n*n!"
    unit = r"units of $1/(\gamma\,n\,n\mathrm{!})$" if scaled else r"units of $1/\gamma$"
    axis.set_yscale("log")
    axis.set_xlim(0, 1)
    low, high = axis.get_ylim()
    axis.set_ylim(low, min(high, _HIGHEST_TIME))
    axis.set_ylabel(rf"$\tau$  ({unit})")
    axis.set_title(name, loc="left", fontsize=8)
    degrees = [case.degree for case in members if case.degree]
    if len(degrees) > _MOST_IN_LEGEND:
        scale = ScalarMappable(Normalize(min(degrees), max(degrees)), _colours())
        figure.colorbar(scale, ax=axis, pad=0.02, label="degree $n$")
        return
    columns = 5 if len(members) <= 5 else 3
    lines = ceil(len(members) / columns)
    beside = lines == 1 and len(name) < 16  # else the title stands above the legend
    axis.set_title(name, loc="left", fontsize=8, pad=4 if beside else 4 + 10 * lines)
    axis.legend(
        ncols=columns,
        fontsize=7,
        loc="lower right",
        bbox_to_anchor=(1, 1),
        borderpad=0,
        handlelength=0.9,
        handletextpad=0.4,
        columnspacing=0.9,
    )
