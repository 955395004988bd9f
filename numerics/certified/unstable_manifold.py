r"""The unstable manifold of the search phase, and the constant of the exit time that it gives.

The flow leaves u = m = 0 along a curve ``P`` on which it is linear: the orbit of ``P(s)`` is
``P(s e^{λt})``, in u and ``φ = π/2 - θ``, where ``m = sin φ`` (the parameterisation method). Its
coefficients follow order by order. What is cut off is bounded by the next order of the field on
the curve, and by the rate at which solutions part. From there on ``numerics.certified.integrator``
goes to the exit.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from flint import arb, arb_poly, arb_series, ctx, fmpq

from derive.errors import InputError, Undecided, abridged
from numerics.certified.drift import growth_rate
from numerics.certified.flow import (
    ORDER,
    BallFlow,
    Disc,
    Number,
    flow_arithmetic,
    length_of,
    rational,
)
from numerics.certified.integrator import first_time

_ACCURACY = fmpq(1, 2**50)  # of the curve, by its parameter
_HALVINGS = 40
_HORIZON = 60  # in units of 1/λ
_UNIT_BITS = 20  # of the unit of time
_STIFFEST = 1000  # |b|/λ that steps of the integrator are not too short for
Curve = tuple[arb_poly, arb_poly]


def exit_constant(
    flow: BallFlow,
    radius: Number = fmpq(1, 2),  # noqa: B008, a constant
    of: Literal["state", "overlap"] = "state",
) -> arb:
    r"""The constant ``log K`` of the exit time: where on its unstable manifold the flow exits.

    Arguments:
        flow: of one pair.
        radius: R in (0, 1), what counts as exit, exact.
        of: what reaches it, :math:`|(u, m)|` or :math:`|m|`.

    With ``v`` the unit unstable vector and :math:`T_R` the time at which the flow reaches R,

    .. math:: \log K = \lim_{\varepsilon\to0} (\lambda T_R(\varepsilon v) + \log\varepsilon)
        = \lambda T_R(P(s)) + \log s

    It depends on neither the unit of time nor the sign of ε. Raises ``InputError`` for another
    radius and where there is no escape, ``Undecided`` if the exit is not seen. Certified.

    >>> from numerics.certified.flow import ball_flow
    >>> exit_constant(ball_flow("x", "0.5")).str(11, radius=False)
    '-0.59183024064'
    """
    level = rational(radius)
    if not 0 < level < 1:
        raise InputError(f"radius {radius} is not accepted: give one in (0, 1)")
    with flow_arithmetic():
        phase = SearchPhase.of(flow)
        size, start = _begun(phase, level, _READINGS[of])
    time, _ = first_time(phase.flow, start, _READINGS[of], level**2, _HORIZON)
    with flow_arithmetic():
        return phase.rate * time + arb(size).log()


def leaving(flow: BallFlow, overlaps: Sequence[Number]) -> Iterator[Disc]:
    r"""States in which a run leaves the search phase: where \|m\| reaches levels on the manifold.

    Arguments:
        flow: of one pair.
        overlaps: levels in (0, 1), exact, in increasing order.

    In large dimensions every run comes out along the manifold, in these states or, mirrored, in
    their opposites; here u > 0, so that m has the sign of ``a``. Raises ``InputError`` for other
    levels and where there is no escape, ``Undecided`` where the manifold is not enclosed or does
    not reach a level. Certified.

    >>> from numerics.certified.flow import ball_flow
    >>> there, = leaving(ball_flow("He3", "0.4"), ["0.3"])
    >>> there.overlap.str(3), there.box[0].str(3)
    ('[0.300 +/- 1e-8]', '[0.120 +/- 6.39e-6]')
    """
    levels = [rational(each) for each in overlaps]
    if not all(0 < level < 1 for level in levels) or levels != sorted(levels):
        raise InputError(
            f"levels {abridged(', '.join(map(str, overlaps)))} are not accepted: give overlaps in "
            "(0, 1), in increasing order"
        )
    reading = _READINGS["overlap"]
    with flow_arithmetic():
        phase = SearchPhase.of(flow)
        _, here = _begun(phase, levels[0], reading)
    for level in levels:
        if reading(here) < level**2:
            _, here = first_time(phase.flow, here, reading, level**2, _HORIZON)
        yield here


@dataclass(frozen=True)
class SearchPhase:
    """The linear flow at u = m = 0: ``a``, ``b`` and ``rate`` λ, near 1 in the ``flow``'s time."""

    flow: BallFlow
    a: arb
    b: arb
    rate: arb

    @classmethod
    def of(cls, flow: BallFlow) -> "SearchPhase":
        """That of a flow, in a unit of time near 1/λ; raises ``InputError`` where λ = 0."""
        a, b = map(arb, flow.search_phase())
        rate = growth_rate(b, a * a)
        if rate.is_zero():
            raise InputError("without escape there is no exit time: choose another strength")
        if b < -_STIFFEST * rate:
            raise Undecided("|b| is too large for λ to be followed: choose another strength")
        with ctx.workprec(_UNIT_BITS):
            unit = (1 / rate).mid().fmpq()
        return cls(flow.scaled(unit), a * unit, b * unit, rate * unit)


def _square(at: Disc) -> arb:
    """The square of the size of (u, m)."""
    u, m = at.box[0], at.overlap
    return u * u + m * m


Reading = Callable[[Disc], arb]
_READINGS: dict[str, Reading] = {
    "state": _square,
    "overlap": lambda at: at.overlap * at.overlap,
}


def _begun(phase: SearchPhase, level: fmpq, reading: Reading) -> tuple[fmpq, Disc]:
    """A parameter below which the manifold is known, and inside the level; its place there."""
    size, curve = level / 2, manifold_curve(phase)
    for _ in range(_HALVINGS):
        size /= 2
        error = error_of(phase, curve, size)
        tube = places_on(curve, arb(0).union(arb(size)), error)
        if error < size * _ACCURACY and reading(tube) < level**2:
            return size, places_on(curve, arb(size), error)
    raise Undecided("the unstable manifold is not enclosed: choose a strength off a singularity")


def places_on(curve: Curve, size: arb, error: arb) -> Disc:
    """All places of a curve at parameters of a ball, and what is within an error of them.

    Arguments:
        curve: u and φ as polynomials in the parameter.
        size: a ball of parameters.
        error: ≥ 0, a distance.
    """
    u, turn = (part(size) for part in curve)
    angle = arb.pi() / 2 - turn
    return Disc(u.mid(), angle.mid(), (length_of(u.rad(), angle.rad()) + error).upper())


def _field(flow: BallFlow, u: arb_series, turn: arb_series) -> tuple[arb_series, arb_series]:
    """The velocity of u and φ; that of θ is the opposite."""
    by_u, by_angle = flow.velocity(u, turn.sin(), turn.cos())
    return by_u, -by_angle


def manifold_curve(phase: SearchPhase) -> Curve:
    r"""The manifold to order ``ORDER`` - 1, by :math:`(k\lambda - M)\,p_k = [s^k] f(P_{<k})`.

    The flow is odd, and so is P.
    """
    a, b, rate = phase.a, phase.b, phase.rate
    norm = (rate * rate + a * a).sqrt()
    u, turn = (arb_series([0, part / norm]) for part in (rate, a))
    for k in range(3, ORDER, 2):
        first, second = (part[k] for part in _field(phase.flow, u, turn))
        grown = k * rate
        determinant = grown * (grown - b) - a * a
        u += arb_series([0] * k + [(grown * first + a * second) / determinant])
        turn += arb_series([0] * k + [(a * first + (grown - b) * second) / determinant])
    return arb_poly(u.coeffs()), arb_poly(turn.coeffs())


def error_of(phase: SearchPhase, curve: Curve, size: fmpq) -> arb:
    r"""A bound of what the curve cuts off up to a parameter, infinite if none is found.

    Arguments:
        phase: the flow around 0.
        curve: as ``manifold_curve`` makes it.
        size: the parameter, > 0.

    On the orbit :math:`s = s_0 e^{\lambda t}` the curve misses the field by at most :math:`C s^n`,
    n = ``ORDER``: all lower orders agree. Where solutions part at a rate of at most ω < nλ it is
    thus within :math:`C s^n / (n\lambda - \omega)` of the manifold, as long as that holds.
    """
    span = arb(0).union(arb(size))
    if not phase.flow.is_regular(arb.pi() / 2 - curve[1](span)):
        return arb("inf")
    shifted = (arb_series(part(arb_poly([span, 1])).coeffs()) for part in curve)
    missed = length_of(*(part[ORDER] for part in _field(phase.flow, *shifted)))
    missed *= arb(size) ** ORDER
    guess = (2 * missed / (ORDER * phase.rate)).upper()
    if not guess < size:
        return arb("inf")
    parting = phase.flow.rate(*places_on(curve, span, guess).box)
    slack = ORDER * phase.rate - parting
    if not ((slack > 0 and missed / slack < guess) or missed.is_zero()):
        return arb("inf")
    return guess
