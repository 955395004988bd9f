"""What the tests of the transfer experiments share: small tasks, small data, a model."""

import os
import subprocess
from collections.abc import Callable, Iterator
from importlib.util import find_spec

import numpy as np
import pytest
from forked import Forked, prepare

_NEEDED = ("torch", "transformers", "peft", "msgspec")
if any(find_spec(name) is None for name in _NEEDED):
    if os.environ.get("CI"):
        raise RuntimeError("CI installs the extra transfer, but it is not there")
    collect_ignore_glob = ["test_*.py"]  # pip install -e .[test,transfer] runs them


@pytest.fixture(scope="session", autouse=True)
def _one_thread() -> None:
    import torch

    torch.set_num_threads(1)


# What a run imports and makes first, which takes longer than the small ones of the tests.
prepare("transfer.experiment.commands", "transfer.experiment.run", "transfer_ready")


@pytest.fixture
def started(tmp_path, tmp_path_factory) -> Iterator[Callable[..., Forked]]:
    """Start ``python -m MODULE OPTIONS...`` as from a terminal, where its imports are done."""
    running: list[Forked] = []

    def start(module: str, *options: str) -> Forked:
        told = tmp_path_factory.mktemp("told")
        running.append(Forked(module, *options, folder=tmp_path, told=told))
        return running[-1]

    yield start
    for process in running:
        process.end()


@pytest.fixture
def process(started) -> Callable[..., subprocess.CompletedProcess]:
    """Run ``python -m MODULE OPTIONS...`` so, to its end."""
    return lambda module, *options: started(module, *options).completed()


@pytest.fixture(scope="session")
def patterns():
    """A dataset of stripes, learnt within an epoch: the class is the direction."""
    from transfer.images.data import Dataset, Split

    def split(count, seed):
        stream = np.random.default_rng(seed)
        labels = np.arange(count) % 3
        grid = np.indices((28, 28))
        waves = np.stack([grid[0], grid[1], grid[0] + grid[1]])[labels] / 2.0
        phases = stream.uniform(0, 6, (count, 1, 1))
        noise = stream.normal(0, 0.3, (count, 28, 28))
        images = 120 * (1 + np.sin(waves + phases) * 0.8 + noise)
        return Split(np.clip(images, 0, 255).astype(np.uint8)[:, None], labels.astype(np.int64))

    return Dataset("patterns", 3, split(300, 0), split(90, 1), "test", "patterns")


@pytest.fixture
def flowers(tmp_path):
    """Two splits of three classes, of which each image is of its class' grey."""
    from PIL import Image

    for split, number in (("train", 3), ("test", 2)):
        for label, name in enumerate(("kind 1", "kind 2", "kind 10")):
            for k in range(number):
                path = tmp_path / "flowers" / split / name / f"{k}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.new("L", (9, 7), 50 + 10 * label + k).save(path)
    return tmp_path / "flowers"


@pytest.fixture
def small_task(tmp_path, small_text):
    """The path of a task file that runs in seconds."""
    path = tmp_path / "small.toml"
    path.write_text(small_text, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def small_text():
    """What such a file holds."""
    return _SMALL


_SMALL = """\
title = "letters to digits, tiny"
[source]
dataset = "letters"
images = 260
[downstream]
dataset = "mnist"
shots = 2
[model]
patch = 14
width = 16
depth = 2
heads = 2
dropout = 0.1
[pretraining]
epochs = 4
checkpoints = [0, 1, 4]
batch = 64
learning_rate = 2e-3
seeds = 2
[adaptation]
rank = 4
epochs = 2
measured = [1, 2]
batch = 10
learning_rate = 2e-3
seeds = 2
[arms."linear probe"]
method = "probe"
"""
