r"""The law of the exit time in numbers: quantiles, steps, samples, who still searches.

The formulas are those of ``derive.exit``; the rate, ``b`` and the noise of samples are
enclosed, and so is log K where it can be. The law itself is a limit, of large d at a fixed γd.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, lru_cache
from math import ceil, exp, inf, log, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from sympy import Rational, Symbol, lambdify

from derive import exit as formulas
from derive.command.frames import axes_for
from derive.command.hypertext import box, grid
from derive.command.tabular import rounded
from derive.errors import InputError
from derive.given import insist_on, real
from derive.pair import Pair
from derive.pair_drift import drift_of
from numerics.certified.balls import nearest_double
from numerics.certified.drift import sample_noise_function
from numerics.certified.escape import escape_curve
from numerics.doubles.arrays import Doubles, as_doubles
from numerics.dynamics.exit_constant import ExitConstant, Passage, exit_constant_of
from numerics.dynamics.kinds import EXIT_RADIUS, ExitBy
from numerics.dynamics.network_sgd import NetworkLearner
from numerics.dynamics.sgd import A_LEARNER, Learner

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_FAR = 10.0  # standard deviations beyond which X is not looked for
_SHOWN = (0.1, 0.5, 0.9, 0.99)  # shares of runs that have left
_NEAR = 0.2  # of the exit's size: a start within it is nearly one of the linear flow


class NoExit(InputError):
    """At this strength the search phase is never left."""


@dataclass(frozen=True)
class ExitLaw:
    r"""The law of the exit time of a learner, in units of 1/γ where nothing else is said.

    Fields: ``rate`` λ; ``constant``, log K with its error; ``mean`` and ``spread``, the standard
    deviation, of X; ``dimension``, ``learning_rate``, ``batch``; ``finite_rate``, by how much of
    it the noise of samples slows the growth at the exit, which K takes into account. With the
    normal variable X,

    .. math:: T = (\tfrac12 \log d + \log K - \log|X|)/\lambda, \quad
        \text{finite rate} = R^2\, \tfrac{\gamma d}{B} v_u^2 N / 2\lambda

    Heuristic: a limit, of large d at a fixed γd.
    """

    rate: float
    constant: ExitConstant
    mean: float
    spread: float
    dimension: int
    learning_rate: float
    batch: int
    finite_rate: float

    def __repr__(self) -> str:
        median = rounded(self.quantile(0.5), 4).plain
        samples = rounded(self.samples(0.5), 4).plain
        return f"ExitLaw(median {median} in units of 1/γ, {samples} samples, d = {self.dimension})"

    def _repr_html_(self) -> str:
        left = [(p, self.quantile(p), self.steps(p), self.samples(p)) for p in _SHOWN]
        rows = [(f"{p:.0%}", rounded(time, 4).plain, *counts) for p, time, *counts in left]
        content = grid(("runs that have left", "time (1/γ)", "steps", "samples"), rows)
        note = f"d = {self.dimension}, B = {self.batch}, γ = {self.learning_rate:.4g}, large d"
        return box("The law of the exit time", "heuristic", content, note)

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw the share of runs that still search over time."""
        ax = axes_for(ax)
        times = np.linspace(0, self.quantile(0.99), 200)
        ax.plot(times, self.searching(times))
        ax.set(xlabel=r"time ($1/\gamma$)", ylabel="share still searching", ylim=(0, 1))
        return ax

    def searching(self, time: ArrayLike) -> Doubles:
        """The share of runs that have not left the search phase at times."""
        height = log(self.dimension) / 2 + self.constant.log_k
        level = np.exp(height - self.rate * as_doubles(time, "time"))
        return np.asarray(_searching()(level, self.mean, self.spread**2))

    def still_searching(self, samples: float) -> float:
        """The share of runs that have not left it after so many samples."""
        return float(self.searching(self.learning_rate * (samples // self.batch)))

    def quantile(self, probability: float) -> float:
        """The time by which a run has left with a probability in (0, 1); 0 at the earliest.

        Raises ``InputError`` for another probability.
        """
        left = real(probability, "probability")
        if not 0 < left < 1:
            raise InputError(f"probability {probability} is not accepted: give one in (0, 1)")
        share, variance = _searching(), self.spread**2
        size = abs(self.mean) + self.spread

        def missing(height: float) -> float:
            return float(share(exp(height), self.mean, variance)) - (1 - left)

        height = brentq(missing, log(size) - 60, log(size) + log(_FAR), xtol=1e-14)
        whole = log(self.dimension) / 2 + self.constant.log_k
        return max((whole - float(height)) / self.rate, 0.0)

    def steps(self, probability: float) -> int:
        """The steps by which a run has left with a probability."""
        return ceil(self.quantile(probability) / self.learning_rate)

    def samples(self, probability: float) -> int:
        """The samples by which a run has left with a probability: steps times batch."""
        return self.steps(probability) * self.batch


@cache
def _moments() -> Callable[..., Any]:
    """Mean and variance of X, compiled from ``derive``."""
    rate, b = Symbol("rate", positive=True), Symbol("b", real=True)
    noise, scale, begun = (Symbol(name, nonnegative=True) for name in ("noise", "scale", "begun"))
    law = formulas.exit_law(rate, b, noise, scale, begun)
    compiled: Callable[..., Any] = lambdify(
        (rate, b, noise, scale, begun), (law.mean, law.variance)
    )
    return compiled


@cache
def _searching() -> Callable[..., Any]:
    """The share that still searches at a level, compiled from ``derive``."""
    level, mean, variance = (Symbol(name, positive=True) for name in ("level", "mean", "variance"))
    law = formulas.ExitLaw(Symbol("rate"), mean, variance)
    compiled: Callable[..., Any] = lambdify(
        (level, mean, variance), law.searching(level), modules=["scipy", "numpy"]
    )
    return compiled


def exit_law(
    learner: Learner | NetworkLearner,
    radius: float = EXIT_RADIUS,
    exit_by: ExitBy = "state",
    constant: ExitConstant | None = None,
) -> ExitLaw:
    r"""The law of the exit time of a learner's one-pass SGD.

    Arguments:
        learner: of one stage, with the initial overlap of either sign, or from one state that is
            small against the exit's.
        radius: R in (0, 1), what counts as exit.
        exit_by: what has that size, as ``simulate_sgd`` takes it: the state, its overlap, or what
            the overlap is below μ.
        constant: log K, if it is known already.

    Raises ``InputError`` for other learners and where there is no escape, ``Undecided`` if the flow
    does not exit. Source: (9), (57)-(61). Heuristic: a limit, of large d at a fixed γd.

    >>> law = exit_law(Learner(Pair("x"), 0.5, 1000, 1e-4))
    >>> [round(law.quantile(p), 1) for p in (0.1, 0.5, 0.9)]  # ½ τ log d is 16.7
    [11.4, 15.7, 23.8]
    """
    insist_on(learner, (Learner, NetworkLearner), A_LEARNER)
    if type(learner) is not Learner:
        raise InputError(
            "the law of the exit time is of LoRA of one neuron: leave networks and full "
            "fine-tuning out"
        )
    if learner.stage is not None or learner.signs != "random":
        raise InputError(
            "the exit time has this law for one stage and random signs: leave the others out"
        )
    mu = Fraction(str(float(learner.mu)))
    passage = _passage(learner, radius, exit_by)
    numbers = _numbers(learner.pair, mu, learner.noise)
    scaled = learner.scaled_rate
    known = constant or exit_constant_of(
        learner.pair, mu, passage, scaled_rate=scaled, label_noise=learner.noise
    )
    mean, variance, started = _start(learner, numbers)
    diffused = scaled * numbers.noise * variance
    return ExitLaw(
        numbers.rate,
        known,
        mean,
        sqrt(started + diffused),
        learner.dimension,
        learner.learning_rate,
        learner.batch,
        diffused * passage.level**2,
    )


def _passage(learner: Learner, radius: float, exit_by: ExitBy) -> Passage:
    """What the flow has to reach from near 0; raises ``InputError`` for a start not far below."""
    if exit_by == "teacher":
        raise InputError("an exit by the teacher has no law here: simulate, or give another exit")
    level = learner.mu - radius if exit_by == "strength" else radius
    if not 0 < level < 1:
        raise InputError(
            f"radius {radius} is not accepted: give one in (0, 1), and below μ if it is the "
            "distance of |m| from it"
        )
    if len(learner.starts) > 1 or any(np.linalg.norm(s) > _NEAR * level for s in learner.starts):
        raise InputError(
            f"the law is of one start that is at most {_NEAR:g} times the exit's size: give "
            "another, or simulate"
        )
    return Passage("state" if exit_by == "state" else "overlap", level)


def _start(learner: Learner, numbers: "_Numbers") -> tuple[float, float, float]:
    """Mean of X, the variance that γ d N/B = 1 gives it, and that of the start."""
    b, rate = numbers.b, numbers.rate
    by_noise = float(_moments()(rate, b, 1.0, 0.0, 0.0)[1])
    if not learner.starts:
        begun = learner.scale if learner.scale_u is None else learner.scale_u
        mean, variance = _moments()(rate, b, 0.0, learner.scale, begun)
        return float(mean), by_noise, float(variance)
    direction = np.array([rate, numbers.a, learner.nu * b])[: len(learner.names)]
    along = np.array(learner.starts[0]) @ direction / np.linalg.norm(direction)
    return float(sqrt(learner.dimension) * along), by_noise, 0.0


@dataclass(frozen=True)
class _Numbers:
    """What does not depend on d, γ and B: λ, a, b, the mean square of a sample's pull."""

    rate: float
    a: float
    b: float
    noise: float


# The same for all strengths.
_drift = lru_cache(maxsize=64)(drift_of)
_sample_noise = lru_cache(maxsize=64)(sample_noise_function)


@lru_cache(maxsize=256)
def _numbers(pair: Pair, mu: Fraction, label_noise: float) -> _Numbers:
    curve = escape_curve(_drift(pair), [mu])
    if curve.tau[0] == inf:
        raise NoExit(f"there is no escape at μ = {mu}, so no exit time: give another strength")
    deviation = Rational(*Fraction(label_noise).as_integer_ratio())
    noise = nearest_double(_sample_noise(pair, deviation), mu)
    return _Numbers(curve.rate[0], curve.a[0], curve.b[0], noise)
