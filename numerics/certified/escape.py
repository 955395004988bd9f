"""Escape-time curves of the search phase over the pre-training strength.

Drift polynomials are evaluated exactly at rational strengths, everything else in ball arithmetic;
every double is within one unit in the last place of the truth.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import inf, isinf, log

from flint import arb, ctx, fmpq
from sympy import Poly

from derive import symbols
from derive.drift import ClosedDrift, Drift, MeanDrift
from derive.errors import InputError, Undecided
from numerics.certified.balls import rational_polynomial
from numerics.certified.drift import BallDrift, ball_drift, growth_rate

_BITS = 128
_FIRST_BITS = 80  # what a quadrature needs to give 60 bits, most of the time
_MOST_BITS = 4096


@dataclass(frozen=True)
class EscapeCurve:
    """Drift coefficients, growth rate and escape time over pre-training strengths.

    Fields, equally long: ``mu``; ``a``, ``b``; ``rate`` :math:`\\lambda_+`; ``tau`` its inverse,
    ``inf`` where there is no escape. Certified: each double is within one unit in the last place.
    ``exit_time`` gives :math:`\\tfrac12 \\tau \\log d` (9).
    """

    mu: tuple[float, ...]
    a: tuple[float, ...]
    b: tuple[float, ...]
    rate: tuple[float, ...]
    tau: tuple[float, ...]

    def exit_time(self, dimension: int) -> tuple[float, ...]:
        """Exit time to leading order in the dimension, ``½ τ log d`` (9), (61)."""
        return tuple(tau * log(dimension) / 2 for tau in self.tau)


def escape_curve(
    drift: Drift | ClosedDrift | MeanDrift, strengths: Sequence[Fraction]
) -> EscapeCurve:
    r"""Evaluate the escape time and what it is made of at rational pre-training strengths.

    Arguments: ``drift`` of any pair; ``strengths`` in [0, 1].

    .. math:: \tau = 1/\lambda_+, \qquad \lambda_+ = \tfrac12 (b + \sqrt{b^2+4(a^2+\nu^2 b^2)})

    with ν = 0 in the main model. Raises ``InputError`` for a strength outside [0, 1] and where
    ``b`` is infinite, as it may be at 0, and ``Undecided`` if an enclosure does not narrow.
    Source: (59), App. A.1. Certified.

    >>> from derive.drift import hermite_drift
    >>> escape_curve(hermite_drift(1), [Fraction(1, 2)]).tau
    (4.82842712474619,)
    """
    for strength in strengths:
        if not 0 <= strength <= 1:
            raise InputError(f"strength {strength} is not accepted: give 0 ≤ μ ≤ 1")
    point = _exact_point(drift) if isinstance(drift, Drift) else _enclosed_point(ball_drift(drift))
    rows = [(float(mu), *point(fmpq(mu.numerator, mu.denominator))) for mu in strengths]
    return EscapeCurve(*zip(*rows, strict=True)) if rows else EscapeCurve((), (), (), (), ())


def _exact_point(drift: Drift) -> Callable[[fmpq], tuple[float, ...]]:
    """Polynomial drifts: ``a``, ``b`` and ν² are rational at rational strengths."""
    square = Poly(drift.misalignment**2, symbols.mu, domain="QQ")
    a_of, b_of, square_of = (rational_polynomial(f) for f in (drift.a, drift.b, square))

    def point(mu: fmpq) -> tuple[float, ...]:
        a, b = a_of(mu), b_of(mu)
        coupling = a * a + square_of(mu) * b * b
        with ctx.workprec(_BITS):
            return _doubles(arb(a), arb(b), growth_rate(arb(b), arb(coupling)))

    return point


def _enclosed_point(drift: BallDrift) -> Callable[[fmpq], tuple[float, ...]]:
    """Other drifts: the precision is doubled until every value is known to 60 bits or zero."""

    def point(mu: fmpq) -> tuple[float, ...]:
        bits = _FIRST_BITS
        while bits <= _MOST_BITS:
            with ctx.workprec(bits):
                a, b, rate = drift.at(mu)
                if all(x.is_zero() or x.rel_accuracy_bits() >= 60 for x in (a, b, rate)):
                    return _doubles(a, b, rate)
            bits *= 2
        raise Undecided(f"a, b and the rate at μ = {mu} are not enclosed at {_MOST_BITS} bits")

    return point


def _doubles(a: arb, b: arb, rate: arb) -> tuple[float, ...]:
    tau = inf if rate.is_zero() else _double(1 / rate)
    return (*(_double(x) for x in (a, b, rate)), tau)


def _double(ball: arb) -> float:
    value = float(ball.mid())
    if isinf(value) or (value == 0) != ball.is_zero():
        raise InputError(
            f"the value {ball.str(3, radius=False)} leaves the range of doubles: choose a smaller "
            "degree, other strengths, or the normalisation n*n!"
        )
    return value


# The command.
