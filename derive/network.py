r"""Two-layer networks with shared rank-r LoRA: kernels, loss, search phase (App. K).

The teacher is :math:`K^{-1/2}\sum_j \phi(\omega^\star_j\cdot x)` with orthonormal directions, the
student :math:`K^{-1/2}\sum_j \sigma(w_j\cdot x)` with
:math:`w_j = \mu_j\omega^\star_j + \sum_l U_{jl} v_l`. The loss is a sum over pairs of neurons of
two kernels, the means of products of the two activations at correlated Gaussians; so it depends on
``R = Ω*ᵀW`` and ``Q = WᵀW`` alone. Both are second order in the search phase's ``(U, M)``, hence
the linearised flow needs only the kernels' slopes where all pairs of neurons are independent:

.. math:: \dot U_{\cdot l} = A^T M_{\cdot l} + B\,U_{\cdot l}, \qquad
          \dot M_{\cdot l} = A\,U_{\cdot l}

the same for every ``l``. The rank drops out of the escape for every activation.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from sympy import (
    Expr,
    Integer,
    Matrix,
    S,
    Symbol,
    diff,
    expand,
    factor,
    factorial,
    hessian,
    nan,
    zoo,
)

from derive.activation import Activation
from derive.correlated import Covariance, correlated_mean
from derive.errors import InputError, abridged, quoted
from derive.gaussian import NoClosedForm
from derive.grammar import ActivationLike, parse_activation
from derive.hermite import checked_degree, hermite_coefficients
from derive.notation import written
from derive.pair import Pair
from derive.pair_drift import drift_of
from derive.piecewise import PiecewiseAnalytic
from derive.symbols import exact, exact_series, mu, z

MatrixLike: TypeAlias = Matrix | Sequence[Sequence[Expr]]
K = Symbol("K", integer=True, positive=True)  # neurons
FIELD = Symbol("F", real=True)  # Σ_j (c_0^φ - c_0(μ_j²)), what the means of all neurons miss
OTHER = Symbol("mu_2", positive=True)  # strength of a second neuron
_FIRST, _SECOND = Symbol("q_1", positive=True), Symbol("q_2", positive=True)
_CROSS = Symbol("q_12", real=True)
_DETERMINANT = Symbol("D", positive=True)


@dataclass(frozen=True)
class Kernel:
    r"""Mean :math:`E\,f(x)\,g(y)` of centred Gaussians as a function of their covariance.

    Fields: ``expression`` in the variances ``first``, ``second`` and the covariance ``cross``.
    Exact.
    """

    expression: Expr
    first: Symbol = _FIRST
    second: Symbol = _SECOND
    cross: Symbol = _CROSS

    def at(self, first: Expr, second: Expr, cross: Expr) -> Expr:
        """The mean of the product at given moments.

        Arguments:
            first, second: variances of the two Gaussians, not negative.
            cross: their covariance, whose square is at most the product of the two.

        Exact.
        """
        given = {self.first: first, self.second: second, self.cross: cross}
        here = self.expression.subs(given, simultaneous=True)
        # Radicands as products: a determinant keeps its sign where it is evaluated in floats.
        return here.replace(
            lambda part: part.is_Pow and part.exp.is_Rational and not part.exp.is_Integer,
            lambda root: factor(root.base) ** root.exp,
        )

    def power(self, variance: Expr) -> Expr:
        """The mean where both are one Gaussian of this variance. Exact."""
        alone = dict.fromkeys((self.second, self.cross), self.first)
        return self.expression.subs(alone).subs(self.first, variance)


def kernel(left: ActivationLike, right: ActivationLike | None = None) -> Kernel:
    r"""The kernel of two activations.

    Arguments:
        left, right: as ``parse_activation`` takes them; both the same by default.

    Polynomials: Mehler's sum :math:`\sum_k c_k(q_1)\,c'_k(q_2)\,q_{12}^k/k!`. Others: as in
    ``derive.correlated``, finite and right also where the two Gaussians coincide.

    Raises ``NoClosedForm`` if there is none. Source: (31). Exact.

    >>> k = kernel("relu")
    >>> k.expression.subs({k.first: 1, k.second: 1, k.cross: 1})
    1/2
    """
    left, right = _both(left, right)
    if left.polynomial is not None and right.polynomial is not None:
        ours = hermite_coefficients(left.polynomial.as_expr(), z, _FIRST)
        theirs = hermite_coefficients(right.polynomial.as_expr(), z, _SECOND)
        terms = zip(range(len(ours)), ours, theirs, strict=False)
        return Kernel(expand(sum((a * b * _CROSS**k / factorial(k) for k, a, b in terms), S.Zero)))
    return _kernel(left.value, right.value)


def _both(left: ActivationLike, right: ActivationLike | None) -> tuple[Activation, Activation]:
    first = parse_activation(left)
    return first, first if right is None else parse_activation(right)


def kernel_slopes(
    left: ActivationLike, right: ActivationLike | None = None
) -> tuple[Kernel, Kernel, Kernel]:
    r"""Derivatives of a kernel by the first variance, the second and the covariance.

    Arguments:
        left, right: as ``kernel`` takes them.

    Price's theorem gives each as a mean of its own, which is finite wherever the derivative is;
    the derivative of a kernel's expression may hold infinite terms that cancel.

    .. math:: \partial_{q_1} = \tfrac12 E\,f''(x)\,g(y), \quad
        \partial_{q_2} = \tfrac12 E\,f(x)\,g''(y), \quad \partial_{q_{12}} = E\,f'(x)\,g'(y)

    Raises ``NoClosedForm`` if there is none. Source: App. D, K. Exact.

    >>> kernel_slopes("relu")[2].expression
    asin(q_12/(sqrt(q_1)*sqrt(q_2)))/(2*pi) + 1/4
    """
    left, right = _both(left, right)
    cross = kernel_derivative(left, right)
    if left.polynomial is not None and right.polynomial is not None:
        whole = kernel(left, right)
        by = [diff(whole.expression, name) for name in (whole.first, whole.second)]
        return Kernel(by[0]), Kernel(by[1]), cross
    return (
        _kernel(left.value.derivative().derivative(), right.value, S.Half),
        _kernel(left.value, right.value.derivative().derivative(), S.Half),
        cross,
    )


def kernel_derivative(
    left: ActivationLike, right: ActivationLike | None = None, order: int = 1
) -> Kernel:
    r"""Derivative of a kernel by the covariance, as often as asked.

    Arguments:
        left, right: as ``kernel`` takes them.
        order: m ≥ 0.

    By Price's theorem it is the kernel of the derivatives, as long as these are in the algebra; the
    expression of the last of those is differentiated further.

    .. math:: \partial_{q_{12}}^m E\,f(x)\,g(y) = E\,f^{(m)}(x)\,g^{(m)}(y)

    Raises ``NoClosedForm`` if there is none, ``InputError`` for another order. Source: App. D.
    Exact.

    >>> k = kernel_derivative("relu", order=2)
    >>> k.expression.subs({k.first: 1, k.second: 1, k.cross: 0})
    1/(2*pi)
    """
    (left, right), order = _both(left, right), checked_degree(order, "order")
    polynomials = left.polynomial is not None and right.polynomial is not None
    first, second, done = left.value, right.value, 0
    while done < order and not polynomials:
        try:
            first, second = first.derivative(), second.derivative()
        except NoClosedForm:  # of a δ
            break
        done += 1
    found = _kernel(first, second) if done else kernel(left, right)
    return Kernel(diff(found.expression, found.cross, order - done))


def _kernel(left: PiecewiseAnalytic, right: PiecewiseAnalytic, weight: Expr = S.One) -> Kernel:
    covariance = Covariance(_FIRST, _SECOND, _CROSS, _DETERMINANT)
    mean = weight * correlated_mean(left.gaussian(), right.gaussian(), covariance)
    written_out = mean.subs(_DETERMINANT, _FIRST * _SECOND - _CROSS**2)
    return Kernel(written_out.replace(lambda part: part.is_Add and part.is_polynomial(), factor))


@dataclass(frozen=True)
class NetworkDrift:
    """The blocks ``A`` and ``B`` of the linearised flow, entry by entry.

    Fields: ``a``, ``b``, the diagonal entries of a neuron of strength ``mu``, in ``K`` and
    ``FIELD``; ``a_other``, ``b_other``, the entry of a teacher of strength ``mu`` and a student
    neuron of strength ``OTHER``; ``missing``, the term of ``FIELD`` of a neuron of strength
    ``mu``. Of expressions as one writes them. Exact.
    """

    a: Expr
    b: Expr
    a_other: Expr
    b_other: Expr
    missing: Expr

    def blocks(self, strengths: Sequence[Expr]) -> tuple[Matrix, Matrix]:
        """``A`` and ``B`` for given strengths of all neurons. Exact."""
        values = [exact(value) for value in strengths]
        size = len(values)
        if not size:
            raise InputError("no neuron is given: give one strength a neuron, at least one")
        field = sum((self.missing.subs(mu, value) for value in values), S.Zero)

        def entry(own: Expr, other: Expr, i: int, j: int) -> Expr:
            if i == j:
                return own.subs({K: size, FIELD: field}).subs(mu, values[i])
            return other.subs(K, size).subs({mu: values[i], OTHER: values[j]}, simultaneous=True)

        return (
            Matrix(size, size, lambda i, j: entry(self.a, self.a_other, i, j)),
            Matrix(size, size, lambda i, j: entry(self.b, self.b_other, i, j)),
        )

    def equal_strengths(self) -> dict[str, tuple[Expr, Expr]]:
        """Drift coefficients of the two kinds of modes when all strengths are equal.

        ``collective``: all neurons move together, once; ``relative``: they move against each
        other, K - 1 times. Each pair has the rate of ``derive.escape.eigenvalues``. In symbolic
        ``K``, as one writes them. Exact.
        """
        own = [f.subs(FIELD, K * self.missing) for f in (self.a, self.b)]
        other = [f.subs(OTHER, mu) for f in (self.a_other, self.b_other)]
        pairs = list(zip(own, other, strict=True))
        return {
            "collective": tuple(written(f + (K - 1) * g) for f, g in pairs),
            "relative": tuple(written(f - g) for f, g in pairs),
        }


def network_drift(teacher: ActivationLike, student: ActivationLike) -> NetworkDrift:
    r"""The search phase of a network, derived from the kernels' slopes.

    Arguments:
        teacher, student: the activations of all neurons.

    With ``a₁``, ``b₁`` the drift of a single neuron and :math:`c_k` the Hermite coefficients at its
    variance,

    .. math:: b = \tfrac1K (b_1 + c_2 F_{\ne}), \quad a = \tfrac1K (a_1 + \mu c_2 F_{\ne}), \quad
        A_{ij} = \tfrac1K c_1(\mu_j^2)\,(c^\phi_1 - \mu_i c_1(\mu_i^2)), \quad
        B_{ij} = -\tfrac1K c_1(\mu_i^2)\,c_1(\mu_j^2)

    where :math:`F_{\ne}` is what the means of the other neurons miss. Raises ``NoClosedForm`` if
    a coefficient has none. Source: (101)-(119), generalised. Exact.

    >>> network_drift("x", "x").a_other
    (1 - mu)/K
    """
    teacher, student = parse_activation(teacher), parse_activation(student)
    a, b = map(written, drift_of(Pair(teacher, student)).expressions)
    mean, slope, curvature = (student.hermite_coefficient(k, mu**2) for k in range(3))
    teacher_mean, teacher_slope = (teacher.hermite_coefficient(k, Integer(1)) for k in range(2))
    missing, there = written(teacher_mean - mean), written(slope.subs(mu, OTHER))
    others = FIELD - missing
    return NetworkDrift(
        a=(a + written(mu * curvature) * others) / K,
        b=(b + written(curvature) * others) / K,
        a_other=there * written(teacher_slope - mu * slope) / K,
        b_other=-written(slope) * there / K,
        missing=missing,
    )


def network_loss(
    teacher: ActivationLike,
    student: ActivationLike,
    strengths: Sequence[Expr],
    u: MatrixLike,
    m: MatrixLike,
    g: MatrixLike,
) -> Expr:
    r"""The population loss of a network in the statistics ``U``, ``M`` and ``G``.

    Arguments:
        teacher, student: as ``parse_activation`` takes them.
        strengths: one a neuron.
        u, m: K × r, matrices or lists of their rows.
        g: r × r, with unit diagonal.

    .. math:: L = \tfrac1{2K}\Big[\sum_{ij} k_{\phi\phi}(\delta_{ij}) + k_{\sigma\sigma}(Q_{ij})
              - 2 k_{\phi\sigma}(R_{ij})\Big]

    Raises ``InputError`` for shapes that do not fit and for floats. Source: App. K, (121). Exact.

    >>> loss = network_loss("x", "x", [mu], [[Symbol("u")]], [[Symbol("m")]], [[1]])
    >>> loss.subs({"u": 0}).factor()
    (mu - 1)**2/2
    """
    strengths = exact_series(strengths)
    u, m, g, size = _matrix(u), _matrix(m), _matrix(g), len(strengths)
    if u.shape != m.shape or u.rows != size or g.shape != (u.cols, u.cols):
        raise InputError(
            f"shapes {u.shape}, {m.shape}, {g.shape} for {size} neurons are not accepted: "
            "give U and M of K rows and r columns, G of r rows and columns"
        )
    frozen = Matrix.diag(*strengths)
    r = frozen + m * u.T
    q = frozen**2 + frozen * m * u.T + u * m.T * frozen + u * g * u.T
    own, mixed, labels = (
        kernel(student, student), kernel(teacher, student), kernel(teacher, teacher)
    )  # fmt: skip

    total = S.Zero
    for i in range(size):
        for j in range(size):
            total += labels.at(S.One, S.One, Integer(i == j))
            total -= 2 * mixed.at(S.One, q[j, j], r[i, j])
            total += own.power(q[i, i]) if i == j else own.at(q[i, i], q[j, j], q[i, j])
    return total / (2 * size)


def _matrix(given: MatrixLike) -> Matrix:
    try:
        found = Matrix(given)
    except (TypeError, ValueError):
        raise InputError(
            f"{quoted(given)} is not accepted: give a matrix, or a list of its rows"
        ) from None
    return found.applyfunc(exact)


def linearised_network(loss: Expr, variables: Sequence[Symbol]) -> Matrix:
    """Jacobian of the flow ``-∇L`` of the given variables where all of them vanish.

    Arguments:
        loss: an expression in the variables, as ``network_loss`` gives it.
        variables: its symbols, in order.

    Raises ``InputError`` for variables that are no symbols; ``NoClosedForm`` where second
    derivatives of the loss hold infinite terms that cancel, as with kinked activations, for which
    ``network_drift`` has the answer. Exact.
    """
    loss, variables = exact(loss), exact_series(variables)
    if not all(isinstance(each, Symbol) for each in variables):
        raise InputError(f"variables {abridged(variables)} are not accepted: give symbols")
    origin = dict.fromkeys(variables, 0)
    flow = -hessian(loss, variables).subs(origin) if variables else Matrix(0, 0, [])
    if flow.has(nan, zoo):
        raise NoClosedForm("the loss has infinite terms that cancel here: use network_drift")
    return flow
