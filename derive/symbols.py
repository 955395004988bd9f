"""The symbols shared by every derivation, named as in the paper, and what counts as exact.

They carry the assumptions under which the formulas hold: the pre-training strength ``mu`` and the
variance ``Q`` are positive, everything else is real.
"""

from collections.abc import Iterable

from sympy import Dummy, Expr, Float, Poly, Symbol, SympifyError, nan, oo, sympify, zoo

from derive.errors import InputError, quoted


class _Named(Symbol):
    """A symbol that stands for every symbol of its name, whatever that assumes, in ``subs``.

    Without it ``drift.a.subs("mu", ...)`` would look for a symbol without assumptions, find none
    and return the formula unchanged.
    """

    @classmethod
    def class_key(cls) -> tuple[int, int, str]:
        """That of any symbol: it sorts among the others by its name."""
        key: tuple[int, int, str] = Symbol.class_key()
        return key

    def _eval_subs(self, old: Expr, new: Expr) -> Expr | None:
        return new if isinstance(old, Symbol) and old.name == self.name else None


z = _Named("z", real=True)  # a Gaussian pre-activation
Q = _Named("Q", positive=True)  # its variance; for the student μ² + u² + 2μum
rho = _Named("rho", real=True)  # covariance of student and teacher pre-activations
mu = _Named("mu", positive=True)  # pre-training strength
residual = _Named("s", positive=True)  # Q - ρ², the student's variance that is not the teacher's
u = _Named("u", real=True)  # trainable LoRA scale
m = _Named("m", real=True)  # overlap of the trainable direction with the teacher
d = _Named("d", positive=True)  # input dimension


def exact(value: object) -> Expr:
    """The value as a SymPy expression, if it is exact: an integer, a rational, an expression.

    Raises ``InputError`` for floats, of which nothing exact can be said, and for text, which is
    never evaluated.

    >>> exact(3)
    3
    """
    try:
        if isinstance(value, bool | tuple | dict):  # of which SymPy makes objects, but no numbers
            raise SympifyError(value)
        expression = sympify(value, strict=True)
    except SympifyError:
        raise InputError(
            f"{quoted(value)} is not accepted: give a number or a SymPy expression"
        ) from None
    if expression.has(Float):
        raise InputError(f"{value} holds a float: give exact numbers, such as Rational(1, 2)")
    if expression.has(oo, -oo, zoo, nan):
        raise InputError(f"{value} is not finite: give a finite number or expression")
    return expression


def exact_series(values: object) -> tuple[Expr, ...]:
    """The values of a sequence as SymPy expressions, each as ``exact`` takes it.

    Raises ``InputError`` for what is no sequence, too.

    >>> exact_series([0, 3])
    (0, 3)
    """
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise InputError(f"{quoted(values)} is not accepted: give a sequence of exact numbers")
    return tuple(map(exact, values))


def in_variable(expression: object, variable: Symbol) -> Expr:
    """The expression, exact, with a symbol of the variable's name read as the variable.

    SymPy tells symbols apart by their assumptions too; a user means the name. Raises ``InputError``
    if two different symbols have it, and for a variable that is no symbol.

    >>> in_variable(Symbol("z") ** 2, z).has(z)
    True
    """
    if not isinstance(variable, Symbol):
        raise InputError(f"variable {quoted(variable)} is not accepted: give a symbol")
    found = exact(expression)
    others = {s for s in found.free_symbols if s.name == variable.name} - {variable}
    if len(others) + found.has(variable) > 1:
        raise InputError(f"{found} is not accepted: it holds two symbols named {variable}; use one")
    return found.xreplace(dict.fromkeys(others, variable)) if others else found


def of_one_variable(expression: object, variable: Symbol) -> Expr:
    """The expression, exact, with its variable, whatever its name, replaced by ``variable``.

    An expression that holds the variable may hold parameters besides; one that does not holds a
    single symbol, which is taken for it, or none. Raises ``InputError`` otherwise.

    >>> of_one_variable(Symbol("x") ** 2, z)
    z**2
    """
    found = in_variable(expression, variable)
    symbols = found.free_symbols
    if not symbols or variable in symbols:
        return found
    if len(symbols) > 1:
        names = ", ".join(sorted(map(str, symbols)))
        raise InputError(
            f"{found} is not accepted: it holds {names}, and which is the variable is not said; "
            f"write it in derive.symbols.{variable}"
        )
    return found.xreplace({symbols.pop(): variable})


def polynomial_in(given: object, variable: Symbol) -> Poly:
    """A polynomial, or an expression that is one, of a single variable of any name.

    Raises ``InputError`` if it is none.

    >>> polynomial_in(Symbol("y") ** 2 - 1, z)
    Poly(z**2 - 1, z, domain='QQ')
    """
    if isinstance(given, Poly):
        if len(given.gens) == 1:
            renamed = given if given.gen == variable else given.replace(given.gen, variable)
            return renamed.to_field()
        given = given.as_expr()
    found = of_one_variable(given, variable)
    if not found.is_polynomial(variable):
        raise InputError(f"{found} is not accepted: give a polynomial in {variable}")
    return Poly(found, variable, field=True)


def derivative(expression: Expr, variable: Symbol, order: int = 1) -> Expr:
    """The derivative of an expression, in which SymPy is asked for the sign of nothing. Exact.

    Of a long sum in a positive symbol it asks for the sign of every derivative, by isolating roots.

    Arguments:
        expression: in the variable.
        variable: by which it is differentiated.
        order: how many times.

    >>> derivative(mu**3, mu, 2)
    6*mu
    """
    plain = Dummy()
    return expression.xreplace({variable: plain}).diff((plain, order)).xreplace({plain: variable})


def rational_polynomial(expression: Expr, variable: Symbol) -> Poly | None:
    """The expression as a polynomial over the rationals, ``None`` if it is none. Exact.

    >>> rational_polynomial(z / 2, z), rational_polynomial(mu * z, z)
    (Poly(1/2*z, z, domain='QQ'), None)
    """
    if not expression.is_polynomial(variable):
        return None
    found = Poly(expression, variable)
    return found.set_domain("QQ") if found.domain.is_ZZ or found.domain.is_QQ else None
