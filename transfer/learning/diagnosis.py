"""A checkpoint near the start of LoRA: its linearised quantities, at a converged head, for draws.

Each draw has shots, to which the head is fitted, images that the head has not seen, on which all
else is measured, and rows of A.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from derive.errors import InputError
from transfer.images.subsets import Part
from transfer.learning.head import features_of, fit_head, put_head
from transfer.learning.linearised import Loss, fall_of_quadratic, linearised
from transfer.learning.model import VisionModel, attention_projections, give_new_head
from transfer.learning.training import Images

Floats = NDArray[np.float64]
_CHUNKS, _LEAST = 10, 2  # of how many images at least


@dataclass(frozen=True)
class Diagnosis:
    """What each draw found, draws x matrices: ``square`` of a, ``b``, ``change``, ``variance``.

    ``matrices`` are their names; ``fall`` of the loss down to which the quadratic model holds, and
    whether it ``errs`` there, have one value a draw.
    """

    matrices: tuple[str, ...]
    square: Floats
    b: Floats
    change: Floats
    variance: Floats
    fall: Floats
    errs: NDArray[np.bool_]


def diagnose_model(
    model: VisionModel, images: Images, parts: Sequence[Part], classes: int, *,
    rank: int, targets: Sequence[str], seed: int,
) -> Diagnosis:  # fmt: skip
    """Linearise gradient flow of LoRA about a model with a converged head.

    Arguments:
        model: which loses its own head.
        images: labelled images of the task.
        parts: of these, one a draw.
        classes: of the task.
        rank: rows of A that are drawn.
        targets: as in ``attention_projections``.
        seed: of A.

    Raises ``InputError`` for features that are not finite, and for parts of fewer than 20 images
    held out.
    """
    give_new_head(model.base, classes, seed)
    names = attention_projections(model.base, targets)
    model.requires_grad_(False)
    matrices = [_weight(model.base.get_submodule(name)) for name in names]
    device, rows = images.labels.device, []

    def loss(taken: Tensor) -> Tensor:
        return nn.functional.cross_entropy(model(images.take(taken)), images.labels[taken])

    for draw, part in enumerate(parts):
        shots = _on(device, part.shots)
        features = features_of(model, images, shots).double().cpu().numpy()
        put_head(model, fit_head(features, images.labels[shots].cpu().numpy(), classes))
        stream = np.random.default_rng([seed, draw])
        held = _on(device, stream.permutation(part.held_out))
        drawn = [_on(device, _unit_rows(stream, rank, each)).to(each.dtype) for each in matrices]
        rows.append(_of_draw(loss, held, matrices, drawn))
    each, falls = zip(*rows, strict=True)
    columns = np.array(each)  # draws x matrices x quantities
    fall, errs = zip(*falls, strict=True)
    square, b, change, variance = np.moveaxis(columns, -1, 0)
    return Diagnosis(tuple(names), square, b, change, variance, np.array(fall), np.array(errs))


def _weight(module: nn.Module) -> nn.Parameter:
    assert isinstance(module, nn.Linear)
    return module.weight.requires_grad_(True)


def _on(device: torch.device, values: NDArray[Any]) -> Tensor:
    return torch.from_numpy(values).to(device)


def _unit_rows(stream: np.random.Generator, rank: int, matrix: nn.Parameter) -> Floats:
    rows: Floats = stream.standard_normal((rank, matrix.shape[1]))
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    return rows


def _of_draw(
    loss: Loss, held: Tensor, matrices: Sequence[nn.Parameter], drawn: Sequence[Tensor]
) -> tuple[list[tuple[float, ...]], tuple[float, bool]]:
    """Of each matrix what is linearised, on images ``held`` out along the ``drawn`` rows."""
    size = len(held) // _CHUNKS
    if size < _LEAST:
        raise InputError(
            f"{len(held)} images are held out for a draw, {_LEAST * _CHUNKS} are needed: give "
            "fewer draws or shots, or more images"
        )
    chunks = held[: size * _CHUNKS].split(size)
    found: list[tuple[float, ...]] = []
    for matrix, own in zip(matrices, drawn, strict=True):
        one = linearised(loss, matrix, chunks, own)
        found.append((one.square, one.b, one.change, one.variance))
    first, second = held.chunk(2)
    return found, fall_of_quadratic(loss, matrices, (first, second), drawn)
