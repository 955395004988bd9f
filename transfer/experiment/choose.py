"""``python -m transfer choose``: which checkpoint to adapt, by a converged head on frozen features.

Nothing is fine-tuned for it. The statistics are those of ``statistics``: repetitions are parts of
the images that share none, the same for all checkpoints, so that differences are paired.
"""

from argparse import Namespace
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from derive.command.progress import progress
from derive.command.prose import prose
from derive.command.report import Report
from derive.command.tabular import Table
from derive.errors import InputError
from numerics.figures.caption import listed
from transfer.experiment.candidates import Candidate, Candidates, candidates_of
from transfer.experiment.commands import compute
from transfer.experiment.plan import HEAD_DECAY
from transfer.experiment.report import MAIN
from transfer.experiment.statistics import Difference, best_gain, maybe_best, paired
from transfer.images.subsets import Part, disjoint_parts

Floats = NDArray[np.float64]
HELD = (
    "How far it holds: on two tasks of 30 small checkpoints each, rank correlation with accuracy "
    "was +.92 and +.77 after LoRA from the converged head, but +.90 and -.05 after a short LoRA "
    "with a new head, which ended below the converged one. --verify adapts."
)
_COLUMNS = ("checkpoint", "held-out acc.", "loss", "source acc.", "LEEP", "LogME", "may be best")


@dataclass(frozen=True)
class Choice:
    """What the scores say: ``best`` by mean, ``open`` to be best, how far the last is ``behind``.

    Places of checkpoints; ``behind`` is ``None`` where the best is the last of its run.
    """

    best: int
    open: tuple[int, ...]
    last: int
    behind: Difference | None


def choice_of(accuracy: Floats, runs: Sequence[int]) -> Choice:
    """Choose by held-out accuracy.

    Arguments:
        accuracy: parts x checkpoints, finite; the checkpoints in order, run after run.
        runs: the run of each checkpoint.

    That the best is not among ``open``, and that ``behind`` lies above zero though no checkpoint
    gains over the last of that run, happen at most as often as ``statistics`` says.

    >>> found = choice_of(np.array([[0.5, 0.9, 0.7], [0.5, 0.8, 0.6], [0.4, 0.9, 0.6]]), [0, 0, 0])
    >>> found.best, found.open, round(found.behind.mean, 3)
    (1, (1,), 0.233)
    """
    best = int(accuracy.mean(axis=0).argmax())
    last = max(place for place, run in enumerate(runs) if run == runs[best])
    others = np.arange(len(runs)) != last
    behind = None
    if last != best:
        behind = best_gain(accuracy[:, others] - accuracy[:, [last]])
    maybe = maybe_best(accuracy) if len(runs) > 1 else [True]
    return Choice(best, tuple(np.flatnonzero(maybe).tolist()), last, behind)


def choose_checkpoint(options: Namespace) -> Report:
    """Every checkpoint is scored on the same parts; the best is named, and what cannot be told."""
    from transfer.learning.choice import SCORES, scores_of

    found = candidates_of(options)
    if options.verify and found.task is None:
        raise InputError("--verify adapts as a task says: give a task file with the checkpoints")
    labels = found.images.train.labels
    parts = disjoint_parts(labels, found.shots, options.draws, options.seed)
    scores = {name: np.full((options.draws, len(found.each)), np.nan) for name in SCORES}
    for place, candidate in enumerate(progress(found.each, "checkpoints")):
        one = scores_of(candidate.load(), found.training, parts, found.images.classes)
        for name in SCORES:
            scores[name][:, place] = one[name]
    well: NDArray[np.bool_] = np.asarray(np.isfinite(scores["accuracy"]).all(axis=0))
    if not well.any():
        raise InputError("the features of no checkpoint are finite: all have diverged")
    kept = tuple(each for each, fine in zip(found.each, well, strict=True) if fine)
    choice = choice_of(scores["accuracy"][:, well], [each.run for each in kept])
    tables = [_table(found, scores, kept, choice, parts, well)]
    records = _records(found, scores, kept, choice)
    content: dict[str, Any] = {"checkpoints": records, "choice": sentence(found, kept, choice)}
    if options.verify:
        table, content["verified"] = verify(found, kept, choice, options)
        tables.append(table)
    return Report(content, tables, "heuristic", records, of=found.of)


def sentence(found: Candidates, kept: Sequence[Candidate], choice: Choice) -> str:
    """What a person wants to know, in a line.

    Arguments:
        found: all checkpoints.
        kept: those that have not diverged.
        choice: among these.
    """
    best = found.name(kept[choice.best])
    others = [found.name(kept[place]) for place in choice.open if place != choice.best]
    if len(others) == len(kept) - 1 and others:
        told = "no checkpoint can be told apart from it"
    elif others:
        told = f"{listed(others)} cannot be told apart from it"
    else:
        told = "it is told apart from all others"
    if choice.behind is None:
        return f"Adapt {best}, the last of its run; {told}."
    low, high = 100 * choice.behind.low, 100 * choice.behind.high
    mean = 100 * choice.behind.mean
    verb = "is behind by" if choice.behind.positive else "is not clearly behind:"
    return (
        f"Adapt {best}; {told}; the last, {found.name(kept[choice.last])}, {verb} {mean:.1f} "
        f"[{low:+.1f}, {high:+.1f}] points of held-out accuracy of the head (95 %)."
    )


def _records(
    found: Candidates, scores: dict[str, Floats], kept: Sequence[Candidate], choice: Choice
) -> list[dict[str, Any]]:
    opened = {id(kept[place]) for place in choice.open}
    return [
        {
            "run": each.run, found.unit: each.step, "best": each is kept[choice.best],
            "may_be_best": id(each) in opened, "source_accuracy": each.source,
            **{name: float(values[:, place].mean()) for name, values in scores.items()},
            **{f"{name}_each": values[:, place].tolist() for name, values in scores.items()},
        }
        for place, each in enumerate(found.each)
    ]  # fmt: skip


def _table(
    found: Candidates, scores: dict[str, Floats], kept: Sequence[Candidate], choice: Choice,
    parts: Sequence[Part], well: NDArray[np.bool_],
) -> Table:  # fmt: skip
    opened = {id(kept[place]) for place in choice.open}
    rows = []
    for place in np.argsort(-np.nan_to_num(scores["accuracy"].mean(axis=0), nan=-1), kind="stable"):
        each = found.each[place]
        reach = [paired(values[:, place]) for values in scores.values()]
        loss, accuracy, leep, logme = reach
        rows.append((
            found.name(each), _interval(accuracy, 100, 1), _interval(loss, 1, 3),
            "-" if np.isnan(each.source) else f"{100 * each.source:.1f}",
            f"{leep.mean:.3f}", f"{logme.mean:.3f}",
            ("best" if each is kept[choice.best] else "yes") if id(each) in opened else "no",
        ))  # fmt: skip
    shots, held = (
        len(part) // found.images.classes for part in (parts[0].shots, parts[0].held_out)
    )
    notes = [
        prose(sentence(found, kept, choice)),
        prose(f"A head is fitted to convergence on frozen features (L-BFGS, weight decay "
              f"{HEAD_DECAY:g}) in {len(parts)} draws that share no image: {shots} shots and "
              f"{held} held-out images of each class, all of the training images; [...] are 95 % "
              "intervals over such draws, each for itself. No test image is seen."),
        prose("may be best: not excluded at 5 % by a rotation test over the draws, in which the "
              "choice is allowed for."),
        prose(HELD),
    ]  # fmt: skip
    if lost := int((~well).sum()):
        notes.insert(1, prose(f"{lost} checkpoints have diverged: they have no features."))
    if shots < found.shots:
        notes.insert(
            1, prose(f"Fewer shots than the {found.shots} asked for: draws share no image.")
        )
    title = prose(f"{found.title}: which checkpoint to adapt")
    return Table("choose", title, _COLUMNS, tuple(rows), tuple(notes))


def _interval(found: Difference, factor: float, digits: int) -> Any:
    if not np.isfinite(found.mean):
        return prose("-")
    numbers = [f"{factor * value:.{digits}f}" for value in (found.mean, found.low, found.high)]
    return prose(f"{numbers[0]} [{numbers[1]}, {numbers[2]}]")


def verify(
    found: Candidates, kept: Sequence[Candidate], choice: Choice, options: Namespace
) -> tuple[Table, dict[str, Any]]:
    """Adapt the best, the last and a random checkpoint of its run by the task's main protocol.

    Arguments:
        found: all checkpoints.
        kept: those that have not diverged.
        choice: among these.
        options: with the seed, and where and how to compute.

    What that says of the choice is a table, and the same as JSON holds it.
    """
    run = kept[choice.best].run
    steps = {"best": kept[choice.best].step, "last": kept[choice.last].step}
    left = [each.step for each in kept if each.run == run and each.step not in steps.values()]
    if left:
        steps["random"] = int(np.random.default_rng([options.seed, 1]).choice(left))
    chain = next(chain for chain in found.chains if chain.pretraining["seed"] == run)
    wanted = [
        (arm, cell)
        for arm, cell in chain.adaptations
        if arm == MAIN and cell["checkpoint"] in steps.values()
    ]
    compute([replace(chain, adaptations=tuple(wanted))], found.place, options,
            alone=found.place.device != "cpu")  # fmt: skip
    finals = {kind: _finals(found, step, wanted) for kind, step in steps.items()}
    return _verified(found, steps, finals)


def _finals(found: Candidates, step: int, wanted: Sequence[tuple[str, Any]]) -> Floats:
    read = [found.place.found(cell) for _, cell in wanted if cell["checkpoint"] == step]
    return np.concatenate([cell["test_accuracy"][:, -1] for cell in read if cell is not None])


@dataclass(frozen=True)
class Judgement:
    """Of a choice by adapting: whether it was ``right``, ``clearly``, and its ``gains`` by kind."""

    right: bool
    clearly: bool
    gains: dict[str, Difference]

    @property
    def sentence(self) -> str:
        """The same in words."""
        sure = "clearly" if self.clearly else "not beyond chance for all"
        return f"The choice was {'right' if self.right else 'wrong'} ({sure})."


def judged(finals: Mapping[str, Floats]) -> Judgement:
    """The best against each of the others, paired over fine-tuning seeds.

    Arguments:
        finals: accuracies after adaptation, the ``best`` first, one a fine-tuning seed.

    Clearly only if every gain is told from zero, by intervals that hold together: where the
    checkpoints are alike that is so in at most 5 of 100 experiments.

    >>> judged({"best": np.array([0.9, 0.8, 0.9]), "last": np.array([0.5, 0.4, 0.5])}).sentence
    'The choice was right (clearly).'
    """
    best, others = finals["best"], {k: v for k, v in finals.items() if k != "best"}
    gains = {kind: paired(best - values, len(others)) for kind, values in others.items()}
    told = [gain.positive or gain.negative for gain in gains.values()]
    right = all(gain.mean >= 0 for gain in gains.values())
    return Judgement(right, bool(told) and all(told), gains)


def _verified(
    found: Candidates, steps: dict[str, int], finals: dict[str, Floats]
) -> tuple[Table, dict[str, Any]]:
    others = {kind: values for kind, values in finals.items()
              if kind == "best" or steps[kind] != steps["best"]}  # fmt: skip
    judgement = judged(others)
    rows = tuple(
        (kind, f"{found.unit} {step}", f"{100 * finals[kind].mean():.1f}",
         _interval(judgement.gains[kind], 100, 1) if kind in judgement.gains else "-")
        for kind, step in steps.items()
    )  # fmt: skip
    count = len(finals["best"])
    notes = (
        prose(judgement.sentence),
        prose(f"Each adapted by the main protocol with {count} fine-tuning seeds, which draw "
              "shots, head and order, the same for all; accuracy on the test images. best - it: "
              "95 % intervals over such seeds, together, given the checkpoints and the test "
              "images."),
    )  # fmt: skip
    head = ("adapted", "checkpoint", "accuracy", "best - it")
    table = Table("verify", prose(f"{found.title}: the choice, verified"), head, rows, notes)
    content = {"right": judgement.right, "clearly": judgement.clearly,
               "verdict": judgement.sentence, "adapted": [
        {"kind": kind, found.unit: step, "accuracy": finals[kind].tolist()}
        for kind, step in steps.items()
    ]}  # fmt: skip
    return table, content
