"""Claims on Hermite calculus and on how variance and squaring change a student (App. B, E.5)."""

from itertools import product

from sympy import Integer, Symbol, expand, factorial

from derive.hermite import hermite_coefficients, hermite_polynomial, hermite_product
from derive.identities import IDENTITIES
from derive.symbols import Q, z
from numerics.claims.ledger import Finding, claim, decided

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
            instances = list(product(*(_INSTANCES[name] for name in identity.arguments)))
            wrong = [instance for instance in instances if not identity.holds(*instance)]
            evidence = f"{len(instances)} instances, variances symbolic, {len(wrong)} fail"
            return decided("proved", not wrong, evidence)

        claim(f"hermite-{equation}", f"App. B.1, ({equation})", statement, "proved")(check)


_enter_identities()


@claim(
    "information-exponent",
    "Sec. 2.2, App. B.3",
    "He_1 to He_15 of another variance have information exponent at most 2",
    "proved",
)
def _information_exponent() -> Finding:
    lowest = {}
    for n in range(1, 16):
        coefficients = hermite_coefficients(hermite_polynomial(n, z), z, Q)
        lowest[n] = next(k for k, c in enumerate(coefficients) if k and c != 0)
    holds = all(k == (2 - n % 2) for n, k in lowest.items())
    return decided("proved", holds, "He_1 to He_15: 1 for odd n, 2 for even n, Q symbolic")


@claim(
    "squared-labels-exponent",
    "App. B.4, (37)",
    "Squared He_1 to He_15 have information exponent 2",
    "proved",
)
def _squared_exponent() -> Finding:
    weights = [hermite_product(n, n) for n in range(1, 16)]
    holds = all(min(k for k, w in each.items() if k and w != 0) == 2 for each in weights)
    return decided("proved", holds, "He_n^2 in Hermite polynomials for n = 1 to 15")


@claim(
    "even-mean",
    "App. E.5",
    "The mean of an even Hermite student is n!/((n/2)! 2^(n/2)) (Q-1)^(n/2), n ≤ 12",
    "proved",
)
def _even_mean() -> Finding:
    holds = True
    for n in range(1, 13):
        mean = hermite_coefficients(hermite_polynomial(n, z), z, Q)[0]
        half = n // 2
        size = Integer(factorial(n) / (factorial(half) * 2**half)) if n % 2 == 0 else 0
        holds = holds and expand(mean - size * (Q - 1) ** half) == 0
    return decided("proved", holds, "He_1 to He_12, Q symbolic; it vanishes as Q → 1")
