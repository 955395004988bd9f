"""The one loop that raises the working precision until a question is settled.

``flint.good`` asks for relative accuracy alone, at a precision it pads itself; here a sign, a zero
or several numbers may be what is asked, and enclosures do not depend on the release of FLINT.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar

from flint import arb, ctx

from derive.errors import Undecided
from numerics.certified.effort import spent

T = TypeVar("T")
MOST_BITS = 4096


def settled(
    compute: Callable[[int], T],
    known: Callable[[T], bool],
    question: str = "",
    *,
    first: int,
    most: int | None = MOST_BITS,
    guard: int = 0,
) -> tuple[T, int]:
    """Double the bits until what is computed with them is known, and say how many it took.

    Arguments:
        compute: a value from bits, at a working precision of ``guard`` more.
        known: whether the value settles the question.
        question: what is open otherwise, for the error.
        first, most: bits to begin with, and at most; ``None`` where it is proved to end.
        guard: bits of working precision beyond these.

    Raises ``Undecided`` if the question is still open at the most. Certified as ``compute`` is.

    >>> settled(lambda bits: arb.pi() - arb("3.14159265358979"), lambda x: x > 0, first=10)[1]
    80
    """
    bits = first
    while most is None or bits <= most:
        with ctx.workprec(bits + guard):
            value = compute(bits)
            if known(value):
                spent(bits=bits + guard)
                return value, bits
        bits *= 2
    raise Undecided(f"{question} at {most} bits")


def accurate(bits: int) -> Callable[[Iterable[arb]], bool]:
    """Whether balls are known to so many bits, relative to their size; zeros are, if exact.

    >>> accurate(10)([arb(1), arb(0)]), accurate(10)([arb(1, 0.1)])
    (True, False)
    """
    return lambda balls: all(ball.rel_accuracy_bits() >= bits for ball in balls)
