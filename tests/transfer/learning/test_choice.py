"""Scores of a checkpoint: of every architecture, and each part's from its own images alone."""

import numpy as np
import pytest
import torch
from own_models import ARCHITECTURES, LABELS, SIDE, own_model

from transfer.images.subsets import disjoint_parts
from transfer.learning.choice import SCORES, scores_of
from transfer.learning.head import features_of, fit_head
from transfer.learning.own import classifier_of
from transfer.learning.scores import leep
from transfer.learning.training import Images


def images_of(seed=0, count=72, kinds=4):
    stream = np.random.default_rng(seed)
    labels = np.arange(count) % kinds
    pixels = stream.normal(size=(count, 3, SIDE, SIDE)).astype(np.float32)
    return Images(torch.from_numpy(pixels), torch.from_numpy(labels)), labels


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_architecture_is_scored_by_its_features_and_its_own_head(name):
    images, labels = images_of()
    parts = disjoint_parts(labels, 3, 3, seed=1)
    model = own_model(name)
    found = scores_of(classifier_of(model), images, parts, 4)
    assert found.keys() == set(SCORES)
    part, learner = parts[1], classifier_of(model)
    shots, held = (
        features_of(learner, images, torch.from_numpy(each)).double().numpy()
        for each in (part.shots, part.held_out)
    )
    head = fit_head(shots, labels[part.shots], 4)
    assert found["loss"][1] == pytest.approx(head.loss, abs=1e-4)
    assert found["accuracy"][1] == pytest.approx(
        head.evaluate(held, labels[part.held_out])[1], abs=1e-9
    )
    both = np.r_[part.shots, part.held_out]
    with torch.no_grad():
        chances = model(pixel_values=images.values[both]).logits.double().softmax(-1).numpy()
    assert chances.shape[1] == LABELS
    assert found["leep"][1] == pytest.approx(leep(chances, labels[both], 4), abs=1e-5)


def test_a_part_is_scored_by_its_own_images_alone():
    images, labels = images_of()
    parts = disjoint_parts(labels, 3, 3, seed=1)
    learner = classifier_of(own_model("vit"))
    before = scores_of(learner, images, parts, 4)
    rest = np.setdiff1d(np.arange(72), np.r_[parts[0].shots, parts[0].held_out])
    images.values[rest] = images.values[rest].flip(0)
    after = scores_of(learner, images, parts, 4)
    for name in SCORES:
        assert after[name][0] == pytest.approx(before[name][0], abs=1e-5)
        assert after[name][1] != pytest.approx(before[name][1], abs=1e-5) or name == "accuracy"


def test_a_model_that_has_diverged_has_no_scores():
    images, labels = images_of()
    model = own_model("vit")
    with torch.no_grad():
        model.vit.layernorm.weight.fill_(torch.nan)
    found = scores_of(classifier_of(model), images, disjoint_parts(labels, 3, 3, 0), 4)
    assert all(np.isnan(values).all() for values in found.values())
