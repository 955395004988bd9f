"""Findings on activations with a bias, of ours: which are singular for some, which for none."""

from functools import partial

from flint import arb, ctx, fmpq
from sympy import Expr, Rational, S, Symbol, diff, erf, exp, integrate, limit, oo, pi, sqrt

from derive.pair import Pair
from derive.pair_drift import closed_drift, drift_of
from derive.symbols import mu, z
from numerics.certified.balls import Enclosure, enclosure
from numerics.certified.drift import ball_drift
from numerics.certified.singularities import Singularity, find_singularities
from numerics.claims.ledger import Finding, Step, equal, judged, ours, shown

_MONOTONE = ("relu(x - {})", "elu(x - {})", "selu(x - {})", "celu(x - {})", "hardtanh(x - {})",
             "relu6(x - {})", "tanh(x - {})", "softplus(x - {})")  # fmt: skip
_BIASES = (Rational(4), Rational(1), Rational(1, 2), Rational(-1))
# Biases of GELU, with the number of zeros of a, and of those at which τ diverges.
_OF_GELU = {"1/2": (0, 0), "1": (1, 0), "3/2": (1, 1), "2": (2, 2), "5/2": (0, 0)}
_DIGITS = 12


@ours.proved(
    "Sec. 3.2 (b)",
    "A matched student that is monotone on either side of 0 has a > 0 on (0, 1): no bias makes "
    "ReLU, ELU, SELU, CELU, hardtanh, ReLU6, tanh or softplus singular",
    reading="for all biases p of σ(x - p), of either sign: a shifted function is as monotone. ReLU "
    "with p > 0 has a closed form; there τ diverges at both ends of (0, 1), and nowhere between",
    falsifier="a strength in (0, 1) with a ≤ 0 for one of them",
)
def _monotone_students() -> Finding:
    t, s = Symbol("t", positive=True), mu
    integrand = 4 / pi * (1 + 2 * (t**2 + s**2)) ** Rational(-3, 2)
    whole = 4 / pi * t / ((1 + 2 * s**2) * sqrt(1 + 2 * (t**2 + s**2)))
    steps = [
        shown("a, as σ(z) - σ(μz) is the integral of z σ'(t z) over t in (μ, 1)",
              "the integral of E[z² σ'(t z) σ'(μz)] over t in (μ, 1); t z, μz have one sign"),
        equal("for erf, E[z² σ'(t z) σ'(μz)]", _mean_for_erf(t), integrand),
        equal("for erf, its integral from 0 to t: slope in t", diff(whole, t), integrand),
        equal("for erf, the integral over (μ, 1), and a", whole.subs(t, 1) - whole.subs(t, s),
              closed_drift(Pair("erf")).derived_a),
        *(judged(f"{text.format('p')} is monotone on either side of 0: biases p among those tried",
                 tuple(p for p in _BIASES if _monotone_at(text.format(f"({p})"))),
                 lambda found: found == _BIASES)
          for text in _MONOTONE),
    ]  # fmt: skip
    return Finding("z² σ'(t z) σ'(μz) ≥ 0 where σ is monotone on the side of z",
                   *steps, *_relu_with_a_bias())  # fmt: skip


def _mean_for_erf(t: Expr) -> Expr:
    slopes = diff(erf(z), z)
    product = z**2 * slopes.subs(z, t * z) * slopes.subs(z, mu * z)
    strength = Symbol("mu", positive=True)  # SymPy's integral asks for a sign
    density = exp(-(z**2) / 2) / sqrt(2 * pi)
    found = integrate((product * density).subs(mu, strength), (z, -oo, oo))
    return found.subs(strength, mu)


def _monotone_at(text: str) -> bool:
    return Pair(text).student.value.rises_or_falls_outwards()


def _relu_with_a_bias() -> list[Step]:
    """ReLU with p > 0: only z > p/μ counts, where both slopes are 1."""
    q = Symbol("q", positive=True)
    mass, density = (1 - erf(q / sqrt(2))) / 2, exp(-(q**2) / 2) / sqrt(2 * pi)
    a, b = (1 - mu) * (q * density + mass), (q - q * mu) * density / mu - mass
    steps = [shown("ReLU with p > 0, q = p/μ: a = (1-μ) E[z²; z > q]", a), shown("and b", b)]
    for p in (S.Half, S.One, Rational(4)):
        known = closed_drift(Pair(f"relu(x - {p})"))
        for name, ours_, derived in (("a", a, known.derived_a), ("b", b, known.derived_b)):
            steps.append(
                equal(
                    f"{name} of relu(x - {p}), by these and as derived for it",
                    ours_.subs(q, p / mu),
                    derived,
                )
            )
    parts = {"E[z²; z > q]": q * density + mass, "q² times the density": q**2 * density}
    return [*steps, *(equal(f"both vanish as μ → 0, where q → ∞: limit of {name}",
                            limit(part, q, oo), 0) for name, part in parts.items())]  # fmt: skip


@ours.certified(
    "Sec. 3.2 (b)",
    "GELU(x - p) has no singularity for p = 1/2 and 5/2, one for p = 3/2, two for p = 2; for p = 1 "
    "a vanishes at a strength where τ does not diverge",
    reading="GELU falls before it rises; a bias puts its minimum, at x = p - 0.75, on the side "
    "that the labels come from. Certified at the biases named",
    falsifier="another number of zeros of a at one of these biases",
    units="b in units of γ",
)
def _biased_gelu() -> Finding:
    steps = []
    for p, expected in _OF_GELU.items():
        found = find_singularities(f"gelu(x - {p})", _DIGITS)
        text = f"p = {p}: zeros of a; {expected[0]} expected, τ diverges at {expected[1]}"
        steps.append(judged(text, found, partial(_counted, expected)))
    return Finding("every zero of a at these biases, with the sign of b", *steps)


def _counted(expected: tuple[int, int], found: tuple[Singularity, ...]) -> bool:
    return (len(found), sum(s.diverges for s in found)) == expected


@ours.certified(
    "Sec. 3.2 (b)",
    "tanh-GELU differs from GELU by less than 0.1 % in τ at strengths 0.1 to 0.99; both have no "
    "singularity, and with the bias p = 2 both have two, less than 0.004 apart",
    reading="tanh-GELU is the approximation x(1 + tanh(√(2/π)(x + 0.044715 x³)))/2",
    falsifier="a strength of these at which τ differs by more, or a singularity of one alone",
)
def _tanh_gelu() -> Finding:
    steps = [
        judged(
            f"μ = {strength}: rate of GELU over that of tanh-GELU, less 1", _ratio(strength), _close
        )
        for strength in (fmpq(1, 10), fmpq(1, 2), fmpq(9, 10), fmpq(99, 100))
    ]
    for text, count in (("{}", 0), ("{}(x - 2)", 2)):
        both = [find_singularities(text.format(name), _DIGITS) for name in ("gelu", "gelu_tanh")]
        what = f"{text.format('σ')}: zeros of a, of GELU and of tanh-GELU; {count} of either"
        steps.append(judged(what, both, partial(_alike, count)))
    return Finding("τ at the strengths named; complete lists of zeros", *steps)


def _ratio(strength: fmpq) -> Enclosure:
    with ctx.workprec(100):
        rates = [ball_drift(drift_of(name)).at(strength)[2] for name in ("gelu", "gelu_tanh")]
        return enclosure(rates[0] / rates[1] - 1, _DIGITS)


def _close(ratio: Enclosure) -> bool:
    return bool(abs(ratio.ball()) < arb("0.001"))


def _alike(count: int, found: list[tuple[Singularity, ...]]) -> bool:
    same = [len(zeros) for zeros in found] == [count, count]
    return same and all(
        abs(one.mu.ball() - two.mu.ball()) < arb("0.004") and one.diverges and two.diverges
        for one, two in zip(*found, strict=True)
    )
