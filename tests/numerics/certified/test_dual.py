"""Dual activations: published closed forms, laws of the correlation, another quadrature."""

import mpmath
import numpy as np
import pytest
from flint import arb, ctx
from functions import FUNCTIONS, Dual
from sympy import Rational, asin, exp, pi, sqrt

from derive.errors import InputError, Undecided
from derive.symbols import rho
from numerics import dual_activation, expectation, hermite_expansion
from numerics.certified.quadrature import Rule

GRID = [Rational(k, 4) for k in range(-4, 5)]
AREA = asin(rho)
# Written from their derivations: the kernels of infinitely wide networks, unit variances. Arccosine
# kernels of order 0 and 1 (Cho and Saul 2009), arcsine (Williams 1997), the others by generating
# functions, E exp(ax + by) = exp((a² + b² + 2abρ)/2), and by Price's theorem.
PUBLISHED = {
    "relu": (sqrt(1 - rho**2) + rho * (pi / 2 + AREA)) / (2 * pi),
    "abs": 2 * (sqrt(1 - rho**2) + rho * AREA) / pi,
    "leaky_relu(x, 1/5)": rho / 5
    + Rational(16, 25) * (sqrt(1 - rho**2) + rho * (pi / 2 + AREA)) / (2 * pi),
    "erf": 2 * asin(2 * rho / 3) / pi,
    "gelu": rho / 4 + (rho * asin(rho / 2) + 1 / sqrt(4 - rho**2)) / (2 * pi),
    "sin": exp(-1) * (exp(rho) - exp(-rho)) / 2,
    "cos": exp(-1) * (exp(rho) + exp(-rho)) / 2,
    "exp": exp(1 + rho),
    "x**2": 1 + 2 * rho**2,
    "x**3": 9 * rho + 6 * rho**3,
    "x**4": 9 + 72 * rho**2 + 24 * rho**4,
    "sqrt(2)*sin(sqrt(2)*x + pi/4)": exp(2 * rho - 2),  # RBF of γ = 1
    "exp(-x**2)*sin(x)": (  # Gabor
        exp((rho - 1) / (3 - 2 * rho)) - exp(-(rho + 1) / (3 + 2 * rho))
    )
    / (2 * sqrt(9 - 4 * rho**2)),
}


@pytest.mark.parametrize("text", PUBLISHED)
@pytest.mark.parametrize("derivative", [0, 1])
def test_published_kernels(text, derivative):
    """Inside, and at the ends, where the Gaussians are one."""
    found = dual_activation(text, rho=GRID, derivative=derivative, digits=20)
    assert found.expression is not None
    known = PUBLISHED[text].diff(rho, derivative)
    for point in found.points:
        if abs(point.rho) < 1:
            _contains(point.value, known.subs(rho, point.rho))
        else:
            near = known.subs(rho, point.rho * (1 - Rational(1, 10**16))).evalf(40)
            assert float(point.value) == pytest.approx(float(near), abs=1e-7)


def test_the_arccosine_kernel_of_order_zero_is_the_slope_of_the_first():
    """That of two steps, 1/2 - arccos(ρ)/(2π), is also what ReLU's derivative gives."""
    found = dual_activation("relu", rho=GRID, derivative=1, digits=20)
    for point in found.points:
        _contains(point.value, Rational(1, 4) + asin(point.rho) / (2 * pi))


def _contains(found, exact):
    with ctx.workprec(300):
        here = arb(str(exact.evalf(60, chop=True)))
        assert abs(here - arb(found.mid)) <= arb(found.radius) + arb(10) ** -50


X = np.linspace(-7, 7, 701)
Y = X[:, None]
WEIGHT = np.exp(-(X**2 + Y**2) / 2) / (2 * np.pi) * (X[1] - X[0]) ** 2


@pytest.mark.parametrize(
    ("left", "right", "tolerance"),
    [("tanh", "tanh", 1e-9), ("silu", "mish", 1e-9), ("softplus", "erf", 1e-9),
     ("hardtanh", "softsign", 1e-4), ("elu", "relu6", 1e-4)],
)  # fmt: skip
def test_values_are_those_of_a_rule_over_the_plane(left, right, tolerance):
    """The trapezoidal one, in doubles, by numpy's and scipy's functions."""
    grid = [-0.96875, -0.5, 0.25, 0.984375]
    found = dual_activation(left, right, grid, variance=2, variance2="1/2", digits=12)
    f, g = (FUNCTIONS[name] for name in (left, right))
    one = f(Dual(np.sqrt(2) * X, np.ones_like(X))).value
    for c, point in zip(grid, found.points, strict=True):
        other = np.sqrt(0.5) * (c * X + np.sqrt(1 - c * c) * Y)
        known = np.sum(WEIGHT * one * g(Dual(other, np.ones_like(other))).value)
        assert float(point.value) == pytest.approx(known, abs=tolerance)


def _clipped_means(correlation):
    """E relu(x-1) relu(y-1), P(x > 1, y > 1) and the density at (1, 1), by mpmath."""
    c, s = mpmath.mpf(correlation), mpmath.sqrt(1 - mpmath.mpf(correlation) ** 2)
    cut = [1, 1 + s, 2, 3, 5, 9]

    def inner(x):
        m = c * x - 1
        return (x - 1) * (m * mpmath.ncdf(m / s) + s * mpmath.npdf(m / s)) * mpmath.npdf(x)

    both = mpmath.quad(lambda x: mpmath.ncdf((c * x - 1) / s) * mpmath.npdf(x), cut)
    return mpmath.quad(inner, cut), both, mpmath.exp(-1 / (1 + c)) / (2 * mpmath.pi * s)


@pytest.mark.parametrize("correlation", [0.25, 0.9375, 0.998046875])
def test_kinks_near_one_are_integrated_over_the_plane(correlation):
    """Both ways give what conditional means give; the second derivative holds two δ."""
    for order, known in enumerate(_clipped_means(correlation)):
        (point,) = dual_activation("relu(x - 1)", rho=correlation, derivative=order).points
        assert float(point.value) == pytest.approx(float(known), rel=1e-11)
        assert float(point.value.radius) < 1e-13
        assert point.route == ("series of order 64" if correlation < 0.5 else "plane")


# Laws.


@pytest.mark.parametrize(("left", "right"), [("tanh", "silu"), ("softsign", "relu(x - 1)")])
def test_symmetry_independence_and_coincidence(left, right):
    how = {"variance": "1/3", "variance2": 2, "digits": 12}
    here = dual_activation(left, right, [-0.75, 0, 0.5, 1], **how)
    there = dual_activation(right, left, [-0.75, 0, 0.5, 1], variance=2, variance2="1/3", digits=12)
    for one, two in zip(here.points, there.points, strict=True):
        assert one.value.ball().overlaps(two.value.ball())
    alone = [expectation(left, variance="1/3"), expectation(right, variance=2)]
    assert here.points[1].value.ball().overlaps(alone[0].value.ball() * alone[1].value.ball())
    scaled = expectation(f"{left.replace('x', '(x*sqrt(1/3))')}*{right}" if "x" in left
                         else f"{left}(x*sqrt(1/3))*{_scaled(right)}")  # fmt: skip
    assert here.points[3].value.ball().overlaps(scaled.value.ball())


def _scaled(text):
    return text.replace("x", "(x*sqrt(2))") if "x" in text[4:] else f"{text}(x*sqrt(2))"


def test_the_slope_is_the_dual_activation_of_the_slopes():
    """∂ E f g = √(q₁q₂) E f' g', by Mehler: softplus' is the sigmoid, that of huber the clip."""
    for above, below in (("softplus", "sigmoid"), ("huber", "hardtanh")):
        how = {"rho": [-1, -0.5, 0.96875, 1], "variance": 3, "digits": 12}
        slopes = dual_activation(above, derivative=1, **how).points
        for one, two in zip(slopes, dual_activation(below, **how).points, strict=True):
            assert one.value.ball().overlaps(3 * two.value.ball())


def test_at_minus_one_the_second_gaussian_is_the_first_reflected():
    (point,) = dual_activation("sigmoid", "silu", -1, digits=12).points
    known = expectation("sigmoid*silu(-x)", digits=12)
    assert point.value.ball().overlaps(known.value.ball())


def test_variances_of_a_closed_form_multiply_its_slopes():
    """ReLU is homogeneous: K and all K^(m) carry √(q₁q₂)."""
    for order in range(3):
        unit, scaled = (
            dual_activation("relu", rho=0.5, variance=q, derivative=order).points[0].value.ball()
            for q in (1, 4)
        )
        assert scaled.overlaps(4 * unit)


def test_a_variance_scales_the_argument():
    there = dual_activation("tanh", rho=[-0.5, 0.9, 1], variance=4)
    scaled = dual_activation("tanh(2*x)", rho=[-0.5, 0.9, 1])
    for one, two in zip(there.points, scaled.points, strict=True):
        assert one.value.ball().overlaps(two.value.ball())


def test_the_norm_at_one_is_what_coefficients_and_truncation_add_up_to():
    found = hermite_expansion("mish", 6, convention="orthonormal", digits=15)
    total = sum((c.ball() ** 2 for c in found.coefficients), found.truncation.ball())
    assert dual_activation("mish").points[0].value.ball().overlaps(total)


def test_a_series_with_one_finite_factor_needs_no_tail():
    """E relu(x-1) y = ρ (1-Φ(1)), at every ρ."""
    slope = expectation("where(x < 1, 0, 1)", digits=20).value.ball()
    for point in dual_activation("relu(x - 1)", "x", [-0.5, 0.99609375, 1], digits=15).points:
        c = int(point.rho.p) / arb(int(point.rho.q))
        assert point.value.ball().overlaps(c * slope)


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"rho": 1.01}, "-1 ≤ ρ ≤ 1"),
        ({"rho": "-1:2:3"}, "leaves the range"),
        ({"rho": "1/2"}, "not accepted"),
        ({"rho": float("nan")}, "not accepted"),
        ({"variance": 0}, "positive"),
        ({"variance2": "-1/2"}, "positive"),
        ({"derivative": -1}, "derivative"),
        ({"digits": 0}, "digits"),
        ({"left": "step(x)"}, "jumps"),
        ({"left": "exp(0.2*x**2)*tanh", "variance": 2}, "grows too fast"),
        ({"left": "exp(0.2*x**2)", "variance": 2}, "grows too fast"),
        ({"left": "hardtanh", "derivative": 2}, "not known to be finite"),
    ],
    ids=str,
)
def test_what_is_not_accepted_is_one_line(how, said):
    given = {"left": "tanh", "rho": 1} | how
    with pytest.raises(InputError, match=said) as refused:
        dual_activation(**given)
    assert "\n" not in str(refused.value)


def test_what_is_infinite_or_open_says_so():
    relu = dual_activation("relu", rho=[-1, 0.5, 1], derivative=2)
    assert [point.value is None for point in relu.points] == [True, False, True]
    with pytest.raises(Undecided, match="lower order"):
        dual_activation("hardtanh", rho=0.999, derivative=3)


@pytest.mark.parametrize("correlation", [0.25, -0.875, 0.984375])
def test_the_envelope_of_rules_over_the_plane_holds_the_kernel(correlation, monkeypatch):
    """exp(-x²/2 - (y-ρx)²/(2(1-ρ²))) at complex x and real y; with as much in y beside it."""
    asked = []

    def recorded(f, envelope, bits):
        asked.append(envelope)
        return Rule((), (), arb(1))

    monkeypatch.setattr("numerics.certified.dual.rule_for", recorded)
    monkeypatch.setattr("numerics.certified.dual._ORDERS", (4,))
    dual_activation("sigmoid", "tanh", rho=correlation)
    x, y = np.meshgrid(np.linspace(-6, 6, 49), np.linspace(-6, 6, 49))
    assert len(asked) == 2
    for envelope in asked:
        decay, growth = (float(arb(part)) for part in (envelope.decay, envelope.growth))
        for height in (0.0, 0.3, 1.0, 4.0):
            at = x + 1j * height
            size = (-(at**2) / 2 - (y - correlation * at) ** 2 / (2 - 2 * correlation**2)).real
            assert np.all(size <= -decay * (x**2 + y**2) + growth * height**2 + 1e-9)


@pytest.mark.parametrize(
    ("text", "least"),
    [("relu", 2), ("relu + relu**3", 2), ("relu + sin", 2), ("squared_relu + x", 3)],
)
def test_slopes_are_infinite_at_the_end_from_the_order_of_a_kink_on(text, least):
    """Σ k!/(k-m)! d_k² is finite for small m alone, also where a closed form is ∞ - ∞."""
    for order in range(5):
        inside, end = dual_activation(text, rho=[0.5, 1], derivative=order, digits=8).points
        assert inside.value.ball() > 0
        assert (end.value is None) == (order >= least)


def test_the_errors_of_rules_over_the_plane_bound_what_they_miss(monkeypatch):
    """A rule without a node misses ∫ σ(x) exp(-dx²): half the mass, as σ(x) + σ(-x) = 1."""

    def nothing(f, envelope, bits):
        return Rule((), (), (arb.pi() / envelope.decay).sqrt() / 2)

    (known,) = dual_activation("sigmoid", rho=0.25).points
    monkeypatch.setattr("numerics.certified.dual.rule_for", nothing)
    monkeypatch.setattr("numerics.certified.dual._ORDERS", (4,))
    (found,) = dual_activation("sigmoid", rho=0.25).points
    assert known.route != found.route == "plane"
    assert found.value.ball().contains(known.value.ball())
    assert found.value.ball().rad() < 0.4


@pytest.mark.parametrize("correlation", ["-1", "-0.6", "0", "0.3", "1"])
def test_an_exponential_and_a_wave_have_the_kernel_of_complex_exponentials(correlation):
    """E e^(x/2) e^(3iy) = e^(1/8 - 9/2 + 3iρ/2): its parts are the means with cos and sin."""
    mean = mpmath.exp(mpmath.mpc(-4.375, 1.5 * float(correlation)))
    for wave, known in (("cos(3*x)", mean.real), ("sin(3*x)", mean.imag)):
        (found,) = dual_activation("exp(x/2)", wave, correlation).points
        assert found.route == "closed form"
        assert float(found.value.mid) == pytest.approx(float(known), rel=1e-13, abs=1e-16)


@pytest.mark.parametrize("null", ["0*x", "(gelu - gelu)*sqrt(1 + x**2)", "relu(-exp(x))"])
def test_nothing_correlates_with_a_null_function(null):
    for one, two in ((null, "tanh*softplus"), ("tanh*softplus", null), (null, null)):
        found = dual_activation(one, two, [-1, "0.4", 1])
        assert found.expression == 0
        assert [point.value.mid for point in found.points] == ["0"] * 3
