r"""Teachers that repeat or turn once: all inputs of an output, and means given the output.

A stretch of inputs stands for all inputs of the same outputs. With the others :math:`x_i(z)` of an
input z of the stretch, and p the normal density,

.. math:: E\,E[f \mid y]\,E[g \mid y] = \int \frac{N_f N_g}{M}\,dz, \qquad
    N_f = \sum_i p(x_i)\,|x_i'|\,f(x_i), \quad M = \sum_i p(x_i)\,|x_i'|

which Gauss's rule integrates cell by cell. Inputs of a set t beyond ±R are left out, whatever their
outputs: to know also whether an input is one of them adds at most :math:`4q_f` to
:math:`E\,E[f \mid y]^2`, they themselves give at most :math:`q_f = \sqrt{P(t)\,E f^4}`, and a mixed
mean is off by at most :math:`5\sqrt{q_f q_g}`.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from flint import acb, arb, ctx, fmpq
from sympy import Expr

from derive.activation import Activation
from derive.conditional import circle_of
from derive.errors import InputError, Undecided, quoted
from derive.symbols import mu, z
from numerics.certified.expressions import ball_function
from numerics.certified.gauss import ELLIPSE, nodes_for, rule
from numerics.certified.majorants import majorant
from numerics.certified.turns import REACH, Images, Seen, Stretch, turned

_BITS = 512  # of working precision for inputs: 1 + erf and 1 + tanh cancel far out
_SMALL = arb(1) / 2**72
_NOTHING = arb(1) / 2**90
_ENOUGH = arb(1) / 2**64  # that a cell may miss at a strength
_FINEST = 2**40
_MIDDLE = 8  # standard deviations within which a fourth power is bounded shell by shell
_MOST_IMAGES = 60


@lru_cache(maxsize=16)
def folds_of(teacher: Activation) -> "Folds":
    """The stretches of a teacher that is a sine, or analytic and turns at most once within reach.

    Raises ``InputError`` for others. Certified.

    >>> folds = folds_of(Activation.named("silu"))
    >>> len(folds.stretches), max(len(inputs) for inputs in folds.inputs)
    (2, 2)
    """
    with ctx.workprec(_BITS):
        stretches = _repeated(teacher) or turned(teacher)
        if stretches is None:
            raise InputError(
                f"the preimages of {quoted(teacher.text)} are not known: give a teacher that is "
                "monotone, even and monotone on either side of 0, a polynomial, a sine, or "
                "analytic with one turn"
            )
        return Folds(teacher, tuple(stretches))


def _repeated(teacher: Activation) -> list[Stretch] | None:
    """Half a period of a sine or a cosine, and all its images within reach."""
    circle = circle_of(teacher)
    if circle is None:
        return None
    middle, half, period = (ball_function(number, [])() for number in circle)
    low, high = middle - half, middle + half
    most = int(float((REACH + abs(middle) + 2 * period) / period)) + 1
    maps = []
    for k in sorted(range(-most, most + 1), key=abs):
        for sign, shift in ((1, k * period), (-1, 2 * high + k * period)):
            ends = sorted((float(sign * low + shift), float(sign * high + shift)))
            if ends[0] < REACH + 1 and ends[1] > -REACH - 1:
                maps.append((sign, shift))
    if len(maps) > _MOST_IMAGES:
        raise InputError(f"{quoted(teacher.text)} repeats too often: give one of a longer period")
    return [Images(low, high, tuple(maps))]


@dataclass(frozen=True)
class _Node:
    """A node of the rule: its mass, and the inputs of its output with their parts of the mass."""

    mass: arb
    inputs: tuple[arb, ...]
    shares: tuple[arb, ...]


@dataclass(frozen=True)
class _Cell:
    """The c-th of 2^k parts of a stretch."""

    stretch: Stretch
    place: int
    parts: int

    @cached_property
    def _whole(self) -> tuple[arb, arb]:
        """Its middle and its radius, as balls."""
        with ctx.workprec(_BITS):
            low, high = self.stretch.low.mid(), self.stretch.high.mid()
            width = (high - low) / self.parts
            return low + (self.place + fmpq(1, 2)) * width, width / 2

    @property
    def _interval(self) -> tuple[arb, arb]:
        middle, radius = self._whole
        return middle.mid(), radius.mid()

    @cached_property
    def halves(self) -> tuple["_Cell", "_Cell"]:
        """Its two parts."""
        if self.parts >= _FINEST:
            raise Undecided("the inputs of the teacher's outputs are not enclosed: give another")
        first = (self.stretch, 2 * self.place, 2 * self.parts)
        return _Cell(*first), _Cell(self.stretch, 2 * self.place + 1, 2 * self.parts)

    @cached_property
    def box(self) -> tuple[Seen, arb] | None:
        """Inputs and shares on the ellipse around it, and a bound of the density there."""
        with ctx.workprec(_BITS):
            seen = self.stretch.around(*self._interval)
            if seen is None:
                return None
            mass = sum((part for _, part in seen), 0 * seen[0][1])
            bound = abs(mass).upper()
            shared = [(x, part / mass if len(seen) > 1 else 1 + 0 * part) for x, part in seen]
            finite = bound.is_finite() and all(x.is_finite() and w.is_finite() for x, w in shared)
            return (shared, bound) if finite else None

    @cached_property
    def count(self) -> int | None:
        """How many nodes it takes, none where next to nothing lies; ``None`` if too many."""
        if self.box is None:
            return None
        seen, bound = self.box
        size = max((1 + abs(x)).upper() ** 4 for x, _ in seen)
        weight = bound * size * self._interval[1]
        return 0 if weight < _NOTHING else nodes_for(weight, _SMALL)

    @cached_property
    def missed(self) -> arb:
        """What the rule misses at most of what is 1 at most on the ellipse, ends included."""
        assert self.box is not None
        assert self.count is not None
        ends = self.stretch.low.rad() + self.stretch.high.rad()
        ends += 2 * sum((part.rad() for part in self._whole), arb(0))  # of each of its own
        factor = ELLIPSE.error(self.count) if self.count else arb(2)
        return (self.box[1] * (self._interval[1] * factor + ends)).upper()

    @cached_property
    def nodes(self) -> tuple[_Node, ...] | None:
        """The nodes of the rule, ``None`` if an input is not enclosed."""
        if not self.count:
            return ()
        (middle, radius), made = self._interval, []
        with ctx.workprec(_BITS):
            for place, weight in zip(*rule(self.count), strict=True):
                seen = self.stretch.at(middle + radius * place)
                if seen is None:
                    return None
                mass = sum((part for _, part in seen), arb(0))
                shares = tuple(part / mass for _, part in seen)
                made.append(_Node(mass * weight * radius, tuple(x for x, _ in seen), shares))
        return tuple(made)

    def leaves(self) -> Iterator["_Cell"]:
        """It, or the parts of it that have a rule."""
        if self.count is not None and self.nodes is not None:
            yield self
        else:
            for half in self.halves:
                yield from half.leaves()


BallFunction = Callable[..., Any]


@dataclass(frozen=True)
class Folds:
    """The inputs of every output of a teacher.

    Fields: ``teacher``; ``stretches`` that stand for all inputs within reach. ``outputs``,
    ``masses``, ``inputs``, ``shares`` are a rule for means over outputs in doubles, as
    ``numerics.certified.fibres.Fibres`` has it.
    """

    teacher: Activation
    stretches: tuple[Stretch, ...]

    @cached_property
    def _cells(self) -> list[_Cell]:
        whole = [_Cell(stretch, 0, 1) for stretch in self.stretches]
        return [leaf for cell in whole for leaf in cell.leaves()]

    @cached_property
    def _nodes(self) -> list[_Node]:
        return [node for cell in self._cells for node in cell.nodes or ()]

    @property
    def masses(self) -> tuple[float, ...]:
        """Probabilities of the nodes."""
        return tuple(float(node.mass) for node in self._nodes)

    @property
    def inputs(self) -> tuple[tuple[float, ...], ...]:
        """The inputs at each node."""
        return tuple(tuple(map(float, node.inputs)) for node in self._nodes)

    @property
    def shares(self) -> tuple[tuple[float, ...], ...]:
        """Their probabilities given the output."""
        return tuple(tuple(map(float, node.shares)) for node in self._nodes)

    @property
    def outputs(self) -> tuple[float, ...]:
        """The teacher's outputs there."""
        value = ball_function(self.teacher.value.smooth, [z])
        with ctx.workprec(_BITS):
            return tuple(float(value(node.inputs[0])) for node in self._nodes)

    def gram(self, student: Activation) -> Callable[[fmpq], tuple[arb, arb, arb]]:
        """The means of A², AB and B² of an analytic student, as functions of the strength.

        Raises ``InputError`` for a student with breakpoints. Certified.
        """
        if student.value.breaks:
            raise InputError(
                f"the student {quoted(student.text)} has breakpoints: with the teacher "
                f"{quoted(self.teacher.text)} give one that is analytic"
            )
        slope = student.value.smooth.diff(z)
        parts = [z * slope.subs(z, mu * z), slope.diff(z).subs(z, mu * z)]
        reals = [ball_function(part, [z, mu]) for part in parts]
        boxes = [_analytic(part) for part in parts]
        sizes = [_fourth_root_of_mean(part) for part in parts]
        return lambda strength: self._gram(strength, reals, boxes, sizes)

    def _gram(
        self,
        strength: fmpq,
        reals: Sequence[BallFunction],
        boxes: Sequence[BallFunction],
        sizes: Sequence[arb],
    ) -> tuple[arb, arb, arb]:
        at = arb(strength)
        sums, waiting = [arb(0)] * 3, list(self._cells)
        while waiting:
            cell = waiting.pop()
            bounds = [_most(cell, box, at) for box in boxes]
            square = sum((bound * bound for bound in bounds), arb(0))  # max would lose a nan
            missed = (square * cell.missed).upper()
            if not missed < _ENOUGH:  # also if it is not finite
                waiting += [leaf for half in cell.halves for leaf in half.leaves()]
                continue
            found = [arb(0, missed)] * 3
            for node in cell.nodes or ():
                a, b = (_given(node, real, at) for real in reals)
                products = (a * a, a * b, b * b)
                found = [one + node.mass * two for one, two in zip(found, products, strict=True)]
            sums = [one + two for one, two in zip(sums, found, strict=True)]
        beyond = (-(arb(REACH) ** 2) / 2).exp()  # P(|z| > R) at most, as R > 1
        a, b = sizes
        left_out = (a * a, a * b, b * b)
        aa, ab, bb = (
            total + arb(0, (5 * beyond.sqrt() * size).upper())
            for total, size in zip(sums, left_out, strict=True)
        )
        return aa, ab, bb


def _given(node: _Node, function: BallFunction, strength: arb) -> arb:
    """The mean of a function of the input given the output."""
    pairs = zip(node.inputs, node.shares, strict=True)
    return sum((share * function(x, strength) for x, share in pairs), arb(0))


def _most(cell: _Cell, function: BallFunction, strength: arb) -> arb:
    """A bound of the same on the ellipse, not finite where it is not analytic."""
    assert cell.box is not None
    return sum((abs(share * function(x, strength)) for x, share in cell.box[0]), arb(0)).upper()


def _analytic(part: Expr) -> BallFunction:
    function = ball_function(part, [z, mu], acb)
    return lambda x, strength: function(x + acb(0), acb(strength), analytic=True)


def _fourth_root_of_mean(part: Expr) -> arb:
    """A bound of (E f⁴)^(1/4) for all strengths."""
    bound = majorant(part)
    fourth = bound * bound * bound * bound
    tail = fourth.tail(_MIDDLE)
    if tail is None:
        raise InputError("the student grows too fast for means given the output to be bounded")
    for k in range(_MIDDLE):  # P(|z| > k) is at most exp(-k²/2)
        exponent = fourth.linear * (k + 1) + fourth.quadratic * (k + 1) ** 2 - fmpq(k * k, 2)
        tail += arb(fourth.polynomial(k + 1)) * arb(exponent).exp()
    return tail.root(4)
