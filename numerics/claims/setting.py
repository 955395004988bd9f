"""Claims on the setting: parameters, pre-activations, overlaps, the start (Sec. 1-2.1, App. A).

Vectors are written in the plane of the teacher ω⋆ and the student's direction ω; no other direction
enters the student's or the teacher's pre-activation.
"""

from collections.abc import Callable

from flint import arb
from sympy import (
    Expr,
    ImmutableMatrix,
    Integer,
    Matrix,
    Rational,
    Symbol,
    diff,
    exp,
    expand,
    factorial,
    gamma,
    gammasimp,
    limit,
    oo,
    sqrt,
    symbols,
)

from derive.landscape import landscape_of
from derive.pair import Pair
from derive.symbols import Q, d, m, mu, residual, rho, u, z
from numerics.certified.balls import Enclosure, enclosure
from numerics.claims.ledger import CODE, Finding, assumption, claim, equal, judged, ours, shown
from numerics.claims.signs import positive

VARIANCE, COVARIANCE = mu**2 + u**2 + 2 * mu * u * m, mu + u * m  # of the student, as the text says
HERE = {rho: COVARIANCE, residual: u**2 * (1 - m**2)}
_TEACHER = Matrix([1, 0])
_DIRECTION = Matrix([m, sqrt(1 - m**2)])
_STUDENT = mu * _TEACHER + u * _DIRECTION
_HALF = Symbol("k", integer=True, positive=True)
_SCALE_OF_CODE = d**-2  # where the authors' code starts u
SLOPES = symbols("L_Q L_rho", real=True)
_CURVATURES = symbols("L_QQ L_Qrho L_rhorho", real=True)


def loss_of(given: Pair | str) -> Expr:
    """The loss of a pair in u, m and μ."""
    return landscape_of(given).loss.subs(HERE, simultaneous=True)


def any_loss(variance: Expr, covariance: Expr) -> Expr:
    """Any loss L(Q, ρ) to second order around the frozen model, Q = μ² and ρ = μ."""
    here, there = variance - mu**2, covariance - mu
    x, y, w = _CURVATURES
    first = SLOPES[0] * here + SLOPES[1] * there
    return first + x * here**2 / 2 + y * here * there + w * there**2 / 2


def coefficients() -> tuple[Expr, Expr]:
    """The drift coefficients a and b of any loss, by its slopes at the frozen model."""
    by_q, by_rho = SLOPES
    return -(2 * mu * by_q + by_rho), -2 * by_q


@claim.proved(
    "Sec. 1, (1)",
    "LoRA of rank r trains r (p + q) parameters of p q: fewer if and only if r < p q/(p + q)",
    quote="Compared to full fine-tuning which updates all […] entries of […], LoRA reduces the "
    "number of trainable parameters to […], yielding significant computational savings when […] "
    "is small.",
    reading="a weight matrix of p rows and q columns, corrected by B A with r columns and rows",
    falsifier="a rank below p q/(p + q) that saves nothing",
)
def _lora_parameters() -> Finding:
    p, q, below = symbols("p q h", positive=True)
    bound = p * q / (p + q)
    return Finding(
        "p q - r (p + q) has the sign of p q/(p + q) - r; for p = q the bound is p/2",
        judged("parameters saved, p q - r (p + q), at r = p q/(p + q) - h, h > 0",
               (p * q - (bound - below) * (p + q)).simplify(), positive),
        equal("parameters saved at r = p q/(p + q)", p * q - bound * (p + q), 0),
        equal("share trained at r = p/10, q = p", (p / 10 * (p + q) / (p * q)).subs(q, p),
              Rational(1, 5)),
    )  # fmt: skip


@claim.proved(
    "Sec. 2.1, App. A (13)",
    "(ω⋆·x, w·x) is Gaussian with variances 1, Q = μ² + u² + 2μ u m and covariance ρ = μ + u m",
    quote="Since […], the pair […] is jointly Gaussian with law […] where we have introduced the "
    "“overlap” […] and the student pre-activation variance […].",
    reading="x ~ N(0, I), w = μ ω⋆ + u ω; the lost law is centred, with these entries. So the loss "
    "is a function of u and m alone, at a given μ",
    falsifier="other inner products of these vectors",
)
def _joint_law() -> Finding:
    return Finding(
        "linear images of a Gaussian; their covariances are inner products, in any dimension",
        equal("ω has length 1: |ω|²", _DIRECTION.dot(_DIRECTION), 1),
        equal("variance of ω⋆·x: |ω⋆|²", _TEACHER.dot(_TEACHER), 1),
        equal("variance of w·x: |w|²", _STUDENT.dot(_STUDENT), VARIANCE),
        equal("their covariance: ω⋆·w", _STUDENT.dot(_TEACHER), COVARIANCE),
    )


@claim.proved(
    "Sec. 2.1, 2.2",
    "Near u = m = 0 the overlap ρ is μ and the cosine ρ/√Q is 1, to leading order",
    quote="the dynamics starts from a weakly correlated regime in which the order parameters "
    "satisfy […], though the effective teacher-student overlap satisfies […]",
    reading="the lost formula says that the overlap is finite, be it ρ = μ + u m or ρ/√Q; to "
    "leading order, for u and m start at 1/√d and not at 0",
    falsifier="a strength μ > 0 at which it vanishes with u and m, or a change of first order",
)
def _effective_alignment() -> Finding:
    covariance, length = _STUDENT.dot(_TEACHER), sqrt(_STUDENT.dot(_STUDENT))
    start = {u: 0, m: 0}
    return Finding(
        "of the vectors ω⋆ and w = μ ω⋆ + u ω, at every strength",
        shown("cosine of the angle of teacher and student, ω⋆·w/|w|", covariance / length),
        equal("overlap ω⋆·w at u = m = 0", covariance.subs(start), mu),
        equal("the cosine at u = m = 0", (covariance / length).subs(start), 1),
        *[equal(f"slope of {text} in {x} there", diff(value, x).subs(start), 0)
          for text, value in (("ω⋆·w", covariance), ("ω⋆·w/|w|", covariance / length))
          for x in (u, m)],
    )  # fmt: skip


@ours.proved(
    "App. A, (14)",
    "ρ = 1 is not yet recovery: |w - ω⋆|² = 1 - 2ρ + Q, and ρ = 1 leaves Q free",
    quote="which, in the 1D tensor case, is sufficient to quantify how close the combination […] "
    "is to […].",
    reading="the quantity (14) is ρ = μ + u m, as (17) and (100) have it, and starts at μ; how "
    "close is a distance. ρ/√Q, which is 1 at u = 0 already, tells it even less",
    falsifier="a distance that ρ alone fixes, or a loss of x that vanishes wherever ρ = 1",
)
def _alignment_no_indicator() -> Finding:
    away = _STUDENT - _TEACHER
    recovered = {m: (1 - mu) / u}  # where ρ = 1
    loss = landscape_of(Pair("x")).loss.subs({rho: 1, residual: Q - 1}, simultaneous=True)
    return Finding(
        "at ρ = 1 it is Q - 1 = u² - (1-μ)², which vanishes at u = 1 - μ, m = 1 alone if u > 0",
        equal(
            "squared distance of student and teacher, |w - ω⋆|²",
            away.dot(away),
            1 - 2 * COVARIANCE + VARIANCE,
        ),
        equal("ρ at u = 0", COVARIANCE.subs(u, 0), mu),
        equal("ρ at m = (1-μ)/u", COVARIANCE.subs(recovered), 1),
        equal("Q - 1 there", VARIANCE.subs(recovered) - 1, u**2 - (1 - mu) ** 2),
        judged(
            "it is not constant: its slope in u",
            diff(VARIANCE.subs(recovered).expand(), u),
            lambda slope: slope != 0,
        ),
        equal("loss of x at ρ = 1", loss, (Q - 1) / 2),
    )


@claim.proved(
    "App. A, (14)",
    "Matched pairs at zero loss have Q = 1 and ρ = 1 (or ±1 if even): non-constant polynomials",
    quote="Notably, at the global minimum—regardless of the activation function or the value of "
    "[…]—this quantity always equals […] (or […] for even activations) in the scenario […].",
    reading="in the matched scenario, 1, or ±1; (14) is ρ = μ + u m, or ρ/√Q. Polynomials of every "
    "degree n ≥ 1: given z, the student sees ρz + √s g, and two polynomials agree only in full",
    falsifier="a non-constant matched polynomial with zero loss elsewhere",
)
def _alignment_at_minimum() -> Finding:
    n, half = Symbol("n", integer=True, positive=True), Symbol("p", integer=True, positive=True)
    z, g, log_size = Symbol("z", positive=True), Symbol("g"), Symbol("x", real=True, nonzero=True)
    top = (rho * z + sqrt(residual) * g) ** n  # the highest degree of the student
    mixed = diff(top, g).subs(g, 0) / z ** (n - 1)
    whole, mirrored = {u: 1 - mu, m: 1}, Integer(-1)
    return Finding(
        "z^n has the weight ρ^n = 1, so |ρ| = 1; z^(n-1) g has n ρ^(n-1) √s = 0, so s = Q - ρ² = 0",
        shown("student's highest degree, given the teacher's z", top),
        judged("if |ρ| is not 1, nor is |ρ^n|: log |ρ^n| where log |ρ| = x ≠ 0", n * log_size,
               lambda value: value.is_nonzero),
        *[judged(f"weight of z^(n-1) g at ρ = {sign}, which is 0 only for s = 0",
                 mixed.subs(rho, sign).simplify(),
                 lambda value: value.is_nonzero) for sign in (1, -1)],
        *[equal(f"ρ^n at ρ = -1, {parity}", mirrored**power, value)
          for parity, power, value in (("odd n: no minimum", 2 * half + 1, -1),
                                       ("even n", 2 * half, 1))],
        judged("a loss of 0 at ρ = -1 would need σ(z) = σ(-z), which an odd power in σ "
               "excludes: z^(2k-1) less its value at -z",
               z ** (2 * half - 1) - (mirrored * z) ** (2 * half - 1), positive),
        equal("ρ = 1 is reached, at u = 1 - μ, m = 1", COVARIANCE.subs(whole), 1),
        equal("Q there", VARIANCE.subs(whole), 1),
    )  # fmt: skip


@claim.proved(
    "Sec. 2.1, App. E.1",
    "m₀ of a random ω: E m₀² = 1/d exactly, m₀² ~ Beta(1/2, (d-1)/2), √d m₀ → N(0, 1)",
    quote="In the high-dimensional limit […], such a random initialization yields an initial "
    "overlap […] with high probability.",
    reading="of the order 1/√d: |m₀| √d stays between two constants with a probability as near to "
    "1 as these are wide; ω uniform on the sphere",
    falsifier="a limit law of √d m₀ with an atom at 0, or a second moment of another order",
)
def _initial_overlap() -> Finding:
    share = Symbol("x", real=True)
    slice_ = (1 - m**2) ** ((d - 2) / 2) / sqrt(1 - m**2)
    density = (1 - share**2 / d) ** ((d - 3) / 2)
    return Finding(
        "the density on [-1, 1] is proportional to (1-m²)^((d-3)/2)",
        equal("density of m: radius^(d-2) of the slice of the sphere at m, over the slope there",
              slice_, (1 - m**2) ** ((d - 3) / 2)),
        equal("E m₀²", moment(1), 1 / d),
        equal("E m₀^4", moment(2), 3 / (d * (d + 2))),
        equal("density of x = √d m₀ as d → ∞, over that at 0",
              limit(density, d, oo), exp(-share**2 / 2)),
        shown("d = 1000: probability that 0.1 ≤ |m₀| √d ≤ 3", _within(1000, "0.1", "3")),
    )  # fmt: skip


def moment(k: int) -> Expr:
    """E m^(2k) of a uniform direction: B(k + 1/2, (d-1)/2) over B(1/2, (d-1)/2)."""
    return gammasimp(
        gamma(k + Rational(1, 2)) / gamma(Rational(1, 2)) * gamma(d / 2) / gamma(d / 2 + k)
    )


def _within(dimension: int, low: str, high: str) -> Enclosure:
    """P(low ≤ |m₀| √d ≤ high), by the incomplete beta function."""
    first, second = (
        (arb(end) ** 2 / dimension).beta_lower(arb("0.5"), arb(dimension - 1) / 2, True)
        for end in (low, high)
    )
    return enclosure(second - first, 8)


@assumption.met(
    "Sec. 2",
    "x, ReLU, erf, sigmoid and the Hermite polynomials are square-integrable at every variance",
    quote="Throughout this work, we assume that both the target […] and […] are square-integrable "
    "with respect to the standard Gaussian measure.",
    reading="of every activation of the paper, at the student's variance too, which changes",
    falsifier="one of them, and a variance at which its mean square is infinite",
)
def _square_integrable() -> Finding:
    means = [
        (text, (Pair(text).label.gaussian().scaled(sqrt(Q)) ** 2).mean())
        for text in ("x", "relu", "erf")
    ]
    return Finding(
        "their mean squares in closed form; sigmoid is below 1; polynomials have all moments",
        *[judged(f"E σ² of {text} at variance Q", value, lambda mean: mean.is_finite)
          for text, value in means],
        *[judged(f"{text} of sigmoid", 1 / (1 + exp(sign * z)), positive)
          for text, sign in (("value", -1), ("distance to 1", 1))],
        judged("E z^(2k) at variance Q",
               factorial(2 * _HALF) / (factorial(_HALF) * 2**_HALF) * Q**_HALF,
               lambda mean: mean.is_finite),
    )  # fmt: skip


@assumption.met(
    "Sec. 2.1, App. E.1",
    "u₀ and m₀ are O(1/√d): LoRA starts at u₀ = 0 and the authors' code at d^-2, m₀ as random",
    quote="For analytical convenience, and in order to obtain a nontrivial joint evolution of the "
    "order parameters, we therefore assume that both […] and […] are initialized at scale […].",
    reading="the lost scale is read as O(1/√d): at most of the order 1/√d",
    falsifier="a start of that code, or of LoRA, with u₀ √d or E d m₀² unbounded in d",
    settled_by=CODE,
)
def _initial_scale() -> Finding:
    return Finding(
        "u₀ √d = d^(-3/2) → 0, or 0 throughout; E d m₀² = 1",
        judged(
            "limit of u₀ √d as d → ∞, for the u₀ of the code",
            limit(_SCALE_OF_CODE * sqrt(d), d, oo),
            _finite,
        ),
        judged("mean of d m₀² for a random ω", (d * moment(1)).simplify(), _finite),
    )


def _finite(value: Expr) -> bool:
    return value.is_number and value.is_finite is True


@ours.proved(
    "Sec. 2.1, App. E.1",
    "u₀ is not of the exact order 1/√d: u₀ √d → 0 in the authors' code, and is 0 in LoRA",
    reading="it costs little: exit times change by a constant in d (zero-start), and the joint "
    "evolution is as nontrivial (coupled)",
    falsifier="a start of that code, or of LoRA, with u₀ √d away from 0 as d grows",
    settled_by=CODE,
)
def _initial_scale_exact() -> Finding:
    return Finding(
        "u₀ √d = d^(-3/2)",
        equal("limit of u₀ √d as d → ∞", limit(_SCALE_OF_CODE * sqrt(d), d, oo), 0),
    )


@claim.proved(
    "Sec. 2.1",
    "If ω may change its length, the search phase keeps its a and b, whatever the loss L(Q, ρ)",
    quote="the choice of constraining […] is mostly for analytical simplicity, and it can be shown "
    "it does not impact the dynamics considerably [7].",
    reading="of the search phase: gradient flow of u and of all of ω from |ω| = 1, linearised "
    "where u and the overlap are small. Later the length changes: balanced-length",
    falsifier="a loss whose flow without the constraint has another rate near u = m = 0",
    units="time in 1/γ",
)
def _sphere_constraint() -> Finding:
    state, velocity = _unconstrained(any_loss)
    start = dict(zip(state, (0, 0, 1), strict=True))
    a, b = coefficients()
    flow = Matrix(3, 3, lambda i, j: expand(diff(velocity[i], state[j]).subs(start)))
    return Finding(
        "the length moves at second order only",
        shown("matrix of the linear flow of u, ω·ω⋆ and the rest of ω", ImmutableMatrix(flow)),
        equal("∂u̇/∂u is b", flow[0, 0], b),
        equal("∂u̇/∂m is a", flow[0, 1], a),
        equal("∂ṁ/∂u is a", flow[1, 0], a),
        judged(
            "all its other entries are 0",
            (flow[1, 1], *flow[:, 2], *flow[2, :]),
            lambda f: not any(f),
        ),
    )


def _unconstrained(loss: Callable[[Expr, Expr], Expr]) -> tuple[tuple[Symbol, ...], list[Expr]]:
    """Gradient flow of u and of all of ω, whose coordinates are m along ω⋆ and one off it."""
    off = Symbol("n", real=True)
    student = mu * _TEACHER + u * Matrix([m, off])
    value = loss(student.dot(student), student.dot(_TEACHER))
    state = (u, m, off)
    return state, [-diff(value, x) for x in state]


@ours.proved(
    "Sec. 2.1",
    "Without the constraint |ω|² - u² does not change, so that the length grows with u",
    reading="gradient flow of u and ω of any loss of uω: so the constraint matters once u is of "
    "order 1, as |ω|² = 1 + u² from a small start",
    falsifier="a loss of uω whose flow changes |ω|² - u²",
)
def _balanced_length() -> Finding:
    def loss(variance: Expr, covariance: Expr) -> Expr:  # its slopes at any point
        return SLOPES[0] * variance + SLOPES[1] * covariance

    state, velocity = _unconstrained(loss)
    scale, *direction = (2 * x * v for x, v in zip(state, velocity, strict=True))
    return Finding(
        "u ∂L/∂u = ω·∂L/∂ω, for L is a function of their product",
        equal("d|ω|²/dt and d(u²)/dt", expand(sum(direction)), expand(scale)),
        judged("they do change: d(u²)/dt is not 0", expand(scale), lambda rate: rate != 0),
    )
