"""``python -m transfer check``: its counts are those of the run, its sizes those on disk."""

import json

import pytest
import torch
from own_models import ARCHITECTURES, saved

from transfer.__main__ import main
from transfer.experiment.plan import Place, chains_of
from transfer.experiment.results import results_of
from transfer.experiment.run import run_experiment
from transfer.experiment.task import read_task
from transfer.learning.rehearsal import counted

OWN = """
[source]
folder = "flowers"
unreadable = "skip"
[downstream]
folder = "flowers"
unreadable = "skip"
shots = 2
[checkpoints]
folders = "runs/seed-*/checkpoint-*"
[adaptation]
epochs = 1
measured = [1]
batch = 4
learning_rate = 1e-2
rank = 2
seeds = 2
[arms.all]
targets = "all-linear"
[arms.probe]
method = "probe"
[arms.optimum]
method = "optimum"
"""


def checked(capsys, *options):
    assert main(["check", *options, "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_what_it_says_beforehand_is_what_is_found(small_task, tmp_path, capsys):
    place = Place(tmp_path / "results")
    options = (str(small_task), "--results", str(place.results))
    before = checked(capsys, *options)
    assert not place.results.exists()
    task = read_task(str(small_task))
    run_experiment(chains_of(task, place), place)
    found = results_of(task, place)
    parts = {part["part"]: part for part in before["parts"]}
    for arm in task.arms:
        assert parts[arm]["learning"] == found.learning.sel(arm=arm)
        assert (parts[arm]["cells"], parts[arm]["finished"]) == (12, 0)
        assert parts[arm]["minutes"] > 0
    assert (parts["LoRA"]["matrices"], parts["linear probe"]["matrices"]) == (4, 0)
    # 234 of 260 images in batches of 64, 4 epochs, 2 seeds; 20 shots in batches of 10, 2 epochs.
    assert [part["steps"] for part in before["parts"]] == [2 * 4 * 4, 12 * 2 * 2, 12 * 2 * 2]
    on_disk = sum(path.stat().st_size for path in (place.results / "checkpoints").rglob("*.*"))
    assert parts["pre-training"]["megabytes"] == pytest.approx(on_disk / 1e6, rel=0.25)
    after = {part["part"]: part for part in checked(capsys, *options)["parts"]}
    assert all(part["minutes"] == 0 for part in after.values())
    assert after["LoRA"]["finished"] == 12


def test_without_a_gpu_it_counts_what_one_would_do(small_task, tmp_path, capsys):
    """Steps of all seeds and checkpoints of a protocol at once; the arithmetic is the same."""
    if torch.cuda.is_available():
        pytest.skip("there is one")
    options = (str(small_task), "--results", str(tmp_path / "results"))
    here, there = (checked(capsys, *options, "--device", each)["parts"] for each in ("cpu", "cuda"))
    for one, other in zip(here, there, strict=True):
        assert other["minutes"] is None
        assert other["teraflop"] == pytest.approx(one["teraflop"])
    assert [part["cells"] for part in there] == [2, 6, 6]
    assert [part["steps"] for part in there] == [2 * 4 * 4, 2 * 2 * 2, 2 * 2 * 2]
    ratios = [one["launches"] // two["launches"] for one, two in zip(here, there, strict=True)]
    assert ratios == [1, 6, 6]


def test_operations_and_arithmetic_are_those_counted_by_hand():
    """A product, its sum with the bias, a rectifier; views and empty memory are none."""
    weights, inputs = torch.randn(7, 5), torch.randn(3, 5)

    def work():
        torch.empty(4)
        return torch.relu(inputs @ weights.T + 1).view(-1)

    assert counted(work) == (3, 2 * 3 * 5 * 7)


def test_own_images_and_checkpoints_are_told(flowers, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for step in (2, 4):
        saved(tmp_path / f"runs/seed-0/checkpoint-{step}", "vit", seed=step)
    (flowers / "train/kind 1/notes.txt").write_text("no image")
    (tmp_path / "own.toml").write_text(OWN, encoding="utf-8")
    capsys.readouterr()
    found = checked(capsys, "own.toml")
    source, _ = found["images"]
    assert (source["classes"], source["training"], source["test"]) == (3, 9, 6)
    assert (source["skipped"], source["files"]) == (1, "15 PNG L, 1 unreadable")
    assert source["shape"] == "3 x 16 x 16"
    layers, linear = ARCHITECTURES["vit"][3:]
    parts = {part["part"]: part for part in found["parts"]}
    assert (parts["LoRA"]["matrices"], parts["all"]["matrices"]) == (2 * layers, linear)
    assert [part["cells"] for part in found["parts"]] == [1, 4, 4, 4, 4]
    assert main(["check", "own.toml"]) == 0
    assert "15 PNG L" in capsys.readouterr().out
