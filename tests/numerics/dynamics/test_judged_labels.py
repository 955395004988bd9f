"""Labels judged: their norm and drift, what is best by samples, runs that begin with them."""

from fractions import Fraction
from math import log

import numpy as np
import pytest
from flint import fmpq
from scipy.integrate import trapezoid

from derive.errors import InputError
from derive.pair import Pair
from numerics.certified.drift import ball_drift
from numerics.doubles.arrays import piecewise
from numerics.doubles.fibres import label_noise
from numerics.doubles.transforms import conditional_arrays
from numerics.dynamics.exit_law import exit_law
from numerics.dynamics.judged_labels import Judged, LabelJudge
from numerics.dynamics.kinds import EXIT_RADIUS
from numerics.dynamics.sgd import Learner, Stage, simulate_sgd

MU = Fraction(3, 10)


def kinds(judge, mu=MU):
    return {"raw": judge.power(1, mu), "squared": judge.power(2, mu),
            "polynomial": judge.polynomial(mu), "optimum": judge.optimum(mu)}  # fmt: skip


@pytest.mark.parametrize("norm", ["raw", "squared"])
@pytest.mark.parametrize("text", ["He3", "erf", "squared_relu", "He4", "silu", "sin", "hardtanh"])
def test_values_have_the_norm_and_the_drift(text, norm):
    """Means over the rule: E T², E T A - μ P, E T B - P, where P is what raw labels lack."""
    judge = LabelJudge.of(text, norm=norm)
    found = kinds(judge)
    a, b = conditional_arrays(judge.pair, judge.rule(MU), float(MU))
    power = judge.rule(MU).mean(judge.rule(MU).outputs * b) - found["raw"].b
    for name, labels in found.items():
        if labels is None:
            assert name == "polynomial"
            continue
        own = labels.values
        wanted = labels.norm if name in ("raw", "squared") else found[norm].norm
        assert judge.rule(MU).mean(own**2) == pytest.approx(wanted, rel=1e-9)
        size = max(1, abs(power))
        assert judge.rule(MU).mean(own * a) - float(MU) * power == pytest.approx(
            labels.a, abs=1e-8 * size
        )
        assert judge.rule(MU).mean(own * b) - power == pytest.approx(labels.b, abs=1e-8 * size)
        assert labels.towards_teacher == (labels.a > 0)


@pytest.mark.parametrize(
    "text", ["He3", "He4", "tanh", "exp", "cosh", "silu", "sin", "hardtanh", "abs"]
)
def test_no_transform_at_random_beats_the_upper_bound(text):
    """Waves, steps and bumps of the output, on the rule: what each of that norm gives."""
    judge, rng = LabelJudge.of(text), np.random.default_rng(3)
    best = judge.optimum(MU)
    rule, norm = judge.rule(MU), best.norm
    a, b = conditional_arrays(judge.pair, rule, float(MU))
    raw = judge.power(1, MU)
    power = (rule.mean(rule.outputs * a) - raw.a) / float(MU)
    order = np.argsort(rule.outputs)
    share = np.empty(len(order))
    share[order] = np.cumsum(rule.masses[order])  # each output's place among all
    rates = []
    for _ in range(1500):
        kind, place, width = rng.integers(4), rng.uniform(), rng.uniform(0.02, 0.5)
        shape = (np.sin(share / width + 6 * place), np.sign(share - place),
                 np.exp(-(((share - place) / width) ** 2)), rule.outputs)[kind]  # fmt: skip
        mixed = rng.normal() * a + rng.normal() * shape + rng.normal() * b * (not best.attained)
        labels = mixed * np.sqrt(norm / rule.mean(mixed**2))
        drift = rule.mean(labels * a) - float(MU) * power
        bent = rule.mean(labels * b) - power if best.attained else 0.0  # a kink's b is free
        if drift > 0 and bent <= 0:
            rates.append((bent + np.hypot(bent, 2 * drift)) / 2)
    assert len(rates) > 5
    assert max(rates) <= (1 + 1e-8) / best.tau_lower
    assert max(rates) > 0.5 / best.tau


def test_labels_come_close_to_a_bound_that_none_attains():
    """abs at μ = 1/2: a narrow bump at the kink's output costs no norm, and brings b to 0."""
    judge, half = LabelJudge.of("abs"), Fraction(1, 2)
    best = judge.optimum(half)
    assert (best.attained, judge.written(half)) == (False, None)
    assert (best.a, best.b) == (0.5, 0)
    shares = []
    for width in ("1/5", "1/50", "1/500"):
        labels = f"y + 0.62*exp(-(y/({width}))**2/2)"
        a, b, rate = ball_drift(Pair("abs", labels=labels)).at(fmpq(1, 2))
        assert b < 0 < a
        z = np.linspace(0, 10, 200_001)
        own = (z + 0.62 * np.exp(-((z / float(Fraction(width))) ** 2) / 2)) ** 2
        norm = 2 * trapezoid(own * np.exp(-(z**2) / 2), z) / np.sqrt(2 * np.pi)
        shares.append(float(rate) / (np.sqrt(norm) - 0.5))  # of the bound at its norm
    assert shares[0] < shares[1] < shares[2]
    assert 0.95 < shares[2] < 1


@pytest.mark.parametrize("text", ["x", "relu", "abs", "squared_relu"])
def test_what_is_0_is_decided(text):
    """At μ = 1 no labels of the norm of raw ones have a > 0; those have no noise but rounding."""
    raw = LabelJudge.of(text).power(1, Fraction(1))
    assert (raw.a, raw.tau, raw.samples) == (0, np.inf, np.inf)
    assert raw.noise < 1e-30 < 1e20 < raw.learning_rate
    for found in (LabelJudge.of(text).optimum, LabelJudge.of(text).polynomial):
        assert found(Fraction(1)) is None


def test_means_that_are_multiples_of_each_other_are_resolved():
    """phi has σ'' = -x σ': B = -μ A, so that rounding decides how far b can be turned."""
    found = LabelJudge.of("phi").polynomial(Fraction(9, 10))
    assert found.tau_upper - found.tau_lower < 1e-9


def test_the_order_of_the_best():
    for text in ("He3", "erf", "He4"):
        judge = LabelJudge.of(text)
        found, free = kinds(judge, Fraction(1, 2)), LabelJudge.of(text, useful=False)
        best = found["optimum"]
        assert free.optimum(Fraction(1, 2)).tau <= best.tau
        assert best.tau <= found["polynomial"].tau
        assert best.tau_lower <= best.tau <= best.tau_upper * (1 + 1e-15)
        assert best.tau_upper - best.tau_lower < 1e-9
        shares = [best.tau / LabelJudge.of(text, degree=d).polynomial(Fraction(1, 2)).tau
                  for d in (1, 3, 5, 8)]  # fmt: skip
        assert shares == sorted(shares)


def test_known_noise_at_the_singularity_of_he3():
    found = kinds(LabelJudge.of("He3"), Fraction(320724347323, 10**12))
    assert found["optimum"].noise == pytest.approx(23.9, abs=0.05)
    assert found["squared"].noise == pytest.approx(18_303, rel=1e-3)


def test_fewest_samples_are_fewer():
    rate, samples = (LabelJudge.of("He3", objective=o).optimum(MU) for o in ("rate", "samples"))
    assert samples.samples < rate.samples
    assert samples.tau >= rate.tau
    assert samples.b <= 0 < samples.a


def test_samples_are_those_of_the_exit_law_at_that_rate():
    """The noise slows the growth by a tenth there, and ½ τ log d over γ are the samples."""
    judge = LabelJudge.of("erf", dimension=10**5)
    labels = judge.power(1, Fraction(1, 2))
    law = exit_law(Learner(Pair("erf"), 0.5, 10**5, labels.learning_rate))
    assert law.finite_rate == pytest.approx(0.1, rel=1e-9)
    assert labels.samples == pytest.approx(
        log(10**5) / (2 * law.rate * labels.learning_rate), rel=1e-9
    )


@pytest.mark.parametrize(("text", "ends"), [("x", 3), ("hardtanh", 1)])
def test_a_transform_is_told_at_outputs_from_the_least_to_the_largest(text, ends):
    """At as many below the median as above; of a teacher that clips, at its levels too."""
    judge = LabelJudge.of(text)
    for power in (1, 2):
        told = Judged(judge, MU, {}, None, None).transform(judge.power(power, MU))
        y = np.array(told["y"])
        assert len(y) == 41
        assert (np.diff(y) >= 0).all()
        assert np.allclose(y, -y[::-1], atol=0.35)  # of the nodes beside it
        assert ends <= y[-1] < ends + 1
        assert told["value"] == pytest.approx(y**power)


@pytest.mark.parametrize("pair", [Pair("hardswish"), Pair("x", misalignment="linear"),
                                  Pair("x", loss="correlation")])  # fmt: skip
def test_others_are_refused(pair):
    with pytest.raises(InputError):
        LabelJudge.of(pair).optimum(MU)


def test_two_stages_with_the_best_labels_recover_where_squared_ones_do_not():
    """He_3 at μ = 0.3, d = 100, until |m| = 0.9: in small the benchmark of the same name.

    Supported by simulation.
    """
    written, ended = LabelJudge.of("He3").written(MU), {}
    for labels, rate in ((written.text, 8e-4), ("squared", 8e-5)):
        learner = Learner(Pair("He3"), 0.3, 100, rate, batch=16, stage=Stage(labels, 0.9))
        steps = round(12 / rate)
        found = simulate_sgd(learner, 10, 1, steps, [steps])
        ended[labels] = 0.3 + found["u"][:, -1] * found["m"][:, -1]
    assert np.sum(np.abs(ended[written.text] - 1) < 0.2) >= 9
    assert np.sum(np.abs(ended["squared"] - 1) < 0.2) <= 1


@pytest.mark.parametrize("kind", ["optimum", "polynomial"])
def test_no_mixture_of_both_means_needs_fewer_samples(kind):
    """Those of a transform by the formula, from its drift and its noise by the rule.

    At μ = 1/2 it is neither the one of the best rate that needs the fewest, nor one of b = 0. Of
    polynomials both means are the nearest ones.
    """
    text, half = "He3", Fraction(1, 2)
    judge = LabelJudge.of(text, objective="samples", dimension=10**4)
    best = getattr(judge, kind)(half)
    rule, raw = judge.rule(half), judge.power(1, half)
    a, b = conditional_arrays(judge.pair, rule, float(half))
    power = rule.mean(rule.outputs * b) - raw.b
    if kind == "polynomial":
        root = np.sqrt(rule.masses)
        powers = rule.outputs[:, None] ** np.arange(judge.degree + 1)
        sizes = np.linalg.norm(powers * root[:, None], axis=0)
        basis, _ = np.linalg.qr(powers / sizes * root[:, None])
        a, b = (basis @ (basis.T @ (mean * root)) / root for mean in (a, b))
    needed = []
    for turn in np.linspace(0, 2 * np.pi, 500):
        mixed = np.cos(turn) * a / np.sqrt(rule.mean(a**2)) + np.sin(turn) * b / np.sqrt(
            rule.mean(b**2)
        )
        labels = mixed * np.sqrt(best.norm / rule.mean(mixed**2))
        drift, bent = rule.mean(labels * a) - float(half) * power, rule.mean(labels * b) - power
        if drift > 0 >= bent:
            rate = (bent + np.hypot(bent, 2 * drift)) / 2
            noise = label_noise(judge.pair, rule, labels, float(half))
            scaled = 0.1 * 2 * (2 * rate - bent) / (EXIT_RADIUS**2 * noise)
            needed.append(log(10**4) / (2 * rate * scaled / 10**4))
    assert min(needed) == pytest.approx(best.samples, rel=5e-3)
    if kind == "optimum":
        assert best.samples <= min(needed) * (1 + 1e-9)
    assert len(needed) > 10


def test_what_has_a_text_is_what_the_text_says():
    judge = LabelJudge.of("erf")
    *written, optimum = kinds(judge).values()
    assert optimum.text is None
    for found in written:
        values = piecewise(Pair("erf", labels=found.text).labels.value)(judge.rule(MU).outputs)
        np.testing.assert_allclose(values, found.values, rtol=1e-6, atol=1e-6)
