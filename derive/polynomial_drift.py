r"""Three derivations of the drift of a polynomial student (Sec. 3, App. D.2, E).

They are independent, and the tests hold them to the same expression:

``drift_from_loss``         builds L(Q, ρ), differentiates it and linearises the flow: a derivation.
``drift_from_expectation``  evaluates the Gaussian means that integration by parts leaves.
``hermite_drift``           closed form for He_n, cheap to degree 1000 and beyond.

Every result is exact, with rational coefficients in ``mu``.
"""

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from math import comb, factorial
from typing import Any

from sympy import QQ, Expr, Matrix, Poly, S, Symbol, diff, expand
from sympy.polys.polyerrors import CoercionFailed

from derive.drift import AnyDrift, Drift
from derive.errors import InputError, quoted
from derive.given import insist_on
from derive.hermite import checked_degree, insist_on_writable, normal_moment, polynomial
from derive.kinds import Normalization
from derive.labels import NAMED
from derive.loss import PopulationLoss, population_loss
from derive.symbols import Q, m, mu, u

LABELS = tuple(NAMED)


def linearised_flow(loss: PopulationLoss) -> Matrix:
    r"""Jacobian of the gradient flow of ``(u, m)`` at the origin, in ``mu``.

    Arguments:
        loss: of the pair.

    The flow is

    .. math:: \dot u = -\partial_u L, \qquad \dot m = -(1-m^2)\,\partial_m L.

    Raises ``InputError`` for anything else. Source: (52)-(58), (91). Exact.

    >>> from derive.symbols import z
    >>> linearised_flow(population_loss(z, z, z))
    Matrix([
    [    -1, 1 - mu],
    [1 - mu,      0]])
    """
    insist_on(loss, PopulationLoss, "a loss, as population_loss makes it")
    by_u, by_m = loss.gradient()
    velocity = (-by_u, -(1 - m**2) * by_m)
    origin = {u: 0, m: 0}
    return Matrix(2, 2, lambda i, j: expand(diff(velocity[i], (u, m)[j]).subs(origin)))


def drift_from_loss(teacher: Expr, student: Expr, z: Symbol) -> Drift:
    r"""Drift coefficients obtained by linearising the gradient flow of the population loss.

    Arguments:
        teacher, student: polynomials in ``z``; transformed labels are a transformed teacher, as in
            ``teacher**2``.
        z: their variable.

    .. math:: \dot u = a\,m + b\,u, \qquad \dot m = a\,u

    Raises ``InputError`` if one of them is no polynomial in ``z`` with rational coefficients, and
    ``ArithmeticError`` if the linearised flow had another form, which would be a bug.
    Source: (33) → (51) → (52)-(58). Exact, raw normalisation.

    >>> from derive.symbols import z
    >>> drift_from_loss(z**2 - 1, z**2 - 1, z).a.as_expr()
    -6*mu**3 + 6*mu
    """
    flow = linearised_flow(population_loss(teacher, student, z))
    if flow[0, 1] != flow[1, 0] or flow[1, 1] != 0:
        raise ArithmeticError(f"the linearised flow {flow} does not have the form (58)")
    a, b = (_rational_coefficients(f, mu) for f in (flow[0, 1], flow[0, 0]))
    return Drift(in_strength(a), in_strength(b))


def drift_from_expectation(teacher: Expr, student: Expr, z: Symbol) -> Drift:
    r"""Drift coefficients as Gaussian means over a single standard normal.

    Arguments:
        teacher, student, z: as in ``drift_from_loss``.

    .. math:: a = E[(\phi(z) - \sigma(\mu z))\, z\, \sigma'(\mu z)], \qquad
              b = E[(\phi(z) - \sigma(\mu z))\, \sigma''(\mu z)] - E[\sigma'(\mu z)^2]

    Raises ``InputError`` if one of them is no polynomial in ``z`` with rational coefficients.
    Source: Price's theorem on (51) at ``u = m = 0``. Exact, raw normalisation.

    >>> from derive.symbols import z
    >>> drift_from_expectation(z, z, z).a.as_expr()
    1 - mu
    """
    phi, sigma = (_rational_coefficients(f, z) for f in (teacher, student))
    a: dict[int, Any] = defaultdict(QQ)
    b: dict[int, Any] = defaultdict(QQ)
    for k, s in sigma.items():
        for j in {**phi, **sigma}:
            label, value = phi.get(j, 0), sigma.get(j, 0)
            if (j + k) % 2:
                continue
            mean = k * s * normal_moment(j + k)
            a[k - 1] += label * mean
            a[j + k - 1] -= value * mean
            if j + k >= 2:
                mean = k * s * normal_moment(j + k - 2)
                b[k - 2] += label * (k - 1) * mean
                b[j + k - 2] -= value * (j + k - 1) * mean
    return Drift(in_strength(a), in_strength(b))


def _rational_coefficients(expression: Expr, z: Symbol) -> dict[int, Any]:
    """The coefficients of a polynomial in ``z``, by degree, as elements of QQ."""
    try:
        given = polynomial(expression, z).set_domain(QQ)
    except CoercionFailed:
        raise InputError(
            "coefficients that are not rational are not accepted here: use derive.drift_of"
        ) from None
    return {k: coefficient for (k,), coefficient in given.as_dict(native=True).items()}


def in_strength(weights: dict[int, Any]) -> Poly:
    """The polynomial in ``mu`` with these coefficients, by degree, elements of QQ. Exact."""
    return Poly.from_dict({(k,): w for k, w in weights.items() if w}, mu, domain=QQ)


def hermite_power(n: int) -> Poly:
    r"""Power of the pure Hermite student, :math:`S(Q) = E[\mathrm{He}_n(\sqrt Q g)^2]`, in ``Q``.

    Arguments:
        n: degree ≥ 0.

    Taking Mehler's kernel on the diagonal gives the generating function :math:`\sum_n S_n s^n/n! =
    [(1-s)(1-(2Q-1)s)]^{-1/2}`, hence

    .. math:: S(Q) = n! \sum_{k=0}^n \beta_k \beta_{n-k} (2Q-1)^k,
              \qquad \beta_k = \binom{2k}{k} 4^{-k},

    with positive weights: no cancellation for :math:`Q \ge 1/2`. It equals the sum over
    :math:`(Q-1)^{2j} Q^{n-2j}` that (64) gives.

    Raises ``InputError`` for a negative or non-integer degree. Source: (32), (64). Exact.

    >>> hermite_power(2).as_expr()
    3*Q**2 - 2*Q + 1
    """
    n = checked_degree(n)
    weights = [comb(2 * k, k) * comb(2 * (n - k), n - k) for k in range(n, -1, -1)]
    in_q = Poly.from_list(weights, Q, domain=QQ).compose(Poly(2 * Q - 1, Q, domain=QQ))
    return in_q.mul_ground(QQ(factorial(n), 4**n))


@dataclass(frozen=True, init=False, eq=False, repr=False)
class HermiteDrift(Drift):
    """The drift of a pure Hermite student, known by its degree; expanded when a or b is asked for.

    Fields: ``degree``; ``labels``, one of ``LABELS``; the others as in ``Drift``. Exact.

    >>> HermiteDrift(10**6, "matched", "n*n!").unit
    '1/(γ n·n!)'
    """

    degree: int
    labels: str

    def __init__(self, degree: int, labels: str, normalization: Normalization) -> None:
        """As ``hermite_drift``, which checks the arguments."""
        given = {"degree": degree, "labels": labels, "normalization": normalization}
        for name, value in {**given, "misalignment": S.Zero}.items():
            object.__setattr__(self, name, value)
        AnyDrift.__post_init__(self)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, HermiteDrift):
            known = ("degree", "labels", "normalization")
            return all(getattr(self, name) == getattr(other, name) for name in known)
        return super().__eq__(other)

    __hash__ = Drift.__hash__

    def __repr__(self) -> str:
        return f"hermite_drift({self.degree}, {self.labels!r}, {self.normalization!r})"

    @property  # type: ignore[misc]
    def a(self) -> Poly:
        """The polynomial, expanded."""
        return self.expanded.a

    @property  # type: ignore[misc]
    def b(self) -> Poly:
        """The polynomial, expanded."""
        return self.expanded.b

    @cached_property
    def expanded(self) -> Drift:
        """The same as polynomials that nothing else is known of.

        Raises ``InputError`` where ``insist_on_writable`` does.
        """
        n = self.degree
        insist_on_writable(n)
        by_variance, by_covariance = _CORRELATIONS[self.labels](n)
        b = 2 * by_variance - hermite_power(n).diff(Q).compose(Poly(Q**2, Q)).replace(Q, mu)
        raw = Drift(Poly(mu, mu, domain=QQ) * b + by_covariance, b)
        return raw.normalized(self.normalization, n)

    @property
    def is_zero(self) -> bool:
        """Never: ``b`` < 0 at μ = 1."""
        return False

    def normalized(self, normalization: Normalization, degree: int) -> Drift:  # type: ignore[override]
        """The same student in another unit of time, if the degree is its own."""
        if degree == self.degree:
            return hermite_drift(degree, self.labels, normalization)
        return self.expanded.normalized(normalization, degree)


def hermite_drift(
    n: int, labels: str = "matched", normalization: Normalization = "raw"
) -> HermiteDrift:
    r"""Drift coefficients of the pure Hermite student of degree ``n``, in closed form.

    Arguments:
        n: degree ≥ 1.
        labels: ``matched`` or ``y`` (teacher :math:`\mathrm{He}_n`), ``squared`` or ``y**2``
            (teacher :math:`\mathrm{He}_n^2`).
        normalization: ``raw``, as ``drift_of``, or ``n*n!``, which divides both by :math:`n\,n!`.

    .. math:: a = 2\mu\,C_Q + C_\rho - \mu S'(\mu^2), \qquad b = 2\,C_Q - S'(\mu^2)

    with :math:`S` from ``hermite_power``, :math:`C = n!\,\rho^n` for matched labels and
    :math:`C = \sum_k w_k\, c_k(Q)\, \rho^k` for squared ones, :math:`w` from (37), :math:`c`
    from (64), both taken at :math:`Q = \mu^2, \rho = \mu`. The polynomials are expanded when they
    are first asked for.

    Raises ``InputError`` for other arguments. Source: (65)-(69), (37). Exact.

    >>> hermite_drift(3).a.as_expr().factor()
    -9*mu*(mu - 1)*(5*mu**3 + 5*mu**2 + mu - 1)
    """
    n = checked_degree(n, least=1)
    labels = {"y": "matched", "y**2": "squared"}.get(labels, labels)
    if labels not in LABELS:
        raise InputError(
            f"labels {quoted(labels)} is not accepted: choose from {', '.join(LABELS)}"
        )
    return HermiteDrift(n, labels, normalization)


def _matched_correlation(n: int) -> tuple[Poly, Poly]:
    """Derivatives of C = n! ρ^n with respect to Q and ρ, at Q = μ², ρ = μ."""
    return Poly(0, mu, domain=QQ), Poly.from_dict({(n - 1,): n * factorial(n)}, mu, domain=QQ)


def _squared_correlation(n: int) -> tuple[Poly, Poly]:
    """Derivatives of C for the teacher He_n² and the student He_n; both vanish for odd n."""
    zero = Poly(0, mu, domain=QQ)
    if n % 2:
        return zero, zero
    half = n // 2
    # C = Σ_i e_i (Q-1)^i ρ^(n-2i): degree n-2i of He_n² has weight j! C(n,j)², j = n/2 + i (37).
    e = [
        QQ(factorial(half + i) * comb(n, half + i) ** 2 * factorial(n), factorial(i) * 2**i)
        for i in range(half + 1)
    ]
    by_variance = _homogeneous([i * e[i] for i in range(1, half + 1)])
    by_covariance = _homogeneous([(n - 2 * i) * e[i] for i in range(half)])
    return by_variance, Poly(mu, mu, domain=QQ) * by_covariance


def _homogeneous(weights: list[Expr]) -> Poly:
    """The polynomial Σ_i w_i (μ²-1)^i (μ²)^(N-i) with N the last index."""
    square = Poly(mu**2, mu, domain=QQ)
    total, power = Poly(0, mu, domain=QQ), Poly(1, mu, domain=QQ)
    for weight in reversed(weights):  # Horner's rule in (μ²-1), gathering powers of μ² on the way
        total = total * (square - 1) + power.mul_ground(weight)
        power = power * square
    return total


_CORRELATIONS = {"matched": _matched_correlation, "squared": _squared_correlation}
