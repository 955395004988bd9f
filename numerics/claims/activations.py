"""Claims on x, erf, ReLU, sigmoid and their like (Sec. 3.2 a, b, App. E.2)."""

from flint import arb, fmpq
from sympy import Expr, Function, Rational, Symbol, diff, oo, pi, simplify, sqrt

from derive.escape import eigenvalues, escape_limit, escape_time
from derive.grammar import parse_activation
from derive.hermite import gaussian_mean, hermite_mean, hermite_polynomial
from derive.pair import Pair
from derive.pair_drift import closed_drift, drift_of
from derive.risk import frozen_risk
from derive.symbols import Q, mu, z
from numerics.certified.balls import bounds, enclosure
from numerics.certified.drift import BallFunction, ball_drift, enclosed
from numerics.certified.zeros import Stretch, sign_cells, zero_cells
from numerics.claims.ledger import (
    Finding,
    Step,
    claim,
    decided,
    equal,
    judged,
    negative,
    positive,
    refuted_if,
    shown,
)


def closed(text: str, labels: str = "matched") -> tuple[Expr, Expr]:
    """Drift coefficients of a pair that has them in closed form."""
    drift = closed_drift(Pair(text, labels=labels))
    return drift.a, drift.b


def _no_zero(cells: tuple[Stretch, ...]) -> bool:
    return not any(cell.zero for cell in cells)


@claim("linear-drift", "App. E.2", "x has a = 1 - μ, b = -1, and τ increases with μ", "proved")
def _linear() -> Finding:
    a, b = closed("x")
    x = Symbol("x", positive=True)
    slope = simplify(diff(escape_time(x, -1), x) * x**3 * sqrt(4 * x**2 + 1))
    return decided(
        "proved",
        "dτ/da < 0 for a = 1 - μ > 0, in closed form",
        equal("a", a, 1 - mu),
        equal("b", b, -1),
        shown("τ at a = x", escape_time(x, -1)),
        equal("x³ √(4x²+1) dτ/dx, negative", slope, -(1 + 2 * x**2 + sqrt(4 * x**2 + 1))),
    )


@claim(
    "relu-dip",
    "Sec. 3.2 (b)",
    "For ReLU, τ decreases slightly at small μ before it increases",
    "refuted",
)
def _relu() -> Finding:
    a, b = closed("relu")
    tau = escape_time(a, b)
    return refuted_if(
        "a = (1-μ)/2, b = -1/2: τ is twice the linear one exactly",
        shown("a and b of ReLU", (a, b)),
        equal("τ of ReLU is twice that of x, which increases", tau, 2 * escape_time(*closed("x"))),
        shown("τ at μ = 0.05", float(tau.subs(mu, Rational(1, 20)))),
    )


@claim(
    "zeroth-term",
    "App. D.1, (51)",
    "The sum in ∂C/∂Q may start at k = 1",
    "refuted",
)
def _zeroth() -> Finding:
    mean = parse_activation("relu").hermite_coefficient(0, Q)
    term = (mean.subs(Q, 1) * diff(mean, Q)).subs(Q, mu**2)
    even = gaussian_mean(hermite_polynomial(2, z) ** 2, z) * diff(hermite_mean(2), Q)
    a, b = closed("relu")
    tau = escape_time(a - 2 * mu * term, b - 2 * term)
    dip = tuple(float(tau.subs(mu, Rational(k, 20))) for k in (1, 2, 4))
    return refuted_if(
        "for ReLU the term k = 0 is 1/(4πμ); without it τ would dip, as the text reports",
        equal("ReLU: c_0(1) c_0'(Q) at Q = μ²", term, 1 / (4 * pi * mu)),
        judged("τ without it at μ = 0.05, 0.1, 0.2: a dip", dip, lambda t: t[0] > t[1] > t[2]),
        judged("He_2, squared labels: the same term", even, bool),
    )


@claim(
    "divergence-at-one",
    "Sec. 3.2 (b), App. E.2",
    "τ diverges as μ → 1 for x, erf, ReLU (and as (1-μ)^-2)",
    "proved",
)
def _at_one() -> Finding:
    steps = [
        judged(
            f"{text}: τ as x = 1 - μ → 0, coefficient and exponent",
            escape_limit(closed_drift(Pair(text)), 1),
            lambda limit: limit.exponent == -2,
        )
        for text in ("x", "erf", "relu")
    ]
    return decided("proved", "leading terms of a and b at μ = 1, exactly", *steps)


@claim(
    "divergence-at-one-any",
    "Sec. 3.2 (b)",
    "τ diverges as μ → 1 for every matched activation",
    "proved",
)
def _at_one_any() -> Finding:
    sigma = Function("sigma")
    x = Symbol("x")
    slope, curvature = (diff(sigma(x), x, k) for k in (1, 2))
    a = (sigma(z) - sigma(mu * z)) * z * slope.subs(x, mu * z)
    b = (sigma(z) - sigma(mu * z)) * curvature.subs(x, mu * z) - slope.subs(x, mu * z) ** 2
    size = Symbol("P", positive=True)
    return decided(
        "proved",
        "at μ = 1 the errors vanish: a = 0 and b = -E σ'(z)² < 0, for any σ",
        shown("a is the mean of", a),
        equal("at μ = 1", a.subs(mu, 1).doit(), 0),
        shown("b is the mean of", b),
        equal("at μ = 1", b.subs(mu, 1).doit(), -(slope.subs(x, z).doit() ** 2)),
        judged("τ at a = 0, b = -P < 0", escape_time(0, -size), lambda tau: tau == oo),
    )


@claim(
    "common-activations",
    "Sec. 3.2 (b)",
    "x, erf, ReLU, sigmoid, tanh, GELU have a finite escape time at every strength below 1",
    "certified",
)
def _common() -> Finding:
    steps = [
        judged(f"{text}: cells that cover (0, 1)", cells, _no_zero)
        for text in ("x", "erf", "relu", "sigmoid", "tanh", "gelu")
        for cells in [tuple(zero_cells(ball_drift(drift_of(Pair(text)))))]
    ]
    return decided("certified", "no zero of a in (0, 1), lists complete", *steps)


@claim(
    "better-start",
    "Sec. 1, 3.2 (a)",
    "Stronger pre-training lowers the initial loss of x, erf, ReLU and sigmoid",
    "certified",
)
def _better_start() -> Finding:
    steps = []
    for text in ("x", "erf", "relu", "sigmoid"):
        balls = ball_drift(drift_of(Pair(text)))
        middle = enclosure(balls.a(arb("0.5")), 10)
        steps += [
            judged(f"{text}: cells that cover (0, 1)", tuple(zero_cells(balls)), _no_zero),
            judged(f"{text}: a(1/2)", middle, positive),
        ]
    return decided("certified", "a > 0 on (0, 1), and the initial loss has the slope -a", *steps)


@claim(
    "monotone-times",
    "Sec. 3.2 (b)",
    "For erf and sigmoid τ grows monotonically with μ",
    "certified",
)
def _monotone() -> Finding:
    steps = [_slope_formula()]
    for text in ("erf", "sigmoid"):
        cells = tuple(sign_cells(_slope_of_rate(Pair(text))))
        balls = ball_drift(drift_of(Pair(text)))
        steps += [
            judged(f"{text}: a(1/2)", bounds(balls.a(arb("0.5"))), lambda a: a.sign == 1),
            judged(f"{text}: F on cells that cover [0, 1]", cells, _falls),
        ]
    return decided("certified", "λ₊' < 0 wherever a > 0, which common-activations shows", *steps)


def _falls(cells: tuple[Stretch, ...]) -> bool:
    return all(cell.bounds.sign == -1 for cell in cells)


def _slope_formula() -> Step:
    """λ₊' = 2a F/√(b²+4a²), F = a' + b' a/(√(b²+4a²) - b): no cancellation where λ₊ vanishes."""
    x = Symbol("x", real=True)
    a, b = (Function(name, real=True)(x) for name in "ab")
    root = sqrt(b**2 + 4 * a**2)
    f = diff(a, x) + diff(b, x) * a / (root - b)
    return equal("λ₊' is 2a F/√(b²+4a²)", diff(eigenvalues(a, b)[0], x), 2 * a * f / root)


def _slope_of_rate(pair: Pair) -> BallFunction:
    """F of ``_slope_formula`` as a function of balls."""
    drift = drift_of(pair)
    balls = ball_drift(drift)
    by_strength = enclosed(drift.derivative("b"))

    def f(strength: arb) -> arb:
        a, b = balls.a(strength), balls.b(strength)
        root = (b * b + 4 * a * a).sqrt()
        return balls.slope(strength) + by_strength(strength) * a / (root - b)

    return f


@claim(
    "frozen-risk",
    "beyond the paper",
    "a(μ) = -ℓ'(μ) with ℓ the frozen risk (eight activations)",
    "proved",
)
def _frozen() -> Finding:
    names = ("x", "He3", "relu", "erf", "sin", "exp", "gauss", "squared_relu")
    steps = [
        equal(f"{text}: a is -ℓ'", closed(text)[0], -diff(frozen_risk(Pair(text)), mu))
        for text in names
    ]
    return decided("proved", f"{', '.join(names)}: symbolic in μ", *steps)


@claim(
    "squared-relu-reversed",
    "Sec. 3.3, Fig. 2 (c)",
    "Squared labels reverse the behaviour of ReLU: τ decreases with μ",
    "refuted",
)
def _squared_relu() -> Finding:
    a, b = closed("relu", "squared")
    return refuted_if(
        "ReLU: a = √(2/π) - μ/2 falls and b = -1/2 stays, so τ still grows, to a finite value",
        judged("a at μ = 1", a.subs(mu, 1), positive),
        judged("slope of a", diff(a, mu), negative),
        equal("b", b, -Rational(1, 2)),
        shown("a", a),
    )


@claim(
    "squared-linear-faster",
    "Sec. 3.3, Fig. 2 (c)",
    "Under squared labels the linear student escapes faster the larger μ is",
    "proved",
)
def _squared_linear() -> Finding:
    a, b = closed("x", "squared")
    slope = simplify(diff(escape_time(a, b), mu) * mu**3 * sqrt(4 * mu**2 + 1))
    return decided(
        "proved",
        "a = -μ, b = -1: dτ/dμ < 0 in closed form",
        equal("a", a, -mu),
        equal("b", b, -1),
        equal("μ³ √(4μ²+1) dτ/dμ, negative", slope, -(1 + 2 * mu**2 + sqrt(4 * mu**2 + 1))),
    )


@claim(
    "squared-erf-faster",
    "Sec. 3.3, Fig. 2 (c)",
    "Under squared labels the erf student escapes faster the larger μ is, up to 1",
    "refuted",
)
def _squared_erf() -> Finding:
    balls = ball_drift(drift_of(Pair("erf", labels="squared")))
    earlier, last = (enclosure(1 / balls.at(fmpq(*mu))[2], 12) for mu in ((2, 3), (1, 1)))
    gap = enclosure(last.ball() - earlier.ball(), 8)
    return refuted_if(
        "τ falls up to μ ≈ 0.67 and rises again after it",
        shown("τ at μ = 2/3", earlier),
        shown("τ at μ = 1", last),
        judged("τ(1) - τ(2/3)", gap, positive),
    )
