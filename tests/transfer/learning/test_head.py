"""The head at its optimum: its laws, an oracle, and arms that begin or end there."""

import copy
import dataclasses

import msgspec
import numpy as np
import pytest
import torch
from own_models import ARCHITECTURES, SIDE, own_model
from scipy.special import logsumexp

from derive.errors import InputError
from transfer.experiment.records import Adaptation
from transfer.images.data import Dataset, Split
from transfer.learning.adapt import adapt
from transfer.learning.head import features_of, fit_head, put_head
from transfer.learning.model import heads_of
from transfer.learning.own import classifier_of
from transfer.learning.training import Images


def clouds(seed=0, count=60, width=7, classes=4):
    stream = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    return stream.normal(0, 2, (classes, width))[labels] + stream.normal(
        0, 2, (count, width)
    ), labels


def slope(head, features, labels, decay):
    """The gradient by hand, in the units in which the decay is."""
    centre = features.mean(0)
    scale = np.sqrt(((features - centre) ** 2).mean())
    logits = head.logits(features)
    chances = np.exp(logits - logsumexp(logits, axis=1, keepdims=True))
    wrong = (chances - np.eye(logits.shape[1])[labels]) / len(labels)
    return wrong.T @ ((features - centre) / scale) + decay * head.weight * scale, wrong.sum(0)


@pytest.mark.parametrize("decay", [1e-1, 1e-3])
def test_at_the_optimum_the_gradient_vanishes(decay):
    features, labels = clouds()
    head = fit_head(features, labels, 4, decay)
    for part in slope(head, features, labels, decay):
        assert np.abs(part).max() < 2e-5
    loss, _ = head.evaluate(features, labels)
    assert head.loss == loss


def test_it_is_what_scikit_learn_finds():
    linear = pytest.importorskip("sklearn.linear_model")
    features, labels = clouds()
    scaled = (features - features.mean(0)) / np.sqrt(((features - features.mean(0)) ** 2).mean())
    head = fit_head(scaled, labels, 4, 1e-2)
    other = linear.LogisticRegression(C=1 / (1e-2 * len(labels)), tol=1e-9, max_iter=10_000)
    other.fit(scaled, labels)
    np.testing.assert_allclose(head.weight, other.coef_, atol=1e-3)


def test_scale_shift_and_order_of_features_change_nothing():
    features, labels = clouds()
    head, order = fit_head(features, labels, 4), np.random.default_rng(1).permutation(60)
    moved = fit_head(1e3 * features[order] - 5e3, labels[order], 4)
    np.testing.assert_allclose(moved.logits(1e3 * features - 5e3), head.logits(features), atol=2e-2)
    turn = np.linalg.qr(np.random.default_rng(2).normal(size=(7, 7)))[0]
    turned = fit_head(features @ turn, labels, 4)
    np.testing.assert_allclose(turned.logits(features @ turn), head.logits(features), atol=2e-2)


def test_less_decay_fits_closer_and_what_cannot_be_fitted_is_said():
    features, labels = clouds()
    losses = [fit_head(features, labels, 4, decay).loss for decay in (1.0, 1e-1, 1e-2, 1e-3)]
    assert losses == sorted(losses, reverse=True)
    for spoilt in (np.full((60, 7), np.nan), np.ones((60, 7))):
        with pytest.raises(InputError, match="not finite, or all alike"):
            fit_head(spoilt, labels, 4)


def test_a_head_that_is_not_at_its_optimum_is_none(monkeypatch):
    monkeypatch.setattr("transfer.learning.head._STEPS", 3)
    features, labels = clouds()
    with pytest.raises(InputError, match=r"no head was found in 3 steps.* decay above 0\.01$"):
        fit_head(features, labels, 4, 1e-2)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_head_that_is_put_gives_its_logits(name):
    model = own_model(name)
    learner = classifier_of(model)
    pixels = torch.randn((40, 3, SIDE, SIDE), generator=torch.Generator().manual_seed(3))
    labels = np.arange(40) % 3
    images = Images(pixels, torch.from_numpy(labels))
    features = features_of(learner, images, torch.arange(40)).double().numpy()
    head = fit_head(features, labels, 3)
    put_head(learner, head)
    with torch.no_grad():
        logits = model(pixel_values=pixels).logits.numpy()
    np.testing.assert_allclose(logits, head.logits(features), atol=2e-3)


PROTOCOL = Adaptation(epochs=3, measured=(1, 3), batch=5, learning_rate=1e-2, seeds=1, rank=2)


def images_of(seed=0):
    """Images whose class is a colour, with noise."""
    stream = np.random.default_rng(seed)

    def split(count):
        labels = np.arange(count) % 3
        pixels = stream.normal(100, 60, (count, 3, SIDE, SIDE))
        pixels[np.arange(count), labels] += 30
        return Split(np.clip(pixels, 0, 255).astype(np.uint8), labels)

    return Dataset("colours", 3, split(60), split(30), "test", "colours")


def adapted(model, **changes):
    protocol = msgspec.structs.replace(PROTOCOL, **changes)
    return adapt(
        model, images_of(), shots=10, adaptation=protocol, mean=[0.4], deviation=[0.25], seed=4
    )


@pytest.mark.parametrize("name", ["vit", "deit-teacher"])
def test_a_model_in_memory_is_adapted_and_left_as_it_is(name):
    model = own_model(name)
    before = copy.deepcopy(model.state_dict())
    for changes in ({}, {"method": "full"}, {"method": "probe"}, {"method": "optimum"}):
        found = adapted(model, **changes)
        assert found.train_loss.shape == (3,)
        assert found.test_accuracy.shape == (2,)
        images = images_of()
        pixels = (torch.from_numpy(images.test.images) / 255 - 0.4) / 0.25
        with torch.no_grad():
            logits = found.model(pixel_values=pixels).logits
        labels = torch.from_numpy(images.test.labels)
        assert (logits.argmax(1) == labels).float().mean().item() == pytest.approx(
            found.test_accuracy[-1], abs=1e-6
        )
        assert adapted(model, **changes).test_loss.tolist() == found.test_loss.tolist()
    assert all(tensor.equal(before[key]) for key, tensor in model.state_dict().items())


def test_no_epochs_of_a_probe_fit_closer_than_the_optimum():
    model = own_model("vit")
    optimum = adapted(model, method="optimum").train_loss
    assert (optimum == optimum[0]).all()
    probe = adapted(model, method="probe", epochs=40, measured=(40,), learning_rate=3e-2,
                    weight_decay=0.0).train_loss  # fmt: skip
    fine = fit_head(*_seen(model), 3, 1e-9).loss
    assert fine < probe.min()
    assert optimum[0] < probe[0]


def _seen(model):
    from transfer.images.subsets import few_shot

    images = images_of()
    index = few_shot(images.train.labels, 10, 4)
    pixels = (torch.from_numpy(images.train.images[index]) / 255 - 0.4) / 0.25
    labels = images.train.labels[index]
    given = Images(pixels, torch.from_numpy(labels))
    return features_of(classifier_of(model), given, torch.arange(30)).double().numpy(), labels


def test_lora_from_the_optimum_leaves_the_head_and_begins_at_its_loss():
    model = own_model("vit")
    start = adapted(model, method="optimum")
    still = adapted(model, head="optimum", optimiser="sgd", learning_rate=1e-12)
    assert still.train_loss == pytest.approx(start.train_loss, abs=1e-4)
    assert still.test_accuracy == pytest.approx(start.test_accuracy)
    found = adapted(model, head="optimum", optimiser="sgd", learning_rate=1e-3)
    assert found.train_loss[-1] < start.train_loss[0] - 5e-5
    heads = {}
    for key, one in (("still", still), ("found", found)):
        base = one.model.get_base_model()
        heads[key] = [base.get_submodule(n).modules_to_save["default"] for n in heads_of(base)]
    for one, other in zip(heads["still"], heads["found"], strict=True):
        assert one.weight.equal(other.weight)
        assert one.bias.equal(other.bias)


def test_the_result_is_a_record():
    assert [field.name for field in dataclasses.fields(adapted(own_model("vit")))] == [
        "model", "train_loss", "test_loss", "test_accuracy"
    ]  # fmt: skip
