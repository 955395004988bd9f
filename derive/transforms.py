r"""The drift as an affine function of the label transform, and its polynomials.

For labels ``T(y)``, ``y = φ(z)``, and the square loss

.. math:: a = E[T A] - \mu P, \quad b = E[T B] - P, \quad P = E[(\sigma'^2 + \sigma\sigma'')(\mu g)]

with the conditional means A and B of ``derive.conditional``: as ``E[σ z σ'] = μ P`` by Stein's
lemma, labels that are 0 have the drift ``(-μP, -P)``. The growth rate is the larger eigenvalue of a
symmetric matrix that is affine in T,

.. math:: \lambda_+ = \max_\theta\, (b\cos^2\theta + a\sin 2\theta),

hence convex in T: over transforms of one norm, conditions on (a, b) included, it is largest at one
in the plane of A and B. Of polynomials the plane is that of the projections of A and B, which a
Gram matrix gives.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sympy import QQ, Expr, Matrix, Poly

from derive.conditional import conditional_gram, folding_of
from derive.elementary import proved_zero
from derive.errors import InputError
from derive.gaussian import NoClosedForm
from derive.hermite import checked_degree, polynomial_mean
from derive.means import Mean, mean_over_strengths, with_kinks
from derive.pair import Pair, PairLike
from derive.piecewise import PiecewiseAnalytic
from derive.polynomial_drift import in_strength
from derive.symbols import mu, z

MOST_POWERS = 12


@dataclass(frozen=True)
class TransformMeans:
    """What the drift and the norm of polynomial transforms are made of.

    Fields: ``power``, P; ``moments`` E yᵏ, k = 0 … 2D; ``first``, ``second``: E yᵏzσ'(μz) and
    E yᵏσ''(μz), k = 0 … D. Polynomials in ``mu`` for a pair of polynomials, else what is to be
    integrated. Exact.
    """

    power: Any
    moments: tuple[Any, ...]
    first: tuple[Any, ...]
    second: tuple[Any, ...]

    @property
    def degree(self) -> int:
        """D."""
        return len(self.first) - 1


def transform_means(pair: PairLike, degree: int) -> TransformMeans:
    """The means that polynomial transforms of a pair's labels are judged by.

    Arguments:
        pair: of which labels and loss do not matter.
        degree: D, from 1 to 12.

    Raises ``InputError`` for others, and for misaligned pre-training. Exact.

    >>> means = transform_means("He3", 1)
    >>> means.moments[2].as_expr(), means.first[1].as_expr(), means.power.as_expr()
    (6, 18*mu**2, 45*mu**4 - 36*mu**2 + 9)
    """
    pair = Pair.of(pair)
    checked_degree(degree, least=1)
    if degree > MOST_POWERS or pair.misalignment != 0:
        raise InputError(
            f"transforms of degree {degree}, misalignment {pair.misalignment}, are not accepted: "
            f"give a degree up to {MOST_POWERS}, and no misalignment"
        )
    if pair.teacher.polynomial is not None and pair.student.polynomial is not None:
        return _of_polynomials(pair.teacher.polynomial, pair.student.polynomial, degree)
    return _of_means(pair, degree)


def gram_matrix(means: TransformMeans) -> Matrix:
    """The matrix of the E yʲyᵏ of polynomial transforms, j, k = 0 … D. Exact.

    Raises ``InputError`` where moments are means that are to be integrated.

    >>> gram_matrix(transform_means("x", 2))
    Matrix([
    [1, 0, 1],
    [0, 1, 0],
    [1, 0, 3]])
    """
    size = means.degree + 1
    if not all(isinstance(moment, Poly) for moment in means.moments):
        raise InputError("moments that are integrals have no exact matrix: give polynomials")
    return Matrix(size, size, lambda j, k: means.moments[j + k].as_expr())


def none_has_positive_a(pair: PairLike, power: int, strength: Expr) -> bool:
    r"""Whether it is proved that no labels of the norm of yᵏ, or of less, have a > 0.

    Arguments:
        pair: its teacher monotone, or folded once.
        power: k, 1 or 2.
        strength: in (0, 1].

    The largest a is :math:`\sqrt{N E A^2} - \mu P`; where all three have closed forms, whether it
    is 0 is decided. ``False`` otherwise. Exact.

    >>> from sympy import S
    >>> none_has_positive_a("x", 1, S.One), none_has_positive_a("x", 2, S.One)
    (True, False)
    """
    pair = Pair.of(pair)
    if folding_of(pair.teacher) not in ("one", "mirrored"):
        return False
    means, gram = transform_means(pair, 2), conditional_gram(pair)
    try:
        asked = (means.moments[2 * power], means.power, gram.products[0])
        norm, lost, size = (_closed(mean, strength) for mean in asked)
        for flat in gram.flats:
            size += _closed(flat.first, strength) ** 2 / flat.probability
    except NoClosedForm:
        return False
    known_sign = (lost >= 0) == True  # noqa: E712 (a relation that is not decided is neither)
    return known_sign and proved_zero(norm * size - strength**2 * lost**2)


def _closed(mean: Any, strength: Expr) -> Expr:
    """A mean at a strength in closed form; raises ``NoClosedForm``."""
    known = mean.as_expr() if isinstance(mean, Poly) else mean.closed()
    return known.subs(mu, strength)


def _of_polynomials(teacher: Poly, student: Poly, degree: int) -> TransformMeans:
    label, powers = Poly(1, z, domain=QQ), []
    for _ in range(2 * degree + 1):
        powers.append(label)
        label = label * teacher
    slope, curvature = student.diff(z), student.diff((z, 2))
    spread = slope * slope + student * curvature
    return TransformMeans(
        _seen(Poly(1, z, domain=QQ), spread),
        tuple(Poly(polynomial_mean(power), mu, domain=QQ) for power in powers),
        tuple(_seen(power * Poly(z, z), slope) for power in powers[: degree + 1]),
        tuple(_seen(power, curvature) for power in powers[: degree + 1]),
    )


def _seen(factor: Poly, student: Poly) -> Poly:
    """The mean of a factor times a function of μz, as a polynomial in μ."""
    terms = student.set_domain(QQ).as_dict(native=True)
    means = {k: polynomial_mean(factor * Poly(z**k, z, domain=QQ)) for (k,) in terms}
    return in_strength({k: c * means[k] for (k,), c in terms.items()})


def _of_means(pair: Pair, degree: int) -> TransformMeans:
    sigma, label = pair.student.value, pair.teacher.value
    first = sigma.derivative()
    second = first.derivative()

    def mean(of: Callable[..., PiecewiseAnalytic]) -> Mean:
        return mean_over_strengths(label, sigma, of, first, second)

    def times(y: PiecewiseAnalytic, k: int) -> PiecewiseAnalytic:
        return y.mapped(lambda piece: piece**k)

    degrees = range(degree + 1)
    return TransformMeans(
        mean(lambda y, value, slope, curvature: with_kinks(value, curvature) + slope * slope),
        tuple(Mean((times(label, k),)) for k in range(2 * degree + 1)),
        tuple(mean(lambda y, value, slope, curvature, k=k: times(y, k) * slope * z)
              for k in degrees),
        tuple(mean(lambda y, value, slope, curvature, k=k: with_kinks(times(y, k), curvature))
              for k in degrees),
    )  # fmt: skip
