"""What a transfer task is, and how it is read from a TOML file: strictly.

A misspelt key, a missing one or a value out of range is an error that names the place. The tasks
that are shipped are the files of the folder ``tasks``; a new one is one more file.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from derive.errors import InputError, quoted
from transfer.experiment.records import (
    PRESETS,
    Adaptation,
    Downstream,
    FolderDownstream,
    FolderSource,
    Model,
    Pretraining,
    Source,
    Task,
)
from transfer.experiment.series import Checkpoints, Pretrained, Series, series_of
from transfer.experiment.shipped import FOLDER, SCALES, shipped_tasks
from transfer.experiment.toml_tables import converted, insist_on_known, read_tables, shown
from transfer.images.data import DATASETS
from transfer.images.folder import Folder

_LONGEST_TITLE, _LONGEST_ARM = 200, 60  # characters
_MOST_ARMS, _MOST_RUNS = 100, 100_000
_TABLES: dict[str, type[msgspec.Struct]] = {
    "source": Source,
    "downstream": Downstream,
    "pretraining": Pretraining,
    "adaptation": Adaptation,
}
_FOLDERS: dict[str, type[msgspec.Struct]] = {"source": FolderSource, "downstream": FolderDownstream}
_KEYS = ("title", "model", "checkpoints", "arms", *_TABLES)


def read_task(name: str, scale: str | None = None) -> Task:
    """Read a task: one of ``shipped_tasks``, or a TOML file.

    Arguments:
        name: of a task, in which an arrow may stand for ``-to-``.
        scale: one of ``SCALES``, whose file replaces what it names.

    Raises ``InputError`` for a file that is missing, no regular one or no TOML, for unknown,
    missing or misspelt keys and for values that make no sense.

    >>> read_task("fashion-mnist→mnist").downstream.shots
    50
    >>> read_task("fashion-mnist→mnist", "paper").model.width
    128
    """
    plain = name.replace("→", "-to-")
    shipped = re.fullmatch(r"[a-z0-9-]+", plain) is not None
    path = FOLDER / f"{plain}.toml" if shipped else Path(name)
    content = _content(path, name)
    if not scale:
        return _checked(_task(path.stem, content))
    if scale not in SCALES:
        raise InputError(f"scale {shown(scale)} is unknown: choose from {', '.join(SCALES)}")
    over = _content(FOLDER / "scales" / f"{scale}.toml", scale)
    try:
        return _checked(_task(f"{path.stem}-{scale}", _merged(content, over)))
    except InputError as error:
        raise InputError(f"with scale {scale}: {error}") from None


def _content(path: Path, name: str) -> dict[str, Any]:
    try:
        return read_tables(path, name)
    except InputError:
        raise
    except (OSError, ValueError) as error:  # no file has a name with a zero byte
        reason = getattr(error, "strerror", None) or "no name of a file"
        raise InputError(
            f"task {quoted(name)} cannot be read ({reason}): choose from "
            f"{', '.join(shipped_tasks())}, or give a TOML file"
        ) from None


def _merged(content: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """``content`` with what ``over`` names replaced, table by table; a preset is a whole table."""
    both = {**content, **over}
    for name in content.keys() & over.keys():
        tables = isinstance(content[name], dict) and isinstance(over[name], dict)
        if tables and "preset" not in over[name]:
            both[name] = _merged(content[name], over[name])
    return both


def _task(name: str, content: Mapping[str, Any]) -> Task:
    insist_on_known(content, _KEYS, "the task")
    series = _series(content)
    if series:
        content = _as_the_checkpoints(content, series)
    parts: dict[str, Any] = {
        key: _part(content, key, kind)
        for key, kind in _TABLES.items()
        if not (series and key == "pretraining")
    }
    parts.setdefault("pretraining", series)
    title = content.get("title", name[:_LONGEST_TITLE])
    if not _is_line(title, _LONGEST_TITLE):
        raise InputError(
            f"title is {shown(title)}: give a text of one line, up to {_LONGEST_TITLE} characters"
        )
    return Task(
        name,
        title,
        model=None if series else _model(content),
        arms=_arms(parts.pop("adaptation"), content.get("arms", {})),
        **parts,
    )


def _series(content: Mapping[str, Any]) -> Series | None:
    """Checkpoints of one's own in place of a pre-training, if the task names any."""
    model = content.get("model")
    single = isinstance(model, dict) and "pretrained" in model
    if not single and "checkpoints" not in content:
        return None
    names = [name for name in ("pretraining", "checkpoints", "model") if name in content]
    if len(names) > 1:
        raise InputError(
            f"the task has [{names[0]}] and [{names[1]}]: give [checkpoints] or [model] pretrained "
            "with your own, or [pretraining] and the sizes of a [model]"
        )
    kind: type[Checkpoints] | type[Pretrained] = Pretrained if single else Checkpoints
    table = _part(content, names[0], kind)
    assert isinstance(table, kind)
    return series_of(table)


def _as_the_checkpoints(content: Mapping[str, Any], series: Series) -> dict[str, Any]:
    """The task with folders of images made as the checkpoints had theirs, unless it says how."""
    parts = {name: content[name] for name in _FOLDERS if isinstance(content.get(name), dict)}
    own = {"colours": "grey" if series.channels == 1 else "rgb", **series.images}
    made = {name: _made_as(own, part) for name, part in parts.items() if "folder" in part}
    return {**content, **made}


def _made_as(own: Mapping[str, Any], part: Mapping[str, Any]) -> dict[str, Any]:
    """A folder made as the checkpoints had theirs; ``shorter`` belongs to their fit alone."""
    own_fit = part.get("fit", own.get("fit")) == own.get("fit")
    return {**{name: own[name] for name in own if own_fit or name != "shorter"}, **part}


def _is_line(value: object, longest: int) -> bool:
    return (
        isinstance(value, str)
        and bool(value.strip())
        and value.isprintable()
        and len(value) <= longest
    )


def _arms(main: Adaptation, given: object) -> dict[str, Adaptation]:
    if main.method != "lora":
        raise InputError(
            f"[adaptation] has method {main.method!r}: the main protocol is LoRA, others go under "
            "[arms.NAME]"
        )
    if not isinstance(given, dict) or len(given) >= _MOST_ARMS:
        raise InputError(
            f"arms is no table, or has {_MOST_ARMS} entries or more: give [arms.NAME] with what "
            "differs from [adaptation]"
        )
    arms, common = {"LoRA": main}, msgspec.to_builtins(main)
    for name, changes in given.items():
        if not _is_line(name, _LONGEST_ARM):
            raise InputError(
                f"an arm is called {shown(name)}: give [arms.NAME] a name of one line, up to "
                f"{_LONGEST_ARM} characters"
            )
        place = f"[arms.{name!r}]"
        if name in arms or not isinstance(changes, dict):
            raise InputError(
                f"{place} is the main protocol, or no table: give what differs from [adaptation] "
                "under another name"
            )
        insist_on_known(changes, Adaptation.__struct_fields__, place)
        arms[name] = converted({**common, **changes}, Adaptation, place)
    return arms


def _part(content: Mapping[str, Any], key: str, kind: type[msgspec.Struct]) -> msgspec.Struct:
    if not isinstance(content.get(key), dict):
        raise InputError(f"the task has no table [{key}]: add it, as in the tasks that are shipped")
    if "folder" in content[key] and key in _FOLDERS:
        if "dataset" in content[key]:
            raise InputError(f"[{key}] has a dataset and a folder: give one of them")
        kind = _FOLDERS[key]
    insist_on_known(content[key], kind.__struct_fields__, f"[{key}]")
    return converted(content[key], kind, f"[{key}]")


def _model(content: Mapping[str, Any]) -> Model:
    given = content.get("model", {"preset": "tiny"})
    if not isinstance(given, dict):
        raise InputError("model is no table: give [model] with a preset, or its sizes")
    insist_on_known(given, ("preset", *Model.__struct_fields__), "[model]")
    sizes = dict(given)
    preset = sizes.pop("preset", None)
    if preset is not None and not (isinstance(preset, str) and preset in PRESETS):
        raise InputError(f"[model] preset = {shown(preset)}: choose from {', '.join(PRESETS)}")
    base = msgspec.to_builtins(PRESETS[preset]) if preset else {}
    return converted({**base, **sizes}, Model, "[model]")


def _checked(task: Task) -> Task:
    """The task, if its parts go together."""
    shape, model, series = _shape_of_images(task), task.model, task.pretraining
    if isinstance(series, Series):
        _check_series(task, series, shape)
    if model and (shape[1] % model.patch or model.width % model.heads):
        raise InputError(
            f"[model]: the patch must divide the side of the images, {shape[1]}, "
            "and the number of heads the width"
        )
    if isinstance(task.source, Source) and isinstance(task.downstream, Downstream):
        names = (task.source.dataset, task.downstream.dataset)
        insist_on_classes(task, *(DATASETS[name].classes for name in names))
    checkpoints = task.pretraining.checkpoints
    if not isinstance(series, Series):
        _increasing(checkpoints, series.epochs, "[pretraining] checkpoints")
    for name, arm in task.arms.items():
        place = _place_of(name)
        _check_arm(arm, task.model, place)
    runs = task.pretraining.seeds * len(checkpoints) * sum(a.seeds for a in task.arms.values())
    if runs > _MOST_RUNS:
        raise InputError(
            f"the task has {runs:,} fine-tunings, more than {_MOST_RUNS:,}: give fewer seeds, "
            "checkpoints or arms"
        )
    return task


def _check_series(task: Task, series: Series, shape: tuple[int, int, int]) -> None:
    sides = (series.channels, series.side or shape[1], series.side or shape[2])
    if shape != sides or len(series.mean) not in (1, shape[0]):
        raise InputError(
            f"images have shape {shape}, the checkpoints take {sides} and normalise "
            f"{len(series.mean)} channels: choose images of that shape"
        )
    if task.source.images != "all":
        raise InputError(
            f"[source] images = {task.source.images}, but nothing is trained on the source of "
            "your own checkpoints: leave it out"
        )


def insist_on_classes(task: Task, source: int, downstream: int) -> None:
    """Raise ``InputError`` unless a task suits so many classes: those of a folder are seen late.

    Arguments:
        task: as it was read.
        source: classes of the source.
        downstream: those of the downstream task.
    """
    series = task.pretraining
    if isinstance(series, Series) and len(series.labels) != source:
        raise InputError(
            f"the checkpoints tell {len(series.labels)} classes apart, the source has {source}: "
            "give the source they were trained on"
        )
    if task.source.images != "all" and task.source.images % source:
        raise InputError(
            f"[source] images = {task.source.images} for {source} classes: give a multiple, "
            "for all classes have as many"
        )
    for name, arm in task.arms.items():
        if arm.head == "kept" and source != downstream:
            raise InputError(
                f"{_place_of(name)} keeps the head, but there are {source} source and "
                f"{downstream} downstream classes: give head = 'new'"
            )


def _place_of(arm: str) -> str:
    return "[adaptation]" if arm == "LoRA" else f"[arms.{arm!r}]"


def _shape_of_images(task: Task) -> tuple[int, int, int]:
    for place, part in (("[source]", task.source), ("[downstream]", task.downstream)):
        if not isinstance(part, Folder) and part.dataset not in DATASETS:
            raise InputError(
                f"{place} dataset {shown(part.dataset)} is unknown: choose from "
                f"{', '.join(DATASETS)}, or give folder = 'DIR' with your own images"
            )
    shape, other = (
        part.shape if isinstance(part, Folder) else DATASETS[part.dataset].shape
        for part in (task.source, task.downstream)
    )
    if shape != other or shape[1] != shape[2]:
        raise InputError(
            f"source images have shape {shape}, downstream images {other}: choose datasets of one "
            "shape, of square images"
        )
    return shape


def _check_arm(arm: Adaptation, model: Model | None, place: str) -> None:
    _increasing(arm.measured, arm.epochs, f"{place} measured")
    if arm.targets != "all-linear" and len(set(arm.targets)) < len(arm.targets):
        raise InputError(f"{place} targets = {shown(arm.targets)}: name each once")
    if arm.method in ("probe", "optimum") and (arm.flips or arm.crops):
        raise InputError(
            f"{place} has flips or crops, but its head sees what the backbone makes of each image "
            "once: leave them out"
        )
    if arm.head == "optimum" and arm.method != "lora":
        raise InputError(
            f"{place} has head = 'optimum' and method = {arm.method!r}: give method = 'lora', that "
            "alone learns then, or method = 'optimum' for the head itself"
        )
    if model and arm.method == "lora" and arm.rank > model.width:
        raise InputError(
            f"{place} rank = {arm.rank}, but the matrices are of width {model.width}: give a rank "
            "up to that"
        )


def _increasing(epochs: tuple[int, ...], last: int, place: str) -> None:
    if list(epochs) != sorted(set(epochs)) or epochs[-1] > last:
        raise InputError(f"{place} = {shown(epochs)}: give increasing epochs up to {last}")
