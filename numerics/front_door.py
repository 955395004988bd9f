"""The front door: everything there is to know of a pair, from one object.

``study("relu")`` holds the pair and its drift; its methods call the functions below it, which can
do all of this alone. An array of strengths gives an array of values of its shape.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from sympy import Expr, S

from derive.command.files import write_all
from derive.command.hypertext import box
from derive.command.provenance import versions
from derive.constants import pair_in_constants
from derive.drift import AnyDrift
from derive.errors import InputError
from derive.gaussian import NoClosedForm
from derive.grammar import ActivationLike
from derive.hermite import checked_degree
from derive.kinds import HermiteConvention, Normalization
from derive.labels import MATCHED, LabelsLike
from derive.notation import in_latex, written
from derive.pair import Pair
from derive.pair_drift import drift_of
from derive.tables.names import pair_name
from numerics.certified.escape import EscapeCurve, escape_curve
from numerics.certified.expansion import HermiteExpansion, hermite_expansion
from numerics.certified.singularities import Singularities, find_singularities
from numerics.certified.strengths import Strength, StrengthsLike, strengths_of
from numerics.doubles.arrays import Doubles
from numerics.doubles.landscape import FloatLandscape, float_landscape
from numerics.reported.report import report_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from numerics.dynamics.exit_law import ExitLaw
    from numerics.dynamics.flow import Flow
    from numerics.simulation.budget import Budget
    from numerics.simulation.simulated import SimulatedRuns


@dataclass(frozen=True, repr=False)
class Coefficient:
    """A drift coefficient: a formula where there is one, and a function of the strength.

    Fields: ``expression`` in ``mu``, or ``None`` if there is no closed form; ``unit``. Called on
    numbers, arrays or text it gives doubles, each within one unit in the last place (certified).

    >>> a = study("relu").a
    >>> a.expression, a(0.5), a([0.0, 1.0]).tolist()
    (1/2 - mu/2, 0.25, [0.5, 0.0])
    """

    expression: Expr | None
    unit: str
    values: Callable[[StrengthsLike], tuple[float, ...]] = field(compare=False)

    def __call__(self, mu: StrengthsLike) -> float | Doubles:
        """The coefficient at strengths in [0, 1]. Certified."""
        return _shaped(self.values(mu), mu)

    def _sympy_(self) -> Expr:
        if self.expression is None:
            raise InputError("the coefficient has no closed form: call it on numbers")
        return self.expression

    def __repr__(self) -> str:
        shown = "no closed form" if self.expression is None else written(self.expression)
        return f"Coefficient({shown}, in units of {self.unit})"

    def _repr_latex_(self) -> str | None:
        return None if self.expression is None else f"${in_latex(self.expression)}$"


def _shaped(values: tuple[float, ...], given: StrengthsLike) -> float | Doubles:
    """A number for a number, an array of the same shape for an array."""
    shape = (len(values),) if isinstance(given, str) else np.asarray(given, dtype=object).shape
    return np.array(values).reshape(shape) if shape else values[0]


@dataclass(frozen=True, repr=False)
class Study:
    """A pair with its drift, and what follows from them; times are in units of ``unit``.

    Fields: ``pair``; ``drift``, in the best form there is, as ``drift_of`` gives it.
    """

    pair: Pair
    drift: AnyDrift = field(repr=False)

    def __repr__(self) -> str:
        return f"Study({pair_name(self.pair).plain}, times in units of {self.unit})"

    def _repr_html_(self) -> str:
        named = self.shown_drift._repr_latex_()
        content = f"<p>{escape(named)}</p>" if named else "<p>a and b have no closed form</p>"
        texts = self.pair.texts
        note = ", ".join(f"{name}: {text}" for name, text in texts.items())
        title = f"Search phase of {pair_name(self.pair).plain}, times in units of {self.unit}"
        return box(title, self.drift.certainty, content, note)

    @property
    def unit(self) -> str:
        """The unit of time, such as ``1/γ``."""
        return self.drift.unit

    @cached_property
    def shown_drift(self) -> AnyDrift:
        """The drift as formulas show it, constants of many digits by their names. Exact."""
        named = pair_in_constants(self.pair)
        return self.drift if named == self.pair else drift_of(named)

    @cached_property
    def a(self) -> Coefficient:
        """The coupling :math:`a(\\mu)` of (57). Exact as a formula, certified as numbers."""
        return self._coefficient("a")

    @cached_property
    def b(self) -> Coefficient:
        """The self-coupling :math:`b(\\mu)` of (57). Exact as a formula, certified as numbers."""
        return self._coefficient("b")

    def _coefficient(self, name: str) -> Coefficient:
        try:
            expression = dict(zip("ab", self.drift.expressions, strict=True))[name]
        except NoClosedForm:
            expression = None
        return Coefficient(expression, self.unit, lambda mu: getattr(self.curve(mu), name))

    def tau(self, mu: StrengthsLike) -> float | Doubles:
        """Escape time τ at strengths; ``inf`` where there is no escape (59). Certified."""
        return _shaped(self.curve(mu).tau, mu)

    def curve(self, mu: StrengthsLike) -> EscapeCurve:
        """Drift coefficients, growth rate and escape time at strengths, as ``escape_curve``."""
        return escape_curve(self.drift, mu)

    def singularities(self, digits: int = 30) -> Singularities:
        """Every zero of ``a`` in (0, 1), as ``find_singularities``. Certified."""
        return find_singularities(self.drift, digits)

    @cached_property
    def landscape(self) -> FloatLandscape:
        """The loss over covariance and residual variance, as ``float_landscape``. Heuristic."""
        return float_landscape(self.pair)

    def hermite(
        self, n: int, variance: Expr = S.One, convention: HermiteConvention = "he"
    ) -> tuple[Expr, ...]:
        """Hermite coefficients :math:`c_0, …, c_n` of the student at a variance (30). Exact.

        Arguments:
            n: ≥ 0.
            variance: of the Gaussian.
            convention: ``he``, ``h`` or ``orthonormal`` (``derive.conventions``).

        Raises ``InputError`` for a degree that is none, ``NoClosedForm`` if one has none:
        ``expansion`` has numbers of all.

        >>> study("erf").hermite(1), study("relu").hermite(2, convention="orthonormal")[2]
        ((0, 2*sqrt(3)/(3*sqrt(pi))), 1/(2*sqrt(pi)))
        """
        student, degrees = self.pair.student, range(checked_degree(n) + 1)
        return tuple(student.hermite_coefficient(k, variance, convention) for k in degrees)

    def expansion(self, order: int, **how: Any) -> HermiteExpansion:
        """Hermite coefficients of the student in digits, and the error of stopping there.

        Arguments:
            order: N ≥ 0.
            how: ``variance``, ``convention``, ``digits``, as ``hermite_expansion`` takes them.

        Raises as ``hermite_expansion``. Certified.

        >>> study("tanh").expansion(1, digits=8).coefficients[1].mid
        '0.60570551'
        """
        return hermite_expansion(self.pair.student, order, **how)

    def simulate(
        self, mu: StrengthsLike | None = None, dimension: int = 1000, **how: Any
    ) -> "SimulatedRuns":
        """Simulate one-pass SGD of the pair, exactly in law; times are in units of 1/γ.

        Arguments:
            mu: one pre-training strength.
            dimension: of the input.
            how: the other settings of ``numerics.simulation.design.Simulation``.

        A simulation: it supports, with the uncertainty of its replicas.

        >>> runs = study("relu").simulate(mu=0.5, dimension=10**6, replicas=4, horizon=100)
        >>> runs["m"].shape, runs.censored
        ((4, 40), 4)
        """
        from numerics.simulation.design import Simulation  # numba costs a second
        from numerics.simulation.run import run_simulation

        return run_simulation(Simulation(self.pair, mu, dimension=dimension, **how))

    def flow(
        self, mu: Strength | str, *, scaled_rate: float = 0.0, label_noise: float = 0.0
    ) -> "Flow":
        """The flow of the order parameters in large dimensions; times are in units of 1/γ.

        Arguments:
            mu: pre-training strength in (0, 1].
            scaled_rate: γd/B ≥ 0; 0 is the limit of small steps.
            label_noise: standard deviation of noise on the labels.

        Raises ``InputError`` for values outside their ranges. Heuristic.

        >>> flow = study("relu").flow(0.5, scaled_rate=1.0)
        >>> flow.velocity(0.0, [0.1, 0.2]).round(5).tolist()
        [0.00521, 0.02371]
        """
        from numerics.dynamics.flow import flow_of

        return flow_of(self.pair, mu, scaled_rate=scaled_rate, label_noise=label_noise)

    def exit_law(
        self, mu: StrengthsLike | None = None, dimension: int = 1000, **how: Any
    ) -> "ExitLaw":
        """The law of the exit time of the pair's one-pass SGD; times are in units of 1/γ.

        Arguments:
            mu: one pre-training strength.
            dimension: of the input.
            how: ``learning_rate``, ``batch``, ``noise``, ``scale``, ``scale_u``, ``starts``,
                ``radius``, ``exit_by``, as ``Simulation`` takes them.

        Raises ``InputError`` and ``Undecided`` as ``numerics.dynamics.exit_law``. Heuristic: a
        limit, of large d at a fixed γd.

        >>> law = study("x").exit_law(mu=0.5, dimension=10**4, learning_rate="0.1/d", batch=1)
        >>> round(law.quantile(0.5), 1), law.samples(0.5)
        (21.2, 2123787)
        """
        from numerics.dynamics.exit_law import exit_law
        from numerics.simulation.design import Simulation

        asked = Simulation(self.pair, mu, dimension=dimension, horizon=1, records=0, **how)
        return exit_law(asked.learner, asked.radius, asked.exit_by)

    def budget(
        self, samples: float, mu: StrengthsLike = "0.05:0.95:19", dimension: int = 1000, **how: Any
    ) -> "Budget":
        """What a number of samples buys at each strength, and how far to pre-train.

        Arguments:
            samples: n ≥ 1.
            mu: at least two pre-training strengths.
            dimension: of the input.
            how: ``learning_rate``, ``batch``, ``noise``, ``scale``, ``radius``, as ``Simulation``
                takes them.

        Raises ``InputError`` as ``numerics.simulation.budget``. Heuristic: a limit, of large d.

        >>> budget = study("x").budget(1e5, mu="0.1:0.9:5", learning_rate="0.5/d", batch=1)
        >>> budget.best.mu, budget.stuck
        (0.1, [(0.9, 0.9)])
        """
        from numerics.simulation.budget import budget_of
        from numerics.simulation.design import Simulation

        def learn(strength: Fraction) -> Simulation:
            asked = {"dimension": dimension, "horizon": 1, "records": 0, **how}
            return Simulation(self.pair, strength, **asked)

        return budget_of(samples, self.pair, strengths_of(mu), learn)

    def plot(self, quantity: str = "tau", ax: "Axes | None" = None) -> "Axes":
        """Draw a curve over μ, certified singularities dotted.

        Arguments:
            quantity: one of ``numerics.figures.quantities.QUANTITIES``, such as ``drift``.
            ax: where to draw; a new figure of column width by default.

        Raises ``InputError`` for another quantity.
        """
        from numerics.figures.curves import draw_on  # matplotlib, only for a figure

        return draw_on(ax, [(self.pair, self.drift)], quantity)

    def report(
        self, output: str | Path = "", *, dimension: int = 1000, replicas: int = 200, seed: int = 0
    ) -> str:
        """One HTML page on the pair: verdict, formulas, figures, singularities, samples, a check.

        Arguments:
            output: a file to write it to, too, whole or not at all.
            dimension: of samples and simulation.
            replicas, seed: of the simulation that is put beside the law of the exit time.

        The page needs nothing else, each part says how sure it is, and all times are in units of
        1/γ. Raises ``InputError``
        without the extra ``reproduce`` and for numbers that a simulation does not take, ``OSError``
        if the file cannot be written.
        """
        source = versions(("sympy", "python-flint"))
        html = report_of(self.pair, dimension, replicas, seed, source)
        if output:
            write_all({Path(output): html.encode()})
        return html


def study(
    teacher: ActivationLike | Pair,
    student: ActivationLike | None = None,
    *,
    labels: LabelsLike = MATCHED,
    loss: str = "square",
    misalignment: str | Expr = "none",
    normalization: Normalization = "raw",
) -> Study:
    r"""Study a pair of teacher and student.

    Arguments:
        teacher: an activation, as text, Hermite degree or expression; or a whole ``Pair``.
        student: likewise; the teacher's by default.
        labels: ``matched``, ``squared`` or a function of the teacher's output.
        loss: ``square`` or ``correlation``.
        misalignment: ``none``, ``linear``, ``spherical``, or ν as an expression in ``mu``.
        normalization: ``raw``, times in units of 1/γ; or ``n*n!``, the paper's for pure Hermite
            pairs.

    Raises ``InputError`` for anything else. Source: Sec. 3.1. What each result can be trusted for
    is said where it is computed.

    >>> he3 = study("He3")
    >>> he3.tau(0.5), study("He3", normalization="n*n!").tau(0.5), he3.unit
    (0.5019811489026872, 9.035660680248368, '1/γ')
    >>> [s.mu.mid for s in he3.singularities(digits=8)]
    ['0.32072435']
    """
    how = (student, labels, loss, misalignment)
    if isinstance(teacher, Pair) and how != (None, MATCHED, "square", "none"):
        raise InputError("a pair is whole: give it alone, or its parts instead of it")
    pair = teacher if isinstance(teacher, Pair) else Pair(teacher, *how)
    drift = drift_of(pair)
    if normalization != drift.normalization:
        if normalization == "n*n!" and pair.degree is None:
            raise InputError("normalization n*n! is for pure Hermite pairs: give He3, say, or raw")
        drift = drift.normalized(normalization, pair.degree or 1)
    return Study(pair, drift)
