"""A learner's start and end: the texts of a start, and what a simulation takes of both."""

import re
from argparse import ArgumentTypeError, Namespace
from pathlib import Path
from typing import Any

from derive.errors import InputError, quoted, told_by
from numerics.dynamics.kinds import Starts
from numerics.options.values import positive

_NUMBER = r"[+-]?(\d{1,15}(\.\d{0,15})?|\.\d{1,15})(e[+-]?\d{1,2})?"
_MOST_STARTS = 10**4


def from_zero(text: str) -> float:
    """Option type for a number that may be 0.

    >>> from_zero("0"), from_zero("1e-3")
    (0.0, 0.001)
    """
    zero = re.fullmatch(r"0(\.0*)?", text, re.ASCII)
    return 0.0 if zero else positive(text)


def start(text: str) -> Starts | Path:
    """Option type for a start: the numbers of one state, or the file of many.

    >>> start("0.01,-0.02")
    ((0.01, -0.02),)
    """
    parts = text.split(",")
    if all(re.fullmatch(_NUMBER, part, re.ASCII) for part in parts) and 2 <= len(parts) <= 3:
        return (tuple(map(float, parts)),)
    if text.endswith(".nc"):
        return Path(text)
    raise ArgumentTypeError(
        f"{quoted(text)} is not accepted: give u,m, such as 0.01,0.02, for misaligned pre-training "
        "u,m,κ, or FILE.nc as --data writes it"
    )


def start_and_end(options: Namespace) -> dict[str, Any]:
    """What the options say, as ``numerics.simulation.design.Simulation`` takes it.

    Raises ``InputError`` for a file that holds no states.
    """
    given, names = options.start, ("scale", "scale_u", "exit_by", "radius")
    starts = _states(given) if isinstance(given, Path) else given or ()
    return {"starts": starts, **{name: getattr(options, name) for name in names}}


def _states(path: Path) -> Starts:
    """The last state of each run in a file of one point; that of a diverged or stopped one too."""
    import numpy as np
    from xarray import open_dataset  # its import costs a second, and pandas

    try:
        with open_dataset(path) as data:
            (runs,) = np.asarray(data["state"].transpose("point", "replica", "record", "parameter"))
    except (OSError, KeyError, ValueError) as reason:
        raise InputError(
            f"{path} holds no states of one point ({told_by(reason)}): give a file that "
            "simulate --data wrote for a single strength and dimension"
        ) from None
    known = np.isfinite(runs).all(axis=-1)
    last = known.shape[1] - 1 - known[:, ::-1].argmax(axis=1)
    states = runs[np.arange(len(runs)), last][known.any(axis=1)]
    if not 1 <= len(states) <= _MOST_STARTS:
        raise InputError(f"{path} holds {len(states)} states: give one with 1 to {_MOST_STARTS}")
    return tuple(tuple(map(float, state)) for state in states)
