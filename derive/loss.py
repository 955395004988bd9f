"""Population loss of the LoRA student as a function of its summary statistics (App. B.2, D).

Built from the Hermite coefficients alone; differentiated here, linearised in ``derive.drift``.
"""

from dataclasses import dataclass

from sympy import Add, Expr, Symbol, diff, expand, factorial

from derive.hermite import gaussian_mean, hermite_coefficients
from derive.symbols import Q, m, mu, rho, u


@dataclass(frozen=True)
class PopulationLoss:
    r"""Population loss :math:`L(Q,\rho) = \tfrac12 E\phi^2 + \tfrac12 S(Q) - C(Q,\rho)` (33).

    Fields: ``teacher_power`` :math:`E\phi^2`; ``student_power`` :math:`S`, in ``Q``;
    ``correlation`` :math:`C`, in ``Q`` and ``rho``. Exact.
    """

    teacher_power: Expr
    student_power: Expr
    correlation: Expr

    @property
    def expression(self) -> Expr:
        """The loss as one expression in ``Q`` and ``rho`` (33)."""
        return (self.teacher_power + self.student_power) / 2 - self.correlation

    def gradient(self) -> tuple[Expr, Expr]:
        r"""Derivatives of the loss with respect to ``u`` and ``m``, in ``u, m, mu``.

        The chain rule through :math:`Q = \mu^2+u^2+2\mu u m` and :math:`\rho = \mu+um`:

        .. math:: \partial_u L = (2u + 2\mu m) L_Q + m L_\rho, \qquad
                  \partial_m L = 2\mu u L_Q + u L_\rho

        Source: (51). Exact.
        """
        variance, covariance = mu**2 + u**2 + 2 * mu * u * m, mu + u * m
        statistics = {Q: variance, rho: covariance}
        by_variance = diff(self.expression, Q).subs(statistics)
        by_covariance = diff(self.expression, rho).subs(statistics)
        by_u, by_m = (
            by_variance * diff(variance, x) + by_covariance * diff(covariance, x) for x in (u, m)
        )
        return by_u, by_m

    def frozen_risk(self) -> Expr:
        r"""Risk of the frozen pre-trained model, :math:`\ell(\mu) = L(\mu^2, \mu)`. Exact."""
        return expand(self.expression.subs({Q: mu**2, rho: mu}))


def population_loss(teacher: Expr, student: Expr, z: Symbol) -> PopulationLoss:
    r"""Population loss of a polynomial student of a polynomial teacher.

    Arguments:
        teacher, student: :math:`\phi` and :math:`\sigma`, polynomials in ``z``; transformed labels
            are a transformed teacher, as in ``teacher**2``.
        z: their variable.

    .. math:: S(Q) = \sum_k \frac{c_k^\sigma(Q)^2 Q^k}{k!}, \qquad
              C(Q,\rho) = \sum_k \frac{c_k^\phi(1)\, c_k^\sigma(Q)\, \rho^k}{k!}

    Raises ``InputError`` if one of them is no polynomial in ``z``.
    Source: (31)-(33). Exact.

    >>> from derive.symbols import z
    >>> population_loss(z, z, z).expression
    Q/2 - rho + 1/2
    """
    of_student = hermite_coefficients(student, z, Q)
    of_teacher = hermite_coefficients(teacher, z)
    both = enumerate(zip(of_teacher, of_student, strict=False))
    power = Add(*(c**2 * Q**k / factorial(k) for k, c in enumerate(of_student)))
    correlation = Add(*(t * c * rho**k / factorial(k) for k, (t, c) in both))
    return PopulationLoss(gaussian_mean(teacher**2, z), expand(power), expand(correlation))
