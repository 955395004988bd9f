"""The catalogue: coefficients by formula and by mean, parity, derivatives, what is refused."""

import pytest
from sympy import (
    Abs,
    Integer,
    Max,
    Min,
    Piecewise,
    Rational,
    S,
    Symbol,
    atan,
    cos,
    cosh,
    diff,
    erf,
    erfc,
    exp,
    expand,
    factorial,
    hermite_prob,
    log,
    oo,
    pi,
    sign,
    simplify,
    sin,
    sinh,
    sqrt,
    tanh,
)

from derive.activation import Activation
from derive.catalogue import CATALOGUE, LEAK, catalogued
from derive.errors import InputError
from derive.gaussian import NoClosedForm
from derive.grammar import parse_activation
from derive.hermite import hermite_coefficients, hermite_polynomial
from derive.piecewise import PiecewiseAnalytic, analytic
from derive.symbols import Q, z

OUTSIDE = ("sigmoid", "tanh", "silu", "softplus", "gelu_tanh", "logsigmoid", "tanhshrink", "atan",
           "softsign", "swish", "mish", "symlog", "squareplus")  # fmt: skip
EVEN = ("abs", "cos", "gauss", "cosh", "huber", "triangular")
ODD = ("identity", "erf", "sin", "tanh", "sinh", "hardtanh", "softshrink", "tanhshrink", "atan",
       "softsign", "symlog")  # fmt: skip
x = Symbol("x", real=True)
# The constants for which SELU keeps mean 0 and variance 1, in closed form (Klambauer et al. 2017).
TAIL = erfc(1 / sqrt(2)) * exp(S.Half)
ALPHA = sqrt(2 / pi) / (1 - TAIL)
SCALE = (1 - TAIL) * sqrt(
    2 * pi / (2 * exp(2) * erfc(sqrt(2)) + pi * TAIL**2 - 2 * (2 + pi) * TAIL + pi + 2)
)
USUAL = {
    "identity": z,
    "erf": erf(z),
    "phi": erfc(-z / sqrt(2)) / 2,
    "gelu": z * erfc(-z / sqrt(2)) / 2,
    "gelu_tanh": z / (1 + exp(-sqrt(8 / pi) * (z + Rational(44715, 10**6) * z**3))),
    "sin": sin(z),
    "cos": cos(z),
    "exp": exp(z),
    "sinh": sinh(z),
    "cosh": cosh(z),
    "atan": atan(z),
    "logsigmoid": -log(1 + exp(-z)),
    "tanhshrink": z - tanh(z),
    "swish": z / (1 + exp(-z)),
    "squareplus": 2 / (sqrt(z**2 + 4) - z),
    "prelu": Max(z, z / 4),
    "relu6": Min(Max(z, 0), 6),
    "celu": Max(z, 0) + Min(exp(z) - 1, 0),
    "selu": SCALE * (Max(z, 0) + ALPHA * Min(exp(z) - 1, 0)),
    "hardtanh": Max(-1, Min(1, z)),
    "hardsigmoid": Max(0, Min(1, z / 6 + Rational(1, 2))),
    "triangular": Max(0, 1 - Abs(z)),
    "relu": Piecewise((z, z > 0), (0, True)),
    "leaky_relu": Piecewise((z, z > 0), (LEAK * z, True)),
    "abs": Abs(z),
    "squared_relu": Piecewise((z**2, z > 0), (0, True)),
    "sigmoid": 1 / (1 + exp(-z)),
    "silu": z / (1 + exp(-z)),
    "softplus": log(1 + exp(z)),
    "tanh": (exp(z) - exp(-z)) / (exp(z) + exp(-z)),
    "gauss": exp(-(z**2) / 2),
    "elu": Piecewise((z, z > 0), (exp(z) - 1, True)),
    "hardswish": z * Max(0, Min(6, z + 3)) / 6,
    "huber": Piecewise((z**2 / 2, Abs(z) < 1), (Abs(z) - Rational(1, 2), True)),
    "softshrink": Max(z - Rational(1, 2), 0) + Min(z + Rational(1, 2), 0),
    "mish": z * tanh(log(1 + exp(z))),
    "symlog": sign(z) * log(1 + Abs(z)),
    "softsign": z / (1 + Abs(z)),
}


@pytest.mark.parametrize("name", CATALOGUE)
def test_the_catalogue_means_what_everyone_means(name):
    ours = Activation.named(name).value
    for point in map(Rational, ("-40/7", "-7/3", "-1/5", "1/9", "2", "13/2")):
        assert abs((ours.at(point) - USUAL[name].subs(z, point)).evalf(30)) < 1e-25


@pytest.mark.parametrize("name", [n for n, entry in CATALOGUE.items() if entry.coefficient])
@pytest.mark.parametrize("k", range(8))
def test_the_formula_in_k_is_the_mean(name, k):
    """Two oracles: the stated formula, and E He_k(g) σ(√Q g) from the algebra, for symbolic Q."""
    formula = CATALOGUE[name].coefficient(Integer(k), Q)
    assert simplify(formula - Activation.named(name).hermite_coefficient(k, Q)) == 0


@pytest.mark.parametrize("name", [n for n, entry in CATALOGUE.items() if n not in OUTSIDE])
def test_coefficients_solve_the_heat_equation(name):
    activation = Activation.named(name)
    c = [activation.hermite_coefficient(k, Q) for k in range(5)]
    for k in range(3):
        assert _vanishes(diff(c[k], Q) - c[k + 2] / 2)


@pytest.mark.parametrize("name", CATALOGUE)
def test_parity(name):
    expected = 1 if name in EVEN else -1 if name in ODD else 0
    activation = Activation.named(name)
    assert activation.parity == expected
    if expected and name not in OUTSIDE:  # coefficients of the other parity vanish
        for k in range(1 if expected == 1 else 0, 6, 2):
            assert _vanishes(activation.hermite_coefficient(k, S.One))


def test_information_exponents():
    assert Activation.named("cos").information_exponent() == 2
    assert Activation.named("relu").information_exponent(largest=1) == 1
    with pytest.raises(InputError, match="give an integer ≥ 1"):
        Activation.named("relu").information_exponent(largest=0)
    assert Activation("He7", analytic(hermite_polynomial(7, z))).information_exponent() == 7
    assert Activation("constant", analytic(Integer(3))).information_exponent() == oo


@pytest.mark.parametrize("n", range(6))
def test_polynomials_agree_with_the_hermite_calculus(n):
    p = z**n - 3 * z + 1
    activation = Activation("p", analytic(p))
    assert activation.polynomial.as_expr() == expand(p)
    for k, c in enumerate(hermite_coefficients(p, z, Q)):
        assert simplify(activation.hermite_coefficient(k, Q) - c) == 0


@pytest.mark.parametrize("name", CATALOGUE)
def test_derivatives_integrate_back(name):
    """Away from the kink the derivative is the usual one; at it, half the jump of the slope."""
    value = Activation.named(name).value
    ours = value.derivative().refined(value.breaks)
    for piece, slope in zip(value.pieces, ours.pieces, strict=True):
        assert simplify(diff(piece, z) - slope) == 0
    assert not any(ours.deltas)
    for i, (point, weight) in enumerate(zip(value.breaks, ours.derivative().deltas, strict=False)):
        assert weight == (ours.pieces[i + 1] - ours.pieces[i]).subs(z, point)


def _vanishes(expression):
    """To 25 digits, at a variance where nothing vanishes by chance."""
    return abs(expression.subs(Q, Rational(7, 11)).evalf(30)) < Rational(1, 10**25)


@pytest.mark.parametrize("name", [n for n in CATALOGUE if n not in OUTSIDE])
def test_scaling_by_the_argument_is_scaling_by_the_variance(name):
    """c_k of σ(2x) at variance Q is 2^k c_k of σ at variance 4Q."""
    wide = Activation(name, catalogued(name, 2 * z))
    for k in range(3):
        left = wide.hermite_coefficient(k, Q)
        right = 2**k * Activation.named(name).hermite_coefficient(k, 4 * Q)
        assert _vanishes(left - right)


def test_mirrored_arguments_keep_their_kinks():
    mirrored = Activation("relu(-x)", catalogued("relu", -z))
    assert mirrored.expression.subs(z, -3) == 3
    assert mirrored.expression.subs(z, 3) == 0


def test_an_activation_is_no_other_thing_and_has_no_more_parameters_than_it_has():
    assert Activation.named("relu") != "relu"
    assert catalogued("leaky_relu", z, Rational(1, 100)) == catalogued("leaky_relu")
    for name, given in (("relu", 1), ("leaky_relu", 2)):
        with pytest.raises(InputError, match="parameters besides its argument: give no more"):
            catalogued(name, z, *[Rational(1, 2)] * given)


def test_jumps_and_unknown_names_are_refused():
    with pytest.raises(InputError, match="square integrable"):
        Activation("step", PiecewiseAnalytic((S.Zero, S.One), (S.Zero,)))
    with pytest.raises(InputError, match="choose from"):
        Activation.named("tan")


@pytest.mark.parametrize(("name", "k"), [("sigmoid", 1), ("tanh", 3), ("silu", 0), ("softplus", 2)])
def test_what_has_no_closed_form_says_so(name, k):
    with pytest.raises(NoClosedForm):
        Activation.named(name).hermite_coefficient(k, S.One)


# By hand: σ(x) + σ(-x) = 1 for the sigmoid, hence silu(x) - silu(-x) = x; softplus alike.
SYMMETRIC = [("sigmoid", 0, Rational(1, 2)), ("sigmoid", 2, 0), ("sigmoid", 4, 0), ("tanh", 0, 0),
             ("tanh", 2, 0), ("silu", 1, Rational(1, 2)), ("silu", 3, 0), ("softplus", 3, 0),
             ("softplus", 1, Rational(1, 2)), ("3*sigmoid(5*x)", 0, Rational(3, 2)),
             ("silu(2*x/3)", 1, Rational(1, 3)), ("tanh + cos", 2, -exp(-Q / 2)),
             ("softplus(-x)", 1, -Rational(1, 2))]  # fmt: skip


@pytest.mark.parametrize(("text", "k", "value"), SYMMETRIC)
def test_symmetry_gives_coefficients_where_nothing_else_does(text, k, value):
    assert simplify(parse_activation(text).hermite_coefficient(k, Q) - value) == 0


@pytest.mark.parametrize("text", [*CATALOGUE, "tanh + cos", "x*sigmoid(3*x)"])
def test_parts_add_up_and_have_their_parity(text):
    activation = parse_activation(text)
    even, odd = (activation.part(side) for side in (1, -1))
    for x in (Rational(3, 7), Integer(-2), Integer(5)):
        assert abs((activation.value.at(x) - even.at(x) - odd.at(x)).evalf(30)) < 1e-25
        assert abs((even.at(x) - even.at(-x)).evalf(30)) < 1e-25
        assert abs((odd.at(x) + odd.at(-x)).evalf(30)) < 1e-25


@pytest.mark.parametrize(
    ("text", "exponent"),
    [("sigmoid", 1), ("tanh", 1), ("silu", 1), ("softplus", 1), ("sigmoid(10*x)", 1), ("He25", 25),
     ("tanh + x/3", 1), ("cos**2 + sin**2", oo), ("3", oo), ("sigmoid + sigmoid(-x)", oo),
     ("sin(2*x) - 2*sin*cos", oo), ("erf(x)**2", 2), ("He3 + He7", 3), ("abs - abs", oo)],
)  # fmt: skip
def test_information_exponents_of_texts(text, exponent):
    assert parse_activation(text).information_exponent() == exponent


@pytest.mark.parametrize(
    ("text", "by_tanh"),
    [("sigmoid(10*x)", "(1 + tanh(5*x))/2"), ("silu(3*x)", "3*x*sigmoid(3*x)"),
     ("swish(x, 4)", "x*sigmoid(4*x)"), ("sigmoid(x - 1)", "(1 + tanh((x - 1)/2))/2")],
)  # fmt: skip
def test_what_is_a_hyperbolic_tangent_is_written_as_one(text, by_tanh):
    """So enclosures cost no more by one name than by another: exponentials would take 40 times."""
    assert parse_activation(text).value == parse_activation(by_tanh).value
    assert not parse_activation(text).expression.has(exp)
    assert not parse_activation("softplus(7*x)").value.derivative().smooth.has(exp)


def test_an_open_information_exponent_is_not_guessed():
    for text in ("tanh(x) - x", "tanh**2"):
        with pytest.raises(NoClosedForm):
            parse_activation(text).information_exponent()
    flat = Activation("flat", analytic(exp(z) - sum(hermite_prob(k, z) * exp(S.Half) / factorial(k)
                                                  for k in range(5))))  # fmt: skip
    with pytest.raises(InputError, match="largest=8"):
        flat.information_exponent(largest=4)
    assert flat.information_exponent(largest=5) == 5


def test_equal_terms_are_added_up():
    """c₃ of x³/6 - erf/2 is 1 plus one term, not a sum of fractions that make 1."""
    found = parse_activation("x**3/6 - erf(x)/2").hermite_coefficient(3, Q)
    assert found == 1 + 2 / (sqrt(pi) * (2 * Q + 1) ** Rational(3, 2))


def test_any_one_symbol_is_the_variable():
    cube = Activation("cube", analytic(Symbol("x") ** 3))
    assert (
        cube == Activation("cube", analytic(z**3)) == Activation("cube", analytic(Symbol("z") ** 3))
    )
    slope = Symbol("c", positive=True)
    assert Activation("line", analytic(slope * z)).value.smooth == slope * z
    for value in (
        analytic(Symbol("x") * Symbol("y")),
        analytic(z * Symbol("z")),
        analytic(0.5 * z),
    ):
        with pytest.raises(InputError, match=r"not accepted|float"):
            Activation("bad", value)


def test_products_with_kinks():
    relu = Activation.named("relu").value
    assert (relu * relu) == Activation.named("squared_relu").value
    assert analytic(tanh(z)).derivative().smooth == 1 - tanh(z) ** 2


@pytest.mark.parametrize(
    ("text", "formula"),
    [
        ("sigmoid(3*x)", 1 / (1 + exp(-3 * z))),
        ("silu(-x/2)", -z / 2 / (1 + exp(z / 2))),
        ("softplus(2*x)", log(1 + exp(2 * z))),
    ],
)
def test_what_is_built_on_tanh_is_the_textbook_s(text, formula):
    """The same function with the same slopes, up to the third, far out too."""
    ours = parse_activation(text).value.smooth
    for k in range(4):
        for place in (Rational(-31, 2), Rational(-1, 3), Rational(2, 7), Rational(40)):
            one, other = (f.diff(z, k).subs(z, place).evalf(20, maxn=500) for f in (ours, formula))
            assert abs(one - other) < Rational(1, 10**15)


@pytest.mark.parametrize("text", ["tanh - squared_relu", "tanh - x*abs", "sigmoid - x*abs/2"])
def test_a_sign_is_proved_of_the_whole_function_or_not_at_all(text):
    """E σ' = E tanh' - E|z|, say: that the smooth part rises proves nothing."""
    with pytest.raises(NoClosedForm):
        parse_activation(text).information_exponent()
