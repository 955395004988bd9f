"""The law of the exit time: how many steps and samples it takes to leave the search phase.

``python -m numerics.exit --activation relu --mu 0.9 --dimension 1e6 --probability 0.9``. The answer
is a law, with its one constant worked out, not a simulation: it takes no longer for large
dimensions. ``--simulate`` puts runs beside it that are exact in law.
"""

from argparse import Namespace
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from math import log
from typing import TYPE_CHECKING, Any

from derive.command.group import Command
from derive.command.parser import CommandParser
from derive.command.progress import progress
from derive.command.prose import prose
from derive.command.report import Report
from derive.command.tabular import Content, Table, Typeset, rounded
from derive.errors import Undecided
from derive.tables.names import function_name, labelled_name
from numerics.options.pairs import add_case_options
from numerics.options.shared import add_options, add_shared, option
from numerics.options.simulation import grid_of
from numerics.options.values import Probabilities, positive
from numerics.simulation.multiple import policy_of

if TYPE_CHECKING:
    from numerics.dynamics.exit_law import ExitLaw
    from numerics.simulation.design import Simulation
    from numerics.simulation.simulated import SimulatedRuns

_LAST = 0.999  # the share of runs that a simulation waits for
_LARGE = 0.2  # of what a finite learning rate takes from the growth
_CHANGED = 0.02  # of what a finite dimension changes of it


@dataclass(frozen=True)
class _Point:
    """A point of the grid: what is asked, and its law."""

    simulation: "Simulation"
    law: "ExitLaw"


@dataclass(frozen=True)
class _Compared(_Point):
    """A point with runs beside its law."""

    runs: "SimulatedRuns"

    @property
    def horizon(self) -> float:
        """The time at which runs are censored."""
        return self.simulation.learning_rate * self.law.steps(_LAST)

    @property
    def distance(self) -> float:
        """Distance of the runs from the law."""
        from numerics.simulation.exits import ks_distance

        law = self.law
        return ks_distance(self.runs.exit_times, lambda t: 1 - law.searching(t), self.horizon)


def _asked(simulation: "Simulation") -> dict[str, Any]:
    names = ("mu", "dimension", "learning_rate", "batch", "noise", "radius", "exit_by")
    return {**simulation.pair.texts, **{name: getattr(simulation, name) for name in names}}


def _record(point: _Point, options: Namespace) -> dict[str, Any]:
    simulation, law = point.simulation, point.law
    quantiles = {
        str(p): {"time": law.quantile(p), "steps": law.steps(p), "samples": law.samples(p)}
        for p in options.probability
    }
    n = options.samples
    record = {
        **_asked(simulation),
        "rate": law.rate,
        "log_k": law.constant.log_k,
        "log_k_error": law.constant.error,
        "log_k_certainty": law.constant.certainty,
        "finite_rate": law.finite_rate,
        "finite_dimension": _finite_dimension(simulation),
        "leading_order": log(simulation.dimension) / (2 * law.rate),
        "quantiles": quantiles,
        "still_searching": n and {"samples": n, "share": law.still_searching(n)},
    }
    if not isinstance(point, _Compared):
        return record
    return record | _simulated(point, options.probability)


def _finite_dimension(simulation: "Simulation") -> float:
    """By how much of it fluctuations at this d change the growth, which the law leaves out."""
    from numerics.dynamics.flow import flow_of
    from numerics.dynamics.fluctuations import growth_at

    rate = simulation.learning_rate * simulation.dimension / simulation.batch
    pair, mu, noise = simulation.pair, simulation.mu, simulation.noise
    flow = flow_of(pair, mu, scaled_rate=rate, label_noise=noise)
    return growth_at(flow, simulation.dimension) - 1


def _simulated(point: _Compared, probabilities: Sequence[float]) -> dict[str, Any]:
    from numerics.simulation.exits import ks_bound, quantile

    times, count = point.runs.exit_times, point.simulation.replicas
    return {
        "replicas": count,
        "censored": point.runs.censored,
        "simulated": {str(p): quantile(times, p) for p in probabilities},
        "ks_distance": point.distance,
        "ks_bound": ks_bound(count),
    }


# What is shown.


def _shown(value: float) -> Content:
    return rounded(value, 4)


def _tables(points: Sequence[_Point], records: Sequence[dict[str, Any]]) -> Iterable[Table]:
    names = [labelled_name(point.simulation.pair) for point in points]
    described = list(zip(names, records, strict=True))
    units = Typeset("time in 1/γ", r"time in $1/\gamma$")
    yield Table(
        name="exit",
        title=prose("When runs have left the search phase (the limit law of large d)"),
        columns=("pair", "mu", "d", "share that has left", units, "steps", "samples"),
        rows=tuple(
            (name, *map(_shown, (r["mu"], r["dimension"], float(p), *found.values())))
            for name, r in described
            for p, found in r["quantiles"].items()
        ),
    )
    yield _constants(described)
    if records[0]["still_searching"]:
        yield Table(
            name="searching",
            title=prose("Runs that are still in the search phase"),
            columns=("pair", "mu", "d", "samples", "share"),
            rows=tuple(
                (name, *map(_shown, (r["mu"], r["dimension"], *r["still_searching"].values())))
                for name, r in described
            ),
        )
    if "simulated" in records[0]:
        yield _comparison(described)


_SLOWED = ("the noise slows the growth at the exit by {finite_rate:.2g} of it, where the law needs "
           "a larger d: give a smaller learning rate, or --simulate")  # fmt: skip
_FLUCTUATES = ("fluctuations at this d may change the growth by {finite_dimension:+.1%}, which the "
               "law leaves out: give a smaller learning rate, or --simulate")  # fmt: skip


def _constants(described: Sequence[tuple[Typeset, dict[str, Any]]]) -> Table:
    slowed = [(name, r) for name, r in described if r["finite_rate"] > _LARGE]
    changed = [(name, r) for name, r in described if abs(r["finite_dimension"]) > _CHANGED]
    return Table(
        name="constants",
        title=Typeset("What the law is made of: T = (½ log d + log K - log |X|)/λ",
                      r"What the law is made of: $T = (\frac12\log d + \log K - \log|X|)/\lambda$"),
        columns=("pair", "mu", "d", Typeset("γ", r"$\gamma$"), Typeset("B", "$B$"),
                 Typeset("λ", r"$\lambda$"), Typeset("log K", r"$\log K$"), "its error",
                 Typeset("½ τ log d", r"$\frac12\tau\log d$")),
        rows=tuple(
            (name, *map(_shown, (r["mu"], r["dimension"], r["learning_rate"], r["batch"],
                                 r["rate"], r["log_k"])),
             prose(f"{r['log_k_error']:.0e} {r['log_k_certainty']}"),
             _shown(r["leading_order"]))
            for name, r in described
        ),
        notes=tuple(
            _told(name, f"mu {r['mu']:g}, d {r['dimension']:g}: {said}")
            for found, told in ((slowed, _SLOWED), (changed, _FLUCTUATES))
            for name, r in found
            for said in [told.format(**r)]
        ),
    )  # fmt: skip


def _told(name: Typeset, text: str) -> Typeset:
    said = prose(text)
    return Typeset(f"{name.plain}, {said.plain}", f"{name.latex}, {said.latex}")


def _comparison(described: Sequence[tuple[Typeset, dict[str, Any]]]) -> Table:
    return Table(
        name="simulated",
        title=Typeset("Runs of SGD beside the law, in units of 1/γ (a simulation)",
                      r"Runs of SGD beside the law, in units of $1/\gamma$ (a simulation)"),
        columns=("pair", "mu", "d", "share that has left", "law", "runs"),
        rows=tuple(
            (name, *map(_shown, (r["mu"], r["dimension"], float(p), r["quantiles"][p]["time"],
                                 time)))
            for name, r in described
            for p, time in r["simulated"].items()
        ),
        notes=tuple(
            _told(name, f"mu {r['mu']:g}, d {r['dimension']:g}: Kolmogorov-Smirnov distance "
                        f"{r['ks_distance']:.3g}, {r['replicas']} runs "
                        f"(by chance {r['ks_bound']:.2g})")
            for name, r in described
        ),
    )  # fmt: skip


# The command.

_QUESTIONS = {
    "probability": option(Probabilities, "P", "shares that have left, such as 0.99 or 0.1,0.5,0.9",
                          "0.1,0.5,0.9"),
    "samples": option(positive, "N",
                      "also the share that still searches after so many samples, such as 1e7"),
}  # fmt: skip


def _parser() -> CommandParser:
    parser = CommandParser(
        "numerics.exit",
        "How many steps and samples one-pass SGD takes to leave the search phase: the law.",
        (
            "--activation relu --mu 0.9 --dimension 1e6 --probability 0.9",
            "--degree 3 --mu 0.6 --dimension 1e4,1e6 --learning-rate 0.01/d --samples 1e7",
            "--activation x --mu 0.5 --learning-rate 0.1/d --simulate --replicas 400",
            "--activation erf --labels squared --mu 0.2:0.8:4 --batch 1 --format json",
        ),
        libraries=("sympy", "python-flint", "numpy", "scipy", "numba"),
    )
    add_case_options(parser, misalignment=True, simulated=True)
    add_shared(parser.add_argument_group("who learns"), "mu", "dimension", "scale", "scale-u",
               "start")  # fmt: skip
    add_shared(parser.add_argument_group("how it learns"), "learning-rate", "batch", "noise")
    asked = parser.add_argument_group("what is asked")
    add_options(asked, _QUESTIONS)
    add_shared(asked, "exit-by", "radius")
    beside = parser.add_argument_group("runs beside it")
    beside.add_argument(
        "--simulate",
        action="store_true",
        help=f"also simulate runs, exactly in law, until all but {1 - _LAST:.1g} should have left",
    )
    add_shared(beside, "replicas", "seed", "results", "scheduler", "workers")
    return parser


def _points(options: Namespace) -> tuple[list[_Point], list[dict[str, Any]]]:
    """The grid that the options stand for, with its laws; and where there are none, why.

    Raises what the first has if none has a law.
    """
    from numerics.dynamics.exit_law import NoExit, exit_law

    simulations = grid_of(options, horizon=1, records=0)
    points: list[_Point] = []
    without: list[dict[str, Any]] = []
    for each in progress(simulations, "laws"):
        try:
            points.append(_Point(each, exit_law(each.learner, each.radius, each.exit_by)))
        except (NoExit, Undecided) as reason:
            if len(without) == len(simulations) - 1:
                raise
            without.append(_asked(each) | {"no_exit": str(reason)})
    return points, without


def _with_runs(points: Sequence[_Point], options: Namespace) -> list[_Compared]:
    from numerics.simulation.design import Simulation
    from numerics.simulation.run import run_simulations

    longer = [
        Simulation.of_cell({**each.simulation.cell(0, each.simulation.replicas),
                            "horizon": each.law.steps(_LAST)})
        for each in points
    ]  # fmt: skip
    found = run_simulations(longer, folder=options.results, scheduler=options.scheduler,
                            workers=options.workers)  # fmt: skip
    return [_Compared(runs.simulation, point.law, runs)
            for point, runs in zip(points, found, strict=True)]  # fmt: skip


def _action(options: Namespace) -> Report:
    laws, without = _points(options)
    points = _with_runs(laws, options) if options.simulate else laws
    records = [_record(point, options) for point in points]
    first, *others = _tables(points, records)
    policy = policy_of(options.learning_rate)
    records = [record | {"learning_rate_policy": policy} for record in records]
    notes = [
        _told(function_name(r["student"]), "mu {mu:g}, d {dimension:g}: {no_exit}".format(**r))
        for r in without
    ]
    notes.append(prose(f"learning rate: {policy}"))
    return Report([*records, *without], [replace(first, notes=tuple(notes)), *others], "heuristic")


main = Command(_parser, _action)


if __name__ == "__main__":
    raise SystemExit(main())
