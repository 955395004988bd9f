"""Formulas under the number of singularities of a Hermite student of any degree."""

from mpmath import besseli, exp, findroot
from sympy import Symbol, cos, diff, expand, factorial

from derive.command.tabular import formula
from derive.polynomial_drift import hermite_power
from extensions.formulas.registry import Built, checked, enter
from numerics.claims.every_degree import ARGUMENT, COSINE, RATIO, annihilator, over_angle

_N = Symbol("n", positive=True)
_DEGREES = range(2, 13)


@enter
def _power_over_an_angle() -> Built:
    holds = all(
        expand(factorial(n) * over_angle(expand(ARGUMENT**n)) - hermite_power(n).as_expr()) == 0
        for n in _DEGREES
    )
    shown = formula(ARGUMENT.subs(COSINE, cos(Symbol("varphi"))))
    return checked(holds, rf"S_n(Q) = n!\,E_\varphi\,({shown})^n")


@enter
def _equation_of_the_mean() -> Built:
    means = {n: over_angle((1 - COSINE) * (1 + RATIO * COSINE) ** (n - 1)) for n in _DEGREES}
    holds = all(
        expand(annihilator(n, *(diff(mean, RATIO, order) for order in range(3)))) == 0
        for n, mean in means.items()
    )
    units = ((1, 0, 0), (0, 1, 0), (0, 0, 1))
    value, slope, curvature = (annihilator(_N, *unit).factor() for unit in units)
    terms = rf"{formula(curvature)}\,H'' - ({formula(-slope)}) H' + {formula(value)}\,H"
    return checked(holds, f"{terms} = 0")


@enter
def _distance_of_the_last_singularity() -> Built:
    x = findroot(lambda x: besseli(0, x) - besseli(1, x) - exp(x / 2), 10)
    return rf"n\,(1 - \mu_\star) \to x/2 \approx {float(x / 2):.4f}"
