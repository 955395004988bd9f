"""The one bisection: cells are cut until each is decided."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from numerics.certified.effort import spent

Part = TypeVar("Part")
Found = TypeVar("Found")


def bisected(
    start: Part, decide: Callable[[Part], tuple[Iterable[Found], Iterable[Part]]]
) -> Iterator[Found]:
    """What is found in a cell and in the parts it is cut into, in no order.

    Arguments:
        start: the first cell.
        decide: what a cell gives, and its parts to go on with, none once it is decided.

    >>> halves = lambda n: ([], [n // 2, n - n // 2]) if n > 2 else ([n], [])
    >>> list(bisected(5, halves))
    [2, 1, 2]
    """
    cells = [start]
    while cells:
        spent(cells=1)
        found, parts = decide(cells.pop())
        yield from found
        cells += parts
