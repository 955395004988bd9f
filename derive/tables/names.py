"""How functions, pairs and units are named in tables and figures."""

import re
from typing import TYPE_CHECKING

from derive.command.tabular import Typeset, typeset

if TYPE_CHECKING:
    from derive.pair import Pair


def function_name(text: str) -> Typeset:
    """A function's text: a pure Hermite polynomial as mathematics, others as code."""
    pure = re.fullmatch(r"He(\d+)", text)
    written = rf"$\mathrm{{He}}_{{{pure[1]}}}$" if pure else rf"\texttt{{{typeset(text)}}}"
    return Typeset(text, written)


def pair_name(pair: "Pair") -> Typeset:
    """The student alone for a matched pair, or teacher and student."""
    teacher, student = (function_name(f.text) for f in (pair.teacher, pair.student))
    if teacher == student:
        return student
    return Typeset(f"{teacher.plain} -> {student.plain}", rf"{teacher.latex} $\to$ {student.latex}")


def labelled_name(pair: "Pair") -> Typeset:
    """The pair's name, with its labels if they are not the teacher's output."""
    name, labels = pair_name(pair), pair.labels.text
    if labels == "matched":
        return name
    return Typeset(f"{name.plain}, {labels} labels", f"{name.latex}, {typeset(labels)} labels")


def in_units(normalization: str) -> Typeset:
    """What ``a`` and ``b`` are divided by."""
    if normalization == "n*n!":
        return Typeset("a and b divided by n*n!", "$a$ and $b$ divided by $n\\,n!$")
    return Typeset("raw a and b", "raw $a$ and $b$")
