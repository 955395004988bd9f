"""Signs and zeros of what the ledger judges: told where they are proved, and else left open."""

import pytest
from sympy import Function, Integer, Symbol, expand, factorial, factorial2, sqrt, symbols

from derive.errors import Undecided
from derive.leading import LeadingTerm
from derive.pair import Pair
from derive.pair_drift import closed_drift
from numerics.certified.balls import Enclosure
from numerics.claims.ledger import judged
from numerics.claims.signs import is_zero, negative, positive


@pytest.mark.parametrize(
    "value",
    [Symbol("y", real=True), Enclosure("0.1", "0.2"), LeadingTerm(Symbol("c", real=True))],
)
def test_an_unknown_sign_is_not_guessed(value):
    assert positive(value) is negative(value) is None
    with pytest.raises(Undecided, match="sign"):
        judged("sign", value, positive)


@pytest.mark.parametrize("value", [Integer(3), Enclosure("0.3", "0.2"), LeadingTerm(Integer(2))])
def test_known_signs_are_told(value):
    assert (positive(value), negative(value)) == (True, False)


def test_zero_is_proved_or_refuted_or_open():
    a, b = symbols("a b", real=True)
    assert is_zero((a + b) ** 2 - a**2 - 2 * a * b - b**2)
    assert not is_zero(a - b)
    assert not is_zero(a / 10**19)
    for unknown in (a / 10**21, Function("f")(a) - Function("f")(b)):  # too small; no value
        with pytest.raises(Undecided, match="neither proved nor refuted"):
            is_zero(unknown)


@pytest.mark.parametrize("text", ["relu(x - 1)", "sin"])
def test_what_is_written_and_what_was_derived_are_found_to_agree(text):
    """erfc and sinh against erf and exp, and against another form that holds them too."""
    drift = closed_drift(Pair(text))
    for written, derived in ((drift.a, drift.derived_a), (drift.b, drift.derived_b)):
        assert is_zero(written - derived)
        assert is_zero(expand(derived) - written)


def test_zero_is_refuted_only_where_symbols_may_be():
    n, below = Symbol("n", integer=True, positive=True), Symbol("h", negative=True)
    assert not is_zero(factorial2(2 * n) - factorial(n))
    assert is_zero(sqrt(below**2) + below)
