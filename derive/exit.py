r"""The law of the exit time of one-pass SGD: who has left the search phase by when.

Steps of the order of 1/d follow the linear flow ``M`` of the search phase with noise along ``u``.
So what has grown along the unstable direction is normal in the end, and the exit time is the
logarithm of it:

.. math:: \sqrt d\, e^{-\lambda t}\, v\cdot(u, m, \kappa) \to X \sim N(v_u s,\;
    (1 - v_u^2) s^2 + \tfrac{\gamma d}{B} v_u^2 N / 2\lambda), \quad
    T = (\tfrac12 \log d + \log K - \log|X|)/\lambda

with ``λ`` and ``v`` the growth rate and unit vector of ``M``, ``s/√d`` the initial ``u`` and the
size of the overlaps, ``N`` the mean square of a sample's pull on ``u``. The constant ``K`` is that
of the flow along its unstable manifold, which ``numerics`` computes: at a fixed γd the flow of
``derive.finite_rate``, whose growth rate is that of small steps.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sympy import Expr, S, erf, sqrt

from derive.errors import InputError
from derive.finite_rate import noise_landscape
from derive.gaussian import constant
from derive.hermite import gaussian_mean
from derive.means import Mean, mean_over_strengths
from derive.pair import Pair, PairLike
from derive.piecewise import PiecewiseAnalytic
from derive.symbols import exact, exact_series, mu, residual, rho, z


@dataclass(frozen=True)
class ExitLaw:
    """The law of ``X``, the normal variable whose logarithm is the exit time.

    Fields: ``rate`` λ; ``mean`` and ``variance`` of X. Exact as formulas; a limit as a law, of
    large d at a fixed γd.
    """

    rate: Expr
    mean: Expr
    variance: Expr

    def searching(self, level: Expr) -> Expr:
        r"""The share of runs still searching, :math:`P(|X| < x)` at a level x. Exact.

        At a time t the level is :math:`x = \sqrt d K e^{-\lambda t}`.
        """
        spread = sqrt(2 * self.variance)
        return (erf((level - self.mean) / spread) + erf((level + self.mean) / spread)) / 2


def exit_law(
    rate: Expr, b: Expr, noise: Expr, scale: Expr = S.One, scale_u: Expr | None = None
) -> ExitLaw:
    r"""The law of the exit time from a random direction, of what the search phase is made of.

    Arguments:
        rate: λ > 0, as ``eigenvalues`` gives it; misaligned pre-training included.
        b: the self-coupling of u.
        noise: :math:`\gamma d N/B`, as ``sample_noise`` gives N.
        scale: s; overlaps begin at the size s/√d.
        scale_u: u begins at it by √d, which may be 0; at s/√d by default.

    The matrix of the search phase is symmetric and couples u alone, so that its unstable vector has

    .. math:: v_u^2 = \frac{\lambda}{2\lambda - b}, \qquad v_m^2 + v_\kappa^2 = 1 - v_u^2

    Raises ``InputError`` for floats and for a rate that is not positive. Source: (57)-(61).

    >>> exit_law(1, -1, 0)
    ExitLaw(rate=1, mean=sqrt(3)/3, variance=2/3)
    """
    begun = scale if scale_u is None else scale_u
    rate, b, noise, scale, begun = map(exact, (rate, b, noise, scale, begun))
    along_u = _along_u(rate, b)
    started = scale**2 * (1 - along_u)
    return ExitLaw(rate, begun * sqrt(along_u), started + noise * along_u / (2 * rate))


def exit_law_from(
    start: Sequence[Expr], rate: Expr, b: Expr, noise: Expr, couplings: Sequence[Expr]
) -> ExitLaw:
    r"""The law of the exit time from one state.

    Arguments:
        start: :math:`\sqrt d\,(u, m)`, and κ of misaligned pre-training.
        rate, b, noise: as ``exit_law`` takes them.
        couplings: of u to m, and to κ: ``a``, and ``e`` = νb.

    .. math:: v = \frac{(\lambda, a, e)}{|(\lambda, a, e)|}, \qquad
        X \sim N(\sqrt d\,v\cdot(u, m, \kappa),\; \tfrac{\gamma d}{B} v_u^2 N / 2\lambda)

    Raises ``InputError`` as ``exit_law`` does. Source: (57)-(61).

    >>> from sympy import Rational
    >>> exit_law_from((3, 1), 1, Rational(-3, 2), 0, (Rational(3, 2),)).mean
    9*sqrt(13)/13
    """
    rate, b, noise = map(exact, (rate, b, noise))
    along_u = _along_u(rate, b)
    begin, direction = exact_series(start), (rate, *exact_series(couplings))
    if len(begin) != len(direction):
        raise InputError(f"{len(begin)} numbers to start from are not accepted: give "
                         f"{len(direction)}, one more than couplings")  # fmt: skip
    size = sqrt(sum(part**2 for part in direction))
    mean = sum(x * part for x, part in zip(begin, direction, strict=True)) / size
    return ExitLaw(rate, mean, noise * along_u / (2 * rate))


def _along_u(rate: Expr, b: Expr) -> Expr:
    """The square of the unstable vector's part along u."""
    if rate.is_nonpositive:
        raise InputError(f"a rate of {rate} is not accepted: without escape there is no exit time")
    return rate / (2 * rate - b)


def sample_noise(pair: PairLike, label_noise: Expr = S.Zero) -> Expr:
    r"""The mean square :math:`N(\mu)` of a sample's pull on u where the search begins.

    Arguments:
        pair: with labels y; misaligned or not.
        label_noise: standard deviation ς of noise on the labels.

    .. math:: N = E\big[\big((y - \sigma(x))^2 + \varsigma^2\big)\,\sigma'(x)^2\big],
        \quad x = \mu z + \nu g

    The correlation loss has no σ(x) in it. Raises ``NoClosedForm`` if there is none, ``InputError``
    for a float. Source: (38)-(45). Exact.

    >>> sample_noise("x").factor()
    (mu - 1)**2
    """
    pair, label_noise = Pair.of(pair), exact(label_noise)
    if pair.misalignment != 0:
        here = {rho: mu, residual: pair.misalignment**2}
        return noise_landscape(pair, label_noise).subs(here)
    breaks = {*pair.label.breaks, *pair.student.value.breaks}
    integrand = noise_integrand(pair, label_noise)
    if breaks - {S.Zero}:
        return integrand.closed()
    if not breaks and integrand.smooth.is_polynomial(z):
        return gaussian_mean(integrand.smooth, z)
    slope = pair.student.value.derivative().gaussian().scaled(mu)
    error = pair.label.gaussian()
    if pair.loss == "square":
        error = error - pair.student.value.gaussian().scaled(mu)
    return ((error**2 + constant(label_noise**2)) * slope**2).mean()


def noise_integrand(pair: PairLike, label_noise: Expr = S.Zero) -> Mean:
    """The Gaussian mean that ``sample_noise`` is, of an aligned pair. Exact.

    Raises ``InputError`` for a misaligned one.

    >>> noise_integrand("x").smooth.factor()
    z**2*(mu - 1)**2
    """
    pair, label_noise = Pair.of(pair), exact(label_noise)
    if pair.misalignment != 0:
        raise InputError("a misaligned pair has no such integrand: use one without misalignment")
    sigma, squared = pair.student.value, pair.loss == "square"

    def integrand(
        label: PiecewiseAnalytic, value: PiecewiseAnalytic, slope: PiecewiseAnalytic
    ) -> PiecewiseAnalytic:
        error = label - value if squared else label
        return (error * error).mapped(lambda piece: piece + label_noise**2) * (slope * slope)

    return mean_over_strengths(pair.label, sigma, integrand, sigma.derivative())
