"""What a certified result took: counted where the work is done, asked for by who makes a result."""

from collections.abc import Iterator
from contextlib import contextmanager
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


class Counts:
    """What this process has done so far; its ``bits`` since last asked."""

    bits = cells = evaluations = 0

    def evaluated(self, bits: int) -> None:
        """One evaluation more, at so many bits."""
        self.evaluations += 1
        if bits > self.bits:
            self.bits = bits


DONE = Counts()


@contextmanager
def counted() -> Iterator[Effort]:
    """What is done inside, known when that is left; counts may be nested.

    >>> with counted() as effort:
    ...     DONE.cells += 2
    >>> effort
    Effort(bits=0, cells=2, evaluations=0)
    """
    bits, cells, evaluations, effort = DONE.bits, DONE.cells, DONE.evaluations, Effort()
    DONE.bits = 0
    try:
        yield effort
    finally:
        vars(effort).update(  # once, when it is known
            bits=DONE.bits, cells=DONE.cells - cells, evaluations=DONE.evaluations - evaluations
        )
        DONE.bits = max(DONE.bits, bits)
