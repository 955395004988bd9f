"""Certificates of singularities: what lets another program verify them, in integers and fractions.

A certificate holds a pair of polynomials, its drift, cells that cover (0, 1) with at most one zero
of ``a`` each, and what is found at every zero. ``docs/howto/checker.py`` derives the drift itself
and verifies the rest. Every number has one right value only, so that a wrong digit is noticed.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import reduce
from math import factorial
from operator import mul
from typing import Any, Self

from flint import fmpq, fmpq_poly, fmpz_poly
from sympy import Poly

from derive.activation import Activation
from derive.drift import AnyDrift, Drift
from derive.errors import InputError, quoted
from derive.hermite import normal_moment
from derive.pair import Pair
from derive.polynomial_drift import in_strength
from numerics.certified.balls import Enclosure, evaluate, flint_polynomial
from numerics.certified.bisection import bisected
from numerics.certified.precision import settled
from numerics.certified.roots import (
    RealRoot,
    enclose_root,
    halves,
    isolate_roots,
    most_roots,
    vanishes_at,
)
from numerics.certified.singularities import Singularity
from numerics.certified.zeros import Stretch

FORMAT = "lora-escape certificates 1"
HIGHEST_DEGREE = 200  # of a student: checking takes a minute there, and grows as its fourth power
_FIRST_BITS = 64
_HALF = fmpq(1, 2)
_Cell = tuple[fmpz_poly, int, int]  # a polynomial, and its place: the c-th of 2^k parts
_Factors = list[tuple[fmpz_poly, int]]  # with their multiplicities


class Zeros(tuple[Singularity, ...]):
    """All singularities of a pair, with the pair and its drift: what a certificate is made of."""

    pair: Pair
    drift: AnyDrift

    def __new__(cls, found: Iterable[Singularity], pair: Pair, drift: AnyDrift) -> Self:
        """The list, which remembers whose it is."""
        self = super().__new__(cls, found)
        self.pair, self.drift = pair, drift
        return self


def certifiable(activation: Activation) -> Poly:
    """The polynomial of an activation; raises ``InputError`` where there are no certificates.

    >>> certifiable(Activation.named("identity")).as_expr()
    z
    """
    found = activation.polynomial
    if found is None:
        raise InputError(
            f"a certificate for {quoted(activation.text)} is not accepted: give polynomials with "
            "rational coefficients, such as --degree 5 or --activation 'x**3 - x/2'"
        )
    insist_on_degree(int(found.degree()))
    return found


def insist_on_degree(degree: int) -> None:
    """Raise ``InputError`` for a student of too high a degree."""
    if degree > HIGHEST_DEGREE:
        raise InputError(
            f"a certificate for degree {degree} is not accepted: give at most {HIGHEST_DEGREE}"
        )


def certificate(zeros: Zeros) -> dict[str, Any]:
    """What proves the list of all singularities of a pair of polynomials, as data.

    Arguments:
        zeros: of the pair, aligned.

    Raises ``InputError`` for other pairs, and for degrees above ``HIGHEST_DEGREE``. Certified: what
    it states of a zero implies the enclosures in ``zeros``.

    >>> from derive import hermite_drift
    >>> from numerics.certified.singularities import find_singularities
    >>> drift = hermite_drift(3)
    >>> found = certificate(Zeros(find_singularities(drift, 5), Pair(3), drift))
    >>> found["cells"], found["zeros"][0]["mu"]
    ([[0, 0]], [3207243, 7])
    """
    pair, drift = zeros.pair, zeros.drift
    teacher, student = certifiable(pair.teacher), certifiable(pair.student)
    transform = pair.labels.polynomial
    if not isinstance(drift, Drift) or transform is None:
        raise InputError("a certificate is made of a drift in polynomials: give that of drift_of")
    a, b = flint_polynomial(drift.a), flint_polynomial(drift.b)
    roots = sorted(isolate_roots(a.numer()), key=lambda root: root.lower + root.upper)
    common = b.numer().gcd(a.numer())
    flat = [vanishes_at(common, root) for root in roots]
    factors = _factors(a.numer(), common if any(flat) else fmpz_poly([1]))
    cells = _cells(reduce(mul, (f for f, _ in factors), fmpz_poly([1])))
    isolating = [(c, k) for c, k, count in cells if count]
    leading = reduce(mul, (f[f.degree()] ** m for f, m in factors), fmpq(1))
    return {
        "degree": pair.degree,
        "teacher": _texts(teacher),
        "student": _texts(student),
        "labels": _texts(transform),
        "loss": pair.loss,
        "normalization": drift.normalization,
        "label": _texts(transform.compose(teacher)),
        "power": _texts(_power(student)),
        "scale": str(a[a.degree()] / leading),
        "factors": [[[int(c) for c in f], m] for f, m in factors],
        "b": _texts(drift.b),
        "cells": [[c, k] for c, k, _ in cells],
        "zeros": [
            _evidence(_Zero(a, b, factors, *known))
            for known in zip(roots, flat, isolating, zeros, strict=True)
        ],
    }


def _texts(polynomial: Poly) -> list[str]:
    return [str(c) for c in flint_polynomial(polynomial)]


def _power(student: Poly) -> Poly:
    """E σ(μz)², in μ."""
    squared = (student * student).as_dict(native=True).items()
    return in_strength({k: c * normal_moment(k) for (k,), c in squared if k % 2 == 0})


def _factors(a: fmpz_poly, common: fmpz_poly) -> _Factors:
    """Squarefree factors with multiplicities, those of a divisor parted from the rest."""
    parted = [(f.gcd(common), f, m) for f, m in a.factor_squarefree()[1]]
    parts = [(part, m) for g, f, m in parted for part in (g, f // g)]
    return [(f, m) for f, m in parts if f.degree() > 0]


def _cells(radical: fmpz_poly) -> list[tuple[int, int, int]]:
    """Cells [c, c+1)/2^k that cover (0, 1), in order, and how many roots each has: 0 or 1."""

    def decide(cell: _Cell) -> tuple[list[tuple[int, int, int]], list[_Cell]]:
        q, c, k = cell
        count = most_roots(q) + (c > 0 and q[0] == 0)
        if count <= 1:
            return [(c, k, count)], []
        left, right = halves(q)
        return [], [(left, 2 * c, k + 1), (right, 2 * c + 1, k + 1)]

    return sorted(bisected((radical, 0, 0), decide), key=lambda cell: fmpq(cell[0], 2 ** cell[1]))


@dataclass(frozen=True)
class _Zero:
    """A zero of ``a``: the drift, the cell that isolates it, and what is known of it."""

    a: fmpq_poly
    b: fmpq_poly
    factors: _Factors
    root: RealRoot
    flat: bool  # whether b vanishes there, too
    isolating: tuple[int, int]
    known: Singularity


def _evidence(zero: _Zero) -> dict[str, Any]:
    """What is found at a zero, in a cell that is as narrow as it takes."""
    found, _ = settled(
        lambda bits: _seen(zero, bits), lambda seen: seen is not None, first=_FIRST_BITS, most=None
    )
    assert found is not None
    return found


def _seen(zero: _Zero, k: int) -> dict[str, Any] | None:
    """The evidence in a cell of width 2^-k; ``None`` if that leaves a sign or a digit open."""
    c, known = _narrowed(zero, k), zero.known
    if c is None:
        return None
    factor, m = next((f, m) for f, m in zero.factors if _has_root(f, c, k))
    x = fmpq(c, 2**k)
    width = fmpq(0) if factor(x) == 0 else fmpq(1, 2**k)
    low, high = (fmpq(0), fmpq(0)) if zero.flat else _bounds(zero.b, x, width)
    values = {"mu": _number(x, x + width, known.mu)}
    if not zero.flat:
        values["b"] = _number(low, high, known.b)
    if known.constant:
        left, right = _bounds(_taylor(zero.a, m), x, width)
        if left * right <= 0:
            return None
        small, large = sorted((left**2, right**2))
        values["constant"] = _number(-high / large, -low / small, known.constant)
    if not all(values.values()):
        return None
    return {
        "cell": [c, k],
        "multiplicity": m,
        "mu": values["mu"],
        "b": values.get("b"),
        "cofactor": [str(c) for c in zero.b / fmpq_poly(factor)] if zero.flat else None,
        "diverges": known.diverges,
        "constant": values.get("constant"),
    }


def _narrowed(zero: _Zero, k: int) -> int | None:
    """The place of the zero among 2^k parts of (0, 1), if they are narrow enough to tell."""
    ball = enclose_root(zero.root, k)
    first, last = (int((end.fmpq() * 2**k).floor()) for end in (ball.lower(), ball.upper()))
    own, coarse = zero.isolating
    places = range(first, last + 1) if k >= coarse else ()
    inside = (c for c in places if c > 0 and c >> (k - coarse) == own)
    return next((c for c in inside if _has_root(zero.root.factor, c, k)), None)


def _has_root(f: fmpz_poly, c: int, k: int) -> bool:
    """Whether a root in [c, c+1)/2^k is seen at the ends."""
    left = f(fmpq(c, 2**k))
    return bool(left == 0 or left * f(fmpq(c + 1, 2**k)) < 0)


def _taylor(f: fmpq_poly, m: int) -> fmpq_poly:
    """The m-th derivative over m!."""
    return reduce(lambda g, _: g.derivative(), range(m), f) / factorial(m)


def _bounds(f: fmpq_poly, x: fmpq, width: fmpq) -> tuple[fmpq, fmpq]:
    """Bounds on [x, x + width] within [0, 1], by the mean value theorem."""
    middle, slack = evaluate(f, x), width * sum(i * abs(c) for i, c in enumerate(f))
    return middle - slack, middle + slack


def _number(low: fmpq, high: fmpq, known: Enclosure) -> list[int] | None:
    """Digits and places: what lies between the bounds is nearest to digits/10^places.

    So many digits that this implies what is known, if that is not exact; ``None`` if the bounds do
    not give them.
    """
    mid, radius = (fmpq(*Fraction(text).as_integer_ratio()) for text in (known.mid, known.radius))
    places = -int(Decimal(known.mid).as_tuple().exponent)
    while (high - low) * (unit := fmpq(10) ** places) < 1:
        digits = (low * unit + _HALF).floor()
        ends = ((digits - _HALF) / unit, (digits + _HALF) / unit)
        implied = mid - radius <= ends[0] and ends[1] <= mid + radius
        if ends[0] < low and high < ends[1] and (implied or radius == 0):
            return [int(digits), places]
        places += 1
    return None


def cell_bounds(claim: str, step: str, cells: Sequence[Stretch]) -> dict[str, Any]:
    """Cells with a bound on each that excludes 0, as data: a certificate that trusts the bounds.

    Arguments:
        claim, step: what they are of.
        cells: that cover (0, 1), in order.

    Raises nothing. Certified as the bounds are: fractions alone cannot verify them.
    """
    ends = [(cell.lower, cell.upper, cell.bounds.low, cell.bounds.high) for cell in cells]
    return {
        "claim": claim,
        "step": step,
        "reasons": [cell.reason for cell in cells],
        "signs": [cell.bounds.sign for cell in cells],
        "trusted_bounds": [[str(Fraction(end)) for end in each] for each in ends],
    }


def document(certificates: Sequence[dict[str, Any]], source: str) -> bytes:
    """A file of certificates, one a line, with its provenance."""
    lines = ",\n".join(json.dumps(each) for each in certificates)
    head = f'"format": "{FORMAT}",\n"provenance": {json.dumps(source, ensure_ascii=False)}'
    return f'{{{head},\n"certificates": [\n{lines}\n]}}\n'.encode()
