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

from derive.errors import InputError
from derive.pair import Pair
from derive.symbols import mu as mu_symbol
from numerics.dynamics.flow import OBSERVED, Motion
from numerics.dynamics.network_sgd import NetworkLearner
from numerics.dynamics.runs import replica_stream
from numerics.dynamics.sgd import Learner, Stage, simulate_sgd
from numerics.sweep.store import Cell, Forms, Result

_VERSION = 1  # of what a cell means; results of another version are not mixed in
BLOCK = 50  # replicas a cell
_STATISTICS = ("replicas", "first", "block")


def cells_of(parameters: Mapping[str, Any], replicas: int) -> list[Cell]:
    """The cells of one learner: its replicas in blocks of 50.

    Arguments: ``parameters``, as ``learner_of`` reads them, with ``seed``, ``horizon``,
    ``records`` and ``radius``; ``replicas`` in all.

    >>> [cell["block"] for cell in cells_of({"mu": 0.5}, 120)]
    [50, 50, 20]
    """
    return [
        {**parameters, "version": _VERSION, "first": first, "block": min(BLOCK, replicas - first)}
        for first in range(0, replicas, BLOCK)
    ]


_pair_of = lru_cache(maxsize=64)(Pair)


def pair_of(cell: Cell) -> Pair:
    """The pair of a cell."""
    names = ("teacher", "student", "labels", "loss", "misalignment")
    return _pair_of(*(cell[name] for name in names))


def system_of(cell: Cell) -> Motion:
    """The flow of a cell's learner, and what is observed of its states."""
    return learner_of(cell).flow


def learner_of(cell: Cell) -> Learner | NetworkLearner:
    """The learner of a cell; raises ``InputError`` for impossible parameters."""
    if cell["strengths"]:
        return _network_of(cell)
    stage = cell["stage"]
    first = None
    if stage:
        first = Stage(
            stage["labels"],
            **{name: stage[name] for name in ("until_overlap", "until_step") if name in stage},
        )
    names = ("mu", "dimension", "learning_rate", "batch", "update", "noise", "scale", "signs")
    return Learner(pair_of(cell), **{name: cell[name] for name in names}, stage=first)


def _network_of(cell: Cell) -> NetworkLearner:
    fixed = {"update": "spherical", "signs": "random", "stage": None}
    for name, value in fixed.items():
        if cell[name] != value:
            raise InputError(f"{name} {cell[name]} is not accepted for networks: leave it out")
    names = ("rank", "dimension", "learning_rate", "batch", "noise", "scale")
    settings = {name: cell[name] for name in names}
    return NetworkLearner(pair_of(cell), tuple(cell["strengths"]), **settings)


def compute_cell(cell: Cell) -> Result:
    """Simulate a cell: states and what is observed of them, exits, predicted exits."""
    learner, seed = learner_of(cell), cell_seed(cell)
    replicas = range(cell["first"], cell["first"] + cell["block"])
    records: Sequence[int] = cell["records"]
    numbers = (seed, cell["horizon"], records, cell["radius"])
    runs = simulate_sgd(learner, replicas, *numbers, stop_at_exit=not records, threads=1)
    system = learner.flow
    starts = (learner.start(replica_stream(seed, r)) for r in replicas)
    predicted = [system.predict(start, cell["radius"]) for start in starts]
    observed = dict.fromkeys(OBSERVED, np.empty((len(replicas), 0)))
    if records:
        observed = system.observe(runs.states)
    return {
        **observed,
        "states": runs.states,
        "exits": runs.exits,
        "predicted": np.array([np.nan if p is None else p for p in predicted]),
    }


def forms_of(cell: Cell) -> Forms:
    """The kinds and shapes of the arrays that ``compute_cell`` gives."""
    block, recorded = cell["block"], len(cell["records"])
    size = 3 if pair_of(cell).misalignment.subs(mu_symbol, cell["mu"]) != 0 else 2
    if cell["strengths"]:
        neurons, rank = len(cell["strengths"]), cell["rank"]
        size = 2 * neurons * rank + rank**2
    return {
        **dict.fromkeys(OBSERVED, ("f", (block, recorded))),
        "states": ("f", (block, recorded, size)),
        "exits": ("if", (block,)),  # cells of old have integers where all replicas exited
        "predicted": ("f", (block,)),
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
