"""Starts and ends from the command line: what is taken, from where, and what is refused."""

import json
from argparse import ArgumentTypeError, Namespace
from contextlib import suppress

import numpy as np
import pytest
import xarray

from derive.errors import InputError
from numerics.options.start import from_zero, start, start_and_end

SMALL = ("--activation", "x", "--mu", "0.5", "--dimension", "100", "--learning-rate", "1/d",
         "--batch", "1", "--replicas", "6", "--horizon", "40", "--workers", "1")  # fmt: skip


def test_a_start_is_numbers_or_a_file():
    assert start("0.01,-2e-2") == ((0.01, -0.02),)
    assert start("0,.5,+1") == ((0.0, 0.5, 1.0),)
    assert str(start("state.nc")) == "state.nc"
    for text in ("1", "1,2,3,4", "u,m", "1;2", "state.pkl", "1,__import__", "٣,1", ""):
        with pytest.raises(ArgumentTypeError, match=r"give u,m, such as 0.01,0.02"):
            start(text)


def test_a_size_may_be_zero():
    assert [from_zero(text) for text in ("0", "0.0", "2.5")] == [0.0, 0.0, 2.5]
    with pytest.raises(ArgumentTypeError):
        from_zero("-1")


def test_runs_go_on_from_saved_states(command, tmp_path):
    """Each from one of the last states, which is all that it records at step 0."""
    from xarray import load_dataset

    first = command("numerics.simulate", *SMALL, "--data", "first.nc", "--points", "3")
    assert first.returncode == 0, first.stderr
    done = command("numerics.simulate", *SMALL, "--start", "first.nc", "--data", "second.nc",
                   "--points", "3", "--replicas", "40")  # fmt: skip
    assert done.returncode == 0, done.stderr
    ends = {tuple(s) for s in load_dataset(tmp_path / "first.nc")["state"].values[0, :, -1]}
    starts = {tuple(s) for s in load_dataset(tmp_path / "second.nc")["state"].values[0, :, 0]}
    assert starts <= ends
    assert len(starts) > 3


def _taken(path, states):
    """The starts that a file of these states gives, of a point, its replicas and their records."""
    axes = ("point", "replica", "record", "parameter")
    xarray.Dataset({"state": (axes, states)}).to_netcdf(path)
    options = Namespace(start=path, scale=1, scale_u=None, exit_by="state", radius=None)
    return start_and_end(options)["starts"]


@pytest.mark.parametrize("parameters", [2, 3])
def test_of_each_run_the_last_state_that_it_kept_is_taken(tmp_path, parameters):
    """However early it was stopped; of a state that is known in part nothing is."""
    states = np.random.default_rng(parameters).uniform(-0.5, 0.5, (1, 6, 5, parameters))
    for run, kept in enumerate((5, 1, 0, 3, 4, 2)):
        states[0, run, kept:] = np.nan
    states[0, 4, 3, 0] = np.nan
    last = [states[0, run, place] for run, place in ((0, 4), (1, 0), (3, 2), (4, 2), (5, 1))]
    np.testing.assert_array_equal(_taken(tmp_path / "states.nc", states), last)


def test_a_file_holds_at_most_ten_thousand_states(tmp_path):
    """Those of runs that kept none do not count."""
    path, taken = tmp_path / "states.nc", {}
    for number in (0, 1, 10**4, 10**4 + 1):
        states = np.full((1, number + 1, 1, 2), 0.5)
        states[0, 0] = np.nan
        with suppress(InputError):
            taken[number] = len(_taken(path, states))
    assert taken == {1: 1, 10**4: 10**4}


def test_one_start_has_a_law(command):
    """At √d v·(u, m) exactly: twice as far out is log 2/λ earlier, but for the noise."""
    options = ("--activation", "x", "--mu", "0.5", "--dimension", "1e6", "--learning-rate",
               "1e-12", "--format", "json", "--start")  # fmt: skip
    one, two = (
        json.loads(command("numerics.exit", *options, start).stdout)[0]
        for start in ("0.001,0.002", "0.002,0.004")
    )
    earlier = one["quantiles"]["0.5"]["time"] - two["quantiles"]["0.5"]["time"]
    assert earlier * one["rate"] == pytest.approx(0.693147, abs=1e-4)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--start", "0.1,2"), "the overlaps inside the unit ball"),
        (("--start", "0.1,0.2", "--scale-u", "0"), "neither scales nor signs beside it"),
        (("--start", "none.nc"), "holds no states of one point"),
        (("--exit-by", "loss"), "invalid choice"),
        (("--exit-by", "overlap", "--neurons", "2"), "exit_by is not accepted for networks"),
    ],
)
def test_bad_usage_is_answered_in_one_line(command, options, said):
    done = command("numerics.simulate", *SMALL, *options)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert said in done.stderr
