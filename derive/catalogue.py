"""The catalogue of activations: how each is built, with which parameters, and what it is.

Adding an activation is one entry in ``CATALOGUE``. How functions are put together from text says
``derive.grammar``; what is asked of one, ``derive.activation``.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from sympy import (
    Eq,
    Expr,
    Integer,
    Piecewise,
    Rational,
    S,
    atan,
    cos,
    erf,
    exp,
    factorial,
    log,
    pi,
    sin,
    sqrt,
    tanh,
)

from derive.composition import composed
from derive.errors import InputError
from derive.piecewise import PiecewiseAnalytic, analytic
from derive.softplus import Softplus, sigmoid
from derive.symbols import z


@dataclass(frozen=True)
class Entry:
    """A catalogue entry.

    Fields: ``build``, from the parameters to the function; ``summary``; ``parameters``, their
    names and usual values; ``coefficient``, the Hermite coefficient :math:`c_k(Q)` for symbolic
    ``k`` and ``Q``, or ``None``; ``constants``, numbers of many digits that define it and that
    ``build`` takes too, which formulas show by name.
    """

    build: Callable[..., PiecewiseAnalytic]
    summary: str
    coefficient: Callable[[Expr, Expr], Expr] | None = None
    parameters: dict[str, Expr] = field(default_factory=dict)
    constants: dict[str, Expr] = field(default_factory=dict)


def _even(k: Expr, value: Expr) -> Expr:
    """``value`` for even ``k``, 0 for odd ``k``."""
    return value * (1 + (-1) ** k) / 2


def _density_derivative(k: Expr, variance: Expr) -> Expr:
    """E δ^(k)(g√V): (-1)^(k/2) (k-1)!! V^(-(k+1)/2)/√(2π) for even k, 0 for odd k."""
    size = factorial(k) / (factorial(k / 2) * 2 ** (k / 2)) * variance ** (-(k + 1) / 2)
    return _even(k, (-1) ** (k / 2) * size / sqrt(2 * pi))


def _kinked_coefficient(left: Expr, right: Expr) -> Callable[[Expr, Expr], Expr]:
    """The function with slopes ``left`` and ``right``: linear part plus (right-left)·relu."""

    def coefficient(k: Expr, variance: Expr) -> Expr:
        mean = (right - left) * sqrt(variance / (2 * pi))
        curved = (right - left) * _density_derivative(k - 2, variance)
        return Piecewise((mean, Eq(k, 0)), ((left + right) / 2, Eq(k, 1)), (curved, True))

    return coefficient


def _halves(left: Expr, right: Expr) -> PiecewiseAnalytic:
    """The function that is ``left`` below 0 and ``right`` above."""
    return PiecewiseAnalytic((left, right), (S.Zero,))


def _clipped(low: Expr, high: Expr) -> PiecewiseAnalytic:
    if not low < high:
        raise InputError(f"hardtanh from {low} to {high} is not accepted: give the lower end first")
    return PiecewiseAnalytic((low, z, high), (low, high))


def _positive(name: str, value: Expr) -> Expr:
    if not value.is_positive:
        raise InputError(f"{name} = {value} is not accepted: give a positive number")
    return value


def _elu(alpha: Expr, rate: Expr = S.One, scale: Expr = S.One) -> PiecewiseAnalytic:
    """scale·x above 0, scale·α(e^(rate·x) - 1) below."""
    return _halves(scale * alpha * (exp(rate * z) - 1), scale * z)


def _softshrink(size: Expr) -> PiecewiseAnalytic:
    _positive("lambda", size)
    return PiecewiseAnalytic((z + size, S.Zero, z - size), (-size, size))


def _huber(delta: Expr) -> PiecewiseAnalytic:
    _positive("delta", delta)
    outside = delta * (z - delta / 2)
    return PiecewiseAnalytic((outside.subs(z, -z), z**2 / 2, outside), (-delta, delta))


def _softplus(beta: Expr) -> PiecewiseAnalytic:
    return analytic(Softplus(_positive("beta", beta) * z) / beta)


def _swish(beta: Expr = S.One) -> PiecewiseAnalytic:
    return analytic(z * sigmoid(beta * z))


_SELU_SCALE = Rational("1.0507009873554804934193349852946")
_SELU_ALPHA = Rational("1.6732632423543772848170429916717")
_CUBIC = sqrt(2 / pi) * (z + Rational("0.044715") * z**3)
_RAMP = PiecewiseAnalytic((S.Zero, z / 6 + S.Half, S.One), (Integer(-3), Integer(3)))
LEAK = Rational(1, 100)  # slope of the leaky ReLU for negative arguments, unless given

CATALOGUE: dict[str, Entry] = {
    "identity": Entry(lambda: analytic(z), "x", lambda k, q: Piecewise((1, Eq(k, 1)), (0, True))),
    "relu": Entry(lambda: _halves(S.Zero, z), "max(x, 0)", _kinked_coefficient(S.Zero, S.One)),
    "leaky_relu": Entry(
        lambda leak: _halves(leak * z, z),
        "x, times 1/100 or the leak given if x < 0",
        _kinked_coefficient(LEAK, S.One),
        {"leak": LEAK},
    ),
    "prelu": Entry(
        lambda slope: _halves(slope * z, z),
        "x, times 1/4 or the slope given if x < 0",
        _kinked_coefficient(Rational(1, 4), S.One),
        {"slope": Rational(1, 4)},
    ),
    "abs": Entry(lambda: _halves(-z, z), "|x|", _kinked_coefficient(-S.One, S.One)),
    "squared_relu": Entry(lambda: _halves(S.Zero, z**2), "max(x, 0)^2"),
    "relu6": Entry(
        lambda: PiecewiseAnalytic((S.Zero, z, Integer(6)), (S.Zero, Integer(6))),
        "min(max(x, 0), 6)",
    ),
    "elu": Entry(_elu, "x, but alpha (e^x - 1) if x < 0", parameters={"alpha": S.One}),
    "selu": Entry(
        lambda alpha=_SELU_ALPHA, scale=_SELU_SCALE: _elu(alpha, scale=scale),
        "the scaled ELU that keeps mean and variance",
        constants={"alpha": _SELU_ALPHA, "lambda": _SELU_SCALE},
    ),
    "celu": Entry(
        lambda alpha: _elu(alpha, 1 / _positive("alpha", alpha)),
        "x, but alpha (e^(x/alpha) - 1) if x < 0",
        parameters={"alpha": S.One},
    ),
    "hardtanh": Entry(
        _clipped, "x clipped to [-1, 1]", parameters={"low": S.NegativeOne, "high": S.One}
    ),
    "hardsigmoid": Entry(lambda: _RAMP, "x/6 + 1/2 clipped to [0, 1]"),
    "hardswish": Entry(lambda: analytic(z) * _RAMP, "x hardsigmoid(x)"),
    "softshrink": Entry(
        _softshrink, "x moved towards 0 by 1/2, or to 0", parameters={"lambda": S.Half}
    ),
    "huber": Entry(_huber, "x^2/2, but |x| - 1/2 if |x| > 1", parameters={"delta": S.One}),
    "triangular": Entry(
        lambda: PiecewiseAnalytic((S.Zero, 1 + z, 1 - z, S.Zero), (-S.One, S.Zero, S.One)),
        "max(1 - |x|, 0)",
    ),
    "erf": Entry(
        lambda: analytic(erf(z)),
        "the error function erf(x)",
        lambda k, q: Piecewise(
            (0, Eq(k, 0)), (2 * _density_derivative(k - 1, q + Rational(1, 2)), True)
        ),
    ),
    "phi": Entry(lambda: analytic((1 + erf(z / sqrt(2))) / 2), "the normal distribution Phi(x)"),
    "gelu": Entry(lambda: analytic(z * (1 + erf(z / sqrt(2))) / 2), "x Phi(x)"),
    "gelu_tanh": Entry(
        lambda: analytic(z * (1 + tanh(_CUBIC)) / 2),
        "the GELU with tanh(sqrt(2/pi) (x + 0.044715 x^3)) for erf",
    ),
    "sin": Entry(lambda: analytic(sin(z)), "sin(x)", lambda k, q: sin(k * pi / 2) * exp(-q / 2)),
    "cos": Entry(lambda: analytic(cos(z)), "cos(x)", lambda k, q: cos(k * pi / 2) * exp(-q / 2)),
    "exp": Entry(lambda: analytic(exp(z)), "exp(x)", lambda k, q: exp(q / 2)),
    "sinh": Entry(lambda: analytic((exp(z) - exp(-z)) / 2), "(e^x - e^-x)/2"),
    "cosh": Entry(lambda: analytic((exp(z) + exp(-z)) / 2), "(e^x + e^-x)/2"),
    "gauss": Entry(
        lambda: analytic(exp(-(z**2) / 2)),
        "the bump exp(-x^2/2)",
        lambda k, q: sqrt(2 * pi) * _density_derivative(k, q + 1),
    ),
    "sigmoid": Entry(lambda: analytic(sigmoid(z)), "1/(1 + exp(-x))"),
    "logsigmoid": Entry(lambda: analytic(-Softplus(-z)), "log(1/(1 + exp(-x)))"),
    "tanh": Entry(lambda: analytic(tanh(z)), "tanh(x)"),
    "tanhshrink": Entry(lambda: analytic(z - tanh(z)), "x - tanh(x)"),
    "atan": Entry(lambda: analytic(atan(z)), "atan(x)"),
    "softsign": Entry(lambda: _halves(z / (1 - z), z / (1 + z)), "x/(1 + |x|)"),
    "silu": Entry(_swish, "x/(1 + exp(-x))"),
    "swish": Entry(_swish, "x sigmoid(beta x)", parameters={"beta": S.One}),
    "mish": Entry(lambda: analytic(z * tanh(Softplus(z))), "x tanh(softplus(x))"),
    "softplus": Entry(_softplus, "log(1 + exp(beta x))/beta", parameters={"beta": S.One}),
    "symlog": Entry(lambda: _halves(-log(1 - z), log(1 + z)), "log(1 + |x|) with the sign of x"),
    "squareplus": Entry(lambda: analytic((z + sqrt(z**2 + 4)) / 2), "(x + sqrt(x^2 + 4))/2"),
}

OTHER_NAMES = {
    "linear": "identity",
    "logistic": "sigmoid",
    "expit": "sigmoid",
    "arctan": "atan",
    "gaussian": "gauss",
    "hardsilu": "hardswish",
    "newgelu": "gelu_tanh",
    "normcdf": "phi",
    "relu2": "squared_relu",
}
_PLAIN = {name.replace("_", ""): name for name in CATALOGUE} | OTHER_NAMES


def known_name(text: str) -> str | None:
    """The catalogue's name of a function as people and libraries spell it, if it has one.

    >>> known_name("LeakyReLU"), known_name("arctan"), known_name("tan")
    ('leaky_relu', 'atan', None)
    """
    return _PLAIN.get(text.lower().replace("_", ""))


def catalogued(
    name: str, argument: PiecewiseAnalytic | Expr = z, *parameters: Expr
) -> PiecewiseAnalytic:
    """The catalogue's function ``name`` of an argument; parameters not given are the usual ones.

    Arguments:
        name: of an entry.
        argument: a function of ``z``.
        parameters: of the entry, in its order.

    Raises ``InputError`` for parameters that it does not have, and if the argument meets its
    breakpoints where that is not found exactly. Exact.

    >>> catalogued("relu", z - 1).breaks
    (1,)
    """
    entry = CATALOGUE[name]
    usual = tuple(entry.parameters.values())
    if len(parameters) > len(usual):
        raise InputError(f"{name} has {len(usual)} parameters besides its argument: give no more")
    function = entry.build(*parameters, *usual[len(parameters) :])
    if argument == z:
        return function
    inner = argument if isinstance(argument, PiecewiseAnalytic) else analytic(argument)
    return composed(function, inner)
