"""What benchmarks share: the list of them, clocks, processes."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from statistics import median

from sympy.core.cache import clear_cache
from sympy.polys.rootoftools import ComplexRootOf

Row = tuple[str, str, str, bool]  # what, measured, target, met
BENCHMARKS: dict[str, Callable[[], Iterator[Row]]] = {}


def benchmark(function: Callable[[], Iterator[Row]]) -> Callable[[], Iterator[Row]]:
    """Enter a generator of rows into the list."""
    BENCHMARKS[function.__name__] = function
    return function


def seconds(action: Callable[[], object]) -> float:
    """Wall-clock time of one call that finds no result of an earlier one in SymPy's caches."""
    clear_cache()
    ComplexRootOf.clear_cache()
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def paired(ours: Callable[[], object], baseline: Callable[[], object], rounds: int = 5):
    """Median seconds of both, and the median of the ratios baseline/ours, taken in turn."""
    pairs = [(seconds(ours), seconds(baseline)) for _ in range(rounds)]
    mine, theirs = zip(*pairs, strict=True)
    return median(mine), median(theirs), median(t / m for m, t in pairs)


def process(*arguments: str) -> str:
    """Standard output of a fresh interpreter."""
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=True
    ).stdout
