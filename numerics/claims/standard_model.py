"""Claims on the model without pre-training, and on what sets ours apart (Sec. 2.2, 3.1).

There the student is σ(ω·x), its flow ṁ = (1-m²) C'(m), with C = Σ φ_k² m^k/k!. Near m = 0 the
lowest degree k rules: ṁ = κ m^(k-1).
"""

from flint import arb
from sympy import Expr, Integer, Poly, Rational, Symbol, diff, factorial, log, oo, sqrt, symbols

from derive.symbols import Q, d, m, mu, rho, u
from numerics.certified.balls import bounds
from numerics.certified.basins import fate
from numerics.certified.flow import ball_flow, disc
from numerics.claims.ledger import Finding, Step, claim, equal, judged, ours, shown
from numerics.claims.population_loss import hermite_loss
from numerics.claims.setting import COVARIANCE
from numerics.claims.signs import negative, positive

_START, _RADIUS, _KAPPA = symbols("m_0 R kappa", positive=True)
_KEPT = "0.48"  # the strength from which on ρ of He_3 stays away from 0
_HIGHER = Symbol("k", integer=True, positive=True) + 2  # an exponent of at least 3


def _time(k: Expr) -> Expr:
    """The time that ṁ = κ m^(k-1) takes from m₀ to R."""
    if k == 2:
        return log(_RADIUS / _START) / _KAPPA
    return (_START ** (2 - k) - _RADIUS ** (2 - k)) / (_KAPPA * (k - 2))


def _solved(k: Expr) -> Step:
    slope = -diff(_time(k), _START)
    return equal(f"exponent {k}: the time solves the flow ṁ = κ m^(k-1), as its slope in m₀ is "
                 f"-1/ṁ", slope,
                 1 / (_KAPPA * _START ** (k - 1)))  # fmt: skip


def _over(k: Expr, scale: Expr) -> Expr:
    """The limit of the time over a scale, from m₀ = 1/√d as d → ∞."""
    return (_time(k).subs(_START, 1 / sqrt(d)) / scale).expand().limit(d, oo)


def _leading(n: int) -> Step:
    """The flow of He_n, whose variance is 1 throughout."""
    loss = hermite_loss(n).expression.subs({Q: 1, rho: m})
    return equal(f"He_{n}: ṁ over 1 - m²", -diff(loss, m), n * factorial(n) * m ** (n - 1))


@claim.proved(
    "Sec. 2.2, 3.1, 3.2 (c)",
    "Without pre-training, from m₀ = 1/√d, the flow's exit time is of order 1, log d or "
    "d^((k-2)/2) for information exponents 1, 2, k ≥ 3",
    quote="one would expect the exit time […]—defined as the time at which at least one of the "
    "order parameters becomes comparable to the signal strength, i.e. […] and/or […]—to scale at "
    "most as […], in line with the analysis of Ben Arous et al [7] for IE […].",
    reading="at most log d, for an exponent of at most 2: the time of the flow ṁ = κ m^(k-1). The "
    "rates of [7] are in samples, with a learning rate that the noise allows; they are not judged. "
    "Sec. 3.2 (c) says that the search grows as a power of the exponent: it is a power of d with "
    "the exponent in it",
    falsifier="an exponent of at most 2 whose flow takes longer than the order log d",
    units="time in 1/γ",
)
def _standard_exit() -> Finding:
    k = _HIGHER
    return Finding(
        "the times solve the flow; symbolic k ≥ 3",
        *map(_leading, (1, 2, 3)),
        *map(_solved, (Integer(1), Integer(2), k)),
        equal("exponent 1: limit of the time", _over(Integer(1), Integer(1)), _RADIUS / _KAPPA),
        equal(
            "exponent 2: limit of the time over log d", _over(Integer(2), log(d)), 1 / (2 * _KAPPA)
        ),
        *_higher(),
    )


def _higher() -> list[Step]:
    """The time from m₀ = 1/√d is of the order d^((k-2)/2) for every exponent k from 3 on."""
    k = _HIGHER
    return [
        equal(f"exponent {k}: time over d^(({k}-2)/2)",
              _time(k).subs(_START, 1 / sqrt(d)) / sqrt(d) ** (k - 2),
              (1 - (_RADIUS * sqrt(d)) ** (2 - k)) / (_KAPPA * (k - 2))),
        judged("what is taken off vanishes: its power of d", (2 - k) / 2, negative),
        judged("what is left as d → ∞", 1 / (_KAPPA * (k - 2)), positive),
    ]  # fmt: skip


@claim.proved(
    "Sec. 2.2",
    "Without pre-training, exponent k ≥ 2: the search takes ever longer with d, the descent to m "
    "= 1 is exponential at the rate 2κ and as long at every d",
    quote="Thm. 1.5 shows that the majority of samples/updates are used during the search phase, "
    "while, once this phase is exited, the model recovers the target direction at an exponential "
    "rate in time, making the search phase the most algorithmically relevant regime.",
    reading="of the flow ṁ = (1-m²) κ m^(k-1) of He_k, κ = k k!, to a fixed distance from m = 1. "
    "For k = 1 the search of the flow is of order 1 as well",
    falsifier="an exponent k ≥ 2 whose search does not grow with d, or a descent that does",
    units="time in 1/γ",
)
def _standard_descent() -> Finding:
    k, kappa = Symbol("k", integer=True, positive=True), _KAPPA
    flow = (1 - m**2) * kappa * m ** (k - 1)
    between = flow.subs(m, 1 / (1 + Symbol("h", positive=True)))
    return Finding(
        "1 - m falls at the rate 2κ near m = 1; d enters by the start alone",
        *map(_leading, (2, 3)),
        equal("He_k, symbolic k: slope of C = k! m^k", diff(factorial(k) * m**k, m),
              k * factorial(k) * m ** (k - 1)),
        equal("slope of the flow at m = 1", diff(flow, m).subs(m, 1), -2 * kappa),
        judged("the flow at m = 1/(1+h), h > 0, is positive, whatever d: so is the time from R on",
               between.factor(), positive),
        judged("exponent 2: search as d → ∞", _over(Integer(2), Integer(1)), lambda t: t == oo),
        *_higher(),
        judged("exponent k > 2: the search grows with d, by the power", (_HIGHER - 2) / 2,
               positive),
    )  # fmt: skip


@claim.proved(
    "Sec. 2.2",
    "In the search ρ stays correlated, |ρ - μ| ≤ r² while |u|, |m| ≤ r: every pair and strength; "
    "not to the end of every flow (correlation-lost)",
    quote="This is in sharp contrast to our setting, where the model has finite correlation with "
    "the target vector at initialization and hence throughout the full trajectory, so that the "
    "search dynamics remain correlated.",
    reading="what the clause concludes, of the search: ρ = μ + u m → μ as u, m → 0, whatever the "
    "activations. Of a trajectory to its end it is false: correlation-lost, matched-recovery; "
    "where it is true to the end: correlation-kept",
    falsifier="a state of the search with ρ away from μ",
)
def _correlation_stays() -> Finding:
    radius, by_u, by_m = symbols("r h k", positive=True)
    small = {u: radius / (1 + by_u), m: radius / (1 + by_m)}  # 0 < u, m < r
    return Finding(
        "ρ - μ = u m, no activation in it",
        equal("ρ - μ", COVARIANCE - mu, u * m),
        judged("r² - |u m| is positive at all |u| = r/(1+h), |m| = r/(1+k), h and k > 0",
               (radius**2 - (u * m).subs(small)).factor(), positive),
    )  # fmt: skip


@ours.certified(
    "Sec. 2.2",
    "He_3 at μ = 1/4, flow from (u, m) = (0.001, 0.03): it leaves the search, and ends at ρ = 0",
    quote="the model has finite correlation with the target vector at initialization and hence "
    "throughout the full trajectory",
    reading="the full trajectory to its end; also from u = m = 1/10 (matched-recovery)",
    falsifier="a flow from that start that ends at ρ > 0",
)
def _correlation_lost() -> Finding:
    end = fate(ball_flow("He3", "0.25"), disc("0.001", "0.03"), 2000)
    told = {"rho": Rational(str(end.rho)), "u": Rational(str(end.u)), "m": Integer(end.m),
            "time": bounds(arb(end.time))}  # fmt: skip
    return Finding(
        "the flow ends at u = -μ, m = 1: a student that is 0, uncorrelated with the teacher",
        shown("ρ at the start", bounds(arb("0.25") + arb("0.001") * arb("0.03"))),
        judged("where it ends, enclosed until the sink holds it", told,
               lambda at: at["rho"] == 0),
    )  # fmt: skip


@ours.proved(
    "Sec. 2.2",
    "Gradient flow of He_n from u = m = 0+: ρ^n ≥ ½ - ℓ(μ)/n! at all times, ℓ the frozen risk; "
    "positive for x at every μ, for He_3 at every μ ≥ 0.48",
    reading="matched, as long as the frozen model is better than the student that is 0: then ρ is "
    "bounded away from 0 to the end of the flow",
    falsifier="a strength in the range from which the flow comes nearer to ρ = 0 than the bound",
)
def _correlation_kept() -> Finding:
    weak = Symbol("h", nonnegative=True)
    cubic = Poly(_spared(3).expand() * 2 / mu**2, mu)
    return Finding(
        "L falls, and L = n!/2 + ½ S(Q) - n! ρ^n with S ≥ 0, for φ_n = c_n = n! alone",
        shown("L falls on the flow (91), by lyapunov; and", "S(Q) = E σ² ≥ 0"),
        *[equal(f"He_{n}: L + n! ρ^n - ½ S(Q)", _without(n), factorial(n) / Integer(2))
          for n in (1, 2, 3, 4)],
        equal("x: bound on ρ", _spared(1), mu * (2 - mu) / 2),
        judged("it is positive at every μ = 1/(1+h) < 1",
               _spared(1).subs(mu, 1 / (1 + weak)).factor(), positive),
        shown("He_3: bound on 6 ρ³ over μ²/2", cubic.as_expr()),
        judged(f"He_3: number of its zeros in [{_KEPT}, 1]",
               Integer(cubic.count_roots(Rational(_KEPT), 1)), lambda number: number == 0),
        judged("its value at μ = 1", cubic.eval(1), positive),
    )  # fmt: skip


def _without(n: int) -> Expr:
    loss = hermite_loss(n)
    return loss.expression + factorial(n) * rho**n - loss.student_power / 2


def _spared(n: int) -> Expr:
    """n!/2 less the frozen risk of He_n."""
    return factorial(n) / Integer(2) - hermite_loss(n).frozen_risk()
