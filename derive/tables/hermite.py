"""LaTeX tables of the pure-Hermite theory; adding one is a function and its entry in ``TABLES``."""

from collections.abc import Callable, Iterable, Sequence

from sympy import Expr, Integer, Poly, S, Symbol, factor

from derive.command.tabular import Table, Typeset, formula, plain
from derive.conventions import convention_of
from derive.escape import escape_limit, hermite_escape_limit
from derive.hermite import (
    hermite_coefficients,
    hermite_polynomial,
    hermite_product,
    rescaling_coefficients,
)
from derive.kinds import HermiteConvention
from derive.leading import LeadingTerm
from derive.polynomial_drift import hermite_drift
from derive.symbols import Q, mu, z
from derive.tables.activations import (
    SEARCH_PHASE,
    SINGULARITIES_COLUMNS,
    VARIANCE,
    singularities_cells,
)

_N = Symbol("n")


def coefficients_table(degrees: Sequence[int], convention: HermiteConvention = "he") -> Table:
    """Hermite coefficients of the student He_n at variance Q (64)."""
    told, student = convention_of(convention), _student(convention)
    return Table(
        name="coefficients",
        title=Typeset(
            f"Hermite coefficients c_k(Q) of the student {student.plain} (64), {told.name}: "
            f"{told.series}",
            rf"Hermite coefficients $c_k(Q)$ of the student {student.latex} (64), {told.name}: "
            rf"{told.latex}",
        ),
        columns=(_N, Typeset("coefficients that do not vanish", "coefficients that do not vanish")),
        rows=tuple(
            (
                n,
                _listing(
                    (Typeset(f"c_{k}", f"c_{{{k}}}"), factor(c * told.scale(n, S.One)))
                    for k, c in enumerate(
                        hermite_coefficients(hermite_polynomial(n, z), z, Q, convention)
                    )
                    if c != 0
                ),
            )
            for n in degrees
        ),
        wide=1,
        explained=VARIANCE,
    )


def rescaling_table(degrees: Sequence[int], convention: HermiteConvention = "he") -> Table:
    """Hermite polynomials of variance Q in those of variance 1 (34)."""
    told = convention_of(convention)
    return Table(
        name="rescaling",
        title=Typeset(
            f"Variance rescaling in those of variance 1 (34), {told.name} Hermite polynomials",
            f"Variance rescaling in those of variance 1 (34), {told.name} Hermite polynomials",
        ),
        columns=(_N, Typeset(*told.whole)),
        rows=tuple(
            (
                n,
                _combination(
                    (
                        (n - 2 * j, w * told.scale(n, Q) / told.scale(n - 2 * j, S.One))
                        for j, w in enumerate(rescaling_coefficients(n, Q, Integer(1)))
                    ),
                    convention,
                ),
            )
            for n in degrees
        ),
        wide=1,
        explained=VARIANCE,
    )


def squares_table(degrees: Sequence[int], convention: HermiteConvention = "he") -> Table:
    """Squared labels He_n² in Hermite polynomials (37)."""
    told = convention_of(convention)
    student = _student(convention)
    squared = f"${student.latex[1:-1]}^2$"

    def weight(n: int, k: int) -> Expr:
        return told.scale(n, S.One) ** 2 / told.scale(k, S.One)

    return Table(
        name="squares",
        title=Typeset(
            f"Squared labels {student.plain}^2 in {told.name} Hermite polynomials (37)",
            f"Squared labels {squared} in {told.name} Hermite polynomials (37)",
        ),
        columns=(_N, Typeset(f"{student.plain}^2", squared)),
        rows=tuple(
            (
                n,
                _combination(
                    ((k, w * weight(n, k)) for k, w in hermite_product(n, n).items()), convention
                ),
            )
            for n in degrees
        ),
        wide=1,
        explained=VARIANCE,
    )


def drift_table(degrees: Sequence[int], convention: HermiteConvention = "he") -> Table:
    """Drift coefficients a_n(μ), b_n(μ), factored, divided by n·n! (65)-(69).

    In the other conventions students are multiples of He_n; divided by as much, they have the same.
    """
    student, unit = _student(convention), _UNITS[convention]
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
            f"Drift coefficients of the matched pair {student.plain}, divided by {unit.plain} "
            "(65)–(69)",
            f"Drift coefficients of the matched pair {student.latex}, divided by {unit.latex} "
            "(65)–(69)",
        ),
        columns=(
            _N,
            Typeset("", ""),
            Typeset(f"factored, divided by {unit.plain}", f"factored, divided by {unit.latex}"),
        ),
        rows=tuple(rows),
        wide=2,
        explained=f"{SEARCH_PHASE} {_divided(unit)}",
    )


def limits_table(degrees: Sequence[int], convention: HermiteConvention = "he") -> Table:
    """Leading behaviour of the escape time at both ends (Prop. 3), with the general law."""
    student, unit = _student(convention), _UNITS[convention]
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
            f"Escape time tau of {student.plain} at weak and strong pre-training, normalisation "
            f"{unit.plain} (Prop. 3)",
            rf"Escape time $\tau$ of {student.latex} at weak and strong pre-training, "
            f"normalisation {unit.latex} (Prop. 3)",
        ),
        columns=(
            _N,
            Typeset(
                "tau, mu -> 0",
                r"$\tau$ for $\mu \to 0$",
            ),
            Typeset("tau, mu -> 1", r"$\tau$ for $\mu \to 1$"),
        ),
        rows=(*each, *every_degree),
        explained=f"{SEARCH_PHASE} {_divided(unit)}",
        rules=(len(each),),
    )


def singularities_table(degrees: Sequence[int], convention: HermiteConvention = "he") -> Table:
    """Singular pre-training strengths of matched pairs (Prop. 2), which no factor changes."""
    student = _student(convention)
    rows = [(n, *cells) for n in degrees for cells in singularities_cells(hermite_drift(n))]
    return Table(
        name="singularities",
        title=Typeset(
            f"Zeros of a in (0, 1) for the matched pair {student.plain}, rounded down (Prop. 2)",
            rf"Zeros of $a$ in $(0,1)$ for the matched pair {student.latex}, rounded down "
            "(Prop. 2)",
        ),
        columns=(_N, *SINGULARITIES_COLUMNS),
        rows=tuple(rows),
        explained=SEARCH_PHASE,
    )


TABLES: dict[str, Callable[..., Table]] = {
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


def _student(convention: HermiteConvention) -> Typeset:
    """The polynomial of degree n and variance 1."""
    plain_, latex_ = convention_of(convention).polynomial
    argument = "(x/√2)", r"(x/\sqrt{2})"
    ends = argument if convention == "h" else ("", "")
    return Typeset(f"{plain_}_n{ends[0]}", f"${latex_}_n{ends[1]}$")


# n times the mean square of the student.
_UNITS = {
    "he": Typeset("n*n!", r"$n\,n!$"),
    "h": Typeset("n*2^n*n!", r"$n\,2^n\,n!$"),
    "orthonormal": Typeset("n", "$n$"),
}


def _divided(unit: Typeset) -> str:
    """What the normalisation means for the coefficients and for times, as a caption says it."""
    return (
        rf"Both $a$ and $b$ are divided by {unit.latex}, so times are in units of "
        rf"$1/(\gamma\,{unit.latex[1:-1]})$, $\gamma$ the learning rate."
    )


def _combination(
    weights: Iterable[tuple[int, Expr]], convention: HermiteConvention = "he"
) -> Typeset:
    """A sum of multiples of Hermite polynomials, the weights in front."""
    shown, written = [], []
    name, latex = convention_of(convention).polynomial
    for k, weight in weights:
        w = factor(weight)
        if w == 1:
            shown.append(f"{name}_{k}")
            written.append(f"{latex}_{{{k}}}")
        else:
            shown.append(f"({w})*{name}_{k}" if w.is_Add else f"{w}*{name}_{k}")
            bracketed = f"({formula(w)})" if w.is_Add else formula(w)
            written.append(rf"{bracketed}\,{latex}_{{{k}}}")
    text, mathematics = (" + ".join(t).replace("+ -", "- ") for t in (shown, written))
    return Typeset(text, f"${mathematics}$")
