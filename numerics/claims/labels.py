"""Claims on squared labels (Sec. 3.3, App. B.4)."""

from flint import arb
from sympy import Rational, diff, expand

from derive.drift import hermite_drift, hermite_power
from derive.escape import escape_limit
from derive.grammar import parse_activation, parse_transform
from derive.pair import Pair, closed_drift, drift_of
from derive.symbols import Q, mu
from numerics.claims.ledger import Finding, claim, decided, refuted_if
from numerics.enclosures import ball_drift
from numerics.singularities import find_singularities


def _squared(text: str) -> Pair:
    activation = parse_activation(text)
    return Pair(activation, activation, parse_transform("squared"))


@claim(
    "squared-odd",
    "Sec. 3.3",
    "Squaring the labels removes the singularities of odd Hermite students (3 to 41)",
    "certified",
)
def _odd() -> Finding:
    found = [find_singularities(hermite_drift(n, "squared")) for n in range(3, 42, 2)]
    return decided("certified", not any(found), "no zero of a in (0, 1), lists complete")


@claim(
    "squared-decreasing",
    "Sec. 3.3, Fig. 2 (d)",
    "Under squared labels τ decreases with μ for Hermite students, without singularities",
    "refuted",
)
def _decreasing() -> Finding:
    singular = [
        n
        for n in range(2, 13)
        if any(s.diverges for s in find_singularities(hermite_drift(n, "squared")))
    ]
    return refuted_if(bool(singular), f"τ diverges inside (0, 1) for n in {singular}")


@claim(
    "squared-at-one",
    "Sec. 3.3",
    "Under squared labels τ no longer diverges as μ → 1 for x, ReLU, erf",
    "proved",
)
def _at_one() -> Finding:
    limits = [escape_limit(closed_drift(_squared(text)), 1) for text in ("x", "relu", "erf")]
    holds = all(limit.exponent == 0 for limit in limits)
    return decided("proved", holds, "exact leading terms at μ = 1")


@claim(
    "squared-sigmoid",
    "Sec. 3.3",
    "For sigmoid, squaring the labels has little effect: τ still diverges as μ → 1",
    "certified",
)
def _sigmoid() -> Finding:
    balls = ball_drift(drift_of(_squared("sigmoid")))
    holds = balls.at_one is not None and bool(balls.b(arb(1)) < 0)
    return decided("certified", holds, "a(1) = 0 by parity, b(1) < 0 by enclosure")


@claim(
    "squared-teacher-drops-out",
    "Sec. 3.3",
    "Squared labels let an odd student learn the teacher during its escape",
    "refuted",
)
def _teacher() -> Finding:
    same = []
    for n in range(1, 14, 2):
        drift = hermite_drift(n, "squared", "raw")
        alone = -diff(hermite_power(n).as_expr().subs(Q, mu**2), mu) * Rational(1, 2)
        same.append(expand(drift.a.as_expr() - alone) == 0)
    return refuted_if(
        all(same),
        "odd He_1 to He_13: a = -½ d/dμ E σ(μz)², in which the teacher does not appear",
    )
