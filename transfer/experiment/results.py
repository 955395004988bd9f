"""The finished cells of an experiment as labelled arrays."""

from typing import TYPE_CHECKING

import numpy as np

from transfer.experiment.plan import CURVES, OVERLAPS, Chain, Place, chains_of, facts_of_data
from transfer.experiment.records import Task
from transfer.experiment.series import Series
from transfer.experiment.statistics import search_phase

if TYPE_CHECKING:
    import xarray


def results_of(task: Task, place: Place) -> "xarray.Dataset":
    """The finished cells as labelled arrays, not a number where a cell is missing.

    Dimensions: ``arm``, ``pretraining_seed``, ``checkpoint``, ``fine_tuning_seed``, ``measured``
    (epochs of fine-tuning) and ``epoch`` (of pre-training). ``pretrained`` and ``finished`` say
    which cells are there, ``diverged`` which finished runs ended without numbers. Attributes:
    ``seconds`` that the cells took, summed; ``data``, facts of datasets; ``unit`` of checkpoints.
    """
    data = _none_yet(task)
    unit = "step" if isinstance(task.pretraining, Series) else "epoch"
    data.attrs |= {"unit": unit, "seconds": 0.0, "data": facts_of_data(task, place)}
    for chain in chains_of(task, place):
        _fill(data, chain, place, task)
    return data


def _none_yet(task: Task) -> "xarray.Dataset":
    """The arrays of a task of which nothing is finished."""
    import xarray

    arms = task.arms
    coordinates = {
        "arm": list(arms),
        "pretraining_seed": range(task.pretraining.seeds),
        "checkpoint": list(task.pretraining.checkpoints),
        "fine_tuning_seed": range(max(arm.seeds for arm in arms.values())),
        "measured": sorted({epoch for arm in arms.values() for epoch in arm.measured}),
        "epoch": range(1, task.pretraining.epochs + 1),
    }
    data = xarray.Dataset(coords={name: list(values) for name, values in coordinates.items()})
    run = ("arm", "pretraining_seed", "checkpoint", "fine_tuning_seed")
    dimensions = {
        **dict.fromkeys(CURVES, ("pretraining_seed", "epoch")),
        **dict.fromkeys(("source_loss", "source_accuracy"), ("pretraining_seed", "checkpoint")),
        **dict.fromkeys(("search_phase", *OVERLAPS), run),
        **dict.fromkeys(("loss", "accuracy"), (*run, "measured")),
        "learning": ("arm",),
    }
    for name, over in dimensions.items():
        data[name] = over, np.full([data.sizes[each] for each in over], np.nan)
    data["pretrained"] = ("pretraining_seed", [False] * task.pretraining.seeds)
    for name in ("finished", "diverged"):
        data[name] = data["search_phase"].notnull()  # of none yet
    return data


def _fill(data: "xarray.Dataset", chain: Chain, place: Place, task: Task) -> None:
    seed = {"pretraining_seed": chain.pretraining["seed"]}
    first = place.found(chain.pretraining)
    if first is not None:
        data.attrs["seconds"] += float(first["seconds"])
        data["pretrained"].loc[seed] = True
        for name in set(CURVES) & set(first):  # one's own checkpoints have no curves
            data[name].loc[seed] = first[name]
        data["source_loss"].loc[seed] = first["test_loss"]
        data["source_accuracy"].loc[seed] = first["test_accuracy"]
    for arm, cell in chain.adaptations:
        found = place.found(cell)
        if found is None:
            continue
        data.attrs["seconds"] += float(found["seconds"])
        data["learning"].loc[{"arm": arm}] = found["learning"]
        for row, fine in enumerate(cell["fine_tuning_seeds"]):
            place_of = {**seed, "arm": arm, "checkpoint": cell["checkpoint"],
                        "fine_tuning_seed": fine}  # fmt: skip
            data["finished"].loc[place_of] = True
            data["diverged"].loc[place_of] = not np.isfinite(found["train_loss"][row]).all()
            data["search_phase"].loc[place_of] = search_phase(found["train_loss"][row])
            for name in OVERLAPS:
                data[name].loc[place_of] = found[name][row]
            measured = {**place_of, "measured": list(task.arms[arm].measured)}
            data["loss"].loc[measured] = found["test_loss"][row]
            data["accuracy"].loc[measured] = found["test_accuracy"][row]
