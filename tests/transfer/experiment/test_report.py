"""Tables and verdicts on planted results: what rises and falls must be seen, and nothing else."""

import csv
import json

import msgspec
import numpy as np
import pytest

from derive.command.tabular import typeset
from numerics.figures.style import PAGE_WIDTH
from transfer.experiment import statistics
from transfer.experiment.figure import draw_transfer
from transfer.experiment.plan import Place
from transfer.experiment.report import (
    COLUMNS,
    compared,
    decline,
    divergence,
    left_out,
    rows,
    tables,
    verdict,
)
from transfer.experiment.results import results_of
from transfer.experiment.task import read_task


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
        for name in ("finished", "pretrained"):
            data[name][:] = True
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


def test_a_verdict_where_nothing_is_lost_is_no_more_frequent_than_it_says(
    small_task, tmp_path, monkeypatch
):
    """Accuracies of five pre-trainings alike at all checkpoints: each side in 2.5 of 100."""
    monkeypatch.setattr(statistics, "ROTATIONS", 400)
    statistics.uniform_rotations.cache_clear()
    text = small_task.read_text().replace("seeds = 2\n[adaptation]", "seeds = 5\n[adaptation]")
    small_task.write_text(text)
    task = read_task(str(small_task))
    data = results_of(task, Place(tmp_path / "none"))
    for name in ("finished", "pretrained"):
        data[name][:] = True
    stream, count, told = np.random.default_rng(5), 300, []
    for _ in range(count):
        data["source_accuracy"][:] = 0.8 + 0.01 * stream.normal(size=(5, 3))
        own = stream.normal(size=(1, 5, 3, 1, 1))  # of a pre-training at a checkpoint
        data["accuracy"][:] = 0.5 + 0.02 * (own + stream.normal(size=data.accuracy.shape))
        told.append(verdict(task, data).partition(":")[0])
    statistics.uniform_rotations.cache_clear()
    error = 3 * np.sqrt(0.025 / count + 0.025 / 400)
    earlier = ("Negative transfer", "An earlier checkpoint adapts better, but is not clearly worse")
    assert np.mean([each.startswith(earlier) for each in told]) <= 0.025 + error
    assert np.mean([each.startswith("No negative transfer") for each in told]) <= 0.025 + error
    assert told.count("Negative transfer") <= 2  # that asks for a rise at home as well
    assert told.count("Undecided") < count


def test_a_fall_at_home_too_is_not_called_negative_transfer(planted):
    line = verdict(*planted([0.1, 0.9, 0.6], [0.2, 0.7, 0.5]))
    assert line.startswith("An earlier checkpoint adapts better, but is not clearly worse")


def test_the_random_initialisation_is_no_candidate(planted):
    task, data = planted([0.1, 0.6, 0.9], [0.9, 0.5, 0.6])
    assert compared(task, data, "LoRA").best == (0, 0)


def test_the_work_behind_a_table_is_told_in_minutes(planted):
    task, data = planted([0.1, 0.6, 0.9], [0.2, 0.7, 0.5])
    data.attrs["seconds"] = 1500.0
    assert any("together took 25 minutes" in note.plain
               for table in tables(task, data) for note in table.notes)  # fmt: skip


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


def test_the_phases_of_an_adaptation_are_shown_to_two_decimals(planted):
    """Each in its own column; of the main protocol at the checkpoint of the row."""
    task, data = planted([0.1, 0.6, 0.9], [0.2, 0.7, 0.5])
    names = ("search_phase", "left", "right", "size")
    for place, name in enumerate(names):
        data[name][:] = 7.0
        data[name].loc[{"arm": "LoRA"}] = place + np.array([0.125, 0.25, 0.375])[None, :, None]
    (main, _) = tables(task, data)
    shown = [[cell.plain.split(" ")[0] for cell in row[-4:]] for row in main.rows]
    assert shown == [[f"{place}.{end}" for place in range(4)] for end in ("12", "25", "38")]
    assert list(map(str, main.columns[-4:])) == ["search phase", "overlap left", "right", "size"]


def test_rows_are_all_measurements_once(planted):
    task, data = planted([0.1, 0.6, 0.9], [0.2, 0.7, 0.5])
    found = rows(task, data)
    assert len(found) == data.accuracy.size
    assert set(found[0]) == set(COLUMNS)
    places = {tuple(record[name] for name in COLUMNS[:5]) for record in found}
    assert len(places) == len(found)


@pytest.mark.parametrize(
    "title", ["my_task", "runs/vit_b-16", "2024-08-30", "5$ of shots", "x^2", "ViT-B/16", "a-b (c)"]
)
def test_a_title_of_a_task_holds_no_mathematics(planted, title):
    task, data = planted([0.1, 0.6, 0.9], [0.2, 0.7, 0.5])
    for table in tables(msgspec.structs.replace(task, title=title), data):
        assert table.title.latex.startswith(f"{typeset(title)}: ")


def test_names_of_others_hold_no_mathematics(small_task, planted):
    _, data = planted([0.2, 0.8, 0.9], [0.1, 0.8, 0.6])
    text = small_task.read_text().replace('"probe"', '"optimum"')
    small_task.write_text(text.replace("linear probe", "head_x^2"))
    data.attrs["data"]["source"] |= {"name": "set_a", "origin": "../b_2/c^3"}
    renamed = ["head_x^2" if arm == "linear probe" else arm for arm in data.arm.values]
    main, _ = tables(read_task(str(small_task)), data.assign_coords(arm=renamed))
    assert r"source set\_a from ../b\_2/c\textasciicircum{}3 (" in main.notes[-1].latex
    assert r"(converged heads, head\_x\textasciicircum{}2; 95 \% " in main.notes[-3].latex


def diverge(data, **places):
    """Let the runs of some places, and their pre-training if no arm is named, diverge."""
    for name in ("loss", "accuracy", "search_phase", "left", "right", "size"):
        data[name].loc[places] = np.nan
    data["diverged"].loc[places] = True
    if "arm" not in places:
        data["source_accuracy"].loc[places] = np.nan


def test_runs_that_diverged_are_told_not_dropped(planted):
    task, data = planted([0.1, 0.6, 0.9], [0.2, 0.7, 0.5])
    assert divergence(data) == ""
    diverge(data, arm="LoRA", checkpoint=4, fine_tuning_seed=1)
    main, arms = tables(task, data)
    assert arms.rows[0][-2].plain.endswith("2 of 4 diverged")
    notes = [note.plain for note in main.notes]
    assert any("0 of 2 pre-trainings and 2 of 24 fine-tunings diverged" in note for note in notes)
    assert len(rows(task, data)) == data.accuracy.size
    assert sum(row["diverged"] for row in rows(task, data)) == 2 * 2


def test_a_comparison_is_of_whole_pretraining_seeds_and_says_so(planted):
    task, data = planted([0.1, 0.6, 0.9], [0.2, 0.7, 0.5])
    several = data.isel(pretraining_seed=[0, 1] * 3).assign_coords(pretraining_seed=range(6))
    found = compared(task, several, "LoRA")
    assert (found.seeds, left_out(task, several, "LoRA")) == (6, 0)
    diverge(several, arm="LoRA", pretraining_seed=2, checkpoint=4, fine_tuning_seed=0)
    diverge(several, pretraining_seed=5, checkpoint=4)
    diverge(several, arm="LoRA", pretraining_seed=0, checkpoint=0)  # no candidate
    found = compared(task, several, "LoRA")
    assert (found.seeds, left_out(task, several, "LoRA")) == (4, 2)
    assert left_out(task, several, "linear probe") == 1
    assert "left out because runs diverged: 2" in verdict(task, several)
    main, arms = tables(task, several)
    assert arms.rows[0][-1].plain.endswith("; left out: 2")
    assert main.rows[2][1].plain.endswith("1 of 6 diverged")


def test_a_seed_of_which_all_runs_diverged_is_no_missing_one(planted):
    task, data = planted([0.1, 0.6, 0.9], [0.2, 0.7, 0.5])
    diverge(data, arm="LoRA", fine_tuning_seed=1)
    assert compared(task, data, "LoRA") is None
    assert left_out(task, data, "LoRA") == 2


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("form", ["svg", "png"])
def test_an_experiment_of_which_all_runs_diverged_has_a_report(planted, form):
    task, data = planted([0.1, 0.6, 0.9], [0.2, 0.7, 0.5])
    diverge(data)
    assert verdict(task, data).endswith("left out because runs diverged: 2.")
    for table in tables(task, data):
        assert table.rows
    main, arms = tables(task, data)
    lost = [f"-; {count} of {count} diverged" for count in (2, 4, 4)]
    for written in ("plain", "latex"):
        assert [getattr(cell, written) for cell in main.rows[0][1:4]] == lost
        assert getattr(arms.rows[0][-2], written) == lost[-1]
    assert all(row["accuracy"] is None and row["diverged"] for row in rows(task, data))
    json.dumps(rows(task, data), allow_nan=False)
    drawn, curves, _ = draw_transfer(task, data, form, "source")
    assert curves.count(b"\n") == 2
    if form == "svg":
        assert b"12 of 12 fine-tunings diverged" in drawn


def test_curves_are_of_the_runs_that_did_not_diverge(planted):
    task, data = planted([0.1, 0.6, 0.9], [0.2, 0.7, 0.5])
    data["loss"][:] = data["accuracy"]
    data["accuracy"].loc[{"fine_tuning_seed": 1, "measured": 1}] = 0.99
    data["accuracy"].loc[{"fine_tuning_seed": 1, "measured": 2}] = np.nan
    data["diverged"].loc[{"fine_tuning_seed": 1}] = True
    curves = draw_transfer(task, data, "svg", "source").data
    (first,) = [line for line in curves.decode().splitlines() if line.startswith("accuracy,4,1,")]
    healthy = data.accuracy.sel(arm="LoRA", fine_tuning_seed=0, checkpoint=4, measured=1)
    assert float(first.split(",")[3]) == pytest.approx(healthy.mean().item())


def test_every_protocol_is_drawn_and_readable_at_its_printed_size(planted, printed):
    """Also one with a long name, and with signs that LaTeX or mathematics would take as theirs."""
    task, data = planted([0.1, 0.6, 0.9], [0.2, 0.7, 0.5])
    long = "LoRA from the optimum, $5 of plain SGD_2 & 3 %"
    arms = {
        (long if k == 1 else arm): settings for k, (arm, settings) in enumerate(task.arms.items())
    }
    data = data.assign_coords(arm=list(arms))
    drawn, curves, caption = draw_transfer(
        msgspec.structs.replace(task, arms=arms), data, "svg", "source"
    )
    assert printed.checked(drawn) == PAGE_WIDTH
    named = {row["protocol"] for row in csv.DictReader(curves.decode().splitlines()[1:])}
    assert named >= set(arms)
    assert "Our own runs" in caption.text
    assert "Figs. 10 to 12" in caption.latex


def test_a_decline_is_split_where_a_converged_head_says_it(small_task, tmp_path, planted):
    task, data = planted([0.2, 0.8, 0.9], [0.1, 0.8, 0.6])
    assert decline(task, data) is None  # a probe is no converged head
    small_task.write_text(small_task.read_text().replace('"probe"', '"optimum"'))
    task = read_task(str(small_task))
    (head,) = (arm for arm, settings in task.arms.items() if settings.method == "optimum")
    data["accuracy"].loc[{"arm": head, "checkpoint": 4}] += 0.05
    told = decline(task, data)
    assert told.startswith("Of the 20.")
    assert "frozen features account for +15." in told or "frozen features account for +14." in told
    assert "optimum" in [str(name) for name in tables(task, data)[0].columns]
    assert any(told == note.plain for note in tables(task, data)[0].notes)
    few = small_task.read_text().replace('"optimum"', '"optimum"\nseeds = 1')
    small_task.write_text(few)
    data["accuracy"].loc[{"arm": head, "fine_tuning_seed": 1}] = np.nan  # of one, none is missing
    assert decline(read_task(str(small_task)), data).startswith("Of the 20.")
    one = {"checkpoint": 4, "pretraining_seed": 0, "fine_tuning_seed": 0}
    data["accuracy"].loc[{"arm": head, **one}] = np.nan  # of two pre-trainings
    assert decline(task, data) is None
