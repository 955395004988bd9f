"""Random exact objects for the property-based tests."""

from hypothesis import strategies as st
from sympy import Integer, Rational, erf, exp
from sympy import sign as sympy_sign

from derive.gaussian import (
    GaussianFunction,
    constant,
    error_function,
    exponential,
    power,
    sign,
)
from derive.symbols import z

rationals = st.fractions(min_value=-3, max_value=3, max_denominator=12).map(
    lambda f: Rational(f.numerator, f.denominator)
)
variances = (
    st.fractions(min_value=0, max_value=4, max_denominator=12)
    .filter(bool)
    .map(lambda f: Rational(f.numerator, f.denominator))
)
strengths = st.fractions(min_value=0, max_value=1, max_denominator=1000).filter(lambda f: 0 < f < 1)
degrees = st.integers(min_value=0, max_value=8)
polynomials = st.lists(rationals, min_size=1, max_size=6).map(
    lambda coefficients: sum((c * z**k for k, c in enumerate(coefficients)), Integer(0))
)

small = st.fractions(min_value=-2, max_value=2, max_denominator=6).map(
    lambda f: Rational(f.numerator, f.denominator)
)
decays = st.fractions(min_value=0, max_value=2, max_denominator=4).map(
    lambda f: Rational(f.numerator, f.denominator)
)


@st.composite
def members(draw, most_errors=2, tilted=True):
    """Sums of one to three monomials whose mean is in the algebra, as (element, expression)."""
    element, expression = GaussianFunction({}), Integer(0)
    for _ in range(draw(st.integers(1, 3))):
        c, k, alpha = draw(small), draw(st.integers(0, 4)), draw(decays)
        part, shown = constant(c) * power(k), c * z**k
        errors = draw(st.lists(variances, max_size=most_errors))
        beta = draw(small) if tilted and len(errors) < 2 else Integer(0)
        part, shown = part * exponential(alpha, beta), shown * exp(-alpha * z**2 + beta * z)
        for scale in errors:
            part, shown = part * error_function(scale), shown * erf(scale * z)
        if len(errors) < 2 and draw(st.booleans()) and (not errors or beta == 0):
            part, shown = part * sign(), shown * sympy_sign(z)
        element, expression = element + part, expression + shown
    return element, expression
