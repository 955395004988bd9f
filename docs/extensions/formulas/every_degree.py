"""Formulas under the number and place of singularities of a Hermite student of any degree."""

from mpmath import besseli, exp, findroot
from sympy import Rational, Symbol, cos, diff, expand, factorial, jacobi, simplify

from derive.command.tabular import formula
from derive.polynomial_drift import hermite_power
from derive.symbols import Q, rho
from extensions.formulas.registry import Built, checked, enter
from numerics.claims import CLAIMS
from numerics.claims.every_degree import ARGUMENT, COSINE, RATIO, annihilator, over_angle
from numerics.claims.large_degree import crossing, laws_of_the_last
from numerics.claims.squared_labels import correlation

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


@enter
def _laws_of_the_last_singularity() -> Built:
    b, constant = (float(limit.mid()) for limit in laws_of_the_last(crossing()))
    return rf"b(\mu_\star) \to -e^{{-x/2}} \approx {b:.6f}, \qquad n^2\, C \to {constant:.2f}"


@enter
def _laws_of_the_first_singularity() -> Built:
    return checked(
        CLAIMS["first-singularity-law"].found().verdict == "certified",
        r"2n\mu_\star^2 \approx L - \frac{L^2}{2n}, \qquad b(\mu_\star) \approx "
        r"-\Big(\frac{L}{2n}\Big)^{(n-2)/2} (4n)^{-1/4}, \qquad "
        r"C \approx \frac{2\pi n^3}{L^2}\,|b(\mu_\star)|",
    )


@enter
def _squared_labels_by_jacobi() -> Built:
    x = (3 * Q - 1) / (1 + Q)
    ratios = {
        half: correlation(half).subs(rho, Q ** Rational(1, 2))
        / ((1 + Q) ** half * jacobi(half, half, 0, x))
        for half in range(1, 7)
    }
    holds = all(simplify(diff(ratio, Q)) == 0 for ratio in ratios.values())
    return checked(holds, rf"M(Q) \propto (1+Q)^N\,P_N^{{(N,0)}}\Big({formula(x)}\Big)")
