"""What a test of a step is sensitive to: it is tried on the step's value with one part changed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields, is_dataclass, replace
from decimal import Decimal
from sys import modules
from typing import Any

from sympy import Basic, Integer, MatrixBase, Poly, ones

from derive.errors import InputError, Undecided
from numerics.certified.balls import Bounds, Enclosure
from numerics.claims import ledger

_FACTORS = (Decimal(-1), Decimal(0), Decimal(10), Decimal("0.1"))


@dataclass(frozen=True)
class Judgement:
    """What was judged: the step's text, its value, and the test that it had to pass."""

    text: str
    value: Any
    test: Callable[[Any], object]


@contextmanager
def judgements_kept() -> Iterator[list[Judgement]]:
    """What the checks of the ledger judge meanwhile."""
    kept = []

    def judged(text: str, value: Any, test: Callable[[Any], object]) -> ledger.Step:
        kept.append(Judgement(text, value, test))
        return plain(text, value, test)

    plain = ledger.judged
    users = [module for name, module in modules.items() if name.startswith("numerics.claims.")
             and getattr(module, "judged", None) is plain]  # fmt: skip
    for module in users:
        module.judged = judged
    try:
        yield kept
    finally:
        for module in users:
            module.judged = plain


def unnoticed(judgement: Judgement) -> list[str]:
    """The parts of a value that its test takes in every other size, sign and truth."""
    return [
        place
        for place, others in _parts_changed(judgement.value)
        if all(_passes(judgement, other) for other in others)
    ]


def _parts_changed(value: Any, place: str = "value") -> Iterator[tuple[str, list[Any]]]:
    """Each member, with the whole value for each other one in its place; a record is one member.

    A record has named fields: also its setting stands there, which no verdict depends on.
    """
    if isinstance(value, dict) and not all(isinstance(key, str) for key in value):
        members = [(key, lambda other, key=key: {**value, key: other}) for key in value]
    elif isinstance(value, tuple | list) and value:
        members = [(k, lambda other, k=k: (*value[:k], other, *value[k + 1 :]))
                   for k in range(len(value))]  # fmt: skip
    else:
        if others := list(_others(value)):
            yield place, others
        return
    for key, put in members:
        for inner, others in _parts_changed(value[key], f"{place}[{key}]"):
            yield inner, list(map(put, others))


def _others(value: Any) -> Iterator[Any]:
    """Values of the same kind: of another sign, size or truth."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, Enclosure):
        mid, radius = Decimal(value.mid), Decimal(value.radius)
        yield from (Enclosure(str(k * mid), str(abs(k) * radius)) for k in _FACTORS if mid)
        yield Enclosure(str(mid + Decimal("0.1")), value.radius)
    elif isinstance(value, Bounds):
        ends = Decimal(value.low), Decimal(value.high)
        yield from (Bounds(*map(str, sorted(k * end for end in ends))) for k in _FACTORS)
        yield Bounds(*(str(end + 1) for end in ends))
    elif isinstance(value, MatrixBase):
        yield from (-value, 0 * value, value + ones(*value.shape))
    elif isinstance(value, Poly):
        yield from (-value, value + 1)
    elif isinstance(value, Basic):
        yield from (-value, Integer(0), 10 * value, value / 10, value + 1, value**2)
    elif isinstance(value, int | float):
        yield from (-value, 10 * value, value / 10, value + 1)
    elif isinstance(value, tuple | list):
        if not value:
            yield (1,)
        for k, member in enumerate(value):
            yield from ((*value[:k], other, *value[k + 1 :]) for other in _others(member))
    elif isinstance(value, dict):
        yield from ({**value, key: other} for key in value for other in _others(value[key]))
    elif is_dataclass(value):
        for field in fields(value):
            for other in _others(getattr(value, field.name)):
                yield replace(value, **{field.name: other})


def _passes(judgement: Judgement, value: Any) -> bool:
    """Whether a value is taken; one that is open, or beyond what the test accepts, is not.

    Of what kind the members of an empty list would be is not known: the test may fail on others.
    """
    strange = (AttributeError,) if judgement.value == () else ()
    try:
        return bool(judgement.test(value))
    except (Undecided, InputError, *strange):
        return False
