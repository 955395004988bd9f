"""Singularities of every degree: counts, digits, signs, constants, by independent oracles."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from decimal import Decimal
from fractions import Fraction
from math import comb, nan

import mpmath
import numpy as np
import pytest
from flint import ctx
from sympy import Poly

from derive.drift import Drift
from derive.errors import InputError
from derive.grammar import parse_activation
from derive.pair import MISALIGNMENTS, Pair
from derive.pair_drift import drift_of
from derive.polynomial_drift import hermite_drift
from derive.singularities import singular_strengths
from derive.symbols import mu
from numerics.certified.balls import Enclosure
from numerics.certified.escape import escape_curve
from numerics.certified.singularities import find_singularities


def expected_count(n):
    """None for 1, 2, 4, 6, 8; one for odd n ≥ 3; two for even n ≥ 10."""
    if n in (1, 2, 4, 6, 8):
        return 0
    return 1 if n % 2 else 2


@pytest.fixture(scope="module")
def table():
    return {
        n: find_singularities(hermite_drift(n, normalization="n*n!").expanded, digits=30)
        for n in range(1, 61)
    }


@pytest.mark.parametrize("n", range(1, 61))
def test_number_of_singularities(table, n):
    found = table[n]
    assert len(found) == expected_count(n)
    assert all(s.diverges and s.multiplicity == 1 for s in found)
    assert [float(s.mu) for s in found] == sorted(float(s.mu) for s in found)


@pytest.mark.parametrize("n", range(3, 61))
def test_zeros_agree_with_another_root_finder_to_30_digits(table, n):
    """mpmath's bracketing on the sum (64), at 200 digits, within the isolating interval."""
    with mpmath.workdps(200):
        weights = [
            mpmath.mpf(comb(2 * k, k)) * comb(2 * (n - k), n - k) / mpmath.mpf(4) ** n / n
            for k in range(n + 1)
        ]

        def a(x):  # μ^(n-1) - μ S'(μ²)/(n·n!), with S' from the generating function
            w = 2 * x**2 - 1
            slope = sum(2 * k * weights[k] * w ** (k - 1) for k in range(1, n + 1))
            return x ** (n - 1) - x * slope

        for s in table[n]:
            near, width = mpmath.mpf(s.mu.mid), mpmath.mpf(10) ** -20
            root = mpmath.findroot(a, (near - width, near + width), solver="anderson")
            assert abs(root - near) <= mpmath.mpf(s.mu.radius)
            assert mpmath.mpf(s.mu.radius) < near * mpmath.mpf(10) ** -29


@pytest.mark.parametrize("n", range(3, 61))
def test_b_at_a_zero_of_a_is_minus_a_power_of_it(table, n):
    """a = μ^(n-1) + μ b, so b(μ*) = -μ*^(n-2): always negative, however small."""
    for s in table[n]:
        with ctx.workprec(200):
            mu_star, b = s.mu.ball(), s.b.ball()
            assert b < 0
            assert b.overlaps(-(mu_star ** (n - 2)))
            assert b.rel_accuracy_bits() > 95  # 29 digits


def test_the_sign_at_degree_50_is_right_where_doubles_are_wrong(table):
    first = table[50][0]
    assert Fraction(first.b.mid) + Fraction(first.b.radius) < 0
    assert -7e-32 < float(first.b) < -6e-32
    b = hermite_drift(50, normalization="n*n!").b
    in_doubles = sum(float(c) * float(first.mu) ** k for (k,), c in b.terms())
    assert in_doubles > 0


@pytest.mark.parametrize("n", [3, 9, 10, 25, 50])
def test_constant_is_the_limit_of_the_escape_time(table, n):
    """τ(μ* ± ε) ε² → C, from exact evaluations of the drift."""
    drift = hermite_drift(n, normalization="n*n!")
    step = Fraction(1, 10**45)  # at degree 50 the law holds within |b/a'| ~ 10^-29 of the zero
    for s, precise in zip(table[n], find_singularities(drift, 90), strict=True):
        for side in (-1, 1):
            (tau,) = escape_curve(drift, [Fraction(precise.mu.mid) + side * step]).tau
            assert tau * float(step**2) == pytest.approx(float(s.constant), rel=1e-8, abs=0)


@pytest.mark.parametrize("n", range(1, 40, 2))
def test_odd_degrees_with_squared_labels_have_no_singularity(n):
    assert find_singularities(hermite_drift(n, "squared")) == ()


@pytest.mark.parametrize("n", range(2, 31, 2))
def test_even_degrees_with_squared_labels_against_sympys_isolation(n):
    drift = hermite_drift(n, "squared")
    strip = Poly(mu * (1 - mu), mu)
    a = drift.a
    while (divided := a.div(strip))[1].is_zero:
        a = divided[0]
    a = a.clear_denoms()[1]
    while a.eval(0) == 0:
        a = a.exquo(Poly(mu, mu))
    intervals = a.intervals(inf=0, sup=1)
    found = find_singularities(drift)
    assert len(found) == len(intervals)
    for s, ((low, high), multiplicity) in zip(found, intervals, strict=True):
        assert Fraction(str(low)) <= Fraction(s.mu.mid) <= Fraction(str(high))
        assert s.multiplicity == multiplicity


@pytest.mark.parametrize("normalization", ["raw", "n*n!"])
@pytest.mark.parametrize("digits", [1, 5, 100])
def test_normalisation_and_digits_do_not_move_the_zero(table, normalization, digits):
    (s,) = find_singularities(hermite_drift(7, "matched", normalization), digits)
    (reference,) = table[7]
    assert s.mu.ball().overlaps(reference.mu.ball())
    assert len(s.mu.mid.strip("0.")) <= digits


def _drift(a, b):
    return Drift(Poly(a, mu, domain="QQ"), Poly(b, mu, domain="QQ"))


def test_a_zero_of_a_where_b_is_positive_is_no_divergence():
    """Remark 1 of the paper needs b ≤ 0: here τ = 1/b at the zero."""
    (s,) = find_singularities(_drift(2 * mu - 1, mu + 1))
    assert (s.diverges, s.constant) == (False, None)
    assert float(s.b) == 1.5


def test_a_common_zero_of_a_and_b_is_decided_exactly():
    first, second = find_singularities(_drift((2 * mu**2 - 1) * (3 * mu - 1), 2 * mu**2 - 1))
    assert (second.b, second.constant, second.diverges) == (Enclosure("0", "0"), None, True)
    assert float(first.b) < 0
    # Off by 10^-50, on either side: the sign is found, not rounded away.
    for shift in (1, -1):
        tiny = Poly(2 * mu**2 - 1, mu, domain="QQ") + Poly(shift, mu, domain="QQ") / 10**50
        (s,) = find_singularities(Drift(Poly(2 * mu**2 - 1, mu, domain="QQ"), tiny))
        assert s.diverges == (shift < 0)


def test_double_zeros_have_their_own_law():
    (s,) = find_singularities(_drift((3 * mu - 1) ** 2 * (mu + 1), -2))
    assert s.multiplicity == 2
    assert float(s.constant) == pytest.approx(2 / (9 * 4 / 3) ** 2)  # (a''/2)² at 1/3


def test_a_near_double_pair_beside_a_dyadic_number():
    """The zeros of -24μ³ + 40.50000001μ - 20.2499999975 next to 3/4, as another solver has them."""
    teacher, student = (
        parse_activation(text)
        for text in ("8099999999/800000000*x - 4450000001/1200000000*x**2", "-2*x**2 - 2*x")
    )
    first, second = find_singularities(drift_of(Pair(teacher, student)), 12)
    with mpmath.workdps(40):
        known = mpmath.polyroots(
            [-24, 0, mpmath.mpf("40.50000001"), mpmath.mpf("-20.2499999975")], extraprec=400
        )
    for s, zero in zip((first, second), sorted(z.real for z in known if z.real > 0), strict=True):
        assert abs(mpmath.mpf(s.mu.mid) - zero) <= mpmath.mpf(s.mu.radius) < 1e-11


@pytest.mark.parametrize("n", [10, 12, 31, 60])
def test_the_correlation_loss_has_no_singularity(n):
    """a = n·n! μ^(n-1): a zero at 0 of any order is no singularity."""
    student = parse_activation(f"He{n}")
    assert find_singularities(drift_of(Pair(student, student, loss="correlation"))) == ()


@pytest.mark.parametrize("text", ["He3", "erf"])
def test_misaligned_pairs_have_no_singularities_to_list(text):
    """They escape through the other direction where a = 0, so no divergence may be claimed."""
    activation = parse_activation(text)
    drift = drift_of(Pair(activation, activation, misalignment=MISALIGNMENTS["spherical"]))
    finders = (find_singularities, singular_strengths) if text == "He3" else (find_singularities,)
    for find in finders:
        with pytest.raises(InputError, match="aligned pre-training"):
            find(drift)


@pytest.mark.parametrize("drift", [
    _drift(1 - mu / 2, -1), _drift((3 * mu - 1) ** 2 * (mu + 1), -2),
    _drift((4 * mu - 1) * (2 * mu - 1) ** 2 * (4 * mu - 3), 2 * mu - 1),
])  # fmt: skip
def test_they_show_how_many_they_are_and_what_the_time_does_there(drift):
    """In a line, in a notebook, as data, and in a picture: dotted where the time diverges."""
    found = find_singularities(drift, 20)
    html, rows, lines = found._repr_html_(), found.to_frame().to_dict("records"), found.plot().lines
    assert f"a vanishes at {len(found) or 'no'} strength" in html
    for s, row, line in zip(found, rows, lines, strict=True):
        size = f"{float(s.constant or s.b):.6g}"
        assert (size in repr(s), size in html) == (True, True)
        assert ("diverges" in repr(s) or "/(μ - μ*)^" in repr(s)) == s.diverges
        values = (float(s.mu), float(s.b), float(s.constant or nan), s.diverges, s.multiplicity)
        names = ("mu", "b", "constant", "diverges", "multiplicity")
        np.testing.assert_allclose([row[name] for name in names], values)
        assert max(row["mu_radius"], row["b_radius"]) < 1e-19
        assert float(s.mu) == line.get_xdata()[0]
        assert line.get_linestyle() == (":" if s.diverges else "--")


def test_nothing_to_isolate():
    with pytest.raises(InputError, match="identically"):
        find_singularities(_drift(0, -1))
    with pytest.raises(InputError, match="digits"):
        find_singularities(hermite_drift(3), 0)


# The command.

COMMAND = "numerics.singularities"


def test_json_holds_what_was_promised(command):
    done = command(COMMAND, "--degree", "4,5,10", "--format", "json")
    assert (done.returncode, done.stderr) == (0, "")
    records = json.loads(done.stdout)
    assert [r["degree"] for r in records] == [4, 5, 10]
    for record in records:
        assert record["labels"] == "matched"
        assert record["normalization"] == "n*n!"
        assert record["complete"] is True
        found = find_singularities(hermite_drift(record["degree"], normalization="n*n!"))
        assert len(record["singularities"]) == len(found)
        for printed, s in zip(record["singularities"], found, strict=True):
            assert (printed["mu"], printed["radius"]) == (s.mu.mid, s.mu.radius)
            assert (printed["b"], printed["b_radius"]) == (s.b.mid, s.b.radius)
            assert printed["constant"] == s.constant.mid
            assert printed["diverges"] is True
            low, high = map(Fraction, printed["interval"])
            assert low < Fraction(s.mu.mid) < high


def test_the_printed_command_reproduces_the_result(command):
    first = command(COMMAND, "--degree", "3:5", "--digits", "12", "--format", "json")
    line = json.loads(first.stdout)[0]["provenance"].split(" | ")[0]
    again = command(*line.split()[2:], "--format", "json")
    assert again.stdout == first.stdout


@pytest.fixture(scope="module")
def precise():
    """Zeros, b = -μ*^(n-2) and C = -b/a'² of every degree, from mpmath's 200 digits."""
    known = {}
    with mpmath.workdps(200):
        for n in range(1, 61):
            a = hermite_drift(n, normalization="n*n!").a
            slope = [mpmath.mpf(c.p) / c.q for c in a.diff(mu).all_coeffs()]
            a = [mpmath.mpf(c.p) / c.q for c in a.all_coeffs()]
            known[n] = []
            for s in find_singularities(hermite_drift(n, normalization="n*n!"), 20):
                near, width = mpmath.mpf(s.mu.mid), mpmath.mpf(10) ** -15
                ends = (near - width, near + width)
                zero = mpmath.findroot(lambda x, a=a: mpmath.polyval(a, x), ends, solver="anderson")
                b = -(zero ** (n - 2))
                known[n].append((zero, b, -b / mpmath.polyval(slope, zero) ** 2))
    return known


def _assert_shown(text, truth, digits):
    """Its sign, so many digits, and at most one unit in the last of them off."""
    shown = Decimal(text)
    unit = mpmath.mpf(10) ** int(shown.as_tuple().exponent)
    assert len(shown.as_tuple().digits) == digits, text
    with mpmath.workdps(200):
        assert mpmath.mpf(text) * truth > 0
        assert abs(mpmath.mpf(text) - truth) <= unit


@pytest.mark.parametrize("digits", [1, 2, 3, 8, 12])
def test_shown_digits_are_right_and_none_is_lost(command, precise, digits):
    done = command(COMMAND, "--degree", "1:60", "--digits", str(digits))
    rows = [line.split() for line in done.stdout.splitlines() if line.startswith("He")]
    rows = [row for row in rows if "proved" not in row]
    truths = [(n, *values) for n, found in precise.items() for values in found]
    for row, (n, zero, b, constant) in zip(rows, truths, strict=True):
        assert row[0] == f"He{n}"
        _assert_shown(row[1], zero, digits)
        _assert_shown(row[2], b, min(digits, 10))
        _assert_shown(row[-1], constant, min(digits, 10))


@pytest.mark.parametrize("form", ["text", "markdown", "latex", "csv"])
def test_the_unit_belongs_to_the_row(command, form):
    """Hermite pairs are divided by n·n!, others are not: one title cannot say both."""
    options = ("--degree", "3", "--activation", "sin(3*x)", "--digits", "4", "--format", form)
    lines = command(COMMAND, *options).stdout.splitlines()
    divided = {"latex": "divided by $n", "markdown": "divided by $n"}.get(form, "n*n!")
    hermite = [line for line in lines if "-0.3207" in line]
    wave = [line for line in lines if "-1.830" in line]
    assert [divided in line for line in hermite + wave] == [True, False]
    assert ["raw" in line for line in hermite + wave] == [False, True]
    assert not any("divided" in line for line in lines if "Zeros" in line)
    alone = command(COMMAND, "--degree", "3", "--digits", "4", "--format", form).stdout
    assert alone.count(divided) == 1


def test_csv_keeps_a_row_for_degrees_without_singularity(command):
    done = command(COMMAND, "--degree", "3:5", "--format", "csv")
    rows = list(csv.DictReader(done.stdout.splitlines()[1:]))
    assert [(row["degree"], row["count"]) for row in rows] == [("3", "1"), ("4", "0"), ("5", "1")]
    assert rows[1]["mu"] == ""
    assert rows[1]["complete"] == "true"


@pytest.mark.parametrize("form", ["text", "latex", "markdown"])
def test_people_read_the_zeros_and_the_proofs(command, form):
    done = command(COMMAND, "--degree", "4:5", "--labels", "matched", "--format", form)
    assert "0.425305733859926762724020428573" in done.stdout
    assert "none: proved" in done.stdout


def test_output_is_written_whole(command, tmp_path):
    done = command(COMMAND, "--degree", "5", "--format", "json", "--output", "found.json")
    assert (done.returncode, done.stdout) == (0, "")
    assert os.listdir(tmp_path) == ["found.json"]
    assert json.loads((tmp_path / "found.json").read_text())[0]["degree"] == 5


@pytest.mark.parametrize(
    "options",
    [
        *((f"--degree={text}",) for text in ("0", "-3", "abc", "9:3", "1e9", "")),
        ("--degree", "-3"),
        (),
        ("--degree", "5", "--digits", "0"),
        ("--degree", "5", "--labels", "cubed"),
        ("--degree", "5", "--format", "xml"),
        ("--degree", "5", "--output", "."),
        ("--degree", "5", "--output", "absent/found.json"),
        ("--deg", "5"),
    ],
)
def test_bad_usage_is_one_line_and_leaves_nothing(command, tmp_path, options):
    done = command(COMMAND, *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("python -m numerics.singularities: error: ")
    assert done.stderr.count("\n") == 1
    assert os.listdir(tmp_path) == []


def test_interrupt_stops_cleanly(started, tmp_path):
    run = started(COMMAND, "--degree", "900:2000", "--output", "found.txt")
    time.sleep(4)  # past the imports, far before the end
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=30)
    assert (run.returncode, out) == (130, "")
    assert err == "python -m numerics.singularities: interrupted\n"
    assert os.listdir(tmp_path) == []


def test_a_reader_that_stops_early_is_no_error():
    done = subprocess.run(
        f"{sys.executable} -m {COMMAND} --degree 1:40 --format json | head -n 1",
        shell=True,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("[\n", "")


@pytest.mark.parametrize("labels", ["squared", "abs(y)", "cos(y)"])
def test_where_parity_leaves_nothing_of_the_labels_both_coefficients_vanish_together(labels):
    """An odd student, even labels: a = -μP and b = -P, whatever they are; P(1/2) = 0 by hand."""
    (only,) = find_singularities(Pair("x*gauss(2*x)", labels=labels), digits=10)
    assert Fraction(1, 2) in only.mu
    assert only.b == Enclosure("0", "0")
    assert only.diverges
    assert only.constant is None


@pytest.mark.parametrize(("teacher", "labels"), [("x*gauss(2*x)", "matched"), ("x + 1", "squared")])
def test_other_labels_leave_b_its_sign(teacher, labels):
    """Odd ones, and those of no parity."""
    found = find_singularities(Pair(teacher, "x*gauss(2*x)", labels=labels), digits=10)
    assert found
    assert all(each.b < 0 for each in found)
