"""The landscape: slopes, the drift at its edge, parity, and the loss it starts from."""

import pytest
from sympy import Rational, diff, simplify, sqrt

from derive.gaussian import NoClosedForm
from derive.grammar import parse_activation, parse_transform
from derive.landscape import landscape_of
from derive.pair import LOSSES, Pair
from derive.pair_drift import drift_of
from derive.risk import frozen_risk
from derive.symbols import mu, residual, rho

CLOSED = ["x", "He2", "He3", "He2 + He5/7", "relu", "leaky_relu", "abs", "erf", "gelu", "sin",
          "cos", "exp", "gauss", "squared_relu", "erf(2*x) - x/3"]  # fmt: skip
POINT = {rho: Rational(2, 5), residual: Rational(3, 10)}


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("text", CLOSED)
def test_slopes_belong_to_the_loss(text, loss):
    """a and b come from Stein and Price, the loss from its own mean; its slopes are theirs."""
    activation = parse_activation(text)
    found = landscape_of(Pair(activation, activation, loss=loss))
    for slope, by in ((-found.a, rho), (-found.b / 2, residual)):
        difference = (slope - diff(found.loss, by)).subs(POINT)
        assert abs(difference.evalf(30)) < 1e-25


@pytest.mark.parametrize("text", [*CLOSED, "leaky_relu(x, 1/10)", "abs(2*x) + gelu"])
def test_edge_is_the_search_phase(text):
    """At the edge the two Gaussians coincide: what is put in there is the drift, not 0/0."""
    activation = parse_activation(text)
    pair = Pair(activation, activation)
    found, drift = landscape_of(pair), drift_of(pair)
    for ours, theirs in ((found.a, drift.a), (found.b, drift.b), (found.loss, frozen_risk(pair))):
        edge = ours.subs({rho: Rational(1, 3), residual: 0})
        assert abs((edge - theirs.as_expr().subs(mu, Rational(1, 3))).evalf(30)) < 1e-25


def test_a_matched_student_has_no_loss_at_the_teacher():
    for text in ("x", "He3", "relu", "erf"):
        activation = parse_activation(text)
        at_teacher = landscape_of(Pair(activation, activation)).loss.subs(rho, 1)
        assert at_teacher.subs(residual, 0) == 0


def test_linear_landscape_in_full():
    x = parse_activation("x")
    found = landscape_of(Pair(x, x))
    assert simplify(found.loss - ((1 - rho) ** 2 + residual) / 2) == 0


def test_misalignment_only_chooses_the_start():
    x, erf = parse_activation("x"), parse_activation("erf")
    for pair in (Pair(x, erf), Pair(erf, erf, parse_transform("y**3"))):
        tilted = Pair(pair.teacher, pair.student, pair.labels, misalignment=sqrt(1 - mu**2))
        try:
            assert landscape_of(tilted) == landscape_of(pair)
        except NoClosedForm:
            with pytest.raises(NoClosedForm):
                landscape_of(pair)


def test_no_closed_form_is_said():
    tanh = parse_activation("tanh")
    with pytest.raises(NoClosedForm):
        landscape_of(Pair(tanh, tanh))


@pytest.mark.parametrize("text", ["x", "He2", "He3 + 1", "relu", "erf", "exp"])
def test_the_correlation_changes_its_sign_with_the_labels(text):
    """-E yσ is linear in y: it has no constant of its own, and neither have its slopes."""
    found, mirrored = (
        landscape_of(Pair(text, labels=labels, loss="correlation")) for labels in ("y", "-y")
    )
    for ours, theirs in zip(
        (found.loss, found.a, found.b), (mirrored.loss, mirrored.a, mirrored.b), strict=True
    ):
        assert abs((ours + theirs).subs(POINT).evalf(30)) < 1e-25
