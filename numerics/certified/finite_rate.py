r"""The flow of a finite learning rate, to be enclosed: the gradient flow and the noise of samples.

The term of ``derive.finite_rate`` is of the angle alone, :math:`\dot\theta = \dots +
\tfrac{\gamma d}{2B} u^2 N \cot\theta`. It is no gradient: solutions part at a rate of at most the
largest eigenvalue of the symmetric part of the Jacobian.
"""

from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import Any

from flint import arb, fmpq
from sympy import Rational

from derive.errors import InputError
from derive.finite_rate import noise_landscape
from derive.pair import Pair, PairLike
from derive.symbols import Q, residual, rho
from numerics.certified.flow import (
    BallFlow,
    Number,
    Table,
    ball_flow,
    coefficient_table,
    in_covariance,
    in_variance,
    rational,
    table_value,
    times,
)
from numerics.certified.strengths import StrengthsLike


@dataclass(frozen=True)
class FiniteRateFlow(BallFlow):
    """The flow of a polynomial pair in the limit of large d at a fixed γd, inside \\|m\\| < 1.

    Fields: those of ``BallFlow``; ``shrinking``, :math:`\\tfrac{\\gamma d}{2B}N` as a table of
    coefficients. Certified.
    """

    shrinking: Table

    def scaled(self, factor: fmpq) -> "FiniteRateFlow":
        """The flow with all velocities multiplied by a positive factor: time in another unit."""
        gradient = super().scaled(factor)
        tables = gradient.by_variance, gradient.by_covariance, times(self.shrinking, factor)
        return FiniteRateFlow(self.mu, *tables)

    def is_regular(self, angle: arb) -> bool:
        r"""Whether no angle of a ball is that of \|m\| = 1, where this flow ends."""
        return not angle.sin().contains(0)

    def velocity(self, u: Any, m: Any, w: Any) -> tuple[Any, Any]:
        """``u̇`` and ``θ̇`` at u, m = cos θ and w = sin θ: balls, or power series in time."""
        by_u, by_angle = super().velocity(u, m, w)
        noise = table_value(self.shrinking, *self.place(u, m))
        return by_u, by_angle + u * u * m / w * noise

    def hessian(self, u: arb, angle: arb) -> tuple[arb, arb, arb]:
        """Minus the symmetric part of the Jacobian, in (u, u), (u, θ), (θ, θ)."""
        uu, mixed, other = super().hessian(u, angle)
        m, w = angle.cos(), angle.sin()
        variance, covariance = self.place(u, m)
        noise, by_variance, by_covariance = (
            table_value(table, variance, covariance) for table in self._shrinking
        )
        tilt = m / w
        by_u = 2 * u * noise + u * u * (by_variance * 2 * (u + self.mu * m) + by_covariance * m)
        by_m = u * (2 * self.mu * by_variance + by_covariance)
        by_angle = u * u * (-noise / (w * w) - m * by_m)
        return uu, mixed - tilt * by_u / 2, other - by_angle

    @cached_property
    def _shrinking(self) -> tuple[Table, Table, Table]:
        return self.shrinking, in_variance(self.shrinking), in_covariance(self.shrinking)


def finite_rate_flow(
    pair: PairLike, mu: StrengthsLike, scaled_rate: Number, label_noise: Number = 0
) -> BallFlow:
    """The flow of a polynomial pair at a finite learning rate, to be enclosed.

    Arguments:
        pair, mu: as ``ball_flow`` takes them.
        scaled_rate: γd/B ≥ 0, exact; 0 is the gradient flow.
        label_noise: standard deviation of noise on the labels, exact.

    Raises ``InputError`` as ``ball_flow`` does and for a negative rate. Source: (38)-(40).
    Certified.

    >>> flow = finite_rate_flow("x", "0.5", 2)
    >>> [value.str(5) for value in flow.velocity(arb(1), arb(0), arb(1))]
    ['-1.0000', '-0.50000']
    """
    gradient, rate = ball_flow(pair, mu), rational(scaled_rate)
    if rate < 0:
        raise InputError(f"scaled rate {scaled_rate} is not accepted: give γd/B ≥ 0")
    if rate == 0:
        return gradient
    table = _noise(Pair.of(pair), Fraction(str(rational(label_noise))))
    tables = gradient.by_variance, gradient.by_covariance, times(table, rate / 2)
    return FiniteRateFlow(gradient.mu, *tables)


@lru_cache(maxsize=64)  # the same for all strengths and rates
def _noise(pair: Pair, deviation: Fraction) -> Table:
    """The mean square of a sample's pull, of Q and ρ."""
    noise = noise_landscape(pair, Rational(*deviation.as_integer_ratio()))
    return coefficient_table(noise.subs(residual, Q - rho**2))
