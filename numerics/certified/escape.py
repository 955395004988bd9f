"""Escape-time curves of the search phase over the pre-training strength.

Polynomials are evaluated exactly at rational strengths, everything else in ball arithmetic; every
double is within one unit in the last place of the truth.
"""

from dataclasses import dataclass, field
from math import inf, isinf, log, nan
from typing import TYPE_CHECKING, Any

from flint import arb, fmpq

from derive.command.frames import axes_for, frame
from derive.command.hypertext import box, grid
from derive.command.tabular import rounded
from derive.errors import InputError
from derive.pair_drift import DriftLike, drift_of
from numerics.certified.balls import DOUBLE_BITS, SMALLEST
from numerics.certified.drift import BallDrift, ball_drift
from numerics.certified.effort import Effort, counted
from numerics.certified.precision import accurate, settled
from numerics.certified.strengths import StrengthsLike, strengths_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame

_FIRST_BITS = 80  # what a quadrature needs to give 60 bits, most of the time


@dataclass(frozen=True)
class EscapeCurve:
    """Drift coefficients, growth rate and escape time over pre-training strengths.

    Fields, equally long: ``mu``; ``a``, ``b``; ``rate`` :math:`\\lambda_+`; ``tau`` its inverse,
    ``inf`` where there is no escape; ``bits`` of working precision that each took. ``unit`` is that
    of ``tau``, ``took`` what all took. Certified: each double is within one unit in the last place.
    ``exit_time`` gives :math:`\\tfrac12 \\tau \\log d` (9).
    """

    mu: tuple[float, ...]
    a: tuple[float, ...]
    b: tuple[float, ...]
    rate: tuple[float, ...]
    tau: tuple[float, ...]
    bits: tuple[int, ...]
    unit: str
    took: Effort = field(default_factory=Effort, compare=False)

    def exit_time(self, dimension: int) -> tuple[float, ...]:
        """Exit time to leading order in the dimension, ``½ τ log d`` (9), (61)."""
        return tuple(tau * log(dimension) / 2 for tau in self.tau)

    def __repr__(self) -> str:
        if not self.mu:
            return "EscapeCurve(no strengths)"
        ends = (rounded(f(xs), 6).plain for xs in (self.mu, self.tau) for f in (min, max))
        return "EscapeCurve({} strengths, μ from {} to {}, τ from {} to {} in units of {})".format(
            len(self.mu), *ends, self.unit
        )

    def _repr_html_(self) -> str:
        rows = zip(self.mu, self.a, self.b, self.rate, self.tau, strict=True)
        shown = [[rounded(value, 6).plain for value in row] for row in rows]
        head = ("μ", "a", "b", "λ₊", f"τ ({self.unit})")
        title = f"Escape time at {len(self.mu)} pre-training strengths"
        return box(
            title, "certified", grid(head, shown), "each double within one unit in its last place"
        )

    def to_frame(self) -> "DataFrame":
        """A row a strength: μ, a, b, rate and τ, for ``pandas``; the unit is in its ``attrs``."""
        columns = {name: list(getattr(self, name)) for name in ("mu", "a", "b", "rate", "tau")}
        return frame(columns, unit=self.unit, certainty="certified")

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw τ over μ; where it is infinite the line is broken."""
        ax = axes_for(ax)
        ax.plot(self.mu, [tau if tau < inf else nan for tau in self.tau])
        ax.set(xlabel=r"pre-training strength $\mu$", ylabel=rf"$\tau$ ({self.unit})", yscale="log")
        return ax


def escape_curve(drift: DriftLike, strengths: StrengthsLike) -> EscapeCurve:
    r"""Evaluate the escape time and what it is made of at rational pre-training strengths.

    Arguments:
        drift: of any pair, or what ``drift_of`` takes.
        strengths: in [0, 1], as ``strengths_of`` takes them.

    .. math:: \tau = 1/\lambda_+, \qquad \lambda_+ = \tfrac12 (b + \sqrt{b^2+4(a^2+\nu^2 b^2)})

    with ν = 0 in the main model. Raises ``InputError`` for a strength outside [0, 1] and where
    ``b`` is infinite, as it may be at 0, and ``Undecided`` if an enclosure does not narrow, as that
    of a polynomial always does. Source: (59), App. A.1. Certified.

    >>> curve = escape_curve("x", [0.5])
    >>> curve.tau, curve.unit
    ((4.82842712474619,), '1/γ')
    """
    drift, points = drift_of(drift), strengths_of(strengths)
    with counted() as count:
        balls = ball_drift(drift)
        rows = [(float(mu), *_point(balls, fmpq(mu.numerator, mu.denominator))) for mu in points]
    columns: list[tuple[Any, ...]] = list(zip(*rows, strict=True)) or [()] * 6
    mu, a, b, rate, tau, bits = columns
    return EscapeCurve(mu, a, b, rate, tau, bits, drift.unit, count.effort)


def _point(balls: BallDrift, strength: fmpq) -> tuple[float, ...]:
    """``a``, ``b``, rate and time as doubles, and the bits that they took."""

    def values(_: int) -> tuple[arb, ...]:
        a, b, rate = balls.at(strength)
        return (a, b, rate) if rate.is_zero() else (a, b, rate, 1 / rate)

    question = f"a, b and the rate at μ = {strength} are not enclosed"

    def enough(balls: tuple[arb, ...]) -> bool:  # what no double holds is refused, not pursued
        return accurate(DOUBLE_BITS)(balls) or any(abs(ball) < SMALLEST for ball in balls)

    known, bits = settled(values, enough, question, first=_FIRST_BITS)
    doubles = [float(ball.mid()) for ball in known]
    for value, ball, name in zip(doubles, known, ("a", "b", "the rate", "the time"), strict=False):
        if isinf(value) or (value == 0) != ball.is_zero():
            raise InputError(
                f"{name} at μ = {float(strength):.6g} leaves the range of doubles: choose a "
                "smaller degree or bias, other strengths, or the normalisation n*n!"
            )
    return (*doubles, *[inf] * known[2].is_zero(), bits)
