"""How many zeros ``a`` has for squared labels and a Hermite student of any even degree (Sec. 3.3).

For n = 2N the teacher He_n² has the correlation C(Q, ρ) = Σ_i e_i (Q-1)^i ρ^(n-2i), i ≤ N, with the
student. With M(Q) = C(Q, √Q), ``a`` is 2μ F'(μ²), where F = M - S/2. M is a Jacobi polynomial in
another variable, and far larger than the power S ≤ n! of the student:

- M' has N-1 zeros, all in (0, 1), and exceeds S'/2 on the circle over (0, 1): so F' has N-1 zeros
  in it (Rouché);
- the extreme values of Q^(1/4) M grow with Q (Sonin), so M exceeds S/2 between any two of its
  zeros: F' changes its sign N-1 times in (0, 1).
"""

from functools import partial

from sympy import (
    Expr,
    Rational,
    Symbol,
    binomial,
    collect,
    diff,
    expand,
    factorial,
    factorial2,
    fraction,
    gammasimp,
    jacobi,
    log,
    simplify,
    solve,
    together,
)

from derive.polynomial_drift import hermite_drift, hermite_power
from derive.singularities import singular_strengths
from derive.symbols import Q, mu, rho
from numerics.claims.every_degree import ARGUMENT, COSINE
from numerics.claims.ledger import Finding, Step, equal, equal_for, judged, ours, shown
from numerics.claims.signs import all_positive, negative, positive

_N = Symbol("N", integer=True, positive=True)  # half the degree
_I = Symbol("i", integer=True, nonnegative=True)
_K = Symbol("k", integer=True, nonnegative=True)
_EVEN = range(2, 13, 2)  # degrees at which typed formulas are held to ``derive``
_FUNCTION = _VALUE, _SLOPE, _CURVATURE = Symbol("f"), Symbol("f'"), Symbol("f''")
# e_i/n!, from (37) and (64).
WEIGHT = factorial(2 * _N) ** 2 / (
    2**_I * factorial(_I) * factorial(_N + _I) * factorial(_N - _I) ** 2
)


LEAST = factorial2(2 * _N - 1)  # e_N/n!
LARGEST = factorial(_N) * binomial(2 * _N, _N) ** 2  # e_0/n!


def correlation(half: int) -> Expr:
    """C(Q, ρ)/n! of degree n = 2 ``half``."""
    return sum(
        WEIGHT.subs({_N: half, _I: i}) * (Q - 1) ** i * rho ** (2 * half - 2 * i)
        for i in range(half + 1)
    )


def equation(value: Expr, slope: Expr, curvature: Expr) -> Expr:
    """What vanishes for M, from M and its slopes in Q."""
    return (
        Q * (1 - Q**2) * curvature
        + (2 * (_N - 1) * Q**2 - (4 * _N + 1) * Q + 1) * slope
        + _N * (4 * _N + 1 - (_N - 1) * Q) * value
    )


@ours.proved(
    "Sec. 3.3",
    "With squared labels and every even n, a has exactly n/2 - 1 zeros in (0, 1); from the last "
    "one down b is positive and negative in turn: τ diverges at every second",
    reading="a and b of the student He_n and the label He_n², all zeros simple",
    falsifier="an even degree with another number of zeros, or b of one sign at two neighbours",
)
def _squared_even() -> Finding:
    return Finding(
        "F' has n/2 - 1 zeros in the disc over (0, 1), as M' has, and changes its sign as often "
        "there, for M exceeds S/2 between its zeros; a = 2μ F'(μ²), F = M - S/2",
        *_typed(),
        *_jacobi(),
        *_zeros_in_the_disc(),
        *_changes_of_sign(),
        *_signs_of_b(),
    )


def _typed() -> list[Step]:
    """The formulas of the proof against the drift that ``derive`` gives, n = 2, 4, ..., 12."""

    def of_a(n: int) -> tuple[Expr, Expr]:
        risk = factorial(n) * correlation(n // 2) - hermite_power(n).as_expr() / 2
        return hermite_drift(n, "squared").a.as_expr(), diff(_frozen(risk), mu)

    def of_b(n: int) -> tuple[Expr, Expr]:
        by_variance = factorial(n) * diff(correlation(n // 2), Q)
        b = _frozen(2 * by_variance - hermite_power(n).diff(Q).as_expr())
        return hermite_drift(n, "squared").b.as_expr(), b

    return [
        equal(
            "e_i/n!: the weight j! C(n,j)² of He_(n-2i) in He_n², j = N+i, times c_(n-2i)(Q)/n!",
            gammasimp(WEIGHT / (factorial(_N + _I) * binomial(2 * _N, _N + _I) ** 2)),
            1 / (factorial(_I) * 2**_I),
        ),
        equal_for("a of He_2 to He_12, and the slope of C(μ², μ) - S(μ²)/2", _EVEN, of_a),
        equal_for("b of He_2 to He_12, and 2 C_Q - S'", _EVEN, of_b),
    ]


def _frozen(expression: Expr) -> Expr:
    return expression.subs({Q: mu**2, rho: mu}, simultaneous=True)


def _composed(weight: Expr, inner: Expr) -> tuple[Expr, Expr, Expr]:
    """``weight`` times f(``inner``) and its two slopes in Q, over the weight."""
    growth, rate = diff(log(weight), Q), diff(inner, Q)
    first = growth * _VALUE + rate * _SLOPE
    second = (growth**2 + diff(growth, Q)) * _VALUE + rate**2 * _CURVATURE
    return _VALUE, first, second + (2 * growth * rate + diff(rate, Q)) * _SLOPE


def _solves(text: str, weight: Expr, inner: Expr, law: Expr) -> Step:
    """That ``weight`` · f(``inner``) solves the equation of M if f obeys a law of its own."""
    (curvature,) = solve(law, _CURVATURE)
    left = equation(*(f.subs(_CURVATURE, curvature) for f in _composed(weight, inner)))
    return equal(text, simplify(left), 0)


def _jacobi() -> list[Step]:
    """M is a multiple of (1+Q)^N P(x), P = P_N^(N,0) of Jacobi and x = (3Q-1)/(1+Q) in (-1, 1)."""
    t, x = (1 - Q) / Q, (3 * Q - 1) / (1 + Q)
    theta, twice = t * _SLOPE, t * _SLOPE + t**2 * _CURVATURE  # θ = t d/dt
    of_series = 2 * (twice + _N * theta) + t * (twice - 2 * _N * theta + _N**2 * _VALUE)
    of_jacobi = (1 - x**2) * _CURVATURE - (_N + (_N + 2) * x) * _SLOPE
    of_jacobi += _N * (2 * _N + 1) * _VALUE

    def sides(n: int) -> tuple[Expr, Expr]:
        ours_ = correlation(n // 2).subs(rho, Q ** Rational(1, 2))
        theirs = (1 + Q) ** (n // 2) * jacobi(n // 2, n // 2, 0, x)
        return ours_ / ours_.subs(Q, 1), theirs / theirs.subs(Q, 1)

    return [
        equal("e_(i+1)/e_i: 2θ(θ+N) h = -t (θ-N)² h for h = Σ e_i (-t)^i, θ = t d/dt",
              gammasimp(WEIGHT.subs(_I, _I + 1) / WEIGHT),
              (_N - _I) ** 2 / (2 * (_I + 1) * (_N + _I + 1))),
        shown("so this vanishes for M = Q^N h((1-Q)/Q)", equation(_VALUE, _SLOPE, _CURVATURE)),
        _solves("it does", Q**_N, t, of_series),
        _solves("and for (1+Q)^N P(x); Q = 1 is singular, and a solution without a singularity "
                "there is one, up to a factor", (1 + Q) ** _N, x, of_jacobi),
        judged("there its k-th slope gives M^(k+1) from lower ones: factor of M^(k+1)",
               (_K * diff(equation(0, 0, 1), Q) + equation(0, 1, 0)).subs(Q, 1).factor(), negative),
        equal_for("M/M(1), n = 2 to 12, and (1+Q)^N P(x) over its value at 1", _EVEN, sides),
    ]  # fmt: skip


def _zeros_in_the_disc() -> list[Step]:
    """M' has N-1 zeros, those between the zeros of M; F' has as many in the disc over (0, 1)."""
    x, y = Symbol("x", real=True), Symbol("y", real=True)
    apart = ((1 + x) / 2 - Q) ** 2 + y**2 / 4  # |w - Q|² at w = (1 + x + iy)/2
    slopes = {0: _N * LEAST + WEIGHT.subs(_I, _N - 1), 1: _N * LARGEST + WEIGHT.subs(_I, 1)}

    def at_end(end: int, n: int) -> tuple[Expr, Expr]:
        slope = diff(correlation(n // 2).subs(rho, Q ** Rational(1, 2)), Q).subs(Q, end)
        return abs(slope), slopes[end].subs(_N, n // 2)

    return [
        equal("|w - Q|² on the circle w = (1 + e^(iθ))/2, with x = cos θ: linear in x, so log |M'| "
              "is concave in it, and least at w = 0 or w = 1",
              apart.expand().subs(y**2, 1 - x**2), (1 + x) / 2 - x * Q + Q**2 - Q),
        equal("X = Q + (1-Q) c lies between 2Q - 1 and 1: |X| ≤ 1 in the disc, |S'/2| ≤ N n!",
              ARGUMENT, (1 - COSINE) / 2 * (2 * Q - 1) + (1 + COSINE) / 2),
        equal("e_N/n! = |M(0)|/n!, at least 1", gammasimp(WEIGHT.subs(_I, _N) / LEAST), 1),
        equal("e_0/n! = M(1)/n!, at least 1", gammasimp(WEIGHT.subs(_I, 0) / LARGEST), 1),
        equal_for("|M'(0)|/n!", _EVEN, partial(at_end, 0)),
        equal_for("|M'(1)|/n!", _EVEN, partial(at_end, 1)),
        judged("both exceed N by more than this", (WEIGHT.subs(_I, _N - 1), WEIGHT.subs(_I, 1)),
               all_positive),
    ]  # fmt: skip


def _changes_of_sign() -> list[Step]:
    """Between two zeros of M it exceeds S/2 ≤ n!/2, N from 2 on: so F has N+1 signs in turn."""
    inside = {_N: _K + 2, Q: 1 / (1 + Symbol("s", positive=True))}  # 0 < Q < 1
    of_v = collect(expand(equation(*_composed(Q ** Rational(-1, 4), Q))), _FUNCTION)
    first, value = (of_v.coeff(f) / of_v.coeff(_CURVATURE) for f in (_SLOPE, _VALUE))
    falls = 2 * first + diff(value, Q) / value
    highest = -first * _SLOPE - value * _VALUE
    energy = 2 * _VALUE * _SLOPE + 2 * _SLOPE * highest / value
    energy -= _SLOPE**2 * diff(value, Q) / value**2
    bend = _N * (4 * _N + 1)
    return [
        judged("v = Q^(1/4) M obeys v'' + A v' + B v = 0: B, N = k+2 and Q = 1/(1+s)",
               value.subs(inside).factor(), positive),
        equal("slope of v² + v'²/B, which is v² where v' = 0, over v'² (2A + B'/B)/B, plus 1",
              together(energy * value / (_SLOPE**2 * falls) + 1).factor(), 0),
        judged("-(2A + B'/B), numerator and denominator: each extreme value of v exceeds those "
               "before it", fraction(-falls.subs(inside).factor()), all_positive),
        equal("-M'(0)/M(0), the sum of 1/q over the zeros q of M: |M| ≥ |M(0)|/2 up to half its "
              "inverse, where |v|, and so |M| at all extremes of v, is at least e_N/2 (2 times it)"
              "^(-1/4)", gammasimp(_N + WEIGHT.subs(_I, _N - 1) / WEIGHT.subs(_I, _N)), bend),
        judged("((2N-1)!!)^4 - 2N(4N+1) at N = 2: that exceeds n!/2",
               (LEAST**4 - 2 * bend).subs(_N, 2), positive),
        _grows(),
    ]  # fmt: skip


def _grows() -> Step:
    bend = 2 * _N * (4 * _N + 1)
    growth = (2 * _N + 1) ** 4 * bend - bend.subs(_N, _N + 1)
    return judged("the first grows faster than the second from N to N + 1, N = k+2",
                  growth.subs(_N, _K + 2).expand(), positive)  # fmt: skip


def _signs_of_b() -> list[Step]:
    """At a zero of ``a`` the sign of ``b`` is that of -M, and F is extreme, with signs in turn.

    F(1) > 0, so at the last zero F is least. Where |M| > 3/2 n! between the zeros of M, |F| > n! at
    its extremes, and |M| too.
    """
    by_q, by_rho, power = Symbol("C_Q"), Symbol("C_rho"), Symbol("S'")
    a, b = 2 * mu * by_q + by_rho - mu * power, 2 * by_q - power

    def of_rho(n: int) -> tuple[Expr, Expr]:
        root = Q ** Rational(1, 2)
        given = correlation(n // 2)
        m = given.subs(rho, root)
        slope = (rho * diff(given, rho)).subs(rho, root)
        return slope, 2 * Q * (n // 2 * m + (1 - Q) * diff(m, Q))

    return [
        equal("b - a/μ", b - a / mu, -by_rho / mu),
        equal_for("ρ C_ρ and 2Q (N M + (1-Q) M'); where a = 0 |M'| = |S'/2| ≤ N n!, so b < 0 if "
                  "M > n! and b > 0 if M < -n!", _EVEN, of_rho),
        judged("((2N-1)!!)^4 - 81 · 2N(4N+1) at N = 3: |M| > 3/2 n! at extremes of v, N from 3 on",
               (LEAST**4 - 162 * _N * (4 * _N + 1)).subs(_N, 3), positive),
        judged("He_4: its one zero of a, where b is positive",
               singular_strengths(hermite_drift(4, "squared")),
               lambda zeros: [zero.diverges for zero in zeros] == [False]),
    ]  # fmt: skip
