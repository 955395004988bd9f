"""Sweeps: cells of a grid computed by any executor, each kept in a file of its own.

A cell is a dictionary of plain parameters; its file is named by their hash and written whole or not
at all, so that a sweep that is killed loses what was in flight and no more, and one that is run
again computes only what is missing. The executor is one of ``concurrent.futures``: processes of
this machine, or a Dask cluster's.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, as_completed
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, Protocol

from derive.errors import Undecided
from numerics.sweep.store import Arrays, Cell, Forms, cell_key, make_folder, read_cell, write_cell


class Submits(Protocol):
    """What ``run_cells`` asks of an executor."""

    def submit(self, function: Callable[..., Any], /, *arguments: Any) -> Future[Any]:
        """Begin a call."""


def run_cells(
    compute: Callable[[Cell], Arrays],
    cells: Sequence[Cell],
    folder: Path | None = None,
    executor: Submits | None = None,
    done: Callable[[], object] = lambda: None,
    forms: Callable[[Cell], Forms | None] = lambda cell: None,
) -> list[Arrays]:
    """Compute the cells that ``folder`` does not hold yet, and return all of them in order.

    Arguments:
        compute: a function of a module, from a cell to named arrays.
        cells: plain data, one an element of work.
        folder: keeps the finished ones, or ``None`` to keep none.
        executor: what runs them, or ``None`` for this process.
        done: called once for each finished cell.
        forms: of a cell's arrays, which a file has to have.

    Raises ``InputError`` for a folder that cannot be written and for a file there that is no cell
    of this sweep, ``Undecided`` if a worker died; what was finished is kept. Results do not depend
    on the executor.

    >>> import numpy as np
    >>> run_cells(lambda cell: {"square": np.array(cell["x"] ** 2)}, [{"x": 3}])[0]["square"]
    array(9)
    """
    results: dict[str, Arrays] = {}
    missing: dict[str, Cell] = {}
    for cell in cells:
        key = cell_key(cell)
        known = read_cell(folder, cell, forms(cell)) if folder else None
        if known is None:
            missing[key] = cell
        elif key not in results:
            results[key] = known
            done()
    if folder and missing:
        make_folder(folder)
    for key, result in _computed(compute, missing, executor):
        if folder:
            write_cell(folder, missing[key], result)
        results[key] = result
        done()
    return [results[cell_key(cell)] for cell in cells]


def _computed(
    compute: Callable[[Cell], Arrays], cells: Mapping[str, Cell], executor: Submits | None
) -> Iterator[tuple[str, Arrays]]:
    if executor is None:
        yield from ((key, compute(cell)) for key, cell in cells.items())
        return
    futures: dict[Future[Any], str] = {}
    try:
        futures |= {executor.submit(compute, dict(cell)): key for key, cell in cells.items()}
        for future in as_completed(futures):
            yield futures[future], future.result()
    except BrokenProcessPool:  # the others fail by themselves: a pool must not find them cancelled
        raise Undecided(
            "a worker process died; what was finished is kept: run the same command again"
        ) from None
    except BaseException:
        for future in futures:
            future.cancel()
        raise
