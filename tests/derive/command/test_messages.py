"""What is wrong is said in one line, of at most 300 characters."""

import pytest

from derive.command.messages import fail


@pytest.mark.parametrize("length", [1, 299, 300])
def test_a_message_of_at_most_three_hundred_characters_is_whole(length, capsys):
    assert fail("x" * length, 7) == 7
    assert capsys.readouterr().err == "x" * length + "\n"


@pytest.mark.parametrize("length", [301, 400, 10**6])
def test_of_a_longer_one_the_middle_is_left_out(length, capsys):
    fail("a" * 175 + "b" * (length - 295) + "c" * 120, start="\n")
    assert capsys.readouterr().err == "\n" + "a" * 175 + " ... " + "c" * 120 + "\n"


def test_lines_become_one(capsys):
    fail("one\n  two")
    assert capsys.readouterr().err == "one two\n"
