"""The vision transformer, its adapters and its head.

Models come from ``transformers``, adapters from ``peft``. ``ClassTokenViT`` computes the same
logits as either faster: the last layer serves the class token alone, for nothing else is read.
"""

import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from torch import Tensor, nn
from transformers import PreTrainedModel, ViTConfig, ViTForImageClassification

from derive.errors import InputError
from transfer.experiment.records import Model

# How releases of transformers name the attention projections, by what they are.
_PROJECTIONS = {
    "query": ("q_proj", "attention.query"),
    "key": ("k_proj", "attention.key"),
    "value": ("v_proj", "attention.value"),
    "output": ("o_proj", "attention.output.dense"),
}


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw from PyTorch's generators as if just seeded; that of the CPU comes back after."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def vision_transformer(
    model: Model, shape: tuple[int, int, int], classes: int, seed: int
) -> ViTForImageClassification:
    """A randomly initialised ViT in float32.

    Arguments:
        model: its sizes.
        shape: channels, height and width of an image.
        classes: number of them.
        seed: of the initialisation, which does not depend on the device.

    Raises ``InputError`` for images that are no squares.
    """
    if shape[1] != shape[2]:
        raise InputError(f"images of {shape[1]} x {shape[2]} pixels were given: give squares")
    config = ViTConfig(
        image_size=shape[1],
        num_channels=shape[0],
        patch_size=model.patch,
        hidden_size=model.width,
        num_hidden_layers=model.depth,
        num_attention_heads=model.heads,
        intermediate_size=4 * model.width,
        hidden_dropout_prob=model.dropout,
        attention_probs_dropout_prob=model.dropout,
        num_labels=classes,
    )
    with seeded(seed):
        return ViTForImageClassification(config).float()


def heads_of(model: PreTrainedModel) -> list[str]:
    """Names of the linear maps that give the logits: one, or two of a DeiT with teacher.

    Raises ``InputError`` if there is none outside of the backbone, or none that a model of timm
    names as its own.
    """
    backbone, inside = f"{model.base_model_prefix}.", _heads_inside(model)
    found = [
        name.removesuffix(".original_module")  # beside which peft keeps the one that learns
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear)
        and (id(module) in inside if inside is not None else not name.startswith(backbone))
        and ".modules_to_save." not in name
        and module.out_features == model.config.num_labels
    ]
    if not found:
        raise InputError(
            f"{type(model).__name__} has no linear head of {model.config.num_labels} classes "
            "outside of its backbone: give a model for image classification with one"
        )
    return found


def _heads_inside(model: PreTrainedModel) -> set[int] | None:
    """Which modules are heads of a model of timm, whose head lies within; ``None`` of others."""
    inner = getattr(model, "timm_model", None)
    if inner is None:
        return None
    own = inner.get_classifier()
    return {id(part) for head in (own if isinstance(own, tuple) else (own,))
            for part in head.modules()}  # fmt: skip


def give_new_head(model: PreTrainedModel, classes: int, seed: int) -> None:
    """Replace the head by a random one, even where the number of classes stays the same.

    Arguments:
        model: is changed.
        classes: that it tells apart.
        seed: of the random weights.
    """
    names, deviation = heads_of(model), getattr(model.config, "initializer_range", 0.02)
    with seeded(seed):
        for name in names:
            old = model.get_submodule(name)
            head = nn.Linear(old.in_features, classes)
            nn.init.trunc_normal_(head.weight, std=deviation)
            nn.init.zeros_(head.bias)
            parent, _, own = name.rpartition(".")
            setattr(model.get_submodule(parent), own, head.to(old.weight.device))
    model.config.num_labels = model.num_labels = classes


def attention_projections(model: PreTrainedModel, targets: Sequence[str]) -> list[str]:
    """Names of the attention projections of a transformer, found by looking at it.

    Arguments:
        targets: of ``query``, ``key``, ``value``, ``output``; or ``all-linear``, all linear maps
            but the head.

    Raises ``InputError`` unless there is exactly one of each in every layer, or any linear map: in
    models of timm query, key and value are one map.
    """
    if targets == "all-linear":
        return _all_linear(model)
    stages = getattr(model.config, "depths", None)  # of a Swin
    layers = sum(stages) if stages else getattr(model.config, "num_hidden_layers", 0)
    found = [
        name
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear) and "attention" in name
        for target in targets
        if name.endswith(_PROJECTIONS[target])
    ]
    if not found or len(found) != layers * len(targets):
        raise InputError(
            f"{', '.join(targets) or 'no target'}: the adapter matches {len(found)} modules where "
            f"{layers * len(targets) or 'some'} were expected; give targets = 'all-linear', or use "
            "the pinned version of transformers"
        )
    return found


def _all_linear(model: PreTrainedModel) -> list[str]:
    heads = heads_of(model)
    linear = [name for name, module in model.named_modules() if isinstance(module, nn.Linear)]
    if not (found := [name for name in linear if name not in heads]):
        raise InputError(f"{type(model).__name__} has no linear map but its head: give no LoRA")
    return found


def with_lora(
    model: PreTrainedModel, rank: int, alpha: float, targets: Sequence[str], seed: int
) -> PeftModel:
    """Put LoRA on linear maps; adapters and head learn, the backbone is frozen.

    Arguments:
        model: which is changed.
        rank: of the update, ≥ 1.
        alpha: scale: the update is alpha/rank B A.
        targets: as in ``attention_projections``.
        seed: of A.

    B begins at zero, so that the logits do not change.
    """
    config = LoraConfig(
        r=rank,
        lora_alpha=alpha,
        target_modules=attention_projections(model, targets),
        modules_to_save=heads_of(model),  # or the head would neither learn nor be saved
    )
    with seeded(seed), warnings.catch_warnings():
        # peft asks transformers by a name that is on its way out.
        warnings.filterwarnings("ignore", ".*gradient_checkpointing.*", FutureWarning)
        return get_peft_model(model, config)


def only_head_learns(model: PreTrainedModel) -> None:
    """Freeze everything but the head."""
    model.requires_grad_(False)
    for name in heads_of(model):
        model.get_submodule(name).requires_grad_(True)


class VisionModel(nn.Module, ABC):
    """A transformer, with or without adapters, as what learns: images to logits.

    ``features`` is what its head reads.
    """

    def __init__(self, model: PreTrainedModel | PeftModel) -> None:
        super().__init__()
        self.model = model

    @property
    def base(self) -> PreTrainedModel:
        """The transformer itself, in which adapters and head are in their places."""
        return self.model.get_base_model() if isinstance(self.model, PeftModel) else self.model

    @property
    @abstractmethod
    def head(self) -> nn.Module:
        """The head alone."""

    @abstractmethod
    def features(self, images: Tensor) -> Tensor:
        """What the head reads of images as the model takes them, an image a row."""


class ClassTokenViT(VisionModel):
    """A ViT that computes the last layer for the class token alone.

    The head reads nothing but the class token's last state, so that the other tokens need no
    query, output or perceptron in the last layer: the same logits for less work.
    """

    @property
    def head(self) -> nn.Module:
        """The head alone."""
        head: nn.Module = self.base.classifier
        return head

    def features(self, images: Tensor) -> Tensor:
        """States of the class token, shape (batch, width), for images as the model takes them."""
        vit = self.base.vit
        tokens = vit.embeddings(images)
        for layer in vit.layers[:-1]:
            tokens = layer(tokens)
        return vit.layernorm(_class_token(vit.layers[-1], tokens))[:, 0]

    def forward(self, images: Tensor) -> Tensor:
        """Logits, shape (batch, classes)."""
        return self.base.classifier(self.features(images))


def _class_token(layer: nn.Module, tokens: Tensor) -> Tensor:
    """What a layer of a ViT makes of its first token; shape (batch, 1, width)."""
    attention: nn.Module = layer.attention
    batch = len(tokens)
    normal = layer.layernorm_before(tokens)
    heads = (attention.num_attention_heads, attention.head_dim)

    def split(states: Tensor) -> Tensor:
        return states.view(batch, -1, *heads).transpose(1, 2)

    read = nn.functional.scaled_dot_product_attention(
        split(attention.q_proj(normal[:, :1])),
        split(attention.k_proj(normal)),
        split(attention.v_proj(normal)),
        dropout_p=attention.attention_dropout if layer.training else 0.0,
        scale=attention.scaling,
    )
    gathered = attention.o_proj(read.transpose(1, 2).reshape(batch, 1, -1))
    first = tokens[:, :1] + layer.dropout(gathered)
    return first + layer.dropout(layer.mlp(layer.layernorm_after(first)))
