"""What a transfer task is, and how it is read from a TOML file: strictly.

A misspelt key, a missing one or a value out of range is an error that names the place. The tasks
that are shipped are the files of the folder ``tasks``; a new one is one more file.
"""

import difflib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from derive.errors import InputError
from transfer.data import DATASETS

FOLDER = Path(__file__).parent / "tasks"
SCALES = ("paper",)  # files of the folder tasks/scales

Positive = Annotated[int, msgspec.Meta(gt=0)]
Count = Annotated[int, msgspec.Meta(ge=0)]
Rate = Annotated[float, msgspec.Meta(gt=0, lt=10**9)]
Size = Annotated[float, msgspec.Meta(ge=0, lt=10**9)]
Share = Annotated[float, msgspec.Meta(ge=0, lt=1)]
Seeds = Annotated[int, msgspec.Meta(ge=1, le=100)]
Projection = Literal["query", "key", "value", "output"]


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The source: ``dataset``; how many ``images`` of it to train on, balanced, or ``all``."""

    dataset: str
    images: Positive | Literal["all"] = "all"


class Downstream(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The downstream task: ``dataset``; ``shots`` per class; its shift by ``rotation``, ``noise``.

    ``rotation`` is in degrees, ``noise`` in units of the full range; see ``transfer.shift``.
    """

    dataset: str
    shots: Positive
    rotation: Size = 0.0
    noise: Size = 0.0


class Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A vision transformer: side of a ``patch``, ``width``, ``depth``, ``heads``, ``dropout``."""

    patch: Positive
    width: Positive
    depth: Positive
    heads: Positive
    dropout: Share = 0.0


PRESETS = {
    "tiny": Model(patch=7, width=64, depth=2, heads=4),
    "paper": Model(patch=4, width=128, depth=6, heads=4, dropout=0.1),
}


class Pretraining(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Pre-training by AdamW with a cosine schedule.

    Fields: ``epochs``; ``checkpoints``, epochs after which one is kept, 0 for the random
    initialisation; ``batch``; ``learning_rate``; ``weight_decay``; ``warmup`` and ``validation``,
    shares of the steps and of the images; ``seeds``, how many runs.
    """

    epochs: Positive
    checkpoints: tuple[Count, ...]
    batch: Positive
    learning_rate: Rate
    seeds: Seeds
    weight_decay: Size = 0.05
    warmup: Share = 0.05
    validation: Share = 0.1


class Adaptation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Fine-tuning on the downstream task, the same for every checkpoint.

    Fields: ``method``, ``lora``, ``full`` (all weights) or ``probe`` (the head alone); ``rank``,
    ``alpha`` and ``targets`` of LoRA; ``head``, ``new`` or ``kept``; ``measured``, epochs at which
    test accuracy is measured; ``seeds``, how many runs a checkpoint; the others as in
    ``Pretraining``.
    """

    epochs: Positive
    measured: tuple[Positive, ...]
    batch: Positive
    learning_rate: Rate
    seeds: Seeds
    method: Literal["lora", "full", "probe"] = "lora"
    rank: Positive = 4
    alpha: Rate = 8.0
    targets: tuple[Projection, ...] = ("query", "value")
    head: Literal["new", "kept"] = "new"
    weight_decay: Size = 0.01
    warmup: Share = 0.1


class Task(msgspec.Struct, frozen=True):
    """A transfer task: its ``name`` and ``title``, its parts, and its ``arms``.

    ``arms`` holds the protocols that are compared, by name; the first is the main one.
    """

    name: str
    title: str
    source: Source
    downstream: Downstream
    model: Model
    pretraining: Pretraining
    arms: dict[str, Adaptation]


_TABLES: dict[str, type] = {
    "source": Source,
    "downstream": Downstream,
    "pretraining": Pretraining,
    "adaptation": Adaptation,
}
_KEYS = ("title", "model", "arms", *_TABLES)
T = TypeVar("T")


def shipped_tasks() -> list[str]:
    """Names of the tasks that come with the package.

    >>> "demo" in shipped_tasks()
    True
    """
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def read_task(name: str, scale: str | None = None) -> Task:
    """Read a task: one of ``shipped_tasks``, or a TOML file.

    Arguments: ``name``, in which an arrow may stand for ``-to-``; ``scale``, of ``SCALES``, whose
    file replaces what it names.

    Raises ``InputError`` for a file that is missing or no TOML, for unknown, missing or misspelt
    keys and for values that make no sense.

    >>> read_task("fashion-mnist→mnist").downstream.shots
    50
    >>> read_task("fashion-mnist→mnist", "paper").model.width
    128
    """
    plain = name.replace("→", "-to-")
    shipped = re.fullmatch(r"[a-z0-9-]+", plain) is not None
    path = FOLDER / f"{plain}.toml" if shipped else Path(name)
    content = _content(path, name)
    if scale:
        content = _merged(content, _content(FOLDER / "scales" / f"{scale}.toml", scale))
    suffix = f"-{scale}" if scale else ""
    return _checked(_task(path.stem + suffix, content))


def _content(path: Path, name: str) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            f"task {name[:60]!r} cannot be read ({error.strerror}): choose from "
            f"{', '.join(shipped_tasks())}, or give a TOML file"
        ) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{name[:60]!r} is no TOML file: {error}") from None


def _merged(content: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """``content`` with what ``over`` names replaced, table by table."""
    both = {**content, **over}
    for name in content.keys() & over.keys():
        if isinstance(content[name], dict) and isinstance(over[name], dict):
            both[name] = _merged(content[name], over[name])
    return both


def _task(name: str, content: Mapping[str, Any]) -> Task:
    _known(content, _KEYS, "the task")
    parts: dict[str, Any] = {key: _part(content, key, kind) for key, kind in _TABLES.items()}
    main = msgspec.to_builtins(parts.pop("adaptation"))
    arms = {"LoRA": main}
    if main["method"] != "lora":
        raise InputError(
            f"[adaptation] has method {main['method']!r}: the main protocol is LoRA, others go "
            "under [arms.NAME]"
        )
    given = content.get("arms", {})
    if not isinstance(given, dict):
        raise InputError("arms is no table: give [arms.NAME] with what differs from [adaptation]")
    for arm, changes in given.items():
        if arm in arms or not isinstance(changes, dict):
            raise InputError(
                f"[arms.{arm!r}] is the main protocol, or no table: give what differs from "
                "[adaptation] under another name"
            )
        _known(changes, Adaptation.__struct_fields__, f"[arms.{arm!r}]")
        arms[arm] = {**main, **changes}
    title = content.get("title", name)
    if not isinstance(title, str):
        raise InputError(f"title is {title!r}: a text was expected")
    return Task(
        name,
        title,
        model=_model(content),
        arms={arm: _convert(table, Adaptation, f"[arms.{arm!r}]") for arm, table in arms.items()},
        **parts,
    )


def _part(content: Mapping[str, Any], key: str, kind: type[T]) -> T:
    if not isinstance(content.get(key), dict):
        raise InputError(f"the task has no table [{key}]: add it, as in the tasks that are shipped")
    _known(content[key], kind.__struct_fields__, f"[{key}]")  # type: ignore[attr-defined]
    return _convert(content[key], kind, f"[{key}]")


def _model(content: Mapping[str, Any]) -> Model:
    given = content.get("model", {"preset": "tiny"})
    if not isinstance(given, dict):
        raise InputError("model is no table: give [model] with a preset, or its sizes")
    _known(given, ("preset", *Model.__struct_fields__), "[model]")
    sizes = dict(given)
    preset = sizes.pop("preset", None)
    if preset is not None and preset not in PRESETS:
        raise InputError(f"[model] preset {preset!r} is unknown: choose from {', '.join(PRESETS)}")
    base = msgspec.to_builtins(PRESETS[preset]) if preset else {}
    return _convert({**base, **sizes}, Model, "[model]")


def _known(table: Mapping[str, Any], keys: tuple[str, ...], place: str) -> None:
    for key in table:
        if key not in keys:
            near = difflib.get_close_matches(key, keys, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(keys)}"
            raise InputError(f"unknown key {key[:40]!r} in {place}: {hint}")


def _convert(table: Mapping[str, Any], kind: type[T], place: str) -> T:
    try:
        return msgspec.convert(dict(table), kind)
    except msgspec.ValidationError as error:
        raise InputError(f"{place}: {error}") from None


def _checked(task: Task) -> Task:
    for part in (task.source, task.downstream):
        if part.dataset not in DATASETS:
            raise InputError(
                f"dataset {part.dataset[:40]!r} is unknown: choose from {', '.join(DATASETS)}"
            )
    shapes = [DATASETS[part.dataset].shape for part in (task.source, task.downstream)]
    if shapes[0] != shapes[1]:
        raise InputError(
            f"source images have shape {shapes[0]}, downstream images {shapes[1]}: "
            "choose datasets of one shape"
        )
    if shapes[0][1] % task.model.patch or task.model.width % task.model.heads:
        raise InputError(
            f"[model]: the patch must divide the side of the images, {shapes[0][1]}, "
            "and the number of heads the width"
        )
    needed = DATASETS[task.source.dataset].classes
    if task.source.images != "all" and task.source.images < needed:
        raise InputError(
            f"[source] has {task.source.images} images for {needed} classes: give more"
        )
    _increasing(task.pretraining.checkpoints, task.pretraining.epochs, "[pretraining] checkpoints")
    for name, arm in task.arms.items():
        _increasing(arm.measured, arm.epochs, f"[arms.{name!r}] measured")
        classes = [DATASETS[part.dataset].classes for part in (task.source, task.downstream)]
        if arm.head == "kept" and classes[0] != classes[1]:
            raise InputError(
                f"[arms.{name!r}] keeps the head, but there are {classes[0]} source and "
                f"{classes[1]} downstream classes: give head = 'new'"
            )
    return task


def _increasing(epochs: tuple[int, ...], last: int, place: str) -> None:
    if not epochs or list(epochs) != sorted(set(epochs)) or epochs[-1] > last:
        raise InputError(f"{place} {list(epochs)}: increasing epochs up to {last} were expected")
