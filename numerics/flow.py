"""The flow of the order parameters in large dimensions, at a finite learning rate or none.

``python -m numerics.flow --activation erf --mu 0.5 --scaled-rate 0,1``. In the limit of large d at
a fixed γd/B one-pass SGD follows this flow from any start; 0 is the limit of small steps. For any
activation.
"""

from argparse import ArgumentTypeError, Namespace
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from derive.command.group import Command
from derive.command.parser import CommandParser
from derive.command.report import Report
from derive.command.tabular import Table, Typeset, rounded
from derive.command.values import integer_between
from derive.errors import InputError, quoted
from derive.tables.names import labelled_name
from numerics.options.pairs import add_case_options, chosen_pairs
from numerics.options.shared import add_options, add_shared, option
from numerics.options.start import from_zero, start
from numerics.options.values import positive

if TYPE_CHECKING:
    from derive.pair import Pair

_REACH = 8.0  # of a path given no time, in units of τ
_MOST_ROWS = 10**5


class ScaledRates(tuple[float, ...]):
    """Values of γd/B read from text: ``1`` or a list ``0,0.5,2``.

    >>> list(ScaledRates("0,0.5"))
    [0.0, 0.5]
    """

    text: str

    def __new__(cls, text: str) -> "ScaledRates":
        """Parse ``text``."""
        self = super().__new__(cls, dict.fromkeys(map(from_zero, text.split(","))))
        self.text = text
        return self

    def __str__(self) -> str:
        return self.text


def _one_state(text: str) -> tuple[float, ...]:
    found = start(text)
    if not isinstance(found, tuple):
        raise ArgumentTypeError(f"{quoted(text)} is not accepted: give one state, such as 0.1,-0.2")
    return found[0]


_OWN = {
    "start": option(_one_state, "U,M", "where it begins, such as 0.1,-0.2 (default: 0.01 of each)"),
    "scaled-rate": option(ScaledRates, "LIST", "γd/B, learning rate times dimension over batch; 0 "
                          "is the limit of small steps", "0,1"),
}  # fmt: skip
_SHOWN = {
    "time": option(positive, "T", "up to it, in 1/γ (default: to the end)"),
    "points": option(integer_between(2, 10**4), "K", "equally spaced times", 9),
}


def _parser() -> CommandParser:
    parser = CommandParser(
        "numerics.flow",
        "The flow that one-pass SGD follows in large dimensions, at a learning rate of order 1/d.",
        (
            "--activation erf --mu 0.5 --scaled-rate 0,1,4",
            "--degree 3 --mu 0.6 --scaled-rate 0.1 --start 0.1,-0.2 --time 5",
            "--activation tanh --mu 0.3 --noise 0.5 --format csv",
        ),
        libraries=("sympy", "numpy", "scipy"),
    )
    add_case_options(parser, misalignment=True, simulated=True)
    learner = parser.add_argument_group("who learns")
    add_shared(learner, "mu", default="0.5")
    add_options(learner, _OWN)
    add_shared(learner, "noise")
    add_options(parser.add_argument_group("what is shown"), _SHOWN)
    return parser


def _records(options: Namespace) -> Iterator[tuple["Pair", dict[str, Any]]]:
    """A row for each time of each path."""
    from derive.labels import MATCHED

    labels = options.labels or (MATCHED,)
    for make in chosen_pairs(options):
        for each in labels:
            pair = make(labels=each, loss=options.loss, misalignment=options.misalignment)
            for mu in options.mu:
                for rate in options.scaled_rate:
                    yield from ((pair, row) for row in _path(pair, float(mu), rate, options))


def _path(pair: "Pair", mu: float, rate: float, options: Namespace) -> Iterator[dict[str, Any]]:
    import numpy as np

    from numerics.dynamics.flow import flow_of, integrate

    noise = options.noise or 0.0
    flow = flow_of(pair, mu, scaled_rate=rate, label_noise=noise)
    begin = options.start or (0.01,) * flow.size
    if options.time is None and not flow.escapes():
        raise InputError(f"no escape at μ = {mu:g}, so τ is no unit: give --time")
    end = options.time if options.time else _REACH / flow.rate()
    times = np.linspace(0.0, end, options.points)
    states = integrate(flow, begin, end).at(times)
    observed = flow.loss(states), flow.alignment(states)
    names = ("u", "m", "kappa")[: flow.size]
    for time, state, loss, alignment in zip(times, states, *observed, strict=True):
        yield {
            **pair.texts,
            "mu": mu,
            "scaled_rate": rate,
            "noise": noise,
            "time": float(time),
            **dict(zip(names, map(float, state), strict=True)),
            "population_loss": float(loss),
            "alignment": float(alignment),
        }


def _action(options: Namespace) -> Report:
    size = len(options.mu) * len(options.scaled_rate) * options.points
    if size > _MOST_ROWS:
        raise InputError(f"{size} rows a pair are too many: give fewer strengths, rates or points")
    found = list(_records(options))
    measured = ("time", "u", "m", *(("kappa",) if options.misalignment != "none" else ()),
                "population_loss", "alignment")  # fmt: skip
    table = Table(
        name="flow",
        title=Typeset(
            "The flow of large dimensions at a fixed γd/B; times in 1/γ",
            r"The flow of large dimensions at a fixed $\gamma d/B$; times in $1/\gamma$",
        ),
        columns=(
            "pair",
            "mu",
            Typeset("γd/B", r"$\gamma d/B$"),
            *(name.replace("_", " ") for name in measured),
        ),
        rows=tuple(
            (
                labelled_name(pair),
                *(
                    rounded(row[name], 4) if name in row else "-"
                    for name in ("mu", "scaled_rate", *measured)
                ),
            )
            for pair, row in found
        ),
    )
    return Report([row for _, row in found], [table], "heuristic")


main = Command(_parser, _action)


if __name__ == "__main__":
    raise SystemExit(main())
