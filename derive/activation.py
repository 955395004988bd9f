r"""Activations: the catalogue, their derivatives, parity and Hermite coefficients.

Adding an activation to the catalogue is one entry in ``CATALOGUE``; text from users becomes one in
``derive.grammar``. What kind of function it is says ``derive.kinked``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from sympy import (
    Eq,
    Expr,
    Integer,
    Piecewise,
    Poly,
    Rational,
    S,
    Tuple,
    cancel,
    cos,
    diff,
    erf,
    exp,
    factorial,
    fraction,
    oo,
    pi,
    sin,
    sqrt,
    tanh,
)
from sympy import sign as sympy_sign

from derive import gaussian
from derive.errors import InputError
from derive.gaussian import NoClosedForm
from derive.hermite import (
    checked_degree,
    hermite_polynomial,
    information_exponent,
    insist_on_writable,
)
from derive.kinked import EXPONENTIAL, Kinked, in_exponential, in_the_algebra, tidied
from derive.softplus import Softplus, sigmoid
from derive.symbols import exact, of_one_variable, z


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
    value: Kinked

    def __post_init__(self) -> None:
        parts = Tuple(self.value.smooth, self.value.kink, self.value.jump)
        object.__setattr__(self, "value", Kinked(*of_one_variable(parts, z)))
        if self.value.kink.subs(z, 0) != 0:
            raise InputError(
                f"{self.text} jumps at 0: σ' is not square integrable there, so the model has no "
                "gradient flow; use a continuous activation, such as erf(5*x)"
            )

    @classmethod
    def named(cls, name: str, argument: Expr = z) -> "Activation":
        """An entry of the catalogue, such as ``relu``; raises ``InputError`` for other names."""
        if name not in CATALOGUE:
            raise InputError(
                f"activation {name!r} is not known: choose from {', '.join(CATALOGUE)}"
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
        return self.value.smooth + sympy_sign(z) * self.value.kink

    @property
    def polynomial(self) -> Poly | None:
        """The function as a polynomial in ``z`` over the rationals, or ``None`` if it is none."""
        if self.value.kink != 0 or not self.value.smooth.is_polynomial(z):
            return None
        found = Poly(self.value.smooth, z)
        return found.set_domain("QQ") if found.domain.is_ZZ or found.domain.is_QQ else None

    @property
    def parity(self) -> int:
        """1 for an even function, -1 for an odd one, 0 for neither. Exact."""
        return next((side for side in (1, -1) if self.part(-side) == Kinked(S.Zero)), 0)

    def part(self, side: int) -> Kinked:
        """The even part for ``side`` 1, the odd part for -1: all that these coefficients see.

        Exact.

        >>> Activation.named("silu").part(-1).smooth
        z/2
        """
        smooth, kink = self.value.smooth, self.value.kink
        return Kinked(
            tidied((smooth + side * smooth.subs(z, -z)) / 2),
            tidied((kink - side * kink.subs(z, -z)) / 2),
        )

    def hermite_coefficient(self, k: int, variance: Expr) -> Expr:
        r"""Hermite coefficient of degree ``k`` at a variance.

        .. math:: c_k(Q) = Q^{-k/2} E[He_k(g)\,\sigma(\sqrt Q g)]

        Raises ``NoClosedForm`` if neither the function nor its part of the degree's parity is in
        the algebra of ``derive.gaussian``, ``InputError`` for a negative degree. Source: (30).
        Exact.

        >>> Activation.named("exp").hermite_coefficient(3, S.One)
        exp(1/2)
        >>> Activation.named("sigmoid").hermite_coefficient(0, S.One)
        1/2
        """
        k = checked_degree(k)
        root = sqrt(exact(variance))
        try:
            function = self.value.gaussian()
        except NoClosedForm:
            function = self.part((-1) ** k).gaussian()
        projected = in_the_algebra(hermite_polynomial(k, z)) * function.scaled(root)
        return (gaussian.constant(root**-k) * projected).mean()

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
        if not any(tidied(f).has(z) for f in (self.value.smooth, self.value.kink)):
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
        if part.kink != 0:
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
    def value(self) -> Kinked:
        """The function."""
        insist_on_writable(self.degree)
        return Kinked(hermite_polynomial(self.degree, z))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, HermiteActivation):
            return self.degree == other.degree
        return super().__eq__(other)

    __hash__ = Activation.__hash__

    def __repr__(self) -> str:
        return f"HermiteActivation({self.degree})"


# The catalogue. An entry builds the activation at a multiple of z and, where there is one, states
# its Hermite coefficient as a formula in a symbolic degree k and variance Q.


@dataclass(frozen=True)
class Entry:
    """A catalogue entry.

    Fields: ``build``, from ``y = c·z`` and ``size = |c|·z`` to the function; ``coefficient``, the
    Hermite coefficient :math:`c_k(Q)` for symbolic ``k`` and ``Q``, or ``None``; ``summary``.
    """

    build: Callable[..., Kinked]
    summary: str
    coefficient: Callable[[Expr, Expr], Expr] | None = None


def _even(k: Expr, value: Expr) -> Expr:
    """``value`` for even ``k``, 0 for odd ``k``."""
    return value * (1 + (-1) ** k) / 2


def _density_derivative(k: Expr, variance: Expr) -> Expr:
    """E δ^(k)(g√V): (-1)^(k/2) (k-1)!! V^(-(k+1)/2)/√(2π) for even k, 0 for odd k."""
    size = factorial(k) / (factorial(k / 2) * 2 ** (k / 2)) * variance ** (-(k + 1) / 2)
    return _even(k, (-1) ** (k / 2) * size / sqrt(2 * pi))


def _kinked_coefficient(left: Expr, right: Expr) -> Callable[[Expr, Expr], Expr]:
    """The function with slopes ``left`` and ``right``: linear part plus (right-left)·relu."""

    def coefficient(k: Expr, variance: Expr) -> Expr:
        mean = (right - left) * sqrt(variance / (2 * pi))
        curved = (right - left) * _density_derivative(k - 2, variance)
        return Piecewise((mean, Eq(k, 0)), ((left + right) / 2, Eq(k, 1)), (curved, True))

    return coefficient


LEAK = Rational(1, 100)  # slope of the leaky ReLU for negative arguments, unless given


def leaky_relu(y: Expr, size: Expr, leak: Expr = LEAK) -> Kinked:
    """The leaky ReLU: ``y`` for positive arguments, ``leak·y`` for negative ones."""
    return Kinked(y * (1 + leak) / 2, size * (1 - leak) / 2)


CATALOGUE: dict[str, Entry] = {
    "identity": Entry(
        lambda y, size: Kinked(y), "x", lambda k, q: Piecewise((1, Eq(k, 1)), (0, True))
    ),
    "relu": Entry(
        lambda y, size: Kinked(y / 2, size / 2), "max(x, 0)", _kinked_coefficient(S.Zero, S.One)
    ),
    "leaky_relu": Entry(
        leaky_relu, "x, times 1/100 or the leak given if x < 0", _kinked_coefficient(LEAK, S.One)
    ),
    "abs": Entry(lambda y, size: Kinked(S.Zero, size), "|x|", _kinked_coefficient(-S.One, S.One)),
    "squared_relu": Entry(lambda y, size: Kinked(y**2 / 2, y * size / 2), "max(x, 0)^2"),
    "erf": Entry(
        lambda y, size: Kinked(erf(y)),
        "the error function erf(x)",
        lambda k, q: Piecewise(
            (0, Eq(k, 0)), (2 * _density_derivative(k - 1, q + Rational(1, 2)), True)
        ),
    ),
    "gelu": Entry(lambda y, size: Kinked(y * (1 + erf(y / sqrt(2))) / 2), "x Phi(x)"),
    "sin": Entry(
        lambda y, size: Kinked(sin(y)), "sin(x)", lambda k, q: sin(k * pi / 2) * exp(-q / 2)
    ),
    "cos": Entry(
        lambda y, size: Kinked(cos(y)), "cos(x)", lambda k, q: cos(k * pi / 2) * exp(-q / 2)
    ),
    "exp": Entry(lambda y, size: Kinked(exp(y)), "exp(x)", lambda k, q: exp(q / 2)),
    "gauss": Entry(
        lambda y, size: Kinked(exp(-(y**2) / 2)),
        "the bump exp(-x^2/2)",
        lambda k, q: sqrt(2 * pi) * _density_derivative(k, q + 1),
    ),
    "sigmoid": Entry(lambda y, size: Kinked(sigmoid(y)), "1/(1 + exp(-x))"),
    "tanh": Entry(lambda y, size: Kinked(tanh(y)), "tanh(x)"),
    "silu": Entry(lambda y, size: Kinked(y * sigmoid(y)), "x/(1 + exp(-x))"),
    "softplus": Entry(lambda y, size: Kinked(Softplus(y)), "log(1 + exp(x))"),
}


def catalogued(name: str, argument: Expr = z, *parameters: Expr) -> Kinked:
    """The catalogue's function ``name`` at a non-zero multiple of ``z``. Exact."""
    slope = argument / z
    return CATALOGUE[name].build(argument, abs(slope) * z, *parameters)
