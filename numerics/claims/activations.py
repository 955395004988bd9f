"""Claims on erf, ReLU, sigmoid and their like, matched (Sec. 1, 3.2 b, App. D.1)."""

from functools import partial

from flint import arb
from sympy import Expr, Function, Symbol, diff, factorial, gamma, oo, pi, sqrt

from derive.escape import eigenvalues, escape_limit, escape_time
from derive.grammar import parse_activation
from derive.hermite import gaussian_mean, hermite_mean, hermite_polynomial
from derive.pair import Pair
from derive.pair_drift import closed_drift, drift_of
from derive.risk import frozen_risk
from derive.symbols import Q, mu, z
from numerics.certified.balls import Enclosure, bounds, enclosure
from numerics.certified.drift import BallFunction, ball_drift, enclosed
from numerics.certified.zeros import Stretch, sign_cells, zero_cells
from numerics.claims.ledger import CODE, Finding, Step, claim, equal, judged, ours, shown
from numerics.claims.signs import positive

_COMMON = ("x", "erf", "relu", "sigmoid")


def closed(text: str, labels: str = "matched") -> tuple[Expr, Expr]:
    """Drift coefficients of a pair that has them in closed form."""
    drift = closed_drift(Pair(text, labels=labels))
    return drift.derived_a, drift.derived_b


@claim.refuted(
    "Sec. 3.2 (b), Fig. 1 (right)",
    "For ReLU, τ decreases slightly at small μ before it increases",
    quote="ReLU exhibits a mild deviation from this monotone trend at relatively small signal "
    "strengths: as […] increases from […] to […], […] decreases slightly, suggesting that a weakly "
    "more informative pre-trained weight can initially accelerate escape.",
    reading="τ = 1/λ₊ falls between the two lost strengths, which are small; the figure's curve "
    "does, for it lacks a term (zeroth-term, stored-relu)",
    falsifier="two strengths of which the larger has the smaller τ",
    units="τ in 1/γ",
    settled_by=CODE,
)
def _relu_dip() -> Finding:
    a, b = closed("relu")
    tau = escape_time(a, b)
    return Finding(
        "a = (1-μ)/2, b = -1/2: τ is twice the linear one exactly",
        shown("a and b of ReLU", (a, b)),
        equal("τ of ReLU is twice that of x, which increases", tau, 2 * escape_time(*closed("x"))),
        *relu_rises(),
    )


def relu_rises() -> list[Step]:
    """The exact τ of ReLU rises on (0, 1)."""
    x = Symbol("x", positive=True)
    tau = escape_time(*closed("relu")).subs(mu, 1 - x)
    size = (1 + 2 * x**2 + sqrt(4 * x**2 + 1)) / (x**3 * sqrt(4 * x**2 + 1))
    return [
        equal("dτ/dμ of ReLU, which is -dτ/dx at μ = 1 - x", -diff(tau, x), 2 * size),
        judged("it is positive: dτ/dμ", 2 * size, positive),
    ]


@claim.proved(
    "Sec. 3.2 (b), Fig. 1 (right)",
    "For ReLU τ increases with μ, from any strength on, and diverges as μ → 1",
    quote="However, once […] exceeds […], the behavior aligns with the other activations.",
    reading="beyond some strength τ of ReLU increases as those of x, erf and sigmoid do; it does "
    "from 0 on",
    falsifier="two strengths of which the larger has the smaller τ",
    units="τ in 1/γ",
)
def _relu_after_dip() -> Finding:
    return Finding(
        "dτ/dμ > 0 in closed form, and τ ~ 2 (1-μ)^-2",
        *relu_rises(),
        tau_goes_as(-2, Pair("relu"), 1),
    )


@ours.proved(
    "App. D.1, (51)",
    "In ∂C/∂Q the factor 1/((k-1)! k) is 1 at k = 0: of ReLU and squared He_2 that term counts",
    quote="It should be understood that whenever a factorial prefactor of the form […] appears, "
    "the summation effectively starts at […] rather than",
    reading="the lost formulas are 1/(k-1)!, k = 1 and k = 0; true of 1/(k-1)! alone. Their code "
    "leaves the term of degree 0 out of b, and keeps that of a",
    falsifier="c_0(1) c_0'(Q) = 0 for ReLU, or for He_2 with squared labels",
    units="b in γ, τ in 1/γ",
    settled_by=CODE,
)
def _zeroth_term() -> Finding:
    k = Symbol("k", positive=True)
    factor = 1 / (gamma(k) * k)
    relu, he2 = parse_activation("relu"), hermite_polynomial(2, z)
    mean = relu.hermite_coefficient(0, Q)
    term = _of_degree_zero(mean.subs(Q, 1), mean).subs(Q, mu**2)
    a, b = closed("relu")
    tau = escape_time(a, b - 2 * term)
    term_of_he2 = _of_degree_zero(gaussian_mean(he2**2, z), hermite_mean(2))
    whole = gaussian_mean(he2**2 * diff(he2, z, 2), z) / 2
    strengths = ("0.05", "0.1", "0.2", "0.4")
    dip = tuple(enclosure(enclosed(tau)(arb(mu_)), 6) for mu_ in strengths)
    return Finding(
        "1/(4πμ) for ReLU: without it τ would dip near μ = 0.2, as the figure shows",
        equal("the factor of term k, 1/((k-1)! k), is 1/k!", factor, 1 / factorial(k)),
        equal("so it is 1 at k = 0: its limit", factor.limit(k, 0), 1),
        equal("ReLU: the term k = 0 of ∂C/∂Q, c_0(1) c_0'(Q) at Q = μ²", term, 1 / (4 * pi * mu)),
        judged(
            f"τ without that term, with b - 1/(2πμ), at μ = {', '.join(strengths)}: it dips",
            dip,
            _dips,
        ),
        equal("He_2, squared labels: ∂C/∂Q = ½ E y σ'' is its term k = 0", whole, term_of_he2),
        judged("and it is positive", whole, positive),
    )


def _of_degree_zero(of_labels: Expr, of_student: Expr) -> Expr:
    """The term k = 0 of ∂C/∂Q, from the means of labels and of the student."""
    return of_labels * diff(of_student, Q)


def _dips(times: tuple[Enclosure, ...]) -> bool:
    first, second, third, last = (time.ball() for time in times)
    return bool(first > second > third < last)


@claim.proved(
    "Sec. 3.2 (b), Fig. 1 (right)",
    "τ diverges as μ → 1 for x, erf, ReLU, as (1-μ)^-2",
    quote="A common feature across all these activation functions is the divergence of the […] as "
    "[…], implying that highly correlated pre-trained weights require substantially more gradient "
    "steps",
    reading="τ → ∞ as μ → 1, the rate being ours; sigmoid, without closed form, is one of "
    "divergence-at-one-any. At one learning rate, steps and samples are τ log d / 2γ to leading "
    "order; where each strength has its own, tuned-delay-vanishes holds instead",
    falsifier="a finite limit of τ at μ = 1, or another exponent",
    units="τ in 1/γ",
)
def _divergence_at_one() -> Finding:
    steps = [tau_goes_as(-2, Pair(text), 1) for text in ("x", "erf", "relu")]
    return Finding("leading terms of a and b at μ = 1, exactly", *steps)


def tau_goes_as(exponent: int, pair: Pair, end: int) -> Step:
    """The exponent of τ where μ tends to 0 or 1.

    Arguments:
        exponent: that is claimed.
        pair: whose drift has a closed form.
        end: 0 or 1.
    """
    text = f"{pair.student.text}: τ as {'x = 1 - μ' if end else 'μ'} → 0, coefficient and exponent"
    law = escape_limit(closed_drift(pair), end)
    return judged(text, law, lambda tau: tau.exponent == exponent)


@ours.proved(
    "Sec. 3.2 (b)",
    "τ diverges as μ → 1 for every matched activation whose a and b are continuous there",
    reading="the paper says it of x, erf, ReLU and sigmoid; a and b are continuous at 1 if σ, σ' "
    "and σ'' are and grow like powers at most",
    falsifier="an activation with a(1) ≠ 0 or b(1) ≥ 0, or a faster rate than a²/|b|",
    units="rates in γ",
)
def _divergence_at_one_any() -> Finding:
    sigma = Function("sigma")
    x = Symbol("x")
    slope, curvature = (diff(sigma(x), x, k) for k in (1, 2))
    a = (sigma(z) - sigma(mu * z)) * z * slope.subs(x, mu * z)
    b = (sigma(z) - sigma(mu * z)) * curvature.subs(x, mu * z) - slope.subs(x, mu * z) ** 2
    coupling, size = (Symbol(name, positive=True) for name in ("a", "P"))
    rate, root = eigenvalues(coupling, -size)[0], sqrt(size**2 + 4 * coupling**2)
    below = coupling**4 * 4 / (size * (root + size) ** 2)
    return Finding(
        "at μ = 1 the errors vanish: a = 0 and b = -E σ'(z)² < 0; near there λ₊ ≤ a²/|b| → 0",
        shown("a is the mean of", a),
        equal("which is 0 at μ = 1", a.subs(mu, 1).doit(), 0),
        shown("b is the mean of", b),
        equal("which is -σ'(z)² at μ = 1", b.subs(mu, 1).doit(), -(slope.subs(x, z).doit() ** 2)),
        equal("near there b = -P < 0, λ₊ ≤ a²/P: a²/P - λ₊", coupling**2 / size - rate, below),
        judged("that is positive", below, positive),
        judged("so λ₊ → 0 with a: τ at a = 0, b = -P", escape_time(0, -size), lambda t: t == oo),
    )


@claim.certified(
    "Sec. 3.2 (b)",
    "x, erf, ReLU, sigmoid have a finite escape time at every strength in [0, 1)",
    quote="escape occurs for any fixed […], but the associated time scale depends sensitively on "
    "both […] and the choice of activation function.",
    reading="the lost condition is μ < 1; to escape is to have a finite τ, and a ≠ 0 is enough",
    falsifier="a strength below 1 with a = 0 and b ≤ 0",
)
def _common_activations() -> Finding:
    return _finite_of(_COMMON)


@ours.certified(
    "Sec. 3.2 (b)",
    "tanh and GELU have a finite escape time at every strength in [0, 1)",
    reading="common-activations, for two that the paper does not name",
    falsifier="a strength below 1 with a = 0 and b ≤ 0",
)
def _other_activations() -> Finding:
    return _finite_of(("tanh", "gelu"))


def _finite_of(texts: tuple[str, ...]) -> Finding:
    steps = []
    for text in texts:
        balls = ball_drift(drift_of(Pair(text)))
        cells = tuple(zero_cells(balls))
        steps += [
            judged(f"{text}: intervals that cover (0, 1), without a zero of a", cells, no_zero),
            judged(f"{text}: a(0)", enclosure(balls.a(arb(0)), 10), positive),
        ]
    return Finding("no zero of a in [0, 1), lists complete", *steps)


def no_zero(cells: tuple[Stretch, ...]) -> bool:
    """Whether none of the cells holds a zero."""
    return not any(cell.zero for cell in cells)


@claim.certified(
    "Sec. 3.2 (b), Fig. 1 (right)",
    "The escape times of x, erf, ReLU, sigmoid are continuous in μ on [0, 1)",
    quote="the escape-time curves appear continuous over […]:",
    reading="the lost interval is [0, 1)",
    falsifier="a strength below 1 near which a or b has no finite slope, or at which a = 0",
)
def _continuous_times() -> Finding:
    steps = [
        judged(
            f"{text}: 1 + a'² + b'² is finite on intervals that cover [0, 1]",
            tuple(sign_cells(_slopes(Pair(text)))),
            partial(signed, 1),  # undecided if infinite
        )
        for text in _COMMON
    ]
    return Finding(
        "a and b have finite slopes on [0, 1], and a > 0 on [0, 1), which common-activations shows",
        *steps,
    )


def _slopes(pair: Pair) -> BallFunction:
    drift = drift_of(pair)
    first, second = (enclosed(drift.derivative(name)) for name in ("a", "b"))
    return lambda strength: 1 + first(strength) ** 2 + second(strength) ** 2


@claim.certified(
    "Sec. 1, 3.2 (a)",
    "Stronger pre-training lowers the initial loss of x, erf, ReLU and sigmoid",
    quote="For common activation functions—linear, […], ReLU, and sigmoid—we uncover a trade-off "
    "between improved initial performance and the algorithmic tractability of subsequent LoRA "
    "fine-tuning",
    reading="the lost activation is erf; the initial loss is that at u = m = 0, whose slope is -a",
    falsifier="a strength below 1 at which a ≤ 0",
)
def _better_start() -> Finding:
    sigma, y = Function("sigma"), Function("y")
    loss = (y(z) - sigma(mu * z)) ** 2 / 2
    x = Symbol("x")
    a = (y(z) - sigma(mu * z)) * z * diff(sigma(x), x).subs(x, mu * z)
    slope = (diff(loss, mu) + a).simplify()
    steps = [equal("d/dμ ½(y - σ(μz))² + (y - σ(μz)) z σ'(μz), whose mean is a", slope, 0)]
    for text in _COMMON:
        balls = ball_drift(drift_of(Pair(text)))
        cells, middle = tuple(zero_cells(balls)), enclosure(balls.a(arb("0.5")), 10)
        steps += [
            judged(f"{text}: intervals that cover (0, 1), without a zero of a", cells, no_zero),
            judged(f"{text}: a(1/2)", middle, positive),
        ]
    return Finding("a > 0 on (0, 1), and the initial loss has the slope -a", *steps)


@claim.certified(
    "Sec. 3.2 (b), Fig. 1 (right)",
    "For erf and sigmoid τ grows monotonically with μ on (0, 1)",
    quote="For […] and sigmoid, Fig. 1 (see right panel) shows that […] governing escape grows "
    "monotonically with",
    reading="the lost activation is erf, and what grows is τ",
    falsifier="two strengths of which the larger has the smaller τ",
    units="τ in 1/γ",
)
def _monotone_times() -> Finding:
    steps = [slope_formula()]
    for text in ("erf", "sigmoid"):
        cells = tuple(sign_cells(slope_of_rate(Pair(text))))
        balls = ball_drift(drift_of(Pair(text)))
        steps += [
            judged(f"{text}: a(1/2)", bounds(balls.a(arb("0.5"))), lambda a: a.sign == 1),
            judged(f"{text}: F < 0 on intervals that cover [0, 1]", cells, partial(signed, -1)),
        ]
    return Finding("λ₊' < 0 wherever a > 0, which common-activations shows", *steps)


def signed(sign: int, cells: tuple[Stretch, ...]) -> bool:
    """Whether a function has this sign on all cells."""
    return all(cell.bounds.sign == sign for cell in cells)


def slope_formula() -> Step:
    """λ₊' = 2a F/√(b²+4a²), F = a' + b' a/(√(b²+4a²) - b): no cancellation where λ₊ vanishes."""
    x = Symbol("x", real=True)
    a, b = (Function(name, real=True)(x) for name in "ab")
    root = sqrt(b**2 + 4 * a**2)
    f = diff(a, x) + diff(b, x) * a / (root - b)
    return equal(
        "slope of λ₊ in μ, and 2a F/√(b²+4a²) with F = a' + b' a/(√(b²+4a²) - b)",
        diff(eigenvalues(a, b)[0], x),
        2 * a * f / root,
    )


def slope_of_rate(pair: Pair) -> BallFunction:
    """F of ``slope_formula`` as a function of balls."""
    drift = drift_of(pair)
    balls = ball_drift(drift)
    by_strength = enclosed(drift.derivative("b"))

    def f(strength: arb) -> arb:
        a, b = balls.a(strength), balls.b(strength)
        root = (b * b + 4 * a * a).sqrt()
        return balls.slope(strength) + by_strength(strength) * a / (root - b)

    return f


@ours.proved(
    "Sec. 3",
    "a(μ) = -ℓ'(μ) with ℓ the frozen risk (eight activations)",
    reading="ℓ is the loss of the pre-trained student as it is; its stationary points in μ are the "
    "zeros of a",
    falsifier="an activation of which a is not -ℓ'",
)
def _frozen_risk() -> Finding:
    names = ("x", "He3", "relu", "erf", "sin", "exp", "gauss", "squared_relu")
    steps = [
        equal(f"{text}: a is -ℓ'", closed(text)[0], -diff(frozen_risk(Pair(text)), mu))
        for text in names
    ]
    return Finding(f"{', '.join(names)}: symbolic in μ", *steps)
