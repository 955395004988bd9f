"""Certificates: the checker, which shares no code with what wrote them, accepts no false one.

Sturm sequences are a third way to the same lists.
"""

import ast
import json
import random
import subprocess
import sys
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest
from flint import fmpq, fmpq_poly
from sympy import Rational

from derive.errors import InputError
from derive.labels import NAMED
from derive.pair import Pair
from derive.pair_drift import drift_of, mean_drift
from derive.polynomial_drift import hermite_drift
from numerics.certified.balls import flint_polynomial
from numerics.certified.certificates import (
    Zeros,
    cell_bounds,
    certificate,
    document,
    insist_on_degree,
)
from numerics.certified.roots import most_roots, sign_variations
from numerics.certified.singularities import find_singularities
from numerics.certified.zeros import sign_cells

CHECKER = Path(__file__).resolve().parents[3] / "docs/howto/checker.py"
COMMAND = "numerics.singularities"
SAMPLE = (1, 2, 3, 4, 5, 9, 10, 17, 24, 31)  # of degrees; all up to 60 are a benchmark


def checked(*paths):
    """The checker's exit code and its line on each file, run without any library of ours."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(CHECKER), *map(str, paths)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()


def certified(pair, digits=12):
    drift = drift_of(pair)
    found = find_singularities(drift, digits)
    return found, certificate(Zeros(found, pair, drift))


@pytest.fixture
def written(tmp_path):
    """Write certificates to a file."""

    def write(*certificates):
        path = tmp_path / "certificates.json"
        path.write_bytes(document(certificates, "provenance"))
        return path

    return write


def test_the_checker_is_short_and_stands_alone():
    text = CHECKER.read_text("utf-8")
    imported = {
        name
        for node in ast.walk(ast.parse(text))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert len(text.splitlines()) <= 165
    assert imported <= sys.stdlib_module_names
    assert not any(
        isinstance(node, ast.Constant) and isinstance(node.value, float)
        for node in ast.walk(ast.parse(text))
    )


@pytest.mark.parametrize("labels", NAMED)
def test_certificates_of_hermite_degrees_hold(command, tmp_path, labels):
    degrees = ",".join(map(str, SAMPLE))
    done = command(COMMAND, "--degree", degrees, "--labels", labels, "--certificate", "c.json")
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads((tmp_path / "c.json").read_text("utf-8"))
    assert [each["degree"] for each in told["certificates"]] == [*SAMPLE]
    assert f"--labels {labels} " in told["provenance"]
    assert checked(tmp_path / "c.json") == (
        0,
        [f"{tmp_path / 'c.json'}: holds, {len(SAMPLE)} certificates"],
    )


OTHERS = {
    "linear, no zero": Pair("x"),
    "rational coefficients": Pair("x**3/6 + x**2 - 2/3", "He3", labels="y**2 - y/7"),
    "the teacher drops out": Pair("He3", "x + 5", labels="squared"),
    "b > 0 at one of two": Pair("He2 + He3", "He4 - He3/2", labels="y**3 - y"),
    "a near double pair": Pair(
        "8099999999/800000000*x - 4450000001/1200000000*x**2", "-2*x**2 - 2*x"
    ),
    "a power of μ": Pair("He10", loss="correlation"),
    "b = 0 at an irrational zero": Pair("1", "x**2"),
    # a = 1 - 6μ + 9μ² and b = 6μ - 2
    "a double zero with b = 0": Pair("x + x**2", "x - x**2 + x**3", loss="correlation"),
    "a double zero": Pair("x + x**2 - 1/2", "x - 6/5*x**2 + x**3", loss="correlation"),
    # a = (3μ-1)(2μ-1), and b = 4μ - 4/3: one of its factors alone
    "b = 0 at one of two": Pair("x + x**2 - 3/11", "x - 11/12*x**2 + 2/3*x**3", loss="correlation"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_certificates_of_other_polynomials_hold(written, name):
    found, made = certified(OTHERS[name])
    assert checked(written(made))[0] == 0
    told = [(z["multiplicity"], z["diverges"], z["b"] is None) for z in made["zeros"]]
    assert told == [(s.multiplicity, s.diverges, s.b.mid == "0") for s in found]
    if "double zero" in name:
        assert [z["multiplicity"] for z in made["zeros"]] == [2]


@pytest.mark.parametrize("digits", [1, 5, 30, 200])
@pytest.mark.parametrize("pair", [Pair(10), Pair(12, labels="squared"), OTHERS["linear, no zero"]])
def test_what_is_certified_implies_what_is_printed(pair, digits):
    found, made = certified(pair, digits)
    for s, zero in zip(found, made["zeros"], strict=True):
        for name in ("mu", "b", "constant"):
            known = getattr(s, name)
            assert (known is None) == (zero[name] is None)
            if known:
                number, places = zero[name]
                mid, radius = Fraction(known.mid), Fraction(known.radius)
                for end in (number - Fraction(1, 2), number + Fraction(1, 2)):
                    assert abs(end / Fraction(10) ** places - mid) <= radius or radius == 0


@pytest.mark.parametrize("labels", NAMED)
@pytest.mark.parametrize("n", range(2, 31))
def test_sturm_sequences_give_the_same_lists(labels, n):
    """The variations of a Sturm sequence fall by the number of roots in between."""
    drift = hermite_drift(n, labels)
    made = certificate(Zeros(find_singularities(drift, 5), Pair(n, labels=labels), drift))
    a = flint_polynomial(drift.a)
    for end in (0, 1):
        while a(end) == 0:
            a /= fmpq_poly([-end, 1])
    sequence = [a, a.derivative()]
    while (rest := sequence[-2] % sequence[-1]) != 0:
        sequence.append(-rest * fmpq(rest.denom(), rest.numer().content()))

    def variations(point):
        return sign_variations([f(point) for f in sequence])

    ends = [*(fmpq(c, 2**k) for c, k in made["cells"]), fmpq(1)]
    counts = [variations(x) - variations(y) for x, y in pairwise(ends)]
    assert sum(counts) == variations(fmpq(0)) - variations(fmpq(1)) == len(made["zeros"])
    assert set(counts) <= {0, 1}


# What is false is refused.


def mixture():
    """Certificates of every kind of number."""
    pairs = [Pair(3), Pair(10), Pair(6, labels="squared"), Pair(5, labels="squared")]
    return [certified(pair)[1] for pair in (*pairs, *OTHERS.values())]


def test_a_hundred_changed_digits_are_refused(tmp_path):
    """One digit in any number of the file: there is no checksum, each makes a statement false."""
    text, stream = document(mixture(), "provenance").decode(), random.Random(20261129)
    start = text.index('"certificates"')
    places = [i for i in range(start, len(text)) if text[i].isdigit()]
    paths = []
    for trial, place in enumerate(stream.sample(places, 100)):
        other = stream.choice([digit for digit in "0123456789" if digit != text[place]])
        paths.append(tmp_path / f"{trial}.json")
        paths[-1].write_text(text[:place] + other + text[place + 1 :], "utf-8")
    code, lines = checked(*paths)
    assert code == 1
    assert [line.split(": ")[1] for line in lines] == ["refused"] * 100


def _of(made, name, **changes):
    return made | {name: [made[name][0] | changes, *made[name][1:]]}


LIES = {
    "a zero is left out": lambda c: c | {"zeros": c["zeros"][:1]},
    "a zero is listed twice": lambda c: c | {"zeros": [c["zeros"][0], *c["zeros"]]},
    "zeros in another order": lambda c: c | {"zeros": c["zeros"][::-1]},
    "a zero at another place": lambda c: c | {"zeros": [c["zeros"][1]] * 2},
    "a cell is left out": lambda c: c | {"cells": c["cells"][1:]},
    "a cell is doubled": lambda c: c | {"cells": [c["cells"][0], *c["cells"]]},
    "too wide a cell": lambda c: c | {"cells": [[0, 0]]},
    "no cells": lambda c: c | {"cells": []},
    "the last cell is left out, and its zero": lambda c: (
        c | {"cells": c["cells"][:-1], "zeros": c["zeros"][:-1]}
    ),
    "another degree": lambda c: c | {"degree": 12},
    "a huge degree": lambda c: c | {"degree": 10**9},
    "a huge exponent": lambda c: c | {"scale": "1e999999999"},
    "a huge number": lambda c: c | {"scale": "9" * 100_001},
    "a tiny cell": lambda c: c | {"cells": [[0, 10**9], *c["cells"]]},
    "a huge multiplicity": lambda c: c | {"factors": [[[-1, 3], 10**12]]},
    "a constant factor": lambda c: c | {"factors": [[[1], 10**12], *c["factors"]]},
    "many factors": lambda c: c | {"factors": [[[-1, 1], 10]] * 10**4},
    "endless digits": lambda c: _of(c, "zeros", mu=[1, 10**12]),
    "long labels": lambda c: c | {"labels": ["1"] * 10**5},
    "τ is finite": lambda c: _of(c, "zeros", diverges=False),
    "b is zero": lambda c: _of(c, "zeros", b=None),
    "no local law": lambda c: _of(c, "zeros", constant=None),
    "b vanishes": lambda c: _of(c, "zeros", cofactor=["1"]),
    "a double zero": lambda c: _of(c, "zeros", multiplicity=2),
    "a factor that is none": lambda c: c | {"factors": [*c["factors"], [[-1, 3], 0]]},
    "another normalization": lambda c: c | {"normalization": "n*n!"},
    "another loss": lambda c: c | {"loss": "correlation"},
    "a fraction by another name": lambda c: c | {"scale": f"{2 * int(c['scale'])}/2"},
    "a decimal": lambda c: c | {"scale": float(c["scale"])},
    "a field is missing": lambda c: {k: v for k, v in c.items() if k != "power"},
    "a field too many": lambda c: c | {"comment": "true"},
    "nothing": lambda c: {},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_false_certificate_is_refused(written, lie):
    _, made = certified(Pair(10))
    assert len(made["zeros"]) == 2
    assert checked(written(made))[0] == 0
    false = LIES[lie](made)
    assert false != made
    code, (line,) = checked(written(false))
    assert code == 1
    assert ": refused: " in line


def test_a_cell_of_a_zero_that_is_too_narrow_to_compute_with_is_refused(written):
    _, made = certified(Pair(3))
    assert made["cells"] == [[0, 0]]
    assert checked(written(_of(made, "zeros", cell=[1, 10**12])))[0] == 1


def test_a_zero_is_not_listed_as_often_as_the_sign_varies(written):
    """Without isolation nothing tells how many zeros are there."""
    drift = hermite_drift(11)
    made = certificate(Zeros(find_singularities(drift, 5), Pair(11), drift))
    bound = most_roots(flint_polynomial(drift.a).numer())
    assert bound > len(made["zeros"]) == 1
    false = made | {"cells": [[0, 0]], "zeros": made["zeros"] * bound}
    assert [checked(written(each))[0] for each in (made, false)] == [0, 1]


def test_digits_at_the_end_of_a_wide_cell_are_not_those_of_the_zero(written):
    _, made = certified(Pair(10))
    drift, x = hermite_drift(10), Rational(9, 16)  # the second zero is in [9/16, 10/16)
    b, slope = drift.b.eval(x), drift.a.diff().eval(x)
    values = {"mu": x, "b": b, "constant": -b / slope**2}
    told = {name: [int((value * 10**40).round()), 40] for name, value in values.items()}
    first, second = made["zeros"]
    false = made | {"zeros": [first, second | {"cell": [9, 4]} | told]}
    assert [checked(written(each))[0] for each in (made, false)] == [0, 1]


def test_files_that_hold_no_certificates_are_refused(tmp_path):
    known = '{"format": "lora-escape certificates 1", "certificates": '
    texts = ("", "[]", '{"format": "another"}', "\udcff", '{"format": 1, "certificates": []}',
             known + '[{"zeros": []}]}', known + "[" * 10**5,
             known + "1" * 10**6 + "}")  # fmt: skip
    paths = [tmp_path / f"{k}.json" for k in range(len(texts))]
    for path, text in zip(paths, texts, strict=True):
        path.write_bytes(text.encode(errors="surrogateescape"))
    code, lines = checked(*paths, tmp_path / "missing.json")
    assert code == 1
    assert len([line for line in lines if ": refused: " in line]) == len(texts) + 1


def test_without_a_file_it_says_how_it_is_called():
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(CHECKER)], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: ")


def test_cells_with_trusted_bounds(written):
    made = cell_bounds("claim", "step", sign_cells(lambda x: x - x * x + 1))
    assert checked(written(made))[0] == 0
    first, *others = made["trusted_bounds"]
    for false in (
        {"trusted_bounds": others, "signs": made["signs"][1:]},
        {"trusted_bounds": [[first[0], "1/2", *first[2:]], *others]},
        {"trusted_bounds": [[*first[:2], "-1", first[3]], *others]},
        {"trusted_bounds": [], "signs": []},
        {"signs": [-1, *made["signs"][1:]]},
    ):
        assert checked(written(made | false))[0] == 1, false


# What has no certificate is told so before any work.


@pytest.mark.parametrize("text", ["erf", "relu", "He4/sqrt(24)", "2000"])
def test_what_has_no_certificate_is_refused_in_one_line(command, tmp_path, text):
    option = "--degree" if text.isdecimal() else "--activation"
    done = command(COMMAND, "--degree", "3", option, text, "--certificate", "c.json")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "certificate" in done.stderr
    assert "give " in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_drift_without_a_polynomial_has_no_certificate():
    """The same one, known as means: there are no coefficients to write."""
    pair = Pair("He3")
    found = find_singularities(drift_of(pair), 8)
    with pytest.raises(InputError, match="made of a drift in polynomials"):
        certificate(Zeros(found, pair, mean_drift(pair)))


def test_certificates_are_of_degrees_up_to_two_hundred():
    insist_on_degree(200)
    with pytest.raises(InputError, match="degree 201 is not accepted: give at most 200"):
        insist_on_degree(201)


def test_one_file_is_not_written_twice(command, tmp_path):
    done = command(COMMAND, "--degree", "3", "--certificate", "c.json", "--output", "c.json")
    assert done.returncode == 2
    assert "both write" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_ledger_writes_its_evidence_too(command, tmp_path):
    ledger = ("numerics.claims", "--certificate", "c.json", "--claim")
    done = command(*ledger, "squared-odd-list", "--claim", "better-start")
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads((tmp_path / "c.json").read_text("utf-8"))["certificates"]
    assert [each["degree"] for each in told if "zeros" in each] == [*range(3, 42, 2)]
    assert sum("trusted_bounds" in each for each in told) == 4
    assert checked(tmp_path / "c.json")[0] == 0
    done = command(*ledger, "relu-dip")
    assert done.returncode == 2
    assert "no certificate: relu-dip lists" in done.stderr
    assert command(*ledger, "relu-dip", "--list").returncode == 2
