"""The directive ``public`` and its pages: every name of a package's public list, a page a module.

The pages are written when a build begins, as ``reference/PACKAGE.MODULE.rst``; git ignores them.
"""

import importlib
import re
from pathlib import Path
from typing import Any

from docutils import nodes
from numpy.typing import ArrayLike
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import stringify_annotation
from sympy import Symbol

from extensions.names import PACKAGES, public_names


def _entry(package: str, name: str) -> str:
    value = getattr(importlib.import_module(package), name)
    if isinstance(value, dict):  # has no docstring of its own
        kind = type(next(iter(value.values()))).__name__
        listed = ", ".join(f"``{key}``" for key in value)
        return (
            f".. py:data:: {name}\n   :module: {package}\n\n   A ``{kind}`` for each of {listed}.\n"
        )
    if isinstance(value, Symbol):
        kind = "positive" if value.is_positive else "real"
        return f".. py:data:: {name}\n   :module: {package}\n\n   The symbol {value}, {kind}.\n"
    if isinstance(value, type):
        return f".. autoclass:: {package}.{name}\n   :members:\n"
    return f".. autofunction:: {package}.{name}\n"


class Public(SphinxDirective):
    """What a module's file says of itself, then its public names."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Parse the reference as reStructuredText, the form of docstrings."""
        (module,) = self.arguments
        package = module.split(".")[0]
        names = public_names(package)[module]
        pieces = [f".. automodule:: {module}\n   :no-index:\n"]
        pieces += [_entry(package, name) for name in names]
        return self.parse_text_to_nodes("\n".join(pieces))


def _write_pages(app: Sphinx) -> None:
    """A page for each module with public names, and none for others."""
    folder = Path(app.srcdir, "reference")
    pages = {
        folder / f"{module}.rst": f"{module}\n{'=' * len(module)}\n\n.. public:: {module}\n"
        for package in PACKAGES
        for module in public_names(package)
    }
    for old in folder.glob("*.*.rst"):
        if old not in pages:
            old.unlink()
    for page, text in pages.items():
        if not page.exists() or page.read_text(encoding="utf-8") != text:
            page.write_text(text, encoding="utf-8")


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


_ARRAY = re.compile(
    r"~numpy\.ndarray\[tuple\[~typing\.Any, \.\.\.\], ~numpy\.dtype\[([^\[\]]+)\]\]"
)
_ARRAY_LIKE = stringify_annotation(ArrayLike, "smart")
# Defaults that are no Python in print: the whole signature would be shown as it is.
_MADE = re.compile("= <(?:[^<>]|<[^<>]*>)*>")


def _short(app: Sphinx, *described: Any) -> tuple[str | None, ...]:
    """Signatures with numpy's names for arrays, not with what these stand for."""
    *_, signature, returned = described
    return tuple(
        text
        and _ARRAY.sub(
            r"~numpy.typing.NDArray[\1]",
            _MADE.sub("= ...", text.replace(_ARRAY_LIKE, "~numpy.typing.ArrayLike")),
        )
        for text in (signature, returned)
    )


def _complete(app: Sphinx, env: BuildEnvironment) -> None:
    """Every public name has its entry, or the build fails."""
    for package in PACKAGES:
        for name in (name for names in public_names(package).values() for name in names):
            if f"{package}.{name}" not in env.domains["py"].objects:
                logging.getLogger(__name__).warning("%s.%s has no entry", package, name)


def setup(app: Sphinx) -> dict[str, Any]:
    """Enter the directive."""
    app.add_directive("public", Public)
    app.connect("builder-inited", _write_pages)
    app.connect("autodoc-process-signature", _short)
    app.connect("env-check-consistency", _complete)
    app.connect("missing-reference", _resolved)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
