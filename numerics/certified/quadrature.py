r"""One rule for many Gaussian integrals of a function: nodes, weights, and an error bound.

The integrals are :math:`\int f(x)\,E(x)\,dx` for kernels ``E`` that are entire and small,

.. math:: |E(x+iy)| \le e^{-\alpha x^2 + \beta y^2}

as Hermite functions of any order are, and the density of two correlated Gaussians. ``f`` is
evaluated once for all of them: one pass gives every Hermite coefficient. Each piece of ``f`` is cut
into panels of Gauss-Legendre rules, as long as ``f`` is analytic around them. With n nodes on a
panel of half length r, and ``|f E| ≤ M`` in the ellipse around it with half axes
:math:`\tfrac r2 (\rho \pm 1/\rho)`,

.. math:: \Big|\int - \sum\Big| \le \frac{64}{15}\,\frac{r M\,\rho^{-2n}}{1-\rho^{-2}}

for the Chebyshev coefficients are at most :math:`2M\rho^{-k}`, those below 2n are integrated
exactly, and each other even one counts at most :math:`r(2 + 2/(k^2-1))`. Single integrals, to any
accuracy, are in ``numerics.certified.means``.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import reduce
from operator import add

from flint import acb, arb, ctx, fmpq, fmpq_poly
from sympy import Expr, oo

from derive.errors import InputError, Undecided
from derive.piecewise import PiecewiseAnalytic
from derive.symbols import z
from numerics.certified.expressions import ball_function
from numerics.certified.functions import Majorant
from numerics.certified.gauss import rule as gauss_rule
from numerics.certified.majorants import majorant

_AXES = (fmpq(8), fmpq(5), fmpq(7, 2), fmpq(5, 2), fmpq(2))  # ρ of the ellipses that are tried
_NEXT = fmpq(21, 20)  # of one that tells how large a function is on the line
_COLUMNS = 6  # of boxes that cover an ellipse
_FARTHEST = 10_000
_MOST_PANELS = 4000
_COARSE_BITS = 53  # at which bounds are computed


@dataclass(frozen=True)
class Envelope:
    """Which kernels a rule is for: fields ``decay`` α and ``growth`` β, both > 0."""

    decay: fmpq
    growth: fmpq


@dataclass(frozen=True)
class Rule:
    """Nodes and weights, f included, and a bound of the error for every kernel of the envelope."""

    nodes: tuple[arb, ...]
    weights: tuple[arb, ...]
    error: arb


def rule_for(f: PiecewiseAnalytic, envelope: Envelope, bits: int) -> Rule:
    """The rule of a function, or a distribution, of ``z`` alone, with errors of ``2**-bits`` each.

    Arguments:
        f: of ``z`` alone.
        envelope: that bounds what it is integrated with.
        bits: of accuracy.

    Raises ``InputError`` if the function grows too fast, ``Undecided`` if it has singularities too
    close to the line. Certified, at a working precision of at least as many bits.

    >>> from derive.piecewise import analytic
    >>> rule = rule_for(analytic(z**2), Envelope(fmpq(1, 2), fmpq(1, 2)), 50)
    >>> values = [(-x * x / 2).exp() for x in rule.nodes]  # ∫ x² exp(-x²/2) = √(2π)
    >>> total = sum((w * v for w, v in zip(rule.weights, values)), arb(0, rule.error.upper()))
    >>> (total / (2 * arb.pi()).sqrt()).str(10, radius=False)
    '1.000000000'
    """
    reach, missed = _cut(f, envelope, bits)
    nodes: list[arb] = []
    weights: list[arb] = []
    for piece, low, high in f.intervals():
        if piece == 0:
            continue
        here, there = _end(low, reach), _end(high, reach)
        value = ball_function(piece, [z])
        for end in (here, there):
            missed += 2 * end.rad() * (abs(value(end)) if end.rad() > 0 else 0)
        part = _Part(ball_function(piece, [z], acb), envelope, bits)
        for panel in part.panels(here.mid(), there.mid()):
            missed += panel.error
            for x, w in zip(*gauss_rule(panel.count), strict=True):
                nodes.append(panel.middle + panel.half * x)
                weights.append(panel.half * w * value(nodes[-1]))
    for point, weight in zip(f.breaks, f.deltas, strict=True):
        if weight != 0:  # a δ is a node of its own
            nodes.append(ball_function(point, [])())
            weights.append(ball_function(weight, [z])(nodes[-1]))
    return Rule(tuple(nodes), tuple(weights), arb(missed.upper()))


def _cut(f: PiecewiseAnalytic, envelope: Envelope, bits: int) -> tuple[int, arb]:
    """Where to end, and a bound of what lies beyond."""
    # Against the standard normal density, which has α = 1/2.
    kernel = Majorant(fmpq_poly([1]), fmpq(0), fmpq(1, 2) - envelope.decay)
    bound = reduce(add, (majorant(*part) for part in f.intervals())) * kernel
    reach, root = 4, (2 * arb.pi()).sqrt()
    while (tail := bound.tail(reach)) is None or not tail * root < arb(2) ** -bits:
        reach += 2
        if reach > _FARTHEST:
            raise InputError("the function grows too fast for a Gaussian: its mean is infinite")
    return reach, tail * root


def _end(point: Expr, reach: int) -> arb:
    """An end of a piece, within ±reach."""
    if abs(point) == oo:
        return arb(reach if point == oo else -reach)
    number: arb = ball_function(point, [])()
    return arb(reach if number > 0 else -reach) if abs(number) > reach else number


@dataclass(frozen=True)
class _Panel:
    """Where one Gauss-Legendre rule of so many nodes is used, and what it misses at most."""

    middle: arb
    half: arb
    count: int
    error: arb


@dataclass(frozen=True)
class _Part:
    """A piece that is cut into panels."""

    value: Callable[..., acb]
    envelope: Envelope
    bits: int

    def panels(self, low: arb, high: arb) -> Iterator[_Panel]:
        """Panels from one end to the other, cut in halves until each needs few nodes."""
        waiting, made = [(low, high)] if low < high else [], 0
        while waiting:
            start, end = waiting.pop()
            found = self._panel((start + end) / 2, (end - start) / 2)
            if found is not None:
                yield found
                continue
            made += 1
            if made > _MOST_PANELS:
                raise Undecided(f"a singularity near {start.str(5)} is too close to be integrated")
            middle = ((start + end) / 2).mid()
            waiting += [(middle, end), (start, middle)]

    def _panel(self, middle: arb, half: arb) -> _Panel | None:
        """The rule with the fewest nodes, if they are few enough for a panel and what is there."""
        best = None
        for axes in _AXES:
            with ctx.workprec(_COARSE_BITS):
                bound = self._bound(middle, half, axes)
                if bound is None:
                    continue
                whole = bound * half * fmpq(64, 15) / (1 - axes**-2)
                needed = (_bits_of(whole) + self.bits) / (2 * _bits_of(arb(axes)))
                count = max(2, int(float(needed.upper())) + 1)
                if best is None or count < best.count:
                    best = _Panel(middle, half, count, whole * arb(axes) ** (-2 * count))
        few = self.bits // 2 + 8
        if best is not None and best.count > few:
            few += self._size(middle, half) // 2
        return best if best is not None and best.count <= few else None

    def _size(self, middle: arb, half: arb) -> int:
        """Bits of the integral of |f E|, about: by its values next to the line."""
        with ctx.workprec(_COARSE_BITS):
            bound = self._bound(middle, half, _NEXT)
            size = None if bound is None else bound * half
            return int(float(_bits_of(size).upper())) if size is not None and size > 1 else 0

    def _bound(self, middle: arb, half: arb, axes: fmpq) -> arb | None:
        """A bound of |f E| in an ellipse, if f is analytic there; it is real on the line."""
        wide, high = (arb(half * (axes + sign / axes) / 2).upper() for sign in (1, -1))
        nearest = (abs(middle) - wide).lower()
        decay = self.envelope.decay * (nearest**2 if nearest > 0 else 0)
        kernel = (self.envelope.growth * high**2 - decay).exp()
        most = arb(0)
        for column in range(-_COLUMNS, _COLUMNS):
            left, right = (arb(k) / _COLUMNS for k in (column, column + 1))
            part = left.union(right)
            height = (high * (1 - part.abs_lower() ** 2).sqrt()).upper()
            real = middle + wide * part
            for low, top in ((arb(0), height / 2), (height / 2, height)):
                size = abs(self.value(acb(real, low.union(top)), analytic=True))
                if not size.is_finite():
                    return None
                most = most.max(size)
        return arb((most * kernel).upper())


def _bits_of(size: arb) -> arb:
    return size.log() / arb(2).log()
