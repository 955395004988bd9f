"""Models of several checkpoints side by side, compiled, in another precision: as each is alone."""

import copy
import re

import numpy as np
import pytest
import torch
from own_models import ARCHITECTURES, SIDE, own_model, saved

from transfer.experiment.series import digest_of_weights
from transfer.images.data import Dataset, Split
from transfer.learning import forward, training
from transfer.learning.adapt import adapt_cell, adapt_cells
from transfer.learning.head import features_of
from transfer.learning.model import with_lora
from transfer.learning.network import Network, Together
from transfer.learning.own import classifier_of
from transfer.learning.training import Images, Schedule, Training, evaluate, normalised, on_device

CPU = torch.device("cpu")
ARRAYS = ("train_loss", "test_loss", "test_accuracy")


def images_of(count=4, models=0):
    shape = (models, count) if models else (count,)
    return torch.randn((*shape, 3, SIDE, SIDE), generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def colours():
    stream = np.random.default_rng(0)

    def split(count):
        labels = np.arange(count) % 3
        pixels = stream.integers(0, 200, (count, 3, SIDE, SIDE), np.uint8)
        pixels[np.arange(count), labels] += 50
        return Split(pixels, labels.astype(np.int64))

    return Dataset("colours", 3, split(30), split(12), "test", "colours")


@pytest.mark.filterwarnings("ignore:There is a performance drop:UserWarning")  # of Swin
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_checkpoints_and_seeds_side_by_side_have_the_logits_of_each(name):
    bases = [own_model(name, seed) for seed in (0, 1)]
    models = [
        classifier_of(with_lora(copy.deepcopy(base), 2, 4.0, "all-linear", seed))
        for base in bases for seed in (3, 4)
    ]  # fmt: skip
    with torch.no_grad():
        for model in models:
            for parameter in model.parameters():
                if parameter.requires_grad:
                    parameter.add_(0.1 * torch.randn_like(parameter))
    network = Together(models)
    network.train(False)
    assert not network.refused(images_of(models=4))
    for shared, images in ((True, images_of()), (False, images_of(models=4))):
        found = network.logits(images, shared)
        for place, model in enumerate(models):
            alone = model.eval()(images if shared else images[place])
            torch.testing.assert_close(found[place], alone, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(found[0], found[2])


PROTOCOL = {
    "epochs": 2, "measured": [1, 2], "batch": 4, "learning_rate": 1e-2, "method": "lora",
    "rank": 2, "alpha": 4.0, "targets": "all-linear", "head": "new", "weight_decay": 0.01,
    "warmup": 0.1,
}  # fmt: skip
PROTOCOLS = {
    "lora": {}, "full": {"method": "full"}, "probe": {"method": "probe"},
    "optimum": {"method": "optimum", "head": "optimum"},
    "sgd": {"head": "optimum", "optimiser": "sgd"},
}  # fmt: skip


@pytest.fixture(scope="module")
def cells(tmp_path_factory):
    """Cells of two checkpoints and seeds of an architecture, one a protocol."""
    folder = tmp_path_factory.mktemp("checkpoints")

    def make(name, **changes):
        made = []
        for step in (2, 4):
            path = folder / f"{name}-{step}"
            if not path.exists():
                saved(path, name, seed=step) if name in ARCHITECTURES else resnet(path, step)
            weights = {"folder": path.name, "digest": digest_of_weights(path)}
            made.append({
                "kind": "adaptation", "seed": 0, "checkpoint": step, "weights": weights,
                "scale": {"mean": [100.0], "deviation": [60.0]}, "fine_tuning_seeds": [0, 1],
                "downstream": {"shots": 4, "rotation": 0.0, "noise": 0.0},
                "adaptation": {**PROTOCOL, **changes},
            })  # fmt: skip
        return made, folder

    return make


def resnet(path, seed):
    """A model that PyTorch does not batch: its norms keep statistics of what they see."""
    from transformers import ResNetConfig, ResNetForImageClassification

    torch.manual_seed(seed)
    sizes = {"embedding_size": 8, "hidden_sizes": [8, 8], "depths": [1, 1]}
    ResNetForImageClassification(ResNetConfig(num_labels=3, **sizes)).save_pretrained(path)


def close(found, expected):
    for one, other in zip(found, expected, strict=True):
        for name in ARRAYS:
            np.testing.assert_allclose(one[name], other[name], rtol=5e-3, atol=5e-3)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_checkpoints_learn_side_by_side_what_each_learns_alone(protocol, cells, colours, tmp_path):
    planned, folder = cells("vit", **PROTOCOLS[protocol])
    both = adapt_cells(planned, colours, colours, folder, CPU, tmp_path / "both")
    alone = [adapt_cell(c, colours, colours, folder, CPU, tmp_path / "alone") for c in planned]
    close(both, alone)
    assert not np.allclose(both[0]["test_loss"], both[1]["test_loss"])
    names = [{path.name for path in (tmp_path / at).glob("*")} for at in ("both", "alone")]
    assert names[0] == names[1]
    assert len(names[0]) == (4 if protocol in ("lora", "sgd") else 0)


def test_what_cannot_be_batched_learns_one_after_another_and_that_is_said(cells, colours, capsys):
    planned, folder = cells("resnet", method="full")
    both = adapt_cells(planned, colours, colours, folder, CPU)
    assert "are not computed side by side (RuntimeError): one after another" in (
        capsys.readouterr().err
    )
    for row, found in enumerate(both):
        for seed in (0, 1):
            one = {**planned[row], "fine_tuning_seeds": [seed]}
            alone = adapt_cell(one, colours, colours, folder, CPU)
            for name in ARRAYS:
                assert found[name][seed].tobytes() == alone[name][0].tobytes()


@pytest.fixture
def compiler(monkeypatch):
    """Compile on a CPU, by all of PyTorch's compiler but the making of kernels."""
    monkeypatch.setitem(forward.BACKENDS, "cpu", "aot_eager")
    known = {}
    monkeypatch.setattr(forward, "_known", known)
    torch.compiler.reset()
    return known


@pytest.mark.thorough
def test_compiled_models_learn_the_same_and_a_kind_is_compiled_once(
    compiler, cells, colours, capsys
):
    planned, folder = cells("vit")
    found = adapt_cells(planned, colours, colours, folder, CPU)
    assert len(compiler) == 1
    more = [{**cell, "seed": 1} for cell in planned]  # of another pre-training
    adapt_cells(more, colours, colours, folder, CPU)
    assert len(compiler) == 1
    other = [{**c, "adaptation": {**c["adaptation"], "alpha": 8.0}} for c in planned]
    scaled = adapt_cells(other, colours, colours, folder, CPU)
    assert len(compiler) == 2  # a scale is no weight
    assert capsys.readouterr().err == ""
    compiler.clear()
    forward.BACKENDS["cpu"] = ""
    close(found, adapt_cells(planned, colours, colours, folder, CPU))
    close(scaled, adapt_cells(other, colours, colours, folder, CPU))
    assert not compiler


def test_scales_are_told_apart_however_deep_they_lie_and_few_kinds_are_kept(compiler):
    def kind(alpha, wrappers):
        model = classifier_of(with_lora(own_model("vit"), 2, alpha, "all-linear", 0))
        for _ in range(wrappers):
            model = torch.nn.Sequential(model)
        return forward.forward_of(model, (), False)

    for wrappers in range(3):
        one, again, other = (kind(alpha, wrappers) for alpha in (4.0, 4.0, 8.0))
        assert one is again
        assert one is not other
    first = next(iter(compiler))
    for classes in range(1, 10):
        forward.forward_of(torch.nn.Linear(2, classes), (), False)
    assert len(compiler) == 8
    assert first not in compiler


FEATURES = Images(torch.randn(12, 5, generator=torch.Generator().manual_seed(2)),
                  torch.arange(12) % 3)  # fmt: skip


def learnt(kind):
    """What linear maps learn, one alone or two side by side."""
    models = [torch.nn.Linear(5, 3) for _ in range(2)]
    with torch.no_grad():
        for place, parameter in enumerate(p for model in models for p in model.parameters()):
            parameter.copy_(torch.linspace(-1, 1, parameter.numel()).view_as(parameter) * place)
    network = Together(models) if kind is Together else Network(models[0])
    chosen = torch.arange(12).expand(network.size, 12)
    schedule = Schedule(2, 5, 1e-2)
    learner = Training(network, FEATURES, chosen, schedule, range(network.size))
    losses = torch.stack([learner.epoch() for _ in range(2)])
    return [losses.numpy(), *evaluate(network, FEATURES)]


@pytest.mark.parametrize("kind", [Network, Together])
def test_compiled_maps_learn_the_same(compiler, kind, capsys):
    found, again = learnt(kind), learnt(kind)
    assert len(compiler) == 1
    assert capsys.readouterr().err == ""
    forward.BACKENDS["cpu"] = ""
    expected = learnt(kind)
    for one, other, plain in zip(found, again, expected, strict=True):
        assert one.tobytes() == other.tobytes()
        np.testing.assert_allclose(one, plain, rtol=1e-5)


@pytest.mark.parametrize("kind", [Network, Together])
def test_where_the_compiler_fails_it_is_said_and_nothing_changes(compiler, kind, capsys):
    def broken(graph, inputs):
        raise OSError("no compiler here")

    forward.BACKENDS["cpu"] = broken
    found, again = learnt(kind), learnt(kind)
    err = capsys.readouterr().err
    assert re.fullmatch(r"(not compiled \(\w+\): slower, the same up to rounding\n)+", err)
    assert err.count("\n") <= 2  # with images of each, and with those that all share
    forward.BACKENDS["cpu"] = ""
    for parts in zip(found, again, learnt(kind), strict=True):
        assert len({part.tobytes() for part in parts}) == 1


def test_dropout_is_on_in_training_and_off_otherwise_whoever_used_the_model_before(compiler):
    for backend in ("aot_eager", ""):
        forward.BACKENDS["cpu"] = backend
        models = [torch.nn.Sequential(torch.nn.Linear(5, 3), torch.nn.Dropout(0.5)) for _ in "ab"]
        for network in (Network(models[0]), Together(models)):
            for before in (True, False):
                models[0].train(before)
                models[0][1].train(not before)  # a wrapper and what is in it may differ
                for mode in (True, False):
                    network.train(mode)
                    one, other = (network.logits(FEATURES.values, True) for _ in range(2))
                    assert torch.equal(one, other) != mode


def test_features_are_of_the_same_precision_as_logits(colours, monkeypatch):
    model = classifier_of(own_model("vit"))
    images = normalised(colours.test, colours, CPU)
    index = torch.arange(12)
    full, (loss, _) = features_of(model, images, index), evaluate(Network(model), images)
    monkeypatch.setattr(training, "REDUCED", ("cpu",))
    reduced, (other, _) = features_of(model, images, index), evaluate(Network(model), images)
    assert reduced.dtype == torch.float32
    assert not torch.equal(full, reduced)
    torch.testing.assert_close(full, reduced, rtol=0.1, atol=0.1)
    assert loss != other
    with torch.autocast("cpu", torch.bfloat16), torch.no_grad():
        logits = model.head(reduced).float()
    found = torch.nn.functional.cross_entropy(logits, images.labels).item()
    assert found == pytest.approx(float(other[0]), rel=1e-6)


def test_images_are_moved_to_a_device_once_for_all_cells(colours):
    values, labels = on_device(colours.train, CPU)
    for stated in (None, {"mean": [1.0], "deviation": [2.0]}):
        images = normalised(colours.train, colours, CPU, stated)
        assert images.values is values
        assert images.labels is labels
    part = images.part(torch.tensor([3, 5]))
    assert part.take(slice(None)).equal(images.take(torch.tensor([3, 5])))
    frozen = Split(colours.train.images.copy(), colours.train.labels.copy())
    for array in (frozen.images, frozen.labels):
        array.flags.writeable = False  # as of a file; a warning would be an error here
    assert on_device(frozen, CPU)[0].equal(values)


def test_features_of_several_checkpoints_are_taken_by_each_models_own():
    values = torch.arange(12.0).view(2, 3, 2)
    images = Images(values, torch.zeros(3, dtype=torch.long), of=torch.tensor([0, 0, 1]))
    assert not images.shared
    assert images.take(slice(0, 2)).equal(values[[0, 0, 1], :2])
    index = torch.tensor([[0], [2], [1]])
    assert images.take(index)[:, 0].equal(torch.stack([values[0, 0], values[0, 2], values[1, 1]]))
