"""Entries of the catalogue go through commands that take an activation."""

import importlib

import pytest
from thorough import only

from derive.catalogue import CATALOGUE
from derive.tables.activations import ACTIVATION_TABLES

pytestmark = pytest.mark.usefixtures("plain_loops")  # activations stay in machine code
QUICK = ("--mu", "0.5", "--dimension", "20", "--replicas", "2", "--horizon", "20", "--points", "3",
         "--learning-rate", "0.001", "--workers", "1")  # fmt: skip
COMMANDS = [
    *(("derive.tables.__main__", "--table", name) for name in ACTIVATION_TABLES),
    ("numerics.singularities", "--digits", "5"),
    ("numerics.escape", "--mu", "0.2,1"),
    *(("numerics.escape", "--mu", "0.5", "--labels", labels) for labels in ("squared", "y**2-y")),
    ("numerics.escape", "--mu", "0.5", "--loss", "correlation"),
    ("numerics.simulate", *QUICK),
]
OVER_THE_PLANE = ("elu", "relu6", "tanh", "softsign")  # without a closed form: seconds each


def _run(capsys, arguments, name):
    module, *options = arguments
    try:
        code = importlib.import_module(module).main([*options, "--activation", name])
    except SystemExit as leave:
        code = leave.code
    return code, *capsys.readouterr()


def _cases():
    """Each activation through every sixth command, each command with every sixth activation."""
    for i, name in enumerate(CATALOGUE):
        for j, arguments in enumerate(COMMANDS):
            marks = [pytest.mark.thorough] if (i + j) % 6 else []
            shown = " ".join(arguments[:3])
            yield pytest.param(arguments, name, marks=marks, id=f"{shown}-{name}")


@pytest.mark.parametrize(("arguments", "name"), [*_cases()])
def test_every_activation_through_every_command(arguments, name, capsys):
    code, out, err = _run(capsys, arguments, name)
    assert code == 0, err
    assert name in out
    assert "nan" not in out
    assert "Piecewise" not in out


@pytest.mark.parametrize("name", only(["elu"], OVER_THE_PLANE))
def test_misaligned_pairs_without_a_closed_form(name, capsys):
    arguments = ("numerics.escape", "--mu", "0.7", "--misalignment", "spherical")
    code, out, err = _run(capsys, arguments, name)
    assert code == 0, err
    assert "certified" in out
    assert "nan" not in out


@pytest.mark.parametrize("name", only([*CATALOGUE][::6], CATALOGUE))
def test_networks_of_every_activation(name, capsys):
    arguments = ("numerics.simulate", *QUICK, "--neurons", "2", "--rank", "1")
    code, out, err = _run(capsys, arguments, name)
    assert code == 0, err
    assert "nan" not in out
