"""What labels of a pair can do: against the drift of labels, and each plane against the other."""

from itertools import pairwise

import pytest
from flint import arb_mat, ctx, fmpq

from derive.errors import InputError
from derive.pair import Pair
from numerics.certified.best_labels import best_labels
from numerics.certified.drift import ball_drift
from numerics.certified.label_planes import BITS, LabelPlanes

PAIRS = (Pair("He3"), Pair("He2"), Pair("tanh"), Pair("gauss"), Pair("relu", "erf"),
         Pair("squared_relu"), Pair("x**3 + x", "x"), Pair("hardtanh"), Pair("sin"),
         Pair("silu", "tanh"), Pair("tanh", "x**3"), Pair("sin", "x**2"))  # fmt: skip
MU = fmpq(2, 5)


@pytest.fixture(autouse=True)
def precise():
    with ctx.workprec(BITS):
        yield


@pytest.mark.parametrize("pair", PAIRS, ids=lambda p: f"{p.teacher.text}, {p.student.text}")
@pytest.mark.parametrize(("power", "labels"), [(1, "matched"), (2, "squared")])
def test_powers_of_the_output_have_the_drift_of_these_labels(pair, power, labels):
    a, b = LabelPlanes(pair, 2).power_labels(power, MU)
    known = ball_drift(Pair(pair.teacher, pair.student, labels))
    assert a.overlaps(known.a(MU))
    assert b.overlaps(known.b(MU))


@pytest.mark.parametrize("pair", PAIRS, ids=lambda p: f"{p.teacher.text}, {p.student.text}")
def test_polynomials_see_less_of_the_student_than_all_transforms(pair):
    """The Gram matrix of projections grows with the degree, to that of A and B."""
    planes = [LabelPlanes(pair, degree).of_polynomials(MU)[0] for degree in (1, 2, 4)]
    planes.append(LabelPlanes(pair, 1).of_all(MU))
    for less, more in pairwise(planes):
        first, second = more.first - less.first, more.second - less.second
        mixed = more.mixed - less.mixed
        assert not first < 0
        assert not second < 0
        assert not arb_mat([[first, mixed], [mixed, second]]).det() < 0


def test_a_teacher_whose_input_is_known_needs_only_its_line():
    """For x all is linear: A = z, B = 0, at any degree."""
    plane, columns = LabelPlanes(Pair("x"), 3).of_polynomials(MU)
    whole = LabelPlanes(Pair("x"), 3).of_all(MU)
    for one, two in zip((plane.first, plane.mixed, plane.second),
                        (whole.first, whole.mixed, whole.second), strict=True):  # fmt: skip
        assert abs(one - two) < 1e-15
    assert columns[1][0] == 1


def test_the_best_polynomial_has_its_coefficients_drift():
    planes = LabelPlanes(Pair("He4"), 3)
    plane, columns = planes.of_polynomials(MU)
    best = best_labels(plane, planes.norm(1))
    x, y = plane.mixture(planes.norm(1), best.cosine, best.sine)
    factors = [float(x * one + y * two) for one, two in columns]
    text = " + ".join(f"{c:.17f}*y**{k}" for k, c in enumerate(factors)).replace("+ -", "- ")
    known = ball_drift(Pair("He4", labels=text.replace("*y**0", "")))
    assert abs(known.a(MU) - best.a) < 1e-10
    assert abs(known.b(MU) - best.b) < 1e-10


def test_a_student_that_is_no_polynomial_needs_known_preimages():
    with pytest.raises(InputError, match="no polynomial"):
        LabelPlanes(Pair("He3", "tanh"), 1).of_all(MU)


def test_a_kink_is_free_where_no_stretch_holds_it():
    assert LabelPlanes(Pair("abs"), 1).of_all(MU).free
    assert not LabelPlanes(Pair("hardtanh"), 1).of_all(MU).free
    assert LabelPlanes(Pair("hardtanh"), 1).of_all(fmpq(1)).free


def test_folded_teachers_with_breaking_students_are_refused():
    for pair in (Pair("gelu", "relu"), Pair("sin", "elu"), Pair("hardswish"), Pair("x + 2*sin(x)")):
        with pytest.raises(InputError):
            LabelPlanes(pair, 1).of_all(MU)
