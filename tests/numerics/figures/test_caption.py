"""Captions: text with mathematics, as LaTeX that an author pastes."""

import shutil
import subprocess
from pathlib import PurePath
from types import SimpleNamespace

import pytest

from derive.pair import Pair
from numerics.figures.caption import (
    Caption,
    listed,
    number,
    sentences,
    shown_function,
    shown_pair,
    snippet,
    told_runs,
)
from numerics.simulation.design import Simulation


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("He12", r"$\mathrm{He}_{12}$"),
        ("gelu", r"$\mathrm{GELU}$"),
        ("tanh(2*x)", r"$\tanh(2\,x)$"),
        ("x**3 - 3*x", r"$x^{3} - 3\,x$"),
        ("leaky_relu", r"$\mathrm{leaky\ ReLU}$"),
        ("hardtanh(x/2)", r"$\mathrm{hardtanh}(x/2)$"),
    ],
)
def test_names_are_mathematics(text, shown):
    assert shown_function(text) == shown


def test_a_pair_says_what_is_not_usual_of_it():
    assert shown_pair(Pair("x", "erf")) == r"$x \to \mathrm{erf}$"
    both = Pair("x", "erf", labels="squared", loss="correlation", misalignment="linear")
    assert shown_pair(both).endswith("$, squared labels, correlation loss, linear misalignment")
    assert shown_pair(Pair("x", labels="squared")) == "$x$, squared labels"


def test_numbers_and_lists():
    assert [number(x) for x in (1e-5, 3e7, 1e6, 999_999, 0.125, 64, 999.7, float("inf"))] == [
        "10^{-5}", r"3 \times 10^{7}", "10^{6}", "999999", "0.125", "64", "1000", r"\infty",
    ]  # fmt: skip
    assert [number(x) for x in (99.94, 100, 100.4, 0.09996)] == ["99.9", "100", "100", "0.1"]
    assert [number(x, 4) for x in (99.94, 1000.4, 0.32072)] == ["99.94", "1000", "0.3207"]
    assert listed(["a"]) == "a"
    assert listed(["a", "a", "b"]) == "a and b"
    assert sentences("One", "", "two.") == "One. two."


def _run(**how):
    how = {"dimension": 50, "batch": 4, "learning_rate": 0.01, "replicas": 3} | how
    return SimpleNamespace(simulation=Simulation("x", 0.3, horizon=100, **how))


def test_how_runs_were_made_is_told_once_or_from_least_to_most():
    alike = told_runs([_run(), _run()])
    assert alike.endswith(r": $d=50$, batches of $B=4$, learning rate $\gamma=0.01$, 3 runs each")
    mixed = told_runs([_run(learning_rate=0.02, replicas=5, dimension=100), _run(batch=2)])
    assert mixed.endswith(
        r": $d=50$ to $100$, batches of $B=2$ to $4$, learning rates $\gamma=0.01$ to $0.02$, "
        "each strength's and pair's own, 3 to 5 runs each"
    )
    aligned = _run(signs="aligned")
    assert told_runs([aligned]).endswith("3 runs each, which start with $um>0$")
    assert "start with" not in told_runs([aligned, _run()])


def test_only_text_is_escaped():
    assert Caption("5 % & $a_b$ of a_b").latex == r"5 \% \& $a_b$ of a\_b"


@pytest.mark.parametrize("name", ["a b_c%.pdf", "é\n.svg", "--.png"])
def test_a_snippet_of_any_name_is_ascii_with_a_label(name):
    latex = snippet(Caption("text", wide=True), PurePath(name), "made\nso").decode("ascii")
    assert latex.startswith("% made so\n")
    assert r"\begin{figure*}" in latex
    assert r"\label{fig:" in latex


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="needs pdflatex")
def test_a_snippet_compiles(tmp_path):
    """With the classes' usual packages and nothing else."""
    text = sentences(
        f"{shown_function('squared_relu')} and {shown_function('x + He3')} at ${number(2e-5)}$, 5 %"
    )
    (tmp_path / "a_b.png").write_bytes(_png())
    body = snippet(Caption(text), PurePath("a_b.png"), "made so").decode()
    document = (
        "\\documentclass{article}\\usepackage{graphicx,amsmath}\\begin{document}\n"
        f"{body}\\end{{document}}\n"
    )
    (tmp_path / "t.tex").write_text(document)
    done = subprocess.run(
        ["pdflatex", "-halt-on-error", "-interaction=batchmode", "t.tex"],
        cwd=tmp_path, check=False, capture_output=True,
    )  # fmt: skip
    assert done.returncode == 0, (tmp_path / "t.log").read_text()[-800:]


def _png():
    import io

    from matplotlib.figure import Figure

    stream = io.BytesIO()
    Figure(figsize=(1, 1)).savefig(stream, format="png")
    return stream.getvalue()
