"""How functions, pairs and units are named in tables and figures."""

import re
from typing import TYPE_CHECKING

from derive.command.tabular import Typeset, typeset

if TYPE_CHECKING:
    from derive.pair import Pair


# Where a name is written otherwise than it is typed.
_WRITTEN = {
    "x": "$x$", "identity": "$x$", "abs": "$|x|$", "phi": r"$\Phi$", "atan": "arctan",
    "relu": "ReLU", "leaky_relu": "leaky ReLU", "squared_relu": "squared ReLU", "relu6": "ReLU6",
    "prelu": "PReLU", "elu": "ELU", "selu": "SELU", "celu": "CELU", "gelu": "GELU",
    "gelu_tanh": "GELU (tanh)", "silu": "SiLU", "swish": "Swish", "mish": "Mish",
    "huber": "Huber", "gauss": "Gaussian",
}  # fmt: skip
_TEX = ("sin", "cos", "tan", "sinh", "cosh", "tanh", "exp", "log")  # operators of TeX by that name


def function_name(text: str) -> Typeset:
    """A function's text: He_n as mathematics, a function with a name by it, others as code."""
    if pure := re.fullmatch(r"He(\d+)", text):
        return Typeset(text, rf"$\mathrm{{He}}_{{{pure[1]}}}$")
    if re.fullmatch(r"[a-z][a-z0-9_]*", text):
        return Typeset(text, _WRITTEN.get(text, typeset(text.replace("_", " "))))
    return Typeset(text, rf"\texttt{{{typeset(text)}}}")


def in_mathematics(text: str) -> str:
    r"""A function's text as mathematics, without dollars.

    >>> in_mathematics("relu(x - 1)"), in_mathematics("x**2 + He3")
    ('\\mathrm{ReLU}(x - 1)', 'x^{2} + \\mathrm{He}_{3}')
    """
    if text in _WRITTEN:
        return _upright(_WRITTEN[text])
    shown = re.sub(r"[A-Za-z_][A-Za-z_0-9]*", _word, text)
    shown = re.sub(r"(\*\*|\^)\s*(\d+)", r"^{\2}", shown)
    return re.sub(r"\s*\*\s*", r"\\,", shown)


def _word(found: re.Match[str]) -> str:
    name = found[0]
    if degree := re.fullmatch(r"He(\d+)", name):
        return rf"\mathrm{{He}}_{{{degree[1]}}}"
    if name in _TEX:
        return rf"\{name}"
    if len(name) == 1:
        return name
    return _upright(name if name == "abs" else _WRITTEN.get(name, name.replace("_", " ")))


def _upright(written: str) -> str:
    if "$" in written:
        return written.replace("$", "")
    return rf"\mathrm{{{written.replace(' ', chr(92) + ' ')}}}"


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
