"""The proofs for every degree: typed formulas are held to ``derive``, and a wrong one is seen."""

import pytest
from sympy import Rational, Symbol, besseli, exp, expand, factorial
from thorough import only

from derive.polynomial_drift import hermite_drift, hermite_power
from derive.symbols import Q, mu
from numerics.certified.singularities import find_singularities
from numerics.claims import CLAIMS, every_degree, hermite_students, large_degree, squared_labels
from numerics.claims.every_degree import ARGUMENT, COSINE, over_angle

N = Symbol("n", integer=True, positive=True)


@pytest.mark.parametrize("degree", range(1, 13))
def test_the_mean_over_an_angle_is_the_power_of_a_hermite_student(degree):
    """The formula under the proofs for every degree, against the closed form of ``derive``."""
    power = factorial(degree) * over_angle(expand(ARGUMENT**degree))
    assert expand(power - hermite_power(degree).as_expr()) == 0


# Wrong formulas with the right signs, and the entries that must not survive them.
FAULTS = {
    "exponent of the norm": (
        every_degree, "NORM_POWER", (N - 2) / (N - 1),
        ["odd-singularity-single", "odd-singularity-shifts"],
    ),
    "the same in the limit": (
        every_degree, "NORM_POWER", (N - 2) / (N - 1), ["last-singularity-limit"],
    ),
    "power of b where a = 0": (
        hermite_students, "B_AT_ZERO", -(mu ** (N + 2)),
        ["odd-singularity"],
    ),
    "the same elsewhere": (
        every_degree, "B_AT_ZERO", -(mu ** (N + 2)),
        ["drift-at-singularities"],
    ),
    "argument of the mean": (
        every_degree, "ARGUMENT", Q + (1 - Q) * COSINE / 2,
        ["odd-singularity-single", "power-as-mean"],
    ),
    "the differential equation": (
        every_degree, "annihilator",
        lambda n, value, slope, curvature: curvature - slope + Rational(1, 2) * value,
        ["even-singularities"],
    ),
    "coefficients of squared labels": (
        squared_labels, "WEIGHT", squared_labels.WEIGHT * (squared_labels.LEAST + 1),
        ["squared-even"],
    ),
    "size of M at 0": (squared_labels, "LEAST", squared_labels.LEAST * 2, ["squared-even"]),
    "limit of the mean": (
        large_degree, "_of_mean", lambda x: exp(-x) * besseli(0, x), ["last-singularity-law"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("n", [14, 16, 50, 60])
def test_squared_labels_of_even_degrees_by_isolation(n):
    """Beyond the degrees at which formulas are held to derive: n/2 - 1 zeros, b in turn."""
    found = find_singularities(hermite_drift(n, "squared"), 5)
    assert [s.diverges for s in reversed(found)] == [k % 2 == 1 for k in range(n // 2 - 1)]


QUICK = (
    "exponent of the norm", "the same elsewhere", "the differential equation", "size of M at 0",
)  # fmt: skip


@pytest.mark.parametrize("fault", only(QUICK, FAULTS))
def test_a_wrong_formula_of_the_right_sign_is_seen(monkeypatch, fault):
    module, name, wrong, entries = FAULTS[fault]
    monkeypatch.setattr(module, name, wrong)
    for entry in entries:
        assert CLAIMS[entry].found().verdict in ("refuted", "undecided"), entry
