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
from typing import Literal

from sympy import Expr, Poly, S, cancel, diff, erf, exp, oo, real_roots, sqrt

from derive.activation import Activation
from derive.composition import zeros
from derive.errors import InputError
from derive.means import Mean, mean_over_strengths
from derive.pair import Pair, PairLike
from derive.piecewise import PiecewiseAnalytic, in_order, placed
from derive.ranges import range_of
from derive.symbols import exact, mu, z

Folding = Literal["one", "mirrored", "roots"]


def folding_of(teacher: Activation) -> Folding:
    """Which preimages an output of the teacher has, apart from stretches where it is constant.

    ``one``; ``mirrored``, z and -z; or the ``roots`` of a polynomial.

    Raises ``InputError`` where they are not known. Exact.

    >>> [folding_of(Activation.named(name)) for name in ("erf", "relu", "gauss")]
    ['one', 'one', 'mirrored']
    """
    signs = _signs(teacher.value)
    every, beyond = ({sign for sign, right in signs if right or whole} for whole in (True, False))
    if len(every) == 1 and 0 not in every:
        return "one"
    if teacher.parity == 1 and len(beyond) == 1 and 0 not in beyond:
        return "mirrored"
    if teacher.polynomial is not None:
        return "roots"
    raise InputError(
        f"the preimages of {teacher.text[:60]!r} are not known: give a teacher that is monotone, "
        "even and monotone on either side of 0, or a polynomial"
    )


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
    insist_on_smooth_slope(pair.student)
    slope = pair.teacher.value.derivative()
    found = preimages(pair.teacher, output)
    steepness = [slope.at(point) for point in found]
    if not found or any(steep == 0 for steep in steepness):
        raise InputError(
            f"y = {output} of {pair.teacher.text[:60]!r} has no conditional mean: give a value "
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


def insist_on_smooth_slope(student: Activation) -> None:
    """Raise ``InputError`` for a student with kinks, whose b labels move at no cost of norm."""
    if any(student.value.derivative().derivative().deltas):
        raise InputError(
            f"the student {student.text[:60]!r} has kinks: σ'' is no function there, and a "
            "transform of any small norm moves b as far as is wished. Give a student with a "
            "continuous slope"
        )


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

    Raises ``InputError`` for other teachers, and for a student with kinks. Exact.

    >>> [product.smooth for product in conditional_gram("x").products]
    [z**2, 0, 0]
    """
    pair = Pair.of(pair)
    insist_on_smooth_slope(pair.student)
    folding = folding_of(pair.teacher)
    if folding == "roots":
        raise InputError("the preimages of a polynomial are roots: these means are no integrals")
    label = pair.teacher.value
    first = pair.student.value.derivative()

    def over(
        choose: Callable[[Expr], bool], of: Callable[..., PiecewiseAnalytic], whole: bool = True
    ) -> Mean:
        """The mean over pieces of the line of what is made of zσ'(μz) and σ''(μz)."""

        def integrand(
            y: PiecewiseAnalytic, slope: PiecewiseAnalytic, curvature: PiecewiseAnalytic
        ) -> PiecewiseAnalytic:
            parts = [slope * z, curvature]
            if folding == "mirrored" and whole:
                parts = [(part + part.reflected()) * S.Half for part in parts]
            made = of(*parts)
            kept = zip(made.pieces, y.refined(made.breaks).pieces, strict=True)
            pieces = tuple(f if choose(piece) else S.Zero for f, piece in kept)
            return PiecewiseAnalytic(pieces, made.breaks)

        return mean_over_strengths(label, first, integrand, first.derivative())

    def folded(product: Callable[..., PiecewiseAnalytic]) -> Mean:
        return over(lambda piece: piece.has(z), product)

    def flat(level: Expr) -> Flat:
        first = over(lambda piece: bool(piece == level), lambda a, b: a, False)
        second = over(lambda piece: bool(piece == level), lambda a, b: b, False)
        return Flat(_probability(label, level), first, second)

    levels = dict.fromkeys(piece for piece in label.pieces if not piece.has(z))
    products = (
        folded(lambda a, b: a * a),
        folded(lambda a, b: a * b),
        folded(lambda a, b: b * b),
    )
    return ConditionalGram(products, tuple(map(flat, levels)))


def _probability(f: PiecewiseAnalytic, level: Expr) -> Expr:
    """Of the stretches on which a function is a constant."""
    ends = [(low, high) for piece, low, high in f.intervals() if piece == level]
    return sum(((_below(high) - _below(low)) for low, high in ends), S.Zero)


def _below(end: Expr) -> Expr:
    if end in (oo, -oo):
        return S.One if end == oo else S.Zero
    return (1 + erf(end / sqrt(2))) / 2
