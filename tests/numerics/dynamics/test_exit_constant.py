"""The constant of the exit time by shooting: within its error of the enclosed one, and its laws."""

from fractions import Fraction
from math import log
from types import SimpleNamespace

import numpy as np
import pytest
from flint import arb
from thorough import only

from derive.errors import InputError, Undecided
from derive.pair import Pair
from numerics.dynamics import exit_constant
from numerics.dynamics.exit_constant import Passage, exit_constant_of, shot
from numerics.dynamics.flow import flow_of
from numerics.dynamics.solver import NotFollowed

STIFF = ("x", "0.95")  # |b| is 400 λ
PAIRS = (("x", "0.5"), ("He2", "0.5"), ("He3", "0.6"), ("He5", "0.8"), ("He10", "0.5"), STIFF)


@pytest.mark.parametrize(("pair", "strength"), only([*PAIRS[:4], STIFF], PAIRS))
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
    with pytest.raises(Undecided, match=r"is not seen to reach .*: give a smaller radius$"):
        shot(flow_of("He8", 0.3))  # it ends on a plateau inside


def test_a_flow_that_cannot_be_followed_is_not_seen_to_exit(monkeypatch):
    def solved(*given, **how):
        raise NotFollowed("the flow is not followed beyond time 0")

    monkeypatch.setattr(exit_constant, "solved", solved)
    with pytest.raises(Undecided, match=r"is not seen to reach .* at μ = 0\.5"):
        shot(flow_of("x", 0.5))


@pytest.mark.parametrize(("of", "size"), [("state", 0.5), ("overlap", 0.4)])
def test_an_exit_is_one_on_either_side(of, size):
    for state in ((0.3, 0.4), (-0.3, -0.4), (0.3, -0.4)):
        assert Passage(of, 0.75).missing(np.array(state)) == pytest.approx(0.75 - size)


@pytest.mark.parametrize("loose", [0.0, -1e-4])
@pytest.mark.parametrize("ratio", [0.25, -0.1, 0.49])
def test_what_falls_as_a_power_is_extrapolated_away(monkeypatch, ratio, loose):
    """Three shots miss by c, cq, cq², which the rule takes off: the error is at least the last."""
    found = _shot_with(monkeypatch, [3 + 0.1 * ratio**k for k in range(3)], loose)
    assert found.log_k == pytest.approx(3, abs=1e-12)
    assert found.error >= 0.1 * ratio**2 + abs(loose)


@pytest.mark.parametrize("ratio", [0.51, 1.0, 2.0, -0.9])
def test_what_does_not_fall_by_half_is_left_with_its_last_step_as_error(monkeypatch, ratio):
    shots = [3 + 0.1 * ratio**k for k in range(3)]
    found = _shot_with(monkeypatch, shots, 0.0)
    assert found.log_k == pytest.approx(shots[2], abs=1e-12)
    assert found.error >= abs(shots[2] - shots[1])


def test_the_error_tends_to_the_miss_of_the_last_shot_as_shots_fall_faster(monkeypatch):
    """Misses that fall by q, and then by q and a little more, of which the rule knows nothing."""
    over = []
    for ratio in (0.2, 0.1, 0.05):
        shots = [3 + 0.1 * ratio**k * (1 + 0.1 * ratio ** (k + 1)) for k in range(3)]
        found, missed = _shot_with(monkeypatch, shots, 0.0), shots[2] - 3
        assert abs(found.log_k - 3) < found.error
        over.append(abs(found.error / missed - 1))
    assert over == sorted(over, reverse=True)
    assert over[-1] < 0.01


def _shot_with(monkeypatch, shots, loose):
    """What is found where λ T + log ε is known at three starts, each a quarter of the last."""
    flow, sizes = flow_of("x", 0.5), []

    def solved(velocity, start, horizon, *, rtol, **how):
        size = np.linalg.norm(start)
        if not sizes or size < sizes[-1] * 0.9:
            sizes.append(size)
        reached = shots[len(sizes) - 1] + (loose if rtol > 1e-11 else 0.0)
        return SimpleNamespace(t_events=[[reached - log(size)]])

    monkeypatch.setattr(exit_constant, "solved", solved)
    found = shot(flow, Passage("state", 0.4))
    assert sizes == pytest.approx([4e-4, 1e-4, 2.5e-5])
    return found


def test_what_takes_too_long_to_enclose_is_shot(monkeypatch):
    """At a finite learning rate degrees above 4, and misaligned pairs, whatever their degree."""
    monkeypatch.setattr(exit_constant, "exit_constant", lambda *_: arb(1, 0.25))
    monkeypatch.setattr(exit_constant, "finite_rate_flow", lambda *_: None)
    monkeypatch.setattr(exit_constant, "shot", lambda *_: "shot")
    of = exit_constant_of.__wrapped__
    for pair, rate, enclosed in (
        ("He4", 1.0, True), ("He5", 1.0, False), ("He5", 0.0, True), ("abs", 0.0, False),
        (Pair("x", misalignment="linear"), 0.0, False),
    ):  # fmt: skip
        found = of(Pair.of(pair), Fraction(1, 2), scaled_rate=rate)
        assert (found != "shot") == enclosed
        if enclosed:
            assert (found.log_k, found.certainty) == (1, "certified")
            assert 0.25 <= found.error < 0.2501
