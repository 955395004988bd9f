"""How far a ranking by the converged head holds: against what LoRA makes of every checkpoint.

Two tasks, five pre-trainings each, six checkpoints a pre-training, each adapted; beside baselines
that others proposed. What is finished is kept under ``results/choice``, so that it can be stopped.
Needs the extra transfer.
"""

from argparse import Namespace
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from harness import Row, benchmark
from scipy.stats import spearmanr

from transfer.experiment.candidates import candidates_of
from transfer.experiment.plan import Place, chains_of
from transfer.experiment.report import decline
from transfer.experiment.results import results_of
from transfer.experiment.run import run_experiment
from transfer.experiment.statistics import paired
from transfer.experiment.task import read_task
from transfer.images.subsets import disjoint_parts
from transfer.learning.choice import scores_of

FOLDER = Path("results/choice")
DRAWS, BOOTSTRAPS = 5, 2000
_TASK = """
title = "{title}"
[source]
dataset = "{source}"
images = {images}
[downstream]
dataset = "mnist"
shots = 20
[model]
preset = "tiny"
[pretraining]
epochs = {epochs}
checkpoints = {checkpoints}
batch = 64
learning_rate = 2e-3
seeds = 5
[adaptation]
epochs = 20
measured = [20]
batch = 50
learning_rate = 2e-3
rank = 4
alpha = 8
seeds = 2
[arms.full]
method = "full"
learning_rate = 1e-3
seeds = 1
[arms.head-optimum]
method = "optimum"
[arms."LoRA from the optimum, plain SGD"]
head = "optimum"
optimiser = "sgd"
learning_rate = 0.05
seeds = 1
"""
TASKS = {
    "letters-to-mnist": {"title": "rendered letters → MNIST", "source": "letters", "images": 5200,
                         "epochs": 40, "checkpoints": [0, 1, 3, 8, 20, 40]},
    "fashion-to-mnist": {"title": "FashionMNIST → MNIST", "source": "fashion-mnist",
                         "images": 5000, "epochs": 60, "checkpoints": [0, 2, 5, 12, 30, 60]},
}  # fmt: skip
# What is thought to be larger for a checkpoint that adapts better.
PREDICTORS = ("head's held-out accuracy", "head's training loss", "source accuracy", "LEEP",
              "LogME", "later is better")  # fmt: skip
SGD = "LoRA from the optimum, plain SGD"  # whose rate is too large for a random initialisation
OUTCOMES = {"LoRA": "LoRA", "full": "full fine-tuning", SGD: SGD}
HEAD = "head-optimum"
Scores = Mapping[str, np.ndarray]  # runs x checkpoints


def task_file(name: str) -> Path:
    """The task, written to a file."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{name}.toml"
    path.write_text(_TASK.format(**TASKS[name]), encoding="utf-8")
    return path


def outcomes_of(path: Path) -> tuple[Scores, str]:
    """Accuracy on the test images after each protocol, means over fine-tuning seeds.

    Beside them what a decline is made of, in a line.
    """
    task, place = read_task(str(path)), Place((FOLDER / path.stem).resolve())
    run_experiment(chains_of(task, place), place)
    data = results_of(task, place)
    accuracy = data.accuracy.sel(measured=20)
    found = {
        arm: accuracy.sel(arm=arm)
        .mean("fine_tuning_seed")
        .transpose("pretraining_seed", "checkpoint")
        .values
        for arm in task.arms
    }
    return found, decline(task, data) or ""


def predictors_of(path: Path) -> Scores:
    """What is known of a checkpoint before it is adapted, from training images alone."""
    kept = FOLDER / f"{path.stem}.npz"
    if kept.exists():
        with np.load(kept) as file:
            return dict(file)
    none = dict.fromkeys(("images", "shots", "size", "data_dir", "scale", "scheduler"))
    options = Namespace(what=str(path), results=FOLDER / path.stem, hub=False, device="cpu",
                        workers=1, source="", **none)  # fmt: skip
    found = candidates_of(options)
    parts = disjoint_parts(found.images.train.labels, found.shots, DRAWS, 0)
    rows = []
    for each in found.each:
        one = scores_of(each.load(), found.training, parts, found.images.classes)
        loss, accuracy, leep, logme = (float(values.mean()) for values in one.values())
        rows.append((accuracy, -loss, each.source, leep, logme, each.step))
    runs = len({each.run for each in found.each})
    table = np.array(rows).reshape(runs, -1, len(PREDICTORS))
    values = dict(zip(PREDICTORS, np.moveaxis(table, -1, 0), strict=True))
    np.savez(kept, **values)
    return values


def _rank(one: np.ndarray, other: np.ndarray) -> float:
    return float(spearmanr(one.ravel(), other.ravel()).statistic)


def pooled(one: np.ndarray, other: np.ndarray) -> str:
    """Rank correlation over all checkpoints, with a bootstrap interval over the runs."""
    stream, runs = np.random.default_rng(0), len(one)
    drawn = [stream.integers(0, runs, runs) for _ in range(BOOTSTRAPS)]
    low, high = np.quantile([_rank(one[d], other[d]) for d in drawn], (0.025, 0.975))
    return f"{_rank(one, other):+.2f} [{low:+.2f}, {high:+.2f}]"


def within(one: np.ndarray, other: np.ndarray) -> str:
    """Mean over the runs of the rank correlation within each, by Student's t."""
    found = paired(np.array([_rank(a, b) for a, b in zip(one, other, strict=True)]))
    return f"{found.mean:+.2f} [{max(-1, found.low):+.2f}, {min(1, found.high):+.2f}]"


def regret(one: np.ndarray, other: np.ndarray) -> str:
    """Points lost, over the best of its run, by adapting the checkpoint that is predicted best."""
    chosen = np.take_along_axis(other, one.argmax(1)[:, None], 1)[:, 0]
    found = paired(100 * (other.max(1) - chosen))
    return f"{found.mean:.1f} [{found.low:.1f}, {found.high:.1f}]"


def over_the_head(outcome: np.ndarray, head: np.ndarray) -> str:
    """Points that adaptation adds to the converged head, mean over the checkpoints of a run."""
    found = paired(100 * (outcome - head).mean(axis=1))
    return f"{found.mean:+.1f} [{found.low:+.1f}, {found.high:+.1f}]"


@benchmark
def choice_against_outcome() -> Iterator[Row]:
    """Every predictor against every outcome, with and without the random initialisation.

    Rank correlation over all checkpoints, within a run, and points lost by the first choice.
    """
    for name in TASKS:
        path = task_file(name)
        predictors, (outcomes, split) = predictors_of(path), outcomes_of(path)
        for arm, outcome in OUTCOMES.items():
            for first, which in ((0, "all"), (1, "trained"))[arm == SGD :]:
                measured = outcomes[arm][:, first:]
                for predictor in PREDICTORS:
                    values = predictors[predictor][:, first:]
                    told = (pooled(values, measured), within(values, measured),
                            regret(values, measured))  # fmt: skip
                    yield f"{name}, {outcome}, {which}: {predictor}", "; ".join(told), "shown", True
        for arm, accuracy in outcomes.items():
            means = ", ".join(f"{100 * mean:.1f}" for mean in accuracy.mean(axis=0))
            yield f"{name}: accuracy by checkpoint, {arm}", means, "shown", True
            if arm != HEAD:
                told = over_the_head(accuracy[:, 1:], outcomes[HEAD][:, 1:])
                yield f"{name}, trained: {arm} less the converged head", told, "shown", True
        yield f"{name}: the decline", split, "shown", True
