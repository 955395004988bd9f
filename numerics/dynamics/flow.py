r"""Flow of the order parameters: the limit of large d of one-pass SGD (91), App. A.1.

The state is ``(u, m)``, or ``(u, m, κ)`` for misaligned pre-training; time is ``γ`` times the
number of steps. With :math:`\rho = \mu + um`, :math:`s = \nu^2 + 2u\nu\kappa + u^2(1-m^2)`, the
slopes ``a(ρ, s)``, ``b(ρ, s)`` of the loss give the gradient flow, that of small steps, and
``a(μ, ν²)``, ``b(μ, ν²)`` its linearisation in the search phase. Steps of the order of 1/d add a
term of third order (``derive.finite_rate``).
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq

from derive.errors import InputError
from derive.given import insist_on, real
from derive.pair import Pair, PairLike
from derive.symbols import mu as mu_symbol
from numerics.certified.strengths import Strength
from numerics.doubles.arrays import Doubles, as_doubles
from numerics.doubles.landscape import FloatLandscape, Function, float_landscape, float_noise
from numerics.dynamics.kinds import EXIT_RADIUS
from numerics.dynamics.solver import NotFollowed, solved

OBSERVED = ("loss", "overlap", "scale", "alignment")
_NO_ESCAPE = 1e-14  # of the matrix: a rate that is not above it is none, but for rounding
_SUBSTEPS = 16  # places inside a step of the solver at which a passage is looked for
_RELATIVE, _ABSOLUTE = 1e-10, 1e-14
_STIFF = 1e4  # rates in units of 1/horizon, with which an explicit solver takes too many steps
_ROUNDING = 1e-12  # of times, relative: sums of steps end a little beyond the last
_landscape = lru_cache(maxsize=64)(float_landscape)
_noise = lru_cache(maxsize=64)(float_noise)


class Motion(ABC):
    """The flow of one learner, whatever its order parameters are. Heuristic throughout."""

    @abstractmethod
    def linearisation(self) -> Doubles:
        """Matrix of the search phase, symmetric."""

    @abstractmethod
    def observe(self, states: Doubles) -> dict[str, Doubles]:
        """``OBSERVED`` of states along the last axis."""

    @abstractmethod
    def predict(self, start: Doubles, radius: float = EXIT_RADIUS) -> float | None:
        """Exit time of the linearised flow from a start, if it exits."""

    @abstractmethod
    def path(self, starts: Doubles, times: Doubles) -> Doubles:
        """States of the flow at times, from a typical one of the replicas' starts."""

    def rate(self) -> float:
        """Growth rate λ₊ of the search phase (59). Heuristic."""
        return float(np.linalg.eigvalsh(self.linearisation())[-1])

    def tau(self) -> float:
        """Escape time τ in units of 1/γ, ``inf`` if there is no escape. Heuristic."""
        return 1 / self.rate() if self.escapes() else math.inf

    def escapes(self) -> bool:
        """Whether the search phase ends: whether it grows by more than rounding. Heuristic."""
        return self.rate() > _NO_ESCAPE * self.speed()

    def speed(self) -> float:
        """How large the search phase's matrix is; a rate far below it is rounding. Heuristic."""
        return float(np.abs(self.linearisation()).max())


@dataclass(frozen=True)
class Flow(Motion):
    """The gradient flow of one pair at one pre-training strength.

    Fields: ``landscape``; ``mu`` in (0, 1]; ``nu``, the misalignment, 0 in the main model;
    ``scaled_rate``, γd/B of the limit of large d, 0 in that of small steps; ``noise``, the mean
    square of a sample's pull over ρ and s, which a scaled rate needs. States are arrays ``(u, m)``,
    or ``(u, m, κ)`` if ``nu`` is not 0. Heuristic.
    """

    landscape: FloatLandscape
    mu: float
    nu: float = 0.0
    scaled_rate: float = 0.0
    noise: Function | None = None

    def speed(self) -> float:
        """The same, or how large what the matrix is made of is, where that cancels. Heuristic."""
        return max(super().speed(), self.landscape.size)

    @property
    def size(self) -> int:
        """Number of order parameters."""
        return 3 if self.nu else 2

    def place(self, state: ArrayLike) -> tuple[Doubles, Doubles]:
        """Covariance ρ and residual variance s of states, whose last axis has ``size`` entries."""
        states = as_doubles(state, "state")
        if states.shape[-1:] != (self.size,):
            raise InputError(
                f"states of shape {states.shape} are not accepted: give {self.size} numbers each"
            )
        u, m = states[..., 0], states[..., 1]
        kappa = states[..., 2] if self.size > 2 else 0.0
        s = self.nu**2 + 2 * u * self.nu * kappa + u * u * (1 - m * m)
        return self.mu + u * m, np.maximum(s, 0.0)

    def velocity(self, time: float, state: ArrayLike) -> Doubles:
        r"""The flow: :math:`\dot u = -\partial_u L`, the spherical gradient for the direction.

        A scaled rate adds :math:`-\tfrac{\gamma d}{2B} u^2 N\,(m, \kappa)`, as
        ``derive.finite_rate`` has it. Source: (91), App. A.1, (38)-(40). Heuristic.
        """
        rho, s = (float(x) for x in self.place(state))
        u, m, *rest = np.asarray(state, dtype=float)
        kappa = rest[0] if rest else 0.0
        a, b = self.landscape.a(rho, s), self.landscape.b(rho, s)
        by_m, by_kappa = a * u - b * u * u * m, b * u * self.nu
        radial = m * by_m + kappa * by_kappa
        if self.noise is not None:
            radial += self.scaled_rate / 2 * u * u * self.noise(rho, s)
        by_u = a * m + b * (u * (1 - m * m) + self.nu * kappa)
        return np.array([by_u, by_m - m * radial, by_kappa - kappa * radial][: self.size])

    def loss(self, states: ArrayLike) -> Doubles:
        """The population loss at states. Heuristic."""
        return self.landscape.losses(*self.place(states))

    def alignment(self, states: ArrayLike) -> Doubles:
        r"""Effective alignment :math:`\rho/\sqrt Q` with the teacher; of a null student NaN."""
        rho, s = self.place(states)
        with np.errstate(invalid="ignore"):
            return rho / np.sqrt(rho * rho + s)

    def linearisation(self) -> Doubles:
        """Matrix of the flow at the origin: the search phase (58), App. A.1. Heuristic."""
        a = self.landscape.a(self.mu, self.nu**2)
        b = self.landscape.b(self.mu, self.nu**2)
        e = self.nu * b
        return np.array([[b, a, e], [a, 0, 0], [e, 0, 0]])[: self.size, : self.size]

    def observe(self, states: Doubles) -> dict[str, Doubles]:
        """``OBSERVED`` of states. Heuristic."""
        return {
            "loss": self.loss(states),
            "overlap": np.abs(states[..., 1]),
            "scale": np.abs(states[..., 0]),
            "alignment": np.abs(self.alignment(states)),
        }

    def predict(self, start: Doubles, radius: float = EXIT_RADIUS) -> float | None:
        """``predicted_exit`` from a learner's initial state."""
        return predicted_exit(self, start[: self.size], radius)

    def path(self, starts: Doubles, times: Doubles) -> Doubles:
        """The flow from the median start, on the side of the growing direction. Heuristic."""
        return integrate(self, self.typical(starts), float(times[-1])).at(times)

    def typical(self, starts: Doubles) -> Doubles:
        """The median start, on the side of the growing direction."""
        start = np.median(np.abs(starts), axis=0)
        start[1:] *= np.where(self.linearisation()[0, 1 : len(start)] < 0, -1, 1)
        return np.asarray(start)


@dataclass(frozen=True)
class Trajectory:
    """A solution of the flow.

    Fields: ``times``, those of the solver's steps; ``at``, the state at an array of times within
    them, one row a time, which raises ``InputError`` for others. Heuristic: errors near 1e-10,
    without bounds.
    """

    times: Doubles
    at: Callable[[ArrayLike], Doubles]

    def first_passage(self, radius: float = EXIT_RADIUS) -> float | None:
        r"""First time at which :math:`|(u, m, \kappa)| = ` ``radius``; ``None`` if there is none.

        The passage is looked for at 16 places in every step of the solver. Source: (60). Heuristic.
        """
        return _first_passage(self.at, self.times, radius)


def flow_of(
    pair: PairLike, mu: Strength | str, *, scaled_rate: float = 0.0, label_noise: float = 0.0
) -> Flow:
    """The gradient flow of a pair at a pre-training strength.

    Arguments:
        pair: teacher and student, whose misalignment ν is taken at ``mu``.
        mu: strength in (0, 1].
        scaled_rate: γd/B ≥ 0 in the limit of large d; 0 is the limit of small steps.
        label_noise: standard deviation of noise on the labels, which only a scaled rate feels.

    Raises ``InputError`` for other values. Source: (91), App. A.1, (38)-(40). Heuristic.

    >>> flow_of("x", 0.5).velocity(0.0, [0.1, 0.2]).round(3).tolist()
    [0.0, 0.048]
    >>> flow_of("x", 0.5, scaled_rate=2.0).velocity(0.0, [0.1, 0.2]).round(5).tolist()
    [0.0, 0.04752]
    """
    pair, mu = Pair.of(pair), real(mu, "strength")
    scaled_rate, label_noise = real(scaled_rate, "scaled rate"), real(label_noise, "noise")
    if not (0 < mu <= 1 and 0 <= scaled_rate < math.inf and 0 <= label_noise < math.inf):
        raise InputError(
            f"strength {mu}, scaled rate {scaled_rate}, noise {label_noise} are not accepted: give "
            "0 < μ ≤ 1, finite γd/B ≥ 0 and a finite standard deviation ≥ 0"
        )
    nu = float(pair.misalignment.subs(mu_symbol, mu))
    noise = _noise(pair, label_noise) if scaled_rate else None
    return Flow(_landscape(pair), mu, nu, scaled_rate, noise)


def _start(flow: Flow, initial: ArrayLike) -> Doubles:
    """An initial state; raises ``InputError`` for what is no flow or no such state of it."""
    insist_on(flow, Flow, "a flow, as flow_of(pair, mu) or study(...).flow(mu) makes it")
    start = as_doubles(initial, "state")
    if start.shape != (flow.size,):
        raise InputError(f"state {start.tolist()} is not accepted: give {flow.size} numbers")
    return start


def integrate(flow: Flow, initial: ArrayLike, horizon: float, stiff: bool = False) -> Trajectory:
    """Solve the flow from an initial state up to a time.

    Arguments:
        flow: as ``flow_of`` makes it.
        initial: of ``flow.size`` entries with the direction inside the unit ball.
        horizon: > 0, in units of 1/γ.
        stiff: whether rates are large against 1/horizon, as those of the search phase may be.

    Raises ``InputError`` for a state outside, ``Undecided`` as ``solved``. Heuristic.

    >>> end = integrate(flow_of("x", 0.5), [0.01, 0.01], 200.0).at(200.0)
    >>> [round(float(value), 6) for value in end]
    [0.5, 1.0]
    """
    start = _start(flow, initial)
    if not np.sum(start[1:] ** 2) <= 1:
        raise InputError(
            f"initial state {start.tolist()} is not accepted: give {flow.size} numbers, the "
            "overlaps inside the unit ball"
        )
    stiff = stiff or flow.speed() * real(horizon, "time") > _STIFF
    return trajectory(flow.velocity, start, horizon, stiff, rtol=_RELATIVE, atol=_ABSOLUTE)


def trajectory(
    velocity: Callable[..., Doubles], start: Doubles, horizon: float, stiff: bool, **how: float
) -> Trajectory:
    """The solution of ``solve_ivp`` up to a time: by DOP853, and by LSODA what is stiff.

    Arguments:
        velocity: of a time and a state.
        start: the state at time 0.
        horizon: > 0, in units of 1/γ.
        stiff: whether that is known; else it is where DOP853 takes too many steps.
        how: tolerances, as ``solve_ivp`` takes them.

    Raises ``InputError`` unless that is positive and finite, ``Undecided`` as ``solved``.
    """
    horizon = real(horizon, "time")
    if not 0 < horizon < math.inf:
        raise InputError(f"time {horizon} is not accepted: give one > 0, in units of 1/γ")
    asked = {"dense_output": True, **how}
    try:
        solution = solved(velocity, start, horizon, method="LSODA" if stiff else "DOP853", **asked)
    except NotFollowed:
        if stiff:
            raise
        solution = solved(velocity, start, horizon, method="LSODA", **asked)

    def at(times: ArrayLike) -> Doubles:
        asked = as_doubles(times, "time")
        if not ((asked >= 0) & (asked <= horizon * (1 + _ROUNDING))).all():
            raise InputError(
                f"times from {asked.min()} to {asked.max()} are not accepted: give some from 0 to "
                f"{horizon}, or follow the flow for longer"
            )
        states = solution.sol(asked.ravel()) if asked.size else np.empty((len(start), 0))
        return np.moveaxis(states, 0, -1).reshape(*asked.shape, len(start))

    return Trajectory(solution.t, at)


def linearised(flow: Flow, initial: ArrayLike) -> Callable[[ArrayLike], Doubles]:
    """States of the linearised flow as a function of times, one row a time (57). Heuristic.

    Arguments:
        flow: as ``flow_of`` makes it.
        initial: of ``flow.size`` entries.

    Raises ``InputError`` for others.

    >>> linearised(flow_of("x", 1.0), [1.0, 0.5])(1.0).round(4).tolist()
    [0.3679, 0.5]
    """
    start = _start(flow, initial)
    return linear_growth(flow.linearisation(), start)


def linear_growth(matrix: Doubles, start: Doubles) -> Callable[[ArrayLike], Doubles]:
    """``exp(matrix·t) @ start`` as a function of times, for a symmetric matrix. Heuristic.

    Arguments:
        start: a vector or columns that grow side by side; one row a time, raveled.

    >>> linear_growth(np.diag([1.0, 0.0]), np.array([1.0, 2.0]))(0.0).tolist()
    [1.0, 2.0]
    """
    rates, directions = np.linalg.eigh(matrix)
    parts = directions.T @ start.reshape(len(start), -1)

    def at(times: ArrayLike) -> Doubles:
        growth = np.exp(np.multiply.outer(times, rates))
        states = directions @ (growth[..., None] * parts)
        return np.asarray(states.reshape(*np.shape(times), start.size))

    return at


def predicted_exit(flow: Flow, initial: ArrayLike, radius: float = EXIT_RADIUS) -> float | None:
    """Exit time of the linearised flow: its first passage through ``radius``, if any.

    Arguments:
        flow, initial: as ``linearised`` takes them.
        radius: of the state at exit.

    This is ``½ τ log d`` with the constant that the initial state and the radius set (60), (61).
    Raises ``InputError`` as ``linearised``. Heuristic.

    >>> round(predicted_exit(flow_of("He2/2", 0.5), [1e-3, 1e-3]), 4)
    9.3396
    """
    grown, radius = linearised(flow, initial), real(radius, "radius")
    return first_passage_of(grown, np.asarray(initial, dtype=float), flow.rate(), radius)


def first_passage_of(
    at: Callable[[ArrayLike], Doubles], start: Doubles, rate: float, radius: float
) -> float | None:
    """First passage of linear growth at a ``rate`` through a radius, if any. Heuristic.

    Arguments:
        at: the linear growth, of times.
        start: the state at time 0.
        rate: of growth.
        radius: of the state's norm.
    """
    size = float(np.linalg.norm(start))
    if size >= radius:
        return 0.0
    if rate <= 0 or size == 0:
        return None
    late = (np.log(radius / size) + 5) / rate
    while np.linalg.norm(at(late)) < radius:
        late *= 1.5
        if late * rate > 500:  # the initial state has no part along the growing direction
            return None
    return _first_passage(at, [0.0, late], radius)


def crossing(size: Callable[[float], float], before: float, after: float) -> float:
    """When a function of time changes its sign, whatever the unit of time. Heuristic.

    Arguments:
        size: of a time; its signs differ at the ends.
        before, after: the ends, the first less than the second.

    >>> round(1e20 * crossing(lambda time: 1e20 * time - 3, 1e-20, 5e-20), 9)
    3.0
    """
    return float(brentq(size, before, after, xtol=_ROUNDING * (after - before)))


def _first_passage(
    at: Callable[[ArrayLike], Doubles], steps: ArrayLike, radius: float
) -> float | None:
    fractions = np.arange(_SUBSTEPS) / _SUBSTEPS
    times = np.asarray(steps, dtype=float)
    fine = np.append((times[:-1, None] + np.diff(times)[:, None] * fractions).ravel(), times[-1])
    outside = np.linalg.norm(at(fine), axis=-1) >= radius
    if not outside.any():
        return None
    first = int(outside.argmax())
    if first == 0:
        return 0.0

    def beyond(time: float) -> float:
        return float(np.linalg.norm(at(np.array([time])))) - radius

    return crossing(beyond, fine[first - 1], fine[first])
