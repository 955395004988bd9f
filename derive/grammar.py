"""From a user's text to an activation, by a grammar that never evaluates anything.

::

    sum     = ["-"] product { ("+" | "-") product }
    product = power { ("*" | "/") power }
    power   = atom [ ("**" | "^") integer | number ]
    atom    = number | "x" | "He" integer | "sqrt" "(" sum ")" | name [ "(" sum [ "," sum ] ")" ]
            | "(" sum ")"

A name is an entry of the catalogue; alone it stands for itself at ``x``, with brackets its argument
is, on either side of 0, a multiple of ``x`` (for ``exp``, a polynomial of degree 2). Division is by
numbers; roots are of numbers, as are powers of half an integer. Decimals, ``1e-3`` too, are exact.
"""

import re
from difflib import get_close_matches
from math import comb
from typing import NamedTuple, NoReturn, TypeAlias

from sympy import Expr, Integer, Poly, Rational, S, exp, expand

from derive.activation import CATALOGUE, Activation, HermiteActivation, catalogued
from derive.errors import InputError
from derive.expression import activation_from
from derive.hermite import checked_degree, hermite_polynomial
from derive.kinked import Kinked
from derive.symbols import z

LARGEST_DEGREE = 10**9  # of a Hermite polynomial that is given by it
LONGEST_TEXT = 500
DEEPEST_NESTING = 20
LARGEST_POWER = 60
MOST_TERMS = 500
MOST_BITS = 4000  # of a numerator or denominator

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d{1,30}(?:\.\d{1,30})?|\.\d{1,30})(?:[eE][-+]?\d{1,9})?)"
    r"|(?P<name>[A-Za-z][A-Za-z_]{0,30}\d{0,6})|(?P<operator>\*\*|[-+*/^(),]))",
    re.ASCII,
)
NAMED_LABELS = {"matched": "y", "squared": "y**2"}
_JUMPING = ("step", "heaviside", "sign", "sgn")
# What other names mean here. A function that has no equal gets no other one offered in its place.
_MEANT: dict[str, str | None] = {
    "swish": "silu",
    "linear": "identity",
    "logistic": "sigmoid",
    "expit": "sigmoid",
    "elu": "relu(x) + exp(-relu(-x)) - 1",
    "celu": "relu(x) + exp(-relu(-x)) - 1",
} | dict.fromkeys(
    ("selu", "mish", "prelu", "relu6", "hardtanh", "hardswish", "softsign", "tan", "atan",
     "arctan", "asin", "sinh", "cosh", "log", "erfc"),
)  # fmt: skip


ActivationLike: TypeAlias = Activation | str | int | Expr | Poly


def parse_activation(given: ActivationLike) -> Activation:
    """An activation as people give it, such as ``relu``, ``x**3/6 + erf(x)/2`` or ``He3 + He5/9``.

    Arguments:
        given: text in the variable ``x``, whose numbers are taken exactly; a Hermite degree; an
            expression or polynomial in any one symbol; or an activation, which is returned.

    Raises ``InputError``, in one line, for text that is not in the grammar above, for expressions
    of other functions or with other singularities than a kink at 0, for functions that jump, and
    for functions that grow too fast for a Gaussian. Exact.

    >>> parse_activation("x**3 - 3*x").polynomial == parse_activation(3).polynomial
    True
    >>> from sympy import Max, Symbol
    >>> parse_activation(Max(0, Symbol("t"))).value == parse_activation("relu").value
    True
    """
    if isinstance(given, Activation):
        return given
    if isinstance(given, str):
        return Activation(" ".join(given.split()), _Parser(given, "x").whole())
    if isinstance(given, Expr | Poly) and not isinstance(given, Integer):
        return activation_from(given)
    if isinstance(given, bool) or not hasattr(given, "__index__"):
        raise InputError(
            f"activation {str(given)[:40]!r} is not accepted: give text such as 'relu', a Hermite "
            "degree, or a SymPy expression"
        )
    n = checked_degree(given, least=1)
    if n > LARGEST_DEGREE:
        raise InputError(f"degree {n} is not accepted: give at most {LARGEST_DEGREE}")
    return HermiteActivation(n)


def parse_transform(text: str) -> Poly:
    """Read a label transform: ``matched``, ``squared``, or a polynomial in ``y``, as ``y**3 - y``.

    The result is a polynomial in ``z``, which stands for the label. Raises ``InputError`` for
    anything else.

    >>> parse_transform("squared").as_expr()
    z**2
    """
    text = NAMED_LABELS.get(text, text)
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

    @property
    def bits(self) -> int:
        """The size of its largest numerator or denominator."""
        numbers = self.value.smooth.atoms(Rational) | self.value.kink.atoms(Rational)
        return max((max(int(r.p).bit_length(), int(r.q).bit_length()) for r in numbers), default=1)

    @property
    def constant(self) -> Expr | None:
        """The value of a part that is a number."""
        value = self.value
        return value.smooth if value.kink == 0 and value.smooth.is_number else None


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

    def _refuse(self, reason: str, hint: str = "") -> NoReturn:
        shown = self._text if len(self._text) <= 40 else self._text[:37] + "..."
        example = f"give {self._variable}, numbers, He3 and functions, as in 'x**3/6 + erf(x)/2'"
        raise InputError(f"function {shown!r} is not accepted: {reason}; {hint or example}")

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
                value = -value
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
        self._sized(part.bits)
        return part

    def _sized(self, bits: int) -> None:
        """Refuse numbers of more bits than are worked with."""
        if bits > MOST_BITS:
            self._refuse(f"it holds numbers of more than {MOST_BITS * 3 // 10} digits")

    def _product(self) -> "_Part":
        total = self._power()
        while operator := self._take("*", "/"):
            right = self._power()
            if operator == "/":
                divisor = right.constant
                if divisor is None or divisor.equals(0) is not False:
                    self._refuse("division is by numbers other than 0")
                right = right._replace(value=Kinked(1 / divisor))
            self._sized(total.bits + right.bits)
            total = self._bounded(
                _Part(
                    total.value * right.value,
                    total.degree + right.degree,
                    total.terms * right.terms,
                )
            )
        return total

    def _power(self) -> "_Part":
        base = self._atom()
        if not self._take("**", "^"):
            return base
        kind, text = self._tokens.pop() if self._tokens else ("", "")
        value = self._rational(text) if kind == "number" else -S.One
        if not 0 <= value <= LARGEST_POWER:
            self._refuse(f"an exponent is a number from 0 to {LARGEST_POWER}")
        if value.q != 1:
            return self._root_of(base, value)
        exponent = int(value)
        terms = comb(base.terms + exponent - 1, exponent)
        self._sized(exponent * (base.bits + base.terms.bit_length()))
        bounded = self._bounded(_Part(base.value, base.degree * exponent, terms))
        return bounded._replace(value=base.value**exponent)

    def _rational(self, text: str) -> Rational:
        """A number's exact value; its exponent is looked at before its digits are written out."""
        _, _, exponent = text.lower().partition("e")
        self._sized(4 * abs(int(exponent or 0)))  # a digit is less than 4 bits
        return Rational(text)

    def _root_of(self, base: "_Part", exponent: Rational) -> "_Part":
        """A number to the power of half an integer."""
        number = base.constant
        if number is None or not number.is_Rational or number < 0 or exponent.q != 2:
            self._refuse("roots are square roots of rational numbers that are not negative")
        self._sized(int(exponent.p) * base.bits)
        return _Part(Kinked(number**exponent), 0, 1)

    def _atom(self) -> "_Part":
        if self._take("("):
            inside = self.sum()
            self._expect(")")
            return inside
        kind, text = self._tokens.pop() if self._tokens else ("", "the end")
        if kind == "number":
            return self._bounded(_Part(Kinked(self._rational(text)), 0, 1))
        if kind != "name":
            self._refuse(f"{text!r} stands where a number or a function should")
        if text == self._variable:
            return _Part(Kinked(z), 1, 1)
        if match := re.fullmatch(r"He(\d+)", text):
            degree = int(match[1])
            part = self._bounded(_Part(Kinked(S.Zero), degree, degree // 2 + 1))
            return part._replace(value=Kinked(hermite_polynomial(degree, z)))
        if text == "sqrt":
            if not self._take("("):
                self._refuse("sqrt is of a number, as in sqrt(2)")
            inside = self.sum()
            self._expect(")")
            return self._root_of(inside, S.Half)
        return _Part(self._function(text), 1, 2)

    def _function(self, name: str) -> Kinked:
        if name.lower() in _JUMPING:
            self._refuse(f"{name} jumps, so σ' is not square integrable and has no gradient flow")
        if name not in CATALOGUE:
            self._unknown(name)
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

    def _unknown(self, name: str) -> NoReturn:
        """Refuse a name; another is offered only if it means the same, or may be a slip."""
        small = name.lower()
        if hermite := re.fullmatch(r"(?:h|he|hermite)_?(\d{1,4})", small):
            self._refuse(f"{name!r} is not known, did you mean 'He{hermite[1]}'?")
        near = next(iter(get_close_matches(small, [*CATALOGUE, self._variable], n=1)), None)
        near = small if small in CATALOGUE else _MEANT.get(small, near)
        meant = f", did you mean {near!r}?" if near else ""
        known = f"known are {', '.join(CATALOGUE)}"
        if self._variable != "x":  # labels, of which few functions make any
            known = f"give {', '.join(NAMED_LABELS)} or a polynomial in y, as in 'y**2 - 1'"
        self._refuse(f"{name!r} is not known{meant}", known)

    def _number(self) -> Expr:
        value = self.sum().constant
        if value is None or not value.is_Rational:
            self._refuse("the leak is a number")
        return value

    def _applied(self, name: str, argument: Kinked, parameters: list[Expr]) -> Kinked:
        if argument.kink == 0:
            return self._on_polynomial(name, expand(argument.smooth), parameters)
        right, left = (
            self._on_side(name, expand(inner), parameters)[left]
            for left, inner in enumerate(argument.sides())
        )
        return Kinked.of_sides(right, left)

    def _on_side(self, name: str, inner: Expr, parameters: list[Expr]) -> tuple[Expr, Expr]:
        """A function of a polynomial, on both sides of 0, or at 0 if the polynomial is that."""
        if inner == 0:
            at_zero = catalogued(name).smooth.subs(z, 0)
            return at_zero, at_zero
        return self._on_polynomial(name, inner, parameters).sides()

    def _on_polynomial(self, name: str, inner: Expr, parameters: list[Expr]) -> Kinked:
        if not inner.is_polynomial(z):
            self._refuse(f"the argument of {name} is a multiple of x on either side of 0")
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
            self._refuse(f"the argument of {name} is a multiple of x on either side of 0")
        return catalogued(name, inner, *parameters)
