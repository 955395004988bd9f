"""Benchmarks: answers checked first, then medians, as ratios within one run.

``tox -e bench`` runs all of them, ``tox -e bench -- roots`` those whose name holds that word. A
wrong answer ends the run with an error; a missed target is printed as such. Adding a benchmark is
one function with the decorator ``@benchmark`` in one of the modules imported here.
"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "support"))

import any_activation  # noqa: F401  # importing it enters its benchmarks into the list
import budget  # noqa: F401
import choice  # noqa: F401
import dynamics  # noqa: F401
import exit_law  # noqa: F401
import explorer  # noqa: F401
import labels  # noqa: F401
import search_phase  # noqa: F401
import vision  # noqa: F401
from harness import BENCHMARKS
from tabulate import tabulate


def main() -> None:
    """Run the benchmarks named on the command line, or all; print one table."""
    chosen = {
        name: rows
        for name, rows in BENCHMARKS.items()
        if all(word in name for word in sys.argv[1:])
    }
    rows = [row for generator in chosen.values() for row in generator()]
    shown = [
        (what, measured, target, "met" if met else "MISSED") for what, measured, target, met in rows
    ]
    print(tabulate(shown, headers=["what", "median", "target", ""]))


if __name__ == "__main__":
    main()
