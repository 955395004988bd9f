r"""The learning rate that needs the fewest samples, and what samples cost at it. Exact.

The largest rate that still contracts to the teacher is, for large d, :math:`\gamma d/B \to g_s`,

.. math:: g_s = \frac{2 p_0}{(1-\mu)^2 q_0}, \qquad
    p_k = E z^k\sigma'(z)^2, \quad q_0 = E\sigma'(z)^4

A search of :math:`\tfrac12\tau\log d` at a share c of it takes
:math:`\tfrac{1}{2c}\,\kappa\,d\log d` samples whatever the batch, with the cost
:math:`\kappa = 1/(\lambda_+ g_s)`. As μ → 1 the rate grows as the escape slows: κ has a finite
limit. At a singularity the rate stays finite: κ diverges, and no rate mends it.
"""

from sympy import Expr, sqrt

from derive.errors import InputError
from derive.grammar import ActivationLike, parse_activation
from derive.hermite import checked_degree
from derive.pair import Pair, PairLike
from derive.symbols import exact, mu, z


def slope_moment(student: ActivationLike, power: int, k: int = 0) -> Expr:
    r"""The mean :math:`E z^k \sigma'(z)^n`, of an even power n.

    Arguments:
        student: an activation, as ``parse_activation`` takes it.
        power: n.
        k: power of z.

    Raises ``InputError`` for powers that are no integers ≥ 0, ``NoClosedForm`` if there is none.
    Exact.

    >>> slope_moment("He3", 4), slope_moment("relu", 2, 2)
    (4860, 1/2)
    """
    power, k = checked_degree(power, "power"), checked_degree(k, "power")
    return (parse_activation(student).value.derivative() ** power * z**k).mean()


def stable_scaled_rate(pair: PairLike) -> Expr:
    r"""The stable rate :math:`g_s` of γd/B for large d, in ``mu``; of the student alone.

    Raises ``NoClosedForm`` if there is none. Source: (45), (46), derived for batches. Exact.

    >>> stable_scaled_rate("x")
    2/(1 - mu)**2
    """
    student = Pair.of(pair).student
    return 2 * slope_moment(student, 2) / ((1 - mu) ** 2 * slope_moment(student, 4))


def cost_at_full_strength(pair: PairLike) -> Expr:
    r"""The limit of the cost κ as μ → 1, of a matched pair.

    There :math:`a \sim (1-\mu)\,p_2` and :math:`b \to -p_0`, so that
    :math:`\lambda_+ \sim (1-\mu)^2 p_2^2/p_0`, and

    .. math:: \lim_{\mu \to 1} \frac{1}{\lambda_+ g_s} = \frac{q_0}{2 p_2^2}

    Raises ``InputError`` for a pair that is not matched, ``NoClosedForm`` if there is none. Source:
    (57)-(61). Exact.

    >>> [cost_at_full_strength(name) for name in ("x", "relu", "He3")]
    [1/2, 1, 3/10]
    """
    pair = Pair.of(pair)
    if pair != Pair(pair.student):
        raise InputError("only a matched pair has this limit: give one activation alone")
    return slope_moment(pair.student, 4) / (2 * slope_moment(pair.student, 2, 2) ** 2)


def best_share(descent: Expr) -> Expr:
    r"""The share of the stable rate at which search and descent together take the fewest samples.

    Arguments:
        descent: r > 0, how long the descent takes at small rates, in units of the search.

    At a share c the search takes samples as 1/c, while near the teacher the noise of samples slows
    the descent by 1 - c. Their sum is least where

    .. math:: \frac{d}{dc}\,\frac1c\Big(1 + \frac{r}{1-c}\Big) = 0, \qquad
        c = 1 + r - \sqrt{r(1+r)} \in (\tfrac12, 1)

    So a long search calls for nearly the stable rate, a long descent for half of it. Raises
    ``InputError`` for a float. Exact, for these two parts; what lies between them is left out.

    >>> from sympy import Rational
    >>> best_share(Rational(1, 3))
    2/3
    """
    r = exact(descent)
    return 1 + r - sqrt(r * (1 + r))


def growth_with_scaling(a: Expr, b: Expr, scaling: Expr) -> Expr:
    r"""The growth rate of a student :math:`\sigma((\mu\omega_\star + \alpha u\,\omega)\cdot x)`.

    Arguments:
        a, b: the drift coefficients.
        scaling: α > 0, LoRA's.

    In :math:`U = \alpha u` the update is that of α = 1, but for a rate of u that is α² times that
    of the direction:

    .. math:: \dot U = \alpha^2(a m + b U), \quad \dot m = a U, \qquad
        \lambda_+ = \tfrac12\big(\alpha^2 b + \sqrt{\alpha^4 b^2 + 4\alpha^2 a^2}\big)

    For b < 0 it grows with α, up to :math:`a^2/|b|`, and vanishes only with a. Raises
    ``InputError`` for floats. Source: (57)-(59). Exact.

    >>> growth_with_scaling(1, -1, 2)
    -2 + 2*sqrt(2)
    """
    a, b, alpha = map(exact, (a, b, scaling))
    return (alpha**2 * b + sqrt(alpha**4 * b**2 + 4 * alpha**2 * a**2)) / 2
