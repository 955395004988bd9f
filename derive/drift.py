r"""Drift coefficients a(μ), b(μ) of the search phase, in the three forms they are found in.

Near ``u = m = 0`` the gradient flow is ``u̇ = a m + b u``, ``ṁ = a u`` (57). The coefficients are
polynomials (``Drift``), closed forms (``ClosedDrift``) or Gaussian means of known integrands
(``MeanDrift``), derived in ``derive.polynomial_drift`` and ``derive.pair_drift``; ``AnyDrift`` says
what each of them answers.
"""

from abc import ABC, abstractmethod
from contextlib import suppress
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from math import factorial
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from sympy import QQ, Expr, Integer, Poly, Rational, S, expand, simplify

from derive.errors import InputError, quoted
from derive.gaussian import NoClosedForm
from derive.hermite import checked_degree
from derive.kinds import NORMALIZATIONS, Normalization
from derive.leading import HIGHEST_ORDER, LeadingTerm, lowest_term, taylor_term
from derive.means import Mean
from derive.notation import in_latex, written
from derive.piecewise import PiecewiseAnalytic
from derive.symbols import derivative, exact, in_variable, mu, polynomial_in

UNITS = {"raw": "1/γ", "n*n!": "1/(γ n·n!)"}  # of time


def asked(name: str, order: int) -> int:
    """The order of a derivative; raises ``InputError`` for what is no order or no coefficient."""
    if name not in ("a", "b"):
        raise InputError(f"coefficient {quoted(name)} is not accepted: give 'a' or 'b'")
    return checked_degree(order, "order")


@dataclass(frozen=True)
class AnyDrift(ABC):
    """Drift coefficients of a pair: what all three forms answer.

    Attributes: ``a``, ``b``, in the terms of the form. Fields: ``normalization``, ``raw``, or
    ``n*n!`` where both are divided by n·n!, the paper's time scale (50), (68); ``misalignment`` ν,
    free of ``z``, 0 in the main model; ``positive``, whether ``a > 0`` is proved for all strengths
    in (0, 1); ``certainty`` of numbers computed from the form. Exact.
    """

    if TYPE_CHECKING:  # fields, but of a closed form

        @property
        def a(self) -> Any:
            """The coupling of u and m."""

        @property
        def b(self) -> Any:
            """The self-coupling of u."""

    normalization: Normalization = field(default="raw", kw_only=True)
    misalignment: Expr = field(default=S.Zero, kw_only=True)
    positive: bool = field(default=False, kw_only=True, compare=False)
    certainty: ClassVar[Literal["exact", "certified"]] = "exact"

    def __post_init__(self) -> None:
        if self.normalization not in NORMALIZATIONS:
            raise InputError(
                f"normalization {quoted(self.normalization)} is not accepted: choose from "
                f"{', '.join(NORMALIZATIONS)}"
            )
        object.__setattr__(self, "misalignment", in_variable(self.misalignment, mu))

    @property
    def unit(self) -> str:
        """The unit of times such as τ, ``1/γ`` or ``1/(γ n·n!)``."""
        return UNITS[self.normalization]

    def normalized(self, normalization: Normalization, degree: int) -> Self:
        """The same drift of the student He_n in another unit of time. Exact.

        Arguments:
            normalization: ``raw`` or ``n*n!``.
            degree: n ≥ 1.

        Raises ``InputError`` for others.

        >>> from derive import hermite_drift
        >>> hermite_drift(3).normalized("n*n!", 3) == hermite_drift(3, normalization="n*n!")
        True
        """
        n, power = checked_degree(degree, least=1), self.normalization == "n*n!"
        scale = Rational(n * factorial(n)) ** (power - (normalization == "n*n!"))
        coefficients = {name: f * scale for name, f in self._coefficients().items()}
        return replace(self, normalization=normalization, **coefficients)

    def _coefficients(self) -> dict[str, Any]:
        return {"a": self.a, "b": self.b}

    def _repr_latex_(self) -> str | None:
        with suppress(NoClosedForm):
            return r"$a(\mu) = {}, \qquad b(\mu) = {}$".format(*map(in_latex, self.expressions))
        return None

    @property
    @abstractmethod
    def expressions(self) -> tuple[Expr, Expr]:
        """``a`` and ``b`` in ``mu``; raises ``NoClosedForm`` if there are none."""

    def value(self, strength: Expr | int) -> tuple[Expr, Expr]:
        """``a`` and ``b`` at a strength, a number or an expression; raises as ``expressions``.

        >>> Drift(1 - mu, -1).value(Rational(1, 4))
        (3/4, -1)
        """
        a, b = (f.subs(mu, exact(strength)) for f in self.expressions)
        return a, b

    @abstractmethod
    def derivative(self, name: Literal["a", "b"], order: int = 1) -> Any:
        """A coefficient differentiated by ``mu``, in the terms that numbers are computed from.

        Of order 0 it is the coefficient. Raises ``InputError`` for another name or order,
        ``NoClosedForm`` where the form goes no further.
        """

    @property
    @abstractmethod
    def is_zero(self) -> bool:
        """Whether ``a`` is proved to vanish at every strength."""

    @property
    def is_flat(self) -> bool:
        """Whether ``a`` falls to 0 faster than any power as ``mu`` does: around 0 it has no slope.

        Then the student is constant around 0, and only breakpoints at ``p/mu`` move it. Exact.
        """
        return False

    @abstractmethod
    def vanishes(self, end: int, order: int = 0) -> bool:
        """Whether ``a``, or its derivative of an order, is proved to be 0 at an end, 0 or 1."""

    @abstractmethod
    def leading_terms(self, end: int) -> tuple[LeadingTerm, LeadingTerm]:
        """Leading terms of ``a`` and ``b`` in the distance from an end, 0 or 1.

        Raises ``InputError`` if a closed form vanishes to an order above ``HIGHEST_ORDER``,
        ``NoClosedForm`` for means.
        """


@dataclass(frozen=True)
class Drift(AnyDrift):
    """Drift coefficients of a polynomial teacher-student pair, as polynomials in ``mu``.

    Fields: ``a``, ``b``, SymPy ``Poly`` over the rationals; the others as in ``AnyDrift``, the
    square of ν a polynomial in ``mu``. Every question about them is decided. Exact.
    """

    a: Poly
    b: Poly

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("a", "b"):
            object.__setattr__(self, name, polynomial_in(getattr(self, name), mu))

    def __eq__(self, other: object) -> bool:
        """Whether both are the same polynomials in the same units, however they were found."""
        if not isinstance(other, Drift):
            return NotImplemented
        return all(getattr(self, f.name) == getattr(other, f.name) for f in fields(Drift))

    @property
    def expressions(self) -> tuple[Expr, Expr]:
        """``a`` and ``b`` in ``mu``."""
        return self.a.as_expr(), self.b.as_expr()

    def derivative(self, name: Literal["a", "b"], order: int = 1) -> Poly:
        """A polynomial."""
        order = asked(name, order)
        return getattr(self, name).diff((mu, order))

    @property
    def is_zero(self) -> bool:
        """Decided."""
        return bool(self.a.is_zero)

    def vanishes(self, end: int, order: int = 0) -> bool:
        """Decided."""
        return bool((f := self.derivative("a", order)).eval(end) == 0 and not f.is_zero)

    def leading_terms(self, end: int) -> tuple[LeadingTerm, LeadingTerm]:
        """Exact, whatever the order."""
        x = Poly(mu if end == 0 else 1 - mu, mu, domain=QQ)
        a, b = (lowest_term(f.compose(x)) for f in (self.a, self.b))
        return a, b


@dataclass(frozen=True)
class ClosedDrift(AnyDrift):
    r"""Drift coefficients in closed form: expressions ``a``, ``b`` in ``mu``. Exact.

    Fields: ``derived_a``, ``derived_b``, as they are given, sums of terms: numbers are computed
    from these, for by their terms one sees how much is lost where they cancel; ``means``, the same
    as means where breakpoints move: there the closed form holds :math:`e^{-p^2/2\mu^2}` and is not
    defined at 0, though its limits are. Attributes: ``a``, ``b``, the same as one writes them.
    """

    derived_a: Expr
    derived_b: Expr
    means: "MeanDrift | None" = field(default=None, kw_only=True, compare=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, given in self._coefficients().items():
            object.__setattr__(self, name, in_variable(given, mu))

    def _coefficients(self) -> dict[str, Any]:
        return {"derived_a": self.derived_a, "derived_b": self.derived_b}

    @cached_property
    def a(self) -> Expr:
        """As one writes it (``derive.notation.written``)."""
        return written(self.derived_a)

    @cached_property
    def b(self) -> Expr:
        """As one writes it."""
        return written(self.derived_b)

    def normalized(self, normalization: Normalization, degree: int) -> Self:
        """As for all; the means too."""
        means = self.means and self.means.normalized(normalization, degree)
        return replace(super().normalized(normalization, degree), means=means)

    @property
    def expressions(self) -> tuple[Expr, Expr]:
        """``a`` and ``b`` in ``mu``."""
        return self.a, self.b

    def derivative(self, name: Literal["a", "b"], order: int = 1) -> Expr:
        """An expression, up to ``HIGHEST_ORDER``."""
        order = asked(name, order)
        if order > HIGHEST_ORDER:
            raise NoClosedForm(f"closed forms are differentiated {HIGHEST_ORDER} times at most")
        return derivative(self._coefficients()[f"derived_{name}"], mu, order)

    @property
    def is_zero(self) -> bool:
        """If SymPy finds it to be; one value that is told from 0 spares the question."""
        value = self.derived_a.subs(mu, S.Half)
        if value.is_comparable and value.n(2) != 0:  # comparable: its precision is known
            return False
        return bool(simplify(self.derived_a) == 0)

    @property
    def is_flat(self) -> bool:
        """As its means say."""
        return bool(self.means and self.means.is_flat)

    def vanishes(self, end: int, order: int = 0) -> bool:
        """If SymPy finds it to; most sums of 0 need only be multiplied out, which is quick."""
        if self.means and end == 0:
            return self.means.vanishes(end, order)
        value = self.derivative("a", order).subs(mu, end)
        return bool(expand(value) == 0 or simplify(value) == 0)

    def leading_terms(self, end: int) -> tuple[LeadingTerm, LeadingTerm]:
        """Exact, by Taylor's series."""
        if self.means and end == 0:
            return self.means.leading_terms(end)
        return taylor_term(self.derived_a, end), taylor_term(self.derived_b, end)


@dataclass(frozen=True)
class MeanDrift(AnyDrift):
    """Drift coefficients as means ``a = E f(z)``, ``b = E h(z)`` under the standard normal.

    Fields: ``a``, ``b`` and ``slope``, which is ``a'``; for the square loss ``label`` and
    ``student``, of which they are made. Exact as integrands.
    """

    a: Mean
    b: Mean
    slope: Mean
    label: PiecewiseAnalytic | None = field(default=None, kw_only=True, compare=False)
    student: PiecewiseAnalytic | None = field(default=None, kw_only=True, compare=False)
    certainty: ClassVar[Literal["exact", "certified"]] = "certified"

    def _coefficients(self) -> dict[str, Any]:
        return super()._coefficients() | {"slope": self.slope}

    @property
    def expressions(self) -> tuple[Expr, Expr]:
        """Raises ``NoClosedForm``: there are none."""
        raise NoClosedForm("a and b are means without a closed form")

    def derivative(self, name: Literal["a", "b"], order: int = 1) -> Mean:
        """An integrand, up to ``HIGHEST_ORDER``."""
        order = asked(name, order)
        if order > HIGHEST_ORDER:
            raise NoClosedForm(f"means are differentiated {HIGHEST_ORDER} times at most")
        if name == "b" or order == 0:
            found: Mean = getattr(self, name)
        else:
            found, order = self.slope, order - 1
        for _ in range(order):
            found = found.derivative()
        return found

    def at(self, end: int, order: int = 0) -> PiecewiseAnalytic:
        """The integrand of ``a``, or of a derivative of it, at an end, 0 or 1. Exact."""
        if end == 0 or order == 0:
            return self.a.at(end, order)
        return self.slope.at(end, order - 1)

    @property
    def is_flat(self) -> bool:
        """As its integrand says around 0."""
        return self.a.central.is_zero

    @property
    def is_zero(self) -> bool:
        """If the integrand is 0 or odd as it is written; a proof would take seconds."""
        return self.a.is_zero

    def vanishes(self, end: int, order: int = 0) -> bool:
        """If the integrand is proved to be odd there, or its mean has a closed form that is 0."""
        integrand = self.at(end, order)
        if integrand.is_odd:
            return True
        try:
            return bool(simplify(integrand.mean()) == 0)
        except NoClosedForm:
            return False

    def leading_terms(self, end: int) -> tuple[LeadingTerm, LeadingTerm]:
        """Exact, by Taylor's series, where its coefficients have closed forms.

        Raises ``NoClosedForm`` where they have none, and where all of them vanish.
        """
        if end == 0 and self.is_flat and not self.a.is_zero:
            raise NoClosedForm("a falls to 0 faster than any power of μ: it has no leading term")
        return self._taylor_term("a", end), self._taylor_term("b", end)

    def _taylor_term(self, name: Literal["a", "b"], end: int) -> LeadingTerm:
        if getattr(self, name).is_zero:
            return LeadingTerm(S.Zero)
        for order in range(HIGHEST_ORDER + 1):
            integrand = getattr(self, name).at(end, order)
            value = S.Zero if integrand.is_odd else simplify(integrand.mean())
            if value != 0:
                inward = (-1) ** order if end else 1
                return LeadingTerm(inward * value / factorial(order), Integer(order))
        raise NoClosedForm(f"{name} vanishes at {end} to an order above {HIGHEST_ORDER}")
