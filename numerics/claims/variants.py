"""Claims on other pre-training and other losses: App. A.1, App. H."""

from sympy import Expr, Rational, diff, expand, simplify, sqrt

from derive.escape import eigenvalues, escape_time
from derive.grammar import parse_activation
from derive.landscape import landscape_of
from derive.pair import MISALIGNMENTS, Pair
from derive.pair_drift import closed_drift
from derive.symbols import m, mu, residual, rho, u
from numerics.claims.ledger import Finding, claim, decided, equal, judged, refuted_if, shown


def _misaligned_time() -> tuple[Expr, Expr]:
    """τ of x with ν = √(1-μ²), and the coupling a² + ν² b² in it."""
    x = parse_activation("x")
    drift = closed_drift(Pair(x, x, misalignment=MISALIGNMENTS["spherical"]))
    coupling = drift.a**2 + drift.misalignment**2 * drift.b**2
    return 1 / eigenvalues(sqrt(coupling), drift.b)[0], coupling


@claim(
    "misaligned-norm",
    "App. A.1",
    "The additional term of the misaligned model has no effect on the dynamics",
    "refuted",
)
def _norm() -> Finding:
    tau, coupling = _misaligned_time()
    aligned = escape_time(1 - mu, -1)
    times = tuple(f.subs(mu, Rational(9, 10)) for f in (tau, aligned))
    shortened = " instead of ".join(f"{float(time):.3g}" for time in times)
    return refuted_if(
        f"x at μ = 0.9: τ = {shortened}, through the overlap κ with ξ",
        shown("a² + ν²b² for x and ν = √(1-μ²), in the place of a²", expand(coupling)),
        shown("τ, misaligned and aligned", (tau, aligned)),
        judged("τ at μ = 9/10, misaligned and aligned", times, lambda t: bool(2 * t[0] < t[1])),
    )


@claim(
    "misaligned-divergence",
    "App. A.1",
    "Misaligned pre-training of ν = √(1-μ²) keeps the divergence (1-μ)^-2 of the linear student",
    "refuted",
)
def _divergence() -> Finding:
    tau, _ = _misaligned_time()
    limit = simplify(tau * (1 - mu)).limit(mu, 1, "-")
    return refuted_if(
        "x: τ ~ 1/(2(1-μ)) as μ → 1, an order weaker",
        judged("limit of (1-μ) τ as μ → 1", limit, lambda value: value == Rational(1, 2)),
    )


@claim(
    "misaligned-direction",
    "App. A.1",
    "The misaligned linear student that fits the teacher has ω = ω⋆, that is m = 1",
    "refuted",
)
def _direction() -> Finding:
    nu = MISALIGNMENTS["spherical"]
    size = sqrt((1 - mu) ** 2 + nu**2)  # u ω = (1-μ) ω⋆ - ν ξ makes the student the teacher
    overlap, kappa = (1 - mu) / size, -nu / size
    variance = mu**2 + nu**2 + size**2 + 2 * size * (mu * overlap + nu * kappa)
    x = parse_activation("x")
    loss = landscape_of(Pair(x, x)).loss
    covariance = mu + size * overlap
    value = loss.subs({residual: variance - covariance**2, rho: covariance}, simultaneous=True)
    at_half = overlap.subs(mu, Rational(1, 2))
    return refuted_if(
        "x at μ = 0.5: the loss vanishes at m = 1/2, for ω also has to undo ξ",
        equal("loss at u = √((1-μ)²+ν²), m = (1-μ)/u, κ = -ν/u", value, 0),
        shown("m there", overlap),
        judged("m there at μ = 1/2", simplify(at_half), lambda given: given == Rational(1, 2)),
    )


@claim(
    "correlation-loss",
    "App. H, (95), (96)",
    "Under the correlation loss the linear student's dynamics do not depend on μ",
    "proved",
)
def _correlation() -> Finding:
    x = parse_activation("x")
    pair = Pair(x, x, loss="correlation")
    drift = closed_drift(pair)
    loss = landscape_of(pair).loss.subs(rho, mu + u * m)
    gradient = (diff(loss, u), diff(loss, m))
    return decided(
        "proved",
        "L = -(μ + u m) up to a constant, so its gradient is (-m, -u); a = 1, b = 0",
        shown("L up to a constant", loss),
        judged("∂L/∂u and ∂L/∂m", gradient, lambda slopes: not any(f.has(mu) for f in slopes)),
        judged("a and b", (drift.a, drift.b), lambda found: found == (1, 0)),
    )
