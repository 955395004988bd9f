"""What an extra lacks is told in one line, with what helps."""

import pytest

from derive.command.extras import missing
from derive.command.frames import frame
from derive.errors import InputError


def test_what_is_absent_is_named_and_nothing_else():
    told = missing("counting", "numbers", ["math", "no_such_module", "json", "nor_this"])
    assert told.startswith("counting needs no_such_module, nor_this: ")
    assert "'.[numbers]'" in told
    assert missing("counting", "numbers", ["math", "json"]) == ""


def test_a_data_frame_needs_pandas(monkeypatch):
    monkeypatch.setattr("derive.command.extras.find_spec", lambda name: None)
    with pytest.raises(InputError, match="pip install pandas"):
        frame({"x": [1]})
