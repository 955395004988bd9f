"""The extra that holds what this package needs: what of it is not installed."""

from importlib.util import find_spec

_NEEDED = ("torch", "transformers", "peft", "msgspec")


def missing() -> str:
    """What of the extra is not installed, and how to install it; nothing if all is there."""
    absent = [name for name in _NEEDED if find_spec(name) is None]
    return (
        absent
        and (
            f"transfer needs {', '.join(absent)}: install the extra, "
            "in a checkout: pip install -c constraints.txt '.[transfer]'"
        )
    ) or ""
