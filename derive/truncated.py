r"""Exact Gaussian means between two points, of polynomials times exponentials.

Stein's lemma with what it leaves at the ends: for the weight
:math:`h(z) = e^{-\alpha z^2 + \beta z}` and :math:`w = 1 + 2\alpha`,

.. math:: w\,E[z^k h; p, q] = (k-1)\,E[z^{k-2} h; p, q] + \beta\,E[z^{k-1} h; p, q]
          - \big[z^{k-1} h(z)\,\varphi(z)\big]_p^q

with :math:`\varphi` the Gaussian density. What is left is a difference of error functions.
"""

from sympy import Add, Expr, I, S, erf, exp, expand, oo, pi, sqrt

from derive.errors import InputError
from derive.gaussian import GaussianFunction, Monomial, NoClosedForm, Sum, compact, factored, gather

_LONGEST = 400  # operations of one rational function


def truncated_mean(function: GaussianFunction, low: Expr, high: Expr) -> Expr:
    r"""Mean :math:`E[f(g);\, p < g < q]` under the standard normal.

    Arguments:
        function: f, an element of the algebra.
        low, high: p < q, ``-oo`` and ``oo`` included.

    Raises ``NoClosedForm`` if f holds error functions, signs or waves and an end is finite, or if
    the closed form is longer than any use of it, ``InputError`` if the mean is infinite. Exact.

    >>> from derive.gaussian import power
    >>> truncated_mean(power(1), S.Zero, oo)
    sqrt(2)/(2*sqrt(pi))
    """
    if (low, high) == (-oo, oo):
        return function.mean()
    total: Sum = {}
    for key, c in function.terms.items():
        if key.scales or key.delta or key.linear.has(I):
            raise NoClosedForm(
                f"the mean of {key} between {low} and {high} has no closed form here"
            )
        gather(total, _between(key, low, high), c)
    if max((int(rational.count_ops()) for rational in total.values()), default=0) > _LONGEST:
        raise NoClosedForm(f"closed forms of more than {_LONGEST} operations are not formed")
    return Add(*(rest * factored(rational) for rest, rational in total.items()))


def _between(key: Monomial, low: Expr, high: Expr) -> Sum:
    """The mean of one monomial, by the recursion from below."""
    weight = expand(1 + 2 * key.quadratic)
    if weight.is_nonpositive:
        raise InputError(f"exp({-key.quadratic}·z²) grows too fast for a Gaussian")
    means = [_mass(key.linear, weight, low, high)]
    for k in range(1, key.power + 1):
        total: Sum = {}
        gather(total, means[k - 1], key.linear / weight)
        if k > 1:
            gather(total, means[k - 2], (k - 1) / weight)
        for end, side in ((low, 1), (high, -1)):
            if end not in (-oo, oo):
                exponent = expand(key.linear * end - weight * end**2 / 2)
                gather(total, {exp(exponent): S.One}, side * end ** (k - 1) / weight / sqrt(2 * pi))
        means.append(compact(total))
    return means[key.power]


def _mass(linear: Expr, weight: Expr, low: Expr, high: Expr) -> Sum:
    """The mean of the exponential alone: N(β/w, 1/w) between the ends."""
    mass = exp(expand(linear**2) / (2 * weight)) / sqrt(weight)
    total: Sum = {}
    for end, side in ((high, 1), (low, -1)):
        if end in (-oo, oo):
            gather(total, {mass: S.Half}, S.One)
        else:
            middle = erf(expand((end - linear / weight) * sqrt(weight / 2)))
            gather(total, {mass * middle: S.Half}, side * S.One)
    return total
