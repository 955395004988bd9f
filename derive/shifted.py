r"""The mean of a function under a Gaussian of any mean and variance, in closed form.

Without error functions the shift is put into the function. With them it becomes an exponential,
which the algebra of exact means holds,

.. math:: E f(m + \sqrt v\,g) = E\,f(\sqrt v\,g)\,e^{m g/\sqrt v - m^2/2v}

after the Gaussian is moved to where the error functions are odd, if they are so about one place.
"""

from sympy import Expr, I, Poly, Rational, S, erf, exp, expand, sqrt

from derive.elementary import tidied
from derive.gaussian import NoClosedForm
from derive.grammar import ActivationLike, parse_function
from derive.piecewise import PiecewiseAnalytic, analytic
from derive.symbols import exact, z

_POINTS = (Rational(1, 3), S.One, Rational(5, 2))
_CLOSE = Rational(1, 10**9)


def expectation(
    function: PiecewiseAnalytic | ActivationLike, center: Expr = S.Zero, variance: Expr = S.One
) -> Expr:
    r"""The mean :math:`E f(m + \sqrt v\,g)` in closed form.

    Arguments:
        function: f, as ``parse_function`` takes it.
        center, variance: m, and v > 0.

    Raises ``NoClosedForm`` if there is none, ``InputError`` if the mean is infinite. Exact.

    >>> expectation("erf(2*x + 1)")
    erf(1/3)
    """
    if not isinstance(function, PiecewiseAnalytic):
        function = parse_function(function)[1]
    center, root = exact(center), sqrt(exact(variance))
    places = _places(function)
    if not places:
        return _mean(moved(function, center).scaled(root))
    if len(places) > 1:
        raise NoClosedForm("error functions about several places are not in the algebra")
    (place,) = places
    there, shift = moved(function, place).scaled(root), (center - place) / root
    return _mean(there * analytic(exp(shift * z - shift**2 / 2)))


def _mean(function: PiecewiseAnalytic) -> Expr:
    """The mean, by the even part if that is all that has a closed form, as of a sigmoid."""
    try:
        found = function.mean()
    except NoClosedForm:
        even = function + function.reflected()
        values = [even.at(point).evalf() for point in _POINTS]
        if max(values) - min(values) > _CLOSE:  # to find out more may take minutes
            raise
        found = even.mapped(lambda piece: tidied(piece / 2)).joined().mean()
    return expand(found.as_real_imag()[0]) if found.has(I) else found  # of waves


def _places(function: PiecewiseAnalytic) -> set[Expr]:
    """Where the error functions are 0, about which they are odd."""
    places = set()
    for argument in {part.args[0] for piece in function.pieces for part in piece.atoms(erf)}:
        if not argument.is_polynomial(z) or Poly(argument, z).degree() != 1:
            raise NoClosedForm(f"erf({argument}) is not in the algebra of exact Gaussian means")
        slope, height = Poly(argument, z).all_coeffs()
        places.add(-height / slope)
    return places


def moved(function: PiecewiseAnalytic, place: Expr) -> PiecewiseAnalytic:
    """The function ``z ↦ f(z + place)``. Exact.

    >>> moved(PiecewiseAnalytic((S.Zero, z - 1), (S.One,)), S.One).breaks
    (0,)
    """
    pieces = tuple(
        piece.subs(z, z + place).replace(erf, lambda argument: erf(argument.expand()))
        for piece in function.pieces
    )
    return PiecewiseAnalytic(pieces, tuple(point - place for point in function.breaks))
