"""How a LoRA update lies to the weights it is added to: overlaps of singular subspaces.

The bridge to the theory, in which pre-training fixes the direction that the update has to leave.
"""

import numpy as np
import torch
from peft import PeftModel
from peft.tuners.lora import LoraLayer
from torch import Tensor

from transfer.experiment.plan import OVERLAPS


def subspace_overlap(update: Tensor, weights: Tensor, rank: int) -> tuple[float, float]:
    """Overlap of the leading singular subspaces of an update and of the weights.

    Arguments:
        update: a matrix.
        weights: a matrix of the same shape.
        rank: of the update.

    With U and V the leading ``rank`` left and right singular vectors, the overlaps are
    ``|U(update)^T U(weights)|^2 / rank`` and the same for V: 1 for equal subspaces, rank/dimension
    on average for random ones. They are given divided by the latter, so that 1 is chance (a
    measurement, in floating point). Both are not a number if an entry is not finite.

    >>> one = torch.diag(torch.tensor([3.0, 2.0, 1.0, 0.5]))
    >>> [round(part, 3) for part in subspace_overlap(one, one, rank=2)]
    [2.0, 2.0]
    """
    if not (update.isfinite().all() and weights.isfinite().all()):
        return np.nan, np.nan
    left, _, right = torch.linalg.svd(update.double(), full_matrices=False)
    base_left, _, base_right = torch.linalg.svd(weights.double(), full_matrices=False)
    sides = ((left, base_left), (right.T, base_right.T))
    shares = [(u[:, :rank].T @ v[:, :rank]).square().sum().item() / rank for u, v in sides]
    return shares[0] * len(weights) / rank, shares[1] * weights.shape[1] / rank


@torch.no_grad()
def update_overlaps(model: PeftModel) -> dict[str, float]:
    """Means over the adapted matrices: overlaps ``left`` and ``right``, and relative ``size``.

    ``size`` is the Frobenius norm of the update over that of the weights.
    """
    found = []
    for layer in (module for module in model.modules() if isinstance(module, LoraLayer)):
        weights = layer.get_base_layer().weight.double()
        update = layer.get_delta_weight("default").double()  # squares of large entries fit
        update = update.where(update.isfinite(), torch.nan)
        overlaps = subspace_overlap(update, weights, layer.r["default"])
        found.append((*overlaps, (update.norm() / weights.norm()).item()))
    return dict(zip(OVERLAPS, np.mean(found, axis=0).tolist(), strict=True))
