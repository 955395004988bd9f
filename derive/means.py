r"""Gaussian means as functions of the strength, whose breakpoints move with it.

A breakpoint ``p`` of the student is met at :math:`z = p/\mu`, one ``q`` of the labels at
:math:`z = q`. At the strength :math:`\mu = p/q` they meet and change order; between such strengths
the integrand is one piecewise analytic function, and its mean is analytic in ``mu``.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise

from sympy import Expr, Piecewise, S, diff

from derive.piecewise import PiecewiseAnalytic, at_break, in_order
from derive.symbols import mu, z


@dataclass(frozen=True)
class Mean:
    """The mean :math:`E f(z)` under the standard normal, with the parameter ``mu``.

    Fields: ``integrands``, one between each two strengths at which breakpoints meet; these
    strengths, the ``cuts``, increasing in (0, 1). Exact.
    """

    integrands: tuple[PiecewiseAnalytic, ...]
    cuts: tuple[Expr, ...] = ()

    def mapped(self, function: Callable[[PiecewiseAnalytic], PiecewiseAnalytic]) -> "Mean":
        """The mean of a function of the integrand."""
        return Mean(tuple(map(function, self.integrands)), self.cuts)

    def __mul__(self, factor: Expr) -> "Mean":
        return self.mapped(lambda f: f * factor)

    @property
    def smooth(self) -> Expr:
        """The one expression of an integrand without breakpoints."""
        (integrand,) = self.integrands
        return integrand.smooth

    @property
    def central(self) -> PiecewiseAnalytic:
        """The integrand near strength 0, without breakpoints that move to infinity there.

        What lies beyond them is smaller than any power of ``mu``.
        """
        nearest = self.integrands[0]
        stays = [i for i, point in enumerate(nearest.breaks) if not point.has(mu)]
        first = sum(bool(p.has(mu) and (p * mu).is_negative) for p in nearest.breaks)  # to -oo
        return PiecewiseAnalytic(
            nearest.pieces[first : first + len(stays) + 1],
            tuple(nearest.breaks[i] for i in stays),
            tuple(nearest.deltas[i] for i in stays),
        ).joined()

    def at(self, end: int, order: int = 0) -> PiecewiseAnalytic:
        """The integrand of a derivative by ``mu`` at an end, 0 or 1. Exact."""
        if end:
            found = self
            for _ in range(order):
                found = found.derivative()
            return _met(found.integrands[-1].subs(mu, 1))
        central = self.central
        for _ in range(order):
            central = _differentiated(central)
        return central.subs(mu, 0).joined()

    def derivative(self) -> "Mean":
        r"""The derivative by ``mu``, of the integrand and of the places where it breaks.

        A jump :math:`[f]` at :math:`x = p/\mu` gives :math:`-[f](x)\,x'` with
        :math:`x' = -x^2/p`, and a weight ``w`` there :math:`w_\mu + (w_z - x w)\,x'`. Exact.

        >>> from sympy import oo
        >>> Mean((PiecewiseAnalytic((S.Zero, S.One), (1 / mu,)),)).derivative().integrands[0].deltas
        (z**2,)
        """
        return self.mapped(_differentiated)

    def closed(self) -> Expr:
        """The mean in closed form, by strengths if it has cuts; raises ``NoClosedForm``. Exact."""
        found = [integrand.mean() for integrand in self.integrands]
        if not self.cuts:
            return found[0]
        *inner, last = found
        return Piecewise(
            *((f, mu < cut) for f, cut in zip(inner, self.cuts, strict=True)), (last, True)
        )

    @property
    def is_zero(self) -> bool:
        """Whether every integrand is written as 0, or as an odd function."""
        return all(map(_is_written_odd, self.integrands))


def _is_written_odd(f: PiecewiseAnalytic) -> bool:
    """Of breakpoints that move only those of an odd function are in the order of its mirror's."""
    mirrored = f.reflected()
    return f.breaks == mirrored.breaks and (f + mirrored).is_zero and not any(f.deltas)


def _met(f: PiecewiseAnalytic) -> PiecewiseAnalytic:
    """The function where breakpoints have met: nothing is left of the pieces between them."""
    pieces = [f.pieces[0]]
    breaks: list[Expr] = []
    deltas: list[Expr] = []
    for piece, point, weight in zip(f.pieces[1:], f.breaks, f.deltas, strict=True):
        if breaks and point == breaks[-1]:
            pieces[-1] = piece
            deltas[-1] += weight.subs(z, point)
        else:
            pieces.append(piece)
            breaks.append(point)
            deltas.append(weight.subs(z, point))
    return PiecewiseAnalytic(tuple(pieces), tuple(breaks), tuple(deltas)).joined()


def _differentiated(f: PiecewiseAnalytic) -> PiecewiseAnalytic:
    weights = []
    for i, (point, weight) in enumerate(zip(f.breaks, f.deltas, strict=True)):
        moves = -(z**2) / (point * mu) if point.has(mu) else S.Zero
        jump = f.pieces[i + 1] - f.pieces[i]
        drift = diff(weight, mu) + (diff(weight, z) - z * weight) * moves
        weights.append(drift - jump * moves)
    return PiecewiseAnalytic(
        tuple(diff(piece, mu) for piece in f.pieces), f.breaks, tuple(weights)
    ).joined()


def meeting_strengths(moving: Iterable[Expr], fixed: Iterable[Expr]) -> tuple[Expr, ...]:
    """Strengths in (0, 1) at which breakpoints ``p/mu`` and ``q`` meet, increasing. Exact.

    Arguments:
        moving: the p.
        fixed: the q.

    >>> meeting_strengths([S.One, S.NegativeOne], [S.Zero, S(2)])
    (1/2,)
    """
    fixed = list(fixed)
    quotients = {p / q for p in moving for q in fixed if q != 0}
    return tuple(c for c in in_order(quotients) if c.is_positive and (1 - c).is_positive)


def mean_over_strengths(
    label: PiecewiseAnalytic,
    student: PiecewiseAnalytic,
    integrand: Callable[..., PiecewiseAnalytic],
    *more: PiecewiseAnalytic,
) -> Mean:
    """The mean of what is made of labels and of functions of the student's pre-activation.

    Arguments:
        label: a function of ``z``.
        student, more: functions that are scaled by ``mu``, with the student's breakpoints.
        integrand: from the label and the scaled functions, on breakpoints they share.
    """
    cuts = meeting_strengths(student.breaks, label.breaks)
    ends = (S.Zero, *cuts, S.One)
    found = []
    for low, high in pairwise(ends):
        functions = (label, *(f.scaled(mu) for f in (student, *more)))
        breaks = in_order((p for f in functions for p in f.breaks), (low + high) / 2)
        found.append(integrand(*(f.refined(breaks) for f in functions)).joined())
    return Mean(tuple(found), cuts)


def with_kinks(factor: PiecewiseAnalytic, curvature: PiecewiseAnalytic) -> PiecewiseAnalytic:
    r"""A continuous function times :math:`\sigma''(\mu z)`, on breakpoints that they share.

    At a breakpoint ``p`` of the student the latter holds a δ at :math:`z = p/\mu`, of weight
    :math:`[\sigma'](p)/\mu = [\sigma'](p)\,z/p`. Exact.
    """
    weights = tuple(
        at_break(right, p) * (weight * mu * z / (p * mu) if p.has(mu) else weight)
        for right, p, weight in zip(factor.pieces[1:], factor.breaks, curvature.deltas, strict=True)
    )
    smooth = PiecewiseAnalytic(curvature.pieces, curvature.breaks) * factor
    return PiecewiseAnalytic(smooth.pieces, smooth.breaks, weights)
