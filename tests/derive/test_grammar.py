"""The grammar of activations: what it means, what it refuses, and that it never evaluates."""

import builtins
import os
import re
import string
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sympy import (
    E,
    Rational,
    erf,
    exp,
    expand,
    hermite_prob,
    log,
    pi,
    sign,
    simplify,
    sin,
    sqrt,
    tanh,
)
from texts import REFUSED

from derive.catalogue import CATALOGUE
from derive.errors import InputError
from derive.grammar import parse_activation, parse_number, parse_transform
from derive.softplus import Softplus
from derive.symbols import z


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("x", z),
        ("x**3/6 + erf(x)/2", z**3 / 6 + erf(z) / 2),
        ("He3 + 0.1*He5", hermite_prob(3, z) + Rational(1, 10) * hermite_prob(5, z)),
        ("-x^2", -(z**2)),
        ("2 - 3*x - x", 2 - 4 * z),
        ("(x+1)*(x-1)", z**2 - 1),
        ("x/4*2", z / 2),
        ("exp(-x**2/3 + x)", exp(-(z**2) / 3 + z)),
        (" erf ( 2 * x ) ", erf(2 * z)),
        (".5*x", z / 2),
        ("1e-3*x + 2E2", z / 1000 + 200),
        ("x/2**0.5", z / sqrt(2)),
        ("He4/sqrt(24)", hermite_prob(4, z) / sqrt(24)),
        ("x*sqrt(9/4)", 3 * z / 2),
        ("exp(-relu(-x))", Rational(1, 2) * (1 + exp(z)) + sign(z) * (1 - exp(z)) / 2),
        ("exp(-abs)", (exp(z) + exp(-z)) / 2 - sign(z) * (exp(z) - exp(-z)) / 2),
        ("identity", z),
        ("erf(x/sqrt(2))", erf(z / sqrt(2))),
        ("x/(1 + x**2)", z / (1 + z**2)),
        ("(1 + x**2)**-1", 1 / (1 + z**2)),
        ("sqrt(1 + x**2) - 1", sqrt(1 + z**2) - 1),
        ("pi*x/e + π", pi * z / E + pi),
        ("He(3)", hermite_prob(3, z)),
        ("He3(2*x + 1)", hermite_prob(3, 2 * z + 1)),
        ("log1p(x**2)", log(1 + z**2)),
        ("sinh + cosh", exp(z)),
        ("x**(1 + 1)", z**2),
        ("swish(x, 2)", z * (1 + tanh(z)) / 2),
        ("softplus(x, 3)", Softplus(3 * z) / 3),
        ("erf(0*x) + tanh(sin)", tanh(sin(z))),
        ("1/cosh(x)", 2 / (exp(z) + exp(-z))),
    ],
)
def test_meaning(text, meaning):
    assert simplify(expand(parse_activation(text).expression - meaning)) == 0


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("relu(2*x) + relu(-2*x)", "2*abs"),
        ("relu(x) - relu(-x)", "x"),
        ("leaky_relu(x, 0)", "relu"),
        ("leaky_relu(x, 1)", "x"),
        ("relu**2", "squared_relu"),
        ("abs*abs", "x^2"),
        ("relu(relu)", "relu"),
        ("relu(abs - x)", "2*relu(-x)"),
        ("erf(abs)*abs", "erf*x"),
        ("leaky_relu(leaky_relu(x, 1/2), 1/2)", "leaky_relu(x, 1/4)"),
        ("exp(relu)*exp(-relu(-x))", "exp"),
        ("silu", "x*sigmoid"),
        ("2*gelu - x", "x*erf(x) + 2*gelu - x - x*erf(x)"),
        ("elu", "relu(x) + exp(-relu(-x)) - 1"),
        ("elu", "where(x < 0, exp(x) - 1, x)"),
        ("hardtanh", "clip(x, -1, 1)"),
        ("hardtanh", "relu(x + 1) - relu(x - 1) - 1"),
        ("relu6", "min(max(x, 0), 6)"),
        ("hardswish", "x*relu6(x + 3)/6"),
        ("hardsigmoid", "relu6(x + 3)/6"),
        ("softshrink", "relu(x - 1/2) - relu(-x - 1/2)"),
        ("triangular", "relu(1 - abs(x))"),
        ("huber", "where(abs(x) < 1, x**2/2, abs(x) - 1/2)"),
        ("abs(abs(x) - 1)", "max(abs(x) - 1, 1 - abs(x))"),
        ("softsign", "x/(1 + abs(x))"),
        ("prelu(x, 0.1)", "leaky_relu(x, 0.1)"),
        ("tanhshrink", "x - tanh(x)"),
        ("relu(exp(x) - 2)", "where(x < log(2), 0, exp(x) - 2)"),
        ("where(relu > 0, x, 0)", "relu"),  # on a whole stretch both sides are equal
        ("where(relu >= 0, x, 0)", "x"),
        ("where(0 < relu, x, 0)", "relu"),
        ("where(relu <= 0, x, 0)", "-relu(-x)"),
        ("max(x/(1 + sqrt(2)), (sqrt(2) - 1)*x)", "(sqrt(2) - 1)*x"),  # equal, once simplified
        ("where(relu/(1 + sqrt(2)) <= (sqrt(2) - 1)*relu, x, 2*x)", "x"),
        ("clip(x**2, 0, 1)", "min(x**2, 1)"),
        ("min(x, tanh(x))", "tanh(relu(x)) - relu(-x)"),
        ("GELU + ReLU6(x) + LeakyReLU + LogSigmoid", "gelu + relu6 + leaky_relu - softplus(-x)"),
        ("celu(x, 2)", "relu(x) - relu(-(2*exp(x/2) - 2))"),
        ("relu(softplus(x) + 1)", "softplus(x) + 1"),
        ("relu + -1*erf", "relu - erf"),
        ("-x - -2*x**2 + -3", "2*x**2 - x - 3"),
        ("3*-(x + 1)/-2 - 2*-x**2", "3*(x + 1)/2 + 2*x**2"),
    ],
)
def test_identities_between_texts(left, right):
    difference = parse_activation(left).value - parse_activation(right).value
    assert all(simplify(piece) == 0 for piece in difference.pieces)


@pytest.mark.parametrize(
    ("text", "value"), [("sin(3x)", "x"), ("2 x", "x"), ("2x", "x"), ("x(3)", "(")]
)
def test_a_missing_operator_is_named(text, value):
    with pytest.raises(InputError, match=re.escape(f"such as *, is missing before {value!r}")):
        parse_activation(text)


@pytest.mark.parametrize(
    "text",
    REFUSED,
)
def test_everything_else_is_one_clear_line_in_no_time(text):
    start = time.process_time()
    with pytest.raises(InputError, match="not accepted") as refusal:
        parse_activation(text)
    assert time.process_time() - start < 1
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) <= 280


@pytest.mark.parametrize(
    ("name", "parameter"),
    [("huber", "delta"), ("softshrink", "lambda"), ("celu", "alpha"), ("softplus", "beta")],
)
def test_sizes_and_slopes_of_the_catalogue_are_positive(name, parameter):
    """Of huber(x, 0) there would be nothing left, and celu(x, -1) would be another function."""
    for value in ("0", "-1"):
        with pytest.raises(InputError, match=f"{parameter} = {value} is not accepted: give a pos"):
            parse_activation(f"{name}(x, {value})")
    for ends in ("1 to 1", "1 to -1"):
        with pytest.raises(InputError, match=f"hardtanh from {ends} is not accepted: give the low"):
            parse_activation(f"hardtanh(x, {ends.replace(' to', ',')})")


def _sum(count):
    return "(" + "+".join(["x"] * count) + ")"


LIMITS = {
    "characters": (500, lambda n: "x".ljust(n)),
    "nesting": (20, lambda n: "(" * (n - 1) + "x" + ")" * (n - 1)),
    "power": (60, lambda n: f"x**{n}"),
    "power of a number": (60, lambda n: f"x*2**{n}"),
    "degree": (60, lambda n: f"x**{n - 30}*x**30"),
    "degree of a Hermite polynomial": (60, lambda n: f"He{n}"),
    "degree that is given": (10**9, lambda n: n),
    "terms": (500, lambda n: f"{_sum(20)}*{_sum(n // 20)}" + "+x" * (n % 20)),
    # 2^3960 has 3961 bits, those of a factor are added to them.
    "bits": (4000, lambda n: "2**60*" * 66 + f"2**{n - 3961 - 1}"),
    # n terms squared are n(n+1)/2, in He2 one degree more is multiplied out.
    "terms of a power": (31, lambda n: f"{_sum(n)}**2"),
    "terms in a Hermite polynomial": (30, lambda n: f"He2{_sum(n)}"),
    "bits of a power": (65, lambda n: f"x*{2 ** (n - 1)}**60"),
    "bits of a root": (33, lambda n: f"({2 ** (n - 1)} + x**2)**(119/2)"),
    "bits of a root of a number": (33, lambda n: f"x*{2 ** (n - 1) + 1}**(119/2)"),
    "digits": (30, lambda n: "1" * n + "*x"),
    "decimals": (40, lambda n: "0." + "1" * n + "*x"),
    "decimals of what has no other digits": (40, lambda n: "." + "1" * n + "*x"),
    "digits of an exponent": (9, lambda n: "1e" + "2".zfill(n) + "*x"),
}


@pytest.mark.parametrize("name", LIMITS)
def test_limits_are_where_they_are_said_to_be(name):
    """Below and at the limit all is well; one above it is refused."""
    limit, text = LIMITS[name]
    for inside in (limit - 1, limit):
        parse_activation(text(inside))
    with pytest.raises(InputError, match="not accepted"):
        parse_activation(text(limit + 1))


@pytest.mark.parametrize("text", ["2**(1/3)*x", "exp(x)**(1/3)", "x*4**(5/3)", "2**-(1/4)*x"])
def test_roots_are_square_roots(text):
    """Of numbers too; the same with a half is accepted, or grows too fast."""
    with pytest.raises(InputError, match="multiples of 1/2"):
        parse_activation(text)
    parse_activation(re.sub(r"\(\d/\d\)", "(3/2)", text.replace("exp(x)", "(2 + sin(x))")))


def test_a_megabyte_is_refused_at_once():
    start = time.process_time()
    with pytest.raises(InputError, match="at most"):
        parse_activation("x+" * 500_000)
    assert time.process_time() - start < 0.1


@pytest.mark.parametrize(
    ("text", "meant"),
    [("softpuls(x)", "softplus"), ("clamp(x, 0, 1)", "clip"), ("ln(1 + x**2)", "log"),
     ("erfc(x)", "1 - erf(x)"), ("tahn", "tanh")],
)  # fmt: skip
def test_a_name_that_means_the_same_is_offered(text, meant):
    with pytest.raises(InputError, match=re.escape(f"did you mean {meant!r}")):
        parse_activation(text)


@pytest.mark.parametrize("name", ["tan", "asin", "softmax", "glu", "asinh"])
def test_no_other_function_is_offered(name):
    with pytest.raises(InputError, match="is not known;"):
        parse_activation(f"{name}(x)")


@pytest.mark.parametrize(
    ("text", "breaks"),
    [("relu(x - 1)", (1,)), ("hardtanh(3*x)", (-Rational(1, 3), Rational(1, 3))), ("relu6", (0, 6)),
     ("abs(x**2 - 2)", (-sqrt(2), sqrt(2))), ("relu(tanh(x) - 1/2)", (log(3) / 2,)),
     ("abs(relu(x) - 1)", (0, 1)), ("relu(1 + x**2)", ()), ("abs(x)**2", ()),
     ("relu(sigmoid(x))", ()), ("relu(x**3 - x)", (-1, 0, 1))],
)  # fmt: skip
def test_functions_break_where_their_arguments_do(text, breaks):
    found = parse_activation(text).value.breaks
    assert len(found) == len(breaks)
    assert all(ours.equals(theirs) for ours, theirs in zip(found, breaks, strict=True))


@pytest.mark.parametrize("text", ["where(x < 0, exp(x), x)", "where(x > 1, 1, 0)"])
def test_a_jump_is_refused_with_its_reason(text):
    with pytest.raises(InputError, match=r"jumps at [01]: .* not square integrable"):
        parse_activation(text)


@pytest.mark.parametrize("rest", [")", ") + 1", ", 2", ",x)", "< 3", ">= He3"])
def test_the_first_token_that_is_one_too_many_is_named(rest):
    first = re.match(r"\W+?(?=[^<>=]|$)|[<>]=?", rest)[0].strip()
    with pytest.raises(InputError, match=re.escape(f": {first!r} is one too many;")):
        parse_activation(f"x {rest}")


@pytest.mark.parametrize(
    ("text", "missing", "found"),
    [("(x, 2)", ")", "','"), ("tanh(x < 1) + 2", ")", "'<'"), ("(x", ")", "the end"),
     ("where(x < 1, 2) + x", ",", "')'"), ("max(x, 2", ")", "the end")],
)  # fmt: skip
def test_what_is_missing_is_named_before_what_stands_there(text, missing, found):
    with pytest.raises(InputError, match=re.escape(f": {missing!r} is missing before {found};")):
        parse_activation(text)


def test_what_is_meant_is_said():
    with pytest.raises(InputError, match=re.escape("write abs(x) for |x|")):
        parse_activation("|x|")


@pytest.mark.parametrize(
    "text",
    ["(((((2**60)**60)**60)**60)**60)**60", "((9999999999**60)**60)*x", "1e999999999*x",
     "1e-999999999*x", "(x/9999999999)**60*((1/3)**60)**60",
     "2*" * 200 + "(2**60)**60*((2**60)**60)"],
)  # fmt: skip
def test_numbers_are_bounded_before_they_are_formed(text):
    start = time.process_time()
    with pytest.raises(InputError, match="more than 1200 digits"):
        parse_activation(text)
    assert time.process_time() - start < 1


def test_the_bound_on_numbers_is_at_its_place():
    """A digit counts as 4 bits, of which 4000 are the most."""
    assert parse_activation("1e1000*x").polynomial is not None
    with pytest.raises(InputError, match="digits"):
        parse_activation("1e1001*x")
    assert parse_activation(f"{2**99}*{2**99}*x").polynomial is not None


words = st.sampled_from(
    [*CATALOGUE, "x", "He2", "+", "-", "*", "/", "**", "(", ")", ",", "2", "0.5", "3", "max(",
     "min(", "where(", "<", ">", "clip(", "sqrt(", "log(", "pi", "1/", "abs(", "relu(",
     "x - 1", "tanh("]
)  # fmt: skip


@given(st.lists(words, max_size=10).map(" ".join) | st.text(string.printable, max_size=40))
@settings(max_examples=500)
def test_fuzz(text):
    """Whatever the text: an activation or an InputError, nothing run, nothing slow."""
    ran = []
    before = builtins.eval, builtins.exec, os.system
    builtins.eval = builtins.exec = os.system = ran.append
    start, message = time.process_time(), ""
    try:
        parse_activation(text)
    except InputError as refusal:
        message = str(refusal)
    finally:
        builtins.eval, builtins.exec, os.system = before
    assert not ran
    assert "\n" not in message
    assert time.process_time() - start < 1


@pytest.mark.parametrize(
    ("text", "reason"),
    [("tanh({})+(", "'the end' stands where a number or a function should"),
     ("{} {}", "an operator, such as *, is missing before '{}'"),
     ("reul({})", "'reul' is not known, did you mean 'relu'?")],
)  # fmt: skip
def test_labels_and_numbers_that_are_refused_say_why(text, reason):
    with pytest.raises(
        InputError, match=re.escape(f" are not accepted: {reason.format('y')}; give")
    ):
        parse_transform(text.format("y", "y"))
    with pytest.raises(InputError, match=re.escape(f" is not accepted: {reason.format('2')}")):
        parse_number(text.format("2", "2"))


def test_transforms():
    assert parse_transform("matched").smooth == z
    assert parse_transform("squared").smooth == z**2
    assert parse_transform("y**3 - y/2").smooth == z**3 - z / 2
    assert parse_transform("tanh(y)").smooth == tanh(z)
    assert parse_transform("relu(y - 1)").breaks == (1,)
    for text in ("x**2", "3", "erf(x)", "0*y", "cubed", ""):
        with pytest.raises(InputError, match="accepted"):
            parse_transform(text)


@pytest.mark.parametrize("text", ["sqrt(0)", "0**0.5", "sqrt(1/4 - 0.25)"])
def test_the_root_of_zero_is_zero(text):
    assert parse_activation(f"x + {text}").expression == z


@pytest.mark.parametrize(
    ("text", "told"),
    [("tanh(x, 1)", "tanh has at most 1 argument;"), ("max(x, 1, 2)", "at most 2 arguments;"),
     ("He3(x, 1)", "He3 has at most 1 argument;"), ("clip(x, 0, 1, 2)", "at most 3 arguments;"),
     ("max(x)", "max has 2 arguments, as in max(x, 0)")],
)  # fmt: skip
def test_how_many_arguments_there_are_is_told(text, told):
    with pytest.raises(InputError, match=re.escape(told)):
        parse_activation(text)


def test_a_leak_is_a_number():
    for leak in ("x", "relu"):
        with pytest.raises(InputError, match="the leak of leaky_relu is a number"):
            parse_activation(f"leaky_relu(x, {leak})")
    assert (
        parse_activation("leaky_relu(x, sqrt(1/4))").value
        == parse_activation("leaky_relu(x, 0.5)").value
    )


@pytest.mark.parametrize("degree", [1, 3, 12])
@pytest.mark.parametrize("name", ["h{}", "H{}", "he{}", "he_{}", "hermite{}", "Hermite_{}"])
def test_another_spelling_of_a_hermite_polynomial_is_offered_the_right_one(name, degree):
    text = name.format(degree)
    with pytest.raises(InputError, match=f"did you mean 'He{degree}'"):
        parse_activation(text)


@pytest.mark.parametrize("given", [True, False, 0, -1, None, 2.5])
def test_a_degree_is_an_integer_from_one_on(given):
    with pytest.raises(InputError, match="not accepted: give"):
        parse_activation(given)
    assert parse_activation(1).value == parse_activation("x").value
