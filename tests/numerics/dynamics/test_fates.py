"""Fates: exact ones against enclosed ones, enclosed ones against doubles and against SGD."""

from fractions import Fraction

import numpy as np
import pytest
from flint import arb, fmpq
from scipy.optimize import brentq
from sympy import Rational

from derive.ends import escape_end
from derive.errors import Undecided
from derive.pair import Pair
from numerics.certified.basins import Sink, fate
from numerics.certified.flow import ball_flow
from numerics.certified.unstable_manifold import leaving
from numerics.dynamics.fates import FateJudge, passing
from numerics.dynamics.flow import flow_of, integrate
from numerics.dynamics.sgd import Learner, simulate_sgd


@pytest.mark.parametrize(
    ("pair", "mu"), [("He3", "0.25"), ("He3", "0.4"), ("He2", "0.5"), ("x**3-x/2", "0.4")]
)
def test_the_argument_on_the_loss_agrees_with_the_flow_enclosed(pair, mu):
    (start,) = leaving(ball_flow(pair, mu), ["0.05"])
    end = fate(ball_flow(pair, mu), start, 300)
    assert str(escape_end(pair, Rational(mu)).rational[0]) == str(end.rho)


def test_leaving_is_on_the_flow_of_doubles():
    """From level to level, the flow in doubles goes through the same states."""
    flow = flow_of(Pair("He3"), 0.4)
    first, last = ((float(d.u.mid()), float(d.overlap.mid()))
                   for d in leaving(ball_flow("He3", "0.4"), ["0.05", "0.5"]))  # fmt: skip
    path = integrate(flow, first, 60.0)
    overlaps = path.at(path.times)[:, 1]
    late = int(np.argmax(overlaps > 0.5))
    when = brentq(lambda t: path.at(t)[1] - 0.5, path.times[late - 1], path.times[late])
    assert path.at(when) == pytest.approx(last, abs=1e-7)
    for there, known in zip(passing(flow, [0.05, 0.5]), (first, last), strict=True):
        state = float(there.u.mid()), float(there.overlap.mid())
        assert state == pytest.approx(known, abs=2e-8)


@pytest.mark.parametrize("strength", [0.25, 0.4])
def test_a_run_is_followed_out_with_u_above_0_and_the_overlap_of_the_sign_of_a(strength):
    flow = flow_of("He3", strength)
    (there,) = passing(flow, [0.3])
    assert there.u > 0
    assert float(there.overlap.mid()) == pytest.approx(0.3 * np.sign(flow.linearisation()[0, 1]))


def test_a_switch_before_the_border_and_one_after_end_apart():
    """Doubles agree on both sides of what is enclosed."""
    judge = FateJudge(Pair("He3"), Fraction(7, 20))
    border = judge.border("squared", False, (Fraction(3, 5), Fraction(7, 10)), 0.03)
    assert fmpq(3, 5) <= border.low < border.high <= fmpq(7, 10)
    names = [judge.name(sink) for sink in border.sinks]
    assert names == ["teacher", "null student"]
    first = ball_flow(Pair("He3", labels="squared"), "0.35")
    ends = []
    for state in leaving(first, [border.low, border.high]):
        start = [float(state.u.mid()), float(state.overlap.mid())]
        u, m = integrate(flow_of(Pair("He3"), 0.35), start, 200.0).at(200.0)
        ends.append(0.35 + u * m)
    assert ends == pytest.approx([1, 0], abs=1e-4)


def test_the_flip_matters_where_u_and_m_part():
    judge = FateJudge(Pair("He3"), Fraction(3, 10))
    ((plain, flipped),) = judge.staged("squared", [Fraction(9, 10)])
    assert [judge.name(each.sink) for each in (plain, flipped)] == ["null student", "teacher"]
    assert {plain.certainty, flipped.certainty} == {"certified"}
    assert plain.state == (-flipped.state[0], flipped.state[1])


@pytest.mark.parametrize("factor", ["1", "1e3", "1e-3"])
def test_labels_that_are_no_polynomial_are_followed_in_doubles(factor):
    """Functions times a factor are the same ones in a unit of time that is its square."""
    judge = FateJudge(Pair(f"{factor}*x"), Fraction(1, 5), 300 / float(factor) ** 2)
    ((plain, _),) = judge.staged("relu(y)", [Fraction(1, 2)])
    assert (judge.name(plain.sink), plain.certainty) == ("teacher", "heuristic")
    assert plain.reason


@pytest.mark.parametrize(("level", "end"), [(Fraction(1, 2), 1.0), (Fraction(4, 5), 0.0)])
def test_runs_of_sgd_end_where_they_are_certified_to(level, end):
    """Simulated exactly in law with small steps, from the states at the switch."""
    judge = FateJudge(Pair("He3"), Fraction(7, 20))
    ((plain, _),) = judge.staged("squared", [level])
    assert (judge.name(plain.sink), plain.certainty) == (
        "teacher" if end else "null student", "certified")  # fmt: skip
    learner = Learner(judge.pair, 0.35, 100, 2e-4, 8, starts=(plain.state,))
    last = 60_000
    states = simulate_sgd(learner, 4, 3, last, [last], threads=1)
    ends = 0.35 + states["u"][:, -1] * states["m"][:, -1]
    assert np.median(ends) == pytest.approx(end, abs=0.1)


def test_an_exact_end_is_the_rest_point_itself():
    """Whatever is thought of the other sinks."""
    judge = FateJudge(Pair("He3"), Fraction(2, 5))
    judge.__dict__["sinks"] = tuple(sink for sink in judge.sinks if sink.rho != 1)
    end = judge.escape()
    assert (end.sink.rho, end.sink.u, end.certainty) == (1, fmpq(3, 5), "exact")


def test_where_the_loss_does_not_tell_the_end_of_an_escape_the_enclosed_flow_does(monkeypatch):
    judge = FateJudge(Pair("He3"), Fraction(2, 5))
    known = judge.escape()
    monkeypatch.setattr("numerics.dynamics.fates.escape_end", lambda *_: None)
    end = judge.escape()
    assert (known.certainty, end.certainty) == ("exact", "certified")
    assert judge.name(end.sink) == judge.name(known.sink) == "teacher"


@pytest.mark.parametrize(
    ("judge", "state"),
    [(FateJudge(Pair("He3"), Fraction(2, 5), 0.01), (0.3, 0.5)),
     (FateJudge(Pair("x**3", loss="correlation"), Fraction(2, 5)), (3.0, 0.9))],
    ids=["too short", "beyond all bounds"],
)  # fmt: skip
def test_a_flow_in_doubles_that_comes_to_no_sink_has_no_end(judge, state, monkeypatch):
    monkeypatch.setattr("numerics.dynamics.fates.fate", _not_enclosed)
    end = judge.of_state(*state)
    assert (end.sink, end.certainty) == (None, "heuristic")
    assert end.reason


def test_without_an_escape_nothing_leaves():
    end = FateJudge(Pair("He3"), Fraction(1)).escape()
    assert (end.sink, end.certainty) == (None, "exact")
    assert "nothing leaves" in end.reason


@pytest.mark.parametrize("strength", [Fraction(1, 3), Fraction(1)])
def test_without_any_drift_nothing_leaves_either(strength):
    """x taught to He_2 by the correlation alone: E z² σ'(μz) and E z σ''(μz) are both 0."""
    end = FateJudge(Pair("x", "He2", loss="correlation"), strength).escape()
    assert (end.sink, end.certainty, "nothing leaves" in end.reason) == (None, "exact", True)


@pytest.mark.parametrize(
    ("pair", "rho", "m", "name"),
    [
        ("He3", 1, 1, "teacher"), ("He3", 1, -1, "teacher"), ("He3", 0, 1, "null student"),
        ("He3", -1, 1, "student of rho -1"), ("He2", -1, 1, "teacher"),
        ("He2 + x", -1, 1, "student of rho -1"),
        (Pair("x", "2*x"), 1, 1, "student of rho 1"),
        ("He3", 0, arb("0.5"), "student of rho 0"),
        ("He3", arb("0.1234567"), 1, "student of rho 0.1235"),
    ],
)  # fmt: skip
def test_the_teacher_and_the_null_student_have_names_on_the_edge(pair, rho, m, name):
    """Of an even student the opposite is the teacher too; of another student nothing is."""
    sink = Sink(rho if isinstance(rho, arb) else fmpq(rho), fmpq(0), m)
    assert FateJudge(Pair.of(pair), Fraction(1, 2)).name(sink) == name


def test_what_a_first_stage_does_not_reach_is_told():
    with pytest.raises(Undecided, match="does not leave the search phase"):
        list(passing(flow_of("x", 1.0), [0.3]))
    flow = flow_of(Pair("x", labels="y/2"), 0.2)  # ends where m is less than 1
    with pytest.raises(Undecided, match=r"does not reach \|m\| = 1.01"):
        list(passing(flow, [0.3, 1.01]))


def test_small_levels_are_passed_too():
    (there,) = passing(flow_of("x", 0.5), [1e-7])
    assert float(there.overlap.mid()) == pytest.approx(1e-7, rel=1e-3)


def test_a_small_rate_beside_a_large_one_is_followed():
    """Near a singularity |b|/λ is large, and so are rates of He10 at all."""
    end = FateJudge(Pair("He10"), Fraction(57, 100)).escape()
    assert (end.certainty, end.sink is None) == ("heuristic", False)


@pytest.mark.parametrize(
    ("pair", "mu"), [("He3", Fraction(2, 5)), ("x", Fraction(1, 5)), ("He2", Fraction(1, 2))]
)
def test_in_doubles_a_state_ends_at_the_sink_at_which_it_is_certified_to(pair, mu, monkeypatch):
    """The opposite state ends at its mirror image."""
    judge, states = FateJudge(Pair(pair), mu), ((-0.7, 0.9), (0.65, -0.18), (0.7, 0.5))
    known = [judge.of_state(u, m).sink for u, m in states]
    monkeypatch.setattr("numerics.dynamics.fates.fate", _not_enclosed)
    for (u, m), sink in zip(states, known, strict=True):
        for sign in (1, -1):
            end = judge.of_state(sign * u, sign * m)
            assert float(end.sink.u) == pytest.approx(sign * float(sink.u))
            assert float(arb(end.sink.m)) == pytest.approx(sign * float(arb(sink.m)))
            assert end.certainty == "heuristic"


def _not_enclosed(*_):
    raise Undecided("not enclosed")


def test_what_comes_to_rest_at_a_singularity_reaches_no_sink_and_is_followed_no_further(
    monkeypatch,
):
    """At full strength all states with u = 0 are the teacher."""
    monkeypatch.setattr("numerics.dynamics.fates.integrate", _not_enclosed)
    end = FateJudge(Pair("x**3"), Fraction(1)).of_state(0.1, 0.5)
    assert end.sink is None
    assert "rests" in end.reason
