"""Entries by their names, such as claims, figures and identities, none of which hides another."""

from typing import TypeVar

T = TypeVar("T")


class Registry(dict[str, T]):
    """A dictionary in which a name is entered once.

    >>> entries = Registry(first=1)
    >>> entries["first"] = 2
    Traceback (most recent call last):
    ...
    ValueError: there are two entries 'first'
    """

    def __setitem__(self, name: str, entry: T) -> None:
        if name in self:
            raise ValueError(f"there are two entries {name!r}")
        super().__setitem__(name, entry)
