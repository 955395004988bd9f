r"""What a finite learning rate adds to the flow: the term of Saad and Solla.

At ``γ`` of the order of ``1/d`` a step's length across the order parameters is as large as what it
does to them: normalised, the direction shrinks by it. So the limit of large ``d`` at a fixed ``γd``
is another flow than that of small steps. It has one term more, made of the mean square ``N`` of a
sample's pull.
"""

from dataclasses import replace

from sympy import Expr, S, Symbol, diff, expand, sqrt

from derive.correlated import Covariance, correlated_mean
from derive.errors import InputError, quoted
from derive.gaussian import constant
from derive.loss import population_loss
from derive.pair import Pair, PairLike
from derive.symbols import Q, exact, m, mu, residual, rho, u, z

# Of one step: γ, and γd; B; the mean pull along ω⋆, along ω; N.
_RATE, _SCALED, _BATCH = (Symbol(name, positive=True) for name in ("gamma", "gamma_d", "B"))
_ON_TEACHER, _ALONG = (Symbol(name, real=True) for name in ("g_teacher", "g_omega"))
_NOISE = Symbol("N", nonnegative=True)


def finite_rate_drift(update: str = "spherical") -> Expr:
    r"""The velocity of m in the limit of large d at a fixed γd, from one step of the update.

    Arguments:
        update: ``spherical`` or ``projected``, as a learner has it.

    Of the batch's mean pull ``g`` all directions together have the square
    :math:`|g|^2 \to \tfrac dB N`, by the chi-square of (40). The step is expanded to first order in
    γ at a fixed γd, in which the length that it is divided by counts:

    .. math:: m^+ = \frac{m + \gamma u\,(g_\star - m g_\omega)}
        {\sqrt{1 + \gamma^2 u^2 (|g|^2 - g_\omega^2)}}, \qquad
        \lim_{\gamma \to 0} \frac{m^+ - m}{\gamma}
        = u\,(g_\star - m g_\omega) - \tfrac{\gamma d}{2B}\, u^2 m N

    for ``spherical``; for ``projected`` the whole pull is taken and the square under the root is
    :math:`1 + 2\gamma u g_\omega + \gamma^2u^2|g|^2`: the limit is the same. Nothing is added to
    the velocity of u, which is not normalised. Raises ``InputError`` for another update. Source:
    (38)-(40). Exact.

    >>> finite_rate_drift() - finite_rate_drift("projected")
    0
    """
    square = _SCALED * _NOISE / (_RATE * _BATCH)
    moves = {
        "spherical": (_ON_TEACHER - m * _ALONG, (_RATE * u) ** 2 * (square - _ALONG**2)),
        "projected": (_ON_TEACHER, 2 * _RATE * u * _ALONG + (_RATE * u) ** 2 * square),
    }
    if not isinstance(update, str) or update not in moves:
        raise InputError(f"update {quoted(update)} is not accepted: give {' or '.join(moves)}")
    pull, longer = moves[update]
    moved = (m + _RATE * u * pull) / sqrt(1 + expand(longer))
    return expand(diff(moved, _RATE).subs(_RATE, 0))


def noise_landscape(pair: PairLike, label_noise: Expr = S.Zero) -> Expr:
    r"""The mean square of a sample's pull anywhere, in ``rho`` and ``residual``.

    Arguments:
        pair: of which the misalignment is not used.
        label_noise: standard deviation ς of noise on the labels.

    .. math:: N(\rho, s) = E\big[\big((y - \sigma(x))^2 + \varsigma^2\big)\,\sigma'(x)^2\big],
        \quad x = \rho z + \sqrt s\, g

    The correlation loss has no σ(x) in it. Raises ``NoClosedForm`` if there is none, ``InputError``
    for a float. Source: (38)-(45). Exact.

    >>> noise_landscape("x")
    rho**2 - 2*rho + s + 1
    """
    pair, label_noise = replace(Pair.of(pair), misalignment=S.Zero), exact(label_noise)
    if (known := pair.polynomials) is not None:
        label, sigma = (f.as_expr() for f in known)
        return _polynomial(label, sigma, pair.loss, label_noise)
    label, sigma = pair.label.gaussian(), pair.student.value.gaussian()
    square = pair.student.value.derivative().gaussian() ** 2
    seen, width = Covariance(S.One, mu**2 + residual, mu, residual), sqrt(mu**2 + residual)
    total = correlated_mean(label**2 + constant(label_noise**2), square, seen)
    if pair.loss == "square":
        total -= 2 * correlated_mean(label, sigma * square, seen)
        total += (sigma**2 * square).scaled(width).mean()
    return total.subs(mu, rho)  # taken for ρ > 0; analytic in ρ, and so of the whole line


def _polynomial(label: Expr, sigma: Expr, loss: str, label_noise: Expr) -> Expr:
    slope = diff(sigma, z) ** 2
    sides = [(label**2 + label_noise**2, slope)]
    if loss == "square":
        sides += [(-2 * label, sigma * slope), (S.One, sigma**2 * slope)]
    total = sum(population_loss(y, x, z).correlation for y, x in sides)
    return expand(total.subs(Q, rho**2 + residual))
