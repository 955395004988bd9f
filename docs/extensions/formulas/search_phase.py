"""Formulas from the Hermite calculus to the singularities of the escape time."""

from sympy import Expr, Function, Integer, Poly, Symbol, diff, expand, latex, simplify, symbols

from derive.activation import Activation
from derive.escape import eigenvalues, escape_time, exit_time, leading_escape_time
from derive.hermite import hermite_mean, hermite_polynomial
from derive.identities import IDENTITIES
from derive.leading import LeadingTerm
from derive.loss import PopulationLoss, population_loss
from derive.pair import Pair
from derive.pair_drift import drift_of
from derive.piecewise import analytic
from derive.polynomial_drift import hermite_drift, hermite_power, linearised_flow
from derive.risk import frozen_risk_integrand
from derive.symbols import Q, d, mu, rho, z
from derive.tables.hermite import (
    drift_table,
    factored,
    limits_table,
    rescaling_table,
    singularities_table,
    squares_table,
)
from extensions.formulas.registry import (
    L_Q,
    L_RHO,
    A,
    B,
    Built,
    any_loss,
    checked,
    enter,
    enter_short,
    lines,
    matched,
    mathematics,
    table,
)

# Hermite calculus.

enter_short(
    rescaling=lambda: rescaling_table(range(1, 7)),
    hermite_polynomials=lambda: lines(
        *((rf"H_{n}^{{[Q]}}(z)", hermite_polynomial(n, z, Q)) for n in range(1, 6))
    ),
    means_of_even_students=lambda: lines(
        *((rf"E_Q[\mathrm{{He}}_{n}]", hermite_mean(n)) for n in (2, 4, 6))
    ),
)


@enter
def _hermite_identities() -> Built:
    rows = [(i.name, f"${i.latex}$", f"({i.equation})") for i in IDENTITIES.values()]
    return table("identities", ("name", "identity", "equation"), rows)


# The population loss.

enter_short(
    squares=lambda: squares_table(range(1, 5)),
    hermite_powers=lambda: lines(*((f"S_{n}(Q)", hermite_power(n).as_expr()) for n in range(1, 5))),
)


@enter
def _population_loss_of_a_pair() -> Built:
    loss = PopulationLoss(Symbol(r"E\phi^2"), Symbol("S(Q)"), Symbol(r"C(Q,\rho)"))
    return rf"L(Q,\rho) = {latex(loss.expression)}"


@enter
def _losses() -> Built:
    rows = []
    for n in range(1, 5):
        polynomial = hermite_polynomial(n, z)
        loss = population_loss(polynomial, polynomial, z)
        power, correlation = loss.student_power, loss.correlation
        rows.append((rf"$\mathrm{{He}}_{n}$", mathematics(power), mathematics(correlation)))
    return table("losses", ("pair", "$S(Q)$", r"$C(Q,\rho)$"), rows)


@enter
def _chain_rule() -> Built:
    nothing = Integer(0)
    by_u, by_m = PopulationLoss(nothing, nothing, -(L_Q * Q + L_RHO * rho)).gradient()
    slopes = (L_Q, L_RHO)
    return lines(
        (r"\partial_u L", expand(by_u).collect(slopes)),
        (r"\partial_m L", expand(by_m).collect(slopes)),
    )


# The search phase.

enter_short(
    hermite_drifts=lambda: drift_table(range(1, 7)),
    cubic_drift=lambda: (
        rf"a = {factored(hermite_drift(3, normalization='n*n!').a).latex.strip('$')}"
    ),
)


@enter
def _linearisation() -> Built:
    return (
        r"\frac{d}{dt}\begin{pmatrix} u \\ m \end{pmatrix} = "
        + latex(linearised_flow(any_loss()), mat_delim="(", mat_str="matrix")
        + r"\begin{pmatrix} u \\ m \end{pmatrix}"
    )


def _unknown(name: str, slope: type[Function] | None = None) -> type[Function]:
    """A function of which only its name, and that of its slope, is known."""
    return type(
        "f",
        (Function,),
        {
            "fdiff": lambda self, argument=1: slope(self.args[0]),
            "_latex": lambda self, printer, exp=None: (
                rf"{name}({printer._print(self.args[0])}){'^' + exp if exp else ''}"
            ),
        },
    )


def _any_pair() -> Pair:
    """A teacher φ and a student σ of which nothing is known."""
    second = _unknown(r"\sigma''")
    sigma = _unknown(r"\sigma", _unknown(r"\sigma'", second))
    known = (_unknown(r"\phi"), sigma)
    teacher, student = (Activation("any", analytic(f(z))) for f in known)
    return Pair(teacher, student)


def _mean(integrand: Expr) -> str:
    return rf"E\!\left[{latex(integrand)}\right]"


@enter
def _drift_as_means() -> Built:
    drift = drift_of(_any_pair())
    if drift.certainty == "exact":
        raise ArithmeticError("the drift of unknown activations has no closed form")
    return lines(("a", _mean(drift.a.smooth)), ("b", _mean(drift.b.smooth)))


@enter
def _slope_of_the_frozen_risk() -> Built:
    pair = _any_pair()
    risk = frozen_risk_integrand(pair).smooth
    residual = pair.label.smooth - pair.student.value.scaled(mu).smooth
    holds = expand(2 * risk - residual**2) == 0
    holds = holds and expand(diff(risk, mu) + drift_of(pair).a.smooth) == 0
    mean = rf"\tfrac12 {_mean(residual**2)}"
    return checked(holds, rf"\ell(\mu) = {mean}, \qquad a(\mu) = -\ell^{{\prime}}(\mu)")


@enter
def _drift_of_the_linear_student() -> Built:
    drift = drift_of(matched("x"))
    return rf"a = {latex(drift.a.as_expr())}, \quad b = {latex(drift.b.as_expr())}"


@enter
def _a_and_b_of_hermite_students() -> Built:
    holds = all(
        (drift.a - Poly(mu, mu) * drift.b).as_expr() == mu ** (n - 1)
        for n in range(1, 21)
        for drift in [hermite_drift(n, normalization="n*n!")]
    )
    return checked(holds, r"a = \mu^{n-1} + \mu\,b")


# The escape time.

enter_short(
    growth_rates=lambda: lines(*zip((r"\lambda_+", r"\lambda_-"), eigenvalues(A, B), strict=True)),
    time_scale=lambda: rf"\tau = \frac{{1}}{{\lambda_+}} = {latex(simplify(escape_time(A, B)))}",
    leaving_time=lambda: rf"t_{{\text{{exit}}}} \asymp {latex(simplify(exit_time(A, B, d)))}",
    limits_of_hermite_students=lambda: limits_table(range(1, 7)),
)


@enter
def _four_cases() -> Built:
    alpha, beta, k, p, x = symbols("alpha beta k p x", positive=True)
    cases = ((p, beta, p + k), (p, beta, p), (p, -beta, p), (p + k, beta, p), (p + k, -beta, p))
    rows = []
    for order_of_a, strength, order_of_b in cases:
        law = leading_escape_time(LeadingTerm(alpha, order_of_a), LeadingTerm(strength, order_of_b))
        shown = (alpha * x**order_of_a, strength * x**order_of_b, law.coefficient * x**law.exponent)
        rows.append([mathematics(expression) for expression in shown])
    return table("cases", ("$a$", "$b$", r"$\tau$"), rows)


# Singularities.

enter_short(hermite_singularities=lambda: singularities_table([*range(1, 11), 15, 20]))


@enter
def _local_law_at_a_singularity() -> Built:
    # Braces keep SymPy from reading the names of symbols.
    slope, friction = Symbol(r"{a'_\star}", positive=True), Symbol("b", positive=True)
    law = leading_escape_time(LeadingTerm(slope, Integer(1)), LeadingTerm(-friction))
    size = law.coefficient.subs(friction, Symbol(r"{|b_\star|}"))
    distance = Symbol(r"{(\mu-\mu_\star)}")
    return rf"\tau \approx {latex(size * distance**law.exponent)}"
