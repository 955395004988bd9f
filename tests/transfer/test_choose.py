"""``python -m transfer choose`` end to end: of a task, of folders, verified; and bad usage."""

import json
import shutil
from itertools import product

import numpy as np
import pytest
from own_models import PROCESSOR, SIDE, saved

from transfer.__main__ import main
from transfer.experiment.plan import Place, chains_of
from transfer.experiment.results import results_of
from transfer.experiment.task import read_task

NEEDED = {"run", "best", "may_be_best", "source_accuracy", "loss", "accuracy", "leep", "logme"}


def chosen(capsys, *options):
    assert main(["choose", *options, "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.fixture(scope="module")
def ranked(small_text, tmp_path_factory):
    """The folder of a task after one choice: its checkpoints are there."""
    folder = tmp_path_factory.mktemp("ranked")
    (folder / "small.toml").write_text(small_text, encoding="utf-8")
    given = (str(folder / "small.toml"), "--results", str(folder / "results"))
    assert main(["choose", *given, "--draws", "3", "--workers", "1"]) == 0
    return folder / "results"


def test_a_task_is_pre_trained_ranked_and_verified(small_task, tmp_path, capsys):
    folder = tmp_path / "results"
    options = (str(small_task), "--results", str(folder), "--draws", "3", "--workers", "1")
    found = chosen(capsys, *options, "--verify")
    assert len(found["checkpoints"]) == 2 * 3
    assert sum(each["best"] for each in found["checkpoints"]) == 1
    for each in found["checkpoints"]:
        assert each.keys() >= NEEDED
        assert each["accuracy"] == pytest.approx(np.mean(each["accuracy_each"]))
    best = max(found["checkpoints"], key=lambda each: each["accuracy"])
    assert best["best"]
    assert best["may_be_best"]
    assert found["choice"].startswith(f"Adapt epoch {best['epoch']} of run {best['run']}")
    # It fine-tunes what it says, and these are cells of the task itself.
    data = results_of(read_task(str(small_task)), Place(folder))
    adapted = {each["kind"]: each for each in found["verified"]["adapted"]}
    assert adapted["best"]["epoch"] == best["epoch"]
    for each in adapted.values():
        where = {"arm": "LoRA", "pretraining_seed": best["run"], "checkpoint": each["epoch"]}
        final = data.accuracy.sel(where).sel(measured=2)
        assert each["accuracy"] == pytest.approx(final.values.tolist())
    epochs = {each["epoch"] for each in adapted.values()}
    assert int(data.finished.sum()) == 2 * len(epochs)
    means = {kind: np.mean(each["accuracy"]) for kind, each in adapted.items()}
    assert found["verified"]["right"] == (means["best"] == max(means.values()))
    assert main(["choose", *options, "--verify"]) == 0
    shown = capsys.readouterr().out
    assert all(f" {100 * mean:.1f} " in shown for mean in means.values())
    again = chosen(capsys, *options)
    assert again["checkpoints"] == found["checkpoints"]
    assert chosen(capsys, *options, "--seed", "1")["checkpoints"] != found["checkpoints"]


def test_no_test_image_is_seen(ranked, small_task, tmp_path, capsys, monkeypatch):
    """With other test images downstream, the ranking is the same to the last bit."""
    from dataclasses import replace

    from transfer.experiment import plan

    folder = shutil.copytree(ranked, tmp_path / "r")
    options = (str(small_task), "--results", str(folder), "--draws", "3", "--workers", "1")
    before = chosen(capsys, *options)
    load = plan.load_dataset

    def spoilt(name, *rest):
        found = load(name, *rest)
        if name != "mnist":
            return found
        test = replace(found.test, images=255 - found.test.images)
        return replace(found, test=test)

    monkeypatch.setattr(plan, "load_dataset", spoilt)
    assert chosen(capsys, *options)["checkpoints"] == before["checkpoints"]


def test_folders_of_checkpoints_are_ranked_without_a_task(flowers, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for number in range(6):  # more images of each class than the fixture's
        for name in ("kind 1", "kind 2", "kind 10"):
            origin = flowers / "train" / name / "0.png"
            (flowers / "train" / name / f"more {number}.png").write_bytes(origin.read_bytes())
    for step, name in ((2, "vit"), (4, "vit")):
        saved(tmp_path / f"runs/checkpoint-{step}", name, seed=step)
    options = ("runs/checkpoint-*", "--images", "flowers", "--shots", "1", "--draws", "3")
    found = chosen(capsys, *options)
    assert [each["step"] for each in found["checkpoints"]] == [2, 4]
    assert all(each["source_accuracy"] is None for each in found["checkpoints"])
    assert main(["choose", *options]) == 0
    told = capsys.readouterr().out
    assert "Adapt step" in told
    assert "which checkpoint to adapt" in told
    with pytest.raises(SystemExit, match="2"):
        main(["choose", *options, "--verify"])
    assert "--verify adapts as a task says" in capsys.readouterr().err
    silent = {name: value for name, value in PROCESSOR.items() if name != "size"}
    for step in (2, 4):
        path = tmp_path / f"runs/checkpoint-{step}" / "preprocessor_config.json"
        path.write_text(json.dumps(silent))
    with pytest.raises(SystemExit, match="2"):
        main(["choose", *options])
    assert "do not say the size of images: give --size N" in capsys.readouterr().err
    told = chosen(capsys, *options, "--size", str(SIDE))
    assert len(told["checkpoints"]) == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["runs/none-*"], "is no task: for folders of checkpoints give --images"),
        (["runs/none-*", "--images", "x", "--shots", "2"], "no folder is called 'runs/none-*'"),
        (["demo", "--images", "x"], "a task says them itself"),
        (["absent.toml"], "cannot be read"),
        (["demo", "--draws", "2"], "--draws"),
    ],
)
def test_what_cannot_be_chosen_from_is_said_in_one_line(options, message, capsys, tmp_path):
    try:
        code = main(["choose", *options, "--results", str(tmp_path)])
    except SystemExit as end:
        code = end.code
    told = capsys.readouterr()
    assert (code, told.out) == (2, "")
    assert message in told.err
    assert len(told.err.strip().splitlines()) == 1


def test_a_diverged_checkpoint_is_left_out_and_said(ranked, small_task, tmp_path, capsys):
    import torch

    from transfer.experiment.plan import cell_key
    from transfer.learning.checkpoint import read_tensors, write_tensors
    from transfer.learning.pretrain import checkpoint_path

    folder = shutil.copytree(ranked, tmp_path / "results")
    options = (str(small_task), "--results", str(folder), "--draws", "3", "--workers", "1")
    chains = chains_of(read_task(str(small_task)), Place(folder))

    def diverge(chain, epoch):
        path = checkpoint_path(folder / "checkpoints", cell_key(chain.pretraining), epoch)
        tensors, facts = read_tensors(path)
        facts.pop("checksum", None)
        write_tensors(path, {n: torch.full_like(t, torch.nan) for n, t in tensors.items()}, facts)

    diverge(chains[0], 4)
    found = chosen(capsys, *options)
    lost = [each for each in found["checkpoints"] if each["accuracy"] is None]
    assert [(each["run"], each["epoch"]) for each in lost] == [(0, 4)]
    assert main(["choose", *options]) == 0
    assert "1 checkpoints have diverged" in capsys.readouterr().out
    for chain, epoch in product(chains, (0, 1, 4)):
        diverge(chain, epoch)
    with pytest.raises(SystemExit, match="2"):
        main(["choose", *options])
    assert "the features of no checkpoint are finite: all have diverged" in capsys.readouterr().err
