"""LaTeX tables of the pure-Hermite theory; adding one is a function and its entry in ``TABLES``."""

from collections.abc import Callable, Iterable, Sequence

from sympy import Expr, Integer, Poly, Symbol, factor

from derive.command.tabular import Table, Typeset, formula, plain
from derive.drift import LeadingTerm
from derive.escape import escape_limit, hermite_escape_limit
from derive.hermite import (
    hermite_coefficients,
    hermite_polynomial,
    hermite_product,
    rescaling_coefficients,
)
from derive.polynomial_drift import hermite_drift
from derive.symbols import Q, mu, z
from derive.tables.activations import (
    SINGULARITIES_COLUMNS,
    singularities_cells,
)

_N = Symbol("n")


def coefficients_table(degrees: Sequence[int]) -> Table:
    """Hermite coefficients of the student He_n at variance Q (64)."""
    return Table(
        name="coefficients",
        title=Typeset(
            "Hermite coefficients c_k(Q) of the student He_n (64)",
            r"Hermite coefficients $c_k(Q)$ of the student $\mathrm{He}_n$ (64)",
        ),
        columns=(_N, Typeset("coefficients that do not vanish", "coefficients that do not vanish")),
        rows=tuple(
            (
                n,
                _listing(
                    (Typeset(f"c_{k}", f"c_{{{k}}}"), factor(c))
                    for k, c in enumerate(hermite_coefficients(hermite_polynomial(n, z), z, Q))
                    if c != 0
                ),
            )
            for n in degrees
        ),
        wide=1,
    )


def rescaling_table(degrees: Sequence[int]) -> Table:
    """Scaled Hermite polynomials of variance Q in the standard ones (34)."""
    return Table(
        name="rescaling",
        title=Typeset(
            "Variance rescaling: H_n of variance Q in standard Hermite polynomials (34)",
            r"Variance rescaling: $H_n^{[Q]}$ in standard Hermite polynomials (34)",
        ),
        columns=(_N, Typeset("H_n", r"$H_n^{[Q]}$")),
        rows=tuple(
            (
                n,
                _combination(
                    (n - 2 * j, w) for j, w in enumerate(rescaling_coefficients(n, Q, Integer(1)))
                ),
            )
            for n in degrees
        ),
        wide=1,
    )


def squares_table(degrees: Sequence[int]) -> Table:
    """Squared labels He_n² in Hermite polynomials (37)."""
    return Table(
        name="squares",
        title=Typeset(
            "Squared labels He_n^2 in Hermite polynomials (37)",
            r"Squared labels $\mathrm{He}_n^2$ in Hermite polynomials (37)",
        ),
        columns=(_N, Typeset("He_n^2", r"$\mathrm{He}_n^2$")),
        rows=tuple((n, _combination(hermite_product(n, n).items())) for n in degrees),
        wide=1,
    )


def drift_table(degrees: Sequence[int]) -> Table:
    """Drift coefficients a_n(μ), b_n(μ), factored, divided by n·n! (65)-(69)."""
    rows = []
    for n in degrees:
        drift = hermite_drift(n, normalization="n*n!")
        rows += [
            (n, Typeset(name, f"${name}$"), factored(f))
            for name, f in (("a", drift.a), ("b", drift.b))
        ]
    return Table(
        name="drift",
        title=Typeset(
            "Drift coefficients of the matched pair He_n, divided by n*n! (65)–(69)",
            r"Drift coefficients of the matched pair $\mathrm{He}_n$, divided by $n\,n!$ (65)–(69)",
        ),
        columns=(
            _N,
            Typeset("", ""),
            Typeset("factored, divided by n*n!", r"factored, divided by $n\,n!$"),
        ),
        rows=tuple(rows),
        wide=2,
    )


def limits_table(degrees: Sequence[int]) -> Table:
    """Leading behaviour of the escape time at both ends (Prop. 3), with the general law."""
    p = Symbol("p", integer=True, positive=True)
    any_degree = Symbol("n", integer=True, positive=True)
    each = [
        (n, *(_law(escape_limit(drift, end), x) for end, x in ((0, mu), (1, 1 - mu))))
        for n in degrees
        for drift in [hermite_drift(n, normalization="n*n!")]
    ]
    every_degree = [
        *(
            (degree, _law(hermite_escape_limit(degree, 0), mu), None)
            for degree in (2 * p, 2 * p + 1)
        ),
        (any_degree, None, _law(hermite_escape_limit(any_degree, 1), 1 - mu)),
    ]
    return Table(
        name="limits",
        title=Typeset(
            "Escape time tau at weak and strong pre-training, normalisation n*n! (Prop. 3)",
            r"Escape time $\tau$ at weak and strong pre-training, normalisation $n\,n!$ (Prop. 3)",
        ),
        columns=(
            _N,
            Typeset("tau, mu -> 0", r"$\tau$ for $\mu \to 0$, in units of $1/(\gamma\,n\,n!)$"),
            Typeset("tau, mu -> 1", r"$\tau$ for $\mu \to 1$"),
        ),
        rows=(*each, *every_degree),
    )


def singularities_table(degrees: Sequence[int]) -> Table:
    """Singular pre-training strengths of matched pairs (Prop. 2)."""
    rows = [(n, *singularities_cells(hermite_drift(n))) for n in degrees]
    return Table(
        name="singularities",
        title=Typeset(
            "Zeros of a in (0, 1) for the matched pair He_n, rounded down (Prop. 2)",
            r"Zeros of $a$ in $(0,1)$ for the matched pair $\mathrm{He}_n$, rounded down (Prop. 2)",
        ),
        columns=(_N, *SINGULARITIES_COLUMNS),
        rows=tuple(rows),
    )


TABLES: dict[str, Callable[[Sequence[int]], Table]] = {
    "coefficients": coefficients_table,
    "rescaling": rescaling_table,
    "squares": squares_table,
    "drift": drift_table,
    "limits": limits_table,
    "singularities": singularities_table,
}


def factored(polynomial: Poly) -> Typeset:
    """A polynomial over the rationals as a product of a number and irreducible factors. Exact.

    >>> factored(hermite_drift(3).a).plain
    '9*mu*(1 - mu)*(5*mu**3 + 5*mu**2 + mu - 1)'
    """
    number, factors = polynomial.factor_list()
    forms: tuple[list[str], list[str]] = ([], [])
    for factor_, power in sorted(factors, key=lambda pair: len(pair[0].terms())):
        if factor_ == Poly(
            mu - 1, mu, domain=factor_.domain
        ):  # 1 - μ is what is small and positive
            number, factor_ = number * (-1) ** power, -factor_
        for form, written, mark in zip(forms, (plain, formula), ("**", "^"), strict=True):
            base = written(factor_.as_expr())
            bracketed = base if len(factor_.terms()) == 1 else f"({base})"
            form.append(f"{bracketed}{mark}{{{power}}}" if power > 1 else bracketed)
    return Typeset(
        "*".join(_in_front(plain(number), forms[0])).replace("{", "").replace("}", ""),
        f"${' '.join(_in_front(formula(number), forms[1]))}$",
    )


def _in_front(number: str, factors: list[str]) -> list[str]:
    if [number, len(factors)] == ["1", 1] and factors[0].endswith(")"):
        return [factors[0].strip("()")]
    if factors and number in ("1", "-1"):
        return [number[:-1] + factors[0], *factors[1:]]
    return [number, *factors]


def _law(limit: LeadingTerm, x: Expr) -> Expr:
    return limit.coefficient * x**limit.exponent


def _listing(items: Iterable[tuple[Typeset, Expr]]) -> Typeset:
    pairs = list(items)
    return Typeset(
        ", ".join(f"{name.plain} = {plain(value)}" for name, value in pairs),
        ", ".join(f"${name.latex} = {formula(value)}$" for name, value in pairs),
    )


def _combination(weights: Iterable[tuple[int, Expr]]) -> Typeset:
    """A sum of multiples of Hermite polynomials, the weights in front."""
    shown, written = [], []
    for k, weight in weights:
        w = factor(weight)
        if w == 1:
            shown.append(f"He_{k}")
            written.append(rf"\mathrm{{He}}_{{{k}}}")
        else:
            shown.append(f"({w})*He_{k}" if w.is_Add else f"{w}*He_{k}")
            bracketed = f"({formula(w)})" if w.is_Add else formula(w)
            written.append(rf"{bracketed}\,\mathrm{{He}}_{{{k}}}")
    text, mathematics = (" + ".join(t).replace("+ -", "- ") for t in (shown, written))
    return Typeset(text, f"${mathematics}$")
