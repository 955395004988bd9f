"""Claims on pure Hermite students: singularities and extreme strengths (Sec. 3.2 c, Prop. 2, 3)."""

from fractions import Fraction
from functools import partial
from itertools import pairwise
from typing import TypeAlias, TypeVar

from flint import ctx, fmpz_poly
from sympy import Expr, Function, Poly, S, Symbol, diff, factorial, factorial2, symbols

from derive.errors import Undecided
from derive.escape import eigenvalues, escape_time, hermite_drift_limit, hermite_escape_limit
from derive.pair import Pair
from derive.polynomial_drift import hermite_drift
from derive.symbols import mu
from numerics.certified.balls import Enclosure, enclosure
from numerics.certified.certificates import Zeros
from numerics.certified.drift import enclosed
from numerics.certified.roots import enclose_root, isolate_roots
from numerics.certified.singularities import Singularity, find_singularities
from numerics.claims.ledger import CODE, Finding, Step, claim, equal, equal_for, judged, ours, shown
from numerics.claims.signs import negative, positive

_UNITS = "time in 1/(γ n n!), as in the paper's figures"
_DIGITS = 15
_BITS = 256
T = TypeVar("T", Expr, Poly)
Turns: TypeAlias = tuple[list[Enclosure], list[Enclosure]]
_ODD = range(3, 42, 2)
_N = Symbol("n", integer=True, positive=True)
_HALF = Symbol("p", integer=True, positive=True)


SAMPLED = range(3, 13)  # degrees at which formulas for every degree are held to ``derive``
B_AT_ZERO = -(mu ** (_N - 2))  # b where a = 0, in units n n!


def remainder_is_b_at_zero() -> Step:
    """``B_AT_ZERO`` is what ``derive`` gives: b modulo a/μ, of the same degree as b."""

    def sides(n: int) -> tuple[Expr, Expr]:
        drift = hermite_drift(n, normalization="n*n!")
        return drift.b.rem(drift.a.exquo(Poly(mu, mu))).as_expr(), B_AT_ZERO.subs(_N, n)

    text = "b/(n n!) where a = 0 is -μ^(n-2): remainder of b by a/μ, He_3 to He_12"
    return equal_for(text, SAMPLED, sides)


def zeros_of(n: int, labels: str = "matched") -> Zeros:
    """All zeros of ``a`` of the pure Hermite student, isolated: no count is taken as proved."""
    drift = hermite_drift(n, labels, "n*n!").expanded
    return Zeros(find_singularities(drift, _DIGITS), Pair(n, labels=labels), drift)


@claim.proved(
    "Prop. 2",
    "Every odd Hermite degree from 3 on has a strength at which τ diverges",
    quote="There exists at least one […] such that […]. Thus at […] the exit time diverges",
    reading="for odd n ≥ 3 some μ in (0, 1) has a(μ) = 0, and b(μ) ≤ 0 there",
    falsifier="an odd degree whose a keeps its sign on (0, 1), or whose b is positive where a = 0",
)
def _odd_singularity() -> Finding:
    n = 2 * _HALF + 1
    at_zero, at_one = (hermite_drift_limit(n, end)[0] for end in (0, 1))
    b = B_AT_ZERO.subs(_N, n)
    return Finding(
        "a = μ^(n-1) + μ b changes sign on (0, 1), and b = -μ^(n-2) < 0 where it vanishes",
        judged("a as μ → 0, n = 2p+1: coefficient, exponent of μ", at_zero, negative),
        judged("a as μ → 1, n = 2p+1: coefficient, exponent of 1 - μ", at_one, positive),
        remainder_is_b_at_zero(),
        equal(
            "such a b does make a = 0: by drift-coefficients a/(n n!) = μ^(n-1) + μ b",
            mu ** (n - 1) + mu * b,
            0,
        ),
        judged("that b is negative", b, negative),
        judged("τ at a = 0 and such a b", escape_time(0, b), lambda tau: tau.is_infinite),
    )


@claim.certified(
    "Prop. 2, Sec. 3.2 (c), Fig. 2 (b)",
    "Degrees 2 to 41: one singularity if odd, ever further right; if even none, or two from 10 on",
    quote="for even Hermite degrees that are sufficiently large, two singularities appear … no "
    "singularity is observed for […] and […], whereas clear singularities emerge for […]",
    reading="the lost degrees are 2 and 6 against 10, which their Fig. 2 (b) draws; a singularity "
    "is a zero of a with b ≤ 0",
    falsifier="a degree up to 41 with another number of zeros of a, or one with b > 0 there",
    settled_by=CODE,
)
def _singularities_list() -> Finding:
    found = {n: zeros_of(n) for n in range(2, 42)}
    odd = [found[n][0].mu for n in _ODD]
    ends = f"{float(odd[0]):.4f} to {float(odd[-1]):.4f}"
    steps = [
        judged(
            f"He_{n}: all zeros of a, with b there",
            zeros,
            partial(_all_diverge, 1 if n % 2 else 2 * (n > 8)),
        )
        for n, zeros in found.items()
    ]
    steps += [
        judged(f"the zero of He_{n} lies below that of He_{n + 2}", pair, _in_order)
        for n, pair in zip(_ODD, pairwise(odd), strict=False)
    ]
    evidence = f"lists complete; disjoint enclosures for odd degrees, {ends}"
    return Finding(evidence, *steps)


def _in_order(pair: tuple[Enclosure, Enclosure]) -> bool | None:
    (x, r), (y, t) = ((Fraction(e.mid), Fraction(e.radius)) for e in pair)
    return None if abs(x - y) <= r + t else x < y


def _all_diverge(count: int, zeros: tuple[Singularity, ...]) -> bool:
    return len(zeros) == count and all(each.diverges for each in zeros)


@claim.proved(
    "Prop. 3",
    "τ ~ 1/((2n-1)² (1-μ)²) as μ → 1, faster for higher n",
    quote="For […] near one, higher-degree Hermite activation functions can escape the correlated "
    "search phase faster than lower one despite having a larger IE",
    reading="the leading term of τ as μ → 1 falls with the degree n",
    falsifier="two degrees whose leading terms are in the other order",
    units=_UNITS,
)
def _limit_at_one() -> Finding:
    law = hermite_escape_limit(_N, 1)
    ratio = (law.coefficient.subs(_N, _N + 1) / law.coefficient).factor()
    a, b = hermite_drift_limit(_N, 1)
    return Finding(
        "for symbolic n, in the paper's time units n n!",
        shown("a and b as x = 1 - μ → 0: coefficient, exponent", (a, b)),
        judged("τ as x → 0: coefficient, exponent", law, lambda tau: tau.exponent == -2),
        equal("its coefficient", law.coefficient, 1 / (2 * _N - 1) ** 2),
        judged(
            "it falls with n: 1 less its value at n+1 over that at n",
            (1 - ratio).factor(),
            positive,
        ),
    )


@claim.proved(
    "Prop. 3, App. E.5",
    "τ ~ (n-1)!!/(n-2)!! μ^-2 as μ → 0 for odd degrees n from 3 on",
    quote="for odd degrees the escape time diverges as […], i.e., […], whereas for even degrees "
    "the escape time remains finite",
    reading="τ → ∞ as μ → 0 for odd n ≥ 3; He_1 = x, whose τ stays finite there, is not meant",
    falsifier="an odd degree from 3 on whose τ stays bounded as μ → 0",
    units=_UNITS,
)
def _limit_at_zero_odd() -> Finding:
    n = 2 * _HALF + 1
    law = hermite_escape_limit(n, 0)
    return Finding(
        "for symbolic n = 2p+1, in the paper's time units n n!",
        shown("a and b as μ → 0: coefficient, exponent", hermite_drift_limit(n, 0)),
        judged("τ as μ → 0: coefficient, exponent", law, lambda tau: tau.exponent == -2),
        equal("its coefficient", law.coefficient, factorial2(n - 1) / factorial2(n - 2)),
    )


@claim.proved(
    "Sec. 3.2 (c), Prop. 3, Fig. 2 (b)",
    "τ stays finite as μ → 0 for even degrees n: it tends to n!!/(n-1)!!",
    quote="A distinct regime emerges, however, as […]: […] remains finite across all degrees, a "
    "fact for which Prop. 3 provides a mathematical guarantee",
    reading="τ has a finite limit as μ → 0 for every even n",
    falsifier="an even degree whose τ grows without bound as μ → 0",
    units=_UNITS,
)
def _limit_at_zero_even() -> Finding:
    n = 2 * _HALF
    law = hermite_escape_limit(n, 0)
    return Finding(
        "for symbolic n = 2p, in the paper's time units n n!",
        shown("b as μ → 0: coefficient, exponent", hermite_drift_limit(n, 0)[1]),
        judged("τ as μ → 0: coefficient, exponent", law, lambda tau: tau.exponent == 0),
        equal("its coefficient", law.coefficient, factorial2(n) / factorial2(n - 1)),
    )


def _next_over_this(unit: Expr = S.One) -> Expr:
    """Ratio of the coefficients at 0 of degrees n + 2 and n, in a unit that depends on n."""
    size = hermite_escape_limit(2 * _HALF + 1, 0).coefficient / unit
    ratio = (size.subs(_HALF, _HALF + 1) / size).rewrite("gamma")
    return ratio.gammasimp().expand(func=True).factor()


@claim.proved(
    "Sec. 3.2 (c), Prop. 3, Fig. 2 (b)",
    "As μ → 0 higher odd degrees escape slower, in the paper's time units n n!",
    quote="Interestingly, as […], higher Hermite degrees yield a faster escape than lower ones … "
    "This qualitative behavior is reversed in the regime […], which agrees with Ben Arous et al",
    reading="faster as μ → 1, slower as μ → 0, each degree in its own time n n!, (50)",
    falsifier="an odd degree whose coefficient of μ^-2 exceeds that of the next odd degree",
    units=_UNITS,
)
def _limit_at_zero_order() -> Finding:
    ratio, n = _next_over_this(), 2 * _HALF + 1
    return Finding(
        "the coefficient of μ^-2 grows by (n+1)/n from degree n = 2p+1 to the next odd one",
        equal("coefficient of μ^-2 for degree n + 2 over that for n = 2p+1", ratio, (n + 1) / n),
        judged("it is above 1: that, minus 1", (ratio - 1).factor(), positive),
    )


@ours.proved(
    "Sec. 3.2 (c), Prop. 3",
    "In the flow's own time, without the units n n!, higher odd degrees escape faster as μ → 0",
    reading="the order of limit-at-zero-order is one of units: each degree has its own time n n!",
    falsifier="an odd degree whose coefficient of μ^-2, in 1/γ, is below that of the next",
    units="time in 1/γ; also for He_n/√n!",
)
def _limit_at_zero_order_raw() -> Finding:
    n = 2 * _HALF + 1
    raw, scaled = map(_next_over_this, (n * factorial(n), n))
    return Finding(
        "the order is that of the units n n!: without them, or with He_n/√n!, it is reversed",
        judged(
            "ratio of degree 2p+3 to 2p+1 in the time of the flow is below 1: 1 less it",
            (1 - raw).factor(),
            positive,
        ),
        judged("that for He_n/√n! is below 1: 1 less it", (1 - scaled).factor(), positive),
        shown("both ratios", (raw, scaled)),
    )


@ours.proved(
    "Sec. 3.2 (c)",
    "A little pre-training raises the initial loss of every odd Hermite student from degree 3 on",
    reading="the initial loss is ℓ(μ), the frozen risk, and ℓ' = -a",
    falsifier="an odd degree from 3 on whose a is positive near μ = 0",
)
def _start_gets_worse() -> Finding:
    a = hermite_drift_limit(2 * _HALF + 1, 0)[0]
    return Finding(
        "ℓ' = -a > 0 near μ = 0 for every odd degree from 3 on, until a turns positive",
        judged("a as μ → 0, n = 2p+1: coefficient, exponent of μ", a, negative),
    )


def turns(n: int) -> Turns:
    """All strengths at which τ of an odd Hermite student turns, left and right of its singularity.

    They are zeros of 4aa'² + 2a'bb' - ab'², all of which are isolated, with -2a a'/b' > 0.
    """
    drift = hermite_drift(n, normalization="n*n!")
    a, b, by_a, by_b = drift.a, drift.b, drift.a.diff(mu), drift.b.diff(mu)
    _, condition = _resultant(a, b, by_a, by_b).clear_denoms(convert=True)
    (singularity,) = zeros_of(n)
    sides: Turns = ([], [])
    with ctx.workprec(_BITS):
        for root in isolate_roots(fmpz_poly([int(c) for c in reversed(condition.all_coeffs())])):
            place = enclose_root(root, _BITS)
            turn, rate = enclosure(place, 8), enclosure(enclosed(-a * by_a * by_b)(place), 8)
            left = _in_order((turn, singularity.mu))
            if left is None or positive(rate) is None:
                raise Undecided(f"He_{n}: whether τ turns at {turn.mid}, and on which side")
            if positive(rate):
                sides[not left].append(turn)
    return sides


def _resultant(a: T, b: T, by_a: T, by_b: T) -> T:
    return 4 * a * by_a**2 + 2 * by_a * b * by_b - a * by_b**2


def _turn_condition() -> list[Step]:
    """Where λ₊' = 0 and a ≠ 0."""
    x = Symbol("x", real=True)
    a, b = (Function(name, real=True)(x) for name in "ab")
    rate = eigenvalues(a, b)[0]
    here, there, by_a, by_b = symbols("a b a' b'", real=True)
    turned = -2 * here * by_a / by_b
    return [
        equal("slope of λ₊, times 2λ₊ - b > 0", (2 * rate - b) * diff(rate, x),
              diff(b, x) * rate + 2 * a * diff(a, x)),
        equal("so τ turns where λ = -2a a'/b' solves λ² - bλ - a² = 0: the left side, times b'²/a",
              ((turned**2 - there * turned - here**2) * by_b**2 / here).expand(),
              _resultant(here, there, by_a, by_b).expand()),
    ]  # fmt: skip


def _turning(n: int, counts: tuple[int, int]) -> Step:
    def agree(sides: Turns) -> bool:
        return tuple(map(len, sides)) == counts

    return judged(
        f"He_{n}: strengths at which τ turns, left and right of the singularity", turns(n), agree
    )


@claim.certified(
    "Sec. 3.2 (c), Fig. 2 (b)",
    "τ of He_3, He_5 and He_7 falls to one turn and rises again, on each side of the singularity",
    quote="On both sides of this singularity, […] exhibits a parabola-like behavior, with again "
    "divergences as […] and […].",
    reading="like a parabola: one turn, of the degrees that Fig. 2 (b) draws. The divergences are "
    "those of odd-singularity, limit-at-zero-odd and limit-at-one",
    falsifier="a second turn on a side, or none",
    settled_by=CODE,
)
def _odd_parabola() -> Finding:
    steps = [_turning(n, (1, 1)) for n in (3, 5, 7)]
    listed = "; ".join(
        ", ".join(turn.mid[:5] for side in step.value for turn in side) for step in steps
    )
    return Finding(f"{listed}: lists complete", *_turn_condition(), *steps)


@ours.certified(
    "Sec. 3.2 (c), Fig. 2 (b)",
    "τ of He_9 and He_11 turns once on each side of the singularity too, that of He_13 thrice on "
    "the left",
    reading="so the left side is no parabola at degrees above those drawn",
    falsifier="another number of turns",
)
def _odd_more_turns() -> Finding:
    return Finding(
        "lists of turns complete",
        *_turn_condition(),
        *[_turning(n, (3 if n == 13 else 1, 1)) for n in (9, 11, 13)],
    )
