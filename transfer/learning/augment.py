"""Flips and crops of training images: drawn on the CPU, from a seed and the step alone.

They are what a run that was stopped and goes on, or runs on another device, draws again.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

_USE = 3  # apart from the order of the images


def augmented(images: Tensor, flips: bool, crops: int, seeds: Sequence[int], step: int) -> Tensor:
    """Flip each image to left and right with chance 1/2, and cut it out of a frame of zeros.

    Arguments:
        images: (models, batch, channels, height, width), normalised.
        flips: whether to flip.
        crops: pixels of the frame on each side, of which as many are cut away again; 0 for none.
        seeds: one a model.
        step: of the training.

    >>> image = torch.arange(4.0).view(1, 1, 1, 2, 2)
    >>> augmented(image, False, 0, [0], 0).equal(image)
    True
    """
    models, batch, _, height, width = images.shape
    turned, corners = [], []
    for seed in seeds:
        stream = np.random.default_rng([seed, step, _USE])
        turned.append(stream.integers(0, 2, batch) * flips)
        corners.append(stream.integers(0, 2 * crops + 1, (2, batch)))
    flip = torch.from_numpy(np.stack(turned))[..., None]
    top, left = torch.from_numpy(np.stack(corners, axis=1))[..., None]
    across = torch.arange(width)
    rows = (top + torch.arange(height))[:, :, None, :, None]
    columns = (left + torch.where(flip == 1, width - 1 - across, across))[:, :, None, None, :]
    framed = torch.nn.functional.pad(images, (crops,) * 4)
    model = torch.arange(models).view(-1, 1, 1, 1, 1)
    image = torch.arange(batch).view(1, -1, 1, 1, 1)
    channel = torch.arange(images.shape[2]).view(1, 1, -1, 1, 1)
    return framed[model, image, channel, rows, columns]
