"""Benchmarks of the transfer experiments: against the Trainer of transformers, and side by side.

The same model, images and batches; float32 on a CPU, bfloat16 on a GPU. Needs the extra transfer.
"""

import tempfile
import warnings
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from os import cpu_count
from statistics import median
from time import perf_counter

import numpy as np
import torch
from harness import Row, benchmark, paired
from transformers import Trainer, TrainingArguments
from transformers.utils import logging

from transfer.experiment.task import PRESETS
from transfer.images.data import Split, load_dataset
from transfer.learning.model import ClassTokenViT, vision_transformer, with_lora
from transfer.learning.network import Network, Together
from transfer.learning.training import Images, Schedule, Training, normalised

GPU = torch.cuda.is_available()
DEVICE = torch.device("cuda" if GPU else "cpu")
PRESET = PRESETS["paper" if GPU else "tiny"]
COUNT, BATCH = (50_000, 512) if GPU else (2_500, 128)


def model() -> torch.nn.Module:
    """The model that is timed, always the same."""
    return vision_transformer(PRESET, (1, 28, 28), 26, seed=0)


def images(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Rendered letters, as many as asked for."""
    train = load_dataset("letters").train
    return np.resize(train.images, (count, 1, 28, 28)), np.resize(train.labels, count)


def on_device(count: int, device: torch.device = DEVICE) -> Images:
    """The same, ready for training."""
    return normalised(Split(*images(count)), load_dataset("letters"), device)


def trainer_rate() -> float:
    """Images a second of ``Trainer``, with as many threads as there are cores."""
    torch.set_num_threads(cpu_count() or 1)
    pixels, labels = images(COUNT)
    pairs = zip(torch.from_numpy(pixels) / 255, labels.tolist(), strict=True)
    examples = [{"pixel_values": image, "labels": label} for image, label in pairs]
    with tempfile.TemporaryDirectory() as folder:
        arguments = TrainingArguments(
            folder, per_device_train_batch_size=BATCH, num_train_epochs=1, report_to=[], bf16=GPU,
            save_strategy="no", logging_strategy="no", disable_tqdm=True, learning_rate=1e-3,
        )  # fmt: skip
        trainer = Trainer(model(), arguments, train_dataset=examples)
        begun = perf_counter()
        trainer.train()
        return COUNT / (perf_counter() - begun)


def own_rate(seed: int) -> float:
    """Images a second of one process, on one thread if on a CPU."""
    torch.set_num_threads(1)
    chosen = torch.arange(COUNT, device=DEVICE)[None]
    schedule = Schedule(2, BATCH, 1e-3, 0.05, 0.0)
    network = Network(ClassTokenViT(model().to(DEVICE)))
    training = Training(network, on_device(COUNT), chosen, schedule, [seed])
    training.epoch()  # compiles, on a GPU
    begun = perf_counter()
    training.epoch().item()
    return COUNT / (perf_counter() - begun)


def together_rate() -> float:
    """Images a second of a process a core, which is how sweeps run; of one process on a GPU."""
    if GPU:
        return own_rate(0)
    cores = cpu_count() or 1
    with ProcessPoolExecutor(cores, mp_context=get_context("spawn")) as pool:
        return sum(pool.map(own_rate, range(cores)))


@benchmark
def images_against_trainer() -> Iterator[Row]:
    """Pre-training: the same logits, then images a second."""
    warnings.filterwarnings("ignore")
    logging.set_verbosity_error()
    taken, one = on_device(100, torch.device("cpu")).take(slice(None)), model().eval()
    with torch.no_grad():
        torch.testing.assert_close(ClassTokenViT(one)(taken), one(taken).logits)
    rates = [(together_rate(), trainer_rate()) for _ in range(5)]
    own, theirs = (median(part) for part in zip(*rates, strict=True))
    ratio, target = median(a / b for a, b in rates), 5 if GPU else 1.5
    yield f"{DEVICE}: images a second", f"{own:,.0f}; Trainer {theirs:,.0f}", "shown", True
    yield f"{DEVICE}: over Trainer", f"{ratio:.2f}", f"at least {target}", ratio >= target


SEEDS, SHOTS = list(range(5)), 500
_SCHEDULE = Schedule(10_000, 50, 1e-3, 0.01, 0.0)


def _adapted(seed: int) -> ClassTokenViT:
    lora = with_lora(model(), 4, 8.0, ("query", "value"), seed)
    return ClassTokenViT(lora.to(DEVICE))


def _chosen() -> torch.Tensor:
    return torch.arange(len(SEEDS) * SHOTS, device=DEVICE).view(len(SEEDS), SHOTS)


def side_by_side() -> Training:
    """LoRA for five seeds in one pass: an epoch is ten steps."""
    stacked = Together([_adapted(seed) for seed in SEEDS])
    return Training(stacked, on_device(len(SEEDS) * SHOTS), _chosen(), _SCHEDULE, SEEDS)


@benchmark
def images_side_by_side() -> Iterator[Row]:
    """LoRA for five seeds: in one pass, against one after the other, with equal losses."""
    torch.set_num_threads(1)
    train, chosen, together = on_device(len(SEEDS) * SHOTS), _chosen(), side_by_side()
    alone = [
        Training(Network(_adapted(seed)), train, chosen[k : k + 1], _SCHEDULE, [seed])
        for k, seed in enumerate(SEEDS)
    ]
    losses = torch.cat([one.epoch() for one in alone])
    torch.testing.assert_close(together.epoch(), losses, rtol=2e-2, atol=2e-2)
    _, _, ratio = paired(
        lambda: together.epoch().cpu(), lambda: [one.epoch().cpu() for one in alone]
    )
    yield f"{DEVICE}: five seeds side by side, over one by one", f"{ratio:.2f}", "shown", True
