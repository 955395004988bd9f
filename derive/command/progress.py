"""Progress, told on stderr: a bar on a terminal, elsewhere a line now and then."""

import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import TypeVar

T = TypeVar("T")

_SILENCE = 30  # seconds without a word, at least, where progress is told by lines


@contextmanager
def advancing(total: float, what: str) -> Iterator[Callable[..., object]]:
    """Tell of progress on stderr: by a bar on a terminal, elsewhere by lines half a minute apart.

    Arguments:
        total: a count or, if no integer, a sum of weights.
        what: what is counted, in the plural.

    The result is a function to be called, from any thread, with what was done since (1 by default).
    An interrupt is told how far it got.
    """
    lock = threading.Lock()
    done: float = 0
    with _telling(total, what) as tell:

        def advance(more: float = 1) -> None:
            nonlocal done
            with lock:
                done += more
                tell(more, done)

        try:
            yield advance
        except KeyboardInterrupt as stop:
            if total:
                stop.add_note(f"after {min(done / total, 1):.0%} of the {what}")
            raise


@contextmanager
def _telling(total: float, what: str) -> Iterator[Callable[[float, float], object]]:
    """What tells of progress, of what is new and of all that is done."""
    if sys.stderr.isatty():
        from tqdm import tqdm  # costs start-up time that only a terminal is willing to pay

        scaled = not isinstance(total, int)
        with tqdm(total=total, desc=what, unit_scale=scaled, file=sys.stderr, leave=False,
                  delay=1) as bar:  # fmt: skip
            yield lambda more, done: bar.update(more)
        return
    told = begun = time.monotonic()

    def tell(more: float, done: float) -> None:
        nonlocal told
        now = time.monotonic()
        if now - told < _SILENCE:
            return
        told = now
        line = f"{what}: {done / total:.0%} done after {(now - begun) / 60:.1f} minutes"
        with suppress(OSError):  # nobody may be listening any more
            print(line, file=sys.stderr, flush=True)

    yield tell


def progress(items: Sequence[T], what: str) -> Iterator[T]:
    """Iterate over ``items``, telling of it as ``advancing`` does."""
    with advancing(len(items), what) as advance:
        for item in items:
            yield item
            advance()
