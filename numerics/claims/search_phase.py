"""Claims on the search phase of any pair: growth, exit time, when it is slow (Sec. 2.2-3.1, E.1).

They are on the flow near u = m = 0; the whole is simulated in ``numerics.claims.delays``.
"""

from sympy import (
    Expr,
    ImmutableMatrix,
    Integer,
    Symbol,
    cos,
    diff,
    exp,
    expand,
    limit,
    log,
    logcombine,
    oo,
    simplify,
    symbols,
)

from derive.escape import eigenvalues, escape_time, exit_time
from derive.polynomial_drift import hermite_drift
from derive.symbols import d, m, u
from numerics.certified.singularities import find_singularities
from numerics.claims.ledger import Finding, Step, claim, equal, judged, ours, shown
from numerics.claims.setting import COVARIANCE, VARIANCE, any_loss, coefficients
from numerics.claims.signs import negative, positive

_A, _B = symbols("a b", real=True)
_COUPLING = Symbol("a", positive=True)  # |a|: the sign of a only turns m round
_JACOBIAN = ImmutableMatrix([[_B, _A], [_A, 0]])
_RATE, _RADIUS = symbols("lambda R", positive=True)
_GROWING, _DYING = symbols("c_1 c_2", positive=True)  # squared parts of √d times the start


def _flow() -> tuple[Expr, Expr]:
    """The gradient flow of (u, m) of any loss, near the frozen model (91)."""
    loss = any_loss(VARIANCE, COVARIANCE)
    return -diff(loss, u), -(1 - m**2) * diff(loss, m)


@claim.proved(
    "Sec. 3, (7), (54)-(57)",
    "Near u = m = 0 the flow is u̇ = a m + b u, ṁ = a u, for any smooth loss L(Q, ρ)",
    quote="Using (48) and (49), together with the linearized gradients (54) and (55), one obtains "
    "… where the factor […] has been absorbed into the definitions of […] and […].",
    reading="(57) is this system, with a = -(2μ L_Q + L_ρ) and b = -2 L_Q at Q = μ², ρ = μ",
    falsifier="a smooth loss of Q and ρ whose flow has another Jacobian at the origin",
    units="time in 1/γ",
)
def _search_phase() -> Finding:
    velocity = _flow()
    found = ImmutableMatrix(
        2, 2, lambda i, j: expand(diff(velocity[i], (u, m)[j]).subs({u: 0, m: 0}))
    )
    a, b = coefficients()
    return Finding(
        "a = -(2μ L_Q + L_ρ), b = -2 L_Q; higher slopes of L drop out",
        shown("Jacobian at the origin, rows u and m", found),
        equal("∂u̇/∂u is b", found[0, 0], b),
        equal("∂u̇/∂m is a", found[0, 1], a),
        equal("∂ṁ/∂u is a", found[1, 0], a),
        equal("∂ṁ/∂m", found[1, 1], 0),
        *[
            equal(f"{name} at the origin itself", f.subs({u: 0, m: 0}), 0)
            for name, f in zip(("u̇", "ṁ"), velocity, strict=True)
        ],
    )


@claim.proved(
    "Sec. 3, (7)",
    "If a ≠ 0, a deviation in u alone sets m in motion, and one in m alone sets u in motion",
    quote="Note that for […] there is no solution in which […] or […] evolves independently: any "
    "infinitesimal deviation from the origin immediately induces coupled dynamics in both "
    "variables.",
    reading="for a ≠ 0; of the linear flow (57)",
    falsifier="a solution of (57) with a ≠ 0 that stays on an axis",
)
def _coupled() -> Finding:
    a = Symbol("a", nonzero=True, real=True)
    flow = _JACOBIAN.subs(_A, a)
    return Finding(
        "(b, a) at (1, 0) and (a, 0) at (0, 1)",
        judged("ṁ at u = 1, m = 0", flow[1, 0], lambda speed: speed.is_nonzero),
        judged("u̇ at u = 0, m = 1", flow[0, 1], lambda speed: speed.is_nonzero),
    )


@claim.proved(
    "Prop. 1, (58), (59)",
    "The search phase grows at λ₊ = ½(b + √(b² + 4a²))",
    quote="We rewrite (57) in matrix form as … This matrix has eigenvalues […]",
    reading="the lost (59) is these two; the larger is the rate of growth",
    falsifier="another characteristic polynomial",
    units="rates in γ",
)
def _escape_rate() -> Finding:
    x = Symbol("x")
    plus, minus = eigenvalues(_A, _B)
    found = _JACOBIAN.charpoly(x).as_expr()
    return Finding(
        "eigenvalues of the flow's Jacobian, symbolic a and b",
        shown("Jacobian", _JACOBIAN),
        shown("λ₊, λ₋", (plus, minus)),
        equal("its characteristic polynomial, and (x-λ₊)(x-λ₋)", found, (x - plus) * (x - minus)),
    )


@claim.proved(
    "App. E.1",
    "If a ≠ 0 then λ₊ > 0 > λ₋: the origin is a saddle, for any b",
    quote="In the correlated search regime of interest, we assume […], so that […] and the fixed "
    "point is linearly unstable.",
    reading="we assume a ≠ 0, so that λ₊ > 0",
    falsifier="an a ≠ 0 and a b with λ₊ ≤ 0",
)
def _unstable_if_coupled() -> Finding:
    plus, minus = eigenvalues(_COUPLING, _B)
    return Finding(
        "λ₊λ₋ = -a² and λ₊ - λ₋ = √(b² + 4a²)",
        equal("λ₊λ₋", expand(plus * minus), -(_COUPLING**2)),
        judged("it is negative", -(_COUPLING**2), negative),
        judged("the larger one is positive: λ₊ - λ₋", plus - minus, positive),
    )


def _exits() -> tuple[Expr, Expr]:
    """Bounds on the time at which d |(u, m)|² = c_1 e^(2λ₊t) + c_2 e^(2λ₋t) reaches d R²."""
    first, last = (
        log((_RADIUS**2 * d - dying) / _GROWING) / (2 * _RATE) for dying in (_DYING, Integer(0))
    )
    return first, last


def _modes() -> list[Step]:
    """The linear flow in its modes, which are orthogonal since its matrix is symmetric."""
    plus, minus = eigenvalues(_COUPLING, _B)
    flow = _JACOBIAN.subs(_A, _COUPLING)
    grow, die = (ImmutableMatrix([rate, _COUPLING]) for rate in (plus, minus))
    return [
        shown("J, the matrix of (58)", flow),
        *[equal(f"J v and λ₊ v, v = (λ₊, a): along {x}", left, right)
          for x, left, right in zip("um", flow * grow, plus * grow, strict=True)],
        *[equal(f"J w and λ₋ w, w = (λ₋, a): along {x}", left, right)
          for x, left, right in zip("um", flow * die, minus * die, strict=True)],
        equal("v and w are orthogonal: v·w", expand(grow.dot(die)), 0),
        judged("λ₋ λ₊ is negative, so that the part along w dies", expand(plus * minus), negative),
    ]  # fmt: skip


@claim.proved(
    "Prop. 1, (9), (61)",
    "Linear flow, a ≠ 0, start (u, m)√d fixed off the line of w: t/log d → 1/(b + √(b² + 4a²))",
    quote="Let us call […] the signal strength and assume that […]. Then the time at which the "
    "dynamics escapes the correlated search phase satisfies […]",
    reading="u and m start at the order 1/√d; the exit is at a fixed radius R. Starts on the line "
    "of w = (λ₋, a) never leave: one value of m₀ for each u₀, of probability 0. The whole flow "
    "takes a constant time more or less to a small radius, for smooth planar saddles are "
    "linearisable (Hartman); beyond, see exit-time-simulated",
    falsifier="a start off that line, a radius, or signs of b with another limit",
    units="time in 1/γ, or as a and b",
)
def _exit_time() -> Finding:
    plus = eigenvalues(_COUPLING, _B)[0]
    limits = [limit(bound / log(d), d, oo).subs(_RATE, plus) for bound in _exits()]
    target = exit_time(_COUPLING, _B, d) / log(d)
    return Finding(
        "t lies between two bounds that both grow as ½ τ log d, symbolic a and b",
        *_modes(),
        shown("exit between these; c_1, c_2 are squared parts of √d times the start", _exits()),
        *[equal(f"{name} bound over log d, as d → ∞", value, target)
          for name, value in zip(("lower", "upper"), limits, strict=True)],
    )  # fmt: skip


@claim.proved(
    "App. E.1, (60)",
    "In the linear flow, from a distance r at an angle θ to v, the time to radius R is t = "
    "log(R/r)/λ₊ - log|cos θ|/λ₊ as r → 0",
    quote="As a result, the exit time from a ball of radius […] satisfies, up to additive "
    "constants, […]",
    reading="(60) is log(R/r)/λ₊, the constant that of the start's direction. For random starts it "
    "is random, and without a bound: large where the start is nearly on the line of w",
    falsifier="a constant that depends on r or R as r → 0",
    units="time in 1/γ, or as a and b",
)
def _exit_up_to_constants() -> Finding:
    r, angle = Symbol("r", positive=True), Symbol("theta", real=True)
    start = {_GROWING: d * r**2 * cos(angle) ** 2, _DYING: d * r**2 * (1 - cos(angle) ** 2)}
    first, last = (bound.subs(start) for bound in _exits())
    gap = (_RADIUS**2 - r**2 * (1 - cos(angle) ** 2)) / _RADIUS**2
    return Finding(
        "the bounds of exit-time, which meet as r → 0",
        *_modes(),
        equal("e^(λ₊ t) at the upper bound, squared",
              _squared(last), (_RADIUS / (r * cos(angle))) ** 2),
        equal("that at the lower bound over it, squared",
              (_squared(first) / _squared(last)).simplify(), gap),
        equal("as r → 0 both bounds meet: that at r = 0", gap.subs(r, 0), 1),
    )  # fmt: skip


def _squared(time: Expr) -> Expr:
    """exp(2 λ₊ t) of a time that is a logarithm over 2 λ₊."""
    (argument,) = (2 * _RATE * time).args
    return argument


@claim.proved(
    "App. E.1, (61)",
    "From R₁ to R₂ the exit time of the linear flow changes by log(R₂/R₁)/λ₊ as d → ∞: nothing, "
    "over log d",
    quote="For any fixed escape radius […], this yields […]",
    reading="a radius that does not depend on d, such as a multiple of μ",
    falsifier="a dependence on d of the change, or a radius that changes the limit of t/log d",
    units="time in 1/γ, or as a and b",
)
def _exit_radius() -> Finding:
    other = Symbol("R_2", positive=True)
    last = _exits()[1]
    change = (last.subs(_RADIUS, other) - last).expand(force=True)
    return Finding(
        "the radius enters by its logarithm",
        shown("upper bound of exit-time", last),
        equal("its change from R₁ to R₂", change, (log(other) - log(_RADIUS)) / _RATE),
        judged("that change over log d, as d → ∞", limit(change / log(d), d, oo), lambda x: x == 0),
    )


@claim.proved(
    "Sec. 2.1",
    "Started at u = 0, as LoRA is, the linear flow leaves at ½ τ log d too: a constant later if u₀ "
    "has the sign of a m₀, earlier if it nearly cancels that",
    quote="This scaling remains asymptotically close to the standard initialization used in "
    "practice.",
    reading="the scaling: u₀ and m₀ of the order 1/√d; the standard: u₀ = 0 and m₀ as random. The "
    "constant is log(|λ₊u₀ + a m₀|/|a m₀|)/λ₊, of the order 1/λ₊",
    falsifier="a start with u₀ = 0 and m₀ ≠ 0 that has no part along v, or a constant that grows "
    "with d",
    units="time in 1/γ, or as a and b",
)
def _zero_start() -> Finding:
    start, overlap, part = symbols("u_0 m_0 x", positive=True)  # the first two times √d
    without = _COUPLING * overlap
    with_u = _RATE * start + without
    last = _exits()[1]

    def later(along: Expr) -> Expr:  # than from a start with that part along v
        return last.subs(_GROWING, without**2) - last.subs(_GROWING, along**2)

    constant = log(with_u / without) / _RATE
    ahead, behind = (later(without * factor) for factor in (1 + part, 1 / (1 + part)))
    return Finding(
        "what counts is the part along v = (λ₊, a), which is a m₀ at u₀ = 0",
        shown("part of the start along v at u₀ = 0, times |v|", without),
        equal("delay against a start at u₀", _as_one_log(later(with_u)), _as_one_log(constant)),
        equal("e^(λ₊ delay) if λ₊u₀ + a m₀ is (1+x) a m₀: later", _as_one_log(ahead), 1 + part),
        equal("e^(λ₊ delay) if it is a m₀/(1+x): earlier", _as_one_log(behind), 1 / (1 + part)),
        judged("delay over log d as d → ∞", limit(later(with_u) / log(d), d, oo), lambda x: x == 0),
        equal("exit time over log d from u₀ = 0, as d → ∞",
              limit(last.subs(_GROWING, without**2) / log(d), d, oo), 1 / (2 * _RATE)),
    )  # fmt: skip


def _as_one_log(time: Expr) -> Expr:
    """exp(λ₊ t) of a time that is a difference of logarithms over λ₊ or 2 λ₊."""
    return simplify(exp(logcombine(expand(_RATE * time), force=True)))


@claim.proved(
    "Remark 1",
    "Small |a| and b, b with its sign, slow the escape: λ₊ increases with both, and is of first "
    "order in them; at a given a, a small |b| speeds it up if b < 0",
    quote="Consequently, small values of […] and […] substantially slow down the transition out of "
    "the correlated search phase.",
    reading="b small with its sign, or |a| and |b| small together, which holds by the scaling",
    falsifier="an a ≠ 0 and a b where λ₊ falls with |a| or with b",
)
def _slow_where_small() -> Finding:
    a, small = _COUPLING, Symbol("epsilon", positive=True)
    plus, minus = eigenvalues(a, _B)
    root = plus - minus
    return Finding(
        "slopes of λ₊ in closed form, symbolic a > 0 and b",
        equal("λ₊ rises with a: ∂λ₊/∂a", diff(plus, a), 2 * a / root),
        equal("and with b, as it has the sign of λ₊: ∂λ₊/∂b", diff(plus, _B), plus / root),
        equal("λ₊λ₋ is negative, so λ₊ > 0 > λ₋", expand(plus * minus), -(a**2)),
        judged("λ₊ - λ₋", root, positive),
        equal("λ₊ at b = 0, so that at b < 0 it is lower", eigenvalues(a, Integer(0))[0], a),
        equal("λ₊ at εa, εb", eigenvalues(small * a, small * _B)[0], small * plus),
    )


@claim.proved(
    "Remark 1",
    "As a → 0 at some strength with b ≤ 0, λ₊ → 0: the exit time over log d diverges",
    quote="In particular, if for some choice of teacher–student activation functions […] and […] "
    "one has […], then the ratio […] diverges.",
    reading="the lost condition is a = 0, where b ≤ 0, as at the zeros of Prop. 2; "
    "divergence-needs-b is on the rest",
    falsifier="a b ≤ 0 for which τ stays finite as a → 0",
)
def _divergence() -> Finding:
    damping = Symbol("beta", positive=True)  # -b
    a = _COUPLING
    return Finding(
        "λ₊ = 0 at a = 0; from b < 0 it grows as a²/|b|, from b = 0 as |a|",
        equal("λ₊ at a = 0, b = -β", eigenvalues(Integer(0), -damping)[0], 0),
        equal("λ₊ at b = 0", eigenvalues(a, Integer(0))[0], a),
        judged("τ at b = -β as a → 0", limit(escape_time(a, -damping), a, 0), lambda t: t == oo),
        judged("a² τ at b = -β as a → 0", limit(a**2 * escape_time(a, -damping), a, 0),
               lambda value: value == damping),
    )  # fmt: skip


@ours.certified(
    "Remark 1",
    "Where a = 0 but b > 0 the exit time is finite, τ = 1/b: He_6 with squared labels has such μ",
    reading="so a = 0 alone does not suffice: u grows by itself",
    falsifier="no zero of a in (0, 1) with b > 0 for that pair",
    units="a, b and 1/τ over n n!",
)
def _divergence_needs_b() -> Finding:
    finite = tuple(
        s for s in find_singularities(hermite_drift(6, "squared", "n*n!")) if not s.diverges
    )
    where = f"a = 0, b > 0 at μ = {finite[0].mu.mid[:8]}" if finite else "no such zero"
    b = Symbol("b", positive=True)
    return Finding(
        f"squared labels, He_6: {where}",
        judged("squared labels, He_6: zeros of a in (0, 1) at which b > 0", finite, bool),
        *[judged("b there", s.b, positive) for s in finite],
        judged("τ at a = 0, b > 0", escape_time(0, b), lambda tau: tau == 1 / b),
    )


@claim.proved(
    "Sec. 1, Remark 1",
    "If a = 0 > b the whole flow from small u, m ends near its start, at u = 0: any smooth loss",
    quote="This corresponds to a regime in which the dynamics fails to escape the correlated "
    "search phase despite the presence of non-zero initial correlation.",
    reading="gradient flow, b < 0; SGD's noise may drive it away in a longer time. Sec. 1 calls "
    "this escape provably impossible under the original labels",
    falsifier="a smooth loss with a = 0 > b whose flow leaves every neighbourhood of the origin",
)
def _no_escape_at_zero() -> Finding:
    a, b = coefficients()
    by_u, by_m = _flow()
    return Finding(
        "u = 0 is a line of rest points; beside it u̇ = (b + small) u and ṁ = O(u²), so u dies",
        equal("u̇ at u = 0, for every m: a m", by_u.subs(u, 0), a * m),
        equal("ṁ at u = 0", by_m.subs(u, 0), 0),
        equal("slope of u̇ in u at the origin", diff(by_u, u).subs({u: 0, m: 0}), b),
        equal("slope of ṁ in u at u = 0: (1-m²) a", diff(by_m, u).subs(u, 0), (1 - m**2) * a),
    )
