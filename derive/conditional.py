r"""What a student's slopes are on average, given the output of the teacher.

With labels ``T(y)``, ``y = φ(z)``, the drift is affine in the transform T (``derive.transforms``),
and T meets the student only through

.. math:: A(y) = E[z\,\sigma'(\mu z) \mid y], \qquad B(y) = E[\sigma''(\mu z) \mid y].

An output with several preimages weighs each by its density over the slope of φ there. Where the
teacher is monotone there is one; where it is even and monotone on either side of 0, there are two
that weigh the same; where it is constant, all inputs of that stretch have one output. Those of
polynomials are roots.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Literal

from sympy import Expr, Poly, S, cancel, cos, diff, erf, exp, oo, pi, real_roots, sin, sqrt

from derive.activation import Activation
from derive.composition import zeros
from derive.errors import InputError, quoted
from derive.means import Mean, mean_over_strengths, with_kinks
from derive.pair import Pair, PairLike
from derive.piecewise import PiecewiseAnalytic, in_order, placed
from derive.ranges import range_of
from derive.symbols import exact, mu, z

Folding = Literal["one", "mirrored", "roots", "repeated", "other"]


def folding_of(teacher: Activation) -> Folding:
    """Which preimages an output of the teacher has, apart from stretches where it is constant.

    ``one``; ``mirrored``, z and -z; the ``roots`` of a polynomial; those ``repeated`` by a sine; or
    ``other`` ones. Exact.

    >>> [folding_of(Activation.named(name)) for name in ("erf", "relu", "gauss", "sin")]
    ['one', 'one', 'mirrored', 'repeated']
    """
    signs = _signs(teacher.value)
    every, beyond = ({sign for sign, right in signs if right or whole} for whole in (True, False))
    if len(every) == 1 and 0 not in every:
        return "one"
    if teacher.parity == 1 and len(beyond) == 1 and 0 not in beyond:
        return "mirrored"
    if teacher.polynomial is not None:
        return "roots"
    return "repeated" if circle_of(teacher) else "other"


def circle_of(teacher: Activation) -> tuple[Expr, Expr, Expr] | None:
    """The middle and half the length of a stretch on which a sine is monotone, and its period.

    ``None`` if the teacher is no ``p sin(wz + d) + q`` nor a cosine. Exact.

    >>> circle_of(Activation.named("sin"))
    (0, pi/2, 2*pi)
    """
    if teacher.value.breaks:
        return None
    _, rest = teacher.value.smooth.as_independent(z, as_Add=True)
    _, wave = rest.as_independent(z, as_Add=False)
    if not isinstance(wave, sin | cos) or not wave.args[0].is_polynomial(z):
        return None
    argument = Poly(wave.args[0], z)
    if argument.degree() != 1:
        return None
    rate, phase = argument.all_coeffs()
    rises_at = S.Zero if isinstance(wave, sin) else pi / 2
    return (rises_at - phase) / rate, pi / 2 / abs(rate), 2 * pi / abs(rate)


def _signs(f: PiecewiseAnalytic) -> list[tuple[int, bool]]:
    """The sign of the slope on each piece that is not constant, 0 if it changes; if z > 0 there."""
    found = []
    for piece, low, high in f.refined(in_order((*f.breaks, S.Zero))).intervals():
        slope = diff(piece, z)
        if slope == 0:
            continue
        simple = cancel(slope) if slope.is_rational_function(z) else slope
        least, greatest = range_of(simple, low, high)
        sign = int(bool(least >= 0)) - int(bool(greatest <= 0))
        found.append((sign, bool(high == oo or placed(high) > 0)))
    return found


def preimages(teacher: Activation, output: Expr | int) -> tuple[Expr, ...]:
    """All inputs at which the teacher has an output, exactly.

    Arguments:
        teacher: an activation.
        output: a number, exact.

    Raises ``InputError`` for floats, for an output that a whole stretch has, and where they are
    not found exactly. Exact.

    >>> preimages(Activation.named("abs"), 2)
    (-2, 2)
    """
    level = exact(output)
    if teacher.polynomial is not None:
        return tuple(dict.fromkeys(real_roots(teacher.polynomial - Poly(level, z))))
    if any(piece == level for piece in teacher.value.pieces):
        raise InputError(f"a whole stretch of inputs has the output {level}: give another one")
    return zeros(teacher.value - PiecewiseAnalytic((level,)))


def conditional_means(pair: PairLike, output: Expr | int) -> tuple[Expr, Expr]:
    r"""A(y) and B(y) at an output of the teacher, in ``mu``: sums over its preimages.

    Arguments:
        pair: of which labels and loss do not matter.
        output: y, exact.

    .. math:: E[f(z) \mid y] = \frac{\sum_i w_i f(z_i)}{\sum_i w_i}, \qquad
        w_i = e^{-z_i^2/2} / |\varphi'(z_i)|

    Raises ``InputError`` as ``preimages``, for a value that is not taken or is a critical one, and
    for a student with kinks. Exact.

    >>> conditional_means("x**2", 4)  # of z = 2 and z = -2
    (8*mu, 2)
    """
    pair = Pair.of(pair)
    if any(pair.student.value.derivative().derivative().deltas):
        raise InputError(
            f"the student {quoted(pair.student.text)} has kinks: σ'' is no function there. Give a "
            "student with a continuous slope"
        )
    slope = pair.teacher.value.derivative()
    found = preimages(pair.teacher, output)
    steepness = [slope.at(point) for point in found]
    if not found or any(steep == 0 for steep in steepness):
        raise InputError(
            f"y = {output} of {quoted(pair.teacher.text)} has no conditional mean: give a value "
            "that it takes with a slope"
        )
    first = pair.student.value.derivative()
    functions = (first.scaled(mu) * z, first.derivative().scaled(mu))
    weights = [exp(-(p**2) / 2) / abs(s) for p, s in zip(found, steepness, strict=True)]
    seen = list(zip(found, weights, strict=True))
    a, b = (sum(w * _seen(f, p) for p, w in seen) / sum(weights) for f in functions)
    return a, b


def _seen(f: PiecewiseAnalytic, point: Expr) -> Expr:
    """A function with breakpoints that move, at a point; smooth ones are an expression."""
    if any(p.has(mu) for p in f.breaks):
        raise InputError("a student whose breakpoints move has no one formula: give a smooth one")
    return f.at(point)


def kinks_are_free(pair: PairLike, strength: Expr) -> bool:
    """Whether labels of any small norm move b as far as is wished.

    They do if they are 0 but at outputs next to that of a kink of the student, unless a stretch of
    inputs around the kink has one output.

    Arguments:
        pair: its teacher monotone, or folded once.
        strength: in (0, 1].

    Exact.

    >>> [kinks_are_free(name, S.Half) for name in ("abs", "hardtanh", "elu")]
    [True, False, False]
    """
    pair = Pair.of(pair)
    bent, label = pair.student.value.derivative().derivative(), pair.teacher.value
    if folding_of(pair.teacher) == "mirrored":
        bent = bent + bent.reflected()
    seen = [point / strength for point, weight in zip(bent.breaks, bent.deltas, strict=True)
            if weight != 0]  # fmt: skip
    flats = [(low, high) for piece, low, high in label.intervals() if not piece.has(z)]
    return not all(any(low < place < high for low, high in flats) for place in seen)


@dataclass(frozen=True)
class Flat:
    """A stretch on which the teacher is constant: one output, of positive probability.

    Fields: ``probability``; ``first``, ``second``: E of zσ'(μz) and of σ''(μz) over the stretch.
    Exact.
    """

    probability: Expr
    first: Mean
    second: Mean


@dataclass(frozen=True)
class ConditionalGram:
    """The means of A², AB and B², as what is to be integrated.

    Fields: ``products``, these means over outputs that have one or two preimages; ``flats``, of
    which each adds first²/p, first·second/p and second²/p. Exact.
    """

    products: tuple[Mean, Mean, Mean]
    flats: tuple[Flat, ...]


def conditional_gram(pair: PairLike) -> ConditionalGram:
    """The Gram matrix of the conditional means of a pair whose teacher is monotone, or folded once.

    Kinks of the student count where a stretch of inputs around them has one output.

    Raises ``InputError`` for other teachers. Exact.

    >>> [product.smooth for product in conditional_gram("x").products]
    [z**2, 0, 0]
    """
    pair = Pair.of(pair)
    folding = folding_of(pair.teacher)
    if folding not in ("one", "mirrored"):
        raise InputError(
            f"the means given the output of {quoted(pair.teacher.text)} are no integrals of known "
            "functions: give a teacher that is monotone, or even and monotone on either side of 0"
        )
    label, over = pair.teacher.value, partial(_mean_over, pair)

    def folded(product: Callable[..., PiecewiseAnalytic]) -> Mean:
        def of(*parts: PiecewiseAnalytic) -> PiecewiseAnalytic:
            smooth = [PiecewiseAnalytic(part.pieces, part.breaks) for part in parts]
            if folding == "mirrored":
                smooth = [(part + part.reflected()) * S.Half for part in smooth]
            return product(*smooth)

        return over(lambda piece: piece.has(z), of)

    def flat(level: Expr) -> Flat:
        def at(piece: Expr) -> bool:
            return bool(piece == level)

        return Flat(_probability(label, level), over(at, lambda a, b: a), over(at, lambda a, b: b))

    levels = dict.fromkeys(piece for piece in label.pieces if not piece.has(z))
    products = (
        folded(lambda a, b: a * a),
        folded(lambda a, b: a * b),
        folded(lambda a, b: b * b),
    )
    return ConditionalGram(products, tuple(map(flat, levels)))


def _mean_over(
    pair: Pair, choose: Callable[[Expr], bool], of: Callable[..., PiecewiseAnalytic]
) -> Mean:
    """The mean, over chosen pieces of the teacher, of what is made of zσ'(μz) and σ''(μz)."""
    first = pair.student.value.derivative()

    def integrand(
        y: PiecewiseAnalytic, slope: PiecewiseAnalytic, curvature: PiecewiseAnalytic
    ) -> PiecewiseAnalytic:
        one = y.mapped(lambda piece: S.One)
        return _kept(y, of(slope * z, with_kinks(one, curvature)), choose)

    return mean_over_strengths(pair.teacher.value, first, integrand, first.derivative())


def _kept(
    y: PiecewiseAnalytic, f: PiecewiseAnalytic, choose: Callable[[Expr], bool]
) -> PiecewiseAnalytic:
    """A function on chosen pieces of the teacher, with the δ inside them."""
    kept = [choose(piece) for piece in y.refined(f.breaks).pieces]
    pieces = (piece if keep else S.Zero for piece, keep in zip(f.pieces, kept, strict=True))
    inside = zip(f.deltas, pairwise(kept), strict=True)
    return PiecewiseAnalytic(
        tuple(pieces), f.breaks, tuple(w if all(k) else S.Zero for w, k in inside)
    )


def _probability(f: PiecewiseAnalytic, level: Expr) -> Expr:
    """Of the stretches on which a function is a constant."""
    ends = [(low, high) for piece, low, high in f.intervals() if piece == level]
    return sum(((erf(high / sqrt(2)) - erf(low / sqrt(2))) / 2 for low, high in ends), S.Zero)
