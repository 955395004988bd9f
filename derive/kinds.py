"""Kinds of loss, misalignment, unit and Hermite coefficients: what commands offer at once."""

from typing import Literal, get_args

Loss = Literal["square", "correlation"]
LOSSES: tuple[Loss, ...] = get_args(Loss)
Misalignment = Literal["none", "linear", "spherical"]
Normalization = Literal["n*n!", "raw"]
NORMALIZATIONS: tuple[Normalization, ...] = get_args(Normalization)
HermiteConvention = Literal["he", "h", "orthonormal"]
CONVENTION_NAMES: tuple[HermiteConvention, ...] = get_args(HermiteConvention)
