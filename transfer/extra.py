"""The extra that holds what this package needs."""

from derive.command import extras

_NEEDED = ("torch", "transformers", "peft", "msgspec")


def missing() -> str:
    """What of the extra is not installed, and how to install it; nothing if all is there."""
    return extras.missing("transfer", "transfer", _NEEDED)
