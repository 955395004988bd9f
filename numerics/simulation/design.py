"""How a pair is trained and watched: one record, and the grids of many.

A ``Simulation`` is what the command line, figures and claims build. Its cells are the same as plain
data, for hashes, disks and other machines; the random streams depend on all its fields but the
number of replicas, and on the replica's number.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from fractions import Fraction
from functools import cached_property, lru_cache, partial
from itertools import product
from math import ceil, inf, prod
from typing import Any

import numpy as np
from sympy import simplify

from derive.command.progress import progress
from derive.errors import InputError, quoted
from derive.given import insist_on, read_numbers, real, whole
from derive.labels import Labels, LabelsLike
from derive.pair import Pair, PairLike
from numerics.certified.strengths import StrengthsLike, strengths_of
from numerics.dynamics.best_rate import best_learning_rate
from numerics.dynamics.full_sgd import FullLearner
from numerics.dynamics.kinds import (
    EXIT_BAND,
    EXIT_RADIUS,
    EXITS,
    METHODS,
    ExitBy,
    Method,
    Signs,
    Starts,
    Update,
)
from numerics.dynamics.network_sgd import NetworkLearner
from numerics.dynamics.runs import checked_horizon, checked_records, steps_of
from numerics.dynamics.sgd import NEVER, Learner, Stage
from numerics.dynamics.stability import stable_learning_rate
from numerics.simulation.multiple import RATES, TIMES, MultipleLike, multiple
from numerics.sweep.store import Cell

BLOCK = 50  # replicas a cell
_VERSION = 1  # of what a cell means; results of another version are not mixed in
_NOT_SEEDING = ("replicas", "first", "block")
_MOST_CELLS = 10**5
_OF_ONE: dict[str, Any] = {"update": "spherical", "signs": "random", "stage": None,
                           "scale_u": None, "starts": ()}  # fmt: skip
# Fields that came later; at these values they are left out of cells, which are those of old.
_LATER: dict[str, Any] = {"scale_u": None, "starts": (), "exit_by": "state", "method": "lora"}
_RADII = {"strength": EXIT_BAND}

_pair_of = lru_cache(maxsize=64)(Pair)


@dataclass(frozen=True, init=False)
class Simulation:
    """How a pair is trained by one-pass SGD, and what is watched of it.

    Fields: those of the constructor, all worked out: ``learning_rate`` is a number, ``horizon`` one
    of steps, ``records`` the steps at which states are kept. A simulation of networks has
    ``strengths``, one a neuron; for one index they are ``None``.

    >>> Simulation("relu", 0.5, dimension=10**6, learning_rate="5/d").learning_rate
    5e-06
    """

    pair: Pair
    mu: float
    dimension: int
    learning_rate: float
    batch: int
    update: Update
    noise: float
    scale: float
    signs: Signs
    stage: Stage | None
    strengths: tuple[float, ...] | None
    rank: int
    seed: int
    radius: float
    horizon: int
    records: tuple[int, ...]
    replicas: int
    scale_u: float | None
    starts: Starts
    exit_by: ExitBy
    method: Method

    def __init__(
        self,
        pair: PairLike,
        mu: StrengthsLike | None = None,
        *,
        dimension: int = 1000,
        learning_rate: MultipleLike = "0.1*stable",
        batch: int = 16,
        update: Update = "spherical",
        noise: float = 0.0,
        scale: float = 1.0,
        signs: Signs = "random",
        stage: Stage | None = None,
        strengths: StrengthsLike | None = None,
        neurons: int = 1,
        rank: int = 1,
        seed: int = 0,
        radius: float | None = None,
        horizon: MultipleLike | None = None,
        records: int | Sequence[int] = 60,
        replicas: int = 100,
        scale_u: float | None = None,
        starts: Sequence[Sequence[float]] = (),
        exit_by: ExitBy = "state",
        method: Method = "lora",
    ) -> None:
        """The simulation that is asked for.

        Arguments:
            pair: a pair, or the activation of a matched one.
            mu: pre-training strength in (0, 1]; the mean of ``strengths`` by default.
            dimension: of the input, at least 3.
            learning_rate: γ; a number, ``5/d``, ``0.1*stable`` in units of the largest stable, or
                ``best``, the one of the fewest samples.
            batch: samples a step.
            update: as ``Learner`` takes it, like ``noise``, ``scale``, ``signs`` and ``stage``.
            noise: standard deviation on labels.
            scale: initial ``u``, and overlap, in units of 1/√d.
            signs: initial sign of ``m`` against that of ``u``.
            stage: a first stage with other labels.
            strengths: of the neurons of a network, one each.
            neurons: of a network, all of the strength ``mu``.
            rank: of LoRA, shared by all neurons; above 1, one neuron is a network too.
            seed: of all random streams.
            radius: what counts as exit; ½, and 0.05 off the strength, by default.
            horizon: steps of a run, or ``2*tau`` for 2 τ log d; 1.5, for networks 6, by default.
            records: recorded steps, or how many of them, logarithmically spaced; with none of
                them runs end at their exit.
            replicas: independent runs.
            scale_u: initial ``u`` apart, in units of 1/√d; 0 is allowed.
            starts: states of which each run draws its start instead.
            exit_by: what has the radius at exit, as ``simulate_sgd`` takes it.
            method: ``lora``, or ``full``: all weights of the pre-trained direction are trained.

        Raises ``InputError`` for impossible values and combinations.
        """
        mean, several = _strengths(mu, strengths, () if neurons == rank == 1 else (1,) * neurons)
        usual = _RADII.get(exit_by, EXIT_RADIUS)
        self._set(pair=_sayable(Pair.of(pair)), mu=float(mean), starts=_states(starts))
        self._set(strengths=tuple(map(float, several)) or None, replicas=replicas, seed=seed)
        self._set(dimension=dimension, batch=batch, rank=rank, noise=noise, scale=scale)
        self._set(radius=usual if radius is None else radius, scale_u=scale_u)
        read_numbers(self, whole, "seed")
        read_numbers(self, partial(whole, least=1), "dimension", "batch", "rank", "replicas")
        read_numbers(
            self, real, "noise", "scale", "radius", *([] if scale_u is None else ["scale_u"])
        )
        self._set(update=update, signs=signs, stage=stage, exit_by=exit_by, method=method)
        self._set(learning_rate=self._rate(learning_rate))
        self._check()
        self._watch(horizon, records)

    def _watch(self, horizon: MultipleLike | None, records: int | Sequence[int]) -> None:
        """Work out how long it is watched, and when; refuse what is impossible before that."""
        insist_on(
            self.stage, (Stage, type(None)), "a Stage, as in Stage('squared', until_overlap=0.5)"
        )
        learner = self.learner
        time = multiple(f"{learner.usual_horizon:g}*tau" if horizon is None else horizon, TIMES)
        steps = steps_of(learner, time.value) if time.unit else checked_horizon(time.value)
        self._set(horizon=steps, records=_records(records, steps))

    def _check(self) -> None:
        if not self.radius > 0:
            raise InputError(f"radius {self.radius:g} is not accepted: give a positive one")
        if self.exit_by not in EXITS:
            raise InputError(
                f"exit by {quoted(self.exit_by)} is not accepted: give {', '.join(EXITS)}"
            )
        if self.method not in METHODS or (self.method == "full") > (self.exit_by == "teacher"):
            raise InputError(
                f"method {quoted(self.method)} with exit by {quoted(self.exit_by)} is not "
                "accepted: give lora, or full, which has no search phase, with exit by teacher"
            )

    def _set(self, **values: Any) -> None:
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def _rate(self, given: MultipleLike) -> float:
        rate = multiple(given, RATES)
        if rate.unit == "/d":
            return rate.value / self.dimension
        numbers = (self.mu, self.dimension, self.batch)
        if rate.unit == "*stable":
            return rate.value * stable_learning_rate(self.pair, *numbers)
        if rate.unit == "*best":
            return rate.value * best_learning_rate(self.pair, *numbers, self.noise)
        return rate.value

    @cached_property
    def learner(self) -> Learner | NetworkLearner:
        """What is trained; with its flow."""
        names = ("dimension", "learning_rate", "batch", "noise", "scale")
        common: dict[str, Any] = {name: getattr(self, name) for name in names}
        if self.strengths is None:
            own = {name: getattr(self, name) for name in _OF_ONE}
            kind = FullLearner if self.method == "full" else Learner
            return kind(self.pair, self.mu, **common, **own)
        for name, value in (_OF_ONE | {"exit_by": "state", "method": "lora"}).items():
            if getattr(self, name) != value:
                raise InputError(f"{name} is not accepted for networks: leave it out")
        return NetworkLearner(self.pair, self.strengths, self.rank, **common)

    @property
    def tau(self) -> float:
        """Escape time τ in units of 1/γ, ``inf`` if there is no escape. Heuristic."""
        return self.learner.flow.tau()

    # The border: the same as plain data.

    def cells(self) -> list[Cell]:
        """The replicas in blocks, as plain data: what is hashed, stored and sent.

        >>> [cell["block"] for cell in Simulation("x", 0.5, replicas=120).cells()]
        [50, 50, 20]
        """
        return [
            self.cell(first, min(BLOCK, self.replicas - first))
            for first in range(0, self.replicas, BLOCK)
        ]

    def cell(self, first: int, block: int) -> Cell:
        """A block of replicas, from the number ``first`` on, as plain data."""
        return {**self.described(), "version": _VERSION, "first": first, "block": block}

    def described(self) -> dict[str, Any]:
        """All fields but the number of replicas as plain data."""
        own = {f.name: getattr(self, f.name) for f in fields(self) if f.name not in _APART}
        own["starts"] = [list(state) for state in self.starts]
        for name, value in _LATER.items():
            if getattr(self, name) == value:
                del own[name]
        return {
            **self.pair.texts,
            **own,
            "stage": _plain(self.stage),
            "strengths": self.strengths and list(self.strengths),
            "records": list(self.records),
        }

    @classmethod
    def of_cell(cls, cell: Cell) -> "Simulation":
        """The simulation of a cell, of its replicas alone."""
        pair = _pair_of(*(cell[name] for name in _TEXTS))
        left = {name: value for name, value in cell.items() if name not in (*_TEXTS, *_BLOCK)}
        stage = cell["stage"] and Stage(**cell["stage"])
        return cls(pair, **{**left, "stage": stage, "replicas": cell["block"]})


_APART = ("pair", "replicas")
_TEXTS = ("teacher", "student", "labels", "loss", "misalignment")
_BLOCK = ("version", "first", "block")


def _states(given: Sequence[Sequence[float]]) -> Starts:
    """States to start from; raises ``InputError`` for what is no sequence of such."""
    try:
        return tuple(tuple(map(float, state)) for state in given)
    except (TypeError, ValueError):
        raise InputError(
            f"starts {quoted(given)} are not accepted: give states, as in [(0.01, 0.02)]"
        ) from None


def _sayable(pair: Pair) -> Pair:
    """The pair, if its texts say it; raises ``InputError`` else: a cell holds nothing but them."""
    try:
        said = _pair_of(*pair.texts.values())
    except InputError as reason:
        raise InputError(f"a simulation keeps its pair as text: {reason}") from None
    if not (said == pair or _same(said, pair)):
        raise InputError(
            f"a simulation keeps its pair as text, and {quoted(pair.teacher.text)} with "
            f"{quoted(pair.student.text)} says another: give activations by the text that they are"
        )
    return pair


def _same(said: Pair, pair: Pair) -> bool:
    """Whether two pairs of the same texts are the same functions, however these are written."""
    first, second = (
        (each.teacher.value, each.student.value, each.labels.value) for each in (said, pair)
    )
    pieces = [piece for f, g in zip(first, second, strict=True) for piece in (f - g).pieces]
    return said.misalignment == pair.misalignment and all(simplify(p) == 0 for p in pieces)


def _strengths(
    mu: StrengthsLike | None, strengths: StrengthsLike | None, equal: Sequence[int]
) -> tuple[Fraction, Sequence[Fraction]]:
    """The mean strength, and those of the neurons of a network."""
    several = _exact(strengths) if strengths is not None else ()
    if mu is None and several:
        return sum(several, Fraction(0)) / len(several), several
    given = () if mu is None else _exact(mu)
    if len(given) != 1:
        raise InputError("a simulation has one strength: give mu in (0, 1], or strengths")
    return given[0], several or [each * given[0] for each in equal]


def _exact(given: StrengthsLike) -> tuple[Fraction, ...]:
    """Strengths exactly; floats are the decimals that they are written as."""
    if isinstance(given, str) or not np.ndim(given):  # type: ignore[arg-type]
        return strengths_of(given)
    return strengths_of([Fraction(str(mu)) if isinstance(mu, float) else mu for mu in given])  # type: ignore[union-attr]


def _plain(stage: Stage | None) -> dict[str, Any] | None:
    if stage is None:
        return None
    ends = {"until_overlap": stage.until_overlap, "until_step": stage.until_step}
    given = {name: end for name, end in ends.items() if end not in (inf, NEVER)}
    flip = {"flip_at_switch": True} if stage.flip_at_switch else {}  # else cells are those of old
    return {"labels": stage.labels.text, **given, **flip}


def _records(given: int | Sequence[int], horizon: int) -> tuple[int, ...]:
    if not isinstance(given, int):
        return tuple(checked_records(given, horizon).tolist())
    steps = np.geomspace(1, horizon, max(given - 1, 1)).round().astype(int)
    return (0, *np.unique(steps).tolist()) if given else ()


def cell_seed(cell: Mapping[str, Any]) -> int:
    """The seed of a cell's streams: a hash of its parameters but for the block of replicas."""
    own = {name: value for name, value in cell.items() if name not in _NOT_SEEDING}
    text = json.dumps(own, sort_keys=True, allow_nan=False)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big")


def grid(
    pairs: PairLike | Sequence[PairLike],
    mu: StrengthsLike = (0.1, 0.5, 0.9),
    *,
    labels: LabelsLike | Sequence[LabelsLike] = (),
    dimension: int | Sequence[int] = (1000,),
    seed: int | Sequence[int] = (0,),
    **how: Any,
) -> list[Simulation]:
    """Many simulations: the product of pairs, labels, seeds, dimensions, strengths, in this order.

    Arguments:
        pairs: one or several, each as ``Simulation`` takes it.
        mu: strengths, as ``strengths_of`` takes them.
        labels: several for each pair, instead of its own.
        dimension: one input dimension or several.
        seed: one or several.
        how: the other settings of ``Simulation``, the same for all.

    Raises ``InputError`` as ``Simulation`` does, and for more than 100 000 blocks of replicas.

    >>> [s.mu for s in grid("x", [0.2, 0.4], horizon=10)]
    [0.2, 0.4]
    """
    given = [_several(each) for each in (pairs, labels, seed, dimension)]
    pairs, labels, *others = given[0], given[1] or (None,), *given[2:], _exact(mu)
    checked_size(prod(map(len, (pairs, labels, *others))), how.get("replicas", 100))
    axes = [[_labelled(*each) for each in product(map(Pair.of, pairs), labels)], *others]
    points = progress(list(product(*axes)), "points")
    return [Simulation(pair, mu, dimension=d, seed=s, **how) for pair, s, d, mu in points]


def _several(given: Any) -> Sequence[Any]:
    """What is given, as a sequence; a text is one entry."""
    return [given] if isinstance(given, str) or not hasattr(given, "__len__") else given


def _labelled(pair: Pair, labels: LabelsLike | None) -> Pair:
    return pair if labels is None else replace(pair, labels=Labels.of(labels))


def checked_size(points: int, replicas: int) -> None:
    """Raise ``InputError`` for a grid that is too large."""
    if points * ceil(replicas / BLOCK) > _MOST_CELLS:
        raise InputError(
            f"{points} points of {replicas} replicas are too many: give at most "
            f"{_MOST_CELLS * BLOCK} replicas in all, in at most {_MOST_CELLS} points"
        )
