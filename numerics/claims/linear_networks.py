"""Claims on the overlaps of networks, on the rank, and on linear networks (App. K, (98)-(111))."""

from functools import partial
from operator import eq

from sympy import Expr, ImmutableMatrix, Matrix, Symbol, diag, diff, eye, ones, sqrt, symbols, zeros

from derive.escape import eigenvalues
from derive.grammar import parse_activation
from derive.network import K, linearised_network, network_drift, network_loss
from derive.symbols import mu
from numerics.claims.ledger import Finding, Step, claim, equal, judged, ours
from numerics.claims.signs import positive

_RATE = Symbol("lambda")
_SMALL = "Columns of the update start orthogonal to each other, but for terms of order 1/√d"


def statistics(neurons: int, rank: int) -> tuple[list[Symbol], Matrix, Matrix, Matrix]:
    """Symbols for the strengths, U, M and G, the latter with unit diagonal."""
    strengths = list(symbols(f"mu_1:{neurons + 1}", positive=True))
    u, m = (Matrix(neurons, rank, symbols(f"{name}:{neurons * rank}")) for name in "uv")
    g = Matrix(rank, rank, lambda i, j: 1 if i == j else Symbol(f"g_{min(i, j)}{max(i, j)}"))
    return strengths, u, m, g


def overlaps(strengths: list[Symbol], u: Matrix, m: Matrix, g: Matrix) -> tuple[Matrix, Matrix]:
    """R and Q, as dot products of ω⋆_i and w_j = μ_j ω⋆_j + Σ_l U_jl v_l (98).

    Arguments:
        strengths: μ_j, one a neuron.
        u: a row a neuron, a column a direction.
        m: overlaps ω⋆_i·v_l, likewise.
        g: overlaps v_k·v_l.
    """
    size = len(strengths)
    gram = Matrix([[eye(size), m], [m.T, g]])
    teachers, students = eye(size).row_join(zeros(size, u.cols)), diag(*strengths).row_join(u)
    return teachers * gram * students.T, students * gram * students.T


def _jacobian(strengths: list[Symbol], rank: int) -> Matrix:
    """The search phase of a linear network, one column of the update after another."""
    _, u, m, _ = statistics(len(strengths), rank)
    x = parse_activation("x")
    loss = network_loss(x, x, strengths, u, m, eye(rank))
    variables = [f[j, column] for column in range(rank) for f in (u, m) for j in range(u.rows)]
    return linearised_network(loss, variables).expand()


@claim.proved(
    "App. K, (98)-(100)",
    "The component of neuron i along ω⋆_i is μ_i + Σ_l U_il M_il (K = 3, r = 1 to 3)",
    quote="so tracking the pairs […] is sufficient to describe how much the […]-th teacher "
    "direction is represented in the current model.",
    reading="the pairs are (U_il, M_il), and (100) is R_ii; the component of the other neurons "
    "along ω⋆_i takes their U too",
    falsifier="a term of R_ii in other statistics",
)
def _network_overlaps() -> Finding:
    steps: list[Step] = []
    for rank in (1, 2, 3):
        strengths, u, m, g = statistics(3, rank)
        r, _ = overlaps(strengths, u, m, g)
        steps += [
            equal(f"r = {rank}: R_{i + 1}{i + 1}", r[i, i],
                  strengths[i] + sum(u[i, k] * m[i, k] for k in range(rank)))
            for i in range(3)
        ]  # fmt: skip
    return Finding("R = diag(μ) + M times U transposed, from dot products", *steps)


@claim.proved(
    "App. K",
    "The rank does not enter the escape, for any activation (K = 2, r = 2 and 3)",
    quote="we observed that the pretrained weights primarily control the escape from the search "
    "phase, while the LoRA rank mainly shapes the subsequent descent phase and the final "
    "attainable loss.",
    reading=f"the first half, of the linearised flow. {_SMALL}. Of the second half see "
    "network-final-loss and network-linear-loss",
    falsifier="an activation whose loss, a function of R and Q, couples two columns of the update "
    "at the start, or treats them differently",
)
def _network_rank() -> Finding:
    steps = []
    for rank in (2, 3):
        strengths, u, m, _ = statistics(2, rank)
        entries = [x for f in overlaps(strengths, u, m, eye(rank)) for x in f]
        slopes = symbols(f"L_1:{len(entries) + 1}", real=True)
        columns = [[*u[:, k], *m[:, k]] for k in range(rank)]
        variables = [x for column in columns for x in column]
        at = dict.fromkeys(variables, 0)
        first = [diff(entry, x).subs(at) for entry in entries for x in variables]
        loss = sum(slope * entry for slope, entry in zip(slopes, entries, strict=True))
        blocks = _blocks(linearised_network(loss, variables), len(columns[0]))
        steps += [
            judged(
                f"r = {rank}: slopes of R and Q at U = M = 0",
                tuple(set(first)),
                lambda f: f == (0,),
            ),
            judged(
                f"r = {rank}: the linearised flow of each column (U_l, M_l), all the same",
                blocks[0],
                lambda b: len(set(b)) == 1,
            ),
            judged(f"r = {rank}: what one column does to another", blocks[1], _all_zero),
        ]
    return Finding(
        "R and Q have no slope at 0, so L enters by its slopes there: the columns decouple, alike",
        *steps,
    )


def _blocks(jacobian: Matrix, size: int) -> tuple[tuple[Expr, ...], tuple[Expr, ...]]:
    """Diagonal blocks of a size, and the others."""
    count = jacobian.rows // size
    ranges = [list(range(k * size, (k + 1) * size)) for k in range(count)]
    cut = [
        [ImmutableMatrix(jacobian.extract(rows, columns)) for columns in ranges] for rows in ranges
    ]
    own = tuple(cut[k][k] for k in range(count))
    return own, tuple(cut[i][j] for i in range(count) for j in range(count) if i != j)


def _all_zero(blocks: tuple[Matrix, ...]) -> bool:
    return all(block.is_zero_matrix for block in blocks)


@claim.proved(
    "App. K, (101)-(109)",
    "With U_l = Σ_j U_jl, M_l = Σ_i (1-μ_i) m_il the flow of x is dU_l/dt = M_l - U_l, dM_l/dt = "
    "|1-μ|²/K U_l (K = 1 to 4)",
    quote="Projecting onto the two collective coordinates gives a closed system",
    reading="(102) are these two sums, (103) to (107) their closed system, (109) its matrix with "
    "rows (-1, 1) and (|1-μ|²/K, 0). In the search phase",
    falsifier="a sum of the flow's rows that leaves other statistics over",
    units="time in 1/γ",
)
def _network_collective() -> Finding:
    drift = network_drift(*[parse_activation("x")] * 2)
    steps = []
    for size in range(1, 5):
        strengths, u, m, _ = statistics(size, 1)
        a, b = drift.blocks(strengths)
        gaps = ImmutableMatrix([1 - s for s in strengths])
        total, weighted = (ones(1, size) * u)[0], (gaps.T * m)[0]
        distance = sum(gap**2 for gap in gaps)
        by_u, by_m = a.T * m + b * u, a * u
        steps += [
            equal(
                f"K = {size}: sum over the neurons of dU_j/dt, and M - U",
                sum(by_u),
                weighted - total,
            ),
            equal(
                f"K = {size}: sum of (1-μ_i) dm_i/dt, and |1-μ|²/K U",
                (gaps.T * by_m)[0],
                distance / size * total,
            ),
        ]
    return Finding("from the drift of the network, symbolic strengths", *steps)


@claim.proved(
    "App. K, (110)",
    "Linear networks escape at λ₊ = ½(-1 + √(1 + 4|1-μ|²/K)) (symbolic K; K = 3 in full)",
    quote="Therefore the non-trivial linearized dynamics is governed by",
    reading="(110) are the eigenvalues ½(-1 ± √(1 + 4|1-μ|²/K)) of the matrix (109)",
    falsifier="a network of x with another growth rate",
    units="rates in γ",
)
def _network_linear() -> Finding:
    drift, distance = network_drift(*[parse_activation("x")] * 2), Symbol("D", positive=True)
    sums = Matrix([[K * drift.b, K], [distance / K**2, 0]])  # of (Σu_j, Σ(1-μ_j)/K m_j)
    strengths = list(symbols("mu_1:4", positive=True))
    a, b = drift.blocks(strengths)
    jacobian = Matrix([[b, a.T], [a, 0 * a]])
    missing = sum((1 - s) ** 2 for s in strengths) / 3
    return Finding(
        "symbolic K: with v_j = (1-μ_j)/K the sums Σu_j and Σv_j m_j close; K = 3 in full",
        equal("coupling a of a neuron to its own overlap", drift.a, (1 - mu) / K),
        equal("and to those of the others: the same", drift.a_other, drift.a),
        equal("damping b of a neuron by itself", drift.b, -1 / K),
        equal("and by the others: the same", drift.b_other, drift.b),
        equal("flow of the two sums, with D = |1-μ|²: characteristic polynomial",
              sums.charpoly(_RATE).as_expr(),
              _RATE**2 + _RATE - distance / K),
        equal("whose larger root is", eigenvalues(sqrt(distance / K), drift.b * K)[0],
              (-1 + sqrt(1 + 4 * distance / K)) / 2),
        equal("K = 3: characteristic polynomial of all neurons", jacobian.charpoly(_RATE).as_expr(),
              _RATE**4 * (_RATE**2 + _RATE - missing)),
    )  # fmt: skip


@claim.proved(
    "App. K, (111)",
    "The rates of linear networks depend on |1-μ|²/K alone, not on the rank (K = 2, r = 1 to 3)",
    quote="In particular, for linear activations the leading-order escape depends only on the "
    "collective mismatch vector […], and not on the rank […]: each rank direction obeys the same "
    "reduced two-dimensional dynamics.",
    reading=f"the vector is 1-μ, of which only the length counts. {_SMALL}",
    falsifier="a rank with another spectrum",
    units="rates in γ",
)
def _network_linear_rank() -> Finding:
    strengths = list(symbols("mu_1:3", positive=True))
    missing = sum((1 - s) ** 2 for s in strengths) / 2
    of_one = _RATE**2 * (_RATE**2 + _RATE - missing)
    steps = []
    for rank in (1, 2, 3):
        jacobian = _jacobian(strengths, rank)
        own, between = _blocks(jacobian, 4)
        steps += [
            equal(f"r = {rank}: characteristic polynomial of a column, from the loss",
                  Matrix(own[-1]).charpoly(_RATE).as_expr(), of_one),
            judged(f"r = {rank}: number of equal columns", len(own) if len(set(own)) == 1 else 0,
                   partial(eq, rank)),
            judged(f"r = {rank}: what one column does to another", between, _all_zero),
        ]  # fmt: skip
    return Finding("each column has the rates of rank one", *steps)


@claim.proved(
    "Discussion, App. K, Fig. 13",
    "Linear networks escape more slowly the larger any μ_i is, and always, unless all are 1",
    quote="extend the picture to two-layer networks, where the pretrained weight controls the "
    "search phase while rank mainly affects the final loss.",
    reading="the first half, for x: the delay of strong pre-training. One neuron that is not "
    "pre-trained to the end is enough to escape. Of the rank see network-rank",
    falsifier="a growth of λ₊ with some μ_i",
    units="rates in γ",
)
def _network_linear_delay() -> Finding:
    gap, others = Symbol("gap", positive=True), Symbol("others", nonnegative=True)
    rate = eigenvalues(sqrt((gap**2 + others) / K), -K / K)[0]
    return Finding(
        "λ₊ grows with each gap 1-μ_i; others is the sum of the other neurons' squares",
        judged("λ₊ grows with the gap 1-μ_i: its slope", diff(rate, gap).simplify(), positive),
        judged("λ₊ if all other strengths are 1", rate.subs(others, 0), _grows),
    )


def _grows(rate: Expr) -> bool:
    """Whether ½(√(1 + x) - 1) has an x > 0."""
    return bool(((2 * rate + 1) ** 2 - 1).expand().is_positive)


@ours.proved(
    "App. K",
    "Linear networks of every rank fit the teacher: the rank does not limit the loss (K = 2, 3)",
    reading="the sum of the neurons is all that a linear network is, and one column mends it. "
    "App. K says generally that the rank shapes the final loss, and shows it for He_2; it does not "
    "hold of x. See network-rank and network-final-loss",
    falsifier="a rank-one student of x whose least loss is above 0",
)
def _network_linear_loss() -> Finding:
    x, steps = parse_activation("x"), []
    for size in (2, 3):
        strengths = list(symbols(f"mu_1:{size + 1}", positive=True))
        gaps = Matrix([1 - s for s in strengths])
        length = sqrt(sum(gap**2 for gap in gaps))
        u = Matrix([length] + [0] * (size - 1))
        loss = network_loss(x, x, strengths, u, gaps / length, eye(1))
        steps.append(equal(f"K = {size}, r = 1: loss at v = (1-μ)/|1-μ|, Σ U_j = |1-μ|", loss, 0))
    return Finding("rank one is enough, for any strengths", *steps)
