"""Labels: what the student is shown of the teacher, a polynomial of its output (Sec. 3.2)."""

from dataclasses import dataclass, field
from typing import TypeAlias

from sympy import Expr, Poly, Symbol

from derive.errors import InputError
from derive.grammar import NAMED_LABELS, parse_transform
from derive.symbols import polynomial_in, z

NAMED = {name: parse_transform(name) for name in NAMED_LABELS}


@dataclass(frozen=True)
class Labels:
    """A polynomial of the teacher's output.

    Fields: ``polynomial``, in ``z``, which stands for the output; ``text``, how it is written:
    ``matched`` and ``squared`` by name, others in ``y``. Labels are equal if their polynomials are.
    Exact.

    >>> Labels.of("y**2") == Labels.of("squared")
    True
    """

    polynomial: Poly
    text: str = field(compare=False)

    @classmethod
    def of(cls, given: "LabelsLike") -> "Labels":
        """Labels as people give them: text, a polynomial or an expression in any one symbol.

        Raises ``InputError`` for anything else, and for a constant.

        >>> Labels.of("y**3 - y").polynomial.as_expr(), Labels.of("y").text
        (z**3 - z, 'matched')
        """
        if isinstance(given, Labels):
            return given
        if isinstance(given, str):
            found, text = parse_transform(given), " ".join(given.split())
        else:
            found = polynomial_in(given, z)
            text = str(found.as_expr().xreplace({z: Symbol("y")}))
            if found.degree() < 1:
                raise InputError(f"labels {text} are not accepted: they are all the same")
        return cls(found, next((name for name, f in NAMED.items() if f == found), text))

    @property
    def degree(self) -> int:
        """Degree of the polynomial, at least 1."""
        return int(self.polynomial.degree())


LabelsLike: TypeAlias = Labels | str | Poly | Expr
MATCHED = Labels.of("matched")
