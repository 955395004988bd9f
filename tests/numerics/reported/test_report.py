"""A report says what is known of a pair, how sure it is, and needs nothing but itself."""

import io
import itertools
import re
from html.parser import HTMLParser

import matplotlib.image
import numpy as np
import pytest
from browsers import chromium, faults

from derive import Pair, drift_of
from derive.command.hypertext import BADGES
from derive.command.provenance import versions
from derive.errors import InputError, Undecided
from derive.escape import escape_limit
from numerics import study
from numerics.certified.singularities import find_singularities
from numerics.figures.caption import shown_pair
from numerics.reported.figure import draw_law
from numerics.reported.page import page
from numerics.reported.sections import Asked, Section, section_makers

browser = pytest.fixture(scope="module")(chromium)
VOID = {"meta", "link", "img", "br"}


class _Read(HTMLParser):
    """What a page holds: whether its tags close, what it loads, its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loaded: list[str] = []
        self.texts: list[str] = []
        self.badges: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        known = dict(attrs)
        self.loaded += [known[name] for name in ("src", "href", "action") if known.get(name)]
        self.badges += [known["class"].split()[-1]] if "badge" in known.get("class", "") else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def _sections(pair, *titles, replicas=50):
    """Some sections of a report, by their titles."""
    asked = Asked(pair, dimension=100, replicas=replicas, seed=0, source="made by me")
    makers = {make.args[0]: make for make in section_makers(asked)}
    return [makers[title]() for title in titles]


@pytest.mark.parametrize(("pair", "closed"), [("relu", True), ("tanh", False)])
def test_what_has_no_closed_form_has_no_limit_and_no_formula_to_paste(pair, closed):
    verdict, sources = _sections(Pair(pair), "In a sentence", "To cite and to paste")
    assert ("as pre-training nears the teacher" in verdict.text) == closed
    assert list(sources.sources) == ["LaTeX", "BibTeX"][1 - closed :]


def _begins(*_):
    """In place of what takes minutes."""
    raise Undecided("begun")


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    file = tmp_path_factory.mktemp("report") / "x.html"
    html = study("x").report(file, dimension=100, replicas=50)
    assert file.read_text(encoding="utf-8") == html
    return file


def test_the_page_is_well_formed_and_loads_nothing(file):
    read = _Read(file.read_text(encoding="utf-8"))
    assert read.open == []
    assert read.loaded
    assert all(address.startswith("data:") for address in read.loaded)
    assert set(read.badges) == {"certified", "proved", "heuristic", "simulated"} < set(BADGES)
    text = "".join(read.texts)
    assert versions(("sympy", "python-flint")) in text
    assert "$" not in text.split("BibTeX")[0]
    assert "\\text" not in text


def test_it_is_whole_in_a_browser_wide_and_narrow(browser, file):
    assert faults(browser, file, 1200) == faults(browser, file, 400) == []
    assert browser.execute_script("return document.images.length") == 2
    assert browser.execute_script("return document.querySelectorAll('math').length") > 20


def test_a_box_with_nothing_to_scroll_to_shows_no_shade(browser, file):
    """Whatever part of a pixel it ends at, on a phone too."""
    shape = {"width": 400, "height": 300, "deviceScaleFactor": 3, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", shape)
    browser.get(file.as_uri())
    even = []
    for width, height in itertools.product((200.2, 200.4, 200.6), (40, 40.3, 40.7)):
        browser.execute_script(f"""document.body.innerHTML = `<div class="wide"
            style="position: absolute; left: 10.3px; top: 10.4px; width: {width}px">
            <div style="height: {height}px"></div></div>`""")
        shown = matplotlib.image.imread(io.BytesIO(browser.get_screenshot_as_png()))
        even.append((shown == shown[0, 0]).all())
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert all(even)


@pytest.mark.parametrize(
    ("pair", "told"),
    [(Pair("He3"), "at the strength "), (Pair("He3/2", "x**3-x/2"), "at the strengths "),
     (Pair("3*x+3*He2", "x**3-x/2"), "at the strength "), (Pair("relu"), "at every strength "),
     (Pair("He2", labels="squared"), "labels, LoRA leaves")],
)  # fmt: skip
def test_the_verdict_and_the_list_are_what_is_certified(pair, told):
    """Where τ is infinite and how it grows near there, by τ itself."""
    here, zeros = study(pair), find_singularities(drift_of(pair), 15)
    verdict, listed = _sections(pair, "In a sentence", "Singularities")
    assert told in verdict.text
    assert verdict.certainty == ("proved" if here.drift.positive else "certified")
    assert len(listed.rows) == len(zeros)
    for zero, (place, b, there, near) in zip(zeros, listed.rows, strict=True):
        assert (place, b) == (zero.mu._repr_latex_(), zero.b._repr_latex_())
        assert (place in verdict.text) == zero.diverges == (there == "infinite")
        if not zero.diverges:
            assert (there, near) == ("finite, $1/b$", "")
            assert here.tau(zero.mu.mid) == pytest.approx(1 / float(zero.b))
            continue
        constant, power = re.fullmatch(r"\$(.*)/\(.*\)\^\{(\d)\}\$", near).groups()
        beside = here.tau(float(zero.mu) + 1e-5) * 1e-5 ** int(power)
        assert float(constant) == pytest.approx(beside, rel=1e-3)


@pytest.mark.parametrize(("pair", "grows"), [
    (Pair("x"), True), (Pair("x", loss="correlation"), False),
])  # fmt: skip
def test_the_verdict_says_where_times_grow_towards_the_teacher(pair, grows):
    """They do for the square loss, whose drift vanishes there; the other's does not."""
    (verdict,) = _sections(pair, "In a sentence")
    law = re.search(r"it takes ever longer, \$\\tau \\sim [^$]*(1 - \\mu|\\mu - 1)", verdict.text)
    assert (law is not None) is grows
    assert escape_limit(drift_of(pair), 1).exponent.is_negative is grows


def test_numbers_beside_others_are_those_of_the_functions():
    """To four digits, and no more are shown."""
    (table,) = _sections(Pair("He3"), "Beside ReLU, GELU and erf")
    assert table.head[1:] == tuple(map(shown_pair, map(Pair, ("He3", "relu", "gelu", "erf"))))
    for strength, ours, relu, *_ in table.rows:
        at = float(strength.strip("$"))
        for name, shown in (("He3", ours), ("relu", relu)):
            assert float(shown.strip("$")) == pytest.approx(study(name).tau(at), rel=5e-4)
            assert len(re.sub(r"\D", "", shown).lstrip("0")) <= 4


def test_samples_are_those_of_the_law_that_the_front_door_gives():
    (table,) = _sections(Pair("x"), "Samples until runs leave the search phase")
    shares = [float(head.partition("%")[0]) / 100 for head in table.head[1:-1]]
    assert len(shares) == 3
    for strength, *samples, rate in table.rows:
        law = study("x").exit_law(strength.strip("$"), dimension=100)
        assert float(rate.strip("$")) == pytest.approx(law.learning_rate, rel=5e-3)
        for share, shown in zip(shares, samples, strict=True):
            number = re.sub(r"\\times 10\^\{(.*)\}", r"e\1", shown.strip("$")).replace(" ", "")
            assert float(number) == pytest.approx(law.samples(share), rel=5e-3)


@pytest.mark.parametrize(
    ("pair", "strength"), [(Pair("x"), 0.5), (Pair("He3"), 0.7), (Pair("0.7*x", "x"), 0.3)]
)
def test_the_check_is_made_far_from_singularities_and_at_a_half_without(
    pair, strength, monkeypatch
):
    asked = []
    monkeypatch.setattr(
        "numerics.reported.sections.exit_law", lambda learner, *_: _begins(asked.append(learner))
    )
    _sections(pair, "The law beside a simulation")
    assert [learner.mu for learner in asked] == [strength]


def test_the_figure_has_the_shares_that_still_search(printed):
    """By a run that leaves at 100, half of two are left; by the law those that it has."""
    law = study("x").exit_law(0.5, dimension=100)
    assert printed.checked(draw_law(law, np.array([100, np.inf]), 399, "made by me"))
    (axis,) = printed.figures[0].axes
    runs, theory = axis.lines
    times, shares = runs.get_data()
    assert (shares == np.where(times < 100, 1, 0.5)).all()
    assert 100 in times
    assert (theory.get_ydata() == law.searching(times)).all()
    assert (axis.get_xlim(), axis.get_ylim()) == ((0, 399), (0, pytest.approx(1, abs=0.05)))


def test_what_is_not_found_is_said_and_the_rest_stands():
    titles = ("In a sentence", "Singularities", "Formulas", "Beside ReLU, GELU and erf")
    *open_, formulas, table = _sections(Pair("x", misalignment="linear"), *titles)
    for section in open_:
        assert (section.certainty, "aligned" in section.text) == ("undecided", True)
    assert formulas.certainty == "proved"
    assert table.rows


def test_a_singular_strength_is_never_cut():
    """Neither its power of 10 nor its error, and digits that are all known stay as they are."""
    for teacher in ("0.00001234567*x", "x/2"):
        pair = Pair(teacher, "x")
        (zero,) = find_singularities(drift_of(pair), 15)
        (verdict,) = _sections(pair, "In a sentence")
        assert zero.mu._repr_latex_() in verdict.text
        assert "ldots" not in verdict.text


@pytest.mark.parametrize("name", ["relu", "tanh"])  # with a closed form, and without
def test_misaligned_pairs_have_their_own_equations(name):
    (aligned,) = _sections(Pair(name), "Formulas")
    (section,) = _sections(Pair(name, misalignment="linear"), "Formulas")
    assert not re.search(r"\\(kappa|nu|xi)", aligned.text)
    assert (r"$s = \mu z + \nu w$" in section.text) == (name == "tanh")
    assert r"\dot u = a\,m + e\,\kappa + b\,u" in section.text
    assert r"\dot\kappa = e\,u" in section.text
    assert not any("4 a^2" in formula for formula in section.formulas)
    assert section.formulas[-3:-1] == (r"\nu(\mu) = 1 - \mu", r"e(\mu) = \nu\,b(\mu)")
    assert "a^2 + e^2" in section.formulas[-1]


def test_a_curve_that_would_take_minutes_is_not_begun():
    (section,) = _sections(Pair("tanh", misalignment="linear"), "Escape time")
    assert (section.certainty, "enclosures" in section.text) == ("undecided", True)


def test_all_times_are_in_one_unit(monkeypatch):
    """Those of a pair that is studied in the paper's units too."""
    titles = ("Formulas", "Escape time", "Singularities", "Beside ReLU, GELU and erf")

    def some(asked):
        return [make for make in section_makers(asked) if make.args[0] in titles]

    monkeypatch.setattr("numerics.reported.sections.section_makers", some)
    raw = study(3).report()
    assert study(3, normalization="n*n!").report() == raw
    assert "n!" not in raw


def test_numbers_that_nothing_is_made_of_are_refused_before_any_work(command, monkeypatch):
    for wrong in ({"seed": -1}, {"replicas": 0}, {"dimension": 2}):
        with pytest.raises(InputError):
            study("x").report(**wrong)
    monkeypatch.setattr("numerics.reported.report.report_of", None)  # not even asked for
    refused = command("numerics.report", "x", "--seed", "-1")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "seed" in refused.stderr


@pytest.mark.parametrize(("student", "begun"), [("He6", True), ("He7", False), ("He50", False)])
def test_the_law_of_the_exit_time_is_begun_up_to_degree_6(student, begun, monkeypatch):
    monkeypatch.setattr("numerics.reported.sections.exit_law", _begins)
    titles = ("Samples until runs leave the search phase", "The law beside a simulation")
    for section in _sections(Pair(student), *titles):
        told = f"{section.text} {section.rows}"
        assert ("begun" in told, "degrees above 6" in told) == (begun, not begun)
        assert begun or (section.certainty, section.rows) == ("undecided", ())


@pytest.mark.parametrize(("replicas", "begun"), [(100, True), (101, False)])
def test_a_simulation_of_a_hundred_million_steps_is_the_longest(replicas, begun, monkeypatch):
    class Law:
        learning_rate = 1.0

        def steps(self, share):
            return 10**6

    monkeypatch.setattr("numerics.reported.sections.exit_law", lambda *_: Law())
    monkeypatch.setattr("numerics.reported.sections.run_simulation", _begins)
    (section,) = _sections(Pair("x"), "The law beside a simulation", replicas=replicas)
    assert ("begun" in section.text, "too many" in section.text) == (begun, not begun)


def test_runs_that_the_law_does_not_describe_are_said_to_differ(monkeypatch):
    """As a chance of 1 in 20, for in so many the law is right."""
    (usual,) = _sections(Pair("x"), "The law beside a simulation")
    monkeypatch.setattr("numerics.reported.sections.ks_bound", lambda count: 0.001)
    (strict,) = _sections(Pair("x"), "The law beside a simulation")
    told = r"distance (\S+); 19 of 20 samples of the law itself stay below (\S+)\.( These.*not be)?"
    near, far = (re.search(told, each.text).groups() for each in (usual, strict))
    assert (near[2], far[1]) == (None, "0.001")
    assert far[2].startswith(" These runs do not: at this $d$")
    assert 0.001 < float(near[0]) < float(near[1]) < 1
    assert near[0] == far[0]  # of the same runs
    law = study("x").exit_law(0.5, dimension=100)
    assert len(usual.rows) == 3
    for row in usual.rows:
        share, expected, found = (float(cell.strip("$%")) for cell in row)
        assert expected == pytest.approx(law.quantile(share / 100), rel=5e-4)
        assert abs(law.searching(found) - (1 - share / 100)) < 0.2  # of 50 runs
    assert " 0 still search" in usual.text  # which 999 of 1000 runs do no more


def test_text_is_escaped():
    section = Section(
        "<b>", "exact", "<i>", head=("<u>",), rows=(("<s>",),), sources={"<p>": "<q>"}
    )
    read = _Read(page("<script>", [section], "<em>"))
    text = "".join(read.texts)
    for tag in ("<b>", "<i>", "<u>", "<s>", "<p>", "<q>", "<script>", "<em>"):
        assert tag in text


def test_the_command_writes_one_file_or_none(command, tmp_path, monkeypatch):
    first = "numerics.reported.sections.section_makers"
    monkeypatch.setattr(first, lambda asked: section_makers(asked)[:2])  # the rest costs seconds
    done = command("numerics.report", "relu", "--dimension", "100")
    assert done.returncode == 0, done.stderr
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "python -m numerics.report relu" in html
    assert "report.html" in done.stdout
    for wrong in (("unheard",), ("relu", "--output", "no/such/folder.html"), ()):
        refused = command("numerics.report", *wrong)
        assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_the_last_cell_of_a_short_row_takes_the_room_of_the_others():
    html = page("x", [Section("", head=("a", "b", "c"), rows=(("1", "why not"), (*"123",)))], "")
    assert '<td>1</td><td colspan="2">why not</td></tr>' in html
    assert "<td>1</td><td>2</td><td>3</td></tr>" in html
