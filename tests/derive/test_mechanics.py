"""The mechanical analogy: force, potential and energy belong together (App. F)."""

from sympy import Symbol, diff, simplify, tanh
from sympy.abc import a, b, g, v

from derive.mechanics import acceleration, energy, potential


def test_the_flow_is_newtons_equation():
    assert simplify(acceleration(a, b, g, v) - (a**2 * tanh(g) + b * v)) == 0


def test_force_is_minus_the_slope_of_the_potential():
    assert simplify(acceleration(a, 0, g, 0) + diff(potential(a, g), g)) == 0


def test_energy_changes_by_friction_alone():
    """dE/dt = b v² along the motion, whatever the position."""
    total = energy(a, g, v)
    rate = diff(total, g) * v + diff(total, v) * acceleration(a, b, g, v)
    assert simplify(rate - b * v**2) == 0


def test_without_coupling_the_particle_only_brakes():
    """a = 0 (x at full strength): the velocity decays at the rate b, the place is free."""
    speed = Symbol("speed")
    assert acceleration(0, -1, g, speed) == -speed
