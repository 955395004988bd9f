"""Claims on the drift, the escape time and its singularities (Sec. 3, App. A.1, E, F, H)."""

from fractions import Fraction
from itertools import pairwise

from sympy import Expr, Matrix, Rational, Symbol, diff, simplify, sqrt, symbols, tanh

from derive.drift import hermite_drift
from derive.escape import eigenvalues, escape_limit, escape_time, hermite_escape_limit
from derive.grammar import parse_activation
from derive.mechanics import acceleration, energy
from derive.pair import MISALIGNMENTS, Pair, closed_drift, drift_of, frozen_risk
from derive.symbols import mu
from numerics.claims.ledger import Finding, claim, decided, is_zero, refuted_if
from numerics.singularities import find_singularities

_ODD = range(3, 42, 2)


def matched(text: str) -> Pair:
    """The matched pair of an activation."""
    activation = parse_activation(text)
    return Pair(activation, activation)


def _exact(text: str) -> tuple[Expr, Expr]:
    """Drift coefficients of a matched pair that has them in closed form."""
    drift = closed_drift(matched(text))
    return drift.a, drift.b


@claim(
    "escape-rate", "Prop. 1, (59)", "The search phase grows at λ₊ = ½(b + √(b² + 4a²))", "proved"
)
def _rate() -> Finding:
    a, b = symbols("a b", real=True)
    found = Matrix([[b, a], [a, 0]]).eigenvals()
    holds = {simplify(x) for x in found} == {simplify(x) for x in eigenvalues(a, b)}
    return decided("proved", holds, "eigenvalues of the flow's Jacobian, symbolic a and b")


@claim(
    "divergence-needs-only-a",
    "Remark 1",
    "If a = 0 at some strength the exit time diverges there",
    "refuted",
)
def _divergence() -> Finding:
    finite = [s for s in find_singularities(hermite_drift(6, "squared")) if not s.diverges]
    where = f"squared labels, He_6: a = 0, b > 0 at μ = {finite[0].mu.mid[:8]}" if finite else ""
    exact = escape_time(0, 2) == Rational(1, 2)
    refuted = bool(finite) and exact
    return refuted_if(refuted, f"{where}, so τ = 1/b is finite; it needs b ≤ 0")


@claim("linear-drift", "App. E.2", "x has a = 1 - μ, b = -1, and τ increases with μ", "proved")
def _linear() -> Finding:
    a, b = _exact("x")
    x = Symbol("x", positive=True)
    slope = simplify(diff(escape_time(x, -1), x) * x**3 * sqrt(4 * x**2 + 1))
    negative = is_zero(slope + (1 + 2 * x**2 + sqrt(4 * x**2 + 1)))
    holds = is_zero(a - (1 - mu)) and b == -1 and negative
    return decided("proved", holds, "dτ/da < 0 for a = 1 - μ > 0, in closed form")


@claim(
    "relu-dip",
    "Sec. 3.2 (b)",
    "For ReLU, τ decreases slightly at small μ before it increases",
    "refuted",
)
def _relu() -> Finding:
    twice = is_zero(escape_time(*_exact("relu")) - 2 * escape_time(*_exact("x")))
    return refuted_if(twice, "a = (1-μ)/2, b = -1/2: τ is twice the linear one exactly")


@claim(
    "divergence-at-one",
    "Sec. 3.2 (b)",
    "τ diverges as μ → 1 for x, erf, ReLU (and as (1-μ)^-2)",
    "proved",
)
def _at_one() -> Finding:
    limits = [escape_limit(closed_drift(matched(text)), 1) for text in ("x", "erf", "relu")]
    holds = all(limit.exponent == -2 for limit in limits)
    return decided("proved", holds, "leading terms of a and b at μ = 1, exactly")


@claim(
    "common-activations",
    "Sec. 3.2 (b)",
    "x, erf, ReLU, sigmoid, tanh, GELU have a finite escape time at every strength below 1",
    "certified",
)
def _common() -> Finding:
    names = ("x", "erf", "relu", "sigmoid", "tanh", "gelu")
    found = {text: find_singularities(drift_of(matched(text))) for text in names}
    return decided("certified", not any(found.values()), "no zero of a in (0, 1), lists complete")


@claim(
    "odd-singularity",
    "Prop. 2",
    "Odd Hermite degrees (3 to 41) have a strength at which τ diverges",
    "certified",
)
def _odd() -> Finding:
    found = [find_singularities(hermite_drift(n)) for n in _ODD]
    holds = all(len(each) == 1 and each[0].diverges for each in found)
    return decided("certified", holds, "exactly one each, and it diverges")


@claim(
    "odd-singularity-shifts",
    "Sec. 3.2 (c)",
    "The critical strength shifts to the right with the odd degree (3 to 41)",
    "certified",
)
def _shifts() -> Finding:
    found = [find_singularities(hermite_drift(n))[0] for n in _ODD]
    bounds = [(Fraction(s.mu.mid), Fraction(s.mu.radius)) for s in found]
    holds = all(x + r < y - t for (x, r), (y, t) in pairwise(bounds))
    ends = f"{float(found[0].mu):.4f} up to {float(found[-1].mu):.4f}"
    return decided("certified", holds, f"disjoint enclosures, in order: {ends}")


@claim(
    "even-singularities",
    "Sec. 3.2 (c)",
    "Even Hermite degrees have no singularity up to 8, and two from 10 on (to 40)",
    "certified",
)
def _even() -> Finding:
    counts = {n: len(find_singularities(hermite_drift(n))) for n in range(2, 41, 2)}
    holds = all(count == (0 if n < 10 else 2) for n, count in counts.items())
    return decided("certified", holds, "none for 2 to 8, two for each even degree from 10 to 40")


_N = Symbol("n", integer=True, positive=True)
_HALF = Symbol("p", integer=True, positive=True)


@claim("limit-at-one", "Prop. 3", "τ ~ 1/((2n-1)² (1-μ)²) as μ → 1, faster for higher n", "proved")
def _limit_at_one() -> Finding:
    law = hermite_escape_limit(_N, 1)
    holds = is_zero(law.coefficient * (2 * _N - 1) ** 2 - 1) and law.exponent == -2
    return decided("proved", holds, "for symbolic n")


@claim("limit-at-zero-odd", "Prop. 3", "τ ~ μ^-2 as μ → 0 for odd degrees from 3 on", "proved")
def _limit_odd() -> Finding:
    law = hermite_escape_limit(2 * _HALF + 1, 0)
    return decided("proved", law.exponent == -2, f"coefficient {law.coefficient}, symbolic n")


@claim("limit-at-zero-even", "Prop. 3", "τ stays finite as μ → 0 for even degrees", "proved")
def _limit_even() -> Finding:
    law = hermite_escape_limit(2 * _HALF, 0)
    return decided("proved", law.exponent == 0, f"limit {law.coefficient}, symbolic n")


@claim(
    "frozen-risk",
    "beyond the paper",
    "a(μ) = -ℓ'(μ) with ℓ the frozen risk (eight activations)",
    "proved",
)
def _frozen() -> Finding:
    names = ("x", "He3", "relu", "erf", "sin", "exp", "gauss", "squared_relu")
    wrong = [
        text
        for text in names
        if not is_zero(_exact(text)[0] + diff(frozen_risk(matched(text)), mu))
    ]
    return decided("proved", not wrong, f"{', '.join(names)}: symbolic in μ")


@claim(
    "misaligned-norm",
    "App. A.1",
    "The additional term of the misaligned model has no effect on the dynamics",
    "refuted",
)
def _misaligned() -> Finding:
    x = parse_activation("x")
    drift = closed_drift(Pair(x, x, misalignment=MISALIGNMENTS["spherical"]))
    coupling = drift.a**2 + drift.misalignment**2 * drift.b**2
    tau = 1 / eigenvalues(sqrt(coupling), drift.b)[0]
    tilted, aligned = (f.subs(mu, Rational(9, 10)) for f in (tau, escape_time(1 - mu, -1)))
    return refuted_if(
        bool(2 * tilted < aligned),
        f"x at μ = 0.9: τ = {float(tilted):.3g} instead of {float(aligned):.3g}, "
        "through the overlap with ξ",
    )


@claim(
    "correlation-loss",
    "App. H",
    "Under the correlation loss the linear student's dynamics do not depend on μ",
    "proved",
)
def _correlation() -> Finding:
    x = parse_activation("x")
    drift = closed_drift(Pair(x, x, loss="correlation"))
    return decided("proved", (drift.a, drift.b) == (1, 0), "a = 1, b = 0")


@claim(
    "mechanics",
    "App. F, (84)-(88)",
    "With m = tanh g: g̈ = a² tanh g + b ġ, and the energy changes at the rate b ġ²",
    "proved",
)
def _mechanics() -> Finding:
    a, b, g, v = symbols("a b g v", real=True)
    force = acceleration(a, b, g, v)
    total = energy(a, g, v)
    rate = diff(total, g) * v + diff(total, v) * force
    holds = is_zero(force - a**2 * tanh(g) - b * v) and is_zero(rate - b * v**2)
    return decided("proved", holds, "derived from the flow, symbolic a and b")
