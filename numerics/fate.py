"""Where runs end: rest points of the flow, what they are, and which of them a run reaches.

``python -m numerics.fate --activation He3 --mu 0.3``. For pairs of polynomials: what rests is
exact, ends are exact, certified or heuristic, and each says which. With and without a first stage
of other labels, with and without the flip of the sign of u at the switch.
"""

from argparse import ArgumentTypeError, Namespace
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from derive.command.group import Command
from derive.command.parser import CommandParser
from derive.command.progress import progress
from derive.command.prose import prose
from derive.command.report import Report
from derive.command.tabular import Content, Table, Typeset, plain, rounded, typeset
from derive.errors import InputError, quoted
from derive.tables.names import labelled_name
from numerics.options.pairs import add_case_options, chosen_pairs
from numerics.options.shared import add_options, add_shared, option
from numerics.options.start import start
from numerics.options.values import (
    Correlations,
    Strengths,
    figure_files,
    positive,
    refuse_idle_style,
)

if TYPE_CHECKING:
    from derive.pair import Pair

_LARGEST_DEGREE = 12
_LARGEST_SCALE = 100  # of a start
_NO_STAGE = "none"
_HEAD = ("teacher", "student", "labels", "loss", "misalignment", "mu", "a", "b")


# What people see.


def _tables(pair: "Pair", records: Sequence[dict[str, Any]]) -> list[Table]:
    name = labelled_name(pair)
    tables = [_rest_table(name, pair, records), _fate_table(name, records)]
    borders = [(r, each) for r in records for each in r["borders"]]
    lines = [(r, each) for r in records for each in r["separatrices"]]
    tables += [_separatrix_table(name, lines)] if lines else []
    return [*tables, *([_border_table(name, borders)] if borders else [])]


def _number(value: float) -> Typeset:
    return rounded(value, 5)


def _titled(name: Content, what: str) -> Typeset:
    return Typeset(f"{plain(name)}: {what}", f"{typeset(name)}: {what}")


def _rest_table(name: Content, pair: "Pair", records: Sequence[dict[str, Any]]) -> Table:
    """Rest points; at a single strength with their places and rates."""
    from derive.rest import rest_points

    single, points = len(records) == 1, records[0]["rest_points"]
    if not single:  # in the same order; what they are at one strength may not hold at all
        points = [p | {"stability": found.stability}
                  for p, found in zip(points[1:], rest_points(pair), strict=True)]  # fmt: skip
    rows: list[tuple[Content, ...]] = []
    for p in points:
        row: list[Content] = [p["where"], _number(p["rho"]), _number(p["residual"])]
        if single:
            row += [_number(x) for x in (p["u"], p["m"], *p["eigenvalues"])]
        rows.append((*row, p["stability"]))
    head: list[Content] = ["where", Typeset("ρ", r"$\rho$"), Typeset("s", "$s$")]
    if single:
        head += [Typeset("u", "$u$"), Typeset("m", "$m$"), "rate", "rate"]
    at = f", mu = {records[0]['mu']:g}" if single else ", at every mu"
    return Table(
        name="rest_points",
        title=_titled(name, f"rest points (what they are: exact{at})"),
        columns=(*head, "is a"),
        rows=tuple(rows),
        notes=tuple(_note(line) for line in records[0]["singularities"]),
    )


def _note(line: dict[str, Any]) -> Typeset:
    turn = line["attracts_below_overlap"]
    some = "all" if line["b"] < 0 else "none"
    which = f"{some} of them attract" if turn is None else (
        f"those with |m| {'<' if line['b'] < 0 else '>'} {turn:.5g} attract")  # fmt: skip
    return prose(f"singularity at mu = {line['mu']:.6g}: all states with u = 0 rest, {which}")


def _fate_table(name: Content, records: Sequence[dict[str, Any]]) -> Table:
    rows: list[tuple[Content, ...]] = []
    for r in records:
        mu = _number(r["mu"])
        way = "towards" if r["a"] > 0 else "away" if r["a"] < 0 else "none"
        rows.append((mu, "none", None, f"a: {way}", *_end(r["escape"])))
        if "start" in r:
            rows.append((mu, "from the start", None, None, *_end(r["start"])))
        rows += [
            (mu, stage["first"], _number(stage["switch"]), "flip" if stage["flip"] else "as it is",
             *_end(stage))
            for stage in r["stages"]
        ]  # fmt: skip
    return Table(
        name="fates",
        title=_titled(name, "ends of runs that leave the search phase"),
        columns=(Typeset("mu", r"$\mu$"), "first stage",
                 Typeset("switch at |m|", "switch at $|m|$"), Typeset("sign of u", "sign of $u$"),
                 "ends at", "how sure"),
        rows=tuple(rows),
        notes=tuple(_not_staged(r) for r in records if r["not_staged"]),
    )  # fmt: skip


def _end(told: dict[str, Any]) -> tuple[str, str]:
    if told["end"]:
        return told["end"], told["certainty"]
    return ("no escape", "exact") if told["certainty"] == "exact" else ("open", "-")


def _not_staged(record: dict[str, Any]) -> Typeset:
    said = ", ".join(f"no stage with {each['first']}: {each['reason']}"
                     for each in record["not_staged"])  # fmt: skip
    return prose(f"mu = {record['mu']:g}: {said}")


def _separatrix_table(
    name: Content, lines: Sequence[tuple[dict[str, Any], dict[str, Any]]]
) -> Table:
    rows = [(_number(r["mu"]), *(_number(c[key]) for key in ("u", "low", "high")),
             c["below"], c["above"]) for r, c in lines]  # fmt: skip
    return Table(
        name="separatrices",
        title=_titled(name, "separatrices on lines of one u, enclosed (certified)"),
        columns=(Typeset("mu", r"$\mu$"), Typeset("u", "$u$"), Typeset("m from", "$m$ from"), "to",
                 "below it", "above it"),
        rows=tuple(tuple(prose(x) if isinstance(x, str) else x for x in row) for row in rows),
    )  # fmt: skip


def _border_table(name: Content, borders: Sequence[tuple[dict[str, Any], dict[str, Any]]]) -> Table:
    return Table(
        name="borders",
        title=_titled(name, "switches at which the end changes, enclosed (certified)"),
        columns=(Typeset("mu", r"$\mu$"), "first stage", Typeset("sign of u", "sign of $u$"),
                 Typeset("|m| from", "$|m|$ from"), "to", "before it", "after it"),
        rows=tuple(
            (_number(r["mu"]), b["first"], "flip" if b["flip"] else "as it is", _number(b["low"]),
             _number(b["high"]), b["below"], b["above"])
            for r, b in borders
        ),
    )  # fmt: skip


# The command.


class Switches(Strengths):
    """Overlaps at a switch, read from text: decimals in (0, 1), in increasing order.

    >>> [str(level) for level in Switches("0.3,0.5")]
    ['3/10', '1/2']
    """

    def __new__(cls, text: str) -> "Switches":
        """Parse ``text``."""
        self = super().__new__(cls, text)
        if list(self) != sorted(set(self)) or not self[-1] < 1:
            raise ArgumentTypeError(f"{quoted(text)} is not accepted: give overlaps in (0, 1), "
                                    "in increasing order")  # fmt: skip
        return self


def _one_state(text: str) -> tuple[float, float]:
    found = start(text)
    if (
        isinstance(found, Path)
        or len(found[0]) != 2
        or not (abs(found[0][0]) <= _LARGEST_SCALE and abs(found[0][1]) < 1)
    ):
        raise ArgumentTypeError(f"{quoted(text)} is not accepted: give U,M with "
                                f"|U| ≤ {_LARGEST_SCALE} and |M| < 1")  # fmt: skip
    return found[0][0], found[0][1]


def _first(text: str) -> str:
    from derive.grammar import parse_transform

    if text not in (_NO_STAGE, "best"):
        try:
            parse_transform(text)
        except InputError as error:
            raise ArgumentTypeError(str(error)) from None
    return text


_OWN = {
    "first": option(_first, "TEXT", "labels of a first stage: none, squared, best (those of "
                    "numerics.labels), or a function of y; may be repeated (default: squared)",
                    action="append"),
    "switch": option(Switches, "GRID", "overlaps |m| at which the first stage ends",
                     "0.1,0.3,0.5,0.7,0.9"),
    "start": option(_one_state, "U,M", "also the end of this state with the pair's own labels"),
}  # fmt: skip
_EFFORT = {
    "horizon": option(positive, "T", "time in which the last stage is followed, in 1/γ", "300"),
    "width": option(positive, "W", "of enclosures of switches and separatrices", "0.02"),
    "lines": option(
        Correlations,
        "GRID",
        "scales u in [-1, 1] at which separatrices are enclosed, "
        "such as 0.1,0.3 or -0.5:0.5:5 (default: none)",
    ),
}


def _parser() -> CommandParser:
    parser = CommandParser(
        "numerics.fate",
        "Where runs end: rest points of the flow, and which a run reaches, for polynomials.",
        (
            "--activation He3 --mu 0.3",
            "--degree 3 --mu 0.2:0.45:6 --switch 0.3,0.6,0.9 --format json",
            "--activation He3 --mu 0.3 --first best --first squared --start 0.1,-0.2",
            "--degree 2,10 --mu 0.5 --first none",
            "--activation He3 --mu 0.25 --first none --lines 0.1:0.7:4 --plot portrait.pdf",
            "--activation He3 --mu 0.2:0.45:6 --plot ends.pdf",
        ),
        libraries=("sympy", "python-flint", "numpy", "scipy"),
    )
    add_case_options(parser, simulated=True, largest_degree=_LARGEST_DEGREE)
    asked = parser.add_argument_group("which runs")
    add_shared(asked, "mu", default="0.3")
    add_options(asked, _OWN)
    add_options(parser.add_argument_group("how far it goes"), _EFFORT)
    drawn = parser.add_argument_group("figure")
    add_shared(drawn, "style")
    add_shared(drawn, "plot", help="also draw, of one pair, as .pdf, "
               ".png or .svg: for one strength the phase portrait, for several the diagram of ends "
               "over strength and switch; with the data beside as .csv")  # fmt: skip
    return parser


def _pairs(options: Namespace) -> list["Pair"]:
    from derive.labels import MATCHED

    labels = options.labels or (MATCHED,)
    chosen = chosen_pairs(options)
    pairs = [make(labels=each, loss=options.loss) for make in chosen for each in labels]
    for pair in pairs:
        _refuse_large(pair)
    return pairs


def _refuse_large(pair: "Pair") -> None:
    """Raise ``InputError`` for a pair whose rest points would take minutes."""
    parts = [part.polynomial for part in (pair.teacher, pair.student, pair.labels)]
    teacher, student, labels = (max(p.degree(), 1) if p is not None else 1 for p in parts)
    if student > _LARGEST_DEGREE or teacher * labels > 2 * _LARGEST_DEGREE:
        raise InputError(
            f"a student of degree {student} and labels of degree {teacher * labels} in z are not "
            f"accepted: give at most {_LARGEST_DEGREE} and {2 * _LARGEST_DEGREE}"
        )


def _records(pairs: Sequence["Pair"], options: Namespace) -> Iterator[dict[str, Any]]:
    from numerics.dynamics.fate_records import Question, fate_record
    from numerics.dynamics.fates import FateJudge

    firsts = [name for name in options.first or ("squared",) if name != _NO_STAGE]
    question = Question(tuple(firsts), options.switch, options.start, options.lines or (),
                        options.width)  # fmt: skip
    grid = [(pair, mu) for pair in pairs for mu in options.mu]
    for pair, mu in progress(grid, "strengths"):
        yield fate_record(FateJudge(pair, mu, options.horizon), question)


def _action(options: Namespace) -> Report:
    size, pairs = len(options.mu), _pairs(options)
    refuse_idle_style(options)
    if options.plot and len(pairs) > 1:
        raise InputError(f"a figure of {len(pairs)} pairs is not accepted: give one with --plot")
    records = list(_records(pairs, options))
    tables = [table for i, pair in enumerate(pairs)
              for table in _tables(pair, records[i * size : (i + 1) * size])]  # fmt: skip
    files = _drawn(pairs[0], records, options) if options.plot else {}
    return Report(records, tables, "certified", list(_rows(records)), files)


def _drawn(
    pair: "Pair", records: Sequence[dict[str, Any]], options: Namespace
) -> dict[Path, bytes]:
    from numerics.certified.flow import ball_flow
    from numerics.figures.caption import shown_pair
    from numerics.figures.ends import draw_ends  # matplotlib
    from numerics.figures.portraits import draw_portrait

    if len({r["mu"] for r in records}) > 1:
        ordered = sorted({r["mu"]: r for r in records}.values(), key=lambda r: r["mu"])
        draw = partial(draw_ends, ordered, shown_pair(pair), source=options.source)
    else:
        flow = ball_flow(pair, options.mu[0])
        crossed = [(each["u"], each["low"], each["high"]) for each in records[0]["separatrices"]]
        draw = partial(draw_portrait, pair, flow, source=options.source, enclosed=crossed)
    return figure_files(options.plot, draw, options.style, options.source)


def _rows(records: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """A row for each end, for CSV: ``sure`` is how sure that one is."""
    renamed = {"labels": "first_labels", "certainty": "sure"}
    for record in records:
        ends = [{"first": "none"} | record["escape"]]
        ends += [{"first": "start"} | record["start"]] if "start" in record else []
        for end in [*ends, *record["stages"]]:
            own = {renamed.get(name, name): value for name, value in end.items()}
            yield {name: record[name] for name in (*_HEAD, "certainty")} | own


main = Command(_parser, _action)


if __name__ == "__main__":
    raise SystemExit(main())
