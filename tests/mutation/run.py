"""A small mutation run: changes of one place of the code, each tried on the tests of its file.

Cosmic Ray makes the changes, in a copy of the checkout; which ones is drawn with a seed. What no
test notices is printed. Some of that changes nothing: whether it does is for a reader to say.
"""

import argparse
import os
import random
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


def tests_of(module: Path) -> Path:
    """The file that mirrors a module: ``tests/derive/test_drift.py`` of ``derive/drift.py``."""
    return Path("tests") / module.with_name(f"test_{module.name}")


@cache
def _places(module: Path, kind: str) -> list[MutationSpec]:
    operator = get_operator(kind)()
    found = (
        position
        for node in ast_nodes(get_ast_from_path(module))
        for position in operator.mutation_positions(node)
    )
    return [MutationSpec(module, kind, place, *at) for place, at in enumerate(found)]


def drawn(modules: list[Path], number: int, seed: int) -> Iterator[MutationSpec]:
    """Different changes: a file as often as it has lines, then a kind, then a place."""
    rng, seen = random.Random(seed), set()
    weights = [len(module.read_text(encoding="utf-8").splitlines()) for module in modules]
    while len(seen) < number:
        (module,) = rng.choices(modules, weights)
        places = _places(module, rng.choice(KINDS))
        change = rng.choice(places) if places else None
        if change and (at := (module, change.operator_name, change.occurrence)) not in seen:
            seen.add(at)
            yield change


@cache
def _test_of(module: Path) -> tuple[str, float]:
    """The command that tests a file, and how long it may take; the file unchanged has to pass."""
    command = f"{sys.executable} -m pytest -q -x -p no:cacheprovider {tests_of(module)}"
    begun = time.perf_counter()
    outcome, output = run_tests(command, 1200)
    if outcome is not TestOutcome.SURVIVED:
        raise SystemExit(f"{tests_of(module)} fails without a change:\n{output[-2000:]}")
    return command, 30 + 3 * (time.perf_counter() - begun)


def main() -> int:
    """Make the changes; 1 if one was not noticed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", default=["derive", "numerics"], type=Path)
    parser.add_argument("--changes", type=int, default=40, help="how many (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="which ones (default: %(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name in COPIED:
            shutil.copytree(ROOT / name, Path(folder, name))
        for path in (path for path in ROOT.iterdir() if path.is_file()):
            shutil.copy(path, folder)
        os.chdir(folder)
        os.environ |= {"PYTHONPATH": folder, "PYTHONDONTWRITEBYTECODE": "1"}
        files = [path for at in options.folders for path in (sorted(at.rglob("*.py")) or [at])]
        tested = [path for path in files if tests_of(path).exists()]
        survivors = 0
        for change in drawn(tested, options.changes, options.seed):
            result = mutate_and_test([change], *_test_of(change.module_path))
            survivors += not result.is_killed
            print("noticed " if result.is_killed else "SURVIVED",
                  f"{change.module_path}:{change.start_pos[0]} {change.operator_name}")  # fmt: skip
            if not result.is_killed:
                print(result.diff, flush=True)
    print(f"{options.changes - survivors} of {options.changes} changes were noticed")
    return int(survivors > 0)


if __name__ == "__main__":
    raise SystemExit(main())
