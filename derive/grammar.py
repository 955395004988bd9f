"""From a user's text to an activation, by a grammar that never evaluates anything.

::

    sum     = ["-"] product { ("+" | "-") product }
    product = power { ("*" | "/") power }
    power   = atom [ ("**" | "^") integer ]
    atom    = number | "x" | "He" integer | name [ "(" sum [ "," number ] ")" ] | "(" sum ")"

A name is an entry of the catalogue; alone it stands for itself at ``x``, with brackets its argument
is a multiple of ``x`` (for ``exp``, a polynomial of degree 2). Division is by numbers.
"""

import re
from difflib import get_close_matches
from math import comb
from typing import NamedTuple, NoReturn

from sympy import Expr, Poly, Rational, S, exp, expand

from derive.activation import CATALOGUE, Activation, Kinked, catalogued
from derive.errors import InputError
from derive.hermite import hermite_polynomial
from derive.symbols import z

LONGEST_TEXT = 500
DEEPEST_NESTING = 20
LARGEST_POWER = 60
MOST_TERMS = 500

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d{1,30}(?:\.\d{1,30})?|\.\d{1,30})|(?P<name>[A-Za-z][A-Za-z_]{0,30}\d{0,6})"
    r"|(?P<operator>\*\*|[-+*/^(),]))",
    re.ASCII,
)
_JUMPING = ("step", "heaviside", "sign", "sgn")


def parse_activation(text: str) -> Activation:
    """Read an activation from text, such as ``relu``, ``x**3/6 + erf(x)/2`` or ``He3 + 0.1*He5``.

    Arguments: ``text``, in the variable ``x``. Numbers are taken exactly.

    Raises ``InputError``, in one line, for anything that is not in the
    grammar above, for functions that jump, and for functions that grow too fast for a Gaussian.

    >>> parse_activation("x**3 - 3*x").polynomial == parse_activation("He3").polynomial
    True
    """
    return Activation(" ".join(text.split()), _Parser(text, "x").whole())


def parse_transform(text: str) -> Poly:
    """Read a label transform: ``matched``, ``squared``, or a polynomial in ``y``, as ``y**3 - y``.

    The result is a polynomial in ``z``, which stands for the label. Raises ``InputError`` for
    anything else.

    >>> parse_transform("squared").as_expr()
    z**2
    """
    text = {"matched": "y", "squared": "y**2"}.get(text, text)
    found = Activation(text, _Parser(text, "y").whole()).polynomial
    if found is None or found.degree() < 1:
        raise InputError(
            f"labels {text[:60]!r} are not accepted: give matched, squared or a polynomial in y "
            "that is not constant, as in 'y**2 - 1'"
        )
    return found


class _Part(NamedTuple):
    """A parsed part, with its degree and its number of terms once multiplied out."""

    value: Kinked
    degree: int
    terms: int


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
                self._refuse(f"{text[position:].strip()[:20]!r} is not part of the grammar")
        self._tokens.reverse()

    def _refuse(self, reason: str) -> NoReturn:
        shown = self._text if len(self._text) <= 60 else self._text[:57] + "..."
        raise InputError(
            f"function {shown!r} is not accepted: {reason}; give sums, products and powers of "
            f"{self._variable}, numbers, He3 and {', '.join(CATALOGUE)}, as in 'x**3/6 + erf(x)/2'"
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
            self._refuse(f"{operator!r} is missing before {found}")

    def _expect_operator(self) -> None:
        """Refuse a value that follows another, as in ``3x``."""
        kind, text = self._tokens[-1] if self._tokens else ("", "")
        if kind in ("number", "name") or text == "(":
            self._refuse(f"an operator, such as *, is missing before {text!r}")

    def whole(self) -> Kinked:
        """The function the whole text stands for."""
        part = self.sum()
        if self._tokens:
            self._expect_operator()
            self._refuse(f"{self._tokens[-1][1]!r} is one too many")
        return part.value

    def sum(self) -> "_Part":
        """``["-"] product { ("+" | "-") product }``"""
        self._depth += 1
        if self._depth > DEEPEST_NESTING:
            self._refuse(f"it nests deeper than {DEEPEST_NESTING}")
        sign = self._take("-", "+") or "+"
        total = _Part(Kinked(S.Zero), 0, 0)
        while sign:
            value, degree, terms = self._product()
            if sign == "-":
                value = value * Kinked(-S.One)
            total = _Part(total.value + value, max(total.degree, degree), total.terms + terms)
            sign = self._take("+", "-") or ""
        self._depth -= 1
        return self._bounded(total)

    def _bounded(self, part: "_Part") -> "_Part":
        """The part, if working with it stays quick."""
        if part.degree > LARGEST_POWER:
            self._refuse(f"its degree is above {LARGEST_POWER}")
        if part.terms > MOST_TERMS:
            self._refuse(f"multiplied out it has more than {MOST_TERMS} terms")
        return part

    def _product(self) -> "_Part":
        total = self._power()
        while operator := self._take("*", "/"):
            factor, degree, terms = self._power()
            if operator == "/":
                if not factor.smooth.is_Rational or factor.smooth == 0 or factor.kink != 0:
                    self._refuse("division is by numbers other than 0")
                factor = Kinked(1 / factor.smooth)
            total = self._bounded(
                _Part(total.value * factor, total.degree + degree, total.terms * terms)
            )
        return total

    def _power(self) -> "_Part":
        base = self._atom()
        if not self._take("**", "^"):
            return base
        kind, text = self._tokens.pop() if self._tokens else ("", "")
        if kind != "number" or not text.isdigit() or int(text) > LARGEST_POWER:
            self._refuse(f"an exponent is an integer from 0 to {LARGEST_POWER}")
        exponent = int(text)
        terms = comb(base.terms + exponent - 1, exponent)
        bounded = self._bounded(_Part(base.value, base.degree * exponent, terms))
        # On either side of 0, sgn is ±1: powers of smooth ± kink, taken apart again.
        right, left = (
            expand((base.value.smooth + side * base.value.kink) ** exponent) for side in (1, -1)
        )
        return bounded._replace(value=Kinked((right + left) / 2, (right - left) / 2))

    def _atom(self) -> "_Part":
        if self._take("("):
            inside = self.sum()
            self._expect(")")
            return inside
        kind, text = self._tokens.pop() if self._tokens else ("", "the end")
        if kind == "number":
            return _Part(Kinked(Rational(text)), 0, 1)
        if kind != "name":
            self._refuse(f"{text!r} stands where a number or a function should")
        if text == self._variable:
            return _Part(Kinked(z), 1, 1)
        if match := re.fullmatch(r"He(\d+)", text):
            degree = int(match[1])
            part = self._bounded(_Part(Kinked(S.Zero), degree, degree // 2 + 1))
            return part._replace(value=Kinked(hermite_polynomial(degree, z)))
        return _Part(self._function(text), 1, 2)

    def _function(self, name: str) -> Kinked:
        if name.lower() in _JUMPING:
            self._refuse(f"{name} jumps, so σ' is not square integrable and has no gradient flow")
        if name not in CATALOGUE:
            near = get_close_matches(name, [*CATALOGUE, "x"], n=1)
            self._refuse(
                f"{name!r} is not known" + (f", did you mean {near[0]!r}?" if near else "")
            )
        if not self._take("("):
            return catalogued(name)
        argument = self.sum().value
        parameters = []
        if self._take(","):
            parameters.append(self._number())
        self._expect(")")
        if parameters and name != "leaky_relu":
            self._refuse(f"{name} has one argument")
        return self._applied(name, argument, parameters)

    def _number(self) -> Expr:
        value = self.sum().value
        if not value.smooth.is_Rational or value.kink != 0:
            self._refuse("the leak is a number")
        return value.smooth

    def _applied(self, name: str, argument: Kinked, parameters: list[Expr]) -> Kinked:
        inner = expand(argument.smooth)
        if argument.kink != 0 or not inner.is_polynomial(z):
            self._refuse(f"the argument of {name} is a multiple of x")
        ascending: list[Expr] = [*list(Poly(inner, z).all_coeffs())[::-1], S.Zero, S.Zero]
        offset, linear, quadratic, *higher = ascending
        if name == "exp" and not any(higher):
            if quadratic >= Rational(1, 4):
                self._refuse(
                    f"exp({inner}) grows too fast for a Gaussian: the coefficient of x**2 stays "
                    "below 1/4"
                )
            return Kinked(exp(inner))
        if any((offset, quadratic, *higher)) or linear == 0:
            self._refuse(f"the argument of {name} is a multiple of x")
        return catalogued(name, inner, *parameters)
