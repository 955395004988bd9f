"""What there is to make: every table, figure and claim of the paper, a step each.

Adding a step is one entry in ``steps``.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

QUALITIES = ("quick", "default", "full")


@dataclass(frozen=True)
class Product:
    """One thing to make.

    Fields: ``name``; ``title`` on the page; ``kind``, its part of the page; ``commands``, modules
    with their options, in which ``@`` stands for the folder; ``outputs``, the files they write
    there; ``needs``, a module without which the step is left out.
    """

    name: str
    title: str
    kind: str
    commands: tuple[str, ...]
    outputs: tuple[str, ...]
    needs: str = ""


def steps(quality: str) -> list[Product]:
    """All steps of a quality, one of ``QUALITIES``, in the order of the page."""
    return [
        Product(
            "claims",
            "The paper's claims, checked",
            "ledger",
            ("numerics.claims --details --format json --output @/claims.json",),
            ("claims.json",),
        ),
        Product(
            "escape-time",
            "Escape time of Hermite students, with certified singularities",
            "figure",
            ("numerics.escape --degree 1:10 --plot @/figures/escape-time.svg "
             "--output @/tables/escape-time.txt",),
            (*_figure("escape-time"), "tables/escape-time.txt"),
        ),
        *_figures(quality),
        Product(
            "explorer",
            "The explorer: any activation, live",
            "page",
            ("numerics.explorer --output @/explorer.html",),
            ("explorer.html",),
            needs="chartkick",
        ),
        *_tables({"quick": 20, "default": 100, "full": 400}[quality]),
        *(() if quality == "quick" else _images()),
    ]  # fmt: skip


def _figures(quality: str) -> Iterator[Product]:
    """Those of the paper, with fewer runs where these are many."""
    from numerics.figures.paper import FIGURES

    for name, figure in FIGURES.items():
        brief = quality == "quick" or (figure.costly and quality != "full")
        yield Product(
            f"figure-{name}",
            f"{'Figure ' + name + ': ' if name[0].isdigit() else ''}{figure.caption}",
            "figure",
            (f"numerics.figures --figure {name} --as svg --folder @/figures --results @/cells"
             f"{' --quick' if brief else ''}",),
            _figure(f"figure-{name}"),
        )  # fmt: skip


def _figure(name: str) -> tuple[str, ...]:
    """The files of a figure: it, its data, its caption."""
    return tuple(f"figures/{name}.{ending}" for ending in ("svg", "csv", "tex"))


def _tables(replicas: int) -> list[Product]:
    return [
        _table("hermite", "Hermite students", "derive.tables --degree 1:8"),
        _table("activations", "Other activations",
               "derive.tables --activation erf --activation relu --activation sin"),
        _table("singularities", "Singularities of Hermite students",
               "numerics.singularities --degree 1:20"),
        _table("singularities-squared", "Singularities under squared labels",
               "numerics.singularities --degree 1:12 --labels squared"),
        _table("singularities-activations", "Singularities of other activations",
               "numerics.singularities --activation erf --activation relu --activation sigmoid "
               "--activation tanh --activation gelu --activation sin(3*x) --digits 20"),
        _table("exit-times", "Simulated exit times",
               "numerics.simulate --activation x --activation relu --mu 0.1,0.5,0.9 --points 0 "
               f"--replicas {replicas} --results @/cells"),
    ]  # fmt: skip


def _images() -> list[Product]:
    """The transfer experiment that needs no data; finished cells are shared by both steps."""
    run, report = "transfer run demo --results @/demo", "transfer report demo --results @/demo"
    table = _table("transfer-demo", "Checkpoints of a vision transformer, adapted", report)
    curves = _figure("transfer-demo")
    return [
        replace(table, commands=(run, *table.commands), needs="peft"),
        Product("transfer-demo-curves", "After Figs. 10 to 12, with a task of ours: "
                "loss and accuracy of the same", "figure",
             (run, f"{report} --plot @/{curves[0]}"), curves, needs="peft"),
    ]  # fmt: skip


def _table(name: str, title: str, command: str) -> Product:
    """A table as Markdown, which the page shows, and as LaTeX."""
    outputs = (f"tables/{name}.md", f"tables/{name}.tex")
    commands = tuple(
        f"{command} --format {form} --output @/{output}"
        for form, output in zip(("markdown", "latex"), outputs, strict=True)
    )
    return Product(name, title, "table", commands, outputs)
