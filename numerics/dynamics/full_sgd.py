r"""Full fine-tuning of the pre-trained direction, as a baseline beside LoRA, exactly in law.

All weights ``w`` are trained, from ``μ ω⋆``. An update sees them through the covariance
``ρ = w·ω⋆`` and the square ``s`` of what is off the teacher, so that a step costs what one of LoRA
does. The way to the teacher is open from the first step: there is no search phase.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.random import Generator

from derive.errors import InputError, quoted
from numerics.doubles.arrays import Doubles
from numerics.doubles.compiled import kernel
from numerics.doubles.landscape import FloatLandscape, Function, float_landscape, float_noise
from numerics.dynamics import update
from numerics.dynamics.flow import Motion
from numerics.dynamics.kinds import EXIT_RADIUS, EXITS, ExitBy
from numerics.dynamics.runs import Counts, Ran, Run
from numerics.dynamics.sgd import Learner, compiled_functions
from numerics.dynamics.solver import solved
from numerics.dynamics.update import LARGEST_STATE, TOLD, Algorithm, State, Watch


@dataclass(frozen=True)
class FullFlow(Motion):
    r"""The flow of full fine-tuning in large dimensions at a fixed γd/B.

    Fields: ``landscape``; ``noise``, the mean square of a sample's pull; ``mu``; ``scaled_rate``,
    γd/B. States are ``(ρ, s)``.

    .. math:: \dot\rho = a(\rho, s), \qquad
        \dot s = 2 b(\rho, s)\,s + \tfrac{\gamma d}{B} N(\rho, s)

    Heuristic.
    """

    landscape: FloatLandscape
    noise: Function
    mu: float
    scaled_rate: float

    def velocity(self, time: float, state: Doubles) -> Doubles:
        """The flow. Heuristic."""
        rho, s = float(state[0]), max(float(state[1]), 0.0)
        spread = self.scaled_rate * self.noise(rho, s)
        return np.array([self.landscape.a(rho, s), 2 * self.landscape.b(rho, s) * s + spread])

    def linearisation(self) -> Doubles:
        """The initial speed by the way to the teacher: there is no search phase."""
        missing = 1 - self.mu
        return np.array([[self.landscape.a(self.mu, 0.0) / missing if missing else 0.0]])

    def speed(self) -> float:
        """The size of what slopes of the loss are made of. Heuristic."""
        return self.landscape.size

    def observe(self, states: Doubles) -> dict[str, Doubles]:
        """``OBSERVED`` of states. Heuristic."""
        rho, s = states[..., 0], states[..., 1]
        size = np.sqrt(rho * rho + s)
        loss = self.landscape.losses(rho, s)
        with np.errstate(invalid="ignore"):  # of a null student it is NaN
            return {"loss": loss, "overlap": rho, "scale": size, "alignment": rho / size}

    def predict(self, start: Doubles, radius: float = EXIT_RADIUS) -> float | None:
        """None: nothing grows from near 0."""
        return None

    def path(self, starts: Doubles, times: Doubles) -> Doubles:
        """The flow at times, from the start. Heuristic."""
        solution = solved(self.velocity, starts[0], float(times[-1]), method="LSODA",
                          t_eval=times, rtol=1e-8, atol=1e-12)  # fmt: skip
        return np.asarray(solution.y.T)


@dataclass(frozen=True)
class FullLearner(Learner):
    """A student of which all weights are trained; fields and errors as of ``Learner``.

    What is of LoRA, or of stages, is not accepted.

    >>> learner = FullLearner("x", 0.5, 100, 1e-3)
    >>> learner.names, learner.start(np.random.default_rng(1)).tolist()
    (('rho', 's'), [0.5, 0.0])
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        given = (self.update, self.stage, self.scale, self.signs, self.scale_u, self.starts)
        if given != ("spherical", None, 1.0, "random", None, ()) or self.nu:
            raise InputError(
                "full fine-tuning begins at the pre-trained direction, aligned: leave update, "
                "stage, scales, signs, starts and misalignment out"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the order parameters."""
        return ("rho", "s")

    def start(self, rng: Generator) -> Doubles:
        """The pre-trained direction: nothing is drawn."""
        return np.array([self.mu, 0.0])

    @cached_property
    def flow(self) -> FullFlow:  # type: ignore[override]
        """The limit of large d at this γd/B."""
        noise = float_noise(self.pair, self.noise)
        return FullFlow(float_landscape(self.pair), noise, self.mu, self.scaled_rate)

    def runner(self, radius: float, stop_at_exit: bool, exit_by: ExitBy = "state") -> Run:
        """What simulates one replica; arguments as of ``Learner.runner``.

        Raises ``InputError`` for an exit by anything but the teacher.
        """
        if exit_by != "teacher":
            raise InputError(
                f"exit by {quoted(exit_by)} is not accepted for full fine-tuning, which has no "
                "search phase: give exit by teacher"
            )
        functions = compiled_functions(self.pair, self.pair)
        law = self.law(radius, stop_at_exit, EXITS.index(exit_by))
        algorithm = Algorithm(update.STEPS, functions, law._replace(mu=0.0))
        target = self.mu + radius * (1 - self.mu)

        def run(rng: Generator, horizon: int, steps: Counts, count: Counts) -> Ran:
            states = np.full((len(steps), 2), np.nan)
            watch = Watch(horizon, steps, states, count)
            return states, *_run(rng, algorithm, self.mu, target, watch)

        return run

    def cause_of_divergence(self) -> str:
        """What made a run diverge, and what to try."""
        return (
            f"learning rate {self.learning_rate:.3g} is too large, γd/B is {self.scaled_rate:.3g}: "
            "choose a smaller one or a larger batch"
        )


@kernel
def _run(rng, algorithm, rho, target, watch):  # type: ignore[no-untyped-def]
    """One replica, as ``numerics.dynamics.update.run``.

    The whole direction stands where LoRA's does, with u = 1 and nothing frozen.
    """
    law, rest, exit_step, record = algorithm.law, 0.0, -1, 0
    for step in range(watch.horizon + 1):
        if exit_step < 0 and rho >= target:
            exit_step = step
            if law.stop_at_exit:
                break
        if record < len(watch.records) and watch.records[record] == step:
            watch.states[record, 0], watch.states[record, 1] = rho, rest * rest
            record += 1
        if step == watch.horizon:
            break
        if (step + 1) % TOLD == 0:
            watch.done[0] += TOLD
        place = State(1.0, rho, 0.0)
        on_teacher, _, on_rest, power = update.batch_means(rng, algorithm, place, rest, False)
        off = algorithm.steps.across(rng, law, power)
        rho += law.rate * on_teacher
        rest = math.sqrt((rest + law.rate * on_rest) ** 2 + law.rate**2 * off)
        if not (abs(rho) < LARGEST_STATE and rest < LARGEST_STATE):
            return exit_step, step + 1
    return exit_step, -1
