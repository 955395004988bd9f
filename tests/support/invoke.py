"""Commands run within the process of the tests, as a user would run them otherwise."""

import contextlib
import importlib
import io
import sys
from importlib.util import find_spec
from pathlib import Path
from subprocess import CompletedProcess


def invoke(module: str, *options: str, folder: Path) -> CompletedProcess[str]:
    """What ``python -m MODULE OPTIONS...`` answers in a folder: exit code, stdout and stderr.

    It costs no start of Python, and what is compiled stays so. An exception that the command lets
    through is one of the test's.
    """
    package = find_spec(module).submodule_search_locations is not None
    main = importlib.import_module(f"{module}.__main__" if package else module).main
    # As real streams are: with bytes below, and an encoding that a command may change.
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2))
    with (
        contextlib.chdir(folder),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            code = main(list(options))
        except SystemExit as end:
            code = end.code
    told = [stream.buffer.getvalue().decode() for stream in (out, err)]
    return CompletedProcess([sys.executable, "-m", module, *options], code, *told)
