"""Claims on the population loss and its slopes, for polynomials of every degree (App. B.2, D).

The loss is bilinear in teacher and student and in the student twice, so that exponentials stand for
all polynomials, as in ``numerics.claims.calculus``: a teacher e^(vz), students e^(wz) and e^(tz).
The coefficients c_k of e^(wz) are w^k times e^(w²Q/2), so that a sum of x^k/k! times a polynomial
in k is e^x times one in x.
"""

from sympy import Expr, Function, Integer, Symbol, diff, exp, expand, factorial, factorial2, symbols

from derive.escape import hermite_drift_limit
from derive.hermite import gaussian_mean, hermite_coefficients, hermite_polynomial
from derive.loss import PopulationLoss, population_loss
from derive.polynomial_drift import drift_from_loss, hermite_power
from derive.symbols import Q, m, mu, rho, u, z
from numerics.claims.calculus import V, W, gaussian_law, mean_exponent, weight
from numerics.claims.ledger import Finding, Step, claim, equal, judged, ours, shown
from numerics.claims.setting import COVARIANCE, VARIANCE
from numerics.claims.signs import positive

_T = Symbol("t", real=True)
_NOISE = Symbol("g", real=True)  # what of the student's pre-activation is not the teacher's
_PAIRS = ((z, z), (z**2 - 1, z**2 - 1), (z**3 - 3 * z, z**3 - 3 * z), (z**2 + z, z**3))


def student_power(w: Expr, t: Expr) -> Expr:
    """Σ_k c_k(e^(wz)) c_k(e^(tz)) Q^k/k!, whose diagonal is the power S(Q) of a student."""
    return exp((w**2 + t**2) * Q / 2 + w * t * Q)


def correlation(v: Expr, w: Expr) -> Expr:
    """Σ_k c_k(e^(vz)) c_k(e^(wz)) ρ^k/k!, with variances 1 and Q: the C(Q, ρ) of a pair."""
    return exp(v**2 / 2 + w**2 * Q / 2 + v * w * rho)


def hermite_loss(n: int) -> PopulationLoss:
    """The loss of the matched pair of He_n."""
    polynomial = hermite_polynomial(n, z)
    return population_loss(polynomial, polynomial, z)


def _power() -> Step:
    return equal(
        "students e^(wy) and e^(ty), y of variance Q: exponents of the mean of their product, and "
        "of Σ c_k c_k' Q^k/k! with the coefficients of both",
        mean_exponent((W + _T) * z),
        student_power(W, _T).args[0],
    )


@claim.proved(
    "App. B.2, (32)",
    "The student's power is S(Q) = Σ c_k(Q)² Q^k/k!, for every polynomial and variance",
    quote="As a warm-up, let us compute how the population loss depends on the summary statistic "
    "[…]",
    reading="(32) is the part of the loss that the student has by itself, E σ(y)² with y of "
    "variance Q",
    falsifier="a polynomial whose mean square differs from the sum",
)
def _student_power() -> Finding:
    low = [
        equal(f"S for σ = {student}", gaussian_mean(student**2, z, Q),
              population_loss(z, student, z).student_power)
        for _, student in _PAIRS
    ]  # fmt: skip
    return Finding("bilinear, hence by exponentials", gaussian_law(), _power(), *low)


@claim.proved(
    "Sec. 2.2, App. B.2, (33)",
    "L = ½ E φ² + ½ S(Q) - C(Q, ρ), through Hermite coefficients alone: every polynomial pair",
    quote="Using the generalized Hermite expansion (6), together with the detailed computations "
    "presented in App. B.2, the population loss can be written explicitly as […]",
    reading="the lost formula is (33), with S = Σ c_k(Q)² Q^k/k! and C = Σ φ_k c_k(Q) ρ^k/k!; "
    "square-integrable functions are limits of polynomials",
    falsifier="a pair whose loss differs from the sums",
)
def _population_loss() -> Finding:
    inner = mean_exponent(V * z + W * (rho * z + _NOISE), _NOISE, Q - rho**2)
    low = [
        equal(f"L for φ = {teacher}, σ = {student}", _direct_loss(teacher, student),
              population_loss(teacher, student, z).expression)
        for teacher, student in _PAIRS
    ]  # fmt: skip
    return Finding(
        "bilinear, hence by exponentials; low degrees against the mean over the plane",
        gaussian_law(),
        _power(),
        equal("teacher e^(vz), student e^(wy), y = ρz + g: exponents of the mean of their product, "
              "and of Σ φ_k c_k ρ^k/k!",
              mean_exponent(inner, z, 1), correlation(V, W).args[0]),
        *low,
    )  # fmt: skip


def _direct_loss(teacher: Expr, student: Expr) -> Expr:
    """½ E(φ(z) - σ(ρz + g))², with g independent of z: no Hermite calculus."""
    error = (teacher - student.subs(z, rho * z + _NOISE)) ** 2 / 2
    return gaussian_mean(gaussian_mean(error, _NOISE, Q - rho**2), z)


@claim.proved(
    "App. D.1, (51)",
    "∂L/∂u = (2u + 2μm) L_Q + m L_ρ, ∂L/∂m = 2μu L_Q + u L_ρ, the slopes as Hermite sums",
    quote="The partial derivative of […] respect to […] and […] are […]",
    reading="the lost formula is the chain rule with L_Q = ½ S' - C_Q and L_ρ = -C_ρ, where c_k' "
    "= c_(k+2)/2",
    falsifier="a loss of Q and ρ, or a polynomial pair, with another gradient",
)
def _loss_gradient() -> Finding:
    by_q, by_rho = symbols("L_Q L_rho", real=True)
    of_derive = PopulationLoss(Integer(0), 2 * by_q * Q, -by_rho * rho).gradient()
    direct = by_q * VARIANCE + by_rho * COVARIANCE  # any loss, to first order
    by_u, by_m = (2 * u + 2 * mu * m) * by_q + m * by_rho, 2 * mu * u * by_q + u * by_rho
    power, pair = (f.args[0] for f in (student_power(W, _T), correlation(V, W)))  # exponents
    return Finding(
        "the chain rule for any loss, and the sums by exponentials",
        equal("∂L/∂u", diff(direct, u), by_u),
        equal("∂L/∂m", diff(direct, m), by_m),
        equal("∂L/∂u by the code for polynomials", of_derive[0], by_u),
        equal("∂L/∂m by the code for polynomials", of_derive[1], by_m),
        shown("teacher e^(vz), student e^(wz), from which all polynomials follow: C", exp(pair)),
        shown("students e^(wz) and e^(tz), as S is quadratic: S", exp(power)),
        equal("c_k' = c_(k+2)/2, for c_k = w^k e^(w²Q/2): both divided by c_k",
              diff(mean_exponent(W * z), Q), W**2 / 2),
        equal("S' = Σ (c_k c_(k+2) Q^k + k c_k² Q^(k-1))/k!: both divided by S",
              diff(power, Q), (W**2 + _T**2) / 2 + W * _T),
        equal("C_Q = ½ Σ φ_k c_(k+2) ρ^k/k!: both divided by C", diff(pair, Q), W**2 / 2),
        equal("C_ρ = Σ k φ_k c_k ρ^(k-1)/k!: both divided by C", diff(pair, rho), V * W),
    )  # fmt: skip


@claim.proved(
    "App. D.2, (52)-(56)",
    "a = Σ (φ_k - s_k)(k s_k + s_(k+2))/(μ k!), b = Σ ((φ_k - s_k) s_(k+2) - k s_k²)/(μ² k!)",
    quote="In this phase we are using […] and […], we can then do the following simplification "
    "(D.1) becomes … where […] and […] can be rewritten to become […]",
    reading="Q = μ², ρ = μ in (51); s_k = μ^k c_k(μ²) is the coefficient of σ(μz) at variance 1. "
    "The lost formulas are read as these sums, whatever their form",
    falsifier="a polynomial pair whose linearised flow has other coefficients",
    units="time in 1/γ",
)
def _drift_sums() -> Finding:
    s, t = W * mu, _T * mu  # σ(μz) is e^(wμz): its s_k is (wμ)^k times e^(w²μ²/2)
    (a, b), (own_a, own_b) = drift_over(correlation(V, W)), drift_over(student_power(W, _T))
    square = (s**2 + t**2) / 2 + s * t  # what Σ s_k s_(k+2) + k s_k² becomes, symmetric in both
    return Finding(
        "by exponentials for every polynomial pair; low degrees against the linearised flow",
        shown("teacher e^(vz), student e^(wz), from which all polynomials follow: C",
              correlation(V, W)),
        equal("what C adds to a is Σ φ_k (k s_k + s_(k+2))/(μ k!): both divided by C", a,
              (V * s + s**2) / mu),
        equal("what C adds to b is Σ φ_k s_(k+2)/(μ² k!): both divided by C", b, s**2 / mu**2),
        shown("students e^(wz) and e^(tz), as S is quadratic: S", student_power(W, _T)),
        equal("what ½ S takes from a is Σ s_k (k s_k + s_(k+2))/(μ k!): both divided by S",
              own_a / 2,
              square / mu),
        equal("what ½ S takes from b is Σ (s_k s_(k+2) + k s_k²)/(μ² k!): both divided by S",
              own_b / 2, square / mu**2),
        *[step for pair in _PAIRS for step in _low_degree(*pair)],
    )  # fmt: skip


def drift_over(term: Expr) -> tuple[Expr, Expr]:
    """2μ F_Q + F_ρ and 2 F_Q, over F, where Q = μ² and ρ = μ: what -F in the loss gives a and b."""
    by_q, by_rho = (expand(diff(term, x) / term) for x in (Q, rho))
    return 2 * mu * by_q + by_rho, 2 * by_q


def _low_degree(teacher: Expr, student: Expr) -> list[Step]:
    """The sums for a pair, against the loss differentiated and linearised."""
    phi, s = hermite_coefficients(teacher, z), hermite_coefficients(student.subs(z, mu * z), z)
    length = max(len(phi), len(s)) + 2
    phi, s = ((*f, *[Integer(0)] * (length - len(f))) for f in (phi, s))
    a = sum((phi[k] - s[k]) * (k * s[k] + s[k + 2]) / factorial(k) for k in range(length - 2)) / mu
    b = (
        sum(((phi[k] - s[k]) * s[k + 2] - k * s[k] ** 2) / factorial(k) for k in range(length - 2))
        / mu**2
    )
    found = drift_from_loss(teacher, student, z)
    return [
        equal(f"a for φ = {teacher}, σ = {student}", found.a.as_expr(), a),
        equal(f"b for φ = {teacher}, σ = {student}", found.b.as_expr(), b),
    ]


@claim.proved(
    "Sec. 2.2",
    "The second term of the loss, ½ S(Q), holds no label: it depends on the student alone",
    quote="Although the second term depends on […] via […], it simply acts as an effective "
    "regularization (it corresponds to the term in the loss depending on the student only).",
    reading="regularisation is what the brackets say: a term without the labels, whatever its "
    "sign. The second term is ½ S(Q), and depends on m via Q",
    falsifier="a label in S, or labels outside the third term and the constant",
)
def _second_term() -> Finding:
    labels = symbols("y_0:4", real=True)
    teacher = sum((y * z**k for k, y in enumerate(labels)), Integer(0))
    slope = diff(VARIANCE, m)
    found = [population_loss(teacher, student, z) for student in (z, z**2 + z, z**3)]
    return Finding(
        "S is E σ², of the student alone for every pair; it pulls on m through Q, by μ u S'(Q)",
        *[judged("S(Q) holds no coefficient y_0 to y_3 of the teacher", loss.student_power,
                 lambda power: not power.has(*labels))
          for loss in found],
        *[judged("C(Q, ρ) holds them", loss.correlation,
                 lambda value: value.has(*labels)) for loss in found],
        equal("∂Q/∂m", slope, 2 * mu * u),
    )  # fmt: skip


@ours.proved(
    "Sec. 2.2, 3.2 (c)",
    "Even Hermite students, μ → 0: ½ S(Q) alone makes u grow, at a rate b = (n-1)!!/n!! > 0",
    quote="Hence, learning of task-relevant structure is driven by the third term, which governs "
    "the sample complexity.",
    reading="so the second term is no penalty on the size of the student there, but what sets it "
    "free; the third is n! ρ^n, without Q",
    falsifier="an even degree whose b is not positive near μ = 0, or a third term that adds to b",
    units="time in 1/(γ n n!)",
)
def _second_term_drives() -> Finding:
    n = 2 * Symbol("p", integer=True, positive=True)
    b = hermite_drift_limit(n, 0)[1]
    return Finding(
        "b → -S'(0)/(n n!), positive for every even n",
        equal(
            "coefficient of H_n in He_n at every variance, over n!: so C = n! ρ^n",
            weight(n, Integer(0)),
            1,
        ),
        equal("C of He_4, without Q", hermite_loss(4).correlation, factorial(4) * rho**4),
        judged("b as μ → 0, n = 2p: coefficient, exponent", b, positive),
        equal("its coefficient", b.coefficient, factorial2(n - 1) / factorial2(n)),
    )


@claim.proved(
    "Sec. 3, (8), App. E.4, (63)-(69)",
    "For He_n, every n: a = n n! μ^(n-1) + μ b, b = -S'(μ²), S = Σ_j (c_(n-2j))² Q^(n-2j)/(n-2j)!",
    quote="In the infinitesimal learning-rate limit, this leads to the following linearized "
    "dynamics for the order parameters: […]",
    reading="the lost (8) is the drift of (53), and (69) what it becomes for He_n, up to the "
    "factor n n! of (68); S by student-power, its c_(n-2j) by student-parity",
    falsifier="a degree whose linearised flow has other coefficients",
    units="time in 1/γ",
)
def _drift_coefficients() -> Finding:
    steps = _symbolic_drift()
    for n in range(1, 6):
        polynomial, power = hermite_polynomial(n, z), _power_of(n)
        found, scale = drift_from_loss(polynomial, polynomial, z), n * factorial(n)
        b = -diff(power, Q).subs(Q, mu**2)
        steps += [
            equal(
                f"a of He_{n}, from its flow linearised",
                found.a.as_expr(),
                scale * mu ** (n - 1) + mu * b,
            ),
            equal(f"b of He_{n}, from its flow linearised", found.b.as_expr(), b),
            equal(f"S of He_{n}, by the code and by the sum", hermite_power(n).as_expr(), power),
        ]
    evidence = "C = n! ρ^n whatever the variance Q, symbolic n; low degrees by the loss itself"
    return Finding(evidence, *steps)


def _symbolic_drift() -> list[Step]:
    """a and b of L = ½ S(Q) - n! ρ^n, which is the loss of He_n for every n."""
    n, x = Symbol("n", integer=True, positive=True), Symbol("x")
    s, t = symbols("s t")
    whole = s * z - s**2 / 2 + t * (rho * z + _NOISE) - t**2 / 2  # of both generating functions
    exponent = mean_exponent(mean_exponent(whole, _NOISE, Q - rho**2), z, Integer(1))
    even = expand(exponent.subs({s: x * s, t: t / x}, simultaneous=True)).coeff(x, 0)
    third = factorial(n) ** 2 * rho**n / factorial(n)
    power, slope = Function("S")(Q), Symbol("S'")
    loss = power / 2 - third
    by_q, by_rho = diff(loss, Q).subs(diff(power, Q), slope), diff(loss, rho)
    a, b = -(2 * mu * by_q + by_rho).subs(rho, mu), -2 * by_q
    return [
        equal("generating functions of teacher in s, student in t: exponent of the mean of their "
              "product, its terms with as many s as t",
              even, rho * s * t),
        equal("so C is n!² times the coefficient of (s t)^n in e^(ρ s t)",
              third, factorial(n) * rho**n),
        equal("with L = ½ S(Q) - n! ρ^n: b = -2 L_Q", b, -slope),
        equal("a - μ b, where a = -(2μ L_Q + L_ρ)", a - mu * b, n * factorial(n) * mu ** (n - 1)),
    ]  # fmt: skip


def _power_of(n: int) -> Expr:
    """S of He_n from its coefficients (64)."""
    terms = (
        factorial(n - 2 * j) * (weight(n, j) * (Q - 1) ** j) ** 2 * Q ** (n - 2 * j)
        for j in range(n // 2 + 1)
    )
    return sum(terms, Integer(0))
