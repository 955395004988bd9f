"""Pre-training: stopped and gone on is bit-identical; checkpoints; runs that diverge."""

import hashlib
from dataclasses import replace

import numpy as np
import pytest
import torch
from devices import DEVICE

from derive.errors import InputError
from numerics.sweep.store import cell_key
from transfer.experiment.plan import CURVES
from transfer.images.subsets import held_out
from transfer.learning.checkpoint import read_tensors
from transfer.learning.pretrain import checkpoint_path, pretrain_cell, source_model, state_path
from transfer.learning.training import Training

CELL = {
    "kind": "pretraining",
    "model": {"patch": 14, "width": 16, "depth": 2, "heads": 2, "dropout": 0.2},
    "source": {"dataset": "patterns", "images": "all"},
    "pretraining": {
        "epochs": 4, "checkpoints": [0, 2, 4], "batch": 50, "learning_rate": 3e-3,
        "weight_decay": 0.05, "warmup": 0.1, "validation": 0.1,
    },
    "seed": 1,
}  # fmt: skip


def hashes(folder):
    return {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (folder / cell_key(CELL)).iterdir()
    }


class _Stop(Exception):
    pass


@pytest.mark.parametrize("after", [1, 2, 3])
def test_stopped_and_gone_on_is_bit_identical(patterns, tmp_path, after, monkeypatch):
    whole = pretrain_cell(CELL, patterns, tmp_path / "whole", DEVICE)
    epoch, begun = Training.epoch, []

    def stopping(training):
        begun.append(0)
        if len(begun) > after:
            raise _Stop
        return epoch(training)

    monkeypatch.setattr(Training, "epoch", stopping)
    with pytest.raises(_Stop):
        pretrain_cell(CELL, patterns, tmp_path / "parts", DEVICE)
    monkeypatch.undo()
    torch.rand(7)  # another process's generator is elsewhere
    gone_on = pretrain_cell(CELL, patterns, tmp_path / "parts", DEVICE)
    assert hashes(tmp_path / "whole") == hashes(tmp_path / "parts")
    for name, values in whole.items():
        assert (gone_on[name] == values).all(), name


def test_dropout_draws_on_after_a_stop_so_that_its_state_must_be_kept(patterns, tmp_path):
    """The law above would be empty if nothing random happened between epochs."""
    model = {**CELL["model"], "dropout": 0.0}
    dry = pretrain_cell({**CELL, "model": model}, patterns, tmp_path / "dry", DEVICE)
    wet = pretrain_cell(CELL, patterns, tmp_path / "wet", DEVICE)
    assert (dry["train_loss"] != wet["train_loss"]).all()


def test_curves_and_checkpoints_are_all_there(patterns, tmp_path):
    found = pretrain_cell(CELL, patterns, tmp_path, DEVICE)
    assert [len(found[name]) for name in ("train_loss", "validation_accuracy")] == [4, 4]
    assert len(found["test_accuracy"]) == 3
    assert found["train_loss"][-1] < found["train_loss"][0]
    start, _ = read_tensors(checkpoint_path(tmp_path, cell_key(CELL), 0))
    for name, tensor in source_model(CELL, patterns).state_dict().items():
        assert torch.equal(start[name], tensor), "epoch 0 is the random initialisation"


def test_the_generator_of_the_caller_is_left_alone(patterns, tmp_path):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    pretrain_cell(CELL, patterns, tmp_path, DEVICE)
    assert torch.equal(torch.rand(3), expected)


def test_a_run_that_diverges_is_a_result(patterns, tmp_path, monkeypatch):
    """In the third of four epochs: what came before is kept, and nothing goes on from there."""
    healthy = pretrain_cell(CELL, patterns, tmp_path / "healthy", DEVICE)
    learn, begun = Training.epoch, []

    def spoiling(training):
        begun.append(training.step)
        loss = learn(training)
        return loss * torch.nan if len(begun) == 3 else loss

    monkeypatch.setattr(Training, "epoch", spoiling)
    found = pretrain_cell(CELL, patterns, tmp_path / "spoilt", DEVICE)
    assert len(begun) == 3, "without weights there is nothing to learn"
    monkeypatch.undo()
    for name in CURVES:
        assert (found[name][:2] == healthy[name][:2]).all()
        assert np.isnan(found[name][2:]).all()
    for name in ("test_loss", "test_accuracy"):
        assert np.isfinite(found[name]).tolist() == [True, True, False]
    again = pretrain_cell(CELL, patterns, tmp_path / "spoilt", DEVICE)
    assert all(again[name].tobytes() == found[name].tobytes() for name in found)


def test_too_large_a_rate_is_a_result(patterns, tmp_path):
    settings = {**CELL["pretraining"], "learning_rate": 1e8}
    found = pretrain_cell({**CELL, "pretraining": settings}, patterns, tmp_path, DEVICE)
    assert np.isfinite(found["test_accuracy"]).tolist() == [True, False, False]


def test_seeds_differ_in_initialisation_order_and_images(patterns, tmp_path):
    source = {"dataset": "patterns", "images": 150}
    one, other = (
        pretrain_cell({**CELL, "source": source, "seed": seed}, patterns, tmp_path, DEVICE)
        for seed in (1, 2)
    )
    assert not np.allclose(one["train_loss"], other["train_loss"])


def test_a_state_of_another_run_is_refused(patterns, tmp_path):
    pretrain_cell(CELL, patterns, tmp_path, DEVICE)
    other = {**CELL, "seed": 2}
    foreign = state_path(tmp_path, cell_key(other))
    foreign.parent.mkdir()
    foreign.write_bytes(state_path(tmp_path, cell_key(CELL)).read_bytes())
    with pytest.raises(InputError, match="has run"):
        pretrain_cell(other, patterns, tmp_path, DEVICE)


def test_what_is_trained_on_held_out_and_tested_on_are_apart(patterns, tmp_path, monkeypatch):
    """Labels of the held-out and of the test images in turn are made wrong: only theirs suffer."""
    honest = pretrain_cell(CELL, patterns, tmp_path / "honest", DEVICE)
    wrong = replace(patterns.test, labels=(patterns.test.labels + 1) % 3)
    found = pretrain_cell(CELL, replace(patterns, test=wrong), tmp_path / "wrong", DEVICE)
    assert (found["train_loss"] == honest["train_loss"]).all()
    assert (found["validation_loss"] == honest["validation_loss"]).all()
    assert (found["test_loss"] != honest["test_loss"]).all()

    used = []
    begin = Training.__init__

    def spying(training, network, images, chosen, *rest):
        used.append(set(chosen[0].tolist()))
        begin(training, network, images, chosen, *rest)

    monkeypatch.setattr(Training, "__init__", spying)
    pretrain_cell(CELL, patterns, tmp_path / "spied", DEVICE)
    kept, out = held_out(patterns.train.labels, 0.1, CELL["seed"])
    assert used == [set(kept.tolist())]
    assert not used[0] & set(out.tolist())
