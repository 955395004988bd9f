"""Pages that need nothing else: formulas as MathML, images inside, templates that escape.

Apart from ``derive.command.hypertext``, for it takes what only the extra ``reproduce`` installs.
"""

import base64
import html
import re
from functools import partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from math_core import LatexError, LatexToMathML

from derive.command.tabular import without_latex

_CONVERTER = LatexToMathML(fancy_error=False)  # refuses what it does not know
_TALL = r"\\(?:left|right|middle|[dt]?frac|sqrt|sum|int|prod|begin|[dt]?binom)\b"
_STRETCHED = re.compile(rf"(?:\\!)?\\left([(\[])((?:(?!{_TALL}).)*)\\right([)\]])", re.DOTALL)
_FORMULA = r"<math>(?:(?!</math>).)*</math>"  # not a displayed one
_SPREAD = re.compile(r"[-+\d.,]+ <math><mo[^>]*>±</mo></math> [\d.,]+(?:e-?\d+)?")
_WORD = re.compile(rf"(?<![^\s<>])(?:[^\s<>]*{_FORMULA})+[^\s<>]*", re.DOTALL)
_ENLARGED = 17, 10  # pixels for points: print has 4 for 3
_IMAGES = {".svg": "image/svg+xml", ".png": "image/png"}


def environment(folder: Path) -> Environment:
    """Templates of a folder.

    Text with formulas between dollars goes through ``mathematics``, or ``displayed`` if they are to
    be as large as in a line of their own; commands through ``typed``.
    """
    made = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["mathematics"] = mathematics
    made.filters["typed"] = typed
    made.filters["displayed"] = partial(mathematics, displayed=True)
    return made


def converted(formula: str, display: bool = False) -> str:
    r"""A formula as MathML, in a line of its own if ``display``.

    Brackets around what is not tall are those of the line: a browser leaves room beside brackets
    that stretch. Raises ``LatexError`` for a command that is not known.

    >>> converted(r"\left(x\right)") == converted("(x)")
    True
    """
    low = formula
    while (lower := _STRETCHED.sub(r"\1\2\3", low)) != low:
        low = lower
    shown: str = _CONVERTER.convert_with_local_state(low, displaystyle=display)
    return shown


def mathml(formula: str, displayed: bool = False) -> str:
    """A formula as MathML, or as it is written if the converter does not know a command in it.

    If ``displayed``, with fractions as large as in a line of their own.
    """
    try:
        return converted(rf"\displaystyle {formula}" if displayed else formula)
    except LatexError:
        return f"<code>{html.escape(formula)}</code>"


def mathematics(text: str, displayed: bool = False) -> Markup:
    """LaTeX text with formulas between dollars as HTML.

    >>> str(mathematics(r"50\\% of < $x$"))[:11]
    '50% of &lt;'
    """
    pieces = text.split("$")
    pieces[::2] = [html.escape(without_latex(piece)) for piece in pieces[::2]]
    pieces[1::2] = [mathml(piece, displayed) for piece in pieces[1::2]]
    return Markup(kept_together("".join(pieces)))


def typed(command: str) -> Markup:
    """A command as HTML whose lines do not break within an option.

    >>> str(typed("python -m numerics.claims --list"))
    'python -m numerics.claims <span class="kept">--list</span>'
    """
    kept = r'<span class="kept">\g<0></span>'
    return Markup(re.sub(r"(?<!\S)--[\w-]+", kept, html.escape(command)))


def kept_together(page: str) -> str:
    """HTML whose lines do not break between a formula and what touches it, such as a comma, nor
    around a ± between numbers.

    To a browser a formula is a box, beside which a line may end; a style sheet gives the class
    ``kept`` its look.

    >>> kept_together("of (<math>…</math>), and")
    'of <span class="kept">(<math>…</math>),</span> and'
    """
    return _WORD.sub(_kept, _SPREAD.sub(r'<span class="kept">\g<0></span>', page))


def _kept(found: re.Match[str]) -> str:
    word = found[0]
    alone = word.startswith("<math>") and word.find("</math>") == len(word) - len("</math>")
    return word if alone else f'<span class="kept">{word}</span>'


def image(content: bytes, suffix: str) -> dict[str, Any]:
    """An image as an address that holds it, and the width in pixels that makes it readable."""
    points = re.search(rb'<svg[^>]* width="([0-9.]+)pt"', content[:4000])
    address = f"data:{_IMAGES[suffix]};base64,{base64.b64encode(content).decode('ascii')}"
    pixels, per_points = _ENLARGED
    width = round(float(points[1]) * pixels / per_points) if points else None
    return {"address": address, "width": width}
