"""Claims on the information exponent: at any variance, of squared labels (Sec. 2.2, B.3, B.4).

The information exponent is the lowest degree k ≥ 1 with a Hermite coefficient c_k that is not 0.
"""

from functools import partial
from operator import eq

from sympy import Expr, Integer, Rational, Symbol, diff, expand, factorial, symbols

from derive.hermite import (
    change_variance,
    hermite_coefficients,
    hermite_polynomial,
    hermite_product,
    product_coefficients,
)
from derive.loss import population_loss
from derive.polynomial_drift import drift_from_loss
from derive.symbols import Q, m, mu, rho, u, z
from numerics.claims.calculus import S, V, W, gaussian_law, generating, mean_exponent, weight
from numerics.claims.ledger import Finding, Step, claim, equal, judged, ours, shown
from numerics.claims.population_loss import correlation, drift_over
from numerics.claims.signs import positive

_GAP = Symbol("g", nonzero=True, real=True)  # Q - 1
_P = Symbol("P", positive=True)
_HALF = Symbol("p", integer=True, nonnegative=True)
_J, _K = symbols("j k", integer=True, nonnegative=True)
_LOWEST = {1: 2 * _HALF + 1, 2: 2 * _HALF + 2}  # degrees by their lowest one, which j = p leaves


def coefficient(n: Expr, j: Expr, gap: Expr) -> Expr:
    """The coefficient c_(n-2j) of He_n at a variance 1 + gap (64).

    Arguments:
        n: the degree.
        j: from 0 to n/2.
        gap: the variance less 1.
    """
    return factorial(n) / (factorial(j) * 2**j) * gap**j


def _rescaled() -> list[Step]:
    n = 2 * _J + _K
    series = factorial(n - 2 * _J) * weight(n, _J) * (Q - 1) ** _J
    return [
        equal("generating functions at the variances 1 and Q: exponent of the first, and that of "
              "the second with (Q-1)s²/2 added",
              generating(S, z, Integer(1)), generating(S) + (Q - 1) * S**2 / 2),
        equal("so c_(n-2j)(Q) of He_n, for every n and j", series, coefficient(n, _J, Q - 1)),
    ]  # fmt: skip


@claim.proved(
    "Sec. 2.2, App. E.4, (64)",
    "He_n at variance Q has c_(n-2j) = n! (Q-1)^j/(j! 2^j), and none of the other parity: every n",
    quote="As a consequence, the Hermite expansion of the student possesses nonzero coefficients "
    "only for Hermite polynomials whose degrees match the parity of […]",
    reading="parity of the degree n of the pure Hermite student",
    falsifier="a degree n with a coefficient of the other parity, at any variance",
)
def _student_parity() -> Finding:
    low = []
    for n in range(1, 9):
        found = hermite_coefficients(hermite_polynomial(n, z), z, Q)
        low += [equal(f"He_{n}: c_{n - 2 * j}", found[n - 2 * j], coefficient(n, j, Q - 1))
                for j in range(n // 2 + 1)]  # fmt: skip
        others = found[1 - n % 2 :: 2]
        low.append(judged(f"He_{n}: its other coefficients", others, lambda rest: not any(rest)))
    return Finding("by generating functions; all are nonzero if Q ≠ 1", *_rescaled(), *low)


@claim.proved(
    "Sec. 2.2, App. B.3",
    "He_n at any variance but 1 has information exponent 1 (odd n) or 2 (even n), for every n",
    quote="thereby inducing an effective reduction of the student’s IE to at most […], "
    "independently of that of the teacher.",
    reading="at most 2, for pure Hermite students and Q ≠ 1",
    falsifier="a degree and a variance but 1 with c_1 = c_2 = 0",
)
def _information_exponent() -> Finding:
    low = []
    for n in range(1, 9):
        coefficients = hermite_coefficients(hermite_polynomial(n, z), z, Q)
        lowest = next((k, c) for k, c in enumerate(coefficients) if k and c != 0)
        text = f"He_{n}: lowest k ≥ 1 with c_k(Q) ≠ 0, and c_k"
        low.append(judged(text, lowest, partial(_has_degree, 2 - n % 2)))
    return Finding(
        "c_1 or c_2 is n! (Q-1)^p/(p! 2^p), n = 2p+1 or 2p+2",
        *_rescaled(),
        *[judged(f"c_{k} for n = {n}, with g = Q - 1: it is not 0", coefficient(n, _HALF, _GAP),
                 lambda c: c.is_nonzero) for k, n in _LOWEST.items()],
        *low,
    )  # fmt: skip


def _has_degree(degree: int, lowest: tuple[int, Expr]) -> bool:
    return lowest[0] == degree and lowest[1] != 0


@claim.refuted(
    "App. B.3",
    "At a variance other than 1 every activation has an information exponent of at most 2",
    quote="This expression shows that if the coefficients of the non-standard expansion satisfy "
    "[…] for all […], with […], then the lowest-order Hermite polynomial appearing in the standard "
    "basis expansion is either […] or […], depending on the parity of […]. As a consequence, the "
    "information exponent of the resulting activation function is at most […], independently of "
    "the choice of activation.",
    reading="c_k = 0 for all k < k⋆, with c_(k⋆) ≠ 0; at most 2. He_5 + 5(1-Q) He_3 meets the "
    "condition with k⋆ = 3 at every Q, and its lowest degree is 3 in the standard basis too. Of "
    "pure Hermite polynomials it is true (information-exponent), and of all but isolated variances "
    "of one polynomial (exponent-almost-always)",
    falsifier="that the lost condition lets a single c_k be other than 0, so that the last words "
    "choose among pure Hermite polynomials alone",
)
def _exponent_any_activation() -> Finding:
    cubic = z + hermite_polynomial(3, z)
    there = Rational(2, 3)
    own = hermite_coefficients(cubic, z, there)
    both = hermite_polynomial(5, z) + 5 * (1 - Q) * hermite_polynomial(3, z)
    at_q = tuple(map(expand, hermite_coefficients(both, z, Q)))
    at_one = hermite_coefficients(both, z)
    return Finding(
        "He_5 + 5(1-Q) He_3 begins at degree 3 in both bases; x + He_3 has c_k = 0, 3Q-2, 0, 6: so "
        "it does in its own basis at Q = 2/3",
        shown("c_k(Q) of x + He_3", hermite_coefficients(cubic, z, Q)),
        judged("c_k of x + He_3 at Q = 2/3", own, _begins_at_three),
        judged("c_k(Q) of He_5 + 5(1-Q) He_3 at variance Q", at_q, _begins_at_three),
        judged("c_k of He_5 + 5(1-Q) He_3 in the standard basis", at_one, _begins_at_three),
    )


def _begins_at_three(coefficients: tuple[Expr, ...]) -> bool:
    return not any(coefficients[1:3]) and coefficients[3] != 0


@ours.proved(
    "Sec. 2.2, App. B.3",
    "A polynomial of degree n ≥ 1 has an exponent of at most 2 at all but at most (n-1)/2 "
    "variances",
    reading="so at most 2 holds generically in the variance; which ones are exceptions depends on "
    "the polynomial",
    falsifier="a polynomial of degree n with more exceptions",
)
def _exponent_almost_always() -> Finding:
    top, before = Symbol("c_n", nonzero=True, real=True), symbols("c_0:5", real=True)
    carried = change_variance((*before, top), Integer(1), Q)
    leading, claimed = expand(carried[1]).coeff(Q, 2), top / (factorial(_J) * 2**_J)
    return Finding(
        "c_(n-2j)(Q) is a polynomial in Q of degree j that does not vanish: j zeros at most",
        _heat(),
        judged("it does not vanish: its leading coefficient, for every j",
               claimed,
               lambda c: c.is_nonzero),
        equal("degree 5: leading coefficient of c_1(Q)", leading, claimed.subs(_J, 2)),
    )  # fmt: skip


def _heat() -> Step:
    carried = mean_exponent(W * z) + (_P - Q) * W**2 / 2
    return equal(
        "σ = e^(wz), from which all polynomials follow: exponents of c_k(P)/w^k and of Σ "
        "((P-Q)/2)^j c_(k+2j)(Q)/(w^k j!)",
        mean_exponent(W * z, z, _P),
        carried,
    )


@claim.proved(
    "App. B.3, (35)",
    "c_k(P) = Σ_j (P-Q)^j c_(k+2j)(Q)/(j! 2^j) carries any polynomial from variance Q to any P",
    quote="Finally, expressing the non-unit-variance expansion (28) in the standard Hermite basis "
    "yields […]",
    reading="(35) is this sum at P = 1, in whatever order it is summed",
    falsifier="a polynomial with another coefficient",
)
def _standard_basis() -> Finding:
    low = []
    for p in (z**3 - z, z**4 + 2 * z**2, z**5 + z**2):
        carried = change_variance(hermite_coefficients(p, z, Q), Q, _P)
        direct = hermite_coefficients(p, z, _P)
        low += [equal(f"{p}: c_{k}(P)", carried[k], c) for k, c in enumerate(direct)]
    return Finding("by exponentials, for every polynomial", gaussian_law(), _heat(), *low)


@claim.proved(
    "App. B.4, (36)",
    "φ² has the Hermite coefficients that products of Hermite polynomials give: every polynomial",
    quote="Starting from the Hermite expansion for unit-variance pre-activations (30), we write "
    "[…]",
    reading="(36) is φ² = Σ φ_i φ_j He_i He_j/(i! j!), with the products as in (37)",
    falsifier="a polynomial whose square has other coefficients",
)
def _squared_series() -> Finding:
    whole = mean_exponent((V + W) * z, z, 1) + generating(V + W, z, 1)
    parts = [mean_exponent(v * z, z, 1) + generating(v, z, 1) for v in (V, W)]
    low = []
    for p in (z + 1, z**2 + z, z**3 - z + 2):
        c = hermite_coefficients(p, z)
        squared, direct = product_coefficients(c, c), hermite_coefficients(p**2, z)
        low += [equal(f"({p})²: c_{k}", squared[k], c) for k, c in enumerate(direct)]
    return Finding(
        "by exponentials e^(vz) e^(wz), and (37)",
        equal(
            "φ² for sums of e^(vz), e^(wz): exponents of the product of two series, and of its own",
            sum(parts),
            whole,
        ),
        *low,
    )


@claim.proved(
    "App. B.4, (37)",
    "He_n² has information exponent 2 for every n ≥ 1: the weight of He_2 in it is n n!",
    quote="As a consequence, squaring a pure Hermite activation reduces the information exponent "
    "of the teacher to […], independently of the original degree […].",
    reading="to 2. (For x it raises it, from 1 to 2.)",
    falsifier="a degree n whose square has odd degrees in it, or no He_2",
)
def _squared_labels_exponent() -> Finding:
    n = Symbol("n", integer=True, positive=True)
    i = n - 1
    size = factorial(i) * (factorial(n) / (factorial(i) * factorial(n - i))) ** 2
    low = []
    for degree in range(1, 9):
        weights = hermite_product(degree, degree)
        k = min(k for k, w in weights.items() if k and w != 0)
        text = f"He_{degree}²: lowest degree ≥ 1, and its weight"
        expected = (2, degree * factorial(degree))
        low.append(judged(text, (k, Integer(weights[k])), partial(eq, expected)))
    return Finding(
        "by (37), whose degrees 2n - 2i are even; i = n - 1 gives He_2",
        equal("weight i! C(n,i)² of He_2 in He_n², i = n - 1, for every n", size, n * factorial(n)),
        judged("it is positive", n * factorial(n), positive),
        *low,
    )


@ours.proved(
    "App. B.4",
    "A constant in the labels does move the drift: 1 adds E σ''(μz) to b and μ E σ''(μz) to a",
    quote="Since the constant component does not affect correlations with the input direction, the "
    "effective lowest non-trivial Hermite level governing the learning dynamics is therefore […].",
    reading="it has no correlation with an input direction, as App. B.4 says, but it weighs on the "
    "student's variance. Squared labels have a constant, n!",
    falsifier="a pair whose drift does not change so",
    units="time in 1/γ",
)
def _constant_of_labels() -> Finding:
    a, b = drift_over(correlation(Integer(0), W))
    he = hermite_polynomial(2, z)
    raw, centred = (drift_from_loss(label, he, z) for label in (he**2, he**2 - 2))
    return Finding(
        "by exponentials e^(wz), with E σ'' = w² c_0; He_2, squared: b changes by 4",
        equal(
            "σ = e^(wz), from which all polynomials follow: what labels 1 add to b, E σ'' over c_0",
            b,
            W**2,
        ),
        equal("what they add to a, over c_0", a, mu * W**2),
        equal(
            "He_2: b with the labels He_2² less that with He_2² - 2",
            (raw.b - centred.b).as_expr(),
            4,
        ),
        equal(
            "He_2: a with the labels He_2² less that with He_2² - 2",
            (raw.a - centred.a).as_expr(),
            4 * mu,
        ),
    )


@claim.proved(
    "App. B.4",
    "He_n squared as the teacher, He_n as the student, n even, Q ≠ 1: the loss has a term in ρ²",
    quote="Since the student activation function has IE at most […], it suffices to apply such a "
    "transformation to the teacher activation only.",
    reading="it suffices for a term of degree 2 in the third sum, whose weight is φ_2 c_2(Q)/2; "
    "both exponents are at most 2 for odd n as well, but there the sum is 0, for the degrees of "
    "both have no parity in common (squared-teacher-drops-out)",
    falsifier="an even degree and a variance but 1 without that term",
)
def _squared_teacher_suffices() -> Finding:
    n = _LOWEST[2]
    weight_of_labels = 2 * n * factorial(n)  # squared-labels-exponent: 2! times n n!
    term = weight_of_labels * coefficient(n, _HALF, _GAP) / 2
    low = []
    for degree in (2, 4, 6, 8):
        he = hermite_polynomial(degree, z)
        found = population_loss(he**2, he, z).correlation.coeff(rho, 2)
        at = {_HALF: degree // 2 - 1, _GAP: Q - 1}
        low.append(equal(f"He_{degree}: coefficient of ρ² in C", found, term.subs(at)))
    return Finding(
        "φ_2 = 2 n n! and c_2(Q) = n! (Q-1)^p/(p! 2^p), n = 2p + 2",
        *_rescaled(),
        judged(
            "weight of ρ² for every even n = 2p + 2, with g = Q - 1: it is not 0",
            term,
            lambda c: c.is_nonzero,
        ),
        *low,
    )


@claim.proved(
    "Sec. 2.2",
    "With pre-training the loss cannot be cut after its leading Hermite term (x + He_3, every μ)",
    quote="As a result, the population loss cannot be truncated to its leading Hermite term, "
    "showing that the IE alone is insufficient to characterize the loss near initialization in the "
    "presence of pre-training.",
    reading="the third term, Σ φ_k c_k(Q) ρ^k/k!, cut after its first k changes the drift; one "
    "activation shows it",
    falsifier="that what is left out of a vanishes at some strength",
    units="time in 1/γ",
)
def _no_truncation() -> Finding:
    student = z + hermite_polynomial(3, z)
    whole, cut = (drift_from_loss(teacher, student, z).a.as_expr() for teacher in (student, z))
    term = population_loss(student, student, z).correlation.coeff(rho, 3) * rho**3
    return Finding(
        "the term left out adds 18 μ² to a",
        shown("a of x + He_3", whole),
        shown("the term of degree 3 in the loss", -term),
        equal("what that term adds to a", whole - cut, 18 * mu**2),
        judged("it is positive", (whole - cut).expand(), positive),
    )


@claim.proved(
    "Sec. 2.2",
    "Terms of the loss go as ρ^k, besides c_k(Q) φ_k/k!: ρ^(k+j)/ρ^k vanishes as m → 0 at μ = 0, "
    "and tends to μ^j at μ > 0",
    quote="When the teacher has […], the leading nonzero contribution of this term scales as […], "
    "while higher-order terms scale as […] for […]. In the setting of Ben Arous et al [7] ([…]), "
    "one has […] at early times, so higher-order terms are suppressed and the loss is well "
    "approximated by its leading Hermite component.",
    reading="the terms scale as ρ^k, with ρ = μ + u m; factors c_k(Q) φ_k/k! aside, which have "
    "limits",
    falsifier="another power of ρ in a term of the third sum",
)
def _higher_terms_suppressed() -> Finding:
    j = Symbol("j", integer=True, positive=True)
    before, after = (u * m) ** j, (mu + u * m) ** j
    polynomial = z + hermite_polynomial(2, z) + hermite_polynomial(3, z)
    terms = population_loss(polynomial, polynomial, z).correlation
    first, second, third = (terms.coeff(rho, k) * rho**k for k in (1, 2, 3))
    fresh = {Q: u**2, rho: u * m}
    return Finding(
        "ρ^(k+j)/ρ^k = (μ + u m)^j",
        equal("teacher e^(vz), student e^(wz): C is e to a power whose slope in ρ is v w, so that "
              "its k-th term goes as (v w ρ)^k/k!: slope",
              diff(correlation(V, W).args[0], rho), V * W),
        judged("ρ^(k+j)/ρ^k at m = 0 without pre-training", before.subs(m, 0), lambda r: r == 0),
        equal("the same with pre-training", after.subs(m, 0), mu**j),
        *[judged(f"x + He_2 + He_3, term {k} over the first: μ = 0, m → 0",
                 (term / first).subs(fresh).cancel().subs(m, 0), lambda r: r == 0)
          for k, term in ((2, second), (3, third))],
        *[judged(f"term {k} over the first: u = 0, ρ = μ, Q = μ²",
                 (term / first).subs({Q: mu**2, rho: mu}).cancel(), bool)
          for k, term in ((2, second), (3, third))],
    )  # fmt: skip
