"""The figure of a report: the law of the exit time with the runs that it is compared with."""

import numpy as np
from matplotlib.figure import Figure

from derive.command.palette import OKABE_ITO
from numerics.doubles.arrays import Doubles
from numerics.dynamics.exit_law import ExitLaw
from numerics.figures.style import COLUMN_WIDTH, drawn, own_style


def draw_law(law: ExitLaw, exit_times: Doubles, horizon: float, source: str) -> bytes:
    """Draw the share of runs that still search over time, as the law has it and as runs do.

    Arguments:
        law: of the exit time.
        exit_times: of the runs, infinite where censored.
        horizon: the time up to which they ran.
        source: provenance that is written into the file.

    The result is a file of SVG. A simulation supports the law, a limit; it certifies nothing.
    """
    times = np.linspace(0, horizon, 400)
    searching = (exit_times[None, :] > times[:, None]).mean(axis=1)
    with own_style():
        figure = Figure(figsize=(COLUMN_WIDTH, 1.9), layout="constrained")
        axis = figure.subplots()
        runs, theory = OKABE_ITO["orange"], OKABE_ITO["blue"]
        axis.step(times, searching, where="post", color=runs, label="runs")
        axis.plot(times, law.searching(times), color=theory, linestyle="--", label="law")
        axis.set(xlabel=r"time (units of $1/\gamma$)", ylabel="share still searching")
        axis.set(xlim=(0, horizon), ylim=(0, 1.02))
        axis.legend()
        head = ("time", "law", "runs")
        rows = zip(times, law.searching(times), searching, strict=True)
        return drawn(figure, "svg", source, head, rows)[0]
