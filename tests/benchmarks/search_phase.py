"""Benchmarks of the search phase: singularities, drift coefficients, escape curves."""

import json
import math
import tempfile
import time
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from statistics import median

import numpy as np
from harness import Row, benchmark, paired, process, seconds
from scipy.integrate import quad
from scipy.special import eval_hermitenorm
from sympy import Poly, lambdify, real_roots

from derive.grammar import parse_activation, parse_transform
from derive.hermite import hermite_polynomial
from derive.labels import NAMED
from derive.pair import Pair
from derive.pair_drift import drift_of
from derive.polynomial_drift import drift_from_loss, hermite_drift
from derive.symbols import mu, z
from numerics.certified.escape import escape_curve
from numerics.certified.singularities import find_singularities
from numerics.doubles.drift import fast_drift

CHECKER = Path(__file__).resolve().parents[2] / "docs/howto/checker.py"


def singularities(degree: str) -> list[dict]:
    """The command's JSON records."""
    return json.loads(
        process("-m", "numerics.singularities", "--degree", degree, "--format", "json")
    )


def check_records(records: list[dict]) -> None:
    """Every zero lies between a sign change of the exact polynomial; every count is right."""
    for record in records:
        n, found = record["degree"], record["singularities"]
        assert len(found) == (0 if n in (1, 2, 4, 6, 8) else 1 if n % 2 else 2), n
        a = hermite_drift(n).a
        for s in found:
            mid, radius = Fraction(s["mu"]), Fraction(s["radius"])
            ends = [a.eval(Fraction(mid + side * radius)) for side in (-1, 1)]
            assert ends[0] * ends[1] < 0, n


@benchmark
def whole_process() -> Iterator[Row]:
    """The command as its user meets it, against the imports it cannot do without."""
    check_records(singularities("5"))
    ours, imports, ratio = paired(
        lambda: singularities("5"), lambda: process("-c", "import sympy, flint"), rounds=9
    )
    yield (
        "--degree 5 as a process, in units of importing sympy and flint",
        f"{1 / ratio:.2f}x ({ours:.2f} s / {imports:.2f} s)",
        "at most 2x",
        1 / ratio <= 2,
    )
    for degree in ("3:101", "501"):
        check_records(singularities(degree))
        taken = median(seconds(lambda d=degree: singularities(d)) for _ in range(3))
        yield f"--degree {degree} as a process", f"{taken:.2f} s", "at most 30 s", taken <= 30


@benchmark
def certificates() -> Iterator[Row]:
    """All Hermite degrees to 60, both labels, written and then verified by the checker alone."""
    with tempfile.TemporaryDirectory() as folder:
        files = [f"{folder}/{labels}.json" for labels in NAMED]
        options = ("-m", "numerics.singularities", "--degree", "1:60", "--labels")
        written = sum(
            seconds(lambda n=name, f=file: process(*options, n, "--certificate", f))
            for name, file in zip(NAMED, files, strict=True)
        )
        told: list[str] = []
        taken = seconds(lambda: told.append(process("-I", str(CHECKER), *files)))
        assert told[0].count(": holds, 60 certificates") == len(files), told
    yield (
        f"degrees 1 to 60, both labels: certificates verified (written in {written:.0f} s)",
        f"{taken:.1f} s",
        "at most 60 s",
        taken <= 60,
    )


@benchmark
def roots_against_sympy() -> Iterator[Row]:
    """All zeros of a in (0, 1) to 30 digits, against SymPy's real_roots and intervals."""

    def with_real_roots(a: Poly):
        return [r.evalf(30) for r in real_roots(a.as_expr()) if 0 < r.evalf(30) < 1 - 1e-20]

    def with_intervals(a: Poly):
        return a.intervals(
            eps=Fraction(1, 10**30), inf=Fraction(1, 10**6), sup=1 - Fraction(1, 10**6)
        )

    for n, name, baseline in (
        (9, "real_roots", with_real_roots),
        (21, "real_roots", with_real_roots),
        (21, "Poly.intervals", with_intervals),
        (101, "Poly.intervals", with_intervals),
    ):
        drift = hermite_drift(n)
        found = find_singularities(drift)
        theirs = baseline(drift.a)
        assert len(theirs) == len(found), n
        for s, root in zip(found, theirs, strict=True):
            value = float(root if name == "real_roots" else root[0][0])
            assert abs(float(s.mu) - value) < 1e-14, n
        mine, other, ratio = paired(
            lambda d=drift: find_singularities(d), lambda d=drift, f=baseline: f(d.a), rounds=3
        )
        yield (
            f"degree {n}: certified zeros, against sympy {name}",
            f"{ratio:.0f}x faster ({1e3 * mine:.1f} ms / {1e3 * other:.0f} ms)",
            "faster",
            ratio > 1,
        )


@benchmark
def roots_against_companion_matrix() -> Iterator[Row]:
    """Where numpy.roots, which reports no error, gives wrong zeros without a word."""
    wrong = []
    for n in range(3, 61):
        a = hermite_drift(n).a
        while a.eval(0) == 0:
            a = a.exquo(Poly(mu, mu))
        values = np.roots([float(c) for c in a.all_coeffs()])
        real = sorted(v.real for v in values if abs(v.imag) < 1e-9 and 1e-9 < v.real < 1 - 1e-6)
        truth = [float(s.mu) for s in find_singularities(hermite_drift(n))]
        same = len(real) == len(truth) and np.allclose(real, truth, rtol=1e-6, atol=0)
        if not same:
            wrong.append(n)
    last_right = max((n for n in range(3, 61) if n not in wrong), default=2)
    yield (
        "numpy companion matrix, degrees 3 to 60: wrong to 6 digits but reported fine",
        f"{len(wrong)} of 58; first at {min(wrong)}, all from {last_right + 1} on",
        "shown to fail",
        bool(wrong) and last_right < 60,
    )


@benchmark
def drift_in_closed_form() -> Iterator[Row]:
    """The closed form of the drift polynomials against linearising the population loss."""
    n = 20
    student = hermite_polynomial(n, z)
    assert hermite_drift(n, "matched", "raw") == drift_from_loss(student, student, z)
    mine, other, ratio = paired(
        lambda: hermite_drift(n), lambda: drift_from_loss(student, student, z), rounds=3
    )
    yield (
        f"degree {n}: drift in closed form, against the derivation from the loss",
        f"{ratio:.0f}x faster ({1e3 * mine:.2f} ms / {1e3 * other:.0f} ms)",
        "faster",
        ratio > 1,
    )


CURVES = [
    *(f"He{n}" for n in (3, 4, 5, 10)),
    *(
        (name, labels)
        for labels in ("matched", "squared")
        for name in ("x", "erf", "relu", "sigmoid")
    ),
]
GRID = np.linspace(0.01, 0.99, 200)


def truncated_sum(activation, transform, strength: float) -> float:
    """τ the usual way: 16 Hermite terms, one adaptive quadrature a coefficient, k = 0 dropped."""
    terms = 16

    def coefficients(function, variance, count):
        root = np.sqrt(variance)
        return [
            quad(
                lambda g, k=k: eval_hermitenorm(k, g) * function(root * g) * norm_pdf(g),
                -10,
                10,
                limit=200,
            )[0]
            / root**k
            for k in range(count)
        ]

    q = strength**2
    c = coefficients(activation, q, terms + 2)
    t = coefficients(lambda x: transform(activation(x)), 1.0, terms)
    f = [math.factorial(k) for k in range(terms)]
    power = sum((c[k + 1] ** 2 + c[k] * c[k + 2] * (k > 0)) * q**k / f[k] for k in range(terms))
    by_q = sum(t[k] * c[k + 2] * strength**k / (2 * f[k]) for k in range(1, terms))
    by_rho = sum(t[k] * c[k] * strength ** (k - 1) / f[k - 1] for k in range(1, terms))
    b = 2 * by_q - power
    a = strength * b + by_rho
    return 2 / (b + np.sqrt(b * b + 4 * a * a))


def norm_pdf(g: float) -> float:
    """Density of the standard normal."""
    return math.exp(-g * g / 2) / math.sqrt(2 * math.pi)


def curve_pair(curve) -> Pair:
    """The pair of one curve of Figs. 1 and 2."""
    name, labels = curve if isinstance(curve, tuple) else (curve, "matched")
    return Pair(parse_activation(name), parse_activation(name), parse_transform(labels))


@benchmark
def curves_against_truncated_sums() -> Iterator[Row]:
    """The 12 curves of Figs. 1 and 2 on 200 strengths, derivation included and evaluation alone."""
    ready = []

    def derive_and_evaluate() -> None:
        ready[:] = [fast_drift(drift_of(curve_pair(curve))) for curve in CURVES]
        for fast in ready:
            fast.tau(GRID)

    whole = median(seconds(derive_and_evaluate) for _ in range(3))
    alone = median(seconds(lambda: [fast.tau(GRID) for fast in ready]) for _ in range(9))
    # The baseline is timed on every 40th strength and scaled up: it takes minutes.
    sample, errors, taken = GRID[::40], {}, 0.0
    for curve, fast in zip(CURVES, ready, strict=True):
        pair = curve_pair(curve)
        sides = [lambdify(z, pair.student.value.pieces[s], "scipy") for s in (-1, 0)]
        transform = lambdify(z, pair.labels.polynomial.as_expr(), "math")

        def activation(x, sides=sides):
            return sides[0](x) if x > 0 else sides[1](x)

        certified = escape_curve(drift_of(pair), [Fraction(float(x)) for x in sample]).tau
        np.testing.assert_allclose(fast.tau(sample), certified, rtol=3e-13)
        start = time.perf_counter()
        theirs = [truncated_sum(activation, transform, float(x)) for x in sample]
        taken += time.perf_counter() - start
        errors[curve] = max(abs(t / c - 1) for t, c in zip(theirs, certified, strict=True))
    baseline = taken * len(GRID) / len(sample)
    for what, ours, target in (
        ("with derivation", whole, 100),
        ("evaluation alone", alone, 10_000),
    ):
        yield (
            f"12 curves x 200 strengths, {what}, against truncated sums",
            f"{baseline / ours:.0f}x faster ({ours:.4f} s / {baseline:.0f} s)",
            f"at least {target}x",
            baseline / ours >= target,
        )
    for curve, error in errors.items():
        name = curve if isinstance(curve, str) else f"{curve[0]}, {curve[1]} labels"
        yield (
            f"largest error for {name}: ours below 3e-13, truncated sums",
            f"{error:.1e}",
            "shown",
            True,
        )
