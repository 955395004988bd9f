r"""One-pass SGD on the sphere, simulated exactly in law at a cost independent of the dimension.

The update sees an input only through its projections on the teacher, on the misaligned direction
and on the student's own direction; all others enter through the length of one Gaussian vector,
whose square is a chi-square times the sum of squared errors (38)-(45). So a step costs a few
normals a sample and one chi-square, for any dimension, and the state ``(u, m, κ)`` has the law of
the algorithm in ``d`` dimensions, which ``numerics.dynamics.dense_sgd`` spells out.
"""

import math
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import numba
import numpy as np
from numpy.random import SFC64, Generator, SeedSequence
from numpy.typing import NDArray
from sympy import Poly

from derive.errors import InputError
from derive.pair import Pair
from derive.symbols import mu as mu_symbol
from numerics.doubles.compiled import compiled
from numerics.doubles.moments import insist_on_doubles
from numerics.dynamics.flow import EXIT_RADIUS
from numerics.dynamics.stability import cause_of_divergence

UPDATES = ("spherical", "projected")
SIGNS = ("random", "aligned", "opposed")
LARGEST_STATE = 1e3  # beyond it a run counts as diverged
_NEVER = 2**62


@dataclass(frozen=True)
class Stage:
    """A first stage with other labels (two-stage learning, App. B.4).

    Fields: ``transform`` of the teacher's output; ``until_overlap``, the \\|m\\| at which the stage
    ends; ``until_step``, the step after which it ends at the latest.
    """

    transform: Poly
    until_overlap: float = math.inf
    until_step: int = _NEVER


@dataclass(frozen=True)
class Learner:
    """A student trained by one-pass SGD.

    Fields: ``pair``; ``mu`` in (0, 1]; ``dimension`` ≥ 3; ``learning_rate`` γ > 0; ``batch`` ≥ 1;
    ``update``, ``spherical`` (the gradient's tangent part, then normalised) or ``projected`` (the
    whole gradient, then normalised); ``noise``, standard deviation added to labels; ``stage``, a
    first stage with other labels; ``scale``, the initial ``u`` and the size of the initial overlaps
    in units of 1/√d; ``signs``, of the initial overlap against that of ``u``: ``random``,
    ``aligned`` or ``opposed``. Raises ``InputError`` for values outside these ranges, and for
    functions beyond doubles.
    """

    pair: Pair
    mu: float
    dimension: int
    learning_rate: float
    batch: int = 1
    update: str = "spherical"
    noise: float = 0.0
    stage: Stage | None = None
    scale: float = 1.0
    signs: str = "random"

    def __post_init__(self) -> None:
        checks = (
            (0 < self.mu <= 1, f"strength {self.mu}", "0 < μ ≤ 1"),
            (self.dimension >= 3, f"dimension {self.dimension}", "an integer of at least 3"),
            (0 < self.learning_rate < math.inf, f"learning rate {self.learning_rate}", "γ > 0"),
            (self.batch >= 1, f"batch {self.batch}", "an integer of at least 1"),
            (self.update in UPDATES, f"update {self.update!r}", " or ".join(UPDATES)),
            (self.noise >= 0, f"noise {self.noise}", "a standard deviation ≥ 0"),
            (self.scale > 0, f"initial scale {self.scale}", "a positive number"),
            (self.signs in SIGNS, f"signs {self.signs!r}", " or ".join(SIGNS)),
        )
        for passed, given, wanted in checks:
            if not passed:
                raise InputError(f"{given} is not accepted: give {wanted}")
        for pair in self.pairs:
            insist_on_doubles(pair)

    @property
    def pairs(self) -> list[Pair]:
        """The pair of each stage."""
        first = [replace(self.pair, labels=self.stage.transform)] if self.stage else []
        return [*first, self.pair]

    @property
    def nu(self) -> float:
        """Misalignment ν of the pre-trained direction."""
        return float(self.pair.misalignment.subs(mu_symbol, self.mu))

    def initial(self, rng: Generator) -> NDArray[np.float64]:
        """Initial ``(u, m, κ)``: a uniform direction, and ``u`` of the size of its overlaps."""
        planes = 2 if self.nu else 1
        known = rng.standard_normal(planes)
        rest = rng.chisquare(self.dimension - planes)
        m, *kappa = self.scale * known / math.sqrt(known @ known + rest)
        if self.signs != "random":
            m = abs(m) if self.signs == "aligned" else -abs(m)
        state = np.array([self.scale / math.sqrt(self.dimension), m, *kappa, 0.0])[:3]
        if not state[1:] @ state[1:] <= 1:
            raise InputError(f"initial scale {self.scale} is not accepted: overlaps exceed 1")
        return state


@dataclass(frozen=True)
class Runs:
    """Replicas of one learner.

    Fields: ``steps``, at which states were recorded (k); ``states`` (replicas × k × 2 or 3), NaN
    after a run that was stopped at its exit; ``exits``, the first step with
    \\|(u, m, κ)\\| ≥ the exit radius, NaN for censored runs. A simulation: it supports, with the
    uncertainty of its replicas.
    """

    steps: NDArray[np.int64]
    states: NDArray[np.float64]
    exits: NDArray[np.float64]

    @property
    def censored(self) -> int:
        """Number of replicas that did not exit within the horizon."""
        return int(np.isnan(self.exits).sum())


def simulate_sgd(
    learner: Learner,
    replicas: Sequence[int],
    seed: int,
    horizon: int,
    records: Sequence[int] = (),
    radius: float = EXIT_RADIUS,
    stop_at_exit: bool = False,
    threads: int | None = None,
) -> Runs:
    r"""Simulate replicas of a learner, exactly in law.

    Arguments: ``replicas``, their numbers, each with a random stream of its own set by ``seed`` and
    its number alone; ``horizon`` in steps; ``records``, increasing steps in [0, horizon] at which
    the state is kept; ``radius`` of exit; ``stop_at_exit`` saves the rest of the run; ``threads``,
    all cores by default. Results do not depend on how replicas are split among calls or threads.

    .. math:: u^+ = u + \frac{\gamma}{B}\sum_i s_i o_i, \qquad
        m^+ = \frac{m + \gamma u\, g_\tau}{\sqrt{1+\gamma^2u^2(|g_\tau|^2+|g_\perp|^2)}}, \qquad
        |g_\perp|^2 = \frac{\sum_i s_i^2}{B^2}\,\chi^2_{d-2}

    Raises ``InputError`` for a learning rate at which a run diverges, or bad arguments. Source:
    (38)-(45), App. A.1. A simulation, exact in law up to rounding.

    >>> from derive import parse_activation
    >>> x = parse_activation("x")
    >>> runs = simulate_sgd(Learner(Pair(x, x), 0.5, 10**9, 1e-3, batch=4), range(3), 1, 100, [100])
    >>> runs.states.shape, runs.censored
    ((3, 1, 2), 3)
    """
    steps = checked_records(replicas, horizon, records)
    functions = compiled_functions(learner.pair, learner.stage.transform if learner.stage else None)
    settings = _settings(learner, radius, stop_at_exit)
    size = 3 if learner.nu else 2

    def run(replica: int) -> tuple[NDArray, int, int]:
        rng = replica_stream(seed, replica)
        states = np.full((len(steps), 3), np.nan)
        start = learner.initial(rng)
        stopped = _run(rng, *functions, settings, start, horizon, steps, states)  # type: ignore[call-arg]
        return states[:, :size], *stopped

    def cause() -> str:
        numbers = (learner.mu, learner.dimension, learner.batch, learner.learning_rate)
        return cause_of_divergence(learner.pairs, *numbers, learner.noise)

    return run_replicas(run, replicas, threads, steps, cause)


def checked_records(
    replicas: Sequence[int], horizon: int, records: Sequence[int]
) -> NDArray[np.int64]:
    """The recorded steps as an array; raises ``InputError`` for an impossible run."""
    steps = np.asarray(records, dtype=np.int64)
    if not len(replicas) or horizon < 1:
        raise InputError(
            f"{len(replicas)} replicas of {horizon} steps are not accepted: give at least one"
        )
    if len(steps) and not (steps[0] >= 0 and steps[-1] <= horizon and (np.diff(steps) > 0).all()):
        raise InputError("recorded steps are not accepted: give increasing ones in [0, horizon]")
    return steps


def run_replicas(
    run: Callable[[int], tuple[NDArray, int, int]],
    replicas: Sequence[int],
    threads: int | None,
    steps: NDArray[np.int64],
    cause: Callable[[], str],
) -> Runs:
    """Run replicas in threads and gather them.

    Arguments: ``run``, from a replica's number to its recorded states, its step of exit and of
    divergence, -1 for none; ``cause`` of a divergence. Raises ``InputError`` if one diverged.
    """
    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        results = list(pool.map(run, replicas))
    diverged = [(r, at) for r, (_, _, at) in zip(replicas, results, strict=True) if at >= 0]
    if diverged:
        replica, at = diverged[0]
        raise InputError(
            f"replica {replica} diverged at step {at} ({len(diverged)} of {len(replicas)} did): "
            f"{cause()}"
        )
    exits = np.array([np.nan if e < 0 else float(e) for _, e, _ in results])
    return Runs(steps, np.array([s for s, _, _ in results]), exits)


def replica_stream(seed: int, replica: int) -> Generator:
    """The random stream of a replica, independent of all others."""
    return Generator(SFC64(SeedSequence(seed, spawn_key=(replica,))))


@lru_cache(maxsize=64)
def compiled_functions(pair: Pair, first_transform: Poly | None) -> tuple[Callable, ...]:
    """Labels of the first and the last stage, student and its slope, in machine code."""
    labels = compiled(pair.label)
    first = labels
    if first_transform is not None:
        first = compiled(Pair(pair.teacher, pair.student, first_transform).label)
    sigma = pair.student.value
    return first, labels, compiled(sigma), compiled(sigma.derivative())


def _settings(learner: Learner, radius: float, stop_at_exit: bool) -> tuple[Any, ...]:
    stage = learner.stage or Stage(learner.pair.labels.polynomial, until_step=0)
    return (
        learner.mu,
        learner.nu,
        learner.dimension,
        learner.learning_rate,
        learner.batch,
        learner.update == "spherical",
        learner.pair.loss == "square",
        learner.noise,
        float(stage.until_overlap),
        int(stage.until_step),
        radius,
        stop_at_exit,
    )


@numba.njit(nogil=True)
def _run(  # type: ignore[no-untyped-def]  # numba infers the types
    rng, first_label, last_label, sigma, slope, settings, state, horizon, records, states
):
    """One replica: fill ``states``, return the step of exit and of divergence, -1 for none."""
    mu, nu, dimension, rate, batch, spherical, square, noise = settings[:8]
    until_overlap, until_step, radius, stop_at_exit = settings[8:]
    u, m, kappa = state[0], state[1], state[2]
    three = nu != 0.0
    others = dimension - (3 if three else 2)
    first_stage = until_step > 0 and abs(m) < until_overlap
    exit_step, record = -1, 0
    for step in range(horizon + 1):
        if exit_step < 0 and u * u + m * m + kappa * kappa >= radius * radius:
            exit_step = step
            if stop_at_exit:
                break
        if record < len(records) and records[record] == step:
            states[record, 0], states[record, 1], states[record, 2] = u, m, kappa
            record += 1
        if step == horizon:
            break
        r = math.sqrt(max(0.0, 1.0 - m * m - kappa * kappa))
        g_teacher, g_other, g_own, power = 0.0, 0.0, 0.0, 0.0
        for _ in range(batch):
            z = rng.standard_normal()
            w = rng.standard_normal()
            x = rng.standard_normal() if three else 0.0
            o = m * z + kappa * x + r * w
            y = first_label(z) if first_stage else last_label(z)
            if noise > 0.0:
                y += noise * rng.standard_normal()
            argument = mu * z + nu * x + u * o
            error = y - sigma(argument) if square else y
            s = error * slope(argument)
            g_teacher += s * z
            g_other += s * x
            g_own += s * w
            power += s * s
        g_teacher, g_other, g_own = g_teacher / batch, g_other / batch, g_own / batch
        along = m * g_teacher + kappa * g_other + r * g_own
        across = power / (batch * batch) * rng.chisquare(others) if others > 0 else 0.0
        if spherical:
            g_teacher -= along * m
            g_other -= along * kappa
            g_own -= along * r
        pull = rate * u
        new_m, new_kappa, new_r = m + pull * g_teacher, kappa + pull * g_other, r + pull * g_own
        size = math.sqrt(
            new_m * new_m + new_kappa * new_kappa + new_r * new_r + pull * pull * across
        )
        u, m, kappa = u + rate * along, new_m / size, new_kappa / size
        if not abs(u) < LARGEST_STATE or not abs(m) <= 1.0 + 1e-9:
            return exit_step, step + 1
        if first_stage and (abs(m) >= until_overlap or step + 1 >= until_step):
            first_stage = False
    return exit_step, -1
