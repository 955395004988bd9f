"""Random exact objects for the property-based tests."""

from hypothesis import strategies as st
from sympy import Integer, Rational

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
