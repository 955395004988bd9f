"""Task files: what is shipped can be read; what is misspelt, missing or senseless is named."""

import dataclasses
import os

import msgspec
import pytest

from derive.errors import InputError
from transfer.experiment.task import (
    PRESETS,
    SCALES,
    Model,
    read_task,
    shipped_tasks,
)
from transfer.experiment.toml_tables import LARGEST_FILE
from transfer.images.data import DATASETS


@pytest.mark.parametrize("name", shipped_tasks())
@pytest.mark.parametrize("scale", [None, *SCALES])
def test_shipped_tasks_can_be_read_and_keep_to_the_protocol(name, scale):
    task = read_task(name, scale)
    assert next(iter(task.arms)) == "LoRA"
    assert task.pretraining.seeds >= 3
    assert all(arm.seeds >= 3 for arm in task.arms.values())
    assert task.pretraining.checkpoints[0] == 0, "the random initialisation is the baseline"
    assert task.pretraining.checkpoints[-1] == task.pretraining.epochs
    assert {arm.method for arm in task.arms.values()} == {"lora", "full", "probe", "optimum"}


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


MINIMAL = """
[source]
dataset = "mnist"

[downstream]
dataset = "fashion-mnist"
shots = 1

[pretraining]
epochs = 2
checkpoints = [0, 2]
batch = 3
learning_rate = 0.5
seeds = 1

[adaptation]
epochs = 1
measured = [1]
batch = 4
learning_rate = 0.25
seeds = 5
"""


def test_what_a_task_does_not_say_is_what_the_pages_say(tmp_path):
    """The documented defaults, each by its value: whoever changes one changes all results."""
    path = tmp_path / "minimal.toml"
    path.write_text(MINIMAL)
    assert msgspec.to_builtins(read_task(str(path))) == {
        "name": "minimal",
        "title": "minimal",
        "source": {"dataset": "mnist", "images": "all"},
        "downstream": {"dataset": "fashion-mnist", "shots": 1, "rotation": 0.0, "noise": 0.0},
        "model": {"patch": 7, "width": 64, "depth": 2, "heads": 4, "dropout": 0.0},
        "pretraining": {
            "epochs": 2, "checkpoints": (0, 2), "batch": 3, "learning_rate": 0.5, "seeds": 1,
            "weight_decay": 0.05, "warmup": 0.05, "validation": 0.1,
            "clip": 0.0, "flips": False, "crops": 0,
        },
        "arms": {
            "LoRA": {
                "epochs": 1, "measured": (1,), "batch": 4, "learning_rate": 0.25, "seeds": 5,
                "method": "lora", "rank": 4, "alpha": 8.0, "targets": ("query", "value"),
                "head": "new", "weight_decay": 0.01, "warmup": 0.1, "optimiser": "adamw",
                "clip": 0.0, "flips": False, "crops": 0,
            },
        },
    }  # fmt: skip


def test_the_model_of_the_paper(tmp_path):
    path = tmp_path / "paper.toml"
    path.write_text(MINIMAL + '[model]\npreset = "paper"\n')
    assert PRESETS.keys() == {"tiny", "paper"}
    assert read_task(str(path)).model == Model(patch=4, width=128, depth=6, heads=4, dropout=0.1)


MANY = (  # fine-tunings: 100 x checkpoints x 100
    MINIMAL.replace("epochs = 2", "epochs = 99")
    .replace("[0, 2]", "%s")
    .replace("seeds = 1", "seeds = 100")
    .replace("seeds = 5", "seeds = 100")
)
ARMS = "\n".join(f"[arms.a{k}]" for k in range(99))


@pytest.mark.parametrize(("text", "limit", "beyond"), [
    (MINIMAL.replace("batch = 4", "rank = %s\nbatch = 4"), 64, 65),  # the width
    (MINIMAL.replace('"mnist"', '"mnist"\nimages = %s'), 10, 9),  # the classes
    (MINIMAL.replace("[0, 2]", "[0, %s]"), 2, 3),
    (MINIMAL.replace("[1]", "[%s]"), 1, 2),
    ('title = "%s"' + MINIMAL, "x" * 200, "x" * 201),
    (MINIMAL + "[arms.%s]", "x" * 60, "x" * 61),
    (MINIMAL + "%s", ARMS, ARMS + "\n[arms.a99]"),
    (MANY, list(range(10)), list(range(11))),
])  # fmt: skip
def test_what_goes_together_does_so_up_to_its_limit(text, limit, beyond, tmp_path):
    path = tmp_path / "limit.toml"
    path.write_text(text % (limit,))
    assert read_task(str(path)).arms["LoRA"].batch == 4
    path.write_text(text % (beyond,))
    with pytest.raises(InputError):
        read_task(str(path))


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
    ("method", 'method = "prob"', "method = 'prob': give 'full' or 'lora' or 'optimum' or 'probe'"),
    ("title", 'titel = "x"', "unknown key 'titel' in the task: did you mean 'title'?"),
    ("width", "", "[model] has no width: add it, an integer from 1"),
    ("width", "width = 17", "the number of heads the width"),
    ("patch", "patch = 5", "the patch must divide the side of the images, 28"),
    ("checkpoints", "checkpoints = [0, 9]", "increasing epochs up to 4"),
    ("checkpoints", "checkpoints = [4, 1]", "increasing epochs up to 4"),
    ("measured", "measured = [1, 1]", "increasing epochs up to 2"),
    ("measured", "measured = []", "[adaptation] measured = []: give a list of 1 to 100"),
    ("method", 'method = "lora"\nhead = "kept"', "26 source and 10 downstream classes"),
    ("method", 'method = "lora"\nhead = "old"', "head = 'old': give 'kept' or 'new'"),
    ("images", "images = 5", "images = 5 for 26 classes: give a multiple"),
    ("images", "images = 100", "images = 100 for 26 classes: give a multiple"),
    ("images", 'images = "some"', "give an integer from 1 to 100,000,000, or 'all'"),
    ("rank", "rank = 17", "rank = 17, but the matrices are of width 16"),
    ("rank", 'method = "full"', "the main protocol is LoRA"),
    ("method", 'method = "probe"\nflips = true', "'linear probe'] has flips or crops"),
    ("method", 'method = "optimum"\ncrops = 2', "'linear probe'] has flips or crops"),
    ("method", 'method = "full"\nhead = "optimum"', "head = 'optimum' and method = 'full'"),
    ("rank", 'targets = []', "targets = []: give a list of 1 to 4, each 'key'"),
    ("rank", 'targets = ["key", "key"]', "targets = ['key', 'key']: name each once"),
    ("[arms", '[arms.LoRA]', "is the main protocol, or no table"),
    ("[arms", '[arms]\nx = 1\n[arms.y]', "is the main protocol, or no table"),
    ("[arms", '[[arms]]', "arms is no table"),
    ("[arms", '[arms.""]', "an arm is called '': give [arms.NAME] a name"),
    ("[arms", '[arms." "]', "an arm is called ' '"),
    ("[arms", '[arms."a\\nb"]', "an arm is called 'a\\nb'"),
    ("[arms", f'[arms.{"a" * 61}]', "a name of one line, up to 60 characters"),
    ("method", 'method = "lora"\ntargets = ["quary"]', "targets = ['quary']: give a list of"),
    ("title", 'title = ""', "title is '': give a text of one line, up to 200 characters"),
    ("title", 'title = "a\\nb"', "title is 'a\\nb'"),
    ("title", f'title = "{"x" * 201}"', "up to 200 characters"),
    ("patch", 'preset = ["tiny"]\npatch = 14', "preset = ['tiny']: choose from tiny, paper"),
    ("patch", 'preset = "huge"', "[model] preset = 'huge': choose from tiny, paper"),
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
    assert len(str(error.value)) < 300
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[source", "is no TOML file"),
        ("source = 3", r"no table \[source\]"),
        (MINIMAL.replace("[source]", "model = 3\n[source]", 1), "model is no table"),
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


def own_images(small_task, *lines, source="", downstream=""):
    """The small task with folders of one's own images; ``lines`` replace the sizes of them."""
    text = small_task.read_text(encoding="utf-8")
    fields = "\n".join(lines or ("size = 28", 'colours = "grey"'))
    for name, more in (("letters", source), ("mnist", downstream)):
        text = text.replace(f'\ndataset = "{name}"', f'\nfolder = "flowers"\n{fields}\n{more}')
    small_task.write_text(text, encoding="utf-8")
    return small_task


def test_a_folder_stands_for_a_dataset(small_task):
    task = read_task(str(own_images(small_task, downstream='test = 0.25\nunreadable = "skip"')))
    assert task.source.shape == task.downstream.shape == (1, 28, 28)
    assert (task.source.images, task.source.test, task.source.fit) == (260, "test", "crop")
    assert (task.downstream.shots, task.downstream.test) == (2, 0.25)
    assert (task.source.background, task.downstream.unreadable) == ("white", "skip")


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (['colours = "grey"'], r"\[source\] has no size: add it, an integer from 1 to 4,096"),
        (["size = 0"], r"\[source\] size = 0: give an integer from 1"),
        (["size = 28", 'fit = "cut"'], "'crop' or 'pad' or 'stretch'"),
        (["size = 28", "test = 1.0"], r"\[source\] test = 1.0: give a number above 0"),
        (["size = 28", 'dataset = "letters"'], r"\[source\] has a dataset and a folder: give one"),
        (["size = 28", "shift = 1"], r"unknown key 'shift' in \[source\]"),
        (["size = 30"], "the patch must divide the side of the images, 30"),
    ],
)
def test_what_a_folder_needs_is_said(small_task, lines, message):
    with pytest.raises(InputError, match=message) as error:
        read_task(str(own_images(small_task, *lines)))
    assert len(str(error.value)) < 300


def test_a_missing_task_lists_those_there_are():
    with pytest.raises(InputError, match="choose from cifar-10-to-svhn, demo"):
        read_task("no-such-task")


HOSTILE = [
    ("a = " + "[" * 20_000, "nested too deeply"),
    ("a = " + "{a=" * 20_000, "nested too deeply"),
    (".".join("a" * 60_000) + " = 1", "nested too deeply"),
    ("[" + ".".join("a" * 60_000) + "]", "nested too deeply"),
    ("a = {" + ".".join("a" * 60_000) + " = 1}", "nested too deeply"),
    ("a = " + "9" * 5_000, "gives a an integer of thousands of digits"),
    ("[b]\na.shots = [1, " + "9" * 5_000 + "]", "gives a.shots an integer of thousands"),
    ("a" * 50_000 + " = 1", "unknown key 'aaaa"),
    ("[" + "a" * 50_000 + "]\n[" + "a" * 50_000 + "]", "is no TOML file: Cannot declare"),
    ("a = '" + "x" * LARGEST_FILE + "'", "is larger than 128 KiB"),
    ("a = 1\na = 2", "is no TOML file: Cannot overwrite"),
]


@pytest.mark.parametrize(("text", "message"), HOSTILE, ids=[m for _, m in HOSTILE])
def test_hostile_files_are_one_short_line(tmp_path, text, message):
    (tmp_path / "task.toml").write_text(text)
    with pytest.raises(InputError) as error:
        read_task(str(tmp_path / "task.toml"))
    assert message in str(error.value)
    assert len(str(error.value)) < 300 + len(str(tmp_path))
    assert "\n" not in str(error.value)


LONG = "x" * 100_000
HUGE = "0x" + "f" * 5_000  # no decimal digits, so that Python's limit does not see it


@pytest.mark.parametrize(
    "value", [f'"{LONG}"', HUGE, "1e400", "[[[[1]]]]", "2020-01-01", "{a = 1}"]
)
@pytest.mark.parametrize("key", ["title", "dataset", "images", "preset", "width", "shots", "epochs",
                                 "checkpoints", "learning_rate", "method", "targets"])  # fmt: skip
def test_hostile_values_are_named_by_their_key_in_one_short_line(small_task, key, value):
    lines = small_task.read_text(encoding="utf-8").splitlines()
    homes = {"preset": "patch", "targets": "method"}
    place = next(k for k, old in enumerate(lines) if old.startswith(homes.get(key, key)))
    lines[place] = f"{key} = {value}"
    small_task.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(InputError) as error:
        read_task(str(small_task))
    assert key in str(error.value)
    assert len(str(error.value)) < 300
    assert "\n" not in str(error.value)


def test_only_regular_files_are_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in ("/dev/zero", "/dev/null", str(tmp_path / "pipe"), str(tmp_path)):
        with pytest.raises(InputError, match="is no regular file: give a TOML file"):
            read_task(path)


@pytest.mark.parametrize("name", ["no-such-task", "a\0b.toml", "x" * 100_000, "y/" * 3_000, ""])
def test_names_that_are_no_files_are_one_short_line(name):
    with pytest.raises(InputError) as error:
        read_task(name)
    assert len(str(error.value)) < 300


def test_a_byte_order_mark_is_passed_over(small_task):
    expected = read_task(str(small_task))
    small_task.write_text(small_task.read_text(encoding="utf-8"), encoding="utf-8-sig")
    assert read_task(str(small_task)) == expected


def test_other_encodings_are_told(small_task):
    small_task.write_text(small_task.read_text(encoding="utf-8"), encoding="utf-16")
    with pytest.raises(InputError, match="save it as UTF-8"):
        read_task(str(small_task))


def test_a_scale_has_a_model_of_its_own(small_task):
    """Sizes of the task beside the scale's preset would be a model that is neither."""
    assert read_task(str(small_task), "paper").model == PRESETS["paper"]


def test_what_fails_with_a_scale_alone_says_so(small_task):
    text = small_task.read_text(encoding="utf-8").replace("method =", "epochs = 2\nmethod =")
    small_task.write_text(text, encoding="utf-8")
    read_task(str(small_task))
    with pytest.raises(InputError, match=r"with scale paper: .* measured = .* epochs up to 2"):
        read_task(str(small_task), "paper")
    for scale in ("huge", "../demo", "x" * 100_000):
        with pytest.raises(InputError, match="is unknown: choose from paper") as error:
            read_task(str(small_task), scale)
        assert len(str(error.value)) < 300


def test_images_must_be_squares(small_task, monkeypatch):
    for name in ("letters", "mnist"):
        oblong = dataclasses.replace(DATASETS[name], shape=(1, 28, 14))
        monkeypatch.setitem(DATASETS, name, oblong)
    with pytest.raises(InputError, match="of square images"):
        read_task(str(small_task))


def test_a_task_without_end_is_refused(small_task):
    text = small_task.read_text(encoding="utf-8").replace("seeds = 2", "seeds = 100")
    small_task.write_text(text + "[arms.a]\n[arms.b]\n", encoding="utf-8")
    with pytest.raises(InputError, match="the task has 120,000 fine-tunings"):
        read_task(str(small_task))
    small_task.write_text(text, encoding="utf-8")
    assert len(read_task(str(small_task)).arms) == 2
