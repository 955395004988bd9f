"""What a judgement has to notice: the tool by which the ledger is held to it."""

import pytest
from sympy import Integer, Symbol
from variations import Judgement, unnoticed

x = Symbol("x", positive=True)


def test_a_judgement_that_takes_everything_is_seen():
    """Also in one place of a list; a test that fails on others is not passed over."""
    three = Integer(3)
    assert unnoticed(Judgement("", three, lambda v: v > -(10**9))) == ["value"]
    assert unnoticed(Judgement("", (three, three), lambda v: v[0] == 3)) == ["value[1]"]
    assert unnoticed(Judgement("", {2: three, 4: x}, lambda v: v[2] == 3)) == ["value[4]"]
    assert unnoticed(Judgement("", (), lambda v: v == ())) == []
    with pytest.raises(AttributeError):
        unnoticed(Judgement("", three, lambda v: v == 3 or v.absent))
