r"""Hermite coefficients of any activation to any order, and what an expansion leaves out.

Under a Gaussian of variance q the orthonormal coefficients are

.. math:: d_k = E[h_k(g)\,\sigma(\sqrt q\,g)] = \int \sigma(\sqrt q\,x)\,h_k(x)\,\varphi(x)\,dx

All of them come from one rule (``numerics.certified.quadrature``), with the recurrence of the
:math:`h_k` at its nodes, in balls of enough precision. For the kernels of that rule, at any
:math:`0 < t < 1`, Mehler's formula at :math:`z = x + iy` gives

.. math:: |h_k(z)\,e^{-z^2/2}| \le t^{-k/2}\,(1-t^2)^{-1/4}
          \exp\Big(\!-\frac{x^2}{2(1+t)} + \frac{y^2}{2(1-t)}\Big)

for :math:`\sum_k t^k |h_k(z)|^2` is its kernel at z and its conjugate. The even and the odd part of
σ are integrated on their own: a part that is a polynomial has coefficients that are exact.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from math import isqrt
from typing import TYPE_CHECKING

from flint import arb, ctx, fmpq
from sympy import Expr, S, sqrt

from derive.activation import Activation
from derive.command.frames import axes_for, frame
from derive.command.hypertext import box, grid
from derive.command.tabular import rounded
from derive.conventions import convention_of
from derive.grammar import ActivationLike, parse_activation, parse_variance
from derive.growth import insist_on_finite_risk
from derive.hermite import checked_degree, hermite_coefficients
from derive.kinds import HermiteConvention
from derive.piecewise import PiecewiseAnalytic, in_order
from derive.symbols import z
from numerics.certified.balls import Enclosure, bits_for, enclosure
from numerics.certified.effort import Effort, counted
from numerics.certified.expressions import ball_function
from numerics.certified.means import mean_function
from numerics.certified.precision import settled
from numerics.certified.quadrature import Envelope, rule_for

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame

_FIRST_BITS = 64
_GUARD = 32
_MOST_BITS = 2**14
_TIMES = 3  # what is smaller than so many times the digits is as good as 0


@dataclass(frozen=True)
class HermiteExpansion:
    """Hermite coefficients of an activation under a Gaussian, and what they leave out. Certified.

    Fields: ``activation``; ``variance``; ``convention``; ``coefficients`` of degrees 0 to the
    order; ``truncation``, the mean square of the function less its expansion; ``took``, what these
    numbers took.
    """

    activation: Activation
    variance: Expr
    convention: HermiteConvention
    coefficients: tuple[Enclosure, ...]
    truncation: Enclosure
    took: Effort = field(default_factory=Effort, compare=False)

    def __repr__(self) -> str:
        order = len(self.coefficients) - 1
        return (
            f"HermiteExpansion({self.activation.text} to order {order}, variance {self.variance}, "
            f"{convention_of(self.convention).name}, {self.truncation} left out)"
        )

    def _repr_latex_(self) -> str:
        told = convention_of(self.convention)
        values = ((k, float(c)) for k, c in enumerate(self.coefficients))
        found = [(k, rounded(c, 6).latex.strip("$")) for k, c in values if c]
        listed = r",\; ".join(f"c_{{{k}}} = {c}" for k, c in found)
        return rf"{told.latex.split('$, $')[0].strip('$')}: {listed}".join(("$", "$"))

    def _repr_html_(self) -> str:
        rows = [(k, c) for k, c in enumerate(self.coefficients)]
        title = f"Hermite coefficients of {self.activation.text}, variance {self.variance}"
        told = convention_of(self.convention)
        note = f"{told.latex}; left out in mean square: {self.truncation}"
        return box(title, "certified", grid(("degree", "coefficient"), rows), note)

    def to_frame(self) -> "DataFrame":
        """Degrees, coefficients as doubles, and their radii, for ``pandas``."""
        values = self.coefficients
        columns = {
            "degree": list(range(len(values))),
            "coefficient": [float(c) for c in values],
            "radius": [float(c.radius) for c in values],
        }
        return frame(columns, convention=self.convention, certainty="certified")

    def plot(self, ax: "Axes | None" = None) -> "Axes":
        """Draw the coefficients over the degree, as stems.

        Arguments:
            ax: where to draw; a new figure by default.
        """
        ax = axes_for(ax)
        ax.stem([float(c) for c in self.coefficients], basefmt="0.7")
        ax.set(xlabel="degree $k$", ylabel="coefficient $c_k$")
        return ax


def hermite_expansion(
    activation: ActivationLike,
    order: int,
    *,
    variance: str | int | Expr = 1,
    convention: HermiteConvention = "he",
    digits: int = 30,
) -> HermiteExpansion:
    r"""The Hermite coefficients of an activation up to an order, with certified digits.

    Arguments:
        activation: any, as ``parse_activation`` takes it.
        order: N ≥ 0.
        variance: of the Gaussian, a positive exact number.
        convention: ``he``, probabilists'; ``h``, physicists'; or ``orthonormal``.
        digits: significant digits of each number; of what is smaller than
            :math:`10^{-3\,digits}` fewer are certain, perhaps none: 0 with a radius.

    The truncation error is :math:`E\sigma^2 - \sum_{k \le N} d_k^2`, in any convention.

    Raises ``InputError`` for what is not accepted, ``Undecided`` if a function is too steep.
    Source: (28)-(30). Certified.

    >>> found = hermite_expansion("tanh", 3, digits=12)
    >>> [c.mid for c in found.coefficients], found.truncation.mid
    (['0', '0.605705509602', '0', '-0.363595376281'], '0.00538172642661')
    """
    chosen, size, n = parse_activation(activation), parse_variance(variance), checked_degree(order)
    bits = bits_for(checked_degree(digits, "digits", least=1))
    told, series = convention_of(convention), HermiteSeries(chosen, size)
    ratio = ball_function(told.coefficient(1 / sqrt(size), 1, size), [])

    def compute(accuracy: int) -> tuple[list[arb], arb]:
        return series.enclosed(n, accuracy)

    def known(found: tuple[list[arb], arb]) -> bool:
        small = arb(2) ** (-_TIMES * bits)
        sizes = [*(d * arb(k).fac().sqrt() for k, d in enumerate(found[0])), found[1]]
        return all(c.rel_accuracy_bits() >= bits or abs(c) < small for c in sizes)

    with counted() as count:
        (found, left), used = settled(
            compute, known, f"the coefficients of {chosen.text} are not enclosed", most=_MOST_BITS,
            first=max(_FIRST_BITS, bits), guard=series.guard(n),
        )  # fmt: skip
    with ctx.workprec(used + series.guard(n)):
        factorials = told.weight(2) != 1
        factors = [ratio() ** k * (arb(k).fac().sqrt() if factorials else 1) for k in range(n + 1)]
        shown = [enclosure(d * c, digits) for d, c in zip(found, factors, strict=True)]
        left_out = enclosure(left, digits)
        return HermiteExpansion(chosen, size, convention, tuple(shown), left_out, count.effort)


class HermiteSeries:
    """The orthonormal coefficients of an activation at a variance, as balls of any accuracy."""

    def __init__(self, activation: Activation, variance: Expr) -> None:
        insist_on_finite_risk(activation.value, activation.text, variance)
        root = sqrt(variance)
        parts = (activation.part(side).scaled(root).joined() for side in (1, -1))
        self._parts = [_part(f) for f in parts]

    @staticmethod
    def guard(order: int) -> int:
        """Bits of working precision beyond the accuracy that the recurrence takes.

        A ball of radius r grows at most as |h_k(ix)| φ(x), which is below 2^(k/2).
        """
        return order // 2 + _GUARD

    def enclosed(self, order: int, bits: int) -> tuple[list[arb], arb]:
        """The coefficients up to an order, to about so many bits, and the mean square of the rest.

        At a working precision of ``bits`` and ``guard``. Certified.

        >>> from derive.grammar import parse_activation
        >>> with ctx.workprec(100):
        ...     found, rest = HermiteSeries(parse_activation("relu"), S.One).enclosed(3, 60)
        >>> [d.str(5, radius=False) for d in (*found, rest)]
        ['0.39894', '0.50000', '0.28209', '0', '0.011268']
        """
        found, rest = [arb(0)] * (order + 1), arb(0)
        for parity, part in enumerate(self._parts):
            degrees = range(parity, order + 1, 2)
            values, left = part(degrees, bits)
            rest += left
            for k, value in zip(degrees, values, strict=True):
                found[k] = value
        return found, rest


class _Polynomial:
    """A part of which all coefficients are known exactly."""

    def __init__(self, part: Expr) -> None:
        found = hermite_coefficients(part, z, S.One, "orthonormal")
        self._numbers = [ball_function(c, []) for c in found]

    def __call__(self, degrees: range, bits: int) -> tuple[list[arb], arb]:
        """Coefficients of these degrees, and the mean square of the rest."""
        numbers = [number() for number in self._numbers]
        left = [d * d for k, d in enumerate(numbers) if k not in degrees]
        return [numbers[k] if k < len(numbers) else arb(0) for k in degrees], sum(left, arb(0))


class _Integrated:
    """A part, even or odd, whose coefficients are integrals over the half line."""

    def __init__(self, part: PiecewiseAnalytic) -> None:
        cut = part.refined(in_order({*part.breaks, S.Zero}))
        place = cut.breaks.index(S.Zero) + 1
        nothing = (S.Zero,) * place
        self._half = PiecewiseAnalytic((*nothing, *cut.pieces[place:]), cut.breaks).joined()
        self._square = mean_function(part * part)

    def __call__(self, degrees: range, bits: int) -> tuple[list[arb], arb]:
        """Coefficients of these degrees, and the mean square of the rest."""
        if not degrees:
            return [], self._square(arb(1))
        steep = 2 + isqrt(degrees[-1])  # 1/(1-t)
        t = fmpq(steep - 1, steep)
        loss = (arb(t) ** -(fmpq(degrees[-1], 2)) / arb(1 - t**2).root(4)).upper()
        envelope = Envelope(1 / (2 * (1 + t)), fmpq(steep, 2))
        rule = rule_for(self._half, envelope, bits + int(float(loss.log())) * 3 // 2 + 4)
        front = 2 / (2 * arb.pi()).sqrt()
        sums = [arb(0)] * len(degrees)
        for x, weight in zip(rule.nodes, rule.weights, strict=True):
            _accumulate(sums, degrees, x, weight * front * (-x * x / 2).exp())
        values = [total + arb(0, (front * loss * rule.error).upper()) for total in sums]
        return values, self._square(arb(1)) - sum((d * d for d in values), arb(0))


def _accumulate(sums: list[arb], degrees: range, x: arb, weight: arb) -> None:
    r"""Add ``weight·h_k(x)`` for each degree, every second one.

    .. math:: \sqrt{(k+1)(k+2)}\,h_{k+2} = (x^2-2k-1)\,h_k - \sqrt{k(k-1)}\,h_{k-2}
    """
    before, now, square = arb(0), weight * x ** degrees[0], x * x
    for place, (low, shift, high) in enumerate(_steps(degrees[0], len(degrees), ctx.prec)):
        sums[place] += now
        before, now = now, ((square - shift) * now - low * before) * high


@lru_cache(maxsize=8)
def _steps(first: int, count: int, bits: int) -> list[tuple[arb, int, arb]]:
    with ctx.workprec(bits):
        return [
            (arb(k * (k - 1)).sqrt(), 2 * k + 1, 1 / arb((k + 1) * (k + 2)).sqrt())
            for k in range(first, first + 2 * count, 2)
        ]


def _part(f: PiecewiseAnalytic) -> _Polynomial | _Integrated:
    smooth = not f.breaks and f.smooth.is_polynomial(z)
    return _Polynomial(f.smooth) if smooth else _Integrated(f)
