"""Labels of optimal design: raw, squared, the best polynomial and the best of all transforms.

``python -m numerics.labels --activation He3 --mu 0.3``. The best are those with the largest growth
rate in the search phase at a given norm, among those that lead towards the teacher; no transform of
that norm does better, which is certified.
"""

from argparse import BooleanOptionalAction, Namespace
from collections.abc import Sequence
from functools import partial
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

from derive.command.group import Command
from derive.command.parser import CommandParser
from derive.command.progress import progress
from derive.command.prose import prose
from derive.command.report import Report
from derive.command.tabular import Content, Table, Typeset, rounded, typeset
from derive.command.values import integer_between
from derive.tables.names import pair_name
from numerics.options.pairs import add_function_options, chosen_pairs
from numerics.options.shared import add_options, add_shared, option
from numerics.options.values import dimension, figure_files, refuse_idle_style

if TYPE_CHECKING:
    from numerics.dynamics.judged_labels import Judged

_NORMS, _OBJECTIVES = ("raw", "squared"), ("rate", "samples")


# What is shown.


def _shown(number: float | None) -> Typeset:
    return rounded(inf if number is None else number, 5)


def _table(points: Sequence["Judged"]) -> Table:
    judge, name = points[0].judge, pair_name(points[0].judge.pair)
    which = "largest rate" if judge.objective == "rate" else "fewest samples"
    asked = f"{which}, {'a > 0 and b ≤ 0' if judge.useful else 'any a and b'}"
    how = prose(f"the best of the norm of {judge.norm} labels by {asked}; d = {judge.dimension}")
    rows = [row for point in points for row in _rows(point)]
    return Table(
        name="labels",
        title=Typeset(f"Labels of {name.plain}: {how.plain}",
                      f"Labels of {name.latex}: {how.latex}"),
        columns=(Typeset("mu", r"$\mu$"), "labels", Typeset("a", "$a$"), Typeset("b", "$b$"),
                 Typeset("τ", r"$\tau$"), Typeset("E ε²σ'²", r"$E\epsilon^2\sigma'^2$"),
                 "direction", "samples"),
        rows=tuple(rows),
        notes=(*map(prose, _notes(points)), *_texts(points)),
    )  # fmt: skip


def _rows(point: "Judged") -> list[tuple[Content, ...]]:
    record, mu = point.record, rounded(float(point.mu), 6)
    names = {"polynomial": f"polynomial, degree ≤ {point.judge.degree}", "optimum": "optimum"}
    rows: list[tuple[Content, ...]] = []
    for kind in point.found:
        found, title = record[kind], prose(names.get(kind, kind))
        if found is None:
            none = "undecided" if point.undecided else "none is useful"
            rows.append((mu, title, none, *[None] * 5))
            continue
        numbers = [_shown(found[key]) for key in ("a", "b", "tau", "noise")]
        where = "towards" if found["towards_teacher"] else "away" if found["tau"] else "none"
        rows.append((mu, title, *numbers, where, _shown(found["samples"])))
    return rows


def _notes(points: Sequence["Judged"]) -> list[str]:
    records = [point.record for point in points]
    notes = [f"mu {r['mu']:g}: {r['undecided']}" for r in records if "undecided" in r]
    best = [r["optimum"] for r in records if r["optimum"]]
    if best:
        if not all(each["attained"] for each in best):
            notes.append("where a kink of the student moves b at no cost of norm, labels only come "
                         "as close to the optimum as is wished")  # fmt: skip
        gap = max(each["tau_upper"] - each["tau_lower"] for each in best)
        notes.append(f"no labels of that norm have a lower τ than the optimum's less {gap:.1e} "
                     "(certified)")  # fmt: skip
    kept = [r["optimum"]["tau"] / r["polynomial"]["tau"] for r in records if r["polynomial"]]
    if kept:
        low, high = f"{min(kept):.3g}", f"{max(kept):.3g}"
        share = low if low == high else f"{low} to {high}"
        notes.append(f"polynomials have {share} of the optimum's rate")
    return notes


def _texts(points: Sequence["Judged"]) -> list[Typeset]:
    """The best labels of one strength as text, to copy."""
    if len(points) > 1:
        return []
    polynomial, best = (points[0].record[kind] for kind in ("polynomial", "optimum"))
    texts = [f"polynomial: --labels '{polynomial['labels']}'"] if polynomial else []
    if best and best["labels"]:
        kept = f"{best['labels_keep']:.3g}"
        texts.append(f"near the optimum, {kept} of its rate: --labels '{best['labels']}'")
    return [Typeset(text, typeset(text)) for text in texts]


# The command.


def _parser() -> CommandParser:
    parser = CommandParser(
        "numerics.labels",
        "Labels that leave the search phase fastest, towards the teacher: the best transform.",
        (
            "--activation He3 --mu 0.3",
            "--degree 3,5,7 --mu 0.1:0.9:9 --plot labels.pdf",
            "--activation erf --mu 0.8 --norm squared --objective samples --format json",
            "--teacher relu --student tanh --mu 0.5 --no-useful",
        ),
        libraries=("sympy", "python-flint", "numpy", "scipy"),
    )
    add_function_options(parser.add_argument_group("which pairs"))
    _add_questions(parser.add_argument_group("what is asked"))
    figure = parser.add_argument_group("figure")
    add_shared(figure, "plot", help="also draw τ over the strengths, or for one strength the "
               "transforms, as .pdf, .png or .svg, with the data beside as .csv, and with "
               "the caption as .tex")  # fmt: skip
    add_shared(figure, "style")
    return parser


def _add_questions(group: Any) -> None:
    degree = integer_between(1, 12)
    add_shared(group, "mu", default="0.3", help="pre-training strengths: 0.3, 0.1,0.5 or "
               "START:STOP:COUNT; for one the best labels are written as text too "
               "(default: %(default)s)")  # fmt: skip
    add_options(group, {
        "polynomial": option(degree, "D", "degree of the best polynomial, 1 to 12", 5),
        "dimension": option(dimension, "D", "input dimension, for the samples, such as 1e6", 10**4),
    })  # fmt: skip
    group.add_argument(
        "--norm",
        choices=_NORMS,
        default=_NORMS[0],
        help="labels of which the best ones have the mean square (default: %(default)s)",
    )
    group.add_argument(
        "--useful",
        action=BooleanOptionalAction,
        default=True,
        help="only labels with a > 0 and b ≤ 0, which lead towards the teacher "
        "(default: %(default)s)",
    )
    group.add_argument(
        "--objective",
        choices=_OBJECTIVES,
        default=_OBJECTIVES[0],
        help="what is best: the largest rate, certified, or the fewest samples in the plane of the "
        "conditional means, heuristic (default: %(default)s)",
    )


def _drawn(points: Sequence[Sequence["Judged"]], options: Namespace) -> dict[Path, bytes]:
    from numerics.figures.labels import draw_rates, draw_transforms  # matplotlib

    draw = draw_transforms if len(options.mu) == 1 else draw_rates
    drawing = partial(draw, points, source=options.source)
    return figure_files(options.plot, drawing, options.style, options.source)


def _action(options: Namespace) -> Report:
    refuse_idle_style(options)
    from numerics.dynamics.judged_labels import LabelJudge, judged

    judges = [
        LabelJudge.of(make(), degree=options.polynomial, norm=options.norm, useful=options.useful,
                      objective=options.objective, dimension=options.dimension)
        for make in chosen_pairs(options)
    ]  # fmt: skip
    grid = [(judge, mu) for judge in judges for mu in options.mu]
    found = [judged(judge, mu, len(options.mu) == 1) for judge, mu in progress(grid, "labels")]
    size = len(options.mu)
    points = [found[i : i + size] for i in range(0, len(found), size)]
    tables = [_table(each) for each in points]
    files = _drawn(points, options) if options.plot else {}
    certainty = "certified" if options.objective == "rate" else "heuristic"
    records = [each.record for each in found]
    return Report(records, tables, certainty, [_row(record) for record in records], files)  # type: ignore[arg-type]


def _row(record: dict[str, Any]) -> dict[str, Any]:
    """A record without its transforms, which have many numbers."""
    return {
        key: {k: v for k, v in value.items() if k != "transform"}
        if isinstance(value, dict)
        else value
        for key, value in record.items()
    }


main = Command(_parser, _action)


if __name__ == "__main__":
    raise SystemExit(main())
