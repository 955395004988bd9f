"""``python -m transfer check``: what a task will read, build and take, before anything is run."""

from argparse import Namespace
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from derive.command.prose import prose
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
from transfer.images.folder import Folder, kinds_in

_MEGABYTE, _TERA = 1e6, 1e12
_IMAGES = ("images", "from", "classes", "shape", "training", "test", "skipped", "files")
_PARTS = ("part", "cells", "finished", "learning", "matrices", "minutes", "megabytes", "steps",
          "launches", "teraflop")  # fmt: skip
_SUMMED = ("cells", "finished", "minutes", "megabytes", "steps", "launches", "teraflop")


def check_task(options: Namespace) -> Report:
    """The images are read, a model of every kind is built, two batches each are learnt from.

    With ``--device cuda`` where there is no GPU nothing is timed, and all else is as on one.
    """
    from transfer.experiment.run import prepare

    task, place, chains = finished_place(options)
    prepare(task, place)
    images = [*_images(task, place)]
    parts = [*_rehearsed(task, chains, place)]
    total = {"part": "all", **{name: _sum(row[name] for row in parts) for name in _SUMMED}}
    notes = (
        prose("learning: parameters that learn; matrices: that get adapters. minutes: of one "
              "process on this machine, by two batches of each part: an estimate. megabytes: "
              "weights on disk, those of adapters only with --keep-adapters."),
        prose("steps: of training, one after another; launches: of operations before any are "
              "fused, likewise; teraflop: of matrix products. All as if nothing were finished, for "
              "one process; on a GPU the seeds and checkpoints of a protocol take their steps at "
              "once."),
    )  # fmt: skip
    tables = [
        Table("images", prose(f"{task.title}: images"), _IMAGES, _cells(images, _IMAGES)),
        Table("parts", prose(f"{task.title}: what it will take"), _PARTS,
              _cells([*parts, total], _PARTS), notes),
    ]  # fmt: skip
    content = {"task": task.name, "images": images, "parts": parts}
    return Report(content, tables, "heuristic", [*parts], of=in_words(facts_of_data(task, place)))


def _sum(values: Iterable[Any]) -> Any:
    """Of numbers; ``None`` if there is none."""
    found = [value for value in values if value is not None]
    return sum(found) if found else None


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

    there = place.device == "cpu" or torch.cuda.is_available()
    device = torch.device(place.device if there else "cpu")
    counts, seen = finished(chains, place), set()
    for name, cell in chains[0].parts:
        if name in seen:
            continue
        seen.add(name)
        images = datasets_of(task, place)
        found = rehearse(cell, images, place.checkpoints(cell), device, timed=there)
        done, total = counts[name]
        own = [cell for part, cell in chains[0].parts if part == name]
        at_once = len(own) if place.device != "cpu" else 1
        seconds = (total - done) * found.seconds
        yield {
            "part": name, "cells": total, "finished": done, "learning": found.learning,
            "matrices": found.matrices, "minutes": seconds / 60 if there else None,
            "megabytes": total * found.disk / _MEGABYTE, "steps": total // at_once * found.steps,
            "launches": total // at_once * found.launches, "teraflop": total * found.flop / _TERA,
        }  # fmt: skip
