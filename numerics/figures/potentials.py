"""The search phase as a particle: its potential at several pre-training strengths (App. F)."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from derive.errors import InputError, abridged
from derive.tables.names import pair_name
from numerics.certified.escape import escape_curve
from numerics.figures.caption import listed, sentences, shown_pair, strengths_told
from numerics.figures.curves import SCALE
from numerics.figures.quantities import Member
from numerics.figures.style import (
    MOST_IN_LEGEND,
    Drawn,
    add_strength_bar,
    column_width,
    drawn,
    letter_panels,
    own_style,
    strength_colour,
)

_ASIDE = np.linspace(-3, 3, 121)  # places g at which a potential is drawn


def draw_potentials(
    chosen: Sequence[Member], strengths: Sequence[Fraction], form: str, source: str
) -> Drawn:
    r"""Draw the mechanical potential :math:`V(g) = -a^2 \log\cosh g`, one curve a strength.

    Arguments:
        chosen: pairs and drifts, one panel each.
        strengths: in (0, 1], one curve each.
        form: ``pdf``, ``png`` or ``svg``.
        source: provenance, kept in the files.

    The result is as of ``draw_curves``. After Fig. 8; (86), (90).
    """
    rows: list[tuple[Any, ...]] = []
    with own_style():
        figure = Figure(figsize=(column_width(), 1.9 * len(chosen) + 0.3), layout="constrained")
        axes = figure.subplots(len(chosen), sharex=True, squeeze=False)[:, 0]
        for axis, member in zip(axes, chosen, strict=True):
            rows += _draw_potential(figure, axis, member, strengths)
        names = [shown_pair(pair) for pair, _ in chosen]
        if len(chosen) > 1:
            letter_panels(axes, names)
        axes[-1].set_xlabel(r"$g = \mathrm{artanh}\, m$")
        head = ("teacher", "student", "normalization", "mu", "g", "potential")
        told = sentences(
            f"Potential $V(g)=-a^2\\log\\cosh g$ in which the search phase of {listed(names)} "
            "moves as a particle, $m=\\tanh g$",
            strengths_told(map(float, strengths)),
        )
        return drawn(figure, form, source, head, rows, told)


def _draw_potential(
    figure: Figure, axis: Axes, member: Member, strengths: Sequence[Fraction]
) -> list[tuple[Any, ...]]:
    pair, drift = member
    curve, rows = escape_curve(drift, strengths), []
    for mu, a in zip(curve.mu, curve.a, strict=True):
        with np.errstate(over="ignore", invalid="ignore"):  # which is told below
            potential = -(a * a) * np.log(np.cosh(_ASIDE))
        if not np.isfinite(potential).all():
            raise InputError(
                f"the potential of {abridged(pair_name(pair).plain)} at μ = {mu:.3g} leaves the "
                "range of doubles: give a smaller argument or factor, or a lower degree"
            )
        axis.plot(_ASIDE, potential, color=strength_colour(mu), label=rf"$\mu={mu:.3g}$")
        values = zip(_ASIDE, potential, strict=True)
        names = (pair.teacher.text, pair.student.text, drift.normalization)
        rows += [(*names, mu, *point) for point in values]
    scaled = drift.normalization == "n*n!"
    axis.set_ylabel("potential $V$" + (rf"  (units of $({SCALE})^2$)" if scaled else ""))
    axis.set_title(shown_pair(pair))
    if len(strengths) <= MOST_IN_LEGEND:
        axis.legend()
    else:
        add_strength_bar(figure, axis)
    return rows
