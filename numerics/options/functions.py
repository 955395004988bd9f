"""Options that choose functions and the Gaussian under which they are averaged."""

import derive
from derive.command.parser import CommandParser
from derive.command.values import accepted, integer_between

_MOST_DIGITS = 1000


def add_activation(parser: CommandParser, what: str) -> None:
    """Add ``--activation``, which may be repeated and is needed once."""
    parser.add_argument(
        "--activation",
        action="append",
        required=True,
        type=accepted(lambda text: derive.parse_function(text)),
        metavar="TEXT",
        help=f"{what}, such as tanh or 'relu(x - 1)'; may be repeated",
    )


def add_variance(parser: CommandParser) -> None:
    """Add ``--variance``."""
    parser.add_argument(
        "--variance",
        type=accepted(lambda text: derive.parse_variance(text)),
        default="1",
        metavar="Q",
        help="of the Gaussian, such as 2, 1/2 or 'sqrt(2)' (default: %(default)s)",
    )


def add_digits(parser: CommandParser, usual: int = 30) -> None:
    """Add ``--digits``."""
    parser.add_argument(
        "--digits",
        type=integer_between(1, _MOST_DIGITS),
        default=usual,
        help="significant digits of every number, all certified (default: %(default)s)",
    )
