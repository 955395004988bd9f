"""The curves of an experiment: source and downstream, loss and accuracy, and every protocol.

After Figs. 10 to 12, with tasks of our own. Lines are means over all seeds, bands the standard
deviation of the means of pre-training seeds. Runs that diverged are not drawn, and counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from math import ceil
from textwrap import fill
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure, SubFigure

from numerics.figures.caption import listed, sentences
from numerics.figures.style import (
    MARKERS,
    Drawn,
    Look,
    degree_colours,
    drawn,
    letter_panels,
    own_style,
    page_width,
)
from transfer.experiment.records import Task
from transfer.experiment.report import MAIN, divergence

if TYPE_CHECKING:
    from xarray import Dataset

_FINAL = "final accuracy"
_BESIDE = 5  # protocols in a row
_LONGEST = 20  # characters of a line of their names
_MARK = 3  # points
_DARK, _LIGHT = "0.2", "0.7"


class Row(NamedTuple):
    """A point of the figure, under the names of its head."""

    panel: str
    checkpoint: int | None
    epoch: int
    mean: float
    deviation: float
    protocol: str


@dataclass(frozen=True)
class Curves:
    """What the figure draws: ``rows`` of its data, and what no row says.

    Fields: ``rows``; ``title``; ``unit`` of ``checkpoints``, of which 0 is the random start;
    ``arms``, the protocols; ``trained_here``, whether pre-training has curves.
    """

    rows: Sequence[Row]
    title: str
    unit: str
    checkpoints: Sequence[int]
    arms: Sequence[str]
    trained_here: bool = True

    def of(self, panel: str, checkpoint: int | None = None) -> "np.ndarray":
        """Places, means and deviations of a panel, of one checkpoint if given."""
        found = [
            (row.epoch, row.mean, row.deviation)
            for row in self.rows
            if row.panel == panel and checkpoint in (None, row.checkpoint)
        ]
        return np.array(found, dtype=float).reshape(-1, 3).T

    def final(self, arm: str) -> "np.ndarray":
        """Means and deviations of a protocol over the checkpoints, not a number for none."""
        own = [row for row in self.rows if (row.panel, row.protocol) == (_FINAL, arm)]
        found = {row.checkpoint: (row.mean, row.deviation) for row in own}
        return np.array([found.get(at, (np.nan, np.nan)) for at in self.checkpoints]).T

    def looks(self) -> list[tuple[int, Look]]:
        """Each checkpoint with its look: the random start grey and dotted, later ones lighter."""
        trained = [epoch for epoch in self.checkpoints if epoch]
        places = np.linspace(0, 1, max(2, len(trained)))
        colours = [to_hex(degree_colours()(place)) for place in places]
        chosen = {at: Look(colour, "-", marker)
                  for at, colour, marker in zip(trained, colours, cycle(MARKERS))}  # fmt: skip
        return [(at, chosen.get(at, Look("0.5", ":", "."))) for at in self.checkpoints]


def draw_transfer(task: Task, data: "Dataset", form: str, source: str) -> Drawn:
    """Draw the curves; the result is the figure's file, its data as CSV and its caption.

    Arguments:
        task: that was run.
        data: its results.
        form: the ending of the figure's file.
        source: its provenance.
    """
    lost = divergence(data.sel(arm=MAIN))
    curves = Curves(
        [*_source_rows(data), *_downstream_rows(data), *_final_rows(task, data)],
        f"{task.title}\n{lost}, and are not drawn" if lost else task.title,
        data.attrs["unit"],
        [int(epoch) for epoch in data.checkpoint.values],
        list(task.arms),
        data.sizes["epoch"] > 0,  # one's own checkpoints have no curves
    )
    return draw_curves(curves, _told(task, data, lost), form, source)


def draw_curves(curves: Curves, caption: str, form: str, source: str) -> Drawn:
    """Draw what rows of data say, such as those that lie beside a figure.

    Arguments:
        curves: rows of data, with titles.
        caption: of the figure.
        form: the ending of the figure's file.
        source: its provenance.
    """
    lines = ceil(len(curves.arms) / _BESIDE)
    heights = [4.0, 1.55 * lines]
    with own_style():
        figure = Figure(figsize=(page_width(), sum(heights) + 0.2), layout="constrained")
        parts: Any = figure.subfigures(2, 1, height_ratios=heights)
        panels = parts[0].subplots(2, 2)
        _draw_source(panels[0], curves)
        _draw_downstream(panels[1], curves)
        letter_panels(panels.ravel(), [""] * 4)
        _draw_protocols(parts[1], curves, lines)
        figure.suptitle(curves.title, parse_math=False)
        return drawn(figure, form, source, Row._fields, curves.rows, caption)


def _told(task: Task, data: "Dataset", lost: str) -> str:
    """The caption: what is ours, what each panel draws, of how many seeds."""
    arm, unit = task.arms[MAIN], data.attrs["unit"]
    known = [str(epoch) if epoch else "random" for epoch in data.checkpoint.values]
    title = task.title.replace("$", "").replace("→", r"$\to$")
    return sentences(
        f"Our own runs of the task {title}, drawn as Figs. 10 to 12 of the paper: (a) loss and "
        "(b) accuracy on the source over pre-training; (c) loss and (d) accuracy on the downstream "
        f"task over fine-tuning by LoRA of rank {arm.rank} on {_targets(arm.targets)}, "
        f"{task.downstream.shots} images a class, from the checkpoints of {unit} {listed(known)}",
        "The others: downstream accuracy at the end of fine-tuning over the checkpoint, of every "
        "protocol (black), with LoRA's (grey) for comparison"
        + ("; rnd is the random start" if 0 in data.checkpoint.values else ""),
        f"Lines are means over {task.pretraining.seeds} pre-training seeds and {_seeds(task)} "
        "fine-tuning seeds each; bands and bars are one standard deviation of the means of "
        "pre-training seeds",
        f"Not drawn: {lost}" if lost else "",
    )


def _seeds(task: Task) -> str:
    own, others = task.arms[MAIN].seeds, {arm.seeds for arm in task.arms.values()}
    return f"{own}" if others == {own} else f"{own} (other protocols from {min(others)} on)"


def _targets(targets: tuple[str, ...] | str) -> str:
    return "all linear layers" if isinstance(targets, str) else listed(targets)


# Rows of data.


def _source_rows(data: "Dataset") -> list[Row]:
    over, names = "epoch", ["train_loss", "validation_loss", "validation_accuracy"]
    if not data.sizes["epoch"]:
        over, names = "checkpoint", ["source_loss", "source_accuracy"]
    return [
        row
        for name in names
        for row in _rows(data[name].transpose("pretraining_seed", over).values, data[over].values,
                         name, None, "")
    ]  # fmt: skip


def _downstream_rows(data: "Dataset") -> list[Row]:
    own = data.sel(arm=MAIN)
    own = own.where(~own.diverged)
    measured = own.accuracy.notnull().any(
        [name for name in own.accuracy.dims if name != "measured"]
    )
    own = own.isel(measured=np.flatnonzero(measured.values))
    rows: list[Row] = []
    for name in ("loss", "accuracy"):
        means = own[name].mean("fine_tuning_seed", skipna=True)
        for epoch in data.checkpoint.values:
            values = means.sel(checkpoint=epoch).transpose("pretraining_seed", "measured").values
            rows += _rows(values, own.measured.values, name, int(epoch), MAIN)
    return rows


def _final_rows(task: Task, data: "Dataset") -> list[Row]:
    """Last accuracies of every protocol, of the runs that did not diverge."""
    rows: list[Row] = []
    for arm, settings in task.arms.items():
        last = settings.measured[-1]
        own = data.sel(arm=arm).where(~data.diverged.sel(arm=arm))
        means = own.accuracy.sel(measured=[last]).mean("fine_tuning_seed", skipna=True)
        for epoch in data.checkpoint.values:
            values = means.sel(checkpoint=epoch).transpose("pretraining_seed", "measured").values
            rows += _rows(values, np.array([last]), _FINAL, int(epoch), arm)
    return rows


def _rows(
    values: "np.ndarray", epochs: "np.ndarray", panel: str, checkpoint: int | None, arm: str
) -> list[Row]:
    """Mean and standard deviation over pre-training seeds, of those that have all values."""
    complete = values[np.isfinite(values).all(axis=1)]
    if not len(complete):
        return []
    mean = complete.mean(axis=0)
    deviation = complete.std(axis=0, ddof=1) if len(complete) > 1 else np.full(len(mean), np.nan)
    return [
        Row(panel, checkpoint, int(epoch), float(m), float(d), arm)
        for epoch, m, d in zip(epochs, mean, deviation, strict=True)
    ]


# Panels.


def _draw_source(panels: "np.ndarray", curves: Curves) -> None:
    if not curves.trained_here:
        for axis, name in zip(panels, ("source_loss", "source_accuracy"), strict=True):
            _draw_line(axis, curves.of(name), _DARK, "-", "o")
            axis.set_xlabel(f"{curves.unit} of pre-training")
            axis.set_ylabel(name.replace("_", " "))
        return
    both = (("train_loss", "--", "training"), ("validation_loss", "-", "held out"))
    for name, style, label in both:
        _draw_line(panels[0], curves.of(name), _DARK, style)
        panels[0].plot([], [], style, color=_DARK, label=label)
    _draw_line(panels[1], curves.of("validation_accuracy"), _DARK, "-")
    for axis, label in zip(panels, ("source loss", "source accuracy, held out"), strict=True):
        axis.set_xlim(left=0)
        for epoch, look in curves.looks():
            if epoch:
                axis.axvline(epoch, color=look.colour, linewidth=0.8, zorder=0)
        axis.set_xlabel("epoch of pre-training")
        axis.set_ylabel(label)
    panels[0].legend(loc="upper center", frameon=True, framealpha=1, facecolor="w", edgecolor="w")


def _draw_downstream(panels: "np.ndarray", curves: Curves) -> None:
    for axis, name in zip(panels, ("loss", "accuracy"), strict=True):
        for epoch, look in curves.looks():
            _draw_line(axis, curves.of(name, epoch), look.colour, look.dash, look.marker)
        measured = sorted({int(epoch) for epoch in curves.of(name)[0]})
        axis.set_xscale("log")
        axis.set_xticks(measured, [str(epoch) for epoch in measured])
        axis.minorticks_off()
        axis.set_xlabel("epoch of fine-tuning")
        axis.set_ylabel(f"downstream {name}")
    for epoch, look in curves.looks():
        label = f"{curves.unit} {epoch}" if epoch else "random"
        panels[1].plot([], [], ls=look.dash, marker=look.marker, ms=_MARK, color=look.colour,
                       label=label)  # fmt: skip
    panels[1].legend(title="checkpoint", loc="center left", bbox_to_anchor=(1, 0.5))


def _draw_protocols(figure: SubFigure, curves: Curves, lines: int) -> None:
    """Final accuracy over the checkpoint, a panel a protocol; all share their axes."""
    arms = curves.arms
    columns = ceil(len(arms) / lines)
    panels = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
    places = np.arange(len(curves.checkpoints))
    known = [str(epoch) if epoch else "rnd" for epoch in curves.checkpoints]
    for axis, arm in zip(panels.ravel(), arms, strict=False):
        if arm != MAIN:
            axis.plot(places, curves.final(MAIN)[0], color=_LIGHT)
        mean, deviation = curves.final(arm)
        axis.errorbar(places, mean, deviation, fmt="o-", ms=_MARK, lw=0.9, capsize=2, color=_DARK)
        axis.set_xticks(places, known)
    for above, axis in zip(panels.ravel()[len(arms) - columns :], panels.ravel()[len(arms) :],
                           strict=False):  # fmt: skip
        axis.axis("off")
        above.tick_params(labelbottom=True)
    names = [fill(arm.replace("$", r"\$"), _LONGEST) for arm in arms]
    letter_panels(list(panels.ravel()), names, first=4)
    for axis in panels[:, 0]:
        axis.set_ylabel("final accuracy")
    figure.supxlabel(f"checkpoint ({curves.unit} of pre-training)", fontsize="medium")


def _draw_line(axis: Axes, curve: "np.ndarray", colour: Any, dash: str, marker: str = "") -> None:
    """A mean with its band."""
    epochs, mean, deviation = curve
    axis.plot(epochs, mean, ls=dash, marker=marker, ms=_MARK, color=colour)
    axis.fill_between(epochs, mean - deviation, mean + deviation, color=colour, alpha=0.2, lw=0)
