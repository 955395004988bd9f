"""The constant of the exit time by shooting: within its error of the enclosed one, and its laws."""

from fractions import Fraction
from math import log

import pytest

from derive.errors import InputError, Undecided
from derive.pair import Pair
from numerics.dynamics.exit_constant import exit_constant_of, shot
from numerics.dynamics.flow import flow_of

STIFF = ("x", "0.95")  # |b| is 400 λ
PAIRS = (("x", "0.5"), ("He2", "0.5"), ("He3", "0.6"), ("He5", "0.8"), ("He10", "0.5"), STIFF)


@pytest.mark.parametrize(("pair", "strength"), PAIRS)
def test_shooting_is_within_its_error_of_the_enclosure(pair, strength):
    enclosed = exit_constant_of(Pair(pair), Fraction(strength))
    found = shot(flow_of(pair, float(strength)))
    assert enclosed.certainty == "certified"
    assert enclosed.error < 1e-10
    assert abs(found.log_k - enclosed.log_k) < found.error < 3e-8


def test_where_steps_would_be_too_short_it_is_shot():
    """As μ → 1, x follows u = (1 - μ) m, on which m/√(1 - m²) grows as e^{λt}: known at R = ½."""
    off = []
    for strength in ("0.99", "0.997"):
        found = exit_constant_of(Pair("x"), Fraction(strength))
        assert found.certainty == "heuristic"
        off.append((found.log_k + log(3) / 2) / (1 - float(strength)) ** 2)
    assert off[0] == pytest.approx(off[1], rel=2e-3)


@pytest.mark.parametrize("misalignment", ["none", "linear"])
def test_a_factor_of_teacher_and_student_is_one_of_time(misalignment):
    """It is not of the orbit: log K stays."""
    one, three = (
        exit_constant_of(Pair(text, misalignment=misalignment), Fraction(1, 2))
        for text in ("relu", "3*relu(x)")
    )
    assert three.log_k == pytest.approx(one.log_k, abs=one.error + three.error)


def test_misalignment_that_vanishes_changes_nothing():
    """x with ν = 10^-6, not enclosed, against x, which is."""
    from sympy import Rational

    off = exit_constant_of(Pair("x", misalignment=Rational(1, 10**6)), Fraction(1, 2))
    assert off.log_k == pytest.approx(exit_constant_of(Pair("x"), Fraction(1, 2)).log_k, abs=1e-6)


def test_what_does_not_exit_is_refused():
    with pytest.raises(InputError, match="without escape"):
        shot(flow_of("x", 1.0))
    with pytest.raises(Undecided, match="is not seen to reach"):
        exit_constant_of(Pair("He8"), Fraction("0.3"))  # it ends on a plateau inside
