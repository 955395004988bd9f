"""Means given the output of teachers that repeat or turn once: against other ways to have them."""

import numpy as np
import pytest
from flint import arb, ctx, fmpq
from scipy.integrate import trapezoid
from scipy.special import expit

from derive.errors import InputError
from derive.grammar import parse_activation
from derive.pair import Pair
from numerics.certified.folds import Folds, folds_of
from numerics.certified.label_planes import BITS, LabelPlanes

MU = fmpq(2, 5)


@pytest.fixture(autouse=True)
def precise():
    with ctx.workprec(BITS):
        yield


def gram(teacher, student, strength=MU):
    return folds_of(parse_activation(teacher)).gram(parse_activation(student))(strength)


def density(x):
    return np.exp(-x * x / 2) / np.sqrt(2 * np.pi)


@pytest.mark.parametrize("teacher", ["x**2 + x", "(x - 1)**2/3"])
@pytest.mark.parametrize("student", ["He3", "x**2"])
def test_a_parabola_has_the_means_that_its_roots_give(teacher, student):
    """The other enclosure, cell by cell in the output: ``numerics.certified.fibres``."""
    plane = LabelPlanes(Pair(teacher, student), 1).of_all(MU)
    for found, known in zip(gram(teacher, student), (plane.first, plane.mixed, plane.second),
                            strict=True):  # fmt: skip
        assert found.overlaps(known)
        assert found.rad() < 1e-15


def test_a_teacher_that_only_rises_knows_its_input():
    """squareplus with x³: E A² = 9 μ⁴ E z⁶, E AB = 18 μ³ E z⁴, E B² = 36 μ²."""
    for found, known in zip(gram("squareplus", "x**3"), (135 * MU**4, 54 * MU**3, 36 * MU**2),
                            strict=True):  # fmt: skip
        assert found.contains(known)
        assert found.rad() < 1e-15


def test_what_lies_beyond_the_reach_is_in_the_error(monkeypatch):
    """With a reach of 3 it is much; what is known of the student's size bounds it."""
    for module in ("folds", "turns"):
        monkeypatch.setattr(f"numerics.certified.{module}.REACH", 3)
    known = (135 * MU**4, 54 * MU**3, 36 * MU**2)
    for found, exact in zip(gram("squareplus(x) + x", "x**3"), known, strict=True):
        assert found.contains(exact)
        assert abs(found.mid() - exact) > 0.1


def test_a_sine_is_the_sum_over_its_preimages():
    """With x³, in doubles, at z + 2πk and π - z + 2πk."""
    theta, weights = np.polynomial.legendre.leggauss(80)
    theta, weights = theta * np.pi / 2, weights * np.pi / 2
    k = 2 * np.pi * np.arange(-4, 5)[:, None]
    inputs = np.concatenate([theta + k, np.pi - theta + k])
    mass = density(inputs)
    a = (mass * 3 * float(MU) ** 2 * inputs**3).sum(0) / mass.sum(0)
    b = (mass * 6 * float(MU) * inputs).sum(0) / mass.sum(0)
    whole = weights * mass.sum(0)
    known = [(whole * product).sum() for product in (a * a, a * b, b * b)]
    assert list(map(float, gram("sin", "x**3"))) == pytest.approx(known, rel=1e-13)


def test_a_cosine_leaves_no_odd_part_and_shifts_do_nothing():
    first, mixed, second = gram("cos", "x")  # A = E[z | cos z]
    assert max(abs(each).upper() for each in (first, mixed, second)) < 1e-15
    for one, two in zip(gram("sin(x + 1/3)", "tanh"), gram("3 - 2*sin(x + 1/3)", "tanh"),
                        strict=True):  # fmt: skip
        assert one.overlaps(two)


def test_silu_is_the_sum_over_its_two_preimages():
    """With x², A = 2 μ E[z² | y]: E A² over a fine grid, partners by interpolation."""
    z = np.linspace(-9, 9, 400_001)
    y, slope = z * expit(z), expit(z) * (1 + z * expit(-z))
    turn = int(np.argmin(y))
    left, right = slice(1, turn - 1), slice(turn, len(z))
    x = np.interp(y[left], y[right], z[right])
    ratio = np.abs(slope[left] / (expit(x) * (1 + x * expit(-x))))
    one, two = density(z[left]), density(x) * ratio
    both = trapezoid((one * z[left] ** 2 + two * x**2) ** 2 / (one + two), z[left])
    alone = 1.5  # E z⁴ of z > 0
    known = 4 * float(MU) ** 2 * (both + alone)
    first, _, second = gram("silu", "x**2")
    assert float(first) == pytest.approx(known, rel=1e-4)
    assert second.contains(4)


def test_to_know_the_output_is_to_know_less_than_the_input():
    for teacher in ("silu", "sin"):
        first, _, second = gram(teacher, "x**3")
        assert 0 < first < 135 * MU**4
        assert 0 < second < 36 * MU**2


@pytest.mark.parametrize("name", ["silu", "cos"])
def test_the_rule_in_doubles_has_all_the_mass(name):
    folds = folds_of(parse_activation(name))
    inputs = np.concatenate(folds.inputs)
    masses = np.repeat(folds.masses, [len(each) for each in folds.inputs])
    masses = masses * np.concatenate(folds.shares)
    assert sum(masses) == pytest.approx(1, abs=1e-13)
    assert masses @ inputs**4 == pytest.approx(3, abs=1e-12)
    assert abs(masses @ inputs) < 1e-13


@pytest.mark.parametrize("text", ["x*exp(-x**2/2)", "x + 2*sin(x)", "hardswish", "sin(100*x)"])
def test_others_are_refused(text):
    with pytest.raises(InputError):
        folds_of(parse_activation(text))


def test_a_student_whose_means_given_the_output_may_be_infinite_is_refused():
    """They are bounded by E f⁴: of exp(x²/9) that is finite at small strengths alone."""
    with pytest.raises(InputError, match="grows too fast for means given the output"):
        gram("silu", "exp(x**2/9)")


class Told:
    """A stretch whose inputs are told as a question says."""

    def __init__(self, whole, told):
        self.low, self.high, self.around = whole.low, whole.high, whole.around
        self._at, self._told = whole.at, told

    def at(self, z):
        return self._at(z) if self._told(z) else None


def test_cells_are_halved_until_all_inputs_of_their_nodes_are_told():
    """The means stay."""
    teacher, student = parse_activation("squareplus"), parse_activation("x**3")
    (whole,) = folds_of(teacher).stretches
    asked = []

    def told(z):
        asked.append(z)
        return len(asked) > 3

    found = Folds(teacher, (Told(whole, told),)).gram(student)(MU)
    known = (135 * MU**4, 54 * MU**3, 36 * MU**2)
    assert all(one.contains(exact) for one, exact in zip(found, known, strict=True))


def test_a_bound_that_is_not_a_number_is_not_lost_behind_one_that_is():
    """B of a student that is not analytic on the first cells, A of which is: they are halved."""
    folds = folds_of(parse_activation("squareplus"))
    asked = []

    def finite(x, strength):
        return x * 0 + 1

    def open_on_the_first(x, strength):
        asked.append(x)
        return x * 0 + (arb("nan") if len(asked) <= len(folds._cells) else 1)

    folds._gram(MU, [finite] * 2, [finite, open_on_the_first], [arb(1)] * 2)
    assert len(asked) == 3 * len(folds._cells)  # and the halves of each
