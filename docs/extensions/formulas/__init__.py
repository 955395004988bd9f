"""Every formula and table of the theory page, by name, in the order of the page."""

from extensions.formulas import beyond, every_degree, search_phase  # noqa: F401  # their entries
from extensions.formulas.registry import FORMULAS

__all__ = ["FORMULAS"]
