"""Claims on squared labels and Hermite students (Sec. 3.3, Fig. 2 d, App. B.4)."""

from functools import partial

from flint import arb, fmpq
from sympy import Function, Symbol, diff, simplify

from derive.polynomial_drift import hermite_drift
from derive.symbols import mu, z
from numerics.certified.balls import Enclosure, enclosure
from numerics.certified.drift import ball_drift
from numerics.certified.singularities import Singularity
from numerics.claims.every_degree import power_rises
from numerics.claims.hermite_students import zeros_of
from numerics.claims.ledger import CODE, Finding, Step, claim, equal, judged, ours, shown
from numerics.claims.signs import negative

_DISAPPEAR = (
    "for odd Hermite activation functions, the singularities previously observed in the matching "
    "case disappear after squaring the labels, indicating that this transformation smooths the "
    "optimization landscape and restores efficient escape from the correlated search phase."
)
_DECREASING = (
    "Panel (d) of Fig. 2 shows that the general trend observed for activation functions […] under "
    "this transformation is an overall decreasing behavior of […] as […] increases."
)
_UNITS = "τ in 1/(γ n n!)"


@claim.proved(
    "Sec. 1, 3.3, Fig. 2 (d)",
    "Squaring the labels removes the singularities of every odd Hermite student",
    quote=_DISAPPEAR,
    reading="with squared labels a ≠ 0 on (0, 1), for every odd degree; a = -μ S'(μ²) by "
    "squared-teacher-drops-out. Sec. 1 says that it can remove this obstruction and restore "
    "escape; where the escape leads to is another question (squared-null)",
    falsifier="an odd degree and a strength in (0, 1) with a = 0",
)
def _squared_odd() -> Finding:
    return Finding(
        "a = -μ S'(μ²), and S' is the mean of n (1 - cos φ) times a square for every odd n: a < 0",
        *power_rises(),
    )


@claim.certified(
    "Sec. 3.3",
    "With squared labels a has no zero in (0, 1) for odd Hermite degrees 3 to 41",
    quote=_DISAPPEAR,
    reading="squared-odd, degree by degree and without its formula",
    falsifier="one of these degrees and a strength in (0, 1) with a = 0",
)
def _squared_odd_list() -> Finding:
    steps = []
    for n in range(3, 42, 2):
        balls = ball_drift(hermite_drift(n, "squared", "n*n!"))
        value = enclosure(balls.a(arb("0.5")), 10)
        steps += [
            judged(
                f"He_{n}: zeros of a in (0, 1)", zeros_of(n, "squared"), lambda found: not found
            ),
            judged(f"He_{n}: a(1/2)", value, negative),
        ]
    return Finding("no zero of a in (0, 1), lists complete", *steps)


@ours.certified(
    "Sec. 3.3",
    "With squared labels a has n/2 - 1 zeros in (0, 1), τ diverging at every second (even 4 to 40)",
    reading="squared-even degree by degree, and without its proof: squaring makes singularities",
    falsifier="an even degree from 4 to 40 with another number of zeros, or another order of fates",
)
def _squared_even_list() -> Finding:
    steps = [
        judged(
            f"He_{n}: all zeros of a in (0, 1), with b there",
            zeros_of(n, "squared"),
            partial(_in_turn, n // 2 - 1),
        )
        for n in range(4, 41, 2)
    ]
    evidence = "lists complete; from the last zero down b is positive and negative in turn"
    return Finding(evidence, *steps)


def _in_turn(count: int, zeros: tuple[Singularity, ...]) -> bool:
    fates = [each.diverges for each in reversed(zeros)]
    return fates == [k % 2 == 1 for k in range(count)]


def _times(n: int, *strengths: fmpq) -> tuple[Enclosure, ...]:
    """τ with squared labels."""
    drift = ball_drift(hermite_drift(n, "squared", "n*n!"))
    return tuple(enclosure(1 / drift.at(strength)[2], 6) for strength in strengths)


def _over(upper: Enclosure, lower: Enclosure) -> Enclosure:
    return enclosure(upper.ball() / lower.ball(), 5)


@claim.certified(
    "Sec. 3.3, Fig. 2 (d)",
    "Under squared labels τ falls from 0.05 to 0.99: 2.6 times (He_2), 464 (He_3), 589 (He_5)",
    quote=_DECREASING,
    reading="the panel shows He_2, He_3 and He_5; a general trend and an overall decrease are told "
    "by the ends of its range. Midway τ rises (squared-rises-midway)",
    falsifier="one of these degrees of which τ is not lower at the right end",
    units=_UNITS,
    settled_by=CODE,
)
def _squared_decreasing() -> Finding:
    steps: list[Step] = []
    for n, least in ((2, 2.59), (3, 464), (5, 589)):
        first, last = _times(n, fmpq(1, 20), fmpq(99, 100))
        steps += [
            shown(f"He_{n}: τ at 0.05, 0.99", (first, last)),
            judged("the first over the last", _over(first, last), partial(_above, least)),
        ]
    return Finding("τ(0.05)/τ(0.99), enclosed", *steps)


def _above(least: float, ratio: Enclosure) -> bool:
    return bool(ratio.ball() > least)


@ours.certified(
    "Sec. 3.3, Fig. 2 (d)",
    "Under squared labels τ rises midway: 17 % from 0.4 to 0.6 (He_3), 51 % from 0.3 to 0.5 (He_5)",
    quote=_DECREASING,
    reading="the decrease is no monotone one; the curves that the authors store show the same "
    "(stored-squared-odd)",
    falsifier="τ at the second strength below that at the first",
    units=_UNITS,
)
def _squared_rises_midway() -> Finding:
    steps: list[Step] = []
    told = []
    for n, ends, percent in ((3, (4, 6), 17), (5, (3, 5), 51)):
        first, last = _times(n, *(fmpq(k, 10) for k in ends))
        steps += [
            shown(f"He_{n}: τ at {ends[0] / 10}, {ends[1] / 10}", (first, last)),
            judged(f"the last over the first: a rise by {percent} %, to half a percent",
                   _over(last, first),
                   partial(_rises_by, percent)),
        ]  # fmt: skip
        told.append(f"{float(first.ball().mid()):.1f} to {float(last.ball().mid()):.1f}")
    return Finding(f"{' and '.join(told)}, enclosed", *steps)


def _rises_by(percent: int, ratio: Enclosure) -> bool:
    return bool(abs(100 * (ratio.ball() - 1) - percent) < 0.5)


@ours.proved(
    "Sec. 3.3",
    "With squared labels the drift of an odd student holds no trace of an odd teacher",
    quote=_DISAPPEAR,
    reading="escape is restored, but a and b are those of labels 0: a = -½ d/dμ E σ(μz)². The "
    "direction still matters, for m grows",
    falsifier="an odd pair of which φ² changes a or b",
)
def _squared_teacher_drops_out() -> Finding:
    f, g, x = Function("f"), Function("g"), Symbol("x")
    label, sigma = f(z) ** 2, x * g(x**2)  # f odd is all that is used: f(-z)² = f(z)²
    slope, curvature = (diff(sigma, x, k).subs(x, mu * z).doit() for k in (1, 2))
    steps = []
    for name, integrand in (("a", label * z * slope), ("b", label * curvature)):
        even = integrand + integrand.subs(z, -z).subs(f(-z), -f(z))
        steps.append(
            equal(f"what the label adds to {name}: even part of what is averaged", even, 0)
        )
    student = Function("sigma")
    rest = student(mu * z) * z * diff(student(x), x).subs(x, mu * z)
    half = diff(student(mu * z) ** 2, mu) / 2
    return Finding(
        "for any odd σ = x g(x²) and odd φ: a = -½ d/dμ E σ(μz)², and b as without labels",
        *steps,
        equal("what is left of a: σ(μz) z σ'(μz) less ½ d/dμ σ(μz)²", simplify(rest - half), 0),
    )
