"""What people read of singularities is what the records say, and what τ does there."""

import json
import re

import pytest
from sympy import Poly, Rational

from derive.drift import Drift
from derive.escape import escape_time
from derive.pair import Pair
from derive.polynomial_drift import hermite_drift
from derive.symbols import mu
from derive.tables.names import in_units

COMMAND = "numerics.singularities"
DRIFTS = {
    "simple and double": Drift((2 * mu - 1) ** 2 * (5 * mu - 1), -1 - mu),
    "triple": Drift((2 * mu - 1) ** 3, Poly(-3, mu)),
    "finite": Drift((2 * mu - 1) * (5 * mu - 1), 3 * mu - 1),
    "none": Drift(1 - mu, Poly(-1, mu)),
    "of He_3": hermite_drift(3, normalization="n*n!"),
}


@pytest.fixture
def found(command, monkeypatch):
    """The records and the text of drifts, whose pairs do not matter."""

    def find(*names):
        made = [lambda name=name: (Pair("x"), DRIFTS[name]) for name in names]
        monkeypatch.setattr("numerics.singularities.chosen_drifts", lambda options: made)
        data, text = (command(COMMAND, "--activation", "x", "--format", form).stdout
                      for form in ("json", "text"))  # fmt: skip
        return json.loads(data), text

    return find


def _told(s):
    """What is read of the escape time at a singularity."""
    power = f", as the power {2 * s['multiplicity']}" if s["multiplicity"] > 1 else ""
    return ("diverges" if s["diverges"] else "finite, 1/b") + power


@pytest.mark.parametrize("name", DRIFTS)
def test_rows_say_what_the_escape_time_does(found, name):
    (record,), text = found(name)
    rows = [line.split("  ") for line in text.splitlines() if line.startswith("x ")]
    rows = [[cell.strip() for cell in row if cell.strip()] for row in rows]
    if not record["singularities"]:
        assert rows == [["x", "none: proved", "finite"]]
    for row, s in zip(rows, record["singularities"], strict=False):
        assert (row[1], row[3]) == (s["mu"], _told(s))
        assert abs(Rational(row[2]) - Rational(s["b"])) <= Rational(1, 10**8)
        assert len(re.sub(r"\D", "", row[2]).lstrip("0")) <= 10 < len(row[1])
        near = Rational(s["mu"]) + Rational(1, 10**6)
        tau = escape_time(*DRIFTS[name].value(near))
        if s["diverges"]:
            size = tau * Rational(1, 10**6) ** (2 * s["multiplicity"])
            assert abs(Rational(row[4]) / size - 1) < Rational(1, 10**4)
        else:
            assert len(row) == 4
            assert abs(tau * Rational(s["b"]) - 1) < Rational(1, 10**4)
    assert len(rows) == max(1, len(record["singularities"]))
    assert in_units(DRIFTS[name].normalization).plain in text.splitlines()[0]


def test_degrees_reach_a_billion(command):
    done = command("numerics.singularities", "--degree", "1000000001")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "integers from 1 to 1000000000:" in done.stderr


def test_the_unit_of_hermite_pairs_may_be_said(command):
    asked = ("numerics.singularities", "--degree", "3", "--format", "csv")
    said = command(*asked, "--normalization", "n*n!").stdout
    assert said.splitlines()[1:] == command(*asked).stdout.splitlines()[1:]


def test_units_that_differ_stand_in_each_row(found):
    _, text = found("simple and double", "of He_3", "none")
    title, *lines = text.splitlines()
    assert "a and b as each row says" in title
    rows = [line for line in lines if line.startswith("x ")]
    raw, paper = (in_units(name).plain for name in ("raw", "n*n!"))
    assert [raw in row for row in rows] == [True, True, False, True]
    assert [paper in row for row in rows] == [False, False, True, False]
