r"""One-pass SGD on the sphere, simulated exactly in law, at a cost a step independent of d.

The number of steps is not: it is of the order of d log d at a rate of 1/d.
The update sees an input only through its projections on the teacher, on the misaligned direction
and on the student's own direction; all others enter through the length of one Gaussian vector,
whose square is a chi-square times the sum of squared errors (38)-(40). So a step costs a few
normals a sample and one chi-square, for any dimension, and the state ``(u, m, κ)`` has the law of
the algorithm in ``d`` dimensions, which ``numerics.dynamics.dense_sgd`` spells out. The update
itself is in ``numerics.dynamics.update``.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache, partial
from typing import ClassVar

import numpy as np
from numpy.random import Generator

from derive.errors import InputError, quoted
from derive.given import read_numbers, real, whole
from derive.labels import Labels, LabelsLike
from derive.pair import Pair
from derive.symbols import mu as mu_symbol
from numerics.doubles.arrays import Doubles
from numerics.doubles.compiled import compiled
from numerics.doubles.moments import insist_on_doubles
from numerics.dynamics import update
from numerics.dynamics.flow import Flow, flow_of
from numerics.dynamics.kinds import (
    EXIT_RADIUS,
    EXITS,
    SIGNS,
    UPDATES,
    USUAL_HORIZON,
    ExitBy,
    Signs,
    Starts,
    Update,
)
from numerics.dynamics.runs import Counts, Ran, Run, Runs, Trained, run_replicas, steps_of
from numerics.dynamics.stability import cause_of_divergence
from numerics.dynamics.staged_flow import StagedFlow
from numerics.dynamics.update import Algorithm, Functions, Law, State, Watch

NEVER = 2**62
A_LEARNER = "a Learner or NetworkLearner, or use the method of study(...), which makes one"


@dataclass(frozen=True, init=False)
class Stage:
    r"""A first stage with other labels (two-stage learning, App. B.4).

    Fields:
        labels: of the stage;
        until_overlap: the \|m\| at which it ends;
        until_step: the step after which it ends at the latest;
        flip_at_switch: whether the sign of u is flipped there, once, if u·m < 0 (Fig. 4).
    """

    labels: Labels
    until_overlap: float
    until_step: int
    flip_at_switch: bool

    def __init__(
        self,
        labels: LabelsLike,
        until_overlap: float = math.inf,
        until_step: int = NEVER,
        flip_at_switch: bool = False,
    ) -> None:
        """A stage; raises ``InputError`` for labels that ``Pair`` does not take, and other ends."""
        object.__setattr__(self, "labels", Labels.of(labels))
        object.__setattr__(self, "until_overlap", real(until_overlap, "overlap"))
        object.__setattr__(self, "until_step", whole(until_step, "step"))
        object.__setattr__(self, "flip_at_switch", bool(flip_at_switch))


@dataclass(frozen=True)
class Learner:
    """A student trained by one-pass SGD.

    Fields:
        pair: teacher, student, labels, loss and misalignment;
        mu: pre-training strength in (0, 1];
        dimension: of the input, at least 3;
        learning_rate: γ > 0;
        batch: samples a step, at least 1;
        update: ``spherical`` (the gradient's tangent part, then normalised) or ``projected`` (the
            whole gradient, then normalised);
        noise: standard deviation added to labels;
        stage: a first stage with other labels;
        scale: the initial ``u`` and the size of the initial overlaps in units of 1/√d;
        signs: of the initial overlap against that of ``u``;
        scale_u: the initial ``u`` apart, likewise; LoRA begins at 0;
        starts: states ``(u, m)``, or ``(u, m, κ)``, one of which, drawn, is the start instead.

    Raises ``InputError`` for values outside these ranges, and for functions beyond doubles.
    """

    pair: Pair
    mu: float
    dimension: int
    learning_rate: float
    batch: int = 1
    update: Update = "spherical"
    noise: float = 0.0
    stage: Stage | None = None
    scale: float = 1.0
    signs: Signs = "random"
    scale_u: float | None = None
    starts: Starts = ()
    usual_horizon: ClassVar[float] = USUAL_HORIZON

    def __post_init__(self) -> None:
        read_numbers(self, real, "mu", "learning_rate", "noise", "scale")
        read_numbers(self, partial(whole, least=3), "dimension")
        read_numbers(self, partial(whole, least=1), "batch")
        object.__setattr__(self, "pair", Pair.of(self.pair))  # an activation is a pair too
        checks = (
            (0 < self.mu <= 1, f"strength {self.mu}", "0 < μ ≤ 1"),
            (0 < self.learning_rate < math.inf, f"learning rate {self.learning_rate}", "0 < γ < ∞"),
            (self.update in UPDATES, f"update {quoted(self.update)}", " or ".join(UPDATES)),
            (0 <= self.noise < math.inf, f"noise {self.noise}", "a finite standard deviation ≥ 0"),
            (0 <= self.scale < math.inf, f"initial scale {self.scale}", "a finite number ≥ 0"),
            (
                0 <= (self.scale_u or 0) < math.inf,
                f"initial scale {self.scale_u} of u",
                "a finite number ≥ 0",
            ),
            (self.signs in SIGNS, f"signs {quoted(self.signs)}", " or ".join(SIGNS)),
        )
        for passed, given, wanted in checks:
            if not passed:
                raise InputError(f"{given} is not accepted: give {wanted}")
        for pair in self.pairs:
            insist_on_doubles(pair)
        self._check_starts()

    def _check_starts(self) -> None:
        drawn = (self.scale, self.scale_u, self.signs) == (1.0, None, "random")
        size = len(self.names)
        for state in self.starts:
            if not (drawn and len(state) == size and sum(x * x for x in state[1:]) <= 1):
                raise InputError(
                    f"start {state} is not accepted: give {', '.join(self.names)}, the overlaps "
                    "inside the unit ball, and neither scales nor signs beside it"
                )

    @property
    def pairs(self) -> list[Pair]:
        """The pair of each stage."""
        first = [replace(self.pair, labels=self.stage.labels)] if self.stage else []
        return [*first, self.pair]

    @cached_property
    def nu(self) -> float:
        """Misalignment ν of the pre-trained direction."""
        return float(self.pair.misalignment.subs(mu_symbol, self.mu))

    @property
    def scaled_rate(self) -> float:
        """γd/B, which the limit of large d depends on."""
        return self.learning_rate * self.dimension / self.batch

    def initial(self, rng: Generator) -> Doubles:
        """Initial ``(u, m, κ)``: a uniform direction, and ``u`` of the size of its overlaps."""
        if self.starts:
            chosen = rng.integers(len(self.starts)) if len(self.starts) > 1 else 0
            return np.array([*self.starts[chosen], 0.0])[:3]
        planes = 2 if self.nu else 1
        known = rng.standard_normal(planes)
        rest = rng.chisquare(self.dimension - planes)
        m, *kappa = self.scale * known / math.sqrt(known @ known + rest)
        if self.signs != "random":
            m = abs(m) if self.signs == "aligned" else -abs(m)
        begun = self.scale if self.scale_u is None else self.scale_u
        state = np.array([begun / math.sqrt(self.dimension), m, *kappa, 0.0])[:3]
        if not state[1:] @ state[1:] <= 1:
            raise InputError(f"initial scale {self.scale} is not accepted: overlaps exceed 1")
        return state

    start = initial

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the order parameters."""
        return ("u", "m", "kappa") if self.nu else ("u", "m")

    @cached_property
    def flow(self) -> Flow:
        """The gradient flow of the last stage; its path is that of both stages."""
        flow = flow_of(self.pair, self.mu)
        if self.stage is None:
            return flow
        time = self.stage.until_step * self.learning_rate
        return StagedFlow(
            flow.landscape,
            flow.mu,
            flow.nu,
            first=flow_of(self.pairs[0], self.mu),
            until_overlap=self.stage.until_overlap,
            until_time=time,
            flip_at_switch=self.stage.flip_at_switch,
        )

    def law(self, radius: float, stop_at_exit: bool, exit_by: int) -> Law:
        """The numbers that a run follows; arguments as of ``Learner.runner``, an exit by number."""
        stage = self.stage or Stage(self.pair.labels, until_step=0)
        return Law(
            mu=self.mu,
            nu=self.nu,
            dimension=self.dimension,
            rate=self.learning_rate,
            batch=self.batch,
            spherical=self.update == "spherical",
            square=self.pair.loss == "square",
            noise=self.noise,
            until_overlap=stage.until_overlap,
            until_step=stage.until_step,
            flip=stage.flip_at_switch,
            radius=radius,
            stop_at_exit=stop_at_exit,
            exit_by=exit_by,
        )

    def runner(self, radius: float, stop_at_exit: bool, exit_by: ExitBy = "state") -> Run:
        """What simulates one replica of this learner.

        Arguments:
            radius: the size that counts as exit, above 0.
            stop_at_exit: whether the rest of a run is saved.
            exit_by: what has that size, as of ``simulate_sgd``.
        """
        functions = compiled_functions(self.pairs[0], self.pair)
        law = self.law(radius, stop_at_exit, EXITS.index(exit_by))
        algorithm = Algorithm(update.STEPS, functions, law)

        def run(rng: Generator, horizon: int, steps: Counts, count: Counts) -> Ran:
            states = np.full((len(steps), 3), np.nan)
            start = State(*map(float, self.initial(rng)))
            ends = update.run(rng, algorithm, start, Watch(horizon, steps, states, count))
            return states[:, : len(self.names)], *ends

        return run

    def cause_of_divergence(self) -> str:
        """What made a run diverge, and what to try."""
        numbers = (self.mu, self.dimension, self.batch, self.learning_rate)
        return cause_of_divergence(self.pairs, *numbers, self.noise)


def simulate_sgd(
    learner: Trained,
    replicas: int | Iterable[int] = 20,
    seed: int = 0,
    horizon: int | None = None,
    records: Sequence[int] = (),
    *,
    radius: float = EXIT_RADIUS,
    stop_at_exit: bool = False,
    exit_by: ExitBy = "state",
    threads: int | None = None,
    count: Counts | None = None,
) -> Runs:
    r"""Simulate replicas of a learner, exactly in law.

    Arguments:
        learner: a ``Learner`` or a ``NetworkLearner``;
        replicas: how many, or their numbers; each has a random stream of its own, set by ``seed``
            and its number alone;
        seed: a non-negative integer;
        horizon: in steps; 1.5 τ log d by default, for networks 6 τ log d;
        records: increasing steps in [0, horizon] at which the state is kept;
        radius: the size that counts as exit;
        stop_at_exit: saves the rest of a run;
        exit_by: what has that size: the ``state``, the ``overlap`` \|m\|, or what \|m\| is off the
            ``strength`` μ, at most; or the share of the way of ρ from μ to the ``teacher``;
        threads: all cores by default;
        count: of one entry, grows by the steps that are done, with one thread.

    Results do not depend on how replicas are split among calls or threads.

    .. math:: u^+ = u + \frac{\gamma}{B}\sum_i s_i o_i, \qquad
        m^+ = \frac{m + \gamma u\, g_\tau}{\sqrt{1+\gamma^2u^2(|g_\tau|^2+|g_\perp|^2)}}, \qquad
        |g_\perp|^2 = \frac{\sum_i s_i^2}{B^2}\,\chi^2_{d-2}

    Raises ``InputError`` for a learning rate at which a run diverges, bad arguments, or no horizon
    where nothing escapes. Source: (38)-(40), App. A.1, App. K. A simulation, exact in law up to
    rounding.

    >>> runs = simulate_sgd(Learner(Pair("x"), 0.5, 10**9, 1e-3, batch=4), 3, 1, 100, [0, 100])
    >>> runs["m"].shape, runs.censored
    ((3, 2), 3)
    """
    if not hasattr(learner, "runner"):
        raise InputError(f"{quoted(learner)} is not accepted: give {A_LEARNER}")
    numbers = _replicas(replicas)
    if horizon is None:
        horizon = steps_of(learner, learner.usual_horizon)
    return run_replicas(
        learner, learner.runner(radius, stop_at_exit, exit_by), numbers, seed=whole(seed, "seed"),
        horizon=horizon, records=records, threads=threads, count=count,
    )  # fmt: skip


def _replicas(given: int | Iterable[int]) -> list[int]:
    """The numbers of replicas, given or counted."""
    if isinstance(given, Iterable) and not isinstance(given, str):
        return [whole(each, "replica") for each in given]
    try:
        return list(range(whole(given, "replicas", 1)))
    except InputError as error:
        raise InputError(f"{error}, or their numbers in a sequence") from None


@lru_cache(maxsize=64)
def compiled_functions(first: Pair, last: Pair) -> Functions:
    """Labels of the first and the last stage, student and its slope, in machine code."""
    sigma = last.student.value
    labels = compiled(first.label), compiled(last.label)
    return Functions(*labels, compiled(sigma), compiled(sigma.derivative()))
