"""The shared command-line manner: grammar of degrees, whole files, exit codes."""

import argparse
import contextlib
import errno
import io
import os
import re
import signal
import string
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import derive
from derive.command.parser import CommandParser
from derive.command.provenance import provenance, versions
from derive.command.report import Report
from derive.command.run import run
from derive.command.values import LARGEST_DEGREE, Degrees, integer_between, one_of
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
        (f"1:{LARGEST_DEGREE}:{LARGEST_DEGREE - 1}", [1, LARGEST_DEGREE]),
    ],
)
def test_degrees(text, degrees):
    parsed = Degrees(text)
    assert list(parsed) == degrees
    assert str(parsed) == text


@pytest.mark.parametrize(
    "text",
    ["", "0", "0:3", "0:3:3", "1,0", "-3", "abc", "9:3", "1e9", "1.5", "3:", ":3", "3,,5", "1:2:0",
     "5 6", "٣", "²", "1:2:3:4", "9" * 5000, str(LARGEST_DEGREE + 1), f"1:{LARGEST_DEGREE + 1}:9",
     f"{LARGEST_DEGREE + 1}:{LARGEST_DEGREE + 1}", "0:1", "1:1:0", "__import__('os')"],
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


def test_degrees_are_at_most_two_thousand_in_as_many_parts():
    for most in ("1," * (LARGEST_DEGREE - 1) + "1", f"7:{LARGEST_DEGREE + 6}"):
        assert Degrees(most, largest=LARGEST_DEGREE + 7)
    for more in ("1," * LARGEST_DEGREE + "1", f"7:{LARGEST_DEGREE + 7}"):
        with pytest.raises(argparse.ArgumentTypeError, match="give at most 2000 degrees"):
            Degrees(more, largest=LARGEST_DEGREE + 7)


@pytest.mark.parametrize("text", ["0", "11", "x", "-1", "1" * 40])
def test_integers_outside_the_bounds_are_refused(text):
    assert [integer_between(1, 10)(each) for each in ("1", "10")] == [1, 10]
    with pytest.raises(argparse.ArgumentTypeError, match="from 1 to 10"):
        integer_between(1, 10)(text)


_IMPORTS = (
    "import sys; from derive.command.parser import CommandParser\n"
    "from derive.command.report import Report; from derive.command.run import run\n"
)


def saying(word):
    """A report whose provenance ends in a word."""
    return Report([], [], "exact", of=word)


def test_standard_output_as_a_file_keeps_what_it_holds(tmp_path):
    log = tmp_path / "log"
    log.write_text("kept\n")
    code = _IMPORTS + (
        "action = lambda _: Report([], [], 'exact', of='added')\n"
        "run(CommandParser('c', 'C.', []), action, sys.argv[1:])"
    )
    with log.open("a") as stream:
        subprocess.run(
            [sys.executable, "-c", code, "--output", "/dev/stdout"], stdout=stream, check=True
        )
    kept, added = log.read_text().splitlines()
    assert (kept, added.endswith(" | added")) == ("kept", True)


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
    code, out, err = _exit(capsys, lambda _: saying("done"))
    assert (code, out.endswith(" | done\n"), err) == (0, True, "")
    code, out, err = _exit(capsys, _raise(Undecided("open at 9 bits")))
    assert (code, out, err) == (1, "", "python -m some.command: undecided: open at 9 bits\n")
    code, out, err = _exit(capsys, _raise(InputError("x is wrong: give y")))
    assert (code, out, err) == (2, "", "python -m some.command: error: x is wrong: give y\n")
    code, out, err = _exit(capsys, _raise(KeyboardInterrupt()))
    assert (code, out) == (130, "")
    assert "interrupted" in err
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)):
        before = signal.getsignal(number)
        found, out, err = _exit(capsys, lambda _, n=number: os.kill(os.getpid(), n))
        assert (found, out, err.count("interrupted")) == (code, "", 1)
        assert signal.getsignal(number) is before
    code, _, err = _exit(capsys, lambda _: saying(""), "--unknown")
    assert code == 2
    assert err.count("\n") == 1


def test_a_bug_is_not_disguised_as_bad_input(capsys):
    with pytest.raises(ZeroDivisionError):
        _exit(capsys, _raise(ZeroDivisionError()))


def test_help_has_examples(capsys):
    code, out, _ = _exit(capsys, lambda _: saying(""), "--help")
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


def test_a_checkout_is_named_by_its_commit_and_what_is_installed_by_none():
    root = Path(__file__).resolve().parents[3]
    asked = ["git", "-C", str(root), "rev-parse", "HEAD"]
    if not (root / ".git").exists() or subprocess.run(asked, check=False).returncode:
        pytest.skip("no checkout")
    head = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
    named = re.search(r"lora-escape \S+ \(commit (\w{7,})(-dirty)?\), sympy", versions(["sympy"]))
    if Path(derive.__file__).parents[1] == root:
        assert head.startswith(named[1])
    else:
        assert named is None


@pytest.mark.parametrize("number", [errno.EMFILE, errno.EACCES, errno.EIO])
def test_only_what_fails_in_writing_is_said_to_be_not_written(capsys, monkeypatch, number):
    failure = OSError(number, os.strerror(number), "some/file")
    code, out, err = _exit(capsys, _raise(failure))
    assert (code, out, err.count("\n")) == (1, "", 1)
    helped = ": close some or allow more (ulimit -n)" if number == errno.EMFILE else ": 'some/file'"
    assert err == f"python -m some.command: error: {os.strerror(number)}{helped}\n"
    assert "cannot write" not in err

    def refuse(_):
        raise failure

    monkeypatch.setattr("derive.command.run.write_all", refuse)
    code, out, err = _exit(capsys, lambda _: Report([], [], "exact", files={Path("f"): b""}))
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "cannot write the result" in err


def test_an_error_of_the_system_without_a_number_is_told_by_its_words(capsys):
    code, out, err = _exit(capsys, _raise(OSError("the line is lost")))
    assert (code, out, err) == (1, "", "python -m some.command: error: the line is lost\n")


def _python(code, *arguments, **how):
    end = "raise SystemExit(run(CommandParser('c', 'C.', []), action, sys.argv[1:]))"
    whole = f"{_IMPORTS}{code}\n{end}"
    line = [sys.executable, "-c", whole, *arguments]
    return subprocess.run(line, text=True, check=False, **{"stderr": subprocess.PIPE, **how})


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is full")
@pytest.mark.parametrize("options", [("--help",), ()])
def test_output_that_is_full_is_one_line(options):
    with open("/dev/full", "w") as full:
        done = _python("action = lambda _: Report([], [], 'exact')", *options, stdout=full)
    assert done.returncode == 1
    assert done.stderr == "python -m c: error: cannot write the result: No space left on device\n"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is full")
def test_the_exit_code_stays_where_nobody_hears_the_error():
    with open("/dev/full", "w") as full:
        assert _python("action = None", "--unknown", stderr=full).returncode == 2
    closed = _python("action = None", "--unknown", stdout=subprocess.PIPE, stderr=None,
                     preexec_fn=lambda: os.close(2))  # fmt: skip
    assert (closed.returncode, closed.stdout) == (2, "")


@pytest.mark.parametrize("error", [InputError, Undecided])
@given(st.text(min_size=1, max_size=40), st.integers(1, 10**4))
def test_messages_are_short_whatever_was_given(error, text, times):
    told = io.StringIO()
    with contextlib.redirect_stderr(told), contextlib.suppress(SystemExit):
        run(CommandParser("c", "C.", []), _raise(error(text * times)), [])
    assert len(told.getvalue()) <= 301
    assert told.getvalue().count("\n") == 1


def test_names_that_are_not_known_are_answered_by_the_nearest():
    names = [f"name-{i}" for i in range(500)] + ["relu-dip"]
    parse = one_of(lambda: names, "claim", "--help")
    assert parse("relu-dip") == "relu-dip"
    for text in ("relu-dop", "x" * 10**5, ""):
        with pytest.raises(argparse.ArgumentTypeError, match="nearest are") as refusal:
            parse(text)
        assert len(str(refusal.value)) < 200
        assert len(re.search("nearest are (.*);", str(refusal.value))[1].split(", ")) == 3
    with pytest.raises(argparse.ArgumentTypeError, match="nearest are 'relu-dip'"):
        parse("relu-dop")


@pytest.mark.parametrize("name", ["\udcff.svg", "a\nb.svg", "a\x01\x1b[2J.svg", "\u2028.svg"])
def test_provenance_is_one_line_of_text_whatever_the_name_of_a_file(name):
    parser = CommandParser("some.command", "Do something.", [])
    parser.add_argument("--plot", type=Path)
    line = provenance(parser, parser.parse_args(["--plot", name]))
    assert line.encode().decode().isprintable()
    hidden = [sign for sign in name if not sign.isprintable()]
    assert all(ascii(sign)[1:-1] in line for sign in hidden)  # escaped, not left out
    kept = provenance(parser, parser.parse_args(["--plot", "µ ü.svg"]))
    assert "'µ ü.svg'" in kept


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ignored_from_the_start_stays_ignored(number):
    """As under nohup."""
    done = _python(
        f"import os\ndef action(_):\n    os.kill(os.getpid(), {number:d})\n"
        "    return Report([], [], 'exact', of='done')",
        stdout=subprocess.PIPE, preexec_fn=lambda: signal.signal(number, signal.SIG_IGN),
    )  # fmt: skip
    assert (done.returncode, done.stdout[-8:], done.stderr) == (0, " | done\n", "")


def test_a_signal_that_is_sent_twice_is_heard_once():
    """As ``timeout`` sends it: to the command, and to its group."""
    done = _python(
        "import os, signal, time\ndef action(_):\n    try:\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\n    finally:\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\n        print('tidied', flush=True)",
        stdout=subprocess.PIPE,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (143, "tidied\n")
    assert done.stderr == "python -m c: interrupted by SIGTERM\n"


@pytest.mark.skipif(os.name != "posix", reason="a process sends itself a signal")
@pytest.mark.parametrize(("number", "code"), [("INT", 130), ("TERM", 143), ("HUP", 129)])
@pytest.mark.parametrize("module", ["derive.tables", "numerics.simulate", "transfer"])
def test_a_signal_while_a_command_imports_is_one_line(tmp_path, module, number, code):
    """It meets the command in the first module of the library that every command imports."""
    (tmp_path / "argparse.py").write_text(
        "import os, signal, sys, time\nif sys.orig_argv[1] == '-m':\n"
        f"    os.kill(os.getpid(), signal.SIG{number})\n    time.sleep(5)"
    )
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-m", module], env=os.environ | {"PYTHONPATH": path}, text=True,
        capture_output=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith(f"python -m {module}: interrupted")
    assert done.stderr.count("\n") == 1
