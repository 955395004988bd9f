"""Every identity (19)-(37) on random instances, and proof that the check can fail."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import degrees, polynomials, variances
from sympy import factorial

from derive import identities
from derive.identities import IDENTITIES
from derive.symbols import Q, z

KINDS = {
    **dict.fromkeys("jkn", degrees),
    **dict.fromkeys("PQ", variances),
    **dict.fromkeys("pq", polynomials),
}


def test_the_papers_numbers_are_all_there():
    numbers = {"19", "20", "21", "22", "23", "24", "26", "27", "28", "29", "30", "31", "34", "37"}
    assert set(IDENTITIES) == numbers  # (25) is the operator of (26)


@pytest.mark.parametrize("equation", IDENTITIES)
@given(data=st.data())
def test_identity_holds_on_random_instances(equation, data):
    identity = IDENTITIES[equation]
    instance = [data.draw(KINDS[name], label=name) for name in identity.arguments]
    assert identity.holds(*instance)


@pytest.mark.parametrize("equation", [e for e, i in IDENTITIES.items() if "p" not in i.arguments])
@pytest.mark.parametrize("n", range(4))
def test_identity_holds_at_a_symbolic_variance(equation, n):
    identity = IDENTITIES[equation]
    assert identity.holds(*(n if name in "jkn" else Q for name in identity.arguments))


def _without_double_factorial(n, x, variance=1):
    terms = (
        factorial(n) / factorial(n - 2 * j) / factorial(j) * (-variance) ** j * x ** (n - 2 * j)
        for j in range(n // 2 + 1)
    )
    return sum(terms)


# The others cannot notice: (22) and (27) hold for wrong weights, the rest use coefficients.
@pytest.mark.parametrize("equation", ["19", "20", "21", "23", "24", "26", "34", "37"])
def test_a_wrong_hermite_polynomial_is_noticed(equation, monkeypatch):
    identity = IDENTITIES[equation]
    instance = [{"P": 1, "Q": Q}.get(name, 4) for name in identity.arguments]
    assert identity.holds(*instance)
    monkeypatch.setattr(identities, "hermite_polynomial", _without_double_factorial)
    assert not identity.holds(*instance)


@pytest.mark.parametrize("equation", ["28", "29", "30", "31"])
def test_a_wrong_hermite_coefficient_is_noticed(equation, monkeypatch):
    identity = IDENTITIES[equation]
    instance = {"p": z**3 + 2, "q": z**2 + z, "P": 2, "Q": 3, "k": 0}
    arguments = [instance[name] for name in identity.arguments]
    assert identity.holds(*arguments)
    monkeypatch.setattr(identities, "hermite_coefficients", lambda *_: (1, 2, 3))
    assert not identity.holds(*arguments)
