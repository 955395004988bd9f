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
    """What vanishes for M, from M and its slopes in Q.

    Arguments:
        value, slope, curvature: M and its first two derivatives.
    """
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
            "with n = 2N the correlation of labels and student is C(Q, ρ), the sum over i of e_i "
            "(Q-1)^i ρ^(n-2i). By (37) and (64) e_i is the weight j! C(n,j)², j = N+i, of "
            "He_(n-2i) in He_n² times a coefficient of the student: e_i/n! over that weight",
            gammasimp(WEIGHT / (factorial(_N + _I) * binomial(2 * _N, _N + _I) ** 2)),
            1 / (factorial(_I) * 2**_I),
        ),
        equal_for("a of He_2 to He_12, and the slope in μ of C(μ², μ) - S(μ²)/2", _EVEN, of_a),
        equal_for("b of He_2 to He_12, and 2 ∂C/∂Q - S' at Q = μ², ρ = μ", _EVEN, of_b),
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
        equal("e_(i+1)/e_i; so h(t) = Σ e_i (-t)^i obeys 2θ(θ+N) h = -t (θ-N)² h with the "
              "operator θ = t d/dt",
              gammasimp(WEIGHT.subs(_I, _I + 1) / WEIGHT),
              (_N - _I) ** 2 / (2 * (_I + 1) * (_N + _I + 1))),
        shown("then this vanishes if f is M(Q) = C(Q, √Q), which is Q^N h((1-Q)/Q)",
              equation(_VALUE, _SLOPE, _CURVATURE)),
        _solves("by the equation of h: its value for M", Q**_N, t, of_series),
        _solves("it vanishes, too, if f is (1+Q)^N P(x), where x = (3Q-1)/(1+Q) and P is the "
                "polynomial of Jacobi of degree N with the parameters N and 0: its value for that",
                (1 + Q) ** _N, x, of_jacobi),
        judged("so M is a multiple of that: among solutions that are smooth at Q = 1 there is one, "
               "up to a factor, for k slopes of the equation there give the slope k+1 of f, whose "
               "factor is not 0",
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
        equal("on the circle w = (1 + e^(iθ))/2 over (0, 1) the square distance from a point Q is "
              "linear in x = cos θ; so log |M'|, a sum of logarithms of such, is concave in x, and "
              "least at w = 0 or 1: |w - Q|²",
              apart.expand().subs(y**2, 1 - x**2), (1 + x) / 2 - x * Q + Q**2 - Q),
        equal("X = Q + (1-Q) c is a mean of 2Q - 1 and 1, so that |X| ≤ 1 in the disc; hence "
              "|S'/2| ≤ N n! there, by power-as-mean",
              ARGUMENT, (1 - COSINE) / 2 * (2 * Q - 1) + (1 + COSINE) / 2),
        equal("|M(0)|/n! is e_N/n!, over (2N-1)!!, which is at least 1",
              gammasimp(WEIGHT.subs(_I, _N) / LEAST), 1),
        equal("M(1)/n! is e_0/n!, over N! C(2N,N)², which is at least 1",
              gammasimp(WEIGHT.subs(_I, 0) / LARGEST), 1),
        equal_for("slope |M'(0)|/n!, and N (2N-1)!! + e_(N-1)/n!", _EVEN, partial(at_end, 0)),
        equal_for("slope |M'(1)|/n!, and N N! C(2N,N)² + e_1/n!", _EVEN, partial(at_end, 1)),
        judged("so both exceed N, and |M'| exceeds |S'/2| on the circle: e_(N-1)/n! and e_1/n!",
               (WEIGHT.subs(_I, _N - 1), WEIGHT.subs(_I, 1)),
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
        judged("v = Q^(1/4) M obeys v'' + A v' + B v = 0 with B > 0 in (0, 1), N from 2 on: B at "
               "N = k+2, Q = 1/(1+s)",
               value.subs(inside).factor(), positive),
        equal("v² + v'²/B, which is v² where v is extreme, has the slope -v'² (2A + B'/B)/B: one "
              "over the other, plus 1",
              together(energy * value / (_SLOPE**2 * falls) + 1).factor(), 0),
        judged("-(2A + B'/B) is positive, so that each extreme value of v exceeds those before it: "
               "its numerator and denominator", fraction(-falls.subs(inside).factor()),
               all_positive),
        equal("the sum of 1/q over the zeros q of M, which is -M'(0)/M(0)",
              gammasimp(_N + WEIGHT.subs(_I, _N - 1) / WEIGHT.subs(_I, _N)), bend),
        shown("up to half the inverse of that sum |M| ≥ |M(0)|/2, so at it |v|, and |M| at all "
              "extremes of v beyond, is at least (|M(0)|/2) (2 sum)^(-1/4): that over n!",
              LEAST / 2 / (2 * bend) ** Rational(1, 4)),
        judged("that exceeds n!/2 ≥ S/2 if ((2N-1)!!)^4 > 2N(4N+1): difference at N = 2",
               (LEAST**4 - 2 * bend).subs(_N, 2), positive),
        _grows(),
    ]  # fmt: skip


def _grows() -> Step:
    bend = 2 * _N * (4 * _N + 1)
    growth = (2 * _N + 1) ** 4 * bend - bend.subs(_N, _N + 1)
    return judged("the left side grows faster than the right one from N to N + 1: their growths "
                  "at N = k+2, multiplied out",
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
        equal("with a = 2μ C_Q + C_ρ - μ S' and b = 2 C_Q - S': b - a/μ", b - a / mu, -by_rho / mu),
        equal_for("so where a = 0 b is -C_ρ/μ. There |M'| = |S'/2| ≤ N n!, so b < 0 if M > n! and "
                  "b > 0 if M < -n!: ρ C_ρ, and 2Q (N M + (1-Q) M')", _EVEN, of_rho),
        judged("|M| > 3/2 n! at all extremes of v, N from 3 on, as ((2N-1)!!)^4 > 81 · 2N(4N+1): "
               "difference at N = 3",
               (LEAST**4 - 162 * _N * (4 * _N + 1)).subs(_N, 3), positive),
        judged("He_4 has one zero of a, where b is positive and τ does not diverge: its zeros",
               singular_strengths(hermite_drift(4, "squared")),
               lambda zeros: [zero.diverges for zero in zeros] == [False]),
    ]  # fmt: skip
