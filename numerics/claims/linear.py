"""Claims on the linear student (Sec. 3.2 a, App. E.2)."""

from sympy import Expr, ImmutableMatrix, Symbol, diff, sqrt

from derive.escape import escape_limit, escape_time
from derive.loss import population_loss
from derive.pair import Pair
from derive.risk import frozen_risk
from derive.symbols import m, mu, u, z
from numerics.claims.activations import closed
from numerics.claims.ledger import Finding, claim, equal, judged, shown
from numerics.claims.signs import negative, positive


def _velocity() -> tuple[Expr, Expr]:
    by_u, by_m = population_loss(z, z, z).gradient()
    return -by_u, -(1 - m**2) * by_m


@claim.proved(
    "App. E.2",
    "Linear students follow u̇ = (1-μ) m - u, ṁ = (1-m²)(1-μ) u, at any u and m",
    quote="The dynamics of the order parameters are given by […]",
    reading="the lost formula is the gradient flow (91) of x with x",
    falsifier="another gradient of the population loss ½ - ρ + ½ Q",
    units="time in 1/γ",
)
def _linear_dynamics() -> Finding:
    by_u, by_m = _velocity()
    return Finding(
        "gradient of the population loss on the sphere",
        equal("u̇", by_u, (1 - mu) * m - u),
        equal("ṁ", by_m, (1 - m**2) * (1 - mu) * u),
    )


@claim.proved(
    "App. E.2",
    "Linearised, it grows at λ_± = ½(-1 ± √(1 + 4(1-μ)²))",
    quote="Linearizing the dynamics around the fixed point yields a linear system whose Jacobian "
    "matrix has eigenvalues […]",
    reading="the fixed point is u = m = 0; the lost formula is the statement's",
    falsifier="another characteristic polynomial of that Jacobian",
    units="rates in γ",
)
def _linear_eigenvalues() -> Finding:
    x = Symbol("x")
    jacobian = ImmutableMatrix(_velocity()).jacobian((u, m)).subs({u: 0, m: 0})
    root = sqrt(1 + 4 * (1 - mu) ** 2)
    claimed = (x - (-1 + root) / 2) * (x - (-1 - root) / 2)
    return Finding(
        "characteristic polynomial of the Jacobian at the origin",
        shown("Jacobian", jacobian),
        equal(
            "its characteristic polynomial, of which λ_± are the roots",
            jacobian.charpoly(x).as_expr(),
            claimed,
        ),
    )


@claim.proved(
    "Sec. 3.2 (a), App. E.2",
    "For x the drift that moves m weakens as a = 1 - μ, while b = -1 stays",
    quote="This slowdown is driven by the drift coefficient controlling the evolution of […], "
    "which for linear activation scales as […] (App. E.2).",
    reading="ṁ = a u, so the coefficient is a, and it scales as 1 - μ",
    falsifier="another a or b of x",
    units="a and b in γ",
)
def _linear_drift() -> Finding:
    a, b = closed("x")
    return Finding("closed form, symbolic μ", equal("a", a, 1 - mu), equal("b", b, -1))


@claim.proved(
    "Sec. 3.2 (a), Fig. 1 (right)",
    "For x τ increases with μ on (0, 1)",
    quote="Fig. 1 (see right panel) shows that […] indeed increases monotonically with",
    reading="τ = 1/λ₊ as a function of μ",
    falsifier="two strengths of which the larger has the smaller τ",
    units="τ in 1/γ",
)
def _linear_increase() -> Finding:
    x = Symbol("x", positive=True)
    slope = diff(escape_time(x, -1), x)
    size = (1 + 2 * x**2 + sqrt(4 * x**2 + 1)) / (x**3 * sqrt(4 * x**2 + 1))
    return Finding(
        "dτ/da < 0 for a = 1 - μ > 0, in closed form, and a falls with μ",
        shown("τ at a = x", escape_time(x, -1)),
        equal("dτ/da", slope, -size),
        judged("minus that is positive: τ falls with a", size, positive),
        judged("and a falls with μ: da/dμ", diff(closed("x")[0], mu), negative),
    )


@claim.proved(
    "App. E.2",
    "For x τ diverges as (1-μ)^-2 as μ → 1",
    quote="The associated characteristic time scale is given by […] Note that this time scale "
    "diverges as […]:",
    reading="the lost formulas are τ = 1/λ₊ and its leading term at μ → 1",
    falsifier="another leading term",
    units="τ in 1/γ",
)
def _linear_divergence() -> Finding:
    law = escape_limit(Pair("x"), 1)
    return Finding(
        "exact leading term at μ = 1",
        equal("coefficient of τ as x = 1 - μ → 0", law.coefficient, 1),
        equal("exponent", law.exponent, -2),
    )


@claim.proved(
    "Sec. 3.2 (a), Fig. 1 (left)",
    "The loss of x before fine-tuning is ½(1-μ)², which falls with μ",
    quote="larger values of […] yield smaller initial test mean squared error, reflecting stronger "
    "initial alignment with the teacher (left panel of Fig. 1).",
    reading="population loss at u = m = 0, of which that at u, m of the order 1/√d is off by 1/d",
    falsifier="a strength at which this loss does not fall",
    units="loss ½(y - σ)²",
)
def _linear_start() -> Finding:
    x = Symbol("x", positive=True)
    risk = frozen_risk(Pair("x"))
    return Finding(
        "closed form, symbolic μ",
        equal("loss of x before fine-tuning", risk, (1 - mu) ** 2 / 2),
        judged(
            "it falls: its slope in μ at 1 - μ = x > 0",
            diff(risk, mu).subs(mu, 1 - x).expand(),
            negative,
        ),
    )
