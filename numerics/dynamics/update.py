r"""One update of one-pass SGD on the sphere, exactly in law: the named steps of a compiled loop.

The student's direction is ``ω = m ω⋆ + κ ξ + r η``, with ``η`` a unit vector off the teacher ``ω⋆``
and off the misaligned direction ``ξ``, and ``r² = 1 - m² - κ²``. An input enters through its
projections ``z, x, w`` on these three, and through the length of what is left of a whole batch.
``STEPS`` holds the steps, so that a test can put a faulty one in the place of any.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from numerics.doubles.compiled import kernel, part_of_kernel

LARGEST_STATE = 1e3  # beyond it a run counts as diverged
TOLD = 2**16  # steps after which a run says how far it is


class State(NamedTuple):
    """Order parameters: ``u``, the overlaps ``m = ω·ω⋆`` and ``kappa = ω·ξ``."""

    u: float
    m: float
    kappa: float


class Functions(NamedTuple):
    """Labels of the first stage and of the last, student and its slope, of one number each."""

    first_label: Callable[[float], float]
    label: Callable[[float], float]
    sigma: Callable[[float], float]
    slope: Callable[[float], float]


class Law(NamedTuple):
    """The numbers that a run follows.

    Fields: ``mu``, ``nu``, of the pre-trained direction; ``dimension``; ``rate`` γ; ``batch`` B;
    ``spherical``, whether the gradient's part along ω is removed; ``square``, whether the loss is;
    ``noise`` of labels; ``until_overlap``, ``until_step``, the end of the first stage; ``flip``,
    what happens there; ``radius`` of exit; ``stop_at_exit``; ``exit_by``, the place in ``EXITS`` of
    what has the radius there.
    """

    mu: float
    nu: float
    dimension: int
    rate: float
    batch: int
    spherical: bool
    square: bool
    noise: float
    until_overlap: float
    until_step: int
    flip: bool
    radius: float
    stop_at_exit: bool
    exit_by: int


class Steps(NamedTuple):
    """The steps of an update, compiled functions of this module."""

    argument: Callable[..., Any]
    across: Callable[..., Any]
    tangent: Callable[..., Any]
    moved: Callable[..., Any]
    in_first_stage: Callable[..., Any]
    switched: Callable[..., Any]


class Algorithm(NamedTuple):
    """What a run follows: its ``steps``, of what ``functions``, by which ``law``."""

    steps: Steps
    functions: Functions
    law: Law


class Watch(NamedTuple):
    """What is done with a run.

    Fields: its steps, ``horizon``; ``records``, increasing ones of them, whose ``states`` are
    filled in, one row each; ``done``, of one entry, which grows by the steps that are done.
    """

    horizon: int
    records: NDArray[np.int64]
    states: NDArray[np.float64]
    done: NDArray[np.int64]


@part_of_kernel
def argument(law, state, z, x, own):  # type: ignore[no-untyped-def]
    """The student's pre-activation ``(μ ω⋆ + ν ξ + u ω)·x``, from the decomposition (40) of x.

    Arguments:
        law: of the algorithm.
        state: ``u, m, κ``.
        z: the input's part along ω⋆.
        x: that along ξ.
        own: that along ω.
    """
    return law.mu * z + law.nu * x + state.u * own


@part_of_kernel
def batch_means(rng, algorithm, state, rest, in_first):  # type: ignore[no-untyped-def]
    """Means over a batch of ``s z, s x, s w``, and the sum of ``s²``.

    Arguments:
        rng: the source of all that is random.
        algorithm: its steps, functions and law.
        state: ``u, m, κ``.
        rest: the size of ω off ω⋆ and ξ.
        in_first: whether labels are those of the first stage.

    ``s`` is minus the slope of a sample's loss in the student's pre-activation, so that these are
    the coordinates of minus the gradient for ``μ ω⋆ + ν ξ + u ω`` (39).
    """
    steps, functions, law = algorithm
    on_teacher, on_other, on_own, power = 0.0, 0.0, 0.0, 0.0
    for _ in range(law.batch):
        z = rng.standard_normal()
        w = rng.standard_normal()
        x = rng.standard_normal() if law.nu != 0.0 else 0.0
        own = state.m * z + state.kappa * x + rest * w
        y = functions.first_label(z) if in_first else functions.label(z)
        if law.noise > 0.0:
            y += law.noise * rng.standard_normal()
        seen = steps.argument(law, state, z, x, own)
        error = y - functions.sigma(seen) if law.square else y
        s = error * functions.slope(seen)
        on_teacher += s * z
        on_other += s * x
        on_own += s * w
        power += s * s
    return on_teacher / law.batch, on_other / law.batch, on_own / law.batch, power


@part_of_kernel
def across(rng, law, power):  # type: ignore[no-untyped-def]
    """Square of the mean gradient's length in all other directions: a chi-square (40).

    Arguments:
        rng: the source of all that is random.
        law: of the algorithm.
        power: the sum of ``s²`` over the batch.
    """
    others = law.dimension - (3 if law.nu != 0.0 else 2)
    return power / (law.batch * law.batch) * rng.chisquare(others) if others > 0 else 0.0


@part_of_kernel
def tangent(state, rest, pulls, along):  # type: ignore[no-untyped-def]
    """The spherical gradient's coordinates: the part along ω is removed (39).

    Arguments:
        state: ``u, m, κ``.
        rest: the size of ω off ω⋆ and ξ.
        pulls: coordinates of the gradient along ω⋆, ξ and that rest.
        along: its part along ω.
    """
    on_teacher, on_other, on_own = pulls
    return on_teacher - along * state.m, on_other - along * state.kappa, on_own - along * rest


@part_of_kernel
def moved(law, state, rest, pulls, along, off):  # type: ignore[no-untyped-def]
    """The next state: ``u⁺ = u + γ g·ω``, and the direction ``ω + γ u g`` normalised (38).

    Arguments:
        law: of the algorithm.
        state: ``u, m, κ``.
        rest: the size of ω off ω⋆ and ξ.
        pulls: coordinates of what ω moves by.
        along: the gradient's part along ω.
        off: the square of its length in all other directions.
    """
    pull = law.rate * state.u
    m, kappa = state.m + pull * pulls[0], state.kappa + pull * pulls[1]
    own = rest + pull * pulls[2]
    size = math.sqrt(m * m + kappa * kappa + own * own + pull * pull * off)
    return State(state.u + law.rate * along, m / size, kappa / size)


@part_of_kernel
def in_first_stage(law, state, step):  # type: ignore[no-untyped-def]
    """Whether a first stage goes on at a step (App. B.4).

    Arguments:
        law: of the algorithm.
        state: ``u, m, κ``.
        step: from 0 on.
    """
    return step < law.until_step and abs(state.m) < law.until_overlap


@part_of_kernel
def switched(law, state):  # type: ignore[no-untyped-def]
    """The state where a first stage ends: as it is, or with u of the sign of m (Fig. 4)."""
    if law.flip and state.u * state.m < 0.0:
        return State(-state.u, state.m, state.kappa)
    return state


STEPS = Steps(argument, across, tangent, moved, in_first_stage, switched)


@part_of_kernel
def updated(rng, algorithm, state, in_first):  # type: ignore[no-untyped-def]
    """The state after one update.

    Arguments:
        rng: the source of all that is random.
        algorithm: its steps, functions and law.
        state: ``u, m, κ`` before it.
        in_first: whether labels are those of the first stage.
    """
    steps, law = algorithm.steps, algorithm.law
    rest = math.sqrt(max(0.0, 1.0 - state.m * state.m - state.kappa * state.kappa))
    on_teacher, on_other, on_own, power = batch_means(rng, algorithm, state, rest, in_first)
    along = state.m * on_teacher + state.kappa * on_other + rest * on_own  # minus ∂L/∂u, (39)
    off = steps.across(rng, law, power)
    pulls = (on_teacher, on_other, on_own)
    if law.spherical:
        pulls = steps.tangent(state, rest, pulls, along)
    return steps.moved(law, state, rest, pulls, along, off)


@part_of_kernel
def outside(law, state):  # type: ignore[no-untyped-def]
    r"""Whether a state counts as exit: by its size or \|m\|, by \|m\| near μ, by ρ (``EXITS``)."""
    if law.exit_by == 1:
        return abs(state.m) >= law.radius
    if law.exit_by == 2:
        return abs(abs(state.m) - law.mu) <= law.radius
    if law.exit_by == 3:
        return state.u * state.m >= law.radius * (1.0 - law.mu)
    size = state.u * state.u + state.m * state.m + state.kappa * state.kappa
    return size >= law.radius * law.radius


@kernel
def run(rng, algorithm, state, watch):  # type: ignore[no-untyped-def]
    """One replica, ``watch``ed: the step of exit and that of divergence, -1 for none.

    Arguments:
        rng: the source of all that is random.
        algorithm: its steps, functions and law.
        state: ``u, m, κ`` at step 0.
        watch: horizon, recorded steps and where they are kept.
    """
    steps, law = algorithm.steps, algorithm.law
    exit_step, record = -1, 0
    in_first = steps.in_first_stage(law, state, 0)
    for step in range(watch.horizon + 1):
        if exit_step < 0 and outside(law, state):
            exit_step = step
            if law.stop_at_exit:
                break
        if record < len(watch.records) and watch.records[record] == step:
            watch.states[record, 0], watch.states[record, 1], watch.states[record, 2] = state
            record += 1
        if step == watch.horizon:
            break
        if (step + 1) % TOLD == 0:
            watch.done[0] += TOLD
        state = updated(rng, algorithm, state, in_first)
        if not abs(state.u) < LARGEST_STATE or not abs(state.m) <= 1.0 + 1e-9:
            return exit_step, step + 1
        if in_first and not steps.in_first_stage(law, state, step + 1):
            in_first, state = False, steps.switched(law, state)
    return exit_step, -1
