"""``python -m transfer check``: what a task will read, build and take, before anything is run."""

from argparse import Namespace
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from derive.command.report import Report
from derive.command.tabular import Table
from transfer.experiment.commands import finished_place
from transfer.experiment.plan import (
    Chain,
    Place,
    datasets_of,
    facts_of_data,
    finished,
    images_of,
    in_words,
)
from transfer.experiment.records import Task
from transfer.experiment.report import same
from transfer.images.folder import Folder, kinds_in

_MEGABYTE = 1e6
_IMAGES = ("images", "from", "classes", "shape", "training", "test", "skipped", "files")
_PARTS = ("part", "cells", "finished", "learning", "matrices", "minutes", "megabytes")


def check_task(options: Namespace) -> Report:
    """The images are read, a model of every kind is built, two batches each are learnt from."""
    from transfer.experiment.run import prepare

    task, place, chains = finished_place(options)
    prepare(task, place)
    images = [*_images(task, place)]
    parts = [*_rehearsed(task, chains, place)]
    total = {"part": "all", **{name: sum(row[name] for row in parts) for name in
                               ("cells", "finished", "minutes", "megabytes")}}  # fmt: skip
    notes = (
        same("learning: parameters that learn; matrices: that get adapters. minutes: of one "
             "process on this machine, by two batches of each part: an estimate. megabytes: "
             "weights on disk, those of adapters only with --keep-adapters."),
    )  # fmt: skip
    tables = [
        Table("images", same(f"{task.title}: images"), _IMAGES, _cells(images, _IMAGES)),
        Table("parts", same(f"{task.title}: what it will take"), _PARTS,
              _cells([*parts, total], _PARTS), notes),
    ]  # fmt: skip
    content = {"task": task.name, "images": images, "parts": parts}
    return Report(content, tables, "heuristic", [*parts], of=in_words(facts_of_data(task, place)))


def _cells(rows: Sequence[dict[str, Any]], head: Sequence[str]) -> tuple[tuple[Any, ...], ...]:
    def shown(value: Any) -> Any:
        return f"{value:,.1f}" if isinstance(value, float) else value

    return tuple(tuple(shown(row.get(name)) for name in head) for row in rows)


def _images(task: Task, place: Place) -> Iterator[dict[str, Any]]:
    for name, part in (("source", task.source), ("downstream", task.downstream)):
        found = images_of(msgspec.to_builtins(part), place)
        kinds = kinds_in(part, place.data, place.here) if isinstance(part, Folder) else {}
        yield {
            "images": name, "from": found.origin, "classes": found.classes,
            "shape": " x ".join(map(str, found.shape)), "training": len(found.train.labels),
            "test": len(found.test.labels), "skipped": len(found.skipped),
            "files": ", ".join(f"{count} {kind}" for kind, count in kinds.items()),
        }  # fmt: skip


def _rehearsed(task: Task, chains: Sequence[Chain], place: Place) -> Iterator[dict[str, Any]]:
    """Every part with its first cell rehearsed, as many times as there are cells to compute."""
    import torch

    from transfer.learning.rehearsal import rehearse

    counts, seen = finished(chains, place), set()
    for name, cell in chains[0].parts:
        if name in seen:
            continue
        seen.add(name)
        folder = place.here if "weights" in cell else place.results / "checkpoints"
        found = rehearse(cell, datasets_of(task, place), folder, torch.device(place.device))
        done, total = counts[name]
        yield {
            "part": name, "cells": total, "finished": done, "learning": found.learning,
            "matrices": found.matrices, "minutes": (total - done) * found.seconds / 60,
            "megabytes": total * found.disk / _MEGABYTE,
        }  # fmt: skip
