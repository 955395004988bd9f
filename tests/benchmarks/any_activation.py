"""Benchmark of any activation: certified drifts and zeros against another quadrature.

The texts are the catalogue, each entry shifted and scaled, and random compositions
(``tests/support/functions.py``). What came out is printed, and kept as a table in
``docs/measured/any-activation.csv``.
"""

import csv
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

from harness import Row, benchmark

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "docs" / "measured" / "any-activation.csv"
LIMIT, MOST_UNDECIDED, ENDED = 30.0, 5, 120  # seconds of CPU, texts, seconds of CPU
sys.path.insert(0, str(ROOT / "tests" / "support"))
from functions import Read, all_texts  # noqa: E402
from quadrature import Comparison, compared  # noqa: E402


def _too_long(*_: object) -> None:
    raise TimeoutError


def _within_limits(text: str, function: Read) -> Comparison:
    """The comparison, unless it does not end in minutes of CPU time."""
    signal.signal(signal.SIGPROF, _too_long)
    signal.setitimer(signal.ITIMER_PROF, ENDED)
    try:
        return compared(text, function)
    except TimeoutError:
        return Comparison(undecided="it does not end", seconds=ENDED)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


@benchmark
def any_activation() -> Iterator[Row]:
    """All texts; a disagreement is an error."""
    rows = []
    for text, function in all_texts():
        rows.append((text, _within_limits(text, function)))
        print(len(rows), *rows[-1], file=sys.stderr, flush=True)
    with TABLE.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["activation", "zeros of a", "seconds of CPU", "undecided"])
        for text, found in rows:
            zeros = " ".join(f"{zero:.9g}" for zero in found.zeros)
            writer.writerow([text, zeros, f"{found.seconds:.1f}", found.undecided])
    wrong = {text: found.disagreements for text, found in rows if found.disagreements}
    assert not wrong, wrong
    undecided = sum(bool(found.undecided) for _, found in rows)
    slowest, seconds = max(((text, found.seconds) for text, found in rows), key=lambda row: row[1])
    yield (
        f"{len(rows)} activations: certified a, b and zeros against another quadrature",
        f"no disagreement, {undecided} undecided",
        f"at most {MOST_UNDECIDED}",
        undecided <= MOST_UNDECIDED,
    )
    what = f"{slowest}, the slowest of them: certified zeros"
    yield what, f"{seconds:.1f} s of CPU", f"at most {LIMIT:.0f} s", seconds <= LIMIT
