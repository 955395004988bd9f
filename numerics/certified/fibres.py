r"""How a polynomial teacher folds the line: all inputs of one output, and moments given the output.

An output ``y`` has the preimages :math:`z_i`, each seen with a weight
:math:`w_i = \varphi(z_i)/|T'(z_i)|`, φ the normal density and T the teacher, so that

.. math:: E[z^k \mid y] = \frac{\sum_i w_i z_i^k}{\sum_i w_i}, \qquad
    K_{jk} = E\,E[z^j \mid y]\,E[z^k \mid y]

From a critical value :math:`y_c` on, outputs are :math:`y_c \pm s^L`: in ``s`` all preimages are
analytic, also those that meet there (``numerics.certified.branches``). So Gauss's rule converges.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import inf
from typing import Any

from flint import arb, arb_mat, ctx, fmpq, fmpq_mat, fmpq_poly
from sympy import Poly

from derive.errors import InputError, Undecided, quoted
from derive.hermite import normal_moment
from numerics.certified.balls import evaluate, flint_polynomial
from numerics.certified.bisection import bisected
from numerics.certified.branches import Branch, Half, Turn
from numerics.certified.gauss import ELLIPSE, nodes_for, rule

_BITS = 128  # of working precision
_SMALL = arb(1) / 2**72
_REACH = 13  # standard deviations beyond which preimages are bounded only
_FINEST = 80  # halvings of a cell
_MOST_DEGREE = 30


@dataclass(frozen=True)
class Fibres:
    """The inputs of every output of a polynomial teacher, with the moments they have.

    Fields: ``moments``, the matrix K, certified; ``outputs``, ``masses``: nodes and weights of a
    rule for means over outputs; ``inputs`` and ``shares`` there, a list for each node, of which the
    shares are the probabilities given the output. The last four are doubles.
    """

    moments: arb_mat
    outputs: tuple[float, ...]
    masses: tuple[float, ...]
    inputs: tuple[tuple[float, ...], ...]
    shares: tuple[tuple[float, ...], ...]


@lru_cache(maxsize=64)
def fibres_of(teacher: Poly, degree: int) -> Fibres:
    """The fibres of a polynomial teacher.

    Arguments:
        teacher: in one symbol, over the rationals, of degree 1 to 30.
        degree: the largest of the moments, at least 0.

    Raises ``InputError`` for other teachers, ``Undecided`` if critical values are not told apart.
    Certified: every entry of ``moments`` contains the true one.

    >>> from sympy.abc import x
    >>> moments = fibres_of(Poly(x**3 - 3 * x, x, domain="QQ"), 1).moments
    >>> moments[0, 0].contains(1), 0.66 < moments[1, 1] < 0.67
    (True, True)
    """
    rational = teacher.domain.is_QQ or teacher.domain.is_ZZ
    if not rational or not 1 <= teacher.degree() <= _MOST_DEGREE:
        raise InputError(
            f"the fibres of {quoted(teacher.as_expr())} are not enclosed: give a polynomial "
            f"with rational coefficients, of degree 1 to {_MOST_DEGREE}"
        )
    with ctx.workprec(_BITS):
        sizes = [arb(normal_moment(2 * k)).sqrt() for k in range(degree + 1)]
        halves = _halves(flint_polynomial(teacher.set_domain("QQ")))
        whole = [(half, 0, 1) for half in halves]
        cells = [cell for part in whole for cell in bisected(part, lambda p: _decide(*p, sizes))]
        error = sum((cell.error for cell in cells), arb(0))
        rows = [node.row(degree) for cell in cells for node in cell.nodes]
        matrix = arb_mat(rows)
        missed = [[arb(0, (error * one * two).upper()) for two in sizes] for one in sizes]
        moments = matrix.transpose() * matrix + arb_mat(missed) + _tail(degree)
        nodes = [node.doubles() for cell in cells for node in cell.nodes]
        return Fibres(moments, *map(tuple, zip(*nodes, strict=True)))


def _tail(degree: int) -> arb_mat:
    """What outputs whose preimages all lie beyond the reach add at most, by Jensen's inequality."""
    sizes, reach = [], arb(_REACH)
    for k in range(degree + 1):
        decay = arb(_REACH - fmpq(2 * k, _REACH))  # at which z^2k exp(-z²/2) falls there
        ends = reach ** (2 * k) * (-reach * reach / 2).exp() / decay
        sizes.append((2 * ends / (2 * arb.pi()).sqrt()).sqrt())
    return arb_mat([[arb(0, (one * two).upper()) for two in sizes] for one in sizes])


# The line, cut where the teacher turns.


def _halves(teacher: fmpq_poly) -> Iterator[Half]:
    """Outputs from each critical value on, up to halfway to the next, or far away."""
    values, turns = _critical(teacher)
    branches = list(_branches(teacher, turns))
    mirrored = not any(teacher[k] for k in range(1, teacher.degree() + 1, 2))
    if mirrored:  # the middle turn is at 0
        branches = branches[len(branches) // 2 :]
    inside = [abs(evaluate(teacher, arb(side * _REACH))) for side in (-1, 1)]
    far = max(each.upper() for each in [*inside, *map(abs, values)]) + 1
    for rank, value in enumerate(values):
        for side in (-1, 1):
            inner = 0 <= rank + side < len(values)
            end = (values[rank + side] + value).mid() / 2 if inner else side * far.mid()
            covering = [branch for branch in branches if branch.covers(rank, side)]
            if covering:
                reach, kept = side * (end - value), tuple(covering)
                yield Half(teacher, value, side, reach, rank, kept, not inner, mirrored)


def _branches(teacher: fmpq_poly, turns: Sequence[Turn]) -> Iterator[Branch]:
    """The monotone parts of the line, from left to right."""
    rises_last = teacher[teacher.degree()] > 0
    rises_first = rises_last == (teacher.degree() % 2 == 1)
    for low, high in pairwise([None, *turns, None]):
        first = low.rank if low else (-inf if rises_first else inf)
        last = high.rank if high else (inf if rises_last else -inf)
        yield Branch(low, high, (first, last))


def _critical(teacher: fmpq_poly) -> tuple[list[arb], list[Turn]]:
    """Critical values in order, and the turns; which of them share a value is decided exactly.

    Without any, the value at 0 stands for them.
    """
    slope = teacher.derivative()
    places = [(root, power + 1) for root, power in _real_roots(slope)]
    if not places:
        return [evaluate(teacher, arb(0))], []
    places.sort(key=lambda each: float(each[0].mid()))
    values = _values_at_roots(teacher, slope)
    met = [[rank for rank, value in enumerate(values) if evaluate(teacher, place).overlaps(value)]
           for place, _ in places]  # fmt: skip
    if any(len(ranks) != 1 for ranks in met):
        raise Undecided("two critical values of the teacher are not told apart")
    known = sorted({rank for (rank,) in met})
    turns = [Turn(place, order, known.index(rank))
             for (place, order), (rank,) in zip(places, met, strict=True)]  # fmt: skip
    return [values[rank] for rank in known], turns


def _values_at_roots(teacher: fmpq_poly, slope: fmpq_poly) -> list[arb]:
    """The real ones of the teacher's values at roots of its slope, once each.

    They are the eigenvalues of multiplication by the teacher modulo its slope.
    """
    n, rest = slope.degree(), teacher % slope
    rows = []
    for _ in range(n):
        rows.append([rest[i] for i in range(n)])
        rest = (rest * fmpq_poly([0, 1])) % slope
    roots = [root for root, _ in _real_roots(fmpq_mat(rows).charpoly())]
    return sorted(roots, key=lambda root: float(root.mid()))


def _real_roots(polynomial: fmpq_poly) -> list[tuple[arb, int]]:
    """All real roots with their multiplicities."""
    found: list[tuple[arb, int]] = []
    for factor, power in polynomial.numer().factor_squarefree()[1]:
        roots: Any = factor.complex_roots() if factor.degree() > 0 else []
        found += [(root.real, power) for root, _ in roots if root.imag.is_zero()]
    return found


# Means over outputs, cell by cell.


def _moments(shares: Sequence[Any], inputs: Sequence[Any], half: Half, degree: int) -> list[Any]:
    """All moments up to a degree, given the output."""
    powers, found = list(shares), []
    for k in range(degree + 1):
        found.append(0 * powers[0] if half.mirrored and k % 2 else sum(powers, 0 * powers[0]))
        powers = [power * x for power, x in zip(powers, inputs, strict=True)]
    return found


@dataclass(frozen=True)
class _Node:
    """A node of the rule: an output's mass, its preimages and their parts of the mass."""

    half: Half
    output: arb
    mass: arb
    inputs: tuple[arb, ...]
    shares: tuple[arb, ...]

    def row(self, degree: int) -> list[arb]:
        """Moments given the output, times the root of the mass."""
        root = self.mass.sqrt()
        return [root * moment for moment in _moments(self.shares, self.inputs, self.half, degree)]

    def doubles(self) -> tuple[float, float, tuple[float, ...], tuple[float, ...]]:
        """The same as doubles, with the mirror images."""
        inputs = [float(x.mid()) for x in self.inputs]
        shares = [float(share.mid()) for share in self.shares]
        if self.half.mirrored:
            inputs, shares = [*inputs, *(-x for x in inputs)], [share / 2 for share in 2 * shares]
        return float(self.output.mid()), float(self.mass.mid()), tuple(inputs), tuple(shares)


@dataclass(frozen=True)
class _Cell:
    """The nodes of a cell, and what the rule misses there, relative to the moments."""

    nodes: tuple[_Node, ...]
    error: arb


_Part = tuple[Half, int, int]  # the c-th of 2^k parts of a half


def _decide(half: Half, place: int, parts: int, sizes: Sequence[arb]) -> tuple[
    list[_Cell], list[_Part]
]:  # fmt: skip
    """A cell with its error, or its two halves."""
    width = half.length / parts
    middle, radius = ((place + fmpq(1, 2)) * width).mid(), (width / 2).mid()
    halves = [(half, 2 * place, 2 * parts), (half, 2 * place + 1, 2 * parts)]
    bound = _bound(half, middle, radius, sizes)
    count = None if bound is None else nodes_for(bound * radius, _SMALL)
    if bound is None or count is None or not bound * half.spread < _SMALL:
        if parts > 2**_FINEST:
            raise Undecided("the fibres of the teacher are not enclosed: give a simpler one")
        return [], halves
    places, weights = rule(count)
    found = half.preimages([middle + radius * x for x in places])
    if found is None:
        return [], halves
    nodes = []
    for at, weight, seen in zip(places, weights, found, strict=True):
        s, (inputs, parts_of_mass) = middle + radius * at, zip(*seen, strict=True)
        mass = sum(parts_of_mass, arb(0))
        whole = mass * s**half.common * weight * radius * (1 + half.mirrored)
        shares = tuple(part / mass for part in parts_of_mass)
        nodes.append(_Node(half, half.output(s), whole, inputs, shares))
    left_out = bound * (radius * ELLIPSE.error(count) + half.spread)
    return [_Cell(tuple(nodes), left_out)], []


def _bound(half: Half, middle: arb, radius: arb, sizes: Sequence[arb]) -> arb | None:
    """A bound of what is integrated, over the moments, on the ellipse around a cell."""
    seen = half.around(middle, radius)
    if seen is None:
        return None
    inputs, masses = zip(*seen, strict=True)
    mass = sum(masses, 0 * masses[0])
    shares = [1 + 0 * mass] if len(masses) == 1 else [part / mass for part in masses]
    factor = abs(ELLIPSE.box(middle, radius)).upper() ** half.common * (1 + half.mirrored)
    density = (abs(mass) * factor).upper()
    moments = _moments(shares, inputs, half, len(sizes) - 1)
    ratios = [(abs(moment) / size).upper() for moment, size in zip(moments, sizes, strict=True)]
    bound = max(ratio * ratio * density for ratio in ratios)
    return bound if all(ratio.is_finite() for ratio in ratios) and bound.is_finite() else None
