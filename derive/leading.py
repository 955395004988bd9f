"""Leading terms: how a function begins in the distance from a point, exactly.

Drifts are asked for theirs at both ends (``derive.drift``), and escape times follow from these
(``derive.escape``).
"""

from contextlib import suppress
from dataclasses import dataclass
from math import factorial

from sympy import (
    Dummy,
    Expr,
    Integer,
    PoleError,
    Poly,
    S,
    Symbol,
    atan,
    collect,
    expand,
    factor,
    nan,
    oo,
    pi,
    sign,
    simplify,
    sqrt,
    zoo,
)

from derive.angle import Angle
from derive.errors import InputError, abridged
from derive.notation import in_latex
from derive.symbols import derivative, exact, mu

HIGHEST_ORDER = 8  # of a zero at an end that closed forms are differentiated for


@dataclass(frozen=True)
class LeadingTerm:
    """Leading behaviour ``coefficient · x^exponent`` of a function as ``x → 0+``.

    The zero function has coefficient 0; an infinite one has coefficient ``oo``. Raises
    ``InputError`` for floats and what is no number or expression. Exact.
    """

    coefficient: Expr
    exponent: Expr = S.Zero

    def __post_init__(self) -> None:
        for name in ("coefficient", "exponent"):
            given = getattr(self, name)
            endless = isinstance(given, Expr) and given.is_infinite
            object.__setattr__(self, name, given if endless else exact(given))

    def _repr_latex_(self) -> str:
        return f"${in_latex(self.coefficient * Symbol('x') ** self.exponent)}$"


def lowest_term(f: Poly) -> LeadingTerm:
    """The term of lowest degree of a polynomial in the distance. Exact.

    >>> lowest_term(Poly(mu**3 - 2 * mu**2, mu))
    LeadingTerm(coefficient=-2, exponent=2)
    """
    (exponent,), coefficient = f.terms()[-1]
    return LeadingTerm(coefficient, Integer(exponent))


def taylor_term(f: Expr, end: int) -> LeadingTerm:
    """The first term of the Taylor series in the distance from an end that does not vanish.

    Arguments:
        f: in ``mu``.
        end: 0 or 1.

    Raises ``InputError`` if ``f`` vanishes to an order above ``HIGHEST_ORDER``, or is not smooth
    there and has no series that SymPy finds. Exact.

    >>> taylor_term(sqrt(mu) - 1, 1)
    LeadingTerm(coefficient=-1/2, exponent=1)
    """
    if f == 0:
        return LeadingTerm(S.Zero)
    f0 = f
    for order in range(HIGHEST_ORDER + 1):
        value = simplify(f.subs(mu, end))
        if value.has(nan, zoo, oo):  # a derivative that holds 0/0, or is infinite
            return _first_of_series(f0, end)
        if value != 0:
            inward = (-1) ** order if end else 1
            return LeadingTerm(inward * value / factorial(order), Integer(order))
        f = derivative(f, mu)
    raise InputError(f"{f} vanishes at {end} to an order above {HIGHEST_ORDER}")


def _first_of_series(f: Expr, end: int) -> LeadingTerm:
    """The same where ``f`` is not smooth, as in misaligned pre-training of a kink."""
    x = Dummy("x", positive=True)

    def turned(c: Expr, determinant: Expr) -> Expr:
        """The angle from where it ends up, a right one, if c does not vanish there."""
        side = sign(c.subs(x, 0))
        whole = side * pi / 2 - atan(sqrt(factor(expand(determinant))) / c)
        return whole if side != 0 else Angle(c, determinant)

    near = f.subs(mu, x if end == 0 else 1 - x).replace(Angle, turned)
    with suppress(PoleError, NotImplementedError, ValueError):
        for order in range(1, HIGHEST_ORDER):
            terms = collect(expand(near.series(x, 0, order).removeO()), x, evaluate=False)
            found = {power.as_coeff_exponent(x)[1]: simplify(c) for power, c in terms.items()}
            lowest = min((e for e, c in found.items() if c != 0), default=None)
            if lowest is not None and not found[lowest].has(x, nan, zoo, oo):
                return LeadingTerm(found[lowest], lowest)
    raise InputError(
        f"the leading term at {end} is not found: {abridged(f)} is not smooth there; ask for "
        "values near it, as with escape_curve"
    )
