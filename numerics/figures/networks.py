"""Escape times of networks: theory as a curve over the strength, the flow at several ranks."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from derive.pair import Pair
from numerics.dynamics.network_flow import NetworkState, integrate_network, network_flow
from numerics.figures.caption import listed, sentences, shown_function
from numerics.figures.style import (
    STRENGTH_LABEL,
    Drawn,
    Key,
    add_keys,
    column_width,
    drawn,
    looks_of,
    own_style,
)

_CURVE = np.linspace(0.01, 0.98, 98)
# Each rank at strengths of its own, so that no marker hides another.
_RANKS = {
    1: ("o", (0.10, 0.25, 0.40, 0.55, 0.70, 0.85)),
    2: ("s", (0.15, 0.30, 0.45, 0.60, 0.75, 0.90)),
    4: ("^", (0.20, 0.35, 0.50, 0.65, 0.80)),
}
_HEAD = ("activation", "rank", "mu", "theory", "flow")


def draw_network_times(names: Sequence[str], neurons: int, form: str, source: str) -> Drawn:
    """Draw 1/λ₊ of networks of equal strengths, and the time in which the full flow grows.

    Arguments:
        names: activations.
        neurons: of each network.
        form: ``pdf``, ``png`` or ``svg``.
        source: provenance that is written into both.

    The result is the figure's file, its data as CSV and its caption. After Fig. 13; (110), (118).
    """
    rows: list[tuple[Any, ...]] = []
    with own_style():
        figure = Figure(figsize=(column_width(), 2.5), layout="constrained")
        axis, keys = figure.subplots(), []
        for name, look in zip(names, looks_of(names), strict=True):
            pair, line = Pair(name), {"color": look.colour, "linestyle": look.dash}
            curve = [_theory(pair, mu, neurons) for mu in _CURVE]
            axis.plot(_CURVE, curve, **line)
            keys.append(Key(shown_function(name), line))
            rows += [(name, "", mu, tau, "") for mu, tau in zip(_CURVE, curve, strict=True)]
            for rank, (marker, strengths) in _RANKS.items():
                theory = [_theory(pair, mu, neurons) for mu in strengths]
                times = [
                    flow_time(pair, (mu,) * neurons, rank, tau)
                    for mu, tau in zip(strengths, theory, strict=True)
                ]
                axis.plot(strengths, times, marker, ms=4, mfc="white", mew=0.9, color=look.colour)
                rows += [(name, rank, *each) for each in zip(strengths, theory, times, strict=True)]
        keys += [
            Key(f"flow, $r={rank}$",
                {"marker": mark, "ms": 4, "ls": "", "mfc": "white", "color": "0.3"})
            for rank, (mark, _) in _RANKS.items()
        ]  # fmt: skip
        add_keys(figure, keys, 3)
        axis.set_yscale("log")
        axis.set_xlim(0, 1)
        axis.set_xlabel(STRENGTH_LABEL)
        axis.set_ylabel(r"$1/\lambda_+$  (units of $1/\gamma$)")
        return drawn(figure, form, source, _HEAD, rows, _told(names, neurons))


def _told(names: Sequence[str], neurons: int) -> str:
    """The caption."""
    return sentences(
        f"Escape time $1/\\lambda_+$ of networks of $K={neurons}$ neurons of "
        f"{listed(shown_function(name) for name in names)}, all of the pre-training strength "
        "$\\mu$. Lines: theory, for every rank",
        "Markers: the time in which the full gradient flow from a small start grows by a factor "
        f"$e$ at ranks $r=$ {listed(map(str, _RANKS))}, each at strengths of its own so that "
        "none hides another",
    )


def _theory(pair: Pair, mu: float, neurons: int) -> float:
    return 1 / network_flow(pair, (round(float(mu), 3),) * neurons, 1).rate()


def flow_time(pair: Pair, strengths: tuple[float, ...], rank: int, tau: float) -> float:
    """Time in which the full flow's early states grow by a factor e. Heuristic.

    Arguments:
        pair: of all neurons.
        strengths: one a neuron.
        rank: of LoRA.
        tau: the escape time, in units of 1/γ.
    """
    neurons = len(strengths)
    small = np.full((neurons, rank), 1e-6)
    start = NetworkState(small, small, np.eye(rank))
    path = integrate_network(network_flow(pair, strengths, rank), start, 7 * tau)
    sizes = np.linalg.norm(path.at(np.array([6.0, 7.0]) * tau)[:, : neurons * rank], axis=1)
    return float(tau / np.log(sizes[1] / sizes[0]))
