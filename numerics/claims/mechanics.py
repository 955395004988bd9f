"""Claims on the physical analogy (App. F)."""

from sympy import Function, Symbol, cosh, diff, dsolve, exp, log, symbols, tanh

from derive.grammar import parse_activation
from derive.landscape import landscape_of
from derive.mechanics import acceleration, energy, potential
from derive.pair import Pair
from derive.symbols import m, mu, residual, rho, u
from numerics.claims.activations import closed
from numerics.claims.ledger import Finding, claim, decided, equal, judged, negative, shown

_A, _B, _G, _V = symbols("a b g v", real=True)


@claim(
    "mechanics",
    "App. F, (80)-(88)",
    "With m = tanh g: g̈ = a² tanh g + b ġ, and the energy changes at the rate b ġ²",
    "proved",
)
def _mechanics() -> Finding:
    force, total = acceleration(_A, _B, _G, _V), energy(_A, _G, _V)
    rate = diff(total, _G) * _V + diff(total, _V) * force
    return decided(
        "proved",
        "derived from the flow, symbolic a and b; friction if b < 0, a push if b > 0",
        equal("g̈, with v = ġ", force, _A**2 * tanh(_G) + _B * _V),
        equal("-V'(g) + b ġ is g̈", -diff(potential(_A, _G), _G) + _B * _V, force),
        shown("energy", total),
        equal("dE/dt is b ġ²", rate, _B * _V**2),
    )


@claim(
    "mechanics-linear",
    "App. F.1, (89)",
    "For x the particle obeys g̈ = (1-μ)² tanh g - ġ",
    "proved",
)
def _linear() -> Finding:
    a, b = closed("x")
    force = acceleration(a, b, _G, _V)
    step = equal("g̈, with v = ġ", force, (1 - mu) ** 2 * tanh(_G) - _V)
    return decided("proved", "a = 1 - μ, b = -1", shown("a and b", (a, b)), step)


@claim(
    "mechanics-potential",
    "App. F.1, (90)",
    "Its potential is concave, symmetric, and flatter the larger μ is",
    "proved",
)
def _potential() -> Finding:
    gap = Symbol("gap", positive=True)  # 1 - μ
    value = potential(gap, _G)
    curvature = diff(value, _G, 2).rewrite(cosh).simplify()
    return decided(
        "proved",
        "V'' = -(1-μ)²/cosh² g < 0, with 1 - μ as gap",
        equal("V(g)", value, -(gap**2) * log(cosh(_G))),
        equal("V(-g) is V(g)", value.subs(_G, -_G), value),
        equal("V''(g)", curvature, -(gap**2) / cosh(_G) ** 2),
        judged("cosh² g V''(g)", (-(gap**2)), negative),
        judged("its slope in 1 - μ", diff(-(gap**2), gap), negative),
    )


@claim(
    "mechanics-frozen",
    "App. F.1",
    "x at μ = 1: u = u₀ e^-t, m stays at its start, and the loss is u²/2",
    "proved",
)
def _frozen() -> Finding:
    x = parse_activation("x")
    q, r = 1 + u**2 + 2 * u * m, 1 + u * m
    loss = landscape_of(Pair(x, x)).loss.subs({rho: r, residual: q - r**2}, simultaneous=True)
    t, start = Symbol("t"), Symbol("u_0")
    path = Function("u")
    solution = dsolve(path(t).diff(t) + path(t), path(t), ics={path(0): start}).rhs
    return decided(
        "proved",
        "the full flow at μ = 1, not only its linearisation",
        equal("loss at μ = 1", loss, u**2 / 2),
        equal("u̇", -diff(loss, u).expand(), -u),
        equal("ṁ", -(1 - m**2) * diff(loss, m).expand(), 0),
        equal("so u(t)", solution, start * exp(-t)),
    )
