r"""Labels judged: drift, escape time, noise and samples of raw, squared and the best labels.

What a run costs is its exit time over its learning rate. The rate taken is the largest at which
noise slows the growth at the exit by a tenth (``finite_rate`` of ``numerics.dynamics.exit_law``),

.. math:: \gamma d = 0.1\, \frac{2\lambda}{R^2 v_u^2 N}, \qquad
    v_u^2 = \frac{\lambda}{2\lambda - b}, \qquad \text{samples} = \frac{\log d}{2\lambda\gamma},

with N = E(T - σ)²σ'² and a batch of 1. Rates are certified, noise and samples heuristic.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from math import inf, isfinite, log, nextafter
from typing import Any, Literal, TypeVar

import numpy as np
from flint import arb, ctx, fmpq
from scipy.optimize import minimize_scalar
from sympy import Rational

from derive.errors import InputError, Undecided
from derive.pair import Pair, PairLike
from derive.transforms import none_has_positive_a
from numerics.certified.best_labels import Angles, BestLabels, Plane, best_labels
from numerics.certified.drift import growth_rate
from numerics.certified.label_planes import BITS, LabelPlanes
from numerics.doubles.arrays import Doubles
from numerics.doubles.fibres import FibreRule, fibre_rule, label_noise
from numerics.doubles.transforms import (
    WrittenLabels,
    conditional_arrays,
    polynomial_as_text,
    written_labels,
)
from numerics.dynamics.kinds import EXIT_RADIUS

Norm = Literal["raw", "squared"]
Objective = Literal["rate", "samples"]
T = TypeVar("T")
_SLOWED = 0.1  # of the growth that noise may take
_POINTS = 41  # of a transform as data
_ANGLES = 200  # among which the fewest samples are looked for


@dataclass(frozen=True)
class JudgedLabels:
    """What labels do.

    Fields: ``a``, ``b``; ``norm`` E T²; ``tau`` in units of 1/γ, ``inf`` without an escape, and
    ``tau_lower``, ``tau_upper``, between which the least τ of all such labels lies, ``None`` where
    they are not the best of any; ``noise`` E(T - σ)²σ'²; ``learning_rate`` and ``samples`` of a
    run; ``text``, as ``--labels`` takes it, ``None`` for what is not written; ``values``, T at
    outputs; ``attained``, ``False`` where labels only come as close to all this as is wished.
    Certified, but for the noise and what follows from it.
    """

    a: float
    b: float
    norm: float
    tau: float
    noise: float
    learning_rate: float
    samples: float
    text: str | None
    values: Doubles
    tau_lower: float | None = None
    tau_upper: float | None = None
    attained: bool = True

    @property
    def towards_teacher(self) -> bool:
        """Whether the student grows towards the teacher."""
        return self.a > 0


@dataclass(frozen=True)
class LabelJudge:
    """Who judges labels of a pair.

    Fields: ``pair``, of which labels do not matter; ``degree`` of polynomials; ``norm``, of which
    labels the best ones have the norm; ``useful``, whether they are to have a > 0 and b ≤ 0;
    ``objective``, what is best; ``dimension``, for the samples.
    """

    pair: Pair
    degree: int = 5
    norm: Norm = "raw"
    useful: bool = True
    objective: Objective = "rate"
    dimension: int = 10**4

    @classmethod
    def of(cls, pair: PairLike, **how: Any) -> "LabelJudge":
        """The judge of a pair as people give it; raises ``InputError`` for what is not judged.

        >>> best = LabelJudge.of("erf").optimum(Fraction(4, 5))
        >>> round(best.tau, 1), best.towards_teacher
        (215.6, True)
        """
        given = Pair.of(pair)
        if given.misalignment != 0 or given.loss != "square":
            raise InputError("labels are judged for the square loss and no misalignment")
        return cls(given, **how)

    @cached_property
    def _planes(self) -> LabelPlanes:
        return LabelPlanes(self.pair, self.degree)

    @cached_property
    def _finer(self) -> LabelPlanes:
        """The same for enclosures at twice the precision."""
        return LabelPlanes(self.pair, self.degree)

    def _settled(self, mu: Fraction, ask: Callable[[LabelPlanes], T]) -> T | None:
        """An answer at a precision that settles it; ``None`` if no labels are useful, proved."""
        with ctx.workprec(BITS):
            try:
                return ask(self._planes)
            except Undecided:
                strength, power = Rational(mu.numerator, mu.denominator), self._power
                if self.useful and none_has_positive_a(self.pair, power, strength):
                    return None
        with ctx.workprec(2 * BITS):
            return ask(self._finer)

    def rule(self, mu: Fraction) -> FibreRule:
        """The rule for means over outputs at a strength."""
        cuts = tuple(float(p) / float(mu) for p in self.pair.student.value.breaks)
        if cuts not in self._rules:
            with ctx.workprec(BITS):
                teacher, student = self.pair.teacher, self.pair.student
                self._rules[cuts] = fibre_rule(teacher, self._planes.fibres, cuts, student)
        return self._rules[cuts]

    @cached_property
    def _rules(self) -> dict[tuple[float, ...], FibreRule]:
        return {}

    @property
    def _power(self) -> int:
        return 1 if self.norm == "raw" else 2

    def power(self, exponent: int, mu: Fraction) -> JudgedLabels:
        """The labels y, or y² for the exponent 2."""
        strength = fmpq(mu.numerator, mu.denominator)
        with ctx.workprec(BITS):
            a, b = self._planes.power_labels(exponent, strength)
            text = "matched" if exponent == 1 else "squared"
            values = self.rule(mu).outputs ** exponent
            return self._judged(mu, (a, b), self._planes.norm(exponent), values, text)

    def polynomial(self, mu: Fraction) -> JudgedLabels | None:
        """The best polynomial of the degree and the norm, ``None`` if none is useful."""
        return self._settled(mu, lambda planes: self._of_polynomials(mu, planes))

    def _of_polynomials(self, mu: Fraction, planes: LabelPlanes) -> JudgedLabels | None:
        plane, columns = planes.of_polynomials(fmpq(mu.numerator, mu.denominator))
        norm = planes.norm(self._power)
        powers = self.rule(mu).outputs ** np.arange(self.degree + 1)[:, None]
        means = [np.array([float(each[k]) for each in columns]) @ powers for k in (0, 1)]
        best = self._best(plane, norm, mu, (means[0], means[1]))
        if best is None:
            return None
        x, y = plane.mixture(norm, best.cosine, best.sine)
        factors = [float(x * one + y * two) for one, two in columns]
        return self._of_best(
            mu, best, norm, np.array(factors) @ powers, polynomial_as_text(factors)
        )

    def optimum(self, mu: Fraction) -> JudgedLabels | None:
        """The best of all transforms of the norm, ``None`` if none is useful."""
        return self._settled(mu, lambda planes: self._of_all(mu, planes))

    def _of_all(self, mu: Fraction, planes: LabelPlanes) -> JudgedLabels | None:
        (plane, means), norm = self._whole(mu, planes), planes.norm(self._power)
        best = self._best(plane, norm, mu, means)
        if best is None:
            return None
        x, y = plane.mixture(norm, best.cosine, best.sine)
        return self._of_best(mu, best, norm, float(x) * means[0] + float(y) * means[1], None)

    def written(self, mu: Fraction) -> WrittenLabels | None:
        """Labels as text, near the best ones in rate; ``None`` where those are not attained, and
        if none is useful."""
        return self._settled(mu, lambda planes: self._of_text(mu, planes))

    def _of_text(self, mu: Fraction, planes: LabelPlanes) -> WrittenLabels | None:
        plane, means = self._whole(mu, planes)
        if plane.free:
            return None
        norm = planes.norm(self._power)
        return written_labels(self.rule(mu), means, plane, norm, self.useful)

    def _whole(self, mu: Fraction, planes: LabelPlanes) -> tuple[Plane, tuple[Doubles, Doubles]]:
        plane = planes.of_all(fmpq(mu.numerator, mu.denominator))
        return plane, conditional_arrays(self.pair, self.rule(mu), float(mu))

    def _best(
        self, plane: Plane, norm: arb, mu: Fraction, means: tuple[Doubles, Doubles]
    ) -> BestLabels | None:
        if self.objective == "rate":
            return best_labels(plane, norm, self.useful)
        angles = Angles(plane.ellipse(norm), self.useful)
        if not angles.possible:
            return None

        def cost(t: float) -> float:
            there = angles.labels(fmpq(*float(t).as_integer_ratio()))
            x, y = (float(f) for f in plane.mixture(norm, there.cosine, there.sine))
            noise = label_noise(self.pair, self.rule(mu), x * means[0] + y * means[1], float(mu))
            return _samples(float(there.lower), float(there.b), noise, self.dimension)

        places = np.linspace(0, 1, _ANGLES + 1)
        place = int(np.argmin([cost(t) for t in places]))
        around = places[max(place - 1, 0)], places[min(place + 1, _ANGLES)]
        found = float(minimize_scalar(cost, bounds=around, method="bounded").x)
        best = min((found, float(places[place])), key=cost)
        return angles.labels(fmpq(*best.as_integer_ratio()))

    def _of_best(
        self, mu: Fraction, best: BestLabels, norm: arb, values: Doubles, text: str | None
    ) -> JudgedLabels:
        times = (1 / best.upper).lower(), (1 / best.lower).upper()
        bounds = (nextafter(float(times[0]), 0), nextafter(float(times[1]), inf))
        found = self._judged(mu, (best.a, best.b), norm, values, text, bounds)
        return found if best.attained else replace(found, attained=False)

    def _judged(
        self,
        mu: Fraction,
        drift: tuple[arb, arb],
        norm: arb,
        values: Doubles,
        text: str | None,
        bounds: tuple[float | None, float | None] = (None, None),
    ) -> JudgedLabels:
        a, b = drift
        rate = float(growth_rate(b, a * a).mid())
        noise = label_noise(self.pair, self.rule(mu), values, float(mu))
        rates = (rate, float(b), noise)
        return JudgedLabels(
            a=float(a),
            b=float(b),
            norm=float(norm),
            tau=1 / rate if rate > 0 else inf,
            noise=noise,
            learning_rate=_learning_rate(*rates) / self.dimension,
            samples=_samples(*rates, self.dimension),
            text=text,
            values=values,
            tau_lower=bounds[0],
            tau_upper=bounds[1],
        )


def _learning_rate(rate: float, b: float, noise: float) -> float:
    """γd at which noise slows the growth at the exit by ``_SLOWED`` of it."""
    return 2 * _SLOWED * (2 * rate - b) / (EXIT_RADIUS**2 * noise) if noise > 0 else inf


def _samples(rate: float, b: float, noise: float, dimension: int) -> float:
    """Samples of a run at that learning rate, to leading order."""
    speed = rate * _learning_rate(rate, b, noise) / dimension
    return log(dimension) / (2 * speed) if speed > 0 else inf


@dataclass(frozen=True)
class Judged:
    """What was found for a pair at a strength.

    Fields: ``judge``; ``mu``; ``found``, of ``raw``, ``squared``, ``polynomial`` and ``optimum``,
    ``None`` where none is useful;
    ``written``, text near the optimum and the share of its rate; ``undecided``, why, if so.
    """

    judge: LabelJudge
    mu: Fraction
    found: dict[str, JudgedLabels | None]
    written: tuple[str, float] | None
    undecided: str | None

    @property
    def record(self) -> dict[str, Any]:
        """The same as data."""
        pair, judge = self.judge.pair, self.judge
        record: dict[str, Any] = {
            **pair.texts,
            "mu": float(self.mu),
            "polynomial_degree": judge.degree,
            "norm": judge.norm,
            "useful": judge.useful,
            "objective": judge.objective,
            "dimension": judge.dimension,
        }
        record |= {name: self._described(name, labels) for name, labels in self.found.items()}
        if record["optimum"] and self.written:
            text, kept = self.written
            record["optimum"] |= {"labels": text, "labels_keep": kept}
        return record | ({"undecided": self.undecided} if self.undecided else {})

    def _described(self, name: str, labels: JudgedLabels | None) -> dict[str, Any] | None:
        if labels is None:
            return None
        numbers = ("a", "b", "norm", "tau", "noise", "learning_rate", "samples")
        described: dict[str, Any] = {
            key: value if isfinite(value := getattr(labels, key)) else None for key in numbers
        }
        described |= {"towards_teacher": labels.towards_teacher, "labels": labels.text}
        if name in ("polynomial", "optimum"):
            described |= {"tau_lower": labels.tau_lower, "tau_upper": labels.tau_upper}
            described |= {"attained": labels.attained}
            described["transform"] = self.transform(labels)
        return described

    def transform(self, labels: JudgedLabels) -> dict[str, list[float]]:
        """T at outputs that are even in probability, apart from the last ones of each side."""
        rule = self.judge.rule(self.mu)
        order = np.argsort(rule.outputs)
        share = np.cumsum(rule.masses[order]) - rule.masses[order] / 2
        wanted = (1 - np.cos(np.pi * (np.arange(_POINTS) + 0.5) / _POINTS)) / 2
        places = order[np.minimum(np.searchsorted(share, wanted), len(order) - 1)]
        return {"y": rule.outputs[places].tolist(), "value": labels.values[places].tolist()}


def judged(judge: LabelJudge, mu: Fraction, write: bool) -> Judged:
    """Raw, squared and the best labels of a pair at a strength.

    Arguments:
        judge: of the pair, with what is asked for.
        mu: strength in (0, 1].
        write: whether the optimum is also written as text.

    Raises ``InputError`` for pairs that are not judged. Certified, but for noise and samples.
    """
    found: dict[str, JudgedLabels | None] = {
        "raw": judge.power(1, mu), "squared": judge.power(2, mu),
        "polynomial": None, "optimum": None,
    }  # fmt: skip
    written, undecided = None, None
    try:
        found["polynomial"] = judge.polynomial(mu)
        found["optimum"] = judge.optimum(mu)
        if write and found["optimum"] is not None:
            near = judge.written(mu)
            written = (near.text, near.kept) if near else None
    except Undecided as reason:
        undecided = str(reason)
    return Judged(judge, mu, found, written, undecided)
