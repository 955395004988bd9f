"""How many singularities a Hermite student of any degree has, and where (Prop. 2, Sec. 3.2 c).

The proofs rest on one formula. The power of a Hermite student is a mean over an angle φ: with
c = cos φ, S(Q)/n! = E (Q + (1-Q) c)^n. So ``a`` vanishes at ``μ`` if and only if, at Q = μ²,

    Q^((n-2)/2) = G_n(Q),    G_n(Q) = E (1-c) X^(n-1),    X = Q + (1-Q) c.

As 1-c is the density of a probability, G_n^(1/(n-1)) is a norm if n is odd. For even n the
differential equation of G_n decides.
"""

from flint import arb
from sympy import (
    Expr,
    Integer,
    Poly,
    Rational,
    Symbol,
    besseli,
    binomial,
    diff,
    exp,
    expand,
    factorial,
    gamma,
    limit,
    oo,
    pi,
    solve,
    sqrt,
)

from derive.escape import hermite_drift_limit
from derive.polynomial_drift import hermite_drift
from derive.singularities import singular_strengths
from derive.symbols import Q, mu
from numerics.certified.balls import Enclosure, enclosure
from numerics.claims.hermite_students import zeros_of
from numerics.claims.ledger import (
    Finding,
    Step,
    claim,
    decided,
    equal,
    judged,
    negative,
    positive,
    shown,
)

COSINE = Symbol("c", real=True)
ARGUMENT = Q + (1 - Q) * COSINE  # X: its n-th power has the mean S(Q)/n!
_N = Symbol("n", integer=True, positive=True)
_K = Symbol("k", integer=True, nonnegative=True)
_ODD = 2 * _K + 3
_ROOT = (_N - 2) / (2 * (_N - 1))  # G_n^(1/(n-1)) is compared with Q to this power
RATIO = Symbol("r", positive=True)  # (1-Q)/Q


def over_angle(polynomial: Expr) -> Expr:
    """The mean over a uniform angle of a polynomial in its cosine."""
    terms = Poly(polynomial, COSINE).terms()
    return sum(value * binomial(k, k // 2) / Integer(2) ** k for (k,), value in terms if k % 2 == 0)


@claim(
    "power-as-mean",
    "beyond the paper",
    "The power of He_n, for every n, is a mean over an angle: S(Q) = n! E (Q + (1-Q) cos φ)^n",
    "proved",
)
def _power_as_mean() -> Finding:
    g, t, j = Symbol("g"), Symbol("t"), Symbol("j", integer=True, nonnegative=True)
    rescaled = factorial(_N) / (2**j * factorial(j) * factorial(_N - 2 * j))
    of_cosine = binomial(2 * j, j) / 4**j
    return decided(
        "proved",
        "both are Σ_j C(n,2j) C(2j,j)/4^j (Q-1)^(2j) Q^(n-2j), symbolic n and j",
        equal("exponents of generating functions: that of He_n(√Q g) has the factor e^((Q-1)t²/2)",
              (sqrt(Q) * g * t - Q * t**2 / 2) + (Q - 1) * t**2 / 2, sqrt(Q) * g * t - t**2 / 2),
        shown("so He_n(√Q g) is Σ_j Q^(n/2-j) (Q-1)^j He_(n-2j)(g) times", rescaled),
        equal("mean of cos^(2j) φ", gamma(j + Rational(1, 2)) / sqrt(pi) / gamma(j + 1), of_cosine),
        equal("weight of (Q-1)^(2j) Q^(n-2j) in S(Q)/n!, and in the mean",
              rescaled**2 * factorial(_N - 2 * j) / factorial(_N),
              binomial(_N, 2 * j) * of_cosine),
        equal("slope of the mean's integrand over n, c = cos φ",
              diff(ARGUMENT**_N, Q) / _N, (1 - COSINE) * ARGUMENT ** (_N - 1)),
    )  # fmt: skip


def _density() -> Step:
    return judged("1 - c, a density over the angle", 1 - COSINE, lambda w: over_angle(w) == 1)


@claim(
    "odd-singularity-single",
    "Prop. 2",
    "For every odd Hermite degree from 3 on there is exactly one such strength",
    "proved",
)
def _single() -> Finding:
    power = _ROOT.subs(_N, _ODD)
    at_zero = gamma(_K + Rational(3, 2)) / sqrt(pi) / gamma(_K + 2)
    return decided(
        "proved",
        "G_n^(1/(n-1)) is convex in Q and Q^((n-2)/(2n-2)) concave: equal at Q = 1 and once before",
        _density(),
        judged("X, affine in Q, so that its norm G_n^(1/(n-1)) is convex", ARGUMENT,
               lambda x: diff(x, Q, 2) == 0),
        judged("second slope of Q^((n-2)/(2n-2)), n = 2k+3", diff(Q**power, Q, 2), negative),
        judged("G_n(0), the mean of c^(2k+2), where Q^((n-2)/(2n-2)) is 0", at_zero, positive),
        judged("slope of the one less that of the other at Q = 1, where both are 1",
               (over_angle((1 - COSINE) ** 2) - power).factor(), positive),
        judged("b where a = 0: τ diverges", -(mu ** (_ODD - 2)), negative),
    )  # fmt: skip


@claim(
    "odd-singularity-shifts",
    "Sec. 3.2 (c)",
    "The critical strength shifts to the right with every odd degree",
    "proved",
)
def _shifts() -> Finding:
    power = _ROOT.subs(_N, _ODD)
    return decided(
        "proved",
        "G_n^(1/(n-1)), a norm over a probability, grows with n and Q^((n-2)/(2n-2)) falls: the "
        "first stays above on a longer interval",
        _density(),
        judged("(n-2)/(2n-2) at n = 2k+5 less that at 2k+3",
               (power.subs(_K, _K + 1) - power).factor(), positive),
    )  # fmt: skip


@claim(
    "last-singularity-limit",
    "beyond the paper",
    "With the degree n the last singularity tends to 1: n (1-μ) → x/2 = 5.0363..., with "
    "e^(x/2) = I_0(x) - I_1(x)",
    "certified",
)
def _last() -> Finding:
    x, n = Symbol("x", positive=True), Symbol("n", positive=True)
    low, high = (_gap(arb(end)) for end in ("10.07264337", "10.07264339"))
    return decided(
        "certified",
        "at Q = 1 - x/n both sides have limits in n, which cross once; I_0 and I_1 are enclosed",
        equal("X^(n-1) at Q = 1 - x/n as n → ∞",
              limit(ARGUMENT.subs(Q, 1 - x / n) ** (n - 1), n, oo), exp(-x * (1 - COSINE))),
        shown("so G_n → E (1-c) e^(-x(1-c)), log-convex in x",
              exp(-x) * (besseli(0, x) - besseli(1, x))),
        equal("Q^((n-2)/2) as n → ∞, log-linear", limit((1 - x / n) ** ((n - 2) / 2), n, oo),
              exp(-x / 2)),
        judged("slope at x = 0 of the one less that of the other",
               Rational(1, 2) - over_angle((1 - COSINE) ** 2), negative),
        judged("I_0 - I_1 - e^(x/2) at x = 10.07264337", low, negative),
        judged("I_0 - I_1 - e^(x/2) at x = 10.07264339", high, positive),
        shown("n (1-μ) of the last zero, n = 50, 101, 200",
              tuple(_scaled_distance(degree) for degree in (50, 101, 200))),
    )  # fmt: skip


def _gap(x: arb) -> Enclosure:
    return enclosure(x.bessel_i(0) - x.bessel_i(1) - (x / 2).exp(), 12)


def _scaled_distance(n: int) -> Enclosure:
    return enclosure(n * (1 - zeros_of(n)[-1].mu.ball()), 10)


@claim(
    "even-singularities",
    "Sec. 3.2 (c)",
    "Even Hermite degrees have no singularity up to 8, and exactly two from 10 on",
    "proved",
)
def _even() -> Finding:
    return decided(
        "proved",
        "G_n's differential equation lets G_n / Q^((n-2)/2) turn but twice; from 10 on a(1/2) < 0",
        *[
            judged(f"He_{n}: zeros of a in (0, 1)", singular_strengths(hermite_drift(n)), _none)
            for n in (2, 4, 6, 8)
        ],
        *_at_most_two(),
        *_at_least_two(),
        judged("b where a = 0: τ diverges", -(mu ** (2 * _K + 8)), negative),
    )


def _none(zeros: tuple[object, ...]) -> bool:
    return not zeros


def annihilator(n: Expr, value: Expr, slope: Expr, curvature: Expr) -> Expr:
    """The operator that annihilates H(r) = E (1-c)(1 + r c)^(n-1), from H and its two slopes."""
    r = RATIO
    return (
        r * (r**2 - 1) * curvature
        - (2 * (n - 2) * r**2 - r + 2) * slope
        + (n - 1) * ((n - 2) * r - 1) * value
    )


def _at_most_two() -> list[Step]:
    """Zeros of ``a`` are those of ψ = log H - (n/2) log(1+r), whose turns are counted."""
    n, r, c = _N, RATIO, COSINE
    integrand, flux = (1 - c) * (1 + r * c) ** (n - 1), -(n - 1) * (1 - c) * (1 + r * c) ** (n - 2)
    annihilated = annihilator(n, *(diff(integrand, r, order) for order in range(3)))
    slope_of_flux = c * flux - (1 - c**2) * diff(flux, c)  # d/dφ of flux times sin φ
    at_turn, curvature = n / (2 * (1 + r)), Symbol("H''")
    (of_turn,) = solve(annihilator(n, 1, at_turn, curvature), curvature)
    slope = Symbol("H'")
    (at_one,) = solve(annihilator(n, 1, slope, curvature).subs(r, 1), slope)
    turns = (n - 2) * (n - 4) * r**2 + 3 * (n - 2) ** 2 * r - 4 * (2 * n - 1)
    even = {n: 2 * _K + 6}
    return [
        equal("slope in Q of G_n's integrand, not negative for even n: G_n > 0 on an interval",
              diff((1 - c) * ARGUMENT ** (n - 1), Q), (n - 1) * (1 - c) ** 2 * ARGUMENT ** (n - 2)),
        equal("X (1+r) with Q = 1/(1+r)", (ARGUMENT * (1 + r)).subs(Q, 1 / (1 + r)), 1 + r * c),
        shown("D H, with H = E (1-c)(1 + r c)^(n-1)",
              annihilator(n, Symbol("H"), slope, curvature)),
        equal("D H = 0: D of H's integrand is the slope in φ of a periodic function (n = k+3)",
              annihilated.subs(n, _K + 3), slope_of_flux.subs(n, _K + 3)),
        judged("ψ' at r = 0: ψ falls at first",
               ((n - 1) * over_angle((1 - c) * c) - n / 2).factor(), negative),
        equal("ψ'' where ψ' = 0, by D H = 0: at a turn",
              of_turn - at_turn**2 + at_turn / (1 + r), -turns / (4 * r * (r - 1) * (1 + r) ** 2)),
        judged("its quadratic, n = 2k+6: first coefficient",
               turns.coeff(r, 2).subs(even).factor(), positive),
        judged("value at 0, so that it has one zero r_1 > 0",
               turns.subs(r, 0).subs(even), negative),
        judged("value at 1, so that r_1 < 1: lowest turns in (r_1, 1), highest ones elsewhere",
               expand(turns.subs(r, 1).subs(even)), positive),
        judged("ψ' at r = 1, by D H = 0: no turn there",
               (at_one - n / 4).subs(even).factor(), positive),
    ]  # fmt: skip


def _at_least_two() -> list[Step]:
    """``a`` is negative at 1/2 from degree 10 on, but positive near 0 and 1."""
    doubled = (1 + 3 * COSINE) / 2
    tenth, twelfth = (over_angle((1 - COSINE) * doubled**m) for m in (9, 11))
    p = 5 + _K
    return [
        equal("Y = 2X at Q = 1/4, in [-1, 2]", (2 * ARGUMENT).subs(Q, Rational(1, 4)), doubled),
        judged("n = 10: E (1-c) Y^(n-1) - 2; positive if and only if a(1/2) < 0",
               tenth - 2, positive),
        judged("its growth to n = 12, less 1, the most that Y < 0 adds; Y > 0 is convex in n",
               twelfth - tenth - 1, positive),
        judged("a as μ → 0, degree 2k+10", hermite_drift_limit(2 * p, 0)[0], positive),
        judged("a as 1 - μ → 0, degree 2k+10", hermite_drift_limit(2 * p, 1)[0], positive),
    ]  # fmt: skip
