r"""The population loss as a landscape over (ρ, s), with the drift on all of it (Sec. 3, App. G).

Given the teacher's pre-activation ``z`` the student sees ``λ = ρ z + √s g``: ``ρ`` is their
covariance, ``s = Q - ρ²`` what is left of the student's variance. The slopes of the loss in these
variables extend the drift coefficients off the search phase,

.. math:: a(\rho, s) = -\partial_\rho L, \qquad b(\rho, s) = -2\,\partial_s L,

with ``a(μ, 0)``, ``b(μ, 0)`` those of ``derive.pair_drift``. Nothing is singular where the
student's direction becomes the teacher's (``s → 0``), as it is in the variables ``Q`` and ``ρ``.
"""

from dataclasses import dataclass, replace
from functools import cached_property

from sympy import Expr, S, diff, expand, sqrt

from derive.correlated import Covariance, correlated_mean
from derive.loss import population_loss
from derive.notation import in_latex, written
from derive.pair import Pair, PairLike
from derive.pair_drift import closed_drift
from derive.symbols import Q, mu, residual, rho, z


@dataclass(frozen=True)
class Landscape:
    """The loss of a pair and its slopes, as expressions in ``rho`` and ``residual``.

    Field: ``derived``, all three as they are derived, from which numbers are computed. Attributes:
    ``loss`` (for the correlation loss without its constant), ``a``, ``b``, the same as one writes
    them. Exact.
    """

    derived: tuple[Expr, Expr, Expr]

    @cached_property
    def loss(self) -> Expr:
        """As one writes it (``derive.notation.written``)."""
        return written(self.derived[0])

    @cached_property
    def a(self) -> Expr:
        """As one writes it."""
        return written(self.derived[1])

    @cached_property
    def b(self) -> Expr:
        """As one writes it."""
        return written(self.derived[2])

    def _repr_latex_(self) -> str:
        lines = zip("Lab", (self.loss, self.a, self.b), strict=True)
        shown = r" \\ ".join(rf"{name}(\rho, s) &= {in_latex(f)}" for name, f in lines)
        return rf"$$\begin{{aligned}} {shown} \end{{aligned}}$$"


def landscape_of(pair: PairLike) -> Landscape:
    r"""The loss of a pair over covariance and residual variance, in closed form.

    Arguments:
        pair: of which the misalignment is not used: it only chooses where on the landscape the
            learner starts.

    .. math:: L(\rho, s) = \tfrac12 E(y - \sigma(\rho z + \sqrt s\,g))^2

    Raises ``NoClosedForm`` if there is none. Source: (31)-(33), (51), (91), (94). Exact.

    >>> landscape_of("x").a, landscape_of("x").b
    (1 - rho, -1)
    """
    pair = replace(Pair.of(pair), misalignment=S.Zero)
    if (known := pair.polynomials) is not None:
        label, student = (f.as_expr() for f in known)
        return _polynomial(label, student, pair.loss)
    drift = closed_drift(replace(pair, misalignment=sqrt(residual)))
    label, sigma = pair.label.gaussian(), pair.student.value.gaussian()
    loss = -correlated_mean(label, sigma, Covariance(S.One, mu**2 + residual, mu, residual))
    if pair.loss == "square":
        power = (sigma**2).scaled(sqrt(mu**2 + residual)).mean()
        loss += ((label**2).mean() + power) / 2
    # The means were taken for ρ > 0; they are analytic in ρ, and so hold on the whole line.
    a, b = drift.derived_a.subs(mu, rho), drift.derived_b.subs(mu, rho)
    return Landscape((loss.subs(mu, rho), a, b))


def _polynomial(label: Expr, student: Expr, loss: str) -> Landscape:
    found = population_loss(label, student, z)
    chosen = found.expression if loss == "square" else -found.correlation
    here = expand(chosen.subs(Q, rho**2 + residual))
    return Landscape((here, expand(-diff(here, rho)), expand(-2 * diff(here, residual))))
