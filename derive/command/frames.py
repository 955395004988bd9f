"""Rows as a data frame, and axes to draw on: what needs pandas or matplotlib, when asked for."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from derive.command.extras import missing
from derive.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from pandas import DataFrame


def frame(columns: Mapping[str, Any], **attributes: str) -> "DataFrame":
    """Columns of equal length as a pandas data frame, what they share in its ``attrs``.

    Raises ``InputError`` without pandas.
    """
    if missing("a data frame", "", ["pandas"]):
        raise InputError("a data frame needs pandas, which is not installed: pip install pandas")
    from pandas import DataFrame

    made = DataFrame(dict(columns))
    made.attrs.update(attributes)
    return made


def axes_for(given: "Axes | None") -> "Axes":
    """The given axes, or those of a new figure in the user's own style."""
    if given is not None:
        return given
    from matplotlib.figure import Figure

    return Figure(figsize=(5, 3), layout="constrained").subplots()
