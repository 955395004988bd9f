"""``python -m transfer diagnose`` end to end, of folders of every architecture; bad usage."""

import csv
import json

import numpy as np
import pytest
import torch
from own_models import SIDE, own_model, saved

from derive.errors import InputError
from transfer.__main__ import main
from transfer.images.subsets import disjoint_parts
from transfer.learning.diagnosis import diagnose_model
from transfer.learning.own import classifier_of
from transfer.learning.training import Images


@pytest.fixture
def colours(tmp_path, monkeypatch):
    """Forty images of each of three classes, whose mean colour tells them apart."""
    from PIL import Image

    stream = np.random.default_rng(0)
    for split, count in (("train", 40), ("test", 1)):
        for label in range(3):
            folder = tmp_path / "colours" / split / f"kind {label}"
            folder.mkdir(parents=True)
            for number in range(count):
                pixels = stream.integers(0, 200, (SIDE, SIDE, 3), np.uint8)
                pixels[..., label] += 40
                Image.fromarray(pixels).save(folder / f"{number}.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_checkpoint_is_diagnosed_matrix_by_matrix(colours, capsys):
    saved(colours / "runs/checkpoint-4", "vit")
    saved(colours / "runs/checkpoint-8", "vit", seed=1)
    options = ["runs/checkpoint-*", "--images", "colours", "--shots", "3", "--draws", "3",
               "--checkpoint", "8"]  # fmt: skip
    assert main(["diagnose", *options, "--workers", "1", "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    (found,) = told if isinstance(told, list) else [told]
    assert (found["run"], found["step"], found["certainty"]) == (0, 8, "heuristic")
    names = [matrix["matrix"] for matrix in found["matrices"]]
    assert [name.rpartition(".")[2] for name in names] == ["q_proj", "v_proj"] * 2
    for matrix in found["matrices"]:
        assert len(matrix["a_squared_each"]) == len(matrix["b_each"]) == 3
        for key in ("a", "b", "rate", "noise_scale"):
            assert matrix[key].keys() == {"mean", "low", "high", "resolved"}
        if matrix["rate"]["resolved"]:
            assert matrix["a"]["resolved"]
            assert matrix["b"]["resolved"]
    assert main(["diagnose", *options, "--format", "latex"]) == 0
    told = capsys.readouterr().out
    assert r"$\lambda$" in told
    assert not set("λγ√²") & set(told)
    assert main(["diagnose", *options, "--format", "csv"]) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()[1:]))
    assert [row["matrix"] for row in rows] == names
    for row, matrix in zip(rows, found["matrices"], strict=True):
        for key in ("a", "b", "rate", "noise_scale"):
            parts = [row[f"{key}_{part}"].replace("inf", "null") for part in matrix[key]]
            assert parts == [*map(json.dumps, matrix[key].values())]
    with pytest.raises(SystemExit, match="2"):
        main(["diagnose", *options[:-1], "7"])
    assert "--checkpoint 7 is none of 4, 8" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["deit-teacher", "swin"])  # two heads; and none of a token
def test_other_architectures_are_linearised(name):
    stream = np.random.default_rng(0)
    labels = np.arange(150) % 3
    pixels = torch.from_numpy(stream.normal(size=(150, 3, SIDE, SIDE)).astype(np.float32))
    pixels[np.arange(150), labels] += 0.5
    images = Images(pixels, torch.from_numpy(labels))
    parts = disjoint_parts(labels, 5, 3, 0)
    model = own_model(name)
    found = diagnose_model(
        classifier_of(model), images, parts, 3, rank=2, targets=("query",), seed=0
    )
    assert found.square.shape == found.b.shape == (3, len(found.matrices))
    assert np.isfinite(found.square).all()
    assert np.isfinite(found.b).all()
    # The backbone is where it was: everything that was moved is put back.
    same = own_model(name).state_dict()
    for key, tensor in model.state_dict().items():
        if not tensor.shape or (key in same and tensor.shape == same[key].shape):
            assert tensor.equal(same[key]) or "classifier" in key or "head" in key


def test_too_few_images_are_said():
    labels = np.arange(90) % 3
    images = Images(torch.randn(90, 3, SIDE, SIDE), torch.from_numpy(labels))
    with pytest.raises(InputError, match="15 images are held out for a draw, 20 are needed"):
        diagnose_model(
            classifier_of(own_model("vit")), images, disjoint_parts(labels, 5, 3, 0), 3,
            rank=2, targets=("query",), seed=0,
        )  # fmt: skip
