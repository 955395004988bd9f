r"""Findings on labels of optimal design: what they are, and where there are useful ones.

A transform T of labels ``y = φ(z)`` has ``a = E T A - μP``, ``b = E T B - P`` with the conditional
means A and B (``derive.transforms``). Useful labels have ``a > 0``, ``b ≤ 0``.
"""

from functools import partial
from math import factorial

from flint import arb, ctx, fmpq
from sympy import Function, Matrix, Poly, Rational, Symbol, cos, diff, simplify, sin, solve, sqrt

from derive.escape import eigenvalues
from derive.hermite import hermite_coefficients, hermite_polynomial
from derive.pair import Pair
from derive.symbols import mu, z
from derive.transforms import transform_means
from numerics.certified.balls import Bounds, bounds
from numerics.certified.best_labels import best_labels
from numerics.certified.drift import growth_rate
from numerics.certified.fibres import fibres_of
from numerics.certified.label_planes import BITS, LabelPlanes
from numerics.claims.every_degree import power_rises
from numerics.claims.ledger import Finding, Step, equal, judged, ours, shown
from numerics.claims.signs import positive

_A, _B, _X, _Y, _R = (Symbol(name, real=True) for name in ("a", "b", "x", "y", "r"))
_THETA = Symbol("theta", real=True)
_SINGULAR = {3: "0.320724347323", 5: "0.425305733859", 7: "0.471812843134"}  # strengths near by


@ours.proved(
    "Sec. 3.3",
    "λ₊ is convex in the label transform; at a given norm, with conditions on (a, b) or without, "
    "the largest is that of a mixture of E[zσ'(μz) | y] and E[σ''(μz) | y]",
    reading="square loss, a student with a continuous slope; what is convex is largest at an "
    "extreme point, and those of a ball that linear conditions cut lie on its sphere",
    falsifier="a transform of that norm, off the plane, with a larger λ₊ under the same conditions",
)
def _best_labels_plane() -> Finding:
    form = _B * cos(_THETA) ** 2 + 2 * _A * sin(_THETA) * cos(_THETA)
    vector = Matrix([cos(_THETA), sin(_THETA)])
    matrix = Matrix([[_B, _A], [_A, 0]])
    largest = _B / 2 + sqrt((_B / 2) ** 2 + _A**2)
    t, s, f = (Function(name)(z) for name in ("T", "S", "f"))
    weight = Symbol("w", positive=True)
    mixed = weight * t + (1 - weight) * s
    e_aa, e_ab, e_bb = (Symbol(f"E{name}", real=True) for name in ("AA", "AB", "BB"))
    norm = _X**2 * e_aa + 2 * _X * _Y * e_ab + _Y**2 * e_bb + _R**2
    return Finding(
        "λ₊ is a maximum of functions linear in T; the part of T off the plane changes neither a "
        "nor b, and costs norm",
        equal("growth along the direction v = (cos θ, sin θ) of (u, m), v·M v with M = [[b, a], "
              "[a, 0]]", (vector.T * matrix * vector)[0], form),
        equal("the same less (b/2 (1 + cos 2θ) + a sin 2θ)",
              form - (_B / 2 * (1 + cos(2 * _THETA)) + _A * sin(2 * _THETA)), 0),
        equal("its maximum over θ is λ₊: b/2 + √(b²/4 + a²)", largest, eigenvalues(_A, _B)[0]),
        equal("a and b, means of T times a function f of y and more, are affine in T: T f of a "
              "mixture", mixed * f,
              weight * t * f + (1 - weight) * s * f),
        shown("A = E[zσ'(μz) | y], B = E[σ''(μz) | y]; for T = x A + y B + R with E R A = E R B = "
              "0: E T A", _X * e_aa + _Y * e_ab),
        equal("R does not change it: its derivative by the size r of R",
              diff(_X * e_aa + _Y * e_ab, _R), 0),
        judged("but costs norm: what R adds to E T², over r²", (norm - norm.subs(_R, 0)) / _R**2,
               lambda added: simplify(added) == 1),
    )  # fmt: skip


@ours.proved(
    "Sec. 3.3, Prop. 2",
    "At the singular strength of every odd Hermite student there are labels of the norm of the "
    "raw ones that lead out of the search phase towards the teacher",
    reading="a > 0 and b < 0; degrees from 3 on, where squared labels have a < 0",
    falsifier="an odd degree at whose singularity no transform of that norm has a > 0, b ≤ 0",
)
def _useful_labels_exist() -> Finding:
    n = Symbol("n", positive=True)
    size, along, own = (Symbol(name, positive=True) for name in ("AA", "AY", "YY"))
    eps = Symbol("epsilon", real=True)
    step = (along + eps * (size - along**2 / own)) * sqrt(own)
    a = step / sqrt(own + eps**2 * (size - along**2 / own))
    strengths = [solve(k * mu**2 - (k - 2), mu**2) for k in (n, n - 2)]
    first, second = (found[0] for found in strengths)
    third = hermite_polynomial(3, z)
    c3, c1 = (Poly(third, z).coeff_monomial(z**k) for k in (3, 1))
    at = Rational(1, 3)  # μ² where the two monomials of He_3 agree
    means = transform_means("He3", 1)
    drift = (means.first[1].as_expr() - mu * means.power.as_expr()).subs(mu, sqrt(at))
    return Finding(
        "raw labels have a = 0, b < 0 there; a small step towards E[zσ'(μz) | y] at the same norm "
        "has a > 0, as that mean is no multiple of y",
        shown("A = E[zσ'(μz) | y], T = y + ε (A - y E y A/E y²) at the norm of y; AA, AY, YY are "
              "the means of A², y A and y²: E T A", a),
        equal("its derivative at ε = 0, by which a grows", diff(a, eps).subs(eps, 0),
              size - along**2 / own),
        shown("that is above 0 by Cauchy and Schwarz, unless A = c y", size - along**2 / own),
        shown("A = c y would mean zσ'(μz) = c σ(z) beyond the last turn of σ, where y has one "
              "input z", z),
        equal("its monomials z^k and z^(k-2) ask for one c only if k μ² = k - 2: μ² for k = n",
              first, (n - 2) / n),
        equal("μ² for k = n - 2", second, (n - 4) / (n - 2)),
        judged("from n = 5 on both would have to hold, but they differ: numerator of the "
               "difference",
               simplify((first - second) * n * (n - 2)), lambda gap: gap.is_nonzero),
        judged("He_3 has z³ and z alone, which agree at μ² = 1/3: what is left of the condition",
               simplify(3 * c3 * at * c1 - c1 * c3), lambda gap: gap == 0),
        judged("but that is not its singular strength: a there", simplify(drift), positive),
        shown("b = -dS/dQ is negative for every odd degree, as follows", "dS/dQ > 0"),
        *power_rises(),
    )  # fmt: skip


@ours.certified(
    "Sec. 3.3, Prop. 3",
    "As μ → 0 the best labels of odd Hermite students leave at a rate that stays above 0, while "
    "raw ones take τ ~ μ⁻²",
    reading="a tends to |σ'(0)| |E[z | y]| √N and b to -σ'(0)², N = E y². Given the label z is not "
    "0: the generative exponent is 1. In general E[zσ'(μz) | y] starts with μ^(k-1), k at least "
    "that exponent: E[zʲ | y] is constant for smaller j. Degrees 3, 5 and 7",
    falsifier="one of these degrees with E[z | y] = 0, or another limit",
)
def _best_labels_weak() -> Finding:
    k = 3
    power = hermite_coefficients(z**k, z)
    steps: list[Step] = [
        shown("zσ'(μz) holds z^k at the power k - 1 of μ; z³ has the Hermite coefficients", power),
    ]
    with ctx.workprec(BITS):
        for n in (3, 5, 7):
            student = Pair(f"He{n}").student.polynomial
            assert student is not None
            slope = abs(student.diff().eval(0))
            known = fibres_of(student, n).moments[1, 1]
            size = fmpq(int(slope)) * (known * arb(factorial(n))).sqrt()
            rate = growth_rate(arb(-(int(slope) ** 2)), size * size)
            planes = LabelPlanes(Pair(f"He{n}"), 1)
            near = best_labels(planes.of_all(fmpq(1, 10**6)), planes.norm(1))
            assert near is not None
            steps += [
                judged(f"He_{n}: mean square of E[z | y], what the label tells of z", bounds(known),
                       lambda found: found.sign > 0),
                shown("λ₊ of the best labels as μ → 0", bounds(rate)),
                judged("λ₊ of the best labels at μ = 10⁻⁶, over that limit",
                       bounds(near.lower.union(near.upper) / rate),
                       lambda found: abs(float(found.low) - 1) < 1e-4),
            ]  # fmt: skip
    return Finding("E[z | y] ≠ 0, and the rate at μ = 10⁻⁶ is that of the limit", *steps)


@ours.certified(
    "Sec. 3.3, Fig. 2",
    "At the singularity of He_3 the best labels of the norm of raw ones have τ = 1.374, a > 0; "
    "squared ones τ = 1.84, a < 0; for He_5 and He_7 the best ones sit where b = 0",
    reading="useful labels: a > 0, b ≤ 0; at rational strengths within 10⁻¹² of the singular ones",
    falsifier="labels of that norm with a lower τ under these conditions",
    units="τ in 1/γ",
)
def _best_labels_at_singularity() -> Finding:
    steps: list[Step] = []
    with ctx.workprec(BITS):
        for n, text in _SINGULAR.items():
            strength = fmpq(int(text.removeprefix("0.")), 10**12)
            planes = LabelPlanes(Pair(f"He{n}"), 2)
            best = best_labels(planes.of_all(strength), planes.norm(1))
            assert best is not None
            a, b = planes.power_labels(2, strength)
            edge = partial(_on_edge, n != 3)
            steps += [
                judged(f"He_{n}: a of the best labels", bounds(best.a), lambda a: a.sign > 0),
                judged(f"He_{n}: b of the best labels", bounds(best.b), edge),
                shown(
                    "τ of the best labels",
                    bounds((1 / best.upper).union(1 / best.lower), 9),
                ),
                judged(f"He_{n}: a of squared labels", bounds(a), lambda found: found.sign < 0),
                shown("τ of squared labels", bounds(1 / growth_rate(b, a * a))),
            ]
    return Finding("τ = 1.3742 for He_3 (squared 1.84); b = 0 for He_5, He_7", *steps)


def _on_edge(edge: bool, b: Bounds) -> bool:
    return (float(b.low) == float(b.high) == 0) if edge else b.sign < 0
