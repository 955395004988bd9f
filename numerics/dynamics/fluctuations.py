r"""What fluctuations at a finite d change of the limit law: its first terms in 1/d at a fixed γd.

Around the unstable manifold a run fluctuates along the stable direction of the search phase. Two
effects are of the order of 1/d: what is nonlinear in the fluctuation changes the mean growth, and
the loss is a bit above that of the manifold. They say how far the limit can be trusted.
"""

from dataclasses import dataclass
from math import sqrt

import numpy as np

from numerics.doubles.arrays import Doubles
from numerics.dynamics.flow import Flow

_NODES = ((-sqrt(3), 1 / 6), (0.0, 2 / 3), (sqrt(3), 1 / 6))  # of Gauss and Hermite, degree 5
_STEP = 1e-4  # of a difference along the unstable direction
_POINTS = 30  # at which the noise is asked for along the manifold


@dataclass(frozen=True)
class Fluctuations:
    """The first terms in 1/d: ``growth``, λ at this d over that of the limit; ``heat``, losses."""

    growth: float
    heat: Doubles


def fluctuations(flow: Flow, states: Doubles, dimension: int) -> Fluctuations:
    r"""Growth of the search phase with fluctuations, and what they add to the loss.

    Arguments:
        flow: at the learner's γd/B, which is not 0.
        states: along the unstable manifold, one a row.
        dimension: d, which says γ/B.

    The growth is that of ``growth_at``; by the balance of noise and dissipation along u, with ``N``
    the mean square of a sample's pull there,

    .. math:: \text{heat} = \tfrac{\gamma}{4B} N

    Raises nothing. Heuristic.

    >>> from numerics.dynamics.flow import flow_of
    >>> found = fluctuations(flow_of("x", 0.5, scaled_rate=1.0), np.zeros((1, 2)), 1000)
    >>> abs(found.growth - 1) < 0.01, found.heat.tolist()
    (True, [6.25e-05])
    """
    assert flow.noise is not None
    chosen = np.unique(np.linspace(0, len(states) - 1, _POINTS).astype(int))
    rhos, residuals = flow.place(states[chosen])
    noise = [flow.noise(float(x), float(s)) for x, s in zip(rhos, residuals, strict=True)]
    heat = flow.scaled_rate / dimension / 4 * np.interp(np.arange(len(states)), chosen, noise)
    return Fluctuations(growth_at(flow, dimension), heat)


def growth_at(flow: Flow, dimension: int) -> float:
    r"""The mean growth rate of the search phase at a finite d, in units of λ.

    Arguments:
        flow: with an escape.
        dimension: d.

    With :math:`v_\pm` the stable and unstable unit vectors of the search phase, ``N`` the mean
    square of a sample's pull and ``f`` the velocity of the flow,

    .. math:: \lambda_d = \partial_h\, E\,v_+\!\cdot f(\xi v_- + h v_+)\big|_{h=0}, \quad
        \xi \sim N\big(0,\; \tfrac{\gamma}{B}\,\tfrac{v_{-,u}^2 N}{2|\lambda_-|}\big)

    Where the activation has a kink, at \|u\| of about μ, this is too large. Raises nothing.
    Heuristic.

    >>> from numerics.dynamics.flow import flow_of
    >>> round(growth_at(flow_of("erf", 0.85, scaled_rate=40.0), 1000), 3)
    1.039
    """
    assert flow.noise is not None
    rates, vectors = np.linalg.eigh(flow.linearisation())
    stable, unstable = vectors[:, 0], vectors[:, -1]
    pull = flow.scaled_rate / dimension * flow.noise(flow.mu, flow.nu**2)
    spread = sqrt(pull * stable[0] ** 2 / (2 * abs(rates[0])))

    def slope(at: Doubles) -> float:
        ahead, behind = (flow.velocity(0, at + h * unstable) for h in (_STEP, -_STEP))
        return float(unstable @ (ahead - behind)) / (2 * _STEP)

    return float(sum(w * slope(node * spread * stable) for node, w in _NODES) / rates[-1])
