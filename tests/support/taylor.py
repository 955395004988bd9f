"""The constant of the exit time by another method: Taylor's of mpmath, in many digits."""

import mpmath
from sympy import Rational, diff, lambdify

from derive.loss import population_loss
from derive.pair import Pair
from derive.symbols import Q, m, mu, rho, u, z

_START = mpmath.mpf(10) ** -6  # the curve bends by its square: 1e-12


def constant_by_taylor(pair, strength):
    """log K by Taylor's method of mpmath on derive's gradient in (u, m), from ε v."""
    pair = Pair.of(pair)
    loss = population_loss(pair.label.smooth, pair.student.polynomial.as_expr(), z).expression
    loss = loss.subs({Q: mu**2 + u**2 + 2 * mu * u * m, rho: mu + u * m})
    loss = loss.subs(mu, Rational(strength))
    by_u, by_m = -diff(loss, u), -diff(loss, m)
    with mpmath.workdps(22):
        at_origin = (diff(f, x).subs({u: 0, m: 0}) for f, x in ((by_u, m), (by_u, u)))
        a, b = (mpmath.mpf(int(x.p)) / int(x.q) for x in at_origin)
        rate = (b + mpmath.sqrt(b * b + 4 * a * a)) / 2
        slopes = lambdify((u, m), [by_u.expand(), by_m.expand()], "mpmath", cse=True)

        def field(_, state):
            first, second = slopes(*state)
            return [first / rate, (1 - state[1] ** 2) * second / rate]

        start = [_START * x / mpmath.hypot(rate, a) for x in (rate, a)]
        flow = mpmath.odefun(field, 0, start, tol=mpmath.mpf(10) ** -15)

        def outside(time):
            return mpmath.norm(mpmath.matrix(flow(time))) - 0.5

        time = mpmath.log(0.03 / _START)
        assert outside(time) < 0
        while outside(time) < 0:
            time += mpmath.mpf(1) / 8
        step = mpmath.mpf(1) / 8
        while step > 1e-13:  # bisection
            step /= 2
            time += -step if outside(time - step) > 0 else 0
        return time + mpmath.log(_START)
