"""Tiny random models of every architecture, as transformers saves them."""

import json
from importlib.util import find_spec

import torch
from transformers import (
    BeitConfig,
    BeitForImageClassification,
    DeiTConfig,
    DeiTForImageClassification,
    DeiTForImageClassificationWithTeacher,
    Dinov2Config,
    Dinov2ForImageClassification,
    SwinConfig,
    SwinForImageClassification,
    TimmWrapperConfig,
    TimmWrapperForImageClassification,
    ViTConfig,
    ViTForImageClassification,
)

SIDE, LABELS = 16, 3
_SIZES = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
          "intermediate_size": 32, "patch_size": 8}  # fmt: skip
_SWIN = {"embed_dim": 8, "depths": [1, 1], "num_heads": [2, 2], "window_size": 4, "patch_size": 2}
_TIMM = {"architecture": "vit_tiny_patch16_224", "model_args": {
    "img_size": SIDE, "patch_size": 8, "embed_dim": 16, "depth": 2, "num_heads": 2}}  # fmt: skip
# The layers in which attention is of parts, and all linear maps but the head, counted by hand.
ARCHITECTURES = {
    "vit": (ViTForImageClassification, ViTConfig, _SIZES, 2, 12),
    "deit": (DeiTForImageClassification, DeiTConfig, _SIZES, 2, 12),
    "deit-teacher": (DeiTForImageClassificationWithTeacher, DeiTConfig, _SIZES, 2, 12),
    "beit": (BeitForImageClassification, BeitConfig, _SIZES, 2, 12),
    "dinov2": (Dinov2ForImageClassification, Dinov2Config, _SIZES, 2, 12),
    "swin": (SwinForImageClassification, SwinConfig, _SWIN, 2, 13),
}
if find_spec("timm"):
    ARCHITECTURES["timm"] = (TimmWrapperForImageClassification, TimmWrapperConfig, _TIMM, 0, 8)
PROCESSOR = {
    "do_resize": True, "size": {"height": SIDE, "width": SIDE}, "resample": 3,
    "do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": True,
    "image_mean": [0.5, 0.4, 0.3], "image_std": [0.25, 0.5, 0.2],
}  # fmt: skip


def own_model(name, seed=0, **changes):
    """A random model, every parameter of which is moved, so that no zero hides a mistake."""
    kind, config, sizes, *_ = ARCHITECTURES[name]
    shape = {} if name == "timm" else {"image_size": SIDE, "num_channels": 3}
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        model = kind(config(num_labels=LABELS, **shape, **sizes, **changes))
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model.eval()


def saved(folder, name, seed=0, processor=PROCESSOR, **changes):
    """A folder with such a model, and what says how its images are made."""
    own_model(name, seed, **changes).save_pretrained(folder)
    if processor:
        (folder / "preprocessor_config.json").write_text(json.dumps(processor))
    return folder
