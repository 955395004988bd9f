"""What is learnt: a teacher, a student, its labels, the loss and the misalignment."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import comb
from typing import TypeAlias

from sympy import Add, Expr, Poly, S, expand, sqrt

from derive.activation import Activation, HermiteActivation
from derive.errors import InputError, quoted
from derive.grammar import ActivationLike, parse_activation
from derive.growth import insist_on_finite_risk
from derive.kinds import LOSSES, Loss
from derive.labels import MATCHED, Labels, LabelsLike
from derive.piecewise import PiecewiseAnalytic
from derive.symbols import in_variable, mu

_MOST_TERMS = 500  # of labels multiplied out
MISALIGNMENTS: Mapping[str, Expr] = {
    "none": S.Zero,
    "linear": 1 - mu,
    "spherical": sqrt(1 - mu**2),
}


@dataclass(frozen=True, init=False)
class Pair:
    """A teacher, a student and how the student is trained: what is learnt.

    Fields: ``teacher``, ``student``; ``labels``, the function of the teacher's output that the
    student is shown; ``loss``, one of ``LOSSES``; ``misalignment`` ν, an expression in ``mu``, 0
    for the main model. Exact.

    >>> Pair("relu").texts["student"], Pair("He3", "tanh", labels="y**2").labels.text
    ('relu', 'squared')
    """

    teacher: Activation
    student: Activation
    labels: Labels
    loss: Loss
    misalignment: Expr

    def __init__(
        self,
        teacher: ActivationLike,
        student: ActivationLike | None = None,
        labels: LabelsLike = MATCHED,
        loss: str = "square",
        misalignment: str | Expr = "none",
    ) -> None:
        """The pair of what people give.

        Arguments:
            teacher: an activation, as ``parse_activation`` takes it.
            student: likewise; the teacher's by default, a matched pair.
            labels: ``matched``, ``squared``, or a function of the teacher's output, as ``tanh(y)``.
            loss: ``square`` or ``correlation``.
            misalignment: ``none``, ``linear`` (1 - μ), ``spherical`` (√(1 - μ²)), or ν itself.

        Raises ``InputError`` for anything else, and for labels whose mean square is infinite.
        """
        if loss not in LOSSES:
            raise InputError(
                f"loss {quoted(loss)} is not accepted: choose from {', '.join(LOSSES)}"
            )
        if isinstance(misalignment, str) and misalignment not in MISALIGNMENTS:
            raise InputError(
                f"misalignment {quoted(misalignment)} is not accepted: choose from "
                f"{', '.join(MISALIGNMENTS)}, or give an expression in mu"
            )
        known = parse_activation(teacher)
        nu = MISALIGNMENTS[misalignment] if isinstance(misalignment, str) else misalignment
        fields = {
            "teacher": known,
            "student": known if student is None else parse_activation(student),
            "labels": Labels.of(labels),
            "loss": loss,
            "misalignment": in_variable(nu, mu),
        }
        for name, value in fields.items():
            object.__setattr__(self, name, value)
        _insist_on_few_terms(self.teacher, self.labels.degree)
        if self.labels.polynomial is None or not isinstance(self.teacher, HermiteActivation):
            insist_on_finite_risk(self.label, f"{self.labels.text} labels of {self.teacher.text}")

    @classmethod
    def of(cls, given: "PairLike") -> "Pair":
        """The pair itself, or the matched pair of an activation as people give it.

        >>> Pair.of("relu") == Pair.of(Pair("relu"))
        True
        """
        return given if isinstance(given, Pair) else cls(given)

    @property
    def texts(self) -> dict[str, str]:
        """The fields as text, by which commands and stored results know the pair."""
        names = (name for name, nu in MISALIGNMENTS.items() if nu == self.misalignment)
        return {
            "teacher": self.teacher.text,
            "student": self.student.text,
            "labels": self.labels.text,
            "loss": self.loss,
            "misalignment": next(names, str(self.misalignment)),
        }

    @property
    def degree(self) -> int | None:
        """Degree of a matched pair that is written as a pure Hermite polynomial, else ``None``."""
        written = re.fullmatch(r"He(\d+)", self.student.text)
        return int(written[1]) if written and self.teacher == self.student else None

    @property
    def is_plain(self) -> bool:
        """Whether the student is the teacher, the loss square and pre-training aligned."""
        return self.teacher == self.student and self.loss == "square" and self.misalignment == 0

    @cached_property
    def label(self) -> PiecewiseAnalytic:
        """The label as a function of the teacher's pre-activation."""
        return self.labels.of_output(self.teacher.value)

    @cached_property
    def polynomials(self) -> tuple[Poly, Poly] | None:
        """Label and student as polynomials in ``z``, or ``None`` if one of them is none."""
        teacher, transform = self.teacher.polynomial, self.labels.polynomial
        student = self.student.polynomial
        if teacher is None or transform is None or student is None:
            return None
        return transform.compose(teacher), student

    @property
    def labelled_teacher(self) -> Activation:
        """The teacher with its labels, as an activation of its own."""
        if self.labels == MATCHED:
            return self.teacher
        return Activation(f"labels of {self.teacher.text}", self.label)


PairLike: TypeAlias = Pair | ActivationLike


def _insist_on_few_terms(teacher: Activation, degree: int | None) -> None:
    """Polynomials have few whatever their degree; raises ``InputError`` for all others."""
    if degree is None or degree == 1 or isinstance(teacher, HermiteActivation):
        return
    if teacher.polynomial is not None:
        return
    count = max(len(Add.make_args(expand(piece))) for piece in teacher.value.pieces)
    if (terms := comb(count + degree - 1, degree)) > _MOST_TERMS:
        raise InputError(
            f"labels of degree {degree} of {quoted(teacher.text)} have {terms} terms multiplied "
            f"out: give a lower degree, for at most {_MOST_TERMS}"
        )
