"""Claims on other pre-training and other losses: App. A.1, App. H."""

from sympy import Expr, ImmutableMatrix, Rational, Symbol, diff, factorial, gcd, pi, sqrt, symbols

from derive.errors import Undecided
from derive.escape import eigenvalues, escape_limit, escape_time
from derive.landscape import landscape_of
from derive.pair import MISALIGNMENTS, Pair
from derive.pair_drift import closed_drift, drift_of
from derive.symbols import d, m, mu, residual, rho, u
from numerics.claims.ledger import CODE, Finding, Step, claim, equal, judged, ours, shown
from numerics.claims.setting import COVARIANCE, loss_of, moment
from numerics.claims.signs import all_positive, is_zero, positive

_NU, _KAPPA = symbols("nu kappa", real=True)
_VARIANCE = mu**2 + _NU**2 + u**2 + 2 * u * (mu * m + _NU * _KAPPA)


def _velocities(loss: Expr) -> tuple[Expr, Expr, Expr]:
    """The flow of ``(u, m, κ)``: the spherical gradient of a loss in these three."""
    by_m, by_kappa = diff(loss, m), diff(loss, _KAPPA)
    radial = m * by_m + _KAPPA * by_kappa
    return -diff(loss, u), -(by_m - m * radial), -(by_kappa - _KAPPA * radial)


def _misaligned(text: str, misalignment: str = "linear") -> tuple[Expr, Expr]:
    """What stands in the place of a², that is a² + ν²b², and b of a misaligned matched pair."""
    drift = closed_drift(Pair(text, misalignment=misalignment))
    a, b = drift.derived_a, drift.derived_b
    return a**2 + drift.misalignment**2 * b**2, b


@claim.proved(
    "App. A.1, (17), (18)",
    "The direction ξ leaves ρ = μ + u m as it is, but for ν ξ·ω⋆, of mean square ν²/d",
    quote="where the term […] arises from the high-dimensional limit: with high probability, the "
    "dot product of two random vectors is of order […], and these vectors therefore remain "
    "orthogonal throughout the dynamics.",
    reading="the two vectors are ξ and ω⋆, both of which stay where they are; the order is 1/√d. "
    "Of ω and ξ it would be false: see misaligned-norm",
    falsifier="a mean square of ξ·ω⋆ that is not 1/d, or a ρ that moves with κ = ω·ξ",
    settled_by=CODE,
)
def _misaligned_overlap() -> Finding:
    # Gram matrix of ω⋆, ξ, ω, with t = ξ·ω⋆
    t = Symbol("t", real=True)
    gram = ImmutableMatrix([[1, t, m], [t, 1, _KAPPA], [m, _KAPPA, 1]])
    student = ImmutableMatrix([mu, _NU, u])
    overlap, size = (gram * student)[0], (student.T * gram * student)[0]
    return Finding(
        "for every d: with ξ·ω⋆ = t, ρ = μ + u m + ν t, and E t² = 1/d",
        equal("ω⋆ times the student's direction", overlap, COVARIANCE + _NU * t),
        equal("its square size at t = 0", size.subs(t, 0).expand(), _VARIANCE),
        equal("mean of t², ξ uniform on the sphere", moment(1), 1 / d),
    )


@claim.refuted(
    "Sec. 2, App. A.1",
    "At ν = 1-μ the term of ξ in the norm has no effect on the dynamics of u and m",
    quote="In App. A.1, we show that this encompasses also misaligned pre-trained weights such […] "
    "without loss of generality. … Since […] also drives the dynamics, computing the gradient with "
    "respect to […] or […] shows that this additional term has no effect on the dynamics of […] "
    "and […].",
    reading="of every activation. The two are u and m, the term is ν² + 2 u ν κ with κ = ω·ξ, or "
    "ν² alone if κ is taken to stay 0, which it does not. ν² alone, the text's 'trivial shift of "
    "the pre-activation norm', has no effect for x, but one for He_2; the whole term has one for "
    "both",
    falsifier="a velocity of κ that is 0 for x, and an a of He_2 that does not hold ν",
    units="τ in 1/γ",
    settled_by=CODE,
)
def _misaligned_norm() -> Finding:
    by_q, by_rho, curve = symbols("L_Q L_rho L_QQ", real=True)
    here = _VARIANCE - (mu**2 + _NU**2)
    loss = by_q * here + by_rho * u * m + curve * here**2 / 2
    flow, state = _velocities(loss), (u, m, _KAPPA)
    jacobian = ImmutableMatrix(
        3, 3, lambda i, j: diff(flow[i], state[j]).subs(dict.fromkeys(state, 0)).expand()
    )
    a, b = -(2 * mu * by_q + by_rho), -2 * by_q
    claimed = ImmutableMatrix([[b, a, _NU * b], [a, 0, 0], [_NU * b, 0, 0]])
    coupling, friction = _misaligned("x")
    tau = 1 / eigenvalues(sqrt(coupling), friction)[0]
    times = tuple(f.subs(mu, Rational(9, 10)) for f in (tau, escape_time(1 - mu, -1)))
    drifts = {
        text: tuple(closed_drift(Pair(text, misalignment=k)).derived_a for k in ("linear", "none"))
        for text in ("x", "He2")
    }
    shortened = " instead of ".join(f"{float(time):.4g}" for time in times)
    at_once = _velocities(by_q * _VARIANCE + by_rho * COVARIANCE)[2].subs({m: 0, _KAPPA: 0})
    return Finding(
        f"κ grows with u, and u with κ; x at μ = 0.9: τ = {shortened}",
        equal("dκ/dt at m = κ = 0, for any loss of slope L_Q there", at_once, -2 * _NU * u * by_q),
        judged("linearised flow of u, m, κ: its matrix", jacobian, lambda found: found == claimed),
        shown("a² + ν²b² of x, in the place of a²", coupling.expand()),
        judged("x: τ at μ = 9/10, with ξ and without", times, lambda t: bool(1.9 * t[0] < t[1])),
        equal("x with κ held at 0: a, with ξ and without", *drifts["x"]),
        judged(
            "He_2 with κ held at 0: a, with ξ and without",
            drifts["He2"],
            lambda a: not is_zero(a[0] - a[1]),
        ),
    )


@claim.proved(
    "App. A.1, Fig. 3",
    "At ν = 1-μ, τ diverges as (1-μ)^-2 for x, He_2, He_3, erf, and increases with μ for x, as "
    "aligned; its constant is 2, 10/9, 26/25, 26 times smaller",
    quote="The key takeaway is that the same phenomenology is observed as for the student model "
    "(11).",
    reading="the phenomenology is the delay by strong pre-training; ν = 1-μ is that of the "
    "authors' code. Of the singularities of odd students, which go, see misaligned-not-singular",
    falsifier="one of these activations whose τ stays finite or diverges to another order",
    units="τ in 1/γ",
    settled_by=CODE,
)
def _misaligned_phenomenology() -> Finding:
    coupling, _ = _misaligned("x")
    shrinks = {"x": 2, "He2": Rational(10, 9), "He3": Rational(26, 25), "erf": 26}
    constants = {text: _constant(text) for text in shrinks}
    x = Symbol("x", positive=True)
    slope = (diff(escape_time(x, -1), x) * x**3 * sqrt(4 * x**2 + 1)).simplify()
    return Finding(
        "x: τ is that of the aligned student whose gap 1-μ is √2 times as large",
        equal("x: a² + ν²b²", coupling, 2 * (1 - mu) ** 2),
        equal("x³ √(4x²+1) dτ/dx at a = x", slope, -(1 + 2 * x**2 + sqrt(4 * x**2 + 1))),
        *[
            judged(f"{text}: (1-μ)² τ at μ = 1, with ξ and without", pair, all_positive)
            for text, pair in constants.items()
        ],
        *[
            equal(f"{text}: their ratio", alone / beside, shrinks[text])
            for text, (beside, alone) in constants.items()
        ],
    )


def _constant(text: str) -> tuple[Expr, Expr]:
    """Limits of (1-μ)² τ as μ → 1, with ξ and without."""
    a, b = closed_drift(Pair(text, misalignment="linear")).leading_terms(1)
    alone = escape_limit(Pair(text), 1)
    if (a.exponent, b.exponent, alone.exponent) != (1, 0, -2):
        raise Undecided(f"{text}: a or b vanishes to another order at μ = 1")
    return -b.coefficient / (a.coefficient**2 + b.coefficient**2), alone.coefficient


@ours.proved(
    "App. A.1",
    "At ν = √(1-μ²), which keeps the norm at 1, x escapes in τ ~ 1/(2(1-μ)): an order less",
    reading="another model than the paper's ν = 1-μ, where the divergence stays (1-μ)^-2",
    falsifier="a limit of (1-μ) τ as μ → 1 that is not 1/2",
    units="τ in 1/γ",
)
def _misaligned_divergence() -> Finding:
    coupling, b = _misaligned("x", "spherical")
    tau = 1 / eigenvalues(sqrt(coupling), b)[0]
    reached = (tau * (1 - mu)).simplify().limit(mu, 1, "-")
    return Finding(
        "x: a² + ν²b² = 2(1-μ), of first order, for ν² is",
        equal("a² + ν²b²", coupling, 2 * (1 - mu)),
        judged("limit of (1-μ) τ as μ → 1", reached, lambda value: value == Rational(1, 2)),
    )


@ours.proved(
    "App. A.1, Prop. 2",
    "At ν = 1-μ, He_n of odd degree 3 to 11 escape at every strength: no singularity is left",
    quote="Therefore, beyond a trivial shift of the pre-activation norm, this model provides no "
    "additional insight into the phenomenology observed with (12).",
    reading="aligned, their a has a zero in (0, 1). Here the escape goes on through ξ: what "
    "stands in the place of a² is a² + ν²b². So the delay at μ → 1 is the same phenomenology "
    "(misaligned-phenomenology), and Prop. 2 is not",
    falsifier="a strength in (0, 1) where a and b both vanish",
    units="a and b raw",
)
def _misaligned_not_singular() -> Finding:
    steps: list[Step] = []
    for n in range(3, 12, 2):
        alone = drift_of(f"He{n}").a
        signs = tuple(alone.eval(Rational(k, 10)) for k in (1, 9))
        drift = drift_of(Pair(f"He{n}", misalignment="linear"))
        common = gcd(drift.a, drift.b).as_expr()
        steps += [
            judged(
                f"He_{n}, aligned: a at 1/10 and 9/10, which has a zero in between",
                signs,
                lambda at: at[0] < 0 < at[1],
            ),
            judged(
                f"He_{n}: a and b have no common zero, as their common divisor is a constant",
                common,
                _constant_in_mu,
            ),
        ]
    return Finding("a² + ν²b² vanishes where a and b do, and they never do", *steps)


def _constant_in_mu(divisor: Expr) -> bool:
    return bool(divisor != 0 and diff(divisor, mu) == 0)


@ours.proved(
    "App. A.1, Fig. 3",
    "At ν = 1-μ the student that is the teacher has m = ±1/√2, at every strength; for x no other "
    "has zero loss, (u, ω) and (-u, -ω) being one student",
    reading="with ξ orthogonal to ω⋆: the overlap m alone does not tell recovery. The curves of "
    "the paper's Fig. 3, by the authors' code, level at about 0.71",
    falsifier="another product u ω at which the loss of x vanishes",
    settled_by=CODE,
)
def _misaligned_direction() -> Finding:
    here = {rho: COVARIANCE, residual: _VARIANCE - COVARIANCE**2}
    loss = landscape_of("x").loss.subs(here, simultaneous=True)
    squares = (1 - mu - u * m) ** 2 + (_NU + u * _KAPPA) ** 2 + u**2 * (1 - m**2 - _KAPPA**2)
    nu = MISALIGNMENTS["linear"]
    size = sqrt(2) * (1 - mu)
    steps = []
    for sign in (1, -1):
        fit = {_NU: nu, u: sign * size, m: sign * (1 - mu) / size, _KAPPA: -sign * nu / size}
        steps += [
            equal(f"u = {sign} √2 (1-μ): ρ", COVARIANCE.subs(fit), 1),
            equal("Q there", _VARIANCE.subs(fit, simultaneous=True), 1),
            equal("m there", fit[m], sign * sqrt(2) / 2),
            equal("κ there", fit[_KAPPA], -sign * sqrt(2) / 2),
        ]
    return Finding(
        "ω also has to undo ξ: u ω = (1-μ)(ω⋆ - ξ), which fixes u ω and so |u|",
        *steps,
        equal("2 L of x, a sum of squares", (2 * loss).expand(), squares),
    )


def _correlation_flow(text: str) -> tuple[Expr, Expr, Expr]:
    """The loss of App. H without its constant and the velocities of u and m."""
    loss = loss_of(Pair(text, loss="correlation"))
    return loss, -diff(loss, u).expand(), (-(1 - m**2) * diff(loss, m)).expand()


@claim.proved(
    "App. H, (94)-(96)",
    "The correlation loss of x is -(μ + u m), up to a constant; its gradient is (-m, -u)",
    quote="Notably, the gradient of the population loss is completely independent of the signal "
    "strength […].",
    reading="(95) is 1 - μ - u m or -(μ + u m); the gradient is by u and m",
    falsifier="a gradient that holds μ",
)
def _correlation_loss() -> Finding:
    loss, *_ = _correlation_flow("x")
    slopes = (diff(loss, u), diff(loss, m))
    return Finding(
        "μ is a constant of the loss",
        equal("correlation loss of x", loss, -(mu + u * m)),
        equal("∂L/∂u", slopes[0], -m),
        equal("∂L/∂m", slopes[1], -u),
        judged("their slopes in μ", tuple(diff(f, mu) for f in slopes), lambda f: f == (0, 0)),
    )


@claim.proved(
    "App. A, App. H",
    "Under the correlation loss u and m of x move, and escape in τ = 1, whatever μ is",
    quote="for linear activations, pre-trained weights do not affect the dynamics, highlighting "
    "that the impact of pre-training depends critically on the choice of loss.",
    reading="the dynamics are those of u and m, in the search phase and after it",
    falsifier="a velocity or a drift coefficient that holds μ",
    units="τ in 1/γ",
)
def _correlation_dynamics() -> Finding:
    _, by_u, by_m = _correlation_flow("x")
    drift = closed_drift(Pair("x", loss="correlation"))
    return Finding(
        "u̇ = m, ṁ = (1-m²) u, on the whole flow",
        equal("u̇", by_u, m),
        equal("ṁ", by_m, (1 - m**2) * u),
        judged("so a and b are", (drift.a, drift.b), lambda found: found == (1, 0)),
        equal("τ", escape_time(drift.a, drift.b), 1),
    )


@ours.proved(
    "App. H",
    "The correlation loss of x has no minimum: at the teacher u still grows, at rate 1",
    reading="at u = 1-μ, m = 1 the student is the teacher; nothing holds it there",
    falsifier="a velocity of u at the teacher that vanishes",
    units="time in 1/γ",
)
def _correlation_unbounded() -> Finding:
    loss, by_u, _ = _correlation_flow("x")
    return Finding(
        "the loss is a direction, not a fit: L = -(μ + u) at m = 1",
        equal("u̇ at u = 1-μ, m = 1", by_u.subs({u: 1 - mu, m: 1}), 1),
        judged("L as u → ∞ at m = 1", loss.subs(m, 1).limit(u, "oo"), lambda v: v.is_infinite),
    )


@ours.proved(
    "App. H",
    "Under the correlation loss ReLU's search phase does not depend on μ; that of erf does",
    reading="the paper states independence for x alone. On ReLU's whole flow μ does enter",
    falsifier="a drift coefficient of ReLU that holds μ, or none of erf that does",
    units="a and b raw, τ in 1/γ",
)
def _correlation_nonlinear() -> Finding:
    relu, erf = (closed_drift(Pair(text, loss="correlation")) for text in ("relu", "erf"))
    slope = 4 / (pi * (1 + 2 * mu**2) * sqrt(3 + 2 * mu**2))
    whole = diff(_correlation_flow("relu")[1], mu)
    point = {mu: Rational(1, 2), u: Rational(1, 3), m: Rational(1, 4)}
    return Finding(
        "ReLU: a = 1/2, b = 0, twice the τ of x; erf: b = -2μ a",
        judged(
            "ReLU: a and b, whatever μ is", (relu.a, relu.b), lambda f: f == (Rational(1, 2), 0)
        ),
        judged(
            "but its flow depends on μ later: slope of u̇ in μ at μ = {}, u = {}, m = {}".format(
                *point.values()
            ),
            whole.subs(point),
            lambda slope: not is_zero(slope),
        ),
        equal("erf: a", erf.a, slope),
        equal("erf: b", erf.b, -2 * mu * slope),
    )


@ours.proved(
    "App. H",
    "Under the correlation loss He_n has a = n n! μ^(n-1), b = 0: pre-training speeds the escape "
    "up (n = 2 to 8)",
    reading="the opposite of the square loss: no singular strength, no divergence at μ = 1",
    falsifier="a degree with another a or b",
    units="a and b raw, τ = 1/a in 1/γ",
)
def _correlation_hermite() -> Finding:
    steps: list[Step] = []
    for n in range(2, 9):
        drift = closed_drift(Pair(f"He{n}", loss="correlation"))
        steps += [
            equal(f"He_{n}: a", drift.a, n * factorial(n) * mu ** (n - 1)),
            equal(f"He_{n}: b", drift.b, 0),
            judged(f"He_{n}: a rises with μ, its slope", diff(drift.a, mu), positive),
        ]
    return Finding("τ = 1/a falls with μ, to 1/(n n!) at μ = 1", *steps)
