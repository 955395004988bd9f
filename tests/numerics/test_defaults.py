"""What may be left out: a number that is not given is the same wherever it is not, and known."""

import inspect
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from math import inf
from pathlib import Path

import numerics

FOLDERS = ("certified", "doubles", "dynamics", "simulation")
# A name without a place has that default everywhere but where its place is named too.
DEFAULTS = {
    # what is asked
    "digits": 30, "dual_activation.digits": 15, "bounds.digits": 6,
    "variance": 1, "center": 0, "derivative": 0, "rho": 1, "power": 0,
    "degree": 5, "useful": True, "LabelJudge.dimension": 10**4,
    "width": 0.02, "border.width": 1 / 1024, "FateJudge.horizon": 300,
    "median_interval.level": 0.95, "ks_distance.horizon": inf,
    # who learns, and how
    "dimension": 1000, "batch": 1, "Simulation.batch": 16, "rank": 1, "neurons": 1,
    "scale": 1, "noise": 0, "label_noise": 0, "scaled_rate": 0, "nu": 0, "mu": (0.1, 0.5, 0.9),
    "until_overlap": inf, "until_step": 2**62, "until_time": inf, "flip_at_switch": False,
    # what is watched
    "radius": 0.5, "disc.radius": 0, "level": 0.5, "stop_at_exit": False, "stiff": False,
    "replicas": 100, "simulate_sgd.replicas": 20, "records": 60, "seed": 0, "cluster": False,
    # what is not known of a result
    "attained": True, "free": False, "positive": False, "mirrored": False,
    "bits": 0, "cells": 0, "evaluations": 0, "linear": 0, "quadratic": 0,
    # how it is computed
    "low": -inf, "high": inf, "maps": (1, 0), "analytic": False,
    "most": 4096, "integral.most": 0, "integral.width": 0, "guard": 0,
}  # fmt: skip


def public() -> Iterator[tuple[str, object]]:
    """Functions, classes and methods of the folders, by their names."""
    root = Path(numerics.__path__[0])
    for file in (file for folder in FOLDERS for file in sorted((root / folder).glob("[!_]*.py"))):
        module = import_module(f"numerics.{file.parent.name}.{file.stem}")
        for name, thing in vars(module).items():
            error = inspect.isclass(thing) and issubclass(thing, Exception)
            own = getattr(thing, "__module__", "") == module.__name__ and not error
            if own and not name.startswith("_"):
                yield name, thing
                for inner, method in vars(thing).items() if inspect.isclass(thing) else ():
                    if not inner.startswith("_"):
                        yield inner, getattr(method, "__func__", method)


@cache
def found() -> list[tuple[str, str, object]]:
    """Where a number, a truth or several are left out, under what name, and what they are then."""
    given = []
    for place, thing in public():
        if callable(thing):
            for name, parameter in inspect.signature(thing).parameters.items():
                value = parameter.default
                one = isinstance(value, tuple) and len(value) == 1
                value = value[0] if one else value
                plain = value if isinstance(value, tuple) else _number(value)
                if plain not in (None, ()) and value is not parameter.empty:
                    given.append((place, name, plain))
    return given


def _number(value: object) -> float | None:
    try:
        return float(value) if not isinstance(value, str) else None
    except (TypeError, ValueError):
        return None


def test_what_is_not_given_is_the_same_everywhere():
    off = {
        (place, name): value
        for place, name, value in found()
        if value != DEFAULTS.get(f"{place}.{name}", DEFAULTS.get(name))
    }
    assert off == {}


def test_every_number_that_is_known_is_left_out_somewhere():
    names = {name for _, name, _ in found()} | {f"{place}.{name}" for place, name, _ in found()}
    assert set(DEFAULTS) <= names
