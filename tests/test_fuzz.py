"""Random command lines, functions, task files and flipped bits: every answer is a decent one.

Options come from the commands' own parsers, values from pools of good, extreme and nonsensical
ones. Whatever is given, a command ends with a documented exit code, says what is wrong in one
short line, and leaves no file half written.
"""

import contextlib
import io
import random
import time
import warnings
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from texts import ATOMS, function, mangled

from derive.command.parser import CommandParser
from derive.errors import InputError
from derive.grammar import parse_activation

SIZES = ("1", "2", "3", "0", "-1", "1e9", "x", "", "99999999999999999999", "nan", "²")
NUMBERS = (*SIZES, "0.5", "1e3", "1e99", "1e300", "1e-99", "inf", "0.1*stable", "5/d", "2*tau")
POOLS = {
    "activation": ATOMS,
    "labels": ("matched", "squared", "y", "y**3 - y", "y**60", "1", "x", "y**", "0*y"),
    "mu": ("0.3", "0.1,0.5", "0.1:0.9:3", "1", "0", "2", "0.9:0.1:3", "0.1:0.9:1", "1:2", "nan"),
    "degree": ("1", "2", "3", "2:4", "1,5", "0", "2001", "3:1", "x", "1:9:4", "1e3"),
    "order": ("0", "1", "8", "-1", "x", "1e3", "99999"),
    "rho": ("0.5", "-1,0,1", "-1:1:3", "1:2", "-", "nan", "0.9999999"),
    "variance": ("1", "1/2", "sqrt(2)", "0", "-1", "x", "1e-99", "1/0", ""),
    "digits": ("1", "8", "30", "0", "x", "1e9"),
    "dimension": ("3", "1000", "1e6", "1e15", "2", "1e300", "1e3,1e4", "x", "-5"),
    "path": ("a.txt", "a.svg", "a.nc", "a", "", ".", "missing/a.svg", "\udcff.svg", "n" * 300),
    "certificate": ("a.json", "a.txt", "", "missing/a.json"),
    "scheduler": ("nonsense", ""),
}
KINDS = {
    **dict.fromkeys(("teacher", "student"), "activation"),
    **dict.fromkeys(("first_labels",), "labels"),
    **dict.fromkeys(("variance2", "center"), "variance"),
    **dict.fromkeys(("strengths",), "mu"),
    **dict.fromkeys(("output", "plot", "data", "results", "data_dir", "folder"), "path"),
}
SMALL = {"numerics.simulate": ("--horizon", "20", "--replicas", "2", "--workers", "1")}
# What compiles machine code, or runs for long: most texts of functions are refused there.
COMPILED = ("x", "He2", "erf(x)", "exp(20*x)", "exp(x**2/5)", "x +", "y", "0", "sign(x)")


LEAVES = (*"xxx0yπ", "2", "1/3", "pi", "e", "1e-3", "1e9999999", "He3", "He(4)", "He2(x-1)",
          "x**60", "-x", "x y", "2x", "|x|", "999999999999999999999")  # fmt: skip
CALLED = ("relu", "elu", "selu", "mish", "gelu_tanh", "hardtanh", "relu6", "hardswish",
          "softsign", "gauss", "sin", "exp", "symlog", "softplus", "log1p", "sqrt", "log", "abs",
          "prelu", "tan", "step", "floor", "ReLU", "He", "__import__", "eval")  # fmt: skip
EXPONENTS = ("2", "-1", "0.5", "-1/2", "(1/2)", "60", "61", "9999999999", "x", "1e9")


class _Asked(Exception):
    """Carries a command's parser out of it."""


def parser_of(main: Callable, verb: Sequence[str]) -> CommandParser:
    """The parser that a command makes."""

    def asked(self, arguments):
        raise _Asked(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(CommandParser, "parse_args", asked)
        with pytest.raises(_Asked) as found:
            main(verb)
    return found.value.args[0]


def nested(stream: random.Random, depth: int) -> str:
    """A text of the whole grammar, and of what is not in it."""
    if depth == 0 or stream.random() < 0.15:
        return stream.choice(LEAVES)
    one, two, three, four = (partial(nested, stream, depth - 1) for _ in range(4))
    forms = (
        lambda: f"{stream.choice(('min', 'max', 'maximum'))}({one()}, {two()})",
        lambda: f"clip({one()}, {stream.choice('01x')}, {stream.choice(('1', '-1', '2'))})",
        lambda: f"where({one()} {stream.choice(('<', '>=', '=='))} {two()}, {three()}, {four()})",
        lambda: f"({one()}){stream.choice(('**', '^'))}{stream.choice(EXPONENTS)}",
        lambda: f"({one()}) {stream.choice('+-*/')} ({two()})",
        lambda: f"{stream.choice(CALLED)}({one()}, {stream.choice(('1', '-1', 'x', '1e-30'))})",
        lambda: f"{stream.choice(CALLED)}({one()})",
    )
    return stream.choice(forms)()


def line(module: str, parser: CommandParser, stream: random.Random) -> list[str]:
    """A command line: some of a parser's options, each with a value that may be right."""
    options = [a for a in parser._actions if a.option_strings and a.dest != "help"]
    words: list[str] = []
    for action in stream.sample(options, stream.randrange(min(6, len(options) + 1))):
        words.append(action.option_strings[-1])
        kind = KINDS.get(action.dest, action.dest)
        if action.nargs == 0:
            continue
        if action.choices and stream.random() < 0.9:
            words.append(str(stream.choice(list(action.choices))))
        elif kind == "activation" and module != "numerics.simulate":
            words.append(function(stream))
        elif kind == "activation":
            words.append(stream.choice(COMPILED))
        else:
            words.append(stream.choice(POOLS.get(kind, NUMBERS)))
    if stream.random() < 0.5:
        words += ["--activation", "x"] if "--activation" in parser.format_help() else []
    return [*words, *SMALL.get(module, ())]


def answer(main: Callable, arguments: Sequence[str]) -> tuple[int, str, str]:
    """Run a command here; check that its answer is a decent one, whatever it was asked."""
    before, out, err = set(Path().rglob("*")), io.StringIO(), io.StringIO()
    with (
        warnings.catch_warnings(record=True) as warned,
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        warnings.simplefilter("always")
        try:
            code = main(list(arguments))
        except SystemExit as end:
            code = end.code
    said = err.getvalue()
    assert code in (0, 1, 2, 130), arguments
    assert not [w for w in warned if issubclass(w.category, RuntimeWarning)], arguments
    if code:
        assert out.getvalue() == "", arguments
        assert said.count("\n") == 1, (arguments, said)
        assert len(said.rstrip("\n")) <= 300, (arguments, said)
        left = {path for path in set(Path().rglob("*")) - before if path.is_file()}
        assert all(path.suffix == ".npz" for path in left), (arguments, left)  # finished cells
    else:
        assert said == "", (arguments, said)
    assert not list(Path().rglob("*.part")), arguments
    return code, out.getvalue(), said


def command(module: str) -> Callable:
    return import_module(module).main


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("module", "count"),
    [
        ("derive.tables.__main__", 40),
        ("numerics.escape", 60),
        ("numerics.singularities", 40),
        ("numerics.simulate", 60),
        ("numerics.hermite", 25),
        ("numerics.kernel", 25),
        ("numerics.mean", 25),
    ],
)
def test_random_command_lines_get_a_decent_answer(module, count):
    main, stream = command(module), random.Random(module)
    parser = parser_of(main, ())
    codes = [answer(main, line(module, parser, stream))[0] for _ in range(count)]
    assert {0, 2} <= set(codes)  # some are right and some are wrong


@pytest.mark.parametrize("module", ["numerics.figures.__main__", "numerics.claims.__main__",
                                    "numerics.reproduce.__main__"])  # fmt: skip
def test_costly_commands_refuse_before_they_begin(module):
    main, stream = command(module), random.Random(module)
    parser = parser_of(main, ())
    valued = [a for a in parser._actions if a.option_strings and a.nargs != 0]
    for _ in range(40):
        wrong = stream.choice([a for a in valued if a.dest not in ("folder", "results")])
        words = [*line(module, parser, stream), wrong.option_strings[-1], "missing/\0"]
        assert answer(main, words)[0] == 2


def test_random_functions_are_read_or_refused():
    main, stream = command("numerics.escape"), random.Random("functions")
    codes, labels = set(), [text for text in POOLS["labels"] if text != "y**60"]  # right, but slow
    for _ in range(60):
        role = ("--activation",) if stream.random() < 0.7 else ("--teacher", "x", "--student")
        words = (*role, function(stream), "--mu", "0.5", "--labels", stream.choice(labels))
        codes.add(answer(main, words)[0])
    assert {0, 2} <= codes


def test_texts_of_the_whole_grammar_are_read_or_refused_at_once():
    """500 of them: one line for what is refused, within a second of CPU, and nothing is run."""
    stream, refused = random.Random("grammar"), 0
    for _ in range(500):
        text = nested(stream, stream.randrange(1, 5))
        text = mangled(text, stream) if stream.random() < 0.3 else text
        deep = stream.randrange(1, 300) if stream.random() < 0.03 else 0
        text = "(" * deep + text + ")" * deep
        start = time.process_time()
        try:
            parse_activation(text)
        except InputError as error:
            reason, took = str(error), time.process_time() - start
        else:
            continue
        refused += 1
        assert "\n" not in reason, text
        assert len(reason) <= 300, text
        assert took < 1, text
    assert 100 < refused < 450


@pytest.mark.skipif(not find_spec("peft"), reason="needs the extra transfer")
def test_random_task_files_are_read_or_refused():
    main, stream = command("transfer.__main__"), random.Random("tasks")
    whole = Path(import_module("transfer").__file__).with_name("tasks") / "demo.toml"
    text, codes = whole.read_text(encoding="utf-8"), set()
    for _ in range(30):
        Path("task.toml").write_text(mangled(text, stream), encoding="utf-8")
        verb = stream.choice(("status", "report"))
        codes.add(answer(main, (verb, "task.toml", "--results", "none"))[0])
    assert {0, 2} <= codes


def test_flipped_bits_change_nothing_or_are_refused():
    """Of the cells of a finished simulation, read again by the command itself."""
    main, stream = command("numerics.simulate"), np.random.default_rng(0)
    words = ("--activation", "x", "--mu", "0.5", "--replicas", "3", "--horizon", "50",
             "--points", "4", "--workers", "1", "--results", "cells")  # fmt: skip
    _, whole, _ = answer(main, words)
    (path,) = Path("cells").iterdir()
    content = path.read_bytes()
    codes = []
    for _ in range(40):
        damaged = bytearray(content)
        damaged[stream.integers(len(content))] ^= 1 << int(stream.integers(8))
        path.write_bytes(damaged)
        code, shown, said = answer(main, words)
        codes.append(code)
        assert shown == whole if code == 0 else path.name in said
    assert codes.count(2) > 30
