"""Small cells that sweeps are tested with, and how they are computed."""

import numpy as np

CELLS = [{"x": float(x), "name": "square"} for x in range(5)]


def square(cell):
    return {"square": np.array([cell["x"] ** 2])}


def forms(cell):
    return {"square": ("f", (1,))}
