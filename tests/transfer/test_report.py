"""Tables and verdicts on planted results: what rises and falls must be seen, and nothing else."""

import numpy as np
import pytest

from transfer.plan import Place
from transfer.report import COLUMNS, compared, rows, tables, verdict
from transfer.results import results_of
from transfer.task import read_task


@pytest.fixture
def planted(small_task, tmp_path):
    """Results of the small task, empty but for what a test plants."""
    task = read_task(str(small_task))
    data = results_of(task, Place(tmp_path / "none"))

    def plant(source, downstream, noise=0.001, seed=0):
        stream = np.random.default_rng(seed)
        data["source_accuracy"][:] = source + stream.normal(0, noise, (2, 3))
        shape = (
            data.accuracy.shape
        )  # arm, pre-training seed, checkpoint, fine-tuning seed, measured
        values = np.array(downstream)[None, None, :, None, None]
        data["accuracy"][:] = values + stream.normal(0, noise, shape)
        data["finished"][:] = True
        return task, data

    return plant


def test_a_planted_fall_is_negative_transfer(planted):
    line = verdict(*planted([0.1, 0.6, 0.9], [0.2, 0.7, 0.5]))
    assert line.startswith(
        "Negative transfer: from epoch 1 to epoch 4 source accuracy changes by +3"
    )
    assert "downstream accuracy by -2" in line
    assert "2 of 2" in line


def test_a_rise_is_none(planted):
    line = verdict(*planted([0.1, 0.6, 0.9], [0.2, 0.5, 0.7]))
    assert line.startswith("No negative transfer, the last checkpoint adapts best: from epoch 1")
    assert "downstream accuracy by +" in line


@pytest.mark.parametrize("seed", range(5))
def test_noise_alone_is_undecided(planted, seed):
    assert verdict(*planted([0.1, 0.6, 0.9], [0.2, 0.6, 0.6], 0.05, seed)).startswith("Undecided")


def test_a_fall_at_home_too_is_not_called_negative_transfer(planted):
    line = verdict(*planted([0.1, 0.9, 0.6], [0.2, 0.7, 0.5]))
    assert line.startswith("An earlier checkpoint adapts better, but is not clearly worse")


def test_the_random_initialisation_is_no_candidate(planted):
    task, data = planted([0.1, 0.6, 0.9], [0.9, 0.5, 0.6])
    assert compared(task, data, "LoRA").best == (0, 0)


def test_an_unfinished_experiment_is_undecided_and_shows_what_is_there(planted):
    task, data = planted([0.1, 0.6, 0.9], [0.2, 0.7, 0.5])
    data["accuracy"][:, 1] = np.nan
    assert verdict(task, data).startswith("Undecided: a confidence interval needs")
    main, arms = tables(task, data)
    assert [row[0] for row in main.rows] == ["0 (random)", "1", "4"]
    assert arms.rows[0][-1] is None
    data["accuracy"][:, :, 1] = np.nan
    data["finished"][:, :, 1] = False
    assert tables(task, data)[0].rows[1][2].plain == "-"


def test_tables_hold_the_means_and_both_spreads(planted):
    task, data = planted([0.1, 0.6, 0.9], [0.2, 0.7, 0.5], noise=0.02)
    values = 100 * data.accuracy.sel(arm="LoRA", checkpoint=4, measured=2).values
    mean, between = values.mean(), values.mean(axis=1).std(ddof=1)
    within = np.sqrt(values.var(axis=1, ddof=1).mean())
    assert tables(task, data)[0].rows[2][3].plain == f"{mean:.1f} ± {between:.1f} ({within:.1f})"


def test_rows_are_all_measurements_once(planted):
    task, data = planted([0.1, 0.6, 0.9], [0.2, 0.7, 0.5])
    found = rows(task, data)
    assert len(found) == data.accuracy.size
    assert set(found[0]) == set(COLUMNS)
    places = {tuple(record[name] for name in COLUMNS[:5]) for record in found}
    assert len(places) == len(found)


def test_runs_that_diverged_are_told_not_dropped(planted):
    task, data = planted([0.1, 0.6, 0.9], [0.2, 0.7, 0.5])
    data["accuracy"].loc[{"arm": "LoRA", "checkpoint": 4, "fine_tuning_seed": 1}] = np.nan
    assert tables(task, data)[1].rows[0][-2].plain.endswith("2 of 4 diverged")
    assert len(rows(task, data)) == data.accuracy.size
