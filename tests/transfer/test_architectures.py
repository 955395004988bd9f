"""Every architecture from a saved checkpoint to an adapter that peft reads, by the commands."""

import json

import numpy as np
import pytest
import torch
from own_models import ARCHITECTURES, PROCESSOR, SIDE, own_model, saved
from peft import PeftModel
from transformers import AutoModelForImageClassification

from numerics.sweep.store import read_cell
from transfer.__main__ import main
from transfer.experiment.plan import Place, chains_of, datasets_of, forms_of
from transfer.experiment.task import read_task
from transfer.images.subsets import nested_seed
from transfer.learning.adapt import adapted_model, adapter_path, checkpoint_of
from transfer.learning.checkpoint import identity_of, read_adapter

pytestmark = pytest.mark.filterwarnings("ignore:.*gradient_checkpointing:FutureWarning")  # of peft

TASK = """
[source]
folder = "colours"
[downstream]
folder = "colours"
shots = 2
[checkpoints]
folders = "runs/seed-*/checkpoint-*"
[adaptation]
epochs = 2
measured = [1, 2]
batch = 4
learning_rate = 1e-2
rank = 2
seeds = 1
TARGETS
[arms.all]
targets = "all-linear"
rank = 1
[arms.probe]
method = "probe"
[arms.optimum]
method = "optimum"
[arms.full]
method = "full"
head = "kept"
"""
STEPS = (2, 4)
# One with the fast way, one with two heads, one without a class token; the others cost as much.
ALWAYS = ("vit", "deit-teacher", "swin")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder of images of three colours, in which the commands run."""
    from PIL import Image

    stream = np.random.default_rng(0)
    for split, count in (("train", 6), ("test", 2)):
        for label, kind in enumerate(("red", "white", "yellow")):
            folder = tmp_path / "colours" / split / kind
            folder.mkdir(parents=True)
            for number in range(count):
                pixels = stream.integers(0, 200, (SIDE, SIDE, 3), np.uint8)
                pixels[..., label] += 40
                Image.fromarray(pixels).save(folder / f"{number}.png")
    monkeypatch.chdir(tmp_path)
    return Place(tmp_path / "results", adapters=True)


def told(capsys, verb, *options):
    capsys.readouterr()
    assert main([verb, "own.toml", "--results", "results", *options, "--format", "json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    "name",
    [each if each in ALWAYS else pytest.param(each, marks=pytest.mark.thorough)
     for each in ARCHITECTURES],
)  # fmt: skip
def test_from_a_checkpoint_to_an_adapter_that_comes_back(name, place, tmp_path, capsys):
    layers, linear = ARCHITECTURES[name][3:]
    for step in STEPS:
        saved(tmp_path / f"runs/seed-0/checkpoint-{step}", name, seed=step)
    targets = "" if layers else 'targets = "all-linear"'
    (tmp_path / "own.toml").write_text(TASK.replace("TARGETS", targets), encoding="utf-8")
    task = read_task("own.toml")

    parts = {part["part"]: part for part in told(capsys, "check")["parts"]}
    assert (parts["LoRA"]["matrices"], parts["all"]["matrices"]) == (2 * layers or linear, linear)
    ranked = told(capsys, "choose", "--draws", "3", "--workers", "1")["checkpoints"]
    assert [each["step"] for each in ranked] == [*STEPS]
    assert all(0 <= each["accuracy"] <= 1 and each["loss"] > 0 for each in ranked)
    told(capsys, "run", "--keep-adapters", "--workers", "1")
    (chain,) = chains_of(task, place)
    its_source_accuracy_is_that_of_the_model(name, task, place, chain.pretraining)
    every_arm_has_learnt(chain, place)
    told(capsys, "export", "--to", "out")
    adapters_come_back(task, chain, place, tmp_path)


def its_source_accuracy_is_that_of_the_model(name, task, place, cell):
    found = read_cell(place.cells, cell, forms_of(cell))
    images, _ = datasets_of(task, place)
    pixels = torch.from_numpy(images.test.images).float()
    mean, deviation = (
        255 * torch.tensor(PROCESSOR[part])[:, None, None] for part in ("image_mean", "image_std")
    )
    labels = torch.from_numpy(images.test.labels)
    for at, step in enumerate(STEPS):
        logits = own_model(name, seed=step)(pixel_values=(pixels - mean) / deviation).logits
        loss = torch.nn.functional.cross_entropy(logits, labels).item()
        assert found["test_loss"][at] == pytest.approx(loss, rel=1e-5)
        hits = (logits.argmax(-1) == labels).float().mean().item()
        assert found["test_accuracy"][at] == pytest.approx(hits)


def every_arm_has_learnt(chain, place):
    for arm, cell in chain.adaptations:
        learnt = read_cell(place.cells, cell, forms_of(cell))
        assert np.isfinite(learnt["train_loss"]).all(), arm
        assert np.isfinite(learnt["left"]).all() == (arm in ("LoRA", "all"))


def adapters_come_back(task, chain, place, tmp_path):
    source, downstream = datasets_of(task, place)
    images = torch.from_numpy(downstream.test.images).float() / 255
    kept = [part for part in chain.adaptations if part[0] in ("LoRA", "all")]
    for arm, cell in kept:
        base = checkpoint_of(cell, source, place.here)
        model = adapted_model(cell, base, downstream.classes, nested_seed(0, 0))
        path = adapter_path(place.results / "adapters", cell, 0)
        read_adapter(model, path, identity_of(base))
        folder = tmp_path / f"out/{arm.lower()}/seed-0/step-{cell['checkpoint']}/fine-tuning-0"
        facts = json.loads((folder / "facts.json").read_text())
        plain = AutoModelForImageClassification.from_pretrained(
            facts["put on"], num_labels=facts["classes"], ignore_mismatched_sizes=True
        )
        back = PeftModel.from_pretrained(plain, folder).eval()
        assert back(pixel_values=images).logits.equal(model.eval()(pixel_values=images).logits)
    assert len([*(tmp_path / "out").rglob("adapter_model.safetensors")]) == len(kept)
