"""Claims on Hermite calculus and on how variance and squaring change a student (App. B, E.5)."""

from functools import partial
from itertools import product

from sympy import Abs, Expr, Integer, Rational, Symbol, diff, factorial, simplify, symbols

from derive.hermite import gaussian_mean, hermite_coefficients, hermite_polynomial, hermite_product
from derive.identities import IDENTITIES
from derive.loss import population_loss
from derive.polynomial_drift import drift_from_loss, hermite_drift
from derive.symbols import Q, rho, z
from numerics.claims.ledger import (
    Finding,
    claim,
    decided,
    equal,
    judged,
    positive,
    refuted_if,
    shown,
)

_P = Symbol("P", positive=True)
_INSTANCES = {
    "j": range(6),
    "k": range(6),
    "n": range(9),
    "P": (_P,),
    "Q": (Q,),
    "p": (z**3 - z, z**4 + 2 * z**2, 1 + z),
    "q": (z**2, z**3 + 1),
}


def _enter_identities() -> None:
    for equation, identity in IDENTITIES.items():
        statement = f"{identity.name}: ${identity.latex}$ (low degrees, any variance)"

        def check(identity=identity) -> Finding:  # type: ignore[no-untyped-def]
            names = identity.arguments
            steps = [
                equal(_named(names, instance), *identity.sides(*instance))
                for instance in product(*(_INSTANCES[name] for name in names))
            ]
            wrong = sum(not step.holds for step in steps)
            evidence = f"{len(steps)} instances, variances symbolic, {wrong} fail"
            return decided("proved", evidence, *steps)

        claim(f"hermite-{equation}", f"App. B.1, ({equation})", statement, "proved")(check)


def _named(names: tuple[str, ...], instance: tuple[object, ...]) -> str:
    given = [f"{n} = {v}" for n, v in zip(names, instance, strict=True) if n not in "PQ"]
    return ", ".join(given)


_enter_identities()


@claim(
    "population-loss",
    "Sec. 2.2, App. B.2, (33)",
    "L = ½ E φ² + ½ S(Q) - C(Q, ρ), through Hermite coefficients alone",
    "proved",
)
def _population_loss() -> Finding:
    pairs = ((z, z), (z**2 - 1, z**2 - 1), (z**3 - 3 * z, z**3 - 3 * z), (z**2 + z, z**3))
    steps = [
        equal(
            f"φ = {teacher}, σ = {student}",
            _direct_loss(teacher, student),
            population_loss(teacher, student, z).expression,
        )
        for teacher, student in pairs
    ]
    return decided("proved", "four pairs, against the mean over the Gaussian plane", *steps)


def _direct_loss(teacher: Expr, student: Expr) -> Expr:
    """½ E(φ(x) - σ(ρx + w))², with w independent of x: no Hermite calculus."""
    w = Symbol("w", real=True)
    error = (teacher - student.subs(z, rho * z + w)) ** 2 / 2
    return gaussian_mean(gaussian_mean(error, w, Q - rho**2), z)


@claim(
    "drift-coefficients",
    "Sec. 3, (8), (52)-(69)",
    "Linearising the flow of He_1 to He_8 gives a = μ^(n-1) + μ b, b = -S'(μ²)/(n n!), times n n!",
    "proved",
)
def _drift_coefficients() -> Finding:
    steps = []
    for n in range(1, 9):
        polynomial = hermite_polynomial(n, z)
        linearised = drift_from_loss(polynomial, polynomial, z)
        closed = hermite_drift(n, normalization="raw")
        steps += [
            equal(f"a of He_{n}", linearised.a.as_expr(), closed.a.as_expr()),
            equal(f"b of He_{n}", linearised.b.as_expr(), closed.b.as_expr()),
        ]
    return decided("proved", "the loss differentiated, against the closed form", *steps)


@claim(
    "no-truncation",
    "Sec. 2.2",
    "With pre-training the loss cannot be cut after its leading Hermite term (x + He_3)",
    "proved",
)
def _no_truncation() -> Finding:
    student = z + hermite_polynomial(3, z)
    whole, cut = (drift_from_loss(teacher, student, z).a.as_expr() for teacher in (student, z))
    step = judged("what the higher term of the teacher adds to a", (whole - cut).expand(), bool)
    return decided("proved", "the term left out is of order μ²", shown("a", whole), step)


@claim(
    "information-exponent",
    "Sec. 2.2, App. B.3",
    "He_1 to He_15 of another variance have information exponent at most 2",
    "proved",
)
def _information_exponent() -> Finding:
    steps = []
    for n in range(1, 16):
        coefficients = hermite_coefficients(hermite_polynomial(n, z), z, Q)
        lowest = next((k, c) for k, c in enumerate(coefficients) if k and c != 0)
        text = f"He_{n}: lowest k ≥ 1 with c_k(Q) ≠ 0, and c_k"
        steps.append(judged(text, lowest, partial(_has_degree, 2 - n % 2)))
    return decided("proved", "He_1 to He_15: 1 for odd n, 2 for even n, Q symbolic", *steps)


def _has_degree(degree: int, lowest: tuple[int, Expr]) -> bool:
    return lowest[0] == degree


@claim(
    "squared-labels-exponent",
    "App. B.4, (37)",
    "Squared He_1 to He_15 have information exponent 2",
    "proved",
)
def _squared_exponent() -> Finding:
    steps = []
    for n in range(1, 16):
        weights = hermite_product(n, n)
        k = min(k for k, w in weights.items() if k and w != 0)
        text = f"He_{n}²: lowest degree ≥ 1, and its weight"
        steps.append(judged(text, (k, Integer(weights[k])), partial(_has_degree, 2)))
    return decided("proved", "He_n² in Hermite polynomials for n = 1 to 15", *steps)


@claim(
    "even-mean",
    "App. E.5",
    "The mean of an even Hermite student is n!/((n/2)! 2^(n/2)) (Q-1)^(n/2), n ≤ 12",
    "proved",
)
def _even_mean() -> Finding:
    steps = []
    for n in range(1, 13):
        mean = hermite_coefficients(hermite_polynomial(n, z), z, Q)[0]
        steps.append(equal(f"mean of He_{n}", mean, _closed_mean(n)))
    return decided("proved", "He_1 to He_12, Q symbolic; zero for odd n", *steps)


def _closed_mean(n: int) -> Expr:
    half = n // 2
    size = Integer(factorial(n) / (factorial(half) * 2**half)) if n % 2 == 0 else Integer(0)
    return size * (Q - 1) ** half


@claim(
    "even-mean-vanishes",
    "App. E.5",
    "The mean of an even Hermite student shrinks as μ grows and vanishes as μ → 1",
    "proved",
)
def _even_mean_vanishes() -> Finding:
    p, gap = symbols("p", integer=True, positive=True), Symbol("g", positive=True)
    size = factorial(2 * p) / (factorial(p) * 2**p) * gap**p
    return decided(
        "proved",
        "|mean| = n!/((n/2)! 2^(n/2)) (1-μ²)^(n/2), symbolic n",
        shown("|mean| for n = 2p, with g = 1 - μ²", size),
        judged("its slope in g", simplify(diff(size, gap)), positive),
        judged("its value at g = 0", size.subs(gap, 0), lambda value: value == 0),
    )


@claim(
    "even-mean-grows",
    "Sec. 3.2 (c), App. E.5",
    "The mean's magnitude increases with the even degree, at every strength",
    "refuted",
)
def _even_mean_grows() -> Finding:
    strength = Rational(9, 10)
    sizes = tuple(Abs(_closed_mean(n).subs(Q, strength**2)) for n in (2, 4, 6))
    gain = simplify(_closed_mean(4) / _closed_mean(2))
    return refuted_if(
        "|mean| = 0.19, 0.108, 0.103 for n = 2, 4, 6 at μ = 0.9: it grows only if μ² < n/(n+1)",
        shown("mean of He_4 over mean of He_2", gain),
        judged("|mean| of He_2, He_4, He_6 at μ = 9/10", sizes, lambda s: s[0] > s[1] > s[2]),
    )
