"""The ledger on a page: every word is found as typed, and entries by place or name."""

import re
from html import unescape

import pytest

from derive.errors import InputError
from numerics.claims import CLAIMS
from numerics.reproduce.ledger import asked_for, entry


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
