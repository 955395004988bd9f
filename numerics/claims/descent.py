"""Claims on the descent phase: what the student converges to (App. A, G)."""

from flint import arb
from sympy import Expr, Function, Matrix, Rational, Symbol, diff, exp, expand, factorial, simplify
from sympy.core.logic import fuzzy_and

from derive.escape import hermite_drift_limit
from derive.grammar import parse_activation
from derive.hermite import hermite_polynomial
from derive.loss import population_loss
from derive.pair import Pair
from derive.pair_drift import closed_drift
from derive.risk import frozen_risk
from derive.symbols import Q, m, mu, rho, u, z
from numerics.certified.balls import enclosure
from numerics.certified.drift import ball_drift
from numerics.claims.ledger import (
    Finding,
    claim,
    decided,
    equal,
    judged,
    negative,
    positive,
    refuted_if,
    shown,
)
from numerics.dynamics.flow import flow_of, integrate

_STATISTICS = {Q: mu**2 + u**2 + 2 * mu * u * m, rho: mu + u * m}


def _hermite_loss(n: int) -> Expr:
    """The loss of the matched Hermite pair in ``u`` and ``m``."""
    polynomial = hermite_polynomial(n, z)
    return expand(population_loss(polynomial, polynomial, z).expression.subs(_STATISTICS))


@claim("lyapunov", "App. G, (92)", "The population loss decreases along the flow", "proved")
def _lyapunov() -> Finding:
    loss = Function("L")(u, m)
    by_u, by_m = diff(loss, u), diff(loss, m)
    rate = by_u * -by_u + by_m * (-(1 - m**2) * by_m)
    return decided(
        "proved",
        "dL/dt = -(∂_u L)² - (1-m²)(∂_m L)², for any loss",
        equal("∂_u L u̇ + ∂_m L ṁ", rate, -(by_u**2) - (1 - m**2) * by_m**2),
    )


@claim(
    "overlap-decay",
    "Prop. 4",
    "Where -m ∂_m L ≥ c > 0, 1 - m² falls at least as e^(-2ct)",
    "proved",
)
def _overlap_decay() -> Finding:
    t, c = Symbol("t"), Symbol("c", positive=True)
    loss = Function("L")(u, m)
    rest = 1 - m**2
    rate = diff(rest, m) * (-rest * diff(loss, m))
    bound = exp(-2 * c * t)
    return decided(
        "proved",
        "d/dt (1-m²) = 2 m ∂_m L (1-m²), for any loss; the inequality integrates",
        equal("d/dt (1-m²) over 1-m²", simplify(rate / rest), 2 * m * diff(loss, m)),
        equal("the bound's own rate", simplify(diff(bound, t) / bound), -2 * c),
    )


@claim(
    "global-minimum",
    "App. A, (14)",
    "The loss vanishes at ρ = 1, m = 1, u = 1 - μ, for every strength (He_1 to He_6)",
    "proved",
)
def _global_minimum() -> Finding:
    steps = []
    for n in range(1, 7):
        loss = _hermite_loss(n)
        steps.append(equal(f"He_{n}: loss", loss.subs({u: 1 - mu, m: 1}), 0))
        if n % 2 == 0:
            steps.append(equal(f"He_{n}: at ρ = -1", loss.subs({u: -1 - mu, m: 1}), 0))
    return decided("proved", "also at ρ = -1 for even degrees; symbolic μ", *steps)


@claim(
    "descent",
    "Prop. 4, 5",
    "In the descent phase 1 - m² falls exponentially and u → 1 - μ (matched, not even)",
    "supported",
)
def _descent() -> Finding:
    steps = [shown("flow", {"mu": 0.4, "start (u, m)": "0.05, 0.05", "time": "60 τ"})]
    for text in ("x", "erf", "relu"):
        flow = flow_of(Pair(text), 0.4)
        horizon = 60 / flow.rate()
        u_end, m_end = integrate(flow, [0.05, 0.05], horizon).at(horizon)
        steps.append(judged(f"{text}: last u and m", {"u": float(u_end), "m": float(m_end)}, _fits))
    return decided("supported", "flow, x, erf, ReLU: u and m within 1e-3 of 1 - μ and 1", *steps)


def _fits(end: dict[str, float]) -> bool:
    return abs(end["u"] - 0.6) < 1e-3 and abs(end["m"] - 1) < 1e-3


@claim(
    "convex-slice",
    "App. G, Assumption 3 (i)",
    "The slice loss ℓ(ρ) of a matched activation is convex: He_n, n ≥ 2, and erf",
    "refuted",
)
def _convex_slice() -> Finding:
    p = Symbol("p", integer=True, positive=True)
    at_zero, at_one = (hermite_drift_limit(2 * p + 1, end)[0] for end in (0, 1))
    curvature = enclosure(ball_drift(closed_drift(Pair("erf"))).slope(arb(3)), 8)
    steps = [
        judged(
            f"He_{n}: ℓ(0), between ℓ(-1) = ℓ(1) = 0",
            frozen_risk(Pair(f"He{n}")).subs(mu, 0),
            positive,
        )
        for n in range(2, 9, 2)
    ]
    return refuted_if(
        "odd n ≥ 3: ℓ' = -a turns from + to -; even n ≤ 8: ℓ(0) > 0 = ℓ(±1); erf: ℓ''(3) < 0",
        judged("a as ρ → 0, degree 2p+1: ℓ rises", at_zero, negative),
        judged("a as 1 - ρ → 0: ℓ falls", at_one, positive),
        *steps,
        judged("erf: a' = -ℓ'' at ρ = 3", curvature, positive),
    )


@claim(
    "even-minimisers",
    "App. G, Remark 4",
    "Under convexity an even activation may have two global minimisers, u = ±1 - μ",
    "refuted",
)
def _even_minimisers() -> Finding:
    c0, power, value = Symbol("c_0"), Symbol("P", positive=True), Symbol("sigma_0", real=True)
    middle = (power - 2 * value * c0 + value**2) / 2
    spread = Symbol("variance", positive=True)
    at_middle = middle.subs(power, spread + c0**2)
    return refuted_if(
        "a convex slice would vanish midway, at ρ = 0; there it is ½ E(σ(z) - σ(0))² > 0",
        shown("ℓ(0) = ½ E(σ(z) - σ(0))² with c_0 = E σ, P = E σ²", middle),
        equal("is half the variance and a square", at_middle, (spread + (c0 - value) ** 2) / 2),
        judged("He_2: ℓ(0)", frozen_risk(Pair("He2")).subs(mu, 0), positive),
    )


@claim(
    "matched-recovery",
    "Sec. 2.2, App. G, Remark 5",
    "Once matched students leave the search phase they recover the teacher",
    "refuted",
)
def _matched_recovery() -> Finding:
    steps = []
    for n in (3, 5, 7):
        loss = _hermite_loss(n)
        velocity = (-diff(loss, u), -(1 - m**2) * diff(loss, m))
        place = {u: -mu, m: 1}
        jacobian = Matrix(2, 2, lambda i, j, f=velocity, at=place: diff(f[i], (u, m)[j]).subs(at))
        jacobian = jacobian.applyfunc(expand)
        at_rest = tuple(expand(f.subs(place)) for f in velocity)
        steps += [
            judged(f"He_{n}: velocity at u = -μ, m = 1", at_rest, lambda v: v == (0, 0)),
            judged(f"He_{n}: Jacobian there, triangular", jacobian.as_immutable(), _stable),
            equal(f"He_{n}: loss there", loss.subs(place), factorial(n) / 2),
        ]
    flow = flow_of(Pair("He3"), 0.2)
    horizon = 40 / flow.rate()
    end = integrate(flow, [0.03, 0.03], horizon).at(horizon)
    reached = {"u": float(end[0]), "m": float(end[1]), "loss": float(flow.loss(end))}
    return refuted_if(
        "u = -μ, m = 1, a student that is 0, attracts He_3, He_5, He_7; so ends He_3 at μ = 0.2",
        *steps,
        judged("He_3 at μ = 0.2: end of the flow", reached, lambda at: at["loss"] > 2.9),
    )


def _stable(jacobian: Matrix) -> bool | None:
    """Whether a matrix is triangular with a negative diagonal."""
    entries = (jacobian[0, 0], jacobian[1, 1])
    known: bool | None = fuzzy_and([jacobian[1, 0] == 0, *(e.is_negative for e in entries)])
    return known


@claim(
    "mismatch",
    "App. G, Remark 5",
    "With mismatched activations the best student need not have ρ = 1",
    "proved",
)
def _mismatch() -> Finding:
    pair = Pair(parse_activation("relu"), parse_activation("x"))
    risk = frozen_risk(pair)
    return decided(
        "proved",
        "teacher ReLU, student x: the loss along ω⋆ is least at ρ = 1/2",
        shown("loss along the teacher's direction, with μ for ρ", risk),
        equal("its slope", diff(risk, mu), mu - Rational(1, 2)),
        judged("its curvature", diff(risk, mu, 2), positive),
    )
