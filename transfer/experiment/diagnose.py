"""``python -m transfer diagnose``: how a checkpoint lies to the theory; no prediction.

Intervals are Student's t over draws that share no image. Where one does not tell a quantity from
zero, or where b depends on the step of its differences, it is not resolved, and not given.
"""

from argparse import Namespace
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from derive.command.progress import progress
from derive.command.prose import prose
from derive.command.report import Report
from derive.command.tabular import Table, Typeset
from derive.errors import InputError, abridged
from transfer.experiment.candidates import Candidates, candidates_of
from transfer.experiment.records import Adaptation
from transfer.experiment.report import MAIN
from transfer.experiment.statistics import Difference, paired
from transfer.images.subsets import disjoint_parts

if TYPE_CHECKING:
    from transfer.learning.diagnosis import Diagnosis

Floats = NDArray[np.float64]
_QUANTITIES = ("a", "b", "rate", "noise_scale")
_COLUMNS = ("checkpoint", "matrix", "a", "b", prose("λ"), "noise scale")
_NOTES = (
    "Of an update u p v' of a matrix, v a random unit row of A: a is the size of the mean "
    "gradient, b = -d²L/du², λ = (b + √(b² + 4a²))/2 the fastest rate of gradient flow near its "
    "start, in units of 1/γ; noise scale: variance of an image's gradient over a², in images. At a "
    "converged head, on images that it has not seen.",
    "A diagnostic, not a prediction of how well a checkpoint adapts. It says nothing of epochs, "
    "nor of AdamW. n.r.: not resolved.",
)


@dataclass(frozen=True)
class Quantity:
    """A ``mean`` with an interval from ``low`` to ``high``, and whether it is ``resolved``."""

    mean: float
    low: float
    high: float
    resolved: bool


def size_of(squares: Floats) -> Quantity:
    """a of unbiased estimates of its square, one a draw; resolved if that is clearly above zero.

    >>> size_of(np.array([0.24, 0.25, 0.26])).resolved, size_of(np.array([-1.0, 1.0, 0.1])).resolved
    (True, False)
    """
    found = paired(squares)
    mean, low, high = (max(value, 0.0) ** 0.5 for value in (found.mean, found.low, found.high))
    return Quantity(mean, low, high, bool(found.low > 0))


def curvature_of(curvatures: Floats, changes: Floats) -> Quantity:
    """b of one estimate a draw; resolved if it is not zero and depends little on the step."""
    found = paired(curvatures)
    steady = abs(float(changes.mean())) <= abs(found.mean) / 2
    return Quantity(*_interval(found), bool((found.positive or found.negative) and steady))


def rate_of(squares: Floats, curvatures: Floats, resolved: bool) -> Quantity:
    """λ of the mean a² and b, by the jackknife over draws; resolved if a and b are.

    Arguments:
        squares: a², one a draw.
        curvatures: b, likewise.
        resolved: whether a and b are.
    """
    from transfer.learning.linearised import rate

    def of(keep: NDArray[np.bool_]) -> float:
        return rate(max(float(squares[keep].mean()), 0.0), float(curvatures[keep].mean()))

    count = len(squares)
    whole = of(np.ones(count, dtype=bool))
    left_out = np.array([of(np.arange(count) != place) for place in range(count)])
    found = paired(count * whole - (count - 1) * left_out)
    half = found.high - found.mean
    return Quantity(whole, whole - half, whole + half, resolved and bool(whole - half > 0))


def noise_of(variances: Floats, squares: Floats, size: Quantity) -> Quantity:
    """Variance over a², in images, by the ends of a² alone.

    Arguments:
        variances: of the gradient, one a draw.
        squares: a², likewise.
        size: a, with its interval.
    """
    mean = float(variances.mean())
    ends = [mean / square if square else np.inf for square in (size.high**2, size.low**2)]
    middle = mean / float(squares.mean()) if squares.mean() > 0 else np.inf
    return Quantity(middle, ends[0], ends[1], size.resolved)


def _interval(found: Difference) -> tuple[float, float, float]:
    return found.mean, found.low, found.high


def diagnose_checkpoints(options: Namespace) -> Report:
    """Each checkpoint asked for, matrix by matrix."""
    from transfer.learning.diagnosis import diagnose_model

    found = candidates_of(options)
    each = [c for c in found.each if options.checkpoint in (None, c.step)]
    if not each:
        steps = sorted({candidate.step for candidate in found.each})
        known = abridged(", ".join(map(str, steps)), 200)
        raise InputError(f"--checkpoint {options.checkpoint} is none of {known}")
    main: Adaptation | None = found.task.arms[MAIN] if found.task else None
    rank, targets = (main.rank, main.targets) if main else (4, ("query", "value"))
    parts = disjoint_parts(found.images.train.labels, found.shots, options.draws, options.seed)
    records: list[dict[str, Any]] = []
    rows: list[tuple[Any, ...]] = []
    for candidate in progress(each, "checkpoints"):
        one = diagnose_model(
            candidate.load(), found.training, parts, found.images.classes,
            rank=rank, targets=targets, seed=options.seed,
        )  # fmt: skip
        own = _records(one)
        records.append({"run": candidate.run, found.unit: candidate.step, "matrices": own,
                        "fall": _fall(one)})  # fmt: skip
        rows += [(found.name(candidate), each["matrix"], *(_shown(each[q]) for q in _QUANTITIES))
                 for each in own]  # fmt: skip
    counts = f"{len(parts)} draws of head, A and images, none of which they share"
    notes = (*(prose(note) for note in _NOTES), prose(f"[...]: 95 % intervals over {counts}."))
    table = Table("diagnose", prose(f"{found.title}: LoRA near its start"), _COLUMNS,
                  tuple(rows), notes)  # fmt: skip
    lines = [
        {"run": record["run"], found.unit: record[found.unit], **_flat(matrix)}
        for record in records for matrix in record["matrices"]
    ]  # fmt: skip
    return Report(records, [table, _falls(found, each, records)], "heuristic", lines, of=found.of)


def _records(one: "Diagnosis") -> list[dict[str, Any]]:
    found = []
    for place, name in enumerate(one.matrices):
        squares, curvatures = one.square[:, place], one.b[:, place]
        size, bend = size_of(squares), curvature_of(curvatures, one.change[:, place])
        rate = rate_of(squares, curvatures, size.resolved and bend.resolved)
        noise = noise_of(one.variance[:, place], squares, size)
        parts = zip(_QUANTITIES, (size, bend, rate, noise), strict=True)
        told = {key: asdict(part) for key, part in parts}
        each = {"a_squared_each": squares.tolist(), "b_each": curvatures.tolist()}
        found.append({"matrix": name, **told, **each})
    return found


def _fall(one: "Diagnosis") -> dict[str, Any]:
    """The fall of loss down to which the quadratic model holds."""
    well = np.isfinite(one.fall)
    found = paired(one.fall[well])
    resolved = bool(well.all() and found.positive)
    quantity = asdict(Quantity(*_interval(found), resolved))
    return {**quantity, "errs": int(one.errs.sum()), "draws": len(one.fall)}


def _flat(matrix: dict[str, Any]) -> dict[str, Any]:
    flat = {"matrix": matrix["matrix"]}
    for key in _QUANTITIES:
        flat |= {f"{key}_{part}": value for part, value in matrix[key].items()}
    return flat


def _shown(quantity: dict[str, Any]) -> Typeset:
    if not quantity["resolved"]:
        return prose("n.r.")
    return prose("{mean:.3g} [{low:.3g}, {high:.3g}]".format(**quantity))


def _falls(found: Candidates, each: list[Any], records: list[dict[str, Any]]) -> Table:
    rows = tuple(
        (found.name(candidate), _shown(record["fall"]), f"{record['fall']['errs']} of "
         f"{record['fall']['draws']}")
        for candidate, record in zip(each, records, strict=True)
    )  # fmt: skip
    note = (
        "Along the direction in which B moves first; where the model does not err, it holds down "
        "to its own minimum."
    )
    head = ("checkpoint", "fall of loss until the quadratic model errs by 10 %", "draws it errs in")
    return Table("fall", prose(f"{found.title}: how far the linear theory reaches"), head, rows,
                 (prose(note),))  # fmt: skip
