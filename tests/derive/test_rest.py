"""Rest points by laws that know nothing of resultants: substitution, an index sum, symmetry."""

import pytest
from sympy import QQ, Poly, Rational, S, Symbol, diff, expand, integer_nthroot, prod, sqrt

from derive.errors import InputError, Undecided
from derive.landscape import landscape_of
from derive.pair import Pair
from derive.rest import AlgebraicPoint, real_points, rest_points, rest_points_of
from derive.singularities import singular_strengths
from derive.symbols import Q, residual, rho

MORSE = [
    "x",
    "He2",
    "He3",
    "He5",
    "x**3-x/2",
    "x**2+x**3/3",
    "He3+He2/2",
    "He5/8+He2+x",
    Pair("He2", labels="squared"),
    Pair("He3", labels="squared"),
    Pair("He3", labels="y**2-2*y"),
    Pair("He3+x", "He3"),
]
_INDEX = {"sink": 1, "source": 1, "saddle": -1}


def _ids(pair):
    return pair if isinstance(pair, str) else "-".join(pair.texts.values())


@pytest.mark.parametrize("pair", [*MORSE, "He4", "He4+He3", "He10"], ids=_ids)
def test_both_slopes_vanish_where_the_flow_rests(pair):
    """On the edge a(ρ, 0) alone, inside both; in the landscape, which has no resultants."""
    landscape = landscape_of(pair)
    for found in rest_points(pair):
        point = found.point
        assert point.value(landscape.a).is_zero
        assert (point.sign(point.residual) > 0) == (found.kind == "inside")
        assert found.kind == "edge" or point.value(landscape.b).is_zero


@pytest.mark.parametrize("pair", MORSE, ids=_ids)
def test_the_indices_add_up(pair):
    """Poincaré-Hopf on the cylinder of (u, θ), on which the loss grows: 0 in all.

    A place on the edge is two states, one inside four, the search phase two saddles. A rest point
    that was missed, or taken for what it is not, breaks the sum.
    """
    total = -2
    for found in rest_points(pair):
        total += _INDEX[found.stability] * (2 if found.kind == "edge" else 4)
    assert total == 0


@pytest.mark.parametrize("degree", [3, 5, 7, 9])
def test_odd_hermite_students_rest_at_0_the_singularity_and_1(degree):
    found = rest_points(f"He{degree}")
    assert [(p.kind, p.stability) for p in found] == [
        ("edge", "sink"), ("edge", "saddle"), ("edge", "sink"),
    ]  # fmt: skip
    (singular,) = singular_strengths(Pair(f"He{degree}"), 8)
    low, high = found[1].point.within(Rational(1, 10**12))
    assert low <= singular.high
    assert singular.low <= high
    assert [found[0].rational, found[2].rational] == [(0, 0), (1, 0)]


@pytest.mark.parametrize("degree", [2, 4, 6, 10])
def test_even_students_rest_in_mirrored_places(degree):
    """They do not see the sign of ρ."""
    places = [(p.kind, p.stability, float(p.point.rho.eval(sum(p.point.within(Rational(1, 2**60)))
              / 2))) for p in rest_points(f"He{degree}")]  # fmt: skip
    mirrored = [(kind, what, -place) for kind, what, place in places]
    for one, other in zip(sorted(places), sorted(mirrored), strict=True):
        assert one[:2] == other[:2]
        assert one[2] == pytest.approx(other[2], abs=1e-12)


def test_signs_are_those_of_the_slopes_where_points_are_rational():
    landscape = landscape_of("He2")
    for found in rest_points("He2"):
        at = dict(zip((rho, residual), found.rational, strict=True))
        slope, b = (expand(f).subs(at) for f in (diff(landscape.a, rho), landscape.b))
        if found.kind == "edge":
            assert found.signs == tuple(map(int, (slope / abs(slope), b / abs(b))))
        else:
            assert slope > 0 > diff(landscape.b, residual).subs(at)
            assert found.stability == "saddle"


@pytest.mark.parametrize(("power", "edge"), [(3, [0, 1]), (4, [-1, 0, 1])])
def test_monomials_rest_at_0_and_do_so_once(power, edge):
    """Both slopes vanish there, on the edge; inside x⁴ rests at a strength that is irrational."""
    found = rest_points(f"x**{power}")
    assert [p.rational for p in found] == [(place, 0) for place in edge] + [None] * (power - 3)
    assert [p.stability for p in found if p.rational == (0, 0)] == ["degenerate"]


def test_curves_at_rest_are_told():
    """He_2 sees nothing of He_3: all students of one size are alike."""
    with pytest.raises(InputError, match="along a curve"):
        rest_points(Pair("He3", "He2"))
    with pytest.raises(InputError, match="along a curve"):
        rest_points_of(rho * (Q - 1), rho)


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize("never_zero", [1, 2 * Q + 1])
def test_where_a_slope_touches_0_a_point_is_degenerate(side, never_zero):
    """ρ³ has no slope at 0; both slopes may share what has no zero at a variance."""
    *_, inside = rest_points_of(side * never_zero * (Q - 1), side * never_zero * rho**3)
    assert (inside.kind, inside.rational, inside.stability) == ("inside", (0, 1), "degenerate")
    assert inside.signs == ((-1, 0) if side > 0 else (0, 1))


@pytest.mark.parametrize(("slopes", "known"), [
    ((Q + rho - 1, Q - rho - Rational(1, 2)), {(Rational(1, 4), Rational(11, 16))}),  # parallel
    ((2 * rho**2 + rho + 2 * Q - 2, 2 * Q**2 + 3 * rho - 2), {(0, 1), (S.Half, Rational(1, 4))}),
    ((rho**2 + Q + rho - 2, rho**2 + (Q + rho) ** 2 - 4), {(0, 2)}),
])  # fmt: skip
def test_crossings_of_one_sum_of_variance_and_overlap_are_told_apart(slopes, known):
    """Whatever is behind one another in the direction in which is looked first."""
    inside = [p for p in rest_points_of(*slopes) if p.kind == "inside"]
    assert {p.rational for p in inside} == known


def test_crossings_behind_one_another_in_every_direction_are_not_guessed():
    lines = prod(Q + k * rho - 1 for k in range(1, 9))
    with pytest.raises(Undecided, match="not told apart"):
        rest_points_of(lines, Q - rho - Rational(1, 2))


@pytest.mark.parametrize(("slopes", "told"), [
    ((sqrt(2) * Q, rho), "not rational"),
    ((rho, -2 * rho**2), "the whole edge"),
])  # fmt: skip
def test_slopes_without_rest_points_to_be_listed_are_refused(slopes, told):
    with pytest.raises(InputError, match=told):
        rest_points_of(*slopes)


def test_only_polynomials_are_accepted():
    with pytest.raises(InputError, match="give polynomials"):
        rest_points("relu")


@pytest.mark.parametrize("bits", [44, 50, 55, 200])
def test_neighbours_are_in_order_however_near(bits):
    """A rational number just above √2, whose interval is a point."""
    above = Rational(integer_nthroot(2 * 4**bits, 2)[0] + 1, 2**bits)
    points = real_points(Poly((rho - above) * (rho**2 - 2), rho, domain=QQ))
    assert [point.sign(point.rho**2 - 2) for point in points] == [0, 0, 1]


@pytest.mark.parametrize("size", [2, 50, 899])
@pytest.mark.parametrize("power", [2, 5])
@pytest.mark.parametrize("unit", [1, 64, -64])
def test_the_sign_of_a_polynomial_is_that_at_the_number(power, size, unit):
    """Of tᵏ - c at t = ⁿ√N/d, however wide the interval is in which t is known to lie."""
    t, root = Symbol("t", real=True), size ** (1 / power)
    low, high = sorted((Rational(int(root), unit), Rational(int(root) + 1, unit)))
    minimal = Poly((t * unit) ** power - size, t, domain=QQ)
    point = AlgebraicPoint(minimal, low, high, Poly(t, t, domain=QQ), Poly(0, t, domain=QQ))
    for k in range(1, power):
        for share in range(1, 40):
            level = Rational(int(1000 * root**k) * share, 20000)
            found = point.sign(Poly(7 * t**k - 7 * level / unit**k, t, domain=QQ))
            assert found == (1 if root**k > level else -1) * (-1 if unit < 0 and k % 2 else 1)
    assert point.sign(Poly(t * minimal.as_expr(), t, domain=QQ)) == 0
