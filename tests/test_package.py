"""The house: public lists, direction of data, cheap imports, examples that run."""

import ast
import configparser
import doctest
import importlib
import importlib.metadata
import inspect
import os
import pkgutil
import re
import shlex
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

import derive
import numerics

PACKAGES = [derive, numerics]
if find_spec("torch") and find_spec("peft"):  # the extra; CI has it
    PACKAGES.append(importlib.import_module("transfer"))
MODULES = sorted(
    module.name
    for package in PACKAGES
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
)


ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
SETUP = configparser.ConfigParser(interpolation=None)
SETUP.read(ROOT / "setup.cfg", encoding="utf-8")
FLOOR = SETUP["options"]["python_requires"].removeprefix(">=")
MINORS = re.findall(r"Python :: (3\.\d+)$", SETUP["metadata"]["classifiers"], re.MULTILINE)
CONSOLE = re.findall(r"^\$ (.+?[^\\])\n(.+?)(?=\n+^\$ |\n```)", README, re.MULTILINE | re.DOTALL)


@cache
def _nodes(module):
    """Of its source."""
    path = Path(importlib.util.find_spec(module).origin)
    return tuple(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def _imported(nodes):
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]


def test_docstrings_list_their_arguments_one_a_line():
    running = [
        f"{module}.{node.name}"
        for module in MODULES
        for node in _nodes(module)
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
        and re.search(r"Arguments: *\S", ast.get_docstring(node) or "")
    ]
    assert running == []


def _functions_of(public):
    """A public function, or the methods of a public class that have no underscore."""
    if inspect.isfunction(public):
        yield public
    elif inspect.isclass(public):
        methods = {name: f for name, f in vars(public).items() if inspect.isfunction(f)}
        yield from (method for name, method in methods.items() if not name.startswith("_"))


def _listed(text):
    """The names in a docstring's list of arguments."""
    rows = re.search(r"^Arguments:\n((?: .*\n|\n)*)", f"{inspect.cleandoc(text)}\n", re.MULTILINE)
    heads = re.findall(r"^ {4}([\w, *]+):", rows[1], re.MULTILINE) if rows else []
    return {name for head in heads for name in re.findall(r"\w+", head)}


def _functions_in(package):
    """The public ones of its list, and every function of a module without an underscore."""
    yield from (f for name in package.__all__ for f in _functions_of(getattr(package, name)))
    for module in (importlib.import_module(name) for name in MODULES):
        if module.__name__.split(".")[0] == package.__name__:
            yield from (
                inspect.unwrap(function)
                for name, function in vars(module).items()
                if inspect.isfunction(inspect.unwrap(function))
                and function.__module__ == module.__name__
                and not name.startswith("_")
            )


@pytest.mark.parametrize("package", PACKAGES)
def test_three_arguments_of_functions_or_more_are_all_in_their_docstrings(package):
    """Or in that of the function to which these refer."""
    asked = {
        function: set(inspect.signature(function).parameters) - {"self"}
        for function in set(_functions_in(package))
        if not re.search(r"rguments as of ``[\w.]+``", function.__doc__ or "")
    }
    missing = {
        f"{function.__module__}.{function.__qualname__}": sorted(left)
        for function, names in asked.items()
        if len(names) > 2 and (left := names - _listed(function.__doc__ or ""))
    }
    assert sum(len(names) > 2 for names in asked.values()) > 1
    assert missing == {}


def test_no_more_than_six_arguments_are_given_by_position():
    """Beyond, a reader does not know which is which."""
    long = [
        f"{module}.{node.name}"
        for module in MODULES
        for node in _nodes(module)
        if isinstance(node, ast.FunctionDef)
        and len({each.arg for each in (*node.args.posonlyargs, *node.args.args)} - {"self"}) > 6
    ]
    assert long == []


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_is_there_and_documented(package):
    assert package.__all__
    for name in package.__all__:
        public = getattr(package, name)
        assert public.__doc__ or isinstance(public, dict), name


@pytest.mark.parametrize("package", PACKAGES)
def test_no_public_name_is_that_of_a_module(package):
    """Importing the module would hide the name."""
    modules = {module.name for module in pkgutil.iter_modules(package.__path__)}
    assert modules.isdisjoint(package.__all__)


@pytest.mark.parametrize("module", MODULES)
def test_examples_in_docstrings_run(module):
    assert doctest.testmod(importlib.import_module(module)).failed == 0


def test_the_readme_is_right():
    """Its examples run, and its commands are the ones that continuous integration runs."""
    assert doctest.testfile(str(ROOT / "README.md"), module_relative=False).failed == 0
    commands = [line for line in README.splitlines() if line.startswith("python3 -m venv")]
    assert len(commands) == 2
    assert set(commands) <= set((ROOT / ".ci/run").read_text().splitlines())
    assert len(CONSOLE) == README.count("\n$ ")


@pytest.mark.parametrize(("line", "shown"), CONSOLE, ids=[line[:40] for line, _ in CONSOLE])
def test_the_readme_shows_what_its_commands_print(line, shown, command):
    """Simulated numbers to 1 %, for machines round in different ways; all else to the letter."""
    words = shlex.split(line.replace("\\\n", " "))
    assert words[:2] == ["python", "-m"]
    done = command(*words[2:])
    assert done.returncode == 0
    printed, _, provenance = done.stdout.rstrip().rpartition("\n")
    assert "lora-escape" in provenance
    if "a simulation" not in shown:
        assert printed.strip() == shown.strip()
        return
    number = re.compile(r"(?<!\w)\d+\.?\d*")
    assert number.sub("", " ".join(printed.split())) == number.sub("", " ".join(shown.split()))
    numbers = [[float(x) for x in number.findall(text)] for text in (printed, shown)]
    assert numbers[0] == pytest.approx(numbers[1], rel=0.01)


@pytest.mark.parametrize("module", [m for m in MODULES if m.startswith("derive.")])
def test_derive_has_no_floats_and_imports_nothing_of_ours(module):
    nodes = _nodes(module)
    assert not set(_imported(nodes)) & {"numerics", "transfer", "numpy", "scipy", "flint"}
    floats = [
        node.value
        for node in nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, float)
    ]
    assert floats == []


@pytest.mark.parametrize("module", [m for m in MODULES if m.startswith("numerics.")])
def test_numerics_does_not_import_transfer(module):
    assert "transfer" not in _imported(_nodes(module))


@pytest.mark.parametrize("file", sorted((ROOT / "tests").rglob("*.py")), ids=lambda file: file.name)
def test_tests_use_no_private_names(file):
    """Neither imported nor asked of a module; a fault may be planted in one by its name."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    imported = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    names = {name.name for node in imported for name in node.names} - {"__main__"}
    packages = {package.__name__ for package in PACKAGES}
    ours = {
        name.asname or name.name
        for node in imported
        if node.module and node.module.split(".")[0] in packages
        for name in node.names
    }
    asked = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in ours
    }
    assert [name for name in names | asked if re.match("_(?!_)", name)] == []


def test_what_is_checked_before_a_commit_is_what_the_lint_job_checks():
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini", encoding="utf-8")
    job = tox["testenv:lint"]["commands"].strip().splitlines()
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text("utf-8"))["repos"][0][
        "hooks"
    ]
    entries = [hook["entry"].replace(" --force-exclude", "") for hook in hooks]
    assert entries == [command.removesuffix(" .") for command in job]  # files are given to hooks


@pytest.mark.parametrize("module", MODULES)
def test_nothing_evaluates_text_or_loads_pickles(module):
    nodes = _nodes(module)
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    assert not names & {"eval", "exec", "parse_expr", "compile", "pickle"}
    assert not set(_imported(nodes)) & {"pickle", "shelve", "marshal"}


@pytest.mark.parametrize("module", MODULES)
def test_symbols_are_told_by_what_they_are(module):
    """None by what it is not: SymPy takes that for another symbol."""
    for call in (node for node in _nodes(module) if isinstance(node, ast.Call)):
        if getattr(call.func, "id", "") in ("Symbol", "symbols"):
            told = [each.value for each in call.keywords]
            assert False not in [getattr(value, "value", None) for value in told], ast.unparse(call)


@pytest.mark.parametrize("module", MODULES)
def test_what_messages_repeat_is_cut_in_one_place(module):
    """By ``derive.errors``: a limit of its own would be one more to hold."""
    raised = [node for node in _nodes(module) if isinstance(node, ast.Raise)]
    repeated = [part.value for node in raised for part in ast.walk(node)
                if isinstance(part, ast.FormattedValue)]  # fmt: skip
    cuts = [part for value in repeated for part in ast.walk(value) if isinstance(part, ast.Slice)
            and isinstance(part.upper, ast.Constant)]  # fmt: skip
    assert [ast.unparse(cut) for cut in cuts] == []


def test_records_are_frozen():
    """They are shared by caches, and are keys of them."""
    files = [file for package in PACKAGES for file in Path(package.__path__[0]).rglob("*.py")]
    lines = [line for file in files for line in file.read_text("utf-8").splitlines()]
    made = [line for line in lines if re.match(r"\s*@dataclass|class .*msgspec\.Struct,", line)]
    assert made
    assert [line for line in made if "frozen=True" not in line] == []


def test_the_version_is_the_one_installed_and_unknown_of_a_mere_checkout(monkeypatch):
    assert derive.__version__ == importlib.metadata.version("lora-escape")
    monkeypatch.setattr(importlib.metadata, "version", importlib.metadata.Distribution.from_name)
    monkeypatch.setattr(importlib.metadata.Distribution, "discover", lambda **_: iter(()))
    assert derive.__version__ == "0+unknown"


@pytest.mark.parametrize("module", ["derive", "numerics", "numerics.singularities"])
def test_importing_is_cheap(module):
    heavy = {"torch", "matplotlib", "dask", "pandas", "scipy"}
    code = f"import sys, {module}; print(*set(sys.modules) & {heavy})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_the_supported_pythons_are_the_same_everywhere():
    """The patch release is the oldest that is tested; the last minor, the newest with wheels."""
    assert FLOOR.rpartition(".")[0] == MINORS[0]
    assert SETUP["mypy"]["python_version"] == MINORS[0]
    assert f"Python {FLOOR}, " in (ROOT / "docs/map.md").read_text(encoding="utf-8")
    for page in (README, (ROOT / "docs/start.md").read_text(encoding="utf-8")):
        assert re.findall(r"Python (3[\d.]*\d) to (3\.\d+)", page) == [(FLOOR, MINORS[-1])]
    assert f"--python-version {MINORS[-1]} " in (ROOT / ".ci/run").read_text()
    tox = configparser.ConfigParser(interpolation=None)
    tox.read(ROOT / "tox.ini", encoding="utf-8")
    asked = set(tox["testenv"]["default_base_python"].split())
    (admitted,) = map(SpecifierSet, asked)
    assert [minor for k in range(50) if f"{(minor := f'3.{k}')}.99" in admitted] == MINORS
    assert FLOOR in admitted
    *series, patch = FLOOR.split(".")
    assert ".".join([*series, str(int(patch) - 1)]) not in admitted


@pytest.mark.skipif(
    os.environ.get("TOX_ENV_NAME") in ("oldest", "newest"), reason="other versions than the pins"
)
def test_every_pin_admits_the_oldest_and_the_newest_python():
    pins = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    checked = set()
    for pin in map(Requirement, (line for line in pins if not line.startswith("#"))):
        try:
            installed = importlib.metadata.metadata(pin.name)
        except importlib.metadata.PackageNotFoundError:
            continue
        if installed["Version"] in pin.specifier:
            admitted = SpecifierSet(installed.get("Requires-Python", ""))
            assert FLOOR in admitted, pin
            assert MINORS[-1] in admitted, pin
            checked.add(pin.name)
    assert {"numpy", "pytest", "sympy"} <= checked


def test_the_oldest_versions_that_are_tried_are_those_that_are_admitted():
    extras = SETUP["options.extras_require"]
    floors = "\n".join([SETUP["options"]["install_requires"], extras["test"], extras["reproduce"]])
    tried = (ROOT / "tests/oldest.txt").read_text(encoding="utf-8").splitlines()[1:]
    assert sorted(tried) == sorted(
        set(re.findall(r"^\S+==\S+$", floors.replace(" >=", "=="), re.M))
    )


def test_the_citation_is_of_this_version_and_names_the_paper():
    """Checked against the schema of the Citation File Format 1.2.0 when it was last changed."""
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    metadata = SETUP["metadata"]
    assert citation["title"] == metadata["name"]
    assert [citation["version"], citation["license"]] == [metadata["version"], metadata["license"]]
    assert citation["authors"] == [{"name": metadata["author"]}]
    (paper,) = citation["references"]
    assert paper["title"].lower() in " ".join(README.lower().split())
    assert paper["url"].rpartition("/")[2] == paper["doi"].rpartition("arXiv.")[2]
    bibtex = README.split("```bibtex")[1].split("```")[0]
    names = " and ".join(f"{a['family-names']}, {a['given-names']}" for a in paper["authors"])
    software = citation["authors"][0]["name"], citation["version"], citation["title"]
    for told in (names, paper["doi"], *software):
        assert f"{{{told}}}" in bibtex
    assert paper["title"] in bibtex.replace("{LoRA}", "LoRA")


@pytest.mark.skipif("TOX_ENV_NAME" not in os.environ, reason="only tox installs the wheel")
@pytest.mark.parametrize("package", PACKAGES)
def test_the_installed_wheel_is_what_is_tested(package):
    (folder,) = package.__path__
    assert Path(folder).is_relative_to(sys.prefix)
