"""Text with mathematics in Unicode as LaTeX: titles and notes, and entries of the ledger.

Entries are ours: indices, powers, roots and slopes become formulas, as ``He_3``, ``(1-μ)^-2``,
``c_(n-2j)``, ``√(1+μ²)`` and ``dS/dQ``, and so does a letter that stands alone: a product is
``u m``, for ``um`` is a word. Titles and notes hold what people typed: there each sign stands by
itself.
"""

import re

from derive.command.tabular import Typeset, typeset

_MATHEMATICS = {
    "μ": r"\mu", "τ": r"\tau", "λ": r"\lambda", "σ": r"\sigma", "ρ": r"\rho", "ξ": r"\xi",
    "γ": r"\gamma", "φ": r"\varphi", "κ": r"\kappa", "ν": r"\nu", "ω": r"\omega", "π": r"\pi",
    "θ̇": r"\dot\theta",  # before the letter alone
    "θ": r"\theta", "ℓ": r"\ell", "∂": r"\partial", "→": r"\to", "½": r"\tfrac12", "Σ": r"\sum",
    "√": r"\surd", "⋆": r"^\star",
    "ġ": r"\dot g", "g̈": r"\ddot g", "u̇": r"\dot u", "ṁ": r"\dot m", "≥": r"\ge", "≤": r"\le",
    "≠": r"\ne", "∞": r"\infty", "≈": r"\approx", "±": r"\pm", "·": r"\cdot", "ψ": r"\psi",
    "β": r"\beta", "ε": r"\epsilon", "∇": r"\nabla",
    "⊗": r"\otimes", "δ": r"\delta", "Q̇": r"\dot Q",
    "˙": r"^\cdot", "α": r"\alpha", "ς": r"\varsigma", "U̇": r"\dot U", "ŷ": r"\hat y",
    "~": r"\sim",
}  # fmt: skip
_RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ʲ", "0123456789+-j", strict=True))
_LOWERED = dict(zip("₀₁₂₊₋", "012+-", strict=True))
_SIGNS = {"…": r"\dots{}", "–": "--", "—": "---", "’": "'", "“": "``", "”": "''"}
_SIGNS |= {sign: f"${sign}$" for sign in ("|m|", *"<>|")}  # others in TeX's fonts for text
_OTHER_SIGNS = re.compile("|".join(map(re.escape, _SIGNS)))

_GROUP = r"\([^()]*\)"
for _ in range(3):  # one within another
    _GROUP = rf"\((?:[^()]|{_GROUP})*\)"
_HIGH, _LOW = f"[{''.join(_RAISED)}]+", f"[{''.join(_LOWERED)}]+"
_LETTER = rf"(?:(?!{_HIGH})[^\W\d_]|∂)"
_PRIMES = "(?:'(?!s))*"
_MARKS = f"[{''.join(_RAISED)}⋆!]*{_PRIMES}"
_SCRIPT = rf"(?:_(?![A-Za-z]{{3}})|\^)(?:{_GROUP}|±|-?(?:{_LETTER}|[0-9])+)"
_ROOT = rf"√(?:{_GROUP}|[0-9]+|{_LETTER}!?)"
_SLOPE = rf"\bd(?:{_HIGH})?(?:{_LETTER}(?:{_SCRIPT})?)?/d{_LETTER}(?:{_HIGH}|\b)|\bdt\b"
_POWER = rf"(?:{_GROUP}|\)|\|[^|()]+\||{_LETTER}+|[0-9]+){_MARKS}(?:{_SCRIPT}{_MARKS})+"
_SIGN = "|".join(map(re.escape, _MATHEMATICS))
_ONE = rf"{_LETTER}(?![A-Za-z])"
_MINUS = (
    r"(?<= )-(?= )|(?<=[0-9][A-Za-z])-(?=[0-9])"
    rf"|(?<=[0-9)²!])-(?!\([0-9]+\))(?=[0-9(√]|{_ONE})|(?<=\b{_LETTER})-(?=[0-9])"
    rf"|(?<=\({_LETTER})-(?={_ONE})|(?<![\w)])-(?=[0-9√(∂]|{_ONE}|(?:sign|log|tanh|cos|sin|exp)\b)"
    r"|(?<=_\w)-(?=[0-9])|(?<=_\w\w)-(?=[0-9])"
)
# No variable: the article, the letter of an appendix, of a part of a section or figure, of an
# abbreviation or of an entry's name.
_ARTICLE = (
    r"(?<!/)a\b(?<!zero of a)(?<!zeros of a)"
    r"(?! ?[=<>≤≥≠→~(/'|,;:\]]| [-+·]| [muU](?![A-Za-z])"
    r"| (?:of|and|or|is|has|at|as|for|in|with|there|does)\b"
    r"| (?:vanishes|tends|falls|grows|keeps|turns|rises|stays)\b"
    r"|$)"
    r"|(?<![B+] )(?<!\|)A\b(?! ?[=|,:/⋆]| [-+]| and\b)|I\b(?!\))"
)
_PARTS = r"Sec\. \d", r"Sec\. \d\.\d", r"Fig\. \d", r"Assumption \d"
_PART = "".join(rf"(?<!{of} \()" for of in _PARTS)
_VARIABLE = (
    rf"(?<![A-Za-z0-9_.’'])(?<![a-z]{{2}}-)(?<!App\. ){_PART}(?:[0-9]+(?![De])|(?!{_ARTICLE}))"
    rf"[A-Za-z](?![A-Za-z0-9_]|\.\w|-\w+-){_PRIMES}"
)
_IN_TEXT = re.compile(
    rf"{_ROOT}|{_SLOPE}|{_GROUP}{_HIGH}(?![_^])|{_POWER}|[0-9]+{_HIGH}"
    f"|(?:{_SIGN}|{_HIGH}|{_LOW}){_PRIMES}|{_MINUS}|{_VARIABLE}"
)
_SIGNS_ALONE = re.compile(f"{_SIGN}|{_HIGH}|{_LOW}")
# As students are named and SymPy writes: He3, 2*x**3.
_TYPED = {r"\bHe(?=[0-9])": "He_", r"\*\*": "^", r"(?<=[\w)])\*(?=[\w(])": " "}
_NAMES = {"He": r"\mathrm{He}"} | {name: rf"\{name}" for name in ("cos", "sin", "exp", "log")}
_IN_FORMULA = re.compile(f"{_ROOT}|{_SCRIPT}|{_HIGH}|{_LOW}|{_SIGN}|{'|'.join(_NAMES)}")


def with_formulas(text: str) -> str:
    r"""Text with mathematics in Unicode, its mathematics between dollars.

    >>> print(with_formulas("the power of He_3 grows as (1-μ)^-2, in 90% of runs"))
    the power of $\mathrm{He}_{3}$ grows as $(1-\mu)^{-2}$, in 90% of runs
    """
    pieces = text.split("$")  # between them there may be LaTeX already
    for place in range(0, len(pieces), 2):
        written = pieces[place]
        for typed, instead in _TYPED.items():
            written = re.sub(typed, instead, written)
        pieces[place] = _IN_TEXT.sub(lambda found: f"${_formula(found[0])}$", written)
    return _joined("$".join(pieces))


def prose(text: str) -> Typeset:
    r"""A title or a note on paper: of what is mathematics only signs are, for names are in it too.

    >>> print(prose("my_task: |m| < 0.5, τ log d").latex)
    my\_task: $|m|$ $<$ 0.5, $\tau$ log d
    """
    return Typeset(text, _joined(_signs(_words(text))))


def formulated(text: str) -> Typeset:
    r"""Text of an entry on paper, with its formulas.

    >>> print(formulated("in 90% of runs of He_3").latex)
    in 90\% of runs of $\mathrm{He}_{3}$
    """
    pieces = with_formulas(text).split("$")
    pieces[::2] = [_words(piece) for piece in pieces[::2]]
    return Typeset(text, _joined("$".join(pieces)))


def _signs(written: str) -> str:
    return _SIGNS_ALONE.sub(lambda found: f"${_formula(found[0])}$", written)


def _words(text: str) -> str:
    return _OTHER_SIGNS.sub(lambda found: _SIGNS[found[0]], typeset(text))


def _joined(text: str) -> str:
    """Formulas that touch are one."""
    touching = re.sub(r"(\\[A-Za-z]+)\$\$(?=[A-Za-z])", r"\1 ", text)
    return re.sub(r"(?<!\\)\$\$", "", touching)


def _formula(text: str) -> str:
    """What stands between the dollars of a formula."""
    pieces, done = [], 0
    for found in _IN_FORMULA.finditer(text):
        pieces += [text[done : found.start()], _piece(found[0])]
        done = found.end()
    return _joined("$$".join(piece for piece in [*pieces, text[done:]] if piece))


def _piece(text: str) -> str:
    if whole := _MATHEMATICS.get(text) or _NAMES.get(text):
        return whole
    for sign, levels in (("^", _RAISED), ("_", _LOWERED)):
        if text[0] in levels:
            return f"{sign}{{{''.join(levels[each] for each in text)}}}"
    sign, to = text[0], text[1:]
    inside = _formula(to[1:-1] if to.startswith("(") else to)
    return rf"\sqrt{{{inside}}}" if sign == "√" else f"{sign}{{{inside}}}"
