"""Numbers that the authors' code stores, draws or gives, as data, each with its place.

Read from their public repository, ``numerics.claims.ledger.CODE``, or got by running it.
``numerics.claims.stored_curves`` and ``numerics.claims.stored_runs`` compare them with ours.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias

from derive.kinds import Normalization
from derive.pair import Pair

ByStrength: TypeAlias = tuple[tuple[str, float], ...]  # strengths are decimals


@dataclass(frozen=True)
class StoredCurve:
    """Escape times of a matched activation over the strength, as a figure of the paper draws them.

    Fields: ``place``; ``activation``; ``labels``; ``normalization`` of time; ``highest`` Hermite
    degree of their sums; ``times`` to the digits that were read;
    ``ratios`` of stored to exact times; ``gap``, the largest relative distance from the exact times
    at 12 strengths, where only that was noted.
    """

    place: str
    activation: str
    labels: str = "matched"
    normalization: Normalization = "raw"
    highest: int = 16
    times: ByStrength = ()
    ratios: ByStrength = ()
    gap: float = 0.0

    @property
    def pair(self) -> Pair:
        """What is learnt."""
        return Pair(self.activation, labels=self.labels)


# 200 strengths up to 0.99, from 0.032 on with matched labels and from 0.03 on with squared ones.
RELU = StoredCurve(
    "Fig. 1 (right)",
    "relu",
    times=(("0.032", 19.7), ("0.2", 7.93)),
    ratios=(("0.05", 4.0), ("0.9", 1.28)),
)
LINEAR, ERF, SIGMOID = (
    StoredCurve("Fig. 1 (right)", text, gap=gap)
    for text, gap in (("x", 3e-4), ("erf", 8e-3), ("sigmoid", 1e-3))
)
HERMITE = tuple(
    StoredCurve("Fig. 2 (b)", f"He{n}", normalization="n*n!", gap=3e-4) for n in range(2, 11)
)
SQUARED_RELU = StoredCurve(
    "Fig. 2 (c)",
    "relu",
    "squared",
    highest=10,
    times=(("0.03", 11.8), ("0.3", 3.46), ("0.99", 8.8)),
    ratios=(("0.05", 4.3), ("0.9", 1.26)),
)
SQUARED_HE2 = StoredCurve(
    "Fig. 2 (d)",
    "He2",
    "squared",
    "n*n!",
    highest=10,
    times=(("0.05", 1.617),),
    ratios=(("0.05", 2.5), ("0.95", 1.14)),
)
SQUARED_HE3, SQUARED_HE5 = (
    StoredCurve("Fig. 2 (d)", text, "squared", "n*n!", 10, times=points)
    for text, points in (
        ("He3", (("0.4", 29.2), ("0.6", 34.2))),
        ("He5", (("0.3", 69.0), ("0.5", 104.0))),
    )
)

# A dot of Fig. 1 (right) is the mean index of the steps at which |m| is within 0.05 of μ, over
# log d. Theirs of ReLU over those of x, and that of x at 0.9 over τ there.
DOTS_RELU_OVER_X = (("0.7", 1.93), ("0.8", 1.97), ("0.9", 1.95))
DOT_BAND = 0.05
DOT_OVER_TAU = ("0.9", 2.9)
SCRIPTS: Mapping[str, Any] = MappingProxyType(
    {"dimension": 1000, "batch": 500, "learning_rate": 0.2, "update": "projected"}
)


@dataclass(frozen=True)
class StoredExits:
    """Steps by which 10, 50 and 90 % of 40 runs of their code have left the search phase.

    Fields: ``activation``; ``mu``; ``learning_rate``; ``steps``; ``scale_u``, the initial ``u`` by
    1/√d: theirs is :math:`d^{-2}`, LoRA's zero in effect.
    """

    activation: str
    mu: float
    learning_rate: float
    steps: tuple[int, int, int]
    scale_u: float = 1.0


EXIT_SHARES = (0.1, 0.5, 0.9)
EXIT_RUNS = 40
EXIT_SETTING: Mapping[str, Any] = MappingProxyType(
    {"dimension": 200, "batch": 16, "update": "projected"}
)
EXITS = (
    StoredExits("x", 0.1, 0.04, (67, 117, 212)),
    StoredExits("x", 0.5, 0.04, (187, 278, 515)),
    StoredExits("x", 0.5, 0.04, (189, 277, 465), scale_u=200**-1.5),
    StoredExits("relu", 0.5, 0.08, (168, 282, 473)),
    StoredExits("erf", 0.3, 0.08, (233, 372, 583)),
    StoredExits("He3", 0.6, 0.001, (220, 503, 889)),
)
