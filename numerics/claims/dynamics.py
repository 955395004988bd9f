"""Claims on the dynamics and on networks (Sec. 2.2, App. E to G, I, K)."""

from functools import cache

import numpy as np
from numpy.typing import NDArray
from sympy import Function, Matrix, Rational, Symbol, diff, eye, nsimplify, simplify, sqrt, symbols

from derive.escape import eigenvalues
from derive.grammar import parse_activation, parse_transform
from derive.network import FIELD, K, linearised_network, network_drift, network_loss
from derive.symbols import m, mu, u
from numerics.claims.ledger import Finding, claim, decided, is_zero, refuted_if
from numerics.claims.search_phase import matched
from numerics.flow import flow_of, integrate
from numerics.sgd import Learner, Stage, simulate
from numerics.stability import stable_learning_rate


@claim("lyapunov", "App. G, (92)", "The population loss decreases along the flow", "proved")
def _lyapunov() -> Finding:
    loss = Function("L")(u, m)
    by_u, by_m = diff(loss, u), diff(loss, m)
    rate = by_u * -by_u + by_m * (-(1 - m**2) * by_m)
    holds = (rate + by_u**2 + (1 - m**2) * by_m**2).expand() == 0
    return decided("proved", holds, "dL/dt = -(∂_u L)² - (1-m²)(∂_m L)², for any loss")


@claim(
    "descent",
    "Prop. 4, 5",
    "In the descent phase 1 - m² falls exponentially and u → 1 - μ (matched, not even)",
    "supported",
)
def _descent() -> Finding:
    gaps = []
    for text in ("x", "erf", "relu"):
        flow = flow_of(matched(text), 0.4)
        end = integrate(flow, [0.05, 0.05], 60 / flow.rate()).at(60 / flow.rate())
        gaps.append(float(np.abs(end - [0.6, 1.0]).max()))
    return decided("supported", max(gaps) < 1e-3, f"flow, x, erf, ReLU: within {max(gaps):.0e}")


def _exits(text: str, strength: float, horizon: int, share: float) -> NDArray[np.float64]:
    pair = matched(text)
    rate = share * stable_learning_rate(pair, strength, 1000, 16)
    learner = Learner(pair, strength, 1000, rate, batch=16)
    runs = simulate(learner, range(60), 1, horizon, stop_at_exit=True)
    return np.nan_to_num(runs.exits * rate, nan=np.inf)


@claim(
    "strong-pre-training-delays",
    "Sec. 3.2 (a)",
    "Linear students with stronger pre-training leave the search phase later",
    "supported",
)
def _delay() -> Finding:
    medians = [float(np.median(_exits("x", s, 10**6, 0.1))) for s in (0.1, 0.5, 0.9)]
    times = ", ".join(f"{time:.3g}" for time in medians)
    holds = medians[0] < medians[1] < medians[2]
    return decided("supported", holds, f"medians {times} of 60 runs at μ = 0.1, 0.5, 0.9, d = 1000")


@claim(
    "cubic-delay",
    "App. I, Fig. 9",
    "He_3 students are delayed near the singular strength",
    "supported",
)
def _cubic() -> Finding:
    near, far = (np.isfinite(_exits("He3", s, 100_000, 0.1)).sum() for s in (0.3, 0.7))
    evidence = f"{near} of 60 runs exit at μ = 0.3, {far} of 60 at μ = 0.7, in the same steps"
    return decided("supported", near < 6 and far > 54, evidence)


@claim(
    "two-stages-escape",
    "App. B.4, Fig. 4",
    "Squared labels first, then the original ones, leave the search phase of He_3 at μ = 0.3",
    "supported",
)
def _two_stages_escape() -> Finding:
    overlap = np.abs(_two_stages()[:, 1]).min()
    return decided("supported", overlap > 0.9, f"10 runs, d = 1000: |m| ≥ {overlap:.3f} at the end")


@claim(
    "two-stages-recover",
    "App. B.4, Fig. 4",
    "These two stages recover the teacher of He_3 at μ = 0.3",
    "refuted",
)
def _two_stages_recover() -> Finding:
    states = _two_stages()
    loss = float(np.median(flow_of(matched("He3"), 0.3).loss(states)))
    covariance = float(np.median(0.3 + states[:, 0] * states[:, 1]))
    evidence = f"10 runs end at |ρ| = {abs(covariance):.3f}, loss {loss:.3f} of the 3 of no student"
    return refuted_if(loss > 1, f"{evidence}: u m = -μ, not 1 - μ")


@cache
def _two_stages() -> NDArray[np.float64]:
    """Last states of He_3 students below the singular strength, squared labels until |m| = ½."""
    stage = Stage(parse_transform("squared"), until_overlap=0.5)
    learner = Learner(matched("He3"), 0.3, 1000, 2e-5, batch=16, stage=stage)
    return simulate(learner, range(10), 1, 1_200_000, [1_200_000]).states[:, 0]


@claim(
    "network-linear",
    "App. K, (110)",
    "Linear networks escape at λ₊ = ½(-1 + √(1 + 4|1-μ|²/K)) for every rank",
    "proved",
)
def _network_linear() -> Finding:
    x = parse_activation("x")
    collective = network_drift(x, x).equal_strengths()["collective"]
    equal = is_zero(eigenvalues(*collective)[0] - (-1 + sqrt(1 + 4 * (1 - mu) ** 2)) / 2)
    strengths = [Rational(1, 3), Rational(2, 5), Rational(3, 4)]
    a, b = network_drift(x, x).blocks(strengths)
    found = Matrix([[b, a.T], [a, 0 * a]]).eigenvals()
    mismatch = sum((1 - s) ** 2 for s in strengths) / 3
    holds = equal and any(simplify(v - (-1 + sqrt(1 + 4 * mismatch)) / 2) == 0 for v in found)
    return decided("proved", holds, "symbolic K for equal strengths, K = 3 for unequal ones")


@claim(
    "network-hermite",
    "App. K, (115)",
    "Normalised Hermite-2 networks: a = (μ/K)(2-2μ²-s), b = -(1/K)(2μ²+s)",
    "proved",
)
def _network_hermite() -> Finding:
    drift = network_drift(*[parse_activation("(x**2 - 1)/2")] * 2)
    s = Symbol("s")
    a, b = (2 * f.subs(FIELD, -s / 2) for f in (drift.a, drift.b))  # theirs divides by √2
    holds = (
        simplify(a - mu / K * (2 - 2 * mu**2 - s)) == 0 and simplify(b + (2 * mu**2 + s) / K) == 0
    )
    return decided("proved", holds, "symbolic K and strengths, from the kernels' slopes")


@claim(
    "network-rank",
    "App. K",
    "The rank does not change the escape (K = r = 2; x, He_2, He_3 + x)",
    "proved",
)
def _network_rank() -> Finding:
    strengths = [Rational(1, 3), Rational(3, 4)]
    wrong = []
    for text in ("x", "He2", "He3 + x"):
        activation = parse_activation(text)
        us, ms = (Matrix(2, 2, symbols(f"{name}:4")) for name in "uv")
        loss = network_loss(activation, activation, strengths, us, ms, eye(2))
        jacobian = linearised_network(loss, [*us.T, *ms.T])
        first = jacobian.extract([0, 1, 4, 5], [0, 1, 4, 5])
        second = jacobian.extract([2, 3, 6, 7], [2, 3, 6, 7])
        mixed = jacobian.extract([0, 1, 4, 5], [2, 3, 6, 7])
        if any(nsimplify(entry) != 0 for entry in [*(first - second), *mixed]):
            wrong.append(text)
    return decided(
        "proved", not wrong, "Hessian of the loss: the columns decouple, with equal blocks"
    )
