"""Errors: what a message repeats is cut in one place, at its limit and not before."""

import json
from pathlib import Path

import pytest
from sympy import Symbol

from derive.errors import abridged, quoted, told_by


@pytest.mark.parametrize(("most", "cut"), [(60, abridged), (60, quoted), (120, told_by)])
def test_all_is_repeated_up_to_the_limit_and_cut_above_it(most, cut):
    for length in (1, most - 1, most):
        assert cut("x" * length).strip("'") == "x" * length
    for length in (most + 1, 1000 * most):
        assert cut("x" * length).strip("'") == "x" * (most - 3) + "..."


def test_of_a_long_path_the_end_is_repeated_and_more_of_it():
    for length in (120, 121, 600):
        path = Path("x" * (length - len("/cells")), "cells")
        assert abridged(path) == (str(path) if length == 120 else f"...{str(path)[-117:]}")
        assert quoted(path) == repr(abridged(path))


def test_what_is_no_text_is_repeated_as_it_is_written_on_one_line():
    assert (abridged(Symbol("z") ** 2), quoted(Symbol("z") ** 2)) == ("z**2", "'z**2'")
    assert quoted("it's\n") == repr("it's\n")
    assert len(quoted("\U000e0001" * 100)) == len("''") + 60
    assert abridged([[1], [2]]) == "[[1], [2]]"
    assert abridged("[[1]\n [2]]") == "[[1] [2]]"


def test_of_a_library_s_error_the_first_line_is_told():
    with pytest.raises(ValueError, match="line 1 column 2") as caught:
        json.loads("{nothing}")
    assert told_by(caught.value) == str(caught.value)
    assert told_by("\n it broke\n here") == "it broke"
    assert told_by(ValueError()) == "ValueError"
