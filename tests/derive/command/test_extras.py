"""What an extra lacks is told in one line, with what helps."""

from derive.command.extras import missing


def test_what_is_absent_is_named_and_nothing_else():
    told = missing("counting", "numbers", ["math", "no_such_module", "json", "nor_this"])
    assert told.startswith("counting needs no_such_module, nor_this: ")
    assert "'.[numbers]'" in told
    assert missing("counting", "numbers", ["math", "json"]) == ""
