"""``python -m transfer``: run a transfer task, see how far it is, report what it found."""

import os
import re
import sys
from argparse import ArgumentTypeError, Namespace
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from derive.command.messages import show
from derive.command.parser import CommandParser
from derive.command.progress import advancing
from derive.command.report import Report
from derive.command.run import run
from derive.command.tabular import Table
from derive.command.values import accepted, integer_between
from derive.errors import InputError
from numerics.options.values import figure_path
from numerics.sweep.executors import executor_for
from transfer.experiment.plan import (
    Chain,
    Place,
    chains_of,
    facts_of_data,
    finished,
    in_words,
    weight_of,
)
from transfer.experiment.strangers import KINDS, tell_of_strangers
from transfer.experiment.task import SCALES, Task, read_task, shipped_tasks

LIBRARIES = ("torch", "transformers", "peft", "numpy")
_LAUNCHED = ("WORLD_SIZE", "RANK", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")


def _parser(verb: str, summary: str, examples: Sequence[str]) -> CommandParser:
    parser = CommandParser(f"transfer {verb}", summary, examples, libraries=LIBRARIES)
    parser.add_argument(
        "task",
        type=accepted(read_task),
        metavar="TASK",
        help=f"a TOML file, or one of {', '.join(shipped_tasks())}",
    )
    parser.add_argument(
        "--scale", choices=SCALES, help="the paper's model and epochs instead of the task's own"
    )
    parser.add_argument(
        "--results",
        type=Path,
        metavar="FOLDER",
        help="where finished cells are kept (default: results/transfer/TASK)",
    )
    parser.add_argument(
        "--data-dir",
        type=_folder,
        metavar="FOLDER",
        help="where datasets are looked for first, each in a folder of its name",
    )
    parser.add_argument(
        "--hub", action="store_true", help="fetch datasets that are not found from a hub"
    )
    parser.add_argument(
        "--device", choices=("auto", "cpu", "cuda"), default="auto", help="default: auto"
    )
    return parser


def _folder(text: str) -> Path:
    if not Path(text).is_dir():
        raise ArgumentTypeError(f"folder {text[:60]!r} does not exist: give the one with the data")
    return Path(text)


def _run_parser() -> CommandParser:
    parser = _parser(
        "run",
        "Run a task, or what is missing of it.",
        ("demo", "fashion-mnist-to-mnist --workers 2", "my-task.toml --data-dir ~/data",
         "fashion-mnist-to-shifted --scale paper --device cuda"),
    )  # fmt: skip
    parser.add_argument(
        "--workers",
        type=integer_between(1, 1024),
        metavar="N",
        help="processes, each of one thread (default: one a core)",
    )
    parser.add_argument("--scheduler", metavar="ADDRESS", help="use the cluster of this scheduler")
    parser.add_argument(
        "--keep-adapters",
        action="store_true",
        help="keep adapters and heads as safetensors; runs finished without them go again",
    )
    return parser


def _status_parser() -> CommandParser:
    return _parser("status", "Say how much of a task is finished.", ("demo",))


def _report_parser() -> CommandParser:
    parser = _parser(
        "report",
        "Print the tables of a task, or as much as is there, and the verdict.",
        ("demo", "demo --format markdown --plot demo.pdf"),
    )
    parser.add_argument(
        "--plot",
        type=figure_path,
        metavar="FILE",
        help="draw the curves as .pdf, .png or .svg, with their data beside as .csv",
    )
    return parser


def _task_and_place(options: Namespace, device: str) -> tuple[Task, Place]:
    """The task, and where it is run; the provenance says of which images."""
    task = read_task(options.task, options.scale)
    folder = options.results or Path("results") / "transfer" / task.name
    data = options.data_dir and options.data_dir.resolve()  # workers may be in other folders
    adapters = getattr(options, "keep_adapters", False)
    place = Place(folder.resolve(), data, options.hub, device, adapters)
    images = in_words(facts_of_data(task, place))
    return task, replace(place, provenance=f"{options.source} | {images}")


def _finished_place(options: Namespace) -> tuple[Task, Place, list[Chain]]:
    """The task where it was run: with ``auto``, on the device of which there are results."""
    devices = ("cuda", "cpu") if options.device == "auto" else (options.device,)
    for device in devices:
        task, place = _task_and_place(options, device)
        chains = chains_of(task, place)
        if any(found for found, _ in finished(chains, place).values()):
            break
    return task, place, chains


def _run(options: Namespace) -> Report:
    import torch  # here, so that bad usage is told at once

    from transfer.experiment.run import prepare

    device = options.device
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("--device cuda: there is no GPU that PyTorch can use; give --device cpu")
    if device == "cuda" and (options.scheduler or options.workers):
        raise InputError(
            "--scheduler and --workers are for CPUs: give --device cpu, or start several "
            "processes with accelerate launch"
        )
    task, place = _task_and_place(options, device)
    if device == "cpu":
        torch.set_num_threads(1)  # a process that has started threads cannot be forked safely
    prepare(task, place)
    chains = chains_of(task, place)
    tell_of_strangers(chains, place)
    share = _share_of_processes(place)
    mine, own = share or (slice(None), place)
    _computed(chains[mine], own, options, alone=share is not None or device == "cuda")
    return _status_of(task, chains, place)


def _share_of_processes(place: Place) -> tuple[slice, Place] | None:
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
        shown = " ".join(f"{name}={value[:20]!r}" for name, value in given.items())
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


def _computed(chains: Sequence[Chain], place: Place, options: Namespace, alone: bool) -> None:
    from transfer.experiment.run import run_experiment

    cells = [
        cell for chain in chains for cell in (chain.pretraining, *(c for _, c in chain.adaptations))
    ]
    with advancing(float(sum(map(weight_of, cells))), "images") as advance:
        if alone:
            run_experiment(chains, place, None, advance)
            return
        with executor_for(options.scheduler, options.workers) as executor:
            run_experiment(chains, place, executor, advance)


def _status(options: Namespace) -> Report:
    task, place, chains = _finished_place(options)
    tell_of_strangers(chains, place)
    return _status_of(task, chains, place)


def _status_of(task: Task, chains: Sequence[Chain], place: Place) -> Report:
    from transfer.experiment.report import data_note, same

    head = ("part", "finished", "cells")
    found = tuple((name, *counts) for name, counts in finished(chains, place).items())
    data = facts_of_data(task, place)
    title = same(f"{task.title}: finished cells in {place.results.name}")
    table = Table("status", title, head, found, (data_note(data),))
    records = [dict(zip(head, row, strict=True)) for row in found]
    return Report(records, [table], "exact", of=in_words(data))


def _report(options: Namespace) -> Report:
    from transfer.experiment.report import CONDITION, comparisons, rows, tables, verdict
    from transfer.experiment.results import results_of

    task, place, chains = _finished_place(options)
    tell_of_strangers(chains, place, refused=tuple(KINDS))
    data = results_of(task, place)
    if not data.pretrained.any():
        raise InputError(
            f"nothing is finished in {place.results}: run it first, python -m transfer run TASK"
        )
    files: dict[Path, bytes] = {}
    if options.plot:
        from transfer.experiment.figure import draw_transfer

        drawn = draw_transfer(task, data, options.plot.suffix[1:].lower(), place.provenance)
        files = dict(zip(figure_path.files(options.plot), drawn, strict=True))
    measurements = rows(task, data)
    content = {
        "task": task.name,
        "verdict": verdict(task, data),
        "intervals": CONDITION,
        "comparisons": comparisons(task, data),
        "data": data.attrs["data"],
        "runs": measurements,
    }
    of = in_words(data.attrs["data"])
    return Report(content, tables(task, data), "heuristic", measurements, files, of)


_VERBS: dict[str, tuple[Callable[[], CommandParser], Callable[[Namespace], Report]]] = {
    "run": (_run_parser, _run),
    "status": (_status_parser, _status),
    "report": (_report_parser, _report),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``python -m transfer`` and return its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given or given[0] not in _VERBS:
        return _usage(given)
    make, action = _VERBS[given[0]]
    return run(make(), action, given[1:])


def _usage(given: Sequence[str]) -> int:
    lines = "\n".join(f"  {make().prog} TASK   {make().description}" for make, _ in _VERBS.values())
    if given[:1] in (["-h"], ["--help"]):
        tasks = f"tasks: {', '.join(shipped_tasks())}"
        last = "--help after run, status or report shows the options"
        return show(f"{__doc__}\n\n{lines}\n\n{tasks}\n{last}", "python -m transfer")
    what = repr(given[0][:40]) if given else "nothing"
    print(
        f"python -m transfer: error: {what} was given: give run, status or report, then a task",
        file=sys.stderr,
    )
    return 2


if __name__ == "__main__":
    raise SystemExit(main())
