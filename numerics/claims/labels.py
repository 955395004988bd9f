"""Claims on squared labels and Hermite students, and on sigmoid (Sec. 3.3, App. B.4)."""

from functools import partial

from flint import arb, fmpq
from sympy import Rational, Symbol, diff, tanh

from derive.escape import escape_limit
from derive.pair import Pair
from derive.pair_drift import closed_drift, drift_of
from derive.polynomial_drift import hermite_drift, hermite_power
from derive.symbols import Q, mu, z
from numerics.certified.balls import enclosure
from numerics.certified.drift import ball_drift
from numerics.certified.singularities import Singularity
from numerics.claims.every_degree import ARGUMENT, COSINE
from numerics.claims.hermite_students import zeros_of
from numerics.claims.ledger import (
    Finding,
    claim,
    decided,
    equal,
    judged,
    negative,
    refuted_if,
    shown,
)


@claim(
    "squared-odd",
    "Sec. 3.3",
    "Squaring the labels removes the singularities of every odd Hermite student",
    "proved",
)
def _odd() -> Finding:
    n = 2 * Symbol("p", integer=True, nonnegative=True) + 1
    slope = n * (1 - COSINE) * ARGUMENT ** (n - 1)
    return decided(
        "proved",
        "a = -μ S'(μ²), and S' is the mean of n (1 - cos φ) times a square for every odd n: a < 0",
        shown("S(Q)/n! is the mean over φ, c = cos φ, of (power-as-mean)", ARGUMENT**n),
        equal("its slope in Q for n = 2p+1", diff(ARGUMENT**n, Q), slope),
        judged("that slope over 1 - c", slope / (1 - COSINE), lambda value: value.is_nonnegative),
    )


@claim(
    "squared-odd-list",
    "Sec. 3.3",
    "With squared labels a has no zero in (0, 1) for odd Hermite degrees 3 to 41",
    "certified",
)
def _odd_list() -> Finding:
    steps = []
    for n in range(3, 42, 2):
        balls = ball_drift(hermite_drift(n, "squared", "n*n!"))
        value = enclosure(balls.a(arb("0.5")), 10)
        steps += [
            judged(f"He_{n}: all zeros", zeros_of(n, "squared"), lambda found: not found),
            judged(f"He_{n}: a(1/2)", value, negative),
        ]
    return decided("certified", "no zero of a in (0, 1), lists complete", *steps)


@claim(
    "squared-even-list",
    "beyond the paper",
    "With squared labels a has n/2 - 1 zeros in (0, 1), τ diverging at every second (even 4 to 40)",
    "certified",
)
def _even_list() -> Finding:
    steps = [
        judged(f"He_{n}: all zeros", zeros_of(n, "squared"), partial(_in_turn, n // 2 - 1))
        for n in range(4, 41, 2)
    ]
    evidence = "lists complete; from the last zero down b is positive and negative in turn"
    return decided("certified", evidence, *steps)


def _in_turn(count: int, zeros: tuple[Singularity, ...]) -> bool:
    fates = [each.diverges for each in reversed(zeros)]
    return fates == [k % 2 == 1 for k in range(count)]


@claim(
    "squared-decreasing",
    "Sec. 3.3, Fig. 2 (d)",
    "Under squared labels τ decreases with μ for Hermite students, without singularities",
    "refuted",
)
def _decreasing() -> Finding:
    found = {n: tuple(s for s in zeros_of(n, "squared") if s.diverges) for n in range(2, 13)}
    steps = [
        judged(f"He_{n}: zeros of a with b ≤ 0", zeros, bool) for n, zeros in found.items() if zeros
    ]
    singular = [n for n, zeros in found.items() if zeros]
    return refuted_if(f"τ diverges inside (0, 1) for n in {singular}", *steps)


@claim(
    "squared-at-one",
    "Sec. 3.3",
    "Under squared labels τ no longer diverges as μ → 1 for x, ReLU, erf",
    "proved",
)
def _at_one() -> Finding:
    steps = [
        judged(
            f"{text}: τ as x = 1 - μ → 0, coefficient and exponent",
            escape_limit(closed_drift(Pair(text, labels="squared")), 1),
            lambda limit: limit.exponent == 0,
        )
        for text in ("x", "relu", "erf")
    ]
    return decided("proved", "exact leading terms at μ = 1", *steps)


@claim(
    "squared-sigmoid",
    "Sec. 3.3",
    "For sigmoid, squaring the labels has little effect on τ: exactly none",
    "proved",
)
def _sigmoid() -> Finding:
    sigma = tanh(z / 2) / 2 + Rational(1, 2)
    slope, curvature = (diff(sigma, z, k).subs(z, mu * z) for k in (1, 2))
    change = sigma**2 - sigma
    steps = []
    for name, integrand in (("a", change * z * slope), ("b", change * curvature)):
        odd = integrand + integrand.subs(z, -z)
        steps.append(equal(f"change of {name}: its integrand is odd in z", odd, 0))
    return decided(
        "proved",
        "y² - y is even in z, so a and b do not change: τ diverges as μ → 1 just as before",
        shown("what squaring adds to the label", change),
        *steps,
    )


@claim(
    "squared-sigmoid-list",
    "Sec. 3.3",
    "The escape times of sigmoid with squared labels and without agree to 9 digits",
    "certified",
)
def _sigmoid_list() -> Finding:
    squared, matched = (
        ball_drift(drift_of(Pair("sigmoid", labels=labels))) for labels in ("squared", "matched")
    )
    steps = [
        judged(
            f"ratio minus 1 at μ = {strength}",
            enclosure(matched.at(strength)[2] / squared.at(strength)[2] - 1, 6),
            lambda gap: abs(gap.ball()) < 1e-9,
        )
        for strength in (fmpq(1, 10), fmpq(1, 2), fmpq(9, 10))
    ]
    return decided("certified", "at μ = 0.1, 0.5, 0.9, by quadrature with error bounds", *steps)


@claim(
    "squared-teacher-drops-out",
    "Sec. 3.3",
    "Squared labels let an odd student learn the teacher during its escape",
    "refuted",
)
def _teacher() -> Finding:
    steps = []
    for n in range(1, 14, 2):
        a = hermite_drift(n, "squared", "raw").a.as_expr()
        alone = -diff(hermite_power(n).as_expr().subs(Q, mu**2), mu) / 2
        steps.append(equal(f"He_{n}: a is -½ d/dμ S(μ²), S = E σ²", a, alone))
    return refuted_if(
        "odd He_1 to He_13: a = -½ d/dμ E σ(μz)², in which the teacher does not appear",
        *steps,
    )
