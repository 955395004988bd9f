"""The curves of an experiment: source and downstream, loss and accuracy, and every protocol.

After Figs. 10 to 12, with tasks of our own. Lines are means over all seeds, bands the standard
deviation of the means of pre-training seeds. Runs that diverged are not drawn, and counted.
"""

from math import ceil
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from numerics.figures.caption import listed, sentences
from numerics.figures.style import (
    Drawn,
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

_HEAD = ("panel", "checkpoint", "epoch", "mean", "deviation", "protocol")
Row = tuple[str, int | None, int, float, float, str]
_BESIDE = 5  # protocols in a row
_LONGEST = 20  # characters of a line of their names
_DARK, _LIGHT = "0.2", "0.7"


def draw_transfer(task: Task, data: "Dataset", form: str, source: str) -> Drawn:
    """Draw the curves; the result is the figure's file, its data as CSV and its caption."""
    lines = ceil(len(task.arms) / _BESIDE)
    heights = [4.0, 1.55 * lines]
    with own_style():
        figure = Figure(figsize=(page_width(), sum(heights) + 0.2), layout="constrained")
        parts: Any = figure.subfigures(2, 1, height_ratios=heights)
        above, below = parts
        panels = above.subplots(2, 2)
        rows = [*_source_panels(panels[0], data), *_downstream_panels(panels[1], data)]
        letter_panels(panels.ravel(), [""] * 4)
        rows += _protocol_panels(below, task, data, lines)
        lost = divergence(data.sel(arm=MAIN))
        title = f"{task.title}\n{lost}, and are not drawn" if lost else task.title
        figure.suptitle(title, parse_math=False)
        return drawn(figure, form, source, _HEAD, rows, _told(task, data, lost))


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
        "protocol (black), with LoRA's (grey) for comparison",
        f"Lines are means over {task.pretraining.seeds} pre-training seeds and {arm.seeds} "
        "fine-tuning seeds each; bands and bars are one standard deviation of the means of "
        "pre-training seeds",
        f"Not drawn: {lost}" if lost else "",
    )


def _targets(targets: tuple[str, ...] | str) -> str:
    return "all linear layers" if isinstance(targets, str) else listed(targets)


def _source_panels(panels: "np.ndarray", data: "Dataset") -> list[Row]:
    rows: list[Row] = []
    names = ("train_loss", "validation_loss"), ("validation_accuracy",)
    if not data.sizes["epoch"]:  # one's own checkpoints have no curves
        return _measured_panels(panels, data)
    for axis, shown in zip(panels, names, strict=True):
        for name, style in zip(shown, ("--", "-") if len(shown) > 1 else ("-",), strict=True):
            values = data[name].transpose("pretraining_seed", "epoch").values
            rows += _line(axis, data.epoch.values, values, name, None, _DARK, style)
        axis.set_xlim(left=0)
        for epoch, colour in _shades(data):
            if epoch:
                axis.axvline(epoch, color=colour, linewidth=0.8, zorder=0)
        axis.set_xlabel("epoch of pre-training")
    panels[0].set_ylabel("source loss")
    panels[1].set_ylabel("source accuracy, held out")
    panels[0].plot([], [], "--", color=_DARK, label="training")
    panels[0].plot([], [], "-", color=_DARK, label="held out")
    panels[0].legend(loc="upper center")
    return rows


def _measured_panels(panels: "np.ndarray", data: "Dataset") -> list[Row]:
    """Loss and accuracy on the source of checkpoints that were not made here."""
    rows: list[Row] = []
    for axis, name in zip(panels, ("source_loss", "source_accuracy"), strict=True):
        values = data[name].transpose("pretraining_seed", "checkpoint").values
        rows += _line(axis, data.checkpoint.values, values, name, None, _DARK, "o-")
        axis.set_xlabel(f"{data.attrs['unit']} of pre-training")
        axis.set_ylabel(name.replace("_", " "))
    return rows


def _downstream_panels(panels: "np.ndarray", data: "Dataset") -> list[Row]:
    rows: list[Row] = []
    own = data.sel(arm=MAIN)
    own = own.where(~own.diverged)
    measured = own.accuracy.notnull().any(
        [name for name in own.accuracy.dims if name != "measured"]
    )
    own = own.isel(measured=np.flatnonzero(measured.values))
    for axis, name in zip(panels, ("loss", "accuracy"), strict=True):
        means = own[name].mean("fine_tuning_seed", skipna=True)
        for epoch, colour in _shades(data):
            values = means.sel(checkpoint=epoch).transpose("pretraining_seed", "measured").values
            style = "-" if epoch else ":"
            rows += _line(axis, own.measured.values, values, name, epoch, colour, style)
        axis.set_xscale("log")
        axis.set_xticks(own.measured.values, [str(epoch) for epoch in own.measured.values])
        axis.minorticks_off()
        axis.set_xlabel("epoch of fine-tuning")
        axis.set_ylabel(f"downstream {name}")
    for epoch, colour in _shades(data):
        label = f"{data.attrs['unit']} {epoch}" if epoch else "random"
        panels[1].plot([], [], "-" if epoch else ":", color=colour, label=label)
    panels[1].legend(
        title="checkpoint",
        loc="center left",
        bbox_to_anchor=(1, 0.5),
    )
    return rows


def _protocol_panels(figure: SubFigure, task: Task, data: "Dataset", lines: int) -> list[Row]:
    """Final accuracy over the checkpoint, a panel a protocol; all share their axes."""
    columns = min(len(task.arms), _BESIDE)
    panels = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
    places = np.arange(data.sizes["checkpoint"])
    known = [str(epoch) if epoch else "rnd" for epoch in data.checkpoint.values]
    rows: list[Row] = []
    main = _final(task, data, MAIN)
    for axis, arm in zip(panels.ravel(), task.arms, strict=False):
        if arm != MAIN:
            axis.plot(places, _spread(main)[0], color=_LIGHT)
        mean, deviation = _spread(_final(task, data, arm))
        axis.errorbar(places, mean, deviation, fmt="o-", ms=3, lw=0.9, capsize=2, color=_DARK)
        axis.set_xticks(places, known)
        last = task.arms[arm].measured[-1]
        rows += [
            ("final accuracy", int(epoch), last, float(m), float(d), arm)
            for epoch, m, d in zip(data.checkpoint.values, mean, deviation, strict=True)
            if np.isfinite(m)
        ]
    for axis in panels.ravel()[len(task.arms) :]:
        axis.axis("off")
    names = [fill(arm.replace("$", r"\$"), _LONGEST) for arm in task.arms]
    letter_panels(list(panels.ravel()), names, first=4)
    for axis in panels[:, 0]:
        axis.set_ylabel("final accuracy")
    figure.supxlabel(f"checkpoint ({data.attrs['unit']} of pre-training)", fontsize="medium")
    return rows


def _final(task: Task, data: "Dataset", arm: str) -> "np.ndarray":
    """Last accuracies of an arm, pre-training seeds x checkpoints, of runs that did not diverge."""
    own = data.sel(arm=arm).where(~data.diverged.sel(arm=arm))
    last = own.accuracy.sel(measured=task.arms[arm].measured[-1])
    means: np.ndarray = last.mean("fine_tuning_seed", skipna=True).transpose(
        "pretraining_seed", "checkpoint"
    ).values  # fmt: skip
    return means


def _spread(values: "np.ndarray") -> "tuple[np.ndarray, np.ndarray]":
    """Mean and standard deviation over pre-training seeds, not a number where there are none."""
    mean, deviation = np.full((2, values.shape[1]), np.nan)
    for place, column in enumerate(values.T):
        there = column[np.isfinite(column)]
        if len(there):
            mean[place] = there.mean()
            deviation[place] = there.std(ddof=1) if len(there) > 1 else np.nan
    return mean, deviation


def _shades(data: "Dataset") -> list[tuple[int, object]]:
    """Each checkpoint with its colour: the random initialisation grey, later ones lighter."""
    epochs = [int(epoch) for epoch in data.checkpoint.values]
    trained = [epoch for epoch in epochs if epoch]
    shade = degree_colours()
    places = np.linspace(0, 1, max(2, len(trained)))
    chosen = dict(zip(trained, (shade(place) for place in places), strict=False))
    return [(epoch, chosen.get(epoch, "0.5")) for epoch in epochs]


def _line(
    axis: Axes, epochs: "np.ndarray", values: "np.ndarray", panel: str,
    checkpoint: int | None, colour: object, style: str,
) -> list[Row]:  # fmt: skip
    """Draw mean and band over the rows of ``values``; what was drawn is the result."""
    complete = values[np.isfinite(values).all(axis=1)]
    if not len(complete):
        return []
    mean = complete.mean(axis=0)
    deviation = complete.std(axis=0, ddof=1) if len(complete) > 1 else np.full(len(mean), np.nan)
    axis.plot(epochs, mean, style, color=colour)
    axis.fill_between(epochs, mean - deviation, mean + deviation, color=colour, alpha=0.2, lw=0)
    return [
        (panel, checkpoint, int(epoch), float(m), float(d), "" if checkpoint is None else MAIN)
        for epoch, m, d in zip(epochs, mean, deviation, strict=True)
    ]
