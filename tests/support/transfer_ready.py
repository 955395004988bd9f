"""What a small run makes first, made where it is imported: processes forked later have it."""

from contextlib import suppress

import torch

from derive.errors import InputError
from transfer.experiment.records import Model
from transfer.images.data import load_dataset
from transfer.learning.model import vision_transformer, with_lora

threads = torch.get_num_threads()
torch.set_num_threads(1)  # a process that has started threads cannot be forked safely
for name in ("letters", "mnist"):
    with suppress(InputError):
        load_dataset(name, None, False)  # as a run asks
tiny = Model(patch=14, width=2, depth=1, heads=1, dropout=0.0)
with_lora(vision_transformer(tiny, (1, 28, 28), 2, 0), 1, 1.0, ["query"], 0)
torch.set_num_threads(threads)
