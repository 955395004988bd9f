"""The documentation: what its pages show is made by the code, and nothing public is left out."""

import doctest
import importlib
import re
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.otlLib.builder import buildMathTable
from fontTools.pens.ttGlyphPen import TTGlyphPen
from thorough import only

from derive.catalogue import CATALOGUE
from derive.command.tabular import Table
from numerics.claims import CLAIMS
from numerics.claims.ledger import VERDICTS
from numerics.figures.quantities import QUANTITIES

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = {str(path.relative_to(DOCS)): path.read_text("utf-8") for path in DOCS.rglob("*.md")}

sys.path.insert(0, str(DOCS))
from extensions.breaks import breakable, numbers_parted  # noqa: E402
from extensions.font import narrow_roots, root_glyphs  # noqa: E402
from extensions.formulas import FORMULAS  # noqa: E402
from extensions.formulas.registry import checked  # noqa: E402
from extensions.names import PACKAGES, public_names  # noqa: E402
from extensions.offline import remote_resources  # noqa: E402

COMMANDS = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__main__")
    for package in PACKAGES
    for path in (ROOT / package).rglob("*.py")
    if 'if __name__ == "__main__"' in path.read_text("utf-8")
)


@pytest.mark.parametrize("page", [page for page, text in PAGES.items() if ">>>" in text])
def test_examples_on_pages_run(page):
    found = doctest.testfile(str(DOCS / page), module_relative=False)
    assert found.attempted > 0
    assert found.failed == 0


EXTENSIONS = [
    ".".join(path.relative_to(DOCS).with_suffix("").parts)
    for path in (DOCS / "extensions").rglob("*.py")
    if ">>>" in path.read_text("utf-8")
]


@pytest.mark.parametrize("module", EXTENSIONS)
def test_examples_of_extensions_run(module):
    assert doctest.testmod(importlib.import_module(module)).failed == 0


def test_output_of_commands_is_never_typed():
    typed = [page for page, text in PAGES.items() if re.search(r"^\$ ", text, re.MULTILINE)]
    assert typed == []


def test_the_readme_counts_the_verdicts_of_the_ledger():
    """Kind by kind, and every verdict that was given."""
    told = " ".join((ROOT / "README.md").read_text("utf-8").split())
    for kind, verdicts in VERDICTS.items():
        counts = Counter(entry.recorded for entry in CLAIMS.values() if entry.kind == kind)
        listed = ", ".join(f"{counts[each]} {each}" for each in verdicts if counts[each])
        assert f"{counts.total()} {_MANY[kind]} ({listed})" in told


_MANY = {
    "claim": "claims of the paper",
    "assumption": "of its assumptions",
    "stored curve": "curves that the authors' code stores",
    "beyond the paper": "findings beyond the paper",
}


def test_the_pages_use_every_formula_and_no_other():
    text = PAGES["theory.md"] + PAGES["paper.md"]
    blocks = re.findall(r"^```\{derived\} (\S+)$", text, re.MULTILINE)
    inline = re.findall(r"\{derived\}`([^`]+)`", text)
    assert len(blocks) == len(set(blocks))
    assert set(blocks) | set(inline) == set(FORMULAS)


SECONDS = {"squared-labels-by-jacobi"}


@pytest.mark.parametrize("name", only(FORMULAS.keys() - SECONDS, FORMULAS))
def test_formula_is_derived(name):
    """As every build of the pages derives it."""
    built = FORMULAS[name]()
    if isinstance(built, Table):
        assert built.rows
        assert {len(row) for row in built.rows} == {len(built.columns)}
    else:
        assert built
        assert built.count("{") == built.count("}")


def test_a_statement_that_does_not_hold_is_not_shown():
    with pytest.raises(ArithmeticError, match="a = b does not hold"):
        checked(False, "a = b")


@pytest.mark.parametrize("package", PACKAGES)
def test_the_reference_is_the_public_list(package):
    listed = [name for names in public_names(package).values() for name in names]
    assert sorted(listed) == sorted(importlib.import_module(package).__all__)
    page = (DOCS / f"reference/{package}.rst").read_text("utf-8")
    assert f"   {package}.*\n" in page  # a page a module
    used = re.findall(rf":py:obj:`{package}\.(\w+)`", page)
    assert len(used) > 10
    assert set(used) <= set(listed)


def test_every_command_is_in_the_reference():
    shown = re.findall(r"\{command-output\} python -m (\S+) --help", PAGES["reference/commands.md"])
    assert sorted(shown) == COMMANDS


def _lines_with_commands():
    readme = {"README": (ROOT / "README.md").read_text("utf-8")}
    for page, text in (PAGES | readme).items():
        for module, options in re.findall(r"python -m ([\w.]+)([^\n`]*)", text):
            yield pytest.param(module, options, id=f"{page}: {module}{options[:40]}")


@pytest.mark.parametrize(("module", "options"), [*_lines_with_commands()])
def test_commands_on_pages_have_the_options_they_are_given(module, options, capsys):
    assert module in COMMANDS
    try:
        main = importlib.import_module(module).main
    except AttributeError:
        main = importlib.import_module(f"{module}.__main__").main
    verb = (
        re.findall(r"^ (check|choose|diagnose|run|status|report|export)\b", options)
        if module == "transfer"
        else []
    )
    with suppress(SystemExit):
        main([*verb, "--help"])
    known = re.findall(r"--[a-z-]+", capsys.readouterr().out)
    assert set(re.findall(r"--[a-z-]+", options)) <= {*known, "--help"}


def test_the_gallery_shows_every_quantity():
    shown = re.findall(r"python -m numerics.escape .*--plot", PAGES["gallery.md"])
    drawn = {(re.findall(r"--quantity (\S+)", line) or ["tau"])[0] for line in shown}
    assert drawn == {*QUANTITIES, "potential"}


def test_the_catalogue_is_listed():
    missing = [name for name in CATALOGUE if f"`{name}`" not in PAGES["howto/activation.md"]]
    assert missing == ["identity"]  # which is written x


FOLDERS = sorted(
    str(path.parent.relative_to(ROOT))
    for package in PACKAGES
    for path in (ROOT / package).rglob("__init__.py")
)


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_map_knows_every_file(folder):
    part = PAGES["map.md"].split(f"### `{folder}`: ")[1].split("##")[0]
    inside = {path.name for path in (ROOT / folder).glob("*.py")}
    assert set(re.findall(r"`(\w+\.py)`", part)) == inside - {"__init__.py"}


def test_the_map_knows_no_folder_that_is_not_there():
    assert sorted(re.findall(r"^### `(\S+)`", PAGES["map.md"], re.MULTILINE)) == FOLDERS


def test_the_moving_picture_counts_its_runs_and_says_what_draws_it():
    drawn = (DOCS / "figures" / "basins.svg").read_text("utf-8")
    assert "<desc>python docs/figures/basins.py | lora-escape" in drawn
    ends = Counter(re.findall(r'r="4" fill="(#\w+)"', drawn))
    told = re.findall(r"(\d+) (teacher|null student|still searching)", drawn.split("</title>")[0])
    names = {"#0072B2": "teacher", "#D55E00": "null student", "#808080": "still searching"}
    assert {names[colour]: count for colour, count in ends.items()} == {
        name: int(count) for count, name in told
    }
    assert len(drawn) < 100_000
    assert not re.search(r"<script|href=", drawn)


@pytest.mark.parametrize("page", [*PAGES, "README.md", "CHANGELOG.md"])
def test_no_index_or_power_in_prose_is_typed(page):
    """Captions of drawn figures are prose too; code, formulas and links are none."""
    text = PAGES.get(page) or (ROOT / page).read_text("utf-8")
    prose = re.sub(r"^```\{drawn\}[^\n]*([^`]*)^```$", r"\1", text, flags=re.MULTILINE)
    prose = re.sub(r"^(`{3,}|:{3,}).*?^\1$", "", prose, flags=re.DOTALL | re.MULTILINE)
    prose = re.sub(r"(`+)[^`].*?\1|\$\$.*?\$\$|\$[^$]*\$|\]\([^)]*\)", "", prose, flags=re.DOTALL)
    assert re.findall(r"\S*(?:\b\w{1,2}_|[\w)]\^)\S*", prose) == []


def _with_roots(widths):
    """A font with a root of each width: its sign, taller ones, and a part of the tallest."""
    names = [f"root.{place}" for place in range(len(widths))]
    made = FontBuilder(1000)
    made.setupGlyphOrder([".notdef", *names])
    made.setupCharacterMap({ord("√"): names[0]})
    glyphs = {".notdef": TTGlyphPen(None).glyph()}
    for place, (name, width) in enumerate(zip(names, widths, strict=True)):
        pen = TTGlyphPen(None)
        pen.moveTo((0, 0))
        pen.lineTo((width, 0))
        pen.lineTo((width, 1000 * (place + 1)))
        pen.closePath()
        glyphs[name] = pen.glyph()
    made.setupGlyf(glyphs)
    made.setupHorizontalMetrics(
        {".notdef": (500, 0)}
        | {name: (width, 0) for name, width in zip(names, widths, strict=True)}
    )
    *whole, part = names
    buildMathTable(
        made.font,
        minConnectorOverlap=10,
        vertGlyphVariants={names[0]: [(name, 1000) for name in whole]},
        vertGlyphAssembly={names[0]: [[(part, 0, 0, 0, 1000)], 0]},
    )
    return made.font


def test_a_root_is_as_wide_whatever_its_height():
    """Chromium leaves room behind each for the widest."""
    font = _with_roots([600, 800, 1000, 900])
    narrow_roots(font)
    names = root_glyphs(font)
    assert names == [f"root.{place}" for place in range(4)]
    assert {font["hmtx"][name][0] for name in names} == {600}
    assert {font["glyf"][name].xMax for name in names} == {600}
    assert [font["glyf"][name].yMax for name in names] == [1000, 2000, 3000, 4000]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("9.8 ± 1.2 (0.3)", ["9.8 ± 1.2", "(0.3)"]),
        ("+4.6 [-0.2, +8.9] of 95 %", ["+4.6", "[-0.2, +8.9]", "of", "95 %"]),
        ("see [1, a note]", ["see", "[1,", "a", "note]"]),
        ("at 5e-4", ["at", "5e-4"]),
        ("in [1e-3, 2e-3].", ["in", "[1e-3, 2e-3]", "."]),
        ("([1, 2] %) or 1e-3 ± 2e-4 %", ["(", "[1, 2] %", ")", "or", "1e-3 ± 2e-4 %"]),
    ],
)
def test_numbers_keep_to_what_belongs_to_them(text, lines):
    """And stay as they are, to be copied."""
    pieces = numbers_parted(text)
    assert "".join(pieces) == text
    assert [
        line
        for place, piece in enumerate(pieces)
        for line in ([piece] if place % 2 else piece.split())
    ] == lines


def test_names_of_modules_break_at_their_dots_and_underscores():
    assert breakable("numerics.front_door").split("<wbr>") == ["numerics.", "front_", "door"]
    assert breakable("A release of 0.1") == "A release of 0.1"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('<script src="https://example.org/x.js"></script>', ["https://example.org/x.js"]),
        ('<link rel="stylesheet" href="//example.org/x.css">', ["//example.org/x.css"]),
        ("@import 'http://example.org/x.css';", ["http://example.org/x.css"]),
        ("a { background: url(https://example.org/x.png) }", ["https://example.org/x.png"]),
        ('<img src="x.svg"><script src="_static/x.js"></script>', []),
        ('<a href="https://example.org/">a link</a>', []),
    ],
)
def test_remote_resources_are_seen(text, found):
    assert remote_resources(text) == found
