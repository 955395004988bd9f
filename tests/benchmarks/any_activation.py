"""Benchmark of any activation: certified drifts and zeros against another quadrature.

The texts are the catalogue, each entry shifted and scaled, and random compositions
(``tests/support/functions.py``). One is compared in a process that is ended after two minutes. What
came out is printed, and kept as a table in ``docs/measured/any-activation.csv``.
"""

import csv
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from harness import Row, benchmark

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "docs" / "measured" / "any-activation.csv"
LIMIT, MOST_UNDECIDED, ENDED = 30.0, 5, 240
_ONE = """
import json, sys
sys.path.insert(0, sys.argv[1])
from functions import all_texts
from quadrature import compared
text, function = all_texts()[int(sys.argv[2])]
print(json.dumps([text, vars(compared(text, function))]))
"""


def _compared(place: int) -> dict[str, object]:
    """One text in a process of its own."""
    support = str(ROOT / "tests" / "support")
    command = [sys.executable, "-c", _ONE, support, str(place)]
    try:
        told = subprocess.run(
            command, capture_output=True, text=True, timeout=ENDED, check=True, cwd=ROOT
        )
    except subprocess.TimeoutExpired:
        return {"text": str(place), "seconds": ENDED, "undecided": "it does not end"}
    text, found = json.loads(told.stdout)
    return {"text": text, **found}


@benchmark
def any_activation() -> Iterator[Row]:
    """All texts; a disagreement is an error."""
    sys.path.insert(0, str(ROOT / "tests" / "support"))
    from functions import all_texts

    rows = [_compared(place) for place in range(len(all_texts()))]
    wrong = {row["text"]: row["disagreements"] for row in rows if row.get("disagreements")}
    open_ = [row for row in rows if row["undecided"]]
    slowest = max(rows, key=lambda row: row["seconds"])
    with TABLE.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["text", "zeros", "seconds", "undecided"])
        for row in rows:
            zeros = " ".join(f"{zero:.9g}" for zero in row.get("zeros", []))
            writer.writerow([row["text"], zeros, f"{row['seconds']:.1f}", row["undecided"]])
    assert not wrong, wrong
    what = f"{len(rows)} activations: certified a, b and zeros against another quadrature"
    yield what, f"{len(open_)} undecided", f"at most {MOST_UNDECIDED}", len(open_) <= MOST_UNDECIDED
    yield (
        f"the slowest of them, {slowest['text']}",
        f"{slowest['seconds']:.1f} s of CPU",
        f"at most {LIMIT:.0f} s",
        slowest["seconds"] <= LIMIT,
    )
