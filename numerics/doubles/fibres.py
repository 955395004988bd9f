"""Means given the output of a teacher, in doubles: the rule behind noise and drawn transforms.

A rule has nodes over outputs, and for each the inputs that have this output with their
probabilities. Of polynomials it is the one behind their certified moments. Heuristic.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sympy import S

from derive.activation import Activation
from derive.conditional import folding_of
from derive.pair import Pair
from derive.piecewise import PiecewiseAnalytic
from numerics.certified.fibres import Fibres
from numerics.certified.folds import Folds
from numerics.doubles.arrays import Doubles, breakpoints, piecewise
from numerics.doubles.quadrature import MOST_ON_LINE, REACH, fineness, panels

_ENDS = (-REACH, -8.0, -4.0, -2.0, 0.0, 2.0, 4.0, 8.0, REACH)


@dataclass(frozen=True)
class FibreRule:
    """A rule for means over outputs, and over inputs given the output.

    Fields: ``outputs``, ``masses``, one a node; ``node``, ``inputs``, ``shares``, one an input: the
    number of its node, itself, and its probability given the output. Heuristic.
    """

    outputs: Doubles
    masses: Doubles
    node: NDArray[np.intp]
    inputs: Doubles
    shares: Doubles

    def given(self, values: Doubles) -> Doubles:
        """The mean of a function of the input given each output, from its values at the inputs."""
        return np.bincount(self.node, self.shares * values, len(self.masses)).astype(float)

    def mean(self, values: Doubles) -> float:
        """The mean of a function of the output."""
        return float(self.masses @ values)


def fibre_rule(
    teacher: Activation,
    fibres: Fibres | Folds | None = None,
    cuts: Sequence[float] = (),
    student: Activation | None = None,
) -> FibreRule:
    """The rule of a teacher.

    Arguments:
        teacher: monotone, folded once, or of the given fibres.
        fibres: its inputs of every output, for any other teacher.
        cuts: inputs at which what is averaged breaks, for a teacher without them.
        student: as steep as what is averaged, for the same; by default as the teacher.

    Raises ``InputError`` for other teachers. Heuristic.

    >>> rule = fibre_rule(Activation.named("erf"))
    >>> round(rule.mean(rule.given(rule.inputs) ** 2), 12)
    1.0
    """
    if fibres is not None:
        counts = [len(inputs) for inputs in fibres.inputs]
        node = np.repeat(np.arange(len(counts)), counts)
        return FibreRule(np.array(fibres.outputs), np.array(fibres.masses), node,
                         np.concatenate(fibres.inputs), np.concatenate(fibres.shares))  # fmt: skip
    both = [side * cut for cut in cuts for side in (1, -1) if abs(cut) < REACH]
    ends = np.unique(np.concatenate([breakpoints(teacher.value), _ENDS, both]))
    value = piecewise(teacher.value)
    steep = (student or teacher).value
    averaged = [value, piecewise(steep), piecewise(steep.derivative())]

    def probed(times: int) -> list[float]:
        places, masses = panels(ends, times)
        return [float(masses @ f(places) ** 2) for f in averaged]

    inputs, masses = panels(ends, fineness(probed, MOST_ON_LINE))
    outputs = value(inputs)
    groups = _groups(teacher, inputs)
    whole = np.bincount(groups, masses).astype(float)
    first = np.unique(groups, return_index=True)[1]
    return FibreRule(outputs[first], whole, groups, inputs, masses / whole[groups])


def _groups(teacher: Activation, inputs: Doubles) -> NDArray[np.intp]:
    """Numbers that are the same for inputs of one output."""
    keys = np.arange(len(inputs), dtype=float)
    if folding_of(teacher) == "mirrored":  # nodes are symmetric around 0
        keys = np.minimum(keys, keys[::-1])
    levels = [piece for piece in teacher.value.pieces if not piece.free_symbols]
    for number, level in enumerate(dict.fromkeys(levels)):
        pieces = [S.One if piece == level else S.Zero for piece in teacher.value.pieces]
        inside = piecewise(PiecewiseAnalytic(tuple(pieces), teacher.value.breaks))(inputs) == 1
        keys = np.where(inside, -1.0 - number, keys)
    groups: NDArray[np.intp] = np.unique(keys, return_inverse=True)[1]
    return groups


def label_noise(pair: Pair, rule: FibreRule, labels: Doubles, mu: float) -> float:
    """The mean square of a sample's pull on u, E(T - σ)²σ'², of labels at the rule's outputs.

    Arguments:
        pair: of which labels do not matter.
        rule: of its teacher.
        labels: T at the outputs.
        mu: strength.

    Heuristic.
    """
    x = mu * rule.inputs
    sigma = pair.student.value
    slope = piecewise(sigma.derivative())(x)
    error = labels[rule.node] - piecewise(sigma)(x)
    return rule.mean(rule.given(error * error * slope * slope))
