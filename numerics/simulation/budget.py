"""What a number of samples buys at each pre-training strength, and how far to pre-train.

A ``Budget`` holds the learning curves of a grid of strengths, each at the learning rate that a
policy gives it, and reads off what a user asks: the best strength, the ranges where more
pre-training hurts, those where runs do not leave in time.
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from derive.command.frames import axes_for
from derive.command.progress import progress
from derive.errors import InputError, Undecided
from derive.given import insist_on, real
from derive.pair import PairLike
from derive.pair_drift import drift_of
from numerics.certified.straddled import straddled
from numerics.certified.strengths import StrengthsLike, strengths_of
from numerics.doubles.arrays import Doubles
from numerics.dynamics.learning_curve import LearningCurve, learning_curve
from numerics.dynamics.stability import stable_learning_rate
from numerics.simulation.design import Simulation
from numerics.simulation.simulated import SimulatedRuns

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WORSE = 1.1  # times the least loss at a weaker strength: more pre-training hurts
_NEGLIGIBLE = 1e-3  # of the largest frozen loss: what is below it is learnt
# Around a singularity, where a grid may step over what happens.
_AROUND = tuple(Fraction(side * k, 1000) for side in (-1, 1) for k in (4, 10, 20, 30, 45))

Range = tuple[float, float]


@dataclass(frozen=True)
class Best:
    """The strength of the least expected loss.

    Fields: ``mu``; ``low`` and ``high``, between which it is at most a tenth more, up to its error,
    or negligible; ``expected_loss`` with its ``error``; ``frozen_loss``, that of the pre-trained
    model alone.
    """

    mu: float
    low: float
    high: float
    expected_loss: float
    error: float
    frozen_loss: float


@dataclass(frozen=True)
class Measured:
    """What runs found after the samples, over the strength.

    Fields: ``replicas``; ``losses``, their means; ``errors``, the standard errors of these;
    ``searching``, the shares that have not left. A simulation.
    """

    replicas: int
    losses: Doubles
    errors: Doubles
    searching: Doubles


@dataclass(frozen=True)
class Budget:
    """Learning curves over the strength, read at one number of samples.

    Fields: ``simulations``, one a strength; ``curves``; ``samples``; ``singularities``, of infinite
    escape time between the strengths, certified, or ``None`` if that is undecided; ``measured``,
    what runs found, if any were made. Heuristic.
    """

    simulations: Sequence[Simulation]
    curves: Sequence[LearningCurve]
    samples: int
    singularities: tuple[str, ...] | None
    measured: Measured | None = None

    @property
    def mu(self) -> Doubles:
        """The strengths, increasing."""
        return np.array([each.mu for each in self.simulations])

    @property
    def expected(self) -> Doubles:
        """The expected loss after the samples."""
        return np.array([curve.expected(self.samples) for curve in self.curves])

    @property
    def error(self) -> Doubles:
        """An estimate of how far ``expected`` is off at this d (``LearningCurve.error``)."""
        return np.array([curve.error(self.samples) for curve in self.curves])

    @property
    def frozen(self) -> Doubles:
        """The loss of the pre-trained model alone."""
        return np.array([curve.frozen for curve in self.curves])

    @property
    def searching(self) -> Doubles:
        """The share of runs that have not left the search phase."""
        return np.array([curve.still_searching(self.samples) for curve in self.curves])

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw the expected loss over μ with its error, and dashed that of pre-training alone.

        Arguments:
            ax: where to draw; a new figure by default.
        """
        ax, loss, error = axes_for(ax), self.expected, self.error
        (line,) = ax.plot(self.mu, loss, label=f"after {self.samples} samples")
        ax.fill_between(self.mu, loss - error, loss + error, color=line.get_color(), alpha=0.25)
        ax.plot(self.mu, self.frozen, "--", color="0.4", label="pre-trained alone")
        ax.set(xlabel=r"pre-training strength $\mu$", ylabel="expected loss", yscale="log")
        ax.legend()
        return ax

    @property
    def best(self) -> Best:
        """The best strength of those asked for, and what is as good."""
        return self._best(np.ones(len(self.mu), dtype=bool))

    @property
    def best_left(self) -> Best | None:
        """The best strength of those at which most runs leave in time; ``None`` if none are."""
        leave = self.searching <= 0.5
        return self._best(leave) if leave.any() else None

    @property
    def break_even(self) -> float | None:
        """The least strength from which on pre-training alone does as well as ``best_left``."""
        left = self.best_left
        enough = self.mu[self.frozen <= left.expected_loss] if left else ()
        return float(min(enough)) if len(enough) else None

    def _best(self, among: NDArray[np.bool_]) -> Best:
        loss, mu, error = np.where(among, self.expected, np.inf), self.mu, self.error
        place = int(loss.argmin())
        good = loss - error <= _WORSE * loss[place] + error[place] + self._negligible
        low, high = next(r for r in _ranges(mu, good) if r[0] <= mu[place] <= r[1])
        found = (mu[place], low, high, loss[place], error[place], self.frozen[place])
        return Best(*map(float, found))

    @property
    def avoid(self) -> list[Range]:
        """Ranges in which a weaker strength has a loss that is lower by more than a tenth."""
        loss = self.expected
        least = np.minimum.accumulate(loss)
        return _ranges(self.mu, loss > _WORSE * least + self._negligible)

    @property
    def stuck(self) -> list[Range]:
        """Ranges in which more than half of the runs have not left the search phase."""
        return _ranges(self.mu, self.searching > 0.5)

    @property
    def unstable(self) -> list[Range]:
        """Ranges in which the learning rate is above the largest stable one of the strength."""
        return _ranges(self.mu, np.array([not _is_stable(each) for each in self.simulations]))

    @property
    def _negligible(self) -> float:
        return _NEGLIGIBLE * float(self.frozen.max())

    def record(self) -> dict[str, Any]:
        """What a report says of it."""
        first = self.simulations[0]
        left = self.best_left
        names = ("dimension", "batch", "noise")
        quantiles = np.array([c.quantiles(self.samples, (0.1, 0.9)) for c in self.curves]).T
        return {
            **first.pair.texts,
            **{name: getattr(first, name) for name in names},
            "samples": self.samples,
            "steps": self.samples // first.batch,
            "mu": self.mu.tolist(),
            "learning_rate": [each.learning_rate for each in self.simulations],
            "frozen_loss": self.frozen.tolist(),
            "expected_loss": self.expected.tolist(),
            "expected_loss_error": self.error.tolist(),
            "loss_10": quantiles[0].tolist(),
            "loss_90": quantiles[1].tolist(),
            "still_searching": self.searching.tolist(),
            "best": vars(self.best),
            "best_left": left and vars(left),
            "break_even": self.break_even,
            "avoid": self.avoid,
            "half_searching": self.stuck,
            "above_stable": self.unstable,
            "singularities": self.singularities,
            "simulated": self.measured
            and {
                "replicas": self.measured.replicas,
                "loss": self.measured.losses.tolist(),
                "loss_error": self.measured.errors.tolist(),
                "still_searching": self.measured.searching.tolist(),
                "within_error": int(self.agrees.sum()),
            },
        }

    @property
    def agrees(self) -> NDArray[np.bool_]:
        """Where runs are within the error of the law and three of their own."""
        assert self.measured is not None
        off = np.abs(self.measured.losses - self.expected)
        return np.asarray(off <= self.error + 3 * self.measured.errors)

    def watched(self, replicas: int) -> list[Simulation]:
        """What to run to have ``measured``: one simulation a strength, up to the samples.

        Raises ``InputError`` as ``insist_on_runs``.
        """
        batch = self.simulations[0].batch
        insist_on_runs(self.samples, batch, replicas)
        steps = self.samples // batch
        return [
            Simulation.of_cell({**each.cell(0, replicas), "horizon": steps, "records": [steps]})
            for each in self.simulations
        ]

    def beside(self, runs: Sequence[SimulatedRuns]) -> "Budget":
        """This budget with what runs of ``watched`` found."""
        losses = np.array([each["loss"][:, 0] for each in runs])
        count = losses.shape[1]
        errors = losses.std(axis=1, ddof=1) / np.sqrt(count)
        searching = np.array([each.censored / count for each in runs])
        return replace(self, measured=Measured(count, losses.mean(axis=1), errors, searching))

    def advice(self) -> str:
        """The sentence a user wants."""
        best, left = self.best, self.best_left
        said = [f"the best of these strengths is {_described(best)}"]
        if left is None:
            said.append("at none of them do most runs leave in time")
        elif left != best:
            said.append(f"of those at which most runs leave in time, {_described(left)}")
            if self.break_even:
                said.append(f"pre-training alone does as well from {self.break_even:.3g} on")
        if self.avoid:
            said.append(f"avoid {_listed(self.avoid)}, where less pre-training does better")
        if self.stuck:
            said.append(
                f"at {_listed(self.stuck)} more than half of the runs have not left in time"
            )
        if self.unstable:
            said.append(f"at {_listed(self.unstable)} the rate is too large to be stable")
        if self.singularities:
            said.append(f"at {', '.join(self.singularities)} (certified) none ever leaves")
        return "; ".join(said)


def insist_on_runs(samples: float, batch: int, replicas: int) -> None:
    """Raise ``InputError`` where runs tell no error, as one does not, or take no step.

    Arguments:
        samples: n of a run.
        batch: samples a step.
        replicas: runs at each strength.
    """
    if replicas < 2:
        raise InputError(
            f"{replicas} replicas are not accepted beside the law: give at least 2, whose spread "
            "tells their error"
        )
    if samples < batch:
        raise InputError(
            f"{samples:g} samples are fewer than a batch of {batch}: give more samples, or a "
            "smaller batch"
        )


def _is_stable(simulation: Simulation) -> bool:
    numbers = (simulation.mu, simulation.dimension, simulation.batch)
    return simulation.learning_rate <= stable_learning_rate(simulation.pair, *numbers)


def _described(best: Best) -> str:
    span = "" if best.low == best.high else f" ({best.low:.2g} to {best.high:.2g} are as good)"
    loss = f"{best.expected_loss:.2g}" + (f" ± {best.error:.1g}" if best.error else "")
    told = f"with an expected loss of {loss} after {best.frozen_loss:.2g} at the start"
    return f"mu = {best.mu:.3g}{span}, {told}"


def _listed(ranges: Sequence[Range]) -> str:
    return ", ".join(f"{low:.2g} to {high:.2g}" if high > low else f"{low:.3g}"
                     for low, high in ranges)  # fmt: skip


def _ranges(mu: Doubles, inside: NDArray[np.bool_]) -> list[Range]:
    """The runs of neighbouring strengths that are inside."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], inside, [False]]).astype(int)))
    return [(float(mu[low]), float(mu[high - 1])) for low, high in edges.reshape(-1, 2)]


def budget_of(
    samples: float, pair: PairLike, mu: StrengthsLike, learn: Callable[..., Simulation]
) -> Budget:
    """The budget of a pair on a grid of strengths, made finer around its singularities.

    Arguments:
        samples: n ≥ 1.
        pair: of all simulations.
        mu: at least two strengths, as ``strengths_of`` takes them.
        learn: from a strength to how it is learnt.

    Raises ``InputError`` for fewer samples or strengths, and as ``learning_curve``. Heuristic.
    """
    insist_on(learn, callable, "a function from a strength to its Simulation")
    samples, strengths = real(samples, "samples"), sorted(set(strengths_of(mu)))
    if len(strengths) < 2 or not 1 <= samples < 1e18:
        raise InputError(
            f"{samples:.3g} samples at {len(strengths)} strengths are not accepted: give at least "
            "one sample, and two strengths such as 0.05:0.95:19"
        )
    singular: tuple[str, ...] | None = None
    with suppress(Undecided):
        singular = tuple(s.mu.mid for s in straddled(drift_of(pair), strengths))
    near = {Fraction(point) + step for point in singular or () for step in _AROUND}
    low, high = strengths[0], strengths[-1]
    strengths = sorted({*strengths, *(point for point in near if low < point < high)})
    simulations = [learn(each) for each in strengths]
    learners = [each.learner for each in simulations]
    radius = simulations[0].radius
    curves = [learning_curve(each, radius) for each in progress(learners, "strengths")]
    return Budget(simulations, curves, int(samples), singular)
