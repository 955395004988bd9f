"""What a number of samples buys at each pre-training strength, and how far to pre-train.

``python -m numerics.budget --activation erf --dimension 1e4 --samples 1e6``. The expected loss is
that of a law, with the descent worked out, not of a simulation: the cost of the answer does not
depend on the dimension, while the number of steps that it speaks of does. ``--simulate`` puts runs
beside it that are exact in law.
"""

from argparse import Namespace
from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from derive.command.group import Command
from derive.command.parser import CommandParser
from derive.command.prose import prose
from derive.command.report import Record, Report, spread
from derive.command.tabular import Table, Typeset, rounded, typeset
from derive.tables.names import labelled_name
from numerics.options.pairs import add_case_options
from numerics.options.shared import add_options, add_shared, option
from numerics.options.simulation import grid_of
from numerics.options.values import figure_files, positive, refuse_idle_style
from numerics.simulation.multiple import policy_of

if TYPE_CHECKING:
    from numerics.simulation.budget import Budget
    from numerics.simulation.design import Simulation

_OVER_STRENGTH = ("mu", "learning_rate", "frozen_loss", "expected_loss", "expected_loss_error",
                  "loss_10", "loss_90", "still_searching")  # fmt: skip
_OF_RUNS = {"loss": "loss of runs", "loss_error": "its error", "still_searching": "searching"}
_ASKED = {
    "samples": option(positive, "N", "how many there are, such as 1e6", required=True),
}


def _parser() -> CommandParser:
    parser = CommandParser(
        "numerics.budget",
        "Say what samples buy at each pre-training strength, and how far to pre-train.",
        (
            "--activation erf --dimension 1e4 --samples 1e6",
            "--degree 3 --samples 3e6 --learning-rate 2e-5 --plot budget.pdf",
            "--activation relu --samples 1e7 --dimension 1e5 --learning-rate best --noise 0.1",
            "--activation x --samples 1e5 --mu 0.1:0.9:17 --format json",
            "--activation x --samples 2e4 --batch 4 --mu 0.1:0.9:5 --simulate --replicas 400",
        ),
        libraries=("sympy", "python-flint", "numpy", "scipy", "numba"),
    )
    add_case_options(parser, misalignment=True, simulated=True)
    asked = parser.add_argument_group("what is asked")
    add_options(asked, _ASKED)
    add_shared(asked, "mu", default="0.05:0.95:19")
    add_shared(asked, "radius", "plot", "style")
    add_shared(parser.add_argument_group("who learns"), "dimension", "scale", "scale-u")
    add_shared(parser.add_argument_group("how it learns"), "learning-rate", "batch", "noise")
    beside = parser.add_argument_group("runs beside it")
    beside.add_argument("--simulate", action="store_true",
                        help="also simulate runs up to the samples, exactly in law")  # fmt: skip
    add_shared(beside, "replicas", "seed", "results", "scheduler", "workers")
    # The law is of a small start and of one exit.
    parser.set_defaults(start=None, exit_by="state")
    return parser


def _budgets(options: Namespace) -> "list[tuple[Budget, Budget | None]]":
    """The budget of each pair and dimension, and that at the best rates if it is not that."""
    from numerics.simulation.budget import budget_of, insist_on_runs
    from numerics.simulation.design import Simulation

    def learnt(first: "Simulation", rate: object, mu: Fraction) -> "Simulation":
        return Simulation.of_cell({**first.cell(0, 1), "mu": float(mu), "learning_rate": rate})

    found = []
    for first in grid_of(options, mu=options.mu[:1], horizon=1, records=0):
        if options.simulate:
            insist_on_runs(options.samples, first.batch, options.replicas)
        own, tuned = (
            budget_of(options.samples, first.pair, options.mu, partial(learnt, first, rate))
            if rate
            else None
            for rate in (options.learning_rate, _other(options))
        )
        assert own is not None
        found.append((own, tuned))
    return _with_runs(found, options) if options.simulate else found


def _with_runs(
    budgets: "Sequence[tuple[Budget, Budget | None]]", options: Namespace
) -> "list[tuple[Budget, Budget | None]]":
    """The same with runs of all strengths beside them, at the learning rates asked for."""
    from numerics.simulation.run import run_simulations

    watched = [own.watched(options.replicas) for own, _ in budgets]
    runs = iter(run_simulations([each for group in watched for each in group],
                                folder=options.results, scheduler=options.scheduler,
                                workers=options.workers))  # fmt: skip
    return [
        (own.beside(list(islice(runs, len(group)))), tuned)
        for (own, tuned), group in zip(budgets, watched, strict=True)
    ]


def _other(options: Namespace) -> str | None:
    return None if options.learning_rate.unit == "*best" else "best"


def _record(own: "Budget", tuned: "Budget | None", options: Namespace) -> dict[str, Any]:
    compared = ("learning_rate", "expected_loss", "still_searching", "best", "best_left",
                "break_even", "avoid", "half_searching")  # fmt: skip
    record = {
        **own.record(),
        "learning_rate_policy": policy_of(options.learning_rate),
        "advice": own.advice(),
        "tuned": None,
    }
    if tuned is None:
        return record
    best = tuned.record()
    return record | {"tuned": {name: best[name] for name in compared} | {"advice": tuned.advice()}}


def _shown(value: float) -> object:
    return rounded(value, 3)


def _table(own: "Budget", record: dict[str, Any]) -> Table:
    name = labelled_name(own.simulations[0].pair)
    asked = (f"d = {record['dimension']:g}, {record['samples']:,} samples in "
             f"{record['steps']:,} steps of {record['batch']}")  # fmt: skip
    policy = f"learning rate: {record['learning_rate_policy']}"
    notes = [f"{policy}; the cost of a step does not depend on d, the number of steps does",
             record["advice"]]  # fmt: skip
    if record["tuned"]:
        notes.append(f"with the best rate of each strength: {record['tuned']['advice']}")
    runs = record["simulated"]
    if runs:
        notes.append(f"{runs['replicas']} runs a strength (a simulation): {runs['within_error']} "
                     f"of {len(record['mu'])} mean losses are within the error of the law and "
                     "three of their own")  # fmt: skip
    if record["singularities"] is None:
        notes.append("whether there are singularities between these strengths is undecided")
    return Table(
        name="budget",
        title=Typeset(f"Expected loss of {name.plain}: {asked} (the limit law of large d)",
                      f"Expected loss of {name.latex}: {typeset(asked)} (the limit law of large "
                      "$d$)"),
        columns=("mu", Typeset("γ", r"$\gamma$"), "at the start", "expected loss", "its error",
                 "10 % of runs", "90 % of runs", "still searching",
                 *(_OF_RUNS.values() if runs else ())),
        rows=tuple(
            tuple(map(_shown, point))
            for point in zip(*(record[key] for key in _OVER_STRENGTH),
                             *(runs[key] for key in _OF_RUNS if runs), strict=True)
        ),
        notes=tuple(map(prose, notes)),
    )  # fmt: skip


def _rows(record: dict[str, Any]) -> Iterator[Record]:
    """One flat record a strength, for CSV."""
    own = {name: value for name, value in record.items() if name not in ("tuned", "simulated")}
    runs = {f"simulated_{name}": (record["simulated"] or {}).get(name) for name in _OF_RUNS}
    kept = {name: value for name, value in runs.items() if value is not None}
    return spread({**own, **kept}, *_OVER_STRENGTH, *kept)


def _action(options: Namespace) -> Report:
    refuse_idle_style(options)
    budgets = _budgets(options)
    records = [_record(own, tuned, options) for own, tuned in budgets]
    tables = [_table(own, record) for (own, _), record in zip(budgets, records, strict=True)]
    files = {}
    if options.plot:
        from numerics.figures.budget import draw_budget  # matplotlib

        draw = partial(draw_budget, budgets, source=options.source)
        files = figure_files(options.plot, draw, options.style, options.source)
    rows: Sequence[Any] = [row for record in records for row in _rows(record)]
    return Report(records, tables, "heuristic", rows, files)


main = Command(_parser, _action)


if __name__ == "__main__":
    raise SystemExit(main())
