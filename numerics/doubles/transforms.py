r"""Label transforms in doubles: the conditional means on a rule, and a transform written as text.

The best transform jumps where the teacher turns, so a formula only comes near it. The one written
here is

.. math:: T(y) = c_0 + c_1 y + \sum_k c_{k+2} \tanh((y - q_k)/w_k)

with places q_k at quantiles of the outputs, closer in their tails. Heuristic.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from flint import arb

from derive.pair import Pair
from derive.symbols import z
from numerics.certified.best_labels import Plane, best_labels
from numerics.doubles.arrays import Doubles, piecewise
from numerics.doubles.fibres import FibreRule

_PLACES = 9
_WIDTHS = (0.15, 0.3, 0.5, 1.0, 2.0)  # in units of the distance of the places
_NEGLIGIBLE = 1e-9  # of the largest: directions that functions do not span
_DIGITS = 8
_NOTHING = 1e-13  # of the largest factor


def conditional_arrays(pair: Pair, rule: FibreRule, mu: float) -> tuple[Doubles, Doubles]:
    """A and B at the outputs of a rule; in B the kinks that an output has a stretch around count.

    Arguments:
        pair: of the student and the teacher.
        rule: outputs of the teacher, and the inputs of each.
        mu: the strength.

    Heuristic.

    >>> from numerics.doubles.fibres import fibre_rule
    >>> pair = Pair("x")
    >>> a, b = conditional_arrays(pair, fibre_rule(pair.teacher), 0.5)
    >>> bool(np.allclose(a, fibre_rule(pair.teacher).outputs)), bool(np.allclose(b, 0))
    (True, True)
    """
    first = pair.student.value.derivative()
    x = mu * rule.inputs
    slope, curvature = piecewise(first)(x), piecewise(first.derivative())(x)
    return rule.given(rule.inputs * slope), rule.given(curvature) + _kinks(pair, rule, mu)


def _kinks(pair: Pair, rule: FibreRule, mu: float) -> Doubles:
    """What kinks add to B at outputs that stretches of inputs have."""
    bent, added = pair.student.value.derivative().derivative(), np.zeros_like(rule.masses)
    cut = pair.teacher.value.intervals()
    flats = [tuple(map(float, part)) for part in cut if not part[0].has(z)]
    for point, weight in zip(bent.breaks, bent.deltas, strict=True):
        place = float(point) / mu
        for level, low, high in flats:
            if low < place < high:
                node = int(np.argmin(np.abs(rule.outputs - level)))
                density = np.exp(-place * place / 2) / np.sqrt(2 * np.pi)
                added[node] += float(weight) / mu * density / rule.masses[node]
    return added


@dataclass(frozen=True)
class WrittenLabels:
    """Labels as text, near the best ones.

    Fields: ``text``, as ``--labels`` takes it; ``kept``, the share of the largest rate that they
    have. Heuristic.
    """

    text: str
    kept: float


def written_labels(
    rule: FibreRule, means: tuple[Doubles, Doubles], plane: Plane, norm: arb, useful: bool
) -> WrittenLabels | None:
    """The best labels of a norm that are written with nine hyperbolic tangents.

    Arguments:
        rule: of the teacher.
        means: A and B at its outputs.
        plane: of all transforms.
        norm: E T².
        useful: as ``best_labels`` takes it.

    The result is ``None`` if none of them is useful. Raises as ``best_labels``. Heuristic.
    """
    best = best_labels(plane, norm, useful)
    if best is None:
        return None
    found = [_written(rule, means, plane, norm, useful, places) for places in _places(rule)]
    rate, text = max(found, key=lambda each: each[0])
    return WrittenLabels(text, rate / float(best.lower)) if rate > 0 else None


def _places(rule: FibreRule) -> list[tuple[Doubles, Doubles]]:
    """Places of the tangents, and widths of several sizes."""
    order = np.argsort(rule.outputs)
    share = (1 - np.cos(np.pi * (np.arange(_PLACES) + 0.5) / _PLACES)) / 2
    places = np.interp(share, np.cumsum(rule.masses[order]), rule.outputs[order])
    places = np.unique([float(f"{place:.5g}") for place in places])
    gaps = np.gradient(places) if len(places) > 1 else np.ones(1)
    return [(places, np.array([float(f"{w:.5g}") for w in size * gaps])) for size in _WIDTHS]


def _written(
    rule: FibreRule,
    means: tuple[Doubles, Doubles],
    plane: Plane,
    norm: arb,
    useful: bool,
    tangents: tuple[Doubles, Doubles],
) -> tuple[float, str]:
    """The rate of the best labels that tangents of these places and widths span, and their text."""
    (places, widths), y, root = tangents, rule.outputs, np.sqrt(rule.masses)
    rows = [np.ones_like(y), y, *np.tanh((y - places[:, None]) / widths[:, None])]
    left, sizes, right = np.linalg.svd(np.array(rows) * root, full_matrices=False)
    kept = sizes > _NEGLIGIBLE * sizes[0]
    a, b = (right[kept] @ (mean * root) for mean in means)
    near = Plane(arb(a @ a), arb(a @ b), arb(b @ b), plane.power, plane.strength)
    best = best_labels(near, norm, useful)
    if best is None:
        return 0.0, ""
    x, z = (float(factor) for factor in near.mixture(norm, best.cosine, best.sine))
    factors = left[:, kept] @ ((x * a + z * b) / sizes[kept])
    names = (f"tanh((y {'-' if q > 0 else '+'} {abs(q):.5g})/{w:.5g})"
             for q, w in zip(places, widths, strict=True))  # fmt: skip
    return float(best.lower), sum_as_text(factors, ["", "y", *names])


def sum_as_text(factors: Sequence[float], names: Sequence[str]) -> str:
    """A sum as text of the grammar, its factors rounded; terms that are as good as 0 left out.

    >>> sum_as_text([1.5, -2.0, 1e-20], ["", "y", "y**2"])
    '1.5 - 2*y'
    """
    text = ""
    for factor, name in zip(factors, names, strict=True):
        if abs(factor) <= _NOTHING * max(map(abs, factors)):
            continue
        size = f"{abs(factor):.{_DIGITS}g}"
        sign = " - " if factor < 0 else " + "
        text += f"{sign}{size}*{name}" if name else f"{sign}{size}"
    text = text.strip()
    return text.removeprefix("+ ") if text.startswith("+") else text.replace("- ", "-", 1)


def polynomial_as_text(factors: Sequence[float]) -> str:
    """A polynomial in ``y`` as text, from the constant on.

    >>> polynomial_as_text([0.0, 1.0, -0.25])
    '1*y - 0.25*y**2'
    """
    powers = [f"y**{k}" if k > 1 else ("y" if k else "") for k in range(len(factors))]
    return sum_as_text(factors, powers)
