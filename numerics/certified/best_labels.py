r"""The best labels of a norm: the maximum of the growth rate over all transforms, enclosed.

A transform of the norm ``E T² = N`` in the plane of the conditional means A and B is an angle ψ,

.. math:: T = \sqrt N (\cos\psi\, e_1 + \sin\psi\, e_2), \qquad
    e_1 = A/|A|, \quad e_2 = (B - \langle B, e_1\rangle e_1)/|\ldots|

along which (a, b) runs through an ellipse. Useful labels have ``a > 0``, so that the student grows
towards the teacher, and ``b ≤ 0``, so that the overlap grows no less than u. The rate is convex in
T (``derive.transforms``), so no transform of at most that norm under these conditions does better
than the best angle; and ``b ≤ 0`` is one arc of angles, whose ends, ``b = 0``, are among them.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from flint import arb, fmpq

from derive.errors import InputError, Undecided
from numerics.certified.bisection import bisected
from numerics.certified.drift import growth_rate

_GAP = fmpq(1, 10**12)  # of the rate, relative, and of a hundredth of τ's
_GRID = 2000  # angles among which the best is looked for first
_THIRDS = 80  # by which the best of them is refined
_FINEST = 2**60


@dataclass(frozen=True)
class Plane:
    r"""What transforms in the plane of A and B are judged by.

    Fields: ``first`` E A², ``mixed`` E AB, ``second`` E B²; ``power`` P and ``strength`` μ, which
    give the drift of labels that are 0. Balls. ``free``, whether b costs no norm; what a kink adds
    is then not in E AB and E B².
    """

    first: arb
    mixed: arb
    second: arb
    power: arb
    strength: arb
    free: bool = False

    def ellipse(self, norm: arb) -> "Ellipse":
        """Where (a, b) is, of transforms of a norm.

        Raises ``InputError`` where b is free.
        """
        if self.free:
            raise InputError(
                "a kink of the student moves b at no cost of norm: labels have no largest rate "
                "but among useful ones, and no fewest samples; ask for the useful ones of the "
                "largest rate, or give a student with a continuous slope"
            )
        size = norm.sqrt()
        root = self.first.sqrt()
        along = self.mixed / root if self.first > 0 else arb(0)
        across = (self.second - along * along).nonnegative_part().sqrt()
        centre = (-self.strength * self.power, -self.power)
        return Ellipse(size * root, size * along, size * across, centre)

    def mixture(self, norm: arb, cosine: arb, sine: arb) -> tuple[arb, arb]:
        """The factors x and y of the transform ``T = x A + y B`` at an angle."""
        root = self.first.sqrt()
        across = (self.second - self.mixed**2 / self.first).nonnegative_part().sqrt()
        y = sine / across if across > 0 else arb(0)
        x = cosine / root - y * self.mixed / self.first
        return norm.sqrt() * x, norm.sqrt() * y


@dataclass(frozen=True)
class Ellipse:
    """The curve ``a = p cos ψ + a₀``, ``b = q cos ψ + r sin ψ + b₀``.

    Fields: p, q, r, the centre (a₀, b₀).
    """

    p: arb
    q: arb
    r: arb
    centre: tuple[arb, arb]

    def at(self, psi: arb) -> tuple[arb, arb]:
        """a and b at angles."""
        cosine, sine = psi.cos(), psi.sin()
        return self.p * cosine + self.centre[0], self.q * cosine + self.r * sine + self.centre[1]

    @property
    def stays_below(self) -> bool:
        """Whether b < 0 at all angles."""
        return bool(self._amplitude < -self.centre[1])

    @property
    def _amplitude(self) -> arb:
        return (self.q * self.q + self.r * self.r).nonnegative_part().sqrt()

    def below(self) -> tuple[arb, arb] | None:
        """The arc on which b ≤ 0, ``None`` if there is none; raises ``Undecided``."""
        offset = -self.centre[1]
        if self.stays_below:
            return arb(0), 2 * arb.pi()
        if self._amplitude < -offset:
            return None
        if not abs(offset) < self._amplitude:
            raise Undecided("whether b ≤ 0 is reached by labels of this norm is not decided")
        # r ≥ 0, and may be as good as 0 with q < 0: there the arc tangent has its cut.
        turned = arb.pi() - arb.atan2(self.r, -self.q)
        middle = turned if self.q < 0 else arb.atan2(self.r, self.q)
        half = (offset / self._amplitude).acos()
        return middle + half, middle + 2 * arb.pi() - half

    def slope(self, psi: arb) -> tuple[arb, arb]:
        """Their derivatives."""
        cosine, sine = psi.cos(), psi.sin()
        return -self.p * sine, self.r * cosine - self.q * sine


@dataclass(frozen=True)
class BestLabels:
    """The best angle, and what it gives.

    Fields: ``cosine``, ``sine`` of ψ; ``a``, ``b``; ``lower``, ``upper``: between which the largest
    rate lies, the lower one being that of this angle; ``attained``, whether some labels have the
    largest rate, or only come close to it. Certified.
    """

    cosine: arb
    sine: arb
    a: arb
    b: arb
    lower: arb
    upper: arb
    attained: bool = True


def best_labels(plane: Plane, norm: arb, useful: bool = True) -> BestLabels | None:
    """The labels of a norm with the largest growth rate.

    Arguments:
        plane: of a pair at a strength.
        norm: E T² > 0.
        useful: whether ``a > 0`` and ``b ≤ 0`` are asked for.

    The result is ``None`` if no transform of that norm, or less, is useful. Raises ``Undecided``
    where balls are too wide. Certified.

    >>> x = Plane(arb(1), arb(0), arb(0), arb(1), arb("0.5"))  # the student x at μ = 1/2
    >>> best = best_labels(x, arb(1))
    >>> best.a.contains(0.5), best.b.contains(-1), best.upper - best.lower < 1e-9
    (True, True, True)
    """
    if plane.free and useful:
        return _with_free_b(plane, norm)
    angles = Angles(plane.ellipse(norm), useful)
    if not angles.possible:
        return None
    upper = angles.proved()
    return angles.labels(angles.best, upper)


def _with_free_b(plane: Plane, norm: arb) -> BestLabels | None:
    """The labels that are a multiple of A, with b = 0 at the cost of a narrow step."""
    a = (norm * plane.first).sqrt() - plane.strength * plane.power
    if a > 0:
        return BestLabels(arb(1), arb(0), a, arb(0), a.lower(), a.upper(), attained=False)
    if a <= 0:
        return None
    raise Undecided("whether any labels of this norm are useful is not decided")


class Angles:
    """The arc of angles that are asked for, as [0, 1]: what each gives, and the best of them.

    Arguments of the constructor: the ellipse; whether labels are to be useful. Certified, but for
    where the best is looked for first.
    """

    def __init__(self, ellipse: Ellipse, useful: bool) -> None:
        self._ellipse, self._useful = ellipse, useful
        arc = ellipse.below() if useful else (arb(0), 2 * arb.pi())
        self._none = arc is None
        self._arc = arc or (arb(0), arb(0))
        self._edged = useful and not ellipse.stays_below

    @property
    def possible(self) -> bool:
        """Whether some angle is useful; raises ``Undecided`` where balls do not tell."""
        if self._none:
            return False
        if not self._useful:
            return True
        a, b = self._ellipse.at(arb(0))
        ends = [self.at(fmpq(t))[0] for t in (0, 1)] if self._edged else []
        among = [*ends, *([] if b > 0 else [a])]
        if any(each > 0 for each in among):
            return True
        if all(each < 0 for each in among):
            return False
        raise Undecided("whether any labels of this norm are useful is not decided")

    def labels(self, t: fmpq, upper: arb | None = None) -> BestLabels:
        """What labels at a place give, with an upper bound of the rate of all."""
        psi, (a, b), rate = self.angle(t), self.at(t), self.rate(t)
        return BestLabels(psi.cos(), psi.sin(), a, b, rate.lower(), upper or rate.upper())

    def angle(self, t: fmpq | arb) -> arb:
        """The angle of a place in [0, 1]."""
        low, high = self._arc
        return low + (high - low) * t

    def at(self, t: fmpq) -> tuple[arb, arb]:
        """a and b at a place; at an end of the arc b is 0."""
        a, b = self._ellipse.at(self.angle(t))
        return a, arb(0) if self._edged and t in (0, 1) else b

    def rate(self, t: fmpq) -> arb:
        """The rate at a place, 0 where a < 0 is of no use."""
        return self._rate(*self.at(t))

    def _rate(self, a: arb, b: arb) -> arb:
        size = a.nonnegative_part() if self._useful else abs(a)
        ends = ((end(b), end(size)) for end in (arb.lower, arb.upper))
        low, high = (growth_rate(b, a.nonnegative_part() ** 2) for b, a in ends)
        return low.union(high)

    def proved(self) -> arb:
        """An upper bound of the rate, close to that at ``best``; sets the latter."""
        self.best = self._sought()
        self.lower = self.rate(self.best).lower()
        list(bisected((0, 1), self._decide))
        return self._limit

    @property
    def _limit(self) -> arb:
        """A rate so little above the best that τ is known to ``_GAP`` of 1, or of 100."""
        return (self.lower * (1 + _GAP * min(arb(1), 100 * self.lower))).upper()

    def _decide(self, cell: tuple[int, int]) -> tuple[tuple[()], list[tuple[int, int]]]:
        """Nothing, or the halves of a cell that may hold more."""
        place, parts = cell
        ends = fmpq(place, parts), fmpq(place + 1, parts)
        if self._bound(*ends) <= self._limit:
            return (), []
        if parts > _FINEST:
            raise Undecided("the best labels are not enclosed: give another strength")
        middle = (ends[0] + ends[1]) / 2
        found = self.rate(middle).lower()
        if found > self.lower:
            self.best, self.lower = middle, found
        return (), [(2 * place, 2 * parts), (2 * place + 1, 2 * parts)]

    def _bound(self, first: fmpq, last: fmpq) -> arb:
        """The rate on a cell at most: at the end that it rises to, or by its slope."""
        psi = self.angle(arb(first).union(arb(last)))
        (a, b), (by_a, by_b) = self._ellipse.at(psi), self._ellipse.slope(psi)
        whole = self._rate(a, b)
        size = a.nonnegative_part() if self._useful else a
        root = (b * b + 4 * size * size).nonnegative_part().sqrt()
        low, high = self._arc
        slope = (high - low) * (whole * by_b + 2 * size * by_a) / root
        if not slope.is_finite():
            return whole.upper()
        if slope > 0 or slope < 0:
            return self.rate(last if slope > 0 else first).upper()
        middle = self.rate((first + last) / 2)
        by_slope = middle + abs(slope) * (last - first) / 2
        bound: arb = min(whole.upper(), by_slope.upper())
        return bound

    def _sought(self) -> fmpq:
        """A place of the maximum, about, in doubles; an end, if it is there."""
        low, high = (float(end.mid()) for end in self._arc)
        ellipse = self._ellipse
        p, q, r = (float(each.mid()) for each in (ellipse.p, ellipse.q, ellipse.r))
        a0, b0 = (float(each.mid()) for each in ellipse.centre)

        def rate(t: Any) -> Any:
            psi = low + t * (high - low)
            a, b = p * np.cos(psi) + a0, q * np.cos(psi) + r * np.sin(psi) + b0
            a = np.maximum(a, 0) if self._useful else a
            b = np.minimum(b, 0) if self._useful else b
            root = np.hypot(b, 2 * a)
            return np.where(b > 0, (b + root) / 2, 2 * a * a / np.maximum(root - b, 1e-300))

        t = np.linspace(0, 1, _GRID + 1)
        place = int(np.argmax(rate(t)))
        left, right = t[max(place - 1, 0)], t[min(place + 1, _GRID)]
        for _ in range(_THIRDS):
            one, two = (2 * left + right) / 3, (left + 2 * right) / 3
            left, right = (one, right) if rate(one) < rate(two) else (left, two)
        best = max((0.0, 1.0, (left + right) / 2), key=lambda t: float(rate(t)))
        return fmpq(*best.as_integer_ratio())
