"""Draws ``basins.svg``, in which runs of SGD move: ``python docs/figures/basins.py``.

Forty runs of He_3 in the plane of scale and overlap, at a strength near its singularity, exact in
law. Each starts elsewhere. Two places draw them in, each with its mirror image: the teacher, and
the null student, which is 0. Those that start near the middle still search when the picture ends.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from derive.command.palette import OKABE_ITO
from derive.command.provenance import versions
from numerics import Learner, Runs, simulate_sgd, stable_learning_rate

MU, DIMENSION, BATCH, RUNS, LAST = 0.30, 1000, 64, 40, 20.0
FRAMES, SECONDS, FIRST = 48, 10, 0.02
WIDTH, HEIGHT, MARGIN = 560, 400, 46
U, M = 0.8, 1.08  # the range that is drawn, either way
# Who ends at the teacher, at the null student, who still searches.
COLOURS = {
    "teacher": OKABE_ITO["blue"],
    "null student": OKABE_ITO["vermillion"],
    "still searching": "#808080",
}


def simulated() -> Runs:
    """The runs, recorded at times that are equally far apart on a logarithmic scale."""
    stream = np.random.default_rng(3)
    starts = tuple(zip(stream.uniform(-0.45, 0.45, RUNS).tolist(),
                       stream.uniform(-0.9, 0.9, RUNS).tolist(), strict=True))  # fmt: skip
    rate = stable_learning_rate("He3", MU, DIMENSION, BATCH) / 6
    records = np.geomspace(FIRST / rate, LAST / rate, FRAMES - 1).round().astype(int)
    learner = Learner("He3", MU, DIMENSION, rate, batch=BATCH, starts=starts)
    return simulate_sgd(learner, RUNS, 0, int(records[-1]), [0, *records.tolist()])


def fate(u: float, m: float) -> str:
    """Where a run is: ρ = μ + um is 1 at the teacher and 0 at the null student."""
    rho = MU + u * m
    if abs(m) < 0.9 or min(abs(rho), abs(rho - 1)) > 0.1:
        return "still searching"
    return "teacher" if rho > 0.5 else "null student"


def place(u: float, m: float) -> tuple[str, str]:
    """A state on the page."""
    x = WIDTH / 2 + u / U * (WIDTH / 2 - MARGIN)
    y = HEIGHT / 2 - m / M * (HEIGHT / 2 - MARGIN)
    return f"{x:.1f}", f"{y:.1f}"


def moving(us: Sequence[float], ms: Sequence[float]) -> str:
    """One run: its path, and a dot that goes along it and rests at its end."""
    points = [place(u, m) for u, m in zip(us, ms, strict=True)]
    colour = COLOURS[fate(us[-1], ms[-1])]
    path = " ".join(map(",".join, points))
    rested = points + [points[-1]] * (FRAMES // 5)
    steps = "".join(
        f'<animate attributeName="{name}" dur="{SECONDS}s" repeatCount="indefinite" '
        f'values="{";".join(point[k] for point in rested)}"/>'
        for k, name in enumerate(("cx", "cy"))
    )
    x, y = points[-1]
    return (
        f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-opacity=".22"/>\n'
        f'<circle cx="{x}" cy="{y}" r="4" fill="{colour}" stroke="#fff">{steps}</circle>'
    )


def sinks() -> str:
    """The two sinks and their mirror images, named."""
    shown = []
    for name, u in (("teacher", 1 - MU), ("null student", -MU)):
        for sign in (1, -1):
            x, y = place(sign * u, sign)
            text_y = float(y) + (-14 if sign > 0 else 24)
            shown.append(
                f'<circle cx="{x}" cy="{y}" r="9" fill="none" stroke="{COLOURS[name]}" '
                f'stroke-width="2.5"/>\n<text x="{x}" y="{text_y:.1f}" text-anchor="middle" '
                f'fill="{COLOURS[name]}">{name}</text>'
            )
    return "\n".join(shown)


def axes() -> str:
    """Lines through the middle, and what they measure."""
    (left, middle), (right, _) = place(-U, 0), place(U, 0)
    (centre, low), (_, high) = place(0, -M), place(0, M)
    return (
        f'<path d="M{left} {middle}H{right}M{centre} {low}V{high}" stroke="#bbb"/>\n'
        f'<text x="{right}" y="{float(middle) - 7:.1f}" text-anchor="end">scale u</text>\n'
        f'<text x="{float(centre) + 7:.1f}" y="{float(high) + 4:.1f}">overlap m</text>'
    )


def page(runs: Runs) -> str:
    """The picture."""
    us, ms = runs["u"], runs["m"]
    ends = [fate(u[-1], m[-1]) for u, m in zip(us, ms, strict=True)]
    told = ", ".join(f"{ends.count(name)} {name}" for name in COLOURS)
    bar = WIDTH - 2 * MARGIN
    share = FRAMES / (FRAMES + FRAMES // 5)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
            f'width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" font-size="13">',
            f"<title>Runs of He3 at strength {MU}: {told}</title>",
            f"<desc>python docs/figures/basins.py | {versions(('numpy', 'numba'))}</desc>",
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
            axes(),
            sinks(),
            *(moving(u.tolist(), m.tolist()) for u, m in zip(us, ms, strict=True)),
            f'<rect x="{MARGIN}" y="{HEIGHT - 12}" width="{bar}" height="4" fill="#ddd"/>',
            f'<rect x="{MARGIN}" y="{HEIGHT - 12}" width="{bar}" height="4" fill="#666">'
            f'<animate attributeName="width" dur="{SECONDS}s" repeatCount="indefinite" '
            f'values="0;{bar};{bar}" keyTimes="0;{share:.3f};1"/></rect>',
            f'<text x="{MARGIN}" y="{HEIGHT - 18}" font-size="11">time {FIRST} to {LAST:g}, '
            f"in 1/γ, on a logarithmic scale; at the end: {told}</text>",
            "</svg>",
            "",
        ]
    )


if __name__ == "__main__":
    Path(__file__).with_suffix(".svg").write_text(page(simulated()), encoding="utf-8")
