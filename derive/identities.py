"""The identities (19)-(37) of the Hermite calculus as statements that can be checked.

Each entry states two sides that are computed along different ways (a definition against a closed
form, a moment against a coefficient), so that checking one instance tests something. Adding an
identity is one decorated function. The tests run every entry on random degrees, rational variances
and polynomials.
"""

from collections.abc import Callable
from dataclasses import dataclass
from inspect import signature

from sympy import (
    Expr,
    Integer,
    Symbol,
    diff,
    exp,
    expand,
    factorial,
    hermite_prob,
    sqrt,
    symbols,
)

from derive.errors import InputError
from derive.given import whole
from derive.hermite import (
    change_variance,
    gaussian_mean,
    hermite_coefficients,
    hermite_polynomial,
    hermite_product,
    hermite_series,
    rescaling_coefficients,
)
from derive.registry import Registry
from derive.symbols import exact, in_variable, z

Sides = tuple[Expr, Expr]


@dataclass(frozen=True)
class Identity:
    """A numbered identity of the paper whose instances can be computed and compared.

    Fields: ``equation`` its number; ``name``; ``latex`` the statement; ``sides`` a function from
    an instance to both sides. ``arguments`` names what an instance consists of: ``j, k, n``
    degrees, ``P, Q`` positive variances (symbols or rationals), ``p, q`` polynomials in ``z``.
    """

    equation: str
    name: str
    latex: str
    sides: Callable[..., Sides]

    @property
    def arguments(self) -> tuple[str, ...]:
        """Names of the arguments of ``sides`` and ``holds``, in order."""
        return tuple(signature(self.sides).parameters)

    def holds(self, *instance: object) -> bool:
        """Decide whether both sides agree at this instance, as exact polynomials.

        Raises ``InputError`` for other arguments than ``arguments``.
        Exact: the difference is expanded and compared with zero.

        >>> IDENTITIES["22"].holds(5, Symbol("Q", positive=True))
        True
        """
        if len(instance) != len(self.arguments):
            raise InputError(f"identity ({self.equation}) is of {', '.join(self.arguments)}")
        for name, given in zip(self.arguments, instance, strict=True):
            _ = whole(given, "degree") if name in ("j", "k", "n") else exact(given)
        left, right = self.sides(*instance)
        return bool(expand(left - right) == 0)


IDENTITIES: Registry[Identity] = Registry()


def _identity(equation: str, name: str, latex: str) -> Callable[[Callable[..., Sides]], None]:
    def enter(sides: Callable[..., Sides]) -> None:
        IDENTITIES[equation] = Identity(equation, name, latex, sides)

    return enter


@_identity("19", "generating function", r"\partial_s^k e^{sz - Qs^2/2}|_{s=0} = H_k^{[Q]}(z)")
def _(k: int, Q: Expr) -> Sides:
    s = Symbol("s")
    return diff(exp(s * z - Q * s**2 / 2), s, k).subs(s, 0), hermite_polynomial(k, z, Q)


@_identity("20", "orthogonality", r"E_Q[H_j H_k] = k!\,Q^k \delta_{jk}")
def _(j: int, k: int, Q: Expr) -> Sides:
    product = hermite_polynomial(j, z, Q) * hermite_polynomial(k, z, Q)
    return gaussian_mean(product, z, Q), factorial(k) * Q**k if j == k else Integer(0)


@_identity("21", "zero mean", r"E_Q[H_k] = \delta_{k0}")
def _(k: int, Q: Expr) -> Sides:
    return gaussian_mean(hermite_polynomial(k, z, Q), z, Q), Integer(k == 0)


@_identity("22", "derivative", r"\partial_z H_k = k H_{k-1}")
def _(k: int, Q: Expr) -> Sides:
    lower = k * hermite_polynomial(k - 1, z, Q) if k else Integer(0)
    return diff(hermite_polynomial(k, z, Q), z), lower


@_identity("23", "multiplication", r"z H_k = H_{k+1} + k Q H_{k-1}")
def _(k: int, Q: Expr) -> Sides:
    lower = k * Q * hermite_polynomial(k - 1, z, Q) if k else Integer(0)
    return z * hermite_polynomial(k, z, Q), hermite_polynomial(k + 1, z, Q) + lower


@_identity("24", "scaling", r"H_k^{[Q]}(\sqrt{Q}\,z) = Q^{k/2} He_k(z)")
def _(k: int, Q: Expr) -> Sides:
    root = sqrt(Q)
    return hermite_polynomial(k, root * z, Q), root**k * hermite_prob(k, z)


@_identity("26", "Ornstein-Uhlenbeck", r"(Q\,\partial_z^2 - z\,\partial_z) H_k = -k H_k")
def _(k: int, Q: Expr) -> Sides:
    h = hermite_polynomial(k, z, Q)
    return ornstein_uhlenbeck(h, z, Q), -k * h


@_identity("27", "parity", r"H_k(-z) = (-1)^k H_k(z)")
def _(k: int, Q: Expr) -> Sides:
    return hermite_polynomial(k, -z, Q), (-1) ** k * hermite_polynomial(k, z, Q)


@_identity("28", "expansion", r"\sigma = \sum_k \tfrac{c_k(Q)}{k!} H_k^{[Q]}")
def _(p: Expr, Q: Expr) -> Sides:
    return hermite_series(hermite_coefficients(p, z, Q), z, Q), p


@_identity("29", "mean", r"E_Q[\sigma] = c_0(Q)")
def _(p: Expr, Q: Expr) -> Sides:
    carried = change_variance(hermite_coefficients(p, z), Integer(1), Q)
    return gaussian_mean(p, z, Q), carried[0]


@_identity("30", "projection", r"Q^k c_k(Q) = E_Q[H_k\,\sigma]")
def _(k: int, p: Expr, Q: Expr) -> Sides:
    coefficients = hermite_coefficients(p, z, Q)
    own = coefficients[k] if k < len(coefficients) else Integer(0)
    return Q**k * own, gaussian_mean(hermite_polynomial(k, z, Q) * p, z, Q)


@_identity("31", "Mehler", r"E[p(x)\,q(y)] = \sum_k c_k^p(P)\,c_k^q(Q)\,\rho^k/k!")
def _(p: Expr, q: Expr, P: Expr, Q: Expr) -> Sides:
    # y = (ρ/P) x + w with w independent of x: two one-dimensional means, no Hermite calculus.
    w, r = symbols("w r", real=True)
    inner = gaussian_mean(q.subs(z, r / P * z + w), w, Q - r**2 / P)
    pairs = zip(hermite_coefficients(p, z, P), hermite_coefficients(q, z, Q), strict=False)
    series = sum((c * e * r**k / factorial(k) for k, (c, e) in enumerate(pairs)), Integer(0))
    return gaussian_mean(p * inner, z, P), series


@_identity(
    "34",
    "variance rescaling",
    r"H_n^{[Q]} = \sum_j \tfrac{n!\,(P-Q)^j}{(n-2j)!\,j!\,2^j} H_{n-2j}^{[P]}",
)
def _(n: int, P: Expr, Q: Expr) -> Sides:
    weights = rescaling_coefficients(n, Q, P)
    terms = (w * hermite_polynomial(n - 2 * j, z, P) for j, w in enumerate(weights))
    return hermite_polynomial(n, z, Q), sum(terms, Integer(0))


@_identity(
    "37", "linearised product", r"H_j H_k = \sum_i i! \tbinom{j}{i} \tbinom{k}{i} Q^i H_{j+k-2i}"
)
def _(j: int, k: int, Q: Expr) -> Sides:
    terms = (w * hermite_polynomial(i, z, Q) for i, w in hermite_product(j, k, Q).items())
    product = hermite_polynomial(j, z, Q) * hermite_polynomial(k, z, Q)
    return product, sum(terms, Integer(0))


def ornstein_uhlenbeck(expression: Expr, z: Symbol, variance: Expr) -> Expr:
    r"""Ornstein-Uhlenbeck operator of a Gaussian of the given variance.

    Arguments:
        expression: in ``z``.
        z: its variable.
        variance: :math:`Q`, any expression.

    .. math:: \mathcal{L} f = Q f'' - z f'

    Raises nothing of its own. Source: (25); the Hermite polynomials are its eigenfunctions (26).
    Exact.

    >>> ornstein_uhlenbeck(z**2, z, 1)
    2 - 2*z**2
    """
    f = in_variable(expression, z)
    return exact(variance) * diff(f, z, 2) - z * diff(f, z)
