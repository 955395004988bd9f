"""What people read of an entry: numbers and degrees in words, those of steps; texts of steps."""

import ast
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from functools import cache
from math import isfinite

from numbers_read import is_cut, is_rounding
from sympy import Basic

from numerics.certified.balls import Bounds, Enclosure
from numerics.claims.ledger import Step, leaves
from numerics.claims.presentation import plain

_STEPS = {"shown", "judged", "equal", "equal_for"}
_NUMBER = r"-?\d+(?:/\d+|\.\d+)?"
_VALUES = re.compile(  # of degrees n, which are told apart by parity, see below
    rf"(?<!\w)[A-Zbcdg-mo-zμγρ] = ({_NUMBER}(?:(?:,| and|,? to) {_NUMBER})*)"
    r"(?![\w(/²^!]|\.\d| [a-zμ(])"
)
_DECIMAL = re.compile(r"(?<![\w.(])-?\d+\.\d+(?: %)?(?![\w.]*\))(?!\w)")
_PLACES = re.compile(rf"(?:= |\bat |\[|τ\()({_NUMBER}(?:(?:,| and) {_NUMBER})*)")
_NAMED_DEGREES = re.compile(r"He_?(\d+)(?: to He_?(\d+))?")
_DEGREES = re.compile(r"\b(?:[Dd]egrees?|n =|even|odd) (\d+) to (\d+)")


def degrees_told(text: str) -> set[int]:
    """Hermite degrees that a text names one by one or from one to another, odd or even ones."""
    found: set[int] = set()
    for low, high in _NAMED_DEGREES.findall(text):
        found |= set(range(int(low), int(high or low) + 1))
    for each in _DEGREES.finditer(text):
        places = range(int(each[1]), int(each[2]) + 1)
        parity = re.findall("odd|even", text[: each.end()])[-1:]
        found |= {n for n in places if not parity or n % 2 == (parity == ["odd"])}
    return found


def numbers_told(text: str) -> set[str]:
    """Decimals, and numbers that a letter is said to be, one by one or from one to another."""
    return {*_DECIMAL.findall(text), *_values(text)}


def _values(text: str) -> set[str]:
    """Numbers that a letter is said to be, one by one or from one to another."""
    found = set()
    for values in _VALUES.findall(text):
        *first, last = re.findall(_NUMBER, values)
        found |= {*first, last}
        if " to " in values:
            found |= {str(k) for k in range(int(first[-1]), int(last))}
    return found


def numbers_shown(steps: Iterable[Step]) -> set[float]:
    """Sizes of all numbers in the values of steps, and of the places at which those are taken."""
    found = set()
    for step in steps:
        words = " ".join([plain(step.value), *_PLACES.findall(step.text), *_values(step.text)])
        told = re.findall(_NUMBER, words)
        found |= {abs(float(Fraction(each))) for each in told if not each.endswith("/0")}
        for leaf in leaves(step.value):
            if isinstance(leaf, Bounds):
                found |= {abs(float(leaf.low)), abs(float(leaf.high))}
            elif isinstance(leaf, Enclosure | float) or (
                isinstance(leaf, Basic) and leaf.is_number
            ):
                found |= {abs(complex(leaf))}
    return {each for each in found if isfinite(each)}


def is_shown(told: str, numbers: set[float]) -> bool:
    """Whether a number is one of these, rounded or cut to its digits; a share may be a growth."""
    size, *percent = told.lstrip("-").split()
    sizes = [100 * each for known in numbers for each in (known, known - 1)] if percent else numbers
    return any(is_rounding(size, each) or is_cut(size, each) for each in sizes)


def steps_written(check: Callable[..., object]) -> Iterator[str]:
    """Patterns of the texts of all steps that stand in a check and in its file's own helpers."""
    functions, waiting, seen = _functions(check.__module__), [check.__name__], set()
    while waiting:
        name = waiting.pop()
        if name in seen or name not in functions:
            continue
        seen.add(name)
        parts = list(ast.walk(functions[name]))
        waiting += [part.id for part in parts if isinstance(part, ast.Name)]
        for call in parts:
            if isinstance(call, ast.Call) and ast.unparse(call.func) in _STEPS and call.args:
                yield from _pattern(call.args[0])


def _pattern(text: ast.expr) -> Iterator[str]:
    parts = text.values if isinstance(text, ast.JoinedStr) else [text]
    if isinstance(text, ast.JoinedStr | ast.Constant):
        yield "".join(
            re.escape(part.value) if isinstance(part, ast.Constant) else ".*" for part in parts
        )


@cache
def _functions(module: str) -> dict[str, ast.FunctionDef]:
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {each.name: each for each in tree.body if isinstance(each, ast.FunctionDef)}
