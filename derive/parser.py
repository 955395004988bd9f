"""From a user's text to a function, by a grammar that never evaluates anything.

::

    sum     = ["-"] product { ("+" | "-") ["-"] product }
    product = power { ("*" | "/") ["-"] power }
    power   = atom [ ("**" | "^") ["-"] ( number | "(" sum ")" ) ]
    atom    = number | "pi" | "e" | "x" | hermite | name [ "(" sum { "," sum } ")" ] | "(" sum ")"
            | "where" "(" sum ("<" | "<=" | ">" | ">=") sum "," sum "," sum ")"
    hermite = "He" integer [ "(" sum ")" ] | "He" "(" integer ")"

A name is an entry of the catalogue, ``log``, ``log1p``, ``sqrt``, ``max``, ``min`` or ``clip``; an
entry alone stands for itself at ``x``. Arguments are any functions, exponents multiples of one
half. What is divided by, and what a root or a logarithm is taken of, is proved to stay away from 0.
Decimals, ``1e-3`` too, are exact. How functions are put together is in ``derive.composition``.
"""

import re
from collections.abc import Callable
from difflib import get_close_matches
from functools import lru_cache
from math import comb
from typing import NamedTuple, NoReturn

from sympy import Add, E, Expr, Poly, Rational, S, log, pi

from derive.catalogue import CATALOGUE, catalogued, known_name
from derive.composition import (
    NotFound,
    chosen,
    composed,
    insist_on_positive,
    inverse,
    largest,
    smallest,
)
from derive.errors import InputError, quoted
from derive.hermite import hermite_polynomial
from derive.piecewise import PiecewiseAnalytic, analytic
from derive.softplus import recognised
from derive.symbols import z

LONGEST_TEXT = 500
DEEPEST_NESTING = 20
LARGEST_POWER = 60
MOST_TERMS = 500
MOST_BITS = 4000  # of a numerator or denominator

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d{1,30}(?:\.\d{1,40})?|\.\d{1,40})(?:[eE][-+]?\d{1,9})?)"
    r"|(?P<name>[A-Za-z][A-Za-z_0-9]{0,37}|π)|(?P<operator>\*\*|[<>]=?|[-+*/^(),]))",
    re.ASCII,
)
_CONSTANTS = {"pi": pi, "π": pi, "e": E}
JUMPING = ("step", "heaviside", "sign", "sgn", "hardshrink", "round", "floor", "ceil", "threshold")
_KNOWN = "known are relu, abs, elu, gelu, silu, tanh, erf, sin, exp, log, sqrt, max, He3 and more"
# What other names mean here. A function that has no equal gets no other one offered in its place.
_MEANT: dict[str, str | None] = {
    "ln": "log",
    "maximum": "max",
    "minimum": "min",
    "clamp": "clip",
    "erfc": "1 - erf(x)",
    "sech": "1/cosh(x)",
} | dict.fromkeys(
    ("tan", "asin", "asinh", "acos", "softmax", "maxout", "glu", "geglu", "swiglu", "rrelu")
)


class _Part(NamedTuple):
    """A parsed part, with its degree and its number of terms once multiplied out."""

    value: PiecewiseAnalytic
    degree: int = 0
    terms: int = 1

    @property
    def bits(self) -> int:
        """The size of its largest numerator or denominator."""
        numbers = [r for f in self.value.pieces for r in f.atoms(Rational)]
        return max((max(int(r.p).bit_length(), int(r.q).bit_length()) for r in numbers), default=1)

    @property
    def constant(self) -> Expr | None:
        """The value of a part that is a number."""
        value = self.value
        return None if value.breaks or not value.smooth.is_number else value.smooth


def _measured(value: PiecewiseAnalytic, least: int) -> _Part:
    """A function with its degree, at least that of what it was made of, and its terms."""
    degrees = [Poly(f, z).degree() for f in value.pieces if f.has(z) and f.is_polynomial(z)]
    terms = max(len(Add.make_args(f)) for f in value.pieces)
    return _Part(value, max([least, *degrees]), max(2, terms))


@lru_cache(maxsize=256)  # what an option gives is asked for again by all that take it
def parsed(text: str, variable: str) -> PiecewiseAnalytic:
    """The function that a text in a variable stands for, as a function of ``z``. Exact.

    Raises ``InputError``, in one line, for text that is not in the grammar above, and for
    functions that are not proved to be analytic between breakpoints that are found.

    >>> parsed("max(x, 0)", "x").breaks
    (0,)
    """
    parser = _Parser(text, variable)
    try:
        return parser.whole().mapped(recognised)
    except NotFound as reason:
        parser.refuse(str(reason), "write it in another way")


class _Parser:
    """Recursive descent over the tokens of one text."""

    def __init__(self, text: str, variable: str) -> None:
        if len(text) > LONGEST_TEXT:
            raise InputError(
                f"a function of {len(text)} characters is not accepted: at most {LONGEST_TEXT}"
            )
        self._text = text
        self._variable = variable
        self._depth = 0
        self._tokens: list[tuple[str, str]] = []
        position, end = 0, len(text.rstrip())
        while position < end:
            if match := _TOKEN.match(text, position):
                self._tokens.append((match.lastgroup or "", match[match.lastgroup or 0]))
                position = match.end()
            else:
                rest = text[position:].strip()
                hint = "write abs(x) for |x|" if rest[0] == "|" else ""
                self.refuse(f"{quoted(rest)} is not part of the grammar", hint)
        self._tokens.reverse()

    def refuse(self, reason: str, hint: str = "") -> NoReturn:
        example = f"give {self._variable}, numbers, He3 and functions, as in 'x**3/6 + erf(x)/2'"
        raise InputError(
            f"function {quoted(self._text)} is not accepted: {reason}; {hint or example}"
        )

    def _take(self, *operators: str) -> str | None:
        """The next token if it is one of these operators."""
        if self._tokens and self._tokens[-1][0] == "operator" and self._tokens[-1][1] in operators:
            return self._tokens.pop()[1]
        return None

    def _expect(self, operator: str) -> None:
        if not self._take(operator):
            self._expect_operator()
            found = repr(self._tokens[-1][1]) if self._tokens else "the end"
            self.refuse(f"{operator!r} is missing before {found}")

    def _expect_operator(self) -> None:
        """Refuse a value that follows another, as in ``3x``."""
        kind, text = self._tokens[-1] if self._tokens else ("", "")
        if kind in ("number", "name") or text == "(":
            self.refuse(f"an operator, such as *, is missing before {quoted(text)}")

    def whole(self) -> PiecewiseAnalytic:
        """The function the whole text stands for."""
        part = self.sum()
        if self._tokens:
            self._expect_operator()
            self.refuse(f"{quoted(self._tokens[-1][1])} is one too many")
        return part.value

    def sum(self) -> "_Part":
        """``["-"] product { ("+" | "-") ["-"] product }``"""
        self._depth += 1
        if self._depth > DEEPEST_NESTING:
            self.refuse(f"it nests deeper than {DEEPEST_NESTING}")
        sign = self._take("-", "+") or "+"
        total = _Part(analytic(S.Zero), 0, 0)
        while sign:
            value, degree, terms = self._product()
            added = total.value + (-value if sign == "-" else value)
            total = _Part(added.joined(), max(total.degree, degree), total.terms + terms)
            sign = self._take("+", "-") or ""
            if sign and self._take("-"):
                sign = "+" if sign == "-" else "-"
        self._depth -= 1
        return self._bounded(total)

    def _bounded(self, part: "_Part") -> "_Part":
        """The part, if working with it stays quick."""
        if part.degree > LARGEST_POWER:
            self.refuse(f"its degree is above {LARGEST_POWER}")
        if part.terms > MOST_TERMS:
            self.refuse(f"multiplied out it has more than {MOST_TERMS} terms")
        self._sized(part.bits)
        return part

    def _sized(self, bits: int) -> None:
        """Refuse numbers of more bits than are worked with."""
        if bits > MOST_BITS:
            self.refuse(f"it holds numbers of more than {MOST_BITS * 3 // 10} digits")

    def _product(self) -> "_Part":
        total = self._power()
        while operator := self._take("*", "/"):
            turned = self._take("-")
            right = self._power()
            if turned:
                right = right._replace(value=-right.value)
            if operator == "/":
                right = self._inverse(right)
            self._sized(total.bits + right.bits)
            degree, terms = total.degree + right.degree, total.terms * right.terms
            total = self._bounded(_Part((total.value * right.value).joined(), degree, terms))
        return total

    def _inverse(self, part: "_Part") -> "_Part":
        """One over a part, which has a single term however it is multiplied out."""
        if (divisor := part.constant) is None:
            return _Part(inverse(part.value))
        if divisor.equals(0) is not False:
            self.refuse("division is by what is not 0")
        return _Part(analytic(1 / divisor))

    def _power(self) -> "_Part":
        base = self._atom()
        if not self._take("**", "^"):
            return base
        sign = -1 if self._take("-") else 1
        kind, text = self._tokens.pop() if self._tokens else ("", "")
        value: Expr | None = self._rational(text) if kind == "number" else None
        if text == "(":
            value = self.sum().constant
            self._expect(")")
        if value is None or not value.is_Rational:
            self.refuse(f"an exponent is a number from -{LARGEST_POWER} to {LARGEST_POWER}")
        return self._raised(base, sign * value)

    def _raised(self, base: "_Part", exponent: Rational) -> "_Part":
        """A part to the power of a multiple of one half."""
        if abs(exponent) > LARGEST_POWER or exponent.q > 2:
            self.refuse(f"exponents are multiples of 1/2 up to {LARGEST_POWER}")
        if exponent < 0:
            return self._inverse(self._raised(base, -exponent))
        if exponent.q != 1:
            return self._root_of(base, exponent)
        power = int(exponent)
        terms = comb(base.terms + power - 1, power)
        self._sized(power * (base.bits + base.terms.bit_length()))
        bounded = self._bounded(_Part(base.value, base.degree * power, terms))
        return bounded._replace(value=(base.value**power).joined())

    def _rational(self, text: str) -> Rational:
        """A number's exact value; its exponent is looked at before its digits are written out."""
        _, _, exponent = text.lower().partition("e")
        self._sized(4 * abs(int(exponent or 0)))  # a digit is less than 4 bits
        return Rational(text)

    def _root_of(self, base: "_Part", exponent: Rational) -> "_Part":
        """A number, or a function above 0, to the power of half an integer."""
        self._sized(int(exponent.p) * base.bits)
        if (number := base.constant) is None:
            positive = insist_on_positive(base.value, "a root")
            return _Part(positive.mapped(lambda piece: piece**exponent), base.degree)
        if not number.is_nonnegative:
            self.refuse("roots are square roots of what is not negative")
        return _Part(analytic(number**exponent))

    def _atom(self) -> "_Part":
        if self._take("("):
            inside = self.sum()
            self._expect(")")
            return inside
        kind, text = self._tokens.pop() if self._tokens else ("", "the end")
        if kind == "number":
            return self._bounded(_Part(analytic(self._rational(text))))
        if kind != "name":
            self.refuse(f"{quoted(text)} stands where a number or a function should")
        if text == self._variable:
            return _Part(analytic(z), 1)
        if text in _CONSTANTS:
            return _Part(analytic(_CONSTANTS[text]))
        if match := re.fullmatch(r"He(\d*)", text):
            return self._hermite(match[1])
        return self._bounded(self._function(text))

    def _hermite(self, digits: str) -> "_Part":
        """``He3``, ``He(3)`` or ``He3(x)``."""
        if not digits:
            value = self._arguments("He")[0].constant
            if value is None or not value.is_Integer or value < 0:
                self.refuse("He is of a degree, as in He(3)")
            digits = str(value)
        degree = int(digits)
        self._bounded(_Part(analytic(S.Zero), degree, degree // 2 + 1))
        polynomial = analytic(hermite_polynomial(degree, z))
        if not self._opens():
            return _Part(polynomial, degree, degree // 2 + 1)
        (inner,) = self._arguments(f"He{degree}", 1)
        terms = comb(inner.terms + degree, degree)
        self._bounded(_Part(analytic(S.Zero), inner.degree * degree, terms))
        return _Part(composed(polynomial, inner.value), inner.degree * degree, terms)

    def _opens(self) -> bool:
        return bool(self._tokens) and self._tokens[-1] == ("operator", "(")

    def _arguments(self, name: str, most: int = 1) -> list["_Part"]:
        """What stands in brackets after a name, between commas."""
        self._expect("(")
        found = [self.sum()]
        while self._take(","):
            found.append(self.sum())
        self._expect(")")
        if len(found) > most:
            self.refuse(f"{name} has at most {most} argument{'s' * (most > 1)}")
        return found

    def _function(self, name: str) -> "_Part":
        if name.lower() in JUMPING:
            self.refuse(f"{name} jumps, so σ' is not square integrable and has no gradient flow")
        if name == "where":
            return self._where()
        if name in _OF_FUNCTIONS:
            return self._of_functions(name)
        if (known := known_name(name)) is None:
            self._unknown(name)
        if not self._opens():
            return _measured(catalogued(known), 1)
        parameters = CATALOGUE[known].parameters
        argument, *given = self._arguments(name, 1 + len(parameters))
        numbers = [part.constant for part in given]
        if any(number is None for number in numbers):
            self.refuse(f"the {' and '.join(parameters)} of {name} is a number")
        return _measured(catalogued(known, argument.value, *numbers), argument.degree)

    def _of_functions(self, name: str) -> "_Part":
        """A function that is no entry of the catalogue, of one or several."""
        function, count, example = _OF_FUNCTIONS[name]
        if not self._opens():
            self.refuse(f"{name} is of something, as in {example}")
        given = self._arguments(name, count)
        if len(given) < count:
            self.refuse(f"{name} has {count} arguments, as in {example}")
        if name == "sqrt":
            return self._root_of(given[0], S.Half)
        return _measured(function(*(part.value for part in given)), max(p.degree for p in given))

    def _where(self) -> "_Part":
        """``where(x < 1, f, g)``: f where the condition holds, g elsewhere."""
        self._expect("(")
        left = self.sum()
        operator = self._take("<", "<=", ">", ">=")
        if not operator:
            self.refuse("where begins with a condition, as in where(x < 1, x, 1)")
        right = self.sum()
        parts = [left, right]
        for _ in range(2):
            self._expect(",")
            parts.append(self.sum())
        self._expect(")")
        gap, (yes, no) = left.value - right.value, (part.value for part in parts[2:])
        judge = -gap if operator in ("<", ">=") else gap
        value = chosen(judge, no, yes) if "=" in operator else chosen(judge, yes, no)
        return _measured(value, max(part.degree for part in parts))

    def _unknown(self, name: str) -> NoReturn:
        """Refuse a name; another is offered only if it means the same, or may be a slip."""
        small = name.lower()
        if hermite := re.fullmatch(r"(?:h|he|hermite)_?(\d{1,4})", small):
            self.refuse(f"{quoted(name)} is not known, did you mean 'He{hermite[1]}'?")
        names = [*CATALOGUE, *_OF_FUNCTIONS, "where", self._variable]
        near = next(iter(get_close_matches(small, names, n=1)), None)
        near = _MEANT.get(small, near)
        meant = f", did you mean {near!r}?" if near else ""
        self.refuse(f"{quoted(name)} is not known{meant}", _KNOWN)


def _logarithm(f: PiecewiseAnalytic) -> PiecewiseAnalytic:
    return insist_on_positive(f, "a logarithm").mapped(log)


# What each is, of how many functions, with an example.
_OF_FUNCTIONS: dict[str, tuple[Callable[..., PiecewiseAnalytic], int, str]] = {
    "sqrt": (lambda f: f, 1, "sqrt(1 + x**2)"),
    "log": (_logarithm, 1, "log(1 + x**2)"),
    "log1p": (lambda f: _logarithm(f + analytic(S.One)), 1, "log1p(abs(x))"),
    "max": (largest, 2, "max(x, 0)"),
    "min": (smallest, 2, "min(x, 1)"),
    "clip": (lambda f, low, high: smallest(largest(f, low), high), 3, "clip(x, -1, 1)"),
}
