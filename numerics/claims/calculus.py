"""Claims on the Hermite polynomials of any variance (App. B.1 to B.4), for every degree at once.

All degrees have one generating function, G(s, z) = Σ_k H_k s^k/k! = exp(s z - Q s²/2) (19). An
identity of power series in s holds coefficient by coefficient, that is for every degree. The powers
of z have theirs, exp(v z): what is linear in a polynomial and holds for exp(v z) as a power series
in v holds for every polynomial. Low degrees tie ``derive``'s own computation to the proof.
"""

from collections.abc import Callable
from functools import partial
from itertools import product

from sympy import Add, Expr, Symbol, cosh, diff, exp, expand, factorial, sinh, sqrt, symbols

from derive.hermite import hermite_coefficients
from derive.identities import IDENTITIES, Identity, ornstein_uhlenbeck
from derive.symbols import Q, z
from numerics.claims.ledger import Finding, Step, claim, equal, judged, shown

S, V, W = symbols("s v w", real=True)
_P = Symbol("P", positive=True)
_T = Symbol("t", real=True)
_R = Symbol("r", real=True)
_INDEX = Symbol("j", integer=True, nonnegative=True)
_DEGREE = 2 * _INDEX + Symbol("i", integer=True, nonnegative=True)  # n ≥ 2j


def generating(s: Expr, argument: Expr = z, variance: Expr = Q) -> Expr:
    """The exponent of the generating function of all Hermite polynomials of a variance (19).

    Arguments:
        s: its variable.
        argument: of the polynomials.
        variance: of the Gaussian.
    """
    return s * argument - variance * s**2 / 2


def mean_exponent(exponent: Expr, variable: Symbol = z, variance: Expr = Q) -> Expr:
    """The exponent of E exp(exponent), over a centred Gaussian that it is linear in.

    Arguments:
        exponent: linear in the variable.
        variable: the Gaussian.
        variance: its variance.

    >>> mean_exponent(V * z)
    Q*v**2/2
    """
    slope = diff(exponent, variable)
    if slope.has(variable):
        raise ValueError(f"{exponent} is not linear in {variable}")
    return expand(exponent.subs(variable, 0) + slope**2 * variance / 2)


def gaussian_law() -> Step:
    """The one fact on Gaussians that the proofs rest on: E exp(v z) = exp(v² Q/2)."""
    whole = V * z - z**2 / (2 * Q)
    square = V**2 * Q / 2 - (z - V * Q) ** 2 / (2 * Q)
    return equal(
        "E e^(vz) = e^(v²Q/2) at variance Q, for e^(vz) moves the density by v Q: both exponents",
        whole,
        square,
    )


def generating_function() -> Step:
    """What stands for all Hermite polynomials at once."""
    return shown(
        "G(s) is the sum of H_k s^k/k! over all k, so what holds of it holds of every degree; it "
        "is e to the power",
        generating(S),
    )


def weight(n: Expr, j: Expr) -> Expr:
    """The weight n!/((n-2j)! j! 2^j) of (34), of any degree and index."""
    return factorial(n) / (factorial(n - 2 * j) * factorial(j) * 2**j)


def _of_derive() -> Step:
    """The recurrence that ``derive`` computes these weights by."""
    n, j = _DEGREE + 2, _INDEX
    ratio = weight(n, j + 1) / weight(n, j)
    step = (n - 2 * j) * (n - 2 * j - 1) / (2 * j + 2)
    return equal(
        "weight n!/((n-2j)! j! 2^j) at j + 1 over that at j, for n = 2j + i + 2", ratio, step
    )


def _definition() -> list[Step]:
    n, j = _DEGREE, _INDEX
    cauchy = factorial(n) * z ** (n - 2 * j) / factorial(n - 2 * j) * (-Q / 2) ** j / factorial(j)
    term = weight(n, j) * (-Q) ** j * z ** (n - 2 * j)
    text = "n! times the j-th term of G(s) in s^n, for n = 2j + i"
    return [equal(text, cauchy, term), _of_derive()]


def _rescaling() -> list[Step]:
    n, j = _DEGREE, _INDEX
    gap = (_P - Q) * S**2 / 2
    cauchy = factorial(n) / factorial(n - 2 * j) * ((_P - Q) / 2) ** j / factorial(j)
    return [
        equal(
            "exponent of G at variance Q, and that at variance P with (P-Q)s²/2 added",
            generating(S),
            generating(S, z, _P) + gap,
        ),
        equal(
            "so G at Q is that at P times e^((P-Q)s²/2): n! times the weight of H_(n-2j) s^n, n = "
            "2j + i",
            cauchy,
            weight(n, j) * (_P - Q) ** j,
        ),
        _of_derive(),
    ]


def _product() -> list[Step]:
    i, over, under = symbols("i a b", integer=True, nonnegative=True)
    j, k = i + over, i + under
    choose = [factorial(n) / (factorial(i) * factorial(n - i)) for n in (j, k)]
    cauchy = factorial(j) * factorial(k) / (factorial(i) * factorial(j - i) * factorial(k - i))
    both = generating(S + _T) + Q * S * _T
    return [
        equal("exponents of G(s) G(t) and of G(s + t) e^(Qst)", generating(S) + generating(_T),
              both),
        equal("j! k! times the weight of H_(j+k-2i) s^j t^k in that, over Q^i; j = i + a, k = i + "
              "b",
              cauchy, factorial(i) * choose[0] * choose[1]),
    ]  # fmt: skip


def _mehler() -> list[Step]:
    v, w = V, W
    inner = mean_exponent(v * z + w * (_R / _P * z + _T), _T, Q - _R**2 / _P)
    series = v**2 * _P / 2 + w**2 * Q / 2 + v * w * _R
    return [
        gaussian_law(),
        equal(
            "exponent of E e^(vx) e^(wy), y being (ρ/P) x and an independent rest, and of the sum",
            mean_exponent(inner, z, _P),
            series,
        ),
    ]


def _slope_of(f: Expr) -> Expr:
    """What a generating function is multiplied by."""
    return f / exp(generating(S))


# What holds of generating functions, and so for every degree.
_PROOFS: dict[str, Callable[[], list[Step]]] = {
    "19": _definition,
    "20": lambda: [
        gaussian_law(),
        equal("exponent of E G(s) G(t): so it holds s^j t^k for j = k alone, with Q^k/k!",
              mean_exponent(generating(S) + generating(_T)), Q * S * _T),
    ],
    "21": lambda: [gaussian_law(),
                   equal("exponent of E G(s), which is 1 at every s", mean_exponent(generating(S)),
                         0),
    ],
    "22": lambda: [equal("∂G/∂z divided by G", _slope_of(diff(exp(generating(S)), z)), S)],
    "23": lambda: [
        equal("z G and ∂G/∂s + Q s G, both divided by G", z,
              _slope_of(diff(exp(generating(S)), S)) + Q * S)
    ],
    "24": lambda: [
        equal("exponents of G(s) at √Q z, and of G(√Q s) at variance 1",
              generating(S, sqrt(Q) * z), generating(sqrt(Q) * S, z, 1))
    ],
    "26": lambda: [
        equal("Q ∂²G/∂z² - z ∂G/∂z and -s ∂G/∂s, both divided by G",
              _slope_of(ornstein_uhlenbeck(exp(generating(S)), z, Q)),
              -S * _slope_of(diff(exp(generating(S)), S)))
    ],
    "27": lambda: [equal("exponents of G(s) at -z, and of G(-s)", generating(S, -z),
                         generating(-S))],
    "28": lambda: [
        gaussian_law(),
        equal("σ = e^(vz), with c_k = v^k e^(v²Q/2): exponents of Σ c_k H_k/k! and of σ",
              mean_exponent(V * z) + generating(V), V * z),
    ],
    "29": lambda: [
        gaussian_law(),
        equal("σ = e^(vz): exponents of its mean c_0(Q), and of c_0(1) carried to Q",
              mean_exponent(V * z), mean_exponent(V * z, z, 1) + (Q - 1) * V**2 / 2),
    ],
    "30": lambda: [
        gaussian_law(),
        equal("σ = e^(vz): exponents of E G(s) σ, and of Σ Q^k c_k s^k/k!",
              mean_exponent(generating(S) + V * z), mean_exponent(V * z) + Q * S * V),
    ],
    "31": _mehler,
    "34": _rescaling,
    "37": _product,
}  # fmt: skip

_QUOTES = {
    "19": "The scaled Hermite polynomials […] are defined through the generating function […]",
    "20": "The family […] forms an orthogonal basis of […], often referred to as the Wiener chaos "
    "decomposition.",
    "21": "All non-constant Hermite polynomials have zero expectation: […]",
    "22": "Hermite polynomials satisfy the lowering relation […]",
    "23": "Multiplication by […] raises and lowers the Hermite degree: […]",
    "24": "where […] denotes the standard probabilists’ Hermite polynomial.",
    "26": "Define the Ornstein–Uhlenbeck operator … Then Hermite polynomials are eigenfunctions of "
    "[…]:",
    "27": "Hermite polynomials have definite parity: […]",
    "28": "Hermite expansion of square-integrable functions. Any function […] admits the "
    "expansion […]",
    "29": "Only the zeroth Hermite coefficient contributes to the mean: […]",
    "30": "The Hermite expansion of […] with preactivation […] is […]",
    "31": "From the Mehler expansion, one gets […]",
    "34": "To express this polynomial in the standard Hermite basis, we use the classical Hermite "
    "scaling identity […]",
    "37": "In this case, the above expression reduces to […]",
}
_PLACES = {
    "26": "App. B.1, (25), (26)",
    "30": "App. B.2, (30)",
    "31": "App. B.2, (31)",
    "34": "App. B.3, (34)",
    "37": "App. B.4, (37)",
}
_INSTANCES = {
    "j": range(5),
    "k": range(5),
    "n": range(9),
    "P": (_P,),
    "Q": (Q,),
    "p": (z**3 - z, z**4 + 2 * z**2, 1 + z),
    "q": (z**2, z**3 + 1),
}


def _range(identity: Identity) -> str:
    return "polynomial" if "p" in identity.arguments else "degree"


def _enter_identities() -> None:
    for equation, identity in IDENTITIES.items():
        claim.proved(
            _PLACES.get(equation, f"App. B.1, ({equation})"),
            f"{identity.name}: ${identity.latex}$, for every {_range(identity)} and variance",
            name=f"hermite-{equation}",
            quote=_QUOTES[equation],
            reading="the lost formula is the one of the statement; square-integrable functions are "
            "limits of polynomials",
            falsifier=f"a {_range(identity)} and a variance at which the two sides differ",
        )(partial(_check_identity, equation, identity))


def _check_identity(equation: str, identity: Identity) -> Finding:
    names = identity.arguments
    low = [
        equal(_named(names, instance), *identity.sides(*instance))
        for instance in product(*(_INSTANCES[name] for name in names))
    ]
    evidence = "by generating functions, for all at once; low ones also one by one"
    return Finding(evidence, generating_function(), *_PROOFS[equation](), *low)


def _named(names: tuple[str, ...], instance: tuple[object, ...]) -> str:
    given = [f"{n} = {v}" for n, v in zip(names, instance, strict=True) if n not in "PQ"]
    return f"the statement at {', '.join(given)}"


_enter_identities()


@claim.proved(
    "App. B.1, after (27)",
    "Even functions have no odd Hermite coefficients, odd ones no even: polynomials of any degree",
    quote="As a consequence, even (resp. odd) functions have vanishing odd (resp. even) Hermite "
    "coefficients.",
    reading="at every variance, not only at 1",
    falsifier="an even polynomial with an odd coefficient at some variance",
)
def _even_functions() -> Finding:
    both = Add(*(exp(mean_exponent(generating(S) + sign * V * z)) for sign in (1, -1))) / 2
    series = exp(V**2 * Q / 2) * cosh(Q * S * V)
    odd_part = Add(*(sign * exp(mean_exponent(generating(S) + sign * V * z)) for sign in (1, -1)))
    odd_series = exp(V**2 * Q / 2) * sinh(Q * S * V)
    odd, even = z**5 - z**3, z**6 + 3 * z**2
    return Finding(
        "E G(s) cosh(v z) is even in s, and cosh(v z) generates all even powers; so sinh, odd ones",
        generating_function(),
        gaussian_law(),
        equal("E G(s) cosh(v z)", both, series.rewrite(exp)),
        equal("it is even in s: at s and at -s", series, series.subs(S, -S)),
        equal("E G(s) sinh(v z)", odd_part / 2, odd_series.rewrite(exp)),
        equal("it is odd in s: at s, and less that at -s", odd_series, -odd_series.subs(S, -S)),
        judged(
            f"{odd}: c_0, c_2 and c_4",
            hermite_coefficients(odd, z, Q)[::2],
            lambda found: not any(found),
        ),
        judged(
            f"{even}: c_1, c_3 and c_5",
            hermite_coefficients(even, z, Q)[1::2],
            lambda found: not any(found),
        ),
    )


@claim.proved(
    "App. B.1",
    "Under the Ornstein-Uhlenbeck dynamics every H_k decays as e^(-kt) and feeds no other",
    quote="Each Hermite degree corresponds to an independent mode under Gaussian expectations and "
    "dynamics.",
    reading="dynamics: ∂f/∂t = Q f'' - z f', the operator (25); expectations: orthogonality (20)",
    falsifier="a degree whose image under the dynamics has another degree in it",
    units="time in that of (25)",
)
def _independent_modes() -> Finding:
    path = exp(generating(S * exp(-_T)))
    motion = diff(path, _T) - ornstein_uhlenbeck(path, z, Q)
    coupling = mean_exponent(generating(S * exp(-_T)) + generating(W))
    return Finding(
        "G(s e^-t, z) solves the dynamics: H_k s^k/k! becomes e^(-kt) H_k s^k/k!",
        generating_function(),
        shown("solution of the dynamics f that starts at G(s)", path),
        equal("∂f/∂t - (Q f'' - z f'), divided by f", expand(motion / path), 0),
        equal("exponent of E f G(w), which holds powers of s w alone: no degree feeds another",
              coupling,
              Q * S * W * exp(-_T)),
    )  # fmt: skip
