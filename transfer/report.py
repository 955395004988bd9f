"""The report of an experiment: tables, raw rows and a verdict.

Everything is computed from the labelled results of ``transfer.experiment``; a missing cell is shown
as such. The tables keep the spread over pre-training seeds and over fine-tuning seeds apart.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from derive.tabular import Table, Typeset, typeset
from transfer.statistics import Comparison, Difference, Spread, best_against_last, spread
from transfer.task import Task

if TYPE_CHECKING:
    from xarray import DataArray, Dataset

MAIN = "LoRA"
COLUMNS = ("arm", "pretraining_seed", "checkpoint", "fine_tuning_seed", "measured", "loss",
           "accuracy", "source_accuracy", "search_phase", "left", "right", "size")  # fmt: skip


def compared(data: "Dataset", arm: str) -> Comparison | None:
    """The best checkpoint of an arm against the last; the random initialisation does not count."""
    pretrained = data.where(data.checkpoint > 0, drop=True)
    final = _final(pretrained, arm).transpose("pretraining_seed", "checkpoint", "fine_tuning_seed")
    seeds = final.notnull().any(("pretraining_seed", "checkpoint"))
    source = pretrained.source_accuracy.transpose("pretraining_seed", "checkpoint")
    return best_against_last(source.values, final[..., seeds.values].values)


def _final(data: "Dataset", arm: str) -> "DataArray":
    """Accuracy at the last epoch that the arm was measured at."""
    own = data.accuracy.sel(arm=arm)
    measured = own.notnull().any(("pretraining_seed", "checkpoint", "fine_tuning_seed")).values
    return own.isel(measured=int(np.flatnonzero(measured)[-1]) if measured.any() else -1)


def verdict(data: "Dataset") -> str:
    """One line: does source accuracy rise while downstream accuracy falls, and how sure are we?"""
    found = compared(data, MAIN)
    if found is None:
        return (
            "Undecided: a confidence interval needs two finished pre-training seeds and "
            "two checkpoints."
        )
    later = [int(epoch) for epoch in data.checkpoint.values if epoch > 0]
    chosen = sorted({later[place] for place in found.best})
    if chosen == [later[-1]]:
        return (
            f"No negative transfer: the last checkpoint, epoch {later[-1]}, adapts best, judged "
            f"on any other {found.seeds - 1} of {found.seeds} pre-training seeds."
        )
    epochs = "/".join(map(str, chosen))
    evidence = (
        f"from epoch {epochs} to epoch {later[-1]} source accuracy changes by "
        f"{_interval(found.cost, 1)} points, downstream accuracy by {_interval(found.gain, -1)} "
        f"(95 % intervals over {found.seeds} pre-training seeds; the earlier checkpoint adapts "
        f"better for {found.wins} of {found.seeds}; p = {found.gain.p:.2g})"
    )
    if found.gain.positive and found.cost.positive:
        return f"Negative transfer: {evidence}."
    if found.gain.positive:
        return f"An earlier checkpoint adapts better, but is not clearly worse at home: {evidence}."
    return f"Undecided: {evidence}."


def _interval(found: Difference, sign: int) -> str:
    low, high = sorted((sign * found.low, sign * found.high))
    return f"{100 * sign * found.mean:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}]"


def tables(task: Task, data: "Dataset") -> list[Table]:
    """The main table, and the one of all arms."""
    return [_main_table(task, data), _arms_table(task, data)]


def _main_table(task: Task, data: "Dataset") -> Table:
    measured = task.arms[MAIN].measured
    early = min(measured, key=lambda epoch: abs(5 * epoch - measured[-1]))
    probe = next((arm for arm, a in task.arms.items() if a.method == "probe"), None)
    shown = tuple(dict.fromkeys((early, measured[-1])))
    columns = ("checkpoint", "source acc.", *(f"FT epoch {epoch}" for epoch in shown),
               *(["probe"] if probe else []),
               "search phase", "overlap left", "right", "size")  # fmt: skip
    rows = []
    for epoch in data.checkpoint.values:
        own = data.sel(checkpoint=epoch)
        accuracies = [own.accuracy.sel(arm=MAIN, measured=e) for e in shown]
        if probe:
            accuracies.append(_final(data, probe).sel(checkpoint=epoch))
        others = [
            _both(own[name].sel(arm=MAIN), 2) for name in ("search_phase", "left", "right", "size")
        ]
        rows.append(
            (
                f"{epoch}" if epoch else "0 (random)",
                _cell(spread(100 * own.source_accuracy.values[:, None])),
                *map(_percent, accuracies),
                *others,
            )
        )
    return Table(
        "transfer",
        same(f"{task.title}: accuracy in per cent"),
        columns,
        tuple(rows),
        (
            same("± is the standard deviation over pre-training seeds, that over fine-tuning "
                  "seeds is in parentheses."),
            same("search phase: epochs until half of the fall of the training loss; overlap: of "
                  "the update's singular subspaces with those of the weights, 1 is chance; size: "
                  "norm of the update over that of the weights."),
            same(verdict(data)),
        ),
    )  # fmt: skip


def _arms_table(task: Task, data: "Dataset") -> Table:
    rows = []
    for arm in task.arms:
        final = _final(data, arm)
        found = compared(data, arm)
        learning = float(data.learning.sel(arm=arm))
        rows.append(
            (
                arm,
                f"{learning:,.0f}" if np.isfinite(learning) else "-",
                *(_percent(final.sel(checkpoint=epoch)) for epoch in data.checkpoint.values),
                same(_gain(found, int((data.checkpoint > 0).sum()) - 1)) if found else None,
            )
        )
    columns = ("protocol", "learning",
               *(f"epoch {epoch}" if epoch else "random" for epoch in data.checkpoint.values),
               "best - last [95 %]")  # fmt: skip
    return Table(
        "arms",
        same(f"{task.title}: downstream accuracy of all protocols, by checkpoint"),
        columns,
        tuple(rows),
        (
            same("best - last: in points, the checkpoint chosen for each pre-training seed on "
                  "the other seeds; random is no candidate."),
            same(f"All finished cells together took {data.attrs['seconds'] / 60:.0f} minutes of "
                 "one process."),
        ),
    )  # fmt: skip


def _gain(found: Comparison, last: int) -> str:
    return "last is best" if set(found.best) == {last} else _interval(found.gain, 1)


def _percent(values: "DataArray") -> Typeset:
    return _both(100 * values)


def _both(values: "DataArray", digits: int = 1) -> Typeset:
    """Mean and both spreads of the runs of one checkpoint."""
    found = spread(values.transpose("pretraining_seed", "fine_tuning_seed").values)
    return _cell(found, digits)


def _cell(found: Spread, digits: int = 1) -> Typeset:
    if not np.isfinite(found.mean):
        return same("-")
    text = f"{found.mean:.{digits}f}"
    if np.isfinite(found.between):
        text += f" ± {found.between:.{digits}f}"
    if np.isfinite(found.within):
        text += f" ({found.within:.{digits}f})"
    return same(text)


def same(text: str) -> Typeset:
    """Text in both forms."""
    latex = typeset(text)
    for sign, command in (("±", r"$\pm$"), ("→", r"$\to$")):
        latex = latex.replace(sign, command)
    return Typeset(text, latex)


def rows(data: "Dataset") -> list[dict[str, Any]]:
    """Every measurement as a record with ``COLUMNS``: what CSV and JSON hold."""
    frame = data[["loss", "accuracy", "source_accuracy", "search_phase", "left", "right", "size"]]
    table = frame.to_dataframe().reset_index().dropna(subset=["accuracy"])
    records: Sequence[dict[str, Any]] = table[list(COLUMNS)].to_dict("records")
    return [
        {k: None if isinstance(v, float) and np.isnan(v) else v for k, v in record.items()}
        for record in records
    ]
