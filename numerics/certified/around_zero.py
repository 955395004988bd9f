r"""The sign of ``a`` around strength 0 of a student that is constant there.

Then ``a`` and all its derivatives vanish at 0, and only what lies beyond the student's breakpoints
moves it: with :math:`t = \mu z`,

.. math:: a(\mu) = \int (y(t/\mu) - \sigma(t))\, \tfrac{t}{\mu}\, \sigma'(t)\,
                   \varphi(t/\mu)\, \tfrac{dt}{\mu}.

Next to the nearest breakpoint ``p`` the integrand keeps its sign, and on a window
:math:`[p_1, p_2]` inside its size is at least ``c t/μ``, so that it gives at least
:math:`c\,(\varphi(p_1/\mu) - \varphi(p_2/\mu))`. Beyond :math:`p_3 > p_2` a majorant bounds it.
Divided by :math:`\varphi(p_1/\mu)` the first only rises and the second only falls as μ does, once
they do at one strength: what is shown there holds for all smaller ones.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add

from flint import arb, fmpq
from sympy import Expr, Rational, S, oo

from derive.drift import MeanDrift
from derive.errors import InputError
from derive.piecewise import PiecewiseAnalytic, placed
from derive.ranges import range_of
from numerics.certified.functions import Majorant
from numerics.certified.majorants import majorant

_WIDTHS = (S.One, Rational(1, 4), Rational(1, 32))  # of the stretch next to a breakpoint
_WINDOW = (Rational(1, 4), Rational(1, 2))  # shares of the stretch


@dataclass(frozen=True)
class _Side:
    """What lies next to the nearest breakpoint on the right, mirrored for the left.

    Fields: ``near`` and ``far``, ends of the stretch; ``value``, ``slope`` of the student there;
    ``label``, beyond all its breakpoints, the last of which is ``last``.
    """

    near: Expr
    far: Expr
    value: Expr
    slope: Expr
    label: Expr
    last: Expr

    def weight(self, strength: Rational) -> tuple[Expr, int]:
        """The least size of (y - σ)σ' on the window, 0 if unknown, and its sign there."""
        first = self.near / strength
        if not placed(first) > placed(self.last):
            return S.Zero, 0
        width = self.far - self.near
        window = tuple(self.near + share * width for share in _WINDOW)
        whole = self._range(first, self.near, self.far)
        least, greatest = self._range(first, *window)
        sign = int(bool(whole[0] >= 0)) - int(bool(whole[1] <= 0))
        return (least if sign > 0 else -greatest) if sign else S.Zero, sign

    def _range(self, first: Expr, low: Expr, high: Expr) -> tuple[Expr, Expr]:
        label, value = range_of(self.label, first, oo), range_of(self.value, low, high)
        gaps = (label[0] - value[1], label[1] - value[0])
        slopes = range_of(self.slope, low, high)
        ends = [S.Zero if 0 in (g, s) else g * s for g in gaps for s in slopes]
        return min(ends), max(ends)


def sign_around_zero(drift: MeanDrift) -> Callable[[fmpq], arb | None]:
    r"""Whether ``a`` keeps its sign on :math:`(0, \varepsilon]`, for any ε.

    Arguments:
        drift: of a student that is constant around 0.

    The function gives a ball without 0, of the sign of ``a``, ``None`` if nothing is shown.
    Certified.

    >>> from derive.pair_drift import drift_of
    >>> sign_around_zero(drift_of("relu(x - 1)").means)(fmpq(1, 4)) > 0
    True
    """
    label, student = drift.label, drift.student
    if label is None or student is None:
        return lambda strength: None
    both = ((label, student), (label.reflected(), student.reflected()))
    known = [_sides(both, width) for width in _WIDTHS]
    try:
        bound = reduce(add, (majorant(*part) for part in drift.a.integrands[0].intervals()))
    except InputError:
        return lambda strength: None

    def value(strength: fmpq) -> arb | None:
        point = Rational(int(strength.p), int(strength.q))
        shown = (_shown(sides, bound, point) for sides in known)
        return next((ball for ball in shown if ball is not None), None)

    return value


def _sides(both: Sequence[tuple[PiecewiseAnalytic, PiecewiseAnalytic]], width: Expr) -> list[_Side]:
    """Right and mirrored left, where the student moves at all, the nearer one first."""
    found = [side for f in both if (side := _side(*f, width))]
    return sorted(found, key=lambda side: placed(side.near))


def _side(label: PiecewiseAnalytic, student: PiecewiseAnalytic, width: Expr) -> _Side | None:
    """What lies next to the first breakpoint on the right at which the student begins to move."""
    slopes = student.derivative().refined(student.breaks)
    inside = [
        (i, p) for i, p in enumerate(student.breaks) if p.is_positive and slopes.pieces[i + 1] != 0
    ]
    if not inside:
        return None
    i, near = inside[0]
    ends = [near + width, *student.breaks[i + 1 : i + 2]]
    far = min(ends, key=placed)
    last = label.breaks[-1] if label.breaks else S.Zero
    return _Side(near, far, student.pieces[i + 1], slopes.pieces[i + 1], label.pieces[-1], last)


def _shown(sides: list[_Side], bound: Majorant, strength: Rational) -> arb | None:
    """The main part less the rest, in units of the density at the window's beginning."""
    if not sides:
        return None
    nearest, *others = sides
    size, sign = nearest.weight(strength)
    reach = nearest.far
    for other in others:
        if placed(other.near) < placed(reach):
            same = other.weight(strength)[1] == sign
            reach = min(reach, other.far if same else other.near, key=placed)
    width = nearest.far - nearest.near
    one, two = (_ball(nearest.near + share * width) for share in _WINDOW)
    three = _ball(reach)
    if not size > 0 or not three > two:
        return None
    scale = 1 / _ball(strength)
    falls = ((1 - 2 * arb(bound.quadratic)) * three**2 - one**2) * scale
    slack = falls - max(bound.polynomial.degree(), 0) / scale - arb(bound.linear) * three
    start = (three * scale).lower().fmpq()
    tail = bound.tail_over(start, one * scale)
    if not slack > 0 or tail is None:
        return None
    main = _ball(size) * (1 - (-(two**2 - one**2) * scale**2 / 2).exp())
    shown = main - tail
    return sign * shown if shown > 0 else None


def _ball(number: Expr) -> arb:
    if number.is_Rational:
        return arb(fmpq(int(number.p), int(number.q)))
    low, high = range_of(number)
    return _ball(low).union(_ball(high))
