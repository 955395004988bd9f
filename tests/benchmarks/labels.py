"""Benchmarks of the best labels: many of them in one table, and two stages that begin with them."""

import csv
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import comb
from pathlib import Path

import numpy as np
from harness import Row, benchmark

from derive.catalogue import CATALOGUE
from derive.errors import InputError, Undecided
from derive.pair import Pair
from numerics.dynamics.judged_labels import LabelJudge
from numerics.dynamics.sgd import Learner, Stage, simulate_sgd

TABLE = Path(__file__).resolve().parents[2] / "docs" / "measured" / "best-labels.csv"
ACTIVATIONS = ("x", "relu", "leaky_relu", "abs", "squared_relu", "erf", "tanh", "sigmoid",
               "softplus", "sin", *(f"He{n}" for n in range(2, 13)), "silu", "gelu")  # fmt: skip
HEAD = ("activation", "mu", "tau raw", "tau polynomial", "tau optimum", "gap",
        "share of polynomial", "note")  # fmt: skip
OTHERS = tuple(name for name in CATALOGUE if name not in ("identity", "swish", *ACTIVATIONS))
STRENGTHS = [Fraction(k, 100) for k in range(1, 100)]
FEWER = STRENGTHS[9::10]  # for the others
LIMIT, GAP = 300, 1e-9  # seconds of CPU for the first of them, gap of τ
# Two stages: where they switch, samples a step, time in 1/γ, what counts as recovered.
STRENGTH, DIMENSION, SWITCH, BATCH = Fraction(3, 10), 10**4, 0.9, 16
RECORDS, NEAR = 281, 0.1
# Rates by sample near the largest at which each still learns, times, runs. With squared labels at
# 3e-8 noise holds |m| below the switch: none of 10 recovers by a time of 30, flip or not.
BEST, SQUARED = (1.2e-6, 14, 100), (1e-8, 16, 3)
THREADS = 1


@dataclass(frozen=True)
class _Best:
    """What the best labels of a pair do at a strength, ``None`` for what there is none of."""

    raw: float
    polynomial: float | None
    lower: float | None
    upper: float | None
    note: str = ""

    @property
    def share(self) -> float | None:
        """The polynomial's rate over the largest."""
        if self.upper is None:
            return None
        return self.upper / self.polynomial if self.polynomial else 0.0


def _best(judge: LabelJudge, mu: Fraction) -> _Best:
    raw = judge.power(1, mu).tau
    try:
        polynomial, best = judge.polynomial(mu), judge.optimum(mu)
    except Undecided:
        return _Best(raw, None, None, None, "undecided")
    if best is None:
        return _Best(raw, None, None, None, "none useful")
    own = polynomial.tau if polynomial else None
    return _Best(raw, own, best.tau_lower, best.tau_upper, "" if best.attained else "not attained")


@benchmark
def best_labels_of_many() -> Iterator[Row]:
    """Twelve activations and He_2 to He_12 over 99 strengths, the others of the catalogue over 9.

    Time, gaps, share of polynomials; the table is kept in ``docs/measured/best-labels.csv``.
    """
    found, refused, first, begin = {}, [], 0.0, time.process_time()
    TABLE.write_text(",".join(HEAD) + "\n", "utf-8")
    for name in (*ACTIVATIONS, *OTHERS):
        strengths = STRENGTHS if name in ACTIVATIONS else FEWER
        try:
            judge = LabelJudge.of(name)
            found[name] = [_best(judge, mu) for mu in strengths]
        except InputError:
            refused.append(name)
            continue
        spent = time.process_time() - begin
        first = spent if name in ACTIVATIONS else first
        print(name, f"{spent:.0f} s", file=sys.stderr, flush=True)
        with TABLE.open("a", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(_rows(name, strengths, found[name]))
    count = len(ACTIVATIONS) * len(STRENGTHS)
    yield f"{count} pairs and strengths: seconds of CPU", f"{first:.0f}", f"{LIMIT}", first <= LIMIT
    yield "refused of the catalogue", ", ".join(refused), "", True
    points = [each for members in found.values() for each in members]
    gaps = [each.upper - each.lower for each in points if each.upper is not None]
    yield "largest gap of τ", f"{max(gaps):.0e}", f"{GAP:.0e}", max(gaps) <= GAP
    for note in ("undecided", "none useful"):
        yield note, f"{sum(each.note == note for each in points)} of {len(points)}", "", True
    for name, members in found.items():
        kept = [each.share for each in members if each.share is not None]
        text = f"{min(kept):.3g} / {np.median(kept):.3g} / {max(kept):.3g}"
        yield f"{name}: share of a polynomial of degree 5, least / median / most", text, "", True


def _rows(
    name: str, strengths: Sequence[Fraction], members: Sequence[_Best]
) -> Iterator[list[str]]:
    def shown(number: float | None) -> str:
        return "" if number is None else f"{number:.6g}"

    for mu, each in zip(strengths, members, strict=True):
        times = map(shown, (each.raw, each.polynomial, each.upper))
        gap = "" if each.upper is None else f"{each.upper - each.lower:.0e}"
        share = "" if each.share is None else f"{each.share:.4f}"
        yield [name, f"{float(mu):g}", *times, gap, share, each.note]


@benchmark
def two_stages_with_the_best_labels() -> Iterator[Row]:
    """He_3 at μ = 0.3, d = 10⁴: which runs recover the teacher, after how many samples."""
    written = LabelJudge.of("He3").written(STRENGTH)
    kinds = (
        ("the best labels as text", written.text, False, BEST, "at least 0.95"),
        ("squared, u flipped at the switch", "squared", True, SQUARED, ""),
        ("squared", "squared", False, SQUARED, "at most 0.05"),
    )
    for title, labels, flip, (rate, time_, runs), target in kinds:
        share, samples = _recovered(labels, flip, rate * BATCH, round(time_ / rate / BATCH), runs)
        low, high = _interval(round(share * runs), runs)
        yield (
            f"{title}, γ/B = {rate:g}, {runs} runs: share that recovers, samples until then",
            f"{share:.2f} [{low:.2f}, {high:.2f}], {samples}",
            target,
            not target or (share >= 0.95 if "least" in target else share <= 0.05),
        )


def _recovered(labels: str, flip: bool, rate: float, horizon: int, runs: int) -> tuple[float, str]:
    """The share of runs that end near the teacher, and their samples: median, 95 % interval."""
    stage = Stage(labels, until_overlap=SWITCH, flip_at_switch=flip)
    learner = Learner(Pair("He3"), float(STRENGTH), DIMENSION, rate, batch=BATCH, stage=stage)
    steps = np.unique(np.linspace(0, horizon, RECORDS).round().astype(int))
    found = simulate_sgd(learner, runs, 1, horizon, steps.tolist(), threads=THREADS)
    away = np.abs(float(STRENGTH) + found["u"] * found["m"] - 1) > NEAR
    ended = ~away[:, -1]
    last = away.shape[1] - np.argmax(away[:, ::-1], axis=1)  # the first record it stays near from
    samples = np.sort(steps[np.minimum(last[ended], len(steps) - 1)]) * BATCH
    if not len(samples):
        return 0.0, "none"
    low, high = _ranks(len(samples))
    shown = (np.median(samples), samples[low], samples[high])
    return float(ended.mean()), "{:.3g} [{:.3g}, {:.3g}]".format(*shown)


def _ranks(count: int) -> tuple[int, int]:
    """Order statistics between which the median lies with 95 %."""
    below = np.cumsum([comb(count, k) / 2.0**count for k in range(count + 1)])
    low = max(int(np.searchsorted(below, 0.025)) - 1, 0)
    return low, count - 1 - low


def _interval(hits: int, runs: int) -> tuple[float, float]:
    """Clopper and Pearson's interval of 95 %."""
    from scipy.stats import beta

    low = beta.ppf(0.025, hits, runs - hits + 1) if hits else 0.0
    high = beta.ppf(0.975, hits + 1, runs - hits) if hits < runs else 1.0
    return float(low), float(high)
