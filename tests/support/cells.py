"""Small cells that sweeps are tested with, and how they are computed."""

import time

import numpy as np

CELLS = [{"x": float(x), "name": "square"} for x in range(5)]


def square(cell):
    return {"square": np.array([cell["x"] ** 2])}


def slow_square(cell):
    time.sleep(0.2)
    return square(cell)


def values(results):
    return [float(result["square"][0]) for result in results]


def forms(cell):
    return {"square": ("f", (1,))}
