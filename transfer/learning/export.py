"""Leaving the tool: checkpoints as transformers reads them, adapters as peft does, with facts.

Folders have names a person can read, such as ``checkpoints/seed-0/epoch-20`` and
``lora/seed-0/epoch-20/fine-tuning-0``. In each stands ``facts.json``: the cell, the images, and
what to put an adapter on.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from peft import PeftModel

from derive.errors import InputError
from numerics.sweep.store import Cell, cell_key
from transfer.images.data import Dataset
from transfer.images.subsets import nested_seed
from transfer.learning.adapt import adapted_model, adapter_path, checkpoint_of
from transfer.learning.checkpoint import identity_of, read_adapter, restore
from transfer.learning.own import quiet
from transfer.learning.pretrain import checkpoint_path, facts_of, source_model
from transfer.learning.training import scale_of

_BYTE = 1 / 255


def export_checkpoints(cell: Cell, source: Dataset, folder: Path, to: Path) -> Iterator[Path]:
    """Write the checkpoints of a pre-training, each as transformers reads it.

    Arguments:
        cell: of a pre-training that is finished.
        source: what it was trained on.
        folder: of the checkpoints.
        to: where they are written.

    Beside each stands ``preprocessor_config.json``, with the normalisation by the source.
    """
    run = cell_key(cell)
    for epoch in cell["pretraining"]["checkpoints"]:
        model = source_model(cell, source)
        restore(model, checkpoint_path(folder, run, epoch), facts_of(cell, run, epoch))
        place = to / checkpoint_name(cell, epoch)
        if source.names:
            model.config.id2label = dict(enumerate(source.names))
            model.config.label2id = {name: label for label, name in enumerate(source.names)}
        with quiet():
            model.save_pretrained(place)
        _write(place / "preprocessor_config.json", _processor(source))
        _write(place / "facts.json", {"epoch": epoch, "images": source.facts, "cell": cell})
        yield place


def export_adapters(
    arm: str, cell: Cell, images: tuple[Dataset, Dataset], folders: tuple[Path, Path], to: Path
) -> Iterator[Path]:
    """Write the adapters and heads of a cell, each as peft reads it.

    Arguments:
        arm: the name of its protocol.
        cell: of a fine-tuning by LoRA that is finished, whose adapters were kept.
        images: the source and the downstream dataset.
        folders: of the checkpoints and of the adapters.
        to: where they are written.

    Raises ``InputError`` for a checkpoint or an adapter that is missing or damaged.
    """
    source, downstream = images
    checkpoint = checkpoint_of(cell, source, folders[0])
    backbone = identity_of(checkpoint)
    base = cell["weights"]["folder"] if "weights" in cell else checkpoint_name(cell)
    for seed in cell["fine_tuning_seeds"]:
        drawn = nested_seed(cell["seed"], seed)
        model = adapted_model(cell, checkpoint, downstream.classes, drawn)
        assert isinstance(model, PeftModel)
        read_adapter(model, adapter_path(folders[1], cell, seed), backbone)
        model.peft_config["default"].base_model_name_or_path = base
        place = to / adapter_name(arm, cell, seed)
        with quiet():
            model.save_pretrained(place)
        facts = {"put on": base, "classes": downstream.classes, "names": list(downstream.names),
                 "fine-tuning seed": seed, "images": downstream.facts, "cell": cell}  # fmt: skip
        _write(place / "facts.json", facts)
        yield place


def checkpoint_name(cell: Cell, epoch: int | None = None) -> str:
    """A checkpoint's folder, under that of the export."""
    number = cell["checkpoint"] if epoch is None else epoch
    return f"checkpoints/seed-{cell['seed']}/epoch-{number}"


def adapter_name(arm: str, cell: Cell, seed: int) -> str:
    """An adapter's folder, under that of the export.

    Arguments:
        arm: a protocol's name.
        cell: of the fine-tuning.
        seed: of its own.
    """
    unit = "step" if "weights" in cell else "epoch"
    words = re.sub(r"[^a-z0-9]+", "-", arm.lower()).strip("-") or "arm"
    return f"{words}/seed-{cell['seed']}/{unit}-{cell['checkpoint']}/fine-tuning-{seed}"


def _processor(source: Dataset) -> dict[str, Any]:
    """How images are made for a checkpoint, as transformers states it."""
    mean, deviation = scale_of(source)
    return {
        "image_processor_type": "ViTImageProcessor", "do_resize": True,
        "size": dict(zip(("height", "width"), source.shape[1:], strict=True)), "resample": 2,
        "do_rescale": True, "rescale_factor": _BYTE, "do_normalize": True,
        "image_mean": [float(value) * _BYTE for value in mean],
        "image_std": [float(value) * _BYTE for value in deviation],
    }  # fmt: skip


def _write(path: Path, content: Mapping[str, Any]) -> None:
    try:
        path.write_text(json.dumps(content, indent=1, default=str) + "\n", encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"{path} cannot be written ({error.strerror}): make room there, or export to another "
            "folder"
        ) from None
