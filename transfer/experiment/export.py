"""``python -m transfer export``: what a task has made, for transformers and peft to read."""

from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path

from derive.command.prose import prose
from derive.command.report import Report
from derive.command.tabular import Table
from derive.errors import InputError, quoted
from transfer.experiment.commands import finished_place
from transfer.experiment.plan import Chain, Place, datasets_of, facts_of_data, in_words
from transfer.experiment.records import Task

Row = tuple[str, int, int, str]  # part, seed, checkpoint, folder


def export_task(options: Namespace) -> Report:
    """Every finished checkpoint, and every adapter that was kept, is written to a new folder."""
    task, place, chains = finished_place(options)
    to: Path = options.to
    if to.exists():
        raise InputError(f"{quoted(to)} is there already: give the name of a new folder")
    try:
        to.mkdir(parents=True)
    except OSError as error:
        raise InputError(f"{quoted(to)} cannot be made ({error.strerror})") from None
    rows = tuple(_exported(task, chains, place, to))
    if not rows:
        to.rmdir()
        raise InputError(
            f"nothing to export is finished in {place.results}: run the task first, with "
            "--keep-adapters if its adapters are wanted"
        )
    head = ("part", "seed", "checkpoint", "folder")
    notes = (
        prose("A checkpoint: AutoModelForImageClassification.from_pretrained(FOLDER)."),
        prose("An adapter: PeftModel.from_pretrained(model, FOLDER) on the checkpoint of its "
              "facts.json, loaded with num_labels=CLASSES, ignore_mismatched_sizes=True."),
    )  # fmt: skip
    table = Table("export", prose(f"{task.title}: exported to {to.name}"), head, rows, notes)
    of = in_words(facts_of_data(task, place))
    return Report([dict(zip(head, row, strict=True)) for row in rows], [table], "exact", of=of)


def _exported(task: Task, chains: Sequence[Chain], place: Place, to: Path) -> Iterator[Row]:
    from transfer.learning.adapt import adapter_path
    from transfer.learning.export import export_adapters, export_checkpoints

    images = datasets_of(task, place)
    kept = place.kept_adapters
    for chain in chains:
        first = chain.pretraining
        if first["kind"] == "pretraining" and place.found(first):
            written = export_checkpoints(first, images[0], place.checkpoints(first), to)
            epochs = first["pretraining"]["checkpoints"]
            for epoch, folder in zip(epochs, written, strict=True):
                yield "pre-training", first["seed"], epoch, folder.relative_to(to).as_posix()
        for arm, cell in chain.adaptations:
            paths = [adapter_path(kept, cell, seed) for seed in cell["fine_tuning_seeds"]]
            if not all(path.exists() for path in paths) or place.found(cell) is None:
                continue
            folders = (place.checkpoints(cell), kept)
            for folder in export_adapters(arm, cell, images, folders, to):
                yield arm, cell["seed"], cell["checkpoint"], folder.relative_to(to).as_posix()
