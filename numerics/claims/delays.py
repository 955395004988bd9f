"""Claims on delays that simulations support: SGD exact in law (Sec. 3.2 a, b, App. E.3, I).

Strengths are compared at one learning rate and batch, in gradient steps, which with one sample each
only once are fresh data too; ``tuned-delay-vanishes`` gives each strength its own learning rate.
Medians have intervals by order statistics, for any law, that hold together.
"""

from collections.abc import Sequence
from functools import cache
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from flint import fmpq
from numpy.typing import ArrayLike

from derive.pair_drift import drift_of
from numerics.certified.balls import enclosure
from numerics.certified.drift import ball_drift
from numerics.claims.ledger import CODE, Finding, Step, claim, judged, ours, shown
from numerics.claims.stored import SCRIPTS
from numerics.doubles.arrays import Doubles
from numerics.dynamics.runs import Runs
from numerics.dynamics.sgd import simulate_sgd
from numerics.simulation.design import Simulation
from numerics.simulation.exits import median_interval, quantile

Median: TypeAlias = dict[str, Any]
RUNS, SEED, CONFIDENCE = 100, 1, 0.95


def runs_of(simulation: Simulation) -> Runs:
    """Runs of a simulation in this process, to their exit where nothing is recorded."""
    numbers = (simulation.replicas, simulation.seed, simulation.horizon, simulation.records)
    return simulate_sgd(simulation.learner, *numbers, stop_at_exit=not simulation.records)


def setting(simulation: Simulation) -> dict[str, Any]:
    """What a simulation was made with."""
    told = ("mu", "learning_rate", "batch", "seed")
    return {
        "runs": simulation.replicas,
        "d": simulation.dimension,
        **{name: getattr(simulation, name) for name in told},
    }


def median(values: ArrayLike, among: int = 1) -> Median:
    """The median with an interval; ``among`` so many, all hold with the stated confidence."""
    low, high = median_interval(values, 1 - (1 - CONFIDENCE) / among)
    return {"low": low, "median": quantile(values, 0.5), "high": high, "confidence": CONFIDENCE}


def exit_of(simulation: Simulation, runs: Runs, among: int) -> Median:
    """Median steps to the exit; runs that never leave count as infinite.

    Arguments:
        simulation: as it was asked for.
        runs: what came out.
        among: the number of intervals that hold together.
    """
    steps = np.where(np.isnan(runs.exits), np.inf, runs.exits)
    left = {"exits": simulation.replicas - runs.censored, "horizon": simulation.horizon}
    return median(steps, among) | left | setting(simulation)


def exits_at(text: str, strengths: Sequence[float], among: int, **how: Any) -> tuple[Median, ...]:
    """Median steps to the exit at each strength.

    Arguments:
        text: the activation.
        strengths: in (0, 1].
        among: as of ``exit_of``.
        how: fields of ``Simulation``.
    """
    common: dict[str, Any] = {"seed": SEED, "replicas": RUNS, "records": 0, "horizon": 10**6}
    simulations = [Simulation(text, strength, **common | how) for strength in strengths]
    return tuple(exit_of(each, runs_of(each), among) for each in simulations)


def apart(medians: Sequence[Median]) -> bool:
    """Whether medians increase, their confidence intervals being disjoint."""
    return all(x["high"] < y["low"] for x, y in pairwise(medians))


def _listed(medians: Sequence[Median]) -> str:
    return ", ".join(f"{each['median']:.0f}" for each in medians)


# Sec. 3.2 (a): whole runs of x, at the learning rate, batch and d of the authors' scripts.

LONG = {0.1: 200, 0.5: 500, 0.9: 4000}  # steps in which most runs converge, by strength


@cache
def linear_paths(strength: float) -> tuple[Simulation, Runs]:
    """Runs of linear students past their exit."""
    horizon = LONG[strength]
    records = range(0, horizon + 1, horizon // 100)
    simulation = Simulation(
        "x", strength, **SCRIPTS, seed=SEED, replicas=RUNS, horizon=horizon, records=records
    )
    return simulation, runs_of(simulation)


@claim.supported(
    "Sec. 3.2 (a), Fig. 1 (middle)",
    "Linear students with stronger pre-training leave the search phase later, in steps at one γ",
    quote="models with larger […] remain trapped in the correlated search phase for substantially "
    "longer times.",
    reading="steps until |(u, m)| = ½, at γ, batch and d of the authors' scripts; the paper's "
    "exit, comparable to μ, is earlier at weaker μ and so would only widen the delays",
    falsifier="medians of enough runs in another order",
    units="gradient steps, of 500 samples each",
    settled_by=CODE,
)
def _strong_pre_training_delays() -> Finding:
    found = [exit_of(*linear_paths(strength), among=len(LONG)) for strength in LONG]
    return Finding(
        f"medians {_listed(found)} steps of {RUNS} runs at μ = 0.1, 0.5, 0.9, d = 1000, γ = 0.2",
        judged("median steps of μ = 0.1, 0.5, 0.9: their intervals do not meet", found, apart),
    )


@claim.supported(
    "Sec. 3.2 (a), Fig. 1 (left)",
    "Linear students with weaker pre-training start worse and reach a loss of 1e-4 in fewer steps",
    quote="despite their worse initial performance, models initialized with smaller signal "
    "strength converges to the global optimum significantly faster",
    reading="steps until the population loss is at most 1e-4, at one γ",
    falsifier="medians of enough runs in another order",
    units="gradient steps, of 500 samples each",
    settled_by=CODE,
)
def _weak_converges_first() -> Finding:
    found, starts = [], []
    for strength in LONG:
        simulation, runs = linear_paths(strength)
        loss = simulation.learner.flow.observe(runs.states)["loss"]
        reached = loss <= 1e-4
        first = np.where(reached.any(axis=1), runs.steps[reached.argmax(axis=1)], np.inf)
        found.append(median(first, 2 * len(LONG)) | setting(simulation))
        starts.append(median(loss[:, 0], 2 * len(LONG)) | setting(simulation))
    return Finding(
        f"medians {_listed(found)} steps of {RUNS} runs at μ = 0.1, 0.5, 0.9, d = 1000, γ = 0.2",
        judged(
            "losses at the start, of μ = 0.9, 0.5, 0.1: their intervals do not meet",
            tuple(reversed(starts)),
            apart,
        ),
        judged(
            "median steps of μ = 0.1, 0.5, 0.9: their intervals do not meet", tuple(found), apart
        ),
    )


@claim.supported(
    "Sec. 3.2 (b), App. E.3, Fig. 5",
    "Students of erf, ReLU and sigmoid with stronger pre-training leave the search phase later, "
    "each at one γ for all its strengths",
    quote="Figure 5 provides additional evidence of catastrophic overtraining across linear, erf, "
    "ReLU, and sigmoid activations over a wide range of pre-training alignments",
    reading="overtraining is a later exit at a larger strength, in steps until |(u, m)| = ½; the "
    "paper's exit, comparable to μ, would only widen the delays",
    falsifier="medians of enough runs in another order",
    units="gradient steps, of 200 samples each",
)
def _common_delays() -> Finding:
    found = {
        text: exits_at(text, strengths, among=9, batch=200, learning_rate=rate)
        for text, strengths, rate in (
            ("erf", (0.1, 0.3, 0.6), 0.2),
            ("relu", (0.1, 0.4, 0.7), 0.2),
            ("sigmoid", (0.1, 0.4, 0.7), 4.0),
        )
    }
    listed = "; ".join(f"{text} {_listed(each)}" for text, each in found.items())
    return Finding(
        f"medians in steps of {RUNS} runs, d = 1000: {listed}",
        *[
            judged(f"{text}: median steps, whose intervals do not meet", e, apart)
            for text, e in found.items()
        ],
    )


@ours.supported(
    "Sec. 3.2 (b)",
    "With a tenth of its own largest stable γ, x at μ = 0.7 leaves in no more samples than at 0.1",
    quote="implying that highly correlated pre-trained weights require substantially more gradient "
    "steps—and, in the online regime, substantially more fresh data—before the dynamics can leave "
    "the correlated search phase.",
    reading="the paper has one γ for all strengths. The largest stable γ grows as (1-μ)^-2, which "
    "cancels τ, until the batch bounds it: then the delay returns, at μ = 0.9",
    falsifier="medians of enough runs in another order",
    units="gradient steps, of 16 samples each",
)
def _tuned_delay_vanishes() -> Finding:
    strengths = (0.1, 0.3, 0.5, 0.7, 0.9, 0.97)
    found = exits_at("x", strengths, among=len(strengths), learning_rate="0.1*stable")
    first, *_, best, later, last = found
    return Finding(
        f"medians {_listed(found)} steps of {RUNS} runs at μ = 0.1, 0.3, 0.5, 0.7, 0.9, 0.97",
        shown("median steps at all strengths", found),
        judged("those at μ = 0.7 and 0.1, whose intervals do not meet", (best, first), apart),
        judged(
            "those at μ = 0.7, 0.9, 0.97, whose intervals do not meet", (best, later, last), apart
        ),
    )


# App. I, Fig. 9.

_CUBIC: dict[str, Any] = {"learning_rate": 1 / 90, "batch": 500}  # 0.2/(n n!) of the scripts
_NEAR, _STEPS = 0.325, 3000
_LEAST = (200, 4700, 4700, 4700)  # τ at 0.325 over that at 0.2, 0.5, 0.7, 0.9


@cache
def _near() -> tuple[Simulation, Runs]:
    """Runs of He_3 next to its singularity."""
    records = (0, _STEPS // 2, _STEPS)
    simulation = Simulation(
        "He3", _NEAR, **_CUBIC, seed=SEED, replicas=RUNS, horizon=_STEPS, records=records
    )
    return simulation, runs_of(simulation)


@claim.certified(
    "App. I, Fig. 9",
    "τ of He_3 at μ = 0.325 is over 200 times that at 0.2, and over 4700 times that at 0.5, 0.7, "
    "0.9",
    quote="the parameter […] has a non-trivial impact on the dynamics governing the escape from "
    "the correlated search phase.",
    reading="τ neither falls nor rises with μ, but has a peak at 0.3207 with lower times beside it",
    falsifier="a strength of these at which τ is larger than at 0.325",
    units="τ in 1/γ",
    settled_by=CODE,
)
def _cubic_times() -> Finding:
    drift = ball_drift(drift_of("He3"))
    near, *others = (1 / drift.at(fmpq(k, 1000))[2] for k in (325, 200, 500, 700, 900))
    ratios = tuple(enclosure(near / time, 6) for time in others)
    return Finding(
        "enclosed",
        shown("τ at 0.325", enclosure(near, 8)),
        judged(
            "that over τ at 0.2, 0.5, 0.7, 0.9",
            ratios,
            lambda all_: all(r.ball() > least for r, least in zip(all_, _LEAST, strict=True)),
        ),
    )


@claim.supported(
    "Sec. 3.2 (c), Fig. 2, App. I, Fig. 9",
    "Near the singularity, at 0.325, He_3 leaves at least ten times later than at 0.5, 0.7, 0.9",
    quote="Crucially, near the singular regime at […], a significant delay in escaping the search "
    "phase is observed numerically, in agreement with the theory.",
    reading="the lost strength is 0.325, of which Fig. 4 speaks too; against 0.5, 0.7 and 0.9, in "
    "steps until |(u, m)| = ½, at one γ. The paper's exit, comparable to μ, changes times by "
    "log(2μ)/λ₊ (exit-radius): an eighth of ½ τ log d at 0.325, less than a fifth elsewhere",
    falsifier="medians of enough runs that are closer",
    units="gradient steps, of 500 samples each",
    settled_by=CODE,
)
def _cubic_delay() -> Finding:
    others = exits_at("He3", (0.5, 0.7, 0.9), among=4, horizon=_STEPS, **_CUBIC)
    near = exit_of(*_near(), among=4)
    return Finding(
        f"in {_STEPS} steps {near['exits']} of {RUNS} runs leave at 0.325, all at 0.5, 0.7, 0.9, "
        f"with medians {_listed(others)}",
        *[
            judged(
                f"median steps at μ = {other['mu']} and 0.325, ten times apart",
                (other, near),
                _tenfold,
            )
            for other in others
        ],
    )


def _tenfold(medians: tuple[Median, Median]) -> bool:
    earlier, later = medians
    return bool(10 * earlier["high"] < min(later["low"], later["horizon"]))


@claim.supported(
    "App. I, Fig. 9",
    "At μ = 0.325 the overlap of He_3 grows by a few percent, while the sign of u is noise",
    quote="Across the different observables, we find that the quantity that exhibits a mild "
    "increase is the overlap […], while the LoRA coefficient […] remains noisy during this stage.",
    reading="over 3000 steps of the search phase |m| grows, in the median of all runs, and the "
    "sign of u late on is independent of that at half the time",
    falsifier="a median growth of |m| of at most 1, or of u with a lasting sign",
    units="gradient steps, of 500 samples each",
    settled_by=CODE,
)
def _overlap_grows_mildly() -> Finding:
    simulation, runs = _near()
    u, m = runs["u"], np.abs(runs["m"])
    gain = median(m[:, 2] / m[:, 0], 2) | setting(simulation)
    return Finding(
        f"|m| grows by {100 * (gain['median'] - 1):.1f} % in the median of {RUNS} runs",
        judged(
            "|m| at the end over |m| at the start", gain, lambda g: 1 < g["low"] < g["high"] < 1.1
        ),
        _without_sign(u[:, 1] * u[:, 2], simulation),
    )


def _without_sign(products: Doubles, simulation: Simulation) -> Step:
    told = median(products / np.std(products), 2) | setting(simulation)
    return judged(
        "u at half the time times u at the end, over the square of its spread: the median, 0 if "
        "noise", told,
        lambda each: each["low"] < 0 < each["high"],
    )  # fmt: skip
