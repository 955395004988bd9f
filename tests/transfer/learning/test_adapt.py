"""Fine-tuning: the right images, seeds and methods do what they say, overlaps."""

import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from devices import DEVICE

from derive.errors import InputError
from numerics.sweep.store import cell_key
from transfer.experiment.plan import OVERLAPS
from transfer.images.subsets import few_shot, nested_seed
from transfer.learning.adapt import adapt_cell, downstream_splits
from transfer.learning.checkpoint import read_tensors
from transfer.learning.model import ClassTokenViT, only_head_learns
from transfer.learning.overlap import subspace_overlap
from transfer.learning.pretrain import checkpoint_path, pretrain_cell
from transfer.learning.training import Training, normalised

COMMON = {
    "model": {"patch": 14, "width": 16, "depth": 2, "heads": 2, "dropout": 0.0},
    "source": {"dataset": "patterns", "images": "all"},
    "seed": 1,
}
FIRST = {
    **COMMON,
    "kind": "pretraining",
    "pretraining": {
        "epochs": 3, "checkpoints": [0, 3], "batch": 50, "learning_rate": 3e-3,
        "weight_decay": 0.05, "warmup": 0.1, "validation": 0.1,
    },
}  # fmt: skip
SETTINGS = {
    "epochs": 6, "measured": [1, 3, 6], "batch": 10, "learning_rate": 1e-2, "method": "lora",
    "rank": 2, "alpha": 4.0, "targets": ["query", "value"], "head": "new",
    "weight_decay": 0.01, "warmup": 0.1,
}  # fmt: skip


METHODS = ["lora", "full", "probe"]


@pytest.fixture(scope="module")
def darker(patterns):
    """Another downstream dataset: the same stripes, darker, with classes in another order."""

    def changed(split):
        images = (split.images * 0.5).astype(np.uint8)
        return replace(split, images=images, labels=2 - split.labels)

    return replace(patterns, train=changed(patterns.train), test=changed(patterns.test))


@pytest.fixture(scope="module")
def folder(patterns, tmp_path_factory):
    made = tmp_path_factory.mktemp("checkpoints")
    pretrain_cell(FIRST, patterns, made, DEVICE)
    return made


def cell(checkpoint=3, seeds=(0,), dropout=0.0, **changes):
    return {
        **COMMON,
        "kind": "adaptation",
        "run": cell_key(FIRST),
        "downstream": {"dataset": "patterns", "shots": 10, "rotation": 0.0, "noise": 0.0},
        "adaptation": {**SETTINGS, **changes},
        "checkpoint": checkpoint,
        "fine_tuning_seeds": list(seeds),
    }


@pytest.mark.parametrize("method", METHODS)
def test_every_method_learns_and_is_the_same_again(patterns, folder, method):
    found = adapt_cell(cell(method=method), patterns, patterns, folder, DEVICE)
    again = adapt_cell(cell(method=method), patterns, patterns, folder, DEVICE)
    assert found["train_loss"].shape == (1, 6)
    assert found["test_accuracy"].shape == (1, 3)
    assert found["train_loss"][0, -1] < found["train_loss"][0, 0]
    assert all(np.array_equal(found[name], again[name], equal_nan=True) for name in found)


@pytest.mark.parametrize("method", METHODS)
def test_seeds_of_one_cell_learn_as_in_cells_of_their_own(patterns, folder, method):
    both = adapt_cell(cell(seeds=(4, 7), method=method), patterns, patterns, folder, DEVICE)
    for row, seed in enumerate((4, 7)):
        alone = adapt_cell(cell(seeds=(seed,), method=method), patterns, patterns, folder, DEVICE)
        np.testing.assert_allclose(both["train_loss"][row], alone["train_loss"][0], rtol=2e-3)
        np.testing.assert_allclose(both["test_accuracy"][row], alone["test_accuracy"][0], atol=0.05)


def test_a_probe_is_the_whole_model_with_all_but_the_head_frozen(patterns, folder, monkeypatch):
    """Features computed once are a short cut; the long way is the oracle."""
    short = adapt_cell(cell(seeds=(4, 7), method="probe"), patterns, patterns, folder, DEVICE)
    adapt = sys.modules["transfer.learning.adapt"]
    make = adapt.adapted_model

    def frozen(*arguments):
        model = make(*arguments)
        only_head_learns(model)
        return model

    monkeypatch.setattr(adapt, "adapted_model", frozen)
    long = adapt_cell(cell(seeds=(4, 7), method="full"), patterns, patterns, folder, DEVICE)
    assert long["learning"] == short["learning"]
    for name in ("train_loss", "test_loss", "test_accuracy"):
        np.testing.assert_allclose(short[name], long[name], rtol=1e-4)


def test_a_probe_learns_from_features_without_dropout(patterns, folder, tmp_path):
    """The same weights, said to have dropout: the frozen backbone must not notice."""
    model = {**COMMON["model"], "dropout": 0.5}
    first = {**FIRST, "model": model, "pretraining": {**FIRST["pretraining"], "epochs": 0}}
    pretrain_cell(first, patterns, tmp_path, DEVICE)
    chosen = cell(0, seeds=(4, 7), method="probe")
    wet = adapt_cell({**chosen, "model": model, "run": cell_key(first)}, patterns, patterns,
                     tmp_path, DEVICE)  # fmt: skip
    dry = adapt_cell(chosen, patterns, patterns, folder, DEVICE)
    for name in ("train_loss", "test_loss", "test_accuracy"):
        assert (wet[name] == dry[name]).all()


def test_a_probe_computes_the_features_it_needs_and_no_others(patterns, folder, monkeypatch):
    seen, compute = [], ClassTokenViT.features

    def counting(model, images):
        seen.append(len(images))
        return compute(model, images)

    monkeypatch.setattr(ClassTokenViT, "features", counting)
    adapt_cell(cell(method="probe"), patterns, patterns, folder, DEVICE)
    assert sum(seen) == 3 * 10 + len(patterns.test.labels)


def test_learning_parameters_as_counted_by_hand(patterns, folder):
    width, depth, classes = 16, 2, 3
    head = width * classes + classes
    expected = {"probe": head, "lora": head + depth * 2 * 2 * 2 * width}
    for method, count in expected.items():
        assert (
            adapt_cell(cell(method=method), patterns, patterns, folder, DEVICE)["learning"] == count
        )


def test_accuracy_is_that_of_the_test_images(patterns, darker, folder):
    honest = adapt_cell(cell(), patterns, darker, folder, DEVICE)
    wrong = replace(darker.test, labels=(darker.test.labels + 1) % 3)
    found = adapt_cell(cell(), patterns, replace(darker, test=wrong), folder, DEVICE)
    assert (found["train_loss"] == honest["train_loss"]).all()
    assert (found["test_loss"] != honest["test_loss"]).all()


def test_downstream_images_are_normalised_by_the_source(patterns, darker, folder, monkeypatch):
    given = []

    def spying(split, source, device, stated):
        given.append(source)
        return normalised(split, source, device, stated)

    monkeypatch.setattr(sys.modules["transfer.learning.adapt"], "normalised", spying)
    adapt_cell(cell(), patterns, darker, folder, DEVICE)
    assert len(given) == 2
    assert all(source is patterns for source in given)


@pytest.fixture
def drawn(patterns, darker, folder, monkeypatch):
    """What a fine-tuning draws: its images, the seeds of their order, its head at the start."""
    begun = []
    begin = Training.__init__

    def spying(training, network, images, chosen, schedule, seeds):
        begun.append((chosen.tolist(), list(seeds), network.parameters()[-2].tolist()))
        begin(training, network, images, chosen, schedule, seeds)

    def draw(pretraining, fine, **changes):
        changed = {**cell(seeds=fine, **changes), "seed": pretraining}
        adapt_cell(changed, patterns, darker, folder, DEVICE)
        return begun.pop()

    monkeypatch.setattr(Training, "__init__", spying)
    return draw


def test_every_checkpoint_and_protocol_draws_alike(drawn):
    expected = drawn(1, (4, 7))
    for changes in ({"checkpoint": 0}, {"method": "full"}, {"method": "probe"}, {"rank": 1}):
        assert drawn(1, (4, 7), **changes) == expected


def test_every_pair_of_seeds_draws_on_its_own(drawn):
    """Pre-trainings that share their images or heads are no independent repetitions."""
    found = [drawn(*pair) for pair in ((1, (4,)), (1, (7,)), (2, (4,)), (4, (1,)))]
    for part in zip(*found, strict=True):
        assert len({str(values) for values in part}) == len(found)


def test_images_are_shared_between_pretrainings_as_often_as_by_chance():
    labels = np.repeat([0, 1], 200)
    shared = [
        len(set(few_shot(labels, 50, nested_seed(2 * pre, fine)))
            & set(few_shot(labels, 50, nested_seed(2 * pre + 1, fine))))
        for pre in range(40) for fine in range(5)
    ]  # fmt: skip
    assert np.mean(shared) == pytest.approx(25, abs=5 * np.std(shared) / np.sqrt(200))


def test_both_splits_are_shifted(patterns):
    plain, turned = (downstream_splits(patterns, angle, 0.1) for angle in (0.0, 30.0))
    for one, other in zip(plain, turned, strict=True):
        assert (one.images != other.images).any()
        assert (one.labels == other.labels).all()
    train, test = downstream_splits(patterns, 0.0, 0.0)
    assert train is patterns.train
    assert test is patterns.test


def test_only_lora_has_overlaps(patterns, folder):
    for method in METHODS:
        chosen = cell(seeds=(4, 7), method=method)
        found = adapt_cell(chosen, patterns, patterns, folder, DEVICE)
        for name in OVERLAPS:
            assert np.isfinite(found[name]).tolist() == [method == "lora"] * 2


@pytest.fixture
def spoilt(monkeypatch):
    """Spoil the models of some seeds, by their place in the cell, before they learn."""
    adapt = sys.modules["transfer.learning.adapt"]
    make = adapt.adapted_model

    def spoil(*places):
        made = []

        def spoiling(*arguments):
            made.append(make(*arguments))
            if len(made) - 1 in places:
                with torch.no_grad():  # of a finite size, and yet the logits overflow
                    list(made[-1].classifier.parameters())[-2].fill_(3e38)
            return made[-1]

        monkeypatch.setattr(adapt, "adapted_model", spoiling)

    return spoil


@pytest.mark.parametrize("checkpoint", [0, 3])
@pytest.mark.parametrize("method", METHODS)
def test_a_run_that_diverges_does_not_touch_those_beside_it(
    patterns, folder, spoilt, method, checkpoint
):
    chosen = cell(checkpoint, seeds=(4, 7, 9), method=method)
    healthy = adapt_cell(chosen, patterns, patterns, folder, DEVICE)
    spoilt(1)
    found = adapt_cell(chosen, patterns, patterns, folder, DEVICE)
    for name in (
        "train_loss",
        "test_loss",
        "test_accuracy",
        *(OVERLAPS if method == "lora" else ()),
    ):
        assert np.isfinite(healthy[name]).all()
        assert np.isnan(found[name][1]).all()
        assert found[name][[0, 2]].tobytes() == healthy[name][[0, 2]].tobytes()


@pytest.mark.parametrize("seeds", [(0,), (0, 1)])
@pytest.mark.parametrize("method", METHODS)
def test_runs_that_all_diverge_are_a_result(patterns, folder, spoilt, tmp_path, method, seeds):
    spoilt(*range(len(seeds)))
    found = adapt_cell(
        cell(seeds=seeds, method=method), patterns, patterns, folder, DEVICE, adapters=tmp_path
    )
    for name in ("train_loss", "test_loss", "test_accuracy", *OVERLAPS):
        assert np.isnan(found[name]).all()
    assert found["learning"] > 0


@pytest.mark.parametrize("method", ["lora", "full"])
def test_too_large_a_rate_is_a_result(patterns, folder, method):
    found = adapt_cell(cell(method=method, learning_rate=1e8), patterns, patterns, folder, DEVICE)
    assert np.isnan(found["train_loss"][0, -1])
    assert np.isnan(found["test_accuracy"][0, -1])


def test_what_was_measured_before_a_run_diverged_is_kept(patterns, folder, monkeypatch):
    healthy = adapt_cell(cell(seeds=(4, 7)), patterns, patterns, folder, DEVICE)
    learn = Training.epoch

    def spoiling(training):
        loss = learn(training)
        if training.step == 3 * 3:  # the third epoch, of three batches
            with torch.no_grad():
                training.optimiser.param_groups[0]["params"][0][1] = torch.inf
        return loss

    monkeypatch.setattr(Training, "epoch", spoiling)
    found = adapt_cell(cell(seeds=(4, 7)), patterns, patterns, folder, DEVICE)
    assert (found["test_accuracy"][0] == healthy["test_accuracy"][0]).all()
    assert np.isfinite(found["test_accuracy"][1]).tolist() == [True, False, False]
    assert np.isfinite(found["train_loss"][1]).tolist() == [True] * 2 + [False] * 4


def test_updates_without_a_finite_overlap_have_none():
    weights = torch.eye(3)
    for entry in (torch.nan, torch.inf):
        update = torch.full((3, 3), entry)
        assert np.isnan(subspace_overlap(update, weights, 2)).all()
        assert np.isnan(subspace_overlap(weights, update, 2)).all()


def test_a_kept_head_starts_where_pre_training_ended(patterns, folder):
    kept = adapt_cell(cell(head="kept"), patterns, patterns, folder, DEVICE)
    new = adapt_cell(cell(), patterns, patterns, folder, DEVICE)
    assert kept["train_loss"][0, 0] < new["train_loss"][0, 0]


def test_adapters_are_kept_on_demand(patterns, folder, tmp_path):
    adapt_cell(cell(seeds=(0, 1)), patterns, patterns, folder, DEVICE, adapters=tmp_path)
    tensors, facts = read_tensors(min(tmp_path.iterdir()))
    assert facts["backbone"]
    assert sum("lora_A" in name for name in tensors) == 4
    assert any("classifier" in name for name in tensors)


def test_a_missing_checkpoint_is_one_line(patterns, folder):
    with pytest.raises(InputError, match="cannot be read"):
        adapt_cell(cell(checkpoint=2), patterns, patterns, folder, DEVICE)
    assert checkpoint_path(folder, cell_key(FIRST), 3).exists()


def test_overlap_is_one_by_chance_and_largest_for_itself():
    generator = torch.Generator().manual_seed(0)

    def random(rank):
        return torch.randn(40, rank, generator=generator) @ torch.randn(
            rank, 60, generator=generator
        )

    weights = torch.randn(40, 60, generator=generator)
    left, right = np.mean([subspace_overlap(random(4), weights, 4) for _ in range(200)], axis=0)
    assert left == pytest.approx(1, abs=0.05)
    assert right == pytest.approx(1, abs=0.05)
    assert subspace_overlap(weights, weights, 4) == pytest.approx((10, 15))


def test_overlap_does_not_depend_on_bases_or_scale():
    generator = torch.Generator().manual_seed(1)
    update, weights = (torch.randn(12, 12, generator=generator).double() for _ in range(2))
    left, _ = torch.linalg.qr(torch.randn(12, 12, generator=generator).double())
    right, _ = torch.linalg.qr(torch.randn(12, 12, generator=generator).double())
    expected = subspace_overlap(update, weights, 3)
    turned = subspace_overlap(5 * left @ update @ right, left @ weights @ right, 3)
    assert turned == pytest.approx(expected)
