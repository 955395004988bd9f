"""The manner all commands share: options, formats, errors, exit codes, files, provenance.

A command declares its options on a ``CommandParser`` and hands ``run`` a function from the parsed
options to its ``Outcome``. Exit codes: 0 done, 1 the result is undecided or could not be made or
written, 2 bad usage, 130 interrupted, 143 and 129 ended by SIGTERM and SIGHUP. Errors are one line
on stderr, of at most 300 characters; a file is complete or absent.
"""

import argparse
import logging
import re
from collections.abc import Sequence
from typing import Any, NoReturn

from derive.command.files import output_path
from derive.command.messages import fail, show

FORMATS = ("text", "json", "csv", "latex", "markdown")


def _is_no_talk_of_caches(record: logging.LogRecord) -> bool:
    """Whether a library says more than where, in want of a home, it keeps what."""
    return not re.search("cache|mkdir", record.getMessage())


for _name in ("matplotlib", "matplotlib.font_manager"):  # it talks when it is imported
    logging.getLogger(_name).addFilter(_is_no_talk_of_caches)


class CommandParser(argparse.ArgumentParser):
    """Parser with the options every command has: ``--format``, ``--output``, ``--help``.

    Arguments: ``module``, run as ``python -m module``; ``summary``, one sentence; ``examples``,
    option strings shown under ``--help``; ``default_format``.
    """

    def __init__(
        self, module: str, summary: str, examples: Sequence[str], default_format: str = "text"
    ) -> None:
        shown = "\n".join(f"  python -m {module} {example}" for example in examples)
        super().__init__(
            prog=f"python -m {module}",
            description=summary,
            epilog=f"examples:\n{shown}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        self.add_argument(
            "--format",
            choices=FORMATS,
            default=default_format,
            help=f"form of the result (default: {default_format})",
        )
        self.add_argument(
            "--output",
            metavar="FILE",
            type=output_path,
            help="write the result there, whole or not at all, instead of printing it",
        )

    def error(self, message: str) -> NoReturn:
        """Report bad usage in one line and leave with exit code 2."""
        raise SystemExit(fail(f"{self.prog}: error: {message}", 2))

    def print_help(self, file: Any = None) -> None:
        """Show the help; it can fail to be written like any result."""
        raise SystemExit(show(self.format_help().rstrip(), self.prog))
