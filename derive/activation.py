r"""Activations: what is asked of one, its derivatives, parity and Hermite coefficients.

The functions that have names are in ``derive.catalogue``; text from users becomes an activation in
``derive.grammar``. What kind of function it is says ``derive.piecewise``.
"""

from dataclasses import dataclass
from functools import cached_property

from sympy import (
    Expr,
    Integer,
    Poly,
    S,
    Tuple,
    cancel,
    diff,
    expand,
    fraction,
    oo,
    sqrt,
)

from derive import gaussian
from derive.catalogue import CATALOGUE, catalogued
from derive.conventions import convention_of
from derive.elementary import EXPONENTIAL, in_exponential, in_the_algebra, tidied
from derive.errors import InputError, quoted
from derive.gaussian import NoClosedForm
from derive.growth import insist_on_finite_risk
from derive.hermite import (
    checked_degree,
    hermite_polynomial,
    information_exponent,
    insist_on_writable,
)
from derive.kinds import HermiteConvention
from derive.piecewise import PiecewiseAnalytic, analytic
from derive.symbols import exact, of_one_variable, rational_polynomial, z


@dataclass(frozen=True)
class Activation:
    """An activation function of the teacher or the student.

    Fields: ``text``, how its user writes it; ``value`` the function, of one symbol, which becomes
    ``z``. Raises ``InputError`` for a function that jumps, holds floats, or of whose symbols it is
    not said which is the variable. Exact.

    >>> Activation.named("relu").hermite_coefficient(2, S.One)
    sqrt(2)/(2*sqrt(pi))
    """

    text: str
    value: PiecewiseAnalytic

    def __post_init__(self) -> None:
        if not isinstance(self.value, PiecewiseAnalytic):
            raise InputError(
                f"value {quoted(self.value)} is not accepted: give what analytic() makes of an "
                "expression, or the expression alone to parse_activation"
            )
        given = (self.value.pieces, self.value.breaks, self.value.deltas)
        parts = of_one_variable(Tuple(*(Tuple(*part) for part in given)), z)
        value = PiecewiseAnalytic(*(tuple(part) for part in parts)).joined()
        object.__setattr__(self, "value", value)
        insist_on_continuity(value, self.text)
        insist_on_finite_risk(value, self.text)

    @classmethod
    def named(cls, name: str, argument: Expr = z) -> "Activation":
        """An entry of the catalogue, such as ``relu``; raises ``InputError`` for other names."""
        if not isinstance(name, str) or name not in CATALOGUE:
            raise InputError(
                f"activation {quoted(name)} is not known: choose from {', '.join(CATALOGUE)}"
            )
        return cls(name, catalogued(name, argument))

    def __eq__(self, other: object) -> bool:
        """Whether both are the same function, written the same way."""
        if not isinstance(other, Activation):
            return NotImplemented
        return (self.text, self.value) == (other.text, other.value)

    @property
    def expression(self) -> Expr:
        """The function as an expression in ``z``."""
        return self.value.expression

    @cached_property
    def polynomial(self) -> Poly | None:
        """The function as a polynomial in ``z`` over the rationals, or ``None`` if it is none."""
        return None if self.value.breaks else rational_polynomial(self.value.smooth, z)

    @cached_property
    def parity(self) -> int:
        """1 for an even function, -1 for an odd one, 0 for neither. Exact."""
        return next((side for side in (1, -1) if self.part(-side).is_zero), 0)

    def part(self, side: int) -> PiecewiseAnalytic:
        """The even part for ``side`` 1, the odd part for -1: all that these coefficients see.

        Exact.

        >>> Activation.named("silu").part(-1).smooth
        z/2
        """
        mirrored = self.value.reflected()
        both = self.value + mirrored if side == 1 else self.value - mirrored
        return both.mapped(lambda piece: tidied(piece / 2)).joined()

    def hermite_coefficient(
        self, k: int, variance: Expr, convention: HermiteConvention = "he"
    ) -> Expr:
        r"""Hermite coefficient of degree ``k`` at a variance.

        Arguments:
            k: degree ≥ 0.
            variance: any positive expression.
            convention: ``he``, probabilists', as in the formula; ``h``, physicists'; or
                ``orthonormal``, as ``derive.conventions`` defines them.

        .. math:: c_k(Q) = Q^{-k/2} E[\mathrm{He}_k(g)\,\sigma(\sqrt Q g)]

        Raises ``NoClosedForm`` if neither the function nor its part of the degree's parity is in
        the algebra of ``derive.gaussian``, ``InputError`` for a negative degree. Source: (30).
        Exact.

        >>> Activation.named("exp").hermite_coefficient(3, S.One)
        exp(1/2)
        >>> Activation.named("sigmoid").hermite_coefficient(0, S.One)
        1/2
        """
        k, told = checked_degree(k), convention_of(convention)
        return told.coefficient(self._coefficient(k, exact(variance)), k, exact(variance))

    def _coefficient(self, k: int, variance: Expr) -> Expr:
        root = sqrt(variance)
        if self.value.breaks not in ((), (0,)):
            return (self.value.scaled(root) * hermite_polynomial(k, z)).mean() * root**-k
        try:
            function = self.value.gaussian()
        except NoClosedForm:
            function = self.part((-1) ** k).gaussian()
        projected = in_the_algebra(hermite_polynomial(k, z)) * function.scaled(root)
        return (gaussian.constant(root**-k) * projected).mean()

    def truncation_error(self, order: int, variance: Expr = S.One) -> Expr:
        r"""Mean square of what the Hermite expansion up to an order leaves out, by Parseval.

        Arguments:
            order: N ≥ 0.
            variance: any positive expression.

        .. math:: E\Big(\sigma - \sum_{k \le N} \tfrac{c_k}{k!} H_k^{[Q]}\Big)^2
                  = E\sigma^2 - \sum_{k \le N} \frac{c_k^2 Q^k}{k!}

        Raises ``NoClosedForm`` if a coefficient or the mean square has none. Exact.

        >>> Activation.named("abs").truncation_error(1)
        1 - 2/pi
        """
        degrees = range(checked_degree(order) + 1)
        found = (self.hermite_coefficient(k, variance, "orthonormal") ** 2 for k in degrees)
        square = (self.value**2).scaled(sqrt(exact(variance)))
        error = square.mean() - sum(found, S.Zero)
        return expand(error) if error.is_number or self.polynomial is not None else error

    def information_exponent(self, largest: int = 20) -> Expr:
        """Smallest degree ``k`` ≥ 1 with a Hermite coefficient at unit variance that is not 0.

        Arguments:
            largest: the degree up to which functions that are no polynomial are tried.

        The result is ``oo`` for a constant.

        Raises ``NoClosedForm`` if a coefficient on the way has none and no sign is proved for it,
        ``InputError`` if all up to ``largest`` vanish. Source: Sec. 2.2. Exact.

        >>> Activation.named("cos").information_exponent()
        2
        >>> Activation.named("tanh").information_exponent()  # E tanh' > 0
        1
        """
        if self.polynomial is not None:
            return information_exponent(self.polynomial.as_expr(), z)
        if not any(tidied(f).has(z) for f in self.value.pieces):
            return oo
        for k in range(1, checked_degree(largest, "largest", least=1) + 1):
            try:
                vanishes = self.hermite_coefficient(k, S.One).equals(0)
            except NoClosedForm:
                if not self._derivative_keeps_sign(k):
                    raise
                vanishes = False
            if vanishes is False:
                return Integer(k)
        raise InputError(
            f"the coefficients of {self.text} up to degree {largest} vanish or are undecided: "
            f"give a larger degree, as in information_exponent(largest={2 * largest})"
        )

    def _derivative_keeps_sign(self, k: int) -> bool:
        """Whether c_k = E σ^(k) is proved not to be 0: a rational function of e^z of one sign."""
        part = self.part((-1) ** k)
        if part.breaks:
            return False
        numerator, denominator = fraction(cancel(in_exponential(diff(part.smooth, z, k))))
        return all(
            f.is_polynomial(EXPONENTIAL)
            and len({c.is_positive for c in Poly(f, EXPONENTIAL).coeffs()} | {None}) == 2
            for f in (numerator, denominator)
        )


@dataclass(frozen=True, init=False, eq=False, repr=False)
class HermiteActivation(Activation):
    """A Hermite polynomial known by its degree, and written out when its value is asked for.

    Field: ``degree`` ≥ 1. Raises ``InputError`` where ``insist_on_writable`` does. Exact.

    >>> HermiteActivation(3).value.smooth, HermiteActivation(10**6).text
    (z**3 - 3*z, 'He1000000')
    """

    degree: int

    def __init__(self, degree: int) -> None:
        """The Hermite polynomial of a degree."""
        object.__setattr__(self, "degree", checked_degree(degree, least=1))
        object.__setattr__(self, "text", f"He{self.degree}")

    @cached_property  # type: ignore[misc]
    def value(self) -> PiecewiseAnalytic:
        """The function."""
        insist_on_writable(self.degree)
        return analytic(hermite_polynomial(self.degree, z))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, HermiteActivation):
            return self.degree == other.degree
        return super().__eq__(other)

    __hash__ = Activation.__hash__

    def __repr__(self) -> str:
        return f"HermiteActivation({self.degree})"


def insist_on_continuity(value: PiecewiseAnalytic, text: str) -> None:
    """Raise ``InputError`` if the function jumps, with the reason."""
    for point, jump in zip(value.breaks, value.jumps, strict=True):
        if jump != 0:
            raise InputError(
                f"{text} jumps at {point}: σ' is not square integrable there, so the model has no "
                "gradient flow; use a continuous activation, such as erf(5*x)"
            )
