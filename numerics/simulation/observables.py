"""What a simulated cell needs of its flow, for the single-index model and for networks alike.

A system observes states (loss, overlap, scale, alignment), knows the growth rate of its search
phase, predicts exits and follows the flow from a start. Heuristic throughout.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sympy import Rational

from derive.errors import InputError
from derive.gaussian import NoClosedForm
from derive.network import network_drift
from derive.pair import Pair
from numerics.dynamics.flow import (
    Flow,
    first_passage_of,
    flow_of,
    integrate,
    linear_growth,
    predicted_exit,
)
from numerics.dynamics.network_flow import (
    NetworkFlow,
    NetworkState,
    integrate_network,
    network_flow,
)

Doubles = NDArray[np.float64]
OBSERVED = ("loss", "overlap", "scale", "alignment")


class System(Protocol):
    """The flow of one learner, whatever its order parameters are."""

    def rate(self) -> float:
        """Growth rate λ₊ of the search phase."""

    def observe(self, states: Doubles) -> dict[str, Doubles]:
        """``OBSERVED`` of states along the last axis."""

    def predict(self, start: Doubles, radius: float) -> float | None:
        """Exit time of the linearised flow from a start."""

    def path(self, starts: Doubles, times: Doubles) -> Doubles:
        """States of the flow at times, from a typical one of the replicas' starts."""


@dataclass(frozen=True)
class SingleIndex:
    """The single-index model; states are ``(u, m)`` or ``(u, m, κ)``."""

    flow: Flow

    def rate(self) -> float:
        """Growth rate λ₊ of the search phase."""
        return self.flow.rate()

    def observe(self, states: Doubles) -> dict[str, Doubles]:
        """``OBSERVED`` of states."""
        return {
            "loss": self.flow.loss(states),
            "overlap": np.abs(states[..., 1]),
            "scale": np.abs(states[..., 0]),
            "alignment": np.abs(self.flow.alignment(states)),
        }

    def predict(self, start: Doubles, radius: float) -> float | None:
        """Exit time of the linearised flow."""
        return predicted_exit(self.flow, start[: self.flow.size], radius)

    def path(self, starts: Doubles, times: Doubles) -> Doubles:
        """The flow from the median start, on the side of the growing direction."""
        start = np.median(np.abs(starts), axis=0)
        start[1:] *= np.where(self.flow.linearisation()[0, 1 : len(start)] < 0, -1, 1)
        return integrate(self.flow, start, float(times[-1])).at(times)


@dataclass(frozen=True)
class Network:
    """A two-layer network; states are packed ``U, M, G``."""

    flow: NetworkFlow
    blocks: tuple[Doubles, Doubles]

    def _matrix(self) -> Doubles:
        a, b = self.blocks
        return np.block([[b, a.T], [a, np.zeros_like(a)]])

    def rate(self) -> float:
        """Growth rate λ₊ of the search phase, the same for every rank."""
        return float(np.linalg.eigvalsh(self._matrix())[-1])

    def observe(self, states: Doubles) -> dict[str, Doubles]:
        """``OBSERVED``: sizes of M and U, and the mean alignment of neurons with their teachers."""
        neurons, rank = len(self.flow.mu), self.flow.rank
        flat = states.reshape(-1, states.shape[-1])
        rows = np.empty((4, len(flat)))
        for row, vector in zip(rows.T, flat, strict=True):
            state = NetworkState.unpacked(vector, neurons, rank)
            r, q = self.flow.overlaps(state)
            alignment = np.mean(np.diag(r) / np.sqrt(np.diag(q)))
            sizes = np.linalg.norm(state.m), np.linalg.norm(state.u)
            row[:] = self.flow.loss(state), *sizes, abs(alignment)
        return dict(zip(OBSERVED, rows.reshape(4, *states.shape[:-1]), strict=True))

    def predict(self, start: Doubles, radius: float) -> float | None:
        """Exit time of the linearised flow, all columns together."""
        size = len(self.flow.mu) * self.flow.rank
        columns = start[: 2 * size].reshape(2 * len(self.flow.mu), self.flow.rank)
        return first_passage_of(
            linear_growth(self._matrix(), columns), columns, self.rate(), radius
        )

    def path(self, starts: Doubles, times: Doubles) -> Doubles:
        """The flow from the first replica's start."""
        first = NetworkState.unpacked(starts[0], len(self.flow.mu), self.flow.rank)
        return integrate_network(self.flow, first, float(times[-1])).at(times)


@lru_cache(maxsize=64)
def single_index(pair: Pair, mu: float) -> SingleIndex:
    """The system of a pair at a strength."""
    return SingleIndex(flow_of(pair, mu))


@lru_cache(maxsize=64)
def network(pair: Pair, strengths: tuple[float, ...], rank: int) -> Network:
    """The system of a network; raises ``InputError`` if its pair has no closed form."""
    exact = [Rational(str(mu)) for mu in strengths]
    try:
        blocks = network_drift(pair.labelled_teacher, pair.student).blocks(exact)
        flow = network_flow(pair, strengths, rank)
    except NoClosedForm as reason:
        raise InputError(
            f"networks of {pair.teacher.text} and {pair.student.text} are not accepted ({reason}): "
            "choose activations with a closed form, such as erf, relu, gelu or He3"
        ) from None
    a, b = (np.array(block.evalf(20).tolist(), dtype=float) for block in blocks)
    return Network(flow, (a, b))


def observed_nothing(replicas: int) -> dict[str, Doubles]:
    """``OBSERVED`` of runs that recorded no state."""
    return {name: np.empty((replicas, 0)) for name in OBSERVED}


def packed(start: ArrayLike | NetworkState) -> Doubles:
    """A learner's initial state as one vector."""
    return start.packed() if isinstance(start, NetworkState) else np.asarray(start, dtype=float)
