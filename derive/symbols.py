"""The symbols shared by every derivation, named as in the paper, and what counts as exact.

They carry the assumptions under which the formulas hold: the pre-training strength ``mu`` and the
variance ``Q`` are positive, everything else is real.
"""

from sympy import Expr, Float, Symbol, SympifyError, sympify

from derive.errors import InputError

z = Symbol("z", real=True)  # a Gaussian pre-activation
Q = Symbol("Q", positive=True)  # its variance; for the student μ² + u² + 2μum
rho = Symbol("rho", real=True)  # covariance of student and teacher pre-activations
mu = Symbol("mu", positive=True)  # pre-training strength
residual = Symbol("s", positive=True)  # Q - ρ², the student's variance that is not the teacher's
u = Symbol("u", real=True)  # trainable LoRA scale
m = Symbol("m", real=True)  # overlap of the trainable direction with the teacher
d = Symbol("d", positive=True)  # input dimension


def exact(value: object) -> Expr:
    """The value as a SymPy expression, if it is exact: an integer, a rational, an expression.

    Raises ``InputError`` for floats, of which nothing exact can be said, and for text, which is
    never evaluated.

    >>> exact(3)
    3
    """
    try:
        expression = sympify(value, strict=True)
    except SympifyError:
        raise InputError(
            f"{value!r} is not accepted: give a number or a SymPy expression"
        ) from None
    if expression.has(Float):
        raise InputError(f"{value} holds a float: give exact numbers, such as Rational(1, 2)")
    return expression
