"""What an entry of the ledger is, its kinds and their verdicts, the steps these rest on, the list.

Four kinds are kept apart, each with verdicts of its own. A ``claim`` of the paper is ``proved`` by
symbolic derivation, ``certified`` by enclosures, ``supported`` by simulation with its uncertainty,
or ``refuted`` by counter-evidence under every reading that its context allows. An ``assumption`` of
the paper is ``met`` or ``not met``, never refuted. A ``stored curve`` of the authors' code is
``reproduced`` or ``differs``. What the paper does not say is ``beyond the paper``, and ours. All
may be ``undecided``.

An entry is made by decorating its check with the name of its kind and the recorded verdict, as in
``@claim.proved``, and has the check's name; a check that finds another verdict is reported. A check
returns steps: what it computed, and what follows from each. The verdict is read off the steps, so
what is shown is what was decided on.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from html import escape
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from sympy import Expr

from derive.command.frames import frame
from derive.command.hypertext import BADGES, badge
from derive.errors import Undecided, abridged
from derive.registry import Registry
from derive.symbols import exact
from numerics.certified.balls import Bounds, Enclosure
from numerics.claims.signs import is_zero

if TYPE_CHECKING:
    from pandas import DataFrame

T = TypeVar("T")

VERDICTS = {
    "claim": ("proved", "certified", "supported", "refuted", "undecided"),
    "assumption": ("met", "not met", "undecided"),
    "stored curve": ("reproduced", "differs", "undecided"),
    "beyond the paper": ("proved", "certified", "supported", "undecided"),
}
KINDS = tuple(VERDICTS)
# What follows if a step fails: a counter-example where the check is exact or certified.
_OTHERWISE = {
    "proved": "refuted",
    "certified": "refuted",
    "met": "not met",
    "reproduced": "differs",
}
LOST = "[…]"  # where a formula is missing from the copy of the paper that is quoted
CODE = "GibbsNwemadji/When-pre-training-hurts-… at 00f003c"


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

    Arguments:
        text: what the value is.
        value: of the step.
        test: true, false, or ``None`` where it is not known.

    Raises ``Undecided`` if the test gives ``None``: what is not known is not false.
    """
    outcome = test(value)
    if outcome is None:
        raise Undecided(f"{text}: open for {abridged(value)}")
    return Step(text, value, bool(outcome))


def equal(text: str, left: Expr, right: Expr | int) -> Step:
    """A step that holds if two expressions agree identically; their difference is simplified.

    Arguments:
        text: what the step says.
        left: as computed.
        right: as claimed.

    Raises ``Undecided`` if it is neither proved to vanish nor to differ from zero.
    """
    sides = Equation(exact(left), exact(right))
    return Step(text, sides, is_zero(sides.left - sides.right))


def equal_for(text: str, degrees: Iterable[int], sides: Callable[[int], tuple[Expr, Expr]]) -> Step:
    """A step that holds if two expressions agree at every one of these degrees.

    Arguments:
        text: what the step says.
        degrees: all that are compared.
        sides: both, from a degree.
    """
    each = {f"n = {n}": equal("", *sides(n)) for n in degrees}
    return Step(
        text, {n: step.value for n, step in each.items()}, all(s.holds for s in each.values())
    )


@dataclass(frozen=True)
class Equation:
    """Two sides that were compared: ``left``, as computed, and ``right``, as claimed."""

    left: Expr
    right: Expr


class Finding:
    """What a check found: the ``evidence`` in one line; ``details``, the steps."""

    def __init__(self, evidence: str, *details: Step) -> None:
        self.evidence, self.details = evidence, details


@dataclass(frozen=True)
class Outcome:
    """What a check came to.

    Fields: ``verdict``, one of ``VERDICTS``; the ``evidence`` in one line; ``details``, the steps.
    """

    verdict: str
    evidence: str
    details: tuple[Step, ...]


@dataclass(frozen=True, kw_only=True)
class Text:
    """What an entry judges, in words.

    Fields: ``quote``, the paper's sentence word for word, ``[…]`` where our copy of it has lost a
    formula and ``…`` where words are left out; ``reading``, what we take it to say; ``falsifier``,
    what would overturn the verdict; ``units`` that its numbers are in; ``settled_by``, the authors'
    code where that says what a lost formula or the text leaves open.
    """

    quote: str = ""
    reading: str = ""
    falsifier: str = ""
    units: str = ""
    settled_by: str = ""

    @property
    def lost(self) -> bool:
        """Whether a formula is missing from the quoted sentence."""
        return LOST in self.quote


@dataclass(frozen=True)
class Entry:
    """An entry of the ledger.

    Fields: ``kind``, one of ``KINDS``; ``name``; ``place`` in the paper; ``statement`` that the
    check decides; ``recorded`` verdict; ``check``; ``text``, what the paper says and how it is
    read.
    """

    kind: str
    name: str
    place: str
    statement: str
    recorded: str
    check: Callable[[], Finding]
    text: Text = Text()

    def found(self) -> Outcome:
        """Run the check; what stays open is ``undecided``, with the reason."""
        try:
            return decided(self.recorded, self.check())
        except Undecided as error:
            return Outcome("undecided", str(error), (shown("what stays open", str(error)),))


class Ledger(Registry[Entry]):
    """Entries by name; a notebook shows the recorded verdicts, which a check may overturn."""

    def __repr__(self) -> str:
        return f"Ledger({len(self)} entries)"

    def _repr_html_(self) -> str:
        cells = (
            (mark(e.recorded), *map(escape, (e.name, e.place, e.statement))) for e in self.values()
        )
        lines = ("".join(f"<td>{cell}</td>" for cell in row) for row in cells)
        return f"<table><tbody>{''.join(f'<tr>{line}</tr>' for line in lines)}</tbody></table>"

    def to_frame(self) -> "DataFrame":
        """A row an entry: name, kind, place, statement and recorded verdict, for ``pandas``."""
        names = ("name", "kind", "place", "statement", "recorded")
        return frame({name: [getattr(e, name) for e in self.values()] for name in names})


def mark(verdict: str) -> str:
    """The badge of a verdict; those that are no certainty stand as words."""
    return badge(verdict) if verdict in (*BADGES, "supported") else escape(verdict)


CLAIMS = Ledger()
Check: TypeAlias = Callable[[], Finding]


class Kind:
    """A kind of entry, by whose verdicts checks are entered: ``@claim.proved(...)``.

    Arguments:
        name: one of ``KINDS``.
        text: the fields of ``Text`` that all its entries have.
    """

    def __init__(self, name: str, **text: str) -> None:
        self.name, self.text = name, text

    def __getattr__(self, verdict: str) -> Callable[..., Callable[[Check], Check]]:
        """What enters a check with the verdict that it is known to give.

        It takes the place in the paper, the statement and the fields of ``Text``; the entry has the
        name of its check, with hyphens, unless another is given.
        """
        if verdict.startswith("_"):  # asked for by copies, which have no fields yet
            raise AttributeError(verdict)
        recorded = verdict.replace("_", " ")
        if recorded not in VERDICTS[self.name]:
            accepted = ", ".join(each.replace(" ", "_") for each in VERDICTS[self.name])
            raise AttributeError(
                f"{recorded!r} is no verdict on: {self.name}; choose from {accepted}"
            )

        def entered(
            place: str, statement: str, *, name: str = "", **text: str
        ) -> Callable[[Check], Check]:
            def enter(check: Check) -> Check:
                own = name or check.__name__.removeprefix("_").replace("_", "-")
                told = Text(**self.text | text)
                CLAIMS[own] = Entry(self.name, own, place, statement, recorded, check, told)
                return check

            return enter

        return entered


claim = Kind("claim")  # of the paper
assumption = Kind("assumption")  # of the paper, met or not
stored_curve = Kind("stored curve", settled_by=CODE)  # numbers of the authors' code
ours = Kind("beyond the paper")  # ``place`` is where it belongs


def decided(verdict: str, finding: Finding) -> Outcome:
    """A verdict if every judged step holds; what is undecided need not judge any.

    An exact or certified check that fails is a counter-example. A simulation that fails, and a
    refutation whose counter-example fails, leave the statement undecided.
    """
    judgements = [step.holds for step in finding.details if step.holds is not None]
    if not judgements and verdict != "undecided":
        raise ValueError("a check must judge at least one of its steps")
    reached = verdict if all(judgements) else _OTHERWISE.get(verdict, "undecided")
    return Outcome(reached, finding.evidence, finding.details)


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
