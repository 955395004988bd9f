"""Records of fates: what is asked of a judge, what of it is told, and how sure all of it is."""

from fractions import Fraction

import pytest
from flint import arb, fmpq

from derive.errors import InputError, Undecided
from derive.pair import Pair
from numerics.certified.basins import Border, Sink
from numerics.certified.flow import ball_flow
from numerics.dynamics.fate_records import Question, fate_record
from numerics.dynamics.fates import Fate

ONE, NONE = Sink(fmpq(1), fmpq(13, 20), 1), Sink(fmpq(0), fmpq(7, 20), arb("-0.5"))
FLOW = ball_flow("He3", "0.35")
LEVELS = tuple(Fraction(k, 10) for k in (2, 4, 6, 8))


class Judge:
    """Its mind is made up: on stages by a letter a level, a capital if unsure."""

    pair, mu, flow = Pair("He3"), Fraction(7, 20), FLOW

    def __init__(self, stages="oooo nnnn", escape="exact", start="certified", fails=()):
        self.plain, self.flipped = stages.split()
        self.sure, self.start, self.fails, self.asked = escape, start, fails, []

    def name(self, sink):
        return "teacher" if sink == ONE else "null student"

    def escape(self):
        return Fate(ONE, self.sure, None, "why" * (self.sure == "heuristic"))

    def of_state(self, u, m):
        return Fate(None, self.start, (u, m))

    def staged(self, labels, levels):
        if labels in self.fails:
            raise Undecided(f"{labels} are open")
        for level, *both in zip(levels, self.plain, self.flipped, strict=True):
            yield tuple(
                Fate(ONE if each in "oO" else NONE, "certified" if each.islower() else "heuristic",
                     (side * 0.5, float(level)))
                for side, each in zip((1, -1), both, strict=True)
            )  # fmt: skip

    def border(self, labels, flip, ends, width):
        self.asked.append((labels, flip, ends, width))
        if (labels, flip) == ("y**5", False):
            raise InputError("none")
        return Border(fmpq(1, 4), fmpq(3, 8), (NONE, ONE))

    def crossings(self, u, width):
        self.asked.append((u, width))
        yield Border(fmpq(1, 8), fmpq(1, 4), (ONE, NONE))


def told(judge, **asked):
    return fate_record(judge, Question(**{"firsts": ("squared",), "switches": LEVELS} | asked))


def test_a_stage_is_told_for_each_level_as_it_is_and_flipped():
    stages = told(Judge("onon nnoo"))["stages"]
    assert [(s["switch"], s["flip"]) for s in stages] == [
        (level, flip) for level in (0.2, 0.4, 0.6, 0.8) for flip in (False, True)
    ]
    ends = ["teacher" if each == "o" else "null student" for each in "onnnoono"]
    assert [s["end"] for s in stages] == ends
    assert [(s["u"], s["m"]) for s in stages] == [
        (u, m) for m in (0.2, 0.4, 0.6, 0.8) for u in (0.5, -0.5)
    ]
    assert {(s["first"], s["labels"]) for s in stages} == {("squared", "squared")}


@pytest.mark.parametrize(
    ("stages", "asked"),
    [("oooo nnnn", []), ("onnn nnno", [(False, 0), (True, 2)]), ("oNnO nnnn", []),
     ("onon onon", [(flip, k) for flip in (False, True) for k in range(3)])],
)  # fmt: skip
def test_borders_are_looked_for_between_certified_ends_apart(stages, asked):
    judge = Judge(stages)
    record = told(judge, width=0.125)
    assert judge.asked == [("squared", flip, LEVELS[k : k + 2], 0.125) for flip, k in asked]
    assert record["borders"] == [
        {"first": "squared", "flip": flip, "low": 0.25, "high": 0.375, "below": "null student",
         "above": "teacher", "certainty": "certified"}
        for flip, _ in asked
    ]  # fmt: skip
    found = told(Judge(stages), firsts=("y**5",))["borders"]  # one that is open hides no other
    assert [each["flip"] for each in found] == [True for flip, _ in asked if flip]


@pytest.mark.parametrize(
    ("how", "certainty"),
    [({}, "certified"), ({"escape": "certified"}, "certified"),
     ({"escape": "heuristic"}, "heuristic"), ({"start": "heuristic"}, "heuristic"),
     ({"stages": "oooO nnnn"}, "heuristic")],
)  # fmt: skip
def test_a_record_is_as_sure_as_the_least_sure_of_its_ends(how, certainty):
    record = told(Judge(**how), start=(0.1, -0.2))
    assert record["certainty"] == certainty
    assert (record["start"]["end"], record["start"]["rho"]) == (None, None)
    assert (record["escape"]["rho"], "reason" in record["escape"]) == (
        1, how.get("escape") == "heuristic",
    )  # fmt: skip
    assert "start" not in told(Judge(**how))


def test_first_stages_are_told_once_each_and_those_that_fail_with_their_reason():
    record = told(Judge(fails=("y**3",)), firsts=("squared", "y**3", "squared", "y**5"))
    assert record["not_staged"] == [{"first": "y**3", "reason": "y**3 are open"}]
    assert [s["first"] for s in record["stages"]] == ["squared"] * 8 + ["y**5"] * 8


def test_lines_are_told_with_what_is_on_either_side():
    judge = Judge()
    found = told(judge, firsts=(), lines=(Fraction(-1, 4), Fraction(1, 2)), width=0.5)
    assert judge.asked == [(Fraction(-1, 4), 0.5), (Fraction(1, 2), 0.5)]
    assert found["separatrices"] == [
        {"u": u, "low": 0.125, "high": 0.25, "below": "teacher, m > 0",
         "above": "null student, m < 0", "certainty": "certified"} for u in (-0.25, 0.5)
    ]  # fmt: skip


def test_singularities_are_told_with_the_overlap_below_which_they_attract():
    (line,) = told(Judge())["singularities"]
    assert line["mu"] == pytest.approx(0.32072, abs=1e-5)
    assert line["attracts_below_overlap"] == pytest.approx(0.5819, abs=1e-4)
