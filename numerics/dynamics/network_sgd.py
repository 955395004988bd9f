r"""One-pass SGD of a network with shared rank-r LoRA, exactly in law.

The update is in ``numerics.dynamics.network_update``: a step costs ``O(B (K + r)^2)`` for any
dimension.
"""

import math
from dataclasses import dataclass
from functools import cached_property, partial
from typing import ClassVar

import numpy as np
from numpy.random import Generator

from derive.errors import InputError, quoted
from derive.given import read_numbers, real, whole
from derive.pair import Pair
from numerics.certified.strengths import strengths_of
from numerics.doubles.arrays import Doubles
from numerics.doubles.moments import insist_on_doubles
from numerics.dynamics import network_update
from numerics.dynamics.kinds import NETWORK_HORIZON, ExitBy
from numerics.dynamics.network_flow import NetworkFlow, NetworkState, network_flow
from numerics.dynamics.network_update import NetworkAlgorithm, NetworkLaw, Statistics
from numerics.dynamics.runs import Counts, Ran, Run
from numerics.dynamics.sgd import compiled_functions, simulate_sgd
from numerics.dynamics.stability import cause_of_divergence
from numerics.dynamics.update import Watch


@dataclass(frozen=True)
class NetworkLearner:
    """A network trained by one-pass SGD on the square loss.

    Fields:
        pair: of activations, its labels those of each teacher neuron;
        mu: one strength in [0, 1] a neuron;
        rank: r, shared by all neurons;
        dimension: d ≥ K + r;
        learning_rate: γ > 0;
        batch: samples a step, at least 1;
        noise: standard deviation added to labels;
        scale: of the initial ``U``, in units of 1/√d.

    Raises ``InputError`` for values outside these ranges.
    """

    pair: Pair
    mu: tuple[float, ...]
    rank: int
    dimension: int
    learning_rate: float
    batch: int = 1
    noise: float = 0.0
    scale: float = 1.0
    usual_horizon: ClassVar[float] = NETWORK_HORIZON

    def __post_init__(self) -> None:
        read_numbers(self, real, "learning_rate", "noise", "scale")
        read_numbers(self, partial(whole, least=1), "rank", "dimension", "batch")
        object.__setattr__(self, "mu", tuple(map(float, strengths_of(self.mu))))
        object.__setattr__(self, "pair", Pair.of(self.pair))  # an activation is a pair too
        neurons = len(self.mu)
        most = self.dimension - neurons  # rank
        checks = (
            (neurons >= 1, "no neuron", "one strength a neuron"),
            (most >= 1, f"{neurons} neurons", f"fewer than d = {self.dimension}"),
            (self.rank <= most, f"rank {self.rank}", f"1 to d - K = {most}"),
            (0 < self.learning_rate < math.inf, f"learning rate {self.learning_rate}", "0 < γ < ∞"),
            (0 <= self.noise < math.inf, f"noise {self.noise}", "a finite standard deviation ≥ 0"),
            (0 <= self.scale < math.inf, f"initial scale {self.scale}", "a finite number ≥ 0"),
            (self.pair.loss == "square", f"loss {self.pair.loss}", "the square loss"),
            (self.pair.misalignment == 0, "misalignment", "aligned pre-training"),
        )
        for passed, given, wanted in checks:
            if not passed:
                raise InputError(f"{given} is not accepted: give {wanted}")
        insist_on_doubles(self.pair)

    def initial(self, rng: Generator) -> NetworkState:
        """Columns uniform on the sphere, independent; all of ``U`` equal."""
        neurons, rank = len(self.mu), self.rank
        inside = rng.standard_normal((neurons, rank))
        outside = network_update.wishart(rng, np.eye(rank), self.dimension - neurons)
        gram = inside.T @ inside + outside
        sizes = np.sqrt(np.diag(gram))
        u = np.full((neurons, rank), self.scale / math.sqrt(self.dimension))
        return NetworkState(u, inside / sizes, gram / np.outer(sizes, sizes))

    def start(self, rng: Generator) -> Doubles:
        """The initial statistics, packed."""
        return self.initial(rng).packed()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the packed statistics."""
        shapes = (("u", len(self.mu)), ("m", len(self.mu)), ("g", self.rank))
        return tuple(
            f"{name}_{j}_{k}"
            for name, rows in shapes
            for j in range(rows)
            for k in range(self.rank)
        )

    @cached_property
    def flow(self) -> NetworkFlow:
        """The gradient flow."""
        return network_flow(self.pair, self.mu, self.rank)

    def runner(self, radius: float, stop_at_exit: bool, exit_by: ExitBy = "state") -> Run:
        """What simulates one replica; arguments as of ``Learner.runner``.

        Raises ``InputError`` for an exit by anything but the state.
        """
        if exit_by != "state":
            raise InputError(
                f"exit by {quoted(exit_by)} is not accepted for networks: leave it out"
            )
        functions = compiled_functions(self.pair, self.pair)
        law = NetworkLaw(
            np.array(self.mu),
            self.dimension,
            self.learning_rate,
            self.batch,
            self.noise,
            radius,
            stop_at_exit,
        )
        algorithm = NetworkAlgorithm(network_update.STEPS, functions, law)

        def run(rng: Generator, horizon: int, steps: Counts, count: Counts) -> Ran:
            states = np.full((len(steps), len(self.names)), np.nan)
            start = self.initial(rng)
            statistics = Statistics(start.u, start.m, start.g)
            watch = Watch(horizon, steps, states, count)
            ends = network_update.run(rng, algorithm, statistics, watch)
            return states, *ends

        return run

    def cause_of_divergence(self) -> str:
        """What made a run diverge, and what to try."""
        numbers = (self.dimension, self.batch, self.learning_rate, self.noise)
        return cause_of_divergence([self.pair], min(self.mu), *numbers)


simulate_network = simulate_sgd  # of either learner
