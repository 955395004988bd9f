"""Public functions take what people type, or refuse it at once in one line of this project's own.

Each line of the two tables is a natural call, well meant or mistaken. No error of Python's own may
come of it; what the calls return is tested where the functions are.
"""

from fractions import Fraction

import numpy as np
import pytest
from sympy import Matrix, Max, Poly, Rational, Symbol, tanh
from sympy.abc import t

import derive as d
import numerics as n

HALF = Fraction(1, 2)
FLOW = n.flow_of("x", 0.5)
LEARNER = n.Learner("x", 0.5, 1000, 1e-3)

ACCEPTED = {
    "a polynomial in its only symbol": lambda: (
        d.hermite_coefficients(t**3), d.gaussian_mean(t**2), d.information_exponent(t**3 - 3 * t),
        d.hermite_polynomial(3), d.hermite_series([0, 1]),
    ),
    "one activation for both of a kernel": lambda: (
        d.kernel("relu"), d.kernel_slopes("relu"), d.kernel_derivative(3),
    ),
    "labels as an expression": lambda: (
        d.Pair("relu", labels=tanh(t)), d.parse_transform(Max(0, t)), d.Labels.of(Poly(t**2)),
    ),
    "an activation by its text": lambda: (
        d.expectation("exp(x)"), d.slope_moment("relu", 2), d.local_law("He3"),
        n.mean_function("relu"), n.isolate_zeros("erf"),
    ),
    "a polynomial of SymPy's": lambda: n.isolate_roots(2 * t**2 - 1),
    "strengths as text and fractions": lambda: (
        d.escape_end(3, "0.3"), n.flow_of("x", "0.5"), n.flow_of("x", Rational(1, 2)),
        n.best_learning_rate("x", "0.5", 1000), n.stable_learning_rate("x", HALF, 1e3),
        n.Learner("x", "0.5", 1e3, "1e-3"), n.network_flow("x", "0.2,0.5"),
    ),
    "lists for matrices": lambda: d.network_loss("x", "x", [HALF], [[t]], [[0]], [[1]]),
    "one of each for a grid": lambda: n.grid("x", 0.5, labels="squared", dimension=99, seed=1),
    "an expression in a simulation": lambda: n.Simulation(Max(0, t), 0.5, horizon=9),
}  # fmt: skip

REFUSED = [
    lambda: d.parse_transform(3),
    lambda: d.hermite_coefficients(t**3, 0.5),
    lambda: d.hermite_coefficients("relu"),
    lambda: d.gaussian_mean(t**2 + Symbol("y")),
    lambda: d.change_variance(3, 1, 2),
    lambda: d.product_coefficients("01", (1,)),
    lambda: d.hermite_series(None),
    lambda: d.eigenvalues("1", None),
    lambda: d.leading_escape_time(1, 2),
    lambda: d.exit_law_from((0.1, 0.1), 1, -1, 1, 1),
    lambda: d.exit_law_from((1, 1), 1, -1, 1, (1, 1)),
    lambda: d.finite_rate_drift(d.Pair("x")),
    lambda: d.written("relu"),
    lambda: d.analytic("tanh(x)"),
    lambda: d.analytic(None),
    lambda: d.Activation("mine", tanh(t)),
    lambda: d.escape_end(3, 0.3),
    lambda: d.escape_end(3, [0.1, 0.2]),
    lambda: d.linearised_flow("He3"),
    lambda: d.linearised_network(t**2, [1]),
    lambda: d.network_loss("x", "x", [HALF], 3, Matrix([0]), Matrix([1])),
    lambda: d.kernel_derivative("relu", order=-1),
    lambda: d.local_law("erf"),
    lambda: n.nearest_double("relu", 0.5),
    lambda: n.nearest_double(lambda mu: mu, "0.5"),
    lambda: n.isolate_roots("x**2 - 2"),
    lambda: n.isolate_roots(Poly(t**2 - tanh(1), t)),
    lambda: n.enclose_root(0.5, 53),
    lambda: n.mean_function(None),
    lambda: n.flow_of("relu", None),
    lambda: n.flow_of("relu", 0.5, scaled_rate="much"),
    lambda: n.integrate("relu", [0.01, 0.01], 10),
    lambda: n.integrate(FLOW, [0.01, "x"], 10),
    lambda: n.integrate(FLOW, [0.01, 0.01], float("inf")),
    lambda: n.linearised("relu", 0.5),
    lambda: n.predicted_exit(FLOW, 1000),
    lambda: n.integrate_network(FLOW, None, 10),
    lambda: n.exit_law("relu"),
    lambda: n.learning_curve("relu"),
    lambda: n.Learner("relu", 0.5, 1000, "0.1/d"),
    lambda: n.NetworkLearner("relu", "0.5,x", 1, 1000, 1e-3),
    lambda: n.Stage("squared", until_overlap="x"),
    lambda: n.simulate_sgd("relu", 2),
    lambda: n.simulate_sgd(LEARNER, "20"),
    lambda: n.simulate_sgd(LEARNER, 2, seed=None),
    lambda: n.simulate_sgd(LEARNER, 2, horizon="2*tau"),
    lambda: n.simulate_sgd(LEARNER, 2, horizon=10, records=3),
    lambda: n.Simulation("relu", 0.5, learning_rate=None),
    lambda: n.Simulation("relu", 0.5, starts=[0.1, 0.1]),
    lambda: n.Simulation("relu", 0.5, starts="0.1,0.1"),
    lambda: n.Simulation("relu", 0.5, noise="x"),
    lambda: n.Simulation("relu", 0.5, stage="squared"),
    lambda: n.run_simulation("relu"),
    lambda: n.run_simulations("relu"),
    lambda: n.budget_of(1e5, "relu", [0.1, 0.5], None),
    lambda: n.budget_of("many", "relu", [0.1, 0.5], n.Simulation),
]


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_people_type_is_taken(name):
    assert ACCEPTED[name]() is not None


@pytest.mark.parametrize("call", REFUSED)
def test_what_is_mistaken_is_refused_in_one_line(call):
    with pytest.raises(d.LoraEscapeError) as error:
        call()
    message = str(error.value)
    assert "\n" not in message
    assert 10 < len(message) <= 300


def test_what_is_taken_means_what_was_typed():
    assert d.hermite_coefficients(t**3) == d.hermite_coefficients(d.z**3, d.z)
    assert d.Labels.of(tanh(t)) == d.Labels.of("tanh(y)")
    assert d.kernel("relu") == d.kernel("relu", "relu")
    assert n.Learner("x", "0.5", 1e3, "1e-3") == n.Learner("x", 0.5, 1000, 0.001)
    assert [s.seed for s in n.grid("x", 0.5, seed=7)] == [7]
    assert n.grid("x", np.array([0.2, 0.4])) == n.grid(["x"], [0.2, 0.4])
    assert n.Simulation(Max(0, t), 0.5, horizon=9).pair == d.Pair("max(0, x)")
