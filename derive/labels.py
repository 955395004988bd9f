"""Labels: what the student is shown of the teacher, a function of its output (Sec. 3.2)."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

from sympy import Expr, Poly, S

from derive.composition import composed
from derive.expression import text_of
from derive.grammar import NAMED_LABELS, parse_transform
from derive.piecewise import PiecewiseAnalytic
from derive.symbols import of_one_variable, polynomial_in, z

NAMED = {name: parse_transform(name) for name in NAMED_LABELS}


@dataclass(frozen=True)
class Labels:
    """A function of the teacher's output.

    Fields: ``value``, in ``z``, which stands for the output; ``text``, how it is written:
    ``matched`` and ``squared`` by name, others in ``y``. Labels are equal if their functions are.
    Exact.

    >>> Labels.of("y**2") == Labels.of("squared")
    True
    """

    value: PiecewiseAnalytic
    text: str = field(compare=False)

    def __repr__(self) -> str:
        return f"Labels.of({self.text!r})"

    @classmethod
    def of(cls, given: "LabelsLike") -> "Labels":
        """Labels as people give them: text, a function, an expression in any one symbol.

        Raises ``InputError`` for anything else, and for a constant.

        >>> Labels.of("y**3 - y").value.smooth, Labels.of("y").text, Labels.of("tanh(y)").text
        (z**3 - z, 'matched', 'tanh(y)')
        """
        if isinstance(given, Labels):
            return given
        found = parse_transform(given)
        written = given if isinstance(given, str) else _text(given, found)
        text = " ".join(written.split())
        return cls(found, next((name for name, f in NAMED.items() if f == found), text))

    @cached_property
    def polynomial(self) -> Poly | None:
        """The function as a polynomial in ``z``, or ``None`` if it is none."""
        if self.value.breaks or not self.value.smooth.is_polynomial(z):
            return None
        return polynomial_in(self.value.smooth, z)

    @property
    def degree(self) -> int | None:
        """Degree of a polynomial, at least 1."""
        return None if self.polynomial is None else int(self.polynomial.degree())

    def of_output(self, output: PiecewiseAnalytic) -> PiecewiseAnalytic:
        """The labels of a teacher's output. Exact.

        Raises ``InputError`` if the output meets their breakpoints where that is not found exactly.
        """
        polynomial = self.polynomial
        if polynomial is None:
            return composed(self.value, output)
        return output.mapped(lambda piece: _horner(polynomial, piece)).joined()


def _text(given: Expr | Poly | PiecewiseAnalytic, found: PiecewiseAnalytic) -> str:
    """How a function is written in ``y``; a polynomial as what it is, expanded or not."""
    whole = given if isinstance(given, Expr) and found.breaks else found.expression
    return text_of(of_one_variable(whole, z), "y")


def _horner(polynomial: Poly, value: Expr) -> Expr:
    total = S.Zero
    for coefficient in polynomial.all_coeffs():
        total = total * value + coefficient
    return total


LabelsLike: TypeAlias = Labels | str | Poly | Expr | PiecewiseAnalytic
MATCHED = Labels.of("matched")
