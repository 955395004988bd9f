"""Options that several commands have: what each takes, and its help, are said here alone.

A command names those it has, with its own default where it has one:

    add_shared(parser.add_argument_group("which curve"), "mu", default="0.1:0.9:9")

Its own it writes with ``option`` and adds with ``add_options``.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from derive.command.files import OutputFile, OutputFolder
from derive.command.values import integer_between
from numerics.dynamics.kinds import EXIT_BAND, EXIT_RADIUS, EXITS
from numerics.options.start import from_zero, start
from numerics.options.values import (
    Dimensions,
    Seeds,
    Strengths,
    figure_path,
    multiple_of,
    positive,
    style_path,
)
from numerics.simulation.multiple import RATES

Settings = dict[str, Any]


def option(
    kind: Callable[[str], object], metavar: str, summary: str, default: object = None, **more: Any
) -> Settings:
    """What ``add_argument`` takes for an option with a value; a default is shown in the help.

    Arguments:
        kind: from the text to the value; also of a ``default`` that is text.
        metavar: what stands for the value in the help.
        summary: the help.
        default: the value where none is given.
        more: anything else that ``add_argument`` takes.
    """
    settings: Settings = {"type": kind, "metavar": metavar, "help": summary, **more}
    if default is not None:
        settings |= {"default": default, "help": f"{summary} (default: %(default)s)"}
    return settings


def choice(kinds: Sequence[str], summary: str) -> Settings:
    """What ``add_argument`` takes for one of some kinds, of which the first is the default."""
    return {"choices": kinds, "default": kinds[0], "help": f"{summary} (default: %(default)s)"}


_counted = integer_between(1, 10**8)

SHARED: Mapping[str, Settings] = {
    "mu": option(Strengths, "GRID", "pre-training strengths: 0.3, 0.1,0.5 or START:STOP:COUNT",
                 "0.1,0.5,0.9"),
    "dimension": option(Dimensions, "D", "input dimensions, such as 1000 or 1e3,1e6,1e9", "1e3"),
    "scale": option(from_zero, "S", "initial u, and overlap, in units of 1/√d", "1"),
    "scale-u": option(from_zero, "S", "initial u apart, in these units; LoRA begins at 0 (default: "
                      "as --scale)"),
    "start": option(start, "U,M", "one state instead, such as 0.01,0.02, or FILE.nc: the last "
                    "states that --data wrote, of which each run draws one"),
    "batch": option(_counted, "B", "samples a step", 16),
    "learning-rate": option(multiple_of(*RATES), "RATE", "γ: a number, 5/d, 0.1*stable in "
                            "units of the largest stable one, or best, of the fewest samples",
                            "0.1*stable"),
    "noise": option(positive, "SD", "standard deviation of noise on the labels (default: none)"),
    "exit-by": choice(EXITS, "what has the radius at exit: |(u, m)|; the overlap |m|; what |m| is "
                      "off the strength μ, at most; or the share of the way of ρ from μ to the "
                      "teacher"),
    "radius": option(positive, "R", f"what counts as exit (default: {EXIT_RADIUS}; off the "
                     f"strength {EXIT_BAND})"),
    "replicas": option(_counted, "R", "independent runs a point", 100),
    "seed": option(Seeds, "N", "of all random streams, or several: 0,1,2", "0"),
    "results": option(OutputFolder(), "FOLDER", "keep finished cells there, and compute only "
                      "missing ones"),
    "scheduler": option(str, "ADDRESS", "of a Dask cluster that does the work"),
    "workers": option(integer_between(1, 4096), "N", "local processes (default: one a core)"),
    "plot": option(figure_path, "FILE", "also draw the result as .pdf, .png or .svg, with its "
                   "data beside as .csv, and with its caption as .tex"),
    "style": option(style_path, "FILE", "matplotlib style of the figure, before this program's "
                    "own, such as journal.mplstyle with lines as font.size: 9"),
    "certificate": option(OutputFile(("json",)), "FILE", "write there what proves the lists of "
                          "zeros of polynomial pairs, and the bounds of claims: checker.py, on the "
                          "page about certificates, verifies it without this program"),
}  # fmt: skip


def add_options(group: Any, options: Mapping[str, Settings]) -> None:
    """Add options to a parser or a group of it, by their names."""
    for name, settings in options.items():
        group.add_argument(f"--{name}", **settings)


def add_shared(group: Any, *names: str, **own: Any) -> None:
    """Add shared options by their names; ``own`` is what this command has instead.

    Arguments:
        group: of a parser.
        names: of shared options.
        own: settings that this command has instead.

    Raises ``KeyError`` for a name that no option has.
    """
    add_options(group, {name: SHARED[name] | own for name in names})
