"""The plan of an experiment: a task as cells, and where they are kept.

One chain of cells a pre-training seed: the pre-training, then every checkpoint x protocol x
fine-tuning seed. Nothing is computed here.
"""

import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from numerics.sweep.store import Arrays, Cell, Forms, cell_key, read_cell
from transfer.experiment.records import OFF, Task
from transfer.experiment.series import Series, digest_of_weights, insist_on_order
from transfer.experiment.task import insist_on_classes
from transfer.images.data import Dataset, Facts, load_dataset
from transfer.images.folder import Folder, load_folder

# Versions of what a cell means; results of another version are not mixed in.
_PRETRAINING = {"kind": "pretraining", "version": 2}
_SERIES = {"kind": "series", "version": 1}
_ADAPTATION = {"kind": "adaptation", "version": 4}
CURVES = ("train_loss", "validation_loss", "validation_accuracy")  # over epochs of pre-training
EACH_CHECKPOINT = ("test_loss", "test_accuracy")
OVERLAPS = ("left", "right", "size")  # of transfer.learning.overlap
HEAD_DECAY = 1e-3  # of heads that are fitted to convergence
_OF_CHECKPOINT = ("checkpoint", "weights")
_LORA = ("rank", "alpha", "targets")
_STEPS = ("batch", "learning_rate", "weight_decay", "warmup")


@dataclass(frozen=True)
class Place:
    """Where an experiment runs and what it is told about itself.

    Fields: ``results``, the folder of everything it makes; ``data`` and ``hub``, as in
    ``load_dataset``; ``device``, ``cpu`` or ``cuda``; ``adapters``, whether to keep them;
    ``provenance``, written into each cell; ``here``, from which relative folders are looked for.
    """

    results: Path
    data: Path | None = None
    hub: bool = False
    device: str = "cpu"
    adapters: bool = False
    provenance: str = ""
    here: Path = field(default_factory=Path.cwd)

    @property
    def cells(self) -> Path:
        """The folder of the finished cells."""
        return self.results / "cells"

    @property
    def kept_adapters(self) -> Path:
        """The folder of adapters and heads, if they are kept."""
        return self.results / "adapters"

    def checkpoints(self, cell: Cell) -> Path:
        """Where the checkpoints of a cell lie: those made here, or what one's own are relative to.

        A cell names its own as ``weights``.
        """
        return self.here if "weights" in cell else self.results / "checkpoints"

    def found(self, cell: Cell) -> Arrays | None:
        """A finished cell, ``None`` if it is not there; raises ``InputError`` as ``read_cell``."""
        return read_cell(self.cells, cell, forms_of(cell))


@dataclass(frozen=True)
class Chain:
    """One pre-training and all that starts from its checkpoints, by the name of the arm."""

    pretraining: Cell
    adaptations: tuple[tuple[str, Cell], ...]

    @property
    def parts(self) -> tuple[tuple[str, Cell], ...]:
        """Every cell with what it is a part of, the pre-training or an arm."""
        return ("pre-training", self.pretraining), *self.adaptations


def datasets_of(task: Task, place: Place) -> tuple[Dataset, Dataset]:
    """Source and downstream dataset; raises ``InputError`` as ``images_of`` does."""
    parts = (msgspec.to_builtins(part) for part in (task.source, task.downstream))
    source, downstream = (images_of(part, place) for part in parts)
    insist_on_classes(task, source.classes, downstream.classes)
    if isinstance(task.pretraining, Series):
        insist_on_order(task.pretraining.labels, source.names)
    return source, downstream


def images_of(part: Mapping[str, Any], place: Place) -> Dataset:
    """The dataset, or the folder of images, that a task or a cell describes.

    Raises ``InputError`` as ``load_dataset`` and ``load_folder`` do.
    """
    if "folder" not in part:
        return load_dataset(part["dataset"], place.data, place.hub)
    settings = {name: part[name] for name in Folder.__struct_fields__}
    return load_folder(msgspec.convert(settings, Folder), place.data, place.here)


def facts_of_data(task: Task, place: Place) -> dict[str, Facts]:
    """The facts of the ``source`` and the ``downstream`` dataset; raises as ``datasets_of``."""
    parts = zip(("source", "downstream"), datasets_of(task, place), strict=True)
    return {part: dataset.facts for part, dataset in parts}


def in_words(data: Mapping[str, Facts]) -> str:
    """Facts of datasets in a line, for tables and provenance.

    >>> in_words({"source": {"name": "letters", "origin": "rendered", "training": 20800,
    ...                      "test": 5200, "digest": "5e1f"}})
    'source letters from rendered (20,800 training and 5,200 test images, digest 5e1f)'
    """
    return "; ".join(
        f"{part} {facts['name']} from {facts['origin']} ({facts['training']:,} training and "
        f"{facts['test']:,} test images, {_skipped(facts)}digest {facts['digest']})"
        for part, facts in data.items()
    )


def _skipped(facts: Facts) -> str:
    """How many files were no images, if any.

    >>> _skipped({"skipped": ["train/a/notes.txt"]})
    '1 unreadable files skipped, '
    """
    skipped = facts.get("skipped")
    return f"{len(skipped)} unreadable files skipped, " if isinstance(skipped, list) else ""


def chains_of(task: Task, place: Place) -> list[Chain]:
    """All cells of a task, a chain for each pre-training seed.

    A cell names the content of its datasets and the kind of its device: what differs in one of
    them is another cell.
    """
    source, downstream = datasets_of(task, place)
    described: dict[str, Any] = msgspec.to_builtins(task)
    common = {
        "device": place.device,
        "source": {**described["source"], "digest": source.digest},
    }
    after = {"downstream": {**described["downstream"], "digest": downstream.digest}, **_ADAPTATION}
    chains = []
    for seed in range(task.pretraining.seeds):
        if isinstance(task.pretraining, Series):
            first = _measured(task.pretraining, {**common, **_SERIES, "seed": seed}, place)
            later = {**common, **after, "scale": first["scale"], "seed": seed}
            starts = [{"weights": weights} for weights in first["weights"]]
        else:
            settings = _asked_for(described["pretraining"], {"seeds"})
            built = {**common, "model": described["model"]}
            first = {**built, **_PRETRAINING, "pretraining": settings, "seed": seed}
            later = {**built, **after, "run": cell_key(first), "seed": seed}
            starts = [{} for _ in settings["checkpoints"]]
        cells = _adaptations(described, later, starts, place.device)
        chains.append(Chain(first, tuple(cells)))
    return chains


def _protocol(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What an arm's results depend on."""
    unused = {"seeds", *(_LORA if settings["method"] != "lora" else ())}
    if settings["method"] == "optimum":
        unused |= {"optimiser", "clip", *_STEPS}
        settings = {**settings, "head": "optimum"}
    elif settings["optimiser"] == "sgd":
        unused |= {"weight_decay", "warmup"}
    fitted = {"head_decay": HEAD_DECAY} if settings["head"] == "optimum" else {}
    return {**_asked_for(settings, unused), **fitted}


def _asked_for(settings: Mapping[str, Any], unused: Collection[str]) -> dict[str, Any]:
    """Settings without what is unused, or is off."""
    return {
        name: value
        for name, value in settings.items()
        if name not in unused and not (name in OFF and value == OFF[name])
    }


def _measured(series: Series, common: dict[str, Any], place: Place) -> dict[str, Any]:
    """The cell in which the checkpoints of one run are measured on the source."""
    folders = series.runs[common["seed"]]
    weights = [{"folder": f, "digest": digest_of_weights(place.here / f)} for f in folders]
    scale = {"mean": list(series.mean), "deviation": list(series.deviation)}
    return {**common, "weights": weights, "scale": scale}


def _adaptations(
    described: dict[str, Any], common: dict[str, Any], starts: Sequence[dict[str, Any]], device: str
) -> Iterator[tuple[str, Cell]]:
    """Every arm, checkpoint and seed; ``starts`` says of each checkpoint where it is."""
    for arm, settings in described["arms"].items():
        own = _protocol(settings)
        seeds = list(range(settings["seeds"]))
        # Side by side on a GPU; on a CPU that gains little, and a cell each is safer.
        groups = [seeds] if device == "cuda" else [[seed] for seed in seeds]
        checkpoints = zip(described["pretraining"]["checkpoints"], starts, strict=True)
        for (epoch, start), group in itertools.product(checkpoints, groups):
            where = {**start, "checkpoint": epoch, "fine_tuning_seeds": group}
            yield arm, {**common, "adaptation": own, **where}


def side_by_side(cells: Iterable[Cell]) -> list[list[Cell]]:
    """Cells in groups that differ in nothing but the checkpoint, and so can learn in one pass."""
    groups: dict[str, list[Cell]] = {}
    for cell in cells:
        alike = {name: part for name, part in cell.items() if name not in _OF_CHECKPOINT}
        groups.setdefault(cell_key(alike), []).append(cell)
    return [*groups.values()]


def forms_of(cell: Cell) -> Forms:
    """The kinds and shapes of the arrays in a finished cell."""
    told: Forms = {"seconds": ("f", ()), "provenance": ("U", ())}
    if cell["kind"] == "series":
        return {**told, **dict.fromkeys(EACH_CHECKPOINT, ("f", (len(cell["weights"]),)))}
    if cell["kind"] == "pretraining":
        epochs, kept = cell["pretraining"]["epochs"], len(cell["pretraining"]["checkpoints"])
        curves = dict.fromkeys(CURVES, ("f", (epochs,)))
        return {**told, **curves, **dict.fromkeys(EACH_CHECKPOINT, ("f", (kept,)))}
    settings, seeds = cell["adaptation"], len(cell["fine_tuning_seeds"])
    return {
        **told,
        "train_loss": ("f", (seeds, settings["epochs"])),
        **{name: ("f", (seeds, len(settings["measured"]))) for name in EACH_CHECKPOINT},
        **dict.fromkeys(OVERLAPS, ("f", (seeds,))),
        "learning": ("i", ()),
    }


def weight_of(cell: Cell) -> float:
    """About how much work a cell is, in images: for progress bars, and nothing else."""
    if cell["kind"] == "series":
        return 5_000.0 * len(cell["weights"])
    if cell["kind"] == "pretraining":
        images = cell["source"]["images"]
        return float(cell["pretraining"]["epochs"] * (60_000 if images == "all" else images))
    return float(cell["adaptation"]["epochs"] * cell["downstream"]["shots"] * 10 + 5_000)


def finished(chains: Sequence[Chain], place: Place) -> dict[str, tuple[int, int]]:
    """How many cells of the pre-training and of each arm are finished, and how many there are."""
    counts: dict[str, tuple[int, int]] = {}
    for chain in chains:
        for name, cell in chain.parts:
            found, total = counts.get(name, (0, 0))
            counts[name] = (found + (place.found(cell) is not None), total + 1)
    return counts
