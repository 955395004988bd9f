"""Shifted images: rotated and noisy versions of a dataset, the same for every run (App. J.3).

The angle and the noise of an image depend on the seed and on its place in the split alone, so that
a subset of the shifted images is the shift of the subset.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from derive.errors import InputError

if TYPE_CHECKING:
    import torch

LARGEST_ROTATION = 180  # degrees
LARGEST_NOISE = 1
_AT_ONCE = 4096  # images transformed together


def shifted(
    images: NDArray[np.uint8], rotation: float, noise: float, seed: int
) -> NDArray[np.uint8]:
    """Rotate every image about its centre and add Gaussian noise.

    Arguments:
        images: bytes of shape (N, channels, height, width).
        rotation: in degrees: angles are uniform between minus and plus this.
        noise: its standard deviation in units of the full range.
        seed: not negative.

    Pixels are interpolated linearly, black comes in from outside, values are rounded and clipped to
    bytes.

    Raises ``InputError`` for a rotation or noise out of range, and unless images are squares.

    >>> image = np.full((1, 1, 8, 8), 128, np.uint8)
    >>> (shifted(image, 0, 0, seed=0) == image).all()
    np.True_
    """
    if not 0 <= rotation <= LARGEST_ROTATION or not 0 <= noise <= LARGEST_NOISE:
        raise InputError(
            f"a rotation of {rotation} degrees and noise {noise} were given: rotations are from 0 "
            f"to {LARGEST_ROTATION}, noise from 0 to {LARGEST_NOISE}"
        )
    if images.shape[2] != images.shape[3]:
        raise InputError(
            f"images of {images.shape[2]} x {images.shape[3]} pixels were given: give squares, "
            "others would be sheared"
        )
    angles = np.random.default_rng([seed, 0]).uniform(-rotation, rotation, len(images))
    turned = np.empty_like(images)
    for start in range(0, len(images), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        matrices = rotations(np.deg2rad(angles[part]))
        turned[part] = with_noise(
            transformed(images[part], matrices), noise, np.random.default_rng([seed, 1, start])
        )
    return turned


def rotations(angles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Matrices of shape (N, 2, 3) that turn images by ``angles``, in radians."""
    cosine, sine, zero = np.cos(angles), np.sin(angles), np.zeros_like(angles)
    rows = [[cosine, -sine, zero], [sine, cosine, zero]]
    return np.stack([np.stack(row, axis=-1) for row in rows], axis=-2)


def transformed(images: NDArray[np.uint8], matrices: NDArray[np.float64]) -> "torch.Tensor":
    """Apply an affine map to every image: real values from 0 to 255, black from outside.

    Arguments:
        images: shape (N, channels, height, width).
        matrices: shape (N, 2, 3), from the coordinates of the result in [-1, 1] to those of the
            image.
    """
    import torch  # here, so that reading a task does not wait for it

    source = torch.from_numpy(images).float()
    grid = torch.nn.functional.affine_grid(
        torch.from_numpy(matrices).float(), list(source.shape), align_corners=False
    )
    return torch.nn.functional.grid_sample(source, grid, align_corners=False)


def with_noise(
    images: "torch.Tensor", noise: float, stream: np.random.Generator
) -> NDArray[np.uint8]:
    """Add noise, in units of the full range, and round to bytes.

    Arguments:
        images: bytes, of any shape.
        noise: standard deviation, in units of the full range.
        stream: the source of all that is random.
    """
    added = stream.standard_normal(tuple(images.shape), np.float32) * (255 * noise)
    values: NDArray[np.float32] = images.numpy() + added
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
