"""The command prints the dual activation as the function gives it, with its formula in LaTeX."""

import csv
import json
import re

import pytest
from sympy import latex, sympify

from derive.symbols import rho
from numerics import dual_activation


def test_a_closed_form_is_printed_and_its_values_are_its_own(command, compiles):
    options = ("--activation", "relu", "--rho", "-1:1:5", "--format")
    (record,) = json.loads(command("numerics.kernel", *options, "json").stdout)
    assert record["rho"] == [-1, -0.5, 0, 0.5, 1]
    formula = sympify(record["exact"])
    for place, value in zip(record["rho"], record["value"], strict=True):
        assert float(formula.subs("rho", place)) == pytest.approx(float(value))
    assert set(record["route"]) == {"closed form"}
    rows = command("numerics.kernel", *options, "csv").stdout.splitlines()[1:]
    assert [row["value"] for row in csv.DictReader(rows)] == record["value"]
    assert record["latex"] in command("numerics.kernel", *options, "text").stdout
    assert latex(rho) in record["latex"]
    piece = command("numerics.kernel", *options, "latex").stdout
    packages = r"\usepackage[margin=20mm]{geometry}\usepackage{amsmath,array,booktabs,dcolumn}"
    compiles(
        rf"\documentclass{{article}}{packages}\begin{{document}}\noindent {piece}\end{{document}}"
    )


def test_two_activations_two_variances_and_a_derivative(command):
    options = ("--activation", "tanh", "--activation", "softsign", "--rho", "-0.5,0.25",
               "--variance", "2", "--variance2", "1/2", "--derivative", "1", "--digits", "10",
               "--format", "json")  # fmt: skip
    (record,) = json.loads(command("numerics.kernel", *options).stdout)
    found = dual_activation("tanh", "softsign", "-0.5,0.25", variance=2, variance2="1/2",
                            derivative=1, digits=10)  # fmt: skip
    assert record["value"] == [point.value.mid for point in found.points]
    assert (record["exact"], record["certainty"]) == (None, "certified")
    told = ("function", "function2", "variance", "variance2", "derivative")
    assert [record[name] for name in told] == ["tanh", "softsign", "2", "1/2", 1]
    assert record["radius"] == [point.value.radius for point in found.points]
    for form in ("text", "latex"):
        shown = command("numerics.kernel", *options[:-1], form).stdout
        places = [shown.index(name) for name in ("tanh", "softsign")]
        assert places == sorted(places)
        assert re.search(r"variances (2|\$2\$) and (1/2|\$.*2)", shown)
        assert ("K^(1)" if form == "text" else "K^{(1)}") in shown


def test_what_is_infinite_is_shown(command):
    options = ("--activation", "relu", "--rho", "0.5,1", "--derivative", "2")
    assert "∞" in command("numerics.kernel", *options).stdout
    (record,) = json.loads(command("numerics.kernel", *options, "--format", "json").stdout)
    assert record["value"][1] is None


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "--activation"),
        (("--activation", "x") * 3, "one or two"),
        (("--activation", "x", "--rho", "-1:2:3"), "[-1, 1]"),
        (("--activation", "x", "--rho", "-"), "not accepted"),
        (("--activation", "x", "--variance2", "-1"), "positive"),
        (("--activation", "hardtanh", "--rho", "1", "--derivative", "2"), "finite"),
        (("--activation", "sign(x)"), "jumps"),
    ],
)
def test_bad_usage_is_one_line(command, options, said):
    done = command("numerics.kernel", *options)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert said in done.stderr
