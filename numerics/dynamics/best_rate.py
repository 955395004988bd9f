r"""The learning rate that needs the fewest samples to leave the search phase and to learn.

For small γ samples fall as 1/γ. To leave, this goes on beyond the stable rate, since the noise
shortens the search more than it slows the growth; but no run learns there. So the best rate is a
share of the stable one that weighs search against descent (``derive.tuned_rate``), and less where
noise that strength does not remove, of labels or of a misfit, would slow the growth at the exit.
"""

from fractions import Fraction
from functools import cache
from math import log
from typing import Any

from sympy import Rational, Symbol, lambdify

from derive import tuned_rate
from derive.given import real, whole
from derive.pair import Pair, PairLike
from numerics.certified.balls import nearest_double
from numerics.certified.drift import sample_noise_function
from numerics.doubles.moments import moment
from numerics.dynamics.flow import flow_of
from numerics.dynamics.kinds import EXIT_RADIUS
from numerics.dynamics.stability import stable_learning_rate

_LEARNT = 100.0  # by so much the loss is to fall
_MOST_SLOWED = 0.5  # of the growth at the exit


def best_learning_rate(
    pair: PairLike, mu: float, dimension: int, batch: int = 1, noise: float = 0.0
) -> float:
    r"""The learning rate with about the fewest samples until the loss is a hundredth.

    Arguments:
        pair: taken to match the labels at the teacher, as ``stable_learning_rate`` does.
        mu: pre-training strength in (0, 1].
        dimension: of the input, at least 3.
        batch: samples a step.
        noise: standard deviation ς on the labels.

    With the stable rate :math:`\gamma_s`, the mean square N of a sample's pull where the search
    begins, and the exit radius R,

    .. math:: \gamma = \min\Big(c\,\gamma_s,\; \frac{B}{d}\,\frac{\lambda}{R^2 v_u^2 N}\Big),
        \quad c = 1 + r - \sqrt{r(1+r)}, \quad
        r = \frac{\log 100}{2(1-\mu)^2 p_0} \Big/ \frac{\log d}{2\lambda}

    It scales as B/d, and for matched pairs as :math:`(1-\mu)^{-2}`, as far as the batch allows.
    Raises ``InputError`` as ``stable_learning_rate``. Heuristic; simulations support it.

    >>> rate = best_learning_rate("x", 0.5, 1000, 1)
    >>> round(rate / stable_learning_rate("x", 0.5, 1000, 1), 2)
    0.63
    """
    pair, mu, noise = Pair.of(pair), real(mu, "strength"), real(noise, "noise")
    dimension, batch = whole(dimension, "dimension", 3), whole(batch, "batch", 1)
    limit = stable_learning_rate(pair, mu, dimension, batch)
    flow = flow_of(pair, mu)
    rate, b = flow.rate(), float(flow.linearisation()[0, 0])
    if not flow.escapes():
        return limit / 2  # where search has no end there is nothing but descent
    shrinking = (1 - mu) ** 2 * moment(pair.student.value.derivative(), 2)
    descent = log(_LEARNT) * rate / (shrinking * log(dimension)) if shrinking else 1e9
    exact = Fraction(str(mu))
    deviation = Rational(*Fraction(noise).as_integer_ratio())
    pull = nearest_double(sample_noise_function(pair, deviation), exact)
    along_u = rate / (2 * rate - b)
    growing = 2 * _MOST_SLOWED * rate / (EXIT_RADIUS**2 * along_u * pull) if pull else float("inf")
    return float(min(_best_share()(descent) * limit, growing * batch / dimension))


@cache
def _best_share() -> Any:
    """Compiled from ``derive``."""
    ratio = Symbol("r", positive=True)
    return lambdify(ratio, tuned_rate.best_share(ratio), "math")
