"""Functions with their slopes in plain numpy, and random texts of them: a second reading of text.

A ``Dual`` carries a value and a slope; nothing here knows of SymPy or of the project's grammar.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import special

Array = Any


@dataclass(frozen=True)
class Dual:
    """Values and slopes at many places."""

    value: Array
    slope: Array

    def __add__(self, other: "Dual | float") -> "Dual":
        other = as_dual(other)
        return Dual(self.value + other.value, self.slope + other.slope)

    def __sub__(self, other: "Dual | float") -> "Dual":
        return self + as_dual(other) * -1.0

    def __mul__(self, other: "Dual | float") -> "Dual":
        other = as_dual(other)
        slope = self.slope * other.value + self.value * other.slope
        return Dual(self.value * other.value, slope)

    def __truediv__(self, other: "Dual | float") -> "Dual":
        other = as_dual(other)
        inverse = Dual(1 / other.value, -other.slope / other.value**2)
        return self * inverse


def as_dual(given: "Dual | float") -> Dual:
    return given if isinstance(given, Dual) else Dual(float(given), 0.0)


def _of(value: Callable[[Array], Array], slope: Callable[[Array], Array]) -> Callable[..., Dual]:
    return lambda x: Dual(value(x.value), slope(x.value) * x.slope)


def where(holds: Array, yes: Dual, no: Dual) -> Dual:
    yes, no = as_dual(yes), as_dual(no)
    return Dual(np.where(holds, yes.value, no.value), np.where(holds, yes.slope, no.slope))


def clip(x: Dual, low: float, high: float) -> Dual:
    return where(x.value < low, as_dual(low), where(x.value > high, as_dual(high), x))


def sigmoid(x: Dual) -> Dual:
    return _of(special.expit, lambda v: special.expit(v) * special.expit(-v))(x)


tanh = _of(np.tanh, lambda v: 1 - np.tanh(v) ** 2)
erf = _of(special.erf, lambda v: 2 / np.sqrt(np.pi) * np.exp(-v * v))
exp = _of(np.exp, np.exp)
log = _of(np.log, lambda v: 1 / v)
sqrt = _of(np.sqrt, lambda v: 0.5 / np.sqrt(v))
sin, cos = _of(np.sin, np.cos), _of(np.cos, lambda v: -np.sin(v))
softplus = _of(lambda v: np.logaddexp(0, v), special.expit)


def absolute(x: Dual) -> Dual:
    return where(x.value < 0, x * -1.0, x)


def relu(x: Dual) -> Dual:
    return where(x.value > 0, x, as_dual(0.0))


def elu(x: Dual, alpha: float = 1.0) -> Dual:
    low = Dual(np.minimum(x.value, 0), x.slope)
    return where(x.value > 0, x, (exp(low) - 1.0) * alpha)


FUNCTIONS: dict[str, Callable[[Dual], Dual]] = {
    "identity": lambda x: x,
    "relu": relu,
    "leaky_relu": lambda x: where(x.value > 0, x, x * 0.01),
    "prelu": lambda x: where(x.value > 0, x, x * 0.25),
    "abs": absolute,
    "squared_relu": lambda x: relu(x) * relu(x),
    "relu6": lambda x: clip(x, 0, 6),
    "elu": elu,
    "selu": lambda x: elu(x, 1.6732632423543772) * 1.0507009873554805,
    "celu": elu,
    "hardtanh": lambda x: clip(x, -1, 1),
    "hardsigmoid": lambda x: clip(x * (1 / 6) + 0.5, 0, 1),
    "hardswish": lambda x: x * clip(x * (1 / 6) + 0.5, 0, 1),
    "softshrink": lambda x: x - clip(x, -0.5, 0.5),
    "huber": lambda x: where(np.abs(x.value) < 1, x * x * 0.5, absolute(x) - 0.5),
    "triangular": lambda x: relu(as_dual(1.0) - absolute(x)),
    "erf": erf,
    "phi": lambda x: (erf(x * np.sqrt(0.5)) + 1.0) * 0.5,
    "gelu": lambda x: x * (erf(x * np.sqrt(0.5)) + 1.0) * 0.5,
    "gelu_tanh": lambda x: x * (tanh((x + x * x * x * 0.044715) * np.sqrt(2 / np.pi)) + 1.0) * 0.5,
    "sin": sin,
    "cos": cos,
    "exp": exp,
    "sinh": _of(np.sinh, np.cosh),
    "cosh": _of(np.cosh, np.sinh),
    "gauss": lambda x: exp(x * x * -0.5),
    "sigmoid": sigmoid,
    "logsigmoid": lambda x: softplus(x * -1.0) * -1.0,
    "tanh": tanh,
    "tanhshrink": lambda x: x - tanh(x),
    "atan": _of(np.arctan, lambda v: 1 / (1 + v * v)),
    "softsign": lambda x: x / (absolute(x) + 1.0),
    "silu": lambda x: x * sigmoid(x),
    "swish": lambda x: x * sigmoid(x),
    "mish": lambda x: x * tanh(softplus(x)),
    "softplus": softplus,
    "symlog": lambda x: where(x.value < 0, log(absolute(x) + 1.0) * -1.0, log(absolute(x) + 1.0)),
    "squareplus": lambda x: (x + sqrt(x * x + 4.0)) * 0.5,
}
_BOUNDED = ("tanh", "erf", "sigmoid", "hardtanh", "atan", "softsign", "gauss", "sin", "triangular")
Read = Callable[[Dual], Dual]


def catalogue_texts() -> list[tuple[str, Read]]:
    """Every entry as it is, and shifted and scaled."""
    found: list[tuple[str, Read]] = []
    for i, (name, function) in enumerate(FUNCTIONS.items()):
        scale, shift = (0.5, 2.0, 1.5)[i % 3], (1.0, -0.5, 0.75, -1.25)[i % 4]
        scale = min(scale, 0.75) if name in ("exp", "sinh", "cosh") else scale
        found.append((name, function))
        found.append(
            (f"{name}({scale}*x{shift:+})", lambda x, f=function, a=scale, b=shift: f(x * a + b))
        )
        found.append((f"{name}(x - 2)/2", lambda x, f=function: f(x - 2.0) * 0.5))
    return found


def _sorted(kind: str, x: Dual, side: float, shift: float) -> tuple[Dual, Dual]:
    """The larger of x/4 and a line where that is asked for, and the other where it is not."""
    one, two = x * 0.25, x * side + shift
    return (one, two) if kind == "max" else (two, one)


def random_text(stream: random.Random) -> tuple[str, Read]:
    """A composition of two or three functions."""
    kind = stream.choice(("sum", "product", "inside", "max", "min", "quotient", "clip"))
    one, two = (stream.choice(sorted(FUNCTIONS)) for _ in range(2))
    f, g = FUNCTIONS[one], FUNCTIONS[two]
    a, b = stream.choice((0.5, 1.0, 2.0)), stream.choice((-1.0, 0.0, 0.5))
    if kind == "sum":
        return f"{one}(x{-b:+}) - {a}*{two}", lambda x: f(x - b) - g(x) * a
    if kind == "product":
        two = stream.choice(_BOUNDED)
        g = FUNCTIONS[two]
        return f"{one}*{two}({a}*x{b:+})", lambda x: f(x) * g(x * a + b)
    if kind == "inside":
        outer = stream.choice(("tanh", "erf", "sigmoid", "atan", "softplus", "gauss"))
        return f"{outer}({a}*{two}{b:+})", lambda x: FUNCTIONS[outer](g(x) * a + b)
    if kind in ("max", "min"):
        side = 1.0 if kind == "max" else -1.0
        return (
            f"{kind}(x/4, {side}*x{b:+})*{two}",
            lambda x: (
                where((x * 0.25).value > (x * side + b).value, *_sorted(kind, x, side, b)) * g(x)
            ),
        )
    if kind == "quotient":
        two = stream.choice(("cosh", "softplus", "exp", "sigmoid")) if b else "cosh"
        g = FUNCTIONS[two]
        one = stream.choice(_BOUNDED)
        return f"{one}/(1 + {two}(x/2))", lambda x, f=FUNCTIONS[one]: f(x) / (g(x * 0.5) + 1.0)
    low, high = -0.5, stream.choice((0.25, 1.5))
    return f"clip({a}*x{b:+}, {low}, {high})*{one}", lambda x: clip(x * a + b, low, high) * f(x)


def all_texts(count: int = 210) -> list[tuple[str, Read]]:
    """The catalogue, each shifted and scaled, and random compositions."""
    stream, found = random.Random(13), catalogue_texts()
    while len(found) < count:
        found.append(random_text(stream))
    return found


def nested_text(stream: random.Random, depth: int = 2) -> tuple[str, Read]:
    """Sums, products, kinks and choices of functions in one another."""
    if not depth or stream.random() < 0.2:
        name, scale, shift = stream.choice(sorted(FUNCTIONS)), 0.5, stream.choice((-1.0, 0.0, 2.0))
        leaf = FUNCTIONS[name]
        return f"{name}({scale}*x{shift:+})", lambda x: leaf(x * scale + shift)
    (one, f), (two, g) = nested_text(stream, depth - 1), nested_text(stream, depth - 1)
    kind = stream.choice(("sum", "product", "kink", "max", "min"))
    if kind == "sum":
        factor = stream.choice((-2.0, 0.5, 1.0))
        return f"({one}) + {factor}*({two})", lambda x: f(x) + g(x) * factor
    if kind == "product":
        return f"({one})*({two})", lambda x: f(x) * g(x)
    if kind == "kink":
        outer, level = (
            stream.choice(("relu", "abs", "hardtanh", "huber")),
            stream.choice((0.0, 0.5)),
        )
        return f"{outer}({one} - {level})", lambda x: FUNCTIONS[outer](f(x) - level)
    larger = kind == "max"

    def chosen(x: Dual) -> Dual:
        here, there = f(x), g(x)
        return where((here.value > there.value) == larger, here, there)

    return f"{kind}({one}, {two})", chosen
