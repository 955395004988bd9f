r"""The expected loss of one-pass SGD after a number of samples, from the law of the exit time.

What has grown along the unstable direction is normal in the end, ``X`` of ``numerics.dynamics.
exit_law``, and from there on a run follows the unstable manifold of the flow. So all that differs
between runs is when they pass a point of one curve, and with the loss ``ℒ(θ)`` at its phase
``θ``, where the curve is :math:`e^\theta v` as θ → -∞,

.. math:: E\,\mathrm{loss}(t) = E_X\,\mathcal L(\lambda t - \tfrac12\log d + \log|X|)

The descent is that of the flow at the learner's own γd, on which the noise of samples has its
effect. How far the limit is off at the learner's d, its first terms in 1/d say (``numerics.
dynamics.fluctuations``).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from math import inf, log

import numpy as np

from derive.errors import InputError, Undecided
from derive.given import insist_on
from numerics.doubles.arrays import Doubles
from numerics.dynamics.exit_constant import ExitConstant
from numerics.dynamics.exit_law import ExitLaw, exit_law
from numerics.dynamics.flow import Flow, flow_of
from numerics.dynamics.fluctuations import Fluctuations, fluctuations
from numerics.dynamics.kinds import EXIT_RADIUS
from numerics.dynamics.network_sgd import NetworkLearner
from numerics.dynamics.sgd import A_LEARNER, Learner
from numerics.dynamics.solver import solved

_FIRST = 1e-5  # where the curve is straight, to the square of it
_PATIENCE = 200.0  # times 1/λ beyond linear growth
_TOLERANCE = 1e-7
_BETWEEN = 3  # points a step of the solver
_HEIGHTS = np.linspace(-40.0, 3.0, 1201)  # of log |X| over its size
_LEAST = 1e-12  # of the frozen loss: what is below it the solver does not know
_ERROR = 1e-4  # of log K, by the solver's tolerance and between its points


@dataclass(frozen=True)
class Descent:
    """The loss along the unstable manifold.

    Fields: ``phases`` θ, increasing; ``losses`` and ``states`` there; ``frozen``, the loss before
    all of them.
    """

    phases: Doubles
    losses: Doubles
    states: Doubles
    frozen: float

    @property
    def sizes(self) -> Doubles:
        """The size of the state at the phases."""
        return np.asarray(np.linalg.norm(self.states, axis=1))

    def heated(self, heat: Doubles) -> "Descent":
        """The same with losses that are larger by so much at the phases."""
        return replace(self, losses=self.losses + heat, frozen=self.frozen + float(heat[0]))

    def exit_constant(self, radius: float) -> ExitConstant:
        """The phase at which the size reaches a radius, log K; raises ``Undecided`` if none."""
        outside = self.sizes >= radius
        if not outside.any():
            raise Undecided(f"the flow is not seen to reach |(u, m)| = {radius:g}")
        last = int(outside.argmax())
        places = slice(max(last - 1, 0), last + 1)
        phase = np.interp(log(radius), np.log(self.sizes[places]), self.phases[places])
        return ExitConstant(float(phase), _ERROR, "heuristic")

    def at(self, phases: Doubles) -> Doubles:
        """The loss at phases: what it lacks of the frozen one grows as e^{2θ} before the first."""
        known = np.exp(
            np.interp(phases, self.phases, np.log(np.maximum(self.losses, _LEAST * self.frozen)))
        )
        early = np.exp(2 * np.minimum(phases - self.phases[0], 0.0))
        return np.where(
            phases < self.phases[0], self.frozen + (self.losses[0] - self.frozen) * early, known
        )


@dataclass(frozen=True)
class LearningCurve:
    """The expected loss of a learner over samples.

    Fields: ``learner``; ``law`` of its exit time, ``descent`` and ``fluctuating``, what a finite d
    changes of them, all ``None`` where it never leaves; ``frozen``, the loss of the pre-trained
    model alone. Heuristic: a limit, of large d at a fixed γd.
    """

    learner: Learner
    frozen: float
    law: ExitLaw | None = None
    descent: Descent | None = None
    fluctuating: Fluctuations | None = None

    def expected(self, samples: float) -> float:
        """The expected loss after so many samples; without the noise of labels. Heuristic."""
        weights, losses = self._losses(samples)
        return float(weights @ losses)

    def error(self, samples: float) -> float:
        """An estimate of how far that is off at the learner's d. Heuristic.

        Twice what its first terms in 1/d (``fluctuations``) change of it; the factor was chosen on
        20 points at d = 1000. It does not know of a γ that is not small by itself, nor of a start
        that is not small.
        """
        if self.descent is None or self.fluctuating is None:
            return 0.0
        heated = replace(self, descent=self.descent.heated(self.fluctuating.heat))
        weights, losses = heated._losses(samples, self.fluctuating.growth)
        return 2 * abs(float(weights @ losses) - self.expected(samples))

    def quantiles(self, samples: float, shares: Sequence[float]) -> list[float]:
        """The losses that shares of the runs are below, after so many samples. Heuristic."""
        weights, losses = self._losses(samples)
        order = np.argsort(losses)
        below = np.cumsum(weights[order])
        places = np.minimum(np.searchsorted(below, shares), len(losses) - 1)
        return [float(loss) for loss in losses[order][places]]

    def still_searching(self, samples: float) -> float:
        """The share of runs that have not left the search phase. Heuristic."""
        return 1.0 if self.law is None else self.law.still_searching(samples)

    def samples(self, probability: float) -> float:
        """The samples by which a run has left with a probability, ``inf`` if never. Heuristic."""
        known = self.law is not None and self.law.constant.log_k < inf
        return self.law.samples(probability) if self.law and known else inf

    def _losses(self, samples: float, growth: float = 1.0) -> tuple[Doubles, Doubles]:
        """Weights of equally spaced log |X|, and the losses of such runs; growth in units of λ."""
        if self.law is None or self.descent is None:
            return np.ones(1), np.array([self.frozen])
        law, size = self.law, np.hypot(self.law.mean, self.law.spread)
        x = size * np.exp(_HEIGHTS)
        around = [np.exp(-(((x - side * law.mean) / law.spread) ** 2) / 2) for side in (-1, 1)]
        weights = x * sum(around)
        time = law.learning_rate * (samples // law.batch)
        phases = growth * law.rate * time - log(law.dimension) / 2 + np.log(x)
        return weights / weights.sum(), self.descent.at(phases)


def learning_curve(learner: Learner | NetworkLearner, radius: float = EXIT_RADIUS) -> LearningCurve:
    r"""The learning curve of a learner's one-pass SGD.

    Arguments:
        learner: of one stage and the square loss, with the initial overlap of either sign.
        radius: of exit, for the share that still searches.

    Raises ``InputError`` for other learners, ``Undecided`` as ``solved``.
    Heuristic: a limit, of large d at a fixed γd.

    >>> curve = learning_curve(Learner("x", 0.5, 1000, 1e-3))
    >>> [round(curve.expected(n), 3) for n in (0, 10_000, 20_000)], curve.frozen
    ([0.125, 0.119, 0.056], 0.125)
    """
    insist_on(learner, (Learner, NetworkLearner), A_LEARNER)
    if not isinstance(learner, Learner):
        raise InputError("the law of learning curves is of one neuron: leave the network out")
    if learner.pair.loss != "square":
        raise InputError(
            f"the {learner.pair.loss} loss has no learning curve, for its shares mean nothing: "
            "0 is not its least value; give the square loss, or ask for exit times"
        )
    flow = flow_of(
        learner.pair, learner.mu, scaled_rate=learner.scaled_rate, label_noise=learner.noise
    )
    if flow.tau() == inf:
        return LearningCurve(learner, float(flow.loss(np.zeros(flow.size))))
    descent = _descent(flow)
    try:
        constant = descent.exit_constant(radius)
    except Undecided:  # it ends on a plateau inside: the runs search for ever
        constant = ExitConstant(inf, 0.0, "heuristic")
    law = exit_law(learner, radius, constant=constant)
    fluctuating = fluctuations(flow, descent.states, learner.dimension)
    return LearningCurve(learner, descent.frozen, law, descent, fluctuating)


@lru_cache(maxsize=512)
def _descent(flow: Flow) -> Descent:
    phases, states = unstable_orbit(flow)
    return Descent(phases, flow.loss(states), states, float(flow.loss(np.zeros(flow.size))))


def unstable_orbit(flow: Flow) -> tuple[Doubles, Doubles]:
    """Phases and states along the unstable manifold of the search phase, one a row.

    Raises ``InputError`` where there is no escape, ``Undecided`` as ``solved``.
    Heuristic.
    """
    rates, directions = np.linalg.eigh(flow.linearisation())
    rate = float(rates[-1])
    if not flow.escapes():
        raise InputError("without escape there is no way out: choose another strength")
    horizon = (_PATIENCE - log(_FIRST)) / rate
    solution = solved(flow.velocity, _FIRST * directions[:, -1], horizon, method="LSODA",
                      rtol=_TOLERANCE, atol=_TOLERANCE * _FIRST, dense_output=True)  # fmt: skip
    inside = np.arange(_BETWEEN) / _BETWEEN
    times = np.append((solution.t[:-1, None] + np.diff(solution.t)[:, None] * inside).ravel(),
                      solution.t[-1])  # fmt: skip
    return rate * times + log(_FIRST), solution.sol(times).T
