"""Formulas of other labels, losses, activations and places than the plain search phase."""

from sympy import (
    Expr,
    Matrix,
    Rational,
    Symbol,
    cancel,
    diff,
    expand,
    factor,
    latex,
    simplify,
    sqrt,
)

from derive.escape import eigenvalues, escape_time
from derive.exit import ExitLaw, exit_law, sample_noise
from derive.finite_rate import finite_rate_drift
from derive.grammar import parse_activation
from derive.landscape import landscape_of
from derive.mechanics import acceleration, energy, potential
from derive.network import FIELD, K, kernel, network_drift
from derive.pair import MISALIGNMENTS
from derive.pair_drift import closed_drift
from derive.polynomial_drift import hermite_drift, hermite_power, linearised_flow
from derive.risk import frozen_risk
from derive.symbols import Q, m, mu, u
from derive.tables.activations import (
    activation_coefficients_table,
    activation_drift_table,
    activation_limits_table,
    activation_network_table,
)
from derive.tables.hermite import factored
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
    of_activations,
    table,
)

# Squared labels, and other losses.


@enter
def _drifts_under_squared_labels() -> Built:
    drifts = {n: hermite_drift(n, "squared", "n*n!") for n in range(1, 7)}
    rows = [
        (f"{n}", f"${name}$", factored(getattr(drift, name)).latex)
        for n, drift in drifts.items()
        for name in "ab"
    ]
    return table("squared-drifts", ("$n$", "", "factored, divided by $n\\,n!$"), rows)


@enter
def _squared_labels_of_odd_students() -> Built:
    holds = True
    for n in range(1, 14, 2):
        power = hermite_power(n).as_expr().subs(Q, mu**2)
        a = hermite_drift(n, "squared", "raw").a.as_expr()
        holds = holds and expand(a + diff(power, mu) / 2) == 0
    return checked(holds, r"a = -\tfrac12 \frac{d}{d\mu}\,E\,\sigma(\mu z)^2")


@enter
def _drift_of_the_correlation_loss() -> Built:
    drift = closed_drift(matched("x", loss="correlation"))
    return rf"a = {latex(drift.a)}, \quad b = {latex(drift.b)}"


# Any activation.

_SHOWN = ("x", "relu", "erf", "exp", "gauss", "sin")
enter_short(
    drifts_of_activations=lambda: activation_drift_table(_SHOWN),
    limits_of_activations=lambda: activation_limits_table((*_SHOWN, "gelu")),
    hermite_coefficients_of_activations=lambda: activation_coefficients_table(("relu", "erf")),
    networks=lambda: activation_network_table(("x", "He2", "relu")),
)


@enter
def _frozen_risks() -> Built:
    texts = ("x", "relu", "erf", "exp", "gauss", "He3")
    return of_activations("frozen-risks", ("pair", r"$\ell(\mu)$"), texts,
                          lambda text: simplify(frozen_risk(matched(text))))  # fmt: skip


@enter
def _relu_is_twice_as_slow() -> Built:
    relu, linear = (closed_drift(matched(text)) for text in ("relu", "x"))
    ratio = simplify(escape_time(relu.a, relu.b) / escape_time(linear.a, linear.b))
    return rf"\tau_{{\text{{ReLU}}}} = {latex(ratio)}\,\tau_{{x}}"


# Misaligned pre-training.

_NU, _KAPPA = Symbol("nu", positive=True), Symbol("kappa", real=True)
_MISALIGNED = Matrix([[B, A, _NU * B], [A, 0, 0], [_NU * B, 0, 0]])


def _misaligned_flow() -> Matrix:
    """Jacobian of the flow of (u, m, κ) at the origin, for any loss known by its slopes there."""
    variance = mu**2 + _NU**2 + u**2 + 2 * u * (mu * m + _NU * _KAPPA)
    loss = L_Q * variance + L_RHO * (mu + u * m)
    state = (u, m, _KAPPA)
    origin = dict.fromkeys(state, 0)
    return Matrix(3, 3, lambda i, j: -diff(loss, state[i], state[j]).subs(origin))


@enter
def _misaligned_linearisation() -> Built:
    flow = _misaligned_flow()
    a, b = linearised_flow(any_loss())[1], linearised_flow(any_loss())[0]
    holds = (flow - _MISALIGNED.subs({A: a, B: b}, simultaneous=True)).expand() == Matrix.zeros(3)
    state = r"\begin{pmatrix} u \\ m \\ \kappa \end{pmatrix}"
    jacobian = latex(_MISALIGNED, mat_delim="(", mat_str="matrix")
    return checked(holds, rf"\frac{{d}}{{dt}}{state} = {jacobian}{state}")


@enter
def _misaligned_growth_rate() -> Built:
    largest = eigenvalues(sqrt(A**2 + _NU**2 * B**2), B)[0]
    roots = [simplify(root - largest) for root in _MISALIGNED.eigenvals()]
    return checked(0 in roots, rf"\lambda_+ = {latex(largest)}")


def _linear_time(misalignment: str) -> Expr:
    drift = closed_drift(matched("x", misalignment=MISALIGNMENTS[misalignment]))
    coupling = sqrt(drift.a**2 + drift.misalignment**2 * drift.b**2)
    return 1 / eigenvalues(coupling, drift.b)[0]


enter_short(
    aligned_time=lambda: f"{float(_linear_time('none').subs(mu, Rational(9, 10))):.3g}",
    misaligned_time=lambda: f"{float(_linear_time('spherical').subs(mu, Rational(9, 10))):.3g}",
)


# The landscape beyond the search phase.


@enter
def _landscapes() -> Built:
    return of_activations("landscapes", ("pair", r"$L(\rho, s)$"), ("x", "He2", "relu", "erf"),
                          lambda text: landscape_of(matched(text)).loss)  # fmt: skip


@enter
def _flow_on_the_landscape() -> Built:
    # A loss with slopes ∂_ρ L = -a and ∂_s L = -b/2 at the place where the learner is.
    covariance, rest = mu + u * m, u**2 * (1 - m**2)
    loss = -A * covariance - B * rest / 2
    by_u, by_m = (expand(-diff(loss, variable)) for variable in (u, m))
    growth = cancel(by_u.coeff(B) / u)
    if expand(by_u - by_u.coeff(A) * A - B * u * growth) != 0:
        raise ArithmeticError("the flow has terms beside those of a and b")
    return lines(
        (r"\dot u", by_u.coeff(A) * A + B * u * growth),
        (r"\dot m", (1 - m**2) * by_m.collect((A, B))),
    )


# Mechanics.

_G, _V = Symbol("g", real=True), Symbol(r"{\dot g}", real=True)


enter_short(
    acceleration_of_the_particle=lambda: lines(
        (r"\ddot g", acceleration(A, B, _G, _V)), ("V(g)", potential(A, _G))
    ),
)


@enter
def _power_of_the_friction() -> Built:
    total, force = energy(A, _G, _V), acceleration(A, B, _G, _V)
    rate = expand(diff(total, _G) * _V + diff(total, _V) * force)
    return rf"E = {latex(total)}, \qquad \dot E = {latex(simplify(rate))}"


# Networks.


@enter
def _kernels() -> Built:
    return of_activations(
        "kernels", ("activation", "$k(q_1, q_2, q_{12})$"), ("x", "He2", "He3", "relu", "erf"),
        lambda text: kernel(*[parse_activation(text)] * 2).expression,
    )  # fmt: skip


@enter
def _network_of_linear_neurons() -> Built:
    modes = network_drift(*[parse_activation("x")] * 2).equal_strengths()
    return rf"\lambda_+ = {latex(eigenvalues(*modes['collective'])[0])}"


@enter
def _network_of_hermite_neurons() -> Built:
    drift = network_drift(*[parse_activation("He2")] * 2)
    shown = {FIELD: Symbol("F", real=True), K: K}
    return lines(*((name, factor(getattr(drift, name).subs(shown))) for name in "ab"))


# The law of the exit time.


@enter
def _sample_noise() -> Built:
    noise = Symbol("varsigma", positive=True)
    names = (("x", "x"), (r"\mathrm{ReLU}", "relu"), (r"\mathrm{He}_2", "He2"), ("e^x", "exp"))
    return lines(
        ("N", r"E\big[\big((y - \sigma(\mu z))^2 + \varsigma^2\big)\,\sigma'(\mu z)^2\big]"),
        *((f"N_{{{name}}}", sample_noise(text, noise)) for name, text in names),
    )


@enter
def _what_has_grown() -> Built:
    rate, scale, noise = (Symbol(name, positive=True) for name in ("lambda", "s", "w"))
    law = exit_law(rate, B, noise, scale)
    return lines((r"(E X)^2", law.mean**2), (r"\mathrm{Var}\,X", law.variance))


@enter
def _share_still_searching() -> Built:
    x, spread = (Symbol(name, positive=True) for name in ("x", "eta"))
    law = ExitLaw(Symbol("lambda"), Symbol("xi", real=True), spread**2)
    share = rf"{latex(law.searching(x))}, \quad \xi = E X, \quad \eta^2 = \mathrm{{Var}}\,X"
    return lines(("P(|X| < x)", share))


@enter
def _velocity_at_a_finite_rate() -> Built:
    """The limit of one step of SGD at a fixed γd."""
    found = finite_rate_drift()
    names = {"g_teacher": r"g_\star", "g_omega": r"g_\omega", "gamma_d": r"\gamma d"}
    told = {symbol: Symbol(names.get(symbol.name, symbol.name)) for symbol in found.free_symbols}
    return lines((r"\dot m", found.subs(told, simultaneous=True)))
