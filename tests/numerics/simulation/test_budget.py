"""Budgets: what is best, what to avoid, where runs are stuck; read off learning curves."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from scipy import stats

from derive.errors import InputError
from numerics import Simulation, study
from numerics.dynamics.stability import stable_learning_rate
from numerics.simulation.budget import Budget


@dataclass(frozen=True)
class Curve:
    """A learning curve that is known."""

    expected_loss: float
    frozen: float
    searching: float
    off: float = 0.0

    def error(self, samples):
        return self.off

    def expected(self, samples):
        return self.expected_loss

    def still_searching(self, samples):
        return self.searching

    def quantiles(self, samples, shares):
        return [share * self.expected_loss for share in shares]


class Ran(dict):
    """Runs of which only what was observed is known, and how many have not left."""

    def __init__(self, observed, censored):
        super().__init__(observed)
        self.censored = censored


STRENGTHS = (0.1, 0.3, 0.5, 0.7, 0.9)


def budget(losses, searching=(0,) * 5, frozen=(1.0, 0.8, 0.5, 0.3, 0.05), rate="0.1*stable"):
    simulations = [Simulation("x", mu, learning_rate=rate, horizon=1, records=0)
                   for mu in STRENGTHS]  # fmt: skip
    return Budget(simulations, list(map(Curve, losses, frozen, searching)), 1000, ())


def test_what_is_best_and_as_good():
    best = budget((0.5, 0.21, 0.2, 0.4, 0.3)).best
    assert (best.mu, best.low, best.high, best.frozen_loss) == (0.5, 0.3, 0.5, 0.5)
    learnt = budget((1e-9, 1e-7, 1e-12, 1e-5, 0.3)).best
    assert (learnt.low, learnt.high) == (0.1, 0.7)  # all of these are nothing
    unsure = budget((0.5, 0.27, 0.2, 0.23, 0.3))
    curves = [replace(curve, off=0.02) for curve in unsure.curves]
    found = replace(unsure, curves=curves)  # up to 0.22 + 0.02 + 0.02
    assert (found.best.low, found.best.high, found.best.error) == (0.5, 0.7, 0.02)
    said = "mu = 0.5 (0.5 to 0.7 are as good), with an expected loss of 0.2 ± 0.02 after 0.5 at"
    assert said in found.advice()
    alone = budget((0.5, 0.4, 0.3, 0.2, 0.1)).advice()
    assert alone.endswith("is mu = 0.9, with an expected loss of 0.1 after 0.05 at the start")


def test_more_pre_training_that_does_worse_is_to_be_avoided():
    found = budget((0.3, 0.6, 0.31, 0.2, 0.4))
    assert found.avoid == [(0.3, 0.3), (0.9, 0.9)]
    assert budget((0.5, 0.4, 0.3, 0.2, 0.1)).avoid == []
    assert budget((0.5, 1e-9, 9e-4, 0.1, 1e-3)).avoid == [(0.7, 0.7)]  # a thousandth is nothing
    assert "avoid 0.3, 0.9" in found.advice()


def test_strengths_whose_runs_do_not_leave_are_told_from_those_that_learn():
    found = budget((0.2, 0.8, 0.5, 0.3, 0.05), searching=(0, 0.9, 1, 1, 1))
    assert found.stuck == [(0.3, 0.9)]
    assert (found.best.mu, found.best_left.mu, found.break_even) == (0.9, 0.1, 0.9)
    assert "pre-training alone does as well from 0.9 on" in found.advice()
    none = budget((0.2,) * 5, searching=(0.6,) * 5)
    assert (none.best_left, none.break_even) == (None, None)
    assert "at none of them do most runs leave in time" in none.advice()
    half = budget((0.2, 0.1, 0.2, 0.2, 0.2), searching=(1, 0.5, 0.5 + 1e-12, 1, 1))
    assert half.best_left.mu == 0.3  # half of them are not more than half
    assert half.stuck == [(0.1, 0.1), (0.5, 0.9)]
    assert budget((0.2,) * 5, frozen=(1.0, 0.8, 0.2, 0.3, 0.1)).break_even == 0.5


@pytest.mark.parametrize(("tenths", "good"), [(1.1, True), (np.nextafter(1.1, 2), False)])
def test_a_tenth_more_is_as_good_and_no_more_to_be_avoided(tenths, good):
    found = budget((0.75, 0.5, 0.5 * tenths, 0.75, 0.75), frozen=(0.0,) * 5)
    assert (found.best.high == 0.5) == good
    assert (found.avoid[0][0] == 0.7) == good


def test_a_rate_above_the_stable_one_is_said():
    found = budget((0.2,) * 5, rate=7 / 1000 * 16)  # that of 0.5 is 8
    assert found.unstable == [(0.1, 0.3)]
    assert "at 0.1 to 0.3 the rate is too large to be stable" in found.advice()
    most = stable_learning_rate(found.simulations[0].pair, 0.5, 1000, 16)
    assert budget((0.2,) * 5, rate=most).unstable == [(0.1, 0.3)]  # that itself is stable


def test_around_a_singularity_the_grid_is_finer_and_learning_fails():
    found = study("He3").budget(1e6, mu="0.2:0.5:4", learning_rate=2e-5, batch=1)
    assert found.singularities == ("0.32072435",)
    assert len(found.mu) > 4 + 6
    near = np.abs(found.mu - 0.3207) < 0.02
    assert found.searching[near].min() > 0.99
    assert found.expected[-1] < 0.3 * found.frozen[-1]
    assert found.stuck[0][0] <= 0.3 <= found.stuck[0][1]
    asked = np.arange(2, 6) / 10
    around = [mu - 0.32072435 for mu in found.mu if np.abs(mu - asked).min() > 1e-12]
    assert around == pytest.approx([-each for each in reversed(around)])  # alike on both sides
    assert "0.32072435 (certified) none ever leaves" in found.advice()


def test_what_it_reads_is_what_its_parts_say():
    asked = study("x").budget(2e4, mu="0.3:0.9:3", dimension=500, batch=4)
    record = asked.record()
    for k, mu in enumerate((0.3, 0.6, 0.9)):
        law = study("x").exit_law(mu=mu, dimension=500, batch=4)
        assert record["still_searching"][k] == pytest.approx(law.still_searching(2e4), abs=1e-3)
        assert record["frozen_loss"][k] == pytest.approx((1 - mu) ** 2 / 2)
        assert record["loss_10"][k] <= record["expected_loss"][k] <= record["loss_90"][k]
    assert (record["samples"], record["steps"]) == (20_000, 5000)
    later = replace(asked, samples=10**6)
    assert (later.expected < asked.expected).all()


@pytest.mark.parametrize(("samples", "mu"), [(0.999, "0.4,0.6"), (1e4, [0.5]), (1e18, "0.4,0.6")])
def test_too_few_samples_or_strengths_are_refused(samples, mu):
    with pytest.raises(InputError, match="give at least one sample, and two strengths"):
        study("x").budget(samples, mu=mu)


def test_runs_that_tell_no_error_or_take_no_step_are_not_put_beside_the_law():
    asked = budget((0.2,) * 5)
    steps = 1000 // asked.simulations[0].batch
    watched = {(each.horizon, each.records, each.replicas) for each in asked.watched(2)}
    assert watched == {(steps, (steps,), 2)}
    with pytest.raises(InputError, match="1 replicas are not accepted beside the law: give at"):
        asked.watched(1)
    batch = asked.simulations[0].batch
    assert [each.horizon for each in replace(asked, samples=batch).watched(2)] == [1] * 5
    with pytest.raises(InputError, match=f"{batch - 1} samples are fewer than a batch of {batch}"):
        replace(asked, samples=batch - 1).watched(2)


def test_runs_beside_the_law_have_a_mean_its_error_and_who_has_not_left():
    """The mean and its standard error are SciPy's; a strength agrees up to the law's and three."""
    asked = budget((0.2,) * 5)
    losses = np.random.default_rng(1).exponential(size=(2, 4))
    runs = [
        Ran({"loss": each[:, None]}, censored)
        for each, censored in zip(losses, (0, 3), strict=True)
    ]
    found = replace(asked, simulations=asked.simulations[:2], curves=asked.curves[:2]).beside(runs)
    assert found.measured.replicas == 4
    np.testing.assert_allclose(found.measured.losses, losses.mean(axis=1))
    np.testing.assert_allclose(found.measured.errors, stats.sem(losses, axis=1))
    assert found.measured.searching.tolist() == [0, 0.75]
    room = 0.25 + 3 * 0.125
    measured = replace(found.measured, errors=np.full(2, 0.125))
    for off, agrees in ((room, True), (-room, True), (1.001 * room, False), (-1.001 * room, False)):
        curves = [Curve(1.0, 1.0, 0.0, 0.25)] * 2
        beside = replace(
            found, curves=curves, measured=replace(measured, losses=1 + np.array([off, 0]))
        )
        assert beside.agrees.tolist() == [agrees, True]
        assert beside.record()["simulated"]["within_error"] == 1 + agrees


def test_one_sample_and_two_strengths_are_enough():
    found = study("x").budget(1, mu="0.4,0.6", batch=1)
    assert found.expected == pytest.approx(found.frozen, rel=0.05)


def test_a_record_holds_what_the_curves_say_of_every_strength():
    found = budget((0.5, 0.4, 0.2, 0.4, 0.3), searching=(0, 0.25, 0.5, 0.75, 1))
    record = found.record()
    for name, known in {
        "mu": STRENGTHS, "expected_loss": (0.5, 0.4, 0.2, 0.4, 0.3),
        "expected_loss_error": (0,) * 5,
        "loss_10": (0.05, 0.04, 0.02, 0.04, 0.03), "loss_90": (0.45, 0.36, 0.18, 0.36, 0.27),
        "still_searching": (0, 0.25, 0.5, 0.75, 1), "frozen_loss": (1.0, 0.8, 0.5, 0.3, 0.05),
        "learning_rate": [each.learning_rate for each in found.simulations],
    }.items():  # fmt: skip
        assert record[name] == pytest.approx(known), name
    assert (record["best"]["mu"], record["best_left"]["mu"]) == (0.5, 0.5)
    assert budget((0.2,) * 5, searching=(1,) * 5).record()["best_left"] is None
    assert (record["half_searching"], record["avoid"]) == ([(0.7, 0.9)], [(0.7, 0.9)])
    assert (record["singularities"], record["simulated"], record["above_stable"]) == ((), None, [])


def test_what_is_drawn_is_the_expected_loss_its_error_and_that_of_pre_training_alone():
    found = budget((0.5, 0.4, 0.2, 0.4, 0.3))
    curves = [replace(curve, off=0.01 * k) for k, curve in enumerate(found.curves)]
    ax = replace(found, curves=curves).plot()
    assert [line.get_ydata().tolist() for line in ax.lines] == [
        [0.5, 0.4, 0.2, 0.4, 0.3], [1.0, 0.8, 0.5, 0.3, 0.05],
    ]  # fmt: skip
    band = ax.collections[0].get_paths()[0].vertices
    for k, (mu, loss) in enumerate(zip(STRENGTHS, (0.5, 0.4, 0.2, 0.4, 0.3), strict=True)):
        around = sorted({round(float(y), 9) for x, y in band if x == mu})
        assert (around[0], around[-1]) == pytest.approx((loss - 0.01 * k, loss + 0.01 * k))
    assert (ax.get_yscale(), ax.get_xlabel() != "", ax.get_ylabel() != "") == ("log", True, True)
