"""The shift: exact cases, determinism per image, size of the noise."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from derive.errors import InputError
from transfer.images.shift import rotations, shifted, transformed, with_noise


def pictures(count, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (count, 1, 12, 12), dtype=np.uint8)


def test_images_that_are_no_squares_are_refused():
    with pytest.raises(InputError, match="give squares"):
        shifted(np.zeros((2, 1, 8, 6), np.uint8), 10, 0.1, seed=0)


def test_no_shift_changes_nothing():
    assert (shifted(pictures(5), 0, 0, seed=3) == pictures(5)).all()


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_quarter_turns_are_exact(quarters):
    images = pictures(3)
    turned = transformed(images, rotations(np.full(3, quarters * np.pi / 2))).numpy()
    possible = [np.rot90(images, k, axes=(2, 3)) for k in (quarters, -quarters)]
    assert any(np.abs(turned - other).max() < 1e-2 for other in possible)


@given(st.integers(1, 6), st.integers(0, 2**31), st.floats(0, 90), st.floats(0, 0.5))
def test_an_image_is_shifted_the_same_whatever_comes_after_it(count, seed, rotation, noise):
    images = pictures(6)
    whole = shifted(images, rotation, noise, seed)
    assert (shifted(images[:count], rotation, noise, seed) == whole[:count]).all()


def test_the_seed_and_nothing_else_decides():
    images = pictures(4)
    assert (shifted(images, 30, 0.1, 1) == shifted(images, 30, 0.1, 1)).all()
    assert (shifted(images, 30, 0.1, 1) != shifted(images, 30, 0.1, 2)).any()


def test_the_noise_has_the_size_asked_for():
    grey = np.full((200, 1, 20, 20), 128, np.uint8)
    noisy = shifted(grey, 0, 0.1, seed=0).astype(float)
    assert noisy.std() == pytest.approx(25.5, rel=0.02)
    assert noisy.mean() == pytest.approx(128, abs=0.5)


def test_noise_of_one_step_of_a_byte_is_a_standard_normal():
    torch = pytest.importorskip("torch")
    streams = [np.random.default_rng(4) for _ in range(2)]
    noisy = with_noise(torch.full((9, 1, 30, 30), 128.0), 1 / 255, streams[0])
    assert (noisy == 128 + np.rint(streams[1].standard_normal(noisy.shape, np.float32))).all()


def test_angles_fill_the_range():
    bar = np.zeros((400, 1, 21, 21), np.uint8)
    bar[:, :, 10, :] = 255
    turned = shifted(bar, 30, 0, seed=0)[:, 0].astype(float)
    columns = np.arange(21) - 10
    right = turned[:, :, columns > 5]
    slope = ((np.arange(21) - 10)[:, None] * right).sum(axis=(1, 2)) / right.sum(axis=(1, 2)) / 8
    angles = np.rad2deg(np.arctan(slope))
    assert np.abs(angles).max() < 36
    assert angles.min() < -22
    assert angles.max() > 22
    assert abs(angles.mean()) < 3


@pytest.mark.parametrize(("rotation", "noise"), [(-0.01, 0), (180.01, 0), (0, -0.01), (0, 1.01)])
def test_impossible_shifts_are_refused(rotation, noise):
    assert shifted(pictures(1), 180, 1, 0).shape == (1, 1, 12, 12)
    with pytest.raises(InputError, match="rotations are from 0 to 180"):
        shifted(pictures(1), rotation, noise, 0)
