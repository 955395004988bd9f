"""Benchmarks of the explorer in headless Chromium: its size, its numbers, its runs, its slider."""

import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from harness import Row, benchmark

from numerics.doubles.drift import fast_drift
from numerics.explorer.formulas import known_texts
from numerics.explorer.page import page

sys.path.append(str(Path(__file__).resolve().parents[1] / "support"))
from browsers import chromium

POINTS, STEPS, SLIDES = 10_000, 2_000_000, 100
MORE = ("He3 + He5/9", "tanh(2*x)", "relu(x-1)", "elu(x - 1/2)", "sin(3*x)", "x/(1 + x**2)")
_PAIR = """const usual = { student: "", labels: "matched", loss: "square", misalignment: "none" };
    const pair = Explorer.pair.pairOf({ ...usual, teacher: arguments[0] });"""
_STEPS = f"""{_PAIR}
    const law = {{ mu: 0.5, nu: 0, rate: 1e-10, batch: 1, dimension: 1e9 }};
    new Explorer.sgd.Replica(law, 1, 0).advance(pair, law, arguments[1]);"""
# From the slider's event, in a frame, to the first task after that frame is painted.
_SLIDE = """const [strength, done] = arguments, slider = document.getElementById("mu");
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      slider.value = strength;
      slider.dispatchEvent(new Event("input", { bubbles: true }));
      port1.onmessage = done;
      port2.postMessage(0);
    });"""


def _seconds(browser) -> float:
    """What the page's thread has computed so far: unlike a clock, the same on a busy machine."""
    told = browser.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
    return next(each["value"] for each in told if each["name"] == "TaskDuration")


@benchmark
def explorer_in_a_browser() -> Iterator[Row]:
    """Answers first: 10⁴ points of the activations that the page knows, and of others."""
    every = known_texts()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "explorer.html")
        file.write_text(page(every, every, "a benchmark"), encoding="utf-8")
        size = file.stat().st_size
        yield "explorer: size of the file", f"{size / 1e6:.2f} MB", "2 MB", size < 2e6
        for browser in chromium():
            browser.set_script_timeout(120)
            browser.execute_cdp_cmd("Performance.enable", {"timeDomain": "threadTicks"})
            browser.get(file.as_uri())
            yield _apart(browser, (*every, *MORE))
            yield from _steps(browser)
            yield from _slides(browser, file)


def _apart(browser, every) -> Row:
    stream, worst = random.Random(0), 0.0
    script = f"{_PAIR} return arguments[1].map(mu => Explorer.drift.drift(pair, mu))"
    for text in every:
        strengths = [stream.uniform(0.001, 0.999) for _ in range(POINTS // len(every) + 1)]
        found = browser.execute_script(script, text, strengths)
        drift = fast_drift(text)
        for name, ours in (("a", drift.a(strengths)), ("b", drift.b(strengths))):
            theirs = np.array([point[name] for point in found])
            gaps = np.abs(theirs - ours) / np.where(ours == 0, 1.0, np.abs(ours))
            worst = max(worst, float(gaps.max()))
    what = f"explorer: a, b at {POINTS} points of {len(every)} activations, relative"
    return what, f"{worst:.0e}", "1e-10", worst <= 1e-10


def _steps(browser) -> Iterator[Row]:
    for text in ("x", "relu", "He3", "erf", "gelu"):
        browser.execute_script(_STEPS, text, 300_000)
        begin = _seconds(browser)
        browser.execute_script(_STEPS, text, STEPS)
        speed = STEPS / (_seconds(browser) - begin)
        what = f"explorer: SGD of {text}, d = 1e9, steps a second of its thread"
        yield what, f"{speed / 1e6:.1f} million", "2 million", speed >= 2e6


def _slides(browser, file: Path) -> Iterator[Row]:
    for text in ("erf", "tanh(2*x)", "relu(x-1)"):
        browser.get("about:blank")
        browser.get(f"{file.as_uri()}#teacher={text}&logd=9")
        times = []
        for k in range(-20, SLIDES):  # the first ones compile
            begin = _seconds(browser)
            browser.execute_async_script(_SLIDE, 0.02 + 0.96 * ((k * 37) % SLIDES) / SLIDES)
            times.append(1e3 * (_seconds(browser) - begin))
        slow = sorted(times[20:])[int(0.95 * SLIDES)]
        what = f"explorer: slider to paint of τ, {text}, 95th percentile, of its thread"
        yield what, f"{slow:.1f} ms", "16 ms", slow <= 16
