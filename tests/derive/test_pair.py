"""Drift coefficients of any pair: closed forms, the frozen risk, quadrature, special models."""

import mpmath
import pytest
from sympy import (
    I,
    Integer,
    N,
    Poly,
    Rational,
    diff,
    factorial,
    lambdify,
    pi,
    simplify,
    sqrt,
    symbols,
)
from thorough import only

from derive.activation import Activation
from derive.angle import Angle
from derive.catalogue import CATALOGUE
from derive.drift import ClosedDrift, Drift, MeanDrift
from derive.errors import InputError
from derive.gaussian import NoClosedForm
from derive.grammar import parse_activation, parse_transform
from derive.pair import LOSSES, MISALIGNMENTS, Pair
from derive.pair_drift import closed_drift, drift_of, mean_drift
from derive.piecewise import analytic
from derive.polynomial_drift import hermite_drift
from derive.risk import frozen_risk
from derive.symbols import mu, z

OUTSIDE = ("sigmoid", "tanh", "silu", "softplus", "gelu_tanh", "logsigmoid", "tanhshrink", "atan",
           "softsign", "swish", "mish", "symlog", "squareplus")  # fmt: skip
CLOSED = [name for name in CATALOGUE if name not in OUTSIDE]
SQUARED = parse_transform("squared")


def matched(text, **options):
    activation = parse_activation(text)
    return Pair(activation, activation, **options)


def expressions(drift):
    return [f.as_expr() if isinstance(f, Poly) else f for f in (drift.a, drift.b)]


def test_relu_and_erf_as_in_the_literature():
    relu = drift_of(matched("relu"))
    assert simplify(relu.a - (1 - mu) / 2) == 0
    assert relu.b == Rational(-1, 2)
    erf = drift_of(matched("erf"))
    a = 4 / pi / (1 + 2 * mu**2) * (1 / sqrt(3 + 2 * mu**2) - mu / sqrt(1 + 4 * mu**2))
    assert (erf.a - a).expand().equals(0)
    assert (erf.b - (-2 * mu * a - 4 / pi / sqrt(1 + 4 * mu**2))).expand().equals(0)


TRANSFORMS = ("matched", "squared", "y**3 - y")
ALL = [(name, transform) for name in CLOSED for transform in TRANSFORMS]


@pytest.mark.parametrize(("name", "transform"), only(ALL[::4], ALL))
def test_a_is_minus_the_slope_of_the_frozen_risk(name, transform):
    """a(μ) = -ℓ'(μ), derived independently: the risk is a mean that a never saw."""
    pair = matched(name, labels=parse_transform(transform))
    try:
        risk = frozen_risk(pair)
    except NoClosedForm:
        pytest.skip("the risk itself has no closed form")
    a, _ = expressions(drift_of(pair))
    for strength in (Rational(1, 7), Rational(5, 8)):
        assert abs(N((diff(risk, mu) + a).subs(mu, strength), 30)) < 1e-22


def _branches(activation):
    """The function and its slopes with where they break, up to the first that holds a δ."""
    value = activation.value
    for _ in range(3):
        pieces = [lambdify(z, piece, "mpmath") for piece in value.pieces]
        cuts = [mpmath.mpf(str(N(point, 40))) for point in value.breaks]
        deltas = [mpmath.mpf(str(N(weight, 40))) for weight in value.deltas]
        yield (lambda x, p=pieces, c=cuts: p[sum(x > cut for cut in c)](x)), cuts, deltas
        if not any(deltas):
            value = value.derivative()


def _by_quadrature(pair, strength):
    """a and b from their definition: E[(y - σ)zσ'] and E[(y - σ)σ''] - Eσ'², with the δ of σ''."""
    (phi, theirs, _), *_ = _branches(pair.teacher)
    transform = lambdify(z, pair.labels.polynomial.as_expr(), "mpmath")
    (s, ours, _), (s1, _, _), (s2, places, deltas) = _branches(pair.student)
    m = mpmath.mpf(strength.p) / strength.q
    usual = [-22, -12, -8, -4, -2, -1, 0, 1, 2, 4, 8, 12, 22]
    points = sorted({*map(mpmath.mpf, usual), *theirs, *(cut / m for cut in ours)})

    def mean(f):
        return mpmath.quad(lambda x: f(x) * mpmath.npdf(x), points)

    def residual(x):
        return transform(phi(x)) - s(m * x)

    a = mean(lambda x: residual(x) * x * s1(m * x))
    b = mean(lambda x: residual(x) * s2(m * x) - s1(m * x) ** 2)
    kinks = zip(places, deltas, strict=True)
    return a, b + sum(w * residual(p / m) * mpmath.npdf(p / m) / m for p, w in kinks)


@pytest.mark.parametrize(
    ("teacher", "student", "transform"),
    [
        *only(
            [(name, name, "matched") for name in CLOSED[::4]],
            ((name, name, "matched") for name in CLOSED),
        ),
        ("erf", "erf", "squared"),
        pytest.param("gelu", "gelu", "squared", marks=pytest.mark.thorough),
        ("cos", "relu", "matched"),
        ("He3", "erf(2*x)", "matched"),
        ("abs", "sin", "y**2 - y"),
        ("relu", "gauss", "squared"),
        ("exp(x/2)", "relu + erf", "matched"),
        ("relu(x - 1)", "relu(x - 1/2)", "matched"),
        ("hardtanh", "triangular(x - 1)", "squared"),
        ("x**3", "elu(x - 1)", "matched"),
    ],
)
def test_closed_forms_agree_with_quadrature_to_25_digits(teacher, student, transform):
    pair = Pair(parse_activation(teacher), parse_activation(student), parse_transform(transform))
    drift = drift_of(pair)
    strength = Rational(5, 13)
    with mpmath.workdps(36):
        for ours, theirs in zip(expressions(drift), _by_quadrature(pair, strength), strict=True):
            value = mpmath.mpf(str(N(ours.subs(mu, strength), 40)))
            assert abs(value - theirs) < (1 + abs(value)) * mpmath.mpf(10) ** -25


@pytest.mark.parametrize("n", range(1, 7))
def test_polynomial_pairs_are_the_hermite_drift(n):
    he = parse_activation(f"He{n}")
    for labels in ("matched", "squared"):
        drift = drift_of(Pair(he, he, parse_transform(labels)))
        assert isinstance(drift, Drift)
        assert drift == hermite_drift(n, labels, "raw")


def test_normalised_hermite_students_have_irrational_coefficients():
    """He_2/√2 of the networks: the drift is quadratic in the student, so half that of He_2."""
    half = Activation("He2/sqrt(2)", analytic(parse_activation("He2").expression / sqrt(2)))
    raw = hermite_drift(2, "matched", "raw")
    for ours, whole in zip(expressions(drift_of(Pair(half, half))), (raw.a, raw.b), strict=True):
        assert simplify(2 * ours - whole.as_expr()) == 0


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("misalignment", MISALIGNMENTS)
@pytest.mark.parametrize(("teacher", "student", "labels"), [
    ("x", "x**5", "matched"), ("x**3 - x/2 + 1", "x**2 + x", "y**2 - y"),
    ("He4", "x**3", "squared"), ("x", "0", "matched"), ("3", "He2 - 1", "matched"),
])  # fmt: skip
def test_every_polynomial_drift_is_one(teacher, student, labels, misalignment, loss):
    """Heat flow on polynomials, held to the algebra of Gaussian means, whatever the model."""
    pair = Pair(
        parse_activation(teacher),
        parse_activation(student),
        parse_transform(labels),
        loss,
        MISALIGNMENTS[misalignment],
    )
    drift, closed = drift_of(pair), closed_drift(pair)
    assert isinstance(drift, Drift)
    assert drift.misalignment == pair.misalignment
    assert [f.as_expr() for f in (drift.a, drift.b)] == [closed.a.expand(), closed.b.expand()]


@pytest.mark.parametrize("pair", [("cos(x + 1)", "relu"), ("abs(x)", "sin(x + 1)*x")])
def test_waves_with_a_phase_that_meet_a_kink_have_real_closed_forms(pair):
    """Piece by piece: in one formula they would be sums of imaginary parts that cancel."""
    found, means = closed_drift(Pair(*pair)), mean_drift(Pair(*pair))
    for name in ("a", "b"):
        form = getattr(found, name)
        assert not form.has(I)
        integrand = getattr(means, name).at(1)
        assert abs(N(form.subs(mu, 1) - integrand.mean(), 30)) < 1e-25


@pytest.mark.parametrize("text", ["relu", "abs", "leaky_relu", "squared_relu", "3*relu - x/2"])
def test_kinks_may_have_polynomial_drifts(text):
    assert isinstance(drift_of(matched(text)), Drift)


def test_the_three_kinds_of_drift():
    assert isinstance(drift_of(matched("x**3")), Drift)
    assert isinstance(drift_of(matched("relu + sin")), ClosedDrift)
    assert isinstance(drift_of(matched("relu + tanh")), MeanDrift)


@pytest.mark.parametrize("teacher", ["cos", "abs", "gauss", "He4"])
def test_an_odd_student_never_sees_an_even_teacher(teacher):
    student = parse_activation("erf")
    drift = drift_of(Pair(parse_activation(teacher), student))
    other = drift_of(Pair(parse_activation("x**2"), student))
    assert [
        simplify(f - g) for f, g in zip(expressions(drift), expressions(other), strict=True)
    ] == [0, 0]


def test_correlation_loss_of_the_linear_pair_forgets_the_pre_training():
    assert expressions(drift_of(matched("x", loss="correlation"))) == [1, 0]
    erf = drift_of(matched("erf", loss="correlation"))
    assert simplify(erf.a - 4 / pi / (1 + 2 * mu**2) / sqrt(3 + 2 * mu**2)) == 0


@pytest.mark.parametrize("name", ["identity", "relu", "erf", "sin", "cos", "exp", "He2", "He3"])
def test_misalignment_zero_is_the_limit_of_small_misalignment(name):
    nu = symbols("nu", positive=True)
    tilted = drift_of(matched(name, misalignment=nu))
    main = expressions(drift_of(matched(name)))
    for ours, limit in zip(expressions(tilted), main, strict=True):
        point = {mu: Rational(2, 5), nu: Rational(1, 10**12)}
        assert abs(N(ours.subs(point) - limit.subs(mu, Rational(2, 5)), 30)) < 1e-10


@pytest.mark.parametrize("name", ["relu", "erf", "cos", "exp", "gauss"])
def test_misaligned_drift_is_the_derivative_of_the_risk_in_the_statistics(name):
    """a = -(2μ L_Q + L_ρ), b = -2 L_Q with L(Q, ρ) summed as a Hermite series, at Q = μ² + ν²."""
    q, r, nu = symbols("q r nu", positive=True)
    coefficient = CATALOGUE[name].coefficient
    student = [coefficient(Integer(k), q) for k in range(44)]  # ρ/√Q = 0.45: 0.45^44 < 1e-15
    correlation = sum(c.subs(q, 1) * c * r**k / factorial(k) for k, c in enumerate(student))
    power = Activation.named(name).value.gaussian().scaled(sqrt(q)) ** 2
    loss = power.mean() / 2 - correlation
    at = {q: Rational(5, 16), r: Rational(1, 4)}
    by_q, by_r = (N(diff(loss, v).subs(at), 25) for v in (q, r))
    activation = parse_activation(name)
    drift = drift_of(Pair(activation, activation, misalignment=nu))
    point = {mu: Rational(1, 4), nu: Rational(1, 2)}
    a, b = (N(f.subs(point), 25) for f in expressions(drift))
    assert abs(b + 2 * by_q) < 1e-12
    assert abs(a + by_q / 2 + by_r) < 1e-12


def test_the_spherical_linear_model_of_the_appendix():
    """λ₊ = ½(b + √(b² + 4(a² + ν²b²))): τ ≈ 5.854 at μ = 0.9 instead of 101."""
    nu = MISALIGNMENTS["spherical"]
    a, b = expressions(drift_of(matched("x", misalignment=nu)))
    tau = 2 / (b + sqrt(b**2 + 4 * (a**2 + nu**2 * b**2)))
    assert abs(N(tau.subs(mu, Rational(9, 10))) - 5.8541) < 1e-4


def test_arcsines_appear_where_they_should():
    assert drift_of(matched("gelu")).a.has(Angle)
    assert not drift_of(matched("gelu")).a.has(I)


def test_what_cannot_be_done_is_one_line():
    with pytest.raises(InputError, match="choose from"):
        Pair(Activation.named("relu"), Activation.named("relu"), loss="hinge")
    with pytest.raises(InputError, match="grows too fast"):
        drift_of(matched("exp(x**2/5)", labels=parse_transform("y**3")))


@pytest.mark.parametrize("degree", [2, 4, 5, 60])
def test_powers_of_kinked_labels_are_what_they_are_at_both_sides(degree):
    """In a time that does not double with each power."""
    one = parse_activation("relu + 1")
    label = Pair(one, one, parse_transform(f"y**{degree}")).label
    assert label.at(2) == 3**degree
    assert label.at(-2) == 1


def test_labels_of_too_many_terms_are_refused_before_they_are_formed():
    three = parse_activation("1 + x + exp(x)")
    assert Pair(three, three, parse_transform("y**30")).labels.degree == 30  # 496 terms
    with pytest.raises(InputError, match="have 1891 terms multiplied out"):
        Pair(three, three, parse_transform("y**60"))
    polynomial = parse_activation("1 + x + x**2")
    assert Pair(polynomial, three, parse_transform("y**60")).labels.degree == 60


def test_labels_have_at_most_five_hundred_terms():
    """A power of a sum of two has one term more than its degree: 500 are taken, 501 are not."""
    two = parse_activation("x + exp(x)")
    for degree in (498, 499):
        assert Pair(two, labels=Poly(z**degree, z)).labels.degree == degree
    with pytest.raises(InputError, match="have 501 terms multiplied out"):
        Pair(two, labels=Poly(z**500, z))


def test_a_degree_is_that_of_a_matched_hermite_pair():
    assert Pair("He3").degree == Pair(3).degree == 3
    for other in (Pair("relu", "He3"), Pair("He2", "He3"), Pair("He3", "x"), Pair("He3 + x")):
        assert other.degree is None


def test_one_difference_from_the_main_model_is_enough():
    assert Pair("He3").is_plain
    for other in (
        Pair("He3", "x"), Pair("He3", loss="correlation"), Pair("He3", misalignment="linear"),
    ):  # fmt: skip
        assert not other.is_plain


def test_misalignments_are_what_is_missing_of_the_teacher():
    """On a line from it to the other direction, or on the circle through both."""
    linear, spherical = (MISALIGNMENTS[name] for name in ("linear", "spherical"))
    assert (linear.subs(mu, 1), linear.subs(mu, 0), diff(linear, mu, 2)) == (0, 1, 0)
    assert simplify(spherical**2 + mu**2) == 1
    assert MISALIGNMENTS["none"] == 0
