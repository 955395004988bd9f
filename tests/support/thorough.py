"""Cases of which a few stand for all: the others are tried by ``tox -e thorough``."""

from collections.abc import Collection, Iterable
from typing import Any

import pytest


def only(kept: Collection[Any], cases: Iterable[Any]) -> list[Any]:
    """The cases, of which those that are not kept are marked ``thorough``."""
    cases = [*cases]
    assert all(case in cases for case in kept), kept
    marks = pytest.mark.thorough
    return [
        case
        if case in kept
        else pytest.param(*case if isinstance(case, tuple) else (case,), marks=marks)
        for case in cases
    ]
