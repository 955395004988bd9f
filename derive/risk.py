"""The risk of the frozen pre-trained model over the pre-training strength."""

from sympy import Expr, S

from derive.hermite import gaussian_mean
from derive.kinked import Kinked
from derive.pair import Pair, PairLike
from derive.symbols import mu, z


def frozen_risk(pair: PairLike) -> Expr:
    r"""Risk of the frozen pre-trained model, :math:`\ell(\mu) = \tfrac12 E(y - \sigma(\mu z))^2`.

    Raises ``NoClosedForm`` if it has none. Its slope is ``-a`` for the square loss. Exact.

    >>> from derive import Activation
    >>> x = Activation.named("identity")
    >>> frozen_risk(Pair(x, x)).factor()
    (mu - 1)**2/2
    """
    pair = Pair.of(pair)
    integrand = frozen_risk_integrand(pair)
    if integrand.kink == 0 and integrand.smooth.is_polynomial(z):
        return gaussian_mean(integrand.smooth, z)
    residual = pair.label.gaussian() - pair.student.value.gaussian().scaled(mu)
    return (residual**2).mean() / 2


def frozen_risk_integrand(pair: PairLike) -> Kinked:
    """The function of ``z`` whose Gaussian mean is the risk of the frozen model. Exact.

    >>> from derive import Activation
    >>> x = Activation.named("identity")
    >>> frozen_risk_integrand(Pair(x, x)).smooth.subs(mu, 0)
    z**2/2
    """
    pair = Pair.of(pair)
    residual = pair.label - pair.student.value.scaled(mu)
    half: Kinked = residual * residual * S.Half
    return half
