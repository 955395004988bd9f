"""The four curves of an experiment: source and downstream, loss and accuracy (Figs. 10 to 12).

Lines are means over all seeds, bands the standard deviation of the means of pre-training seeds.
Runs that diverged are not drawn, and counted in the title.
"""

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from numerics.figures.style import PAGE_WIDTH, Drawn, colours, drawn, own_style
from transfer.experiment.records import Task
from transfer.experiment.report import MAIN, divergence

if TYPE_CHECKING:
    from xarray import Dataset

_HEAD = ("panel", "checkpoint", "epoch", "mean", "deviation")
Row = tuple[str, int | None, int, float, float]


def draw_transfer(task: Task, data: "Dataset", form: str, source: str) -> Drawn:
    """Draw the curves; the result is the figure's file and its data as CSV."""
    with own_style():
        figure = Figure(figsize=(PAGE_WIDTH, 4.2), layout="constrained")
        panels = figure.subplots(2, 2)
        rows = [*_source_panels(panels[0], data), *_downstream_panels(panels[1], data)]
        lost = divergence(data.sel(arm=MAIN))
        title = f"{task.title}\n{lost}, and are not drawn" if lost else task.title
        figure.suptitle(title, fontsize=9, parse_math=False)
        return drawn(figure, form, source, _HEAD, rows)


def _source_panels(panels: "np.ndarray", data: "Dataset") -> list[Row]:
    rows: list[Row] = []
    names = ("train_loss", "validation_loss"), ("validation_accuracy",)
    if not data.sizes["epoch"]:  # one's own checkpoints have no curves
        return _measured_panels(panels, data)
    for axis, shown in zip(panels, names, strict=True):
        for name, style in zip(shown, ("--", "-") if len(shown) > 1 else ("-",), strict=True):
            values = data[name].transpose("pretraining_seed", "epoch").values
            rows += _line(axis, data.epoch.values, values, name, None, "0.2", style)
        for epoch, colour in _shades(data):
            if epoch:
                axis.axvline(epoch, color=colour, linewidth=0.8, zorder=0)
        axis.set_xlabel("epoch of pre-training")
    panels[0].set_ylabel("source loss")
    panels[1].set_ylabel("source accuracy, held out")
    panels[0].plot([], [], "--", color="0.2", label="training")
    panels[0].plot([], [], "-", color="0.2", label="held out")
    panels[0].legend(loc="upper center")
    return rows


def _measured_panels(panels: "np.ndarray", data: "Dataset") -> list[Row]:
    """Loss and accuracy on the source of checkpoints that were not made here."""
    rows: list[Row] = []
    for axis, name in zip(panels, ("source_loss", "source_accuracy"), strict=True):
        values = data[name].transpose("pretraining_seed", "checkpoint").values
        rows += _line(axis, data.checkpoint.values, values, name, None, "0.2", "o-")
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
    panels[1].legend(title="checkpoint", fontsize=7, title_fontsize=7)
    return rows


def _shades(data: "Dataset") -> list[tuple[int, object]]:
    """Each checkpoint with its colour: the random initialisation grey, later ones lighter."""
    epochs = [int(epoch) for epoch in data.checkpoint.values]
    trained = [epoch for epoch in epochs if epoch]
    shade = colours()
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
        (panel, checkpoint, int(epoch), float(m), float(d))
        for epoch, m, d in zip(epochs, mean, deviation, strict=True)
    ]
