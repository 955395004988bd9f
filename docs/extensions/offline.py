"""A built page loads nothing from elsewhere; one that would fails the build."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_LOADING = {"script": "src", "img": "src", "iframe": "src", "link": "href", "source": "src"}
_IN_STYLE = re.compile(r"(?:url\(|@import)\s*[\"']?((?:https?:)?//[^\"')\s]+)")
_REMOTE = re.compile(r"(?:https?:)?//")


class _Page(HTMLParser):
    """Gathers what a page loads; ordinary links are no loading."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Keep the address that this element loads."""
        given = dict(attributes)
        address = given.get(_LOADING.get(tag, ""))
        if address and given.get("rel") not in ("canonical", "author", "license"):
            self.loaded.append(address)


def remote_resources(text: str) -> list[str]:
    """The remote addresses that a page or a style sheet loads."""
    page = _Page()
    page.feed(text)
    return [a for a in page.loaded if _REMOTE.match(a)] + _IN_STYLE.findall(text)


def _found(folder: Path) -> Iterator[str]:
    for path in sorted([*folder.rglob("*.html"), *folder.rglob("*.css")]):
        for address in remote_resources(path.read_text(encoding="utf-8")):
            yield f"{path.name} loads {address}"


def _check(app: "Sphinx", exception: Exception | None) -> None:
    if exception is None and app.builder.format == "html":
        from sphinx.errors import ExtensionError  # tests read this file without Sphinx

        if found := list(_found(Path(app.outdir))):
            raise ExtensionError("; ".join(found))


def setup(app: "Sphinx") -> dict[str, Any]:
    """Check the pages when they are built."""
    app.connect("build-finished", _check)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
