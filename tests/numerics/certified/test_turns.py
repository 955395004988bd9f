"""The other input of an output: where it is known, and on whole boxes."""

from fractions import Fraction

import pytest
from flint import acb, arb, ctx, fmpq

from derive.errors import Undecided
from derive.grammar import parse_activation
from numerics.certified.gauss import ELLIPSE
from numerics.certified.turns import Images, Turned, density, turned


@pytest.fixture(autouse=True)
def precise():
    with ctx.workprec(256):
        yield


def parabola():
    """Turns at 1/2, so that inputs z and 1 - z have one output."""
    return turned(parse_activation("x**2 - x"))


def test_a_parabola_pairs_what_is_symmetric():
    folded, alone = parabola()
    assert isinstance(folded, Turned)
    assert isinstance(alone, Images)
    assert folded.side == 1  # the side that ends first
    for z in (arb(1), arb("13.5"), arb("0.5") + arb(2) ** -16):
        (_, own), (x, other) = folded.at(z)
        assert x.contains(1 - z)
        assert own.overlaps(density(z))
        assert other.overlaps(density(1 - z))
        assert other.rad() < 1e-40


@pytest.mark.parametrize(("middle", "radius"), [(3, fmpq(1, 2)), (fmpq(9, 16), fmpq(1, 16))])
def test_a_box_holds_the_partners_of_its_points(middle, radius):
    """Also where it reaches the turn, at 1/2."""
    folded, _ = parabola()
    (_, _), (x, mass) = folded.around(arb(middle), arb(radius))
    box = ELLIPSE.box(arb(middle), arb(radius))
    for share in (acb(0), acb("0.9"), acb("-0.9"), acb(0, "0.9")):
        z = acb(box.real.mid()) + acb(share.real * box.real.rad(), share.imag * box.imag.rad())
        assert x.contains(1 - z)
        assert mass.contains(density(1 - z))


def test_what_does_not_turn_is_one_stretch_and_what_turns_twice_is_none():
    (whole,) = turned(parse_activation("squareplus"))
    assert whole.maps == ((1, arb(0)),)
    assert turned(parse_activation("x*exp(-x**2/2)")) is None
    assert turned(parse_activation("relu")) is None


@pytest.mark.parametrize("text", ["x**2", "-sqrt(1 + x**2)", "1 - exp(-(x - 1)**2)"])
def test_ends_of_one_height_are_left_to_others(text):
    """Exactly, or as far as the working precision tells."""
    assert turned(parse_activation(text)) is None


@pytest.mark.parametrize("text", ["x**3", "x**4", "2*x + tanh(10**14*x)/10**14"])
def test_turns_that_are_not_told_are_an_error(text):
    """A slope that touches 0, with the curvature, or that no cell shows to be none."""
    with pytest.raises(Undecided, match="the turns of the teacher are not enclosed"):
        turned(parse_activation(text))


def test_at_the_turn_itself_there_is_no_partner():
    """Nor on an ellipse around it."""
    folded, _ = parabola()
    assert folded.partner(folded.low) is None
    assert folded.at(folded.low) is None
    assert folded.around(arb("0.5"), arb(fmpq(1, 8))) is None


def test_a_turn_upside_down_is_the_same():
    down, up = (turned(parse_activation(text))[0] for text in ("silu", "-silu"))
    assert down.partner(arb(-3)).overlaps(up.partner(arb(-3)))


@pytest.mark.parametrize("place", ["-91/8", "29/16", "-153/32", "1/3", "-1/14", "-181/14"])
def test_turns_are_found_wherever_the_line_is_cut(place):
    """Also where the slope at an end of a cell would be 0, exactly."""
    for text in (f"sqrt(1 + (x - ({place}))**2)", f"-(x - ({place}))**2/9"):
        folded, _ = turned(parse_activation(text))
        c = fmpq(*Fraction(place).as_integer_ratio())
        assert (folded.low if folded.side > 0 else folded.high).contains(c)
        x = c + folded.side * fmpq(5, 7)
        assert folded.partner(arb(x)).contains(2 * c - x)


def test_a_turn_a_little_beyond_reach_turns_nothing():
    """At -15 - 1/14: all inputs within reach are alone, whatever the other side."""
    (whole,) = turned(parse_activation("(x + 15 + 1/14)**2"))
    assert (whole.low, whole.high) == (-15, 15)
    assert isinstance(whole, Images)
