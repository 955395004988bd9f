"""Extras: what a command needs beyond a plain installation, and how to install it."""

from collections.abc import Sequence
from importlib.util import find_spec

PAGES = ("jinja2", "math_core")  # what pages take, of the extra reproduce


def missing(what: str, extra: str, modules: Sequence[str]) -> str:
    """Which modules of an extra are not installed, and what helps; nothing if all are there.

    Arguments:
        what: what needs them, as the sentence begins.
        extra: by its name.
        modules: that it installs.

    >>> missing("counting", "numbers", ["math"])
    ''
    """
    absent = [name for name in modules if find_spec(name) is None]
    if not absent:
        return ""
    return (
        f"{what} needs {', '.join(absent)}: install the extra, "
        f"in a checkout: pip install -c constraints.txt '.[{extra}]'"
    )
