"""The tasks that come with the package, by name; to read one is the matter of ``task``."""

from pathlib import Path

FOLDER = Path(__file__).parents[1] / "tasks"
SCALES = ("paper",)  # files of the folder tasks/scales


def shipped_tasks() -> list[str]:
    """Names of the tasks that come with the package.

    >>> "demo" in shipped_tasks()
    True
    """
    return sorted(path.stem for path in FOLDER.glob("*.toml"))
