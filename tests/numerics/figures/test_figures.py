"""The figures command: every figure is drawn, with its data, and the same bytes again."""

import csv
import os
import subprocess
import sys

import pytest

from derive import Pair, drift_of
from numerics.certified.singularities import find_singularities
from numerics.figures import paper
from numerics.figures.curves import singularities_told
from numerics.figures.quantities import QUANTITIES
from numerics.simulation.design import grid

COMMAND = "numerics.figures"


@pytest.fixture(autouse=True)
def _few_runs(monkeypatch):
    """What is drawn of two runs is drawn as of many, in a fraction of the time."""
    monkeypatch.setattr(paper, "grid", lambda *args, **how: grid(*args, **how | {"replicas": 2}))


# The gallery of the documentation draws these too.
_COSTLY = [
    pytest.param(name, marks=pytest.mark.thorough) for name in ("2", "3", "4", "7", "9", "13", "14")
]


@pytest.mark.parametrize("name", ["1", "6", "8", "exit-times", "degrees", *_COSTLY])
def test_figure_has_its_data_beside_it(command, tmp_path, name):
    done = command(COMMAND, "--quick", "--figure", name, "--as", "svg", "--folder", "out")
    assert done.returncode == 0
    told = ("planned: ", "steps: ", "figures: ")  # progress, of which a slow machine has more
    assert all(line.startswith(told) for line in done.stderr.splitlines())
    files = [f"figure-{name}.{ending}" for ending in ("csv", "svg", "tex")]
    assert sorted(os.listdir(tmp_path / "out")) == files
    drawn = (tmp_path / "out" / f"figure-{name}.svg").read_bytes()
    assert drawn.startswith(b"<?xml")
    assert f"--figure {name} --quick".encode() in drawn
    source, *data = (tmp_path / "out" / f"figure-{name}.csv").read_text().splitlines()
    rows = list(csv.DictReader(data))
    assert len(rows) > 5
    if name in ("1", "3", "4", "9", "14", "exit-times"):  # what a time is in steps and samples
        assert float(rows[0]["learning_rate"]) * int(rows[0]["batch"]) > 0
    assert source.startswith("# ")
    assert f"--figure {name}" in source
    latex = (tmp_path / "out" / f"figure-{name}.tex").read_text()
    assert f"\\caption{{{paper.FIGURES[name].title}. " in latex


def test_the_same_command_writes_the_same_bytes(command, process, tmp_path):
    for run, folder in ((command, "one"), (process, "two")):
        run(COMMAND, "--quick", "--figure", "8", "--as", "svg", "--folder", folder)
    for file in ("figure-8.svg", "figure-8.csv"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_a_bias_is_drawn_where_doubles_hold_its_times(command, tmp_path):
    """Of ReLU(x - 1) they grow as exp(1/2μ²): weaker strengths have none, all others are drawn."""
    done = command("numerics.escape", "--activation", "relu(x - 1)", "--plot", "a.svg")
    assert (done.returncode, done.stderr) == (0, "")
    _, *data = (tmp_path / "a.csv").read_text().splitlines()
    strengths = [float(row["mu"]) for row in csv.DictReader(data)]
    assert strengths[0] == 0.03  # the one before is 0.025
    assert strengths[-1] > 0.99
    weaker = command("numerics.escape", "--activation", "relu(x - 1)", "--mu", "0.025")
    assert weaker.returncode == 2
    assert "a at μ = 0.025 leaves the range of doubles" in weaker.stderr


@pytest.mark.parametrize(
    "options",
    [("--figure", "99"), ("--as", "gif"), ("--folder", "file/in"), ("--folder", "file")],
)
def test_bad_usage_is_one_line(command, tmp_path, options):
    (tmp_path / "file").write_text("")
    done = command(COMMAND, "--quick", *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="needs a folder nobody can write to")
@pytest.mark.parametrize(
    "line",
    [
        ("numerics.escape", "--degree", "3", "--plot", "a.svg"),
        (COMMAND, "--quick", "--figure", "8", "--as", "svg"),
    ],
)
def test_without_a_home_to_write_to_nothing_is_said(command, monkeypatch, line):
    monkeypatch.setenv("HOME", "/proc/1")
    for name in ("MPLCONFIGDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    done = command(*line)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(os.name != "posix", reason="names of files are text elsewhere")
@pytest.mark.parametrize("name", [b"\xff", b"a\nb\x01"])
@pytest.mark.parametrize("form", ["svg", "pdf", "png"])
def test_a_figure_may_have_any_name(command, tmp_path, name, form):
    file = os.fsdecode(name + b"." + form.encode())
    done = command("numerics.escape", "--degree", "3", "--plot", file, "--output", file + ".txt")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    table = os.fsdecode(name + b".csv")
    latex = os.fsdecode(name + b".tex")
    assert sorted(os.listdir(tmp_path)) == sorted([file, file + ".txt", table, latex])
    source = (tmp_path / table).read_text("utf-8").splitlines()[0]
    assert ascii(os.fsdecode(name))[1:-1] in source


def test_quantities_are_listed_without_matplotlib(command, tmp_path):
    """A new entry is an option at once, and may be drawn."""
    code = (
        "import sys; from numerics.figures.quantities import QUANTITIES, Quantity\n"
        "QUANTITIES['half'] = Quantity('half', lambda member, mu, d: "
        "{'mu': [float(m) for m in mu], 'half': [float(m) / 2 for m in mu]}, ('half',))\n"
        "from numerics.escape import main\n"
        "assert 'matplotlib' not in sys.modules\n"
        "main(['--activation', 'x', '--plot', 'a.svg', '--quantity', 'half'])"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True)
    assert "half" in (tmp_path / "a.csv").read_text()


@pytest.mark.parametrize(("count", "told"), [(7, 7), (8, 8), (9, 0)])
def test_a_caption_lists_at_most_eight_singularities(count, told):
    """He_n of odd degree has one each."""
    members = [(Pair(f"He{n}"), drift_of(n)) for n in range(3, 3 + 2 * count, 2)]
    found = [each for each in members if len(find_singularities(each[1])) == 1]
    assert len(found) == count
    (sentence,) = singularities_told(found, QUANTITIES["tau"])
    assert sentence.count("mu_") == told
