"""One-pass SGD simulated exactly in law: exit times, trajectories, and the flow beside them.

``python -m numerics.simulate --activation x --mu 0.1,0.5 --dimension 1e5``. The cost of a step does
not depend on the dimension, the number of steps does. With ``--results FOLDER`` finished cells are
kept and a run that was stopped goes on; with ``--scheduler`` a Dask cluster does the work.
"""

from argparse import Namespace
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from derive.command.group import Command
from derive.command.parser import CommandParser
from derive.command.prose import prose
from derive.command.report import Report
from derive.command.tabular import Table, Typeset, rounded
from derive.errors import InputError
from derive.tables.names import labelled_name
from numerics.options.simulation import add_simulation_options, simulations_of
from numerics.options.values import figure_files, refuse_idle_style
from numerics.simulation.multiple import policy_of

if TYPE_CHECKING:
    from derive.pair import Pair
    from numerics.simulation.exits import LogFit
    from numerics.simulation.simulated import SimulatedRuns

# What is shown.


Group: TypeAlias = "tuple[Pair, float, int]"


def _group(runs: "SimulatedRuns") -> Group:
    """What runs have in common that differ in the dimension alone."""
    return runs.simulation.pair, runs.simulation.mu, runs.simulation.seed


def _fits(simulated: Sequence["SimulatedRuns"]) -> dict[Group, "LogFit"]:
    from numerics.simulation.simulated import fit_of

    groups: dict[Group, list[SimulatedRuns]] = {}
    for runs in simulated:
        groups.setdefault(_group(runs), []).append(runs)
    found = {key: fit_of(members) for key, members in groups.items()}
    return {key: fit for key, fit in found.items() if fit}


def _shown(value: float | None) -> object:
    return "-" if value is None else rounded(value, 4)


def _tables(
    simulated: Sequence["SimulatedRuns"], fits: dict[Group, "LogFit"], policy: str
) -> list[Table]:
    records = [(labelled_name(runs.simulation.pair), runs.record()) for runs in simulated]
    tables = [
        Table(
            name="simulate",
            title=Typeset(
                "Exit times of one-pass SGD, in units of 1/γ (a simulation)",
                r"Exit times of one-pass SGD, in units of $1/\gamma$ (a simulation)",
            ),
            columns=("pair", "mu", "d", Typeset("γ", r"$\gamma$"), "escaped", "10 %", "median",
                     "90 %", "steps", "samples",
                     Typeset("½ τ log d", r"$\frac12\tau\log d$"), "with start"),
            rows=tuple(
                (
                    name,
                    _shown(r["mu"]),
                    _shown(r["dimension"]),
                    _shown(r["learning_rate"]),
                    Typeset(*[f"{r['escaped']} of {r['replicas']}"] * 2),
                    *(_shown(r["exit_time_quantiles"][q]) for q in ("0.1", "0.5", "0.9")),
                    _shown(r["exit_steps_median"]),
                    _shown(r["exit_samples_median"]),
                    _shown(r["predicted"]),
                    _shown(r["predicted_with_start"]),
                )
                for name, r in records
            ),
            notes=(prose(policy),),
        )
    ]  # fmt: skip
    return [*tables, _fit_table(fits)] if fits else tables


def _fit_table(fits: dict[Group, "LogFit"]) -> Table:
    return Table(
        name="fits",
        title=Typeset(
            "Median exit time against log d: measured slope, and τ/2",
            r"Median exit time against $\log d$: measured slope, and $\tau/2$",
        ),
        columns=("pair", "mu", "slope", "standard error", Typeset("τ/2", r"$\tau/2$")),
        rows=tuple(
            (labelled_name(pair), *map(_shown, (mu, fit.slope, fit.error, fit.half_tau)))
            for (pair, mu, _), fit in fits.items()
        ),
    )


def _records(
    simulated: Sequence["SimulatedRuns"], fits: dict[Group, "LogFit"], policy: str
) -> list[dict[str, Any]]:
    records = []
    for runs in simulated:
        fit = fits.get(_group(runs))
        records.append(runs.record() | {
            "learning_rate_policy": policy,
            "log_d_slope": fit and fit.slope,
            "log_d_slope_error": fit and fit.error,
            "half_tau": fit and fit.half_tau,
        })  # fmt: skip
    return records


# The command.


def simulation_parser() -> CommandParser:
    """The parser of the command."""
    parser = CommandParser(
        "numerics.simulate",
        "Simulate one-pass SGD exactly in law: the cost of a step does not depend on the "
        "dimension, the number of steps does.",
        (
            "--activation x --activation relu --mu 0.1,0.5,0.9 --dimension 1e3",
            "--activation x --mu 0.5 --dimension 1e2,1e3,1e4,1e5 --replicas 400 --points 0",
            "--degree 3 --mu 0.3 --first-labels squared --until-overlap 0.3 --horizon 200000",
            "--activation erf --mu 0.2,0.8 --plot dynamics.pdf --data dynamics.nc",
            "--degree 2:6 --results cells --scheduler tcp://127.0.0.1:8786",
        ),
        libraries=("sympy", "python-flint", "numpy", "scipy", "numba"),
    )
    add_simulation_options(parser)
    return parser


def _action(options: Namespace) -> Report:
    refuse_idle_style(options)
    if (options.plot or options.data) and not options.points:
        raise InputError("--points 0 records nothing to draw or keep: give --points 60")
    from numerics.simulation.run import run_simulations
    from numerics.simulation.simulated import dataset_of

    simulated = run_simulations(
        simulations_of(options),
        folder=options.results,
        scheduler=options.scheduler,
        workers=options.workers,
    )
    files: dict[Path, bytes] = {}
    if options.data:
        files[options.data] = bytes(dataset_of(simulated, options.source).to_netcdf(engine="scipy"))
    if options.plot:
        from numerics.figures.dynamics import draw_dynamics

        draw = partial(draw_dynamics, simulated, source=options.source)
        files |= figure_files(options.plot, draw, options.style, options.source)
    fits = _fits(simulated)
    policy = policy_of(options.learning_rate)
    records = _records(simulated, fits, policy)
    told = f"steps and samples are medians; learning rate: {policy}"
    return Report(records, _tables(simulated, fits, told), "heuristic", files=files)


main = Command(simulation_parser, _action)


if __name__ == "__main__":
    raise SystemExit(main())
