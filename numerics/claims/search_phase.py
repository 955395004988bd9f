"""Claims on the search phase of any pair: growth, exit time, when it is slow (Sec. 3.1, E.1)."""

from sympy import ImmutableMatrix, Symbol, diff, expand, limit, log, oo, sqrt, symbols

from derive.escape import eigenvalues, escape_time, exit_time
from derive.polynomial_drift import hermite_drift
from derive.symbols import Q, d, m, mu, rho, u
from numerics.certified.singularities import find_singularities
from numerics.claims.ledger import (
    Finding,
    claim,
    decided,
    equal,
    judged,
    positive,
    refuted_if,
    shown,
)

_A, _B = symbols("a b", real=True)
_JACOBIAN = ImmutableMatrix([[_B, _A], [_A, 0]])


@claim(
    "search-phase",
    "Sec. 3, (7), (57)",
    "Near u = m = 0 the flow is u̇ = a m + b u, ṁ = a u, for any loss L(Q, ρ)",
    "proved",
)
def _search_phase() -> Finding:
    by_q, by_rho, x, y, w = symbols("L_Q L_rho L_QQ L_Qrho L_rhorho", real=True)
    here, there = Q - mu**2, rho - mu
    loss = by_q * here + by_rho * there + x * here**2 / 2 + y * here * there + w * there**2 / 2
    loss = loss.subs({Q: mu**2 + u**2 + 2 * mu * u * m, rho: mu + u * m})
    velocity = (-diff(loss, u), -(1 - m**2) * diff(loss, m))
    found = ImmutableMatrix(
        2, 2, lambda i, j: expand(diff(velocity[i], (u, m)[j]).subs({u: 0, m: 0}))
    )
    a, b = -(2 * mu * by_q + by_rho), -2 * by_q
    return decided(
        "proved",
        "a = -(2μ L_Q + L_ρ), b = -2 L_Q; higher slopes of L drop out",
        shown("Jacobian at the origin, rows u and m", found),
        equal("∂u̇/∂u is b", found[0, 0], b),
        equal("∂u̇/∂m is a", found[0, 1], a),
        equal("∂ṁ/∂u is a", found[1, 0], a),
        equal("∂ṁ/∂m", found[1, 1], 0),
    )


@claim(
    "effective-alignment",
    "Sec. 2.2",
    "Before fine-tuning u and m vanish, yet the student is aligned: ρ/√Q = 1",
    "proved",
)
def _effective_alignment() -> Finding:
    alignment = (mu + u * m) / sqrt(mu**2 + u**2 + 2 * mu * u * m)
    step = equal("ρ/√Q at u = m = 0", alignment.subs({u: 0, m: 0}), 1)
    return decided("proved", "μ/√(μ²), at every strength", shown("ρ/√Q", alignment), step)


@claim(
    "escape-rate", "Prop. 1, (59)", "The search phase grows at λ₊ = ½(b + √(b² + 4a²))", "proved"
)
def _rate() -> Finding:
    x = Symbol("x")
    plus, minus = eigenvalues(_A, _B)
    found = _JACOBIAN.charpoly(x).as_expr()
    return decided(
        "proved",
        "eigenvalues of the flow's Jacobian, symbolic a and b",
        shown("Jacobian", _JACOBIAN),
        shown("λ₊, λ₋", (plus, minus)),
        equal("characteristic polynomial is (x-λ₊)(x-λ₋)", found, (x - plus) * (x - minus)),
    )


@claim(
    "exit-time",
    "Prop. 1, (9), (61)",
    "From u, m of the order 1/√d the exit time is log d/(b + √(b² + 4a²)), to leading order",
    "proved",
)
def _exit_time() -> Finding:
    a, c, r, rate = symbols("a c R lambda", positive=True)
    plus = eigenvalues(a, _B)[0]
    growing = ImmutableMatrix([plus, a])
    image = _JACOBIAN.subs(_A, a) * growing
    exit_at = log(r * sqrt(d) / c) / rate
    share = limit(exit_at / log(d), d, oo)
    return decided(
        "proved",
        "for the linearised flow, symbolic a and b: t/log d → ½ τ",
        equal("first entry of J v is that of λ₊ v, v = (λ₊, a)", image[0], plus * growing[0]),
        equal("second entry", image[1], plus * growing[1]),
        shown("time at which c e^(λt)/√d reaches the radius R", exit_at),
        equal("t/log d as d → ∞", share.subs(rate, plus), exit_time(a, _B, d) / log(d)),
    )


@claim(
    "slow-where-small",
    "Remark 1",
    "Small values of |a| and b slow the escape: λ₊ increases with both",
    "proved",
)
def _slow_where_small() -> Finding:
    a = Symbol("a", positive=True)
    plus, minus = eigenvalues(a, _B)
    root = plus - minus
    return decided(
        "proved",
        "slopes of λ₊ in closed form, symbolic a > 0 and b",
        equal("∂λ₊/∂a is positive", diff(plus, a), 2 * a / root),
        equal("∂λ₊/∂b has the sign of λ₊", diff(plus, _B), plus / root),
        equal("λ₊λ₋ is negative, so λ₊ > 0 > λ₋", expand(plus * minus), -(a**2)),
        judged("λ₊ - λ₋", root, positive),
    )


@claim(
    "divergence-needs-only-a",
    "Remark 1",
    "If a = 0 at some strength the exit time diverges there",
    "refuted",
)
def _divergence() -> Finding:
    finite = tuple(
        s for s in find_singularities(hermite_drift(6, "squared", "n*n!")) if not s.diverges
    )
    where = f"squared labels, He_6: a = 0, b > 0 at μ = {finite[0].mu.mid[:8]}" if finite else ""
    b = Symbol("b", positive=True)
    return refuted_if(
        f"{where}, so τ = 1/b is finite; it needs b ≤ 0",
        judged("squared labels, He_6: zeros of a in (0, 1) at which b > 0", finite, bool),
        judged("τ at a = 0, b > 0", escape_time(0, b), lambda tau: tau == 1 / b),
    )
