"""The kinds of loss, misalignment and unit, by name: what commands offer before they compute."""

from typing import Literal, get_args

Loss = Literal["square", "correlation"]
LOSSES: tuple[Loss, ...] = get_args(Loss)
Misalignment = Literal["none", "linear", "spherical"]
Normalization = Literal["n*n!", "raw"]
NORMALIZATIONS: tuple[Normalization, ...] = get_args(Normalization)
