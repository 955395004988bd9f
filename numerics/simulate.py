"""One-pass SGD simulated exactly in law: exit times, trajectories, and the flow beside them.

``python -m numerics.simulate --activation x --mu 0.1,0.5 --dimension 1e5``. The cost of a step does
not depend on the dimension. With ``--results FOLDER`` finished cells are kept and a run that was
stopped goes on; with ``--scheduler`` a Dask cluster does the work.
"""

import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from derive.command.parser import CommandParser
from derive.command.progress import advancing
from derive.command.report import Report
from derive.command.run import run
from derive.command.tabular import Table, Typeset, decimal, typeset
from derive.errors import InputError
from numerics.options.simulation import add_simulation_options, grid_of
from numerics.options.values import figure_path
from numerics.simulation.block import cells_of, compile_for, compute_cell, forms_of
from numerics.simulation.points import LogFit, Point, dataset_of, fit_log_dimension, points_of
from numerics.sweep.executors import executor_for
from numerics.sweep.run import run_cells

_LONG = 1e11  # steps: hours of a core


# What is shown.


Group = tuple[str, str, str, float, int]  # teacher, student, labels, μ, seed


def _group(point: Point) -> Group:
    """What points have in common that differ in the dimension alone."""
    cell = point.cell
    return (cell["teacher"], cell["student"], cell["labels"], cell["mu"], cell["seed"])


def _fits(points: Sequence[Point]) -> dict[Group, LogFit]:
    groups: dict[Group, list[Point]] = {}
    for point in points:
        groups.setdefault(_group(point), []).append(point)
    found = {key: fit_log_dimension(members) for key, members in groups.items()}
    return {key: fit for key, fit in found.items() if fit}


def _tables(records: Sequence[dict], fits: dict[Group, LogFit]) -> list[Table]:
    def shown(value: object) -> object:
        return "-" if value is None else decimal(f"{value:.4g}")

    def pair(teacher: str, student: str, labels: str) -> Typeset:
        name = student if teacher == student else f"{teacher} -> {student}"
        shown = name if labels == "matched" else f"{name}, {labels} labels"
        return Typeset(shown, typeset(shown))

    tables = [
        Table(
            name="simulate",
            title=Typeset(
                "Exit times of one-pass SGD, in units of 1/γ (a simulation)",
                r"Exit times of one-pass SGD, in units of $1/\gamma$ (a simulation)",
            ),
            columns=("pair", "mu", "d", "escaped", "10 %", "median", "90 %",
                     Typeset("½ τ log d", r"$\frac12\tau\log d$"), "with start"),
            rows=tuple(
                (
                    pair(r["teacher"], r["student"], r["labels"]),
                    shown(r["mu"]),
                    shown(r["dimension"]),
                    Typeset(*[f"{r['escaped']} of {r['replicas']}"] * 2),
                    *(shown(r["exit_time_quantiles"][q]) for q in ("0.1", "0.5", "0.9")),
                    shown(r["predicted"]),
                    shown(r["predicted_with_start"]),
                )
                for r in records
            ),
        )
    ]  # fmt: skip
    if fits:
        tables.append(
            Table(
                name="fits",
                title=Typeset(
                    "Median exit time against log d: measured slope, and τ/2",
                    r"Median exit time against $\log d$: measured slope, and $\tau/2$",
                ),
                columns=("pair", "mu", "slope", "standard error", Typeset("τ/2", r"$\tau/2$")),
                rows=tuple(
                    (
                        pair(teacher, student, labels),
                        *(shown(x) for x in (mu, fit.slope, fit.error, fit.half_tau)),
                    )
                    for (teacher, student, labels, mu, _), fit in fits.items()
                ),
            )
        )
    return tables


def _records(points: Sequence[Point], fits: dict[Group, LogFit]) -> list[dict[str, Any]]:
    records = []
    for point in points:
        fit = fits.get(_group(point))
        records.append(point.record() | {
            "log_d_slope": fit and fit.slope,
            "log_d_slope_error": fit and fit.error,
            "half_tau": fit and fit.half_tau,
        })  # fmt: skip
    return records


# The command.


def simulation_parser() -> CommandParser:
    """The parser of the command, which figures use to say what they simulate."""
    parser = CommandParser(
        "numerics.simulate",
        "Simulate one-pass SGD exactly in law, at a cost that does not depend on the dimension.",
        (
            "--activation x --activation relu --mu 0.1,0.5,0.9 --dimension 1e3",
            "--activation x --mu 0.5 --dimension 1e2,1e3,1e4,1e5 --replicas 400 --points 0",
            "--degree 3 --mu 0.3 --first-labels squared --until-overlap 0.3 --horizon 200000",
            "--activation erf --mu 0.2,0.8 --plot dynamics.pdf --data dynamics.nc",
            "--degree 2:6 --results cells --scheduler tcp://127.0.0.1:8786",
        ),
        libraries=("sympy", "numpy", "scipy", "numba"),
    )
    add_simulation_options(parser)
    return parser


def run_grid(
    grid: Sequence[dict[str, Any]],
    replicas: int,
    folder: Path | None = None,
    scheduler: str | None = None,
    workers: int | None = None,
) -> list[Point]:
    """Simulate all points of a grid, telling of progress on stderr."""
    cells = [cell for parameters in grid for cell in cells_of(parameters, replicas)]
    if scheduler is None:
        for parameters in {(c["student"], c["teacher"], c["labels"]): c for c in cells}.values():
            compile_for(parameters)
    steps = replicas * sum(parameters["horizon"] for parameters in grid)
    if sys.stderr.isatty() and steps > _LONG:
        print(f"up to {steps:.1g} steps if runs stay; --horizon bounds them", file=sys.stderr)
    with (
        executor_for(scheduler, workers) as executor,
        advancing(len(cells), "cells") as advance,
    ):
        results = run_cells(compute_cell, cells, folder, executor, advance, forms_of)
    return points_of(grid, replicas, results)


def _action(options: Namespace) -> Report:
    if (options.plot or options.data) and not options.points:
        raise InputError("--points 0 records nothing to draw or keep: give --points 60")
    where = (options.results, options.scheduler, options.workers)
    points = run_grid(grid_of(options), options.replicas, *where)
    files: dict[Path, bytes] = {}
    if options.data:
        files[options.data] = bytes(dataset_of(points, options.source).to_netcdf(engine="scipy"))
    if options.plot:
        from numerics.figures.dynamics import draw_dynamics

        form = options.plot.suffix[1:].lower()
        drawn = draw_dynamics(points, form, options.source)
        files |= zip(figure_path.files(options.plot), drawn, strict=True)
    fits = _fits(points)
    records = _records(points, fits)
    return Report(records, _tables(records, fits), "heuristic", files=files)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``python -m numerics.simulate`` and return its exit code."""
    return run(simulation_parser(), _action, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
