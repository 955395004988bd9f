"""Cells of a simulation sweep: one learner, a block of replicas, and what is kept of them.

A cell is plain data, so that it can be hashed, sent to another machine and found again; everything
about the learner is rebuilt from it. Random streams depend on the cell's parameters and on the
replica's number, not on the block it is in.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from derive.grammar import parse_activation, parse_transform
from derive.pair import MISALIGNMENTS, Pair
from numerics.flow import Flow, flow_of, predicted_exit
from numerics.sgd import Learner, Stage, replica_stream, simulate
from numerics.sweep import Cell, Result

_VERSION = 1  # of what a cell means; results of another version are not mixed in
_BLOCK = 50  # replicas a cell
_STATISTICS = ("replicas", "first", "block")


def cells_of(parameters: Mapping[str, Any], replicas: int) -> list[Cell]:
    """The cells of one learner: its replicas in blocks of 50.

    Arguments: ``parameters``, as ``learner_of`` reads them, with ``seed``, ``horizon``,
    ``records`` and ``radius``; ``replicas`` in all.

    >>> [cell["block"] for cell in cells_of({"mu": 0.5}, 120)]
    [50, 50, 20]
    """
    return [
        {**parameters, "version": _VERSION, "first": first, "block": min(_BLOCK, replicas - first)}
        for first in range(0, replicas, _BLOCK)
    ]


@lru_cache(maxsize=64)
def _pair_of(teacher: str, student: str, labels: str, loss: str, misalignment: str) -> Pair:
    return Pair(
        parse_activation(teacher),
        parse_activation(student),
        parse_transform(labels),
        loss,
        MISALIGNMENTS[misalignment],
    )


def pair_of(cell: Cell) -> Pair:
    """The pair of a cell."""
    names = ("teacher", "student", "labels", "loss", "misalignment")
    return _pair_of(*(cell[name] for name in names))


@lru_cache(maxsize=64)
def _flow(pair: Pair, mu: float) -> Flow:
    return flow_of(pair, mu)


def flow_of_cell(cell: Cell) -> Flow:
    """The gradient flow of a cell's learner."""
    return _flow(pair_of(cell), cell["mu"])


def learner_of(cell: Cell) -> Learner:
    """The learner of a cell; raises ``InputError`` for impossible parameters."""
    stage = cell["stage"]
    first = None
    if stage:
        first = Stage(
            parse_transform(stage["labels"]),
            **{name: stage[name] for name in ("until_overlap", "until_step") if name in stage},
        )
    names = ("mu", "dimension", "learning_rate", "batch", "update", "noise", "scale", "signs")
    return Learner(pair_of(cell), **{name: cell[name] for name in names}, stage=first)


def compute_cell(cell: Cell) -> Result:
    """Simulate a cell: states, loss and alignment at the recorded steps, exits, predictions."""
    learner, seed = learner_of(cell), cell_seed(cell)
    replicas = range(cell["first"], cell["first"] + cell["block"])
    records: Sequence[int] = cell["records"]
    runs = simulate(
        learner,
        replicas,
        seed,
        cell["horizon"],
        records,
        radius=cell["radius"],
        stop_at_exit=not records,
        threads=1,
    )
    flow = flow_of_cell(cell)
    starts = [learner.initial(replica_stream(seed, r)) for r in replicas]
    predicted = [predicted_exit(flow, start[: flow.size], cell["radius"]) for start in starts]
    return {
        "states": runs.states,
        "loss": flow.loss(runs.states) if records else np.empty((len(replicas), 0)),
        "alignment": flow.alignment(runs.states),
        "exits": runs.exits,
        "predicted": np.array([np.nan if p is None else p for p in predicted]),
    }


def cell_seed(cell: Cell) -> int:
    """The seed of a cell's streams: a hash of its parameters but for the block of replicas."""
    own = {name: value for name, value in cell.items() if name not in _STATISTICS}
    text = json.dumps(own, sort_keys=True, allow_nan=False)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big")


def compile_for(cell: Cell) -> None:
    """Compile what a cell needs, in this process: processes forked from it inherit the result."""
    small = {**cell, "first": 0, "block": 1, "horizon": 1, "records": [0]}
    compute_cell(small)
