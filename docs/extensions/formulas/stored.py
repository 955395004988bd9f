"""The numbers that the authors' code stores, beside the certified ones."""

from fractions import Fraction

from sympy import factorial

from extensions.formulas.registry import Built, enter, table
from numerics.certified.escape import escape_curve
from numerics.claims import stored
from numerics.claims.stored import StoredCurve

_HEAD = ("figure", "student", "labels", r"$\mu$", r"stored $\tau$", r"exact $\tau$", "quotient")


@enter
def _stored_numbers() -> Built:
    curves = [value for value in vars(stored).values() if isinstance(value, StoredCurve)]
    return table("stored", _HEAD, [row for curve in curves for row in _rows(curve)])


def _rows(curve: StoredCurve) -> list[tuple[str, ...]]:
    found = []
    for strength, time in curve.times:
        (exact,) = escape_curve(curve.pair, Fraction(strength)).tau
        if curve.normalization == "n*n!":
            exact *= curve.pair.degree * int(factorial(curve.pair.degree))
        quotient = f"{time / exact:.2f}"
        words = (curve.place, curve.activation, curve.labels)
        found.append((*words, strength, f"{time:g}", f"{exact:.4g}", quotient))
    return found
