"""What a certified result took: counted where the work is done, asked for by who makes a result."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class Effort:
    """What was done for a result.

    Fields: ``bits`` of working precision, the most; ``cells`` into which an interval was cut;
    ``evaluations`` of functions on balls and at rationals, those within integrals included.
    """

    bits: int = 0
    cells: int = 0
    evaluations: int = 0


class Count:
    """A count that goes on."""

    def __init__(self) -> None:
        self.bits = self.cells = self.evaluations = 0

    def add(self, bits: int, cells: int, evaluations: int) -> None:
        """Cells and evaluations more, at so many bits."""
        if bits > self.bits:
            self.bits = bits
        self.cells += cells
        self.evaluations += evaluations

    @property
    def effort(self) -> Effort:
        """What was counted so far."""
        return Effort(self.bits, self.cells, self.evaluations)


_COUNT: ContextVar[Count | None] = ContextVar("count", default=None)


def spent(bits: int = 0, cells: int = 0, evaluations: int = 0) -> None:
    """Tell the count of this thread, if there is one, of work that is done.

    Arguments:
        bits: the precision used.
        cells: of a bisection.
        evaluations: of functions.
    """
    if (count := _COUNT.get()) is not None:
        count.add(bits, cells, evaluations)


@contextmanager
def counted() -> Iterator[Count]:
    """Count what is done inside; counts may be nested, and an outer one holds the inner ones.

    Not counted is what other threads and processes do, those begun inside included, and what was
    done before and is only looked up, as in caches.

    >>> with counted() as count:
    ...     spent(cells=2)
    >>> count.effort
    Effort(bits=0, cells=2, evaluations=0)
    """
    outer, count = _COUNT.get(), Count()
    before = _COUNT.set(count)
    try:
        yield count
    finally:
        _COUNT.reset(before)
        if outer is not None:
            outer.add(count.bits, count.cells, count.evaluations)
