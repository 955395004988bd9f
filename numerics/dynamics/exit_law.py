r"""The law of the exit time in numbers: quantiles, steps, samples, who still searches.

The formulas are those of ``derive.exit``; the rate, ``b`` and the noise of samples are
enclosed, and so is log K where it can be. The law itself is a limit, of small γ and large d at a
fixed γd.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, lru_cache
from math import ceil, exp, inf, log, sqrt
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from sympy import Rational, Symbol, lambdify

from derive import exit as formulas
from derive.errors import InputError
from derive.pair import Pair
from numerics.certified.balls import nearest_double
from numerics.certified.drift import sample_noise_function
from numerics.certified.escape import escape_curve
from numerics.doubles.arrays import Doubles
from numerics.dynamics.exit_constant import ExitConstant, exit_constant_of
from numerics.dynamics.kinds import EXIT_RADIUS
from numerics.dynamics.network_sgd import NetworkLearner
from numerics.dynamics.sgd import Learner

_FAR = 10.0  # standard deviations beyond which X is not looked for


class NoExit(InputError):
    """At this strength the search phase is never left."""


@dataclass(frozen=True)
class ExitLaw:
    r"""The law of the exit time of a learner, in units of 1/γ where nothing else is said.

    Fields: ``rate`` λ; ``constant``, log K with its error; ``mean`` and ``spread``, the standard
    deviation, of X; ``dimension``, ``learning_rate``, ``batch``; ``finite_rate``, by how much of
    it the noise of samples slows the growth at the exit. With the normal variable X,

    .. math:: T = (\tfrac12 \log d + \log K - \log|X|)/\lambda, \quad
        \text{finite rate} = R^2\, \tfrac{\gamma d}{B} v_u^2 N / 2\lambda

    Heuristic: a limit, of small γ and large d, where ``finite_rate`` is at most about 0.1.
    """

    rate: float
    constant: ExitConstant
    mean: float
    spread: float
    dimension: int
    learning_rate: float
    batch: int
    finite_rate: float

    def searching(self, time: ArrayLike) -> Doubles:
        """The share of runs that have not left the search phase at times."""
        height = log(self.dimension) / 2 + self.constant.log_k
        level = np.exp(height - self.rate * np.asarray(time, dtype=float))
        return np.asarray(_searching()(level, self.mean, self.spread**2))

    def still_searching(self, samples: float) -> float:
        """The share of runs that have not left it after so many samples."""
        return float(self.searching(self.learning_rate * (samples // self.batch)))

    def quantile(self, probability: float) -> float:
        """The time by which a run has left with a probability in (0, 1); 0 at the earliest.

        Raises ``InputError`` for another probability.
        """
        if not 0 < probability < 1:
            raise InputError(f"probability {probability} is not accepted: give one in (0, 1)")
        share, variance = _searching(), self.spread**2
        size = abs(self.mean) + self.spread

        def missing(height: float) -> float:
            return float(share(exp(height), self.mean, variance)) - (1 - probability)

        height = brentq(missing, log(size) - 60, log(size) + log(_FAR), xtol=1e-14)
        whole = log(self.dimension) / 2 + self.constant.log_k
        return max((whole - float(height)) / self.rate, 0.0)

    def steps(self, probability: float) -> int:
        """The steps by which a run has left with a probability."""
        return ceil(self.quantile(probability) / self.learning_rate)

    def samples(self, probability: float) -> int:
        """The samples by which a run has left with a probability: steps times batch."""
        return self.steps(probability) * self.batch


@cache
def _moments() -> Callable[..., Any]:
    """Mean and variance of X, compiled from ``derive``."""
    rate, scale = (Symbol(name, positive=True) for name in ("rate", "scale"))
    b, noise = Symbol("b", real=True), Symbol("noise", nonnegative=True)
    law = formulas.exit_law(rate, b, noise, scale)
    compiled: Callable[..., Any] = lambdify((rate, b, noise, scale), (law.mean, law.variance))
    return compiled


@cache
def _searching() -> Callable[..., Any]:
    """The share that still searches at a level, compiled from ``derive``."""
    level, mean, variance = (Symbol(name, positive=True) for name in ("level", "mean", "variance"))
    law = formulas.ExitLaw(Symbol("rate"), mean, variance)
    compiled: Callable[..., Any] = lambdify(
        (level, mean, variance), law.searching(level), modules=["scipy", "numpy"]
    )
    return compiled


def exit_law(learner: Learner | NetworkLearner, radius: float = EXIT_RADIUS) -> ExitLaw:
    r"""The law of the exit time of a learner's one-pass SGD.

    Arguments:
        learner: of one stage, with the initial overlap of either sign.
        radius: R in (0, 1), the size of the state that counts as exit.

    Raises ``InputError`` for other learners and where there is no escape, ``Undecided`` if the flow
    does not exit. Source: (9), (57)-(61). Heuristic: a limit, of small γ and large d.

    >>> law = exit_law(Learner(Pair("x"), 0.5, 1000, 1e-4))
    >>> [round(law.quantile(p), 1) for p in (0.1, 0.5, 0.9)]  # ½ τ log d is 16.7
    [11.4, 15.7, 23.8]
    """
    if not isinstance(learner, Learner):
        raise InputError("the law of the exit time is of one neuron: leave the network out")
    if learner.stage is not None or learner.signs != "random":
        raise InputError(
            "the exit time has this law for one stage and random signs: leave the others out"
        )
    mu = Fraction(str(float(learner.mu)))
    numbers = _numbers(learner.pair, mu, learner.noise, radius)
    scaled = learner.learning_rate * learner.dimension / learner.batch
    mean, variance = _moments()(numbers.rate, numbers.b, scaled * numbers.noise, learner.scale)
    _, started = _moments()(numbers.rate, numbers.b, 0.0, learner.scale)
    return ExitLaw(
        numbers.rate,
        numbers.constant,
        float(mean),
        sqrt(variance),
        learner.dimension,
        learner.learning_rate,
        learner.batch,
        (variance - started) * radius**2,
    )


@dataclass(frozen=True)
class _Numbers:
    """What does not depend on d, γ and B: λ, b, the mean square of a sample's pull, log K."""

    rate: float
    b: float
    noise: float
    constant: ExitConstant


@lru_cache(maxsize=256)
def _numbers(pair: Pair, mu: Fraction, label_noise: float, radius: float) -> _Numbers:
    curve = escape_curve(pair, [mu])
    if curve.tau[0] == inf:
        raise NoExit(f"there is no escape at μ = {mu}, so no exit time: give another strength")
    deviation = Rational(*Fraction(label_noise).as_integer_ratio())
    noise = nearest_double(sample_noise_function(pair, deviation), mu)
    return _Numbers(curve.rate[0], curve.b[0], noise, exit_constant_of(pair, mu, radius))
