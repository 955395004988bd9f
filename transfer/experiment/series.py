"""Checkpoints of one's own: folders that a Trainer wrote, found, ordered, and what they say.

A folder holds ``config.json`` and weights as safetensors, and often ``preprocessor_config.json``,
which says how its images were made. Nothing of a model is built here, and no pickle is read.
"""

import glob
import hashlib
import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from derive.errors import InputError, abridged, quoted
from transfer.experiment.config import configuration, preprocessing, read_json
from transfer.images.folder import natural

_MOST_RUNS, _MOST_CHECKPOINTS, _LARGEST_STEP = 100, 100, 10**12
_PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")
Channels = Annotated[
    tuple[Annotated[float, Meta(ge=-1000, le=1000)], ...], Meta(min_length=1, max_length=16)
]


class Checkpoints(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where checkpoints lie: ``folders``, a pattern such as ``runs/seed-*/checkpoint-*``.

    ``mean`` and ``deviation`` of each channel, of pixels from 0 to 1, are what images are
    normalised by if the checkpoints do not say it.
    """

    folders: Annotated[str, Meta(min_length=1, max_length=1000)]
    mean: Channels = ()
    deviation: Channels = ()


class Pretrained(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One model of one's own, ``pretrained`` its folder; the rest as in ``Checkpoints``."""

    pretrained: Annotated[str, Meta(min_length=1, max_length=1000)]
    mean: Channels = ()
    deviation: Channels = ()


class Series(msgspec.Struct, frozen=True):
    """The checkpoints of one or several pre-trainings, made elsewhere.

    Fields: ``runs``, the folders of each in order; ``checkpoints``, their steps; ``mean`` and
    ``deviation`` of pixels from 0 to 255; ``images``, what a folder of images is given where the
    task says nothing; ``channels`` and ``side`` of an image, 0 where any is taken; ``labels``.
    """

    runs: tuple[tuple[str, ...], ...]
    checkpoints: tuple[int, ...]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    images: dict[str, Any]
    channels: int
    side: int
    labels: tuple[str, ...]
    epochs: int = 0  # of a pre-training that is not done here

    @property
    def seeds(self) -> int:
        """How many pre-trainings there are."""
        return len(self.runs)


def series_of(given: Checkpoints | Pretrained) -> Series:
    """Find checkpoints and read what the first says of itself; all must say the same.

    Raises ``InputError`` if there are none, if a run lacks a step that another has, if a folder is
    no checkpoint or holds but a pickle, and if nothing says how images are normalised.
    """
    if isinstance(given, Checkpoints):
        steps, runs = _runs_in(given.folders)
    else:
        steps, runs = (1,), ((given.pretrained,),)
        _insist_on_checkpoint(Path(given.pretrained))
    first, *others = [Path(folder) for run in runs for folder in run]
    config, seen = configuration(first), preprocessing(first)
    for other in others:
        if (configuration(other), preprocessing(other)) != (config, seen):
            raise InputError(
                f"{abridged(other)} is of another architecture, other classes or other images "
                "than the first checkpoint: give one kind of model a task"
            )
    images = dict(seen or {})
    told = images.pop("mean", ()), images.pop("deviation", ())
    mean, deviation = given.mean or told[0], given.deviation or told[1]
    if not 0 < len(mean) == len(deviation) or min(deviation) <= 0:
        raise InputError(
            f"{abridged(first)} has no preprocessor_config.json with mean and deviation: give "
            "mean = [0.5, 0.5, 0.5] and deviation = [0.5, 0.5, 0.5], or what it was trained with"
        )
    scaled = [tuple(255.0 * value for value in part) for part in (mean, deviation)]
    return Series(runs, steps, scaled[0], scaled[1], images, *config[1:])


def insist_on_order(labels: Sequence[str], names: Sequence[str]) -> None:
    """Raise ``InputError`` if checkpoints have names for classes, and others than a folder's."""
    told = labels != tuple(f"LABEL_{place}" for place in range(len(labels)))
    for place, (label, name) in enumerate(zip(labels, names, strict=False)):
        if told and label != name:
            raise InputError(
                f"class {place} is {quoted(label)} for the checkpoints and {quoted(name)} in the "
                "folder of the source: name the folders so that they come in the same order"
            )


def _runs_in(pattern: str) -> tuple[tuple[int, ...], tuple[tuple[str, ...], ...]]:
    """The steps, and the folders of each run in their order."""
    found: dict[Path, dict[int, str]] = {}
    for name in glob.glob(pattern):
        path = Path(name)
        number = re.search(r"(\d{1,12})$", path.name)
        if path.is_dir() and number:
            _insist_on_checkpoint(path)
            found.setdefault(path.parent, {})[int(number[1])] = str(path)
    if not found:
        raise InputError(
            f"no folder is called {quoted(Path(pattern))}: give a pattern such as "
            "'runs/seed-*/checkpoint-*', whose folders end in their step"
        )
    runs = [found[run] for run in sorted(found, key=lambda run: natural(str(run)))]
    steps = sorted({step for run in runs for step in run})
    for folder, run in found.items():
        if missing := [step for step in steps if step not in run]:
            raise InputError(
                f"{abridged(folder)} has no checkpoint of step {missing[0]}, another run has: "
                "give a pattern of steps that all runs have"
            )
    if len(runs) > _MOST_RUNS or len(steps) > _MOST_CHECKPOINTS:
        raise InputError(
            f"{quoted(Path(pattern))} finds {len(runs)} runs of {len(steps)} checkpoints: give at "
            f"most {_MOST_RUNS} runs of {_MOST_CHECKPOINTS}"
        )
    return tuple(steps), tuple(tuple(run[step] for step in steps) for run in runs)


def weights_of(folder: Path) -> list[Path]:
    """The files of a checkpoint's weights, all safetensors; none if it has others or no such."""
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        return [path for path in [folder / "model.safetensors"] if path.is_file()]
    told = read_json(index).get("weight_map")
    names = list(told.values()) if isinstance(told, dict) else []
    inside = all(isinstance(name, str) and Path(name).name == name for name in names)
    return sorted(folder / name for name in set(names)) if inside else []


def _insist_on_checkpoint(folder: Path) -> None:
    if (folder / "adapter_config.json").is_file():
        raise InputError(
            f"{abridged(folder)} is an adapter, not a whole model: merge it and save that"
        )
    if weights_of(folder) and (folder / "config.json").is_file():
        return
    pickles = [path.name for kind in _PICKLES for path in folder.glob(kind)]
    if pickles and not weights_of(folder):
        raise InputError(
            f"{abridged(folder)} holds no safetensors but {abridged(pickles[0])}, a pickle, which "
            "is never loaded: save the model with transformers' save_pretrained"
        )
    raise InputError(
        f"{abridged(folder)} is no checkpoint: it needs config.json and model.safetensors, as "
        "save_pretrained writes them"
    )


@lru_cache(maxsize=10_000)
def digest_of_weights(folder: Path) -> str:
    """A hash of a checkpoint's configuration and weights, which names its content."""
    found = hashlib.sha256()
    for path in [folder / "config.json", *weights_of(folder)]:
        try:
            with path.open("rb") as stream:
                found.update(hashlib.file_digest(stream, "sha256").digest())
        except OSError as error:
            raise InputError(
                f"checkpoint {abridged(path)} cannot be read ({error.strerror}): give it back, or "
                "leave it out"
            ) from None
    return found.hexdigest()[:16]
