"""Commands by name: lists, the console script, completion, suggestions, helps without waiting."""

import argparse
import ast
import importlib
import json
import re
import runpy
import subprocess
import sys
from contextlib import suppress
from importlib import metadata
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

import derive
from derive.__main__ import main as of_derive
from derive.command.console import commands, completion, main
from derive.command.group import Command, Group
from derive.errors import InputError
from derive.kinds import Misalignment
from derive.pair import MISALIGNMENTS
from numerics.__main__ import main as of_numerics

GROUPS = ("derive", "numerics", "transfer")
HEAVY = ("sympy", "numpy", "scipy", "numba", "matplotlib", "flint", "xarray", "torch", "msgspec")


def every(group: Group, *before: str):
    """Every command of a group with the words that call it."""
    for name in group.members:
        member = group.member(name)
        if isinstance(member, Group):
            yield from every(member, *before, name)
        else:
            yield (*before, name), member


WORDS = [words for words, _ in every(commands())]


def console(*words, **how):
    code = "from derive.command.console import main; raise SystemExit(main())"
    return subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=False, **how
    )


def within(words, capsys):
    """What the console script answers within the process of the tests: its code and streams."""
    try:
        code = commands()(list(words))
    except SystemExit as end:
        code = end.code
    return code, *capsys.readouterr()


@pytest.mark.parametrize("package", GROUPS)
def test_a_package_lists_its_commands(package, command, process):
    done = command(package, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    for name, member in importlib.import_module(f"{package}.__main__").main.members.items():
        found = importlib.import_module(member).main if isinstance(member, str) else member
        assert re.search(rf"^  {name} ", done.stdout, re.MULTILINE)
        assert found.parser().description in " ".join(done.stdout.split())
    if package != "transfer":
        assert process(package).stdout == done.stdout


@pytest.mark.parametrize("package", GROUPS)
def test_a_package_that_is_run_takes_the_words_behind_its_name(package, monkeypatch, capsys):
    importlib.import_module(f"{package}.__main__")
    monkeypatch.setattr(sys, "argv", [package, "nonsense", "--help"])
    with pytest.raises(SystemExit) as left:
        runpy.run_path(sys.modules[f"{package}.__main__"].__file__, run_name="__main__")
    assert left.value.code == 2
    assert "'nonsense' was given: give " in capsys.readouterr().err


def test_what_a_group_lacks_is_told_before_any_of_its_commands_runs(capsys):
    """But not before their helps, nor before its own."""
    ran = []
    group = Group("g", "All.", {"c": lambda *_: ran.append(_) or 0}, missing=lambda: "g needs m")
    assert (group(["c"]), capsys.readouterr().err, ran) == (2, "g needs m\n", [])
    assert group(["c", "--help"]) == group(["c", "-h"]) == 0
    assert len(ran) == 2


@pytest.mark.parametrize("columns", [80, 100, 150])
def test_help_is_as_wide_as_the_terminal(columns, monkeypatch, capsys):
    """But for examples and what shells take, which people copy."""
    monkeypatch.setenv("COLUMNS", str(columns))
    for words in (["--help"], ["singularities", "--help"]):
        code, out, _ = within(words, capsys)
        said = out.split("lora-escape --version")[0].split("examples:")[0]
        assert code == 0
        assert columns / 2 < max(map(len, said.splitlines())) < columns


@pytest.mark.parametrize("columns", [1, 2, 12])
def test_help_has_its_words_on_the_narrowest_terminal(columns, monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", str(columns))
    for words in (["--help"], ["singularities", "--help"]):
        code, out, _ = within(words, capsys)
        assert (code, "singularit" in out) == (0, True)


def test_the_console_script_has_every_command_of_every_package():
    modules = {command.parser().module for _, command in every(commands())}
    root = Path(importlib.import_module("derive").__file__).parents[1]
    written = {
        found[1]
        for package in GROUPS
        for file in (root / package).rglob("*.py")
        for found in re.finditer(r'CommandParser\(\s*f?"([a-z. ]+)', file.read_text("utf-8"))
    }
    assert {name.split()[0] for name in modules} == {name.split()[0] for name in written}
    assert len(modules) == len(WORDS)


def test_the_console_script_is_installed_under_its_name():
    settings = Path(__file__).resolve().parents[3] / "setup.cfg"
    if not settings.exists():
        pytest.skip("only a checkout has the settings")
    assert "lora-escape = derive.command.console:main" in settings.read_text("utf-8")


def test_it_prints_what_the_module_prints(command):
    options = ("--degree", "3", "--table", "drift", "--format", "json")
    ours, theirs = console("tables", *options), command("derive.tables", *options)
    assert ours.returncode == 0
    assert json.loads(ours.stdout) == json.loads(theirs.stdout)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("escap", "--degree", "3"), "did you mean escape?"),
        (("transfer", "rum"), "did you mean run?"),
        (("nonsense",), "give tables, "),
        (
            ("escape", "--degre", "3"),
            "escape: error: '--degre' is not accepted, did you mean --degree?",
        ),
        (("escape", "--activation", "rellu"), "did you mean 'relu'?"),
        (("escape", "--activation", "swich"), "did you mean 'swish'?"),
        (("escape", "--activation", "H3"), "did you mean 'He3'?"),
        (("escape", "--activation", "he_12"), "did you mean 'He12'?"),
        (("claims", "--claim", "relu-dipp"), "nearest are 'relu-dip'"),
        (("figures", "--figure", "15"), "is no figure"),
    ],
)
def test_what_is_misspelt_gets_a_suggestion_in_one_line(words, told, capsys):
    code, out, err = within(words, capsys)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert told in err
    assert len(err) <= 301


@pytest.mark.parametrize("name", ["arctan", "tan", "log"])
def test_nothing_else_is_suggested_for_what_is_no_slip(name, capsys):
    _, _, err = within(["escape", "--mu", "0.5", "--activation", name], capsys)
    assert "did you mean" not in err


def test_version():
    done = console("--version")
    assert re.match(r"lora-escape \d+\.\d+", done.stdout)


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_a_completion_is_printed_for_its_shell(shell, monkeypatch, capsys):
    monkeypatch.setattr("derive.command.console.leave_in_one_line", lambda name: None)
    assert main(["--completion", shell]) == 0
    assert capsys.readouterr().out == completion(shell, commands()) + "\n"


def test_no_help_waits_for_a_library():
    """One after the other in one process, so that the first that loads one is the one told."""
    code = (
        "import contextlib, io, json, sys\nfrom derive.command.console import main\n"
        "for words in json.load(sys.stdin):\n"
        "    sys.argv, out, err = ['-c', *words, '--help'], io.StringIO(), io.StringIO()\n"
        "    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):\n"
        "        try: code = main()\n"
        "        except SystemExit as end: code = end.code\n"
        f"    heavy = sorted(set(sys.modules) & set({HEAVY}))\n"
        "    print(json.dumps([code or 0, out.getvalue(), err.getvalue(), heavy]))"
    )
    asked = [*WORDS, ("transfer",), ()]  # the last looks into all
    done = subprocess.run(
        [sys.executable, "-c", code], input=json.dumps(asked), capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert done.stderr == ""
    for words, line in zip(asked, done.stdout.splitlines(), strict=True):
        code, out, err, heavy = json.loads(line)
        assert (code, err, heavy) == (0, "", []), words
        called = " ".join(("lora-escape", *words))
        assert out.startswith((f"usage: {called}", f"{called} COMMAND")), words


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_the_help_tells_the_defaults_that_the_parser_has(words):
    """A default that is told is the one that is used."""
    parser = dict(every(commands()))[words].parser()
    for action in parser._actions:
        told, default = "default: %(default)s" in (action.help or ""), action.default
        has_one = default is not None and default is not False and default != argparse.SUPPRESS
        assert told == has_one, action.option_strings


def test_integers_are_taken_from_the_smallest_to_the_largest_that_are_told():
    found = set()
    for _, member in [*every(of_derive), *every(of_numerics)]:
        for action in filter(lambda each: each.type, member.parser()._actions):
            try:
                action.type("9" * 18)
            except (argparse.ArgumentTypeError, InputError) as refused:
                if not (told := re.search(r"from (\d+) to (\d+)(?!e)", str(refused))):
                    continue
                low, high = map(int, told.groups())
                for taken in (low, high):
                    assert str(action.type(str(taken))) == str(taken)
                for beyond in {low - 1, high + 1} - {-1}:
                    with pytest.raises(argparse.ArgumentTypeError):
                        action.type(str(beyond))
                found.add(action.option_strings[-1])
    assert len(found) > 10


# Options that name what is read; every other FILE or FOLDER is written to.
READ = {"--style", "--data-dir", "--images"}


def _shared(parser):
    """The words that make two options of a parser write one path, for every two that can."""
    for action in parser._actions:  # what else has to be given does not matter here
        if action.option_strings:
            action.required = False
        else:
            action.nargs = "?"
    writing = [action for action in parser._actions
               if re.match("FILE|FOLDER", str(action.metavar))
               and not READ.intersection(action.option_strings)]  # fmt: skip
    for first in writing:
        name = f"a/{first.dest}{_ending(first)}"
        options = parser.parse_args([first.option_strings[-1], name])
        files = first.type.files(getattr(options, first.dest), options)
        for file in {files[0], files[-1]}:
            file.parent.mkdir(parents=True, exist_ok=True)
            for second in set(writing) - {first}:
                with suppress(argparse.ArgumentTypeError):
                    if file in second.type.files(second.type(str(file)), options):
                        last = second.option_strings[-1]
                        yield first.option_strings[-1], name, last, str(file)


def _ending(action):
    endings = getattr(action.type, "endings", ())
    return f".{endings[0]}" if endings else ""


@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_no_command_writes_two_outputs_to_one_path(words, tmp_path, monkeypatch):
    """Files beside a figure, and those of a folder, are outputs as well."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").mkdir()
    parser = dict(every(commands()))[words].parser()
    tried = list(_shared(parser))
    for given in tried:
        with pytest.raises(InputError, match="both write"):
            parser.parse_args(given)
    several = {"plot", "data", "certificate", "results", "folder", "to"} & vars(
        parser.parse_args([])
    ).keys()
    assert bool(tried) == bool(several)


DISTRIBUTIONS = metadata.packages_distributions()
OWN = {"derive", "numerics", "transfer"}
# What reads the task and its images, draws on request, or comes with what makes the pages.
APART = {"msgspec", "datasets", "pillow", "pil", "huggingface-hub", "lazy-loader", "markupsafe",
         "matplotlib"}  # fmt: skip


def _imported(file):
    """The distributions that a file imports, but for types; what is not there by its own name."""
    tree = ast.parse(file.read_text("utf-8"))
    typed = [node for node in ast.walk(tree) if isinstance(node, ast.If)
             and getattr(node.test, "id", "") == "TYPE_CHECKING"]  # fmt: skip
    left_out = {id(part) for node in typed for part in ast.walk(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom) and id(node) not in left_out:
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            tops = {name.partition(".")[0] for name in names or [node.module or ""]}
            for top in tops - sys.stdlib_module_names - OWN:
                yield from map(canonicalize_name, DISTRIBUTIONS.get(top, [top]))


@pytest.mark.parametrize(
    ("package", "known"),
    [
        ("derive/tables", "sympy"),
        ("numerics/explorer", "jinja2"),
        ("numerics/reported", "sympy"),
        ("numerics/figures", "numpy"),
        ("numerics/claims", "python-flint"),
        ("numerics/reproduce", "markdown-it-py"),
        ("transfer", "torch"),
    ],
)
def test_provenance_names_every_library_that_a_package_of_a_command_imports(package, known):
    """Each in one of its commands, those of ``transfer`` sharing its files."""
    first = {"numerics/reported": "report"}.get(package, package.rpartition("/")[2])
    named = {canonicalize_name(name) for words, each in every(commands()) if words[0] == first
             for name in each.parser().libraries}  # fmt: skip
    files = (Path(derive.__file__).parents[1] / package).rglob("*.py")
    used = {name for file in files for name in _imported(file)} - APART
    assert known in used
    assert used - named == set()


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion_names_every_command_and_option(shell):
    script = completion(shell, commands())
    for words, member in every(commands()):
        assert f'"{" ".join(words)}"*)' in script
        for action in member.parser()._actions:
            assert all(option in script for option in action.option_strings)


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        (["sing"], {"singularities"}),
        (["escape", "--mis"], {"--misalignment"}),
        (["escape", "--misalignment", "s"], {"spherical"}),
        (["escape", "--degree", "3", "--misalignment", "l"], {"linear"}),
        (["transfer", "r"], {"run", "report"}),
        (["transfer", "run", "demo", "--dev"], {"--device"}),
    ],
)
def test_bash_completes(typed, offered):
    words = " ".join(f"'{word}'" for word in ["lora-escape", *typed])
    script = (
        f"{completion('bash', commands())}\nCOMP_WORDS=({words}); COMP_CWORD={len(typed)}\n"
        '_lora_escape; printf "%s\\n" "${COMPREPLY[@]}"'
    )
    try:
        done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)
    except FileNotFoundError:
        pytest.skip("needs bash")
    assert set(done.stdout.split()) == offered


def test_kinds_are_the_same_where_they_are_named_and_defined():
    assert set(Misalignment.__args__) == set(MISALIGNMENTS)


def test_a_command_is_called_by_its_own_name_in_its_examples():
    for words, member in every(commands()):
        assert isinstance(member, Command)
        parser = member.parser()
        summary = parser.description
        assert f"  python -m {parser.module} {parser.examples[0]}" in parser.format_help()
        assert len(summary) > 20
        assert summary in " ".join(parser.format_help().split())
        parser.prog = " ".join(("lora-escape", *words))
        assert f"  {parser.prog} {parser.examples[0]}" in parser.format_help()
