r"""Drift coefficients of misaligned pairs as means of two correlated Gaussians, for any activation.

Where there is no closed form, ``numerics.certified.plane`` integrates over the plane. With
``λ = μ z + ν x`` and the power's :math:`P = E(\sigma\sigma')'(\lambda)`,

.. math:: a = E\,y(z)\,z\,\sigma'(\lambda) - \mu P, \qquad b = E\,y(z)\,\sigma''(\lambda) - P.
"""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from sympy import Expr, S

from derive.drift import AnyDrift, asked
from derive.gaussian import NoClosedForm
from derive.leading import LeadingTerm
from derive.pair import Pair
from derive.piecewise import PiecewiseAnalytic, analytic
from derive.symbols import mu, z

Term = tuple[Expr, PiecewiseAnalytic, PiecewiseAnalytic]


@dataclass(frozen=True)
class PlaneMean:
    r"""A sum of means :math:`c\,E\,f(z)\,g(\mu z + \nu x)` of independent standard normals.

    Fields: ``terms``, of c in ``mu``, and of f and g in ``z``, of which g may hold δ; ``spread`` ν,
    in ``mu``. Exact.
    """

    terms: tuple[Term, ...]
    spread: Expr

    def __mul__(self, factor: Expr) -> "PlaneMean":
        return PlaneMean(tuple((c * factor, f, g) for c, f, g in self.terms), self.spread)


@dataclass(frozen=True)
class PlaneDrift(AnyDrift):
    """Drift coefficients of a misaligned pair as means over a plane.

    Fields: ``a``, ``b``; ``pair``; ``aligned``, the drift of the same pair for ν = 0. Exact as
    integrands.
    """

    a: PlaneMean
    b: PlaneMean
    pair: Pair = field(kw_only=True)
    aligned: AnyDrift = field(kw_only=True)
    certainty: ClassVar[Literal["exact", "certified"]] = "certified"

    @property
    def expressions(self) -> tuple[Expr, Expr]:
        """Raises ``NoClosedForm``: there are none."""
        raise NoClosedForm("a and b are means over a plane, without a closed form")

    def derivative(self, name: Literal["a", "b"], order: int = 1) -> Any:
        """Raises ``NoClosedForm`` of an order above 0: nothing asks for these slopes."""
        if asked(name, order) == 0:
            return self._coefficients()[name]
        raise NoClosedForm("means over a plane are not differentiated: ask for values")

    @property
    def is_zero(self) -> bool:
        """Not proved."""
        return False

    def vanishes(self, end: int, order: int = 0) -> bool:
        """Where misalignment ends, as the aligned drift does; else not proved."""
        return bool(self.misalignment.subs(mu, end) == 0 and self.aligned.vanishes(end, order))

    def leading_terms(self, end: int) -> tuple[LeadingTerm, LeadingTerm]:
        """Raises ``NoClosedForm``."""
        raise NoClosedForm("means over a plane have no leading terms here: ask for values near it")


def plane_drift(pair: Pair, aligned: AnyDrift) -> PlaneDrift:
    """Drift coefficients of a misaligned pair, whatever its activations. Exact.

    Arguments:
        pair: misaligned.
        aligned: the drift of the same pair without misalignment.

    >>> from derive.pair_drift import drift_of
    >>> drift = plane_drift(Pair("elu", misalignment="linear"), drift_of("elu"))
    >>> [term[0] for term in drift.a.terms]
    [1, -mu]
    """
    label, sigma, nu = pair.label, pair.student.value, pair.misalignment
    first = sigma.derivative()
    a: list[Term] = [(S.One, label * z, first)]
    b: list[Term] = [(S.One, label, first.derivative())]
    if pair.loss == "square":
        power = (sigma * first).derivative()
        a.append((-mu, analytic(S.One), power))
        b.append((-S.One, analytic(S.One), power))
    return PlaneDrift(
        PlaneMean(tuple(a), nu),
        PlaneMean(tuple(b), nu),
        misalignment=nu,
        pair=pair,
        aligned=aligned,
    )
