"""The assumptions that the descent phase rests on, and who meets them (App. G)."""

from functools import partial
from operator import eq

from flint import arb
from sympy import Expr, Poly, Rational, Symbol, asin, diff, limit, oo, pi, solve, sqrt, symbols

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
from numerics.claims.ledger import Finding, Step, assumption, equal, judged, ours, shown
from numerics.claims.setting import COVARIANCE, HERE, VARIANCE, loss_of
from numerics.claims.signs import negative, positive

_DRIFT = "There exist […] and […] such that, for all […] with […]"
_DRIFT_READING = (
    "what the proof of Prop. 4 uses: constants c > 0 and m₀ with -sign(m) ∂_m L ≥ c wherever |m| "
    "≥ m₀."
)
_CONVEX = (
    "Convex slice with bounded sublevel sets (no escape to infinity). For each […], the map […] is "
    "convex."
)
_BOUNDED = (
    "for the relevant loss level (with […] as in Proposition 5), the sublevel set […] is bounded."
)
_SLICE = (
    "the slice is m = ±1, where the loss is the frozen model's ℓ at the covariance ρ = μ + u m, "
    "over the whole line."
)


def matched_risk(text: str) -> Expr:
    """The slice loss ℓ of a matched pair, over ρ."""
    return frozen_risk(Pair(text)).subs(mu, rho)


@ours.proved(
    "App. G, Assumption 2",
    "The condition of Assumption 2 has to keep u away from 0: there ∂_m L vanishes for every L(Q, "
    "ρ)",
    quote=_DRIFT,
    reading=f"{_DRIFT_READING} The conditions are lost in our copy: they may exclude u = 0, as the "
    "readings of overlap-drift-linear and overlap-drift-cubic do",
    falsifier="a loss of Q and ρ with a slope by m at u = 0",
)
def _overlap_drift() -> Finding:
    by_q, by_rho = symbols("L_Q L_rho", real=True)
    slope = by_q * diff(VARIANCE, m) + by_rho * diff(COVARIANCE, m)
    return Finding(
        "∂_m L = u (2μ L_Q + L_ρ) for every L(Q, ρ): without u the direction does not matter",
        equal("∂_m L for any loss L(Q, ρ)", slope, u * (2 * mu * by_q + by_rho)),
        judged("it vanishes at u = 0", slope.subs(u, 0), lambda value: value == 0),
        *[
            judged(f"{text}: ∂_m L at u = 0", diff(loss_of(text), m).subs(u, 0), lambda v: v == 0)
            for text in ("x", "He3")
        ],
    )


@assumption.met(
    "App. G, Assumption 2",
    "-m ∂_m L ≥ c > 0 where u m ≥ r > 0, for x at every μ < 1: c = (1-μ) r",
    quote=_DRIFT,
    reading=f"{_DRIFT_READING} Here with u m ≥ r > 0: the descent on the teacher's side",
    falsifier="a point with u m > 0 and μ < 1 where -m ∂_m L is not positive",
)
def _overlap_drift_linear() -> Finding:
    push = (-m * diff(loss_of("x"), m)).factor()
    gap, product = Symbol("gap", positive=True), Symbol("r", positive=True)
    return Finding(
        "-m ∂_m L = (1-μ) u m for x, so c = (1-μ) r",
        equal("-m ∂_m L", push, (1 - mu) * u * m),
        judged(
            "that with a gap 1-μ > 0 and u m = r > 0",
            push.subs({mu: 1 - gap, u: product / m}),
            positive,
        ),
    )


@assumption.not_met(
    "App. G, Assumption 2",
    "-m ∂_m L > 0 where |m| ≥ m₀ and u m > 0, for He_3 at μ = 1/5 and some m₀ < 1",
    quote=_DRIFT,
    reading=f"{_DRIFT_READING} Here with u m > 0, on the teacher's side. μ = 1/5 is below the "
    "singular strength 0.3207",
    falsifier="a positive limit of -∂_m L/u as u → 0; or a region, kept by the flow, that excludes "
    "such points",
)
def _overlap_drift_cubic() -> Finding:
    strength, place = {mu: Rational(1, 5)}, {u: Rational(1, 10), m: Rational(1, 2)}
    push = (-m * diff(loss_of("He3"), m)).subs(strength)
    ratio = (push / (u * m)).cancel().subs(u, 0)
    return Finding(
        "for small u, -m ∂_m L is a u m, whatever m is, and a < 0 below μ = 0.3207",
        equal("-∂_m L/u as u → 0 is a, whatever m is", ratio,
              closed_drift(Pair("He3")).derived_a.subs(strength)),
        judged(f"it is negative at μ = {strength[mu]}", ratio, negative),
        judged(f"-m ∂_m L at u = {place[u]}, m = {place[m]}", push.subs(place), negative),
    )  # fmt: skip


@assumption.not_met(
    "App. G, Assumption 3 (i)",
    "The slice loss is convex over the whole line for He_n, n ≥ 2 (even n ≤ 8), erf, ReLU",
    quote=_CONVEX,
    reading=f"{_SLICE} That of ReLU is convex where ρ > 0, (1-ρ)²/4, and so is no obstacle to a "
    "descent that stays there",
    falsifier="a convex ℓ of one of them over the whole line",
)
def _convex_slice() -> Finding:
    p = Symbol("p", integer=True, positive=True)
    at_zero, at_one = (hermite_drift_limit(2 * p + 1, end)[0] for end in (0, 1))
    even = [
        judged(
            f"He_{n}: ℓ(0) is above ℓ(-1) = ℓ(1) = 0, so that ℓ is not convex",
            matched_risk(f"He{n}").subs(rho, 0),
            positive,
        )
        for n in range(2, 9, 2)
    ]
    curvature = enclosure(ball_drift(closed_drift(Pair("erf"))).slope(arb(3)), 8)
    over, ends = landscape_of("relu").loss, (-Rational(1, 2), Rational(1, 2))
    places = (ends[0], sum(ends) / 2, ends[1])
    relu = tuple(over.subs(rho, place).subs(residual, 0) for place in places)
    return Finding(
        "odd n ≥ 3: ℓ' = -a turns from + to -; even n: ℓ(0) > 0 = ℓ(±1); erf: ℓ''(3) < 0; ReLU: a "
        "kink at 0",
        judged(
            "degree 2p+1: a = -ℓ' as ρ → 0, so that ℓ rises; coefficient, exponent of ρ",
            at_zero,
            negative,
        ),
        judged("a as ρ → 1, so that ℓ falls; coefficient, exponent of 1 - ρ", at_one, positive),
        *even,
        judged("erf: a' = -ℓ'' at ρ = 3 is positive, so that ℓ is not convex", curvature, positive),
        judged(
            f"ReLU: ℓ at ρ = {', '.join(map(str, places))}; the middle one lies above the mean of "
            "the others",
            relu,
            lambda at: at[1] > (at[0] + at[2]) / 2,
        ),
        equal("ReLU: ℓ where ρ > 0", frozen_risk("relu"), (1 - mu) ** 2 / 4),
    )


@assumption.met(
    "App. G, Assumption 3 (i)",
    "The slice loss is convex over the whole line for x",
    quote=_CONVEX,
    reading=f"{_SLICE} Its sublevel sets are bounded: see bounded-slice",
    falsifier="a second slope that is not positive",
)
def _convex_slice_linear() -> Finding:
    x = matched_risk("x")
    return Finding(
        "ℓ = (1-ρ)²/2: of the activations here only x meets it",
        equal("the slice loss ℓ(ρ) of x", x, (1 - rho) ** 2 / 2),
        judged("its second slope", diff(x, rho, 2), positive),
    )


@assumption.met(
    "App. G, Assumption 3 (i)",
    "The sublevel sets of the slice loss are bounded for He_n (n = 1 to 8)",
    quote=_BOUNDED,
    reading=f"{_SLICE} For polynomials at every level",
    falsifier="a leading term of ℓ of odd degree or not positive",
)
def _bounded_slice() -> Finding:
    steps: list[Step] = []
    for n in range(1, 9):
        risk = Poly(matched_risk(f"He{n}"), rho)
        steps += [
            judged(
                f"He_{n}: the degree of the slice loss ℓ(ρ) is 2n",
                risk.degree(),
                partial(eq, 2 * n),
            ),
            judged(f"He_{n}: its leading coefficient", risk.LC(), positive),
        ]
    return Finding("ℓ grows as ρ^2n on both sides", *steps)


@assumption.not_met(
    "App. G, Assumption 3 (i)",
    "For erf the sublevel set of the slice loss at the start's level is bounded, at every μ < 1",
    quote=_BOUNDED,
    reading=f"{_SLICE} The start's level is ℓ(μ), but for 1/√d. It is not met at μ = 1/10; it is "
    "from μ ≈ 0.177 on, for there the start is better than any student of infinite size",
    falsifier="a level ℓ(∞) that is not below ℓ(1/10); or a level reached before the descent that "
    "is below it",
)
def _bounded_slice_erf() -> Finding:
    risk = frozen_risk("erf")
    far = risk.rewrite(asin).replace(asin, lambda argument: asin(limit(argument, mu, oo)))
    root, other = sqrt(1 + 4 * mu**2), mu * sqrt(3 + 2 * mu**2)
    return Finding(
        "erf(ρ z) tends to the sign of z, which fits better than a weak erf(z/10)",
        shown("the slice loss ℓ as ρ → ∞", far),
        *[
            judged(f"ℓ({at}) - ℓ(∞)", risk.subs(mu, Rational(at)) - far, test)
            for at, test in (("1/10", positive), ("0.176", positive), ("0.177", negative))
        ],
        equal(
            "-ℓ', times what is positive",
            -diff(risk, mu) * pi * (1 + 2 * mu**2) * root * other / (4 * mu),
            root - other,
        ),
        equal(
            "ℓ falls on (0, 1): difference of the squares",
            root**2 - other**2,
            ((1 - mu**2) * (1 + 2 * mu**2)).expand(),
        ),
    )


@assumption.met(
    "App. G, Assumption 3 (ii)",
    "σ(c z) = σ(z) for all z only if c = 1, or c = -1 and σ is even (x, He_2 to He_8, erf, ReLU)",
    quote="No nontrivial scaling symmetries. If there exists […] such that […] for all […], then "
    "[…].",
    reading="c is real, and the conclusion c = ±1. sign(z), which any c > 0 leaves as it is, does "
    "not meet it; it has no gradient and is outside the model",
    falsifier="another c for one of these",
)
def _scaling_symmetry() -> Finding:
    factor = Symbol("c", real=True)
    steps = []
    for n in range(1, 9):
        shape = hermite_polynomial(n, z)
        gap = Poly(shape.subs(z, factor * z) - shape, z)
        common = {root for root in solve(gap.all_coeffs()[0], factor) if root.is_real}
        fitting = tuple(sorted(r for r in common if gap.subs(factor, r).as_expr().expand() == 0))
        wanted = (1,) if n % 2 else (-1, 1)
        steps.append(judged(f"He_{n}: every c with σ(c z) = σ(z)", fitting, partial(eq, wanted)))
    erf = parse_activation("erf").value.smooth
    ratio = diff(erf.subs(z, factor * z), z).subs(z, 0) / diff(erf, z).subs(z, 0)
    relu = tuple(side.subs(z, factor) for side in parse_activation("relu").value.pieces[::-1])
    return Finding(
        "the highest powers, the slopes at 0 or the values at 1 already differ",
        *steps,
        equal("erf: slope of σ(c z) at z = 0 over that of σ(z), which has to be 1", ratio, factor),
        judged(
            "ReLU: σ(c) for c > 0 and c < 0, which has to be σ(1) = 1",
            relu,
            lambda at: at == (factor, 0),
        ),
    )


@assumption.met(
    "App. G, Assumption 3 (iii)",
    "On both slices m = ±1 the loss reaches 0, at u = ±(1-μ) (x, He_2 to He_5, ReLU, erf)",
    quote="Realizability on the slice. For each […], the minimum is attained at zero loss: […].",
    reading=f"{_SLICE} It follows from matched activations",
    falsifier="a matched pair whose loss does not vanish there",
)
def _realisable_slice() -> Finding:
    steps = []
    for text in ("x", "He2", "He3", "He4", "He5", "relu", "erf"):
        loss = landscape_of(text).loss
        for side in (1, -1):
            place = {u: side * (1 - mu), m: side}
            here = {name: value.subs(place).expand() for name, value in HERE.items()}
            steps.append(equal(f"{text}: loss at m = {side}", loss.subs(here), 0))
    return Finding("there ρ = μ + u m = 1 and Q = ρ²", *steps)
