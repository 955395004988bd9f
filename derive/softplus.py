"""The softplus log(1 + e^y) as a function whose slope is the sigmoid, written with tanh.

Left to the chain rule its slopes are quotients of exponentials, of which enclosures are wide.
"""

from typing import Any

from sympy import Expr, Function, S, exp, log, tanh


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
