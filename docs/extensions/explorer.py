"""The explorer beside the pages: made when they are built, unless this version of it is there."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

from extensions.gallery import sources

FILE = "explorer.html"


def _make(app: Sphinx) -> None:
    made = Path(app.doctreedir, "figures", sources(), FILE)
    if app.builder.format != "html" or made.exists():
        return
    made.parent.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "numerics.explorer", "--output", str(made)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ExtensionError(f"the explorer was not made: {done.stderr.strip()}")


def _place(app: Sphinx, exception: Exception | None) -> None:
    if exception is None and app.builder.format == "html":
        made = Path(app.doctreedir, "figures", sources(), FILE)
        shutil.copyfile(made, Path(app.outdir, "_static", FILE))


def setup(app: Sphinx) -> dict[str, Any]:
    """Make it before the pages are read, and place it when they are written."""
    app.connect("builder-inited", _make)
    app.connect("build-finished", _place)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
