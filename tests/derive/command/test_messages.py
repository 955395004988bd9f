"""What is wrong is said in one line, of at most 300 characters."""

import io

import pytest

from derive.command.messages import fail, show


class _Broken(io.StringIO):
    """A stream whose other end is full, or gone."""

    def __init__(self, error):
        super().__init__()
        self._error = error

    def flush(self):
        raise self._error


@pytest.mark.parametrize(("stream", "code", "told"), [
    (None, 1, "p: error: cannot write the result: standard output is closed\n"),
    (_Broken(OSError(28, "No space left on device")), 1,
     "p: error: cannot write the result: No space left on device\n"),
    (_Broken(BrokenPipeError()), 0, ""),
    (io.StringIO(), 0, ""),
])  # fmt: skip
def test_what_cannot_be_written_is_told_but_to_a_reader_who_has_seen_enough(
    stream, code, told, monkeypatch, capsys
):
    monkeypatch.setattr("sys.stdout", stream)
    assert show("x", "p") == code
    assert capsys.readouterr().err == told


@pytest.mark.parametrize("stream", [None, _Broken(OSError(32, "Broken pipe"))])
def test_nobody_need_listen(stream, monkeypatch):
    monkeypatch.setattr("sys.stderr", stream)
    assert fail("x", 3) == 3


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
