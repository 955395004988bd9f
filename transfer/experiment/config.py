"""What the files of a checkpoint say: its kind and classes, and how its images are made.

Written by transformers in ``config.json`` and ``preprocessor_config.json``; a model of timm says
both in its own terms.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from derive.errors import InputError, abridged, told_by

_LARGEST_CONFIG = 10**6  # bytes
_WARPED_FROM = 384  # ConvNeXT crops nothing from this side on
_OTHERWISE = (
    "Donut", "EfficientNet", "Levit", "MobileViT", "Perceiver", "PoolFormer", "PPLCNet", "TextNet",
)  # fmt: skip
_SQUARE = ("Beit", "DeiT", "Flava", "Pvt", "ViT")  # take one number for both sides
_RESAMPLES = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic"}


def read_json(path: Path) -> dict[str, Any]:
    """A small file of JSON, of one object; raises ``InputError`` for any other."""
    try:
        with path.open("rb") as stream:
            content = json.loads(stream.read(_LARGEST_CONFIG))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(
            f"{abridged(path)} cannot be read as JSON ({told_by(error)}): save it again"
        ) from None
    if not isinstance(content, dict):
        raise InputError(f"{abridged(path)} holds no object of JSON: save it again")
    return content


def configuration(folder: Path) -> tuple[str, int, int, tuple[str, ...]]:
    """Kind, channels, side, and names of the classes, where ``LABEL_0`` is none."""
    content = read_json(folder / "config.json")
    try:
        if content.get("model_type") == "timm_wrapper":
            content = _in_terms_of_transformers(content)
        side = content.get("image_size", 0)
        if isinstance(side, Sequence) and len(set(side)) == 1:
            side = side[0]
        labels = content.get("id2label") or {"0": "LABEL_0", "1": "LABEL_1"}  # which is left out
        names = tuple(str(labels[str(place)]) for place in range(len(labels)))
        kind = str((content.get("architectures") or [""])[0])
        return kind, int(content.get("num_channels", 3)), int(side), names
    except (AttributeError, KeyError, TypeError, ValueError):
        raise InputError(
            f"{abridged(folder)}: config.json has an image_size that is no square, or labels that "
            "are not numbered from 0: save it again with transformers"
        ) from None


def _in_terms_of_transformers(content: dict[str, Any]) -> dict[str, Any]:
    """The configuration of a model of timm as that of others."""
    told, made = (content.get(name) or {} for name in ("pretrained_cfg", "model_args"))
    channels, side, _ = told.get("input_size", (3, 0, 0))
    names = content.get("label_names") or [
        f"LABEL_{place}" for place in range(int(content.get("num_classes", 0)))
    ]
    return {
        "architectures": [content.get("architecture")],
        "num_channels": made.get("in_chans", channels), "image_size": made.get("img_size", side),
        "id2label": {str(place): name for place, name in enumerate(names)},
    }  # fmt: skip


def preprocessing(folder: Path) -> dict[str, Any] | None:
    """What ``preprocessor_config.json`` says of images, as ``Folder`` names it; ``None`` if none.

    Without that file a model of timm says it in its configuration. ``mean`` and ``deviation`` are
    of pixels from 0 to 1. What is not a square in the end, and what is not resized, is left to the
    task.
    """
    path = folder / "preprocessor_config.json"
    content = read_json(path if path.is_file() else folder / "config.json")
    of_timm = content.get("data_config" if path.is_file() else "pretrained_cfg")
    if (kind := _kind(content)).startswith(_OTHERWISE):
        raise InputError(
            f"{abridged(folder)}: {abridged(kind)} makes images in a way of its own: remove "
            f"{path.name} and state size, mean and deviation in the task"
        )
    try:
        if isinstance(of_timm, dict) and "mean" in of_timm:
            return _of_timm(of_timm)
        return {**_normalisation(content), **_sizes(content)} if path.is_file() else None
    except (KeyError, TypeError, ValueError, AttributeError):
        raise InputError(
            f"{abridged(folder)}: {path.name} is not as transformers writes it: mend it, or "
            "remove it and state size, mean and deviation in the task"
        ) from None


def _of_timm(told: Mapping[str, Any]) -> dict[str, Any]:
    """The shorter side becomes the image's over ``crop_pct``, and the centre is cut out."""
    side, method = _one_of(*told["input_size"][1:]), told.get("interpolation", "bicubic")
    if method not in _RESAMPLES.values():
        raise ValueError
    return {
        "mean": tuple(map(float, told["mean"])), "deviation": tuple(map(float, told["std"])),
        "size": side, "fit": "crop", "shorter": int(side / float(told.get("crop_pct") or 1)),
        "resample": method,
    }  # fmt: skip


def _normalisation(content: Mapping[str, Any]) -> dict[str, Any]:
    factor = float(content.get("rescale_factor", 1 / 255)) if content.get("do_rescale", True) else 1
    mean, deviation = (
        [float(value) for value in content[name]] if content.get("do_normalize", True) else [other]
        for name, other in (("image_mean", 0.0), ("image_std", 1.0))
    )
    units = 255 * factor  # of what is normalised, as a multiple of pixels from 0 to 1
    return {
        "mean": tuple(m / units for m in mean),
        "deviation": tuple(d / units for d in deviation),
    }


def _sizes(content: Mapping[str, Any]) -> dict[str, Any]:
    """Size, fit and resampling of a folder of images."""
    size, crop = content.get("size"), content.get("crop_size")
    if not content.get("do_resize", True) or size is None:
        return {}
    given: dict[str, Any] = {"resample": _RESAMPLES[int(content.get("resample", 2))]}
    shorter = size if isinstance(size, int) else size.get("shortest_edge", 0)
    if content.get("do_center_crop") and crop is not None:
        side = crop if isinstance(crop, int) else _one_of(crop["height"], crop["width"])
        of_both = not shorter or (isinstance(size, int) and _kind(content).startswith(_SQUARE))
        whole = _one_of(*((shorter, shorter) if shorter else (size["height"], size["width"])))
        cut: dict[str, Any] = {} if of_both and whole == side else {"shorter": whole}
        return {**given, "size": side, "fit": "stretch" if of_both else "crop", **cut}
    if "crop_pct" in content:  # of ConvNeXT
        cut = {"fit": "crop", "shorter": int(shorter / content["crop_pct"])}
        return {**given, "size": shorter, **(cut if shorter < _WARPED_FROM else {"fit": "stretch"})}
    if shorter:
        return {**given, "size": shorter, "fit": "stretch" if isinstance(size, int) else "crop"}
    return {**given, "size": _one_of(size["height"], size["width"]), "fit": "stretch"}


def _kind(content: Mapping[str, Any]) -> str:
    """Whose processor it is, as new and as old releases of transformers name it."""
    return str(content.get("image_processor_type") or content.get("feature_extractor_type") or "")


def _one_of(height: int, width: int) -> int:
    """The side of a square; raises ``ValueError`` for what is none."""
    if height != width or height < 1:
        raise ValueError
    return int(height)
