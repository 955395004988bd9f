"""What is found of a checkpoint in seconds, before it is adapted: a converged head, and baselines.

The model is run once on the images of all parts. What is found on each part is of its images alone.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from transfer.images.subsets import Part
from transfer.learning.head import features_of, fit_head
from transfer.learning.model import VisionModel
from transfer.learning.scores import leep, logme
from transfer.learning.training import Images

SCORES = ("loss", "accuracy", "leep", "logme")


def scores_of(
    model: VisionModel, images: Images, parts: Sequence[Part], classes: int
) -> dict[str, NDArray[np.float64]]:
    """Scores of a model for a task, each once for every part.

    Arguments:
        model: with the head it was pre-trained with.
        images: labelled images of the task.
        parts: of these.
        classes: of the task.

    ``loss`` of the converged head on its shots, its ``accuracy`` on images held out, ``leep`` and
    ``logme`` on both together. Not a number for a model whose features are none.
    """
    used = np.unique(np.concatenate([np.r_[part.shots, part.held_out] for part in parts]))
    index = torch.from_numpy(used).to(images.labels.device)
    features = features_of(model, images, index)
    with torch.no_grad():
        chances = model.head(features).double().softmax(-1).cpu().numpy()
    values, labels = features.double().cpu().numpy(), images.labels[index].cpu().numpy()
    found = {name: np.full(len(parts), np.nan) for name in SCORES}
    if not np.isfinite(values).all() or not np.isfinite(chances).all():
        return found
    for number, part in enumerate(parts):
        shots, held = (np.searchsorted(used, each) for each in (part.shots, part.held_out))
        head, both = fit_head(values[shots], labels[shots], classes), np.r_[shots, held]
        found["loss"][number] = head.loss
        found["accuracy"][number] = head.evaluate(values[held], labels[held])[1]
        found["leep"][number] = leep(chances[both], labels[both], classes)
        found["logme"][number] = logme(values[both], labels[both], classes)
    return found
