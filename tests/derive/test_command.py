"""The shared command-line manner: grammar of degrees, whole files, exit codes."""

import argparse
import errno
import io
import os
import string
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from derive.command import (
    LARGEST_DEGREE,
    CommandParser,
    Degrees,
    Outcome,
    advancing,
    integer_between,
    output_path,
    progress,
    provenance,
    run,
    write_all,
)
from derive.errors import InputError, Undecided


@pytest.mark.parametrize(
    ("text", "degrees"),
    [
        ("5", [5]),
        ("3:6", [3, 4, 5, 6]),
        ("3:9:3", [3, 6, 9]),
        ("3,5,10", [3, 5, 10]),
        ("4:5, 4,4:6", [4, 5, 6]),
        ("7:7", [7]),
        (str(LARGEST_DEGREE), [LARGEST_DEGREE]),
    ],
)
def test_degrees(text, degrees):
    parsed = Degrees(text)
    assert list(parsed) == degrees
    assert str(parsed) == text


@pytest.mark.parametrize(
    "text",
    ["", "0", "-3", "abc", "9:3", "1e9", "1.5", "3:", ":3", "3,,5", "1:2:0", "5 6", "٣", "²",
     "1:2:3:4", "9" * 5000, str(LARGEST_DEGREE + 1), "__import__('os')"],
)  # fmt: skip
def test_other_degrees_are_refused_in_one_short_line(text):
    with pytest.raises(argparse.ArgumentTypeError, match="give") as refusal:
        Degrees(text)
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 250


@given(st.text(alphabet=string.digits + ":,- ex", max_size=30))
def test_the_degree_grammar_accepts_or_refuses_and_nothing_else(text):
    try:
        degrees = Degrees(text)
    except argparse.ArgumentTypeError:
        return
    assert degrees
    assert all(1 <= n <= LARGEST_DEGREE for n in degrees)
    assert len(set(degrees)) == len(degrees)


@given(st.integers(1, 300), st.integers(1, 300))
def test_a_range_includes_both_ends(first, last):
    if first <= last:
        assert list(Degrees(f"{first}:{last}")) == list(range(first, last + 1))
    else:
        with pytest.raises(argparse.ArgumentTypeError, match=f"{last}:{first}"):
            Degrees(f"{first}:{last}")


@pytest.mark.parametrize("text", ["0", "11", "x", "-1", "1" * 40])
def test_integers_outside_the_bounds_are_refused(text):
    with pytest.raises(argparse.ArgumentTypeError, match="from 1 to 10"):
        integer_between(1, 10)(text)


def test_files_appear_together_or_not_at_all(tmp_path):
    target, other = tmp_path / "result.txt", tmp_path / "absent" / "other.txt"
    write_all({target: b"old"})
    with pytest.raises(FileNotFoundError):
        write_all({target: b"new", other: b"lost"})
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["result.txt"]
    write_all({target: b"new", tmp_path / "other.txt": b"too"})
    assert (target.read_text(), (tmp_path / "other.txt").read_text()) == ("new", "too")
    assert sorted(os.listdir(tmp_path)) == ["other.txt", "result.txt"]


def test_permissions_are_the_usual_ones_or_those_of_the_old_file(tmp_path):
    (tmp_path / "other").touch()
    write_all({tmp_path / "result": b"text"})
    assert (tmp_path / "result").stat().st_mode == (tmp_path / "other").stat().st_mode
    (tmp_path / "result").chmod(0o600)
    write_all({tmp_path / "result": b"text"})
    assert (tmp_path / "result").stat().st_mode & 0o777 == 0o600


def test_a_link_is_followed_and_a_device_is_written_directly(tmp_path):
    (tmp_path / "real").write_text("old")
    (tmp_path / "link").symlink_to("real")
    write_all({output_path(str(tmp_path / "link")): b"new"})
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "new"
    write_all({output_path(os.devnull): b"gone"})
    assert not os.path.isfile(os.devnull)


def test_standard_output_as_a_file_keeps_what_it_holds(tmp_path):
    log = tmp_path / "log"
    log.write_text("kept\n")
    code = (
        "import sys; from derive.command import CommandParser, Outcome, run\n"
        "run(CommandParser('c', 'C.', []), lambda _: Outcome('added'), sys.argv[1:])"
    )
    with log.open("a") as stream:
        subprocess.run(
            [sys.executable, "-c", code, "--output", "/dev/stdout"], stdout=stream, check=True
        )
    assert log.read_text() == "kept\nadded\n"


@pytest.mark.parametrize("text", ["", ".", "new/", "absent/file", "file/below", "n" * 300])
def test_paths_that_cannot_be_written_are_refused_before_the_work(tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(argparse.ArgumentTypeError, match=r"folder|file name|too long"):
        output_path(text)
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="needs a folder nobody can write to")
def test_folders_nobody_can_write_to_are_refused_before_the_work():
    with pytest.raises(argparse.ArgumentTypeError, match="not writable"):
        output_path("/proc/result")


def _exit(capsys, action, *arguments):
    parser = CommandParser("some.command", "Do something.", ["--format text"])
    try:
        code = run(parser, action, arguments)
    except SystemExit as exit_:
        code = exit_.code
    return code, *capsys.readouterr()


def _raise(error):
    def action(_):
        raise error

    return action


def test_exit_codes(capsys, tmp_path):
    assert _exit(capsys, lambda _: Outcome("done")) == (0, "done\n", "")
    code, out, err = _exit(capsys, _raise(Undecided("open at 9 bits")))
    assert (code, out, err) == (1, "", "python -m some.command: undecided: open at 9 bits\n")
    code, out, err = _exit(capsys, _raise(InputError("x is wrong: give y")))
    assert (code, out, err) == (2, "", "python -m some.command: error: x is wrong: give y\n")
    code, out, err = _exit(capsys, _raise(KeyboardInterrupt()))
    assert (code, out) == (130, "")
    assert "interrupted" in err
    full = OSError(errno.ENOSPC, "No space left on device", "result")
    code, out, err = _exit(capsys, _raise(full))
    assert (code, out) == (1, "")
    assert "No space left" in err
    assert err.count("\n") == 1
    code, _, err = _exit(capsys, lambda _: Outcome(""), "--unknown")
    assert code == 2
    assert err.count("\n") == 1


def test_a_bug_is_not_disguised_as_bad_input(capsys):
    with pytest.raises(ZeroDivisionError):
        _exit(capsys, _raise(ZeroDivisionError()))


def test_help_has_examples(capsys):
    code, out, _ = _exit(capsys, lambda _: Outcome(""), "--help")
    assert code == 0
    assert "python -m some.command --format text" in out


def test_provenance_names_what_reproduces_the_result():
    parser = CommandParser("some.command", "Do something.", [])
    parser.add_argument("--degree", type=Degrees)
    parser.add_argument("--flag", action="store_true")
    parser.add_argument("--points", type=int, default=60)
    parser.add_argument("--other", action="store_true")
    options = parser.parse_args(["--degree", "3:5", "--flag", "--format", "json", "--points", "0"])
    line = provenance(parser, options)
    assert line.startswith("python -m some.command --degree 3:5 --flag --points 0 | lora-escape ")
    assert "sympy 1." in line


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_without_greek_gets_an_answer(encoding):
    done = subprocess.run(
        [sys.executable, "-m", "derive.tables", "--degree", "1", "--format", "text"],
        env=os.environ | {"PYTHONIOENCODING": encoding},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_commit_is_left_out_where_there_is_no_git(monkeypatch):
    monkeypatch.setenv("PATH", "")
    parser = CommandParser("some.command", "Do something.", [])
    line = provenance(parser, parser.parse_args([]))
    assert "commit" not in line
    assert line.startswith("python -m some.command | lora-escape ")


@pytest.mark.skipif(os.name != "posix", reason="processes are asked for by signal 0")
def test_what_a_killed_process_left_half_written_is_removed(tmp_path):
    """And nothing of a process that lives, or of another machine."""
    code = (
        "import os, sys; from pathlib import Path; from derive import command\n"
        "os.replace = lambda *_: os.kill(os.getpid(), 9)\n"
        "command.write_all({Path('cut.txt'): b'1'})"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False)
    (left,) = tmp_path.glob(".*.part")
    host = left.name.split("-")[0]
    others = [tmp_path / f"{host}-{os.getpid()}-0.part", tmp_path / ".0-1-0.part"]
    for path in others:
        path.write_text("")
    write_all({tmp_path / "cut.txt": b"2"})
    assert sorted(tmp_path.iterdir()) == sorted([*others, tmp_path / "cut.txt"])


def test_progress_is_silent_at_first_without_a_terminal(capsys):
    assert list(progress([1, 2], "things")) == [1, 2]
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("seconds", "apart"), [(1, 30), (20, 40), (30, 30), (100, 100)])
def test_progress_is_at_most_a_line_each_half_minute_and_each_step(
    seconds, apart, capsys, monkeypatch
):
    now, times, shares = 0.0, [], []
    monkeypatch.setattr("derive.command.time.monotonic", lambda: now)
    with advancing(60, "things") as advance:
        for _ in range(60):
            now += seconds
            advance()
            for line in capsys.readouterr().err.splitlines():
                times.append(now)
                shares.append(line)
    assert times == [apart * k for k in range(1, 60 * seconds // apart + 1)]
    assert shares == [
        f"things: {100 * t / (60 * seconds):.0f}% done after {t / 60:.1f} minutes" for t in times
    ]


def test_a_reader_of_progress_that_has_gone_is_no_error(monkeypatch):
    class Gone(io.StringIO):
        def write(self, text):
            raise BrokenPipeError

    monkeypatch.setattr("derive.command._SILENCE", 0)
    monkeypatch.setattr("sys.stderr", Gone())
    assert list(progress([1, 2], "things")) == [1, 2]
