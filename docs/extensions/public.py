"""The directive ``public``: documents every name of a package's public list, module by module."""

import ast
import importlib
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective

PACKAGES = ("derive", "numerics")


def public_names(package: str) -> dict[str, list[str]]:
    """The public names of a package by the module that holds them, as its ``.pyi`` lists them."""
    stub = Path(importlib.import_module(package).__path__[0], "__init__.pyi")
    found: dict[str, list[str]] = {}
    for line in ast.parse(stub.read_text(encoding="utf-8")).body:
        if isinstance(line, ast.ImportFrom):
            found.setdefault(f"{package}.{line.module}", []).extend(n.name for n in line.names)
    return found


def _entry(package: str, name: str) -> str:
    value = getattr(importlib.import_module(package), name)
    if isinstance(value, dict):  # has no docstring of its own
        kind = type(next(iter(value.values()))).__name__
        listed = ", ".join(f"``{key}``" for key in value)
        return f".. py:data:: {package}.{name}\n\n   A ``{kind}`` for each of {listed}.\n"
    if isinstance(value, type):
        return f".. autoclass:: {package}.{name}\n   :members:\n"
    return f".. autofunction:: {package}.{name}\n"


class Public(SphinxDirective):
    """One section a module: what its file says of itself, then its public names."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Parse the reference as reStructuredText, the form of docstrings."""
        (package,) = self.arguments
        pieces = []
        for module, names in public_names(package).items():
            pieces += [f"{module}\n{'-' * len(module)}\n", f".. automodule:: {module}\n   :no-index:\n"]
            pieces += [_entry(package, name) for name in names]
        return self.parse_text_to_nodes("\n".join(pieces), allow_section_headings=True)


def _resolved(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, text: nodes.TextElement
) -> nodes.Node | None:
    """Annotations name an object by the module that holds it; its entry is that of the package."""
    target = node.get("reftarget", "")
    package, name = target.split(".")[0], target.split(".")[-1]
    listed = package in PACKAGES and any(name in names for names in public_names(package).values())
    if not listed or target == f"{package}.{name}":
        return None
    domain = env.domains["py"]
    return domain.resolve_xref(
        env, node["refdoc"], app.builder, "obj", f"{package}.{name}", node, text
    )


def setup(app: Sphinx) -> dict[str, Any]:
    """Enter the directive."""
    app.add_directive("public", Public)
    app.connect("missing-reference", _resolved)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
