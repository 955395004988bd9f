"""The page of a report, one HTML file: no script, no request, light or dark as is preferred."""

from collections.abc import Iterable
from pathlib import Path

from derive.command.hypertext import badge
from derive.command.pages import environment, image, mathml
from numerics.reported.sections import Section


def page(name: str, sections: Iterable[Section], source: str) -> str:
    """The page as HTML.

    Arguments:
        name: of the pair, LaTeX text with formulas between dollars.
        sections: in order.
        source: its provenance.

    It holds no date: the same results give the same page.
    """
    made = environment(Path(__file__).parent)
    made.globals.update(badge=badge, image=image, mathml=mathml)
    shown: str = made.get_template("page.html.jinja").render(
        name=name, sections=list(sections), source=source
    )
    return shown
