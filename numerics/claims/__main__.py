"""``python -m numerics.claims``: check the paper's claims and print the ledger."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from derive.command.group import Command, later
from derive.command.parser import CommandParser
from derive.command.values import one_of
from numerics.options.shared import add_shared

if TYPE_CHECKING:
    from numerics.claims.ledger import Entry


def _claims() -> Mapping[str, "Entry"]:
    from numerics.claims import CLAIMS  # every section, with what it computes with

    return CLAIMS


def _kinds() -> Iterable[str]:
    from numerics.claims.ledger import KINDS

    return KINDS


def _parser() -> CommandParser:
    parser = CommandParser(
        "numerics.claims",
        "Check the ledger: the paper's claims (proved, certified, supported, refuted or "
        "undecided), its assumptions (met or not), stored curves of the authors' code (reproduced "
        "or differing), and findings beyond the paper. The exit code is 1 if a verdict differs "
        "from the recorded one.",
        (
            "--format markdown",
            "--list",
            "--claim relu-dip --claim odd-singularity",
            "--kind assumption --details",
            "--details --format json",
            "--claim singularities-list --certificate certificates.json",
        ),
        libraries=("sympy", "python-flint", "numpy", "scipy", "numba"),
    )
    parser.add_argument(
        "--claim",
        action="append",
        type=one_of(_claims, "claim", "--list"),
        metavar="ID",
        help="only this entry, with every step of its check; may be repeated (default: all)",
    )
    parser.add_argument(
        "--kind",
        action="append",
        type=one_of(_kinds, "kind of entry", "the documentation"),
        help="only entries of this kind: claim, assumption, 'stored curve' or 'beyond the paper'; "
        "may be repeated (default: all)",
    )
    parser.add_argument(
        "--details", action="store_true", help="every step of every check, not one line a claim"
    )
    parser.add_argument(
        "--list", action="store_true", help="say which claims there are, and check none"
    )
    add_shared(parser, "certificate")
    return parser


main = Command(_parser, later("numerics.claims.presentation", "checked"))


if __name__ == "__main__":
    raise SystemExit(main())
