"""A count that the processes of this machine add to while they work, so that one of them can tell.

It is a small file that all of them map: each adds to a place of its own, and needs no lock.
"""

import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_PLACES = 4096  # of processes, by their number; two in one place may lose a little of the count
_PAUSE = 0.5  # seconds between two looks


def place_in(meter: Path | None) -> NDArray[np.int64]:
    """This process's place in a meter, an array of one entry to be added to; without one, a new."""
    if meter is None:
        return np.zeros(1, dtype=np.int64)
    own = os.getpid() % _PLACES
    places: NDArray[np.int64] = np.memmap(meter, dtype=np.int64, mode="r+")[own : own + 1]
    return places


@contextmanager
def metering(advance: Callable[[float], object]) -> Iterator[Path]:
    """A new meter, whose count is passed on as it grows and once at the end.

    Arguments:
        advance: called with what was added since, from another thread.
    """
    with tempfile.TemporaryDirectory() as folder:
        path, ended = Path(folder) / "meter", threading.Event()
        np.zeros(_PLACES, dtype=np.int64).tofile(path)
        places, before = np.memmap(path, dtype=np.int64, mode="r"), 0

        def look() -> None:
            nonlocal before
            if more := int(places.sum()) - before:
                before += more
                advance(more)

        def watch() -> None:
            while not ended.wait(_PAUSE):
                look()

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        try:
            yield path
        finally:
            ended.set()
            watcher.join()
            look()
