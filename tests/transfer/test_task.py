"""Task files: what is shipped can be read; what is misspelt, missing or senseless is named."""

import pytest

from derive.errors import InputError
from transfer.data import DATASETS
from transfer.task import SCALES, read_task, shipped_tasks


@pytest.mark.parametrize("name", shipped_tasks())
@pytest.mark.parametrize("scale", [None, *SCALES])
def test_shipped_tasks_can_be_read_and_keep_to_the_protocol(name, scale):
    task = read_task(name, scale)
    assert next(iter(task.arms)) == "LoRA"
    assert task.pretraining.seeds >= 3
    assert all(arm.seeds >= 3 for arm in task.arms.values())
    assert task.pretraining.checkpoints[0] == 0, "the random initialisation is the baseline"
    assert task.pretraining.checkpoints[-1] == task.pretraining.epochs
    assert {arm.method for arm in task.arms.values()} == {"lora", "full", "probe"}


def test_the_tasks_of_the_paper_are_shipped():
    pairs = {(t.source.dataset, t.downstream.dataset, t.downstream.noise > 0)
             for t in map(read_task, shipped_tasks())}  # fmt: skip
    assert pairs >= {
        ("emnist-letters", "fashion-mnist", False),
        ("cifar-10", "svhn", False),
        ("emnist-letters", "emnist-letters", True),
    }
    assert {name for pair in pairs for name in pair[:2]} == set(DATASETS)


def test_an_arm_differs_from_the_main_one_in_what_it_says(small_task):
    task = read_task(str(small_task))
    probe = task.arms["linear probe"]
    assert probe.method == "probe"
    assert probe.batch == task.arms["LoRA"].batch == 10


def test_an_arrow_may_stand_for_to():
    assert read_task("fashion-mnist→mnist") == read_task("fashion-mnist-to-mnist")


def test_a_scale_replaces_what_it_names_and_nothing_else():
    small, large = read_task("fashion-mnist-to-mnist"), read_task("fashion-mnist-to-mnist", "paper")
    assert large.source.images == "all"
    assert large.downstream == small.downstream
    assert large.arms.keys() == small.arms.keys()
    assert large.arms["LoRA rank 16"].rank == 16
    assert large.arms["LoRA rank 16"].epochs == 100


WRONG = [
    ("shots", 'shots = 2\nshot = 3', "unknown key 'shot' in [downstream]: did you mean 'shots'?"),
    ("width", 'widht = 16', "unknown key 'widht' in [model]: did you mean 'width'?"),
    ("method", 'methd = "probe"', "unknown key 'methd' in [arms.'linear probe']"),
    ("method", 'method = "prob"', "Invalid enum value 'prob'"),
    ("title", 'titel = "x"', "unknown key 'titel' in the task: did you mean 'title'?"),
    ("width", "", "missing required field `width`"),
    ("width", "width = 17", "the number of heads the width"),
    ("patch", "patch = 5", "the patch must divide the side of the images, 28"),
    ("patch", "patch = 0", "Expected `int` >= 1"),
    ("dropout", "dropout = 1.5", "Expected `float` < 1.0"),
    ("checkpoints", "checkpoints = [0, 9]", "increasing epochs up to 4"),
    ("checkpoints", "checkpoints = [4, 1]", "increasing epochs up to 4"),
    ("measured", "measured = []", "increasing epochs up to 2"),
    ("seeds", "seeds = 0", "Expected `int` >= 1"),
    ("shots", 'shots = "two"', "Expected `int`, got `str`"),
    ("title", "title = 3", "title is 3"),
    ("images", 'images = "some"', "Invalid enum value 'some'"),
    ("method", 'method = "lora"\nhead = "kept"', "26 source and 10 downstream classes"),
    ("images", "images = 5", "5 images for 26 classes"),
    ("learning_rate", "learning_rate = inf", "Expected `float` <"),
    ("learning_rate", "learning_rate = nan", "Expected `float`"),
    ("rank", 'method = "full"', "the main protocol is LoRA"),
    ("[arms", '[arms.LoRA]', "is the main protocol, or no table"),
    ("[arms", '[[arms]]', "arms is no table"),
    ("method", 'method = "lora"\ntargets = ["quary"]', "Invalid enum value 'quary'"),
]  # fmt: skip


@pytest.mark.parametrize(("key", "line", "message"), WRONG)
def test_what_is_wrong_is_named_in_one_line(small_task, key, line, message):
    lines = small_task.read_text(encoding="utf-8").splitlines()
    place = next(k for k, old in enumerate(lines) if old.startswith(key))
    lines[place] = line
    small_task.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(InputError) as error:
        read_task(str(small_task))
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[source", "is no TOML file"),
        ("source = 3", r"no table \[source\]"),
        ('[source]\ndataset = "letters"', r"no table \[downstream\]"),
    ],
)
def test_other_files_are_refused(tmp_path, text, message):
    (tmp_path / "task.toml").write_text(text)
    with pytest.raises(InputError, match=message):
        read_task(str(tmp_path / "task.toml"))


def test_datasets_must_be_known_and_of_one_shape(small_task):
    text = small_task.read_text(encoding="utf-8")
    for name, message in (("imagenet", "is unknown: choose from"), ("svhn", "of one shape")):
        small_task.write_text(text.replace('"mnist"', f'"{name}"'), encoding="utf-8")
        with pytest.raises(InputError, match=message):
            read_task(str(small_task))


def test_a_missing_task_lists_those_there_are():
    with pytest.raises(InputError, match="choose from cifar-10-to-svhn, demo"):
        read_task("no-such-task")
