"""The softplus log(1 + e^y) as a function whose slope is the sigmoid, written with tanh.

Left to the chain rule its slopes are quotients of exponentials, of which enclosures are wide and
doubles overflow. What people type as logarithms and quotients of two exponentials becomes these.
"""

from typing import Any

from sympy import Add, Expr, Function, Mul, S, exp, expand_mul, log, tanh

from derive.symbols import z


class Softplus(Function):  # type: ignore[misc]  # SymPy says no types
    """The softplus of a real argument; printed, evaluated and simplified as the logarithm it is.

    >>> from derive.symbols import z
    >>> Softplus(z).diff(z), Softplus(0)
    (tanh(z/2)/2 + 1/2, log(2))
    """

    nargs = (1,)
    is_real = True
    is_positive = True

    @classmethod
    def eval(cls, y: Expr) -> Expr | None:
        """The value at 0."""
        return log(2) if y.is_zero else None

    def fdiff(self, argindex: int = 1) -> Expr:
        """The sigmoid."""
        return sigmoid(self.args[0])

    def _eval_rewrite_as_log(self, y: Expr, **hints: Any) -> Expr:
        return log(1 + exp(y))

    def _eval_evalf(self, prec: int) -> Expr | None:
        return self.rewrite(log)._eval_evalf(prec)

    def _code(self, printer: Any) -> str:
        text: str = printer._print(self.rewrite(log))
        return text

    _sympystr = _pythoncode = _numpycode = _mpmathcode = _code

    def _latex(self, printer: Any, exp: str | None = None) -> str:
        power = {} if exp is None else {"exp": exp}
        text: str = printer._print(self.rewrite(log), **power)
        return text


def sigmoid(y: Expr) -> Expr:
    """The logistic function 1/(1 + e^-y), by tanh, of which enclosures are narrow. Exact."""
    return (1 + tanh(y / 2)) * S.Half


def recognised(expression: Expr) -> Expr:
    """An expression in ``z`` with its ``log(e^x + e^y)`` and ``e^x/(e^x + e^y)`` written so. Exact.

    Quotients in which an exponential would be left over stay as they are: it may be large where
    the sigmoid is a small difference. So may be high powers, of which doubles lose digits then.

    >>> recognised(1 / (1 + exp(-z))), recognised((exp(z) - exp(-z)) / (exp(z) + exp(-z)))
    (tanh(z/2)/2 + 1/2, tanh(z))
    >>> recognised(log(1 + exp(z))).func, recognised(1 / (exp(z) + exp(-z)))
    (Softplus, 1/(exp(z) + exp(-z)))
    """
    if isinstance(expression, log) and (known := _two_exponentials(expression.args[0])):
        factor, x, y = known
        return log(factor) + x + Softplus(y - x)
    for below in Mul.make_args(expression):
        if known := _two_exponentials(1 / below):
            above = recognised(expression / below)
            return _quotient(above, *known) or above * below
    return expression.func(*map(recognised, expression.args)) if expression.args else expression


def _two_exponentials(expression: Expr) -> tuple[Expr, Expr, Expr] | None:
    """``c``, ``x`` and ``y`` of ``c (e^x + e^y)``, where 1 is ``e^0``."""
    terms = [term.as_independent(z) for term in Add.make_args(expression)]
    powers = [S.Zero if of == 1 else of.args[0] for _, of in terms if of == 1 or of.func is exp]
    if len(terms) != 2 or len(powers) != 2:
        return None
    (one, _), (other, _) = terms
    x, y = map(recognised, powers)
    if not (x - y).has(z) or not (other / one).is_positive:
        return None
    return one, x, y + log(other / one)


def _quotient(above: Expr, factor: Expr, x: Expr, y: Expr) -> Expr | None:
    """``(a e^x + b e^y) / c (e^x + e^y)``, ``None`` where a or b would have exponentials."""
    plain, exponentials = above.as_independent(exp, as_Add=False)
    a, b = S.Zero, S.Zero
    for term in Add.make_args(expand_mul(exponentials)):
        if not (by_x := term / exp(x)).has(exp):
            a += by_x
        elif not (by_y := term / exp(y)).has(exp):
            b += by_y
        else:
            return None
    return plain * (a + b + (a - b) * tanh((x - y) / 2)) / (2 * factor)
