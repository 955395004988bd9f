"""Exact expressions as JavaScript, by SymPy's own printer; nothing of them is typed again."""

from collections.abc import Sequence
from typing import Any

from sympy import Add, E, Expr, I, Mul, Piecewise, Poly, Pow, Symbol, atan2, cse, pi
from sympy.printing.jscode import JavascriptCodePrinter

from derive.errors import InputError, quoted
from derive.symbols import mu, z

Tree = list[Any]
_OURS = {"erf": "erf", "erfi": "erfi", "erfc": "erfc", "Softplus": "softplus"}  # in special.js


class NotReal(InputError):
    """An expression that is real, but not written without the imaginary unit."""


def javascript(expression: Expr) -> str:
    """An expression as JavaScript, in ``Math`` and the functions of ``special.js``.

    Raises ``NotReal`` if it holds the imaginary unit. Exact up to the rounding of doubles.

    >>> from sympy import sqrt
    >>> javascript(sqrt(mu) / 3)
    '(1/3)*Math.sqrt(mu)'
    """
    written = expression.rewrite(atan2)
    if written.has(I):
        raise NotReal(f"{quoted(written)} is not written in real functions")
    text: str = JavascriptCodePrinter({"user_functions": _OURS}).doprint(written)
    return text


def function(symbols: Sequence[Symbol], expressions: Expr | Sequence[Expr]) -> str:
    """A JavaScript function of symbols, of one value or of several; raises as ``javascript``.

    >>> function([mu], [mu, mu**2])
    '(mu) => { return [mu, Math.pow(mu, 2)]; }'
    """
    several = isinstance(expressions, Sequence)
    parts = list(expressions) if isinstance(expressions, Sequence) else [expressions]
    shared, values = cse([part.rewrite(atan2) for part in parts], order="none")
    lines = [f"const {name} = {javascript(value)}; " for name, value in shared]
    shown = ", ".join(map(javascript, values))
    names = ", ".join(map(str, symbols))
    return f"({names}) => {{ {''.join(lines)}return {f'[{shown}]' if several else shown}; }}"


def terms(coefficient: Poly | Expr) -> str:
    """A coefficient over the strength as a function of ``mu`` with its terms, whose sum it is.

    How much they cancel says how far the sum can be trusted. Zeros of a polynomial at both ends are
    divided out. Raises ``NotReal`` as ``javascript``.

    >>> terms(Poly(mu - mu**2, mu))
    '(mu) => { return [-mu*(mu - 1)]; }'
    """
    if isinstance(coefficient, Piecewise):
        *inner, (last, _) = coefficient.args
        head = "".join(f"mu < {javascript(c.gts)} ? ({terms(f)})(mu) : " for f, c in inner)
        return f"(mu) => {head}({terms(last)})(mu)"
    if not isinstance(coefficient, Poly):
        return function([mu], Add.make_args(coefficient))
    factor, rest = Poly(1, mu), coefficient
    for end in (Poly(mu, mu), Poly(1 - mu, mu)):
        while rest and rest.rem(end).is_zero:
            factor, rest = factor * end, rest.quo(end)
    outside = Mul(*(base.as_expr() ** power for base, power in factor.factor_list()[1]))
    sign = factor.factor_list()[0]
    return function([mu], [sign * c * mu**k * outside for (k,), c in rest.terms()])


def tree(expression: Expr, parameters: Sequence[Symbol] = ()) -> Tree:
    """An activation's expression in ``z`` as nested lists, which ``grammar.js`` builds again.

    >>> tree(z / 2)
    ['multiply', ['number', '1', '2'], ['x']]
    """
    if expression == z:
        return ["x"]
    if expression in parameters:
        return ["parameter", parameters.index(expression)]
    if expression in (pi, E):
        return ["constant", "pi" if expression == pi else "e"]
    if expression.is_Rational:
        return ["number", str(expression.p), str(expression.q)]
    parts = [tree(part, parameters) for part in expression.args]
    if isinstance(expression, Add | Mul):
        return ["add" if isinstance(expression, Add) else "multiply", *parts]
    if isinstance(expression, Pow):
        return ["power", parts[0], float(expression.exp)]
    return [type(expression).__name__, parts[0]]
