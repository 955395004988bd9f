"""Between exact objects, balls and decimals: conversions that never lose a proof.

Balls are python-flint ``arb`` objects while computing. What leaves the package is an ``Enclosure``
of two decimal strings, which can be pickled, compared and printed without loss.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from fractions import Fraction
from math import ceil, log2
from numbers import Real
from typing import Any, TypeVar

from flint import arb, ctx, fmpq, fmpq_poly
from sympy import Expr, Poly

from derive.command.tabular import decimal
from derive.errors import InputError, Undecided, abridged, quoted
from numerics.certified.effort import spent
from numerics.certified.precision import accurate, settled

Number = TypeVar("Number", arb, fmpq)
_FIRST_BITS = 72
SMALLEST = arb(2) ** -1075  # half of the smallest double
DOUBLE_BITS = 60  # of relative accuracy: its double is the nearest one or, rarely, its neighbour


@dataclass(frozen=True)
class Enclosure:
    """A real number known to lie within ``radius`` of ``mid``; both are decimal strings.

    Certified: the decimal ball contains the number, conversion errors included. Compared with a
    number, or with another, it is smaller or greater where that is certain; where it is not,
    ``Undecided`` is raised.

    >>> third = Enclosure("0.33333", "3.34e-6")
    >>> third < 0.5, Fraction(1, 3) in third, float(third)
    (True, True, 0.33333)
    >>> print(third, Enclosure("0.50000", "0"))
    0.33333 ± 3.34e-6 0.5
    """

    mid: str
    radius: str

    def __float__(self) -> float:
        """The double nearest to ``mid``."""
        return float(self.mid)

    def _numbers(self) -> list[str]:
        """The radius where there is one; zeros at the end of an exact number say nothing."""
        if self.radius != "0":
            return [self.mid, self.radius]
        digits, letter, power = self.mid.partition("e")
        short = digits.rstrip("0").removesuffix(".") if "." in digits else digits
        return [f"{short}{letter}{power}"]

    def __str__(self) -> str:
        return " ± ".join(self._numbers())

    def _repr_latex_(self) -> str:
        numbers = self._numbers()
        shown = r" \pm ".join(decimal(number).latex.strip("$") for number in numbers)
        return f"${shown}$"

    @property
    def ends(self) -> tuple[Fraction, Fraction]:
        """The least and the greatest number that it contains. Exact."""
        mid, radius = Fraction(self.mid), Fraction(self.radius)
        return mid - radius, mid + radius

    def __contains__(self, number: object) -> bool:
        low, high = self.ends
        return low <= _exact_number(number) <= high

    def __lt__(self, other: object) -> bool:
        low, high = self.ends
        least, greatest = _ends_of(other)
        return _certain(high < least, low >= greatest, self, other)

    def __le__(self, other: object) -> bool:
        low, high = self.ends
        least, greatest = _ends_of(other)
        return _certain(high <= least, low > greatest, self, other)

    def __gt__(self, other: object) -> bool:
        return not self <= other

    def __ge__(self, other: object) -> bool:
        return not self < other

    def ball(self) -> arb:
        """The enclosure as a ball, at the working precision."""
        return arb(self.mid) + arb(0, arb(self.radius).upper())


def _ends_of(value: object) -> tuple[Fraction, Fraction]:
    return value.ends if isinstance(value, Enclosure) else (_exact_number(value),) * 2


def _certain(holds: bool, fails: bool, left: object, right: object) -> bool:
    if not holds and not fails:
        raise Undecided(f"which of {left} and {right} is greater is open: ask for more digits")
    return holds


def _exact_number(number: Any) -> Fraction:
    """A number of Python, NumPy or SymPy; raises ``InputError`` for what is none, or not finite."""
    try:
        return Fraction(str(number) if isinstance(number, Expr) else number)
    except (TypeError, ValueError, ArithmeticError):  # also of overflow, and of 1/0
        raise InputError(
            f"{abridged(repr(number))} is not accepted: give a finite rational number"
        ) from None


def enclosure(ball: arb, digits: int) -> Enclosure:
    """Decimal enclosure of a ball, with at most ``digits`` significant digits.

    A ball that is not known to one digit gets the midpoint 0. Raises ``InputError`` for an
    unbounded one. Certified.

    >>> from flint import arb
    >>> enclosure(arb(1) / 3, 5)
    Enclosure(mid='0.33333', radius='3.34e-6')
    """
    if not ball.is_finite():
        raise InputError("an unbounded ball is not accepted: no decimal encloses it")
    text = ball.str(digits).strip("[]")
    if text.startswith("+/- "):
        return Enclosure("0", text[4:])
    mid, _, radius = text.partition(" +/- ")
    return Enclosure(mid, radius or "0")


@dataclass(frozen=True)
class Bounds:
    """Decimal numbers between which a real number, or a function on an interval, lies. Certified.

    A wide ball keeps its sign in this form, which a midpoint with one radius may lose.
    """

    low: str
    high: str

    @property
    def sign(self) -> int:
        """1 or -1 where both bounds have that sign, else 0."""
        return (Decimal(self.low) > 0) - (Decimal(self.high) < 0)


def bounds(ball: arb, digits: int = 6) -> Bounds:
    """The ends of a ball, rounded outwards to so many significant digits.

    Raises ``InputError`` for an unbounded ball. Certified.

    >>> bounds(arb(1) / 3)
    Bounds(low='0.333333', high='0.333334')
    """
    if not ball.is_finite():
        raise InputError("an unbounded ball is not accepted: no decimals bound it")
    ends = ((ball.lower(), ROUND_FLOOR), (ball.upper(), ROUND_CEILING))
    return Bounds(*(_rounded(end.fmpq(), digits, way) for end, way in ends))


def _rounded(number: fmpq, digits: int, way: str) -> str:
    context = Context(prec=digits, rounding=way)
    return str(context.divide(Decimal(int(number.p)), Decimal(int(number.q))))


def fraction(number: fmpq) -> Fraction:
    """A rational of FLINT as one of Python's, which can be pickled and printed alike. Exact."""
    return Fraction(int(number.p), int(number.q))


def bits_for(digits: int) -> int:
    """Relative accuracy in bits that makes ``digits`` decimal digits certain, with a margin."""
    return ceil(digits * log2(10)) + 8


def flint_polynomial(polynomial: Poly) -> fmpq_poly:
    """A SymPy polynomial as a FLINT polynomial; ``InputError`` unless it is rational. Exact.

    >>> from sympy.abc import x
    >>> flint_polynomial(Poly(x**2 / 2 - 3, x))
    1/2*x^2 + (-3)
    """
    coefficients = polynomial.all_coeffs()
    if not all(c.is_Rational for c in coefficients):
        raise InputError(f"{abridged(polynomial.as_expr())} is not accepted: give rational numbers")
    return fmpq_poly([fmpq(int(c.p), int(c.q)) for c in reversed(coefficients)])


def evaluate(polynomial: fmpq_poly, point: Number) -> Number:
    """The polynomial at a rational, exact, or wherever in a ball it is taken. Certified."""
    spent(bits=ctx.prec, evaluations=1)
    return polynomial.numer()(point) / polynomial.denom()


def nearest_double(function: Callable[[arb], arb], point: Fraction | float) -> float:
    """The function's value at a point as a double, within one unit in the last place. Certified.

    Arguments:
        function: from balls to balls.
        point: where; a number.

    What is smaller than any double is 0. Raises ``Undecided`` if its value does not narrow,
    ``InputError`` if it is infinite at 0.

    >>> nearest_double(arb.sqrt, Fraction(1, 4))
    0.5
    """
    if not callable(function) or not isinstance(point, Real) or point != point:
        raise InputError(
            f"{quoted(function)} at {quoted(point)} is not accepted: give a function from "
            "balls to balls, as ball_function makes, and a number"
        )
    exact = Fraction(point)

    def value(bits: int) -> tuple[arb]:
        ball = function(arb(fmpq(exact.numerator, exact.denominator)))
        if exact == 0 and not ball.is_finite():
            raise InputError("the value at 0 is not finite: give a strength μ > 0")
        return (ball,)

    question = f"the value at {point} is not enclosed"
    (ball,), _ = settled(
        value,
        lambda found: accurate(DOUBLE_BITS)(found) or abs(found[0]) < SMALLEST,
        question,
        first=_FIRST_BITS,
    )
    return float(ball.mid()) if accurate(DOUBLE_BITS)([ball]) else 0.0
