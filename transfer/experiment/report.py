"""The report of an experiment: tables, raw rows and a verdict.

Everything is computed from the labelled arrays of ``results``; a missing cell is shown as such.
The tables keep the spread over pre-training seeds and over fine-tuning seeds apart.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from derive.command.prose import prose
from derive.command.tabular import Table, Typeset
from transfer.experiment.plan import in_words
from transfer.experiment.records import Task
from transfer.experiment.statistics import (
    Comparison,
    Difference,
    best_against_last,
    split_of_gain,
    spread,
)
from transfer.images.data import Facts

if TYPE_CHECKING:
    from xarray import DataArray, Dataset

MAIN = "LoRA"
CONDITION = (
    "Intervals are over pre-training seeds, each with its own weights to begin with, part of the "
    "source images, shots and heads. They hold given both datasets, the test images among them, "
    "and the task's model and protocol: they say nothing of others, and each protocol stands for "
    "itself."
)
COLUMNS = ("arm", "pretraining_seed", "checkpoint", "fine_tuning_seed", "measured", "loss",
           "accuracy", "source_accuracy", "search_phase", "left", "right", "size",
           "diverged")  # fmt: skip


def compared(task: Task, data: "Dataset", arm: str) -> Comparison | None:
    """The best earlier checkpoint of an arm against the last; the random one does not count.

    Arguments:
        task: that was run.
        data: its results.
        arm: a protocol's name.

    A pre-training seed counts only with all its runs: on those that did not diverge alone, a
    checkpoint would gain from what it failed at. ``left_out`` says how many do not count for that.
    """
    pretrained = data.sel(checkpoint=data.checkpoint > 0)
    final = _final(task, pretrained, arm).transpose(
        "pretraining_seed", "checkpoint", "fine_tuning_seed"
    )
    seeds = pretrained.finished.sel(arm=arm).any(("pretraining_seed", "checkpoint"))
    source = pretrained.source_accuracy.transpose("pretraining_seed", "checkpoint")
    return best_against_last(source.values, final[..., seeds.values].values)


def left_out(task: Task, data: "Dataset", arm: str) -> int:
    """How many pre-training seeds ``compared`` leaves out of an arm because runs diverged.

    Arguments:
        task: that was run.
        data: its results.
        arm: a protocol's name.
    """
    pretrained = data.sel(checkpoint=data.checkpoint > 0)
    lost = pretrained.finished.sel(arm=arm) & _final(task, pretrained, arm).isnull()
    away = pretrained.pretrained & pretrained.source_accuracy.isnull()
    return int((lost.any(("checkpoint", "fine_tuning_seed")) | away.any("checkpoint")).sum())


def _final(task: Task, data: "Dataset", arm: str) -> "DataArray":
    """Accuracy at the last epoch that the arm is measured at."""
    final: DataArray = data.accuracy.sel(arm=arm, measured=task.arms[arm].measured[-1])
    return final


def verdict(task: Task, data: "Dataset") -> str:
    """One line: does source accuracy rise while downstream accuracy falls, and how sure are we?"""
    found, away = compared(task, data, MAIN), left_out(task, data, MAIN)
    conditional = f"; pre-training seeds left out because runs diverged: {away}" if away else ""
    if found is None:
        return (
            "Undecided: a confidence interval needs two finished pre-training seeds and "
            f"two checkpoints{conditional}."
        )
    trained = [int(epoch) for epoch in data.checkpoint.values if epoch > 0]
    epochs = " or ".join(str(trained[place]) for place in sorted(set(found.best)))
    unit = data.attrs["unit"]
    evidence = (
        f"from {unit} {epochs} to {unit} {trained[-1]} source accuracy changes by "
        f"{_interval(found.cost, 1)} points, downstream accuracy by {_interval(found.gain, -1)} "
        f"(95 % intervals over {found.seeds} pre-training seeds; the earlier checkpoint adapts "
        f"better for {found.wins} of {found.seeds}; p = {found.gain.p:.2g}{conditional})"
    )
    if found.gain.positive and found.cost.positive:
        return f"Negative transfer: {evidence}."
    if found.gain.positive:
        return f"An earlier checkpoint adapts better, but is not clearly worse at home: {evidence}."
    if found.gain.negative:
        return f"No negative transfer, the last checkpoint adapts best: {evidence}."
    return f"Undecided: {evidence}."


def decline(task: Task, data: "Dataset") -> str | None:
    """What of the last checkpoint's loss its features had lost already, if a converged head says.

    ``None`` without an arm of the converged head, or with fewer than two finished seeds.
    """
    head = next((arm for arm, a in task.arms.items() if a.method == "optimum"), None)
    if head is None:
        return None
    pretrained = data.sel(checkpoint=data.checkpoint > 0)
    adapted, heads = (_means_over_fine_tuning(task, pretrained, arm) for arm in (MAIN, head))
    found = split_of_gain(adapted, heads)
    if found is None:
        return None
    whole = 100 * (found.features.mean + found.on_top.mean)
    return (
        f"Of the {whole:.1f} points that the best earlier checkpoint is ahead after adaptation, "
        f"frozen features account for {_interval(found.features, 1)}, adaptation for "
        f"{_interval(found.on_top, 1)} on top (converged heads, {head}; 95 % intervals that allow "
        "for the choice)."
    )


def _means_over_fine_tuning(task: Task, data: "Dataset", arm: str) -> np.ndarray:
    """Final accuracies, seeds x checkpoints; not a number where a run is missing or diverged."""
    own = data.sel(arm=arm, fine_tuning_seed=slice(0, task.arms[arm].seeds - 1))
    final = own.accuracy.sel(measured=task.arms[arm].measured[-1])
    means = final.mean("fine_tuning_seed", skipna=False)
    return np.asarray(means.transpose("pretraining_seed", "checkpoint").values)


def _interval(found: Difference, sign: int) -> str:
    low, high = sorted((sign * found.low, sign * found.high))
    return f"{100 * sign * found.mean:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}]"


def tables(task: Task, data: "Dataset") -> list[Table]:
    """The main table, and the one of all arms."""
    return [_main_table(task, data), _arms_table(task, data)]


def _main_row(
    task: Task, data: "Dataset", shown: Sequence[int], heads: Iterable[str]
) -> tuple[str | Typeset, ...]:
    """What is said of a checkpoint, of which ``data`` are."""
    epoch, done = int(data.checkpoint), data.finished.sel(arm=MAIN)
    accuracies = [_percent(data.accuracy.sel(arm=MAIN, measured=e), done) for e in shown]
    for arm in heads:
        accuracies.append(_percent(_final(task, data, arm), data.finished.sel(arm=arm)))
    return (
        f"{epoch}" if epoch else "0 (random)",
        _percent(data.source_accuracy.expand_dims("fine_tuning_seed"), data.pretrained),
        *accuracies,
        *(_both(data[name].sel(arm=MAIN), 2) for name in ("search_phase", "left", "right", "size")),
    )


def _main_table(task: Task, data: "Dataset") -> Table:
    measured = task.arms[MAIN].measured
    early = min(measured, key=lambda epoch: abs(5 * epoch - measured[-1]))
    heads = {a.method: arm for arm, a in task.arms.items() if a.method in ("probe", "optimum")}
    shown = tuple(dict.fromkeys((early, measured[-1])))
    columns = ("checkpoint", "source acc.", *(f"FT epoch {epoch}" for epoch in shown),
               *heads,
               "search phase", "overlap left", "right", "size")  # fmt: skip
    rows = tuple(_main_row(task, data.sel(checkpoint=epoch), shown, heads.values())
                 for epoch in data.checkpoint.values)  # fmt: skip
    return Table(
        "transfer",
        prose(f"{task.title}: accuracy in per cent"),
        columns,
        rows,
        (
            prose("± is the standard deviation over pre-training seeds, that over fine-tuning "
                  "seeds is in parentheses."),
            prose("search phase: epochs until half of the fall of the training loss; overlap: of "
                  "the update's singular subspaces with those of the weights, 1 is chance; size: "
                  "norm of the update over that of the weights."),
            *_divergence_note(data),
            prose(verdict(task, data)),
            *(prose(told) for told in [decline(task, data)] if told),
            prose(CONDITION),
            data_note(data.attrs["data"]),
        ),
    )  # fmt: skip


def _arms_table(task: Task, data: "Dataset") -> Table:
    rows = []
    checkpoints = [{"checkpoint": epoch} for epoch in data.checkpoint.values]
    for arm in task.arms:
        final, done = _final(task, data, arm), data.finished.sel(arm=arm)
        found = compared(task, data, arm)
        learning, away = float(data.learning.sel(arm=arm)), left_out(task, data, arm)
        without = f"; left out: {away}" if away else ""
        rows.append(
            (
                arm,
                f"{learning:,.0f}" if np.isfinite(learning) else "-",
                *(_percent(final.sel(at), done.sel(at)) for at in checkpoints),
                prose(_interval(found.gain, 1) + without) if found else None,
            )
        )
    unit = data.attrs["unit"]
    columns = ("protocol", "learning",
               *(f"{unit} {epoch}" if epoch else "random" for epoch in data.checkpoint.values),
               "earlier - last [95 %]")  # fmt: skip
    return Table(
        "arms",
        prose(f"{task.title}: downstream accuracy of all protocols, by checkpoint"),
        columns,
        tuple(rows),
        (
            prose("earlier - last: in points, the best earlier checkpoint, chosen for each "
                  "pre-training seed on the other seeds; the interval allows for the choice; "
                  "random is no candidate."),
            prose(CONDITION),
            prose(f"All finished cells together took {data.attrs['seconds'] / 60:.0f} minutes of "
                  "one process."),
            *_divergence_note(data),
            data_note(data.attrs["data"]),
        ),
    )  # fmt: skip


def divergence(data: "Dataset") -> str:
    """How many of the finished runs diverged, or nothing if none did."""
    lost, count = int(data.diverged.sum()), int(data.finished.sum())
    trained = int(data.pretrained.sum())
    away = int((data.pretrained & data.source_accuracy.isnull().any("checkpoint")).sum())
    if not lost and not away:
        return ""
    return f"{away} of {trained} pre-trainings and {lost} of {count} fine-tunings diverged"


def _divergence_note(data: "Dataset") -> list[Typeset]:
    found = divergence(data)
    return [prose(
        f"{found}: a loss, a weight or a logit was not finite. Means and spreads are over the "
        "others; earlier - last and the verdict leave out every pre-training seed of which a run "
        "diverged, and hold on that condition."
    )] if found else []  # fmt: skip


def _percent(accuracy: "DataArray", finished: "DataArray") -> Typeset:
    """Mean and spreads in per cent, and how many of the finished runs diverged."""
    shown = _both(100 * accuracy)
    count, lost = int(finished.sum()), int((finished & accuracy.isnull()).sum())
    return prose(f"{shown.plain}; {lost} of {count} diverged") if lost else shown


def _both(values: "DataArray", digits: int = 1) -> Typeset:
    """Mean and both spreads of the runs of one checkpoint."""
    found = spread(values.transpose("pretraining_seed", "fine_tuning_seed").values)
    if not np.isfinite(found.mean):
        return prose("-")
    text = f"{found.mean:.{digits}f}"
    if np.isfinite(found.between):
        text += f" ± {found.between:.{digits}f}"
    if np.isfinite(found.within):
        text += f" ({found.within:.{digits}f})"
    return prose(text)


def data_note(data: Mapping[str, Facts]) -> Typeset:
    """What stands under a table of the images it is about."""
    return prose(f"Images: {in_words(data)}.")


def comparisons(task: Task, data: "Dataset") -> dict[str, dict[str, Any] | None]:
    """What ``compared`` finds of each arm, as JSON holds it; ``best`` as epochs."""
    trained = [int(epoch) for epoch in data.checkpoint.values if epoch > 0]
    found = {arm: compared(task, data, arm) for arm in task.arms}
    return {
        arm: {**asdict(each), "best": [trained[i] for i in each.best]} if each else None
        for arm, each in found.items()
    }


def rows(task: Task, data: "Dataset") -> list[dict[str, Any]]:
    """Every measurement of a finished run as a record with ``COLUMNS``: what CSV and JSON hold.

    Loss and accuracy are ``None`` where the run had diverged.
    """
    names = [name for name in COLUMNS if name in data.data_vars]
    table = data[[*names, "finished"]].to_dataframe().reset_index()
    measured = [epoch in task.arms[arm].measured
                for arm, epoch in zip(table.arm, table.measured, strict=True)]  # fmt: skip
    table = table[table.finished & np.array(measured)]
    records: Sequence[dict[str, Any]] = table[list(COLUMNS)].to_dict("records")
    return [
        {k: None if isinstance(v, float) and np.isnan(v) else v for k, v in record.items()}
        for record in records
    ]
