"""Commands as ``python -m`` runs them: in this process, in one of their own, without torch."""

import runpy
import subprocess
import sys

import pytest
from thorough import only

COMMANDS = ("derive.tables", "numerics.singularities", "numerics.escape", "numerics.exit",
            "numerics.flow", "numerics.labels", "numerics.fate", "numerics.budget",
            "numerics.explorer", "numerics.simulate", "numerics.hermite", "numerics.kernel",
            "numerics.mean", "numerics.report", "numerics.figures", "numerics.claims",
            "numerics.reproduce",
            "transfer")  # fmt: skip


A_FEW = ("derive.tables", "numerics.escape", "numerics.simulate", "transfer")
UNKNOWN = {"transfer": ("run", "demo", "--unknown")}


@pytest.mark.filterwarnings("ignore:.*found in sys.modules:RuntimeWarning")
@pytest.mark.parametrize("module", COMMANDS)
def test_a_module_that_is_run_is_its_command(module, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["-m", *UNKNOWN.get(module, ("--unknown",))])
    with pytest.raises(SystemExit) as leave:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    out, err = capsys.readouterr()
    assert (leave.value.code, out, err.count("\n")) == (2, "", 1)


@pytest.mark.parametrize("module", only(A_FEW, COMMANDS))
def test_a_command_answers_as_a_process_what_it_answers_within_the_tests(module, command, process):
    """Most tests call it within their own process."""
    asked = UNKNOWN.get(module, ("--unknown",))
    within, alone = command(module, *asked), process(module, *asked)
    assert (within.returncode, within.stdout, within.stderr) == (2, "", alone.stderr)
    assert (alone.returncode, alone.stdout, alone.stderr.count("\n")) == (2, "", 1)


def _without_torch(start):
    """Run a line of Python where torch cannot be found, whatever is installed."""
    code = (
        "import importlib.util as u, runpy, sys; find = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name == 'torch' else find(name, *rest)\n"
    )
    return subprocess.run(
        [sys.executable, "-c", code + start], capture_output=True, text=True, check=False
    )


def test_transfer_says_in_one_line_what_it_needs():
    done = _without_torch("try: import transfer\nexcept ImportError as error: print(error)")
    assert "transfer needs torch" in done.stdout
    assert "'.[transfer]'" in done.stdout
    assert done.stdout.count("\n") == 1


def test_its_command_too():
    done = _without_torch("sys.argv = ['-m']; runpy.run_module('transfer', run_name='__main__')")
    assert done.returncode == 2
    assert "'.[transfer]'" in done.stderr
    assert done.stderr.count("\n") == 1
