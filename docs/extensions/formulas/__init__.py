"""Every formula and table of the theory page, by name."""

from extensions.formulas import beyond, every_degree, search_phase, stored  # noqa: F401
from extensions.formulas.registry import FORMULAS

__all__ = ["FORMULAS"]
