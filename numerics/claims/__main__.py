"""``python -m numerics.claims``: check the paper's claims and print the ledger."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from derive.command.group import Command, later
from derive.command.parser import CommandParser
from derive.command.values import one_of

if TYPE_CHECKING:
    from numerics.claims.ledger import Claim


def _claims() -> Mapping[str, "Claim"]:
    from numerics.claims import CLAIMS  # every section, with what it computes with

    return CLAIMS


def _parser() -> CommandParser:
    parser = CommandParser(
        "numerics.claims",
        "Check the paper's claims: proved, certified, supported, refuted or undecided. The exit "
        "code is 1 if a verdict differs from the recorded one.",
        (
            "--format markdown",
            "--list",
            "--claim relu-dip --claim odd-singularity",
            "--details --format json",
        ),
        libraries=("sympy", "python-flint", "numpy", "scipy", "numba"),
    )
    parser.add_argument(
        "--claim",
        action="append",
        type=one_of(_claims, "claim", "--list"),
        metavar="ID",
        help="only this claim, with every step of its check; may be repeated (default: all)",
    )
    parser.add_argument(
        "--details", action="store_true", help="every step of every check, not one line a claim"
    )
    parser.add_argument(
        "--list", action="store_true", help="say which claims there are, and check none"
    )
    return parser


main = Command(_parser, later("numerics.claims.presentation", "checked"))


if __name__ == "__main__":
    raise SystemExit(main())
