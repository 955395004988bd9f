"""Hermite calculus under a Gaussian of any variance (Sec. 2.2 and App. B of the paper).

Polynomials here are SymPy expressions, coefficients are exact (integers, rationals, symbols) and a
Hermite series is the tuple ``(c_0, ..., c_n)`` of its coefficients in ``Σ c_k/k! H_k``, with
``H_k`` the scaled Hermite polynomial of the stated variance. The identities (19)-(37) that tie
these functions together are stated, and checked, in ``derive.identities``.
"""

from collections.abc import Sequence
from math import comb, factorial
from operator import index
from typing import Any

from sympy import (
    QQ,
    Add,
    Expr,
    Integer,
    Poly,
    PolynomialError,
    Rational,
    S,
    Symbol,
    expand,
    oo,
)

from derive.conventions import convention_of
from derive.errors import InputError, abridged
from derive.kinds import HermiteConvention
from derive.symbols import Q as VARIANCE
from derive.symbols import exact, exact_series, in_variable, of_one_variable
from derive.symbols import z as PREACTIVATION

LARGEST_WRITTEN = 2000  # degree of a pure Hermite student whose polynomials are written out


def checked_degree(n: int, name: str = "degree", least: int = 0) -> int:
    """Return ``n`` as a plain integer of at least ``least``, or raise ``InputError``.

    Arguments:
        n: what was given.
        name: of the argument, for the error.
        least: the smallest that is taken.
    """
    try:
        n = index(None if isinstance(n, bool) else n)  # type: ignore[arg-type]  # truth is no number
    except TypeError:
        raise InputError(
            f"{name} {abridged(repr(n))} is not accepted: give an integer ≥ {least}"
        ) from None
    if n < least:
        raise InputError(f"{name} {n} is not accepted: give an integer ≥ {least}")
    return n


def insist_on_writable(degree: int) -> None:
    """Raise ``InputError`` for a degree whose polynomials would take minutes to write out."""
    if degree > LARGEST_WRITTEN:
        raise InputError(
            f"He{degree} is not written out: give a degree of at most {LARGEST_WRITTEN}; beyond, "
            "singularities are found for matched labels, and for squared ones of odd degrees"
        )


def polynomial(expression: Expr, z: Symbol | None = None) -> Poly:
    """Return ``expression`` as a polynomial in ``z``, or raise ``InputError`` if it is none.

    Without a ``z`` it is the symbol of that name, for which a single other one is taken too.
    Floating-point coefficients are refused: nothing exact can be said of them.
    """
    if z is None:
        z, expression = PREACTIVATION, of_one_variable(expression, PREACTIVATION)
    try:
        return Poly(in_variable(expression, z), z)
    except PolynomialError:
        raise InputError(f"{expression} is not accepted: give a polynomial in {z}") from None


def hermite_polynomial(n: int, z: Expr = PREACTIVATION, variance: Expr = S.One) -> Expr:
    r"""Scaled Hermite polynomial of degree ``n`` for a Gaussian of the given variance.

    Arguments:
        n: degree ≥ 0.
        z: argument, any finite expression.
        variance: any finite expression; 1 gives the probabilists' :math:`\mathrm{He}_n`.

    .. math:: H_n^{[Q]}(z) = \sum_{j \le n/2} \frac{n!}{(n-2j)!\,j!\,2^j} (-Q)^j z^{n-2j}

    Raises ``InputError`` for a negative or non-integer degree. Source: (19), (24). Exact.

    >>> from derive.symbols import Q, z
    >>> hermite_polynomial(3, z, Q)
    -3*Q*z + z**3
    """
    # The same weights carry any variance to any other (34); z^k is H_k at variance 0.
    z, weights = exact(z), rescaling_coefficients(n, variance, Integer(0))
    return Add(*(w * z ** (n - 2 * j) for j, w in enumerate(weights)))


def rescaling_coefficients(n: int, source: Expr, target: Expr) -> tuple[Expr, ...]:
    r"""Weights that express a scaled Hermite polynomial in those of another variance.

    Arguments:
        n: degree ≥ 0.
        source, target: the variances :math:`Q` and :math:`P`, any expressions.

    Entry ``j`` of the result multiplies :math:`H_{n-2j}^{[P]}`.

    .. math:: H_n^{[Q]} = \sum_{j \le n/2} \frac{n!}{(n-2j)!\,j!\,2^j} (P-Q)^j H_{n-2j}^{[P]}

    Raises ``InputError`` for a negative or non-integer degree. Source: (34). Exact.

    >>> from derive.symbols import Q
    >>> rescaling_coefficients(4, Q, 1)
    (1, 6 - 6*Q, 3*(1 - Q)**2)
    """
    n = checked_degree(n)
    gap, weight, weights = exact(target) - exact(source), 1, []
    for j in range(n // 2 + 1):
        weights.append(Integer(weight) * gap**j)
        weight = weight * (n - 2 * j) * (n - 2 * j - 1) // (2 * j + 2)
    return tuple(weights)


def normal_moment(k: int) -> int:
    """Moment ``E z^k = (k-1)!!`` of the standard normal for even ``k`` ≥ 0. Exact.

    >>> normal_moment(4)
    3
    """
    return int(factorial(k) // (factorial(k // 2) * 2 ** (k // 2)))


def polynomial_mean(function: Poly) -> Any:
    """Mean of a polynomial in ``z`` under the standard normal, as an element of QQ. Exact.

    >>> from derive.symbols import z
    >>> int(polynomial_mean(Poly(z**4 + z**3, z)))
    3
    """
    terms = function.set_domain(QQ).as_dict(native=True).items()
    return sum((c * normal_moment(k) for (k,), c in terms if k % 2 == 0), QQ(0))


def gaussian_mean(expression: Expr, z: Symbol | None = None, variance: Expr = S.One) -> Expr:
    r"""Mean of a polynomial under a centred Gaussian.

    Arguments:
        expression: a polynomial in ``z``.
        z: its variable; its only symbol by default.
        variance: any expression.

    .. math:: E_Q[z^{2j}] = (2j-1)!!\, Q^j, \qquad E_Q[z^{2j+1}] = 0

    Raises ``InputError`` if ``expression`` is no polynomial in ``z``. Source: (29). Exact.

    >>> from derive.symbols import Q, z
    >>> gaussian_mean(z**4 + z**3, z, Q)
    3*Q**2
    """
    even = ((c, k) for (k,), c in polynomial(expression, z).terms() if k % 2 == 0)
    return expand(Add(*(c * normal_moment(k) * exact(variance) ** (k // 2) for c, k in even)))


def hermite_coefficients(
    expression: Expr,
    z: Symbol | None = None,
    variance: Expr = S.One,
    convention: HermiteConvention = "he",
) -> tuple[Expr, ...]:
    r"""Hermite coefficients of a polynomial at any variance.

    Arguments:
        expression: a polynomial in ``z``.
        z: its variable; its only symbol by default.
        variance: any expression, usually the symbol :math:`Q`.
        convention: ``he``, probabilists', as in the formula; ``h``, physicists'; or
            ``orthonormal``, as ``derive.conventions`` defines them.

    The result has one entry per degree, ``0`` to that of the polynomial.

    .. math:: c_k(Q) = E_Q[\sigma^{(k)}(z)]

    Raises ``InputError`` if ``expression`` is no polynomial in ``z``.
    Source: (28), (30), (35); for :math:`\mathrm{He}_n` this is (64). Exact.

    >>> from derive.symbols import Q, z
    >>> hermite_coefficients(z**3, z, Q)
    (0, 3*Q, 0, 6)
    """
    derivative, told = polynomial(expression, z), convention_of(convention)
    coefficients = []
    for k in range(max(derivative.degree(), 0) + 1):
        mean = gaussian_mean(derivative, derivative.gen, variance)
        coefficients.append(told.coefficient(mean, k, variance))
        derivative = derivative.diff()
    return tuple(coefficients)


def hermite_series(
    coefficients: Sequence[Expr], z: Expr = PREACTIVATION, variance: Expr = S.One
) -> Expr:
    r"""Polynomial with the given Hermite coefficients, expanded.

    Arguments:
        coefficients: :math:`(c_0, \dots, c_n)`.
        z: argument.
        variance: as in ``hermite_coefficients``, whose inverse this is.

    .. math:: \sigma(z) = \sum_k \frac{c_k}{k!} H_k^{[Q]}(z)

    Raises ``InputError`` for inexact coefficients. Source: (28). Exact.

    >>> from derive.symbols import Q, z
    >>> hermite_series((0, 3*Q, 0, 6), z, Q)
    z**3
    """
    parts = ((c / factorial(k), k) for k, c in enumerate(exact_series(coefficients)))
    return expand(Add(*(weight * hermite_polynomial(k, z, variance) for weight, k in parts)))


def change_variance(coefficients: Sequence[Expr], source: Expr, target: Expr) -> tuple[Expr, ...]:
    r"""Carry the Hermite coefficients of one function from one variance to another.

    Arguments:
        coefficients: at variance ``source``.
        source, target: variances, any expressions.

    .. math:: c_k(P) = \sum_j \frac{(P-Q)^j}{j!\,2^j}\, c_{k+2j}(Q)

    Raises ``InputError`` for inexact ones. Source: (34), (35); it is the heat equation
    :math:`c_k' = c_{k+2}/2`, solved. Exact.

    >>> from derive.symbols import Q
    >>> change_variance((0, 0, 0, 6), 1, Q)  # He_3 seen at variance Q (64)
    (0, 3*Q - 3, 0, 6)
    """
    half_gap = (exact(target) - exact(source)) / 2
    known = exact_series(coefficients)

    def carried(k: int) -> Expr:
        seen = enumerate(known[k::2])
        return expand(Add(*(c * half_gap**j / factorial(j) for j, c in seen)))

    return tuple(map(carried, range(len(known))))


def hermite_product(m: int, n: int, variance: Expr = S.One) -> dict[int, Expr]:
    r"""Linearisation of a product of two scaled Hermite polynomials.

    Arguments:
        m, n: degrees ≥ 0.
        variance: any expression.

    The result maps the degree :math:`m+n-2j` to the weight of that Hermite polynomial.

    .. math:: H_m H_n = \sum_{j \le \min(m,n)} j! \binom{m}{j} \binom{n}{j} Q^j H_{m+n-2j}

    Raises ``InputError`` for negative or non-integer degrees.
    Source: (37), which is ``m = n`` at unit variance: the squared labels. Exact.

    >>> hermite_product(2, 2)
    {4: 1, 2: 4, 0: 2}
    """
    m, n = checked_degree(m), checked_degree(n)
    return {
        m + n - 2 * j: factorial(j) * comb(m, j) * comb(n, j) * exact(variance) ** j
        for j in range(min(m, n) + 1)
    }


def product_coefficients(
    left: Sequence[Expr], right: Sequence[Expr], variance: Expr = S.One
) -> tuple[Expr, ...]:
    r"""Hermite coefficients of a product of two Hermite series of the same variance.

    Arguments:
        left, right: the coefficients of the factors.
        variance: that of both.

    A series times itself gives the squared label (36).

    .. math:: c_k = k! \sum_{i,j} \frac{a_i b_j}{i!\,j!}\,[H_k]\,H_i H_j

    with the weights of ``hermite_product``. Raises ``InputError`` for inexact coefficients.
    Source: (36), (37). Exact.

    >>> product_coefficients((0, 1), (0, 1))  # z² = He_2 + 1
    (1, 0, 2)
    """
    left, right = exact_series(left), exact_series(right)
    result = [Integer(0)] * (len(left) + len(right) - 1)
    for i, c in enumerate(left):
        for j, e in enumerate(right):
            if weight := c * e / (factorial(i) * factorial(j)):
                for k, w in hermite_product(i, j, variance).items():
                    result[k] += weight * w * factorial(k)
    return tuple(expand(c) for c in result)


def information_exponent(expression: Expr, z: Symbol | None = None) -> Expr:
    r"""Smallest degree ``k`` ≥ 1 whose Hermite coefficient at unit variance does not vanish.

    Arguments:
        expression: a polynomial in ``z``; its coefficients may hold other symbols.
        z: its variable; its only symbol by default.

    The result is ``oo`` for a constant.

    .. math:: \min \{k \ge 1 : E[\mathrm{He}_k(z)\,\sigma(z)] \ne 0\}

    Raises ``InputError`` if ``expression`` is no polynomial in ``z``, or if a symbolic
    coefficient leaves the answer open: undecided is not zero. Source: Sec. 2.2. Exact.

    >>> from derive.symbols import z
    >>> information_exponent(z**3 - 3*z, z), information_exponent(z**3, z)
    (3, 1)
    """
    for k, c in enumerate(hermite_coefficients(expression, z)):
        vanishes = c.equals(0) if c.is_number else c.is_zero
        if k == 0 or vanishes:
            continue
        if vanishes is None:
            raise InputError(
                f"the information exponent of {expression} is undecided: coefficient {k} is {c}, "
                "which may vanish; give its symbols assumptions or values"
            )
        return Integer(k)
    return oo


def hermite_mean(n: int, variance: Expr = VARIANCE) -> Expr:
    r"""Mean of the pure Hermite activation of degree ``n`` under another variance.

    Arguments:
        n: degree ≥ 0.
        variance: the student's :math:`Q`, any expression.

    .. math:: E_Q[\mathrm{He}_n] = \frac{n!}{(n/2)!\,2^{n/2}} (Q-1)^{n/2}
              \text{ for even } n, \qquad 0 \text{ for odd } n

    Raises ``InputError`` for a negative or non-integer degree. Source: App. E.5. Exact.

    >>> hermite_mean(4), hermite_mean(3)
    (3*(Q - 1)**2, 0)
    """
    n = checked_degree(n)
    if n % 2:
        return Integer(0)
    half = n // 2
    return Rational(factorial(n), factorial(half) * 2**half) * (exact(variance) - 1) ** half
