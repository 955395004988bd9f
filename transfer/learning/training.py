"""The loop that pre-training and fine-tuning share: optimiser, schedule, data on the device.

Images stay bytes on the device, where they are moved once, and are taken by index; their order is
drawn on the CPU, whatever the device.
"""

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from torch import Tensor, nn

from derive.errors import InputError
from transfer.images.data import Dataset, Split
from transfer.learning.augment import augmented
from transfer.learning.network import Network

EVALUATED_AT_ONCE = 500  # images
REDUCED = ("cuda",)  # kinds of devices that compute in bfloat16
_NO_MATRICES = ("token", "position", "pos_embed")  # names of what is a matrix in form alone


@dataclass(frozen=True)
class Schedule:
    """Epochs, images a batch, largest learning rate, weight decay, share of steps to warm up.

    ``clip`` is the largest norm of a model's gradient, 0 for any; ``flips`` and ``crops`` are as in
    ``augmented``. The optimiser is ``adamw``, or ``sgd`` without momentum, decay or schedule.
    """

    epochs: int
    batch: int
    learning_rate: float
    weight_decay: float = 0.0
    warmup: float = 0.0
    clip: float = 0.0
    flips: bool = False
    crops: int = 0
    optimiser: str = "adamw"

    def factor(self, step: int, steps: int) -> float:
        """Share of the learning rate at a step: linear warm-up, then half a cosine down to 0.

        That of plain SGD stays 1, as in the theory.

        >>> schedule = Schedule(1, 1, 1.0, 0.0, warmup=0.2)
        >>> [round(schedule.factor(step, 10), 3) for step in (0, 1, 2, 6, 9)]
        [0.5, 1.0, 1.0, 0.5, 0.038]
        """
        if self.optimiser == "sgd":
            return 1.0
        rising = max(1, round(self.warmup * steps))
        if step < rising and self.warmup:
            return (step + 1) / rising
        start = rising if self.warmup else 0
        return 0.5 * (1 + math.cos(math.pi * (step - start) / (steps - start)))


class Images:
    """Images on a device: bytes that are normalised when taken, or features, taken as they are.

    Arguments:
        values: bytes (N, channels, height, width) or features (N, width).
        labels: (N,).
        mean: of each channel, for bytes.
        deviation: of each channel, for bytes.
        of: for features (checkpoints, N, width), which of the checkpoints each model reads.
    """

    def __init__(
        self, values: Tensor, labels: Tensor, mean: Tensor | None = None,
        deviation: Tensor | None = None, of: Tensor | None = None,
    ) -> None:  # fmt: skip
        self.values, self.labels, self._of = values, labels, of
        self._mean, self._deviation = mean, deviation

    @property
    def shared(self) -> bool:
        """Whether all models are given the same."""
        return self._of is None

    def take(self, index: Tensor | slice) -> Tensor:
        """The images of an index of any shape; (models, ...) unless they are ``shared``."""
        if self._of is not None:
            if isinstance(index, slice):
                return self.values[:, index][self._of]
            return self.values[self._of[:, None], index]
        values = self.values[index]
        if self._mean is None or self._deviation is None:
            return values
        shape = (-1, 1, 1)
        return (values.float() - self._mean.view(shape)) / self._deviation.view(shape)

    def part(self, index: Tensor) -> "Images":
        """Those of an index alone."""
        return Images(self.values[index], self.labels[index], self._mean, self._deviation)


def normalised(
    split: Split, source: Dataset, device: torch.device,
    stated: Mapping[str, Sequence[float]] | None = None,
) -> Images:  # fmt: skip
    """Images on a device, normalised by each channel's mean and deviation over the source.

    Arguments:
        split: images with their classes.
        source: images whose mean and deviation count.
        device: to hold them.
        stated: the ``mean`` and ``deviation`` to take instead, in units of bytes.
    """
    parts = (stated["mean"], stated["deviation"]) if stated else scale_of(source)
    scale = (torch.tensor(part, dtype=torch.float32, device=device) for part in parts)
    return Images(*on_device(split, device), *scale)


@lru_cache(maxsize=8)
def on_device(split: Split, device: torch.device) -> tuple[Tensor, Tensor]:
    """Images and labels on a device, moved there once for all cells; nothing may write to them."""
    with warnings.catch_warnings():  # of arrays read from a file, which cannot be written to
        warnings.filterwarnings("ignore", ".*not writable", UserWarning)
        parts = map(np.ascontiguousarray, (split.images, split.labels))
        images, labels = (torch.from_numpy(part).to(device) for part in parts)
    return images, labels


@lru_cache(maxsize=4)
def scale_of(source: Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each channel over the source's training images."""
    channels = range(source.shape[0])
    counts = np.array([_histogram(source.train.images[:, channel]) for channel in channels])
    shares, values = counts / counts.sum(axis=1, keepdims=True), np.arange(256)
    mean = shares @ values
    deviation = np.sqrt(np.maximum(shares @ values**2 - mean**2, 0))
    return mean, np.where(deviation > 0, deviation, 1)  # a channel may be constant


def _histogram(pixels: np.ndarray) -> np.ndarray:
    """How often each byte occurs, in parts: numpy counts integers of eight bytes."""
    return sum((np.bincount(part.ravel(), minlength=256) for part in np.array_split(pixels, 64)),
               np.zeros(256, np.int64))  # fmt: skip


class OutOfMemory(InputError):
    """The device has not enough memory for what learns at once."""


class Training:
    """A network on its way through the epochs of a schedule.

    Arguments:
        network: models side by side.
        images: the training set.
        chosen: indices (size, n) of each model's training images.
        schedule: learning rate and epochs.
        seeds: one a model, that order the batches.

    ``optimiser`` and ``step`` are its whole state, together with the network and PyTorch's
    generator.
    """

    def __init__(
        self, network: Network, images: Images, chosen: Tensor, schedule: Schedule,
        seeds: Sequence[int],
    ) -> None:  # fmt: skip
        self._network, self._images, self._chosen = network, images, chosen
        self._schedule, self._seeds = schedule, seeds
        self._per_epoch = math.ceil(chosen.shape[1] / schedule.batch)
        self.step = 0
        self.optimiser = _optimiser(network, schedule)

    def epoch(self) -> Tensor:
        """Run the next epoch; the result is each model's mean loss on its training images.

        It is not a number for a model that has diverged: its loss, a logit or a weight at the end
        is not finite. The others do not notice.

        Raises ``InputError`` if the device has not enough memory, with the batch to try.
        """
        number = self.step // self._per_epoch
        order = torch.stack([order_of(seed, number, self._chosen.shape[1]) for seed in self._seeds])
        index = torch.gather(self._chosen, 1, order.to(self._chosen.device))
        total = torch.zeros(self._network.size, device=index.device)
        self._network.train(True)
        try:
            for batch in index.split(self._schedule.batch, dim=1):
                total += self._batch(batch) * batch.shape[1]
        except torch.OutOfMemoryError:
            raise OutOfMemory(
                f"out of memory with {self._schedule.batch} images a batch and "
                f"{self._network.size} models side by side: give batch = "
                f"{max(1, self._schedule.batch // 2)} in the task"
            ) from None
        mean = total / index.shape[1]
        return mean.where(mean.isfinite() & self._network.finite(), torch.nan)

    def _batch(self, index: Tensor) -> Tensor:
        factor = self._schedule.factor(self.step, self._schedule.epochs * self._per_epoch)
        for group in self.optimiser.param_groups:
            group["lr"] = self._schedule.learning_rate * factor
        self.optimiser.zero_grad()
        images, schedule = self._images.take(index), self._schedule
        if schedule.flips or schedule.crops:
            images = augmented(images, schedule.flips, schedule.crops, self._seeds, self.step)
        logits = _logits(self._network, images, shared=False)
        losses = _cross_entropy(logits, self._images.labels[index])
        losses.sum().backward()
        if schedule.clip:
            self._network.clip(schedule.clip)
        self.optimiser.step()
        self.step += 1
        return _unless_infinite(losses.detach(), logits)


def _optimiser(network: Network, schedule: Schedule) -> torch.optim.Optimizer:
    """AdamW whose decay is of matrices alone, or plain SGD."""
    if schedule.optimiser == "sgd":
        return torch.optim.SGD(network.parameters(), lr=schedule.learning_rate)
    groups: dict[bool, list[nn.Parameter]] = {True: [], False: []}
    for name, parameter in network.learning().items():
        groups[decays(name, network.slices(parameter)[0])].append(parameter)
    settings = [
        {"params": part, "weight_decay": schedule.weight_decay * decaying}
        for decaying, part in groups.items()
        if part
    ]
    return torch.optim.AdamW(settings, lr=schedule.learning_rate, fused=True)


def decays(name: str, parameter: Tensor) -> bool:
    """Whether a parameter has weight decay: no bias or norm, no class token, no position has.

    >>> [decays(name, torch.ones(2, 3)) for name in ("classifier.weight", "cls_token", "pos_embed")]
    [True, False, False]
    """
    return parameter.ndim > 1 and not any(part in name for part in _NO_MATRICES)


def order_of(seed: int, epoch: int, count: int) -> Tensor:
    """The order of an epoch's images: drawn on the CPU, from the seed and the epoch alone.

    Arguments:
        seed: of the run.
        epoch: from 0 on.
        count: of images.
    """
    return torch.from_numpy(np.random.default_rng([seed, epoch]).permutation(count))


def _logits(network: Network, images: Tensor, shared: bool) -> Tensor:
    """Logits in float32, computed in that precision."""
    with precision(images.device):
        return network.logits(images, shared).float()


def precision(device: torch.device) -> AbstractContextManager[object]:
    """That of everything a model computes: bfloat16 on GPUs, as it is elsewhere."""
    kind, half = device.type, torch.bfloat16
    found: AbstractContextManager[object] = torch.autocast(kind, half, enabled=kind in REDUCED)
    return found


def _cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    picked = logits.log_softmax(-1).gather(-1, labels.expand(logits.shape[:-1])[..., None])
    return -picked[..., 0].mean(-1)


def _unless_infinite(losses: Tensor, logits: Tensor) -> Tensor:
    """Each model's loss, or not a number: an infinite logit of a wrong class leaves it finite."""
    return losses.where(logits.detach().isfinite().flatten(1).all(1), torch.nan)


def batches(count: int) -> Iterator[slice]:
    """Slices of all of ``count`` images, few enough at once to fit."""
    return (slice(k, k + EVALUATED_AT_ONCE) for k in range(0, count, EVALUATED_AT_ONCE))


@torch.no_grad()
def evaluate(network: Network, images: Images) -> tuple[np.ndarray, np.ndarray]:
    """Each model's mean loss and accuracy on all of the images, as arrays of shape (size,).

    Neither is a number where the loss or a logit is not finite: such logits name no class.
    """
    network.train(False)
    count = len(images.labels)
    totals = torch.zeros(2, network.size, device=images.labels.device)
    for part in batches(count):
        labels = images.labels[part]
        logits = _logits(network, images.take(part), images.shared)
        hits = (logits.argmax(-1) == labels).float().mean(-1)
        losses = _unless_infinite(_cross_entropy(logits, labels), logits)
        totals += torch.stack([losses, hits]) * len(labels)
    loss, accuracy = (totals / count).where(totals[0].isfinite(), torch.nan).double().cpu().numpy()
    return loss, accuracy
