"""Cells in a folder of results that a task does not take up, though they look like its own.

Nothing is begun again, and nothing left out of a report, without a word on what differs: the
images, the device, or the version of what a cell means.
"""

import sys
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from derive.errors import InputError
from numerics.sweep.store import Cell, cell_key, cells_in
from transfer.experiment.plan import Chain, Place, finished

KINDS = {
    "images": "give the --data-dir they were run with, or another --results",
    "version": "their fine-tunings cannot be taken up, for what a cell means has changed since",
    "device": "results of different devices are not mixed: choose with --device",
}
_PARTS = ("source", "downstream")


def tell_of_strangers(
    chains: Sequence[Chain], place: Place, refused: Collection[str] = ("images",)
) -> None:
    """Say on stderr what cells the folder holds that differ from missing ones in one of ``KINDS``.

    Arguments:
        chains: of the task.
        place: its folders.
        refused: names of kinds.

    Raises ``InputError`` instead if they are of a kind that is ``refused`` and no fine-tuning of
    the task's own is there.
    """
    counts = finished(chains, place)
    if all(found == total for found, total in counts.values()):
        return
    begun = any(found for name, (found, _) in counts.items() if name != "pre-training")
    for kind, number, detail in _strangers(chains, place):
        message = (
            f"{place.results.name[-60:]} holds {number} cells of {detail} than asked for: "
            f"{KINDS[kind]}"
        )
        if kind in refused and not begun:
            raise InputError(message)
        print(f"python -m transfer: {message}", file=sys.stderr)


def _strangers(chains: Sequence[Chain], place: Place) -> Iterator[tuple[str, int, str]]:
    """Each kind with how many cells there are of it, and an example in words."""
    own = {cell_key(cell): cell for chain in chains for _, cell in chain.parts}
    alike = {cell_key(_common(cell)): cell for cell in own.values()}
    found: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for cell in cells_in(place.cells, own):
        mate = alike.get(cell_key(_common(cell)))
        told = mate and _difference(cell, mate)
        if told:
            found[told[0]].append(told[1])
    yield from ((kind, len(all_), all_[-1]) for kind, all_ in found.items() if all_)


def _common(cell: Cell) -> dict[str, Any]:
    """A cell without what strangers differ in, nor what follows from it."""
    own = {"run", "version", "device", "fine_tuning_seeds"}
    left = {name: value for name, value in cell.items() if name not in own}
    return left | {part: {**left[part], "digest": ""} for part in _PARTS if part in left}


def _difference(cell: Cell, mate: Cell) -> tuple[str, str] | None:
    """The first kind in which two cells differ, and how."""
    for part in _PARTS:
        if part in cell and cell[part]["digest"] != mate[part]["digest"]:
            name = cell[part].get("dataset") or cell[part]["folder"][-40:]
            digests = cell[part]["digest"], mate[part]["digest"]
            return "images", f"other images of {name} (digest {digests[0]}, not {digests[1]})"
    for kind in ("version", "device"):
        if cell[kind] != mate[kind]:
            return kind, f"another {kind} ({cell[kind]}, not {mate[kind]})"
    return None
