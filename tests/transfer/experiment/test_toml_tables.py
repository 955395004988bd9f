"""Tables as records: every number up to its limits, other types refused by their key."""

import math
from datetime import date

import msgspec
import pytest

from derive.errors import InputError
from transfer.experiment.task import (
    Adaptation,
    Downstream,
    Model,
    Pretraining,
    Source,
)
from transfer.experiment.toml_tables import converted, read_tables

VALID = {
    Source: {"dataset": "mnist"},
    Downstream: {"dataset": "mnist", "shots": 2},
    Model: {"patch": 7, "width": 8, "depth": 1, "heads": 2},
    Pretraining: {"epochs": 3, "checkpoints": [0], "batch": 2, "learning_rate": 0.1, "seeds": 2},
    Adaptation: {"epochs": 3, "measured": [1], "batch": 2, "learning_rate": 0.1, "seeds": 2},
}

# The least and the largest value that is accepted of every field that is a number.
LIMITS = {
    Source: {"images": (1, 10**8)},
    Downstream: {"shots": (1, 10**6), "rotation": (0.0, 180.0), "noise": (0.0, 1.0)},
    Model: {"patch": (1, 1024), "width": (1, 16384), "depth": (1, 1024), "heads": (1, 1024),
            "dropout": (0.0, math.nextafter(1, 0))},
    Pretraining: {
        "epochs": (1, 10**5), "batch": (1, 10**6), "seeds": (1, 100),
        "learning_rate": (math.ulp(0), 1e9), "weight_decay": (0.0, 1e9),
        "warmup": (0.0, math.nextafter(1, 0)), "validation": (0.0, math.nextafter(1, 0)),
        "clip": (0.0, 1e9), "crops": (0, 1024),
    },
    Adaptation: {
        "epochs": (1, 10**5), "batch": (1, 10**6), "seeds": (1, 100), "rank": (1, 16384),
        "learning_rate": (math.ulp(0), 1e9), "alpha": (math.ulp(0), 1e9),
        "weight_decay": (0.0, 1e9), "warmup": (0.0, math.nextafter(1, 0)),
        "clip": (0.0, 1e9), "crops": (0, 1024),
    },
}  # fmt: skip

FIELDS = [(kind, field.name) for kind in VALID for field in msgspec.structs.fields(kind)]

NUMBERS = [(kind, name) for kind, names in LIMITS.items() for name in names]


def test_every_number_has_limits():
    others = {
        "dataset",
        "checkpoints",
        "measured",
        "method",
        "head",
        "targets",
        "optimiser",
        "flips",
    }
    assert set(NUMBERS) == {(kind, name) for kind, name in FIELDS if name not in others}


@pytest.mark.parametrize(("kind", "name"), NUMBERS)
def test_numbers_are_accepted_up_to_their_limits(kind, name):
    least, largest = LIMITS[kind][name]
    for value in (least, largest):
        assert getattr(converted({**VALID[kind], name: value}, kind, "[x]"), name) == value
    whole = isinstance(least, int)
    below = least - 1 if whole else math.nextafter(least, -1)
    above = largest + 1 if whole else math.nextafter(largest, math.inf)
    for value in (below if below or whole else 0.0, above):
        refused(kind, name, value)


@pytest.mark.parametrize(("name", "item"), [("checkpoints", (0, 10**5)), ("measured", (1, 10**5))])
def test_lists_of_epochs_are_accepted_up_to_their_limits(name, item):
    kind = Pretraining if name == "checkpoints" else Adaptation
    for values in ([item[0]], [item[1]], list(range(1, 101))):
        assert getattr(converted({**VALID[kind], name: values}, kind, "[x]"), name) == tuple(values)
    for values in ([], [item[0] - 1], [item[1] + 1], list(range(1, 102)), [[1]], [1.5]):
        refused(kind, name, values)


def refused(kind, name, value):
    with pytest.raises(InputError) as error:
        converted({**VALID[kind], name: value}, kind, "[x]")
    message = str(error.value)
    assert message.startswith(f"[x] {name} = ")
    assert ": give " in message
    assert len(message) < 300
    assert "\n" not in message


DEEP = [1]
for _ in range(500):
    DEEP = [DEEP]

OTHERS = [
    "x", "x" * 100_000, "a\nb", True, -1, 10**400, -(10**400), 1 << 40_000, 0.5, -0.5, math.nan,
    math.inf, -math.inf, [], [[]], DEEP, ["x" * 100_000] * 9, [1 << 40_000], [True], [math.nan],
    {}, {"x" * 1000: 1}, date(2020, 1, 1), [{}] * 10_000,
]  # fmt: skip


@pytest.mark.parametrize(("kind", "name"), FIELDS)
def test_values_of_another_type_are_refused_by_the_key(kind, name):
    real = isinstance(LIMITS[kind].get(name, (0,))[0], float)
    for value in OTHERS:
        text = name == "dataset" and isinstance(value, str)
        if (real and value == 0.5) or text or (name == "flips" and value is True):
            converted({**VALID[kind], name: value}, kind, "[x]")
        else:
            refused(kind, name, value)


@pytest.mark.parametrize(
    ("kind", "name", "choices"),
    [
        (Adaptation, "method", ("lora", "full", "probe", "optimum")),
        (Adaptation, "head", ("new", "kept", "optimum")),
        (Adaptation, "optimiser", ("adamw", "sgd")),
        (Adaptation, "targets", ("query", "key", "value", "output")),
        (Source, "images", ("all",)),
    ],
)
def test_choices_are_listed(kind, name, choices):
    with pytest.raises(InputError) as error:
        converted({**VALID[kind], name: "other"}, kind, "[x]")
    assert all(repr(choice) in str(error.value) for choice in choices)


@pytest.mark.parametrize(("most", "more", "said"), [
    ("#" * 2**17, "#" * (2**17 + 1), "is larger than 128 KiB"),
    ("a." * 100 + "a = 1", "a." * 101 + "a = 1", "is nested too deeply"),
    ("a = {b = 2, " + "a." * 100 + "a = 1}", "a = {b = 2, " + "a." * 101 + "a = 1}",
     "is nested too deeply"),
])  # fmt: skip
def test_files_are_read_up_to_their_limits(tmp_path, most, more, said):
    path = tmp_path / "task.toml"
    path.write_text(most)
    assert read_tables(path, "task").keys() <= {"a"}
    path.write_text(more)
    with pytest.raises(InputError, match=said):
        read_tables(path, "task")
