"""A head fitted to convergence on frozen features: what is to be had without touching the backbone.

A head that learns for some epochs falls short of it. The problem is convex, and strictly so by its
weight decay, so that there is one optimum, whatever the start.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax
from torch import Tensor, nn

from derive.errors import InputError
from transfer.experiment.plan import HEAD_DECAY
from transfer.learning.model import VisionModel, heads_of
from transfer.learning.training import Images, batches, precision

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
_GRADIENT = 1e-6  # its largest entry at the optimum: the objective is then within 1e-7
_STEPS = 20_000


@dataclass(frozen=True)
class Head:
    """A linear head: ``weight`` (classes, width), ``bias`` (classes,); its ``loss`` on the shots.

    ``steps`` of L-BFGS led to it, where the largest entry of the gradient is ``gradient``.
    """

    weight: Floats
    bias: Floats
    loss: float
    steps: int
    gradient: float

    def logits(self, features: Floats) -> Floats:
        """Logits (N, classes) of features (N, width)."""
        return features @ self.weight.T + self.bias

    def evaluate(self, features: Floats, labels: Integers) -> tuple[float, float]:
        """Mean cross-entropy and accuracy."""
        logits = self.logits(features)
        loss = -log_softmax(logits, axis=1)[np.arange(len(labels)), labels].mean()
        return float(loss), float((logits.argmax(1) == labels).mean())


def fit_head(features: Floats, labels: Integers, classes: int, decay: float = HEAD_DECAY) -> Head:
    """The head of least mean cross-entropy plus decay/2 times ‖W‖², found by L-BFGS in doubles.

    Arguments:
        features: (N, width), finite.
        labels: (N,), from 0.
        classes: how many.
        decay: above 0, of weights on features that are centred and divided by one number, the root
            of their mean square: it means the same whatever their scale. Biases have none.

    Heuristic: the gradient at the end is small, which is checked, but in floating point.

    Raises ``InputError`` for features that are not finite or all alike, and if L-BFGS does not end.

    >>> head = fit_head(np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0, 0, 1, 1]), 2)
    >>> head.evaluate(np.array([[-1.0], [4.0]]), np.array([0, 1]))[1], head.gradient < 1e-5
    (1.0, True)
    """
    centre = features.mean(axis=0)
    scale = float(np.sqrt(np.mean((features - centre) ** 2)))
    if not 0 < scale < np.inf:
        raise InputError("features are not finite, or all alike: no head can be fitted to them")
    given = np.concatenate([(features - centre) / scale, np.ones((len(features), 1))], axis=1)
    kept = np.full(given.shape[1], decay)
    kept[-1] = 0  # the bias

    start = np.zeros(classes * given.shape[1])
    options = {"maxiter": _STEPS, "maxfun": 2 * _STEPS, "ftol": 0, "gtol": _GRADIENT, "maxcor": 20}
    found = minimize(
        _objective(given, labels, kept), start, jac=True, method="L-BFGS-B", options=options
    )
    weights, size = found.x.reshape(classes, -1), float(np.abs(found.jac).max())
    if not size <= 10 * _GRADIENT:  # where a line search ends by rounding it is a little more
        raise InputError(
            f"no head was found in {found.nit} steps: the gradient is still {size:.1g}; give a "
            f"weight decay above {decay:g}"
        )
    weight = weights[:, :-1] / scale
    head = Head(weight, weights[:, -1] - weight @ centre, np.nan, int(found.nit), size)
    return replace(head, loss=head.evaluate(features, labels)[0])


def _objective(
    given: Floats, labels: Integers, kept: Floats
) -> Callable[[Floats], tuple[float, Floats]]:
    """Value and gradient of what is made small, of all weights in a row."""
    places = np.arange(len(labels))

    def objective(flat: Floats) -> tuple[float, Floats]:
        weights = flat.reshape(-1, given.shape[1])
        logs = log_softmax(given @ weights.T, axis=1)
        slope = np.exp(logs)
        slope[places, labels] -= 1
        value = -logs[places, labels].mean() + 0.5 * (kept * weights**2).sum()
        return float(value), (slope.T @ given / len(labels) + kept * weights).ravel()

    return objective


@torch.no_grad()
def features_of(model: VisionModel, images: Images, index: Tensor) -> Tensor:
    """What the head of a model without dropout reads of some images, shape (N, width), float32.

    Arguments:
        model: left in evaluation mode.
        images: all that there are.
        index: the places of N of them.
    """
    model.eval()
    with precision(images.labels.device):
        parts = [model.features(images.take(index[part])) for part in batches(len(index))]
    return torch.cat(parts).float()


@torch.no_grad()
def put_head(model: VisionModel, head: Head) -> None:
    """Give a model that head: of several on parts of the features, logits are the mean."""
    names = heads_of(model.base)
    parts = np.split(head.weight, len(names), axis=1)
    for name, part in zip(names, parts, strict=True):
        own = model.base.get_submodule(name)
        kept = getattr(own, "modules_to_save", None)  # of peft, beside the original
        linear = own if kept is None else kept["default"]
        assert isinstance(linear, nn.Linear)
        linear.weight.copy_(torch.from_numpy(len(names) * part))
        linear.bias.copy_(torch.from_numpy(head.bias))
