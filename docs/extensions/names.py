"""The public names of the packages, as their ``.pyi`` files list them."""

import ast
from importlib.util import find_spec
from pathlib import Path

PACKAGES = ("derive", "numerics", "transfer")


def public_names(package: str) -> dict[str, list[str]]:
    """The public names of a package by the module that holds them, as its ``.pyi`` lists them."""
    (folder,) = find_spec(package).submodule_search_locations  # not imported: it may need an extra
    stub = Path(folder, "__init__.pyi")
    found: dict[str, list[str]] = {}
    for line in ast.parse(stub.read_text(encoding="utf-8")).body:
        if isinstance(line, ast.ImportFrom):
            found.setdefault(f"{package}.{line.module}", []).extend(n.name for n in line.names)
    return found
