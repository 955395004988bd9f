"""``python -m transfer``: choose a checkpoint, run a task, report what it found, take it along."""

import sys
from argparse import ArgumentTypeError
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from derive.command.files import OutputFolder
from derive.command.group import Command, Group, later
from derive.command.parser import CommandParser
from derive.command.values import accepted, integer_between
from derive.errors import quoted
from numerics.options.shared import SHARED, Settings, add_options, add_shared, option
from transfer.experiment.shipped import SCALES, shipped_tasks
from transfer.extra import missing

LIBRARIES = ("torch", "transformers", "peft", "safetensors", "numpy")


def _read(name: str) -> object:
    from transfer.experiment.task import read_task

    return read_task(name)


def _folder(text: str) -> Path:
    folder = Path(text)
    if not folder.is_dir():
        raise ArgumentTypeError(
            f"folder {quoted(folder)} does not exist: give the one with the data"
        )
    return folder


_OF_CHECKPOINTS = {
    "images": option(str, "FOLDER", "what to adapt to: FOLDER/train/CLASS/*"),
    "shots": option(integer_between(1, 10**6), "N", "labelled images of each class"),
    "size": option(integer_between(1, 4096), "N", "side of the images, where no checkpoint says"),
    "draws": option(integer_between(3, 100), "N", "how often images are drawn", 5),
    "seed": option(integer_between(0, 2**32), "N", "of the draws", 0),
}
# At what scale, from what and where it is run.
_PLACE: dict[str, Settings] = {
    "scale": {"choices": SCALES,
              "help": "the paper's model and epochs instead of the task's own"},
    "results": SHARED["results"] | {
        "help": "where finished cells are kept (default: results/transfer/TASK)"},
    "data-dir": option(_folder, "FOLDER", "where datasets are looked for first, each in a folder "
                       "of its name"),
    "hub": {"action": "store_true", "help": "fetch datasets that are not found from a hub"},
    "device": {"choices": ("auto", "cpu", "cuda"), "default": "auto",
               "help": "default: %(default)s"},
}  # fmt: skip


@dataclass(frozen=True)
class _Verb:
    """What a command does with a task.

    Fields: ``summary``, ``examples``; ``action``, a module of ``transfer.experiment`` and its
    function; ``shared`` options, and ``own`` ones; ``of_checkpoints``, whether it is asked about
    checkpoints, of a task or of folders; ``libraries`` besides those of all.
    """

    summary: str
    examples: tuple[str, ...]
    action: tuple[str, str]
    shared: tuple[str, ...] = ()
    own: Mapping[str, Settings] = field(default_factory=dict)
    of_checkpoints: bool = False
    libraries: tuple[str, ...] = ()

    def parser(self, verb: str) -> CommandParser:
        """Its parser."""
        parser = CommandParser(
            f"transfer {verb}", self.summary, self.examples,
            libraries=(*LIBRARIES, *self.libraries),
        )  # fmt: skip
        if self.of_checkpoints:
            told = "a task as for run, or the pattern of folders of checkpoints, with --images, "
            parser.add_argument("what", metavar="TASK", help=f"{told}--shots")
            add_options(parser, _OF_CHECKPOINTS)
        else:
            told = f"a TOML file, or one of {', '.join(shipped_tasks())}"
            parser.add_argument("task", type=accepted(_read), metavar="TASK", help=told)
        add_options(parser, _PLACE)
        add_shared(parser, *self.shared)
        add_options(parser, self.own)
        return parser


_VERBS = {
    "check": _Verb(
        "Say what a task will read, build and take, before anything is run.",
        ("demo", "my-task.toml --data-dir ~/data"), ("check", "check_task"),
    ),
    "choose": _Verb(
        "Rank checkpoints by a converged head on frozen features, before any fine-tuning.",
        ("demo", "my-task.toml --verify",
         "'runs/seed-*/checkpoint-*' --images flowers --shots 20"),
        ("choose", "choose_checkpoint"), ("workers", "scheduler"),
        {"verify": {"action": "store_true", "help": "adapt the best, the last and a random one, "
                    "and say whether the choice was right"}},
        of_checkpoints=True, libraries=("scipy",),
    ),
    "diagnose": _Verb(
        "Linearise LoRA about a checkpoint: the theory's a, b and rate, where they are resolved.",
        ("demo --checkpoint 10", "runs/seed-0/checkpoint-2000 --images flowers --shots 20"),
        ("diagnose", "diagnose_checkpoints"), ("workers", "scheduler"),
        {"checkpoint": option(integer_between(0, 10**12), "STEP",
                              "the one of that epoch or step (default: all)")},
        of_checkpoints=True, libraries=("scipy",),
    ),
    "run": _Verb(
        "Run a task, or what is missing of it.",
        ("demo", "fashion-mnist-to-mnist --workers 2", "my-task.toml --data-dir ~/data",
         "fashion-mnist-to-shifted --scale paper --device cuda"),
        ("commands", "run_task"), ("workers", "scheduler"),
        {"keep-adapters": {"action": "store_true", "help": "keep adapters and heads as "
                           "safetensors; runs finished without them go again"}},
    ),
    "status": _Verb(
        "Say how much of a task is finished.", ("demo",), ("commands", "status_of_task"),
    ),
    "report": _Verb(
        "Print the tables of a task, or as much as is there, and the verdict.",
        ("demo", "demo --format markdown --plot demo.pdf"), ("commands", "report_of_task"),
        ("plot", "style"), libraries=("scipy", "xarray"),
    ),
    "export": _Verb(
        "Write finished checkpoints and kept adapters as transformers and peft read them.",
        ("demo --to exported",), ("export", "export_task"),
        own={"to": option(OutputFolder(), "FOLDER", "a new folder to write to", required=True)},
    ),
}  # fmt: skip


def _command(verb: str, known: _Verb) -> Command:
    module, function = known.action
    return Command(partial(known.parser, verb), later(f"transfer.experiment.{module}", function))


main = Group(
    "python -m transfer",
    "Choose a checkpoint, run a transfer task, report what it found, take its models along.",
    {verb: _command(verb, known) for verb, known in _VERBS.items()},
    lambda: f"tasks: {', '.join(shipped_tasks())}",
    missing,
)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
