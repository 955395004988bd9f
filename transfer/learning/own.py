"""Models of one's own: any for image classification that transformers saved, and their logits.

Weights are read from safetensors alone, from a folder of this machine, and no code of a model's is
run.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from huggingface_hub.errors import StrictDataclassError
from peft import PeftModel
from safetensors import SafetensorError
from torch import Tensor, nn
from transformers import AutoModelForImageClassification, PreTrainedModel, ViTForImageClassification
from transformers.utils import logging

from derive.errors import InputError, abridged, told_by
from numerics.sweep.store import Arrays, Cell
from transfer.experiment.plan import EACH_CHECKPOINT
from transfer.experiment.series import digest_of_weights, weights_of
from transfer.images.data import Dataset
from transfer.learning.model import ClassTokenViT, VisionModel, heads_of
from transfer.learning.network import Network
from transfer.learning.training import evaluate, normalised

# What transformers raises of a folder whose configuration or weights are damaged, or not its own.
_RAISED = (ArithmeticError, AttributeError, ImportError, LookupError, OSError, RuntimeError,
           TypeError, ValueError, SafetensorError, StrictDataclassError)  # fmt: skip
_TRIED = 2  # images on which two ways to the logits are compared


def load_own(folder: Path, digest: str = "") -> PreTrainedModel:
    """A model for image classification from a folder that ``save_pretrained`` wrote, in float32.

    Arguments:
        folder: as a library wrote it.
        digest: that its content has to have, if any.

    Raises ``InputError`` for a folder without safetensors, one whose content has changed, a model
    that is none for image classification, and one of which weights are missing.
    """
    if digest and digest_of_weights(folder) != digest:
        raise InputError(
            f"{abridged(folder)} holds another model here than where the run was started: give "
            "that one back"
        )
    if not weights_of(folder):
        raise InputError(f"{abridged(folder)} holds no model.safetensors: no pickle is loaded")
    try:
        with quiet():
            model, told = AutoModelForImageClassification.from_pretrained(
                folder, local_files_only=True, use_safetensors=True, trust_remote_code=False,
                dtype=torch.float32, output_loading_info=True,
            )  # fmt: skip
    except _RAISED as error:
        reason = told_by(error)
        raise InputError(
            f"{abridged(folder)} cannot be loaded ({reason}): give a model for image "
            "classification, as transformers' save_pretrained writes it"
        ) from None
    missing = sorted(told["missing_keys"]) + sorted(map(str, told["mismatched_keys"]))
    if missing:
        raise InputError(
            f"{abridged(folder)} lacks {len(missing)} weights, {abridged(missing[0])} among them: "
            "they would be random; give a model that was trained to classify images"
        )
    return model


@contextmanager
def quiet() -> Iterator[None]:
    """Without the bars and reports of transformers: what matters is raised."""
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


class Classifier(VisionModel):
    """Any model for image classification.

    ``features`` is what its heads read, side by side; ``head`` makes logits of it.
    """

    def __init__(self, model: PreTrainedModel | PeftModel) -> None:
        super().__init__(model)
        self._heads = heads_of(self.base)

    @property
    def head(self) -> nn.Module:
        """The head alone."""
        return Heads([self.base.get_submodule(name) for name in self._heads])

    def features(self, images: Tensor) -> Tensor:
        """What the heads read, shape (batch, heads x width)."""
        read: dict[str, Tensor] = {}

        def keep(name: str, given: Tensor) -> None:
            read[name] = given

        hooks = [
            self.base.get_submodule(name).register_forward_pre_hook(
                lambda _, given, name=name: keep(name, given[0])
            )
            for name in self._heads
        ]
        try:
            self(images)
        finally:
            for hook in hooks:
                hook.remove()
        return torch.cat([read[name] for name in self._heads], dim=-1)

    def forward(self, images: Tensor) -> Tensor:
        """Logits, shape (batch, classes)."""
        logits: Tensor = self.base(pixel_values=images).logits
        return logits


class Heads(nn.Module):
    """The heads of a model, each on its own part of the features: the mean of their logits."""

    def __init__(self, heads: list[nn.Linear]) -> None:
        super().__init__()
        self.heads = nn.ModuleList(heads)

    def forward(self, features: Tensor) -> Tensor:
        """Logits, shape (batch, classes)."""
        parts = features.chunk(len(self.heads), dim=-1)
        logits = [head(part) for head, part in zip(self.heads, parts, strict=True)]
        return torch.stack(logits).mean(0) if len(logits) > 1 else logits[0]


@torch.no_grad()
def classifier_of(model: PreTrainedModel | PeftModel) -> VisionModel:
    """The model as images to logits: by the class token alone only if that gives equal logits.

    It is tried for a ViT, on random images.
    """
    plain = Classifier(model)
    if type(plain.base) is not ViTForImageClassification:
        return plain
    config = plain.base.config
    shape = (_TRIED, config.num_channels, config.image_size, config.image_size)
    images = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    fast, training = ClassTokenViT(model), model.training
    model.eval()
    try:
        logits, other = (way(images.to(model.device)) for way in (plain, fast))
    except (AttributeError, RuntimeError):  # a release that builds a ViT in another way
        return plain
    finally:
        model.train(training)
    if not logits.isfinite().all():  # of a model that has diverged
        return plain
    same = torch.allclose(logits, other, rtol=1e-4, atol=1e-5 * float(logits.abs().max()))
    return fast if same else plain


def measure_cell(cell: Cell, source: Dataset, here: Path, device: torch.device) -> Arrays:
    """Loss and accuracy of a run's checkpoints on the test images of the source.

    Arguments:
        cell: as ``plan`` makes it, of the kind ``series``.
        source: images of the source.
        here: relative folders are in it.
        device: to compute on.

    Raises ``InputError`` as ``load_own`` does.
    """
    test = normalised(source.test, source, device, cell["scale"])
    values = np.full((len(EACH_CHECKPOINT), len(cell["weights"])), np.nan)
    for place, weights in enumerate(cell["weights"]):
        model = load_own(here / weights["folder"], weights["digest"]).to(device)
        values[:, place] = [value.item() for value in evaluate(Network(classifier_of(model)), test)]
    return dict(zip(EACH_CHECKPOINT, values, strict=True))
