"""What is found of the ends of runs of a pair at a strength, as data for scripts and figures."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise, product
from typing import Any

from flint import arb, fmpq

from derive.errors import InputError, Undecided
from numerics.certified.balls import fraction
from numerics.certified.rest_points import Placed, SingularLine, placed, singular_lines
from numerics.dynamics.fates import Fate, FateJudge
from numerics.dynamics.judged_labels import LabelJudge

BEST = "best"


@dataclass(frozen=True)
class Question:
    """What is asked of a pair at a strength.

    Fields: ``firsts``, labels of first stages as text, ``best`` for those of ``numerics.labels``;
    ``switches``, overlaps at which they end, in increasing order; ``start``, u and m of one more
    run; ``lines``, values of u on which separatrices are enclosed; ``width`` of enclosures.
    """

    firsts: tuple[str, ...] = ()
    switches: Sequence[Fraction] = ()
    start: tuple[float, float] | None = None
    lines: Sequence[Fraction] = ()
    width: float = 0.02


def fate_record(judge: FateJudge, question: Question) -> dict[str, Any]:
    """Rest points, singularities, ends with one stage and two, enclosures; each says how sure.

    Arguments:
        judge: of the pair at the strength.
        question: what else is asked.

    Raises ``InputError`` for pairs whose rest points are not found. What first stages cannot be
    had, and why, is in ``not_staged``. The record is certified unless one of its ends is heuristic.
    """
    a, b = (float(fraction(each)) for each in judge.flow.search_phase())
    record: dict[str, Any] = {
        **judge.pair.texts,
        "mu": float(judge.mu),
        "a": a,
        "b": b,
        "singularities": [_line(line) for line in singular_lines(judge.flow)],
        "rest_points": [_place(found) for found in placed(judge.flow)],
        "escape": _told(judge, judge.escape()),
    }
    if question.start is not None:
        record["start"] = _told(judge, judge.of_state(*question.start))
    record["separatrices"] = list(_separatrices(judge, question))
    record |= {"stages": [], "borders": [], "not_staged": []}
    for name in dict.fromkeys(question.firsts):
        try:
            labels = _labels(name, judge)
            stages = list(_stages(judge, name, labels, question.switches))
        except Undecided as reason:
            record["not_staged"].append({"first": name, "reason": str(reason)})
            continue
        record["stages"] += stages
        record["borders"] += _borders(judge, stages, question)
    ends = [record["escape"], *record["stages"], *([record["start"]] if question.start else [])]
    sure = all(end["certainty"] != "heuristic" for end in ends)
    return record | {"certainty": "certified" if sure else "heuristic"}


def _line(line: SingularLine) -> dict[str, Any]:
    turn = None if line.turn is None else float(line.turn)
    return {"mu": float(line.rho), "slope_of_a": float(line.slope), "b": float(line.b),
            "attracts_below_overlap": turn}  # fmt: skip


def _place(found: Placed) -> dict[str, Any]:
    names = ("rho", "residual", "u", "m")
    numbers = {name: float(getattr(found, name)) for name in names}
    return {"where": found.where, "stability": found.stability, **numbers,
            "eigenvalues": [float(rate) for rate in found.eigenvalues]}  # fmt: skip


def _told(judge: FateJudge, fate: Fate) -> dict[str, Any]:
    """A fate as data."""
    sink = fate.sink
    told: dict[str, Any] = {
        "end": None if sink is None else judge.name(sink),
        "rho": None if sink is None else float(arb(sink.rho)),
        "certainty": fate.certainty,
    }
    return told | ({"reason": fate.reason} if fate.reason else {})


def _labels(text: str, judge: FateJudge) -> str:
    """Labels of a first stage; the best ones are the best polynomial or, if none is useful, text
    near the best of all."""
    if text != BEST:
        return text
    of = LabelJudge.of(judge.pair)
    best = of.polynomial(judge.mu)
    written = of.written(judge.mu) if best is None else None
    found = best.text if best is not None else written.text if written else None
    if found is None:
        raise Undecided("no labels of that norm are useful: give others to --first")
    return found


def _stages(
    judge: FateJudge, name: str, labels: str, levels: Sequence[Fraction]
) -> Iterator[dict[str, Any]]:
    for level, both in zip(levels, judge.staged(labels, levels), strict=True):
        for flip, fate in zip((False, True), both, strict=True):
            assert fate.state is not None
            yield {"first": name, "labels": labels, "switch": float(level), "flip": flip,
                   "u": fate.state[0], "m": fate.state[1], **_told(judge, fate)}  # fmt: skip


def _ends(low: fmpq, high: fmpq) -> dict[str, float]:
    return {"low": float(fraction(low)), "high": float(fraction(high))}


def _separatrices(judge: FateJudge, question: Question) -> Iterator[dict[str, Any]]:
    """Where lines of one u cross from one basin into another."""
    for u in question.lines:
        for found in judge.crossings(u, question.width):
            below, above = (f"{judge.name(sink)}, m {'>' if sink.m > 0 else '<'} 0"
                            for sink in found.sinks)  # fmt: skip
            yield {"u": float(u), **_ends(found.low, found.high), "below": below, "above": above,
                   "certainty": "certified"}  # fmt: skip


def _borders(
    judge: FateJudge, stages: Sequence[dict[str, Any]], question: Question
) -> Iterator[dict[str, Any]]:
    """Where, between two switches with certified ends apart, the end of one first stage changes."""
    for flip, (k, ends) in product((False, True), enumerate(pairwise(question.switches))):
        one, after = [stage for stage in stages if stage["flip"] == flip][k : k + 2]
        if {one["certainty"], after["certainty"]} != {"certified"} or one["end"] == after["end"]:
            continue
        try:
            found = judge.border(one["labels"], flip, ends, question.width)
        except (Undecided, InputError):
            continue
        below, above = (judge.name(sink) for sink in found.sinks)
        yield {"first": one["first"], "flip": flip, **_ends(found.low, found.high),
               "below": below, "above": above, "certainty": "certified"}  # fmt: skip
