r"""Findings on where runs end: what rests in the flow, and which of it an escape reaches.

The flow is taken over u and θ = arccos m, in which it is a gradient; a, b are the slopes of the
loss over (ρ, s), ρ = μ + u m, s = u²(1-m²) (``derive.landscape``).
"""

from typing import Any

from sympy import Expr, Function, Integer, Matrix, Poly, Rational, Symbol, cos, diff, sin, symbols

from derive.ends import escape_end
from derive.landscape import landscape_of
from derive.rest import RestPoint, rest_points
from derive.symbols import m, mu, residual, rho, u
from numerics.certified.balls import bounds
from numerics.certified.flow import ball_flow
from numerics.certified.rest_points import singular_lines
from numerics.claims.every_degree import power_rises
from numerics.claims.ledger import Finding, Step, equal, judged, ours
from numerics.claims.signs import negative, positive

_THETA, _HERE = Symbol("theta", real=True), Symbol("rho_0", real=True)
_W, _C = sin(_THETA), cos(_THETA)
_A, _B = (Function(name)(rho, residual) for name in ("a", "b"))
_PLACE = {rho: mu + u * _C, residual: u**2 * _W**2}
_ODD = range(3, 12, 2)
_NEAR = Rational(1, 10**6)
_OF_HE2 = ["saddle", "sink", "sink", "source"]


def _pulled(parameter: Symbol) -> Expr:
    """Minus the slope of the loss in u or θ, by the chain rule: -∂_ρ L = a, -∂_s L = b/2."""
    return _A * diff(_PLACE[rho], parameter) + _B / 2 * diff(_PLACE[residual], parameter)


def _near(expression: Expr) -> Expr:
    """With a and b to first order around ρ₀, s = 0, which gives first derivatives exactly."""
    a, b = (
        sum(c * x for c, x in zip(symbols(f"{name}_0 {name}_rho {name}_s"),
                                  (1, rho - _HERE, residual), strict=True))
        for name in ("a", "b")
    )  # fmt: skip
    return expression.subs({_A: a, _B: b}).subs(_PLACE)


_ZERO, _SLOPE, _B_HERE = symbols("a_0 a_rho b_0")


@ours.proved(
    "App. G, (91)",
    "Over (ρ, s) no rest point of the flow moves with μ but the search phase, nor does what it is: "
    "they are the zeros of a(ρ, 0) on the edge m² = 1, with the eigenvalues a'(ρ) and b(ρ)(ρ-μ)², "
    "and those of a and b inside, with the signs of the Hessian of -L over (ρ, s)",
    reading="for every pair, where a(μ) ≠ 0; the search phase u = m = 0 is a saddle there",
    falsifier="a rest point that is none of these, or one with another sign at another μ",
)
def _rest_points() -> Finding:
    by_u, by_angle = _pulled(u), _pulled(_THETA)
    factor = _A - _B * u * _C
    moved = Matrix([_PLACE[rho], _PLACE[residual]]).jacobian([u, _THETA])
    rates = Matrix([_near(by_u), _near(by_angle)]).jacobian([u, _THETA])
    edge = rates.subs(_THETA, 0).subs(_HERE, mu + u).subs(_ZERO, 0)
    search = Matrix([[_B, -_A], [-_A, 0]])
    return Finding(
        "from the chain rule; inside, u̇ = θ̇ = 0 give b u = 0, then a = 0, and (u, θ) → (ρ, s) is "
        "invertible: Sylvester's law",
        equal("with m = cos θ: u̇ = -∂L/∂u", by_u, _A * _C + _B * u * _W**2),
        equal("dθ/dt = -∂L/∂θ", by_angle, -u * _W * factor),
        equal("u̇ less m (a - b u m): inside it vanishes only where b = 0, and then a = 0",
              by_u - _C * factor, _B * u),
        equal("on the edge, m = 1, u = ρ₀ - μ, where a(ρ₀) = 0: ∂u̇/∂u is a'", edge[0, 0], _SLOPE),
        equal("there ∂u̇/∂θ is 0", edge[0, 1], 0),
        equal("there the slope of dθ/dt in θ is b u²", edge[1, 1], _B_HERE * u**2),
        equal("the map from (u, θ) to (ρ, s) is invertible inside: its determinant",
              moved.det().simplify(), 2 * u**2 * _W),
        judged("the search phase is a saddle if a ≠ 0: product of its eigenvalues",
               search.det().subs(_A, Symbol("a", real=True, nonzero=True)), negative),
    )  # fmt: skip


@ours.proved(
    "Sec. 3.2, Remark 1, (58)",
    "At a zero of a all states with u = 0 rest; across this line the rate is a' m² + b (1-m²): at "
    "the singularity of He_3 it attracts where |m| < 0.5819…",
    reading="for every pair; of He_3 a' > 0 > b. Which state of the line a run stays at depends on "
    "its start: in large dimensions m is small, and the line attracts",
    falsifier="a state of the line that moves",
)
def _singular_line() -> Finding:
    by_u, by_angle = _near(_pulled(u)), _near(_pulled(_THETA))
    across = diff(by_u, u).subs(u, 0).subs(_HERE, mu)
    saddle = next(p for p in rest_points("He3") if p.stability == "saddle")
    (line,) = singular_lines(ball_flow("He3", "0.3"))
    assert line.turn is not None
    return Finding(
        "at u = 0 the velocity is (a(μ) m, 0)",
        equal("u̇ at u = 0 is a m, and a = 0", by_u.subs(u, 0).subs(_HERE, mu), _ZERO * _C),
        judged("dθ/dt at u = 0, m = cos θ", by_angle.subs(u, 0), lambda value: value == 0),
        equal("rate across the line: ∂u̇/∂u at u = 0", across, _SLOPE * _C**2 + _B_HERE * _W**2),
        judged("He_3: signs of a' and b at the singularity", saddle.signs, lambda v: v == (1, -1)),
        judged("He_3: |m| below which the line attracts, √(|b|/(a' + |b|))", bounds(line.turn),
               lambda turn: turn.low.startswith("0.5819")),
    )  # fmt: skip


@ours.proved(
    "App. G, Prop. 2",
    "He_n, n odd, rests at three places but the search phase, all with m² = 1: the null student ρ "
    "= 0 and the teacher ρ = 1, which are sinks, and ρ = μ⋆, a saddle (n = 3 to 11); inside there "
    "is none for any odd n",
    reading="over (ρ, s), for every μ ≠ μ⋆; each place is one state and its mirror image. So the "
    "one curve into the saddle, and its image, part the teacher's basin from the null student's",
    falsifier="a further rest point, or one of another kind",
)
def _odd_rest_points() -> Finding:
    return Finding(
        "isolated exactly; inside b = -dS/dQ would have to be 0, but S rises",
        *map(_rests, _ODD),
        *power_rises(),
    )


def _rests(n: int) -> Step:
    found = rest_points(f"He{n}")
    text = f"He_{n}: where it rests; eigenvalues have the signs of a' and b"
    return judged(text, found, _three)


def _three(found: tuple[RestPoint, ...]) -> bool:
    kinds = [(place.kind, place.stability) for place in found]
    edge = [("edge", "sink"), ("edge", "saddle"), ("edge", "sink")]
    return kinds == edge and (found[0].rational, found[2].rational) == ((0, 0), (1, 0))


@ours.proved(
    "Sec. 2.2, App. G",
    "All runs of He_n, n odd, that leave the search phase along its manifold end at the teacher "
    "above the singular strength and at the null student below it (n = 3 to 11, every μ in (0, 1) "
    "but μ⋆)",
    reading="in large dimensions every run leaves along that curve or its mirror image. With its "
    "own labels: by the flow",
    falsifier="a strength above μ⋆ at which the manifold goes to ρ = 0, or below to ρ = 1",
)
def _odd_escape_ends() -> Finding:
    slope = -(_A * u - _B * u**2 * m)  # of the loss in m, at fixed u
    steps = [
        equal("∂_m L over -u, as u → 0: the loss falls as m moves to the side of a",
              (slope / -u).limit(u, 0), _A),
    ]  # fmt: skip
    for n in _ODD:
        null, saddle, teacher = rest_points(f"He{n}")
        order = (null.signs[0], saddle.signs[0], teacher.signs[0])
        steps.append(judged(f"He_{n}: signs of a' = -ℓ'' at ρ = 0, μ⋆, 1: ℓ is largest on [0, 1] "
                            f"at μ⋆", order,
                            lambda v: v == (-1, 1, -1)))  # fmt: skip
        low, high = saddle.point.within(Rational(1, 10**9))
        ends = tuple(_end(n, place) for place in (low - Rational(1, 10**9), high, Rational(1, 10)))
        steps.append(judged(f"He_{n}: ρ at the end of escapes from 10⁻⁹ below μ⋆, above it, and "
                            f"from 1/10", ends,
                            lambda v: v == (0, 1, 0)))  # fmt: skip
    return Finding(
        "below ℓ(μ) only sinks rest, so each connected piece has one end; the manifold is joined "
        "to the edge by moving m at fixed u, and there ρ moves down the loss, away from μ⋆",
        *steps,
    )


def _end(n: int, strength: Rational) -> Any:
    found = escape_end(f"He{n}", strength)
    return found.rational[0] if found and found.rational else None


@ours.proved(
    "App. G, Remark 5",
    "He_10 has sinks at ρ = ±0.3967…, m² = 1, besides the teacher: a matched even student can end "
    "at a part of the teacher, with a loss above 0; an escape at μ = 0.39 does",
    reading="by the flow; at the smaller singular strength of He_10 the frozen risk is least, and "
    "b is negative",
    falsifier="a direction at that place in which the loss falls",
)
def _even_partial_recovery() -> Finding:
    found = [p for p in rest_points("He10") if p.stability == "sink" and not p.rational]
    positive_side = [p for p in found if p.point.sign(p.point.rho) > 0]
    (sink,) = positive_side
    loss = landscape_of("He10").loss
    strength = "0.39"
    end = escape_end("He10", Rational(strength))
    return Finding(
        "a' < 0 and b < 0 at an irrational zero of a",
        judged("number of its sinks with an irrational ρ", Integer(len(found)),
               lambda count: count == 2),
        judged("one of them lies between 396/1000 and 397/1000", sink, _near_its_decimals),
        judged("the loss is above 0 there: its sign",
               Integer(sink.point.sign(sink.point.value(loss))),
               positive),
        judged(f"where the escape at μ = {strength} ends: there", end,
               lambda place: place == sink),
    )  # fmt: skip


def _near_its_decimals(place: RestPoint) -> bool:
    low, high = place.point.within(_NEAR)
    return bool(Rational(396, 1000) < low <= high < Rational(397, 1000))


@ours.proved(
    "App. G, Remark 4",
    "He_2 recovers the teacher from every start but those on curves into saddles: its sinks are ρ "
    "= ±1, m² = 1 alone",
    reading="by the flow, at every μ in (0, 1); the other rest points are a source, ρ = 0 on the "
    "edge, and saddles, among them ρ = 0, s = 1/3, the student of the best size that is "
    "orthogonal to the teacher",
    falsifier="another sink",
)
def _he2_recovers() -> Finding:
    found = rest_points("He2")
    loss = landscape_of("He2").loss
    sinks = [p for p in found if p.stability == "sink"]
    return Finding(
        "the loss grows without bound in u, so every orbit ends at a rest point",
        judged("its rest points, with the signs of their eigenvalues", found,
               lambda all_: sorted(p.stability for p in all_) == _OF_HE2),
        judged("its sinks: ρ, s", tuple(p.rational for p in sinks),
               lambda v: v == ((-1, 0), (1, 0))),
        *[equal(f"the loss at ρ = {p.rational[0]}", loss.subs({rho: p.rational[0], residual: 0}), 0)
          for p in sinks if p.rational],
        judged("the loss grows without bound in s: its leading coefficient in s",
               Poly(loss, residual).LC(), positive),
    )  # fmt: skip
