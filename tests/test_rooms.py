"""The direction of data: which room may import which, and that nothing goes round in a circle."""

import ast
from graphlib import TopologicalSorter
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# A file may import what stands in its own room, and in rooms before it.
ROOMS = (
    "derive",
    "derive.command",
    "derive.tables",
    "numerics.certified",
    "numerics.doubles",
    "numerics.dynamics",
    "numerics.sweep",
    "numerics.simulation",
    "numerics.figures",
    "numerics.reported",
    "numerics.front_door",
    "numerics.claims",
    "numerics.options",
    "numerics.explorer",
    "numerics",  # the commands
    "numerics.reproduce",
)
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for package in ("derive", "numerics", "transfer")
    for path in sorted((ROOT / package).rglob("*.py"))
}


def _imports(tree):
    """The modules of this project that a file imports, wherever in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
            inside = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name if name in MODULES else node.module for name in inside)


GRAPH = {name: set(_imports(ast.parse(path.read_text("utf-8")))) for name, path in MODULES.items()}


# What a command in a folder does once it has its options, apart so that its help is quick.
ACTIONS = {"numerics.figures.drawing"}


def _room(module):
    """The innermost room of a file; a command in a folder stands with the commands."""
    if module == "derive.__main__":
        return "derive.tables"
    if module in ACTIONS or (module.startswith("numerics") and module.endswith(".__main__")):
        module = module if "reproduce" in module else "numerics"
    return max((room for room in ROOMS if f"{module}.".startswith(f"{room}.")), key=len)


@pytest.mark.parametrize("module", [m for m in MODULES if not m.startswith("transfer")])
def test_imports_go_one_way(module):
    here = ROOMS.index(_room(module))
    back = [name for name in GRAPH[module] if ROOMS.index(_room(name)) > here]
    # A package begins with what answers interrupts, and mathematics knows no plumbing besides.
    assert set(back) <= ({"derive.command.signals"} if module == "derive" else set())


def test_no_import_circle():
    order = list(TopologicalSorter(GRAPH).static_order())
    assert set(order) == set(MODULES)


def test_every_room_holds_something():
    held = {_room(module) for module in MODULES if not module.startswith("transfer")}
    assert held == set(ROOMS)


def test_a_planted_arrow_back_is_seen():
    first, last = ROOMS[0], ROOMS[-1]
    assert all(ROOMS.index(a) < ROOMS.index(b) for a, b in pairwise(ROOMS))
    planted = ast.parse(f"def f():\n    from {last} import steps")
    assert list(_imports(planted)) == [f"{last}.steps"]
    assert ROOMS.index(_room(f"{last}.steps")) > ROOMS.index(_room(f"{first}.pair"))
