"""The exceptions that are not bugs: input not accepted, questions left open, no closed form."""


class LoraEscapeError(Exception):
    """The base of all errors that this project raises itself."""


class InputError(LoraEscapeError, ValueError):
    """Input outside a function's domain.

    The message is one line: what was given, what is accepted and, where it helps, what to try.
    Commands print it as it stands and leave with exit code 2.
    """


class Undecided(LoraEscapeError, ArithmeticError):
    """A question that the precision in use does not settle: an answer would be a guess.

    Commands print the message as it stands and leave with exit code 1.
    """
