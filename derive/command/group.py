"""Commands by name: what there is, and the one that was asked for."""

from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from typing import Any

from derive.command.messages import fail, show, wrapped
from derive.command.parser import CommandParser
from derive.command.report import Report
from derive.command.run import run
from derive.errors import abridged, quoted


@dataclass(frozen=True)
class Command:
    """A command: what makes its parser, and what it does with the options."""

    parser: Callable[[], CommandParser]
    action: Callable[[Namespace], Report]

    def __call__(self, arguments: Sequence[str] | None = None, called: str = "") -> int:
        """Run it and return its exit code; ``called`` is what it is called in messages."""
        parser = self.parser()
        parser.prog = called or parser.prog
        return run(parser, self.action, arguments)


@dataclass(frozen=True)
class Group:
    """Commands by name, each to be imported when it is asked for.

    Fields: ``called``, how it is run; ``summary``; ``members``, commands and groups, or the modules
    that hold one as ``main``; ``notes`` below their list; ``missing``, what says why none can be
    run, if so.
    """

    called: str
    summary: str
    members: Mapping[str, "Command | Group | str"]
    notes: Callable[[], str] = str
    missing: Callable[[], str] = str

    def member(self, name: str) -> "Command | Group":
        """The command or group of a name."""
        found = self.members[name]
        return import_module(found).main if isinstance(found, str) else found

    def __call__(self, arguments: Sequence[str], called: str = "") -> int:
        """Run the command that is named first; return its exit code, 2 if there is none."""
        called = called or self.called
        name, *rest = arguments or ("",)
        if name in ("-h", "--help"):
            return show(self.listing(called), called)
        if not {"-h", "--help"} & set(rest) and (why := self.missing()):
            return fail(why, 2)
        if name in self.members:
            return self.member(name)(rest, f"{called} {name}")
        near = get_close_matches(abridged(name), self.members, n=1)
        meant = f", did you mean {near[0]}?" if near else ""
        what = quoted(name) if name else "nothing"
        *names, last = self.members
        known = f"{', '.join(names)} or {last}" if names else last
        return fail(f"{called}: error: {what} was given{meant}: give {known}", 2)

    def listing(self, called: str) -> str:
        """What there is, as wide as the terminal."""
        wide = max(map(len, self.members))
        lines = [
            wrapped(_summary(self.member(name)), f"  {name:<{wide}}  ") for name in self.members
        ]
        head = f"{called} COMMAND [OPTIONS]\n\n{wrapped(self.summary)}"
        last = f"{called} COMMAND --help shows the options and examples"
        parts = [head, "\n".join(lines), self.notes(), last]
        return "\n\n".join(filter(None, parts))


def _summary(member: Any) -> str:
    return member.summary if isinstance(member, Group) else member.parser().description or ""


def later(module: str, name: str) -> Callable[[Namespace], Report]:
    """A function that is imported when it is called, so that a help waits for no library."""

    def action(options: Namespace) -> Report:
        found: Report = getattr(import_module(module), name)(options)
        return found

    return action
