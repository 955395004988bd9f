"""Claims on the physical analogy (App. F)."""

from sympy import (
    Expr,
    Function,
    Integer,
    Matrix,
    Symbol,
    atanh,
    cosh,
    diff,
    dsolve,
    exp,
    limit,
    log,
    oo,
    simplify,
    solve,
    symbols,
    tanh,
)

from derive.escape import eigenvalues
from derive.mechanics import acceleration, energy, potential
from derive.symbols import m, mu, u
from numerics.claims.activations import closed
from numerics.claims.ledger import Finding, claim, equal, judged, ours, shown
from numerics.claims.setting import COVARIANCE, VARIANCE, any_loss, coefficients, loss_of
from numerics.claims.signs import negative, positive

_A, _B, _G, _V = symbols("a b g v", real=True)
_GAP = Symbol("gap", positive=True)  # 1 - μ


def _linear_flow() -> tuple[Expr, Expr]:
    """The whole flow of x, from its loss: u̇ and ṁ."""
    loss = loss_of("x")
    return (-diff(loss, u)).expand(), -((1 - m**2) * diff(loss, m)).factor()


def _force_on_x() -> Expr:
    """Force on the particle of x at rest, from the drift of x; 1 - μ is ``_GAP``."""
    a, b = closed("x")
    return acceleration(a, b, _G, Integer(0)).subs(mu, 1 - _GAP).simplify()


@claim.proved(
    "App. F.1, (81)-(83)",
    "With m = tanh g, ġ is -∂_m L exactly, and a u up to second order, for any loss L(Q, ρ)",
    quote="In the linearized regime considered in Appendix D.2, the overlap […] remains small "
    "throughout the search phase, so that […]. As a consequence, we may approximate",
    reading="(81) is m = tanh g, (82) ġ = ṁ/(1-m²), (83) ġ ≈ a u. On the sphere 1/(1-m²) cancels: "
    "what is dropped is of second order in (u, m) and none of it comes from that factor",
    falsifier="a term of first order in ġ other than a u",
)
def _mechanics_variables() -> Finding:
    loss = any_loss(VARIANCE, COVARIANCE)
    velocity = -(1 - m**2) * diff(loss, m)
    rate = (diff(atanh(m), m) * velocity).cancel()
    small = Symbol("epsilon", positive=True)
    first = diff(rate.subs({u: small * u, m: small * m}, simultaneous=True), small).subs(small, 0)
    return Finding(
        "slopes of L up to the second, symbolic; a = -(2μ L_Q + L_ρ)",
        equal("ġ", rate, -diff(loss, m)),
        equal("its part of first order in u, m is a u", first, coefficients()[0] * u),
    )


@claim.proved(
    "App. F, (80), (84)-(86)",
    "With m = tanh g the search phase is g̈ = a² tanh g + b ġ, a particle in -a² log cosh g",
    quote="Concretely, the coupled first-order system in (7) can be rewritten as the second-order "
    "ordinary differential equation",
    reading="(80) and (84) are that equation, (86) is V = -a² log cosh g, and (85) g̈ = -V' + b ġ",
    falsifier="another equation from u̇ = a m + b u, ṁ = (1-m²) a u",
)
def _mechanics() -> Finding:
    force = acceleration(_A, _B, _G, _V)
    return Finding(
        "derived from the flow, symbolic a and b; friction if b < 0, a push if b > 0",
        equal("g̈ from the flow, with v = ġ", force, _A**2 * tanh(_G) + _B * _V),
        equal("-V'(g) + b ġ is g̈", -diff(potential(_A, _G), _G) + _B * _V, force),
    )


@claim.proved(
    "App. F.1, (87), (88)",
    "½ ġ² + V changes at the rate b ġ²: it falls if b < 0 and grows if b > 0, while g moves",
    quote="Therefore, if […] then […] and the dynamics monotonically dissipate energy, consistent "
    "with a frictional interpretation. Conversely, if […] then […] and the velocity-dependent term "
    "injects energy into the system",
    reading="the conditions are b < 0 and b > 0, and the rates dE/dt ≤ 0 and dE/dt ≥ 0",
    falsifier="a rate that is not b ġ²",
)
def _mechanics_energy() -> Finding:
    total = energy(_A, _G, _V)
    rate = diff(total, _G) * _V + diff(total, _V) * acceleration(_A, _B, _G, _V)
    rate = simplify(rate)
    down, up = Symbol("b_down", negative=True), Symbol("b_up", positive=True)
    moving = Symbol("v", nonzero=True)
    return Finding(
        "along the derived equation of motion, symbolic a and b",
        shown("energy E = ½ ġ² + V", total),
        equal("dE/dt", rate, _B * _V**2),
        judged("dE/dt where b < 0", rate.subs({_B: down, _V: moving}), negative),
        judged("dE/dt where b > 0", rate.subs({_B: up, _V: moving}), positive),
    )


@claim.proved(
    "App. F",
    "The potential's curvature at the top is -a², for every pair, and b does not enter it",
    quote="controls whether the dynamics locally dissipate or inject energy, while […] sets the "
    "curvature of the potential and thus the strength of the signal-induced instability.",
    reading="the first quantity is b, the second a",
    falsifier="a force at rest that holds b, or a slope of it at g = 0 other than a²",
)
def _mechanics_curvature() -> Finding:
    at_rest = acceleration(_A, _B, _G, Integer(0))
    return Finding(
        "from the force on a particle at rest",
        equal("slope of the force at g = 0, which is -V''", diff(at_rest, _G).subs(_G, 0), _A**2),
        judged("its slope in b", diff(at_rest, _B), lambda slope: slope == 0),
    )


@ours.proved(
    "App. F",
    "b > 0 does occur: for He_2 at μ < 1/√3; for x and ReLU never",
    reading="the paper says what b > 0 would do and names no example",
    falsifier="a b of He_2 of another sign, or one of x or ReLU that is not negative",
    units="b raw",
)
def _mechanics_amplified() -> Finding:
    b = closed("He2")[1]
    return Finding(
        "there the force of its mean pushes u before m has grown",
        equal("b of He_2", b, 2 * (1 - 3 * mu**2)),
        judged("b of x", closed("x")[1], negative),
        judged("b of ReLU", closed("relu")[1], negative),
    )


@ours.proved(
    "App. F",
    "Nothing oscillates: near the top one exponent is positive and one negative, if a ≠ 0",
    quote="we show that the effective dynamics in this regime are formally equivalent to those of "
    "a damped nonlinear oscillator.",
    reading="formally equivalent they are (mechanics), but the potential repels, and none swings",
    falsifier="complex exponents",
)
def _mechanics_oscillates_not() -> Finding:
    a, b = Symbol("a", nonzero=True), Symbol("b", real=True)
    plus, minus = eigenvalues(a, b)
    return Finding(
        "λ₊ λ₋ = -a² and both are real, whatever the friction b is",
        equal("λ₊ λ₋", plus * minus, -(a**2)),
        judged("it is negative", (plus * minus).expand(), negative),
        judged("both are real: (λ₊ - λ₋)² is positive", ((plus - minus) ** 2).expand(), positive),
    )


@claim.proved(
    "App. F.1, (89)",
    "For x the particle obeys g̈ = (1-μ)² tanh g - ġ: its damping does not depend on μ",
    quote="When both the teacher and the student use a linear activation function, the "
    "coefficients reduce to […] and […], and Eq. (84) becomes",
    reading="the coefficients are a = 1-μ, b = -1; (89) is that equation",
    falsifier="other coefficients of x",
)
def _mechanics_linear() -> Finding:
    a, b = closed("x")
    force = acceleration(a, b, _G, _V)
    step = equal("g̈ of x, with v = ġ", force, (1 - mu) ** 2 * tanh(_G) - _V)
    return Finding("a = 1 - μ, b = -1", shown("a and b", (a, b)), step)


@ours.proved(
    "App. F.1, (89)",
    "For x the particle is the whole flow, not only the search phase",
    reading="the paper derives (89) where u and m are small; for x nothing is dropped",
    falsifier="a term of the flow of x beyond u̇ = (1-μ) m - u, ṁ = (1-m²)(1-μ) u",
)
def _mechanics_everywhere() -> Finding:
    by_u, by_m = _linear_flow()
    position = (diff(atanh(m), m) * by_m).cancel()
    force = diff(position, u) * by_u + diff(position, m) * by_m
    a, b = closed("x")
    given = acceleration(a, b, _G, _V).subs({_V: position, _G: atanh(m)}, simultaneous=True)
    return Finding(
        "from the loss of x over (ρ, s)",
        equal("u̇", by_u, (1 - mu) * m - u),
        equal("ṁ", by_m, (1 - m**2) * (1 - mu) * u),
        equal("g̈ along the flow, and that of (89)", force, given),
    )


@claim.proved(
    "App. F.1",
    "x at μ = 1: u = u₀ e^-t, m stays at its start, and the loss is u²/2",
    quote="Hence, […] as […], while the overlap […] remains frozen at its initial value. … In this "
    "regime, the associated population loss satisfies […], indicating that the system is "
    "initialized in the vicinity of the teacher solution.",
    reading="u → 0 as t → ∞. The loss is u²/2, or what that is at u = u₀ e^-t; with u₀ of order "
    "1/√d it starts at order 1/d",
    falsifier="a velocity of m at μ = 1, or another loss",
    units="time in 1/γ",
)
def _mechanics_frozen() -> Finding:
    loss = loss_of("x").subs(mu, 1)
    by_u, by_m = (f.subs(mu, 1) for f in _linear_flow())
    t, start = Symbol("t", positive=True), Symbol("u_0")
    path = Function("u")
    velocity = by_u.subs(u, path(t))
    solution = dsolve(path(t).diff(t) - velocity, path(t), ics={path(0): start}).rhs
    return Finding(
        "the full flow at μ = 1, not only its linearisation",
        equal("loss at μ = 1", loss.expand(), u**2 / 2),
        equal("ṁ", by_m, 0),
        equal("u(t), solved from u̇", solution, start * exp(-t)),
        judged("u as t → ∞", limit(solution, t, oo), lambda end: end == 0),
    )


@claim.undecided(
    "App. F.1, (89)",
    "For μ ≠ 1, (89) has no solution in closed form",
    quote="For […], Eq. (89) does not admit a closed-form analytical solution.",
    reading="which functions count as closed form is not said, nor is a proof given",
    falsifier="a solution in named functions; or a proof, by Lie symmetries or differential Galois "
    "theory, that there is none",
)
def _mechanics_open() -> Finding:
    growth = eigenvalues(*closed("x"))
    evidence = "not said of which functions; the linear flow (57), of which (89) is made, has one"
    return Finding(evidence, shown("exponents of the linear flow (59)", growth))


@claim.proved(
    "App. F.1, (90)",
    "For x the potential is concave and even in g, and its curvature vanishes as (1-μ)²",
    quote="For any […], this potential is concave and symmetric around […], with a curvature that "
    "vanishes as […].",
    reading="for any μ < 1; symmetric around g = 0; the curvature vanishes as μ → 1",
    falsifier="a curvature that is not negative somewhere, or not of order (1-μ)²",
)
def _mechanics_potential() -> Finding:
    force = _force_on_x()
    curvature = simplify(-diff(force, _G) * cosh(_G) ** 2)
    return Finding(
        "V'' = -(1-μ)²/cosh² g < 0, from the force on x at rest, with 1 - μ as gap",
        equal("V(g) = -(1-μ)² log cosh g has that force", -diff(potential(_GAP, _G), _G), force),
        equal("V is even: at -g", potential(_GAP, -_G), -(_GAP**2) * log(cosh(_G))),
        equal("cosh² g V''(g)", curvature, -(_GAP**2)),
        judged("it is negative: V is concave", curvature, negative),
        judged("it vanishes as μ → 1: limit", limit(curvature, _GAP, 0), lambda end: end == 0),
    )


@claim.proved(
    "App. F.1",
    "For x g = 0 is the potential's maximum; a start m of order 1/√d is g of that order; m = ±1 is "
    "g = ±∞",
    quote="placing the particle near the unstable maximum of the potential. Perfect alignment "
    "corresponds to […], or equivalently […], which can be interpreted as the particle escaping "
    "from the top of the potential.",
    reading="the alignment is m² = 1, that is |g| → ∞",
    falsifier="a force at g = 0, or one that pulls back",
)
def _mechanics_top() -> Finding:
    force, g = _force_on_x(), Symbol("g", positive=True)
    return Finding(
        "the force on x is 0 at g = 0 and outward elsewhere",
        judged("force at g = 0", force.subs(_G, 0), lambda value: value == 0),
        judged("force at g > 0", force.subs(_G, g), positive),
        judged("force at g < 0", force.subs(_G, -g), negative),
        judged("g over m as m → 0", limit(atanh(m) / m, m, 0), lambda ratio: ratio == 1),
        judged("m as g → ∞", limit(tanh(_G), _G, oo), lambda end: end == 1),
    )


@claim.proved(
    "App. F",
    "For x the slope of the potential falls with μ at every g, and so does the rate of the escape",
    quote="controls the slope of the cliff, implying that smaller values of […] correspond to "
    "steeper slopes and therefore faster escape from the top.",
    reading="the parameter is μ; the slope is |V'(g)|, the escape that of (59)",
    falsifier="a strength at which either grows with μ",
)
def _mechanics_steeper() -> Finding:
    g = Symbol("g", positive=True)
    slope = diff(_force_on_x().subs(_G, g), _GAP)
    a, b = (f.subs(mu, 1 - _GAP) for f in closed("x"))
    rate = diff(eigenvalues(a, b)[0], _GAP)
    return Finding(
        "both grow with 1 - μ",
        judged("|V'| grows with 1-μ: its slope at g > 0", slope, positive),
        judged("and so does λ₊: its slope in 1-μ", simplify(rate), positive),
    )


@claim.proved(
    "App. F.1",
    "Near the top the particle's exponents are those of (59): for x in (1-μ)² and a damping of 1",
    quote="The convergence rate toward alignment is controlled by the competition between the "
    "potential-induced instability (cf. Fig. 8), parametrized by […], and the effective damping "
    "coefficient, which in this case is equal to […].",
    reading="the instability is (1-μ)², the damping 1 (b = -1). Of the last approach to m = 1 see "
    "mechanics-terminal",
    falsifier="exponents of the linearised particle that are not λ₊ and λ₋",
)
def _mechanics_rate() -> Finding:
    force = acceleration(_A, _B, _G, _V)
    top = Matrix([[0, 1], [diff(force, _G), diff(force, _V)]]).subs({_G: 0, _V: 0})
    rate = Symbol("lambda")
    plus, minus = eigenvalues(_A, _B)
    of_x = top.charpoly(rate).as_expr().subs(dict(zip((_A, _B), closed("x"), strict=True)))
    return Finding(
        "λ² - b λ - a² = 0 on both sides, symbolic a and b",
        equal("characteristic polynomial of the particle near the top, and that of (59)",
              top.charpoly(rate).as_expr(),
              ((rate - plus) * (rate - minus)).expand()),
        equal("the same for x", of_x, rate**2 + rate - (1 - mu) ** 2),
    )  # fmt: skip


@ours.proved(
    "App. F.1",
    "The particle of x ends at the speed (1-μ)²: 1-m² falls as e^(-2(1-μ)² t)",
    reading="strong pre-training slows the descent of x too, and to the same order as its escape",
    falsifier="another speed at which force and damping balance as g → ∞",
    units="time in 1/γ",
)
def _mechanics_terminal() -> Finding:
    a, b = closed("x")
    force = limit(acceleration(a, b, _G, _V), _G, oo)
    speed = solve(force, _V)
    by_m = _linear_flow()[1]
    decay = (diff(1 - m**2, m) * by_m / (1 - m**2)).cancel().subs({u: 1 - mu, m: 1})
    return Finding(
        "where the pull (1-μ)² balances the damping; the same from the flow at u = 1-μ, m = 1",
        judged("speeds at which g̈ = 0 as g → ∞", tuple(speed), lambda found: len(found) == 1),
        equal("that speed", speed[0], (1 - mu) ** 2),
        equal("d/dt log(1-m²) at the teacher", decay, -2 * (1 - mu) ** 2),
    )
