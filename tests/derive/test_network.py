"""Networks: the linearised flow is that of the loss, and reduces to what is known."""

import pytest
from sympy import Matrix, Rational, Symbol, eye, nsimplify, simplify, sqrt, zeros

from derive.errors import InputError
from derive.escape import eigenvalues
from derive.grammar import parse_activation
from derive.network import FIELD, K, kernel, linearised_network, network_drift, network_loss
from derive.pair import Pair, drift_of
from derive.symbols import mu

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
    [("x", "x", 3, 2), ("He2", "He2", 3, 2), ("He3 + x", "He3 + x", 2, 2), ("x**2", "x", 2, 1),
     ("x**2/3 + x", "x**2/3 + x", 3, 1), ("He4 + x**3", "He4 + x**3", 2, 1), ("He2", "x**2", 2, 2)],
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


def test_shapes_that_do_not_fit_are_refused():
    x = parse_activation("x")
    with pytest.raises(InputError, match="rows"):
        network_loss(x, x, [mu], zeros(2, 1), zeros(2, 1), eye(1))
    with pytest.raises(InputError, match="no neuron"):
        network_drift(x, x).blocks([])
