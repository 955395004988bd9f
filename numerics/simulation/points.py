"""Simulations as labelled data: the cells of a grid put together, summaries, fits.

A point of the grid is a pair of teacher and student at a pre-training strength in a dimension. Its
dataset holds every replica's states at logarithmically spaced steps and its exit time, with units,
and in its attributes all that is needed to make it again.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, log, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from numerics.dynamics.flow import OBSERVED
from numerics.simulation.block import cells_of, system_of
from numerics.sweep.store import Cell, Result

if TYPE_CHECKING:  # its import costs a second, and pandas
    from xarray import Dataset

QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)


@dataclass(frozen=True)
class Point:
    """One point of a simulated grid.

    Fields: ``cell``, its parameters; ``replicas``; ``arrays``, those of ``cells.compute_cell`` with
    all replicas along the first axis.
    """

    cell: Cell
    replicas: int
    arrays: Result

    @property
    def exit_times(self) -> NDArray[np.float64]:
        """Exit time of each replica in units of 1/γ, ``inf`` for censored runs."""
        steps = np.nan_to_num(self.arrays["exits"], nan=np.inf)
        return steps * self.cell["learning_rate"]

    @property
    def times(self) -> NDArray[np.float64]:
        """Recorded times in units of 1/γ."""
        return np.asarray(self.cell["records"], dtype=float) * self.cell["learning_rate"]

    @property
    def tau(self) -> float:
        """Escape time τ, ``inf`` if there is no escape."""
        rate = system_of(self.cell).rate()
        return 1 / rate if rate > 1e-14 else float("inf")

    def record(self) -> dict[str, Any]:
        """What the JSON format says of it; times in units of 1/γ, ``null`` where censored."""
        cell, exits = self.cell, self.exit_times
        names = (
            *(
                "teacher",
                "student",
                "labels",
                "loss",
                "misalignment",
                "mu",
                "strengths",
                "rank",
                "dimension",
            ),
            *("batch", "learning_rate", "update", "noise", "seed", "horizon"),
        )
        quantiles = {str(q): _finite(_quantile(exits, q)) for q in QUANTILES}
        started = _quantile(np.nan_to_num(self.arrays["predicted"], nan=np.inf), 0.5)
        return {
            **{name: cell[name] for name in names},
            "replicas": self.replicas,
            "escaped": int(np.isfinite(exits).sum()),
            "censored": int((~np.isfinite(exits)).sum()),
            "exit_time_median": quantiles["0.5"],
            "exit_time_quantiles": quantiles,
            "predicted": _finite(self.tau * log(cell["dimension"]) / 2),
            "predicted_with_start": _finite(started),
        }


def points_of(
    grid: Sequence[Mapping[str, Any]], replicas: int, results: Sequence[Result]
) -> list[Point]:
    """Join the results of all cells of a grid, in the order ``cells_of`` gives, into its points."""
    remaining = iter(results)
    points = []
    for parameters in grid:
        blocks = [next(remaining) for _ in cells_of(parameters, replicas)]
        joined = {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}
        points.append(Point(parameters, replicas, joined))
    return points


@dataclass(frozen=True)
class LogFit:
    """Median exit time fitted by a line in ``log d``: its slope with standard error, and τ/2."""

    slope: float
    error: float
    half_tau: float


def fit_log_dimension(points: Sequence[Point]) -> LogFit | None:
    r"""Slope of the median exit time against ``log d``, which the theory puts at τ/2 (9), (61).

    Arguments: ``points`` that differ in the dimension alone. Medians are weighted by their own
    uncertainty. The result is ``None`` for fewer than three dimensions with a median. A
    simulation supports the law; it does not prove it.
    """
    rows = []
    for point in points:
        exits = np.sort(point.exit_times)
        median = _quantile(exits, 0.5)
        spread = [_quantile(exits, 0.5 + side / (2 * sqrt(len(exits)))) for side in (-1, 1)]
        if isfinite(median) and isfinite(spread[1]) and spread[1] > spread[0]:
            rows.append((log(point.cell["dimension"]), median, (spread[1] - spread[0]) / 2))
    if len({row[0] for row in rows}) < 3:
        return None
    x, y, error = np.array(rows).T
    (slope, _), covariance = np.polyfit(x, y, 1, w=1 / error, cov="unscaled")
    return LogFit(float(slope), float(np.sqrt(covariance[0, 0])), points[0].tau / 2)


def dataset_of(points: Sequence[Point], source: str) -> "Dataset":
    """All points as one labelled dataset, with units, parameters and provenance.

    Arguments: ``points`` with equally many replicas; ``source``, the provenance. Shorter records
    are filled up with NaN. Dimensions are ``point``, ``replica``, ``record`` and ``parameter``
    (u, m and κ); points carry their parameters as coordinates, all of them in ``parameters``.
    """
    from xarray import Dataset

    size = max(point.arrays["states"].shape[-1] for point in points)
    shape = ("point", "replica", "record")
    scalars = ("student", "teacher", "labels", "mu", "dimension", "learning_rate", "batch")
    return Dataset(
        {
            "state": ((*shape, "parameter"), _stacked([p.arrays["states"] for p in points])),
            **{name: (shape, _stacked([p.arrays[name] for p in points])) for name in OBSERVED},
            "exit_time": (
                ("point", "replica"),
                _stacked([p.exit_times for p in points]),
                {"units": "1/gamma", "long_name": "first passage; inf for censored runs"},
            ),
            "time": (
                ("point", "record"),
                _stacked([p.times for p in points]),
                {"units": "1/gamma"},
            ),
        },
        coords={
            "parameter": _parameter_names(points[0].cell, size),
            "parameters": ("point", [json.dumps(dict(p.cell), sort_keys=True) for p in points]),
            **{
                name: ("point", np.array([p.cell[name] for p in points]).astype(kind))
                for name in scalars
                for kind in [type(points[0].cell[name]) if name in scalars[:3] else float]
            },
        },
        attrs={"provenance": source, "radius": points[0].cell["radius"]},
    )


def _parameter_names(cell: Cell, size: int) -> list[str]:
    if not cell["strengths"]:
        return list(("u", "m", "kappa")[:size])
    neurons, rank = len(cell["strengths"]), cell["rank"]
    shapes = (("u", neurons), ("m", neurons), ("g", rank))
    return [f"{name}_{j}_{k}" for name, rows in shapes for j in range(rows) for k in range(rank)]


def _stacked(arrays: Sequence[NDArray]) -> NDArray:
    """Arrays along a new first axis, filled up with NaN to the largest."""
    shape = np.max([array.shape for array in arrays], axis=0)
    result = np.full((len(arrays), *shape), np.nan)
    for row, array in zip(result, arrays, strict=True):
        row[tuple(slice(length) for length in array.shape)] = array
    return result


def _quantile(values: NDArray, q: float) -> float:
    """The order statistic at a quantile, which censored values beyond it do not touch."""
    ordered = np.sort(values)
    return float(ordered[min(int(q * len(ordered)), len(ordered) - 1)])


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None
