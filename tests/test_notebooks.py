"""The notebooks: each runs from its first cell to its last, and says what it finds."""

import ast
import re
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "notebooks"
NOTEBOOKS = sorted(path.stem for path in FOLDER.glob("*.md") if path.stem != "index")
DEAR = {"checkpoint", "tour"}  # the documentation, when it is built, executes all of them


def cells(name: str) -> list[str]:
    """The code of a notebook, cell by cell."""
    text = (FOLDER / f"{name}.md").read_text("utf-8")
    return re.findall(r"^```\{code-cell\} python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def executed(name: str) -> list[object]:
    """What the last expression of each cell is."""
    scope: dict[str, object] = {}
    shown = []
    for cell in cells(name):
        tree = ast.parse(cell)
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, name, "exec"), scope)
        if last:
            shown.append(eval(compile(ast.Expression(last.value), name, "eval"), scope))
    return [value for value in shown if value is not None]


@pytest.fixture(autouse=True)
def drawing(monkeypatch):
    """Figures are drawn, and not shown."""
    drawn = []

    def show() -> None:
        drawn.extend(plt.get_fignums())
        for number in plt.get_fignums():
            plt.figure(number).canvas.draw()
        plt.close("all")

    monkeypatch.setattr(plt, "show", show)
    yield drawn
    assert not plt.get_fignums()


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[pytest.mark.thorough] if n in DEAR else []) for n in NOTEBOOKS],
)
def test_a_notebook_runs_from_its_first_cell_to_its_last(name, drawing):
    assert executed(name)
    assert len(drawing) == "".join(cells(name)).count("plt.show()")


def test_the_notebook_on_a_claim_finds_what_the_ledger_says():
    (both, ratio, slope, dropped) = executed("claim")
    assert str(both) == "((1/2 - mu/2, -1/2), (1 - mu, -1))"
    assert ratio == 2
    assert slope.subs(dict.fromkeys(slope.free_symbols, 1)) > 0
    times = dict(dropped)
    least = min(times, key=times.__getitem__)
    assert 0.2 < least < 0.25  # where the curve without the term has its dip


def test_the_notebook_on_samples_finds_a_delay_in_time_alone():
    common, own = executed("samples")
    assert common > 10
    assert own < 1


def test_every_notebook_is_in_the_contents():
    contents = (FOLDER.parent / "index.md").read_text("utf-8")
    assert set(re.findall(r"^notebooks/(\S+)$", contents, re.MULTILINE)) == set(NOTEBOOKS)
