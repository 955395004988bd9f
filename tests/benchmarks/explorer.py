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

POINTS = 10_000
MORE = ("He3 + He5/9", "tanh(2*x)", "relu(x-1)", "elu(x - 1/2)", "sin(3*x)", "x/(1 + x**2)")
_PAIR = """const usual = { student: "", labels: "matched", loss: "square", misalignment: "none" };
    const pair = Explorer.pair.pairOf({ ...usual, teacher: arguments[0] });"""
_STEPS = f"""{_PAIR}
    const law = {{ mu: 0.5, nu: 0, rate: 1e-10, batch: 1, dimension: 1e9 }};
    const run = new Explorer.sgd.Replica(law, 1, 0);
    run.advance(pair, law, 3e5);
    const begin = performance.now();
    run.advance(pair, law, 2e6);
    return 2e9 / (performance.now() - begin);"""
# From the slider's event, in a frame, to the first task after that frame is painted.
_SLIDE = """const [done] = arguments, slider = document.getElementById("mu"), times = [];
    function move(k) {
      if (k === 200) return done(times);
      requestAnimationFrame(() => {
        const begin = performance.now(), { port1, port2 } = new MessageChannel();
        slider.value = 0.02 + 0.96 * ((k * 37) % 200) / 200;
        slider.dispatchEvent(new Event("input", { bubbles: true }));
        port1.onmessage = () => { times.push(performance.now() - begin); move(k + 1); };
        port2.postMessage(0);
      });
    }
    move(0);"""


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
        speed = browser.execute_script(_STEPS, text)
        what = f"explorer: SGD of {text}, d = 1e9, steps a second"
        yield what, f"{speed / 1e6:.1f} million", "2 million", speed >= 2e6


def _slides(browser, file: Path) -> Iterator[Row]:
    for text in ("erf", "tanh(2*x)", "relu(x-1)"):
        browser.get("about:blank")
        browser.get(f"{file.as_uri()}#teacher={text}&logd=9")
        times = sorted(browser.execute_async_script(_SLIDE))
        what = f"explorer: slider to paint of τ, {text}, 95th percentile"
        slow = times[int(0.95 * len(times))]
        yield what, f"{slow:.1f} ms", "16 ms", slow <= 16
