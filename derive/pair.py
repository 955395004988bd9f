"""What is learnt: a teacher, a student, its labels, the loss and the misalignment."""

from dataclasses import dataclass
from math import comb

from sympy import Add, Expr, Poly, S, expand, sqrt

from derive.activation import Activation, Kinked
from derive.errors import InputError
from derive.symbols import in_variable, mu, polynomial_in, z

LOSSES = ("square", "correlation")
_MOST_TERMS = 500  # of labels multiplied out
UNCHANGED = Poly(z, z, domain="QQ")
MISALIGNMENTS = {"none": S.Zero, "linear": 1 - mu, "spherical": sqrt(1 - mu**2)}


@dataclass(frozen=True)
class Pair:
    """A teacher, a student and how the student is trained.

    Fields: ``teacher``, ``student``; ``transform``, the polynomial ``T`` applied to the teacher's
    output (a ``Poly`` over the rationals), the identity by default; ``loss``, one of ``LOSSES``;
    ``misalignment`` ν, free of ``z``, 0 for the main model.
    """

    teacher: Activation
    student: Activation
    transform: Poly = UNCHANGED
    loss: str = "square"
    misalignment: Expr = S.Zero

    def __post_init__(self) -> None:
        if self.loss not in LOSSES:
            raise InputError(f"loss {self.loss!r} is not accepted: choose from {', '.join(LOSSES)}")
        object.__setattr__(self, "transform", polynomial_in(self.transform, z))
        object.__setattr__(self, "misalignment", in_variable(self.misalignment, mu))
        _insist_on_few_terms(self.teacher, self.transform.degree())

    @property
    def label(self) -> Kinked:
        """The label as a function of the teacher's pre-activation."""
        value = self.teacher.value
        if value.kink == 0:
            return Kinked(_horner(self.transform, value.smooth))
        # On either side of 0, where sgn is ±1: products of two parts would double at each power.
        right, left = (_horner(self.transform, value.smooth + s * value.kink) for s in (1, -1))
        return Kinked((right + left) / 2, (right - left) / 2)

    @property
    def labelled_teacher(self) -> Activation:
        """The teacher with its labels' transform, as an activation of its own."""
        if self.transform == UNCHANGED:
            return self.teacher
        return Activation(f"labels of {self.teacher.text}", self.label)


def _insist_on_few_terms(teacher: Activation, degree: int) -> None:
    """Polynomials have few whatever their degree; raises ``InputError`` for all others."""
    if degree == 1 or teacher.polynomial is not None:
        return
    sides = (teacher.value.smooth + sign * teacher.value.kink for sign in (1, -1))
    count = max(len(Add.make_args(expand(side))) for side in sides)
    if (terms := comb(count + degree - 1, degree)) > _MOST_TERMS:
        raise InputError(
            f"labels of degree {degree} of {teacher.text[:60]!r} have {terms} terms multiplied "
            f"out: give a lower degree, for at most {_MOST_TERMS}"
        )


def _horner(polynomial: Poly, value: Expr) -> Expr:
    total = S.Zero
    for coefficient in polynomial.all_coeffs():
        total = total * value + coefficient
    return total
