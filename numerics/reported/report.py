"""A report as it is asked for, by a command or from Python: checks first, then its sections."""

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from derive.command.extras import PAGES, missing
from derive.errors import InputError
from derive.pair import Pair

if TYPE_CHECKING:
    from numerics.reported.sections import Section

Makers = Sequence[Callable[[], "Section"]]


def report_of(
    pair: Pair,
    dimension: int,
    replicas: int,
    seed: int,
    source: str,
    in_turn: Callable[[Makers], Iterable[Callable[[], "Section"]]] = iter,
) -> str:
    """The page of a report on a pair, as HTML.

    Arguments:
        pair: of any activations, labels and loss, misaligned or not.
        dimension: of samples and simulation.
        replicas, seed: of the simulation that is put beside the law of the exit time.
        source: its provenance.
        in_turn: passes on what makes the sections, and may tell of progress.

    Raises ``InputError`` before any work: without the extra ``reproduce``, and for numbers that a
    ``Simulation`` does not take.
    """
    if why := missing("a report", "reproduce", PAGES):
        raise InputError(why)
    from numerics.reported.page import page  # jinja2, matplotlib and numba, only for a report
    from numerics.reported.sections import Asked, insist_on_numbers, section_makers

    asked = Asked(pair, dimension, replicas, seed, source)
    insist_on_numbers(asked)
    return page(asked.name, [make() for make in in_turn(section_makers(asked))], source)
