"""Options that several commands share: one name means one thing."""

from argparse import ArgumentParser

import pytest

from numerics.__main__ import main as numerics
from numerics.options.shared import SHARED, add_options, add_shared, option
from transfer.__main__ import main as transfer

_PARSERS = {
    f"{group.called} {name}": group.member(name).parser()
    for group in (numerics, transfer)
    for name in group.members
}
# One name, another meaning: the dimension of one table, steps side by side, a size of models,
# one state alone, one seed of a choice.
_OTHERS = {"dimension": ("escape", "labels", "report"), "workers": ("reproduce",),
           "scale": ("transfer",), "start": ("flow", "fate"),
           "seed": ("transfer", "report")}  # fmt: skip


@pytest.mark.parametrize("name", SHARED)
def test_a_shared_option_is_had_by_several_and_takes_the_same_in_each(name):
    actions = [
        action
        for command, parser in _PARSERS.items()
        if not any(other in command for other in _OTHERS.get(name, ()))
        for action in parser._actions
        if f"--{name}" in action.option_strings
    ]
    assert len(actions) > 1
    assert all(action.type is SHARED[name].get("type") for action in actions)


def test_the_help_says_the_default_that_a_command_has():
    parser = ArgumentParser()
    add_shared(parser, "mu", default="0.25")
    add_options(parser, {"often": option(int, "N", "how often", 3)})
    assert parser.parse_args([]).mu == (0.25,)
    assert parser.parse_args([]).often == 3
    assert "(default: 0.25)" in parser.format_help()
    assert "how often (default: 3)" in parser.format_help()
