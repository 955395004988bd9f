r"""The gradient flow of polynomial pairs, to be enclosed: its field in balls, discs of states.

In ``(u, θ)`` with ``m = cos θ`` the flow (91) is that of the Euclidean gradient, ``u̇ = -∂_u L`` and
``θ̇ = -∂_θ L``. So its Jacobian is minus the Hessian of the loss, symmetric, and two solutions part
at a rate of at most ``-λ_min`` of that Hessian: discs of this plane wrap nothing. They are moved by
``numerics.certified.integrator``.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import Any

from flint import arb, ctx, fmpq
from sympy import Expr, Poly

from derive.errors import InputError, Undecided, quoted
from derive.pair import Pair, PairLike
from derive.rest import loss_slopes
from derive.symbols import Q, rho
from numerics.certified.strengths import StrengthsLike, strengths_of

LARGEST_RADIUS = 0.25  # of a disc that still says something
ORDER = 18  # of Taylor polynomials
_BITS = 96  # of working precision
Number = float | str | Fraction | fmpq
Table = tuple[tuple[fmpq, ...], ...]  # of coefficients of Q^i ρ^j


@contextmanager
def flow_arithmetic() -> Iterator[None]:
    """Working precision of balls, and length of power series."""
    before = ctx.cap
    with ctx.workprec(_BITS):
        ctx.cap = ORDER + 1
        try:
            yield
        finally:
            ctx.cap = before


@dataclass(frozen=True)
class Disc:
    """All states within ``radius`` of a centre ``u``, ``angle`` in the plane of (u, θ).

    The centre is exact. ``box`` gives balls of u and θ, ``overlap`` one of m = cos θ. Certified.
    """

    u: arb
    angle: arb
    radius: arb

    @property
    def box(self) -> tuple[arb, arb]:
        """Balls that hold u and θ."""
        return widened(self.u, self.radius), widened(self.angle, self.radius)

    @property
    def overlap(self) -> arb:
        """A ball that holds m."""
        return self.box[1].cos()

    def aligned(self) -> "Disc":
        """The disc with the sign of u flipped if u·m < 0.

        Raises ``Undecided`` where the sign of u·m is open.
        """
        product = self.box[0] * self.overlap
        if not (product > 0 or product < 0):
            raise Undecided("the sign of u·m is open: give a narrower start or another time")
        return self if product > 0 else Disc(-self.u, self.angle, self.radius)


@dataclass(frozen=True)
class BallFlow:
    """The gradient flow of a polynomial pair at a rational pre-training strength.

    Fields: ``mu``; ``by_variance``, ``by_covariance``, the slopes of the loss in Q and ρ as tables
    of coefficients. Certified.
    """

    mu: fmpq
    by_variance: Table
    by_covariance: Table

    def scaled(self, factor: fmpq) -> "BallFlow":
        """The flow with all velocities multiplied by a positive factor: time in another unit."""
        tables = (times(table, factor) for table in (self.by_variance, self.by_covariance))
        return BallFlow(self.mu, *tables)

    def slopes(self, variance: Any, covariance: Any) -> tuple[Any, Any]:
        """The slopes of the loss in Q and ρ there: of rationals, balls or power series."""
        first = table_value(self.by_variance, variance, covariance)
        return first, table_value(self.by_covariance, variance, covariance)

    def search_phase(self) -> tuple[fmpq, fmpq]:
        r"""The drift ``a`` = -(2μ L_Q + L_ρ) and ``b`` = -2 L_Q at u = m = 0 (57). Exact."""
        by_variance, by_covariance = map(fmpq, self.slopes(self.mu**2, self.mu))
        return -(2 * self.mu * by_variance + by_covariance), -2 * by_variance

    def place(self, u: Any, m: Any) -> tuple[Any, Any]:
        """Variance Q and covariance ρ at u and m."""
        along = u * m
        return u * u + along * (2 * self.mu) + self.mu**2, along + self.mu

    def is_regular(self, angle: arb) -> bool:
        """Whether the flow is defined at all angles of a ball, as this one is everywhere."""
        return True

    def velocity(self, u: Any, m: Any, w: Any) -> tuple[Any, Any]:
        r"""``u̇`` and ``θ̇`` at u, m = cos θ and w = sin θ: balls, or power series in time (91).

        .. math:: \dot u = -\partial_u L, \qquad \dot\theta = w\,\partial_m L
        """
        by_variance, by_covariance = self.slopes(*self.place(u, m))
        by_u = (u + m * self.mu) * (by_variance * 2) + m * by_covariance
        return -by_u, w * (u * (by_variance * (2 * self.mu) + by_covariance))

    def hessian(self, u: arb, angle: arb) -> tuple[arb, arb, arb]:
        """Second derivatives of the loss in (u, u), (u, θ), (θ, θ) over a box of balls."""
        m, w, mu = angle.cos(), angle.sin(), self.mu
        variance, covariance = self.place(u, m)
        q, r, qq, qr, rr = (table_value(f, variance, covariance) for f in self._slopes)
        by_u, by_m = 2 * (u + mu * m), 2 * mu * u  # of Q; those of ρ are m and u
        uu = qq * by_u * by_u + 2 * qr * by_u * m + rr * m * m + 2 * q
        um = qq * by_u * by_m + qr * (by_u * u + by_m * m) + rr * m * u + 2 * mu * q + r
        mm = qq * by_m * by_m + 2 * qr * by_m * u + rr * u * u
        return uu, -w * um, w * w * mm - m * (q * by_m + r * u)

    @cached_property
    def _slopes(self) -> tuple[Table, ...]:
        first, second = self.by_variance, self.by_covariance
        return first, second, in_variance(first), in_variance(second), in_covariance(second)

    def rate(self, u: arb, angle: arb) -> arb:
        """A number that no rate exceeds at which solutions part in a box: ``-λ_min``."""
        uu, mixed, other = self.hessian(u, angle)
        return (length_of((uu - other) / 2, mixed) - (uu + other) / 2).upper()

    def overlap_grows(self, at: Disc) -> bool:
        r"""Whether \|m\| grows at all states of a disc: ṁ = -w θ̇ has the sign of m there."""
        u, angle = at.box
        m, w = angle.cos(), angle.sin()
        return bool(-m * w * self.velocity(u, m, w)[1] > 0)


def ball_flow(pair: PairLike, mu: StrengthsLike) -> BallFlow:
    """The flow of a polynomial pair, to be enclosed.

    Arguments:
        pair: teacher and student polynomials, aligned; labels and loss as they are.
        mu: one strength in [0, 1], exact as ``strengths_of`` takes it.

    Raises ``InputError`` for other pairs, and for no or several strengths. Source: (33), (51),
    (91). Certified.

    >>> flow = ball_flow("x", "0.5")
    >>> [value.str(5) for value in flow.velocity(arb(1), arb(0), arb(1))]
    ['-1.0000', '-0.50000']
    """
    pair, given = Pair.of(pair), strengths_of(mu)
    if pair.misalignment != 0:
        raise InputError(
            f"misalignment {pair.misalignment} is not accepted: give none, the flow of aligned "
            "pairs is enclosed"
        )
    if len(given) != 1:
        raise InputError(f"{len(given)} strengths are not accepted: give one to enclose the flow")
    by_variance, by_covariance = _slope_tables(pair)
    return BallFlow(rational(given[0]), by_variance, by_covariance)


@lru_cache(maxsize=64)  # the same for all strengths
def _slope_tables(pair: Pair) -> tuple[Table, Table]:
    """The slopes of a polynomial pair's loss in Q and ρ."""
    by_variance, by_covariance = loss_slopes(pair)
    return coefficient_table(by_variance), coefficient_table(by_covariance)


def disc(u: Number, m: Number, radius: Number = 0) -> Disc:
    r"""A start: u and m, and all states within a radius of it in (u, θ), m = cos θ.

    Arguments:
        u, m: decimals as text, rationals, or floats, which are taken as they are; \|m\| ≤ 1.
        radius: from 0 to 1/4.

    Raises ``InputError`` for other values. Certified: the disc contains what is given.

    >>> disc("0.1", "-0.2").overlap.contains(arb("-0.2"))
    True
    """
    with flow_arithmetic():
        place, overlap, spread = (arb(rational(each)) for each in (u, m, radius))
        if not (abs(rational(m)) <= 1 and 0 <= spread <= LARGEST_RADIUS):
            raise InputError(
                f"start u = {u}, m = {m}, radius {radius} is not accepted: give |m| ≤ 1 and a "
                f"radius in [0, {LARGEST_RADIUS}]"
            )
        angle = overlap.acos()
        spread += length_of(place.rad(), angle.rad())
        return Disc(place.mid(), angle.mid(), spread.upper())


def rational(number: Number) -> fmpq:
    """A number exactly, text as the decimal or fraction that it is; raises ``InputError`` else.

    >>> rational("0.3"), rational(0.5)
    (3/10, 1/2)
    """
    if isinstance(number, fmpq):
        return number
    try:
        return fmpq(*Fraction(number).as_integer_ratio())
    except (ValueError, OverflowError, ZeroDivisionError):
        raise InputError(f"{quoted(number)} is not accepted: give a finite number") from None


def turned(m: int) -> arb:
    """θ where m is 1 or -1."""
    return arb(0) if m > 0 else arb.pi()


def length_of(x: arb, y: arb) -> arb:
    """Upper bound of √(x² + y²); squares are products, as powers of balls around 0 are NaN."""
    return (x * x + y * y).upper().sqrt().upper()


def widened(ball: arb, radius: arb) -> arb:
    """A ball with a larger radius."""
    return ball + arb(0, radius.upper())


# Polynomials of Q and ρ.


def coefficient_table(expression: Expr) -> Table:
    """The coefficients of a polynomial in Q and ρ."""
    polynomial = Poly(expression, Q, rho)
    rows: list[dict[int, fmpq]] = [{0: fmpq(0)} for _ in range(max(polynomial.degree(Q), 0) + 1)]
    for (i, j), c in polynomial.terms():
        rows[i][j] = fmpq(int(c.p), int(c.q))
    return tuple(tuple(row.get(j, fmpq(0)) for j in range(max(row) + 1)) for row in rows)


def times(table: Table, factor: fmpq) -> Table:
    """The polynomial times a number."""
    return tuple(tuple(c * factor for c in row) for row in table)


def in_variance(table: Table) -> Table:
    """The derivative in Q."""
    rows = tuple(tuple(i * c for c in row) for i, row in enumerate(table) if i)
    return rows or ((fmpq(0),),)


def in_covariance(table: Table) -> Table:
    """The derivative in ρ."""
    return tuple(tuple(j * c for j, c in enumerate(row) if j) or (fmpq(0),) for row in table)


def table_value(table: Table, variance: Any, covariance: Any) -> Any:
    """The polynomial at Q and ρ, by Horner's rule: balls, or power series.

    Arguments:
        table: of coefficients, a row for each power of Q.
        variance: Q.
        covariance: ρ.
    """
    return _horner([_horner(row, covariance) for row in table], variance)


def _horner(coefficients: Sequence[Any], x: Any) -> Any:
    total = coefficients[-1]
    for coefficient in reversed(coefficients[:-1]):
        total = total * x
        if not (isinstance(coefficient, fmpq) and coefficient == 0):
            total = total + coefficient
    return total
