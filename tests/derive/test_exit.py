"""The law of the exit time against the linear stochastic flow that it is the limit of."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import foldnorm
from sympy import Integer, Matrix, Rational, Symbol, exp, integrate, lambdify, limit, oo, simplify

from derive.errors import InputError
from derive.exit import ExitLaw, exit_law, exit_law_from, noise_integrand, sample_noise
from derive.gaussian import NoClosedForm
from derive.pair import Pair
from derive.symbols import mu, z

# Matrices of the search phase with rational eigenvalues, the last of misaligned pre-training.
PHASES = (
    (Matrix([[3, 2], [2, 0]]), 4),
    (Matrix([[-3, 2], [2, 0]]), 1),
    (Matrix([[-5, 4, 3], [4, 0, 0], [3, 0, 0]]) * Rational(1, 5), None),
)


@pytest.mark.parametrize(("phase", "rate"), PHASES[:2], ids=str)
def test_moments_are_those_of_the_linear_flow_with_noise(phase, rate):
    """By matrix exponentials: the limit of e^(-λt) C(t) e^(-λt), C the covariance at a time."""
    t, scale, noise = (Symbol(name, positive=True) for name in ("t", "scale", "noise"))
    grown = (phase * t).exp() * exp(-rate * t)
    onto = grown.applyfunc(lambda entry: limit(entry, t, oo))  # v vᵀ
    law = exit_law(Integer(rate), phase[0, 0], noise, scale)
    assert simplify(law.mean**2 - scale**2 * onto[0, 0]) == 0
    started = scale**2 * onto[1, 1]
    disturbed = noise * integrate(onto[0, 0] * exp(-2 * rate * t), (t, 0, oo))
    assert simplify(law.variance - started - disturbed) == 0


@pytest.mark.parametrize(
    ("couplings", "b", "rate"),
    [((2,), 3, 4), ((2,), -3, 1), ((4, 3), -Rational(15, 2), Rational(5, 2))],
)
def test_a_random_start_is_one_of_the_states_it_draws(couplings, b, rate):
    """Along u as given; over the other directions the means of states have the law's spread."""
    u, s, noise = (Symbol(name, positive=True) for name in ("u", "s", "noise"))
    law, still = (exit_law(rate, b, each, s, u) for each in (noise, 0))
    states = [
        [u, *(s if i == j else 0 for j in range(len(couplings)))] for i in range(len(couplings) + 1)
    ]
    ends = [exit_law_from(state, rate, b, noise, couplings) for state in states]
    assert simplify(ends[-1].mean - law.mean) == 0
    across = sum((end.mean - law.mean) ** 2 for end in ends)
    assert simplify(across - still.variance) == 0
    for end in ends:
        assert simplify(end.variance + still.variance - law.variance) == 0
        assert end.rate == law.rate == rate


def test_misaligned_directions_share_what_is_not_along_u():
    """The unstable vector of three order parameters, by NumPy."""
    phase = np.array([[-1.0, 0.8, 0.6], [0.8, 0, 0], [0.6, 0, 0]])
    rates, vectors = np.linalg.eigh(phase)
    law = exit_law(Rational(*float(rates[-1]).as_integer_ratio()), -1, 0)
    assert float(law.mean) == pytest.approx(abs(vectors[0, -1]), rel=1e-12)
    assert float(law.variance) == pytest.approx(vectors[1:, -1] @ vectors[1:, -1], rel=1e-12)


def test_the_share_is_that_of_a_folded_normal():
    x = Symbol("x", positive=True)
    law = ExitLaw(Integer(1), Rational(2, 3), Rational(5, 4))
    share = lambdify(x, law.searching(x), ["scipy", "numpy"])
    levels = np.array([0.0, 0.1, 1.0, 4.0])
    spread = 1.25**0.5
    np.testing.assert_allclose(
        share(levels), foldnorm.cdf(levels, 2 / 3 / spread, scale=spread), atol=1e-12
    )


ALIGNED = ("x", "He3", "He4", "relu", "erf", "sin", Pair("He2", labels="squared"),
           Pair("relu", "erf"), Pair("erf", loss="correlation"))  # fmt: skip


@pytest.mark.parametrize("pair", ALIGNED, ids=lambda pair: str(Pair.of(pair).texts))
@pytest.mark.parametrize("label_noise", [0, Rational(1, 2)])
def test_the_noise_of_samples_is_the_mean_of_its_integrand(pair, label_noise):
    """(y - σ)² σ'² written out by hand, integrated by QUADPACK."""
    pair, strength = Pair.of(pair), Rational(3, 5)
    sides = [
        tuple(
            lambdify(z, side, ["scipy", "numpy"])
            for side in (function.pieces[-1], function.pieces[0])
        )
        for function in (pair.label, pair.student.value, pair.student.value.derivative())
    ]

    def integrand(g):
        y, *_ = (f[g < 0](g) for f in sides[:1])
        value, slope = (f[g < 0](0.6 * g) for f in sides[1:])
        error = y - value if pair.loss == "square" else y
        return (error**2 + float(label_noise) ** 2) * slope**2 * np.exp(-g * g / 2)

    whole = sum(quad(integrand, *ends, epsabs=1e-12)[0] for ends in ((-12, 0), (0, 12)))
    found = sample_noise(pair, label_noise).subs(mu, strength).evalf()
    assert float(found.as_real_imag()[0]) == pytest.approx(whole / np.sqrt(2 * np.pi), rel=1e-9)


@pytest.mark.parametrize("activation", ["x", "He2", "relu", "erf"])
@pytest.mark.parametrize("loss", ["square", "correlation"])
def test_the_noise_of_misaligned_pairs_is_a_mean_over_the_plane(activation, loss):
    pair = Pair(activation, loss=loss, misalignment="spherical")
    grid, step = np.linspace(-8, 8, 1601, retstep=True)
    first, second = np.meshgrid(grid, grid)
    seen = 0.6 * first + 0.8 * second
    sides = [
        [
            lambdify(z, side, ["scipy", "numpy"])
            for side in (function.pieces[-1], function.pieces[0])
        ]
        for function in (pair.label, pair.student.value, pair.student.value.derivative())
    ]

    def values(function, x):
        return np.where(x < 0, function[1](x), function[0](x))

    error = values(sides[0], first) - (loss == "square") * values(sides[1], seen)
    power = (error**2 + 0.25) * values(sides[2], seen) ** 2
    whole = (power * np.exp(-(first**2 + second**2) / 2)).sum() * step**2 / (2 * np.pi)
    found = sample_noise(pair, Rational(1, 2)).subs(mu, Rational(3, 5)).evalf()
    assert float(found) == pytest.approx(whole, rel=2e-3)


def test_without_misalignment_the_plane_is_the_line():
    for activation in ("He3", "relu"):
        off = sample_noise(Pair(activation, misalignment="linear")).subs(mu, 1)
        assert simplify(off - sample_noise(activation).subs(mu, 1)) == 0


def test_what_has_no_law_is_refused():
    with pytest.raises(InputError, match="without escape there is no exit time"):
        exit_law(0, -1, 1)
    with pytest.raises(InputError, match="holds a float"):
        exit_law(1, -1, 0.5)
    with pytest.raises(InputError, match="misaligned pair has no such integrand"):
        noise_integrand(Pair("x", misalignment="linear"))
    with pytest.raises(NoClosedForm):
        sample_noise("tanh")
