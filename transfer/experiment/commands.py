"""What the commands do: run a task, say how far it is, report what it found."""

import os
import re
import sys
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from derive.command.progress import advancing
from derive.command.prose import prose
from derive.command.report import Report
from derive.command.tabular import Table
from derive.errors import InputError, quoted
from numerics.options.values import figure_files, refuse_idle_style
from numerics.sweep.executors import executor_for
from transfer.experiment.plan import (
    Chain,
    Place,
    chains_of,
    datasets_of,
    facts_of_data,
    finished,
    in_words,
    weight_of,
)
from transfer.experiment.records import Task
from transfer.experiment.report import (
    CONDITION,
    comparisons,
    data_note,
    decline,
    rows,
    tables,
    verdict,
)
from transfer.experiment.results import results_of
from transfer.experiment.strangers import KINDS, tell_of_strangers
from transfer.experiment.task import read_task

_LAUNCHED = ("WORLD_SIZE", "RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")


def task_and_place(options: Namespace, device: str) -> tuple[Task, Place]:
    """The task, and where it is run on a device; the provenance says of which images."""
    task = read_task(options.task, options.scale)
    folder = options.results or Path("results") / "transfer" / task.name
    data = options.data_dir and options.data_dir.resolve()  # workers may be in other folders
    adapters = getattr(options, "keep_adapters", False)
    place = Place(folder.resolve(), data, options.hub, device, adapters)
    images = in_words(facts_of_data(task, place))
    return task, replace(place, provenance=f"{options.source} | {images}")


def finished_place(options: Namespace) -> tuple[Task, Place, list[Chain]]:
    """The task where it was run: with ``auto``, on the device of which there are results."""
    devices = ("cuda", "cpu") if options.device == "auto" else (options.device,)
    for device in devices:
        task, place = task_and_place(options, device)
        chains = chains_of(task, place)
        if any(found for found, _ in finished(chains, place).values()):
            break
    return task, place, chains


def device_of(options: Namespace) -> str:
    """``cpu`` or ``cuda``, as asked for or as there is; raises ``InputError`` if there is none."""
    import torch  # here, so that bad usage is told at once

    device: str = options.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("--device cuda: there is no GPU that PyTorch can use; give --device cpu")
    if device == "cuda" and (options.scheduler or options.workers):
        raise InputError(
            "--scheduler and --workers are for CPUs: give --device cpu, or start several "
            "processes with accelerate launch"
        )
    if device == "cpu":
        torch.set_num_threads(1)  # a process that has started threads cannot be forked safely
    return device


def run_task(options: Namespace) -> Report:
    """What is missing of a task is run; then what is finished is shown."""
    from transfer.experiment.run import prepare

    device = device_of(options)
    task, place = task_and_place(options, device)
    prepare(task, place)
    _tell_of_skipped(task, place)
    chains = chains_of(task, place)
    tell_of_strangers(chains, place)
    share = share_of_processes(place)
    mine, own = share or (slice(None), place)
    compute(chains[mine], own, options, alone=share is not None or device == "cuda")
    return _status_of(task, chains, place)


def _tell_of_skipped(task: Task, place: Place) -> None:
    """Name on stderr every file that is no image and was skipped as the task says."""
    for dataset in dict.fromkeys(datasets_of(task, place)):
        for file in dataset.skipped:
            print(f"skipped, no image: {dataset.origin}/{file}", file=sys.stderr)


def share_of_processes(place: Place) -> tuple[slice, Place] | None:
    """Which chains are this process's, on which device, if a launcher has started several.

    One that ``accelerate launch`` uses sets all of ``_LAUNCHED``. A scheduler of a cluster may have
    left some of them, which says nothing; on stderr stands what was made of them.
    """
    given = {name: os.environ.get(name, "") for name in _LAUNCHED}
    if os.environ.get("WORLD_SIZE", "1") == "1":
        return None
    numbers = [int(n) if re.fullmatch(r"[0-9]{1,6}", n) else -1 for n in list(given.values())[:3]]
    total, rank, local = numbers
    if not (0 <= rank < total and local >= 0 and all(given.values())):
        shown = " ".join(f"{name}={quoted(value)}" for name, value in given.items())
        print(f"no launcher sets {shown}: ignored, this process runs everything", file=sys.stderr)
        return None
    print(f"process {rank + 1} of {total}: runs its share of the pre-training seeds",
          file=sys.stderr)  # fmt: skip
    if place.device == "cpu":
        return slice(rank, None, total), place
    import torch

    if local >= torch.cuda.device_count():
        raise InputError(
            f"LOCAL_RANK={local}, but there are {torch.cuda.device_count()} GPUs here: start at "
            "most one process a GPU"
        )
    torch.cuda.set_device(local)
    return slice(rank, None, total), replace(place, device=f"cuda:{local}")


def compute(chains: Sequence[Chain], place: Place, options: Namespace, alone: bool) -> None:
    """What is missing of the chains, in this process if ``alone``, else by workers.

    Arguments:
        chains: of the task.
        place: its folders.
        options: of the workers.
        alone: whether this process does it.
    """
    from transfer.experiment.run import run_experiment

    work = sum(weight_of(cell) for chain in chains for _, cell in chain.parts)
    with advancing(work, "images") as advance:
        if alone:
            run_experiment(chains, place, None, advance)
            return
        with executor_for(options.scheduler, options.workers) as executor:
            run_experiment(chains, place, executor, advance)


def status_of_task(options: Namespace) -> Report:
    """How much of a task is finished."""
    task, place, chains = finished_place(options)
    tell_of_strangers(chains, place)
    return _status_of(task, chains, place)


def _status_of(task: Task, chains: Sequence[Chain], place: Place) -> Report:
    head = ("part", "finished", "cells")
    found = tuple((name, *counts) for name, counts in finished(chains, place).items())
    data = facts_of_data(task, place)
    title = prose(f"{task.title}: finished cells in {place.results.name}")
    table = Table("status", title, head, found, (data_note(data),))
    records = [dict(zip(head, row, strict=True)) for row in found]
    return Report(records, [table], "exact", of=in_words(data))


def report_of_task(options: Namespace) -> Report:
    """The tables of a task, or as much as is there, the verdict, and the curves."""
    refuse_idle_style(options)
    task, place, chains = finished_place(options)
    tell_of_strangers(chains, place, refused=tuple(KINDS))
    data = results_of(task, place)
    if not data.pretrained.any():
        raise InputError(
            f"nothing is finished in {place.results}: run it first, python -m transfer run TASK"
        )
    files: dict[Path, bytes] = {}
    if options.plot:
        from transfer.experiment.figure import draw_transfer

        draw = partial(draw_transfer, task, data, source=place.provenance)
        files = figure_files(options.plot, draw, options.style, place.provenance)
    measurements = rows(task, data)
    content = {
        "task": task.name,
        "verdict": verdict(task, data),
        "decline": decline(task, data),
        "intervals": CONDITION,
        "comparisons": comparisons(task, data),
        "data": data.attrs["data"],
        "runs": measurements,
    }
    of = in_words(data.attrs["data"])
    return Report(content, tables(task, data), "heuristic", measurements, files, of)
