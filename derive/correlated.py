r"""Exact means of products ``f(x) g(y)`` of two correlated Gaussians, for functions of the algebra.

``f`` and ``g`` are elements of ``derive.gaussian``. The means terminate as they do there: Stein's
lemma lowers a power and trades an error function for an exponential, reweighting absorbs
exponentials, and what is left is an angle. Nothing is divided by the determinant of the covariance:
the closed forms stay finite where the Gaussians coincide.
"""

from functools import lru_cache
from typing import NamedTuple

from sympy import Add, Expr, Integer, S, Symbol, exp, expand, oo, pi, sqrt

from derive.angle import Angle
from derive.errors import InputError
from derive.gaussian import (
    GaussianFunction,
    Monomial,
    NoClosedForm,
    Sum,
    compact,
    erf_of,
    error_derivatives,
    factored,
    gather,
)
from derive.symbols import exact

_POSITIVE = Symbol("D", positive=True)  # a determinant that may be 0, until it is put in


class Covariance(NamedTuple):
    r"""Covariance of two centred Gaussians.

    Fields: variances ``first`` and ``second``; covariance ``cross``; ``determinant``
    :math:`D = pq - c^2`, given on its own so that it can be kept as a symbol of its own and
    never has to be formed by a cancellation.
    """

    first: Expr
    second: Expr
    cross: Expr
    determinant: Expr

    def swapped(self) -> "Covariance":
        """The covariance with the two Gaussians exchanged."""
        return self._replace(first=self.second, second=self.first)


def correlated_mean(
    left: GaussianFunction, right: GaussianFunction, covariance: Covariance
) -> Expr:
    r"""Mean :math:`E\,f(x)\,g(y)` of functions of two correlated centred Gaussians.

    Arguments:
        left, right: f and g, elements of the algebra.
        covariance: of ``(x, y)``, its determinant not negative.

    .. math:: E[x F] = p\,E[\partial_x F] + c\,E[\partial_y F]

    Raises ``NoClosedForm`` if there is none in the algebra, ``InputError`` if the mean is infinite.
    Source: (31), by Stein's lemma. Exact; the result is finite for D → 0 too unless both functions
    hold a δ.

    >>> from sympy import Symbol
    >>> from derive.gaussian import sign
    >>> c, d = Symbol("c", real=True), Symbol("D", positive=True)
    >>> correlated_mean(sign(), sign(), Covariance(1, 1, c, d))
    2*asin(c/sqrt(D + c**2))/pi
    """
    determinant = exact(covariance.determinant)
    if not determinant.is_positive:
        inside = correlated_mean(left, right, covariance._replace(determinant=_POSITIVE))
        return inside.subs(_POSITIVE, determinant)
    total: Sum = {}
    for x, weight in left.terms.items():
        for y, other in right.terms.items():
            gather(total, monomial_mean(x, y, covariance), weight * other)
    return Add(*(rest * factored(rational) for rest, rational in total.items()))


class _Tilted(NamedTuple):
    """The Gaussian reweighted by two exponentials: its mass, covariance and means."""

    mass: Expr
    covariance: Covariance
    first_mean: Expr
    second_mean: Expr


def _tilted(x: Monomial, y: Monomial, covariance: Covariance) -> _Tilted:
    """Reweighting by ``exp(-αx² + βx) exp(-α'y² + β'y)``: V ↦ V(1 + 2 diag(α, α') V)^-1."""
    p, q, c, d = covariance
    alpha, alpha_ = 2 * x.quadratic, 2 * y.quadratic
    weight = expand(1 + alpha * p + alpha_ * q + alpha * alpha_ * d)
    if weight.is_nonpositive:
        raise InputError("the functions grow too fast for these Gaussians: their mean is infinite")
    there = Covariance((p + alpha_ * d) / weight, (q + alpha * d) / weight, c / weight, d / weight)
    first = there.first * x.linear + there.cross * y.linear
    second = there.cross * x.linear + there.second * y.linear
    mass = exp(expand(x.linear * first + y.linear * second) / 2) / sqrt(weight)
    return _Tilted(mass, there, expand(first), expand(second))


@lru_cache(maxsize=4096)  # Stein's lemma asks for lower powers along several ways
def monomial_mean(x: Monomial, y: Monomial, covariance: Covariance) -> Sum:
    """The mean of a product of monomials, one of either Gaussian, by parts. Exact.

    Arguments:
        x, y: one of either Gaussian.
        covariance: of both.
    """
    if y.delta and not x.delta:
        return monomial_mean(y, x, covariance.swapped())
    if x.delta:
        return _at_origin(y, covariance)
    centred = x.linear == 0 and y.linear == 0
    if centred and (x.power + y.power + len(x.scales) + len(y.scales)) % 2:
        return {}
    if x.power == 0 and y.power > 0:
        return monomial_mean(y, x, covariance.swapped())
    tilted = _tilted(x, y, covariance)
    if x.power == 0:
        return _mean_without_powers(x, y, tilted)
    (p, _, c, _), lower = tilted.covariance, x._replace(power=x.power - 1)
    total: Sum = {}
    gather(total, monomial_mean(lower, y, covariance), tilted.first_mean)
    for derived, weight in _derivatives(lower):
        gather(total, monomial_mean(derived, y, covariance), weight * p)
    for derived, weight in _derivatives(y):
        gather(total, monomial_mean(lower, derived, covariance), weight * c)
    return compact(total)


def _derivatives(key: Monomial) -> list[tuple[Monomial, Expr]]:
    """The terms of the derivative but those of the exponential, which reweighting accounts for."""
    terms = error_derivatives(key)
    if key.power:
        terms.append((key._replace(power=key.power - 1), Integer(key.power)))
    return terms


def _at_origin(y: Monomial, covariance: Covariance) -> Sum:
    """E[δ(x) g(y)]: given x = 0, the other Gaussian has variance D/p."""
    p, _, _, d = covariance
    density = 1 / sqrt(2 * pi * p)
    if y.delta:
        return {1 / (2 * pi * sqrt(d)): S.One}
    total: Sum = {}
    for term in Add.make_args(GaussianFunction({y: S.One}).scaled(sqrt(d / p)).mean()):
        gather(total, {density: S.One}, term)
    return total


def _mean_without_powers(x: Monomial, y: Monomial, tilted: _Tilted) -> Sum:
    scales = [(s, 0) for s in x.scales] + [(s, 1) for s in y.scales]
    means = (tilted.first_mean, tilted.second_mean)
    if not scales:
        return {tilted.mass: S.One}
    if len(scales) == 1:
        (scale, place) = scales[0]
        variance = tilted.covariance[place]
        spread = 2 * variance if scale == oo else 1 / scale**2 + 2 * variance
        return {tilted.mass * erf_of(means[place], 1 / sqrt(spread)): S.One}
    if len(scales) == 2 and means == (0, 0):
        return {tilted.mass * _angle(scales, tilted.covariance) / pi: Integer(2)}
    raise NoClosedForm(
        f"the mean of a product of {len(scales)} error functions"
        f"{' and an exponential' if means != (0, 0) else ''} has no closed form here"
    )


def _angle(scales: list[tuple[Expr, int]], covariance: Covariance) -> Expr:
    """The angle between two error functions, the arcsine law; a sign is one of infinite scale."""
    (s, i), (t, j) = sorted(scales, key=lambda scale: scale[0] == oo)
    v, w = covariance[i], covariance[j]
    cross, determinant = (v, S.Zero) if i == j else (covariance.cross, covariance.determinant)
    if s == oo:
        return Angle(cross, determinant)
    if t == oo:
        return Angle(sqrt(2) * s * cross, w + 2 * s**2 * determinant)
    rest = 1 + 2 * s**2 * v + 2 * t**2 * w + 4 * s**2 * t**2 * determinant
    return Angle(2 * s * t * cross, expand(rest))
