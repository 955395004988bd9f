"""The mean of any function under any Gaussian, in closed form or certified."""

from dataclasses import dataclass, field
from typing import Literal

from flint import arb
from sympy import Expr, Rational, sqrt

from derive.errors import abridged
from derive.gaussian import NoClosedForm
from derive.grammar import ActivationLike, parse_function, parse_number, parse_variance
from derive.growth import insist_on_finite_risk
from derive.hermite import checked_degree
from derive.shifted import expectation as closed_expectation
from derive.shifted import moved
from numerics.certified.balls import Enclosure, bits_for, enclosure
from numerics.certified.effort import Effort, counted
from numerics.certified.expressions import ball_function
from numerics.certified.means import mean_function
from numerics.certified.precision import accurate, settled

_FIRST_BITS = 64
_TIMES = 3  # what is smaller than so many times the digits is as good as 0


@dataclass(frozen=True)
class Expectation:
    """A Gaussian mean.

    Fields: ``function`` as text; ``center`` and ``variance`` of the Gaussian; ``expression``, the
    exact value, ``None`` if there is no closed form; ``value``, its certified digits; ``took``,
    what they took.
    """

    function: str
    center: Expr
    variance: Expr
    expression: Expr | None
    value: Enclosure
    took: Effort = field(default_factory=Effort, compare=False)

    @property
    def certainty(self) -> Literal["exact", "certified"]:
        """Whether there is an exact value, or an enclosure alone."""
        return "certified" if self.expression is None else "exact"

    def __float__(self) -> float:
        """The double nearest to the digits."""
        return float(self.value)


def expectation(
    function: ActivationLike,
    *,
    center: str | int | Expr = 0,
    variance: str | int | Expr = 1,
    digits: int = 30,
) -> Expectation:
    r"""The mean of a function under a Gaussian.

    Arguments:
        function: f, as ``parse_activation`` takes it; it may jump.
        center, variance: m and v > 0, exact numbers, such as ``"1/2"`` or ``"sqrt(2)"``.
        digits: significant digits; of what is smaller than :math:`10^{-3\,digits}` fewer are
            certain, perhaps none: 0 with a radius.

    .. math:: E f(m + \sqrt v\,g)

    Raises ``InputError`` for what is not accepted, and if the mean is infinite; ``Undecided`` if it
    does not narrow. Exact with a closed form, else certified.

    >>> expectation("relu", center=1).expression
    sqrt(2)*exp(-1/2)/(2*sqrt(pi)) + erf(sqrt(2)/2)/2 + 1/2
    >>> found = expectation("erf(2*x + 1)**2", digits=15)
    >>> found.certainty, found.value.mid
    ('certified', '0.729483519969243')
    """
    text, f = parse_function(function)
    middle, size = parse_number(center, "center"), parse_variance(variance)
    bits = bits_for(checked_degree(digits, "digits", least=1))
    insist_on_finite_risk(f, text, size, Rational(1, 2))
    try:
        expression = closed_expectation(f, middle, size)
    except NoClosedForm:
        expression = None
    if expression is None:
        mean = mean_function(moved(f, middle).scaled(sqrt(size)))
    else:
        formula = ball_function(expression, [])
        mean = lambda strength: formula()  # noqa: E731
    small = arb(2) ** (-_TIMES * bits)
    with counted() as count:
        (found,), _ = settled(
            lambda accuracy: [mean(arb(1))],
            lambda balls: accurate(bits)(balls) or abs(balls[0]) < small,
            f"the mean of {abridged(text)} is not enclosed",
            first=max(_FIRST_BITS, bits + 8),
        )
    return Expectation(text, middle, size, expression, enclosure(found, digits), count.effort)
