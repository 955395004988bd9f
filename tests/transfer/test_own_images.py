"""A task on one's own images from end to end."""

import json

import pytest

from derive.errors import InputError
from transfer.experiment.plan import Place, chains_of, datasets_of
from transfer.experiment.run import compute_cell
from transfer.experiment.task import read_task

TASK = """
[source]
folder = "flowers"
size = 28
colours = "grey"
images = 6
[downstream]
folder = "flowers"
size = 28
colours = "grey"
unreadable = "skip"
shots = 2
[model]
patch = 14
width = 8
depth = 1
heads = 2
[pretraining]
epochs = 1
checkpoints = [0, 1]
batch = 4
learning_rate = 1e-3
seeds = 1
[adaptation]
epochs = 1
measured = [1]
batch = 4
learning_rate = 1e-3
seeds = 1
head = "kept"
"""


@pytest.fixture
def task(flowers):
    path = flowers.parent / "own.toml"
    path.write_text(TASK, encoding="utf-8")
    return path


def test_own_images_are_run_and_what_is_skipped_is_told(task, process, flowers):
    (flowers / "test" / "kind 10" / "9.png").write_text("no image")
    run = process("transfer", "run", str(task), "--data-dir", str(flowers.parent))
    assert "test/kind 10/9.png cannot be read" in run.stderr  # the source does not skip it
    text = TASK.replace("images = 6", 'images = 6\nunreadable = "skip"')
    task.write_text(text, encoding="utf-8")
    run = process("transfer", "run", str(task), "--data-dir", str(flowers.parent))
    assert run.returncode == 0, run.stderr
    assert run.stderr.count(f"skipped, no image: {flowers}/test/kind 10/9.png\n") == 1
    options = ("report", str(task), "--data-dir", str(flowers.parent), "--format", "json")
    report = json.loads(process("transfer", *options).stdout)
    facts = report["data"]["downstream"]
    assert (facts["training"], facts["test"]) == (9, 6)
    assert facts["skipped"] == ["test/kind 10/9.png"]


def test_a_folder_is_another_cell_if_its_images_are_others(task, flowers, tmp_path):
    place = Place(tmp_path / "results", flowers.parent)
    (chain,) = chains_of(read_task(str(task)), place)
    (_, cell), *_ = chain.adaptations
    assert cell["downstream"]["folder"] == "flowers"
    assert str(flowers.parent) not in json.dumps(cell)  # it can be moved
    strange = {**cell, "downstream": {**cell["downstream"], "digest": "0"}}
    with pytest.raises(InputError, match=r"flowers in .* holds other images here"):
        compute_cell(strange, place)


def test_the_classes_of_folders_are_held_to_the_task(task, flowers):
    task.write_text(TASK.replace("images = 6", "images = 7"), encoding="utf-8")
    with pytest.raises(InputError, match=r"images = 7 for 3 classes: give a multiple"):
        datasets_of(read_task(str(task)), Place(flowers.parent, flowers.parent))
    text = TASK.replace('[downstream]\nfolder = "flowers"', '[downstream]\nfolder = "flowers/more"')
    task.write_text(text, encoding="utf-8")
    for split in ("train", "test"):
        for name in ("kind 1", "kind 2"):
            (flowers / "more" / split / name).mkdir(parents=True)
            source = flowers / split / name / "0.png"
            (flowers / "more" / split / name / "0.png").write_bytes(source.read_bytes())
    with pytest.raises(InputError, match="keeps the head, but there are 3 source and 2"):
        datasets_of(read_task(str(task)), Place(flowers.parent, flowers.parent))
