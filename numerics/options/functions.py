"""Options that choose functions and the Gaussian under which they are averaged."""

import derive
from derive.command.values import accepted, integer_between
from numerics.options.shared import Settings, option

ACTIVATION: Settings = option(
    accepted(lambda text: derive.parse_function(text)),
    "TEXT",
    "a function such as tanh or 'relu(x - 1)'; may be repeated",
    action="append",
    required=True,
)
CENTER: Settings = option(
    accepted(lambda text: derive.parse_number(text, "center")),
    "M",
    "mean of the Gaussian, such as 1 or -1/2",
    "0",
)
VARIANCE: Settings = option(
    accepted(lambda text: derive.parse_variance(text)),
    "Q",
    "variance of the Gaussian, such as 2, 1/2 or 'sqrt(2)'",
    "1",
)


def digits(usual: int) -> Settings:
    """The option for the number of digits."""
    return option(
        integer_between(1, 1000), "N", "significant digits of each number, all certified", usual
    )
