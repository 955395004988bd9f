"""``python -m numerics.claims``: check the paper's claims and print the ledger."""

from argparse import Namespace
from collections.abc import Sequence
from dataclasses import replace

from derive.command.parser import CommandParser
from derive.command.progress import progress
from derive.command.report import Report
from derive.command.run import run
from derive.command.values import one_of
from numerics.claims.ledger import CLAIMS
from numerics.claims.presentation import Entry, ledger

# Importing a section enters its claims, in the order of the ledger.
# isort: off
from numerics.claims import calculus, search_phase, activations, hermite_students  # noqa: F401
from numerics.claims import every_degree, labels, variants, mechanics, descent  # noqa: F401
from numerics.claims import simulations, networks  # noqa: F401
# isort: on


def _parser() -> CommandParser:
    parser = CommandParser(
        "numerics.claims",
        "Check the paper's claims: proved, certified, supported, refuted or undecided. The exit "
        "code is 1 if a verdict differs from the recorded one.",
        (
            "--format markdown",
            "--claim relu-dip --claim odd-singularity",
            "--details --format json",
        ),
        libraries=("sympy", "python-flint", "numpy", "scipy", "numba"),
    )
    parser.add_argument(
        "--claim",
        action="append",
        type=one_of(lambda: CLAIMS, "claim", "--help"),
        metavar="ID",
        help="only this claim, with every step of its check; may be repeated (default: all): "
        + ", ".join(CLAIMS),
    )
    parser.add_argument(
        "--details", action="store_true", help="every step of every check, not one line a claim"
    )
    return parser


def _action(options: Namespace) -> Report:
    chosen = [CLAIMS[name] for name in options.claim or CLAIMS]
    entries = [Entry(entry, entry.found()) for entry in progress(chosen, "claims")]
    changed = [e.claim.name for e in entries if e.finding.verdict != e.claim.recorded]
    failure = f"verdicts changed: {', '.join(changed)}" if changed else ""
    return replace(ledger(entries, options.details or bool(options.claim)), failure=failure)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run ``python -m numerics.claims`` and return its exit code."""
    return run(_parser(), _action, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
