"""What there is to make: every figure a step, its commands understood, its files those it names."""

import importlib
import re
from importlib.util import find_spec

import pytest

from derive.command.files import OutputFile, OutputFolder
from numerics.figures.paper import FIGURES
from numerics.reproduce.make import command_lines
from numerics.reproduce.steps import QUALITIES, steps


@pytest.mark.parametrize("quality", QUALITIES)
def test_every_figure_is_a_step_and_names_do_not_clash(quality):
    every = steps(quality)
    assert {f"figure-{name}" for name in FIGURES} <= {step.name for step in every}
    outputs = [output for step in every for output in step.outputs]
    assert len(set(outputs)) == len(outputs)
    assert len({step.name for step in every}) == len(every)
    assert {step.kind for step in every} == {"ledger", "figure", "table", "page"}


def test_of_a_higher_quality_there_are_more_runs_and_steps():
    """Quick makes every figure from few; only what is costly is so by default."""
    made = {quality: {step.name: step for step in steps(quality)} for quality in QUALITIES}
    replicas = [int(re.search(r"--replicas (\d+)", made[quality]["exit-times"].commands[0])[1])
                for quality in QUALITIES]  # fmt: skip
    assert replicas == sorted(set(replicas))
    for name, figure in FIGURES.items():
        brief = ["--quick" in made[q][f"figure-{name}"].commands[0] for q in QUALITIES]
        assert brief == [True, figure.costly, False]
    with_images = [{"transfer-demo", "transfer-demo-curves"} <= set(made[q]) for q in QUALITIES]
    assert with_images == [False, True, True]


OWN = [step for step in steps("full") if step.needs != "peft"]


@pytest.mark.parametrize("step", OWN, ids=lambda step: step.name)
def test_what_a_step_runs_is_understood_and_writes_what_it_says(step, tmp_path, monkeypatch):
    """By the parsers of its commands, which know the files of a folder by their names, too."""
    monkeypatch.chdir(tmp_path)
    for part in ("figures", "tables"):
        (tmp_path / part).mkdir()
    written = set()
    for _, module, *options in command_lines(step, tmp_path):
        package = find_spec(module).submodule_search_locations is not None
        main = importlib.import_module(f"{module}.__main__" if package else module).main
        parser = main.parser()
        parsed = parser.parse_args(options)
        for action in parser._actions:
            to = getattr(parsed, action.dest, None)
            if to and isinstance(action.type, OutputFile | OutputFolder):
                written |= set(action.type.files(to, parsed))
    assert written - {tmp_path / "cells"} == {tmp_path / output for output in step.outputs}
