"""A simulation: what it is told is worked out once, and its cells say the same as plain data."""

import json
from contextlib import nullcontext
from dataclasses import replace
from fractions import Fraction
from itertools import product
from math import ceil, log

import numpy as np
import pytest
from sympy import Piecewise, tanh
from sympy.abc import t as T

from derive.activation import Activation
from derive.errors import InputError
from derive.pair import Pair
from derive.piecewise import analytic
from derive.symbols import mu, z
from numerics.dynamics.flow import flow_of
from numerics.dynamics.runs import replica_stream
from numerics.dynamics.sgd import Learner, Stage
from numerics.dynamics.stability import stable_learning_rate
from numerics.simulation import design
from numerics.simulation.block import compute_cell, forms_of
from numerics.simulation.design import BLOCK, Simulation, cell_seed, checked_size, grid
from numerics.sweep.store import cell_key

STAGED = Simulation(
    Pair("erf", "relu", "squared", misalignment="linear"),
    0.3,
    learning_rate="5/d",
    horizon=400,
    records=4,
    stage=Stage("y**3", until_overlap=0.5),
    noise=0.1,
    signs="aligned",
    seed=7,
    replicas=60,
)
NETWORK = Simulation(
    "He2", strengths=(0.2, 0.6), rank=2, dimension=200, learning_rate=0.01, horizon=300, records=0,
    replicas=5,
)  # fmt: skip
EXAMPLES = {
    "one index": Simulation("x", 0.5, horizon=20, records=12, replicas=20),
    "to the exit": Simulation("x", 0.5, horizon=20, records=0, replicas=20),
    "misaligned": Simulation(Pair("x", misalignment="linear"), 0.5, horizon=20, replicas=20),
    "aligned at 1": Simulation(Pair("x", misalignment="linear"), 1, horizon=20, replicas=20),
    "neurons": Simulation("x", 0.5, neurons=2, rank=3, horizon=20, replicas=20),
    "one neuron of rank 2": Simulation("erf", 0.5, rank=2, horizon=20, replicas=3),
    "stages": STAGED,
    "saved": Simulation(
        "x", 0.5, horizon=20, replicas=3, starts=((0.1, 0.2), (0.0, -0.3)), exit_by="overlap"
    ),
    "u from 0": Simulation("x", 0.5, horizon=20, replicas=3, scale_u=0, exit_by="strength"),
    "full": Simulation("x", 0.5, horizon=20, replicas=3, method="full", exit_by="teacher"),
    "flip": replace(STAGED, stage=Stage("y**3", until_overlap=0.5, flip_at_switch=True)),
    "network": NETWORK,
}


def test_stored_results_are_found_again():
    """Names of files and seeds of streams are those of version 0.1.0 of this project."""
    keys = [cell_key(cell) for cell in (*STAGED.cells(), *NETWORK.cells())]
    assert keys == ["f16bac553409cca388bbd084dcbda5a2", "dc0afbbb47be1125b8e93b1f4266c499",
                    "c9b65abed2b38bd874b555329f3c5d92"]  # fmt: skip
    assert cell_seed(STAGED.cells()[1]) == 89331057670922063982668935367311743559
    assert "flip_at_switch" not in STAGED.cells()[0]["stage"]
    assert not {"scale_u", "starts", "exit_by", "method"} & set(STAGED.cells()[0])


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_cell_is_plain_data_and_the_way_back(name):
    simulation = EXAMPLES[name]
    (*_, last) = simulation.cells()
    again = Simulation.of_cell(json.loads(json.dumps(last)))
    assert again == replace(simulation, replicas=last["block"])
    assert again.cell(last["first"], last["block"]) == last
    assert sum(cell["block"] for cell in simulation.cells()) == simulation.replicas


@pytest.mark.usefixtures("plain_loops")
@pytest.mark.parametrize("name", EXAMPLES)
def test_cells_have_the_forms_that_are_asked_of_their_files(name):
    cell = {**EXAMPLES[name].cells()[0], "block": 3}
    arrays = compute_cell(cell)
    assert {name: array.shape for name, array in arrays.items()} == {
        name: shape for name, (_, shape) in forms_of(cell).items()
    }
    assert all(array.dtype == float for array in arrays.values())


def test_blocks_do_not_change_the_streams():
    """A replica has the same law and the same path in whatever block it is computed."""
    simulation = Simulation("x", 0.5, records=12, replicas=120)
    blocks = simulation.cells()
    assert len({cell_seed(cell) for cell in blocks}) == 1
    joined = np.concatenate([compute_cell(cell)["states"] for cell in blocks])
    whole = compute_cell({**blocks[0], "block": 120})["states"]
    np.testing.assert_array_equal(joined, whole)


@pytest.mark.parametrize(
    "change",
    [{"mu": 0.4}, {"dimension": 99}, {"learning_rate": 1e-4}, {"batch": 3}, {"noise": 0.1},
     {"update": "projected"}, {"scale": 0.5}, {"signs": "aligned"}, {"seed": 1}, {"radius": 0.4},
     {"scale_u": 0.0}, {"starts": ((0.1, 0.2),)}, {"exit_by": "overlap"},
     {"method": "full", "exit_by": "teacher"},
     {"horizon": 9}, {"records": 3}, {"pair": Pair("erf")}, {"pair": Pair("x", labels="squared")},
     {"stage": Stage("squared", until_step=3)},
     {"stage": Stage("squared", until_step=3, flip_at_switch=True)}],
)  # fmt: skip
def test_every_setting_has_streams_of_its_own(change):
    settings = {"pair": Pair("x"), "mu": 0.5, "learning_rate": 1e-3, "horizon": 30, "records": 5}
    one, other = (Simulation(**given).cells()[0] for given in (settings, settings | change))
    assert cell_seed(one) != cell_seed(other)
    more = Simulation(**settings, replicas=7).cells()[0]
    assert cell_seed(one) == cell_seed(more)


@pytest.mark.parametrize("mu", [0.1, 0.6])
def test_units_are_worked_out(mu):
    """γ in units of 1/d and of the stable one, the horizon in units of τ log d."""
    pair, d = Pair("erf"), 5000
    stable = stable_learning_rate(pair, mu, d, 4)
    plain = Simulation(pair, mu, dimension=d, batch=4, learning_rate="0.25*stable")
    assert plain.learning_rate == pytest.approx(stable / 4, rel=1e-15)
    assert Simulation(pair, mu, dimension=d, learning_rate="5/d").learning_rate == 5 / d
    one = Simulation(pair, mu, dimension=d, batch=4, learning_rate=0.01, horizon="2*tau")
    assert one.horizon == ceil(2 * log(d) / flow_of(pair, mu).rate() / 0.01)
    assert one.tau == pytest.approx(1 / flow_of(pair, mu).rate())
    usual = Simulation(pair, mu, dimension=d, batch=4, learning_rate=0.01)
    assert usual.horizon == pytest.approx(one.horizon * 3 / 4, abs=1)


def test_what_is_usual_depends_on_what_is_watched():
    """The radius on the kind of exit, how long on whether there are several columns to learn."""
    for exit_by, radius in (("state", 0.5), ("overlap", 0.5), ("teacher", 0.5), ("strength", 0.05)):
        assert Simulation("x", 0.5, horizon=9, exit_by=exit_by).radius == radius
        assert Simulation("x", 0.5, horizon=9, exit_by=exit_by, radius=0.25).radius == 0.25
    for neurons, times in ((1, 1.5), (2, 6)):
        found = Simulation("x", 0.5, neurons=neurons, learning_rate=0.01)
        assert found.horizon == ceil(times * log(1000) * found.tau / 0.01)


def test_strengths_may_be_exact():
    exact = Simulation("x", strengths=(Fraction(1, 5), Fraction(3, 5)), horizon=9)
    assert exact == Simulation("x", strengths=(0.2, 0.6), horizon=9)
    assert (exact.mu, exact.strengths) == (0.4, (0.2, 0.6))
    assert Simulation("x", Fraction(1, 3), horizon=9).mu == 1 / 3
    equal = Simulation("x", 0.3, neurons=3, horizon=9)
    assert (equal.mu, equal.strengths) == (0.3, (0.3,) * 3)


def test_records_are_spaced_logarithmically_and_end_at_the_horizon():
    records = Simulation("x", 0.5, horizon=10**6, records=40).records
    assert (records[0], records[1], records[-1]) == (0, 1, 10**6)
    ratios = np.diff(np.log(records[-20:]))
    np.testing.assert_allclose(ratios, ratios[0], rtol=1e-2)
    assert Simulation("x", 0.5, horizon=9, records=(0, 4)).records == (0, 4)


def test_the_grid_is_a_product_in_order():
    built = grid(["x", "erf"], (0.2, 0.4), dimension=(50, 99), seed=(0, 1), horizon=9)
    told = [(s.pair.teacher.text, s.seed, s.dimension, s.mu) for s in built]
    assert told == [(pair, seed, d, mu) for pair in ("x", "erf") for seed in (0, 1)
                    for d in (50, 99) for mu in (0.2, 0.4)]  # fmt: skip
    kinds = ("matched", "y**3")
    built = grid(["x", "erf"], [0.2], labels=kinds, horizon=9)
    assert [s.pair for s in built] == [Pair(p, labels=each) for p in ("x", "erf") for each in kinds]
    with pytest.raises(InputError, match="are too many"):
        grid(["x"], [0.5] * 10_001, replicas=501)


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        *product(("x", "He2"), [(2, 1), (2, 2), (4, 1), (4, 2)]),
        ("erf", (2, 2)),
        pytest.param("erf", (4, 1), marks=pytest.mark.thorough),
    ],
)
def test_the_default_horizon_of_networks_shows_what_they_learn(text, shape):
    """The flow's loss has come to within 5 % of where it is after three times as long."""
    simulation = Simulation(text, 0.5, neurons=shape[0], rank=shape[1])
    time = simulation.horizon * simulation.learning_rate
    learner = simulation.learner
    start = learner.start(replica_stream(1, 0))
    states = learner.flow.path(start[None], np.array([0.0, time, 3 * time]))
    begun, seen, late = learner.flow.observe(states)["loss"]
    assert late < begun / 1.8
    assert seen - late <= 0.05 * (begun - late)


def test_the_learner_is_told_all():
    told = {name: getattr(STAGED, name) for name in ("dimension", "learning_rate", "batch")}
    told |= {name: getattr(STAGED, name) for name in ("update", "noise", "stage", "scale", "signs")}
    assert STAGED.learner == Learner(STAGED.pair, STAGED.mu, **told)


@pytest.mark.parametrize(
    "change",
    [{"mu": None}, {"mu": 0.0}, {"mu": 1.01}, {"dimension": 2}, {"batch": 0}, {"noise": -1.0},
     {"learning_rate": 0}, {"learning_rate": "0.1*unstable"}, {"learning_rate": "1*tau"},
     {"horizon": 0}, {"horizon": "2/d"}, {"horizon": 10**12 + 1}, {"radius": 0}, {"replicas": 0},
     {"seed": -1}, {"records": (3, 2)}, {"records": (0, 10**9)}, {"scale": -1},
     {"scale_u": -1}, {"exit_by": "loss"}, {"starts": ((0.1, 2),)}, {"starts": ((0.1,),)},
     {"starts": ((0.1, 0.1),), "scale": 2}, {"neurons": 2, "exit_by": "overlap"},
     {"neurons": 2, "scale_u": 0}, {"method": "full"}, {"method": "half"},
     {"neurons": 2, "method": "full", "exit_by": "teacher"},
     {"mu": 1, "horizon": "2*tau"}, {"strengths": (0.2, 0.5), "signs": "aligned"},
     {"neurons": 2, "dimension": 3, "rank": 2}, {"pair": "zelu"}],
)  # fmt: skip
def test_impossible_simulations_are_refused(change):
    settings = {"pair": "x", "mu": 0.5, "horizon": 10} | change
    with pytest.raises(InputError) as told:
        Simulation(**settings)
    assert "\n" not in str(told.value)
    assert len(str(told.value)) < 300


@pytest.mark.parametrize(
    "change",
    [{"mu": 1.0}, {"dimension": 3}, {"batch": 1}, {"noise": 0.0}, {"horizon": 1},
     {"horizon": 10**12}, {"replicas": 1}, {"seed": 0}, {"scale": 0.0}, {"scale_u": 0.0},
     {"starts": ((5.0, -1.0),)}],
)  # fmt: skip
def test_the_least_and_the_largest_are_simulated(change):
    ((name, value),) = change.items()
    assert getattr(Simulation(**({"pair": "x", "mu": 0.5, "horizon": 10} | change)), name) == value


@pytest.mark.parametrize("count", [3, 4, 7])
def test_as_many_records_are_kept_as_were_asked_for(count):
    """Where the decades are as many: 0, then a power of ten each."""
    horizon = 10 ** (count - 2)
    expected = (0, *(10**power for power in range(count - 1)))
    assert Simulation("x", 0.5, horizon=horizon, records=count).records == expected


@pytest.mark.parametrize("points", [10**5, 50_000, 1])
def test_a_grid_may_have_a_hundred_thousand_blocks_and_no_more(points):
    most = 10**5 // points * BLOCK  # a block that is begun counts as one
    checked_size(points, most)
    for more in ((points, most + 1), (points + 1, most)):
        with pytest.raises(InputError, match="are too many"):
            checked_size(*more)


def test_a_grid_is_counted_with_the_replicas_that_it_has_if_none_are_given(monkeypatch):
    replicas = Simulation("x", 0.5, horizon=9).replicas
    blocks = -(-replicas // BLOCK)
    for most in (2 * blocks, 2 * blocks - 1):
        monkeypatch.setattr(design, "_MOST_CELLS", most)
        with nullcontext() if most == 2 * blocks else pytest.raises(InputError, match="too many"):
            assert {each.replicas for each in grid("x", (0.2, 0.4), horizon=9)} == {replicas}


@pytest.mark.parametrize(("count", "records"), [(0, ()), (1, (0, 1)), (2, (0, 1)), (3, (0, 1, 9))])
def test_few_records_are_the_first_ones(count, records):
    assert Simulation("x", 0.5, horizon=9, records=count).records == records


def test_a_pair_is_simulated_only_if_its_texts_say_it():
    """Cells hold texts alone: another function of that text would be simulated in its place."""
    same = Simulation(Pair(tanh(T) / 2), 0.5, horizon=10)
    assert Simulation.of_cell(same.cell(0, 1)).pair == Pair("tanh(x)/2")
    other = Activation("relu", analytic(z**3))
    for pair in (
        Pair(other),
        Pair("relu", other),
        Pair(Piecewise((T, (T > 0) & (T < 1)), (0, T <= 0), (1, True))),
        Pair("x", misalignment=(1 - mu) / 2),
    ):
        with pytest.raises(InputError, match="keeps its pair as text"):
            Simulation(pair, 0.5, horizon=10)


def test_whole_numbers_may_be_written_as_floats():
    given = Simulation("x", 0.5, dimension=1e6, replicas=3.0, horizon=10)
    assert given == Simulation("x", 0.5, dimension=10**6, replicas=3, horizon=10)
    assert cell_key(given.cells()[0]) == cell_key(
        Simulation("x", 0.5, dimension=10**6, replicas=3, horizon=10).cells()[0]
    )
