"""What the page is given: the catalogue, closed forms, certified singularities, the law of exits.

All of it comes from ``derive`` and ``numerics.certified`` when the page is made, and is written as
the JavaScript module ``formulas.js``.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from typing import Any

from sympy import Function, Symbol, diff, sqrt

from derive.catalogue import CATALOGUE, OTHER_NAMES, known_name
from derive.errors import InputError, Undecided
from derive.escape import eigenvalues
from derive.exit import ExitLaw, exit_law
from derive.gaussian import NoClosedForm
from derive.grammar import NAMED_LABELS
from derive.kinds import LOSSES
from derive.landscape import landscape_of
from derive.means import Mean
from derive.pair import MISALIGNMENTS, Pair
from derive.pair_drift import drift_of
from derive.parser import (
    DEEPEST_NESTING,
    JUMPING,
    LARGEST_POWER,
    LONGEST_TEXT,
    MOST_BITS,
    MOST_TERMS,
)
from derive.plane import PlaneMean
from derive.symbols import m, mu, residual, rho, u
from numerics.certified.singularities import find_singularities
from numerics.explorer.javascript import NotReal, function, terms, tree

DEGREES = range(2, 13)  # of the Hermite polynomials whose formulas are in the page
_HIGHEST = 6  # degree of those whose loss is
_DIGITS = 17


def known_texts() -> list[str]:
    """The activations whose matched pairs the page knows without a quadrature or a search."""
    named = ["x" if name == "identity" else name for name in CATALOGUE]
    return [*named, *(f"He{n}" for n in DEGREES)]


# The catalogue, as trees.


def _entry(name: str) -> dict[str, Any]:
    """An entry with symbols of the signs of the usual parameters in their place."""
    entry = CATALOGUE[name]
    symbols = [
        Symbol(f"p{i}", positive=value.is_positive, negative=value.is_negative)
        for i, value in enumerate(entry.parameters.values())
    ]
    built = entry.build(*symbols)
    return {
        "summary": entry.summary,
        "parameters": list(entry.parameters),
        "usual": [tree(value) for value in entry.parameters.values()],
        "positive": [i for i in range(len(symbols)) if _refuses_negative(name, i)],
        "pieces": [tree(piece, symbols) for piece in built.pieces],
        "breaks": [tree(point, symbols) for point in built.breaks],
    }


def _refuses_negative(name: str, place: int) -> bool:
    usual = list(CATALOGUE[name].parameters.values())
    usual[place] = -abs(usual[place])
    try:
        CATALOGUE[name].build(*usual)
    except InputError:
        return bool(list(CATALOGUE[name].parameters.values())[place].is_positive)
    return False


# Closed forms and certified lists of pairs of one activation.


def pair_key(text: str, labels: str, loss: str) -> str:
    """By which the page finds what is known of a matched pair.

    Arguments:
        text: of the activation.
        labels: as text.
        loss: ``square`` or ``correlation``.
    """
    return f"{text}|{labels}|{loss}"


def _pairs(texts: Iterable[str]) -> Iterator[tuple[str, Pair]]:
    for text in texts:
        for labels in NAMED_LABELS:
            for loss in LOSSES:
                yield pair_key(text, labels, loss), Pair(text, labels=labels, loss=loss)


def closed_forms(texts: Iterable[str]) -> Iterator[str]:
    """Entries ``key: {a, b, landscape}`` of all pairs that have closed forms, as JavaScript."""
    for key, pair in _pairs(texts):
        parts = []
        with suppress(NoClosedForm, NotReal):
            drift = drift_of(pair)
            a, b = (drift.derivative(name, 0) for name in ("a", "b"))
            if not isinstance(a, Mean | PlaneMean):
                parts += [f"a: {terms(a)}", f"b: {terms(b)}"]
        with suppress(NoClosedForm, NotReal):
            parts += _landscape(pair)
        if parts:
            yield f"{json.dumps(key)}: {{{', '.join(parts)}}}"


def _landscape(pair: Pair) -> list[str]:
    """Of the teacher's own output; those of its square, and of high degrees, cancel too much."""
    if pair.labels.text != "matched" or (pair.degree or 0) > _HIGHEST:
        return []
    found = landscape_of(pair)
    return [f"landscape: {function([rho, residual], found.derived)}"]


@cache
def certified_list(text: str, labels: str) -> tuple[dict[str, Any], ...] | None:
    """Every zero of ``a`` in (0, 1), enclosed; ``None`` if a list is not proved complete."""
    try:
        found = find_singularities(Pair(text, labels=labels), _DIGITS)
    except Undecided:
        return None
    return tuple(
        {"mu": s.mu.mid, "radius": s.mu.radius, "b": s.b.mid, "diverges": s.diverges} for s in found
    )


def certified_lists(texts: Iterable[str]) -> dict[str, Any]:
    """The certified lists of matched pairs with raw and with squared labels."""
    found = {}
    for text in texts:
        for labels in NAMED_LABELS:
            if (zeros := certified_list(text, labels)) is not None:
                found[pair_key(text, labels, "square")] = zeros
    return found


# The search phase and the law of its exit.


def motion() -> dict[str, str]:
    """The flow, the rate of escape and the law of the exit time, as JavaScript."""
    nu, kappa, a, b, e = (Symbol(n, real=True) for n in ("nu", "kappa", "a", "b", "e"))
    place = [mu + u * m, nu**2 + 2 * u * nu * kappa + u**2 * (1 - m**2)]
    loss = Function("L")(rho, residual)
    slopes = [  # along u, m, κ, by the chain rule: a = -∂L/∂ρ, b = -2 ∂L/∂s
        -(diff(loss, rho) * diff(place[0], x) + diff(loss, residual) * diff(place[1], x))
        for x in (u, m, kappa)
    ]
    known = {diff(loss, rho): -a, diff(loss, residual): -b / 2}
    forces = [slope.subs(known).expand() for slope in slopes]
    growing, falling = eigenvalues(sqrt(a**2 + e**2), b)
    growth, scale = (Symbol(n, positive=True) for n in ("rate", "scale"))
    noise, level = (Symbol(n, nonnegative=True) for n in ("noise", "level"))
    law = exit_law(growth, b, noise, scale)
    mean, variance = (Symbol(n, positive=True) for n in ("mean", "variance"))
    searching = ExitLaw(growth, mean, variance).searching(level)
    return {
        "place": function([mu, nu, u, m, kappa], place),
        "forces": function([mu, nu, u, m, kappa, a, b], forces),
        "eigenvalues": function([a, b, e], [growing, falling]),
        "moments": function([growth, b, noise, scale], [law.mean, law.variance]),
        "searching": function([level, mean, variance], searching),
    }


def module(closed: Iterable[str], certified: Iterable[str]) -> str:
    """The module ``formulas.js``.

    Arguments:
        closed: activations whose closed forms it holds.
        certified: activations whose certified lists it holds.
    """
    names = {name.replace("_", ""): name for name in CATALOGUE}
    limits = {
        "text": LONGEST_TEXT,
        "nesting": DEEPEST_NESTING,
        "power": LARGEST_POWER,
        "terms": MOST_TERMS,
        "bits": MOST_BITS,
        "jumping": JUMPING,
    }
    data = {
        "CATALOGUE": {name: _entry(name) for name in CATALOGUE},
        "NAMES_MEANT": {each: known_name(each) for each in (*names, *OTHER_NAMES)},
        "LIMITS": limits,
        "CERTIFIED": certified_lists(certified),
    }
    lines = ['import { erf, erfc, erfi, softplus } from "./special.js";']
    lines += [f"export const {name} = {json.dumps(value)};" for name, value in data.items()]
    functions = {
        "CLOSED": closed_forms(closed),
        "MOTION": (f"{name}: {text}" for name, text in motion().items()),
        "MISALIGNMENTS": (f"{name}: {function([mu], nu)}" for name, nu in MISALIGNMENTS.items()),
    }
    for name, parts in functions.items():
        inside = ",\n".join(parts)
        lines.append(f"export const {name} = {{\n{inside}\n}};")
    return "\n".join(lines)
