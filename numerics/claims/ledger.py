"""What a claim is, the kinds of verdict, and the list of all claims.

The verdicts are never mixed up: ``proved`` by symbolic derivation, ``certified`` by enclosures,
``supported`` by simulation with its uncertainty, ``refuted`` by counter-evidence, ``undecided``. A
claim is entered by decorating its check with ``@claim``; the verdict given there is the recorded
one, and a check that finds another is reported.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sympy import Expr, Rational, expand, numer, simplify, together

from derive.errors import Undecided

VERDICTS = ("proved", "certified", "supported", "refuted", "undecided")


@dataclass(frozen=True)
class Finding:
    """What a check found: ``verdict``, one of ``VERDICTS``, and the ``evidence`` in one line."""

    verdict: str
    evidence: str


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


CLAIMS: dict[str, Claim] = {}


def claim(
    name: str, place: str, statement: str, recorded: str
) -> Callable[[Callable[[], Finding]], Callable[[], Finding]]:
    """Enter a check into the ledger under a name, with the verdict it is known to give."""

    def enter(check: Callable[[], Finding]) -> Callable[[], Finding]:
        CLAIMS[name] = Claim(name, place, statement, recorded, check)
        return check

    return enter


def decided(verdict: str, holds: bool, evidence: str) -> Finding:
    """A verdict of the given kind if the statement holds.

    An exact or certified check that fails is a counter-example; a simulation that fails leaves the
    statement undecided.
    """
    otherwise = "undecided" if verdict == "supported" else "refuted"
    return Finding(verdict if holds else otherwise, evidence)


def refuted_if(found: bool, evidence: str) -> Finding:
    """A refutation if there is counter-evidence; finding none proves nothing."""
    return Finding("refuted" if found else "undecided", evidence)


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
