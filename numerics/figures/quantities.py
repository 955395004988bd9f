"""What can be drawn of a pair over the pre-training strength; adding a quantity is one entry.

Nothing here imports matplotlib, or what computes before it is asked: options list the quantities.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from fractions import Fraction

    from derive.drift import AnyDrift
    from derive.pair import Pair
    from numerics.certified.drift import BallFunction

Member: TypeAlias = tuple["Pair", "AnyDrift"]  # what one curve is of
Lines: TypeAlias = Mapping[str, Sequence[float]]  # the first is what the others are drawn over
Evaluate: TypeAlias = Callable[[Member, Sequence["Fraction"], int], Lines]


@dataclass(frozen=True)
class Quantity:
    """What ``draw_curves`` can draw.

    Fields: ``label`` of the axis; ``lines``, from a pair and drift, strengths and the dimension to
    columns of data; ``drawn``, those of them that are drawn; ``scale`` of the axis; ``is_time``, in
    units of time and divergent at singularities; ``is_rate``, in units of its inverse; ``said`` of
    it in a caption, its label by default.
    """

    label: str
    lines: Evaluate
    drawn: tuple[str, ...]
    scale: str = "linear"
    is_time: bool = False
    is_rate: bool = False
    said: str = ""


def _from_curve(*names: str) -> Evaluate:
    def lines(member: Member, strengths: Sequence["Fraction"], dimension: int) -> Lines:
        from numerics.certified.escape import escape_curve

        curve = escape_curve(member[1], strengths)
        known = {"exit_time": curve.exit_time(dimension)}
        return {name: known.get(name) or getattr(curve, name) for name in ("mu", *names)}

    return lines


def _from_function(name: str, build: "Callable[[Pair], BallFunction]") -> Evaluate:
    def lines(member: Member, strengths: Sequence["Fraction"], dimension: int) -> Lines:
        from numerics.certified.balls import nearest_double

        function = build(member[0])
        values = [nearest_double(function, mu) for mu in strengths]
        return {"mu": [float(mu) for mu in strengths], name: values}

    return lines


def _frozen_risk(pair: "Pair") -> "BallFunction":
    from numerics.certified.drift import frozen_risk_function

    return frozen_risk_function(pair)


def _relative_mean(pair: "Pair") -> "BallFunction":
    """The student's mean in units of its root mean square at full strength."""
    from flint import arb
    from sympy import S

    from derive.activation import Activation
    from derive.pair import Pair
    from derive.piecewise import analytic
    from numerics.certified.drift import frozen_risk_function, student_mean_function

    mean = student_mean_function(pair.student)
    half_power = frozen_risk_function(Pair(pair.student, Activation("0", analytic(S.Zero))))
    return lambda mu: mean(mu) / (2 * half_power(arb(1))).sqrt()


QUANTITIES: dict[str, Quantity] = {
    "tau": Quantity(
        r"$\tau$",
        _from_curve("a", "b", "rate", "tau"),
        ("tau",),
        "log",
        is_time=True,
        said=r"Escape time $\tau$",
    ),
    "exit-time": Quantity(
        r"$(\tau/2)\,\log\,d$",
        _from_curve("tau", "exit_time"),
        ("exit_time",),
        "log",
        is_time=True,
        said=r"Time $\frac{1}{2}\tau\log d$ of exit from the search phase",
    ),
    "rate": Quantity(
        r"growth rate $\lambda_+$",
        _from_curve("rate"),
        ("rate",),
        is_rate=True,
        said=r"Growth rate $\lambda_+$ of the search phase",
    ),
    "drift": Quantity(
        r"$a$ (solid), $b$ (dashed)",
        _from_curve("a", "b"),
        ("a", "b"),
        is_rate=True,
        said="Drift coefficients $a$ (solid) and $b$ (dashed)",
    ),
    "frozen-risk": Quantity(
        r"frozen risk $\ell(\mu)$",
        _from_function("risk", _frozen_risk),
        ("risk",),
        "log",
        said=r"Risk $\ell(\mu)$ of the frozen pre-trained model, whose slope is $-a$,",
    ),
    "mean": Quantity(
        r"mean $c_0(\mu^2)/\sqrt{\mathrm{E}[\sigma(z)^2]}$",
        _from_function("relative_mean", _relative_mean),
        ("relative_mean",),
        said=r"Mean $c_0(\mu^2)$ of the student in units of its root mean square at $\mu=1$,",
    ),
}
