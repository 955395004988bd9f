"""The assumptions that the descent phase rests on, and what follows from them (App. G)."""

from functools import partial
from operator import eq

from flint import arb
from sympy import (
    Expr,
    Poly,
    Rational,
    Symbol,
    asin,
    diff,
    exp,
    factorial,
    limit,
    oo,
    solve,
    symbols,
)

from derive.escape import hermite_drift_limit
from derive.grammar import parse_activation
from derive.hermite import hermite_polynomial
from derive.landscape import landscape_of
from derive.pair import Pair
from derive.pair_drift import closed_drift
from derive.risk import frozen_risk
from derive.symbols import m, mu, residual, rho, u, z
from numerics.certified.balls import enclosure
from numerics.certified.drift import ball_drift
from numerics.claims.ledger import (
    Finding,
    Step,
    assumption,
    claim,
    decided,
    equal,
    judged,
    negative,
    ours,
    positive,
    refuted_if,
    shown,
)

_HERE = {rho: mu + u * m, residual: u**2 * (1 - m**2)}
_DRIFT = "There exist […] and […] such that, for all […] with […]"
_DRIFT_READING = (
    "What the proof of Prop. 4 uses: constants c > 0 and m₀ with -sign(m) ∂_m L ≥ c wherever "
    "|m| ≥ m₀."
)
_CONVEX = (
    "Convex slice with bounded sublevel sets (no escape to infinity). For each […], the map […] is "
    "convex."
)
_BOUNDED = (
    "for the relevant loss level (with […] as in Proposition 5), the sublevel set […] is bounded."
)
_SLICE = (
    "The slice is m = ±1, where the loss is the frozen model's ℓ at the covariance ρ = μ + u m, "
    "over the whole line."
)


def _risk(text: str) -> Expr:
    """The slice loss ℓ of a matched pair, over ρ."""
    return frozen_risk(Pair(text)).subs(mu, rho)


def _loss(text: str) -> Expr:
    """The loss of a matched pair in u, m and μ."""
    return landscape_of(text).loss.subs(_HERE, simultaneous=True)


@assumption(
    "overlap-drift",
    "App. G, Assumption 2",
    "Over all u no loss has -sign(m) ∂_m L ≥ c > 0: at u = 0 the slope vanishes",
    "not met",
    quote=_DRIFT,
    reading=f"{_DRIFT_READING} Here for every u; a lost condition may exclude u = 0, as in "
    "overlap-drift-linear",
    falsifier="a condition in the lost formulas that keeps u away from 0",
)
def _overlap_drift() -> Finding:
    by_q, by_rho = symbols("L_Q L_rho", real=True)
    slope = by_q * diff(mu**2 + u**2 + 2 * mu * u * m, m) + by_rho * diff(mu + u * m, m)
    return decided(
        "not met",
        "∂_m L = u (2μ L_Q + L_ρ) for every L(Q, ρ): without u the direction does not matter",
        equal("∂_m L", slope, u * (2 * mu * by_q + by_rho)),
        judged("at u = 0", slope.subs(u, 0), lambda value: value == 0),
        *[
            judged(f"{text}: ∂_m L at u = 0", diff(_loss(text), m).subs(u, 0), lambda v: v == 0)
            for text in ("x", "He3")
        ],
    )


@assumption(
    "overlap-drift-linear",
    "App. G, Assumption 2",
    "x has -m ∂_m L ≥ (1-μ) r where u m ≥ r > 0",
    "met",
    quote=_DRIFT,
    reading=f"{_DRIFT_READING} Here with u m ≥ r > 0: the descent on the teacher's side",
    falsifier="a point with u m > 0 and μ < 1 where -m ∂_m L is not positive",
)
def _overlap_drift_linear() -> Finding:
    push = (-m * diff(_loss("x"), m)).factor()
    gap, product = Symbol("gap", positive=True), Symbol("r", positive=True)
    return decided(
        "met",
        "-m ∂_m L = (1-μ) u m for x, so c = (1-μ) r",
        equal("-m ∂_m L", push, (1 - mu) * u * m),
        judged("for 1-μ > 0, u m = r > 0", push.subs({mu: 1 - gap, u: product / m}), positive),
    )


@assumption(
    "overlap-drift-cubic",
    "App. G, Assumption 2",
    "He_3 at μ = 1/5, below the singular strength, has -m ∂_m L < 0 at u = 1/10, m = 1/2",
    "not met",
    quote=_DRIFT,
    reading=f"{_DRIFT_READING} Here with u m > 0, as in overlap-drift-linear",
    falsifier="a positive value there; or a region, kept by the flow, that excludes such points",
)
def _overlap_drift_cubic() -> Finding:
    point = {mu: Rational(1, 5), u: Rational(1, 10), m: Rational(1, 2)}
    push = (-m * diff(_loss("He3"), m)).subs(point)
    return decided(
        "not met",
        "for small u, -m ∂_m L is a u m, and a < 0 below μ = 0.3207",
        judged("-m ∂_m L there", push, negative),
    )


@assumption(
    "convex-slice",
    "App. G, Assumption 3 (i)",
    "The slice loss is convex for He_n, n ≥ 2 (even n ≤ 8), erf, ReLU",
    "not met",
    quote=_CONVEX,
    reading=_SLICE,
    falsifier="a convex ℓ of one of them over the whole line",
)
def _convex_slice() -> Finding:
    p = Symbol("p", integer=True, positive=True)
    at_zero, at_one = (hermite_drift_limit(2 * p + 1, end)[0] for end in (0, 1))
    even = [
        judged(f"He_{n}: ℓ(0), between ℓ(-1) = ℓ(1) = 0", _risk(f"He{n}").subs(rho, 0), positive)
        for n in range(2, 9, 2)
    ]
    curvature = enclosure(ball_drift(closed_drift(Pair("erf"))).slope(arb(3)), 8)
    over = landscape_of("relu").loss
    relu = tuple(over.subs(rho, Rational(k, 2)).subs(residual, 0) for k in (-1, 0, 1))
    return decided(
        "not met",
        "odd n ≥ 3: ℓ' = -a turns from + to -; even n: ℓ(0) > 0 = ℓ(±1); erf: ℓ''(3) < 0; ReLU: "
        "a kink at 0",
        judged("a as ρ → 0, degree 2p+1: ℓ rises", at_zero, negative),
        judged("a as 1 - ρ → 0: ℓ falls", at_one, positive),
        *even,
        judged("erf: a' = -ℓ'' at ρ = 3", curvature, positive),
        judged("ReLU: ℓ at ρ = -1/2, 0, 1/2", relu, lambda at: at[1] > (at[0] + at[2]) / 2),
    )


@assumption(
    "convex-slice-linear",
    "App. G, Assumption 3 (i)",
    "The slice loss of x is convex with bounded sublevel sets; that of ReLU is where ρ > 0",
    "met",
    quote=_CONVEX,
    reading=f"{_SLICE} For ReLU this holds on a half-line alone: see convex-slice",
    falsifier="a curvature that is not positive",
)
def _convex_slice_linear() -> Finding:
    x, relu = _risk("x"), _risk("relu")
    return decided(
        "met",
        "ℓ = (1-ρ)²/2 and (1-ρ)²/4: of the activations here only x meets it on the whole line",
        equal("x: ℓ", x, (1 - rho) ** 2 / 2),
        judged("x: ℓ''", diff(x, rho, 2), positive),
        equal("ReLU, ρ > 0: ℓ", frozen_risk("relu"), (1 - mu) ** 2 / 4),
        judged("ReLU, ρ > 0: ℓ''", diff(relu, rho, 2).simplify(), positive),
    )


@assumption(
    "bounded-slice",
    "App. G, Assumption 3 (i)",
    "The sublevel sets of the slice loss are bounded for He_n (n = 1 to 8)",
    "met",
    quote=_BOUNDED,
    reading=f"{_SLICE} For polynomials at every level",
    falsifier="a leading term of ℓ of odd degree or not positive",
)
def _bounded_slice() -> Finding:
    steps: list[Step] = []
    for n in range(1, 9):
        risk = Poly(_risk(f"He{n}"), rho)
        steps += [
            judged(f"He_{n}: degree of ℓ, 2n", risk.degree(), partial(eq, 2 * n)),
            judged(f"He_{n}: its leading coefficient", risk.LC(), positive),
        ]
    return decided("met", "ℓ grows as ρ^2n on both sides", *steps)


@assumption(
    "bounded-slice-erf",
    "App. G, Assumption 3 (i)",
    "For erf at μ = 1/10 the students at least as good as the frozen one are a bounded set",
    "not met",
    quote=_BOUNDED,
    reading=f"{_SLICE} The relevant level is at most that at the start, ℓ(μ) but for 1/√d",
    falsifier="a level ℓ(∞) that is not below ℓ(1/10); or a level reached before the descent that "
    "is below it",
)
def _bounded_slice_erf() -> Finding:
    risk = frozen_risk("erf")
    far = risk.rewrite(asin).replace(asin, lambda argument: asin(limit(argument, mu, oo)))
    return decided(
        "not met",
        "erf(ρ z) tends to the sign of z, which fits better than a weak erf(z/10)",
        shown("ℓ(∞)", far),
        judged("ℓ(1/10) - ℓ(∞)", risk.subs(mu, Rational(1, 10)) - far, positive),
    )


@assumption(
    "scaling-symmetry",
    "App. G, Assumption 3 (ii)",
    "σ(c z) = σ(z) for all z only if c = 1, or c = -1 and σ is even (x, He_2 to He_8, erf, ReLU)",
    "met",
    quote="No nontrivial scaling symmetries. If there exists […] such that […] for all […], then "
    "[…].",
    reading="c is real, and the conclusion c = ±1. sign(z), which any c > 0 leaves as it is, does "
    "not meet it; it has no gradient and is outside the model",
    falsifier="another c for one of these",
)
def _scaling() -> Finding:
    factor = Symbol("c", real=True)
    steps = []
    for n in range(1, 9):
        shape = hermite_polynomial(n, z)
        gap = Poly(shape.subs(z, factor * z) - shape, z)
        common = {root for root in solve(gap.all_coeffs()[0], factor) if root.is_real}
        fitting = tuple(sorted(r for r in common if gap.subs(factor, r).as_expr().expand() == 0))
        wanted = (1,) if n % 2 else (-1, 1)
        steps.append(judged(f"He_{n}: all c", fitting, partial(eq, wanted)))
    erf = parse_activation("erf").value.smooth
    ratio = diff(erf.subs(z, factor * z), z).subs(z, 0) / diff(erf, z).subs(z, 0)
    relu = tuple(side.subs(z, factor) for side in parse_activation("relu").value.sides())
    return decided(
        "met",
        "the highest powers, the slopes at 0 or the values at 1 already differ",
        *steps,
        equal("erf: slope of σ(c z) over that of σ at z = 0", ratio, factor),
        judged("ReLU: σ(c) for c > 0 and c < 0, to be 1", relu, lambda at: at == (factor, 0)),
    )


@assumption(
    "realisable-slice",
    "App. G, Assumption 3 (iii)",
    "On both slices m = ±1 the loss reaches 0, at u = ±(1-μ) (x, He_2 to He_5, ReLU, erf)",
    "met",
    quote="Realizability on the slice. For each […], the minimum is attained at zero loss: […].",
    reading=f"{_SLICE} It follows from matched activations",
    falsifier="a matched pair whose loss does not vanish there",
)
def _realisable() -> Finding:
    steps = []
    for text in ("x", "He2", "He3", "He4", "He5", "relu", "erf"):
        loss = landscape_of(text).loss
        for side in (1, -1):
            place = {u: side * (1 - mu), m: side}
            here = {name: value.subs(place).expand() for name, value in _HERE.items()}
            steps.append(equal(f"{text}: loss at m = {side}", loss.subs(here), 0))
    return decided("met", "there ρ = μ + u m = 1 and Q = ρ²", *steps)


@claim(
    "slice-minimisers",
    "App. G, proof of Prop. 5",
    "ℓ vanishes at ρ = 1 alone, or at ρ = ±1 for even σ: u = ±(1-μ), u = ±(1+μ) (He_1 to He_8)",
    "proved",
    quote="If […] is not even, the identity […] fails, so the case […] is impossible, and the only "
    "minimizer is […]. If […] is even, both are admissible, yielding the two minimizers […] and "
    "[…].",
    reading="the identity is σ(-z) = σ(z). The minimisers on the slice m = s are u = (1-μ)/s and, "
    "for even σ, u = -(1+μ)/s",
    falsifier="another real zero of ℓ",
)
def _minimisers() -> Finding:
    steps = []
    for n in range(1, 9):
        risk = Poly(_risk(f"He{n}"), rho)
        ends = (1,) if n % 2 else (1, -1)
        steps += [equal(f"He_{n}: ℓ at ρ = {end}", risk.eval(end), 0) for end in ends]
        count = int(risk.sqf_part().count_roots())
        steps.append(judged(f"He_{n}: its real zeros", count, partial(eq, len(ends))))
    return decided("proved", "by Sturm's theorem; ℓ ≥ 0, so its zeros are its minima", *steps)


@claim(
    "slice-limit",
    "App. G, Prop. 5",
    "For x, if m tends to s = ±1 as s (1 - C e^(-ct)), u tends to s (1-μ), the minimiser",
    "proved",
    quote="Then […] converges to a global minimizer of the slice loss […].",
    reading="Prop. 5 for the one activation here that meets Assumption 3 on the whole line; the "
    "approach of m is what Prop. 4 bounds. Of others see descent and matched-recovery",
    falsifier="a start u₀, C or c > 0 from which u tends elsewhere",
    units="time in 1/γ",
)
def _slice_limit() -> Finding:
    t, c = symbols("t c", positive=True)
    kept, size, side = symbols("k C s", real=True)
    velocity = (-diff(_loss("x"), u)).expand()
    approach = side * (1 - size * exp(-c * t))
    path = side * (1 - mu) * (1 - size * exp(-c * t) / (1 - c)) + kept * exp(-t)
    return decided(
        "proved",
        "u̇ = (1-μ) m - u, solved for every start (by k), C and rate c other than 1",
        equal("u̇ of x", velocity, (1 - mu) * m - u),
        equal("its solution", diff(path, t), velocity.subs({u: path, m: approach})),
        equal("limit of that as t → ∞", limit(path, t, oo), side * (1 - mu)),
    )


@claim(
    "even-minimisers",
    "App. G, Remark 4",
    "Under convexity an even activation may have two global minimisers, u = ±1 - μ",
    "refuted",
    quote="Convexity in Assumption 3 is not assumed to be strict; in particular, when […] is even, "
    "the slice loss may admit two global minimizers.",
    reading="two minimisers they have; what is refuted is that Assumption 3 can hold with them. "
    "σ is even and not constant",
    falsifier="an even σ, not constant, with ½ E(σ(z) - σ(0))² = 0",
)
def _even_minimisers() -> Finding:
    c0, value = Symbol("c_0"), Symbol("sigma_0", real=True)
    spread = Symbol("variance", positive=True)
    middle = (spread + (c0 - value) ** 2) / 2
    steps = []
    for n in (2, 4, 6, 8):
        at_zero = hermite_polynomial(n, z).subs(z, 0)
        here = middle.subs({spread: factorial(n), c0: 0, value: at_zero})
        steps += [
            equal(f"He_{n}: ℓ(0)", _risk(f"He{n}").subs(rho, 0), here),
            judged(f"He_{n}: its sign", here, positive),
        ]
    return refuted_if(
        "a convex ℓ with minima at ρ = ±1 would vanish midway; ℓ(0) is ½ E(σ(z) - σ(0))² > 0",
        shown("ℓ(0), with c_0 = E σ(z)", middle),
        judged("cos: ℓ(0)", _risk("cos").subs(rho, 0), positive),
        *steps,
    )


@ours(
    "assumed-and-singular",
    "App. G, Assumption 3 (i), Prop. 2",
    "Where ℓ is convex and least at ρ = 1, a > 0 on (0, 1): no singular strength",
    "proved",
    reading="Assumption 3 and Prop. 2 exclude each other: the descent results do not cover any "
    "activation whose search phase is singular",
    falsifier="a pair whose a is not -ℓ'",
)
def _convex_is_regular() -> Finding:
    texts = ("x", "relu", "erf", "He2", "He3", "He4", "He5")
    return decided(
        "proved",
        "ℓ' = -a, which a convex ℓ keeps negative before its minimum, if that is the only one",
        *[equal(f"{t}: -ℓ' and a", -diff(frozen_risk(t), mu), closed_drift(t).a) for t in texts],
    )
