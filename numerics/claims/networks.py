"""Claims on two-layer networks with shared LoRA (App. K)."""

from functools import cache, partial
from operator import eq

from sympy import (
    Expr,
    ImmutableMatrix,
    Integer,
    Matrix,
    Rational,
    Symbol,
    diag,
    diff,
    expand,
    eye,
    simplify,
    solve,
    sqrt,
    symbols,
    zeros,
)

from derive.escape import eigenvalues, escape_time, leading_escape_time
from derive.grammar import parse_activation
from derive.hermite import gaussian_mean
from derive.leading import LeadingTerm
from derive.network import FIELD, K, linearised_network, network_drift, network_loss
from derive.polynomial_drift import hermite_drift
from derive.symbols import mu, z
from numerics.claims.ledger import Finding, Step, claim, equal, judged, ours, shown
from numerics.claims.linear_networks import overlaps, statistics
from numerics.claims.signs import positive

_NORMALISED = "(x**2 - 1)/2"  # twice the field's slopes of the paper's (x² - 1)/√2
_S = Symbol("s")  # Σ(μ_i² - 1)
_MORE = Symbol("n", nonnegative=True)  # K - r


@claim.proved(
    "App. K, (112)-(116)",
    "Normalised Hermite-2 networks: a = (μ/K)(2-2μ²-s), b = -(1/K)(2μ²+s)",
    quote="Search-phase linearization for normalized Hermite-2. We consider the activation",
    reading="(112) is σ = (z²-1)/√2, (115) a_j and b_j of neuron j, (116) s = Σ_i (μ_i² - 1)",
    falsifier="a kernel of (z²-1)/√2 with other slopes",
    units="a and b in γ",
)
def _network_hermite() -> Finding:
    drift = network_drift(*[parse_activation(_NORMALISED)] * 2)
    a, b = (2 * f.subs(FIELD, -_S / 2) for f in (drift.a, drift.b))  # theirs divides by √2
    return Finding(
        "symbolic K and strengths, from the kernels' slopes; s = Σ(μ_i² - 1)",
        equal("a_j, from the kernels of He_2/√2", a, mu / K * (2 - 2 * mu**2 - _S)),
        equal("b_j, likewise", b, -(2 * mu**2 + _S) / K),
    )


def _drift(neuron: Expr, size: Expr, deficit: Expr) -> tuple[Expr, Expr]:
    """a and b of a neuron of (z²-1)/√2, in its strength, K and s."""
    drift = network_drift(*[parse_activation(_NORMALISED)] * 2)
    put = {FIELD: -deficit / 2, K: size, mu: neuron}
    a, b = (2 * f.subs(put, simultaneous=True) for f in (drift.a, drift.b))
    return a, b


@claim.proved(
    "App. K, (117)-(119)",
    "In He_2 networks each pair (U_jl, m_jl) moves alone, at λ_± = ½(b_j ± √(b_j²+4a_j²)) (K = 2, "
    "r = 2)",
    quote="Equivalently, for each fixed pair […], … The two eigenvalues of this block are",
    reading="(117) is the block with rows (b_j, a_j) and (a_j, 0), (118) its eigenvalues, (119) "
    "their largest over the neurons. Columns of the update start orthogonal to each other, but for "
    "terms of order 1/√d",
    falsifier="a term that couples two neurons or two columns in the search phase",
    units="rates in γ",
)
def _network_hermite_pairs() -> Finding:
    strengths, us, ms, gram, loss = _derived()
    loss = loss.subs(gram[0, 1], 0)
    variables = [x for j in range(2) for k in range(2) for x in (us[j, k], ms[j, k])]
    jacobian = linearised_network(loss, variables).applyfunc(expand)
    deficit = sum(s**2 - 1 for s in strengths)
    steps = []
    for j in range(2):
        a, b = (f.expand() for f in _drift(strengths[j], Integer(2), deficit))
        block = ImmutableMatrix([[b, a], [a, 0]])
        for k in range(2):
            at = 4 * j + 2 * k
            found = ImmutableMatrix(jacobian[at : at + 2, at : at + 2])
            jacobian[at : at + 2, at : at + 2] = zeros(2, 2)
            steps.append(
                judged(f"linear flow of neuron {j + 1}, column {k + 1}", found, partial(eq, block))
            )
    a, b = symbols("a b", real=True)
    rate = Symbol("lambda")
    plus, minus = eigenvalues(a, b)
    return Finding(
        "from the loss, symbolic strengths",
        *steps,
        judged("all other entries of the linear flow", ImmutableMatrix(jacobian),
               lambda rest: rest.is_zero_matrix),
        equal("characteristic polynomial of one of these, of which λ_± are the roots",
              ImmutableMatrix([[b, a], [a, 0]]).charpoly(rate).as_expr(),
              ((rate - plus) * (rate - minus)).expand()),
    )  # fmt: skip


@ours.proved(
    "App. K, Fig. 13",
    "He_2 networks have no singular strength: a_j > 0 for all strengths in (0, 1)",
    reading="as for one neuron of He_2. a_j vanishes only if every strength is 1",
    falsifier="a zero of a_j with all strengths below 1",
    units="a in γ",
)
def _network_hermite_regular() -> Finding:
    own, others = Symbol("own", positive=True), Symbol("others", nonnegative=True)
    a, _ = _drift(mu, K, mu**2 - 1 - others)
    return Finding(
        "s = μ_j²-1 - others, where others = Σ (1-μ_i²) ≥ 0 over the other neurons",
        equal("a_j K/μ_j", (a * K / mu).expand(), 3 * (1 - mu**2) + others),
        judged("it is positive, own standing for 1-μ_j² > 0", 3 * own + others, positive),
    )


@ours.proved(
    "App. K, Fig. 13",
    "He_2 networks of K neurons of one strength: τ ~ K/(2(K+2)²(1-μ)²) as μ → 1, τ → 1 as μ → 0",
    reading="wide networks escape faster under strong pre-training, by about 1/K; linear ones do "
    "not, for |1-μ|²/K is then (1-μ)²",
    falsifier="another order or constant",
    units="τ in 1/γ",
)
def _network_hermite_divergence() -> Finding:
    a, b = _drift(mu, K, K * (mu**2 - 1))
    gap = Symbol("gap", positive=True)
    near = a.subs(mu, 1 - gap).expand().coeff(gap, 1), b.subs(mu, 1)
    tau = leading_escape_time(LeadingTerm(near[0], Integer(1)), LeadingTerm(near[1]))
    weak = escape_time(Integer(0), b.subs(mu, 0).simplify())
    return Finding(
        "from the leading terms of a and b, symbolic K",
        equal("a of neurons of one strength", a, mu * (K + 2) * (1 - mu**2) / K),
        equal("b of neurons of one strength", b, (K - (K + 2) * mu**2) / K),
        equal("limit of (1-μ)² τ as μ → 1", tau.coefficient, K / (2 * (K + 2) ** 2)),
        judged("power of 1-μ in τ there", tau.exponent, partial(eq, -2)),
        judged("τ at μ = 0", weak, partial(eq, 1)),
    )


@ours.proved(
    "App. K, Fig. 13",
    "Weak pre-training speeds up the escape of He_2 networks: λ₊ = 1 + 2(K+2) μ²/K² + O(μ³)",
    reading="neurons of one strength. The delay is that of strong pre-training alone",
    falsifier="another coefficient",
    units="rates in γ",
)
def _network_hermite_early() -> Finding:
    a, b = _drift(mu, K, K * (mu**2 - 1))
    rate = eigenvalues(a, b)[0]
    second = simplify(diff(rate, mu, 2).subs(mu, 0) / 2)
    return Finding(
        "b = 1 at μ = 0, the pull of the means; a² adds more than b loses",
        equal("λ₊ at μ = 0", rate.subs(mu, 0), 1),
        equal("slope of λ₊ in μ there", diff(rate, mu).subs(mu, 0), 0),
        equal("half its second slope there", second, 2 * (K + 2) / K**2),
        judged("it is positive", second.factor(), positive),
    )


@ours.proved(
    "App. K",
    "One neuron of normalised He_2 is the single-index model of He_2/√2",
    reading="the paper's network, at K = 1, against its Sec. 3",
    falsifier="another a or b at K = 1",
    units="a and b raw",
)
def _network_single() -> Finding:
    drift = network_drift(*[parse_activation(_NORMALISED)] * 2)
    alone = hermite_drift(2, normalization="raw")
    one = {K: 1, FIELD: drift.missing}
    steps = [
        equal(f"K = 1: 4 {name}, and {name} of He_2", 4 * own.subs(one), single.as_expr())
        for name, own, single in (("a", drift.a, alone.a), ("b", drift.b, alone.b))
    ]
    return Finding("(x² - 1)/2 is He_2/2, whose a and b are a quarter", *steps)


@cache
def _derived() -> tuple[list[Symbol], Matrix, Matrix, Matrix, Expr]:
    """The statistics of K = r = 2, and the loss of (z²-1)/√2 in them, from its kernels."""
    half, given = parse_activation(_NORMALISED), statistics(2, 2)
    return *given, expand(2 * network_loss(half, half, *given))  # (z²-1)/2 = theirs over √2


def _claimed_loss(r: Matrix, q: Matrix) -> Expr:
    """The loss (121) as read, in R and Q."""
    size = range(r.rows)
    pairs = sum(
        q[i, j] ** 2 + (q[i, i] - 1) * (q[j, j] - 1) / 2 - 2 * r[i, j] ** 2
        for i in size
        for j in size
    )
    return (r.rows + pairs) / (2 * r.rows)


@claim.proved(
    "App. K, (121)",
    "He_2/√2: L = (1/2K)[K + Σ(Q_ij² + ½(Q_ii-1)(Q_jj-1)) - 2 Σ R_ij²] (K = r = 2)",
    quote="helps to track the dynamic of the population loss The population loss is given by",
    reading="the formula of the statement, which we derive, stands for (121)",
    falsifier="a term of the loss that is not there; a normalisation other than 1/√K",
)
def _network_loss() -> Finding:
    strengths, us, ms, gram, found = _derived()
    claimed = _claimed_loss(*overlaps(strengths, us, ms, gram))
    terms = len(found.args)
    return Finding(
        "from the kernels, symbolic U, M, G",
        equal(f"K = r = 2: L, of {terms} terms, less the formula", (found - claimed).expand(), 0),
    )


@claim.proved(
    "App. K, (120)",
    "With P = R' + 2 diag(μ) Q' the flow of U is -(t(P) M + 2 Q' U G), and so on (K = r = 2)",
    quote="The dynamics of the order parameter are",
    reading="R' = -2R/K and Q' = (Q + ½ tr(Q-1) 1)/K are the slopes of (121), t transposes. "
    "Columns follow the spherical gradient, so that G keeps its unit diagonal",
    falsifier="a term of the gradient of the loss that these equations lack",
    units="time in 1/γ",
)
def _network_flow() -> Finding:
    strengths, us, ms, gram, loss = _derived()
    g = gram[0, 1]
    by_u, by_m = (f.applyfunc(lambda x: diff(loss, x)) for f in (us, ms))
    by_g = Matrix([[0, diff(loss, g)], [diff(loss, g), 0]])  # ∇v_l = Σ ω⋆_i ∂M_il + Σ v_k ∂G_lk
    pull = ms.T * by_m + gram * by_g  # entry k, l: v_k times the gradient of v_l
    radial = diag(*[pull[k, k] for k in range(2)])
    gradient = {
        "U": -by_u,
        "M": -(by_m + ms * by_g) + ms * radial,
        "G": -(pull + pull.T) + gram * radial + radial * gram,
    }
    claimed = _claimed_flow(strengths, us, ms, gram)
    steps = [
        judged(
            f"K = r = 2: flow of {name} from the gradient of the loss, less the equation",
            ImmutableMatrix((found - claimed[name]).expand()),
            lambda rest: rest.is_zero_matrix,
        )
        for name, found in gradient.items()
    ]
    return Finding("against the gradient of the loss, symbolic U, M, G", *steps)


def _claimed_flow(
    strengths: list[Symbol], us: Matrix, ms: Matrix, gram: Matrix
) -> dict[str, Matrix]:
    """The flow (120) as read, and as ``numerics.dynamics.network_flow`` integrates it."""
    r, q = overlaps(strengths, us, ms, gram)
    size = len(strengths)
    by_q = (q + (q.trace() - size) / 2 * eye(size)) / size
    along = -2 * r / size + 2 * diag(*strengths) * by_q
    x, y = along * us, 2 * us.T * by_q * us
    pull = ms.T * x + gram * y
    radial = diag(*[pull[k, k] for k in range(us.cols)])
    return {
        "U": -(along.T * ms + 2 * by_q * us * gram),
        "M": -(x + ms * y) + ms * radial,
        "G": -(pull + pull.T) + gram * radial + radial * gram,
    }


def _quadratic_form() -> list[Step]:
    """The loss of any network of (z²-1)/√2, of any K and r: its error is x'Dx/√(2K)."""
    trace, square = symbols("t p", real=True)  # tr D and |D|², the sums of d_j and of d_j²
    cross = trace**2 - square  # the sum of d_i d_j, i ≠ j
    fourth, second = (gaussian_mean(z**k, z) for k in (4, 2))
    return [
        shown("students less teachers, A = Σ w_j⊗w_j, A⋆ = Σ ω⋆_j⊗ω⋆_j, D = A - A⋆",
              "x' D x/√(2K), and x' D x = Σ d_j z_j² in the eigenvalues d_j of D"),
        equal("mean of (x' D x)² over x, for all K and r", fourth * square + second**2 * cross,
              2 * square + trace**2),
    ]  # fmt: skip


def _for_example(loss: Expr, k: Symbol, r: Symbol, gap: Symbol) -> Step:
    """A loss in K, r and 1 - μ² at three neurons."""
    size, mu = 3, Rational(3, 10)
    found = loss.subs({k: size, gap: 1 - mu**2})
    return shown(f"K = {size}, μ = {float(mu)}, r = 1, 2, 3: that loss",
                 tuple(found.subs(r, rank) for rank in range(1, size + 1)))  # fmt: skip


def _diagonal_loss(k: Expr, r: Expr, x: Expr, gap: Expr) -> Expr:
    """(|D|² + ½ (tr D)²)/2K where r eigenvalues of -D are x, and K - r are 1 - μ²."""
    return (r * x**2 + (k - r) * gap**2 + (r * x + (k - r) * gap) ** 2 / 2) / (2 * k)


def _least_loss(k: Expr, r: Expr, gap: Expr) -> Expr:
    """What rank r leaves of the loss of K neurons, as claimed, with 1 - μ² as gap."""
    return gap**2 * (k - r) * (k + 2) / (2 * k * (r + 2))


@ours.proved(
    "App. K, Fig. 14",
    "He_2 networks of one strength reach (1-μ²)²(K-r)(K+2)/(2K(r+2)) with rank r, for every r ≤ K",
    reading="by columns along r teachers, at the best size: less with every rank, and 0 at r = K. "
    "That nothing lower exists: network-final-loss",
    falsifier="another loss of that student",
)
def _network_attainable_loss() -> Finding:
    half, size, steps = parse_activation(_NORMALISED), Symbol("q", positive=True), []
    for neurons, rank in ((2, 1), (2, 2), (3, 1), (3, 2), (3, 3)):
        ms = Matrix(neurons, rank, lambda i, j: int(i == j))
        us = (sqrt(size) - mu) * ms  # w_j = √q ω⋆_j for j ≤ r
        loss = expand(2 * network_loss(half, half, [mu] * neurons, us, ms, eye(rank)))
        here = _diagonal_loss(Integer(neurons), Integer(rank), 1 - size, 1 - mu**2)
        steps.append(equal(f"K = {neurons}, r = {rank}: loss, from the kernels", loss, here))
    k, r, gap = symbols("K r gap", positive=True)  # gap: 1 - μ²
    loss = _diagonal_loss(k, r, 1 - size, gap)
    (best,) = solve(diff(loss, size), size)
    return Finding(
        "0.460, 0.173, 0 at K = 3, μ = 0.3, r = 1, 2, 3, twice that for He_2 itself",
        *_quadratic_form(),
        *steps,
        judged("best size q, for K = r + n", best.subs(k, r + _MORE).factor(), positive),
        equal("loss there", loss.subs(size, best), least := _least_loss(k, r, gap)),
        _for_example(least, k, r, gap),
    )


@claim.proved(
    "App. K, Fig. 14",
    "The least loss of He_2 networks of one strength and rank r is the one of "
    "network-attainable-loss; it falls with every rank",
    quote="the pretrained weights guide the search phase, whereas the rank controls the final "
    "attainable loss.",
    reading="of the second half: the attainable loss is the least that rank r allows. It depends "
    "on μ, too, but is 0 at r = K alone. Of the first half see network-rank, of x "
    "network-linear-loss",
    falsifier="a student of rank r below that loss, or one of a higher rank above it",
)
def _network_final_loss() -> Finding:
    strengths, us, ms, gram, _ = _derived()
    r_matrix, q = overlaps(strengths, us, ms, gram)
    squares = sum(e**2 for e in q) - 2 * sum(e**2 for e in r_matrix) + 2  # |A - A⋆|²
    split = (squares + (q.trace() - 2) ** 2 / 2) / 4
    k, r, gap = symbols("K r gap", positive=True)  # gap: 1 - μ²
    best = -(k - r) * gap / (r + 2)
    total = r * best + (k - r) * gap
    least = 2 * k * _diagonal_loss(k, r, best, gap)
    falls = (least - least.subs(r, r + 1)).subs(k, r + 1 + _MORE).factor()
    return Finding(
        "K = 3, μ = 0.3: 0.460, 0.173, 0 for r = 1, 2, 3; symbolic K, r, μ",
        *_quadratic_form(),
        equal("so L = (|D|² + ½ (tr D)²)/2K; from the kernels at K = r = 2, less that",
              expand(_claimed_loss(r_matrix, q) - split), 0),
        shown("the w_j differ from the μ ω⋆_j by rank r: K - r of their singular values are at "
              "most μ (Weyl), and 1 - a_j of the eigenvalues a_j bound |D|² (Mirsky): 2K L ≥ F",
              "F = Σ x_j² + ½ (Σ x_j)², convex, with x_j ≥ gap = 1 - μ² for K - r of the x_j"),
        equal("F is least where its slopes in the r free x_j are 0 and those in the others "
              "positive: the first", 2 * best + total, 0),
        judged("the slope in the others, at their least value gap, for K = r + n",
               (2 * gap + total).subs(k, r + _MORE)
               .factor(), positive),
        equal("F there, which is 2K times the loss", least, 2 * k * _least_loss(k, r, gap)),
        _for_example(_least_loss(k, r, gap), k, r, gap),
        judged("it falls with the rank: F of r less that of r + 1", falls, positive),
    )  # fmt: skip
