"""Benchmarks of the dynamics: SGD exact in law against dense loops, over d, steps and cores."""

import os
import tracemalloc
from collections.abc import Iterator

import numpy as np
from harness import Row, benchmark, paired, seconds
from scipy.stats import ks_2samp

from derive.grammar import parse_activation
from derive.pair import Pair
from numerics.doubles.landscape import by_quadrature
from numerics.doubles.quadrature import plane_of
from numerics.dynamics.dense_sgd import simulate_densely, simulate_network_densely
from numerics.dynamics.network_sgd import NetworkLearner, simulate_network
from numerics.dynamics.sgd import Learner, simulate_sgd

BATCH = 500  # of the paper


def learner(text: str, dimension: int, batch: int = BATCH) -> Learner:
    """A matched student with a small step."""
    activation = parse_activation(text)
    return Learner(Pair(activation, activation), 0.5, dimension, 1e-4, batch)


def check_law() -> None:
    """The two algorithms that are timed against each other have the same law."""
    small = learner("He2", 20, 4)
    ours = simulate_sgd(small, range(2000), 1, 30, [30]).states[:, 0, 0]
    theirs = [simulate_densely(small, np.random.default_rng(r), 30, [30])[0, 0] for r in range(500)]
    assert ks_2samp(ours, theirs).pvalue > 1e-3


@benchmark
def samples_per_second() -> Iterator[Row]:
    """Throughput of one core, of all cores, and over the dimension."""
    check_law()
    steps = 20_000
    for text in ("x", "He3", "relu", "erf"):
        simulate_sgd(learner(text, 1000), [0], 1, 1)  # compiles
        one = learner(text, 1000)
        times = [seconds(lambda one=one: simulate_sgd(one, [0], 1, steps)) for _ in range(5)]
        rate = BATCH * steps / float(np.median(times)) / 1e6
        target = "at least 20" if text in ("x", "He3") else "shown"
        met = rate >= 20 or target == "shown"
        yield f"{text}: million sample updates a second and core", f"{rate:.0f}", target, met
    for dimension in (10**6, 10**9):
        _, _, ratio = paired(
            lambda d=dimension: simulate_sgd(learner("x", d), [0], 1, 20_000),
            lambda: simulate_sgd(learner("x", 1000), [0], 1, 20_000),
        )
        yield (
            f"d = {dimension:.0e}: cost in units of d = 1000",
            f"{1 / ratio:.2f}",
            "1",
            ratio > 0.8,
        )
    cores = os.cpu_count() or 1
    _, _, ratio = paired(
        lambda: simulate_sgd(learner("x", 1000), range(8), 1, 10_000),
        lambda: simulate_sgd(learner("x", 1000), range(8), 1, 10_000, threads=1),
    )
    yield f"speed-up on {cores} cores", f"{ratio:.2f}x", f"{0.9 * cores:.1f}x", ratio >= 0.9 * cores


@benchmark
def sgd_against_dense_loops() -> Iterator[Row]:
    """d = 1000, B = 500: against vectors in numpy, and against autograd in torch."""
    check_law()
    steps, ours = 40, learner("He3", 1000)
    simulate_sgd(ours, [0], 1, 1)

    def numpy_loop() -> None:
        simulate_densely(ours, np.random.default_rng(0), steps, [])

    baselines = [("a dense numpy loop", numpy_loop, 200)]
    try:
        import torch
    except ImportError:
        yield "against a torch autograd loop", "torch is not installed", "at least 100x", True
    else:
        baselines.append(("a torch autograd loop", lambda: torch_loop(torch, steps), 100))
    for name, baseline, target in baselines:
        # One replica of many more steps, so that the clock sees the kernel.
        mine, theirs, ratio = paired(
            lambda: simulate_sgd(ours, [0], 1, 50 * steps), baseline, rounds=5
        )
        per_step = 50 * ratio
        yield (
            f"d = 1000, B = 500, one core, against {name}",
            f"{per_step:.0f}x ({2e4 * mine / steps:.1f} us / {1e6 * theirs / steps:.0f} us a step)",
            f"at least {target}x",
            per_step >= target,
        )


def torch_loop(torch, steps: int) -> None:
    """The reference implementation's way: dense vectors, autograd, normalise."""
    torch.manual_seed(0)
    d = 1000
    teacher = torch.zeros(d)
    teacher[0] = 1
    omega = torch.nn.functional.normalize(torch.randn(d), dim=0).requires_grad_()
    u = torch.tensor(d**-0.5, requires_grad=True)
    for _ in range(steps):
        inputs = torch.randn(BATCH, d)
        labels = cubic(inputs @ teacher)
        predicted = cubic(inputs @ (0.5 * teacher + u * omega))
        loss = ((labels - predicted) ** 2).mean() / 2
        by_u, by_omega = torch.autograd.grad(loss, (u, omega))
        with torch.no_grad():
            u -= 1e-4 * by_u
            omega -= 1e-4 * (by_omega - (omega @ by_omega) * omega)
            omega /= omega.norm()


def cubic(x):
    """He_3."""
    return x**3 - 3 * x


@benchmark
def network_against_dense_loop() -> Iterator[Row]:
    """K = 8 neurons of rank 4 at d = 1000, and over the dimension."""
    activation, steps = parse_activation("He2"), 40

    def network(dimension: int) -> NetworkLearner:
        pair = Pair(activation, activation)
        return NetworkLearner(pair, (0.5,) * 8, 4, dimension, 1e-5, 50)

    small = network(14)
    ours = simulate_network(small, range(500), 1, 20, [20]).states[:, 0, 0]
    theirs = [
        simulate_network_densely(small, np.random.default_rng(r), 20, [20])[0, 0]
        for r in range(300)
    ]
    assert ks_2samp(ours, theirs).pvalue > 1e-3
    mine, other, ratio = paired(
        lambda: simulate_network(network(1000), [0], 1, 50 * steps),
        lambda: simulate_network_densely(network(1000), np.random.default_rng(0), steps, []),
    )
    yield (
        "network, d = 1000, K = 8, r = 4, B = 50, one core, against a dense numpy loop",
        f"{50 * ratio:.0f}x ({2e4 * mine / steps:.0f} us / {1e6 * other / steps:.0f} us a step)",
        "at least 50x",
        50 * ratio >= 50,
    )
    _, _, ratio = paired(
        lambda: simulate_network(network(10**9), [0], 1, 2000),
        lambda: simulate_network(network(1000), [0], 1, 2000),
    )
    yield "network, d = 1e9: cost in units of d = 1000", f"{1 / ratio:.2f}", "1", ratio > 0.8


@benchmark
def slopes_without_closed_forms() -> Iterator[Row]:
    """The slope a: sums of coefficients, and integrals over one variable, against nodes."""
    for text, least in (("tanh(2*x)", 4), ("hardtanh", 4)):
        yield _against_nodes(Pair(text), least)


def _against_nodes(pair: Pair, least: int) -> Row:
    found, of = by_quadrature(pair), plane_of(pair)

    def a(z: np.ndarray, x: np.ndarray) -> np.ndarray:
        return (of.label(z) - of.value(x)) * z * of.slope(x)

    points = [(0.3 + i / 1000, 0.2) for i in range(100)]
    wrong = max(abs(found.a(*point) - of.mean(a, *point)) for point in points)
    assert wrong < 1e-10
    mine, _, ratio = paired(
        lambda: [found.a(*point) for point in points],
        lambda: [of.mean(a, *point) for point in points],
    )
    return (
        f"slope a of {pair.student.text} at a point, against nodes over the plane",
        f"{ratio:.1f}x ({1e6 * mine / len(points):.0f} us)",
        f"at least {least}x",
        ratio >= least,
    )


@benchmark
def memory_over_steps() -> Iterator[Row]:
    """A run of a hundred times the steps keeps the same records."""
    peaks = []
    for steps in (10_000, 1_000_000):
        records = np.unique(np.geomspace(1, steps, 50).astype(int))
        small = learner("x", 1000, 1)
        simulate_sgd(small, [0], 1, 1)
        tracemalloc.start()
        simulate_sgd(small, range(4), 1, steps, records)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    ratio = peaks[1] / peaks[0]
    yield "peak memory at 100 times the steps", f"{ratio:.2f}x", "flat", ratio < 1.5
