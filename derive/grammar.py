"""From what people give to an activation or a label transform."""

from fractions import Fraction
from typing import TypeAlias

from sympy import Expr, Integer, Poly

from derive.activation import Activation, HermiteActivation, insist_on_continuity
from derive.errors import InputError, quoted
from derive.expression import activation_from, function_from
from derive.parser import parsed
from derive.piecewise import PiecewiseAnalytic
from derive.symbols import exact, polynomial_in, z

TransformLike: TypeAlias = str | Expr | Poly | PiecewiseAnalytic
LARGEST_DEGREE = 10**9  # of a Hermite polynomial that is given by it
NAMED_LABELS = {"matched": "y", "squared": "y**2"}
ActivationLike: TypeAlias = Activation | str | int | Expr | Poly


def parse_activation(given: ActivationLike) -> Activation:
    """An activation as people give it, such as ``relu``, ``x**3/6 + erf(x)/2`` or ``He3 + He5/9``.

    Arguments:
        given: text in the variable ``x``, whose numbers are taken exactly; a Hermite degree; an
            expression or polynomial in any one symbol; or an activation, which is returned.

    Raises ``InputError``, in one line, for text that is not in the grammar of ``derive.parser``,
    for expressions of other functions or with singularities, for functions that jump, and for
    functions that grow too fast for a Gaussian. Exact.

    >>> parse_activation("x**3 - 3*x").polynomial == parse_activation(3).polynomial
    True
    >>> from sympy import Max, Symbol
    >>> parse_activation(Max(0, Symbol("t"))).value == parse_activation("relu").value
    True
    """
    if isinstance(given, Activation):
        return given
    if isinstance(given, str):
        return Activation(" ".join(given.split()), parsed(given, "x"))
    if isinstance(given, Expr | Poly) and not isinstance(given, Integer):
        return activation_from(given)
    if not hasattr(given, "__index__"):
        raise InputError(
            f"activation {quoted(given)} is not accepted: give text such as 'relu', a Hermite "
            "degree, or a SymPy expression"
        )
    hermite = HermiteActivation(given)
    if hermite.degree > LARGEST_DEGREE:
        raise InputError(f"degree {hermite.degree} is not accepted: give at most {LARGEST_DEGREE}")
    return hermite


def parse_function(given: ActivationLike) -> tuple[str, PiecewiseAnalytic]:
    """A function as people give it, with its text, which need be no activation: a text may jump.

    Raises ``InputError`` for what ``parse_activation`` does not read. Exact.

    >>> parse_function("where(x < 1, 1, 0)")[1].pieces
    (1, 0)
    """
    if isinstance(given, str):
        return " ".join(given.split()), parsed(given, "x")
    activation = parse_activation(given)
    return activation.text, activation.value


def parse_number(given: str | int | Fraction | Expr, what: str = "number") -> Expr:
    """An exact real number as people give it, such as ``1/2``, ``0.1``, ``sqrt(2)`` or ``-pi``.

    Arguments:
        given: text in the grammar, whose numbers are taken exactly, or an exact number.
        what: its name in errors.

    Raises ``InputError`` for anything else, floats included. Exact.

    >>> parse_number("1e-1"), parse_number("2/sqrt(2)")
    (1/10, sqrt(2))
    """
    try:
        found = parsed(given, "x").expression if isinstance(given, str) else exact(given)
    except InputError as error:
        reason = str(error).partition(" is not accepted: ")[2].partition(";")[0] or str(error)
        raise InputError(f"{what} {quoted(given)} is not accepted: {reason}") from None
    if not (isinstance(found, Expr) and found.is_number and found.is_real):
        raise InputError(
            f"{what} {quoted(given)} is not accepted: give a real number, as in 0.5 or sqrt(2)"
        )
    return found


def parse_variance(given: str | int | Fraction | Expr) -> Expr:
    """An exact positive number, as ``parse_number``; raises ``InputError`` for others. Exact.

    >>> parse_variance("1/4")
    1/4
    """
    found = parse_number(given, "variance")
    if not found.is_positive:
        raise InputError(f"variance {quoted(given)} is not accepted: give a positive number")
    return found


def parse_transform(given: TransformLike) -> PiecewiseAnalytic:
    """Read a label transform: ``matched``, ``squared``, or a function of ``y``, as ``tanh(y)``.

    Arguments:
        given: text in the variable ``y``; an expression or polynomial in any one symbol; or a
            function of ``z``.

    The result is a function of ``z``, which stands for the label. Raises ``InputError`` for
    anything else.

    >>> parse_transform("squared").smooth
    z**2
    """
    if not isinstance(given, str | Expr | Poly | PiecewiseAnalytic):
        raise InputError(
            f"labels {quoted(given)} are not accepted: give matched, squared, or a function of "
            "y as text or as a SymPy expression"
        )
    text = NAMED_LABELS.get(given, given) if isinstance(given, str) else str(given)
    try:
        found = parsed(text, "y") if isinstance(given, str) else _function_from(given)
    except InputError as error:
        reason = str(error).partition(" is not accepted: ")[2].partition(";")[0] or str(error)
        raise InputError(
            f"labels {quoted(text)} are not accepted: {reason}; give matched, squared or a "
            "function of y"
        ) from None
    found = found.mapped(_multiplied_out)
    if not any(piece.has(z) for piece in found.pieces):
        raise InputError(
            f"labels {quoted(text)} are not accepted: give matched, squared or a function of y "
            "that is not constant, as in 'y**2 - 1' or 'tanh(y)'"
        )
    insist_on_continuity(found, text)
    return found.joined()


def _function_from(given: Expr | Poly | PiecewiseAnalytic) -> PiecewiseAnalytic:
    if isinstance(given, PiecewiseAnalytic):
        if any(given.deltas):
            raise InputError("a δ is no function")
        return given
    return function_from(given if isinstance(given, Poly) else exact(given))[1]


def _multiplied_out(piece: Expr) -> Expr:
    """A piece that is a polynomial in one form, whatever it was given in."""
    return polynomial_in(piece, z).as_expr() if piece.is_polynomial(z) else piece
