"""The risk of the frozen pre-trained model over the pre-training strength."""

from sympy import Expr, S

from derive.hermite import gaussian_mean
from derive.means import Mean, mean_over_strengths
from derive.pair import Pair, PairLike
from derive.symbols import mu, z


def frozen_risk(pair: PairLike) -> Expr:
    r"""Risk of the frozen pre-trained model, :math:`\ell(\mu) = \tfrac12 E(y - \sigma(\mu z))^2`.

    Raises ``NoClosedForm`` if it has none. Its slope is ``-a`` for the square loss. Exact.

    >>> frozen_risk("x").factor()
    (mu - 1)**2/2
    """
    pair = Pair.of(pair)
    label, value = pair.label, pair.student.value
    if {*label.breaks, *value.breaks} - {S.Zero}:
        return frozen_risk_integrand(pair).closed()
    if not label.breaks and not value.breaks:
        integrand = frozen_risk_integrand(pair).smooth
        if integrand.is_polynomial(z):
            return gaussian_mean(integrand, z)
    residual = label.gaussian() - value.gaussian().scaled(mu)
    return (residual**2).mean() / 2


def frozen_risk_integrand(pair: PairLike) -> Mean:
    """The mean that the risk of the frozen model is. Exact.

    >>> frozen_risk_integrand("x").smooth.subs(mu, 0)
    z**2/2
    """
    pair = Pair.of(pair)
    return mean_over_strengths(
        pair.label,
        pair.student.value,
        lambda label, value: (label - value) * (label - value) * S.Half,
    )
