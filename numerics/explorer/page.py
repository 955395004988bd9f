"""The explorer as one file: modules put together, the chart library and the formulas put in.

The modules are plain ES modules. A page that opens from disk cannot import one from another, so
each becomes a function whose exports are fields of ``Explorer``; nothing else is changed.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from numerics.explorer.formulas import module

# In the order in which they need each other. The worker gets the first list too.
MATHEMATICS = ("special", "rational", "expression", "ranges", "piecewise", "formulas", "grammar",
               "quadrature", "pair", "landscape", "drift", "random", "sgd", "flow", "exit",
               "worker")  # fmt: skip
VIEW = ("numbers", "charts", "view", "state", "app")
CHARTS = (  # name of the figure, its title, its unit
    ("drift", "Drift", "a and b"),
    ("tau", "Escape time", "τ in units of 1/γ"),
    ("phase", "Phase portrait", "of u and m"),
    ("law", "Law of the exit time", "share still searching"),
    ("overlap", "Overlap", "|m|"),
    ("loss", "Loss", "of the population"),
)
_IMPORT = re.compile(r'^import (\{[^}]*\}) from "\./(\w+)\.js";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?:async )?(?:const|function|class) (\w+)", re.MULTILINE)


def bundle(modules: Mapping[str, str]) -> str:
    """ES modules by name, in order, as one script that needs no other.

    >>> print(bundle({"one": "export const x = 1;"}))
    globalThis.Explorer ??= {};
    Explorer.one = (() => {
    const x = 1;
    return { x };
    })();
    """
    parts = ["globalThis.Explorer ??= {};"]
    for name, text in modules.items():
        exported = ", ".join(_EXPORT.findall(text))
        inside = _IMPORT.sub(r"const \1 = Explorer.\2;", text)
        inside = re.sub("^export ", "", inside, flags=re.MULTILINE).strip()
        parts.append(f"Explorer.{name} = (() => {{\n{inside}\nreturn {{ {exported} }};\n}})();")
    return "\n".join(parts)


def chart_library() -> tuple[str, str]:
    """Chart.js as the package ``chartkick`` ships it, and what it calls itself."""
    text = files("chartkick").joinpath("django/static/chartkick/Chart.bundle.js").read_text("utf-8")
    named = re.search(r"Chart\.js v[\d.]+", text)
    return text, f"{named[0] if named else 'Chart.js'} (MIT)"


def page(closed: Sequence[str], certified: Iterable[str], source: str) -> str:
    """The page as HTML.

    Arguments:
        closed: activations whose closed forms it holds.
        certified: activations whose certified singularities it holds.
        source: versions and commit.

    It holds no date: the same code gives the same page.
    """
    here = files("numerics.explorer")
    made = {"formulas": module(closed, certified)}
    texts = {
        name: made.get(name) or here.joinpath(f"{name}.js").read_text("utf-8")
        for name in (*MATHEMATICS, *VIEW)
    }
    charts, named = chart_library()
    scripts = {
        "chart_library": charts,
        "mathematics": bundle({name: texts[name] for name in MATHEMATICS}),
        "view": bundle({name: texts[name] for name in VIEW}) + "\nnew Explorer.app.App();",
        "style": here.joinpath("style.css").read_text("utf-8"),
    }
    environment = Environment(
        loader=PackageLoader("numerics.explorer", "."), autoescape=True, undefined=StrictUndefined
    )
    shown: str = environment.get_template("page.html.jinja").render(
        **{name: Markup(text.replace("</", "<\\/")) for name, text in scripts.items()},
        charts=CHARTS,
        known=closed,
        library=named,
        source=source,
    )
    return shown
