"""Public functions take what people type, or refuse it at once in one line of this project's own.

Each line of the two tables is a natural call, well meant or mistaken. What is well meant is what is
said in full beside it; of what is mistaken no error of Python's own may come, and what comes holds
the words beside it.
"""

import inspect
from argparse import SUPPRESS
from fractions import Fraction

import numpy as np
import pytest
from flint import fmpz_poly
from sympy import Abs, Eq, Matrix, Max, Poly, Rational, Symbol, tanh
from sympy.abc import t

import derive as d
import numerics as n
from derive.__main__ import main as of_derive
from numerics.__main__ import main as of_numerics

HALF = Fraction(1, 2)
FLOW = n.flow_of("x", 0.5)
LEARNER = n.Learner("x", 0.5, 1000, 1e-3)
NETWORK = n.network_flow("x", 0.5)
REST = n.NetworkState(np.zeros((1, 1)), np.zeros((1, 1)), np.eye(1))
SHORT = n.Simulation("x", 0.5, horizon=9, replicas=2)

ACCEPTED = {
    "a polynomial in its only symbol": lambda: [
        (d.hermite_coefficients(t**3), d.hermite_coefficients(d.z**3, d.z)),
        (d.gaussian_mean(t**2), d.gaussian_mean(d.z**2, d.z)),
        (d.information_exponent(t**3 - 3 * t), 3),
        (d.hermite_polynomial(3), d.z**3 - 3 * d.z),
        (d.written(d.drift_of("x").a), 1 - d.mu),
    ],
    "one activation for both of a kernel": lambda: [
        (d.kernel("relu"), d.kernel("relu", "relu")),
        (d.kernel_slopes("relu"), d.kernel_slopes("relu", "relu")),
        (d.kernel_derivative(3), d.kernel_derivative("He3", "He3")),
    ],
    "labels as an expression": lambda: [
        (d.Pair("relu", labels=tanh(t)), d.Pair("relu", labels="tanh(y)")),
        (d.parse_transform(Max(0, t)), d.parse_transform("max(0, y)")),
        (d.Labels.of(Poly(t**2)), d.Labels.of("squared")),
        (d.Labels.of((t + 1) ** 2), d.Labels.of("(y + 1)**2")),
        (d.Labels.of(t**2 + 2 * t + 1), d.Labels.of((t + 1) ** 2)),
        (d.Labels.of((t + 1) * Abs(t)), d.Labels.of("(y + 1)*abs(y)")),
    ],
    "an activation by its text": lambda: [
        (d.slope_moment("He3", 2), d.slope_moment(d.parse_activation(3), 2)),
        (d.local_law("He3"), d.local_law(d.Pair("He3"))),
        (d.expectation("exp(x)"), d.expectation(d.parse_activation("exp(x)"))),
        (n.isolate_zeros("erf"), n.isolate_zeros(d.Pair("erf"))),
    ],
    "a polynomial of SymPy's": lambda: [
        (n.isolate_roots(2 * t**2 - 1), n.isolate_roots(fmpz_poly([-1, 0, 2]))),
    ],
    "numbers for exact ones": lambda: [
        (
            d.leading_escape_time(d.LeadingTerm(3, 1), d.LeadingTerm(-2, 0)),
            d.LeadingTerm(Rational(2, 9), -2),
        ),
        (d.linearised_network(t**2, []), Matrix(0, 0, [])),
    ],
    "strengths as text and fractions": lambda: [
        (d.escape_end(3, "1/2"), d.escape_end(3, Rational(1, 2))),
        (n.flow_of("x", "1/2").mu, 0.5),
        (n.flow_of("x", Rational(1, 2)).mu, 0.5),
        (n.best_learning_rate("x", "0.5", 1000), n.best_learning_rate("x", 0.5, 1000)),
        (n.stable_learning_rate("x", HALF, 1e3), n.stable_learning_rate("x", 0.5, 1000)),
        (n.Learner("x", "1/2", 1e3, "1e-3"), n.Learner("x", 0.5, 1000, 0.001)),
        (n.network_flow("x", "0.2,0.5").mu.tolist(), [0.2, 0.5]),
    ],
    "lists for matrices": lambda: [
        (
            d.network_loss("x", "x", [HALF], [[t]], [[0]], [[1]]),
            d.network_loss("x", "x", [Rational(1, 2)], Matrix([t]), Matrix([0]), Matrix([1])),
        ),
    ],
    "one of each for a grid": lambda: [
        (n.grid("x", 0.5, dimension=99, seed=1), n.grid(["x"], [0.5], dimension=[99], seed=[1])),
    ],
    "an expression in a simulation": lambda: [
        (n.Simulation(Max(0, t), 0.5, horizon=9).pair, d.Pair("max(0, x)")),
        (_labelled((t + 1) ** 2), _labelled("(y + 1)**2")),
        (_labelled(tanh((t + 1) ** 2)).text, _labelled("tanh((y + 1)**2)").text),
    ],
    "numbers of replicas in an array": lambda: [
        (_ends(np.arange(2)), _ends(2)),
        (_ends(iter([0, 1])), _ends([0, 1])),
    ],
    "simulations in an iterator, and one": lambda: [
        (n.run_simulations(iter([SHORT]))[0]["m"].tolist(), n.run_simulation(SHORT)["m"].tolist()),
        (n.run_simulations(SHORT)[0]["m"].tolist(), n.run_simulation(SHORT)["m"].tolist()),
    ],
}


def _labelled(labels):
    return n.Simulation(d.Pair("x", labels=labels), 0.5, horizon=9).pair.labels


def _ends(replicas):
    return n.simulate_sgd(LEARNER, replicas, horizon=10, records=[10])["m"].tolist()


REFUSED = [
    ("give matched, squared, or a function of y", lambda: d.parse_transform(3)),
    ("give a symbol", lambda: d.hermite_coefficients(t**3, 0.5)),
    ("give a number or a SymPy expression", lambda: d.hermite_coefficients("relu")),
    ("t**2 + y is not accepted: it holds t, y", lambda: d.gaussian_mean(t**2 + Symbol("y"))),
    ("give a sequence of exact numbers", lambda: d.change_variance(3, 1, 2)),
    ("give a sequence of exact numbers", lambda: d.product_coefficients("01", (1,))),
    ("give a sequence of exact numbers", lambda: d.hermite_series(None)),
    ("give a number or a SymPy expression", lambda: d.eigenvalues("1", None)),
    ("give a LeadingTerm, as in", lambda: d.leading_escape_time(1, 2)),
    (
        "give exact numbers, such as Rational(1, 2)",
        lambda: d.exit_law_from((0.1, 0.1), 1, -1, 1, 1),
    ),
    ("give 3, one more than couplings", lambda: d.exit_law_from((1, 1), 1, -1, 1, (1, 1))),
    ("give spherical or projected", lambda: d.finite_rate_drift(d.Pair("x"))),
    ("give a number or a SymPy expression", lambda: d.written("relu")),
    ("give a number or a SymPy expression", lambda: d.analytic("tanh(x)")),
    ("give a number or a SymPy expression", lambda: d.analytic(None)),
    ("give what analytic() makes of an", lambda: d.Activation("mine", tanh(t))),
    ("give exact numbers, such as Rational(1, 2)", lambda: d.escape_end(3, 0.3)),
    ("give a number or a SymPy expression", lambda: d.escape_end(3, [0.1, 0.2])),
    ("give a loss, as population_loss makes it", lambda: d.linearised_flow("He3")),
    ("give symbols", lambda: d.linearised_network(t**2, [1])),
    (
        "give a matrix, or a list of its rows",
        lambda: d.network_loss("x", "x", [HALF], 3, Matrix([0]), Matrix([1])),
    ),
    ("give an integer ≥ 0", lambda: d.kernel_derivative("relu", order=-1)),
    ("give a pair of polynomials", lambda: d.local_law("erf")),
    ("give a function from balls to balls, as", lambda: n.nearest_double("relu", 0.5)),
    ("give a function from balls to balls, as", lambda: n.nearest_double(lambda mu: mu, "0.5")),
    ("give a number or a SymPy expression", lambda: n.isolate_roots("x**2 - 2")),
    ("give rational numbers", lambda: n.isolate_roots(Poly(t**2 - tanh(1), t))),
    ("give a root that isolate_roots has found", lambda: n.enclose_root(0.5, 53)),
    ("give text such as 'relu', a Hermite degree", lambda: n.mean_function(None)),
    ("strength 'None' is not accepted: give a number", lambda: n.flow_of("relu", None)),
    (
        "scaled rate 'much' is not accepted: give a number",
        lambda: n.flow_of("relu", 0.5, scaled_rate="much"),
    ),
    ("give a flow, as flow_of(pair, mu) or", lambda: n.integrate("relu", [0.01, 0.01], 10)),
    ("give numbers", lambda: n.integrate(FLOW, [0.01, "x"], 10)),
    ("give one > 0, in units of 1/γ", lambda: n.integrate(FLOW, [0.01, 0.01], float("inf"))),
    ("give a flow, as flow_of(pair, mu) or", lambda: n.linearised("relu", 0.5)),
    ("give 2 numbers", lambda: n.predicted_exit(FLOW, 1000)),
    ("give a flow, as network_flow(pair", lambda: n.integrate_network(FLOW, None, 10)),
    ("give a NetworkState", lambda: n.integrate_network(NETWORK, None, 10)),
    ("give a Learner or NetworkLearner, or use", lambda: n.exit_law("relu")),
    ("give a Learner or NetworkLearner, or use", lambda: n.learning_curve("relu")),
    (
        "learning rate '0.1/d' is not accepted: give a number",
        lambda: n.Learner("relu", 0.5, 1000, "0.1/d"),
    ),
    (
        "give decimals in (0, 1]: one (0.3), a list",
        lambda: n.NetworkLearner("relu", "0.5,x", 1, 1000, 1e-3),
    ),
    ("overlap 'x' is not accepted: give a number", lambda: n.Stage("squared", until_overlap="x")),
    ("give a Learner or NetworkLearner, or use", lambda: n.simulate_sgd("relu", 2)),
    ("give an integer ≥ 1, or their numbers in a", lambda: n.simulate_sgd(LEARNER, "20")),
    (
        "seed None is not accepted: give an integer ≥ 0",
        lambda: n.simulate_sgd(LEARNER, 2, seed=None),
    ),
    (
        "horizon '2*tau' is not accepted: give an integer ≥ 1",
        lambda: n.simulate_sgd(LEARNER, 2, horizon="2*tau"),
    ),
    (
        "give increasing ones in [0, horizon]",
        lambda: n.simulate_sgd(LEARNER, 2, horizon=10, records=3),
    ),
    (
        "give a positive number, 0.5/d, 0.5*stable",
        lambda: n.Simulation("relu", 0.5, learning_rate=None),
    ),
    ("give states, as in [(0.01, 0.02)]", lambda: n.Simulation("relu", 0.5, starts=[0.1, 0.1])),
    ("give states, as in [(0.01, 0.02)]", lambda: n.Simulation("relu", 0.5, starts="0.1,0.1")),
    ("give a number", lambda: n.Simulation("relu", 0.5, noise="x")),
    ("give a Stage, as in Stage('squared'", lambda: n.Simulation("relu", 0.5, stage="squared")),
    ("give a Simulation, or several as grid makes", lambda: n.run_simulation("relu")),
    ("give a Simulation, or several as grid makes", lambda: n.run_simulations("relu")),
    ("give a function from a strength to its", lambda: n.budget_of(1e5, "relu", [0.1, 0.5], None)),
    ("give a number", lambda: n.budget_of("many", "relu", [0.1, 0.5], n.Simulation)),
    ("give matched, squared, or a function of y", lambda: d.parse_transform([1])),
    ("give a number or a SymPy expression", lambda: d.LeadingTerm("3")),
    ("give exact numbers, such as Rational(1, 2)", lambda: d.LeadingTerm(0.5)),
    ("give an expression or a polynomial", lambda: d.written(Eq(t, 1))),
    ("power '4' is not accepted: give an integer ≥ 0", lambda: d.slope_moment("He3", "4")),
    ("give a polynomial in one symbol alone", lambda: n.isolate_roots(t * Symbol("y") - 1)),
    ("radius 'r' is not accepted: give a number", lambda: n.predicted_exit(FLOW, [0.1, 0.1], "r")),
    (
        "noise 'nan' is not accepted: give a number",
        lambda: n.best_learning_rate("x", 0.5, 1000, noise=float("nan")),
    ),
    ("time 'x' is not accepted: give a number", lambda: n.integrate_network(NETWORK, REST, "x")),
    ("give one > 0, in units of 1/γ", lambda: n.integrate_network(NETWORK, REST, -1)),
    ("give one > 0, in units of 1/γ", lambda: n.integrate_network(NETWORK, REST, float("inf"))),
    (
        "time 'nan' is not accepted: give a number",
        lambda: n.integrate(FLOW, [0.01, 0.01], float("nan")),
    ),
    ("mu 'nan' is not accepted: give a number", lambda: n.Learner("x", "nan", 1000, 1e-3)),
    ("mu 'True' is not accepted: give a number", lambda: n.Learner("x", True, 1000, 1e-3)),
    ("dimension 'd' is not accepted: give an integer ≥ 3", lambda: n.Learner("x", 0.5, "d", 1e-3)),
    (
        "batch 0 is not accepted: give an integer ≥ 1",
        lambda: n.Learner("x", 0.5, 1000, 1e-3, batch=0),
    ),
    ("give an integer ≥ 1, or their numbers in a", lambda: n.simulate_sgd(LEARNER, 0)),
    ("give at least one", lambda: n.simulate_sgd(LEARNER, [], horizon=9)),
    ("give a Simulation, or several as grid makes", lambda: n.run_simulations([FLOW])),
    (
        "coefficient 'c' is not accepted: give 'a' or 'b'",
        lambda: d.hermite_drift(3).derivative("c"),
    ),
    ("coefficient 'None' is not accepted", lambda: d.drift_of("erf").derivative(None)),
    ("degree True is not accepted", lambda: d.hermite_polynomial(True)),
    ("digits True is not accepted", lambda: n.study("He3").singularities(True)),
    ("order -1 is not accepted", lambda: d.drift_of("tanh").derivative("a", -1)),
    ("order 'x' is not accepted", lambda: d.hermite_drift(3).derivative("b", "x")),
    ("give a number or a SymPy expression", lambda: d.Drift({}, -1)),
    ("give a number or a SymPy expression", lambda: d.hermite_drift(3).value(True)),
    ("give a number or a SymPy expression", lambda: d.exit_time(1, -1, "")),
    ("give a number or a SymPy expression", lambda: d.acceleration(t, t, None, t)),
    ("give a number or a SymPy expression", lambda: d.potential(1, "x")),
    (
        "give a number or a SymPy expression",
        lambda: d.CONVENTIONS["h"].coefficient("1", 2, 1),
    ),
    ("degree -1 is not accepted", lambda: d.CONVENTIONS["h"].coefficient(1, -1, 1)),
    ("degree 'c' is not accepted: give an", lambda: d.IDENTITIES["22"].holds("c", 1)),
    ("identity (22) is of", lambda: d.IDENTITIES["22"].holds(5)),
    ("choose from he, h, orthonormal", lambda: d.hermite_coefficients(t, convention=["he"])),
    ("give a tuple", lambda: d.PiecewiseAnalytic(None)),
    ("give a number or a SymPy expression", lambda: n.ball_function("x", [t])),
    ("give the symbols in a list", lambda: n.ball_function(t, t)),
    ("give a function from balls to balls, as", lambda: n.nearest_double(abs, float("nan"))),
    ("strength 'c' is not accepted: give numbers", lambda: n.fast_drift("erf").tau("c")),
    ("strength \"['x']\" is not accepted: give numbers", lambda: n.fast_drift("x").a(["x"])),
    ("state 'c' is not accepted: give numbers", lambda: FLOW.velocity(0, "c")),
    ("give 2 numbers", lambda: FLOW.loss([0.1, 0.1, 0.1])),
    ("give a NetworkState", lambda: NETWORK.loss(0.1)),
    (
        "time 'x' is not accepted: give numbers",
        lambda: n.integrate(FLOW, [0.01, 0.01], 9).at("x"),
    ),
    ("time 'x' is not accepted: give numbers", lambda: n.exit_law(LEARNER).searching("x")),
    ("probability 'p' is not accepted", lambda: n.exit_law(LEARNER).quantile("p")),
    (
        "give a Learner",
        lambda: n.simulate_densely("relu", np.random.default_rng(1), 5, [5]),
    ),
    ("give a generator", lambda: n.simulate_densely(LEARNER, None, 5, [5])),
    (
        "horizon 'x' is not accepted",
        lambda: n.simulate_densely(LEARNER, np.random.default_rng(1), "x", [5]),
    ),
    (
        "give increasing ones in [0, horizon]",
        lambda: n.simulate_densely(LEARNER, np.random.default_rng(1), 5, [6]),
    ),
    (
        "give a NetworkLearner",
        lambda: n.simulate_network_densely(LEARNER, np.random.default_rng(1), 5, [5]),
    ),
    (
        "give a smaller radius or learning rate",
        lambda: n.study("x").exit_law(0.5, 10**4, learning_rate=0.5, batch=1),
    ),
]


@pytest.mark.parametrize("name", ACCEPTED)
def test_what_people_type_is_taken(name):
    for typed, meant in ACCEPTED[name]():
        assert typed == meant


@pytest.mark.parametrize(("words", "call"), REFUSED)
def test_what_is_mistaken_is_refused_in_one_line(words, call):
    with pytest.raises(d.LoraEscapeError) as error:
        call()
    message = str(error.value)
    assert "\n" not in message
    assert "give give" not in message
    assert words in message
    assert len(message) <= 300


# Words whose default depends on where they stand, and why; others have one.
DEPENDING = {
    "batch": {1, 16},  # of a learner and of a simulation
    "digits": {10, 15, 30},  # of rational bounds, of dual activations, of other enclosures
    "dimension": {1000, 10000},  # of simulations and of judged labels
    "misalignment": {0, "none"},  # as a number and by its name
    "mu": {0.3, 0.5, "0.1,0.5,0.9", "(0.1, 0.5, 0.9)", "0.05:0.95:19", "0.1:0.9:9"},
    "order": {0, 1, 8},  # a value is of order 0, a derivative of order 1, an expansion has some
    "points": {9, 60},  # of a table and of a curve
    "replicas": {20, 100, 200},  # of a call, a command, a page
    "rho": {1, "-1:1:21"},
    "scaled_rate": {0, "0,1"},
    "variance": {1, "Q"},  # a student's is a symbol
    "format": {"text", "latex"},
    "output": {"report.html", "explorer.html"},
    "folder": {"figures", "results"},
}


def _number_or_text(default):
    one = default[0] if isinstance(default, tuple) and len(default) == 1 else default
    text = getattr(one, "text", str(one))
    try:
        return float(text)
    except ValueError:
        return text


def _defaults():
    """Words with what they are where they are not given, in functions, methods and commands."""
    for public in (getattr(package, name) for package in (d, n) for name in package.__all__):
        methods = vars(public).items() if inspect.isclass(public) else [("", public)]
        own = [f for name, f in methods if not name.startswith("_") or name == "__init__"]
        for function in filter(inspect.isfunction, map(inspect.unwrap, own)):
            for word, parameter in inspect.signature(function).parameters.items():
                yield word, parameter.default
                yield f"{function.__qualname__.split('.')[-1]}({word})", parameter.default
    for group in (of_derive, of_numerics):
        for command in map(group.member, group.members):
            yield from ((action.dest, action.default) for action in command.parser()._actions)


def test_a_word_has_one_default_wherever_it_is_public():
    found = {}
    for word, default in _defaults():
        if str(default) not in ("None", "False", "", "()", SUPPRESS) and not callable(default):
            found.setdefault(word, []).append(_number_or_text(default))
    shared = {word: set(told) for word, told in found.items() if len(told) > 1}
    several = {word for word, told in shared.items() if len(told) > 1 and "__init__" not in word}
    assert {word: shared[word] for word in several} == DEPENDING
    assert len(shared) > 30
