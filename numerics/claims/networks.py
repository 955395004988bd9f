"""Claims on two-layer networks with shared LoRA (App. K)."""

import numpy as np
from sympy import Expr, Integer, Matrix, Rational, Symbol, eye, simplify, sqrt, symbols

from derive.escape import eigenvalues
from derive.grammar import parse_activation
from derive.network import FIELD, K, linearised_network, network_drift, network_loss
from derive.pair import Pair
from derive.polynomial_drift import hermite_drift
from derive.symbols import mu
from numerics.claims.ledger import Finding, claim, decided, equal, judged, shown
from numerics.dynamics.network_flow import NetworkState, integrate_network, network_flow

_NORMALISED = "(x**2 - 1)/2"  # twice the field's slopes of the paper's (x² - 1)/√2


@claim(
    "network-linear",
    "App. K, (110)",
    "Linear networks escape at λ₊ = ½(-1 + √(1 + 4|1-μ|²/K)) for every rank",
    "proved",
)
def _linear() -> Finding:
    x, rate = parse_activation("x"), Symbol("lambda")
    drift, distance = network_drift(x, x), Symbol("D", positive=True)  # D = |1-μ|²
    sums = Matrix([[K * drift.b, K], [distance / K**2, 0]])
    strengths = symbols("mu_1:4", positive=True)
    a, b = drift.blocks(strengths)
    jacobian = Matrix([[b, a.T], [a, 0 * a]])
    missing = sum((1 - s) ** 2 for s in strengths) / 3
    return decided(
        "proved",
        "symbolic K: with v_j = (1-μ_j)/K the sums Σu_j and Σv_j m_j close; K = 3 in full",
        equal("a of a neuron to itself is v", drift.a, (1 - mu) / K),
        equal("and to the others", drift.a_other, drift.a),
        equal("b of a neuron to itself is -1/K", drift.b, -1 / K),
        equal("and to the others", drift.b_other, drift.b),
        shown("so the slope of (Σu_j, Σv_j m_j) is, with D = |1-μ|²", sums.as_immutable()),
        equal("its characteristic polynomial", sums.charpoly(rate).as_expr(),
              rate**2 + rate - distance / K),
        equal("whose larger root is", eigenvalues(sqrt(distance / K), Integer(-1))[0],
              (-1 + sqrt(1 + 4 * distance / K)) / 2),
        equal("K = 3: characteristic polynomial of all neurons", jacobian.charpoly(rate).as_expr(),
              rate**4 * (rate**2 + rate - missing)),
    )  # fmt: skip


@claim(
    "network-hermite",
    "App. K, (115)",
    "Normalised Hermite-2 networks: a = (μ/K)(2-2μ²-s), b = -(1/K)(2μ²+s)",
    "proved",
)
def _hermite() -> Finding:
    drift = network_drift(*[parse_activation(_NORMALISED)] * 2)
    s = Symbol("s")
    a, b = (2 * f.subs(FIELD, -s / 2) for f in (drift.a, drift.b))  # theirs divides by √2
    return decided(
        "proved",
        "symbolic K and strengths, from the kernels' slopes; s = Σ(μ_i² - 1)",
        equal("a_j", a, mu / K * (2 - 2 * mu**2 - s)),
        equal("b_j", b, -(2 * mu**2 + s) / K),
        shown("λ₊ of neuron j (118)", eigenvalues(a, b)[0]),
    )


@claim(
    "network-single",
    "App. K",
    "One neuron of normalised He_2 is the single-index model of He_2/√2",
    "proved",
)
def _single() -> Finding:
    drift = network_drift(*[parse_activation(_NORMALISED)] * 2)
    alone = hermite_drift(2, normalization="raw")
    one = {K: 1, FIELD: drift.missing}
    steps = [
        equal(f"{name} of K = 1, times 4", 4 * own.subs(one), single.as_expr())
        for name, own, single in (("a", drift.a, alone.a), ("b", drift.b, alone.b))
    ]
    return decided("proved", "(x² - 1)/2 is He_2/2, whose a and b are a quarter", *steps)


@claim(
    "network-loss",
    "App. K, (121)",
    "He_2/√2: L = (1/2K)[K + Σ(Q_ij² + ½(Q_ii-1)(Q_jj-1)) - 2 Σ R_ij²] (K = r = 2)",
    "proved",
)
def _loss() -> Finding:
    half = parse_activation("(x**2 - 1)/2")
    strengths = list(symbols("mu_1 mu_2", positive=True))
    us, ms = (Matrix(2, 2, symbols(f"{name}:4")) for name in "uv")
    g = Symbol("g")
    gram = Matrix([[1, g], [g, 1]])
    found = 2 * network_loss(half, half, strengths, us, ms, gram)  # (x²-1)/2 = theirs over √2
    frozen = Matrix.diag(*strengths)
    r = frozen + ms * us.T
    q = frozen**2 + frozen * ms * us.T + us * ms.T * frozen + us * gram * us.T
    claimed = (2 + _pairs(q) - 2 * sum(entry**2 for entry in r)) / 4
    return decided(
        "proved", "from the kernels, symbolic U, M, G", equal("L", found.expand(), claimed.expand())
    )


def _pairs(q: Matrix) -> Expr:
    return sum(q[i, j] ** 2 + (q[i, i] - 1) * (q[j, j] - 1) / 2 for i in range(2) for j in range(2))


@claim(
    "network-rank",
    "App. K",
    "The rank does not change the escape (K = r = 2; x, He_2, He_3 + x)",
    "proved",
)
def _rank() -> Finding:
    strengths = [Rational(1, 3), Rational(3, 4)]
    steps = []
    for text in ("x", "He2", "He3 + x"):
        activation = parse_activation(text)
        us, ms = (Matrix(2, 2, symbols(f"{name}:4")) for name in "uv")
        loss = network_loss(activation, activation, strengths, us, ms, eye(2))
        jacobian = linearised_network(loss, [*us.T, *ms.T]).applyfunc(simplify)
        first = jacobian.extract([0, 1, 4, 5], [0, 1, 4, 5]).as_immutable()
        second = jacobian.extract([2, 3, 6, 7], [2, 3, 6, 7]).as_immutable()
        mixed = jacobian.extract([0, 1, 4, 5], [2, 3, 6, 7]).as_immutable()
        steps += [
            judged(f"{text}: blocks of both columns", (first, second), lambda b: b[0] == b[1]),
            judged(f"{text}: block between them", mixed, lambda block: block.is_zero_matrix),
        ]
    evidence = "Hessian of the loss: the columns decouple, with equal blocks"
    return decided("proved", evidence, *steps)


@claim(
    "network-final-loss",
    "App. K, Fig. 14",
    "The rank sets the attainable loss: three neurons of He_2, ranks 1 to 3",
    "supported",
)
def _final_loss() -> Finding:
    setting = {"neurons": 3, "mu": 0.3, "start": "0.05 times normals, seed 1", "time": 200.0}
    losses = tuple(_last_loss(rank, 0.3, 200.0) for rank in (1, 2, 3))
    shown_losses = ", ".join(f"{loss:.2g}" for loss in losses)
    return decided(
        "supported",
        f"flow from a small start, μ = 0.3: last losses {shown_losses}",
        shown("flow", setting),
        judged(
            "last loss of ranks 1, 2, 3", losses, lambda x: x[0] > x[1] > x[2] and abs(x[2]) < 1e-6
        ),
    )


def _last_loss(rank: int, strength: float, horizon: float) -> float:
    rng = np.random.default_rng(1)
    u, m = (0.05 * rng.standard_normal((3, rank)) for _ in range(2))
    flow = network_flow(Pair("He2"), [strength] * 3, rank)
    gram = m.T @ m
    np.fill_diagonal(gram, 1.0)
    path = integrate_network(flow, NetworkState(u, m, gram), horizon)
    return flow.loss(NetworkState.unpacked(path.at(horizon), 3, rank))
