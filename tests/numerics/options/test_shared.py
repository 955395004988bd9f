"""Options that several commands share: one name means one thing."""

import re
from argparse import ArgumentParser, ArgumentTypeError

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
# The least and the largest of every option that is an integer, where not all have the same.
_LIMITS = {
    "digits": {(1, 10_000): "singularities", (1, 1000): "hermite kernel mean"},
    "batch": (1, 10**8), "replicas": (1, 10**8), "neurons": (1, 1000), "rank": (1, 1000),
    "points": {(2, 10_000): "flow", (0, 1000): "simulate"}, "until-step": (1, 10**9),
    "workers": {(1, 256): "reproduce",
                (1, 4096): "exit budget simulate choose diagnose run"},
    "polynomial": (1, 12), "order": (0, 1000), "derivative": (0, 20), "shots": (1, 10**6),
    "size": (1, 4096), "draws": (3, 100), "checkpoint": (0, 10**12),
    "seed": {(0, 10**9 - 1): "exit budget simulate report", (0, 2**32): "choose diagnose"},
}  # fmt: skip
# What commands do where they are told nothing: numbers and kinds; `*`: all that have the option.
_DEFAULTS = {
    "*": {"format": "text", "loss": "square", "misalignment": "none", "scale": "1", "batch": 16,
          "learning-rate": "0.1*stable", "exit-by": "state", "device": "auto", "draws": 5,
          "variance": "1"},
    "singularities": {"labels": "matched", "digits": 30},
    "escape": {"labels": "matched", "mu": "0.1:0.9:9", "dimension": 1000},
    "exit": {"mu": "0.1,0.5,0.9", "dimension": "1e3", "probability": "0.1,0.5,0.9", "seed": "0",
             "replicas": 100},
    "flow": {"mu": "0.5", "scaled-rate": "0,1", "points": 9},
    "labels": {"mu": "0.3", "polynomial": 5, "dimension": 10_000, "norm": "raw",
               "no-useful": True, "objective": "rate"},
    "fate": {"mu": "0.3", "switch": "0.1,0.3,0.5,0.7,0.9", "horizon": "300", "width": "0.02"},
    "budget": {"mu": "0.05:0.95:19", "dimension": "1e3", "replicas": 100, "seed": "0"},
    "simulate": {"mu": "0.1,0.5,0.9", "dimension": "1e3", "method": "lora", "neurons": 1, "rank": 1,
                 "signs": "random", "update": "spherical", "replicas": 100, "points": 60,
                 "seed": "0"},
    "hermite": {"order": 8, "digits": 30, "hermite": "he"},
    "kernel": {"rho": "-1:1:21", "digits": 15},
    "mean": {"center": "0", "digits": 30},
    "report": {"labels": "matched", "dimension": 1000, "replicas": 200, "output": "report.html"},
    "figures": {"folder": "figures", "as": "pdf"},
    "explorer": {"output": "explorer.html"},
    "reproduce": {"folder": "results", "workers": 1},
}  # fmt: skip


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


def _integers():
    for command, parser in _PARSERS.items():
        for action in parser._actions:
            try:
                callable(action.type) and action.type("no number")
            except ArgumentTypeError as reason:
                if found := re.search(r"give an integer from (\d+) to (\d+)$", str(reason)):
                    name = action.option_strings[-1].removeprefix("--")
                    yield command.split()[-1], name, action.type, tuple(map(int, found.groups()))


def test_integers_are_accepted_from_the_least_to_the_largest_that_is_said():
    seen = set()
    for command, name, parse, (least, largest) in _integers():
        limits = _LIMITS[name] if isinstance(_LIMITS[name], dict) else {_LIMITS[name]: command}
        assert command in limits[least, largest].split()
        values = {str(value): parse(str(value)) for value in (least, largest)}
        assert all(value in (int(text), (int(text),)) for text, value in values.items())
        for text in (str(least - 1), str(largest + 1)):
            with pytest.raises(ArgumentTypeError):
                parse(text)
        seen.add(name)
    assert seen == _LIMITS.keys()


def test_what_commands_do_where_they_are_told_nothing():
    for command, parser in _PARSERS.items():
        own = _DEFAULTS.get(command.split()[-1] if "numerics" in command else "", {})
        for action in parser._actions:
            (*_, option) = action.option_strings or [""]
            if not option or action.default in (None, False, "==SUPPRESS=="):
                continue
            usual = {**_DEFAULTS["*"], **own}[option.removeprefix("--")]
            assert action.default == usual or str(action.default) == usual, (command, option)
        assert {f"--{name}" for name in own} <= parser._option_string_actions.keys()
