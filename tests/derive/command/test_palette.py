"""The palette: the style sheets, which cannot import it, have its colours."""

import re
from pathlib import Path

import pytest

from derive.command.hypertext import BADGES
from derive.command.palette import OKABE_ITO

NUMERICS = Path(__file__).resolve().parents[3] / "numerics"
SHEETS = ("explorer/style.css", "reproduce/ledger.css", "reported/page.html.jinja")
WORDS = {"supported": "simulated"}  # the ledger's for the badge's


def _sheet(name):
    return (NUMERICS / name).read_text("utf-8")


@pytest.mark.parametrize("sheet", SHEETS)
def test_a_named_colour_is_that_of_the_palette(sheet):
    """Where it is dark, blue is the lighter of both."""
    named = re.findall(r"--(blue|orange|vermilion|green|purple): (#\w+)", _sheet(sheet))
    assert len(named) == (6 if sheet.startswith("explorer") else 0)
    for name, colour in named:
        accepted = {OKABE_ITO[name.replace("ilion", "illion")]} | (
            {OKABE_ITO["sky"]} if name == "blue" else set()
        )
        assert colour.upper() in accepted


def test_the_ledger_has_the_colours_of_badges():
    borders = re.findall(r"\.([a-z-]+)(?:, \.[a-z-]+)* \{ border-color: (#\w+)", _sheet(SHEETS[1]))
    found = {word: colour.lower() for word, colour in borders}
    shared = [word for word in found if WORDS.get(word, word) in BADGES]
    assert len(shared) == 5
    for word in shared:
        assert found[word] == BADGES[WORDS.get(word, word)].lower()
