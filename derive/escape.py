r"""Escape from the search phase: eigenvalues, time scale, exact limits (Sec. 3.1, App. E).

``τ = 1/λ₊`` with ``λ₊`` the growth rate of ``u̇ = a m + b u``, ``ṁ = a u``. How τ behaves where
the coefficients vanish follows from the leading terms of ``a`` and ``b`` alone
(``leading_escape_time``); Prop. 3 and the local law at a singularity are two uses of that rule.
"""

from sympy import (
    QQ,
    Expr,
    Integer,
    KroneckerDelta,
    Poly,
    combsimp,
    diff,
    factorial,
    factorial2,
    log,
    oo,
    sqrt,
)

from derive.drift import Drift
from derive.errors import InputError
from derive.given import insist_on
from derive.hermite import checked_degree
from derive.leading import LeadingTerm
from derive.pair_drift import DriftLike, drift_of
from derive.symbols import Q, exact, mu


def eigenvalues(a: Expr, b: Expr) -> tuple[Expr, Expr]:
    r"""Eigenvalues :math:`\lambda_\pm = \tfrac12 (b \pm \sqrt{b^2 + 4a^2})` of the search phase.

    Arguments:
        a, b: drift coefficients, any expressions.

    Raises ``InputError`` for floats and text. Source: (59). Exact.

    >>> eigenvalues(0, -1)
    (0, -1)
    """
    a, b = exact(a), exact(b)
    root = sqrt(b**2 + 4 * a**2)
    return (b + root) / 2, (b - root) / 2


def escape_time(a: Expr, b: Expr) -> Expr:
    r"""Time scale :math:`\tau = 1/\lambda_+` of the escape; ``oo`` if there is none.

    Arguments:
        a, b: drift coefficients, any expressions.

    .. math:: \tau = \frac{2}{b + \sqrt{b^2 + 4a^2}}

    It is infinite exactly where ``a = 0`` and ``b ≤ 0``; a symbolic ``a`` is taken to be nonzero.
    Raises ``InputError`` if ``a = 0`` and the sign of ``b`` is not known. Source: (59)-(61). Exact.

    >>> escape_time(0, -1), escape_time(0, 2)
    (oo, 1/2)
    """
    a, b = exact(a), exact(b)
    if a.equals(0):
        sign_of_b = b.is_positive
        if sign_of_b is None:
            raise InputError(f"τ at a = 0 is undecided: give {b} a known sign")
        return 1 / b if sign_of_b else oo
    return 1 / eigenvalues(a, b)[0]


def exit_time(a: Expr, b: Expr, d: Expr) -> Expr:
    r"""Exit time from the search phase, to leading order in the dimension ``d``.

    Arguments:
        a, b: drift coefficients, any expressions.
        d: input dimension, any expression.

    .. math:: t_{exit} \asymp \frac{\log d}{b + \sqrt{b^2 + 4a^2}} = \tfrac12 \tau \log d

    Raises ``InputError`` as ``escape_time`` does. Source: (9), (61). Exact as a formula; the law
    holds up to additive constants.

    >>> from derive.symbols import d
    >>> exit_time(0, 1, d)
    log(d)/2
    """
    return escape_time(a, b) * log(exact(d)) / 2


def leading_escape_time(a: LeadingTerm, b: LeadingTerm) -> LeadingTerm:
    r"""Leading behaviour of τ where the drift coefficients behave as given.

    Arguments:
        a, b: leading terms of both in the same small ``x``.

    With :math:`a \sim \alpha x^p`, :math:`b \sim \beta x^q`, the larger of the two sets the rate,
    except that a larger negative ``b`` cancels in :math:`\lambda_+ = 1/\tau` and leaves
    :math:`a^2/|b|`:

    .. math:: \lambda_+ \sim |\alpha| x^p \;(p<q), \quad
              \tfrac12(\beta+\sqrt{\beta^2+4\alpha^2})\,x^p \;(p=q), \quad
              \beta x^q \;(p>q, \beta>0), \quad
              \tfrac{\alpha^2}{|\beta|} x^{2p-q} \;(p>q, \beta<0)

    Raises ``InputError`` if a sign or order that decides the case is not known. Source: (59).
    Exact.

    >>> leading_escape_time(LeadingTerm(Integer(3), Integer(1)), LeadingTerm(Integer(-2)))
    LeadingTerm(coefficient=2/9, exponent=-2)
    """
    for each in (a, b):
        insist_on(each, LeadingTerm, "a LeadingTerm, as in LeadingTerm(Integer(3), Integer(1))")
    alpha, p = a.coefficient, a.exponent
    beta, q = b.coefficient, b.exponent
    order = p - q
    if alpha == 0 and beta.is_nonpositive:
        return LeadingTerm(oo)
    if beta.is_positive and (alpha == 0 or order.is_positive):
        return LeadingTerm(1 / beta, -q)
    if beta.is_negative and order.is_positive and alpha.is_nonzero:
        return LeadingTerm(-beta / alpha**2, q - 2 * p)
    if (beta == 0 or order.is_negative) and alpha.is_nonzero:
        return LeadingTerm(1 / abs(alpha), -p)
    if order.is_zero and alpha.is_nonzero and beta.is_real:
        return LeadingTerm((sqrt(beta**2 + 4 * alpha**2) - beta) / (2 * alpha**2), -p)
    raise InputError(
        f"the limit is undecided for a ~ {alpha}·x^{p}, b ~ {beta}·x^{q}: "
        "give the coefficients and exponents known signs and order"
    )


def escape_limit(drift: DriftLike, end: int) -> LeadingTerm:
    r"""Leading behaviour of τ at an end of the pre-training range.

    Arguments:
        drift: polynomial or in closed form, of a pair without misalignment.
        end: 0 for :math:`\mu \to 0` (then ``x`` is μ) or 1 for :math:`\mu \to 1` (then ``x`` is
            :math:`1-\mu`).

    Raises ``InputError`` for another end, for misaligned pre-training, and if a coefficient in
    closed form vanishes at the end to an order above ``HIGHEST_ORDER``; ``NoClosedForm`` for means.
    Source: Prop. 3, for any drift. Exact.

    >>> from derive.polynomial_drift import hermite_drift
    >>> escape_limit(hermite_drift(3, normalization="n*n!"), 1)
    LeadingTerm(coefficient=1/25, exponent=-2)
    """
    if end not in (0, 1):
        raise InputError(f"end {end!r} is not accepted: give 0 or 1")
    drift = drift_of(drift)
    if drift.misalignment != 0:
        raise InputError("limits are derived for aligned pre-training: give no misalignment")
    return leading_escape_time(*drift.leading_terms(end))


def hermite_escape_limit(n: Expr, end: int) -> LeadingTerm:
    r"""Leading behaviour of τ for the pure Hermite pair of symbolic degree: Prop. 3, derived.

    Arguments and errors: as ``hermite_drift_limit``. Source: Prop. 3, (74)-(79). Exact.

    >>> from sympy import Symbol
    >>> p = Symbol("p", integer=True, positive=True)
    >>> hermite_escape_limit(2*p, 0).coefficient
    factorial2(2*p)/factorial2(2*p - 1)
    """
    return leading_escape_time(*hermite_drift_limit(n, end))


def hermite_drift_limit(n: Expr, end: int) -> tuple[LeadingTerm, LeadingTerm]:
    r"""Leading terms of a and b of the pure Hermite pair of symbolic degree.

    Arguments:
        n: an integer expression: any at ``end`` 1; at ``end`` 0 one whose parity SymPy can tell,
            such as ``2*p`` or ``2*p + 1`` with a positive integer symbol ``p``.
        end: 0 or 1, as in ``escape_limit``, and so is ``x``.

    Normalisation ``n*n!``.

    From :math:`S(Q) = \sum_j s_j (Q-1)^{2j} Q^{n-2j}`, :math:`s_j = n!^2/((n-2j)!\,(2j)!!^2)`,
    :math:`b = -S'(\mu^2)/(n\,n!)` and :math:`a = \mu^{n-1} + \mu b` (65)-(69). For odd ``n`` ≥ 3
    the signs of ``a`` at the two ends differ, which proves Prop. 2 for all of them.

    Raises ``InputError`` for ``n`` of unknown parity at end 0, for ``n = 1`` there (use
    ``escape_limit``) and for another end. Source: (70)-(79). Exact.

    >>> from sympy import Symbol
    >>> p = Symbol("p", integer=True, positive=True)
    >>> [hermite_drift_limit(2*p + 1, end)[0].coefficient.is_positive for end in (0, 1)]
    [False, True]
    """
    n = exact(n)
    if end == 1 and n.is_integer and n.is_positive:
        return _hermite_drift_at_one(n)
    if end != 0 or n.is_even is None or not (n - 1).is_positive:
        raise InputError(
            f"degree {n} at end {end!r} is not accepted: end 1 with a positive integer, or end 0 "
            "with a degree ≥ 2 whose parity is known, such as 2*p or 2*p + 1"
        )
    # S'(0): only the last term, j = ⌊n/2⌋, is of order below Q². It is s·(Q-1)^n for even n and
    # s·(Q-1)^(n-1)·Q for odd n; n! = n!!·(n-1)!! and n!! = n·(n-2)!! keep s in double factorials.
    if n.is_even:
        slope = -n * factorial2(n - 1) ** 2
        normalizer = n * factorial2(n) * factorial2(n - 1)
    else:
        slope = (n * factorial2(n - 2)) ** 2
        normalizer = n * (n * factorial2(n - 2)) * factorial2(n - 1)
    b = -slope / normalizer
    # a = μ^(n-1) + μ·b(0) + ...: of first order in μ, the power being of that order if n = 2.
    return LeadingTerm(b + KroneckerDelta(n, 2), Integer(1)), LeadingTerm(b)


def _hermite_drift_at_one(n: Expr) -> tuple[LeadingTerm, LeadingTerm]:
    """The terms j ≥ 2 of S vanish at μ = 1 to fourth order and drop out, j = 1 is of second."""
    weight = combsimp(factorial(n) ** 2 / (4 * factorial(n - 2)))
    power = factorial(n) * Q**n + weight * (Q - 1) ** 2
    b = -diff(power, Q).subs(Q, mu**2) / (n * factorial(n))
    a = mu ** (n - 1) + mu * b
    slope = combsimp(diff(a, mu).subs(mu, 1))
    return LeadingTerm(-slope.factor(), Integer(1)), LeadingTerm(combsimp(b.subs(mu, 1)))


def local_law(drift: DriftLike, multiplicity: int = 1) -> tuple[Poly, Poly]:
    r"""Constant of the local law at a singularity, as a quotient of polynomials in μ.

    Arguments:
        drift: of a polynomial pair, or what ``drift_of`` takes.
        multiplicity: ``k`` ≥ 1 of the zero of ``a``.

    At a zero :math:`\mu_\star` with :math:`b(\mu_\star) < 0`,

    .. math:: \tau \approx \frac{C}{(\mu-\mu_\star)^{2k}}, \qquad
              C = \frac{-b(\mu_\star)}{(a^{(k)}(\mu_\star)/k!)^2}.

    The result is the pair :math:`(-b,\; a^{(k)}/k!)`.

    Raises ``InputError`` for a multiplicity below 1 and other drifts. Source:
    ``leading_escape_time``. Exact.

    >>> from derive.polynomial_drift import hermite_drift
    >>> numerator, root = local_law(hermite_drift(1))
    >>> numerator.as_expr(), root.as_expr()
    (1, -1)
    """
    drift, multiplicity = drift_of(drift), checked_degree(multiplicity, "multiplicity", least=1)
    if not isinstance(drift, Drift):
        raise InputError("a is no polynomial here: give a pair of polynomials")
    derivative = drift.derivative("a", multiplicity)
    return -drift.b, derivative.to_field().mul_ground(QQ(1, int(factorial(multiplicity))))
