"""The proofs for every degree: typed formulas are held to ``derive``, and a wrong one is seen."""

import pytest
from sympy import Rational, Symbol, expand, factorial

from derive.polynomial_drift import hermite_power
from numerics.claims import CLAIMS, every_degree, hermite_students
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
        every_degree, "_ROOT", (N - 2) / (N - 1),
        ["odd-singularity-single", "odd-singularity-shifts", "last-singularity-limit"],
    ),
    "power of b where a = 0": (
        hermite_students, "B_AT_ZERO", -(hermite_students.mu ** (N + 2)),
        ["odd-singularity"],
    ),
    "the same elsewhere": (
        every_degree, "B_AT_ZERO", -(hermite_students.mu ** (N + 2)),
        ["drift-of-every-degree"],
    ),
    "argument of the mean": (
        every_degree, "ARGUMENT", hermite_students.Q + (1 - hermite_students.Q) * COSINE / 2,
        ["odd-singularity-single", "power-as-mean"],
    ),
    "the differential equation": (
        every_degree, "annihilator",
        lambda n, value, slope, curvature: curvature - slope + Rational(1, 2) * value,
        ["even-singularities"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrong_formula_of_the_right_sign_is_seen(monkeypatch, fault):
    module, name, wrong, entries = FAULTS[fault]
    monkeypatch.setattr(module, name, wrong)
    for entry in entries:
        assert CLAIMS[entry].found().verdict in ("refuted", "undecided"), entry
