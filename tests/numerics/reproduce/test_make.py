"""Everything made anew: steps are kept or made again, and the page is whole in a real browser."""

import csv
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import astuple
from pathlib import Path, PurePath

import pytest
from browsers import faults
from processes import as_anybody, besides_progress
from thorough import only

from derive.command import extras
from derive.command.provenance import versions
from numerics.figures.caption import Caption, snippet
from numerics.reproduce import make as reproduce
from numerics.reproduce.__main__ import LIBRARIES, PAGE_LIBRARIES
from numerics.reproduce.__main__ import main as reproduce_command
from numerics.reproduce.make import Outcome, look_up, make
from numerics.reproduce.page import page
from numerics.reproduce.steps import Product, steps

COMMAND = "numerics.reproduce"
QUICK = ("figure-8", "hermite")
SOURCE = "versions"


def writing(text: str, name: str = "note", needs: str = "") -> Product:
    """A step that writes a table."""
    command = f"derive.tables --degree {text} --format markdown --output @/{name}.md"
    return Product(name, "Notes", "table", (command,), (f"{name}.md",), needs)


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "steps").mkdir()
    return tmp_path


@pytest.fixture(scope="module")
def once(tmp_path_factory) -> Path:
    """A folder with one step that is made."""
    folder = tmp_path_factory.mktemp("once")
    (folder / "steps").mkdir()
    make(writing("3"), folder, SOURCE)
    return folder


@pytest.fixture
def noted(once, tmp_path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(once, tmp_path / "noted"))


def test_what_is_there_is_kept_and_what_differs_is_made_again(folder):
    step, begun = writing("3"), time.perf_counter()
    first = make(step, folder, SOURCE)
    stamp = (folder / "note.md").stat().st_mtime_ns
    assert first.state == "made"
    assert 0 < first.seconds <= time.perf_counter() - begun
    assert make(step, folder, SOURCE) == Outcome(step, "kept", first.seconds)
    assert (folder / "note.md").stat().st_mtime_ns == stamp
    assert make(step, folder, "other versions").state == "made"
    assert make(writing("4"), folder, "other versions").state == "made"
    assert "4" in (folder / "note.md").read_text()


_STAMPS = {"record": '{"commands": [', "list": "[]", "nested": "[" * 20_000}
DAMAGES = ["output", "no output", "no record", "no seconds", *_STAMPS]


@pytest.mark.parametrize("damage", only(["output", "no record", "nested"], DAMAGES))
def test_a_damaged_step_is_made_again(noted, damage):
    step, record = writing("3"), noted / "steps" / "note.json"
    whole = (noted / "note.md").read_bytes()
    if damage == "output":
        (noted / "note.md").write_bytes(whole[:20])
    elif damage == "no output":
        (noted / "note.md").unlink()
    elif damage == "no record":
        record.unlink()
    elif damage == "no seconds":
        told = json.loads(record.read_text())
        record.write_text(json.dumps({k: v for k, v in told.items() if k != "seconds"}))
    else:
        record.write_text(_STAMPS[damage])
    assert look_up(step, noted, SOURCE).state == "missing"
    assert make(step, noted, SOURCE).state == "made"
    assert (noted / "note.md").read_bytes() == whole


def test_other_code_means_everything_anew(noted, monkeypatch):
    assert look_up(writing("3"), noted, SOURCE).state == "kept"
    monkeypatch.setattr(reproduce, "code_digest", lambda: "other")
    assert look_up(writing("3"), noted, SOURCE).state == "missing"


def test_a_failed_step_says_why_and_keeps_nothing_old(noted):
    begun = time.perf_counter()
    failed = make(writing("0"), noted, SOURCE)
    assert 0 < failed.seconds <= time.perf_counter() - begun
    assert failed.state == "failed"
    assert "argument --degree" in failed.reason
    assert not (noted / "note.md").exists()
    assert "The step note failed" in page([failed], noted, SOURCE)


class Silent:
    """In place of commands: degree 0 is refused with some words, other tables are empty."""

    def __init__(self, told=""):
        self.told = told

    def run(self, module, options):
        refused = "0" in options
        Path(options[-1]).write_text("")
        return int(refused), self.told * refused


@pytest.mark.parametrize(
    ("told", "reason"), [("", "no message"), (" \n", "no message"), ("one\ntwo\n", "two")]
)
def test_the_reason_of_a_failure_is_the_last_line_that_was_said(folder, told, reason):
    assert make(writing("0"), folder, SOURCE, Silent(told)).reason == reason


def test_a_step_that_fails_is_told_with_its_exit_code(command, tmp_path, monkeypatch):
    """The others are made, and the page tells of both."""
    every = [writing("0"), writing("2", "other")]
    monkeypatch.setattr("numerics.reproduce.__main__.steps", lambda quality: every)
    monkeypatch.setattr("numerics.reproduce.__main__.Commands", Silent)
    done = command(COMMAND, "--format", "csv")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"python -m {COMMAND}: steps failed: note"
    rows = list(csv.DictReader(done.stdout.splitlines()[1:]))
    assert [(row["step"], row["state"]) for row in rows] == [("note", "failed"), ("other", "made")]
    assert all(re.fullmatch(r"\d+\.\d", row["seconds"]) for row in rows)
    assert "The step note failed" in (tmp_path / "results" / "index.html").read_text("utf-8")


def test_an_interrupt_ends_the_step_that_runs_and_begins_no_other(command, monkeypatch):
    begun, ended, found = threading.Event(), threading.Event(), []

    class Running:
        def end(self):
            ended.set()

    def run(step, *_):
        begun.set()
        found.append(ended.wait(5))

    def interrupted(*_):
        begun.wait(5)
        raise KeyboardInterrupt

    for name, instead in (("Commands", Running), ("make", run), ("progress", interrupted)):
        monkeypatch.setattr(f"numerics.reproduce.__main__.{name}", instead)
    assert command(COMMAND, "--quick").returncode == 130
    assert found == [True]


def test_a_step_whose_module_is_not_installed_is_left_out(folder):
    left_out = make(writing("3", needs="no_such_module"), folder, SOURCE)
    assert (left_out.state, left_out.reason) == (
        "skipped",
        "needs no_such_module, which is not installed",
    )
    assert "Left out: needs no_such_module" in page([left_out], folder, SOURCE)


@pytest.mark.parametrize(
    ("title", "caption", "shown"),
    [
        (
            "Figure 1: The rate of He_3",
            "The rate of $\\mathrm{He}_{3}$. Bars: runs.",
            "Bars: runs.",
        ),
        ("Figure 1: The rate", "Bars are runs. Lines are laws.", "Bars are runs. Lines are laws."),
        ("Figure 1: The rate", "The rate", "The rate"),  # all there is
        ("Runs, i.e. paths", "Runs, i.e. paths. Bars: runs.", "Bars: runs."),
    ],
)
def test_a_caption_does_not_say_its_title_again(title, caption, shown, folder):
    (folder / "figures").mkdir()
    names = ("figures/one.tex", "figures/one.svg")
    (folder / names[0]).write_bytes(snippet(Caption(caption), PurePath("one.pdf"), SOURCE))
    (folder / names[1]).write_text("<svg></svg>")
    html = page([Outcome(Product("one", title, "figure", (), names), "made")], folder, SOURCE)
    told = re.search(r"<figcaption><strong>.*?</strong>(.*?)<", html, re.DOTALL)[1]
    assert told.strip() == shown


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """The folder of a finished run of a few quick steps, with its page."""
    folder = tmp_path_factory.mktemp("results", numbered=False)
    options = [part for name in QUICK for part in ("--step", name)]
    line = [sys.executable, "-m", COMMAND, "--quick", "--folder", str(folder), *options]
    done = subprocess.run(line, check=True, capture_output=True, text=True)
    assert all(line.startswith("steps: ") for line in done.stderr.splitlines())
    return folder


def test_the_command_goes_on_where_it_was_stopped(command, made, tmp_path):
    shutil.copytree(made, tmp_path / "results")
    options = ("--quick", "--format", "json", "--workers", "2")
    two = command(COMMAND, *options, "--step", "figure-8", "--step", "escape-time")
    states = {record["step"]["name"]: record["state"] for record in json.loads(two.stdout)}
    assert (states["figure-8"], states["escape-time"], states["claims"]) == (
        "kept",
        "made",
        "missing",
    )
    assert (tmp_path / "results" / "index.html").is_file()


@pytest.mark.skipif(sys.platform != "linux", reason="takes rights from a process")
def test_finished_results_need_not_be_writable(made, tmp_path):
    shutil.copytree(made, tmp_path / "results")
    line = [sys.executable, "-m", COMMAND, "--quick", "--step", "figure-8"]
    folders = [tmp_path / "results", *filter(Path.is_dir, (tmp_path / "results").rglob("*"))]
    for folder in folders:
        folder.chmod(0o555)
    again = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, check=False,
                           preexec_fn=as_anybody)  # fmt: skip
    for folder in folders:
        folder.chmod(0o755)
    assert (again.returncode, besides_progress(again.stderr)) == (0, "")
    assert "kept" in again.stdout


KILLED = """
from numerics.reproduce import __main__ as command
from numerics.reproduce.steps import Product

command.steps = lambda quality: [Product({first}), Product({second})]
raise SystemExit(command.main(["--workers", "1"]))
"""


def test_a_run_killed_midway_is_finished_by_the_next(command, tmp_path, monkeypatch):
    every = [writing("3", "one"), writing("4", "two")]
    first, second = (str(astuple(step))[1:-1] for step in every)
    line = [sys.executable, "-c", KILLED.format(first=first, second=second)]
    running = subprocess.Popen(line, cwd=tmp_path, stdout=subprocess.DEVNULL)
    record = tmp_path / "results" / "steps" / "one.json"
    while not record.exists() and running.poll() is None:
        time.sleep(0.01)
    running.kill()
    running.wait()
    monkeypatch.setattr("numerics.reproduce.__main__.steps", lambda quality: every)
    done = command(COMMAND, "--format", "json")
    assert done.returncode == 0
    states = {record["step"]["name"]: record["state"] for record in json.loads(done.stdout)}
    assert states == {"one": "kept", "two": "made"}
    assert not list((tmp_path / "results").rglob("*.part"))


@pytest.mark.parametrize(
    "options",
    [("--step", "nonsense"), ("--quick", "--full"), ("--workers", "0"), ("--folder", "file/in")],
)
def test_bad_usage_is_one_line(command, tmp_path, options):
    (tmp_path / "file").write_text("")
    done = command(COMMAND, *options)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)


# In a browser.


@pytest.mark.parametrize("width", [1200, 500])
def test_the_page_is_whole_in_a_browser(browser, made, width):
    assert faults(browser, made / "index.html", width) == []
    count = browser.execute_script(
        "return document.querySelectorAll('figure:not(.recorded) img').length"
    )
    assert count == 1
    assert browser.execute_script("return document.querySelectorAll('math').length") > 20


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out_from_its_ground(browser, made, scheme):
    """By at least 4.5 to 1, of WCAG."""
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    browser.get((made / "index.html").as_uri())
    ratios = browser.execute_script("""
        const light = c => c.match(/[0-9.]+/g).slice(0, 3).map(v => v / 255)
            .map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
            .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
        const ground = light(getComputedStyle(document.body).backgroundColor);
        return ['body', 'a', '.soft', 'th'].map(name => {
            const ink = light(getComputedStyle(document.querySelector(name)).color);
            return (Math.max(ink, ground) + .05) / (Math.min(ink, ground) + .05);
        });""")
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    assert min(ratios) >= 4.5


def test_every_link_leads_somewhere(browser, made):
    browser.get((made / "index.html").as_uri())
    links: Callable = browser.execute_script
    for target in links("return [...document.links].map(a => a.getAttribute('href'))"):
        if target.startswith("https://arxiv.org/"):
            continue
        if target.startswith("#"):
            assert links("return !!document.getElementById(arguments[0])", target[1:]), target
        else:
            assert (made / target).is_file(), target


@pytest.mark.parametrize(
    ("planted", "told"),
    [
        ('<img src="data:image/png;base64,AAAA" alt="planted">', "broken image: planted"),
        ('<img src="missing.png" alt="planted">', "broken image: planted"),
        ('<img src="http://127.0.0.1:9/x.png" alt="planted">', "http://127.0.0.1:9/x.png"),
        ("<script>console.error('planted')</script>", "planted"),
        ('<div style="width: 4000px">planted</div>', "wider than the window"),
    ],
)
def test_a_planted_fault_is_seen(browser, made, tmp_path, planted, told):
    html = (made / "index.html").read_text(encoding="utf-8")
    file = tmp_path / "index.html"
    file.write_text(html.replace("</main>", f"{planted}</main>"), encoding="utf-8")
    assert any(told in fault for fault in faults(browser, file))


def test_the_page_names_its_origin_and_holds_no_date(made):
    html = (made / "index.html").read_text(encoding="utf-8")
    assert versions(PAGE_LIBRARIES) in html
    assert f"{os.cpu_count()} core" in html
    found = [look_up(step, made, versions(LIBRARIES)) for step in steps("quick")]
    assert {result.state for result in found} == {"kept", "missing"}
    assert page(found, made, versions(PAGE_LIBRARIES)) == html


def test_without_its_extra_it_says_so_before_any_work(tmp_path, monkeypatch, capsys):
    known = extras.find_spec
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name == "jinja2" else known(name))
    with pytest.raises(SystemExit) as leave:
        reproduce_command(["--quick", "--folder", str(tmp_path / "new")])
    told = capsys.readouterr().err
    assert leave.value.code == 2
    assert "numerics.reproduce needs jinja2" in told
    assert told.count("\n") == 1
    assert not (tmp_path / "new").exists()
