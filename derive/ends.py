r"""Where a run ends that leaves the search phase, exactly, without following it.

In large dimensions all runs leave u = m = 0 along one curve, the unstable manifold, or its mirror
image. Below the loss :math:`\ell(\mu)` of the frozen model this curve is joined to the edge: moving
m to the side of :math:`\operatorname{sign}(a)` at a small fixed u lowers the loss, at the rate
:math:`a u` to leading order, and from there ρ moves along the edge down to the next zero of a. The
set of states of a loss below :math:`\ell(\mu)` is bounded and the flow stays in it. If it rests
there at sinks alone, their basins are open and cover it: so all of the piece that holds the curve,
which is connected, goes to one sink, that next zero.
"""

from fractions import Fraction

from sympy import Expr

from derive.errors import InputError
from derive.grammar import parse_number
from derive.landscape import landscape_of
from derive.pair import Pair, PairLike
from derive.rest import RestPoint, rest_points
from derive.symbols import residual, rho


def escape_end(pair: PairLike, strength: str | int | Fraction | Expr) -> RestPoint | None:
    r"""The rest point at which all runs end that leave the search phase along its manifold.

    Arguments:
        pair: of polynomials, aligned.
        strength: μ in (0, 1], an exact rational number or a decimal as text.

    It is the next zero of ``a(ρ, 0)`` above μ if :math:`a(\mu) > 0`, below if :math:`a(\mu) < 0`,
    provided that it is a sink and that no rest point of a loss below :math:`\ell(\mu)` is none.
    ``None`` if a(μ) = 0, if that does not hold, and for the correlation loss, which is not bounded.
    Raises ``InputError`` as ``rest_points`` and for other strengths. Source: (57), (91), (92).
    Exact.

    >>> [escape_end("He3", mu).rational for mu in ("0.32", "0.33")]
    [(0, 0), (1, 0)]
    """
    pair, mu = Pair.of(pair), parse_number(strength, "strength")
    if pair.misalignment != 0 or not 0 < mu <= 1 or not mu.is_rational:
        raise InputError(
            f"strength {mu}, misalignment {pair.misalignment} are not accepted: give "
            "0 < μ ≤ 1, a rational number, and no misalignment"
        )
    points = rest_points(pair)
    loss, slope, _ = landscape_of(pair).derived
    here = {rho: mu, residual: 0}
    way = slope.subs(here)
    if way == 0 or pair.loss != "square":
        return None
    below = loss - loss.subs(here)
    lower = [p for p in points if p.point.sign(p.point.value(below)) < 0]
    if any(point.stability != "sink" for point in lower):
        return None
    edge = [p for p in points if p.kind == "edge"]
    ahead = [p for p in edge if p.point.sign(p.point.rho - mu) == (1 if way > 0 else -1)]
    return (ahead[0] if way > 0 else ahead[-1]) if ahead else None
