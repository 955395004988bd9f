"""``python -m transfer``: choose a checkpoint, run a task, report what it found, take it along."""

import sys
from argparse import ArgumentTypeError
from collections.abc import Sequence
from pathlib import Path

from derive.command.group import Command, Group, later
from derive.command.parser import CommandParser
from derive.command.values import accepted, integer_between
from numerics.options.shared import add_options, add_shared, option
from transfer.experiment.shipped import SCALES, shipped_tasks
from transfer.extra import missing

_OF_CHECKPOINTS = {
    "images": option(str, "FOLDER", "what to adapt to: FOLDER/train/CLASS/*"),
    "shots": option(integer_between(1, 10**6), "N", "labelled images of each class"),
    "size": option(integer_between(1, 4096), "N", "side of the images, where no checkpoint says"),
    "draws": option(integer_between(3, 100), "N", "how often images are drawn", 5),
    "seed": option(integer_between(0, 2**32), "N", "of the draws", 0),
}
LIBRARIES = ("torch", "transformers", "peft", "numpy")


def _read(name: str) -> object:
    from transfer.experiment.task import read_task

    return read_task(name)


def _parser(verb: str, summary: str, examples: Sequence[str]) -> CommandParser:
    parser = CommandParser(f"transfer {verb}", summary, examples, libraries=LIBRARIES)
    parser.add_argument(
        "task",
        type=accepted(_read),
        metavar="TASK",
        help=f"a TOML file, or one of {', '.join(shipped_tasks())}",
    )
    _add_place(parser)
    return parser


def _add_place(parser: CommandParser) -> None:
    """At what scale, from what and where it is run."""
    parser.add_argument(
        "--scale", choices=SCALES, help="the paper's model and epochs instead of the task's own"
    )
    add_shared(
        parser, "results", help="where finished cells are kept (default: results/transfer/TASK)"
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
        "--device", choices=("auto", "cpu", "cuda"), default="auto", help="default: %(default)s"
    )


def _checkpoints_parser(verb: str, summary: str, examples: Sequence[str]) -> CommandParser:
    """A parser of what is asked about checkpoints, of a task or of folders."""
    parser = CommandParser(f"transfer {verb}", summary, examples, libraries=LIBRARIES)
    parser.add_argument(
        "what",
        metavar="TASK",
        help="a task as for run, or the pattern of folders of checkpoints, with --images, --shots",
    )
    add_options(parser, _OF_CHECKPOINTS)
    _add_place(parser)
    add_shared(parser, "workers", "scheduler")
    return parser


def _choose_parser() -> CommandParser:
    parser = _checkpoints_parser(
        "choose",
        "Rank checkpoints by a converged head on frozen features, before any fine-tuning.",
        ("demo", "my-task.toml --verify",
         "'runs/seed-*/checkpoint-*' --images flowers --shots 20"),
    )  # fmt: skip
    parser.add_argument(
        "--verify",
        action="store_true",
        help="adapt the best, the last and a random one, and say whether the choice was right",
    )
    return parser


def _diagnose_parser() -> CommandParser:
    parser = _checkpoints_parser(
        "diagnose",
        "Linearise LoRA about a checkpoint: the theory's a, b and rate, where they are resolved.",
        ("demo --checkpoint 10", "runs/seed-0/checkpoint-2000 --images flowers --shots 20"),
    )
    parser.add_argument(
        "--checkpoint",
        type=integer_between(0, 10**12),
        metavar="STEP",
        help="the one of that epoch or step (default: all)",
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
    add_shared(parser, "workers", "scheduler")
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
    add_shared(parser, "plot", "style")
    return parser


def _check_parser() -> CommandParser:
    return _parser(
        "check",
        "Say what a task will read, build and take, before anything is run.",
        ("demo", "my-task.toml --data-dir ~/data"),
    )


def _export_parser() -> CommandParser:
    parser = _parser(
        "export",
        "Write finished checkpoints and kept adapters as transformers and peft read them.",
        ("demo --to exported",),
    )
    parser.add_argument(
        "--to", type=Path, required=True, metavar="FOLDER", help="a new folder to write to"
    )
    return parser


main = Group(
    "python -m transfer",
    "Choose a checkpoint, run a transfer task, report what it found, take its models along.",
    {
        "check": Command(_check_parser, later("transfer.experiment.check", "check_task")),
        "choose": Command(_choose_parser, later("transfer.experiment.choose", "choose_checkpoint")),
        "diagnose": Command(
            _diagnose_parser, later("transfer.experiment.diagnose", "diagnose_checkpoints")
        ),
        "run": Command(_run_parser, later("transfer.experiment.commands", "run_task")),
        "status": Command(_status_parser, later("transfer.experiment.commands", "status_of_task")),
        "report": Command(_report_parser, later("transfer.experiment.commands", "report_of_task")),
        "export": Command(_export_parser, later("transfer.experiment.export", "export_task")),
    },
    lambda: f"tasks: {', '.join(shipped_tasks())}",
    missing,
)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
