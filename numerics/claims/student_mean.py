"""Claims on the mean of even Hermite students, and what it does to the escape (App. E.5)."""

from sympy import Expr, Integer, Rational, Symbol, combsimp, diff, factorial

from derive.escape import eigenvalues, escape_time, hermite_drift_limit, hermite_escape_limit
from derive.hermite import hermite_coefficients, hermite_mean, hermite_polynomial
from derive.pair import Pair
from derive.symbols import Q, z
from numerics.certified.balls import Bounds, bounds
from numerics.certified.flow import ball_flow, disc
from numerics.certified.integrator import passage
from numerics.claims.activations import closed
from numerics.claims.calculus import S, gaussian_law, generating, mean_exponent
from numerics.claims.information_exponent import coefficient
from numerics.claims.ledger import CODE, Finding, Step, claim, equal, judged, ours, shown
from numerics.claims.signs import negative, positive

_HALF = Symbol("p", integer=True, positive=True)  # n = 2p
_GAP = Symbol("g", positive=True)  # 1 - μ²
_START = ("0.03", "0.03")
_MOVING = 0.2  # how far u moves while m grows if it does not halt
_RAW = "Hermite polynomials as they are, not normalised: |n! (r-1)^(n/2)/(2^(n/2) (n/2)!)|, r = μ²"


def _mean(p: Expr, gap: Expr) -> Expr:
    """The mean of He_2p at variance 1 + gap."""
    return coefficient(2 * p, p, gap)


@claim.proved(
    "App. E.5",
    "The mean of He_n is n!/((n/2)! 2^(n/2)) (Q-1)^(n/2) for every even n, and 0 for every odd n",
    quote="For even-degree Hermite activations, the nonzero mean is […]",
    reading="the mean over pre-activations of variance Q, at any Q",
    falsifier="a degree with another mean",
)
def _even_mean() -> Finding:
    p = _HALF
    term = factorial(2 * p) * ((Q - 1) / 2) ** p / factorial(p)
    low = []
    for n in range(1, 9):
        direct = hermite_coefficients(hermite_polynomial(n, z), z, Q)[0]
        closed = _mean(Integer(n // 2), Q - 1) if n % 2 == 0 else Integer(0)
        low += [equal(f"mean of He_{n}", direct, closed),
                equal(f"mean of He_{n}, by the code and the formula", hermite_mean(n),
                      closed)]  # fmt: skip
    return Finding(
        "the generating function has the mean e^((Q-1)s²/2), even in s",
        gaussian_law(),
        equal("generating function e^(sz - s²/2) of He_n: exponent of its mean at variance Q",
              mean_exponent(generating(S, z, Integer(1))), (Q - 1) * S**2 / 2),
        equal("so the mean of He_n is n! times the term in s^n, n = 2p, g = Q - 1", term,
              _mean(p, Q - 1)),
        *low,
    )  # fmt: skip


@claim.proved(
    "App. E.5",
    "The first Hermite coefficient of He_n at Q ≠ 1 that is not 0 is c_1 for odd n, c_0 for even n",
    quote="In particular, for odd degrees […], the first nonzero coefficient in the Hermite "
    "expansion is […], whereas for even degrees […], it is […].",
    reading="c_1 and c_0",
    falsifier="a degree and a variance but 1 where it is another",
)
def _first_coefficient() -> Finding:
    gap = Symbol("g", nonzero=True, real=True)
    n, p = 2 * _HALF + 1, _HALF
    low = []
    for degree in range(1, 9):
        found = hermite_coefficients(hermite_polynomial(degree, z), z, Q)
        first = Integer(next(k for k, c in enumerate(found) if c != 0))
        low.append(equal(f"He_{degree}: the first k with c_k(Q) ≠ 0", first, degree % 2))
    return Finding(
        "c_(n-2j) = n! (Q-1)^j/(j! 2^j) at the last j, and none of the other parity",
        judged("c_1, n = 2p+1, j = p, g = Q - 1", coefficient(n, p, gap), lambda c: c.is_nonzero),
        judged("c_0, n = 2p, j = p", _mean(p, gap), lambda c: c.is_nonzero),
        *low,
    )


@claim.proved(
    "App. E.5, Fig. 6",
    "|mean| of every even Hermite student shrinks as μ grows, and vanishes continuously as μ → 1",
    quote="In the regime considered in Appendix D.2, where […], increasing the initial signal "
    "strength […] reduces the magnitude of the zeroth Hermite coefficient […], and thus weakens "
    "the corresponding mean effect.",
    reading="Q = μ² in the search phase; the whole range 0 < μ < 1",
    falsifier="an even degree and a strength where the mean grows with μ",
)
def _even_mean_vanishes() -> Finding:
    size = _mean(_HALF, _GAP)
    return Finding(
        "|mean| = n!/((n/2)! 2^(n/2)) (1-μ²)^(n/2), symbolic n",
        shown("|mean| for n = 2p, with g = 1 - μ²", size),
        judged("it rises with g: its slope", combsimp(diff(size, _GAP)), positive),
        judged("its value at g = 0", size.subs(_GAP, 0), lambda value: value == 0),
    )


def _growth() -> Expr:
    """|mean| of He_(n+2) over that of He_n, n = 2p."""
    return combsimp(_mean(_HALF + 1, _GAP) / _mean(_HALF, _GAP))


@claim.proved(
    "Sec. 3.2 (c), App. E.5, Fig. 6",
    "As μ → 0, and at all μ² < 2/3, |mean| of He_n increases with every even degree n",
    quote="This behavior is the result of the presence of a nonzero mean on the model—suggesting "
    "that the mean is easy to learn even for vanishing […]—induced by such activations, whose "
    "magnitude increases with the Hermite degree but vanishes in the limit […]",
    reading=f"of weak pre-training, which the sentence before is about. {_RAW}. At every strength "
    "it would not hold: even-mean-falls",
    falsifier="two even degrees in a row whose mean falls at some μ² < 2/3",
    settled_by=CODE,
)
def _even_mean_grows() -> Finding:
    beyond = Symbol("h", positive=True)  # 1 - μ² = 1/3 + h: μ² < 2/3
    ratio = _growth()
    return Finding(
        "the ratio of neighbours is (n+1)(1-μ²), above 1 for all n ≥ 2 if μ² < 2/3",
        equal("|mean| of He_(n+2) over that of He_n, n = 2p, g = 1 - μ²", ratio,
              (2 * _HALF + 1) * _GAP),
        judged("above 1 at p = 1, g = 1/3 + h, h > 0: ratio less 1",
               (ratio.subs({_HALF: 1, _GAP: Rational(1, 3) + beyond}) - 1).expand(), positive),
        judged("and the ratio grows from p to p + 1: by",
               (ratio.subs(_HALF, _HALF + 1) - ratio).expand(),
               positive),
        equal("the ratio as μ → 0", ratio.subs(_GAP, 1), 2 * _HALF + 1),
    )  # fmt: skip


@ours.proved(
    "Sec. 3.2 (c), App. E.5, Fig. 6",
    "|mean| of He_(n+2) is below that of He_n if μ² > n/(n+1); of He_n/√n! at every strength",
    reading="at μ = 0.9 it falls from He_2 to He_4 and He_6. So what grows with the degree is the "
    "mean of weakly pre-trained students, and the size of the polynomial itself",
    falsifier="a degree, and a strength above that bound, with a larger mean at the next",
)
def _even_mean_falls() -> Finding:
    n, below = 2 * _HALF, Symbol("h", positive=True)
    ratio = _growth()
    over = 1 / (n + 1) - below  # 1 - μ² at μ² = n/(n+1) + h
    normalised = ratio**2 / ((n + 1) * (n + 2))
    sizes = tuple(_mean(Integer(p), Rational(19, 100)) for p in (1, 2, 3))
    return Finding(
        "the ratio is (n+1)(1-μ²); |mean| = 0.19, 0.108, 0.103 for n = 2, 4, 6 at μ = 0.9",
        judged("the ratio is below 1 at μ² = n/(n+1) + h, n = 2p, h > 0: ratio less 1",
               (ratio.subs(_GAP, over) - 1).simplify(), negative),
        judged("|mean| of He_2, He_4, He_6 at μ = 9/10", sizes, lambda s: s[0] > s[1] > s[2]),
        judged("He_n/√n!: the ratio is below 1, for at g = 1, where it is largest, its square "
               "less 1 is",
               (normalised.subs(_GAP, 1) - 1).factor(), negative),
        equal("He_n/√n!: square of the ratio, over g²", normalised / _GAP**2, (n + 1) / (n + 2)),
    )  # fmt: skip


@claim.proved(
    "Sec. 3.2 (c), App. E.5",
    "As μ → 0, b of even Hermite students is the mean's own term; without it τ would diverge",
    quote="In the main text, we argued that this qualitative difference arises from the fact that "
    "students with even-degree Hermite activations exhibit a non-zero mean, while those with "
    "odd-degree activations do not.",
    reading="in b, the k = 0 term of (53) is that of the mean, -c_0 c_2. Every even n; without it "
    "b vanishes at μ = 0, as a does",
    falsifier="an even degree whose b has another part that does not vanish as μ → 0",
    units="time in 1/γ",
)
def _mean_keeps_finite() -> Finding:
    n, p = 2 * _HALF, _HALF
    mean, second = _mean(p, Integer(-1)), coefficient(n, p - 1, Integer(-1))
    a, b = hermite_drift_limit(n, 0)
    raw = b.coefficient * n * factorial(n)
    even, odd = hermite_escape_limit(n, 0), hermite_escape_limit(n + 1, 0)
    return Finding(
        "b → -c_0 c_2 > 0 as Q → 0, and nothing else; a → 0",
        equal("b as μ → 0 over -c_0 c_2, n = 2p", raw / (-mean * second), 1),
        judged("b as μ → 0", b, positive),
        judged("a as μ → 0: coefficient, exponent", a, lambda term: term.exponent.is_positive),
        equal("rate of growth where a and b vanish", eigenvalues(Integer(0), Integer(0))[0], 0),
        judged("τ as μ → 0, n = 2p", even, lambda tau: tau.exponent == 0),
        judged("τ as μ → 0, n = 2p + 1", odd, lambda tau: tau.exponent.is_negative),
    )


@claim.proved(
    "App. E.5",
    "As μ → 0 every odd Hermite student from He_3 on is slower than every even one, without bound",
    quote="The key takeaway is that whenever the mean is non-vanishing, learning initially "
    "proceeds much faster",
    reading="of Hermite students, which the section is on, at weak pre-training: τ of odd degrees "
    "over τ of even ones. Of activations at large it is not so: mean-without-speed",
    falsifier="an odd degree from 3 on and an even one whose ratio of τ stays bounded",
)
def _mean_speeds_up() -> Finding:
    other = Symbol("q", integer=True, positive=True)  # another even degree is 2q
    odd, even = hermite_escape_limit(2 * _HALF + 1, 0), hermite_escape_limit(2 * other, 0)
    return Finding(
        "the ratio goes as μ^-2, symbolic degrees 2p+1 and 2q",
        judged(
            "τ of odd degree over τ of even degree as μ → 0: power of μ",
            odd.exponent - even.exponent,
            negative,
        ),
        judged("its coefficient is positive", odd.coefficient / even.coefficient, positive),
    )


@ours.proved(
    "App. E.5",
    "ReLU has a mean that is not 0, and τ twice that of x, whose mean is 0, at every strength",
    reading="so a mean does not speed the escape up by itself; both have the exponent 1",
    falsifier="a strength at which ReLU escapes before x",
    units="τ in 1/γ",
)
def _mean_without_speed() -> Finding:
    relu, linear = (closed(text) for text in ("relu", "x"))
    means = [Pair(text).student.hermite_coefficient(0, Q) for text in ("relu", "x")]
    return Finding(
        "closed forms, symbolic μ",
        judged("mean of ReLU at variance Q", means[0], positive),
        equal("mean of x", means[1], 0),
        equal("τ of ReLU", escape_time(*relu), 2 * escape_time(*linear)),
    )


def _gain(text: str, strength: str) -> Bounds:
    """How far u moves while m grows from 1/10 to 2/5, from a small start."""
    flow = ball_flow(text, strength)
    _, first = passage(flow, disc(*_START), "0.1", 3)
    _, last = passage(flow, first, "0.4", 3)
    return bounds(abs(last.box[0] - first.box[0]))


def _no_halt(text: str, strengths: tuple[str, ...]) -> list[Step]:
    gains = {at: _gain(text, at) for at in strengths}
    return [judged(f"{text} at μ = {at}: change of u while m grows from 1/10 to 2/5", gain,
                   lambda of_u: float(of_u.low) > _MOVING)
            for at, gain in gains.items()]  # fmt: skip


@claim.certified(
    "Sec. 3.2 (c), App. E.5, Fig. 7",
    "He_3 and He_5 do not halt at μ = 0.5 and 0.7: u moves by more than 0.2 while m grows from "
    "1/10 to 2/5",
    quote="Since the model has zero mean when using odd Hermite activations, this behavior is not "
    "observed in that case",
    reading="the behavior is the halt of u while m grows, in which u of He_4 moves by less than "
    "0.02 (even-plateau)",
    falsifier="one of these students whose u moves by less than 0.2",
)
def _odd_no_plateau() -> Finding:
    return Finding(
        "flows from u = m = 0.03, enclosed",
        shown("start (u, m)", ", ".join(_START)),
        *_no_halt("He3", ("0.5", "0.7")),
        *_no_halt("He5", ("0.5", "0.7")),
    )


@ours.certified(
    "Sec. 3.2 (c), App. E.5, Fig. 7",
    "He_2 is even and does not halt either, at μ = 0.1, 0.2, 0.5: u moves by more than 0.2 while m "
    "grows from 1/10 to 2/5",
    quote="This intermediate stagnation regime is specific to even Hermite activations",
    reading="none but even ones halt, which does not say that all of these do: He_2 has a mean, "
    "and no feature of a higher order than its escape needs",
    falsifier="one of these strengths at which u moves by less than 0.2",
)
def _plateau_not_of_he2() -> Finding:
    steps = _no_halt("He2", ("0.1", "0.2", "0.5"))
    start = shown("start (u, m)", ", ".join(_START))
    return Finding("flows from u = m = 0.03, enclosed", start, *steps)
