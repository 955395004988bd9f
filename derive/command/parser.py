"""The manner all commands share: options, formats, errors in one line, help with examples.

A command declares its options on a ``CommandParser`` and hands ``run`` a function from the parsed
options to its ``Report``. Errors are one line on stderr, of at most 300 characters.
"""

import argparse
import logging
import re
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

from derive.command.files import OutputFile, OutputFolder, refuse_shared
from derive.command.messages import fail, show, wrapped
from derive.errors import abridged, quoted

FORMATS = ("text", "json", "csv", "latex", "markdown")


def _is_no_talk_of_caches(record: logging.LogRecord) -> bool:
    """Whether a library says more than where, in want of a home, it keeps what."""
    return not re.search("cache|mkdir", record.getMessage())


for _name in ("matplotlib", "matplotlib.font_manager"):  # it talks when it is imported
    logging.getLogger(_name).addFilter(_is_no_talk_of_caches)


class CommandParser(argparse.ArgumentParser):
    """Parser with the options every command has: ``--format``, ``--output``, ``--help``.

    Arguments:
        module: run as ``python -m module``.
        summary: one sentence.
        examples: option strings shown under ``--help``.
        default_format: what ``--format`` is where it is not given.
        libraries: the distributions that have a part in every result.
        output: what ``--output`` is where it is not given, for results that cannot be printed.
    """

    def __init__(
        self,
        module: str,
        summary: str,
        examples: Sequence[str],
        *,
        default_format: str = "text",
        libraries: Sequence[str] = ("sympy", "python-flint"),
        output: Path | None = None,
    ) -> None:
        super().__init__(
            prog=f"python -m {module}",
            description=summary,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        self.module, self.examples, self.libraries = module, examples, libraries
        # As from Python 3.14 on, values such as -1:1:3 and -1/2 are no options.
        self._negative_number_matcher = re.compile(r"-\.?\d")
        self.add_argument(
            "--format",
            choices=FORMATS,
            default=default_format,
            help="form of the result (default: %(default)s)",
        )
        self.add_argument(
            "--output",
            metavar="FILE",
            type=OutputFile(),
            default=output,
            help="write the result there, whole or not at all"
            + (" (default: %(default)s)" if output else ", instead of printing it"),
        )

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse; refuse unknown options, with the nearest known one, and one file written twice."""
        options, unknown = self.parse_known_args(args, namespace)
        if unknown:
            known = [name for action in self._actions for name in action.option_strings]
            word = unknown[0].partition("=")[0]
            near = get_close_matches(abridged(word), known, n=1) if word.startswith("-") else []
            meant = f", did you mean {near[0]}?" if near else ""
            self.error(f"{quoted(word)} is not accepted{meant}; --help shows what is")
        refuse_shared(
            (action.option_strings[-1], file)
            for action in self._actions
            if isinstance(action.type, OutputFile | OutputFolder)
            and getattr(options, action.dest) is not None
            for file in action.type.files(getattr(options, action.dest), options)
        )
        return options

    def format_help(self) -> str:
        """The help, as wide as the terminal, with the examples as the command is called."""
        self.description = wrapped(self.description or "")
        self.epilog = "\n".join(["examples:", *(f"  {self.prog} {each}" for each in self.examples)])
        return super().format_help()

    def error(self, message: str) -> NoReturn:
        """Report bad usage in one line and leave with exit code 2."""
        raise SystemExit(fail(f"{self.prog}: error: {message}", 2))

    def print_help(self, file: Any = None) -> None:
        """Show the help; it can fail to be written like any result."""
        raise SystemExit(show(self.format_help().rstrip(), self.prog))
