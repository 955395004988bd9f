r"""The dual activation: the mean of two activations at correlated Gaussians, and its derivatives.

.. math:: K(\rho) = E\,f(\sqrt{q_1}\,x)\,g(\sqrt{q_2}\,y), \qquad E[xy] = \rho

A closed form is enclosed where there is one. Elsewhere the first of these that is accurate enough:

- at :math:`\rho = \pm 1` both Gaussians are one, and the mean is one integral;
- Mehler's series :math:`\sum_k a_k b_k \rho^k` of orthonormal coefficients, whose tail beyond N is
  at most :math:`|\rho|^{N+1}` times the root of the product of both truncation errors
  (Cauchy-Schwarz), which is quick unless kinks meet a large :math:`|\rho|`;
- there, the integral over the plane, by a rule for each function: the density is a kernel of
  ``numerics.certified.quadrature`` in either variable, with
  :math:`\alpha = 1/(2(1+|\rho|))` and :math:`\beta = 1/(2(1-\rho^2))`.
"""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from math import ceil, log2, sqrt

from flint import arb, ctx, fmpq
from sympy import Expr, Rational, S, expand, nan, zoo
from sympy import sqrt as root

from derive.activation import Activation
from derive.errors import InputError, Undecided
from derive.gaussian import NoClosedForm
from derive.grammar import ActivationLike, parse_activation, parse_variance
from derive.growth import insist_on_finite_risk
from derive.hermite import checked_degree
from derive.network import kernel_derivative
from derive.piecewise import PiecewiseAnalytic
from derive.symbols import rho as RHO
from derive.symbols import z
from numerics.certified.balls import Enclosure, bits_for, enclosure
from numerics.certified.effort import Effort, counted
from numerics.certified.expansion import HermiteSeries
from numerics.certified.expressions import ball_function, real_function
from numerics.certified.means import mean_function
from numerics.certified.precision import accurate, settled
from numerics.certified.quadrature import Envelope, Rule, rule_for
from numerics.certified.strengths import StrengthsLike, correlations_of

_ORDERS = (64, 256)  # of Mehler's series, tried in turn
_GUARD = 32
_NARROWEST = fmpq(1, 10**5)  # of 1 - ρ²: closer to ±1 the plane takes too many nodes


@dataclass(frozen=True)
class DualValue:
    """A value of a dual activation.

    Fields: ``rho``, exact; ``value``, enclosed, or ``None`` where it is infinite; ``route``, how it
    was found: ``closed form``, ``one integral``, ``series of order N`` or ``plane``.
    """

    rho: Expr
    value: Enclosure | None
    route: str


@dataclass(frozen=True)
class DualActivation:
    """A dual activation at some correlations.

    Fields: the activations ``left`` and ``right``; their ``variances``; the order of
    ``derivative`` by ρ; ``expression`` in ``rho``, ``None`` if there is no closed form; ``points``;
    ``took``, what these took.
    The expression is exact, values are certified.
    """

    left: Activation
    right: Activation
    variances: tuple[Expr, Expr]
    derivative: int
    expression: Expr | None
    points: tuple[DualValue, ...]
    took: Effort = field(default_factory=Effort, compare=False)


def dual_activation(
    left: ActivationLike,
    right: ActivationLike | None = None,
    rho: StrengthsLike = 1,
    *,
    variance: str | int | Expr = 1,
    variance2: str | int | Expr | None = None,
    derivative: int = 0,
    digits: int = 15,
) -> DualActivation:
    r"""The dual activation of one or two activations, with certified digits.

    Arguments:
        left, right: f and g; g is f by default.
        rho: correlations in [-1, 1], as ``correlations_of`` takes them.
        variance, variance2: of either Gaussian, positive exact numbers; the second is the first by
            default.
        derivative: how often K is differentiated by ρ.
        digits: of accuracy. Values without a closed form are accurate relative to
            :math:`\sqrt{E f^2\,E g^2}`, the largest that K may be.

    .. math:: K(\rho) = E\,f(\sqrt{q_1}\,x)\,g(\sqrt{q_2}\,y)

    Raises ``InputError`` for what is not accepted, and where a derivative is not known to be
    finite. Source: (31). Exact as a formula, certified as numbers.

    >>> relu = dual_activation("relu", rho=1)
    >>> relu.expression.subs("rho", 0), relu.points[0].value.mid
    (1/(2*pi), '0.500000000000000')
    >>> dual_activation("tanh", rho=0.5, digits=8).points[0].value.mid
    '0.18632441'
    """
    first = parse_activation(left)
    second = first if right is None else parse_activation(right)
    sizes = parse_variance(variance), parse_variance(variance if variance2 is None else variance2)
    for activation, size in zip((first, second), sizes, strict=True):
        insist_on_finite_risk(activation.value, activation.text, size)
    order = checked_degree(derivative, "derivative")
    checked_degree(digits, "digits", least=1)
    correlations = [Rational(c.numerator, c.denominator) for c in correlations_of(rho)]
    expression = closed_dual(first, second, sizes, order)
    with counted() as count:
        if expression is not None:
            points = [_of_formula(expression, each, digits) for each in correlations]
        else:
            points = _Means(first, second, sizes, order, digits).at(correlations)
    return DualActivation(first, second, sizes, order, expression, tuple(points), count.effort)


def closed_dual(
    left: Activation, right: Activation, variances: tuple[Expr, Expr], derivative: int = 0
) -> Expr | None:
    """The closed form of a dual activation in ``rho``, ``None`` if there is none. Exact.

    Arguments:
        left, right: the two activations.
        variances: of their arguments.
        derivative: the order by the covariance, 0 for the kernel itself.
    """
    both = root(variances[0] * variances[1])
    if left.value.is_zero or right.value.is_zero:
        return S.Zero
    try:
        kernel = kernel_derivative(left, right, derivative)
    except NoClosedForm:
        return None
    found = kernel.at(*variances, RHO * both) * both**derivative
    return expand(found) if found.has(S.ImaginaryUnit) else found


def _of_formula(expression: Expr, correlation: Expr, digits: int) -> DualValue:
    here = expression.subs(RHO, correlation)
    if here.has(zoo, nan) or here.is_infinite:
        return DualValue(correlation, None, "closed form")
    if here.is_zero:
        return DualValue(correlation, Enclosure("0", "0"), "closed form")
    value, bits = real_function(here, []), bits_for(digits)
    small = arb(2) ** (-4 * bits)
    (found,), _ = settled(
        lambda accuracy: [value()],
        lambda balls: accurate(bits)(balls) or abs(balls[0]) < small,
        f"the value at {correlation} is not enclosed",
        first=bits + _GUARD,
    )
    return DualValue(correlation, enclosure(found, digits), "closed form")


class _Means:
    """The values of a dual activation that has no closed form."""

    def __init__(
        self,
        left: Activation,
        right: Activation,
        variances: tuple[Expr, Expr],
        derivative: int,
        digits: int,
    ) -> None:
        self._order, self._digits, self._bits = derivative, digits, bits_for(digits)
        self._activations, self._variances = (left, right), variances
        self._same = left == right and variances[0] == variances[1]
        self._scale = ball_function(root(variances[0] * variances[1]) ** derivative, [])
        self._functions = self._derivatives()

    def _derivatives(self) -> tuple[PiecewiseAnalytic, PiecewiseAnalytic] | None:
        """The functions whose product's mean it is, ``None`` where a δ would be differentiated."""
        found = []
        for activation, variance in zip(self._activations, self._variances, strict=True):
            f = activation.value
            for _ in range(self._order):
                if any(f.deltas):
                    return None
                f = f.derivative()
            found.append(f.scaled(root(variance)))
        return found[0], found[1]

    def at(self, correlations: list[Expr]) -> list[DualValue]:
        """The values, each by the first way that is accurate enough."""
        found: dict[Expr, DualValue] = {}
        for rho in correlations:
            if abs(rho) == 1:
                found[rho] = self._told(rho, self._at_end(rho), "one integral")
        for order in _ORDERS:
            waiting = [rho for rho in dict.fromkeys(correlations) if rho not in found]
            if waiting:
                found |= self._by_series(waiting, order, order == _ORDERS[-1])
        return [found[rho] for rho in correlations]

    def _told(self, rho: Expr, value: arb, route: str) -> DualValue:
        return DualValue(rho, enclosure(value, self._digits), route)

    def _at_end(self, rho: Expr) -> arb:
        """Where both Gaussians are one, up to its sign."""
        if self._functions is None or any(d for f in self._functions for d in f.deltas):
            raise InputError(
                f"the derivative of order {self._order} at ρ = {rho} is not known to be finite: "
                "the functions have kinks; give |ρ| < 1 or a lower order"
            )
        f, g = self._functions
        mean = mean_function(f * (g if rho == 1 else g.reflected()))
        with ctx.workprec(self._bits + _GUARD):
            value: arb = mean(arb(1)) * self._scale()
            return value

    # Mehler's series.

    def _by_series(self, waiting: list[Expr], order: int, last: bool) -> dict[Expr, DualValue]:
        """The values that a series of this order gives, of the last order all of them."""
        losses = ceil(self._order * log2(order))  # of accuracy, by differentiating
        found: dict[Expr, DualValue] = {}
        with ctx.workprec(self._bits + losses + HermiteSeries.guard(order)):
            ours, rest = self._series(0, order, losses)
            theirs, other = (ours, rest) if self._same else self._series(1, order, losses)
            left_out = (abs(rest).upper() * abs(other).upper()).sqrt().upper()
            size = (_square(ours, rest) * _square(theirs, other)).sqrt()
            for rho in waiting:
                ball = ball_function(rho, [])()
                total = sum((a * b * _power(ball, k, self._order) for k, (a, b)
                             in enumerate(zip(ours, theirs, strict=True))), arb(0))  # fmt: skip
                tail = self._tail(ball, order, left_out)
                accurate_enough = tail < size * arb(2) ** -self._bits
                if accurate_enough or last:
                    value, route = total + arb(0, tail.upper()), f"series of order {order}"
                    if not accurate_enough and self._functions and 1 - ball**2 > _NARROWEST:
                        value, route = self._in_the_plane(ball, size), "plane"
                    if not value.is_finite():
                        raise Undecided(
                            f"the derivative of order {self._order} at ρ = {rho} is not enclosed: "
                            "give a smaller |ρ| or a lower order; it stopped"
                        )
                    found[rho] = self._told(rho, value, route)
        return found

    def _series(self, place: int, order: int, losses: int) -> tuple[list[arb], arb]:
        series = HermiteSeries(self._activations[place], self._variances[place])
        return series.enclosed(order, self._bits + losses + 8)

    def _tail(self, rho: arb, order: int, left_out: arb) -> arb:
        """What the series leaves out: its largest power times the root of both squares."""
        start, m = order + 1, self._order
        if start <= m or not abs(rho) * (start + 1) <= start + 1 - m:
            return arb("inf")
        return abs(_power(rho, start, m)) * left_out

    # The plane.

    def _in_the_plane(self, rho: arb, size: arb) -> arb:
        assert self._functions is not None
        rest = 1 - rho**2
        near = fmpq(1, 2) / (1 + abs(rho).upper().fmpq())
        envelope = Envelope(near, fmpq(1, 2) / rest.lower().fmpq())
        bits = self._bits + 8 - int(1.45 * float((rest * size).log()))
        one = rule_for(self._functions[0], envelope, bits)
        two = one if self._same else rule_for(self._functions[1], envelope, bits)
        front = 1 / (2 * arb.pi() * rest.sqrt())
        missed = one.error * _envelope_mean(self._functions[1], near)
        pairs = zip(one.nodes, one.weights, strict=True)
        missed += two.error * sum((abs(w) * (-near * x * x).exp() for x, w in pairs), arb(0))
        found = _summed(one, two, rho, bits) + arb(0, missed.upper())
        value: arb = front * found * self._scale()
        return value


def _envelope_mean(g: PiecewiseAnalytic, decay: fmpq) -> arb:
    """A bound of the integral of |g| exp(-decay·y²), by Cauchy-Schwarz beside its δ."""
    alone = PiecewiseAnalytic(g.pieces, g.breaks)
    square, spread = mean_function(alone * alone)(arb(1)), arb.pi() / (2 * decay - fmpq(1, 2))
    total: arb = (square * (2 * arb.pi() * spread).sqrt()).sqrt()
    for point, weight in zip(g.breaks, g.deltas, strict=True):
        if weight != 0:
            total += abs(ball_function(weight.subs(z, point), [])())
    return total


def _square(coefficients: list[arb], rest: arb) -> arb:
    total: arb = sum((d * d for d in coefficients), abs(rest))
    return total


def _power(rho: arb, k: int, derivative: int) -> arb:
    """The derivative of the power of ρ."""
    if k < derivative:
        return arb(0)
    value: arb = rho ** (k - derivative) * arb(k).fac() / arb(k - derivative).fac()
    return value


def _summed(one: Rule, two: Rule, rho: arb, bits: int) -> arb:
    """The sum over both rules of exp(-x²/2 - (y - ρx)²/(2(1-ρ²))), far pairs as an error."""
    farthest = 2 * 0.7 * (bits + 16)  # twice the exponent beyond which pairs are small
    there = sorted(zip(two.nodes, two.weights, strict=True), key=lambda pair: float(pair[0].mid()))
    places = [float(y.mid()) for y, _ in there]
    half, middle, deviation = 1 / (2 * (1 - rho**2)), float(rho), sqrt(float(1 - rho**2))
    total = arb(0)
    for x, weight in zip(one.nodes, one.weights, strict=True):
        room = farthest - float(x) ** 2
        if room <= 0:
            continue
        reach, centre, line = deviation * sqrt(room) + 1e-9, middle * float(x), rho * x
        inner = arb(0)
        for y, other in there[bisect_left(places, centre - reach):
                              bisect_right(places, centre + reach)]:  # fmt: skip
            inner += other * (-((y - line) ** 2) * half).exp()
        total += inner * weight * (-x * x / 2).exp()
    sizes = [sum((abs(w) for w in rule.weights), arb(0)) for rule in (one, two)]
    # A pair that is left out has an exponent below -0.69 (bits + 16): what it adds is small.
    far = sizes[0] * sizes[1] * (-arb(fmpq(69, 100)) * (bits + 16)).exp()
    return total + arb(0, far.upper())
