r"""Rest points of the flow of a polynomial pair at one strength: where they lie, how fast they are.

What rests, and whether it attracts, is exact and independent of the strength
(``derive.rest``); here it is placed in the plane of (u, θ), m = cos θ, with its eigenvalues.
A singularity is told apart: there a line of states rests.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from flint import arb, fmpq
from sympy import QQ, Add, Poly, Rational

from derive.rest import AlgebraicPoint, RestPoint, Stability, rest_points_of
from derive.symbols import Q, rho
from numerics.certified.balls import evaluate, flint_polynomial
from numerics.certified.drift import growth_rate
from numerics.certified.flow import (
    BallFlow,
    Table,
    flow_arithmetic,
    in_covariance,
    in_variance,
    table_value,
)

_WIDTH = Rational(1, 2**128)  # of the interval around an algebraic number
Where = Literal["search", "edge", "inside"]
Vector = tuple[arb, arb]


@dataclass(frozen=True)
class Placed:
    """A rest point at a strength; with it rests its mirror image, at (-u, -m).

    Fields: ``where``, in the search phase u = m = 0, on the edge m = 1 or inside; ``stability``;
    ``rho``, ``residual``, ``u``, ``m`` and ``angle`` θ as balls; ``eigenvalues`` of the flow in (u,
    θ) in increasing order, on the edge along u and along θ; ``directions``, their unit vectors in
    (u, θ). Certified, its stability exact.
    """

    where: Where
    stability: Stability
    rho: arb
    residual: arb
    u: arb
    m: arb
    angle: arb
    eigenvalues: tuple[arb, arb]
    directions: tuple[Vector, Vector]


@dataclass(frozen=True)
class SingularLine:
    r"""What a singularity is: at the strength ``rho``, a zero of a, all states with u = 0 rest.

    Such a state attracts across the line with the rate ``slope`` :math:`a' m^2` + ``b``
    :math:`(1-m^2)`. Fields: ``rho``, ``slope`` and ``b`` as balls; ``turn``, the \|m\| at which the
    rate changes its sign, if any. Certified.
    """

    rho: arb
    slope: arb
    b: arb
    turn: arb | None


@lru_cache(maxsize=64)
def flow_rest_points(by_variance: Table, by_covariance: Table) -> tuple[RestPoint, ...]:
    """The rest points on the edge and inside of all flows with these slopes. Exact."""
    return rest_points_of(_expression(by_variance), _expression(by_covariance))


def _expression(table: Table) -> Add:
    return Add(*(Rational(int(c.p), int(c.q)) * Q**i * rho**j
                 for i, row in enumerate(table) for j, c in enumerate(row)))  # fmt: skip


def coordinates(point: AlgebraicPoint) -> tuple[arb, arb]:
    """Balls of ρ and s of an algebraic point, exact if they are rational. Certified."""
    low, high = (fmpq(int(end.p), int(end.q)) for end in point.within(_WIDTH))
    t = arb(low).union(arb(high))
    elements = (Poly(c, domain=QQ) for c in (point.rho, point.residual))
    first, second = (evaluate(flint_polynomial(element), t) for element in elements)
    return first, second


def placed(flow: BallFlow) -> tuple[Placed, ...]:
    r"""All rest points of a flow off a singularity, but for mirror images: u = m = 0 first.

    Arguments:
        flow: of one pair.

    On the edge m = 1 and u = ρ - μ, with the eigenvalues :math:`a'(\rho)` and
    :math:`b(\rho)(\rho-\mu)^2`; inside :math:`u = \sqrt{s + (\rho-\mu)^2}`, m = (ρ-μ)/u. Errors as
    of ``rest_points``. Source: (51), (59), (91). Certified.

    >>> from numerics.certified.flow import ball_flow
    >>> for found in placed(ball_flow("He3", "0.25")):
    ...     print(found.where, found.stability, found.u.str(5), found.eigenvalues[0].str(5))
    search saddle 0 [-6.9785 +/- 1.74e-5]
    edge sink -0.25000 -9.0000
    edge saddle [0.070724 +/- 3.48e-7] [11.275 +/- 3.31e-4]
    edge sink 0.75000 -90.000
    """
    points = flow_rest_points(flow.by_variance, flow.by_covariance)
    with flow_arithmetic():
        return (_search_phase(flow), *(place(flow, point) for point in points))


def _search_phase(flow: BallFlow) -> Placed:
    a, b = map(arb, flow.search_phase())
    grows = growth_rate(b, a * a)
    falls = b - grows
    kind: Stability = "degenerate" if a == 0 else "saddle"
    zero = arb(0)
    directions = [_unit(rate, -a) for rate in (falls, grows)] if a != 0 else _axes()
    return Placed("search", kind, arb(flow.mu), zero, zero, zero, arb.pi() / 2, (falls, grows),
                  (directions[0], directions[1]))  # fmt: skip


def _axes() -> tuple[Vector, Vector]:
    return (arb(1), arb(0)), (arb(0), arb(1))


def _unit(x: arb, y: arb) -> Vector:
    length = (x * x + y * y).sqrt()
    return x / length, y / length


def place(flow: BallFlow, point: RestPoint) -> Placed:
    """A rest point on the edge or inside, at the strength of a flow. Certified."""
    here, remaining = coordinates(point.point)
    along = here - flow.mu
    if point.kind == "edge":
        a_slope, b = edge_slopes(flow, here)
        kind: Stability = "degenerate" if along == 0 else point.stability
        rates = a_slope, b * along * along
        return Placed("edge", kind, here, remaining, along, arb(1), arb(0), rates, _axes())
    u = (remaining + along * along).sqrt()
    m = along / u
    angle = m.acos()
    uu, mixed, other = (-entry for entry in flow.hessian(u, angle))
    middle, half = (uu + other) / 2, (uu - other) / 2
    apart = (half * half + mixed * mixed).sqrt()
    rates = middle - apart, middle + apart
    # Of two forms of an eigenvector the one that does not cancel.
    last = _unit(half + apart, mixed) if half > 0 else _unit(mixed, apart - half)
    return Placed("inside", point.stability, here, remaining, u, m, angle, rates,
                  ((-last[1], last[0]), last))  # fmt: skip


def edge_slopes(flow: BallFlow, here: arb) -> tuple[arb, arb]:
    r"""``a'`` and ``b`` at a ball of ρ on the edge s = 0, where :math:`Q = \rho^2`.

    .. math:: a' = -2L_Q - 4\rho^2 L_{QQ} - 4\rho L_{Q\rho} - L_{\rho\rho}, \quad b = -2L_Q
    """
    first, second = flow.by_variance, flow.by_covariance
    q, qq, qr, rr = (
        table_value(table, here * here, here)
        for table in (first, in_variance(first), in_covariance(first), in_covariance(second))
    )
    return -2 * q - 4 * here * here * qq - 4 * here * qr - rr + arb(0), -2 * q + arb(0)


def singular_lines(flow: BallFlow) -> tuple[SingularLine, ...]:
    """The singularities in (0, 1) of the pair of a flow, by the line that rests there.

    Errors as of ``rest_points``. Certified, the list complete.

    >>> from numerics.certified.flow import ball_flow
    >>> line, = singular_lines(ball_flow("He3", "0.25"))
    >>> line.rho.str(6), line.turn.str(4)
    ('[0.320724 +/- 3.48e-7]', '[0.5819 +/- 2.80e-5]')
    """
    points = flow_rest_points(flow.by_variance, flow.by_covariance)
    with flow_arithmetic():
        zeros = [coordinates(p.point)[0] for p in points if p.kind == "edge"]
        return tuple(_line(flow, here) for here in zeros if here > 0 and here < 1)


def _line(flow: BallFlow, here: arb) -> SingularLine:
    slope, b = edge_slopes(flow, here)
    turns = (slope < 0 and b > 0) or (slope > 0 and b < 0)
    return SingularLine(here, slope, b, (b / (b - slope)).sqrt() if turns else None)
