"""Tables for any activation: Hermite coefficients, drift, limits of the escape time.

``derive.tables`` shows them for the activations given with ``--activation``. Adding a table is one
function and its entry in ``ACTIVATION_TABLES``.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, singledispatch
from shlex import quote

from sympy import Expr, Rational, floor, simplify, sstr

from derive.activation import Activation
from derive.command.tabular import Content, Table, Typeset, decimal, formula, typeset
from derive.constants import decimal_text, definitions, in_constants
from derive.conventions import convention_of
from derive.drift import AnyDrift, Drift
from derive.errors import InputError
from derive.escape import escape_limit
from derive.gaussian import NoClosedForm
from derive.grammar import parse_activation
from derive.kinds import HermiteConvention
from derive.leading import LeadingTerm
from derive.network import network_drift
from derive.notation import written
from derive.pair import Pair
from derive.pair_drift import drift_of
from derive.singularities import singular_strengths
from derive.symbols import Q, mu
from derive.tables.names import function_name

_NONE = {
    command: Typeset(f"no closed form: see {command}", rf"no closed form: see \texttt{{{command}}}")
    for command in ("numerics.hermite", "numerics.escape", "numerics.simulate")
}
_FLAT = Typeset("above any power of 1/μ", r"above any power of $1/\mu$")
_REST = Typeset("E(σ - Σ)²", r"$E(\sigma - \sum)^2$")  # what the series leaves out
_ELSEWHERE = Typeset("see numerics.singularities", r"see \texttt{numerics.singularities}")
_HIGHEST_ISOLATED = 200  # degree of a drift polynomial whose zeros are found in seconds
_DIGITS = 10
_TOWARDS_THE_ENDS = "--mu 0.001,0.01,0.1,0.9,0.99,0.999"
SINGULARITIES_COLUMNS = (Typeset("zero", "zero of $a$"), Typeset("tau", r"$\tau$ there"))

# What captions say of the symbols in a table, once for all of them.
PAPER = "arXiv:2602.02855"
SEARCH_PHASE = (
    "Of the theory of LoRA fine-tuning on a single-index model "
    rf"({PAPER}): in the search phase, at pre-training strength $\mu$, the scale $u$ of the "
    r"adapter and its overlap $m$ with the teacher obey $\dot u = a m + b u$, $\dot m = a u$, and "
    r"the escape time is $\tau = 2/(b + \sqrt{b^2 + 4a^2})$."
)
VARIANCE = f"Here $Q$ is the variance of the student's argument; (30), (34), (37), (64) of {PAPER}."
_RAW = (
    r"Teacher and student have the same activation. Raw: $a$ and $b$ are not divided by anything, "
    r"and times are in units of $1/\gamma$, $\gamma$ the learning rate."
)


@dataclass(frozen=True)
class Asked:
    """Which Hermite coefficients are asked for: up to which order, where, in which convention."""

    order: int = 4
    variance: Expr = Q
    convention: HermiteConvention = "he"


_USUAL = Asked()


def activation_coefficients_table(texts: Sequence[str], asked: Asked = _USUAL) -> Table:
    """Hermite coefficients of activations (30), at a variance with what the series leaves out."""
    rows: list[tuple[Content, ...]] = []
    notes: list[Typeset] = []
    for text in texts:
        activation, some = _parsed(text), len(rows)
        for k in range(asked.order + 1):
            label = Typeset(f"c_{k}", f"$c_{{{k}}}$")
            rows.append((function_name(text), label, _coefficient(activation, k, asked)))
        if asked.variance != Q:
            rows.append((function_name(text), _REST, _rest(activation, asked)))
        if any(value is _NONE["numerics.hermite"] for *_, value in rows[some:]):
            notes.append(_certified_digits(text, asked))
    told = convention_of(asked.convention)
    value = "" if asked.variance == Q else f", Q = {asked.variance}"
    in_latex = "" if asked.variance == Q else f", $Q = {formula(asked.variance)}$"
    title = Typeset(
        f"Hermite coefficients c_k(Q) (30), {told.name}: {told.series}{value}",
        f"Hermite coefficients $c_k(Q)$ (30), {told.name}: {told.latex}{in_latex}",
    )
    return _table("activation-coefficients", title, rows, notes, texts, VARIANCE)


def _coefficient(activation: Activation, k: int, asked: Asked) -> Typeset:
    try:
        value = activation.hermite_coefficient(k, asked.variance, asked.convention)
    except NoClosedForm:
        return _NONE["numerics.hermite"]
    return _expression(value)


def _rest(activation: Activation, asked: Asked) -> Typeset:
    try:
        return _expression(activation.truncation_error(asked.order, asked.variance))
    except NoClosedForm:
        return _NONE["numerics.hermite"]


def _certified_digits(text: str, asked: Asked) -> Typeset:
    variance = 1 if asked.variance == Q else asked.variance
    options = (
        f"--order {asked.order} --variance {quote(str(variance))} --hermite {asked.convention}"
    )
    return _to_run("certified digits", text, "numerics.hermite", options)


def _to_run(what: str, text: str, command: str, options: str) -> Typeset:
    """What to run for numbers where there is no closed form."""
    said = f"python -m {command} --activation {quote(text)} {options}"
    return Typeset(
        f"{what} of {text}: {said}",
        rf"{what} of {function_name(text).latex}: \texttt{{{typeset(said)}}}",
    )


def activation_drift_table(texts: Sequence[str]) -> Table:
    """Drift coefficients of matched pairs, raw."""
    rows: list[tuple[Content, ...]] = []
    notes: list[Typeset] = []
    for text in texts:
        try:
            values = [_expression(f) for f in _matched(text).expressions]
        except NoClosedForm:
            values = [_NONE["numerics.escape"]] * 2
            notes.append(_to_run("certified values", text, "numerics.escape", "--mu 0.1:0.9:9"))
        for name, value in zip("ab", values, strict=True):
            rows.append((function_name(text), Typeset(name, f"${name}$"), value))
    return _table(
        "activation-drift",
        Typeset(
            "Drift coefficients of matched pairs, raw", "Drift coefficients of matched pairs, raw"
        ),
        rows,
        notes,
        texts,
    )


def activation_limits_table(texts: Sequence[str]) -> Table:
    """Leading behaviour of the escape time of matched pairs at both ends, raw."""
    rows: list[tuple[Content, ...]] = []
    notes: list[Typeset] = []
    for text in texts:
        drift, some = _matched(text), len(rows)
        for end, x, arrow in ((0, mu, r"\mu \to 0"), (1, 1 - mu, r"\mu \to 1")):
            try:
                flat = end == 0 and drift.is_flat
                value = _FLAT if flat else _law(escape_limit(drift, end), x)
            except NoClosedForm:
                value = _NONE["numerics.escape"]
            rows.append(
                (function_name(text), Typeset(f"tau, mu -> {end}", rf"$\tau$, ${arrow}$"), value)
            )
        if any(value is _NONE["numerics.escape"] for *_, value in rows[some:]):
            notes.append(_to_run("certified values", text, "numerics.escape", _TOWARDS_THE_ENDS))
    return _table(
        "activation-limits",
        Typeset(
            "Escape time tau of matched pairs at weak and strong pre-training, raw",
            r"Escape time $\tau$ of matched pairs at weak and strong pre-training, raw",
        ),
        rows,
        notes,
        texts,
    )


def activation_singularities_table(texts: Sequence[str]) -> Table:
    """Singular pre-training strengths of matched polynomial pairs."""
    rows: list[tuple[Content, ...]] = []
    for text in texts:
        rows += [(function_name(text), *cells) for cells in singularities_cells(_matched(text))]
    return Table(
        "activation-singularities",
        Typeset(
            "Zeros of a in (0, 1) for matched pairs, rounded down",
            "Zeros of $a$ in $(0,1)$ for matched pairs, rounded down",
        ),
        ("activation", *SINGULARITIES_COLUMNS),
        tuple(rows),
        explained=f"{SEARCH_PHASE} {_RAW}",
    )


def activation_network_table(texts: Sequence[str]) -> Table:
    """Drift coefficients of K neurons of equal strength, by kind of mode; any rank."""
    rows: list[tuple[Content, ...]] = []
    notes: list[Typeset] = []
    for text in texts:
        activation = _parsed(text)
        try:
            modes = network_drift(activation, activation).equal_strengths()
        except NoClosedForm:
            rows.append((function_name(text), Typeset("", ""), _NONE["numerics.simulate"]))
            notes.append(_to_run("runs of networks", text, "numerics.simulate", "--neurons 2"))
            continue
        for kind, pair in modes.items():
            for name, value in zip("ab", pair, strict=True):
                label = Typeset(f"{name}, {kind}", f"${name}$, {kind}")
                rows.append((function_name(text), label, _expression(value)))
    title = "Search phase of networks of K neurons and any rank, equal strengths, raw"
    return _table("activation-network", Typeset(title, title), rows, notes, texts)


@singledispatch
def singularities_cells(drift: AnyDrift) -> list[tuple[Content, ...]]:
    """What a table says of the zeros of ``a``, for ``SINGULARITIES_COLUMNS``: a row each."""
    return [(_ELSEWHERE, None)]


@singularities_cells.register(Drift)
def _(drift: Drift) -> list[tuple[Content, ...]]:
    if drift.a.degree() > _HIGHEST_ISOLATED:
        return [(_ELSEWHERE, None)]
    digits, zeros = _DIGITS, singular_strengths(drift, _DIGITS)
    if not zeros:
        return [(Typeset("none", "none"), Typeset("finite", "finite"))]
    while zeros[0].low * 10**digits < 10 ** (_DIGITS // 2):  # a small one keeps its first digits
        digits *= 2
        zeros = singular_strengths(drift, digits)
    return [
        (_rounded_down(s.low, digits), Typeset(fate, fate))
        for s in zeros
        for fate in ["diverges" if s.diverges else "finite"]
    ]


def _rounded_down(value: Rational, digits: int) -> Typeset:
    return decimal(f"0.{int(floor(value * 10**digits)):0{digits}d}")


ACTIVATION_TABLES: dict[str, Callable[[Sequence[str]], Table]] = {
    "activation-coefficients": activation_coefficients_table,
    "activation-drift": activation_drift_table,
    "activation-limits": activation_limits_table,
    "activation-singularities": activation_singularities_table,
    "activation-network": activation_network_table,
}


@lru_cache(maxsize=64)  # three tables ask for it
def _matched(text: str) -> AnyDrift:
    activation = _parsed(text)
    return drift_of(Pair(activation, activation))


def _parsed(text: str) -> Activation:
    return in_constants(parse_activation(text))


def _law(limit: LeadingTerm, x: Expr) -> Typeset:
    return _typeset(written(simplify(limit.coefficient)) * x**limit.exponent)


def _expression(value: Expr) -> Typeset:
    return _typeset(written(value))


def _typeset(shown: Expr) -> Typeset:
    return Typeset(sstr(shown), f"${formula(shown)}$")


def _table(
    name: str,
    title: Typeset,
    rows: Sequence[tuple[Content, ...]],
    notes: Sequence[Typeset],
    texts: Sequence[str],
    explained: str = f"{SEARCH_PHASE} {_RAW}",
) -> Table:
    if not rows:
        raise InputError("no activation is chosen: give --activation")
    columns = ("activation", "", "closed form")
    told = (*notes, *(note for text in texts for note in _definitions(text)))
    return Table(name, title, columns, tuple(rows), told, wide=2, share="0.65",
                 explained=explained)  # fmt: skip


def _definitions(text: str) -> Iterator[Typeset]:
    """What the letters in the formulas of an activation stand for."""
    for constant, value in definitions(_parsed(text).expression).items():
        digits = decimal_text(value)
        yield Typeset(
            f"{constant} = {digits} in {text}",
            rf"${formula(constant)} = {digits}$ in {function_name(text).latex}",
        )
