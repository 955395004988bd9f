"""What a claim is, the kinds of verdict, the steps they rest on, and the list of all claims.

The verdicts are never mixed up: ``proved`` by symbolic derivation, ``certified`` by enclosures,
``supported`` by simulation with its uncertainty, ``refuted`` by counter-evidence, ``undecided``. A
claim is entered by decorating its check with ``@claim``; the verdict given there is the recorded
one, and a check that finds another is reported. A check returns steps: what it computed, and what
follows from each. The verdict is read off the steps, so what is shown is what was decided on.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, TypeVar

from sympy import Expr, Rational, expand, numer, simplify, together

from derive.drift import LeadingTerm
from derive.errors import Undecided
from derive.registry import Registry
from derive.symbols import exact
from numerics.certified.balls import Bounds, Enclosure

T = TypeVar("T")

VERDICTS = ("proved", "certified", "supported", "refuted", "undecided")


@dataclass(frozen=True)
class Step:
    """One step of a check: ``text`` says what was computed, ``value`` holds it.

    ``value`` is a SymPy expression, an enclosure, a number, text, or a tuple, mapping or dataclass
    of these. ``holds`` is what follows from it for the claim; ``None`` if it is only shown.
    """

    text: str
    value: Any
    holds: bool | None = None


def shown(text: str, value: object) -> Step:
    """A step that the verdict does not depend on: parameters, a formula on the way."""
    return Step(text, value)


def judged(text: str, value: T, test: Callable[[T], object]) -> Step:
    """A step whose value must pass a test.

    Raises ``Undecided`` if the test gives ``None``: what is not known is not false.
    """
    outcome = test(value)
    if outcome is None:
        raise Undecided(f"{text}: open for {str(value)[:60]}")
    return Step(text, value, bool(outcome))


def positive(value: Expr | Enclosure | LeadingTerm) -> bool | None:
    """Whether an expression, an enclosed number or a leading term is positive; ``None`` if open."""
    if isinstance(value, LeadingTerm):
        return positive(value.coefficient)
    if isinstance(value, Enclosure):
        ball = value.ball()
        return True if ball > 0 else False if ball <= 0 else None
    known: bool | None = value.is_positive
    return known


def negative(value: Expr | Enclosure | LeadingTerm) -> bool | None:
    """Whether an expression, an enclosed number or a leading term is negative; ``None`` if open."""
    if isinstance(value, LeadingTerm):
        return negative(value.coefficient)
    if isinstance(value, Enclosure):
        ball = value.ball()
        return True if ball < 0 else False if ball >= 0 else None
    known: bool | None = value.is_negative
    return known


def equal(text: str, left: Expr, right: Expr | int) -> Step:
    """A step that holds if two expressions agree identically; their difference is simplified.

    Raises ``Undecided`` if it is neither proved to vanish nor to differ from zero.
    """
    sides = Equation(exact(left), exact(right))
    return Step(text, sides, is_zero(sides.left - sides.right))


@dataclass(frozen=True)
class Equation:
    """Two sides that were compared: ``left``, as computed, and ``right``, as claimed."""

    left: Expr
    right: Expr


@dataclass(frozen=True)
class Finding:
    """What a check found.

    Fields: ``verdict``, one of ``VERDICTS``; the ``evidence`` in one line; ``details``, the steps.
    """

    verdict: str
    evidence: str
    details: tuple[Step, ...] = ()


@dataclass(frozen=True)
class Claim:
    """A claim of the paper.

    Fields: ``name``; ``place`` in the paper; ``statement``; ``recorded`` verdict; ``check``.
    """

    name: str
    place: str
    statement: str
    recorded: str
    check: Callable[[], Finding]

    def found(self) -> Finding:
        """Run the check; what stays open is ``undecided``, with the reason."""
        try:
            return self.check()
        except Undecided as error:
            return Finding("undecided", str(error), (shown("what stays open", str(error)),))


CLAIMS: Registry[Claim] = Registry()


def claim(
    name: str, place: str, statement: str, recorded: str
) -> Callable[[Callable[[], Finding]], Callable[[], Finding]]:
    """Enter a check into the ledger under a new name, with the verdict it is known to give."""

    def enter(check: Callable[[], Finding]) -> Callable[[], Finding]:
        CLAIMS[name] = Claim(name, place, statement, recorded, check)
        return check

    return enter


def decided(verdict: str, evidence: str, *steps: Step) -> Finding:
    """A verdict of the given kind if every judged step holds.

    An exact or certified check that fails is a counter-example; a simulation that fails leaves the
    statement undecided.
    """
    otherwise = "undecided" if verdict == "supported" else "refuted"
    return Finding(verdict if _all_hold(steps) else otherwise, evidence, steps)


def refuted_if(evidence: str, *steps: Step) -> Finding:
    """A refutation if every judged step of the counter-example holds; else nothing is proved."""
    return Finding("refuted" if _all_hold(steps) else "undecided", evidence, steps)


def _all_hold(steps: tuple[Step, ...]) -> bool:
    judgements = [step.holds for step in steps if step.holds is not None]
    if not judgements:
        raise ValueError("a check must judge at least one of its steps")
    return all(judgements)


def leaves(value: object) -> Iterator[object]:
    """The expressions, enclosures, numbers and texts that a step's value is made of."""
    if isinstance(value, dict):
        value = tuple(value.values())
    if is_dataclass(value) and not isinstance(value, Enclosure | Bounds):
        value = tuple(getattr(value, field.name) for field in fields(value))
    if isinstance(value, (tuple, list)):
        for part in value:
            yield from leaves(part)
    else:
        yield value


def is_zero(expression: Expr) -> bool:
    """Whether an expression vanishes identically: proved, or refuted at a rational point.

    Raises ``Undecided`` if neither succeeds.
    """
    if expand(numer(together(expression))) == 0 or simplify(expression) == 0:
        return True
    symbols = sorted(expression.free_symbols, key=str)
    point = {symbol: Rational(2 * k + 3, 3 * k + 7) for k, symbol in enumerate(symbols)}
    value = expression.subs(point).evalf(40)
    if value.is_number and abs(value) > Rational(1, 10**20):
        return False
    raise Undecided(f"whether {str(expression)[:60]} vanishes is neither proved nor refuted")
