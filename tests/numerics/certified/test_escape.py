"""Escape-time curves: closed forms, mpmath, limits, and the command."""

import argparse
import csv
import json
import math
import os
import re
from fractions import Fraction
from math import inf, isinf

import mpmath
import pytest
from flint import ctx, fmpq
from hypothesis import given
from hypothesis import strategies as st
from strategies import strengths
from sympy import Integer, Rational, Symbol, exp
from thorough import only

from derive.drift import ClosedDrift
from derive.errors import InputError, Undecided
from derive.escape import escape_limit
from derive.grammar import parse_activation
from derive.pair import MISALIGNMENTS, Pair
from derive.pair_drift import drift_of
from derive.polynomial_drift import LABELS, hermite_drift
from numerics.certified.drift import ball_drift
from numerics.certified.escape import escape_curve
from numerics.certified.singularities import find_singularities
from numerics.doubles.drift import fast_drift
from numerics.options.values import Strengths, figure_path


@given(strengths)
def test_linear_student_in_closed_form(mu):
    """a = 1-μ, b = -1, so τ = (1 + √(1 + 4(1-μ)²)) / (2(1-μ)²)."""
    curve = escape_curve(hermite_drift(1), [mu])
    with mpmath.workdps(40):
        a = 1 - mpmath.mpf(mu.numerator) / mu.denominator
        tau = (1 + mpmath.sqrt(1 + 4 * a**2)) / (2 * a**2)
        assert curve.tau[0] == pytest.approx(float(tau), rel=1e-15)
        assert curve.rate[0] == pytest.approx(float(1 / tau), rel=1e-15)


@pytest.mark.parametrize("labels", LABELS)
@given(n=st.integers(1, 40), mu=strengths)
def test_every_double_is_the_nearest_or_its_neighbour(labels, n, mu):
    """Against the defining formula at 400 digits, where nothing that cancels is lost."""
    drift = hermite_drift(n, labels)
    curve = escape_curve(drift, [mu])
    with mpmath.workdps(400):
        x = mpmath.mpf(mu.numerator) / mu.denominator
        a, b = (
            sum(mpmath.mpf(c.p) / c.q * x**k for (k,), c in f.terms()) for f in (drift.a, drift.b)
        )
        rate = (b + mpmath.sqrt(b**2 + 4 * a**2)) / 2
        for value, truth in zip(
            (curve.a, curve.b, curve.rate, curve.tau), (a, b, rate, 1 / rate), strict=True
        ):
            assert value[0] == pytest.approx(float(truth), rel=3e-16, abs=0)


@pytest.mark.parametrize("name", ["linear", "spherical"])
@pytest.mark.parametrize("text", ["x", "He3", "He12", "x**2 + x"])
def test_misaligned_polynomials_escape_through_the_other_direction(text, name):
    """The exact rate, that of balls and that of doubles are one, and solve λ² = bλ + a² + ν²b²."""
    activation, mu = parse_activation(text), Fraction(3, 10)
    drift = drift_of(Pair(activation, activation, misalignment=MISALIGNMENTS[name]))
    curve = escape_curve(drift, [mu])
    nu = {"linear": 0.7, "spherical": math.sqrt(0.91)}[name]
    ((a,), (b,), (rate,)) = curve.a, curve.b, curve.rate
    assert rate**2 == pytest.approx(b * rate + a**2 + (nu * b) ** 2, rel=1e-13)
    with ctx.workprec(200):
        assert float(ball_drift(drift).at(fmpq(3, 10))[2]) == pytest.approx(rate, rel=1e-15)
    assert fast_drift(drift).rate([0.3])[0] == pytest.approx(rate, rel=1e-12)


@given(st.integers(1, 40), strengths)
def test_rational_coefficients_are_rounded_once(n, mu):
    """a and b of a polynomial are rationals at a rational: their doubles are float() of these."""
    drift = hermite_drift(n, "squared")
    exact = drift.value(Rational(mu.numerator, mu.denominator))
    curve = escape_curve(drift, [mu])
    for ours, value in zip((curve.a[0], curve.b[0]), exact, strict=True):
        assert ours == float(Fraction(int(value.p), int(value.q)))


@pytest.mark.parametrize("shift", [10, 35, 40, 45, 150])
def test_a_closed_form_that_cancels_is_followed_until_its_doubles_are_right(shift):
    """a = 2 sinh(μ - 1/3), written as a difference, next to its zero."""
    near = Fraction(1, 3) + Fraction(1, 2**shift)
    x, third = Symbol("mu"), Rational(1, 3)
    drift = ClosedDrift(exp(x) * exp(-third) - exp(third - x), Integer(-1))
    curve = escape_curve(drift, [near])
    with mpmath.workdps(120):
        truth = 2 * mpmath.sinh(mpmath.mpf(2) ** -shift)
        rate = 2 * truth**2 / (1 + mpmath.sqrt(1 + 4 * truth**2))
    assert curve.a[0] == float(truth)
    assert curve.rate[0] == pytest.approx(float(rate), rel=3e-16)
    assert curve.tau[0] == pytest.approx(float(1 / rate), rel=3e-16)
    assert curve.bits[0] >= shift + 60


@pytest.mark.parametrize("n", [1, 3, 6])
def test_results_say_their_unit(n):
    """One τ in two units: the numbers differ by n·n!, and each says which it is in."""
    at, factor = [Fraction(1, 2)], n * math.factorial(n)
    for unit, name in (("1/γ", "raw"), ("1/(γ n·n!)", "n*n!")):
        drift = hermite_drift(n, normalization=name)
        found = find_singularities(drift)
        curve, fast = escape_curve(drift, at), fast_drift(drift)
        assert {curve.unit, fast.unit, *(s.unit for s in found)} == {unit}
        scale = factor if name == "raw" else 1
        assert curve.tau[0] * scale == pytest.approx(
            escape_curve(drift.normalized("n*n!", n), at).tau[0], rel=1e-15
        )
        assert all(s.bits >= 100 for s in found)  # 30 digits


def test_no_escape_at_full_strength():
    curve = escape_curve(hermite_drift(3), [Fraction(1)])
    assert (curve.a, curve.rate, curve.tau) == ((0.0,), (0.0,), (inf,))


@pytest.mark.parametrize("n", [1, 2, 3, 4, 7, 10, 13, 24])
@pytest.mark.parametrize("end", [0, 1])
def test_proposition_3_is_the_limit_of_the_curve(n, end):
    """Two oracles for one law: the series of derive, and evaluation next to the end."""
    drift = hermite_drift(n)
    law = escape_limit(drift, end)
    distance = Fraction(1, 10**8)
    (tau,) = escape_curve(drift, [abs(end - distance)]).tau
    expected = float(law.coefficient) * float(distance) ** int(law.exponent)
    assert tau == pytest.approx(expected, rel=1e-5)


@given(st.integers(2, 20))
def test_time_scales_inversely_with_the_normalisation(n):
    raw, paper = (
        escape_curve(hermite_drift(n, "matched", name), [Fraction(2, 3)]).tau[0]
        for name in ("raw", "n*n!")
    )
    scale = hermite_drift(n, "matched", "raw").b.eval(1) / hermite_drift(
        n, "matched", "n*n!"
    ).b.eval(1)
    assert paper == pytest.approx(raw * float(scale), rel=1e-15)


@pytest.mark.parametrize("strength", [Fraction(-1, 2), Fraction(3, 2)])
def test_strengths_outside_the_range_are_refused(strength):
    with pytest.raises(InputError, match="0 ≤ μ ≤ 1"):
        escape_curve(hermite_drift(2), [strength])


def test_an_empty_grid_gives_an_empty_curve():
    assert escape_curve(hermite_drift(2), []).tau == ()


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("0.1", ["1/10"]),
        ("1", ["1"]),
        (".5,0.25", ["1/2", "1/4"]),
        ("0.1:0.3:3", ["1/10", "1/5", "3/10"]),
    ],
)
def test_strengths_are_read_exactly(text, values):
    assert [str(value) for value in Strengths(text)] == values


@pytest.mark.parametrize(
    "text",
    ["", "0", "1.1", "-0.1", "nan", "inf", "1e-3", "0.5:0.1:3", "0.1:0.5", "0.1:0.5:1", "0.1,",
     "0.1:0.5:9999999", "0." + "1" * 99, "a", "0.1;0.2", "100," * 40 + "9%"],
)  # fmt: skip
def test_other_strengths_are_refused_in_one_line(text):
    with pytest.raises(argparse.ArgumentTypeError, match="give decimals") as refusal:
        Strengths(text)
    assert "\n" not in str(refusal.value)


def test_too_many_strengths_are_refused_before_they_are_read():
    """At the limit they are read; above it not one is, though the last is nonsense."""
    assert len(Strengths(",".join(["0.1"] * 10_000))) == 10_000
    for text in (",".join(["0.1"] * 10_001), "0.1," * 30_000 + "1/0"):
        with pytest.raises(argparse.ArgumentTypeError, match="give at most 10000 numbers"):
            Strengths(text)


# The command.

COMMAND = "numerics.escape"


def test_json_holds_what_was_promised(command):
    done = command(COMMAND, "--degree", "1,3", "--mu", "0.5,1", "--format", "json")
    linear, cubic = json.loads(done.stdout)
    assert {"teacher", "student", "labels", "loss", "normalization", "certainty"} <= set(linear)
    assert (linear["mu"], linear["a"], linear["b"]) == ([0.5, 1.0], [0.5, 0.0], [-1.0, -1.0])
    assert (cubic["student"], cubic["degree"], cubic["certainty"]) == ("He3", 3, "exact")
    assert linear["tau"][1] is None  # no escape; JSON has no infinity
    assert linear["tau"][0] * linear["rate"][0] == pytest.approx(1)


def test_csv_and_people_see_the_same_numbers(command):
    options = ("--degree", "2", "--labels", "squared", "--mu", "0.5")
    (row,) = csv.DictReader(command(COMMAND, *options, "--format", "csv").stdout.splitlines()[1:])
    for form in ("text", "latex", "markdown"):
        assert f"{float(row['tau']):.6g}" in command(COMMAND, *options, "--format", form).stdout
    assert (row["teacher"], row["labels"]) == ("He2", "squared")


@pytest.mark.parametrize("suffix", only(["svg"], ["pdf", "png", "svg"]))
def test_figure_has_its_data_and_origin_beside_it(command, tmp_path, suffix):
    options = ("--degree", "2,3", "--plot", f"tau.{suffix}", "--output", "tau.txt")
    done = command(COMMAND, *options)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(os.listdir(tmp_path)) == sorted(
        [f"tau.{suffix}", "tau.csv", "tau.tex", "tau.txt"]
    )
    start = {"pdf": b"%PDF", "png": b"\x89PNG", "svg": b"<?xml"}[suffix]
    drawn = (tmp_path / f"tau.{suffix}").read_bytes()
    assert drawn.startswith(start)
    assert suffix == "pdf" or b"python -m numerics.escape --degree 2,3" in drawn
    source, *data = (tmp_path / "tau.csv").read_text().splitlines()
    rows = list(csv.DictReader(data))
    assert {row["student"] for row in rows} == {"He2", "He3"}
    assert source.startswith("# python -m numerics.escape --degree 2,3")
    again = command(COMMAND, *options)
    assert again.returncode == 0
    assert (tmp_path / f"tau.{suffix}").read_bytes() == drawn  # the same command, the same bytes


@pytest.mark.parametrize(
    ("quantity", "column"),
    [
        ("exit-time", "exit_time"),
        ("rate", "rate"),
        ("drift", "b"),
        ("frozen-risk", "risk"),
        ("mean", "relative_mean"),
        ("potential", "potential"),
    ],
)
def test_every_quantity_is_drawn_with_its_data(command, tmp_path, quantity, column):
    pairs = ("--degree", "2,3", "--activation", "relu", "--activation", "tanh")
    done = command(
        COMMAND, *pairs, "--plot", "f.svg", "--quantity", quantity, "--output", os.devnull
    )
    assert (done.returncode, done.stderr) == (0, "")
    rows = list(csv.DictReader((tmp_path / "f.csv").read_text().splitlines()[1:]))
    assert {row["student"] for row in rows} == {"He2", "He3", "relu", "tanh"}
    values = {row["student"]: float(row[column]) for row in rows if row["mu"] in ("0.5", "0.9")}
    assert len(values) == 4
    at_half = {row["student"]: float(row[column]) for row in rows if row["mu"] == "0.5"}
    expected = {
        "exit-time": ("relu", (2 + 2 * 2**0.5) * 2 * math.log(1000) / 2),
        "rate": ("relu", (2**0.5 - 1) / 4),
        "drift": ("relu", -0.5),
        "frozen-risk": ("relu", 1 / 16),
        "mean": ("He2", (1 / 4 - 1) / 2**0.5),
    }.get(quantity)
    if expected:
        assert at_half[expected[0]] == pytest.approx(expected[1], rel=1e-14)


@pytest.mark.parametrize("quantity", ["tau", "rate", "drift", "potential"])
def test_a_figure_says_the_unit_of_every_curve(command, tmp_path, quantity):
    """He3 as a degree is divided by n·n!, as an activation it is not; both may be drawn at once."""
    pairs = ("--degree", "3", "--activation", "He3", "--mu", "0.5")
    command(COMMAND, *pairs, "--plot", "f.svg", "--quantity", quantity, "--output", os.devnull)
    rows = list(csv.DictReader((tmp_path / "f.csv").read_text().splitlines()[1:]))
    column = "b" if quantity == "drift" else quantity
    at = {
        row["normalization"]: float(row[column])
        for row in rows
        if row["mu"] == "0.5" and row.get("g") in (None, rows[0].get("g"))
    }
    power = {"tau": -1, "potential": 2}.get(quantity, 1)
    assert at["raw"] == pytest.approx(at["n*n!"] * 18**power, rel=1e-12)
    labels = re.findall(r"<!-- (.*units of.*?) -->", (tmp_path / "f.svg").read_text())
    assert sum(r"n\,n\mathrm{!}" in label for label in labels) == 1


def test_potential_is_steeper_for_weaker_pre_training(command, tmp_path):
    options = ("--activation", "x", "--mu", "0.1,0.9", "--quantity", "potential")
    command(COMMAND, *options, "--plot", "v.pdf", "--output", os.devnull)
    rows = csv.DictReader((tmp_path / "v.csv").read_text().splitlines()[1:])
    depth = {row["mu"]: float(row["potential"]) for row in rows if float(row["g"]) == 3}
    for mu, value in depth.items():  # V = -(1-μ)² log cosh g
        assert value == pytest.approx(-((1 - float(mu)) ** 2) * math.log(math.cosh(3)))


def test_exit_time_grows_with_the_logarithm_of_the_dimension(command):
    options = ("--degree", "2", "--mu", "0.5", "--format", "json")
    small, large = (
        json.loads(command(COMMAND, *options, "--dimension", d).stdout)[0] for d in ("1e3", "1e6")
    )
    assert large["exit_time"][0] == pytest.approx(2 * small["exit_time"][0])
    assert small["exit_time"][0] == pytest.approx(small["tau"][0] * math.log(1000) / 2)


def test_every_row_shows_the_inverse_of_its_time(command):
    """In order; also that of the singularity between the strengths, where a = 0."""
    options = ("--mu", "0.3,0.4,0.99", "--format", "markdown")
    shown = command(COMMAND, "--degree", "3", *options).stdout
    rows = [
        [float(cell.strip("$ ").replace(r"\infty", "inf")) for cell in line.strip("|").split("|")]
        for line in shown.splitlines()
        if line.startswith("| $0")
    ]
    assert rows == sorted(rows)  # by their strengths
    assert [row[1] == 0 for row in rows] == [False, True, False, False]
    assert [1 / row[4] for row in rows] == pytest.approx([row[3] for row in rows], rel=1e-4)


def test_figure_follows_the_divergence(command, tmp_path):
    """The data closes in on the singularity, from both sides, to show the local law."""
    command(COMMAND, "--degree", "3", "--plot", "tau.svg", "--output", os.devnull)
    _, *data = (tmp_path / "tau.csv").read_text().splitlines()
    rows = list(csv.DictReader(data))
    (s,) = find_singularities(hermite_drift(3, normalization="n*n!"))
    for side in (-1, 1):
        there = [(float(row["tau"]), float(row["mu"]) - float(s.mu)) for row in rows]
        largest, gap = max(each for each in there if each[1] * side > 0)
        assert largest > 1e8
        assert largest * gap**2 == pytest.approx(float(s.constant), rel=1e-2)
    assert not any(isinf(float(row["tau"])) for row in rows)


def test_whether_a_singularity_is_between_strengths_may_be_open(command, monkeypatch):
    def open_(*_):
        raise Undecided("open")

    options = ("--degree", "3", "--mu", "0.5,0.6")
    monkeypatch.setattr("numerics.certified.straddled.straddled", open_)
    (record,) = json.loads(command(COMMAND, *options, "--format", "json").stdout)
    assert record["singularities"] is record["singular_b"] is None
    assert "infinite between these strengths is undecided" in command(COMMAND, *options).stdout


@pytest.mark.parametrize(
    "options",
    [
        ("--degree", "3", "--mu", "0"),
        ("--degree", "3", "--plot", "tau.txt"),
        ("--degree", "3", "--plot", "absent/tau.pdf"),
        ("--degree", "3", "--plot", "."),
        ("--degree", "3", "--plot", "tau.pdf", "--output", "tau.csv"),
        ("--degree", "3", "--plot", "tau.svg", "--output", "tau.svg"),
        ("--degree", "171", "--normalization", "raw", "--mu", "0.9"),
        ("--degree", "232", "--labels", "squared", "--mu", "0.9"),
        ("--mu", "0.5"),
        ("--degree", "3", "--dimension", "2"),
        ("--degree", "3", "--dimension", "1e99"),
        ("--degree", "3", "--quantity", "colour"),
        ("--degree", "3", "--quantity", "drift"),
    ],
)
def test_bad_usage_is_one_line_and_leaves_nothing(command, tmp_path, options):
    done = command(COMMAND, *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert os.listdir(tmp_path) == []


def test_figure_path_takes_any_case(tmp_path):
    assert figure_path(str(tmp_path / "A.PDF")).name == "A.PDF"
