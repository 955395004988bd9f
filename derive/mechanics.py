r"""The search phase as a particle in a potential (App. F).

With ``m = tanh g`` the flow ``ṁ = (1-m²) a u``, ``u̇ = a m + b u`` becomes Newton's equation
``g̈ = -V'(g) + b ġ`` with ``V = -a² log cosh g``: ``a`` sets the slope it rolls down, ``b`` is
friction where it is negative. Nothing is assumed here but the flow; the rest is differentiation.
"""

from sympy import Expr, atanh, cosh, diff, log, symbols, tanh

from derive.symbols import exact, m, u


def acceleration(a: Expr, b: Expr, g: Expr, velocity: Expr) -> Expr:
    r"""Acceleration :math:`\ddot g` of the particle, derived from the flow by ``m = tanh g``.

    Arguments:
        a, b: drift coefficients, any expressions.
        g: position, which stands for the overlap :math:`m = \tanh g`, any expression.
        velocity: which stands for :math:`u = \dot g / a`, any expression.

    .. math:: \ddot g = a^2 \tanh g + b\,\dot g

    Raises ``InputError`` for what is no expression. Source: (80)-(84). Exact.

    >>> from sympy.abc import a, b, g, v
    >>> acceleration(a, b, g, v)
    a**2*tanh(g) + b*v
    """
    a, b, g, velocity = map(exact, (a, b, g, velocity))
    slope, force = symbols("a b")  # kept symbolic: at a = 0 no velocity u belongs to ġ
    velocities = {m: (1 - m**2) * slope * u, u: slope * m + force * u}
    first = (diff(atanh(m), m) * velocities[m]).cancel()  # ġ = a u
    second = sum(diff(first, x) * v for x, v in velocities.items()).expand()
    return second.subs({u: velocity / slope, m: tanh(g)}).subs({slope: a, force: b}).expand()


def potential(a: Expr, g: Expr) -> Expr:
    r"""Potential :math:`V(g) = -a^2 \log\cosh g` (86), (90). Exact.

    >>> from sympy.abc import a
    >>> potential(a, 0)
    0
    """
    return -(exact(a) ** 2) * log(cosh(exact(g)))


def energy(a: Expr, g: Expr, velocity: Expr) -> Expr:
    r"""Energy :math:`\tfrac12 \dot g^2 + V(g)`, of rate :math:`b\,\dot g^2` (87), (88).

    Arguments:
        a: of the linear flow, real.
        g: the position.
        velocity: that of g.

    Exact.

    >>> from sympy.abc import a
    >>> energy(a, 0, 2)
    2
    """
    return exact(velocity) ** 2 / 2 + potential(a, g)
