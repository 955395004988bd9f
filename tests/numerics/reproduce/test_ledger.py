"""The ledger on a page: what it shows, what is found as typed, entries by place or name."""

import json
import re
import shutil
from html import unescape
from pathlib import Path

import pytest

from derive.errors import InputError
from numerics.claims import CLAIMS
from numerics.reproduce.ledger import asked_for, entry
from numerics.reproduce.make import Outcome, make
from numerics.reproduce.page import page
from numerics.reproduce.steps import Product

SOURCE = "versions"


def test_every_word_of_an_entry_is_searched_for_as_typed():
    claim = {"claim": "a-name", "verdict": "met", "recorded": "met", "place": "Fig. 1"}
    words = ("statement", "evidence", "reading", "falsifier", "units")
    claim |= {"quote": None, "settled by": None} | {name: f"{name}, μ² < λ₊" for name in words}
    step = {"step": "a step to dτ/dμ", "holds": None, "latex": "1"}
    told = unescape(re.search('data-typed="([^"]*)"', entry({**claim, "details": [step]}))[1])
    assert [text for text in (*map(claim.get, words), step["step"]) if text not in told] == []


def test_entries_are_asked_for_by_place_or_by_name():
    names = ["relu-dip", "mechanics-open"]
    assert [each.name for each in asked_for(" ".join(names), CLAIMS)] == [
        name for name in CLAIMS if name in names
    ]
    assert {each.place for each in asked_for("Fig. 1", CLAIMS)}.isdisjoint({"Fig. 13", "Fig. 14"})
    for text in ("relu-dip mechanics-opn", "relu-dip Fig. 1"):
        with pytest.raises(InputError, match="no entry of the ledger is named"):
            asked_for(text, CLAIMS)
    with pytest.raises(InputError, match="no entry of the ledger is on 'Fig"):
        asked_for("Fig. 99", CLAIMS)
    with pytest.raises(InputError, match="nothing was given"):
        asked_for(" ", CLAIMS)


@pytest.fixture(scope="module")
def ledger(tmp_path_factory) -> tuple[Outcome, Path]:
    """A ledger of two entries that is made, and its folder."""
    folder = tmp_path_factory.mktemp("ledger")
    (folder / "steps").mkdir()
    options = "--claim relu-dip --claim mechanics-open"
    line = f"numerics.claims {options} --details --format json --output @/claims.json"
    step = Product("claims", "Claims", "ledger", (line,), ("claims.json",))
    return make(step, folder, SOURCE), folder


def test_the_ledger_is_worded_coloured_and_shows_its_steps(ledger, tmp_path):
    outcome, made = ledger
    folder, step = Path(shutil.copytree(made, tmp_path / "copy")), outcome.step
    html = page([outcome], folder, SOURCE)
    assert '<span class="verdict refuted">refuted</span>' in html
    assert "<mfrac>" in html
    records = json.loads((folder / "claims.json").read_text())
    assert f"{len(records[0]['details'])} steps of relu-dip" in html
    assert '<a href="#claim-refuted">1 refuted</a>' in html
    records[0]["verdict"] = "proved"
    (folder / "claims.json").write_text(json.dumps(records))
    assert "recorded as refuted" in page([Outcome(step, "failed", 0, "x")], folder, SOURCE)


_SHOWN = """return [...document.querySelectorAll('article.entry')]
    .filter(e => e.offsetParent).map(e => e.id)"""


def test_the_ledger_is_filtered_by_words_and_verdicts(browser, ledger, tmp_path):
    outcome, folder = ledger
    file = tmp_path / "index.html"
    file.write_text(page([outcome], folder, SOURCE), encoding="utf-8")
    browser.get(f"{file.as_uri()}#entry-relu-dip")
    assert set(browser.execute_script(_SHOWN)) == {"entry-relu-dip", "entry-mechanics-open"}
    assert browser.execute_script("return document.querySelector('details[open]').innerText")
    browser.find_element("css selector", "[type=search]").send_keys("DECREASES slightly")
    assert browser.execute_script(_SHOWN) == ["entry-relu-dip"]
    for typed in ("dτ/dμ of ReLU, which", "τ = 1/λ₊ falls"):  # a step, a reading
        browser.find_element("css selector", "[type=search]").clear()
        browser.find_element("css selector", "[type=search]").send_keys(typed)
        assert browser.execute_script(_SHOWN) == ["entry-relu-dip"]
    browser.find_element("css selector", "[type=search]").clear()
    browser.find_element("css selector", "[type=search]").send_keys("DECREASES slightly")
    browser.execute_script("document.querySelector('[value=refuted]').click()")
    assert browser.execute_script(_SHOWN) == []
    assert "0 of 2 entries" in browser.find_element("css selector", "output").text
