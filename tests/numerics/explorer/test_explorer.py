"""The explorer in a real browser: its numbers are those of the project, its page is whole."""

import random

import numpy as np
import pytest
from browsers import faults, wait_until
from scipy.stats import ks_2samp
from texts import REFUSED, function

from derive.catalogue import CATALOGUE
from derive.errors import InputError
from derive.grammar import parse_activation
from derive.pair import Pair
from numerics.doubles.arrays import piecewise
from numerics.doubles.drift import fast_drift
from numerics.doubles.landscape import float_landscape
from numerics.dynamics.exit_law import exit_law
from numerics.dynamics.sgd import Learner, simulate_sgd
from numerics.dynamics.stability import stable_learning_rate
from numerics.explorer.page import page

CLOSED = ("x", "relu", "erf", "hardtanh", "sin", "elu", "He2", "He3", "He5")
INTEGRATED = ("tanh", "silu", "x**3/6 + erf(x)/2", "relu(x-1)", "sin(3*x)", "He2 + He3/4",
              "sigmoid", "max(x, x/4) + cos", "clip(x, -1, 1/3)",
              "softplus")  # fmt: skip
USUAL = {"student": "", "labels": "matched", "loss": "square", "misalignment": "none"}
PAIR = "const pair = Explorer.pair.pairOf(arguments[0]);"
DONE = "return /steps of/.test(document.querySelector('#loss .note').textContent)"


def texts(teacher: str, **others: str) -> dict[str, str]:
    """What the page's controls say of a pair."""
    return USUAL | {"teacher": teacher} | others


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    found = tmp_path_factory.mktemp("explorer") / "explorer.html"
    found.write_text(page(CLOSED, ("x", "He3", "erf"), "here"), encoding="utf-8")
    return found


@pytest.fixture
def explorer(browser, file):
    """A function that runs a script in the page."""
    if browser.current_url.partition("#")[0] != file.as_uri():
        browser.get(file.as_uri())
    browser.set_script_timeout(60)
    return browser.execute_script


# The numbers.


def test_drift_at_two_thousand_points(explorer):
    """Of activations with closed forms and without, as ``numerics`` has them."""
    stream, count = np.random.default_rng(0), 2_000 // (len(CLOSED) + len(INTEGRATED))
    script = f"{PAIR} return arguments[1].map(mu => Explorer.drift.drift(pair, mu))"
    for text in (*CLOSED, *INTEGRATED):
        strengths = stream.uniform(0.001, 0.999, count)
        found = explorer(script, texts(text), strengths.tolist())
        drift = fast_drift(text)
        for name, ours in (("a", drift.a(strengths)), ("b", drift.b(strengths))):
            assert [point[name] for point in found] == pytest.approx(ours, rel=1e-10, abs=0), text
        exact = np.mean([point["sure"] == "exact" for point in found])
        assert exact == 0 if text in INTEGRATED else exact > 0.9, text


def test_closed_forms_and_quadrature_agree_with_labels_and_losses(explorer):
    script = f"""{PAIR} return [0.2, 0.5, 0.8].map(mu =>
        [Explorer.drift.drift(pair, mu), Explorer.drift.integrated(pair, mu)])"""
    for labels in ("matched", "squared"):
        for loss in ("square", "correlation"):
            for text in CLOSED:
                for closed, other in explorer(script, texts(text, labels=labels, loss=loss)):
                    size = 1 + abs(other["a"]) + abs(other["b"])
                    assert closed["a"] == pytest.approx(other["a"], rel=1e-11, abs=1e-10 * size)
                    assert closed["b"] == pytest.approx(other["b"], rel=1e-11, abs=1e-10 * size)


@pytest.mark.parametrize("pair", [Pair("tanh", "relu", labels="y**2 - y"), Pair("erf"),
                                  Pair("relu(x-1)", loss="correlation")])  # fmt: skip
def test_the_loss_and_its_slopes_off_the_search_phase(explorer, pair):
    script = f"""{PAIR} return arguments[1].map(([rho, s]) =>
        Explorer.landscape.slopesAt(pair, rho, s))"""
    places = [(0.5, 0.1), (-0.3, 0.8), (0.9, 0.0), (0.2, 0.02)]
    ours = float_landscape(pair)
    for place, found in zip(places, explorer(script, pair.texts, places), strict=True):
        for name in ("loss", "a", "b"):
            value = getattr(ours, name)(*place)
            assert found[name] == pytest.approx(value, rel=1e-7, abs=1e-9), (place, name)


@pytest.mark.parametrize(("text", "mu"), [("x", 0.8), ("relu", 0.5), ("He3", 0.6), ("tanh", 0.5)])
def test_the_law_of_the_exit_time_and_the_stable_rate(explorer, text, mu):
    learner = Learner(text, mu, 10**4, 1e-7, batch=2)  # of small steps, as the page has it
    law = exit_law(learner)
    script = f"""{PAIR} const mu = arguments[1], point = Explorer.drift.drift(pair, mu);
        const rate = Explorer.drift.rateOf(point);
        const logK = Explorer.flow.exitConstant(pair, mu, point, rate).value;
        const given = {{ rate, b: point.b, logK, noise: Explorer.exit.noise(pair, mu) }};
        const law = Explorer.exit.exitLaw(given, {{ dimension: 1e4, rate: 1e-7, batch: 2 }});
        return [[0.1, 0.5, 0.9].map(law.quantile), Explorer.exit.stableRate(pair, mu, 1e4, 2)]"""
    quantiles, stable = explorer(script, texts(text), mu)
    assert quantiles == pytest.approx([law.quantile(p) for p in (0.1, 0.5, 0.9)], rel=2e-3)
    assert stable == pytest.approx(stable_learning_rate(Pair(text), mu, 10**4, 2), rel=1e-10)


def test_singularities_are_certified_or_found_and_said_to_be(explorer):
    script = """const found = Explorer.worker.curvesOf(arguments[0]).singular;
        return [found.sure, found.zeros.map(s => s.mu)]"""
    assert explorer(script, texts("He3")) == ["certified", [0.3207243473230675]]
    assert explorer(script, texts("erf")) == ["certified", []]
    sure, zeros = explorer(script, texts("He3 + 0*x"))
    assert (sure, zeros) == ("heuristic", pytest.approx([0.3207243473230675], abs=1e-10))


# The grammar.


def accepted(text: str) -> bool:
    """Whether the grammar takes a text."""
    try:
        parse_activation(text)
    except InputError:
        return False
    return True


def test_texts_are_accepted_and_refused_alike(explorer):
    stream = random.Random("explorer")
    every = [*REFUSED, *CATALOGUE, "LeakyReLU", "prelu(x, 1/3)", "hardtanh(x, -2, 1)",
             "swish(x, -1)", "relu(exp(x) - 2)", "where(x < 1, x, 2*x)",
             *(function(stream) for _ in range(200))]  # fmt: skip
    script = """return arguments[0].map(text => {
        try { Explorer.grammar.activation(text); return ""; }
        catch (error) { if (!(error instanceof Explorer.expression.NotFound)) throw error;
                        return error.message; } })"""
    said = explorer(script, every)
    assert [
        text for text, told in zip(every, said, strict=True) if accepted(text) == bool(told)
    ] == []
    assert all("\n" not in told and len(told) < 200 for told in said)


def test_functions_and_slopes_of_the_catalogue(explorer):
    places = np.linspace(-4.03, 4.03, 41)
    script = f"""{PAIR} return [arguments[1].map(pair.sigma), arguments[1].map(pair.slope),
        arguments[1].map(pair.curvature)]"""
    for text in (*CATALOGUE, "leaky_relu(x, 0.3)", "huber(2*x - 1, 3/2)", "hardtanh(x, -1/2, 2)",
                 "where(relu >= 0, x, 0)", "where(relu <= 0, x, 0)",
                 "where(0 < relu, x, 0)", "where(relu > 0, x, 0)",
                 "-relu - -2*x + -erf", "2*-(x + 1)/-3 - x*-x**2"):  # fmt: skip
        value = parse_activation("x" if text == "identity" else text).value
        found = explorer(script, texts("x" if text == "identity" else text), places.tolist())
        for ours in found:
            assert ours == pytest.approx(piecewise(value)(places), rel=1e-12, abs=1e-12), text
            value = value.derivative()
            value = type(value)(value.pieces, value.breaks)


# The runs.

RUNS = 300
SIMULATE = f"""{PAIR} const [, law, runs, steps, extra] = arguments;
    const freedom = law.dimension - (law.nu ? 3 : 2) + extra;
    const others = extra === 0 ? Explorer.sgd.across
        : (stream, law, power) => power / law.batch ** 2 * stream.chisquare(freedom);
    return Array.from({{ length: runs }}, (_, k) => {{
        const run = new Explorer.sgd.Replica(law, 7, k);
        run.advance(pair, law, steps, {{ stop: steps >= 1e6, others }});
        return [run.exit, Math.abs(run.m)]; }})"""
LEARNERS = [
    Learner("relu", 0.5, 1000, 2e-3),
    Learner("relu", 0.2, 100, 2e-2, batch=4),
    Learner(Pair("relu", misalignment="spherical"), 0.8, 100, 1e-2),
    Learner("He2/2", 0.5, 300, 1e-4, batch=2),
    Learner("He2/2", 0.3, 50, 3e-4),
]


def page_runs(explorer, learner: Learner, runs: int, steps: int, extra: int = 0) -> np.ndarray:
    """Exits and last overlaps, with a chi-square of too many degrees if that is asked."""
    law = {"mu": learner.mu, "nu": learner.nu, "dimension": learner.dimension,
           "rate": learner.learning_rate, "batch": learner.batch}  # fmt: skip
    return np.array(explorer(SIMULATE, learner.pair.texts, law, runs, steps, extra))


@pytest.mark.parametrize(
    "learner", LEARNERS, ids=lambda x: f"{x.pair.student.text} mu={x.mu} d={x.dimension}"
)
def test_runs_have_the_law_of_the_compiled_kernel(explorer, learner):
    theirs = simulate_sgd(learner, RUNS, 5, 10**6, stop_at_exit=True).exits
    ours = page_runs(explorer, learner, RUNS, 10**6)[:, 0]
    assert min(ours.min(), theirs.min()) > 0
    assert ks_2samp(ours, theirs).pvalue > 0.01


def test_a_chi_square_of_one_degree_too_many_is_noticed(explorer):
    learner, runs, steps = Learner("relu", 0.2, 3, 1.0), 2000, 40
    theirs = np.abs(simulate_sgd(learner, runs, 5, steps, [steps])["m"][:, 0])
    assert ks_2samp(page_runs(explorer, learner, runs, steps)[:, 1], theirs).pvalue > 0.01
    assert ks_2samp(page_runs(explorer, learner, runs, steps, 1)[:, 1], theirs).pvalue < 1e-4


# The page.


@pytest.mark.parametrize("width", [1200, 400])
def test_the_page_is_whole_and_asks_for_nothing(browser, file, width):
    assert faults(browser, file, width, DONE) == []
    assert file.stat().st_size < 2_000_000


def test_every_number_says_how_sure_it_is(browser, file):
    assert faults(browser, file, until=DONE) == []  # before, notes have no words yet
    words = browser.execute_script(
        "return [...document.querySelectorAll('#numbers tr:not(:first-child)')]"
        ".concat([...document.querySelectorAll('.note')])"
        ".map(place => place.querySelector('.sure')?.textContent)"
    )
    assert set(words) <= {"exact", "certified", "heuristic", "simulation"}
    assert len(words) > 10


def test_controls_have_names_and_charts_descriptions(explorer):
    unnamed = """return [...document.querySelectorAll("input, select, button")]
        .filter(part => !(part.labels?.length || part.textContent.trim())).map(part => part.id)"""
    assert explorer(unnamed) == []
    told = "return [...document.querySelectorAll('canvas')].map(c => c.getAttribute('aria-label'))"
    assert all(len(text) > 20 for text in explorer(told))


def _opened(browser, file, address):
    browser.get("about:blank")
    browser.get(f"{file.as_uri()}{address}")
    return browser.execute_script


def test_a_view_is_shared_by_its_address_and_moved_by_keys(browser, file):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    run = _opened(browser, file, "#teacher=erf&mu=0.4&logd=6&policy=scaled&nonsense=1&batch=x")
    number = "return document.querySelector('#n-a td').textContent"
    before = run(number)
    assert float(before) == pytest.approx(float(fast_drift("erf").a(0.4)), rel=1e-4)
    browser.find_element(By.ID, "mu").send_keys(Keys.ARROW_RIGHT)
    assert float(run(number)) == pytest.approx(float(fast_drift("erf").a(0.405)), rel=1e-4)
    wait_until(browser, "return location.hash.includes('mu=0.405')")
    address = browser.current_url.partition("#")[2]
    assert address == "teacher=erf&mu=0.405&logd=6&policy=scaled"
    again = _opened(browser, file, f"#{address}")
    assert again(number) == run(number)


def test_what_is_refused_is_said_and_leaves_the_page_as_it_was(browser, file):
    run = _opened(browser, file, "#teacher=erf&mu=0.4")
    number = "return document.querySelector('#n-tau').textContent"
    before = run(number)
    run("""const place = document.getElementById("teacher");
        place.value = "1/x"; place.dispatchEvent(new Event("input"))""")
    told = run("return document.querySelector('#refusal').textContent")
    assert told.startswith("teacher ‘1/x’ is not accepted: ")
    assert run(number) == before
