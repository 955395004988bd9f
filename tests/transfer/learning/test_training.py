"""The loop: side by side as alone, the schedule's laws, the order of images, memory."""

import copy
import dataclasses

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from torch import nn

from derive.errors import InputError
from transfer.experiment.task import Model
from transfer.images.data import Split
from transfer.learning.model import ClassTokenViT, vision_transformer, with_lora
from transfer.learning.network import Network, Together
from transfer.learning.training import Images, Schedule, Training, evaluate, normalised, order_of

CPU = torch.device("cpu")
SIZES = Model(patch=14, width=16, depth=2, heads=2)
SCHEDULE = Schedule(epochs=3, batch=10, learning_rate=1e-2, weight_decay=0.1, warmup=0.2)


def adapted(seeds):
    base = vision_transformer(SIZES, (1, 28, 28), 3, seed=0)
    models = [with_lora(copy.deepcopy(base), 2, 4.0, ("query", "value"), s) for s in seeds]
    return [ClassTokenViT(model) for model in models]


def trained(network, patterns, chosen, seeds):
    images = normalised(patterns.train, patterns, CPU)
    training = Training(network, images, chosen, SCHEDULE, seeds)
    losses = torch.stack([training.epoch() for _ in range(SCHEDULE.epochs)])
    test = normalised(patterns.test, patterns, CPU)
    return losses, *evaluate(network, test)


def test_models_side_by_side_learn_what_each_learns_alone(patterns):
    seeds = [3, 4, 5]
    chosen = torch.tensor(np.array([np.random.default_rng(s).permutation(300)[:25] for s in seeds]))
    models = adapted(seeds)
    network = Together(models)
    losses, test_loss, accuracy = trained(network, patterns, chosen, seeds)
    network.write_back()
    for place, seed in enumerate(seeds):
        (single,) = adapted([seed])
        own = trained(Network(single), patterns, chosen[place : place + 1], [seed])
        torch.testing.assert_close(losses[:, place], own[0][:, 0], rtol=1e-4, atol=1e-5)
        assert test_loss[place] == pytest.approx(own[1][0], rel=1e-3)
        assert accuracy[place] == pytest.approx(own[2][0], abs=0.03)
        for one, other in zip(models[place].parameters(), single.parameters(), strict=True):
            torch.testing.assert_close(one, other, rtol=1e-2, atol=1e-3)


def test_training_learns_and_is_the_same_again(patterns):
    (one, same) = adapted([0, 0])
    chosen = torch.arange(300)[None]
    first = trained(Network(one), patterns, chosen, [0])
    second = trained(Network(same), patterns, chosen, [0])
    assert torch.equal(first[0], second[0])
    assert first[0][-1] < 0.9 * first[0][0]


@given(
    st.integers(2, 500),
    st.floats(0, 0.9),
)
def test_the_schedule_rises_then_falls_and_stays_within_one(steps, warmup):
    schedule = Schedule(1, 1, 1.0, 0.0, warmup)
    factors = [schedule.factor(step, steps) for step in range(steps)]
    assert min(factors) > 0
    assert max(factors) == pytest.approx(1)
    top = int(np.argmax(factors))
    assert (np.diff(factors[: top + 1]) > 0).all()
    assert (np.diff(factors[top:]) <= 1e-12).all()


def test_normalised_images_have_mean_zero_and_deviation_one(patterns):
    train = patterns.train
    images = normalised(train, patterns, CPU).take(slice(None))
    assert images.mean().item() == pytest.approx(0, abs=1e-3)
    assert images.std().item() == pytest.approx(1, abs=1e-3)


class _Full(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, images):
        raise torch.OutOfMemoryError("a long story")


def test_out_of_memory_says_which_batch_to_try(patterns):
    images = normalised(patterns.train, patterns, CPU)
    training = Training(Network(_Full()), images, torch.arange(30)[None], SCHEDULE, [0])
    with pytest.raises(InputError, match=r"out of memory with 10 images a batch.* batch = 5"):
        training.epoch()


def test_evaluation_weighs_every_image_alike(patterns):
    """A last batch that is smaller counts less: against one pass over everything."""
    (model,) = adapted([0])
    count = 1100
    many = Split(
        np.tile(patterns.train.images, (4, 1, 1, 1))[:count],
        np.tile(patterns.train.labels, 4)[:count],
    )
    images = normalised(many, patterns, CPU)
    with torch.no_grad():
        logits = model.eval()(images.take(slice(None)))
    loss, accuracy = evaluate(Network(model), images)
    assert loss[0] == pytest.approx(
        nn.functional.cross_entropy(logits, images.labels).item(), rel=1e-5
    )
    assert accuracy[0] == pytest.approx((logits.argmax(1) == images.labels).float().mean().item())


def test_the_optimiser_is_given_the_schedule_and_the_decay(patterns):
    """Without gradient a step only decays: each weight shrinks by learning rate x decay."""
    weight = nn.Linear(4, 3)
    features = Images(torch.zeros(20, 4), torch.arange(20) % 3)
    before = weight.weight.detach().clone()
    training = Training(Network(weight), features, torch.arange(20)[None], SCHEDULE, [0])
    expected = 1.0
    for epoch in range(3):
        training.epoch()
        for step in (2 * epoch, 2 * epoch + 1):
            expected *= 1 - 1e-2 * SCHEDULE.factor(step, 6) * 0.1
    torch.testing.assert_close(weight.weight, before * expected)


def test_every_epoch_and_seed_has_its_own_order():
    orders = {tuple(order_of(seed, epoch, 30).tolist()) for seed in range(3) for epoch in range(3)}
    assert len(orders) == 9
    assert all(sorted(order) == list(range(30)) for order in orders)


def test_evaluation_is_without_dropout_and_training_with(patterns):
    base = vision_transformer(replace(SIZES, dropout=0.3), (1, 28, 28), 3, seed=0)
    models = [ClassTokenViT(with_lora(copy.deepcopy(base), 2, 4.0, ("query",), s)) for s in (0, 1)]
    images = normalised(patterns.test, patterns, CPU)
    for network in (Network(models[0]), Together(models)):
        first, again = evaluate(network, images), evaluate(network, images)
        assert (first[0] == again[0]).all()
        network.train(True)
        taken = images.take(slice(0, 8))
        drawn = [network.logits(taken, True) for _ in range(2)]
        assert not torch.equal(*drawn)
    masks = drawn[0]
    assert not torch.allclose(masks[0] - masks[0].mean(), masks[1] - masks[1].mean())


def test_an_infinite_logit_of_a_wrong_class_is_a_divergence():
    """The loss does not show it: the class is simply never named."""
    features = Images(torch.ones(20, 1), torch.arange(20) % 2)
    models = [nn.Linear(1, 3) for _ in range(2)]
    with torch.no_grad():
        models[1].weight[2], models[1].bias[2] = -3e38, -3e38
        assert torch.isinf(models[1](features.values)).any()
        loss = nn.functional.cross_entropy(models[1](features.values), features.labels)
    assert torch.isfinite(loss)
    still = dataclasses.replace(SCHEDULE, learning_rate=1e-30)
    for network in (Together(models), Network(models[1])):
        chosen = torch.arange(20).expand(network.size, 20)
        losses = Training(network, features, chosen, still, range(network.size)).epoch()
        assert network.finite().all()
        for found in (losses.numpy(), *evaluate(network, features)):
            assert np.isfinite(found).tolist() == [True, False][-network.size :]


def test_weights_that_are_not_finite_are_a_divergence():
    """Also where nothing reads them: the image is zero at their place."""
    features = Images(torch.zeros(20, 2), torch.arange(20) % 2)
    models = [nn.Linear(2, 2) for _ in range(2)]
    network = Together(models)
    training = Training(network, features, torch.arange(20).expand(2, 20), SCHEDULE, (0, 1))
    learn = training.optimiser.step

    def spoiling():
        learn()
        with torch.no_grad():
            network.parameters()[0][1, 0, 0] = torch.inf

    training.optimiser.step = spoiling
    assert training.epoch().isfinite().tolist() == [True, False]
    assert network.finite().tolist() == [True, False]


def test_biases_norms_class_token_and_positions_do_not_decay(patterns):
    """Without gradient a step only decays: what moves has weight decay, and nothing else has."""
    whole = ClassTokenViT(vision_transformer(SIZES, (1, 28, 28), 3, seed=0))
    for network in (Network(whole), Together([whole, copy.deepcopy(whole)])):
        learning = network.learning()
        before = {name: parameter.detach().clone() for name, parameter in learning.items()}
        chosen = torch.arange(300).expand(network.size, 300)
        images = normalised(patterns.train, patterns, CPU)
        training = Training(network, images, chosen, SCHEDULE, range(network.size))
        for parameter in learning.values():
            parameter.grad = torch.zeros_like(parameter)
        training.optimiser.step()
        moved = {name for name, parameter in learning.items() if not parameter.equal(before[name])}
        linear = {n for n, p in whole.named_parameters() if n.endswith("weight") and p.ndim > 1}
        assert moved == linear
        assert {name.rpartition(".")[2] for name in learning.keys() - moved} >= {
            "bias", "weight", "cls_token", "position_embeddings"
        }  # fmt: skip


def test_a_clipped_gradient_has_that_norm_for_each_model_alone():
    models = [nn.Linear(4, 3) for _ in range(2)]
    for network in (Together(models), Network(models[0])):
        for place, parameter in enumerate(network.parameters()):
            parameter.grad = torch.full_like(parameter, 1.0 + place)
            if network.size == 2:
                parameter.grad[1] *= 1e-3  # short enough already
        before = [parameter.grad.clone() for parameter in network.parameters()]
        network.clip(0.5)
        after = [network.slices(parameter.grad) for parameter in network.parameters()]
        assert sum(float(g[0].square().sum()) for g in after) == pytest.approx(0.25)
        ratios = {round(float((a[0] / network.slices(b)[0]).mean()), 6)
                  for a, b in zip(after, before, strict=True)}  # fmt: skip
        assert len(ratios) == 1  # the direction stays
        if network.size == 2:
            assert all(a[1].equal(b[1]) for a, b in zip(after, before, strict=True))


def test_plain_sgd_is_the_gradient_times_a_constant_rate():
    one = nn.Linear(2, 2)
    features = Images(torch.eye(2).repeat(5, 1), torch.arange(10) % 2)
    plain = dataclasses.replace(SCHEDULE, optimiser="sgd", batch=10)
    training = Training(Network(one), features, torch.arange(10)[None], plain, [0])
    for _ in range(3):
        own = copy.deepcopy(one)
        nn.functional.cross_entropy(own(features.values), features.labels).backward()
        training.epoch()
        expected = own.weight.detach() - plain.learning_rate * own.weight.grad
        torch.testing.assert_close(one.weight.detach(), expected)


def test_training_flips_and_crops_as_asked_and_evaluation_never(patterns, monkeypatch):
    images = normalised(patterns.train, patterns, CPU)
    seen = []

    class Spy(nn.Module):
        def __init__(self):
            super().__init__()
            self.one = nn.Linear(28 * 28, 3)

        def forward(self, taken):
            seen.append(taken.detach().clone())
            return self.one(taken.flatten(-3))

    for options in ({}, {"flips": True}, {"crops": 2}):
        seen.clear()
        schedule = dataclasses.replace(SCHEDULE, **options)
        training = Training(Network(Spy()), images, torch.arange(300)[None], schedule, [0])
        training.epoch()
        index = order_of(0, 0, 300)
        taken = images.take(index)
        found = torch.cat(seen)
        same = (found == taken).flatten(1).all(1)
        if not options:
            assert same.all()
        if "flips" in options:
            turned = (found == taken.flip(-1)).flatten(1).all(1)
            assert (same | turned).all()
            assert 100 < int(turned.sum()) < 200
        if "crops" in options:
            shifts = torch.nn.functional.pad(taken, (2,) * 4)
            windows = shifts.unfold(2, 28, 1).unfold(3, 28, 1)[:, 0]  # (image, top, left, ...)
            fits = (windows == found[:, 0, None, None]).flatten(3).all(3)
            assert fits.any(2).any(1).all()
            assert fits.float().mean(0).min() > 0.01  # every corner is drawn
        seen.clear()
        evaluate(Network(Spy()), images)
        assert torch.cat(seen).equal(images.take(slice(None)))
