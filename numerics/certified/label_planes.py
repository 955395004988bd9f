r"""What labels of a pair can do at a strength: the plane of all transforms, and of polynomials.

The Gram matrix of the conditional means A and B is enclosed: from moments given the output for a
pair of polynomials (``numerics.certified.fibres``), by quadrature for a teacher that is monotone or
folded once (``derive.conditional``), cell by cell for a sine and for other teachers that turn once
(``numerics.certified.folds``). Polynomials of degree D have the same geometry with the
projections of A and B, ``c = G⁻¹ (E yᵏ·)``, G their Gram matrix.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flint import arb, arb_mat, fmpq, fmpq_mat
from sympy import Poly, Rational

from derive.conditional import Folding, conditional_gram, folding_of, kinks_are_free
from derive.errors import InputError, quoted
from derive.pair import Pair
from derive.transforms import TransformMeans, transform_means
from numerics.certified.best_labels import Plane
from numerics.certified.drift import BallFunction, enclosed
from numerics.certified.fibres import Fibres, fibres_of
from numerics.certified.folds import Folds, folds_of

BITS = 128  # of working precision that enclosures here are made for
_LEAST = 2  # degree of transforms that are always judged: squared labels


@dataclass(frozen=True)
class LabelPlanes:
    """What labels of a pair can do.

    Fields: ``pair``, of which labels do not matter; ``degree`` D of polynomials. Certified.
    """

    pair: Pair
    degree: int

    @cached_property
    def means(self) -> TransformMeans:
        """Of polynomial transforms."""
        return transform_means(self.pair, max(self.degree, _LEAST))

    @cached_property
    def _power(self) -> BallFunction:
        return enclosed(self.means.power)

    @cached_property
    def _moments(self) -> list[arb]:
        return [enclosed(moment)(fmpq(1, 2)) for moment in self.means.moments]

    @cached_property
    def _columns(self) -> tuple[list[BallFunction], list[BallFunction]]:
        first, second = self.means.first, self.means.second
        return [enclosed(mean) for mean in first], [enclosed(mean) for mean in second]

    def norm(self, power: int) -> arb:
        """The norm E y²ᵏ of labels yᵏ, k = 1 or 2."""
        return self._moments[2 * power]

    def power_labels(self, power: int, strength: fmpq) -> tuple[arb, arb]:
        """a and b of labels yᵏ."""
        lost = self._power(strength)
        first, second = (column[power](strength) for column in self._columns)
        return first - strength * lost, second - lost

    def of_polynomials(self, strength: fmpq) -> tuple[Plane, list[tuple[arb, arb]]]:
        """The plane of polynomial transforms, and the coefficients of A and B projected."""
        size = self.degree + 1
        sides = arb_mat([[f(strength) for f in column[:size]] for column in self._columns])
        weights = self._inverse * sides.transpose()
        gram = sides * weights
        plane = Plane(gram[0, 0], gram[0, 1], gram[1, 1], self._power(strength), arb(strength))
        return plane, [(weights[k, 0], weights[k, 1]) for k in range(size)]

    @cached_property
    def _inverse(self) -> arb_mat:
        """The inverse of the Gram matrix, exact where its entries are."""
        size, moments = range(self.degree + 1), self.means.moments
        if all(isinstance(moment, Poly) for moment in moments):
            entries = [fmpq(int(c.p), int(c.q)) for c in (m.as_expr() for m in moments)]
            return arb_mat(fmpq_mat([[entries[j + k] for k in size] for j in size]).inv())
        return arb_mat([[self._moments[j + k] for k in size] for j in size]).inv()

    def of_all(self, strength: fmpq) -> Plane:
        """The plane of all transforms."""
        first, mixed, second = self._gram(strength)
        free = self._kinked and kinks_are_free(
            self.pair, Rational(int(strength.p), int(strength.q))
        )
        return Plane(first, mixed, second, self._power(strength), arb(strength), free)

    @cached_property
    def _kinked(self) -> bool:
        return any(self.pair.student.value.derivative().derivative().deltas)

    @cached_property
    def fibres(self) -> Fibres | Folds | None:
        """The inputs of every output, ``None`` for a teacher that is monotone or folded once."""
        teacher, student = self.pair.teacher.polynomial, self.pair.student.polynomial
        if teacher is not None and student is not None:
            return fibres_of(teacher, student.degree())
        return folds_of(self.pair.teacher) if self._folding in ("repeated", "other") else None

    @cached_property
    def _folding(self) -> Folding:
        return folding_of(self.pair.teacher)

    @cached_property
    def _gram(self) -> Callable[[fmpq], Sequence[arb]]:
        fibres, student = self.fibres, self.pair.student.polynomial
        if isinstance(fibres, Fibres) and student is not None:
            return lambda strength: _of_moments(fibres.moments, student, strength)
        if isinstance(fibres, Folds):
            return fibres.gram(self.pair.student)
        if self._folding == "roots":
            raise InputError(
                f"a student {quoted(self.pair.student.text)} that is no polynomial needs a teacher "
                "whose outputs have one or two inputs: give a monotone one, or two polynomials"
            )
        gram = conditional_gram(self.pair)
        products = [enclosed(product) for product in gram.products]
        flats = [tuple(map(enclosed, (flat.first, flat.second, flat.probability)))
                 for flat in gram.flats]  # fmt: skip

        def entries(strength: fmpq) -> Sequence[arb]:
            found = [product(strength) for product in products]
            for flat in flats:
                a, b, mass = (part(strength) for part in flat)
                more = (a * a / mass, a * b / mass, b * b / mass)
                found = [one + two for one, two in zip(found, more, strict=True)]
            return found

        return entries


def _of_moments(moments: arb_mat, student: Poly, strength: fmpq) -> tuple[arb, arb, arb]:
    r"""E A², E AB, E B² where zσ'(μz) and σ''(μz) are polynomials of z."""
    slope, curvature = student.diff(), student.diff().diff()
    size = moments.nrows()
    a, b = (arb_mat([_at_strength(f, strength, shift, size)])
            for f, shift in ((slope, 1), (curvature, 0)))  # fmt: skip

    def product(one: arb_mat, two: arb_mat) -> arb:
        return (one * moments * two.transpose())[0, 0]

    return product(a, a), product(a, b), product(b, b)


def _at_strength(f: Poly, strength: fmpq, shift: int, size: int) -> list[Any]:
    """Coefficients of z^shift f(μz) by powers of z."""
    found = [fmpq(0)] * size
    for k, c in enumerate(reversed(f.all_coeffs())):
        if c:
            found[k + shift] = fmpq(int(c.p), int(c.q)) * strength**k
    return found
