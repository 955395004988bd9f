"""A small mutation run: changes of one place of the code, each tried on the tests that cover it.

Cosmic Ray makes the changes, in a copy of the checkout; which ones is drawn with a seed. What no
test notices is printed. Some of that changes nothing: whether it does is for a reader to say.
"""

import argparse
import ast
import os
import random
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from cosmic_ray.ast import ast_nodes, get_ast_from_path
from cosmic_ray.mutating import mutate_and_test
from cosmic_ray.plugins import get_operator
from cosmic_ray.testing import run_tests
from cosmic_ray.work_item import MutationSpec, TestOutcome

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("derive", "numerics", "transfer", "tests", "docs", ".ci")
PACKAGES = (Path("derive"), Path("numerics"), Path("transfer"))
BINARY = ("Add_Sub", "Sub_Add", "Mul_Div", "Div_Mul", "FloorDiv_Mul", "Pow_Mul", "Mod_FloorDiv")
COMPARISONS = (
    "Lt_LtE", "Lt_Gt", "LtE_Lt", "LtE_GtE", "Gt_GtE", "Gt_Lt", "GtE_Gt", "GtE_LtE", "Eq_NotEq",
    "NotEq_Eq", "Is_IsNot", "IsNot_Is",
)  # fmt: skip
KINDS = (
    *(f"core/ReplaceBinaryOperator_{kind}" for kind in BINARY),
    *(f"core/ReplaceComparisonOperator_{kind}" for kind in COMPARISONS),
    *("core/NumberReplacer",) * 4,  # as likely as its places are many
    "core/ReplaceUnaryOperator_Delete_USub",
    "core/ReplaceUnaryOperator_Delete_Not",
    "core/ReplaceTrueWithFalse",
    "core/ReplaceFalseWithTrue",
    "core/ReplaceAndWithOr",
    "core/ReplaceOrWithAnd",
    "core/ReplaceBreakWithContinue",
    "core/ReplaceContinueWithBreak",
    "core/ZeroIterationForLoop",
)
_MOST_OTHERS = 4  # files of tests besides a file's own
_MOST_CLAIMS = 12


@cache
def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def _files(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py")) or [folder]


def _dotted(module: Path) -> str:
    return ".".join(module.with_suffix("").parts)


def _mirror(module: Path) -> Path:
    """The file that mirrors a module: ``tests/derive/test_drift.py`` of ``derive/drift.py``."""
    return Path("tests") / module.with_name(f"test_{module.name}")


def _naming(module: Path, folder: Path) -> list[Path]:
    """The files that import a module, or call it by its name; those nearest to it first."""
    name, package, last = _dotted(module), _dotted(module.parent), module.stem
    known = re.compile(
        rf'from {name} import|import {name}\b|"{name}["\.]|from {package} import [^(\n]*\b{last}\b'
    )
    found = [file for file in _files(folder) if file != module and known.search(_text(file))]
    return sorted(found, key=lambda file: module.parent.name not in file.parts)


def tests_of(module: Path) -> Iterator[str]:
    """What to give pytest, nearest first: a file's mirror, its claims in the ledger, its examples,
    the tests that name it, those of what uses it, and those of its folder.
    """
    users = [file for package in PACKAGES for file in _naming(module, package)]
    if _mirror(module).exists():
        yield str(_mirror(module))
    if module.parent.name == "claims":
        from numerics.claims import CLAIMS

        made = {f"[{name}]": each.check.__module__ for name, each in CLAIMS.items()}
        own = [name for name, where in made.items() if where == _dotted(module)]
        theirs = [name for name, where in made.items() if where in map(_dotted, users)]
        if names := own or theirs[:_MOST_CLAIMS]:
            yield f"tests/numerics/claims/test_ledger.py -k '{' or '.join(names)}'"
    yield f"tests/test_package.py -k '[{_dotted(module)}] or frozen'"
    others = [
        *_naming(module, Path("tests")),
        *filter(Path.exists, map(_mirror, users)),
        *Path("tests", *module.parts[:1]).rglob(f"test_{module.name}"),
        *_files(Path("tests") / module.parent),
    ]
    chosen = dict.fromkeys(file for file in others if file.name.startswith("test_"))
    yield from map(str, [file for file in chosen if file != _mirror(module)][:_MOST_OTHERS])


@cache
def _places(module: Path, kind: str) -> list[MutationSpec]:
    operator = get_operator(kind)()
    found = (
        position
        for node in ast_nodes(get_ast_from_path(module))
        for position in operator.mutation_positions(node)
    )
    return [MutationSpec(module, kind, place, *at) for place, at in enumerate(found)]


def _lines_of_code(module: Path) -> int:
    """How many lines hold more than text."""
    nodes = (node for node in ast.walk(ast.parse(_text(module))) if hasattr(node, "lineno"))
    return len({node.lineno for node in nodes if not isinstance(node, ast.Constant | ast.Expr)})


def drawn(modules: list[Path], number: int, seed: int) -> Iterator[MutationSpec]:
    """Different changes: a file as often as it has lines of code, then a kind, then a place."""
    rng, seen = random.Random(seed), set()
    weights = [_lines_of_code(module) for module in modules]
    while len(seen) < number:
        (module,) = rng.choices(modules, weights)
        places = _places(module, rng.choice(KINDS))
        change = rng.choice(places) if places else None
        if change and (at := (module, change.operator_name, change.occurrence)) not in seen:
            seen.add(at)
            yield change


@cache
def _timed(tests: str) -> tuple[str, float]:
    """The command of some tests, and how long it may take; the code unchanged has to pass."""
    command = f"{sys.executable} -m pytest -q -x -p no:cacheprovider {tests}"
    begun = time.perf_counter()
    outcome, output = run_tests(command, 1200)
    if outcome is not TestOutcome.SURVIVED:
        raise SystemExit(f"{tests} fails without a change:\n{output[-2000:]}")
    return command, 30 + 3 * (time.perf_counter() - begun)


def _tried(change: MutationSpec) -> str:
    """Make a change and say who notices it: its own tests, others, or nobody."""
    diff = ""
    for place, tests in enumerate(tests_of(change.module_path)):
        result = mutate_and_test([change], *_timed(tests))
        if result.is_killed:
            return "noticed by others" if place else "noticed"
        diff = result.diff
    return f"SURVIVED\n{diff}"


def main() -> int:
    """Make the changes; 1 if one was not noticed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", default=PACKAGES, type=Path)
    parser.add_argument("--changes", type=int, default=40, help="how many (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="which ones (default: %(default)s)")
    parser.add_argument("--minutes", type=float, default=60, help="begin none after this many "
                        "(default: %(default)s)")  # fmt: skip
    options = parser.parse_args()
    end = time.monotonic() + 60 * options.minutes
    counts: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in COPIED:
            shutil.copytree(ROOT / name, Path(folder, name))
        for path in (path for path in ROOT.iterdir() if path.is_file()):
            shutil.copy(path, folder)
        os.chdir(folder)
        os.environ |= {"PYTHONPATH": folder, "PYTHONDONTWRITEBYTECODE": "1"}
        modules = [path for at in options.folders for path in _files(at)]
        for change in drawn(modules, options.changes, options.seed):
            if time.monotonic() > end:
                break
            said, _, diff = _tried(change).partition("\n")
            counts[said] = counts.get(said, 0) + 1
            print(f"{said:18}{change.module_path}:{change.start_pos[0]} {change.operator_name}")
            print(diff, end="\n" if diff else "", flush=True)
    print(", ".join(f"{number} {said}" for said, number in sorted(counts.items())))
    return int("SURVIVED" in counts)


if __name__ == "__main__":
    raise SystemExit(main())
