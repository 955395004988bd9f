"""What the figures of the paper ask for: runs and panels, before any is simulated or drawn."""

from itertools import pairwise
from math import prod

import numpy as np
import pytest

from derive.pair import Pair
from numerics.figures import paper
from numerics.simulation.design import Simulation


@pytest.fixture
def asked(monkeypatch):
    """A function that gives what a figure would draw: runs as they are asked for, and panels."""
    monkeypatch.setattr(paper, "run_simulations", lambda simulations, folder=None: simulations)
    for name in [name for name in vars(paper) if name.startswith("draw_")]:
        monkeypatch.setattr(paper, name, lambda *given: given)

    def draw(name, quick):
        return paper.FIGURES[name].draw(paper.Request("svg", "made so", quick))

    return draw


def simulations(given):
    """All that are in what is drawn."""
    if isinstance(given, Simulation):
        return [given]
    if isinstance(given, dict):
        given = list(given.values())
    if isinstance(given, list | tuple):
        return [each for part in given for each in simulations(part)]
    return []


def differing(runs, name):
    return {getattr(each, name) for each in runs}


@pytest.mark.parametrize("name", paper.FIGURES)
def test_the_runs_of_a_figure_are_a_whole_grid_of_which_none_is_made_twice(asked, name):
    """More of each are made if there is time, and all are watched from the start to the end."""
    quick, whole = (simulations(asked(name, quick)) for quick in (True, False))
    axes = ("pair", "mu", "dimension", "rank", "stage", "strengths")
    some, places = (
        {tuple(str(getattr(each, axis)) for axis in axes) for each in runs}
        for runs in (quick, whole)
    )
    assert some <= places
    parts = [differing(whole, axis) for axis in ("pair", "mu", "dimension", "rank", "stage")]
    assert len(places) == len(whole) == prod(map(len, parts)) * bool(whole)
    assert all(3 < few.replicas < whole[0].replicas for few in quick)
    assert len(differing(whole, "replicas")) <= 1
    assert whole or name == "13" or not paper.FIGURES[name].costly  # what takes minutes are runs
    for each in (each for each in whole if each.records):
        gaps = np.diff(each.records)
        assert (each.records[0], each.records[-1]) == (0, each.horizon)
        assert each.records[1] in (1, gaps.max())  # from the first step on, or evenly
        assert len(gaps) > 80
        assert 0 < gaps.min() <= gaps.max() < each.horizon / 9


@pytest.mark.parametrize(("name", "pairs", "ranks"), [("1", 1, 1), ("5", 4, 1), ("14", 1, 3)])
def test_a_figure_is_of_so_many_activations_and_ranks_as_it_says(asked, name, pairs, ranks):
    runs = simulations(asked(name, False))
    assert (len(differing(runs, "pair")), len(differing(runs, "rank"))) == (pairs, ranks)
    if ranks > 1:  # of as many neurons at most, all of one strength
        assert all(each.strengths == (each.mu,) * ranks for each in runs)
        assert differing(runs, "rank") == set(range(1, ranks + 1))


@pytest.mark.parametrize("name", ["2", "4", "9"])
def test_runs_near_a_singularity_are_near_it(asked, name):
    """Where theirs is, by the rounded number of the paper."""
    runs = simulations(asked(name, False))
    assert differing(runs, "pair") == {Pair(3)}
    assert min(abs(float(mu) - 0.3207) for mu in differing(runs, "mu")) < 0.03


def test_stages_end_where_the_figure_says_and_are_watched_on_both_sides_of_it(asked):
    ways, switch, *_ = asked("4", True)
    staged = [each for each in ways.values() if each.stage]
    assert len(ways) == len(staged) + 1 == 3
    for run in staged:
        step = run.stage.until_step
        assert step * run.learning_rate == pytest.approx(switch)
        assert {step - 1, step + 1} <= set(run.records)
        assert run.stage.labels.text == "squared"
    assert [each.stage.flip_at_switch for each in staged] == [False, True]


def test_panels_without_runs_show_what_their_titles_say(asked):
    degrees, *_ = asked("degrees", True)
    assert (degrees[0], degrees[-1]) == (3, 10**6)
    assert degrees == sorted(set(degrees))
    assert all((n + m) % 2 for n, m in pairwise(degrees))
    members, *_ = asked("6", True)
    assert [pair.degree for pair, _ in members] == [2, 4, 6, 8, 10]
    (few, grid, *_), (many, fine, *_) = (asked("biases", quick) for quick in (True, False))
    assert (
        np.abs(np.subtract.outer(grid, fine)).min(axis=1).max() < 1e-12
    )  # one goes through the other
    assert all(set(few[k][1]) <= set(many[k][1]) for k in (0, 1))
    for panels, biases in ((few, grid), (many, fine)):
        assert [name for name, _ in panels] == ["relu", "gelu"]
        for _, certified in panels:  # within the colours, each once
            assert list(certified) == sorted(set(certified))
            assert biases[0] < certified[0] < certified[-1] < biases[-1]
        assert (np.diff(biases) > 0).all()


def test_panels_of_degrees_hold_those_of_their_titles(asked):
    _, panels, *_ = asked("2", True)
    for title, members in panels.items():
        degrees = [pair.degree for pair, drift in members if drift.normalization == "n*n!"]
        assert "activations" in title or degrees == sorted(set(degrees)) != []
        if "even" in title or "odd" in title:
            assert {n % 2 for n in degrees} == {int("odd" in title)}
        assert {pair.labels.text for pair, _ in members} == {
            "squared" if "squared" in title else "matched"
        }
