"""Networks: the linearised flow is that of the loss, and reduces to what is known."""

import pytest
from sympy import (
    Integer,
    Matrix,
    N,
    Rational,
    Symbol,
    diff,
    exp,
    eye,
    lambdify,
    nsimplify,
    pi,
    simplify,
    sqrt,
    zeros,
)
from thorough import only

from derive.errors import InputError
from derive.escape import eigenvalues
from derive.gaussian import NoClosedForm
from derive.grammar import parse_activation
from derive.network import (
    FIELD,
    OTHER,
    K,
    kernel,
    kernel_derivative,
    kernel_slopes,
    linearised_network,
    network_drift,
    network_loss,
)
from derive.pair import Pair
from derive.pair_drift import drift_of
from derive.risk import frozen_risk
from derive.symbols import mu, z

STRENGTHS = (Rational(1, 3), Rational(2, 5), Rational(3, 4))


def _symbols(name, neurons, rank):
    return Matrix(neurons, rank, lambda i, j: Symbol(f"{name}{i}{j}"))


def _network_matrix(a, b, rank):
    """The matrix of U̇ = AᵀM + BU, Ṁ = AU, column by column: the rank only repeats it."""
    neurons = a.rows
    size = neurons * rank
    matrix = zeros(2 * size)
    for column in range(rank):
        u = slice(column * neurons, (column + 1) * neurons)
        m = slice(size + column * neurons, size + (column + 1) * neurons)
        matrix[u, u], matrix[u, m], matrix[m, u] = b, a.T, a
    return matrix


@pytest.mark.parametrize(
    ("teacher", "student", "neurons", "rank"),
    only(
        [("x", "x", 3, 2), ("x**2", "x", 2, 1), ("x**2/3 + x", "x**2/3 + x", 3, 1)],
        [("x", "x", 3, 2), ("He2", "He2", 3, 2), ("He3 + x", "He3 + x", 2, 2), ("x**2", "x", 2, 1),
         ("x**2/3 + x", "x**2/3 + x", 3, 1), ("He4 + x**3", "He4 + x**3", 2, 1),
         ("He2", "x**2", 2, 2)],
    ),
)  # fmt: skip
def test_linearisation_is_derived_from_the_loss(teacher, student, neurons, rank):
    """Symbolic Hessian of the loss against the kernels' slopes, for unequal strengths."""
    pair = parse_activation(teacher), parse_activation(student)
    u, m = _symbols("u", neurons, rank), _symbols("m", neurons, rank)
    strengths = STRENGTHS[:neurons]
    loss = network_loss(*pair, strengths, u, m, eye(rank))
    variables = [*u.T, *m.T]
    a, b = network_drift(*pair).blocks(strengths)
    expected = _network_matrix(a, b, rank)
    assert (linearised_network(loss, variables) - expected).applyfunc(nsimplify) == zeros(
        2 * neurons * rank
    )


def test_linear_networks_escape_by_their_collective_mismatch():
    """(107)-(111): λ± = ½(-1 ± √(1 + 4|1-μ|²/K)) for every K, and 0 for all other modes."""
    x = parse_activation("x")
    assert network_drift(x, x).blocks([OTHER, mu])[0][0, 1] == (1 - OTHER) / 2
    a, b = network_drift(x, x).blocks(STRENGTHS)
    mismatch = sum((1 - s) ** 2 for s in STRENGTHS)
    matrix = _network_matrix(a, b, 1)
    roots = [(-1 + side * sqrt(1 + 4 * mismatch / 3)) / 2 for side in (1, -1)]
    found = matrix.eigenvals()
    assert {simplify(root) for root in roots} <= {simplify(value) for value in found}
    assert found[0] == 4
    collective = network_drift(x, x).equal_strengths()["collective"]
    assert simplify(eigenvalues(*collective)[0] - (-1 + sqrt(1 + 4 * (1 - mu) ** 2)) / 2) == 0


def test_normalised_hermite_2():
    """(115)-(118): a = (μ/K)(2 - 2μ² - s), b = -(1/K)(2μ² + s), s = Σ(μ²-1)."""
    drift = network_drift(*[parse_activation("(x**2 - 1)/2")] * 2)
    # The theory divides by √2, not by 2: its kernels are twice ours, and so is the field.
    s = Symbol("s")
    a, b = (2 * f.subs(FIELD, -s / 2) for f in (drift.a, drift.b))
    assert simplify(a - mu / K * (2 - 2 * mu**2 - s)) == 0
    assert simplify(b + (2 * mu**2 + s) / K) == 0
    assert (drift.a_other, drift.b_other) == (0, 0)


@pytest.mark.parametrize("text", ["x", "He3", "relu", "erf", "He2 + x"])
def test_one_neuron_is_the_single_index_model(text):
    activation = parse_activation(text)
    a, b = network_drift(activation, activation).blocks([Rational(2, 5)])
    drift = drift_of(Pair(activation, activation))
    for ours, theirs in ((a[0], drift.a), (b[0], drift.b)):
        assert abs((ours - theirs.as_expr().subs(mu, Rational(2, 5))).evalf(30)) < 1e-28


@pytest.mark.parametrize("text", ["x", "He2 + x", "relu", "erf"])
def test_equal_strengths_have_two_kinds_of_modes(text):
    """Collective once, relative K - 1 times, against the eigenvalues of the blocks."""
    activation = parse_activation(text)
    drift = network_drift(activation, activation)
    a, b = (block.evalf(25) for block in drift.blocks([Rational(1, 3)] * 3))
    modes = drift.equal_strengths()
    for block, place in ((a, 0), (b, 1)):
        collective, relative = (
            modes[name][place].subs({K: 3, mu: Rational(1, 3)}).evalf(25)
            for name in ("collective", "relative")
        )
        ones, other = Matrix([1, 1, 1]), Matrix([1, -1, 0])
        assert max(abs(x) for x in block * ones - collective * ones) < 1e-20
        assert max(abs(x) for x in block * other - relative * other) < 1e-20


def test_kernels_of_closed_forms_are_symmetric_and_known():
    erf = kernel(*[parse_activation("erf")] * 2)
    point = {erf.first: Rational(1, 2), erf.second: Rational(3, 4), erf.cross: Rational(-1, 5)}
    swapped = {erf.first: Rational(3, 4), erf.second: Rational(1, 2), erf.cross: Rational(-1, 5)}
    assert abs((erf.expression.subs(point) - erf.expression.subs(swapped)).evalf(30)) < 1e-25


@pytest.mark.parametrize(
    ("left", "right"), [("x", "erf"), ("erf", "He3"), ("x", "He3"), ("relu", "x**2"), ("sin", "x")]
)
def test_kernels_do_not_mind_the_order(left, right):
    """E f(x) g(y) with the variances exchanged is E g(x) f(y), for unlike functions too."""
    first, second = parse_activation(left), parse_activation(right)
    p, q, c = Rational(1, 2), Rational(3, 4), Rational(1, 5)
    k, back = kernel(first, second), kernel(second, first).at(q, p, c)
    there, turned = k.at(p, q, c), k.at(k.second, k.first, k.cross)
    assert simplify(there - back) == 0
    assert simplify(there - turned.subs({k.first: q, k.second: p, k.cross: c})) == 0
    if (left, right) == ("x", "erf"):  # Stein: c E erf'(y)
        assert simplify(there - 2 * c / sqrt(pi * (1 + 2 * q))) == 0


COINCIDENT = [
    ("relu", Rational(1, 2), 0),
    ("abs", 1, 1),
    ("leaky_relu(x, 1/10)", Rational(101, 200), -Rational(1, 10)),
    ("squared_relu", Rational(3, 2), 0),
    ("x", 1, -1),
    ("cos", (1 + exp(-2)) / 2, (1 + exp(-2)) / 2),
]


@pytest.mark.parametrize(("text", "same", "opposite"), COINCIDENT)
def test_kernels_where_the_gaussians_coincide(text, same, opposite):
    """E σ(g)² and E σ(g)σ(-g), put in, symbolically and in doubles; at 0 too."""
    activation = parse_activation(text)
    k = kernel(activation, activation)
    in_doubles = lambdify((k.first, k.second, k.cross), k.expression)
    for side, value in ((1, same), (-1, opposite)):
        assert simplify(k.at(Integer(1), Integer(1), Integer(side)) - value) == 0
        assert abs(in_doubles(1.0, 1.0, side * (1 - 1e-16)) - float(value)) < 1e-15
    nothing = k.at(Integer(0), Integer(0), Integer(0))
    assert simplify(nothing - activation.expression.subs(z, 0) ** 2) == 0
    assert simplify(k.power(Rational(9, 4)) - k.at(*[Rational(9, 4)] * 3)) == 0


@pytest.mark.parametrize("text", [text for text, *_ in COINCIDENT])
def test_slopes_of_kernels_are_price_s_and_finite(text):
    """Inside the domain those of the expression; where the Gaussians coincide their limits."""
    activation = parse_activation(text)
    k = kernel(activation, activation)
    inside = {k.first: Rational(3, 4), k.second: Rational(5, 4), k.cross: Rational(2, 5)}
    slopes = kernel_slopes(activation, activation)
    for name, slope in zip((k.first, k.second, k.cross), slopes, strict=True):
        assert abs((diff(k.expression, name) - slope.expression).subs(inside).evalf(30)) < 1e-25
    total = sum(slope.at(*[Integer(1)] * 3) for slope in slopes)
    q = Symbol("q", positive=True)
    assert simplify(total - diff(k.power(q), q).subs(q, 1)) == 0  # along q₁ = q₂ = q₁₂


def test_beyond_a_delta_the_expression_is_differentiated():
    second, third = (kernel_derivative("relu", order=order) for order in (2, 3))
    assert simplify(third.expression - diff(second.expression, second.cross)) == 0


def test_kernels_are_well_conditioned():
    """At variances 10^36 and covariance 10^36 - 1 SymPy's arcsine would lose half its digits."""
    for text in ("relu", "squared_relu", "erf", "gelu"):
        k = kernel(*[parse_activation(text)] * 2)
        found = k.at(Integer(10**36), Integer(10**36), Integer(10**36 - 1))
        assert abs(N(found, 20) / N(found, 120) - 1) < 1e-19


@pytest.mark.parametrize(
    ("text", "value"),
    [("relu", Rational(1, 16)), ("abs", Rational(1, 8)), ("squared_relu", Rational(27, 64)),
     ("leaky_relu", Rational(10001, 160000)), ("x", Rational(1, 8))],
)  # fmt: skip
def test_one_neuron_starts_at_its_frozen_risk(text, value):
    """K = 1, u = m = 0, where all Gaussians coincide: symbolically and in doubles."""
    activation = parse_activation(text)
    strength, u, m = Symbol("c", positive=True), Symbol("u", real=True), Symbol("m", real=True)
    loss = network_loss(activation, activation, [strength], Matrix([[u]]), Matrix([[m]]), eye(1))
    risk = frozen_risk(Pair(activation, activation))
    assert (
        loss.subs({u: 0, m: 0, strength: Rational(1, 2)}) == value == risk.subs(mu, Rational(1, 2))
    )
    assert loss.subs({u: 0, m: 0}).subs(strength, 0) == risk.subs(mu, 0)
    in_doubles = lambdify((strength, u, m), loss)
    assert abs(in_doubles(0.5, 0.0, 0.0) - float(value)) < 1e-15
    for overlap in (1.0, -1.0):  # the columns coincide with the teacher
        along = 0.7 + 0.3 * overlap
        assert abs(in_doubles(0.7, 0.3, overlap) - float(risk.subs(mu, along))) < 1e-15


def test_infinite_terms_that_cancel_are_told():
    relu = parse_activation("relu")
    u, m = _symbols("u", 1, 1), _symbols("m", 1, 1)
    loss = network_loss(relu, relu, [Rational(1, 2)], u, m, eye(1))
    with pytest.raises(NoClosedForm, match="network_drift"):
        linearised_network(loss, [*u, *m])


@pytest.mark.parametrize("text", ["tanh", "sigmoid", "silu", "softplus"])
def test_networks_without_closed_form_say_so(text):
    activation = parse_activation(text)
    with pytest.raises(NoClosedForm):
        network_drift(activation, activation)


def test_shapes_that_do_not_fit_are_refused():
    x = parse_activation("x")
    with pytest.raises(InputError, match="rows"):
        network_loss(x, x, [mu], zeros(2, 1), zeros(2, 1), eye(1))
    with pytest.raises(InputError, match="no neuron"):
        network_drift(x, x).blocks([])


@pytest.mark.parametrize(
    ("u", "m", "g"),
    [((2, 1), (1, 2), (1, 1)), ((2, 1), (2, 2), (1, 1)), ((2, 1), (2, 1), (1, 2)),
     ((2, 1), (2, 1), (2, 1)), ((2, 2), (2, 2), (1, 1)), ((2, 2), (2, 2), (2, 1))],
)  # fmt: skip
def test_every_shape_has_to_fit_the_others(u, m, g):
    x = parse_activation("x")
    with pytest.raises(InputError, match="give U and M of K rows"):
        network_loss(x, x, [mu, mu], zeros(*u), zeros(*m), zeros(*g))


def test_the_linearised_flow_is_minus_the_second_derivatives_where_these_are_finite():
    x, y = Symbol("x"), Symbol("y")
    assert linearised_network(x**2 / 2 + 3 * x * y + y**4, [x, y]) == Matrix([[-1, -3], [-3, 0]])
    for infinite in (x ** Rational(3, 2), y ** Rational(3, 2) - x**2, x * sqrt(y)):
        with pytest.raises(NoClosedForm, match="infinite terms"):
            linearised_network(infinite, [x, y])
