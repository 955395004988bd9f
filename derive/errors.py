"""The one exception raised for input that a function does not accept."""


class InputError(ValueError):
    """Input outside a function's domain.

    The message is one line: what was given, what is accepted and, where it helps, what to try.
    Commands print it as it stands and leave with exit code 2.
    """
