"""Checkpoints of one's own from end to end: the series, every arm, taken up again, reported."""

import csv
import json
import time

import numpy as np
import pytest
import torch
from own_models import LABELS, SIDE, own_model, saved
from processes import besides_progress

from derive.errors import InputError
from numerics.sweep.store import cell_path, read_cell
from transfer.experiment.plan import Place, chains_of, forms_of
from transfer.experiment.results import results_of
from transfer.experiment.run import run_experiment
from transfer.experiment.task import read_task
from transfer.images.folder import Folder, load_folder

TASK = """
[source]
folder = "flowers"
[downstream]
folder = "flowers"
shots = 2
[checkpoints]
folders = "runs/seed-*/checkpoint-*"
[adaptation]
epochs = 2
measured = [1, 2]
batch = 4
learning_rate = 1e-3
rank = 2
seeds = 1
[arms.all]
targets = "all-linear"
[arms.probe]
method = "probe"
[arms.full]
method = "full"
head = "kept"
"""


@pytest.fixture
def task(flowers, monkeypatch):
    monkeypatch.chdir(flowers.parent)
    path = flowers.parent / "own.toml"
    path.write_text(TASK, encoding="utf-8")
    return path


def series(folder, name="vit", seeds=2, steps=(2, 4)):
    for seed in range(seeds):
        for step in steps:
            saved(folder / f"runs/seed-{seed}/checkpoint-{step}", name, seed=10 * seed + step)


def computed(task, place):
    chains = chains_of(read_task(str(task)), place)
    run_experiment(chains, place)
    return chains


def test_it_is_run_reported_and_drawn(task, tmp_path, process):
    series(tmp_path)
    ran = process("transfer", "run", "own.toml")
    assert (ran.returncode, besides_progress(ran.stderr)) == (0, "")
    assert len([*tmp_path.rglob("*.npz")]) == 2 * (1 + 2 * 4)
    shown = process("transfer", "report", "own.toml", "--plot", "curves.svg")
    assert shown.returncode == 0, shown.stderr
    assert "step 4" in shown.stdout
    assert "from step 2 to step 4" in shown.stdout
    assert "epoch 4" not in shown.stdout
    assert (tmp_path / "curves.svg").stat().st_size > 10_000
    _, *data = (tmp_path / "curves.csv").read_text().splitlines()
    told = [list(row.values()) for row in csv.DictReader(data)]
    for name in ("source_loss", "source_accuracy"):  # means of the runs, at steps 2 and 4
        assert sum(name in row for row in told) == 2


@pytest.mark.parametrize(("channels", "colours"), [(3, "rgb"), (1, "grey")])
def test_images_have_the_colours_of_the_checkpoints(task, tmp_path, channels, colours):
    series(tmp_path, seeds=1, steps=(2,))
    folder = tmp_path / "runs/seed-0/checkpoint-2"
    for name, changes in (
        ("config.json", {"num_channels": channels}),
        ("preprocessor_config.json", {"image_mean": [0.5] * channels, "image_std": [1] * channels}),
    ):
        content = json.loads((folder / name).read_text())
        (folder / name).write_text(json.dumps(content | changes))
    assert read_task(str(task)).source.colours == colours


@pytest.mark.parametrize(
    ("said", "made"),
    [("", ("crop", 20)), ('fit = "crop"', ("crop", 20)), ('fit = "pad"', ("pad", 0)),
     ('fit = "stretch"', ("stretch", 0)), ('fit = "stretch"\nshorter = 30', ("stretch", 30))],
)  # fmt: skip
def test_another_fit_than_that_of_the_checkpoints_is_told_whole(task, tmp_path, said, made):
    """What their shorter side becomes is of their fit alone."""
    series(tmp_path, seeds=1, steps=(2,))
    path = tmp_path / "runs/seed-0/checkpoint-2/preprocessor_config.json"
    cut = {"size": {"shortest_edge": 20}, "do_center_crop": True, "crop_size": SIDE}
    path.write_text(json.dumps(json.loads(path.read_text()) | cut))
    task.write_text(TASK.replace('"flowers"', f'"flowers"\n{said}'))
    read = read_task(str(task)).source
    assert (read.size, read.fit, read.shorter) == (SIDE, *made)


def test_a_cell_that_is_lost_is_computed_again_to_the_same_bits(task, tmp_path):
    series(tmp_path, seeds=1)
    place = Place(tmp_path / "results")
    (chain,) = computed(task, place)
    versions = {(cell["kind"], cell["version"]) for _, cell in chain.parts}
    assert versions == {("series", 1), ("adaptation", 4)}  # those of results there are
    kept = {}
    for _, cell in chain.parts:
        kept[cell_path(place.cells, cell)] = read_cell(place.cells, cell, forms_of(cell))
        cell_path(place.cells, cell).unlink()
    computed(task, place)
    for _, cell in chain.parts:
        again = read_cell(place.cells, cell, forms_of(cell))
        for name, values in kept[cell_path(place.cells, cell)].items():
            if name not in ("seconds", "provenance"):
                assert values.tobytes() == again[name].tobytes(), name


@pytest.mark.thorough
def test_killed_at_a_random_moment_it_goes_on_to_the_same_bits(task, tmp_path, started, process):
    series(tmp_path, seeds=1)
    more = '[arms.optimum]\nmethod = "optimum"\n[arms.sgd]\nhead = "optimum"\noptimiser = "sgd"\n'
    task.write_text(TASK.replace("epochs = 2", "epochs = 60") + more)
    place = Place(tmp_path / "whole")
    (chain,) = computed(task, place)
    options = ("run", str(task), "--results", "parts", "--keep-adapters")
    running = started("transfer", *options, "--workers", "1")
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and running.returncode is None:
        if [*tmp_path.glob("parts/cells/*.npz")]:
            break
        time.sleep(0.002)
    time.sleep(np.random.default_rng().uniform(0, 0.2))
    assert running.returncode is None
    running.end()
    parts = Place(tmp_path / "parts")
    before = len([*parts.cells.glob("*.npz")])
    assert process("transfer", *options).returncode == 0
    assert 0 < before < len([*parts.cells.glob("*.npz")]) == 1 + 2 * 6
    for _, cell in chain.parts:
        one, other = (read_cell(at.cells, cell, forms_of(cell)) for at in (place, parts))
        for name in set(one) - {"seconds", "provenance"}:
            assert one[name].tobytes() == other[name].tobytes(), name
    kept = [*tmp_path.glob("parts/adapters/*.safetensors")]
    assert len(kept) == 2 * 3  # of LoRA, of all linear maps, and from the optimum
    assert not list(tmp_path.rglob("*.part"))


def test_a_later_checkpoint_leaves_the_cells_of_the_earlier_ones(task, tmp_path):
    series(tmp_path, seeds=1)
    place = Place(tmp_path / "results")
    (before,) = chains_of(read_task(str(task)), place)
    series(tmp_path, seeds=1, steps=(8,))
    (after,) = chains_of(read_task(str(task)), place)
    assert all(part in after.adaptations for part in before.adaptations)
    assert len(after.adaptations) == 3 * 4
    assert after.pretraining != before.pretraining
    # The same weights under another step are other cells, for a report tells steps apart.
    assert len({json.dumps(cell, sort_keys=True) for _, cell in after.adaptations}) == 12


def test_a_single_model_stands_for_a_series(task, tmp_path):
    saved(tmp_path / "mine", "deit-teacher")
    text = TASK.replace("[checkpoints]\nfolders", "[model]\npretrained")
    task.write_text(text.replace("runs/seed-*/checkpoint-*", "mine"), encoding="utf-8")
    place = Place(tmp_path / "results")
    computed(task, place)
    found = results_of(read_task(str(task)), place)
    assert found.finished.all()
    assert found.sizes["checkpoint"] == found.sizes["pretraining_seed"] == 1


def test_a_run_of_a_trainer_is_a_series(task, flowers, tmp_path):
    from transformers import Trainer, TrainingArguments

    images = load_folder(Folder(folder=str(flowers), size=SIDE))
    examples = [
        {"pixel_values": torch.from_numpy(pixels).float() / 255, "labels": int(label)}
        for pixels, label in zip(images.train.images, images.train.labels, strict=True)
    ]
    arguments = TrainingArguments(
        str(tmp_path / "runs" / "seed-0"), max_steps=12, save_steps=4, report_to=[], use_cpu=True,
        per_device_train_batch_size=2, disable_tqdm=True, logging_strategy="no",
    )  # fmt: skip
    Trainer(own_model("vit"), arguments, train_dataset=examples).train()
    stated = TASK.replace('*/checkpoint-*"', '*/checkpoint-*"\nmean = [0.0]\ndeviation = [1.0]')
    task.write_text(stated.replace('"flowers"', f'"flowers"\nsize = {SIDE}'), encoding="utf-8")
    found = read_task(str(task))
    assert found.pretraining.checkpoints == (4, 8, 12)
    assert len(chains_of(found, Place(tmp_path))[0].adaptations) == 3 * 4


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[adaptation]", "[model]\npreset = 'tiny'\n[adaptation]", "has .checkpoints. and .model."),
        ("[adaptation]", "[pretraining]\n[adaptation]", "has .pretraining. and .checkpoints."),
        ("shots = 2", "shots = 2\nsize = 28", r"choose datasets of one shape"),
        ('"flowers"', '"flowers"\nsize = 28', r"the checkpoints take \(3, 16, 16\)"),
        ('[downstream]', 'images = 3\n[downstream]', "nothing is trained on the source"),
        ("folders =", "folder =", "did you mean 'folders'"),
        ('rank = 2', 'targets = "all"', r"'all-linear'"),
        ("checkpoint-*", "checkpoint-2*", "no folder is called"),
    ],
)  # fmt: skip
def test_what_does_not_go_together_is_said_in_one_line(task, tmp_path, old, new, message):
    series(tmp_path, seeds=1, steps=(4,))
    task.write_text(TASK.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError, match=message) as error:
        read_task(str(task))
    assert len(str(error.value)) < 300


def test_the_source_has_the_classes_of_the_checkpoints(task, flowers, tmp_path):
    series(tmp_path, seeds=1, steps=(2,))
    for split in ("train", "test"):
        (flowers / split / "more").mkdir()
        (flowers / split / "more" / "0.png").write_bytes(
            (flowers / split / "kind 1" / "0.png").read_bytes()
        )
    with pytest.raises(InputError, match=f"tell {LABELS} classes apart, the source has 4"):
        chains_of(read_task(str(task)), Place(tmp_path))


def test_a_checkpoint_that_changes_while_it_is_run_is_refused(task, tmp_path):
    series(tmp_path, seeds=1, steps=(2,))
    place = Place(tmp_path / "results")
    chains = chains_of(read_task(str(task)), place)
    from transfer.experiment.series import digest_of_weights

    saved(tmp_path / "runs/seed-0/checkpoint-2", "vit", seed=77)
    digest_of_weights.cache_clear()
    with pytest.raises(InputError, match="holds another model here"):
        run_experiment(chains, place)
