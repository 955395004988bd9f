"""What a transfer task is made of: its records, and the limits of every value.

How they are read, and what has to go together, is the matter of ``task``.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from transfer.experiment.series import Series
from transfer.images.folder import Folder
from transfer.images.shift import LARGEST_NOISE, LARGEST_ROTATION

# What a value may be: beyond these limits a slip is likelier than a wish.
Images = Annotated[int, Meta(ge=1, le=10**8)]
Shots = Annotated[int, Meta(ge=1, le=10**6)]
Batch = Annotated[int, Meta(ge=1, le=10**6)]
Parts = Annotated[int, Meta(ge=1, le=1024)]
Width = Annotated[int, Meta(ge=1, le=2**14)]
SeedCount = Annotated[int, Meta(ge=1, le=100)]
Epochs = Annotated[int, Meta(ge=1, le=10**5)]
Checkpoints = Annotated[
    tuple[Annotated[int, Meta(ge=0, le=10**5)], ...], Meta(min_length=1, max_length=100)
]
Measured = Annotated[tuple[Epochs, ...], Meta(min_length=1, max_length=100)]
Rate = Annotated[float, Meta(gt=0, le=10**9)]
Decay = Annotated[float, Meta(ge=0, le=10**9)]
Pixels = Annotated[int, Meta(ge=0, le=1024)]
Share = Annotated[float, Meta(ge=0, lt=1)]
Rotation = Annotated[float, Meta(ge=0, le=LARGEST_ROTATION)]
Noise = Annotated[float, Meta(ge=0, le=LARGEST_NOISE)]
Targets = (
    Annotated[
        tuple[Literal["query", "key", "value", "output"], ...], Meta(min_length=1, max_length=4)
    ]
    | Literal["all-linear"]
)


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The source: ``dataset``; how many ``images`` of it to train on, balanced, or ``all``."""

    dataset: str
    images: Images | Literal["all"] = "all"


class Downstream(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The downstream task: ``dataset``; ``shots`` per class; its shift by ``rotation``, ``noise``.

    ``rotation`` is in degrees, ``noise`` in units of the full range; see ``transfer.images.shift``.
    """

    dataset: str
    shots: Shots
    rotation: Rotation = 0.0
    noise: Noise = 0.0


class FolderSource(Folder, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The source as a folder of images; ``images`` as in ``Source``."""

    images: Images | Literal["all"] = "all"


class FolderDownstream(Folder, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The downstream task as a folder of images; its other fields as in ``Downstream``."""

    shots: Shots
    rotation: Rotation = 0.0
    noise: Noise = 0.0


class Model(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A vision transformer: side of a ``patch``, ``width``, ``depth``, ``heads``, ``dropout``."""

    patch: Parts
    width: Width
    depth: Parts
    heads: Parts
    dropout: Share = 0.0


PRESETS = {
    "tiny": Model(patch=7, width=64, depth=2, heads=4),
    "paper": Model(patch=4, width=128, depth=6, heads=4, dropout=0.1),
}


class Pretraining(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Pre-training by AdamW with a cosine schedule.

    Fields: ``epochs``; ``checkpoints``, epochs after which one is kept, 0 for the random
    initialisation; ``batch``; ``learning_rate``; ``weight_decay``, of matrices alone; ``warmup``
    and ``validation``, shares of the steps and of the images; ``seeds``, how many runs; ``clip``,
    the largest norm of a gradient, 0 for any; ``flips``, whether images are, to left and right;
    ``crops``, pixels of a frame of zeros out of which they are cut.
    """

    epochs: Epochs
    checkpoints: Checkpoints
    batch: Batch
    learning_rate: Rate
    seeds: SeedCount
    weight_decay: Decay = 0.05
    warmup: Share = 0.05
    validation: Share = 0.1
    clip: Decay = 0.0
    flips: bool = False
    crops: Pixels = 0


class Adaptation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Fine-tuning on the downstream task, the same for every checkpoint.

    Fields: ``method``, ``lora``, ``full`` (all weights), ``probe`` (the head alone) or ``optimum``
    (the head fitted to convergence, which takes no epochs); ``rank``, ``alpha`` and ``targets`` of
    LoRA; ``head``, ``new``, ``kept``, or ``optimum``: fitted to convergence before LoRA alone
    learns; ``measured``, epochs at which test accuracy is measured; ``seeds``, how many runs a
    checkpoint; ``optimiser``, ``adamw`` or ``sgd``, plain, of constant learning rate; the others as
    in ``Pretraining``.
    """

    epochs: Epochs
    measured: Measured
    batch: Batch
    learning_rate: Rate
    seeds: SeedCount
    method: Literal["lora", "full", "probe", "optimum"] = "lora"
    rank: Width = 4
    alpha: Rate = 8.0
    targets: Targets = ("query", "value")
    head: Literal["new", "kept", "optimum"] = "new"
    weight_decay: Decay = 0.01
    warmup: Share = 0.1
    optimiser: Literal["adamw", "sgd"] = "adamw"
    clip: Decay = 0.0
    flips: bool = False
    crops: Pixels = 0


# What is left out of a cell where it is not asked for.
OFF = {"optimiser": "adamw", "clip": 0.0, "flips": False, "crops": 0}


class Task(msgspec.Struct, frozen=True):
    """A transfer task: its ``name`` and ``title``, its parts, and its ``arms``.

    ``arms`` holds the protocols that are compared, by name; the first is the main one. With a
    ``Series`` of one's own checkpoints there is neither a model to build nor a pre-training.
    """

    name: str
    title: str
    source: Source | FolderSource
    downstream: Downstream | FolderDownstream
    model: Model | None
    pretraining: Pretraining | Series
    arms: dict[str, Adaptation]
