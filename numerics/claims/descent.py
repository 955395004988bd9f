"""Claims on the descent phase: what the student converges to (App. A, G)."""

from itertools import pairwise
from typing import Any

from flint import arb
from sympy import Expr, Integer, Rational, Symbol, diff, exp, factorial, pi, solve, sqrt, symbols

from derive.hermite import gaussian_mean, hermite_coefficients, hermite_polynomial
from derive.landscape import landscape_of
from derive.risk import frozen_risk
from derive.symbols import Q, m, mu, residual, rho, u, z
from numerics.certified.balls import Bounds, bounds
from numerics.certified.basins import Sink, fate
from numerics.certified.flow import ball_flow, disc
from numerics.certified.integrator import passage, steps
from numerics.claims.ledger import Finding, claim, equal, judged, ours, shown
from numerics.claims.population_loss import hermite_loss
from numerics.claims.setting import COVARIANCE, VARIANCE
from numerics.claims.signs import positive

_STATISTICS = {Q: VARIANCE, rho: COVARIANCE}


def matched_loss(n: int) -> Expr:
    """The loss of the matched Hermite pair in ``u`` and ``m``."""
    return hermite_loss(n).expression.subs(_STATISTICS).expand()


def _flow(by_q: Expr, by_rho: Expr) -> tuple[Expr, Expr]:
    """u̇ and ṁ as ``numerics.dynamics.flow`` integrates them, for slopes of L(Q, ρ) at the state.

    It takes them from ``a(ρ, s)``, ``b(ρ, s)``, the slopes over (ρ, s), ``Q = s + ρ²``.
    """
    a = -(by_rho + 2 * _STATISTICS[rho] * by_q)
    b = -2 * by_q
    return a * m + b * u * (1 - m**2), (1 - m**2) * (a * u - b * u**2 * m)


def _slopes(by_q: Expr, by_rho: Expr) -> tuple[Expr, Expr]:
    """∂_u L and ∂_m L by the chain rule through Q(u, m) and ρ(u, m)."""
    by_u, by_m = (
        by_q * diff(_STATISTICS[Q], x) + by_rho * diff(_STATISTICS[rho], x) for x in (u, m)
    )
    return by_u, by_m


@claim.proved(
    "App. G, (91), (92)",
    "The population loss decreases along the flow",
    quote="Equation (92) shows that the dynamics monotonically decrease the population loss.",
    reading="(92) is dL/dt = -(∂_u L)² - (1-m²)(∂_m L)² ≤ 0, with equality if and only if ∂_u L = "
    "0 and, besides, m² = 1 or ∂_m L = 0",
    falsifier="a loss L(Q, ρ) whose rate along the flow is not that",
)
def _lyapunov() -> Finding:
    by_q, by_rho = symbols("L_Q L_rho", real=True)
    (up, down), (by_u, by_m) = _flow(by_q, by_rho), _slopes(by_q, by_rho)
    steps = []
    for text in ("x", "relu", "erf", "He3"):
        loss, a, b = landscape_of(text).derived
        steps += [
            equal(f"{text}: a at any state, and -∂L/∂ρ", a, -diff(loss, rho)),
            equal(
                f"{text}: b at any state, and -2 ∂L/∂s, s = Q - ρ²",
                b,
                -2 * diff(loss, residual),
            ),
        ]
    return Finding(
        "for any loss L(Q, ρ), along the flow that is integrated here",
        equal("u̇, from the slopes over (ρ, s), and -∂L/∂u", up, -by_u),
        equal("ṁ, likewise, and -(1-m²) ∂L/∂m", down, -(1 - m**2) * by_m),
        equal(
            "dL/dt = ∂L/∂u u̇ + ∂L/∂m ṁ, which is nowhere positive",
            by_u * up + by_m * down,
            -(by_u**2) - (1 - m**2) * by_m**2,
        ),
        *steps,
    )


@claim.proved(
    "Prop. 4",
    "Where -m ∂_m L ≥ c > 0, 1 - m² falls at least as e^(-2ct)",
    quote="Hence […] exponentially fast as […], and the sign of […] cannot change after […].",
    reading="under Assumption 2; constants are renamed in the text, so c stands for any of them. "
    "Of the sign see overlap-sign",
    falsifier="a rate of (1-m²) e^(2ct) that may be positive there",
    units="time in 1/γ",
)
def _overlap_decay() -> Finding:
    by_q, by_rho, t = symbols("L_Q L_rho t", real=True)
    c, excess = Symbol("c", positive=True), Symbol("excess", nonnegative=True)
    rate = diff(1 - m**2, m) * _flow(by_q, by_rho)[1]
    by_m = _slopes(by_q, by_rho)[1]
    grown = (1 - m**2) * exp(2 * c * t)
    change = diff(grown, t) + diff(grown, m) * _flow(by_q, by_rho)[1]
    assumed = solve(-m * by_m - c - excess, by_rho)[0]
    relative = (change / grown).subs(by_rho, assumed).simplify()
    return Finding(
        "for any L(Q, ρ): (1-m²) e^(2ct) does not grow where -m ∂_m L = c + excess",
        equal("d/dt (1-m²), and 2 m ∂_m L (1-m²)", rate, 2 * m * by_m * (1 - m**2)),
        equal("d/dt log((1-m²) e^(2ct)) where -m ∂_m L is c and an excess", relative, -2 * excess),
        judged("it is not positive", relative, lambda rate: rate.is_nonpositive),
    )


@claim.proved(
    "App. G.1",
    "Where -m ∂_m L ≥ c > 0, m² grows, so that m keeps its sign",
    quote="since […] and the drift always pushes away from zero in the region […], we have […] and "
    "[…] for all […].",
    reading="in the region of Assumption 2: |m| does not fall back below m₀",
    falsifier="a negative rate of m² there",
)
def _overlap_sign() -> Finding:
    by_q, by_rho = symbols("L_Q L_rho", real=True)
    c, inside = Symbol("c", positive=True), Symbol("one_minus_m2", positive=True)
    rate = diff(m**2, m) * _flow(by_q, by_rho)[1]
    assumed = solve(-m * _slopes(by_q, by_rho)[1] - c, by_rho)[0]
    least = rate.subs(by_rho, assumed).simplify()
    return Finding(
        "for any L(Q, ρ): d/dt m² is at least 2c (1-m²)",
        equal("d/dt m² where -m ∂_m L = c", least, 2 * c * (1 - m**2)),
        judged(
            "it is positive where 1 - m² is", (least / (1 - m**2)).simplify() * inside, positive
        ),
    )


@claim.proved(
    "App. A, (14)",
    "The loss vanishes exactly where Q = ρ² and ρ = 1, or -1 for even n, at every μ (He_1 to He_8)",
    quote="Notably, at the global minimum—regardless of the activation function or the value of "
    "[…]—this quantity always equals […] (or […] for even activations) in the scenario […].",
    reading="alignment-at-minimum degree by degree, and the converse, from the loss of derive; the "
    "quantity is ρ = μ + u m, its values 1 and ±1, the scenario φ = σ",
    falsifier="another (Q, ρ), ρ² ≤ Q, at which the loss vanishes",
)
def _global_minimum() -> Finding:
    steps = []
    for n in range(1, 9):
        polynomial = hermite_polynomial(n, z)
        loss = hermite_loss(n).expression
        here, there = (hermite_coefficients(polynomial, z, at) for at in (Q, Integer(1)))
        squares = [
            ((y - x * rho**k) ** 2 + x**2 * (Q**k - rho ** (2 * k))) / (2 * factorial(k))
            for k, (x, y) in enumerate(zip(here, there, strict=True))
        ]
        steps += [
            equal(f"He_{n}: L is a sum of terms that are nowhere negative", loss, sum(squares)),
            equal(f"He_{n}: the last of them over n!/2, which is 0 only if ρ^n = 1 and Q = ρ²",
                  2 * squares[n] / factorial(n),
                  (1 - rho**n) ** 2 + Q**n - rho ** (2 * n)),
            equal(f"He_{n}: L at Q = ρ = 1", loss.subs({Q: 1, rho: 1}), 0),
            equal(f"He_{n}: L at Q = 1, ρ = -1", loss.subs({Q: 1, rho: -1}),
                  factorial(n) * (1 - (-1) ** n)),
        ]  # fmt: skip
    evidence = "terms (c_k(1) - c_k(Q) ρ^k)² and c_k(Q)² (Q^k - ρ^2k) over 2 k!, and ρ² ≤ Q"
    return Finding(evidence, *steps)


@ours.proved(
    "App. G, Prop. 4, 5",
    "At the teacher 1-m² decays at 2(1-μ)² E φ'(z)², and u on m² = 1 at E (zφ'(z))² (x, He_2 to "
    "He_5, ReLU, erf)",
    reading="the exponential recovery, near the teacher, with the rates of its two directions: off "
    "m² = 1 the slower one carries u, too. The first falls to 0 as μ → 1. From how far a run is "
    "drawn there, this does not say",
    falsifier="a matched pair with another rate",
    units="rates in γ",
)
def _teacher_attracts() -> Finding:
    rates: dict[str, tuple[Expr, Expr]] = {
        "x": (Integer(1), Integer(1)),
        "relu": (Rational(1, 2), Rational(1, 2)),
        "erf": (4 / (pi * sqrt(5)), 4 / (5 * pi * sqrt(5))),
    }  # E (2/√π)² e^(-2z²), without and with z²
    for n in range(2, 6):
        slope = n * hermite_polynomial(n - 1, z)
        rates[f"He{n}"] = gaussian_mean(slope**2, z), gaussian_mean((z * slope) ** 2, z)
    steps = []
    for text, (square, weighted) in rates.items():
        a, b = (f.subs({rho: 1, residual: 0}) for f in landscape_of(text).derived[1:])
        by_m = (a * u - b * u**2 * m).subs({u: 1 - mu, m: 1})  # ṁ over 1 - m²
        steps += [
            equal(
                f"{text}: rate at which 1-m² decays at the teacher",
                2 * by_m,
                2 * (1 - mu) ** 2 * square,
            ),
            equal(
                f"{text}: rate at which u decays there on m² = 1",
                diff(frozen_risk(text), mu, 2).subs(mu, 1),
                weighted,
            ),
        ]
    return Finding("from the slopes of the loss at u = 1-μ, m = 1", *steps)


@claim.certified(
    "Prop. 4, 5",
    "From u = m = 0.05 m² → 1 exponentially and u → 1 - μ (x, He_2, He_3 at μ = 0.6)",
    quote="Hence […] exponentially fast as […], and the sign of […] cannot change after […].",
    reading="one start and one strength of each: a flow that leaves it towards ρ = 1 is captured "
    "by u = 1 - μ, m = 1, where the Hessian of the loss is positive",
    falsifier="one of these flows that ends elsewhere",
    units="time in 1/γ",
)
def _descent() -> Finding:
    steps = [shown("flow", {"start (u, m)": "0.05, 0.05", "a(μ)": "positive"})]
    for text in ("x", "He2", "He3"):
        at = told(fate(ball_flow(text, "0.6"), disc("0.05", "0.05"), 100))
        steps.append(
            judged(
                f"{text} at μ = 0.6: where the flow ends",
                at,
                lambda at: (at["u"], at["m"]) == (_GAP, 1),
            )
        )
    evidence = "flow of x, He_2, He_3: the Hessian of the loss is positive around u = 0.4, m = 1"
    return Finding(f"{evidence}, where it arrives", *steps)


_GAP = Rational(2, 5)


def told(sink: Sink) -> dict[str, Any]:
    """A sink as a step shows it."""
    time = bounds(arb(sink.time)) if sink.time is not None else "at once"
    place = {"u": Rational(str(sink.u)), "m": sink.m, "rho": Rational(str(sink.rho))}
    return {**place, "captured by time": time}


@claim.certified(
    "Sec. 3.2 (c), App. E.5, Fig. 7",
    "Even students learn u quickly, then it halts while m grows; the halt fades as μ grows (He_4)",
    quote="but subsequently enter an extended plateau in the evolution of […], while the overlap "
    "[…] continues to grow",
    reading="u changes little while m grows from 1/10 to 2/5, and more at larger μ",
    falsifier="a change of u at weak pre-training that is as large as that at μ = 0.5",
    units="time in 1/γ",
)
def _even_plateau() -> Finding:
    halts = {strength: _halt("He4", strength) for strength in ("0.1", "0.2", "0.5")}
    early = halts["0.1"]
    changes = tuple(halt["change of u"] for halt in halts.values())
    listed = ", ".join(f"{float(change.high):.2g}" for change in changes)
    return Finding(
        f"flow: while m grows from 1/10 to 2/5, u changes by {listed} at μ = 0.1, 0.2, 0.5",
        shown("start (u, m)", "0.03, 0.03"),
        *[shown(f"He_4, μ = {strength}", halt) for strength, halt in halts.items()],
        judged("μ = 0.1, m = 1/10: u is more than half of 1 - μ", early["u at m = 1/10"],
               lambda at: float(at.low) > 0.45),
        judged("μ = 0.1: from m = 1/10 to 2/5 takes more than twice as long as from the start to "
               "1/10",
               (early["time to 1/10"], early["time from 1/10 to 2/5"]),
               lambda t: float(t[1].low) > 2 * float(t[0].high)),
        judged("change of u from then on at μ = 0.1, 0.2, 0.5: it increases", changes,
               lambda c: all(float(x.high) < float(y.low) for x, y in pairwise(c))),
        judged("at μ = 0.1 it is small", changes[0], lambda c: float(c.high) < 0.02),
    )  # fmt: skip


def _halt(text: str, strength: str) -> dict[str, Bounds]:
    """What u does from m = 1/10 to 2/5, enclosed."""
    flow = ball_flow(text, strength)
    begin, there = passage(flow, disc("0.03", "0.03"), "0.1", 3)
    wait, later = passage(flow, there, "0.4", 3)
    walk = [step.box[0] for step in steps(flow, there, wait.upper().fmpq())]
    least = abs(later.box[0] - there.box[0]).lower()  # between its ends boxes of steps hold u
    most = max(box.upper() for box in walk) - min(box.lower() for box in walk)
    return {
        "u at m = 1/10": bounds(there.box[0]),
        "time to 1/10": bounds(begin),
        "time from 1/10 to 2/5": bounds(wait),
        "change of u": bounds(least.union(most)),
    }
