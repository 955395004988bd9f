"""How many singularities a Hermite student of any degree has, and where (Prop. 2, Sec. 3.2 c).

The proofs rest on one formula. The power of a Hermite student is a mean over an angle φ: with
c = cos φ, S(Q)/n! = E (Q + (1-Q) c)^n. So ``a`` vanishes at ``μ`` if and only if, at Q = μ²,

    Q^((n-2)/2) = G_n(Q),    G_n(Q) = E (1-c) X^(n-1),    X = Q + (1-Q) c.

As 1-c is the density of a probability, G_n^(1/(n-1)) is a norm if n is odd. For even n the
differential equation of G_n decides.
"""

from operator import not_

from sympy import (
    Expr,
    Integer,
    Poly,
    Rational,
    Symbol,
    binomial,
    cos,
    diff,
    expand,
    expand_log,
    factorial,
    gamma,
    log,
    pi,
    solve,
    sqrt,
)

from derive.escape import hermite_drift_limit
from derive.polynomial_drift import hermite_drift
from derive.singularities import singular_strengths
from derive.symbols import Q, mu
from numerics.claims.hermite_students import B_AT_ZERO, SAMPLED, remainder_is_b_at_zero
from numerics.claims.ledger import Finding, Step, claim, equal, equal_for, judged, ours, shown
from numerics.claims.signs import negative, positive

COSINE = Symbol("c", real=True)
ARGUMENT = Q + (1 - Q) * COSINE  # X: its n-th power has the mean S(Q)/n!
_N = Symbol("n", integer=True, positive=True)
_K = Symbol("k", integer=True, nonnegative=True)
_ODD = 2 * _K + 3
NORM_POWER = (_N - 2) / (2 * (_N - 1))  # G_n^(1/(n-1)) is compared with Q to this power
RATIO = Symbol("r", positive=True)  # (1-Q)/Q


def over_angle(polynomial: Expr) -> Expr:
    """The mean over a uniform angle of a polynomial in its cosine."""
    terms = Poly(polynomial, COSINE).terms()
    return sum(value * binomial(k, k // 2) / Integer(2) ** k for (k,), value in terms if k % 2 == 0)


@ours.proved(
    "Sec. 3.2 (c), App. E",
    "The power of He_n, for every n, is a mean over an angle: S(Q) = n! E (Q + (1-Q) cos φ)^n",
    reading="S(Q) is E He_n(z)² of variance Q, φ is uniform",
    falsifier="a degree whose power has another coefficient of (Q-1)^(2j) Q^(n-2j)",
)
def _power_as_mean() -> Finding:
    g, t, j = Symbol("g"), Symbol("t"), Symbol("j", integer=True, nonnegative=True)
    rescaled = factorial(_N) / (2**j * factorial(j) * factorial(_N - 2 * j))
    of_cosine = binomial(2 * j, j) / 4**j
    return Finding(
        "both are Σ_j C(n,2j) C(2j,j)/4^j (Q-1)^(2j) Q^(n-2j), symbolic n and j",
        equal("generating function of He_n(√Q g): exponents of that of variance Q times "
              "e^((Q-1)t²/2), and of it",
              (sqrt(Q) * g * t - Q * t**2 / 2) + (Q - 1) * t**2 / 2, sqrt(Q) * g * t - t**2 / 2),
        shown("so He_n(√Q g) is the sum over j of Q^(n/2-j) (Q-1)^j He_(n-2j)(g) times", rescaled),
        equal("mean of cos^(2j) φ over a uniform angle φ",
              gamma(j + Rational(1, 2)) / sqrt(pi) / gamma(j + 1), of_cosine),
        equal("weight of (Q-1)^(2j) Q^(n-2j) in S(Q)/n!, and in the mean over the angle",
              rescaled**2 * factorial(_N - 2 * j) / factorial(_N),
              binomial(_N, 2 * j) * of_cosine),
        equal("1/n times the slope in Q of what the mean is taken of, c = cos φ",
              diff(ARGUMENT**_N, Q) / _N, (1 - COSINE) * ARGUMENT ** (_N - 1)),
    )  # fmt: skip


@ours.proved(
    "Sec. 3.2 (c), App. E",
    "For He_n, every n: b = -n n! μ^(n-2) where a = 0, with a = n n! μ^(n-1) + μ b",
    reading="a and b of the matched pair, in the flow's own time; a - μ b is of drift-coefficients",
    falsifier="a degree with another b at a zero of a",
)
def _drift_at_singularities() -> Finding:
    whole = _N * factorial(_N) * mu ** (_N - 1)

    def of_derive(n: int) -> tuple[Expr, Expr]:
        drift = hermite_drift(n)
        return drift.a.as_expr(), whole.subs(_N, n) + mu * drift.b.as_expr()

    return Finding(
        "a = 0 gives μ b, symbolic n",
        equal_for("a of He_3 to He_12, and n n! μ^(n-1) + μ b", SAMPLED, of_derive),
        equal("so a = 0 where b = -n n! μ^(n-2), for every n: n n! μ^(n-1) + μ b there",
              whole + mu * _N * factorial(_N) * B_AT_ZERO, 0),
        remainder_is_b_at_zero(),
    )  # fmt: skip


def power_rises() -> list[Step]:
    """dS/dQ > 0 in (0, 1) for every odd degree, by the mean of ``power-as-mean``."""
    n = 2 * _K + 1
    slope = n * (1 - COSINE) * ARGUMENT ** (n - 1)
    return [
        shown("odd degrees n: by power-as-mean S(Q)/n! is the mean over φ, c = cos φ, of",
              ARGUMENT**n),
        equal("the slope of that in Q, n = 2k+1", diff(ARGUMENT**n, Q), slope),
        judged("that slope over 1 - c is not negative", slope / (1 - COSINE),
               lambda value: value.is_nonnegative),
        judged("and it is positive at c = 0, so that its mean dS/dQ is positive",
               slope.subs(COSINE, 0), positive),
    ]  # fmt: skip


def tied() -> Step:
    """The two sides that are compared, as they are typed here, make up the ``a`` of ``derive``."""

    def sides(n: int) -> tuple[Expr, Expr]:
        mean = over_angle(expand((1 - COSINE) * ARGUMENT ** (n - 1)))
        compared = (Q**NORM_POWER).subs(_N, n) ** (n - 1) - mean
        a = hermite_drift(n, normalization="n*n!").a
        return a.exquo(Poly(mu, mu)).as_expr(), compared.subs(Q, mu**2)

    text = (
        "a/μ of He_3 to He_12, and Q^((n-2)/2) - G_n at Q = μ², where G_n is the mean over φ of "
        "(1-c) X^(n-1), c = cos φ, X = Q + (1-Q) c"
    )
    return equal_for(text, SAMPLED, sides)


def _density() -> Step:
    return judged(
        "1 - c, whose mean over the angle is 1: it is a density",
        1 - COSINE,
        lambda w: over_angle(w) == 1,
    )


@ours.proved(
    "Prop. 2, Sec. 3.2 (c), Fig. 2 (b)",
    "For every odd Hermite degree from 3 on τ diverges at exactly one strength in (0, 1)",
    reading="the paper says at least one (odd-singularity), and speaks of this singularity",
    falsifier="an odd degree from 3 on with two zeros of a in (0, 1)",
)
def _odd_singularity_single() -> Finding:
    power = NORM_POWER.subs(_N, _ODD)
    at_zero = gamma(_K + Rational(3, 2)) / sqrt(pi) / gamma(_K + 2)

    def its_mean(n: int) -> tuple[Expr, Expr]:
        mean = (1 - COSINE) * ARGUMENT.subs(Q, 0) ** (n - 1)
        return over_angle(expand(mean)), at_zero.subs(_K, Rational(n - 3, 2))

    return Finding(
        "G_n^(1/(n-1)) is convex in Q and Q^((n-2)/(2n-2)) concave: equal at Q = 1 and once before",
        tied(),
        _density(),
        judged("X is affine in Q, so that its norm G_n^(1/(n-1)) is convex: X", ARGUMENT,
               lambda x: diff(x, Q, 2) == 0),
        judged("Q^((n-2)/(2n-2)) is concave: its second slope, n = 2k+3", diff(Q**power, Q, 2),
               negative),
        equal_for("G_n at Q = 0, odd degrees: the mean of (1-c) c^(n-1) over the angle",
                  range(3, 13, 2), its_mean),
        judged("it is positive for n = 2k+3, where Q^((n-2)/(2n-2)) is 0: the norm begins above",
               at_zero, positive),
        judged("at Q = 1 both are 1: slope of the norm there less that of Q^((n-2)/(2n-2))",
               (over_angle((1 - COSINE) ** 2) - power).factor(), positive),
        remainder_is_b_at_zero(),
        judged("b/(n n!) where a = 0 is negative, n = 2k+3: τ diverges", B_AT_ZERO.subs(_N, _ODD),
               negative),
    )  # fmt: skip


@claim.proved(
    "Sec. 3.2 (c), Fig. 2 (b)",
    "The critical strength shifts to the right with every odd degree",
    quote="This critical value shifts to the right as the degree of the Hermite polynomial "
    "increases",
    reading="of odd degrees, to which the sentence refers: the one singularity grows with n",
    falsifier="an odd degree whose singularity is not below that of the next odd one",
)
def _odd_singularity_shifts() -> Finding:
    power = NORM_POWER.subs(_N, _ODD)
    return Finding(
        "G_n^(1/(n-1)), a norm over a probability, grows with n and Q^((n-2)/(2n-2)) falls: the "
        "first stays above on a longer interval",
        tied(),
        _density(),
        judged("the power (n-2)/(2n-2) grows from one odd degree to the next: at 2k+5 less at 2k+3",
               (power.subs(_K, _K + 1) - power).factor(), positive),
    )  # fmt: skip


@claim.proved(
    "Sec. 3.2 (c), Fig. 2 (b)",
    "Even Hermite degrees have no singularity up to 8, and exactly two from 10 on",
    quote="we observe that for even Hermite degrees that are sufficiently large, two singularities "
    "appear",
    reading="a singularity is a zero of a with b ≤ 0; sufficiently large is from 10 on",
    falsifier="an even degree with another number of zeros of a in (0, 1)",
)
def _even_singularities() -> Finding:
    return Finding(
        "G_n's differential equation lets G_n / Q^((n-2)/2) turn but twice; from 10 on a(1/2) < 0",
        *[
            judged(f"He_{n}: zeros of a in (0, 1)", singular_strengths(hermite_drift(n)), not_)
            for n in (2, 4, 6, 8)
        ],
        tied(),
        *_at_most_two(),
        *_at_least_two(),
        remainder_is_b_at_zero(),
        judged(
            "b/(n n!) where a = 0 is negative, n = 2k+10: τ diverges",
            B_AT_ZERO.subs(_N, 2 * _K + 10),
            negative,
        ),
    )


def annihilator(n: Expr, value: Expr, slope: Expr, curvature: Expr) -> Expr:
    """The operator that annihilates H(r) = E (1-c)(1 + r c)^(n-1), from H and its two slopes.

    Arguments:
        n: the degree.
        value, slope, curvature: H and its two slopes in r.
    """
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
    subtracted = n / 2 * log(1 + r)
    side = (Q ** ((n - 1) * NORM_POWER)).subs(Q, 1 / (1 + r))
    angle = Symbol("varphi", real=True)
    at_one = integrand.subs({r: 1, c: 2 * cos(angle / 2) ** 2 - 1}).simplify()
    return [
        equal("slope of (1-c) X^(n-1) in Q: not negative for even n, so that G_n rises, and is "
              "positive from some Q on",
              diff((1 - c) * ARGUMENT ** (n - 1), Q), (n - 1) * (1 - c) ** 2 * ARGUMENT ** (n - 2)),
        equal("with Q = 1/(1+r): X (1+r)", (ARGUMENT * (1 + r)).subs(Q, 1 / (1 + r)), 1 + r * c),
        equal("so G_n/Q^((n-2)/2) is H/(1+r)^(n/2), where H is the mean of (1-c)(1 + r c)^(n-1): "
              "logarithms of what H is multiplied by",
              log(1 + r) * (1 - n) - expand_log(log(side), force=True), -subtracted),
        shown("a differential operator D, applied to H",
              annihilator(n, Symbol("H"), Symbol("H'"), Symbol("H''"))),
        equal("D H = 0, n = k+3: D of (1-c)(1 + r c)^(n-1) is the slope in φ of a periodic "
              "function, whose mean is 0",
              annihilated.subs(n, _K + 3), slope_of_flux.subs(n, _K + 3)),
        judged("ψ = log H - (n/2) log(1+r), n = 2k+6, exists up to r = 1, where D loses its "
               "order: (1-c)(1+c)^(n-1), of which H(1) is the mean, is not negative",
               at_one.subs(n, 2 * _K + 6), lambda f: f.is_nonnegative),
        judged("ψ falls at first: its slope at r = 0",
               ((n - 1) * over_angle((1 - c) * c) - diff(subtracted, r).subs(r, 0)).factor(),
               negative),
        *_turns(subtracted),
    ]  # fmt: skip


def _turns(subtracted: Expr) -> list[Step]:
    """Where ψ = log H - ``subtracted`` has slope 0: of what kind, for even degrees from 6 on."""
    n, r, even = _N, RATIO, {_N: 2 * _K + 6}
    slope, curvature = Symbol("psi'"), Symbol("H''")  # of ψ, and of H over H
    of_log = slope + diff(subtracted, r)  # H'/H
    (of_equation,) = solve(annihilator(n, 1, of_log, curvature), curvature)
    second = of_equation - of_log**2 - diff(subtracted, r, 2)  # ψ'', from r and ψ'
    quadratic = (n - 2) * (n - 4) * r**2 + 3 * (n - 2) ** 2 * r - 4 * (2 * n - 1)
    divisor = 4 * r * (1 - r) * (1 + r) ** 2
    third = diff(second, r).subs(slope, 0)  # where ψ' = ψ'' = 0
    inside = {r: 1 / (1 + Symbol("s", positive=True))}  # 0 < r < 1
    (at_one,) = solve(annihilator(n, 1, of_log, curvature).subs(r, 1), slope)
    return [
        equal("where ψ turns, its second slope, by D H = 0: a quadratic over something positive "
              "if r < 1",
              second.subs(slope, 0), quadratic / divisor),
        judged("the quadratic for n = 2k+6, that is for even degrees from 6 on: coefficient of r²",
               quadratic.coeff(r, 2).subs(even).factor(), positive),
        judged("its value at r = 0, so that it has one zero r_1 > 0",
               quadratic.subs(r, 0).subs(even), negative),
        judged("its value at r = 1, so that r_1 < 1: ψ has minima in (r_1, 1) alone, and maxima "
               "elsewhere",
               expand(quadratic.subs(r, 1).subs(even)), positive),
        equal("third slope of ψ where the first two are 0, less a multiple of the quadratic",
              third - quadratic * diff(1 / divisor, r), diff(quadratic, r) / divisor),
        judged("that third slope at r_1 = 1/(1+s) is positive: a turn there would have ψ rise "
               "before it, but ψ falls on (0, r_1), where it has no minimum",
               (diff(quadratic, r) / divisor).subs(inside).subs(even).factor(), positive),
        judged("no turn at r = 1: ψ' there, by D H = 0", at_one.subs(even).factor(), positive),
    ]  # fmt: skip


def _at_least_two() -> list[Step]:
    """``a`` is negative at 1/2 from degree 10 on, but positive near 0 and 1."""
    doubled = (1 + 3 * COSINE) / 2
    tenth, twelfth = (over_angle((1 - COSINE) * doubled**m) for m in (9, 11))
    p = 5 + _K
    return [
        equal("at μ = 1/2, Q = 1/4: Y = 2X, which lies in [-1, 2]",
              (2 * ARGUMENT).subs(Q, Rational(1, 4)), doubled),
        judged("n = 10: mean of (1-c) Y^(n-1), less 2; positive if and only if a(1/2) < 0",
               tenth - 2, positive),
        judged("it grows from n = 10 to 12 by more than 1, the most that Y < 0 can take off "
               "later, while what Y > 0 adds is convex in n: growth, less 1",
               twelfth - tenth - 1, positive),
        judged("a as μ → 0, n = 2k+10: coefficient, exponent of μ",
               hermite_drift_limit(2 * p, 0)[0], positive),
        judged("a as μ → 1, n = 2k+10: coefficient, exponent of 1 - μ",
               hermite_drift_limit(2 * p, 1)[0], positive),
    ]  # fmt: skip
