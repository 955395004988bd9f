"""Values of a step with one part changed: what its test has to notice."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import fields, is_dataclass, replace
from decimal import Decimal
from typing import Any

from sympy import Basic, Integer, MatrixBase, Symbol, ones, oo

from numerics.certified.balls import Bounds, Enclosure

_FACTORS = (Decimal(-1), Decimal(0), Decimal(10), Decimal("0.1"))
_FOREIGN = Symbol("foreign")


def changed(value: Any) -> Iterator[Any]:
    """Other values of the same kind: of another sign or size, or with one part that is another."""
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
    elif isinstance(value, Basic):
        yield from (-value, Integer(0), 10 * value, value / 10, value + 1, value**2, oo)
        yield _FOREIGN * value
    elif isinstance(value, int | float):
        yield from (-value, 10 * value, value / 10, value + 1)
    elif isinstance(value, dict):
        yield from ({**value, key: other} for key in value for other in changed(value[key]))
    elif isinstance(value, tuple | list):
        yield from (other for member in members_changed(value) for other in member)
    elif is_dataclass(value):
        for field in fields(value):
            for other in changed(getattr(value, field.name)):
                with suppress(ValueError, TypeError):  # of which no such thing is made
                    yield replace(value, **{field.name: other})


def members_changed(value: Any) -> list[list[Any]]:
    """The same for each member of a list by itself; what is no list is its own member."""
    if not isinstance(value, tuple | list):
        return [list(changed(value))]
    if not value:
        return [[(1,)]]
    return [
        [(*value[:place], other, *value[place + 1 :]) for other in changed(member)]
        for place, member in enumerate(value)
    ]


def passes(test: Any, value: Any) -> bool:
    """Whether a value is taken; what the test cannot read is not."""
    try:
        return bool(test(value))
    except Exception:
        return False
