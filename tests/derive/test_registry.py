"""Registries: a name is entered once, and all entries are there when their package is."""

import subprocess
import sys

import pytest

from derive.registry import Registry


def test_a_second_entry_of_a_name_is_refused_and_the_first_kept():
    entries = Registry({"one": 1})
    entries["two"] = 2
    for name in ("one", "two"):
        with pytest.raises(ValueError, match=f"two entries '{name}'"):
            entries[name] = 3
    assert entries == {"one": 1, "two": 2}


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("derive.identities", "IDENTITIES"),
        ("numerics.claims", "CLAIMS"),
        ("numerics.figures.paper", "FIGURES"),
    ],
)
def test_entries_are_there_with_their_package(module, name):
    """In a process that imports nothing else; none can be entered again."""
    code = (
        f"from {module} import {name} as entries; from derive.registry import Registry\n"
        "assert isinstance(entries, Registry); print(*entries)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert len(done.stdout.split()) > 9
