"""Claims on what the descent recovers, and whether it does (App. G, Prop. 5, Remarks 4, 5)."""

from functools import partial
from operator import eq
from typing import Any

from sympy import (
    Function,
    Integer,
    Matrix,
    Poly,
    Rational,
    Symbol,
    diff,
    exp,
    expand,
    factorial,
    integrate,
    limit,
    oo,
    solve,
    symbols,
)
from sympy.core.logic import fuzzy_and

from derive.hermite import hermite_polynomial
from derive.landscape import landscape_of
from derive.pair import Pair
from derive.pair_drift import closed_drift
from derive.risk import frozen_risk
from derive.symbols import m, mu, residual, rho, u, z
from numerics.certified.basins import fate
from numerics.certified.flow import ball_flow, disc
from numerics.claims.assumptions import matched_risk
from numerics.claims.descent import matched_loss, told
from numerics.claims.ledger import Finding, claim, equal, judged, ours
from numerics.claims.signs import negative, positive


@claim.proved(
    "App. G, Remark 4, proof of Prop. 5",
    "ℓ vanishes at ρ = 1 alone, or at ρ = ±1 for even σ: u = ±(1-μ), u = ±(1+μ) (He_1 to He_8)",
    quote="when […] is even, the slice loss may admit two global minimizers. … If […] is not "
    "even, the identity […] fails, so the case […] is impossible, and the only minimizer is […]. "
    "If […] is even, both are admissible, yielding the two minimizers […] and […].",
    reading="the identity is σ(-z) = σ(z). The minimisers on the slice m = s are u = (1-μ)/s and, "
    "for even σ, u = -(1+μ)/s",
    falsifier="another real zero of ℓ",
)
def _slice_minimisers() -> Finding:
    steps = []
    for n in range(1, 9):
        risk = Poly(matched_risk(f"He{n}"), rho)
        ends = (1,) if n % 2 else (1, -1)
        steps += [equal(f"He_{n}: slice loss ℓ at ρ = {end}", risk.eval(end), 0) for end in ends]
        count = int(risk.sqf_part().count_roots())
        steps.append(judged(f"He_{n}: number of real zeros of ℓ", count, partial(eq, len(ends))))
    return Finding("by Sturm's theorem; ℓ ≥ 0, so its zeros are its minima", *steps)


@claim.proved(
    "App. G, Prop. 5",
    "For x, u tends to s (1-μ), the minimiser of the slice loss, whenever m tends to s = ±1",
    quote="Then […] converges to a global minimizer of the slice loss […].",
    reading="Prop. 5 for the one activation here that meets Assumption 3 on the whole line; at "
    "whatever rate m tends there. Of others see descent and matched-recovery",
    falsifier="a path of m that tends to s and from which u tends elsewhere",
    units="time in 1/γ",
)
def _slice_limit() -> Finding:
    t, since, late = symbols("t T tau", positive=True)
    side, within = Symbol("s", real=True), Symbol("epsilon", positive=True)
    path, overlap = Function("u")(t), Function("m")(t)
    velocity = (-diff(matched_loss(1), u)).expand()
    weighted = exp(t) * (path - side * (1 - mu))
    grown = diff(weighted, t).subs(diff(path, t), velocity.subs({u: path, m: overlap}))
    pull = diff(grown, overlap).subs(t, late) * within  # where |m - s| ≤ ε
    most = exp(-t) * integrate(pull, (late, since, t))
    return Finding(
        "variation of constants: |u - s(1-μ)| is at last below (1-μ) ε, for every ε > 0",
        equal("d/dt of e^t (u - s(1-μ))", grown, exp(t) * (1 - mu) * (overlap - side)),
        equal("if |m - s| ≤ ε from T on, u is off by at most this, and what is left of its start",
              most,
              (1 - mu) * within * (1 - exp(since - t))),
        judged("limit of what is left, e^(T-t), as t → ∞", limit(exp(since - t), t, oo),
               lambda v: v == 0),
        equal("limit of the bound as t → ∞", limit(most, t, oo), (1 - mu) * within),
    )  # fmt: skip


@ours.proved(
    "App. G, Assumption 3 (i), Remark 4",
    "Assumption 3 (i) excludes every even σ that is not constant: ℓ(0) > 0 = ℓ(1) = ℓ(-1)",
    quote="Convexity in Assumption 3 is not assumed to be strict; in particular, when […] is even, "
    "the slice loss may admit two global minimizers.",
    reading="both are true, see slice-minimisers; what the remark leaves out is that the loss is "
    "then not convex, so Prop. 5 has no even case",
    falsifier="an even σ, not constant, with ½ E(σ(z) - σ(0))² = 0",
)
def _even_minimisers() -> Finding:
    mean, value = symbols("c_0 sigma_0", real=True)
    spread = Symbol("variance", positive=True)
    at_zero = (spread + mean**2 - 2 * value * mean + value**2) / 2  # ½ E(σ(z) - σ(0))²
    middle = (spread + (mean - value) ** 2) / 2
    steps = [judged("cos: ℓ(0)", matched_risk("cos").subs(rho, 0), positive)]
    for n in (2, 4, 6, 8):
        level = hermite_polynomial(n, z).subs(z, 0)
        here = middle.subs({spread: factorial(n), mean: 0, value: level})
        steps.append(equal(f"He_{n}: ℓ(0)", matched_risk(f"He{n}").subs(rho, 0), here))
    return Finding(
        "a convex ℓ that is 0 at ρ = ±1 is at most 0 between; ℓ(0) = ½ E(σ(z) - σ(0))²",
        equal("ℓ(0), with mean c_0 = E σ(z) and the variance of σ(z)", at_zero, middle),
        judged("it is positive, unless σ is constant", middle, positive),
        *steps,
    )


@ours.proved(
    "App. G, Assumption 3 (i), Prop. 2",
    "Where ℓ is convex and least at ρ = 1 alone, a > 0 on (0, 1): no singular strength",
    reading="Assumption 3 and Prop. 2 exclude each other: the descent results do not cover any "
    "activation whose search phase is singular",
    falsifier="a pair whose a is not -ℓ'",
)
def _assumed_and_singular() -> Finding:
    texts = ("x", "relu", "erf", "He2", "He3", "He4", "He5")
    gap, here = symbols("gap ell", positive=True)  # 1 - ρ, and ℓ(ρ) above ℓ(1) = 0
    above, slope = Symbol("above", nonnegative=True), Symbol("slope", real=True)
    (tangent,) = solve(here + slope * gap + above, slope)
    return Finding(
        "ℓ' = -a, and a convex ℓ lies above its tangents: a ≥ ℓ(ρ)/(1-ρ) > 0",
        equal(
            "a convex ℓ lies above its tangents: -ℓ'(ρ), if that at ρ is by some height below "
            "ℓ(1) = 0",
            -tangent,
            (here + above) / gap,
        ),
        judged("it is positive for ρ < 1", -tangent, positive),
        *[
            equal(f"{t}: -ℓ' and a", -diff(frozen_risk(t), mu), closed_drift(t).derived_a)
            for t in texts
        ],
    )


@claim.refuted(
    "Sec. 2.2, App. G",
    "Upon entering the descent phase every matched student recovers the teacher",
    quote="Moreover, we establish in App. G that, upon entering the descent phase, the dynamics "
    "still lead to exponential recovery of the teacher direction for matching teacher-student "
    "activation function.",
    reading="of every matched student, as the sentence is worded. Recovery is ρ = 1 (±1 for even "
    "σ): App. G keeps that of the ground truth apart from m² → 1, which a student that is 0 can "
    "have, too. Remark 5 says it under Assumptions 2 and 3 and stands there; Assumption 3 is not "
    "met by He_n (n ≥ 2), erf and ReLU (convex-slice, even-minimisers)",
    falsifier="a proof that He_3 and He_5 end at ρ = 1 from these starts",
    units="time in 1/γ",
)
def _matched_recovery() -> Finding:
    steps = []
    for text, strength in (("He3", "0.25"), ("He5", "0.4")):
        at = told(fate(ball_flow(text, strength), disc("0.1", "0.1"), 200))
        steps.append(
            judged(f"{text} at μ = {strength}: where the flow from u = m = 1/10 ends", at,
                   partial(_is_null, strength))
        )  # fmt: skip
        loss = matched_loss(int(text[2:])).subs({u: -mu, m: 1})
        steps.append(judged(f"{text}: loss there", loss, positive))
    return Finding(
        "He_3 at μ = 1/4 and He_5 at 2/5 end at the null student, ρ = 0, with loss 3 and 60",
        *steps,
    )


def _is_null(strength: str, at: dict[str, Any]) -> bool:
    return bool((at["u"], at["m"], at["rho"]) == (-Rational(strength), 1, 0))


@ours.proved(
    "App. G, after (92)",
    "u = -μ, m = 1, a student that is 0, is a sink of the flow with loss n!/2: a minimiser of the "
    "loss in (u, m), but not a global one (He_3, He_5, He_7)",
    quote="once the dynamics enter the descent phase, they necessarily converge toward a global "
    "minimizer of the population loss. … Since both […] and […] are nontrivial along the "
    "trajectory, the dynamics converge to a minimizer of the population loss.",
    reading="the first sentence is an aim, under assumptions; the second names no global minimum. "
    "Without the assumptions flows end here, too: see matched-recovery",
    falsifier="a direction at the null student in which the loss does not grow",
    units="rates in γ",
)
def _null_student() -> Finding:
    steps = []
    for n in (3, 5, 7):
        loss = matched_loss(n)
        velocity = (-diff(loss, u), -(1 - m**2) * diff(loss, m))
        place = {u: -mu, m: 1}
        jacobian = Matrix(2, 2, lambda i, j, f=velocity, at=place: diff(f[i], (u, m)[j]).subs(at))
        jacobian = jacobian.applyfunc(expand)
        at_rest = tuple(expand(f.subs(place)) for f in velocity)
        steps += [
            judged(f"He_{n}: velocity of the flow at u = -μ, m = 1", at_rest,
                   lambda v: v == (0, 0)),
            judged(f"He_{n}: linearised flow there, triangular with negative diagonal",
                   jacobian.as_immutable(), _stable),
            judged(f"He_{n}: slope of L in m there, which points over the edge m = 1",
                   expand(diff(loss, m).subs(place)),
                   negative),
            equal(f"He_{n}: loss there", loss.subs(place), factorial(n) / 2),
            equal(f"He_{n}: loss at the teacher", loss.subs({u: 1 - mu, m: 1}), 0),
        ]  # fmt: skip
    return Finding("from the loss, symbolic μ; at the teacher it is 0", *steps)


def _stable(jacobian: Matrix) -> bool | None:
    """Whether a matrix is triangular with a negative diagonal."""
    entries = (jacobian[0, 0], jacobian[1, 1])
    known: bool | None = fuzzy_and([jacobian[1, 0] == 0, *(e.is_negative for e in entries)])
    return known


@claim.proved(
    "App. G, Remark 5",
    "With mismatched activations the best student need not have ρ = 1",
    quote="in the presence of teacher–student activation mismatch the global minimizer of the "
    "population loss does not necessarily correspond to recovery of the ground-truth direction, "
    "meaning that […].",
    reading="recovery is u = 1-μ, ρ = 1; here the direction is found and the size is not",
    falsifier="a least loss of the pair ReLU, x at ρ = 1",
)
def _mismatch() -> Finding:
    loss = landscape_of(Pair("relu", "x")).loss
    return Finding(
        "teacher ReLU, student x: the loss is least at ρ = 1/2, s = 0, and nowhere else",
        equal("loss of teacher ReLU and student x, over ρ and s ≥ 0", loss,
              (rho - Rational(1, 2)) ** 2 / 2 + residual / 2
              + Rational(1, 8)),
        judged("at ρ = 1, s = 0 it is above its minimum 1/8: by", loss.subs({rho: 1, residual: 0})
               - Rational(1, 8), positive),
    )  # fmt: skip


@ours.proved(
    "App. G, after Prop. 4",
    "The teacher x + c He_3 and the student x have the loss of x with x plus 3 c²: they recover as "
    "x with x does, though mismatched (c = 1, -2, 1/3)",
    quote="Therefore, full recovery of the teacher direction is guaranteed only in the matching "
    "case […].",
    reading="as a word on what is proved there it stands; recovery itself is not bound to matched "
    "activations",
    falsifier="a difference of both losses that depends on ρ or Q",
)
def _mismatch_recovers() -> Finding:
    alone = landscape_of("x").loss
    steps = []
    for share in (Integer(1), Integer(-2), Rational(1, 3)):
        loss = landscape_of(Pair(z + share * hermite_polynomial(3, z), "x")).loss
        steps.append(equal(f"c = {share}: loss less that of x with x", loss - alone, 3 * share**2))
    least = alone.subs({rho: 1, residual: 0})
    return Finding(
        "x sees He_3 of the teacher as noise: the flow is that of x with x, see slice-limit",
        *steps,
        equal("L of x with x at ρ = 1, s = 0", least, 0),
    )
