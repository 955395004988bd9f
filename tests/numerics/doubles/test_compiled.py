"""Functions in machine code: what Python may call answers, what it may not says so."""

import math

import numpy as np
import pytest

from derive.grammar import parse_activation
from numerics.doubles.arrays import piecewise
from numerics.doubles.compiled import compiled, kernel, part_of_kernel

KNOWN = {
    # Both of its exponentials overflow from 3.55 on.
    "exp(200*x)/(exp(400*x) + 1)": lambda x: (
        1 / (math.exp(200 * x) + math.exp(-200 * x)) if abs(x) < 3.5 else 0.0
    ),
    "tanh": math.tanh,
    "relu6(2*x)": lambda x: min(max(2 * x, 0), 6),
    "He3": lambda x: x**3 - 3 * x,
}


@pytest.mark.parametrize("text", KNOWN)
def test_a_function_is_that_of_its_expression(text):
    found = compiled(parse_activation(text).value)
    for x in np.linspace(-4, 4, 33):
        assert found(x) == pytest.approx(KNOWN[text](x), abs=1e-14)


def test_at_a_breakpoint_it_is_the_function_from_the_right_as_on_arrays():
    """Where it jumps, that is one of two values: 1 of the slope of a ramp from -1 to 2, then 0."""
    slope = parse_activation("clip(x, -1, 2)").value.derivative()
    places = np.array([-1 - 1e-9, -1, 2 - 1e-9, 2])
    assert [compiled(slope)(x) for x in places] == piecewise(slope)(places).tolist() == [0, 1, 1, 0]


def test_a_part_is_called_by_a_kernel_and_by_nothing_else():
    @part_of_kernel
    def half(x):
        return x / 2

    @kernel
    def quarter(x):
        return half(half(x))

    assert quarter(math.pi) == math.pi / 4
    with pytest.raises(TypeError, match="only machine code calls half"):
        half(1.0)
    assert half.py_func(1.0) == 0.5
