"""Where the singularities of Hermite students go as the degree grows (Sec. 3.2 c).

The last one tends to 1: at Q = 1 - x/n both sides of Q^((n-2)/2) = G_n(Q) have limits in n. The
first one, of even degrees, tends to 0: there 2n Q is near log 4n, where the parts of G_n from both
ends of the angle, both of order n^(-3/2), cancel. Units of ``b`` and C: n n!, as in the paper.
"""

from collections.abc import Callable

from flint import arb, ctx, fmpq
from sympy import (
    Expr,
    Rational,
    Symbol,
    besseli,
    cos,
    diff,
    exp,
    expand,
    expand_func,
    gamma,
    gammasimp,
    integrate,
    limit,
    log,
    oo,
    pi,
    sqrt,
)

from derive.errors import Undecided
from derive.polynomial_drift import hermite_drift
from derive.symbols import Q, mu
from numerics.certified.balls import Enclosure, enclosure
from numerics.certified.singularities import Singularity, find_singularities
from numerics.certified.zeros import sign_of
from numerics.claims.every_degree import ARGUMENT, COSINE, NORM_POWER, over_angle, tied
from numerics.claims.hermite_students import remainder_is_b_at_zero
from numerics.claims.ledger import Finding, Step, equal, judged, ours, shown
from numerics.claims.signs import negative, positive

_DEGREE = Symbol("n", integer=True, positive=True)
_DEGREES = (10**3, 10**4, 10**5, 10**6)
_BITS = 128
_X = Symbol("x", positive=True)
_LARGE = Symbol("n", positive=True)


@ours.certified(
    "Sec. 3.2 (c)",
    "With the degree n the last singularity tends to 1: n (1-μ) → x/2 = 5.0363..., with e^(x/2) = "
    "I_0(x) - I_1(x)",
    reading="the last singularity is the largest zero of a in (0, 1), for odd and even degrees",
    falsifier="another limit of n (1-μ), or degrees along which it has none",
)
def _last_singularity_limit() -> Finding:
    x, n = _X, _LARGE
    low, high = (enclosure(_gap(arb(end)), 12) for end in ("10.07264337", "10.07264339"))
    return Finding(
        "at Q = 1 - x/n both sides have limits in n, which cross once; no zero comes nearer to x = "
        "0; I_0 and I_1 are enclosed",
        tied(),
        equal("X^(n-1) at Q = 1 - x/n as n → ∞; as |X| ≤ 1 its mean converges, too",
              limit(ARGUMENT.subs(Q, 1 - x / n) ** (n - 1), n, oo), exp(-x * (1 - COSINE))),
        shown("so G_n tends to the mean of (1-c) e^(-x(1-c)), whose logarithm is convex in x",
              _of_mean(x)),
        equal("Q^((n-2)/2) as n → ∞, whose logarithm is linear: the two limits cross once in x > 0",
              limit((1 - x / n) ** ((n - 2) / 2), n, oo),
              _of_power(x)),
        judged("both limits are 1 at x = 0: slope of the first there less that of the second",
               Rational(1, 2) - over_angle((1 - COSINE) ** 2), negative),
        judged("they cross where I_0 - I_1 = e^(x/2): difference at x = 10.07264337", low,
               negative),
        judged("difference at x = 10.07264339", high, positive),
        *_none_near_one(),
        shown("n (1-μ) of the last zero, n = 10³, 10⁴, 10⁵, 10⁶",
              tuple(_of_last(n, lambda s, n: n * (1 - s.mu.ball())) for n in _DEGREES)),
    )  # fmt: skip


def _of_mean(x: Expr) -> Expr:
    return exp(-x) * (besseli(0, x) - besseli(1, x))


def _of_power(x: Expr) -> Expr:
    return exp(-x / 2)


def _none_near_one() -> list[Step]:
    """What carries the limit over to zeros: the difference of the sides at Q = 1 - x/n, each n.

    Its second slope in x is bounded for all n, so it converges with its slope, uniformly on bounded
    intervals; and it is negative until some x that does not depend on n. So its least zero, the
    last singularity for either parity, tends to the crossing of the limits.
    """
    n, c = Symbol("k", integer=True, nonnegative=True) + 6, COSINE
    x = Symbol("x", nonnegative=True)
    scaled = {Q: 1 - x / n}
    mean = (1 - c) * ARGUMENT.subs(scaled) ** (n - 1)
    side = (Q ** ((n - 1) * NORM_POWER.subs(_DEGREE, n))).subs(scaled)
    slope = over_angle(diff(mean, x).subs(x, 0)) - diff(side, x).subs(x, 0)
    weight, other = (n - 1) * (n - 2) / n**2, (n - 2) * (n - 4) / (4 * n**2)
    bound, most = weight * over_angle(expand((1 - c) ** 3)) + other, Rational(11, 4)
    return [
        equal("|X| ≤ 1: 1 - X is not negative", 1 - ARGUMENT, (1 - Q) * (1 - c)),
        equal("and 1 + X is not negative", 1 + ARGUMENT, 2 * Q + (1 - Q) * (1 + c)),
        equal("no zero comes nearer to x = 0. G_n - Q^((n-2)/2) at Q = 1 - x/n, n = k+6: slope in "
              "x at 0", slope, -1 + 1 / (2 * n)),
        equal("second slope in x of (1-c) X^(n-1), of which G_n is the mean",
              diff(mean, x, 2), weight * (1 - c) ** 3 * ARGUMENT.subs(scaled) ** (n - 3)),
        equal("second slope in x of Q^((n-2)/2)",
              diff(side, x, 2), other * (1 - x / n) ** (n / 2 - 3)),
        judged("so the second slope of the difference is at most 11/4: 11/4 less a bound of both",
               (most - bound).factor(), positive),
        judged("so the difference is negative up to x = 1/2: -x (1 - 1/(2n)) + 11/8 x² at 1/2",
               (slope / 2 + most / 8).factor(), negative),
    ]  # fmt: skip


@ours.certified(
    "Sec. 3.2 (c)",
    "At the last singularity b → -e^(-x/2) = -0.00649760... and, in the local law τ ≈ C/(μ-μ⋆)², "
    "n² C → 320.147…",
    reading="C = -b/a'² at the zero of a, for odd and even degrees",
    falsifier="a degree whose distance from a limit is not of the size 1/n, as that of 10³, 10⁴, "
    "10⁵, 10⁶ and 100001 is",
    units="a and b over n n!, time in 1/(γ n n!)",
)
def _last_singularity_law() -> Finding:
    x, n = _X, _LARGE
    difference = _of_mean(x) - _of_power(x)
    slope = besseli(1, x) / x * exp(-x) - 3 * exp(-x / 2) / 2
    reduced = diff(difference, x).subs(besseli(2, x), besseli(0, x) - 2 * besseli(1, x) / x)
    where_zero = {besseli(0, x): besseli(1, x) + exp(x / 2)}
    with ctx.workprec(_BITS):
        b, constant = laws_of_the_last(crossing())
        steps = [
            shown(
                "with the enclosed x: limits of b and n² C",
                (enclosure(b, 15), enclosure(constant, 15)),
            ),
            _settles("b", lambda s, n: n * (s.b.ball() - b)),
            _settles("n² C", lambda s, n: n * (n**2 * _constant(s) - constant)),
        ]
    return Finding(
        "b = -μ^(n-2), and a' → 2n times the slope in x of the difference of the two limits; the "
        "distance from the limits falls as 1/n",
        remainder_is_b_at_zero(),
        equal("b = -Q^((n-2)/2) at Q = 1 - x/n, as n → ∞",
              -limit((1 - x / n) ** ((n - 2) / 2), n, oo),
              -_of_power(x)),
        equal("x = n (1-μ²), and a = -μ (G_n - Q^((n-2)/2)): dx/dμ",
              diff(_LARGE * (1 - mu**2), mu), -2 * n * mu),
        equal("slope in x of the difference of the two limits, where it vanishes",
              expand(reduced.subs(where_zero)), expand(slope)),
        shown("so n² C, C = -b/a'², tends to", exp(-x / 2) / (2 * slope) ** 2),
        *steps,
    )  # fmt: skip


def _gap(x: arb) -> arb:
    return x.bessel_i(0) - x.bessel_i(1) - (x / 2).exp()


def crossing() -> arb:
    """The x at which the two limits cross."""
    low, high = fmpq(10), fmpq(11)
    for _ in range(_BITS // 2):
        middle = (low + high) / 2
        low, high = (middle, high) if sign_of(_gap, middle) < 0 else (low, middle)
    return arb(low).union(arb(high))


def laws_of_the_last(x: arb) -> tuple[arb, arb]:
    """Of b and n² C at the last singularity."""
    power = (-x / 2).exp()
    slope = x.bessel_i(1) / x * (-x).exp() - 3 * power / 2
    return -power, power / (2 * slope) ** 2


def _of_last(n: int, value: Callable[[Singularity, int], arb]) -> Enclosure:
    (*_, last) = find_singularities(hermite_drift(n, normalization="n*n!"), 25)
    with ctx.workprec(_BITS):
        return enclosure(value(last, n), 10)


def _constant(singularity: Singularity) -> arb:
    if singularity.constant is None:
        raise Undecided(f"τ has no local law at {singularity.mu.mid}")
    return singularity.constant.ball()


def _settles(name: str, scaled: Callable[[Singularity, int], arb]) -> Step:
    """That n times the distance from the limit is constant to 3 percent."""
    distances = tuple(_of_last(n, scaled) for n in (*_DEGREES, 100_001))
    return judged(
        f"distance of {name} from its limit falls as 1/n: n times it at n = 10³, 10⁴, 10⁵, 10⁶ and "
        "100001, equal within 3 %",
        distances,
        _of_one_size,
    )


def _of_one_size(values: tuple[Enclosure, ...]) -> bool:
    last = values[-1].ball()
    return all(abs(each.ball() / last - 1) < 0.03 for each in values)


@ours.proved(
    "Sec. 3.2 (c)",
    "With the even degree n the first singularity tends to 0: 2n μ² - log(4n) → 0",
    reading="the first singularity is the smaller zero of a in (0, 1) of an even degree from 10 on",
    falsifier="even degrees along which 2n μ² - log(4n) stays away from 0",
)
def _first_singularity_limit() -> Finding:
    n, t, s = _LARGE, Symbol("t", positive=True), Symbol("s", real=True)
    at = {Q: (log(4 * n) + s) / (2 * n)}
    near, far = cos(t / sqrt(n)), -cos(t / sqrt(n))  # c at the angles t/√n and π - t/√n
    of_near = log(ARGUMENT.subs(at).subs(COSINE, near)) * (n - 1)
    of_far = log(n) + log(-ARGUMENT.subs(at).subs(COSINE, far)) * (n - 1)
    bell, gap = exp(-(t**2) / 2), Symbol("w")  # w = 1 + c, from the far end
    ends = [integrate(f * bell, (t, 0, oo)) / pi for f in (t**2 / 2, 2 * exp(-s) / 4)]
    return Finding(
        "at 2n Q = log(4n) + s, n^(3/2) G_n tends to a multiple of 1 - e^(-s): a is positive for s "
        "< 0 and negative for s > 0",
        tied(),
        equal("2n Q = log(4n) + s. Near φ = 0, at c = cos(t/√n): n (1-c) as n → ∞",
              limit(n * (1 - near), n, oo), t**2 / 2),
        equal("log X^(n-1) there, as n → ∞", limit(of_near, n, oo), -(t**2) / 2),
        equal("near φ = π, at c = -cos(t/√n), where 1 - c → 2: log of n (-X)^(n-1) as n → ∞",
              limit(of_far, n, oo), -s - log(4) - t**2 / 2),
        equal("0 ≤ X ≤ e^(-(1-Q)(1-c)) for c > 0, which bounds what is integrated: 1 - X",
              1 - ARGUMENT,
              (1 - Q) * (1 - COSINE)),
        equal("and X ≤ Q, -X ≤ (1-2Q) e^(-w) for c = w - 1 < 0: (1-2Q)(1-w) + X",
              (1 - 2 * Q) * (1 - gap) + ARGUMENT.subs(COSINE, gap - 1), Q * gap),
        equal("so n^(3/2) G_n tends to what both ends of the angle give: the first less the second",
              ends[0] - ends[1], (1 - exp(-s)) / (2 * sqrt(2 * pi))),
        equal("so a has the sign of minus that, the sign of -s, since n^(3/2) Q^((n-2)/2) "
              "vanishes as n → ∞: its limit",
              exp(limit((n - 2) / 2 * log(Q.subs(at)) + 3 * log(n) / 2, n, oo)), 0),
        shown("2n μ² - log(4n) of the first zero, n = 10³, 10⁴, 10⁵, 10⁶",
              tuple(_of_first(n, _distance) for n in _DEGREES)),
    )  # fmt: skip


@ours.certified(
    "Sec. 3.2 (c)",
    "With L = log 4n, the first singularity of even degrees has 2n μ² ≈ L - L²/(2n), b ≈ "
    "-(L/2n)^((n-2)/2) (4n)^(-1/4) and C ≈ 2π n³ |b|/L²",
    reading="relative errors of b at most 0.1 L²/n and of C/|b| at most 3 L/n, n = 10³ to 10⁶; of "
    "2n μ² absolute, at most 0.5 L³/n²",
    falsifier="one of these degrees with a larger error",
    units="a and b over n n!, time in 1/(γ n n!)",
)
def _first_singularity_law() -> Finding:
    n, y = _LARGE, Symbol("y", positive=True)  # 2n Q
    ratio = gamma((n + 1) / 2) ** 2 / (gamma(n / 2) * gamma(n / 2 + 1))
    expanded = 1 - 1 / (2 * n) + 1 / (8 * n**2)
    ends = (1 + expanded) / (1 - expanded)
    turned = (n - 1) * log(1 - 2 * Q) + log((1 - 2 * Q) / (1 - Q)) / 2 + 3 * log(1 - Q) / 2
    size, large = Symbol("L", positive=True), {Q: y / (2 * n)}
    found = size - size**2 / (2 * n)
    power = (n - 2) / 2 * log(found / size)
    return Finding(
        "the parts of G_n from the two ends are as 1 to 4n at Q = 0, and turn by e^(-2nQ - 2nQ²); "
        "the errors are those of the next order",
        equal("mean of c^n over that of |c|^(n-1), times the same quotient for n+1",
              expand_func(gammasimp(ratio * ratio.subs(n, n + 1))), n / (n + 1)),
        equal("so the quotient is 1 - 1/(2n) + 1/(8n²) + ...: what that leaves of the product, "
              "times n², as n → ∞",
              limit((expanded * expanded.subs(n, n + 1) - n / (n + 1)) * n**2, n, oo), 0),
        equal("so at Q = 0 the part of G_n from φ = π is 4n times that from φ = 0: their quotient "
              "over 4n, less 1, times n, as n → ∞",
              limit((ends / (4 * n) - 1) * n, n, oo), 0),
        equal("with Q the quotient changes, by Laplace's method: slope of its logarithm at Q = 0",
              diff(turned, Q).subs(Q, 0), -2 * n),
        equal("what is left of that logarithm at 2n Q = y, over y²/(2n), as n → ∞",
              limit((turned.subs(large) + y) * 2 * n / y**2, n, oo), -1),
        equal("the parts cancel where y + y²/(2n) = L, with L = log 4n, so at y = L - L²/(2n): "
              "what that leaves, times n, as n → ∞",
              limit((found + found**2 / (2 * n) - size) * n, n, oo), 0),
        equal("b = -Q^((n-2)/2) there, over -(L/2n)^((n-2)/2): its logarithm as n → ∞",
              limit(power, n, oo), -size / 4),
        remainder_is_b_at_zero(),
        _within("enclosed zeros, n = 10³ to 10⁶: error of 2n μ² over L³/n²", _of_distance, "0.5"),
        _within("relative error of b over L²/n", _of_b, "0.1"),
        _within("relative error of C/|b| over L/n", _of_constant, "3"),
    )  # fmt: skip


def _of_first(n: int, value: Callable[[Singularity, int, arb], arb]) -> Enclosure:
    (first, _) = find_singularities(hermite_drift(n, normalization="n*n!"), 25)
    with ctx.workprec(_BITS):
        return enclosure(value(first, n, arb(4 * n).log()), 10)


def _distance(first: Singularity, n: int, size: arb) -> arb:
    return 2 * n * first.mu.ball() ** 2 - size


def _of_distance(first: Singularity, n: int, size: arb) -> arb:
    return (_distance(first, n, size) + size**2 / (2 * n)) * arb(n) ** 2 / size**3


def _of_b(first: Singularity, n: int, size: arb) -> arb:
    law = (size / (2 * n)) ** (arb(n - 2) / 2) * arb(4 * n) ** arb(-0.25)
    return (-first.b.ball() / law - 1) * n / size**2


def _of_constant(first: Singularity, n: int, size: arb) -> arb:
    law = -2 * arb.pi() * arb(n) ** 3 * first.b.ball() / size**2
    return (_constant(first) / law - 1) * n / size


def _within(text: str, value: Callable[[Singularity, int, arb], arb], most: str) -> Step:
    errors = tuple(_of_first(n, value) for n in _DEGREES)
    return judged(f"{text}: at most {most}", errors,
                  lambda found: all(abs(each.ball()) < arb(most) for each in found))  # fmt: skip
