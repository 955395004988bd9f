"""The checkpoints that ``choose`` and ``diagnose`` are asked about, of a task or of folders."""

from argparse import Namespace
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from derive.errors import InputError, abridged, quoted
from numerics.sweep.store import Cell
from transfer.experiment.commands import compute, device_of, task_and_place
from transfer.experiment.plan import Chain, Place, chains_of, datasets_of, in_words
from transfer.experiment.records import Task
from transfer.experiment.series import Checkpoints, Pretrained, Series, series_of
from transfer.experiment.shipped import shipped_tasks
from transfer.images.data import Dataset
from transfer.images.folder import Folder, load_folder

if TYPE_CHECKING:
    from transfer.learning.model import VisionModel
    from transfer.learning.training import Images

Scale = dict[str, list[float]]


@dataclass(frozen=True)
class Candidate:
    """A checkpoint: its ``run``, its ``step`` there, its accuracy on the ``source`` if known."""

    run: int
    step: int
    source: float
    load: Callable[[], "VisionModel"]


@dataclass(frozen=True)
class Candidates:
    """Checkpoints, and the images they are to be adapted to.

    Fields: ``title``; ``each`` of the checkpoints, run after run; ``unit`` of their steps, epoch or
    step; ``images``, of which only those to train on are used; ``shots`` of each class; ``scale``,
    their normalisation; ``of``, the images in words; ``task`` with its ``chains`` and ``place``, if
    it is one.
    """

    title: str
    each: tuple[Candidate, ...]
    unit: str
    images: Dataset
    training: "Images"
    shots: int
    place: Place
    of: str
    task: Task | None = None
    chains: tuple[Chain, ...] = ()

    def name(self, candidate: Candidate) -> str:
        """A checkpoint in words, with its run if there are several."""
        runs = len({each.run for each in self.each})
        return f"{self.unit} {candidate.step}" + (f" of run {candidate.run}" if runs > 1 else "")


def candidates_of(options: Namespace) -> Candidates:
    """The checkpoints of a task, pre-trained first if need be; or those of folders.

    Raises ``InputError`` for what is neither, and as reading, pre-training and loading do.
    """
    if not _is_task(options.what):
        return _of_folders(options, device_of(options))
    if options.images or options.shots or options.size:
        raise InputError(
            "--images, --shots and --size are for folders of checkpoints: a task says them itself"
        )
    return _of_task(options, device_of(options))


def _is_task(what: str) -> bool:
    return (
        what.endswith(".toml")
        or what.replace("→", "-to-") in shipped_tasks()
        or Path(what[:4096]).is_file()
    )


def _of_task(options: Namespace, device: str) -> Candidates:
    from transfer.experiment.run import prepare
    from transfer.learning.adapt import downstream_splits

    options.task = options.what
    task, place = task_and_place(options, device)
    prepare(task, place)
    chains = chains_of(task, place)
    first = [replace(chain, adaptations=()) for chain in chains]
    if any(place.found(chain.pretraining) is None for chain in first):
        compute(first, place, options, alone=device == "cuda")
    source, downstream = datasets_of(task, place)
    train, test = downstream_splits(downstream, task.downstream.rotation, task.downstream.noise)
    images = replace(downstream, train=train, test=test)
    each = tuple(
        candidate for chain in chains for candidate in _in_chain(task, chain, place, source)
    )
    unit = "step" if isinstance(task.pretraining, Series) else "epoch"
    facts = {"source": source.facts, "downstream": downstream.facts}
    training = _training(images, source, place, chains[0].pretraining.get("scale"))
    return Candidates(
        task.title, each, unit, images, training, task.downstream.shots, place, in_words(facts),
        task, tuple(chains),
    )  # fmt: skip


def _training(images: Dataset, source: Dataset, place: Place, scale: Scale | None) -> "Images":
    import torch

    from transfer.learning.training import normalised

    return normalised(images.train, source, torch.device(place.device), scale)


def _in_chain(task: Task, chain: Chain, place: Place, source: Dataset) -> Iterator[Candidate]:
    measured = place.found(chain.pretraining)
    assert measured is not None
    arms = {cell["checkpoint"]: cell for _, cell in chain.adaptations}
    for step, accuracy in zip(task.pretraining.checkpoints, measured["test_accuracy"], strict=True):
        load = partial(_loaded, arms[step], source, place)
        yield Candidate(chain.pretraining["seed"], step, float(accuracy), load)


def _loaded(cell: Cell, source: Dataset, place: Place) -> "VisionModel":
    """The model that a cell starts from, on the device."""
    import torch

    from transfer.learning.adapt import checkpoint_of, learner_of

    model = checkpoint_of(cell, source, place.checkpoints(cell)).to(torch.device(place.device))
    return learner_of(cell, model)


def _of_folders(options: Namespace, device: str) -> Candidates:
    if not options.images or not options.shots:
        raise InputError(
            f"{quoted(Path(options.what))} is no task: for folders of checkpoints give --images "
            "FOLDER and --shots N; or a TOML file, or a task that is shipped"
        )
    path = Path(options.what)
    single = (path / "config.json").is_file() and not path.name[-1:].isdigit()
    series = series_of(Pretrained(options.what) if single else Checkpoints(options.what))
    given: dict[str, Any] = {"colours": "grey" if series.channels == 1 else "rgb", **series.images}
    if options.size:
        given["size"] = options.size
    if "size" not in given:
        raise InputError("the checkpoints do not say the size of images: give --size N")
    data = options.data_dir and options.data_dir.resolve()
    images = load_folder(msgspec.convert({**given, "folder": options.images}, Folder), data)
    place = Place(Path(), data, False, device, here=Path())
    scale = {"mean": list(series.mean), "deviation": list(series.deviation)}
    load = partial(_loaded, source=images, place=place)
    each = tuple(
        Candidate(run, step, nan, partial(load, {"weights": {"folder": folder, "digest": ""}}))
        for run, folders in enumerate(series.runs)
        for step, folder in zip(series.checkpoints, folders, strict=True)
    )
    training = _training(images, images, place, scale)
    title, of = abridged(Path(options.what)), in_words({"images": images.facts})
    return Candidates(title, each, "step", images, training, options.shots, place, of)
