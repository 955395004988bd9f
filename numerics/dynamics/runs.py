"""Replicas of a learner: their random streams, the threads they run in, and what comes out."""

import math
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING, ClassVar, Protocol, TypeAlias

import numpy as np
from numpy.random import SFC64, Generator, SeedSequence
from numpy.typing import NDArray

from derive.command.frames import axes_for, frame
from derive.command.hypertext import box, grid
from derive.command.tabular import rounded
from derive.errors import InputError, quoted
from derive.given import real, whole
from numerics.doubles.arrays import Doubles
from numerics.dynamics.flow import Motion
from numerics.dynamics.kinds import ExitBy

if TYPE_CHECKING:  # their imports cost seconds
    from matplotlib.axes import Axes
    from pandas import DataFrame
    from xarray import Dataset

MOST_STEPS = 10**12
_SHARES = 8  # of a thread, so that none is done long before the others
Counts: TypeAlias = NDArray[np.int64]
# States, and the steps of exit and of divergence, -1 for none.
Ran: TypeAlias = tuple[Doubles, int, int]
# From a stream, a horizon, the recorded steps and a count of those that are done.
Run: TypeAlias = Callable[[Generator, int, Counts, Counts], Ran]


class Trained(Protocol):
    """What is asked of a learner, of one index or a network."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the order parameters."""

    @property
    def mu(self) -> float | tuple[float, ...]:
        """Pre-training strength, or one a neuron."""

    @property
    def dimension(self) -> int:
        """Of the input."""

    @property
    def learning_rate(self) -> float:
        """γ."""

    usual_horizon: ClassVar[float]  # in units of τ log d

    @property
    def flow(self) -> Motion:
        """The limit of small steps."""

    def start(self, rng: Generator) -> Doubles:
        """An initial state, drawn, as one vector."""

    def runner(self, radius: float, stop_at_exit: bool, exit_by: ExitBy = "state") -> Run:
        """What simulates one replica; arguments as of ``Learner.runner``."""

    def cause_of_divergence(self) -> str:
        """What made a run diverge, and what to try."""


@dataclass(frozen=True)
class Runs:
    """Replicas of one learner, labelled: ``runs["m"]`` are overlaps, replicas × records.

    Fields:
        steps: at which states were recorded (k);
        states: replicas × k × order parameters, NaN after a run that was stopped at its exit;
        exits: the first step that counts as exit, NaN for censored runs;
        names: of the order parameters;
        learning_rate: γ, the time of a step.

    A simulation: it supports, with the uncertainty of its replicas.
    """

    steps: Counts
    states: Doubles
    exits: Doubles
    names: tuple[str, ...]
    learning_rate: float

    def __getitem__(self, name: str) -> Doubles:
        """An order parameter by its name; raises ``InputError`` for another name."""
        if name not in self.names:
            raise InputError(
                f"{quoted(name)} was not recorded: choose from {', '.join(self.names)}"
            )
        return self.states[..., self.names.index(name)]

    @property
    def times(self) -> Doubles:
        """Recorded times in units of 1/γ."""
        return self.steps.astype(float) * self.learning_rate

    @property
    def exit_times(self) -> Doubles:
        """Exit time of each replica in units of 1/γ, ``inf`` for censored runs."""
        return np.where(np.isnan(self.exits), np.inf, self.exits * self.learning_rate)

    @property
    def censored(self) -> int:
        """Number of replicas that did not exit within the horizon."""
        return int(np.isnan(self.exits).sum())

    def __repr__(self) -> str:
        count, records = self.states.shape[:2]
        left = f"{count - self.censored} of {count} left the search phase"
        return f"{type(self).__name__}({left}, {records} records of {', '.join(self.names)})"

    def _repr_html_(self) -> str:
        count, shares = len(self.exits), (0.1, 0.5, 0.9)
        times = np.quantile(self.exit_times, shares, method="inverted_cdf")
        rows = [
            (f"{p:.0%}", rounded(float(t), 4).plain) for p, t in zip(shares, times, strict=False)
        ]
        content = grid(("runs that have left", "time (1/γ)"), rows)
        title = f"{count} runs, {self.censored} still searching at the end"
        return box(title, "simulated", content, self._described())

    def _described(self) -> str:
        return f"γ = {self.learning_rate:.4g}"

    def to_frame(self) -> "DataFrame":
        """A row a replica: its exit in steps and in units of 1/γ, infinite if censored."""
        times = self.exit_times
        steps = np.where(np.isnan(self.exits), np.inf, self.exits)
        columns = {"replica": range(len(times)), "exit_step": steps, "exit_time": times}
        return frame(columns, unit="1/γ", certainty="simulated")

    def plot(self, name: str = "m", ax: "Axes | None" = None) -> "Axes":
        """Draw an order parameter over time: the median, and a band that holds 80 % of the runs.

        Arguments:
            name: as ``runs[name]`` takes it; its size is drawn, for its sign is chance.
            ax: where to draw; a new figure by default.

        Raises ``InputError`` for what was not recorded.
        """
        ax, later = axes_for(ax), self.times > 0
        low, median, high = np.nanquantile(np.abs(self[name]), (0.1, 0.5, 0.9), axis=0)
        ax.fill_between(self.times[later], low[later], high[later], alpha=0.25, linewidth=0)
        ax.plot(self.times[later], median[later])
        ax.set(xlabel=r"time ($1/\gamma$)", ylabel=f"|{name}|")
        return ax

    def to_xarray(self) -> "Dataset":
        """The same as ``dataset``."""
        return self.dataset()

    def dataset(self) -> "Dataset":
        """States and exit times with their names and units, for ``xarray``."""
        from xarray import Dataset

        units = {"units": "1/gamma"}
        return Dataset(
            {
                "state": (("replica", "record", "parameter"), self.states),
                "exit_time": ("replica", self.exit_times, units),
            },
            coords={"parameter": list(self.names), "time": ("record", self.times, units)},
        )


def replica_stream(seed: int, replica: int) -> Generator:
    """The random stream of a replica, independent of all others."""
    return Generator(SFC64(SeedSequence(seed, spawn_key=(replica,))))


def steps_of(learner: Trained, multiple: float) -> int:
    """A time in units of τ log d as a number of steps.

    Raises ``InputError`` where there is no escape, or for more than 1e12 steps.
    """
    rate = learner.flow.rate()
    if not learner.flow.escapes():
        raise InputError(
            f"no escape at μ = {learner.mu}, so τ is no unit: give the horizon in steps"
        )
    return checked_horizon(multiple * (math.log(learner.dimension) / rate / learner.learning_rate))


def checked_horizon(steps: float) -> int:
    """A number of steps rounded up; raises ``InputError`` for fewer than 1 or too many."""
    steps = real(steps, "horizon")
    if not 1 <= steps <= MOST_STEPS:
        raise InputError(
            f"a horizon of {steps:.3g} steps is not accepted: give 1 to 1e12; for more, "
            "numerics.exit has the law, which needs no steps"
        )
    return math.ceil(steps)


def run_replicas(
    learner: Trained,
    run: Run,
    replicas: Sequence[int],
    *,
    seed: int,
    horizon: int,
    records: Sequence[int],
    threads: int | None = None,
    count: Counts | None = None,
) -> Runs:
    """Run replicas in threads and gather them.

    Arguments:
        learner: whose runs they are, named in the result and where they diverge.
        run: simulates one replica.
        replicas, seed, horizon, records, threads, count: as of ``simulate_sgd``.

    Raises ``InputError`` as ``simulate_sgd`` does.
    """
    horizon = whole(horizon, "horizon", 1)
    if not len(replicas):
        raise InputError("no replica is not accepted: give at least one")
    steps = checked_records(records, horizon)

    told = np.zeros(1, dtype=np.int64) if count is None else count

    def of(replica: int) -> Ran:
        before = told[0]
        ran = run(replica_stream(seed, replica), horizon, steps, told)
        told[0] = before + horizon  # a run that has left early is done
        return ran

    results = _in_threads(of, replicas, threads or os.cpu_count() or 1)
    diverged = [(r, at) for r, (_, _, at) in zip(replicas, results, strict=True) if at >= 0]
    if diverged:
        replica, at = diverged[0]
        raise InputError(
            f"replica {replica} diverged at step {at} ({len(diverged)} of {len(replicas)} did): "
            f"{learner.cause_of_divergence()}"
        )
    states = np.array([states for states, _, _ in results])
    exits = np.array([np.nan if exit_step < 0 else float(exit_step) for _, exit_step, _ in results])
    return Runs(steps, states, exits, learner.names, learner.learning_rate)


def _in_threads(of: Callable[[int], Ran], replicas: Sequence[int], threads: int) -> list[Ran]:
    """In order; several at a time, for to hand over each is as dear as a thousand steps of it."""
    called_off = Event()

    def of_several(share: Sequence[int]) -> list[Ran]:
        return [of(replica) for replica in share if not called_off.is_set()]

    size = max(1, len(replicas) // (threads * _SHARES))
    shares = [replicas[i : i + size] for i in range(0, len(replicas), size)]
    with ThreadPoolExecutor(threads) as pool:
        try:
            return [ran for several in pool.map(of_several, shares) for ran in several]
        except BaseException:
            called_off.set()  # an interrupt waits for no more than the runs that are under way
            raise


def checked_records(records: Sequence[int], horizon: int) -> Counts:
    """Recorded steps as an array; raises ``InputError`` unless they increase in [0, horizon]."""
    try:
        steps = np.asarray(records, dtype=np.int64)
    except (TypeError, ValueError):
        steps = np.array([-1])
    inside = steps.ndim == 1 and np.all((steps >= 0) & (steps <= horizon))
    if not (inside and np.all(np.diff(steps) > 0)):
        raise InputError("recorded steps are not accepted: give increasing ones in [0, horizon]")
    return steps
