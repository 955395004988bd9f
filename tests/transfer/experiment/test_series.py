"""Checkpoints of one's own: found and ordered, their images as they say, errors in one line."""

import json
from functools import partial

import numpy as np
import pytest
import transformers
from own_models import LABELS, PROCESSOR, SIDE, saved
from PIL import Image

from derive.errors import InputError
from transfer.experiment.config import configuration, preprocessing
from transfer.experiment.series import (
    Checkpoints,
    Pretrained,
    digest_of_weights,
    insist_on_order,
    series_of,
    weights_of,
)
from transfer.images.folder import Folder, read_image


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """Two runs of two checkpoints, the steps of which sort otherwise as text."""
    monkeypatch.chdir(tmp_path)
    for run in ("seed-2", "seed-10"):
        for step in (9, 100):
            saved(tmp_path / "runs" / run / f"checkpoint-{step}", "vit", seed=step)
    return tmp_path / "runs"


PATTERN = "runs/seed-*/checkpoint-*"


def test_checkpoints_are_ordered_by_step_and_runs_by_number(runs):
    found = series_of(Checkpoints(PATTERN))
    assert (found.checkpoints, found.seeds, found.epochs) == ((9, 100), 2, 0)
    assert found.runs == tuple(
        tuple(f"runs/{run}/checkpoint-{step}" for step in (9, 100)) for run in ("seed-2", "seed-10")
    )
    assert (found.channels, found.side, len(found.labels)) == (3, SIDE, LABELS)
    assert found.mean == pytest.approx((127.5, 102, 76.5))
    assert found.deviation == pytest.approx((63.75, 127.5, 51))
    assert found.images == {"size": SIDE, "fit": "stretch", "resample": "bicubic"}
    one = series_of(Pretrained("runs/seed-2/checkpoint-9"))
    assert (one.runs, one.checkpoints) == ((("runs/seed-2/checkpoint-9",),), (1,))


def test_a_digest_is_of_the_content(runs):
    digests = {digest_of_weights(path) for path in runs.glob("*/*")}
    assert len(digests) == 2  # the runs have the same weights


def test_weights_in_several_files_are_all_of_a_digest(runs):
    """As transformers writes large models, with an index of the files."""
    parts = []
    for run, first in (("seed-2", b"1"), ("seed-10", b"2")):
        folder = runs / run / "checkpoint-9"
        (folder / "model.safetensors").unlink()
        for name, content in (("a.safetensors", first), ("b.safetensors", b"3")):
            (folder / name).write_bytes(content)
        names = {"weight_map": {"x": "b.safetensors", "y": "a.safetensors", "z": "b.safetensors"}}
        (folder / "model.safetensors.index.json").write_text(json.dumps(names))
        assert weights_of(folder) == [folder / "a.safetensors", folder / "b.safetensors"]
        parts.append(digest_of_weights(folder))
    assert parts[0] != parts[1]
    digest_of_weights.cache_clear()
    (folder / "b.safetensors").unlink()
    with pytest.raises(InputError, match=r"b\.safetensors cannot be read .*: give it back"):
        digest_of_weights(folder)


def test_a_side_may_be_written_as_height_and_width(runs):
    folder = runs / "seed-2" / "checkpoint-9"
    _change(folder / "config.json", image_size=[SIDE, SIDE])
    assert configuration(folder)[2] == SIDE


CASES = [
    ({"size": {"shortest_edge": 20}, "do_center_crop": True,
      "crop_size": {"height": 16, "width": 16}},
     {"size": 16, "fit": "crop", "shorter": 20, "resample": "bilinear"}),
    ({"size": {"height": 16, "width": 16}, "do_center_crop": True,
      "crop_size": {"height": 16, "width": 16}},
     {"size": 16, "fit": "stretch", "resample": "bilinear"}),
    ({"size": {"height": 20, "width": 20}, "do_center_crop": True,
      "crop_size": {"height": 16, "width": 16}},
     {"size": 16, "fit": "stretch", "shorter": 20, "resample": "bilinear"}),
    ({"size": 20, "do_center_crop": True, "crop_size": 16,
      "feature_extractor_type": "DeiTFeatureExtractor"},
     {"size": 16, "fit": "stretch", "shorter": 20, "resample": "bilinear"}),
    ({"size": 20, "do_center_crop": True, "crop_size": 16,
      "feature_extractor_type": "CLIPFeatureExtractor"},
     {"size": 16, "fit": "crop", "shorter": 20, "resample": "bilinear"}),
    ({"size": {"height": 20, "width": 20}}, {"size": 20, "fit": "stretch", "resample": "bilinear"}),
    ({"size": 20, "resample": 0}, {"size": 20, "fit": "stretch", "resample": "nearest"}),
    ({"size": {"shortest_edge": 21}, "crop_pct": 0.875},
     {"size": 21, "fit": "crop", "shorter": 24, "resample": "bilinear"}),
    ({"size": {"shortest_edge": 384}, "crop_pct": 1.0},
     {"size": 384, "fit": "stretch", "resample": "bilinear"}),
    ({"size": {"shortest_edge": 21}}, {"size": 21, "fit": "crop", "resample": "bilinear"}),
    ({"do_resize": False, "size": 20}, {}),
]  # fmt: skip


@pytest.mark.parametrize(("content", "expected"), CASES)
def test_images_are_made_as_a_checkpoint_says(tmp_path, content, expected):
    told = {"image_mean": [0.5], "image_std": [0.5], **content}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(told))
    found = preprocessing(tmp_path)
    assert {k: v for k, v in found.items() if k not in ("mean", "deviation")} == expected


SQUARE, EDGE = {"size": {"height": 20, "width": 20}}, {"size": {"shortest_edge": 20}}
CUT = {"crop_size": 16}
PROCESSORS = {
    "DeiT": SQUARE | CUT, "ViT": SQUARE, "Beit": SQUARE, "Siglip": SQUARE, "DPT": SQUARE,
    "Flava": {}, "CLIP": EDGE | CUT, "Bit": EDGE | CUT, "MobileNetV2": EDGE | CUT,
    "ConvNext": EDGE | {"crop_pct": 0.875},
}  # fmt: skip


BEFORE = {"size": 20, "do_center_crop": True, "crop_size": 16, "resample": 3}  # in old files


@pytest.mark.parametrize("shape", [(40, 24), (21, 48)])
@pytest.mark.parametrize(
    ("whose", "sizes"),
    [*PROCESSORS.items(), *((whose, BEFORE) for whose in ("Beit", "Bit", "CLIP", "DeiT", "Flava",
                                                          "MobileNetV2", "Pvt", "ViT"))],
)  # fmt: skip
def test_images_are_those_that_the_processor_of_a_checkpoint_makes(tmp_path, whose, sizes, shape):
    pixels = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "image.png")
    kind, raw = getattr(transformers, f"{whose}ImageProcessorPil"), {"do_normalize": False}
    processor = kind(**sizes, **raw, do_rescale=False)
    processor.save_pretrained(tmp_path)
    if sizes is BEFORE:
        old = {**BEFORE, **raw, "feature_extractor_type": f"{whose}FeatureExtractor"}
        (tmp_path / "preprocessor_config.json").write_text(json.dumps(old))
    told = {k: v for k, v in preprocessing(tmp_path).items() if k not in ("mean", "deviation")}
    (theirs,) = processor(Image.open(tmp_path / "image.png"))["pixel_values"]
    ours = read_image(tmp_path / "image.png", Folder(folder="x", **told))
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    "whose", ["Donut", "EfficientNet", "Levit", "MobileViT", "Perceiver", "PoolFormer", "PPLCNet",
              "TextNet"]
)  # fmt: skip
def test_processors_that_make_images_otherwise_are_named(tmp_path, whose):
    """They zoom, pad or swap colours in their code, of which their file says nothing or little."""
    told = {"image_processor_type": f"{whose}ImageProcessor", "size": 20}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(told))
    with pytest.raises(InputError, match=f"{whose}ImageProcessor.* makes images in a way of its"):
        preprocessing(tmp_path)


@pytest.mark.parametrize(
    ("content", "mean", "deviation"),
    [
        ({}, 0.5, 0.25),
        ({"rescale_factor": 1 / 127.5}, 0.25, 0.125),  # to pixels from 0 to 2
        ({"do_rescale": False}, 0.5 / 255, 0.25 / 255),
        ({"do_normalize": False}, 0, 1),
    ],
)
def test_normalisation_is_of_pixels_from_0_to_1(tmp_path, content, mean, deviation):
    told = {"image_mean": [0.5], "image_std": [0.25], "size": 20, **content}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(told))
    found = preprocessing(tmp_path)
    assert (found["mean"], found["deviation"]) == (
        pytest.approx((mean,)), pytest.approx((deviation,)))  # fmt: skip


def test_a_model_of_timm_says_it_in_its_own_terms(tmp_path):
    """In its configuration, or in the file of its processor; neither needs its library."""
    told = {"input_size": [3, 240, 240], "mean": [0.5, 0.4, 0.3], "std": [0.2, 0.2, 0.1],
            "interpolation": "bicubic", "crop_pct": 0.9, "crop_mode": "center"}  # fmt: skip
    config = {"model_type": "timm_wrapper", "architecture": "vit_tiny_patch16_224",
              "label_names": ["cat", "dog"], "num_classes": 2, "pretrained_cfg": told}  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert configuration(tmp_path) == ("vit_tiny_patch16_224", 3, 240, ("cat", "dog"))
    expected = {"mean": (0.5, 0.4, 0.3), "deviation": (0.2, 0.2, 0.1), "size": 240, "fit": "crop",
                "shorter": 266, "resample": "bicubic"}  # fmt: skip
    assert preprocessing(tmp_path) == expected
    (tmp_path / "config.json").write_text(json.dumps({**config, "pretrained_cfg": None}))
    assert preprocessing(tmp_path) is None
    processor = {"image_processor_type": "TimmWrapperImageProcessor", "data_config": told}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(processor))
    assert preprocessing(tmp_path) == expected
    for wrong in ({"input_size": [240]}, {"interpolation": "random"}, {"crop_pct": "much"}):
        told_wrong = {**processor, "data_config": told | wrong}
        (tmp_path / "preprocessor_config.json").write_text(json.dumps(told_wrong))
        with pytest.raises(InputError, match="is not as transformers writes it"):
            preprocessing(tmp_path)


def spoil_weights(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def spoil_kind(folder):
    saved(folder, "deit")


def spoil_processor(folder):
    _change(folder / "preprocessor_config.json", size={"height": 9, "width": 16})


def spoil_size(folder):
    _change(folder / "config.json", image_size=[SIDE, SIDE + 8])


def spoil_labels(folder):
    _change(folder / "config.json", id2label={"1": "cat", "2": "dog"})


def spoil_index(names, folder):
    index = {"weight_map": names}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def spoil_content(folder):
    (folder / "config.json").write_text("[]")


def _change(path, **values):
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def spoil_json(folder):
    (folder / "config.json").write_text("{")


def make_adapter(folder):
    (folder / "adapter_config.json").write_text("{}")


def remove(folder):
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()


def empty(folder):
    for path in folder.iterdir():
        path.unlink()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (spoil_weights, "holds no safetensors but pytorch_model.bin, a pickle, which is never"),
        (spoil_kind, "is of another architecture, other classes or other images"),
        (spoil_processor, "preprocessor_config.json is not as transformers writes it"),
        (spoil_json, "config.json cannot be read as JSON"),
        (spoil_content, "config.json holds no object of JSON"),
        (spoil_size, "config.json has an image_size that is no square"),
        (spoil_labels, "or labels that are not numbered from 0"),
        (partial(spoil_index, {"a": "../checkpoint-9/model.safetensors"}), "is no checkpoint"),
        (partial(spoil_index, {"a": ["model.safetensors"]}), "is no checkpoint"),
        (partial(spoil_index, ["model.safetensors"]), "is no checkpoint"),
        (make_adapter, "is an adapter, not a whole model"),
        (remove, "has no checkpoint of step 100, another run has"),
        (empty, "is no checkpoint: it needs config.json"),
    ],
)
def test_what_is_no_series_is_said_in_one_line(runs, spoil, message):
    spoil(runs / "seed-10" / "checkpoint-100")
    with pytest.raises(InputError, match=message) as error:
        series_of(Checkpoints(PATTERN))
    assert len(str(error.value)) < 300
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("folder", ["runs/seed-{}/checkpoint-1", "runs/seed-1/checkpoint-{}"])
def test_a_pattern_finds_at_most_a_hundred_runs_and_steps(tmp_path, monkeypatch, folder):
    monkeypatch.chdir(tmp_path)
    one = saved(tmp_path / "one", "vit")
    for number in range(101):
        if number == 100:
            assert (
                max(map(len, [(found := series_of(Checkpoints(PATTERN))).runs, found.runs[0]]))
                == 100
            )
        path = tmp_path / folder.format(number)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(one)
    with pytest.raises(InputError, match="give at most 100 runs of 100"):
        series_of(Checkpoints(PATTERN))


def test_what_checkpoints_do_not_say_has_to_be_stated(runs):
    for path in runs.rglob("preprocessor_config.json"):
        path.unlink()
    with pytest.raises(InputError, match=r"has no preprocessor_config\.json with mean and"):
        series_of(Checkpoints(PATTERN))
    found = series_of(Checkpoints(PATTERN, mean=(0.5,), deviation=(0.2,)))
    assert (found.mean, found.deviation, found.images) == ((127.5,), (51.0,), {})
    with pytest.raises(InputError, match="give mean"):
        series_of(Checkpoints(PATTERN, mean=(0.5,), deviation=(0.0,)))
    with pytest.raises(InputError, match="no folder is called 'walks"):
        series_of(Checkpoints("walks/*"))


def test_classes_come_in_the_order_of_the_checkpoints():
    insist_on_order(("LABEL_0", "LABEL_1"), ("cat", "dog"))
    insist_on_order(("cat", "dog"), ("cat", "dog"))
    insist_on_order(("cat", "dog"), ())  # a dataset has no names
    with pytest.raises(InputError, match="class 0 is 'dog' for the checkpoints and 'cat'"):
        insist_on_order(("dog", "cat"), ("cat", "dog"))


def test_the_table_of_the_tests_is_as_transformers_writes_it(tmp_path):
    assert preprocessing(saved(tmp_path, "vit")) is not None
    assert PROCESSOR["size"] == {"height": SIDE, "width": SIDE}
