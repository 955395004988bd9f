"""What strong pre-training costs in samples, and what in time at one learning rate alone. Ours.

Every strength has its own largest stable rate, γ_s. A search at a share c of it takes
κ d log d / 2c samples, with κ = B/(λ₊ γ_s d): exact as formulas, for large d and batches far below
it.
"""

from functools import cache
from typing import Any

import numpy as np
from flint import fmpq
from sympy import Expr, Rational, S, diff, limit, oo, simplify, sqrt, symbols

from derive.escape import eigenvalues
from derive.exit import sample_noise
from derive.pair import Pair
from derive.pair_drift import closed_drift, drift_of
from derive.symbols import mu
from derive.tuned_rate import (
    best_share,
    cost_at_full_strength,
    growth_with_scaling,
    slope_moment,
    stable_scaled_rate,
)
from numerics.certified.balls import enclosure
from numerics.certified.drift import ball_drift
from numerics.certified.singularities import find_singularities
from numerics.claims.delays import SEED, Median, exits_at, median, runs_of, setting
from numerics.claims.ledger import Finding, Step, equal, judged, ours, shown
from numerics.claims.signs import negative, positive
from numerics.simulation.design import Simulation

_NAMES = ("x", "relu", "abs", "erf", "He2", "He3", "sin", "cos", "exp")
_DELAY = "models with larger […] remain trapped in the correlated search phase for substantially "\
         "longer times."  # fmt: skip


@ours.proved(
    "Sec. 3.2",
    "At its own stable γ a matched pair leaves in κ d log d / 2 samples, and κ tends to E σ'⁴ / "
    "2(E z²σ'²)² as μ → 1, where τ diverges",
    reading="a(1) = 0, and a'(1) = -E z²σ'² since only the factor σ(z) - σ(μz) of a is to be "
    "differentiated there; b(1) = -Eσ'². So λ₊ ~ (1-μ)² (E z²σ'²)²/Eσ'², while γ_s d/B ~ "
    "2Eσ'²/((1-μ)² Eσ'⁴): strength costs time at one rate, and samples up to a constant",
    falsifier="a matched pair whose a'(1) or b(1) is another, or Eσ'⁴ infinite",
    units="samples in d log d",
)
def _tuned_cost_is_finite() -> Finding:
    p0, p2, q0, v = symbols("p0 p2 q0 v", positive=True)
    rate = eigenvalues(p2 * v, -p0)[0]
    cost = 1 / (rate * 2 * p0 / (v**2 * q0))
    steps = [
        equal(
            "limit of κ as v = 1-μ → 0, if a ~ p₂ v and b → -p₀",
            limit(cost, v, 0),
            q0 / (2 * p2**2),
        )
    ]
    for name in _NAMES:
        a, b = _derived(name)
        student = Pair(name).student
        steps += [
            equal(
                f"{name}: slope of a at μ = 1, and -E z²σ'²",
                diff(a, mu).subs(mu, 1),
                -slope_moment(student, 2, 2),
            ),
            equal(f"{name}: b at μ = 1, and -E σ'²", b.subs(mu, 1), -slope_moment(student, 2)),
            judged(f"{name}: limit of κ, a finite number", cost_at_full_strength(name), positive),
        ]
    return Finding(f"for {', '.join(_NAMES)}, in closed form", *steps)


def _derived(name: str) -> tuple[Expr, Expr]:
    """``a`` and ``b``, not as one writes them: arithmetic goes on from here."""
    drift = closed_drift(Pair(name))
    return drift.derived_a, drift.derived_b


@ours.proved(
    "Sec. 3.2 (a), (b)",
    "For x, ReLU and |x| the stable γ cancels τ: κ falls with μ, by the golden ratio in all",
    reading="κ over its value at μ = 1 is (1 + √(1 + 4(1-μ)²))/2 for all three",
    falsifier="another κ",
    units="samples in d log d",
)
def _homogeneous_cost_falls() -> Finding:
    v = symbols("v", positive=True)
    shape = (1 + sqrt(1 + 4 * v**2)) / 2
    steps = []
    for name in ("x", "relu", "abs"):
        cost = 1 / (eigenvalues(*_derived(name))[0] * stable_scaled_rate(name))
        ratio = simplify((cost / cost_at_full_strength(name)).subs(mu, 1 - v))
        steps.append(equal(f"{name}: κ over its limit at μ = 1, with v = 1-μ", ratio, shape))
    return Finding(
        "closed forms; at μ = 0 it is the golden ratio",
        *steps,
        judged("it rises with v, so falls with μ: its slope in v", diff(shape, v), positive),
        equal("its value at μ = 0, the golden ratio", shape.subs(v, 1), (1 + sqrt(5)) / 2),
    )


@ours.certified(
    "Sec. 3.2 (b)",
    "From μ = 0.1 to 0.9 erf's τ grows 700 to 800 times, its samples at the stable γ 9 to 10 times",
    quote=_DELAY,
    reading="the quoted delay is in time at one γ; κ is in samples at each strength's own, and "
    "tends to 125/6 as μ → 1",
    falsifier="enclosures of these ratios elsewhere",
    units="ratios",
)
def _erf_cost() -> Finding:
    drift = ball_drift(drift_of("erf"))
    strengths = fmpq(1, 10), fmpq(9, 10)
    weak, strong = (drift.at(strength)[2] for strength in strengths)
    by_rate = ((1 - strengths[1]) / (1 - strengths[0])) ** 2  # γ_s at 0.1 over that at 0.9
    time = enclosure(weak / strong, 6)
    samples = enclosure(weak / strong * by_rate, 6)
    return Finding(
        f"τ: {time.mid} times, samples: {samples.mid} times",
        equal("limit of κ as μ → 1", cost_at_full_strength("erf"), Rational(125, 6)),
        judged("τ at 0.9 over that at 0.1", time, lambda r: 700 < r.ball() < 800),
        judged("κ at 0.9 over that at 0.1", samples, lambda r: 9 < r.ball() < 10),
    )


@ours.certified(
    "Prop. 2, Sec. 3.2 (c)",
    "At the singularities of He_3, He_5, He_7 and He_10 the stable γ is finite: no rate mends them",
    reading="λ₊ = 0 there, by a = 0 and b < 0, and γ_s d/B is finite below μ = 1, so κ = ∞; near "
    "one, κ diverges as (μ-μ⋆)^-2",
    falsifier="a zero of a with b > 0, or at μ = 1",
    units="samples in d log d",
)
def _singularities_cost_samples() -> Finding:
    steps = []
    for degree in (3, 5, 7, 10):
        student = Pair(degree).student
        ratio = 2 * slope_moment(student, 2) / slope_moment(student, 4)
        steps.append(shown(f"He_{degree}: the stable rate, γ_s (1-μ)² d/B at every μ", ratio))
        for found in find_singularities(drift_of(f"He{degree}"), 8):
            steps += [
                judged(
                    f"He_{degree}: it is finite, as 1 - μ⋆ is positive",
                    enclosure(1 - found.mu.ball(), 6),
                    positive,
                ),
                judged(f"He_{degree}: b at the singularity is negative", found.b, negative),
            ]
    return Finding("enclosed zeros of a, b below 0 at each", *steps)


@ours.proved(
    "Sec. 3.2",
    "With noise ς on the labels strength costs samples: a γ at which the noise slows the growth at "
    "the exit by a given share stays bounded, and the samples diverge as (1-μ)^-2",
    reading="the growth at |(u, m)| = R is slowed by R² (γd/B) v_u² N/2λ₊ of itself, to leading "
    "order (Saad and Solla's term), with N = E[(y-σ)²σ'²] + ς²Eσ'² where the search begins. "
    "Without noise N vanishes as (1-μ)². A misfit of teacher and student acts as ς does",
    falsifier="another N at μ = 1, or another limit",
    units="γd/B and samples in d log d, at R = ½ and a half of the growth",
)
def _noisy_labels_cost_samples() -> Finding:
    noise = symbols("varsigma", positive=True)
    steps = []
    for name in ("x", "relu", "He2"):
        (a, b), student = _derived(name), Pair(name).student
        rate = eigenvalues(a, b)[0]
        clean = sample_noise(name).subs(mu, 1)
        given = sample_noise(name, Rational(1, 3)).subs(mu, 1)
        steps += [
            equal(f"{name}: noise N of a sample at μ = 1, labels without noise", clean, 0),
            equal(
                f"{name}: the same with noise ς = 1/3, and ς² E σ'²",
                given,
                slope_moment(student, 2) / 9,
            ),
        ]
        power = sample_noise(name) + noise**2 * slope_moment(student, 2)
        bounded = 4 * (2 * rate - b) / power  # γd/B with the share ½ at R = ½, by v_u² = λ/(2λ-b)
        at_one = limit(bounded, mu, 1, "-")
        lasting = limit((1 - mu) ** 2 / (rate * bounded), mu, 1, "-")
        steps += [
            equal(f"{name}: limit of the largest γd/B as μ → 1", at_one, 4 / noise**2),
            judged(
                f"{name}: limit of (1-μ)² over λ₊ γd/B as μ → 1, finite: the samples diverge as "
                f"(1-μ)^-2",
                simplify(lasting),
                positive,
            ),
        ]
    return Finding("closed forms of x, ReLU and He_2, their limits", *steps)


@ours.proved(
    "Sec. 2",
    "A LoRA scaling α acts as a rate α² for u alone: it shortens τ down to |b|/a² at most (b < 0), "
    "and mends neither μ → 1 nor a singularity",
    reading="student σ((μω⋆ + αuω)·x): for U = αu the flow is U̇ = α²(a m + b U), ṁ = a U. As μ → 1 "
    "τ is |b|/a² already at α = 1; a rate of its own for ω, r times that of u, gives |b|/(r a²)",
    falsifier="α at which τ is below |b|/a²",
    units="τ in 1/γ",
)
def _lora_scaling() -> Finding:
    a, beta, alpha = symbols("a beta alpha", positive=True)
    growth = growth_with_scaling(a, -beta, alpha)
    root = sqrt(alpha**2 * beta**2 + 4 * a**2)
    product = growth_with_scaling(a, -beta, 1)
    return Finding(
        "closed forms, symbolic a > 0, b = -β < 0, α > 0",
        equal(
            "λ₊ of the flow with the scaling at α = 1, and (59)", product, eigenvalues(a, -beta)[0]
        ),
        equal("λ₊ with the scaling α", growth, 2 * alpha * a**2 / (alpha * beta + root)),
        equal("its limit as α → ∞, the inverse of |b|/a²", limit(growth, alpha, oo), a**2 / beta),
        judged(
            "it rises with α: slope of α/(αβ + √(α²β² + 4a²)), up to a positive factor",
            simplify(
                diff(alpha / (alpha * beta + root), alpha) * root * (alpha * beta + root) ** 2
            ),
            positive,
        ),
        equal("at a singularity, a = 0: λ₊ at any α", growth_with_scaling(S.Zero, -beta, alpha), 0),
        equal(
            "as μ → 1, where a → 0: λ₊/a² at α = 1 has the limit already",
            limit(product / a**2, a, 0),
            1 / beta,
        ),
    )


@ours.proved(
    "Sec. 2.1",
    "Search and descent together take the fewest samples at the share 1 + r - √(r(1+r)) of γ_s, "
    "with r how long the descent takes against the search: between ½ and 1",
    reading="search as 1/c; near the teacher the noise of samples leaves 1-c of the speed; what "
    "lies between is left out, and simulated in best-rate-simulated",
    falsifier="a lower sum at another share",
    units="shares of γ_s",
)
def _best_share() -> Finding:
    r, c = symbols("r c", positive=True)
    samples = (1 + r / (1 - c)) / c
    best = best_share(r)
    return Finding(
        "slope, and limits",
        equal("samples are least at that share: their slope there", diff(samples, c).subs(c, best),
              0),
        equal("the share as r → 0", limit(best, r, 0), 1),
        equal("the share as r → ∞", limit(best, r, oo), S.Half),
        judged("r = 1/3: samples at the share 1/2, and at 2/3, the best one, which are fewer",
               tuple(samples.subs({r: S.One / 3, c: k * S.One / 6}) for k in (3, 4)),
               lambda found: positive(found[0] - found[1])),
    )  # fmt: skip


@ours.supported(
    "Sec. 2.1",
    "x at μ = 0.5 learns to a hundredth of its loss in the fewest samples near the best share: "
    "with 0.2 or all of γ_s it takes over 1.5 times as many",
    reading="samples until the population loss is a hundredth of the frozen one, d = 1000, a batch "
    "of 1; to leave the search phase alone larger γ than γ_s need fewer, but do not learn",
    falsifier="medians of enough runs in another order",
    units="samples",
)
def _best_rate_simulated() -> Finding:
    rates = {"0.2 γ_s": "0.2*stable", "the best share": "best", "γ_s": "1*stable"}
    found = {name: _learnt(rate) for name, rate in rates.items()}
    best = found.pop("the best share")
    steps = [
        judged(f"the best share and {name}: medians whose intervals are apart by 1.5 times",
               (best, other), lambda pair: bool(1.5 * pair[0]["high"] < pair[1]["low"]))
        for name, other in found.items()
    ]  # fmt: skip
    listed = ", ".join(f"{each['median']:.0f} at {name}" for name, each in found.items())
    return Finding(
        f"medians {best['median']:.0f} at the best share, {listed}",
        shown("at the best share: median samples and how they were made", best),
        *steps,
    )


@cache
def _learnt(rate: str) -> Median:
    how: dict[str, Any] = {"batch": 1, "learning_rate": rate, "horizon": 40_000, "replicas": 100}
    records = range(0, 40_001, 100)
    simulation = Simulation("x", 0.5, seed=SEED, records=records, **how)
    runs = runs_of(simulation)
    loss = simulation.learner.flow.observe(runs.states)["loss"]
    reached = loss <= 0.125 / 100
    first = np.where(reached.any(axis=1), runs.steps[reached.argmax(axis=1)], np.inf)
    return median(first, 3) | setting(simulation)


@ours.supported(
    "Sec. 3.2 (b)",
    "With its own best γ, erf at μ = 0.8 leaves in less than 15 times the samples of μ = 0.1",
    quote=_DELAY,
    reading="the quoted delay is at one γ: there τ at 0.8 is over 100 times that at 0.1. By κ the "
    "samples are about 6 times as many, before logarithms",
    falsifier="medians of enough runs further apart",
    units="gradient steps, of 16 samples each",
)
def _erf_tuned_delay() -> Finding:
    tenths, drift = (1, 8), ball_drift(drift_of("erf"))
    weak, strong = exits_at("erf", [k / 10 for k in tenths], among=2, learning_rate="best")
    slow, fast = (drift.at(fmpq(k, 10))[2] for k in tenths)
    ratio = enclosure(slow / fast, 6)
    return Finding(
        f"medians {weak['median']:.0f} and {strong['median']:.0f} steps; τ: {ratio.mid} times",
        _below(weak, strong),
        judged(f"τ at {strong['mu']} over that at {weak['mu']}", ratio, lambda r: r.ball() > 100),
    )


def _below(weak: Median, strong: Median) -> Step:
    return judged(
        f"median steps at {weak['mu']} and {strong['mu']}, their intervals less than 15 times "
        "apart",
        (weak, strong),
        lambda pair: pair[1]["high"] < 15 * pair[0]["low"],
    )
