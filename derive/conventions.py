r"""The three conventions of Hermite polynomials and coefficients, and what ties them together.

In each :math:`\sigma(x) = \sum_k \frac{c_k}{w_k} P_k(x)` under a Gaussian of variance Q, where

- ``he``, probabilists', as in the paper: :math:`w_k = k!` and
  :math:`P_k = H_k^{[Q]}(x) = Q^{k/2} \mathrm{He}_k(x/\sqrt Q)`, so that
  :math:`c_k = E\,\sigma^{(k)}`;
- ``h``, physicists': :math:`w_k = k!` and
  :math:`P_k = H_k(x/\sqrt{2Q}) = 2^{k/2} \mathrm{He}_k(x/\sqrt Q)`;
- ``orthonormal``: :math:`w_k = 1` and :math:`P_k = \mathrm{He}_k(x/\sqrt Q)/\sqrt{k!}`, so that
  squares of coefficients add up to the mean square.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sympy import Expr, Integer, S, factorial, sqrt

from derive.errors import InputError, quoted
from derive.kinds import HermiteConvention
from derive.symbols import exact


@dataclass(frozen=True)
class Convention:
    """A convention.

    Fields: ``name``, in words; ``series``, of what the coefficients are, in plain text and
    ``latex``; ``polynomial``, how ``P_n`` is written, in both, and
    ``whole``, what it is at variance Q; ``scale`` of degree and variance,
    with ``P_k = scale·H_k``; ``weight`` of the degree, ``w_k``.
    """

    name: str
    series: str
    latex: str
    polynomial: tuple[str, str]
    whole: tuple[str, str]
    scale: Callable[[int, Expr], Expr]
    weight: Callable[[int], Expr]

    def coefficient(self, value: Expr, k: int, variance: Expr) -> Expr:
        """A coefficient in this convention, from the paper's.

        Arguments:
            value: c_k in the paper's, probabilists' convention.
            k: the degree, 0 or more.
            variance: Q > 0 of the Gaussian.

        Raises ``InputError`` for another degree, value or variance. Exact.

        >>> CONVENTIONS["orthonormal"].coefficient(Integer(6), 3, S.One)  # x³ has 6 He_3/3!
        sqrt(6)
        """
        if not (degree := exact(k)).is_Integer or degree < 0:
            raise InputError(f"degree {k} is not accepted: give an integer ≥ 0")
        return exact(value) * self.weight(k) / factorial(k) / self.scale(k, exact(variance))


CONVENTIONS: dict[str, Convention] = {
    "he": Convention(
        "probabilists'",
        "σ(x) = Σ c_k/k! Q^(k/2) He_k(x/√Q)",
        r"$\sigma(x) = \sum_k \frac{c_k}{k!}\,Q^{k/2}\,\mathrm{He}_k(x/\sqrt{Q})$",
        ("He", r"\mathrm{He}"),
        ("Q^(n/2) He_n(x/√Q)", r"$Q^{n/2}\,\mathrm{He}_n(x/\sqrt{Q})$"),
        lambda k, variance: S.One,
        factorial,
    ),
    "h": Convention(
        "physicists'",
        "σ(x) = Σ c_k/k! H_k(x/√(2Q))",
        r"$\sigma(x) = \sum_k \frac{c_k}{k!}\,H_k(x/\sqrt{2Q})$",
        ("H", "H"),
        ("H_n(x/√(2Q))", r"$H_n(x/\sqrt{2Q})$"),
        lambda k, variance: sqrt(2 / variance) ** k,
        factorial,
    ),
    "orthonormal": Convention(
        "orthonormal",
        "σ(x) = Σ c_k h_k(x/√Q), h_k = He_k/√k!",
        r"$\sigma(x) = \sum_k c_k\,h_k(x/\sqrt{Q})$, $h_k = \mathrm{He}_k/\sqrt{k!}$",
        ("h", "h"),
        ("He_n(x/√Q)/√n!", r"$\mathrm{He}_n(x/\sqrt{Q})/\sqrt{n!}$"),
        lambda k, variance: 1 / (sqrt(factorial(k)) * sqrt(variance) ** k),
        lambda k: Integer(1),
    ),
}


def convention_of(name: HermiteConvention) -> Convention:
    """The convention of a name; raises ``InputError`` for others.

    >>> convention_of("h").name
    "physicists'"
    """
    if not isinstance(name, str) or name not in CONVENTIONS:
        raise InputError(
            f"convention {quoted(name)} is not accepted: choose from {', '.join(CONVENTIONS)}"
        )
    return CONVENTIONS[name]
