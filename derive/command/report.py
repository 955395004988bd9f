"""A result in five formats. This is the only place that knows them.

A command says what it found as records, plain data that says everything, and as tables, which
people read. JSON and CSV hold the records; text, LaTeX and Markdown show the tables.
"""

import csv
import io
import json
from argparse import Namespace
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from pathlib import Path
from typing import Any, Literal

from derive.command.latex import as_latex, latex_document
from derive.command.tabular import Table, Typeset, as_markdown, as_text

Record = Mapping[str, object]
Certainty = Literal["exact", "certified", "heuristic"]


@dataclass(frozen=True)
class Report:
    """What a command found.

    Fields: ``records``, several or a single one, of names and plain values, nested as they are;
    ``tables``; ``certainty`` of every record that does not say its own; ``rows``, the records of
    the CSV format if these are others; ``files`` to write beside; ``of``, what else the provenance
    says, as of which images; ``standalone``, whether its LaTeX is a document of its own;
    ``failure``, why the exit code is 1 although there is a result.
    """

    records: Record | Sequence[Record]
    tables: Sequence[Table]
    certainty: Certainty
    rows: Sequence[Record] | None = None
    files: Mapping[Path, bytes] = field(default_factory=dict)
    of: str = ""
    standalone: bool = False
    failure: str = ""


def page_written(options: Namespace, what: str, html: str, **facts: object) -> Report:
    """A page that goes to ``--output`` itself; what is told of it are its file, bytes and facts.

    Arguments:
        options: parsed ones, with ``output``.
        what: the page is, such as ``report``.
        html: the page.
        facts: what else is told of it.
    """
    content, target = html.encode(), options.output
    options.output = None  # the page goes there, not what is told of it
    record = {"file": str(target), "bytes": len(content), **facts}
    title = Typeset(f"The {what}", f"The {what}")
    table = Table(what, title, tuple(record), (tuple(map(str, record.values())),))
    return Report(record, [table], "heuristic", files={target: content})


def render(report: Report, form: str, source: str) -> str:
    """A report in one of the formats, with its provenance ``source``.

    Arguments:
        report: of a command.
        form: ``text``, ``json``, ``csv``, ``latex`` or ``markdown``.
        source: its provenance.
    """
    if form == "json":
        return _json(report, source)
    if form == "csv":
        rows = _several(report.records) if report.rows is None else report.rows
        return csv_text([_certain(row, report) for row in rows], source)
    if form == "latex":
        if report.standalone:
            return f"% {source}\n{latex_document(report.tables)}"
        pieces = "\n\n\\bigskip\n\n".join(map(as_latex, report.tables))
        return f"% {source}\n\n{pieces}"
    if form == "markdown":
        return "\n\n".join([*map(as_markdown, report.tables), f"<!-- {source} -->"])
    return "\n\n".join([*map(as_text, report.tables), source])


def _several(records: Record | Sequence[Record]) -> Sequence[Record]:
    return [records] if isinstance(records, Mapping) else records


def _certain(record: Record, report: Report) -> Record:
    return {**record, "certainty": record.get("certainty", report.certainty)}


def _json(report: Report, source: str) -> str:
    """Records with their provenance; a number that is not finite, which JSON lacks, is null."""

    def told(value: object) -> object:
        if isinstance(value, Mapping):
            return {str(name): told(part) for name, part in value.items()}
        if isinstance(value, list | tuple):
            return [told(part) for part in value]
        return None if isinstance(value, float) and not isfinite(value) else value

    whole = [
        told({**_certain(record, report), "provenance": source})
        for record in _several(report.records)
    ]
    content = whole[0] if isinstance(report.records, Mapping) else whole
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)


def csv_text(records: Sequence[Record], source: str, head: Sequence[str] = ()) -> str:
    """Records as comma-separated values: the provenance behind a ``#``, the head, a row each.

    Arguments:
        records: one a row.
        source: their provenance.
        head: columns that are there without a record too.

    A nested value has a column for each of its parts, named by both; a list is one field, its
    entries parted by spaces; ``None``, and what a record lacks, is an empty field.

    >>> print(csv_text([{"name": "x", "times": {"0.5": 2.0}, "exact": True}], "made so"))
    # made so
    name,times_0.5,exact
    x,2.0,true
    """
    rows = [dict(_columns(record)) for record in records]
    stream = io.StringIO(f"# {source}\n")
    stream.seek(0, io.SEEK_END)
    names = dict.fromkeys([*head, *(name for row in rows for name in row)])
    writer = csv.DictWriter(stream, list(names), restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue().rstrip("\n")


def _columns(record: Record, prefix: str = "") -> Iterator[tuple[str, object]]:
    for name, value in record.items():
        if isinstance(value, Mapping):
            yield from _columns(value, f"{prefix}{name}_")
        elif isinstance(value, list | tuple):
            yield f"{prefix}{name}", " ".join(str(_field(part)) for part in value)
        else:
            yield f"{prefix}{name}", _field(value)


def _field(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value


def spread(record: Record, *names: str) -> Iterator[Record]:
    """A record once for each place in its lists of these names, which are as long as each other.

    >>> list(spread({"name": "x", "mu": [0.1, 0.2], "tau": [5, 6]}, "mu", "tau"))
    [{'name': 'x', 'mu': 0.1, 'tau': 5}, {'name': 'x', 'mu': 0.2, 'tau': 6}]
    """
    common = {name: value for name, value in record.items() if name not in names}
    lists: Iterator[Any] = (record[name] for name in names)
    for entries in zip(*lists, strict=True):
        yield {**common, **dict(zip(names, entries, strict=True))}
