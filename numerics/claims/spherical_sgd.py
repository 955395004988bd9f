"""Claims on SGD on the sphere: its expansion, its mean, its limit (Sec. 2.1, App. C).

A sample's gradient for ω is -s u x with s = (y - σ(λ)) σ'(λ). An input has the coordinate z along
the teacher ω⋆, g along what of ω is off it, and the length x in all other directions. Where any s
will do it is a symbol; means over inputs are taken by exponentials, as in
``numerics.claims.population_loss``.
"""

from sympy import Expr, Matrix, Symbol, diff, expand, limit, oo, series, sqrt, symbols

from derive.escape import eigenvalues, escape_time
from derive.polynomial_drift import hermite_drift
from derive.symbols import Q, d, m, mu, rho, u, z
from numerics.claims.calculus import V, W, mean_exponent
from numerics.claims.ledger import Finding, claim, equal, judged, ours
from numerics.claims.population_loss import correlation, student_power
from numerics.claims.setting import COVARIANCE, VARIANCE
from numerics.claims.signs import negative, positive

_G, _X, _T = symbols("g x t", real=True)  # two coordinates of an input; a third exponential
_PULL = Symbol("s", real=True)  # (y - σ(λ)) σ'(λ)
_RATE = Symbol("gamma", positive=True)
_REST = sqrt(1 - m**2)
_TEACHER = Matrix([1, 0, 0])
_DIRECTION = Matrix([m, _REST, 0])
_INPUT = Matrix([z, _G, _X])  # x: the length in all other directions
_GRADIENT = -_PULL * u * _INPUT
_TANGENT = _GRADIENT - _DIRECTION * _DIRECTION.dot(_GRADIENT)
_SIZE = expand(_TANGENT.dot(_TANGENT))


def _moved() -> tuple[Matrix, Expr]:
    """ω before its length is restored (38), and the square of that length."""
    moved = _DIRECTION - _RATE * _TANGENT
    return moved, expand(moved.dot(moved))


@claim.proved(
    "App. C, (39), (40)",
    "∇ less its part along ω is tangent to the sphere; along ω⋆ it is -s u (z - m o), o = ω·x",
    quote="where […] denotes the spherical gradient. Explicitly, it is given by … In the last "
    "equality, we used the decomposition […]",
    reading="the spherical gradient of a sample's loss for ω, its part along ω removed; the "
    "decomposition of x is into ω⋆, ω and the rest",
    falsifier="a part along ω that stays",
)
def _spherical_gradient() -> Finding:
    own = m * z + _REST * _G
    across = _REST * z - m * _G
    return Finding(
        "in the plane of ω⋆ and ω and the length of the rest",
        equal(
            "with o for ω·x, z for ω⋆·x, and s the error times σ': ω·x",
            expand(_DIRECTION.dot(_INPUT)),
            own,
        ),
        equal("part of the tangent along ω", expand(_TANGENT.dot(_DIRECTION)), 0),
        equal(
            "part of the tangent along ω⋆",
            expand(_TANGENT.dot(_TEACHER)),
            expand(-_PULL * u * (z - m * own)),
        ),
        equal("square of its length", _SIZE, expand(_PULL**2 * u**2 * (across**2 + _X**2))),
    )


@claim.proved(
    "App. C, (41)-(44)",
    "ω⁺ = ω - γ ∇ - ½ γ² |∇|² ω + O(γ³), ∇ the spherical gradient; m⁺ likewise",
    quote="Small learning-rate expansion. […] Evolution of the overlap. […]",
    reading="the lost (41)-(44) expand (38) in γ, and take the product with ω⋆",
    falsifier="another term of first or second order in γ",
)
def _small_rate_expansion() -> Finding:
    moved, length = _moved()
    size, along = Symbol("N", positive=True), Symbol("q", real=True)  # |∇|² and ∇·ω⋆
    shrink = series(1 / sqrt(1 + _RATE**2 * size), _RATE, 0, 4).removeO()
    second = series((m - _RATE * along) / sqrt(1 + _RATE**2 * size), _RATE, 0, 3).removeO()
    return Finding(
        "the tangent is orthogonal to ω, so that the length is √(1 + γ²|∇|²)",
        equal("squared length of ω after the step, |ω - γ ∇|²", length, 1 + _RATE**2 * _SIZE),
        equal("one over the length, up to γ³", shrink, 1 - _RATE**2 * size / 2),
        equal("(ω - γ ∇)·ω⋆", expand(moved.dot(_TEACHER)),
              expand(m - _RATE * _TANGENT.dot(_TEACHER))),
        equal("m⁺, up to γ²", expand(second), m - _RATE * along - _RATE**2 * size * m / 2),
    )  # fmt: skip


def _means() -> tuple[tuple[Expr, Expr], tuple[Expr, Expr]]:
    """E[y σ' f] and E[σ σ' f], over C and over the power, for f = o and f = z - m o.

    y = e^(vz), σ = e^(wλ), and e^(tλ) for the other σ; f is drawn down by a source: the slope in h
    of e^(h f) at h = 0.
    """
    own = m * z + _REST * _G
    argument = mu * z + u * own
    source = Symbol("h", real=True)
    found = []
    for f in (own, z - m * own):
        for left, right in ((V * z, W * argument), (_T * argument, W * argument)):
            inner = mean_exponent(expand(left + right + source * f), _G, 1)
            exponent = mean_exponent(inner, z, 1)
            found.append(W * expand(diff(exponent, source).subs(source, 0)))
    return (found[0], found[1]), (found[2], found[3])


def _slopes(x: Symbol) -> tuple[Expr, Expr]:
    """Slopes of C and of the power in x through Q and ρ, over themselves."""
    place = {Q: VARIANCE, rho: COVARIANCE}
    exponents = (correlation(V, W).args[0], student_power(W, _T).args[0])
    of_pair, of_power = (diff(e.subs(place), x) for e in exponents)
    return expand(of_pair), expand(of_power)


@claim.proved(
    "Sec. 2.1, App. C, (45)",
    "E[s o] = -∂L/∂u and u E[s (z - m o)] = -(1-m²) ∂L/∂m: every polynomial pair",
    quote="Since the gradients in … are unbiased estimators of the population gradient, the "
    "one-pass dynamics can be seen as a random discretization of gradient flow on the population "
    "risk [40]: […]",
    reading="both sides for u and for m, in any dimension; o = ω·x. Square-integrable functions "
    "with slopes are limits",
    falsifier="a polynomial pair whose mean gradient is another",
)
def _unbiased_gradient() -> Finding:
    for_u, for_m = _means()
    by_u, by_m = _slopes(u), _slopes(m)
    # The power is of e^(wλ) and e^(tλ); σ σ' stands for half its slope, symmetric in both.
    own_u, own_m = (mean.subs({W: _T, _T: W}, simultaneous=True) + mean
                    for mean in (for_u[1], for_m[1]))  # fmt: skip
    return Finding(
        "by exponentials, each mean against the slope of the closed form",
        equal("teacher e^(vz), student e^(wλ), from which all polynomials follow: E[y σ' o] and "
              "∂C/∂u, divided by C", for_u[0], by_u[0]),
        equal("E[(σσ)' o] and ∂S/∂u, divided by S, where σσ is a product of two exponentials",
              own_u, by_u[1]),
        equal("u E[y σ' (z - m o)] and (1-m²) ∂C/∂m, divided by C", expand(u * for_m[0]),
              expand((1 - m**2) * by_m[0])),
        equal("u E[(σσ)' (z - m o)] and (1-m²) ∂S/∂m, divided by S", expand(u * own_m),
              expand((1 - m**2) * by_m[1])),
    )  # fmt: skip


@claim.proved(
    "App. C, (45), (46)",
    "To second order m shrinks by the factor 1 - ½ γ² E|∇|² besides its drift: in (0, 1) if and "
    "only if γ² E|∇|² < 2, in (-1, 1) if and only if it is < 4",
    quote="Now after averaging over the data we obtain … The update is contractive provided the "
    "learning rate satisfies […]",
    reading="(45) is E m⁺ = (1 - ½ γ² E|∇|²) m - γ E ∇·ω⋆; (46) bounds γ so that the factor "
    "contracts. With E|∇|² = u² E[s² ((√(1-m²) z - m g)² + d - 2)] the bound on γ u is of the "
    "order 1/√d, that on γ of the order 1 where u is of the order 1/√d",
    falsifier="a rate below the bound whose factor is not in (0, 1), or one above it whose is",
    units="γ of one sample a step",
)
def _contraction() -> Finding:
    share, power = symbols("h S_2", positive=True)  # γ² E|∇|², and E s²
    factor = 1 - share / 2
    return Finding(
        "the factor is that of small-rate-expansion, averaged",
        judged("the factor 1 - h/2, h = γ² E|∇|², is below 1: 1 less it", 1 - factor, positive),
        judged("it is positive for h < 2, at h = 2/(1+x)",
               factor.subs(share, 2 / (1 + share)).factor(), positive),
        judged("and negative for h > 2, at h = 2 (1+x)",
               factor.subs(share, 2 * (1 + share)).expand(), negative),
        judged("above -1 for h < 4: factor plus 1 at h = 4/(1+x)",
               (factor.subs(share, 4 / (1 + share)) + 1).factor(), positive),
        judged("and below -1 for h > 4: factor plus 1 at h = 4 (1+x)",
               (factor.subs(share, 4 * (1 + share)) + 1).expand(), negative),
        equal("part of E|∇|² in the d - 2 directions off the plane of ω and ω⋆, with S_2 = E s²",
              _off_the_plane().subs(_PULL**2, power), power * u**2 * (d - 2)),
    )  # fmt: skip


def _off_the_plane() -> Expr:
    """The part of |∇|² in the other directions, where x² has the mean d - 2."""
    return _SIZE.coeff(_X, 2) * (d - 2)


@ours.proved(
    "App. C, (46)",
    "The update (38) itself shrinks m at every rate, by 1/√(1 + γ²|∇|²): in (0, 1], and 1 where u "
    "= 0 or s = 0",
    reading="so a bound such as (46) is one of the expansion, not of the algorithm; what limits "
    "the rate is the noise in u",
    falsifier="a rate at which the length before it is restored is below 1",
)
def _no_contraction_bound() -> Finding:
    _, length = _moved()
    rest = Symbol("r", real=True)  # √(1-m²)
    squares = (_RATE * _PULL * u) ** 2 * ((rest * z - m * _G) ** 2 + _X**2)
    return Finding(
        "the step is tangent, so that it never shortens ω",
        equal(
            "squared length after the step, less 1",
            expand(length - 1),
            expand(squares.subs(rest, _REST)),
        ),
        judged(
            "it is not negative; r stands for √(1-m²)", squares, lambda value: value.is_nonnegative
        ),
        judged("so the factor, one over the length, is in (0, 1]", 1 / sqrt(1 + squares), positive),
        *[equal(f"the factor at {x} = 0", (1 / sqrt(length)).subs(x, 0), 1) for x in (u, _PULL)],
    )


@claim.proved(
    "Sec. 2.1, App. C, (47)-(49)",
    "The mean of a step over γ tends to the flow as γ → 0: u̇ = E[s o], ṁ = u E[s (z - m o)]",
    quote="the one-pass dynamics can be seen as a random discretization of gradient flow on the "
    "population risk [40]: […]",
    reading="dt = γ a step, and the mean of a step. That runs concentrate on the flow is not "
    "proved here, but supported by simulation: flow-limit",
    falsifier="a term of order 1/γ or 1 that the flow lacks",
    units="time in 1/γ",
)
def _continuous_limit() -> Finding:
    along = expand(_TANGENT.dot(_TEACHER))
    size = Symbol("N", positive=True)
    step = (m - _RATE * along) / sqrt(1 + _RATE**2 * size) - m
    own = m * z + _REST * _G
    scale = -diff(u - _RATE * (-_PULL * own), _RATE)
    return Finding(
        "with unbiased-gradient, the flow (91)",
        equal("step of m over γ as γ → 0, before its mean is taken",
              diff(step, _RATE).subs(_RATE, 0), _PULL * u * expand(z - m * own)),
        equal("step of u over γ, before its mean is taken", -scale, _PULL * own),
    )  # fmt: skip


@ours.proved(
    "App. C",
    "At γ = γ₀/d the mean of m's step keeps, as d → ∞, -½ γ₀ u² m E s² in units of γ: of third "
    "order",
    reading="so the deterministic limit at a rate of the order 1/d is not the gradient flow, but "
    "has the same a, b and λ₊; only the constant in the exit time changes. One sample a step",
    falsifier="a term of first order in u and m at γ = γ₀/d",
    units="time in 1/γ",
)
def _finite_rate() -> Finding:
    fixed, power = symbols("gamma_0 S_2", positive=True)  # S_2: E s²
    second = -_RATE * m * _off_the_plane().subs(_PULL**2, power) / 2  # of the step over γ
    kept = limit(second.subs(_RATE, fixed / d), d, oo)
    return Finding(
        "(d - 2)/d of the term in γ² stays; it is cubic, so the linear flow is as before",
        equal("what stays as d → ∞", kept, -fixed * u**2 * m * power / 2),
        *[equal(f"it is of third order: its slope in {x} at u = m = 0",
                diff(kept, x).subs({u: 0, m: 0}), 0)
          for x in (u, m)],
        judged("what stays is not 0", kept, lambda rest: rest != 0),
    )  # fmt: skip


@ours.proved(
    "Sec. 2.1",
    "For Gaussian inputs (u, m) is a Markov chain of its own: a step depends on ω through m alone",
    quote="This defines a system of coupled stochastic processes for […], which are not "
    "autonomous.",
    reading="not autonomous: they are driven by the data; in law they need (u, m) and d alone",
    falsifier="a quantity of ω besides m in a step of (u, m)",
)
def _closed_chain() -> Finding:
    moved, length = _moved()
    found = {
        "m before its length is restored": expand(moved.dot(_TEACHER)),
        "square of its length": length,
        "ω·x, in the steps of u and in λ": _DIRECTION.dot(_INPUT),
    }
    allowed = {m, u, z, _G, _X, _PULL, _RATE}
    return Finding(
        "z, g are standard normal whatever ω is, and x² is a chi-square of d - 2",
        *[judged(text, value, lambda e: e.free_symbols <= allowed)
          for text, value in found.items()],
        *[equal(f"{text}: even in the rest x of the input, at -x", value.subs(_X, -_X),
                value) for text, value in found.items()],
    )  # fmt: skip


@claim.proved(
    "App. C, (50), App. E.4, (68)",
    "Dividing a and b by n n! divides λ₊ and multiplies τ by it: a change of the unit of time",
    quote="which after rescaling […] and […] (we set […] as it was mentioned in (50)) becomes […]",
    reading="(50) chooses t = γ n n! times the number of steps for He_n, and t = γ times it "
    "otherwise",
    falsifier="a factor that changes where τ diverges, or the order of strengths by τ",
)
def _time_rescaling() -> Finding:
    a, c = symbols("a c", positive=True)
    b = Symbol("b", real=True)
    raw, scaled = hermite_drift(3), hermite_drift(3, normalization="n*n!")
    return Finding(
        "λ₊ is of first order in (a, b)",
        equal("λ₊ with a/c and b/c", eigenvalues(a / c, b / c)[0], eigenvalues(a, b)[0] / c),
        equal("τ with a/c and b/c", escape_time(a / c, b / c), c * escape_time(a, b)),
        equal(
            "He_3, n n! = 18: a, and 18 times a in the paper's unit",
            raw.a.as_expr(),
            18 * scaled.a.as_expr(),
        ),
        equal("He_3: b, and 18 times b in that unit", raw.b.as_expr(), 18 * scaled.b.as_expr()),
    )
