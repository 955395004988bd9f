r"""How fast a function grows against the Gaussian: whether its risk is finite.

A mean square under the standard normal is finite where :math:`|f| \le P(|z|)\,e^{r z^2 + B|z|}`
with :math:`r < 1/4`. The rate ``r`` is read off the exponentials of an expression.
"""

from sympy import Add, Expr, Mul, Poly, Pow, Rational, S, atan, cos, erf, exp, oo, sin, tanh

from derive.errors import InputError, quoted
from derive.piecewise import PiecewiseAnalytic
from derive.ranges import range_of
from derive.symbols import z

LIMIT = Rational(1, 4)


def rate_of(expression: Expr, low: Expr = -oo, high: Expr = oo) -> Expr:
    """A rate ``r`` of growth on an interval, ``oo`` if none is known; for products it is exact.

    Arguments:
        expression: in ``z``.
        low, high: ends of the interval.

    >>> rate_of(z**3 * exp(z**2 / 5 + z))
    1/5
    """
    if not expression.has(z):
        return S.Zero
    if isinstance(expression, exp):
        return _rate_of_exponential(expression.args[0], low, high)
    if isinstance(expression, Add):
        return max(rate_of(part, low, high) for part in expression.args)
    if isinstance(expression, Mul):
        return sum((rate_of(part, low, high) for part in expression.args), S.Zero)
    if isinstance(expression, Pow) and expression.exp.is_positive:
        return expression.exp * max(S.Zero, rate_of(expression.base, low, high))
    return S.Zero  # roots, logarithms, bounded functions, inverses of what stays away from 0


def _rate_of_exponential(exponent: Expr, low: Expr, high: Expr) -> Expr:
    if exponent.is_polynomial(z):
        coefficients = Poly(exponent, z)
        if coefficients.degree() <= 2:
            rate = coefficients.coeff_monomial(z**2)
            return rate if oo in (-low, high) else S.Zero
    if range_of(exponent, low, high)[1] < oo or (-oo < low and high < oo):
        return S.Zero
    degree = degree_of(exponent)
    return S.Zero if degree <= 1 else oo


def degree_of(expression: Expr) -> Expr:
    """A degree ``d`` with \\|f\\| ≤ C(1 + \\|z\\|^d), ``oo`` if none is known.

    >>> degree_of((1 + z**2) ** S.Half)
    1
    """
    if not expression.has(z):
        return S.Zero
    if expression == z:
        return S.One
    if isinstance(expression, Add | Mul):
        degrees = [degree_of(part) for part in expression.args]
        return max(degrees) if isinstance(expression, Add) else sum(degrees)
    if isinstance(expression, exp):
        return S.Zero if range_of(expression.args[0])[1] < oo else oo
    if isinstance(expression, (atan, cos, erf, sin, tanh)):
        return S.Zero
    if isinstance(expression, Pow):
        return expression.exp * degree_of(expression.base) if expression.exp > 0 else S.Zero
    return degree_of(expression.args[0])  # all others grow no faster than their argument


def insist_on_finite_risk(
    function: PiecewiseAnalytic, text: str, variance: Expr = S.One, limit: Rational = LIMIT
) -> None:
    """Raise ``InputError`` for a function whose mean square may be infinite at a variance.

    Arguments:
        function: of ``z``.
        text: how it was given, for the error.
        variance: of the Gaussian.
        limit: of the variance times the rate: 1/4, or 1/2 where it is the mean that is asked for.
    """
    for piece, low, high in function.intervals():
        if not variance * (rate := rate_of(piece, low, high)) < limit:
            why = "is not known to grow slowly enough for a Gaussian"
            if rate != oo:
                what = "risk" if limit == LIMIT else "mean"
                why = f"grows too fast for a Gaussian, as exp({rate}*x**2): its {what} is infinite"
            raise InputError(
                f"{quoted(text)} is not accepted: it {why}; the coefficient of x**2 in exponents "
                f"stays below {limit / variance}"
            )
