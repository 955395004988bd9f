"""Singularities of the escape time: every zero of ``a`` in (0, 1), with proofs.

The drift polynomials come from ``derive``, exact; their roots are isolated and refined in
``numerics.certified.roots``; the sign of ``b`` at a root is decided by exact arithmetic if it is
zero and by an enclosure that excludes zero if it is not. Those of Hermite students whose zeros are
counted for every degree need no polynomial (``numerics.certified.hermite``).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import singledispatch
from math import nan
from typing import TYPE_CHECKING, Self

from flint import arb, ctx, fmpq

from derive.command.frames import axes_for, frame
from derive.command.hypertext import box, grid
from derive.command.tabular import rounded
from derive.drift import AnyDrift, ClosedDrift, Drift, MeanDrift
from derive.errors import InputError
from derive.escape import local_law
from derive.hermite import checked_degree
from derive.pair_drift import DriftLike, drift_of
from derive.polynomial_drift import HermiteDrift
from derive.symbols import mu, z
from numerics.certified.balls import (
    Enclosure,
    bits_for,
    enclosure,
    evaluate,
    flint_polynomial,
    fraction,
)
from numerics.certified.drift import BallDrift, ball_drift
from numerics.certified.effort import Effort, counted
from numerics.certified.hermite import counted_zeros, zeros_are_counted
from numerics.certified.precision import accurate, settled
from numerics.certified.roots import RealRoot, enclose_root, isolate_roots, vanishes_at
from numerics.certified.zeros import isolate_zeros, values_at_zero

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame


@dataclass(frozen=True)
class Singularity:
    """A zero of ``a`` in (0, 1) and what the escape time does there.

    Fields: ``mu`` the zero and ``b`` the other drift coefficient there, enclosed; ``diverges``
    whether the escape time is infinite there (``b ≤ 0``) rather than ``1/b``; ``constant`` the
    enclosed ``C`` of ``τ ≈ C/(μ-μ*)^(2·multiplicity)``, ``None`` unless ``b < 0``;
    ``multiplicity`` of the zero; ``interval``, bounds between which it is the only zero; ``bits``
    of working precision that it took; ``unit`` of time, and so of ``constant``.
    """

    mu: Enclosure
    b: Enclosure
    diverges: bool
    constant: Enclosure | None
    multiplicity: int
    interval: tuple[Fraction, Fraction]
    bits: int
    unit: str

    def __repr__(self) -> str:
        return f"Singularity(μ = {self.mu}, {self._fate()})"

    def _shown_fate(self) -> str:
        """For a notebook, with formulas between dollars."""
        if self.diverges and self.constant is None:
            return r"$\tau$ diverges, $b = 0$"
        number = rounded(float(self.constant or self.b), 6).latex.strip("$")
        if not self.diverges:
            return rf"$\tau = 1/b$, $b = {number}$"
        law = rf"\tau \sim {number}/(\mu-\mu_\star)^{{{2 * self.multiplicity}}}"
        return f"${law}$ in units of {self.unit}"

    def _fate(self) -> str:
        if not self.diverges:
            return f"τ = 1/b, b = {float(self.b):.6g} > 0"
        if self.constant is None:
            return "τ diverges, b = 0"
        law = f"{float(self.constant):.6g}/(μ - μ*)^{2 * self.multiplicity}"
        return f"τ ~ {law} in units of {self.unit}"


class Singularities(tuple[Singularity, ...]):
    """Every zero of ``a`` in (0, 1), in increasing order: a tuple that notebooks can show.

    Fields: ``took``, what finding and enclosing all of them took.
    """

    took: Effort

    def __new__(cls, found: Iterable[Singularity] = (), took: Effort | None = None) -> Self:
        """These, with what they took."""
        self = super().__new__(cls, found)
        self.took = took or Effort()
        return self

    def _repr_html_(self) -> str:
        rows = [(s.mu, s.b, s._shown_fate()) for s in self]
        content = grid((r"$\mu_\star$", r"$b(\mu_\star)$", "escape time"), rows) if rows else ""
        count = (
            f"{len(rows)} {'strength' if len(rows) == 1 else 'strengths'}"
            if rows
            else "no strength"
        )
        return box(f"a vanishes at {count} in (0, 1)", "certified", content, "the list is complete")

    def to_frame(self) -> "DataFrame":
        """A row a zero: μ and b as doubles with their radii, whether τ diverges, for ``pandas``."""
        columns = {
            "mu": [float(s.mu) for s in self],
            "mu_radius": [float(s.mu.radius) for s in self],
            "b": [float(s.b) for s in self],
            "b_radius": [float(s.b.radius) for s in self],
            "diverges": [s.diverges for s in self],
            "constant": [nan if s.constant is None else float(s.constant) for s in self],
            "multiplicity": [s.multiplicity for s in self],
        }
        return frame(columns, certainty="certified")

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Mark the zeros over μ, as on a curve: dotted where τ diverges, dashed where it does not.

        Arguments:
            ax: where to draw; a new figure of (0, 1) by default.
        """
        new, ax = ax is None, axes_for(ax)
        if new:
            ax.set(xlim=(0, 1), yticks=[])
        for s in self:
            ax.axvline(float(s.mu), color="0.3", linestyle=":" if s.diverges else "--", lw=0.9)
        ax.set_xlabel(r"pre-training strength $\mu$")
        return ax


def find_singularities(drift: DriftLike, digits: int = 30) -> Singularities:
    r"""Find every zero of ``a`` in the open interval (0, 1), in increasing order.

    Arguments:
        drift: of any pair, or what ``drift_of`` takes.
        digits: ≥ 1, of relative accuracy for the zeros, for ``b`` and for the constants of the
            local law.

    Raises ``InputError`` if ``a`` vanishes identically or grows too fast for its tail bound and for
    misaligned pre-training, where the escape goes on through κ, and ``Undecided`` if enclosures do
    not settle the question (polynomial drifts are always decided).
    Source: Sec. 3.1, Prop. 2. Certified: the list is complete, every enclosure contains the truth,
    every sign is proved.

    >>> from derive.polynomial_drift import hermite_drift
    >>> only, = find_singularities(hermite_drift(3), digits=10)
    >>> only.mu.mid, only.diverges
    ('0.3207243473', True)
    """
    digits = checked_degree(digits, "digits", least=1)
    drift = drift_of(drift)
    if drift.misalignment != 0:
        raise InputError("singularities are those of aligned pre-training: give no misalignment")
    if drift.is_zero:
        raise InputError("a vanishes identically: every μ is a zero, there is nothing to isolate")
    with counted() as count:
        found = _singularities(drift, digits)
    return Singularities(found, count.effort)


@singledispatch
def _singularities(drift: AnyDrift, digits: int) -> tuple[Singularity, ...]:
    """From enclosures, which never show that b is 0."""
    balls = ball_drift(drift)
    zeros = isolate_zeros(balls)
    if zeros and _vanish_together(drift):
        balls = replace(balls, b=lambda strength: arb(0))
    return tuple(_enclosed(balls, interval, drift.unit, digits) for interval in zeros)


@singledispatch
def _vanish_together(drift: AnyDrift) -> bool:
    """Whether a = μ b is proved: labels and student of opposite parity leave -μP and -P alone."""
    return False


@_vanish_together.register
def _(drift: ClosedDrift) -> bool:
    difference = drift.derived_a - mu * drift.derived_b
    return replace(drift, derived_a=difference, means=None).is_zero


@_vanish_together.register
def _(drift: MeanDrift) -> bool:
    if drift.label is None or drift.student is None:
        return False
    label, student = drift.label, drift.student
    odd, other = (label, student) if label.is_odd else (student, label)
    return odd.is_odd and (other * z).is_odd


@_singularities.register
def _(drift: Drift, digits: int) -> tuple[Singularity, ...]:
    """Decided, whatever the polynomial: by isolation in integer arithmetic."""
    roots = isolate_roots(flint_polynomial(drift.a).numer())
    in_order = sorted(roots, key=lambda root: root.lower + root.upper)  # intervals are disjoint
    return tuple(_singularity(drift, root, bits_for(digits), digits) for root in in_order)


@_singularities.register
def _(drift: HermiteDrift, digits: int) -> tuple[Singularity, ...]:
    """Without a polynomial, at any degree, where the number of zeros is proved."""
    if not zeros_are_counted(drift):
        return _singularities.dispatch(Drift)(drift, digits)
    zeros = counted_zeros(drift)
    return tuple(_enclosed(zero.drift, zero.interval, drift.unit, digits) for zero in zeros)


def _enclosed(drift: BallDrift, interval: tuple[fmpq, fmpq], unit: str, digits: int) -> Singularity:
    """The one zero in an interval, a simple one."""
    (mu, b, slope), took = values_at_zero(drift, interval, bits_for(digits))
    with ctx.workprec(2 * bits_for(digits)):
        constant = -b / slope**2
    return _told((mu, b, constant), 1, interval, took, unit, digits)


def _told(
    values: tuple[arb, arb, arb], multiplicity: int, interval: tuple[fmpq, fmpq], bits: int,
    unit: str, digits: int,
) -> Singularity:  # fmt: skip
    """A singularity of the balls of μ, b and the constant there, the bits that they took."""
    mu, b, constant = values
    return Singularity(
        mu=enclosure(mu, digits),
        b=enclosure(b, digits),
        diverges=not b > 0,
        constant=enclosure(constant, digits) if b < 0 else None,
        multiplicity=multiplicity,
        interval=(fraction(interval[0]), fraction(interval[1])),
        bits=bits,
        unit=unit,
    )


def _singularity(drift: Drift, root: RealRoot, bits: int, digits: int) -> Singularity:
    minus_b, slope = (flint_polynomial(f) for f in local_law(drift, root.multiplicity))
    flat = vanishes_at(minus_b.numer(), root)

    def values(precision: int) -> tuple[arb, arb, arb]:
        mu = enclose_root(root, precision // 2 + bits // 2)
        b = arb(0) if flat else -evaluate(minus_b, mu)
        return mu, b, -b / evaluate(slope, mu) ** 2

    # Polynomials of high degree cancel: doubled until enough is left, which it is in the end.
    found, took = settled(values, accurate(bits), first=2 * bits, most=None)
    ends = root.lower, root.upper
    return _told(found, root.multiplicity, ends, took, drift.unit, digits)
