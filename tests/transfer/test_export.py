"""What is exported comes back by transformers and peft alone, with equal logits."""

import json

import numpy as np
import pytest
import torch
from peft import PeftModel
from transformers import AutoImageProcessor, AutoModelForImageClassification

from transfer.__main__ import main
from transfer.experiment.plan import Place, chains_of, datasets_of
from transfer.experiment.run import run_experiment
from transfer.experiment.task import read_task
from transfer.images.subsets import nested_seed
from transfer.learning.adapt import adapted_model, adapter_path, checkpoint_of
from transfer.learning.checkpoint import identity_of, read_adapter
from transfer.learning.training import normalised

pytestmark = pytest.mark.filterwarnings("ignore:.*gradient_checkpointing:FutureWarning")  # of peft


def run(path, tmp_path):
    place = Place(tmp_path / "results", adapters=True)
    task = read_task(str(path))
    chains = chains_of(task, place)
    run_experiment(chains, place)
    return task, chains, place


def kept(cell, place, task, seed):
    """The adapted model as this package builds and reads it."""
    source, downstream = datasets_of(task, place)
    base = checkpoint_of(cell, source, place.results / "checkpoints")
    model = adapted_model(cell, base, downstream.classes, nested_seed(cell["seed"], seed))
    read_adapter(model, adapter_path(place.results / "adapters", cell, seed), identity_of(base))
    return base.eval(), model.eval(), downstream


def came_back(folder, base, classes):
    model = AutoModelForImageClassification.from_pretrained(
        base, num_labels=classes, ignore_mismatched_sizes=True)  # fmt: skip
    return PeftModel.from_pretrained(model, folder).eval()


def test_checkpoints_and_adapters_come_back_with_equal_logits(small_task, tmp_path):
    task, chains, place = run(small_task, tmp_path)
    to = tmp_path / "out"
    assert main(["export", str(small_task), "--results", str(place.results), "--to", str(to)]) == 0
    source, _ = datasets_of(task, place)
    for chain in chains:
        for _, cell in [part for part in chain.adaptations if part[0] == "LoRA"]:
            for seed in cell["fine_tuning_seeds"]:
                base, model, downstream = kept(cell, place, task, seed)
                where = to / f"checkpoints/seed-{cell['seed']}/epoch-{cell['checkpoint']}"
                images = normalised(source.test, source, torch.device("cpu")).take(slice(5))
                plain = AutoModelForImageClassification.from_pretrained(where).eval()
                assert torch.equal(plain(images).logits, base(images).logits)
                name = f"lora/seed-{cell['seed']}/epoch-{cell['checkpoint']}/fine-tuning-{seed}"
                facts = json.loads((to / name / "facts.json").read_text())
                back = came_back(to / name, to / facts["put on"], facts["classes"])
                assert facts["classes"] == downstream.classes == 10
                assert torch.equal(back(images).logits, model(images).logits)
    folders = {path.parent for path in to.rglob("facts.json")}
    assert len(folders) == 2 * 3 + 2 * 3 * 2
    assert not [*to.rglob("*.bin")]
    the_images_are_made_as_it_says(to / "checkpoints/seed-1/epoch-4", source)


def the_images_are_made_as_it_says(folder, source):
    told = json.loads((folder / "preprocessor_config.json").read_text())
    pixels = source.test.images[:3].astype(float)
    ours = normalised(source.test, source, torch.device("cpu"))
    theirs = (pixels * told["rescale_factor"] - told["image_mean"][0]) / told["image_std"][0]
    np.testing.assert_allclose(ours.take(slice(3)).numpy(), theirs, atol=1e-5)
    assert told["size"] == {"height": 28, "width": 28}
    assert AutoImageProcessor.from_pretrained(folder, use_fast=False)


def test_nothing_is_written_over_and_nothing_is_told(small_task, tmp_path, capsys):
    options = ["export", str(small_task), "--results", str(tmp_path / "results"), "--to"]
    with pytest.raises(SystemExit):
        main([*options, str(tmp_path)])
    assert "is there already: give the name of a new folder" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([*options, str(tmp_path / "new")])
    assert "nothing to export is finished" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit):
        main([*options, str(tmp_path / "file" / "new")])
    assert "cannot be made (Not a directory)" in capsys.readouterr().err
