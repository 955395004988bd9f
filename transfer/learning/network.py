"""What learns: one model, or several of one kind side by side, as one thing with stacked losses."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from transfer.learning.forward import BACKENDS, Forward, forward_of


class Network:
    """What learns: a model; its losses and logits are stacked along a first axis, of length 1."""

    def __init__(self, model: nn.Module) -> None:
        self.size = 1
        self._models: Sequence[nn.Module] = (model,)
        self._forward: Forward | None = None
        if BACKENDS.get(next(model.parameters()).device.type):
            learning = self.learning()
            self._common = {n: w for n, w in _weights(model).items() if n not in learning}
            self._forward = forward_of(model, (tuple(self._common), tuple(learning)), False)

    def learning(self) -> dict[str, nn.Parameter]:
        """What the optimiser changes, by name: those parameters that are not frozen."""
        return {n: p for n, p in self._models[0].named_parameters() if p.requires_grad}

    def parameters(self) -> list[nn.Parameter]:
        """What the optimiser changes."""
        return list(self.learning().values())

    def slices(self, parameter: Tensor) -> Tensor:
        """A parameter, or its gradient, of each model, along a first axis."""
        return parameter[None]

    def logits(self, images: Tensor, shared: bool) -> Tensor:
        """Logits (size, batch, classes); of images (size, batch, ...), ``shared`` (batch, ...)."""
        (model,), taken = self._models, images if shared else images[0]
        if self._forward is None:
            logits: Tensor = model(taken)
            return logits[None]
        return self._forward(self._common, {}, self.learning(), taken, shared=True)[None]

    def train(self, mode: bool) -> None:
        """Switch dropout on or off."""
        self._models[0].train(mode)
        if self._forward is not None:
            self._forward.train(mode)

    def finite(self) -> Tensor:
        """Whether all that each model has learnt is finite, shape (size,)."""
        parts = [self.slices(p).isfinite().reshape(self.size, -1) for p in self.parameters()]
        return torch.cat(parts, dim=1).all(1)

    def clip(self, largest: float) -> None:
        """Shorten each model's gradient to that norm, all its parameters taken together."""
        gradients = [self.slices(p.grad) for p in self.parameters() if p.grad is not None]
        squares = torch.cat([g.reshape(self.size, -1) for g in gradients], dim=1).square().sum(1)
        factor = (largest / squares.sqrt().clamp(min=largest)).nan_to_num(nan=1.0)
        for gradient in gradients:
            gradient *= factor.view(-1, *[1] * (gradient.ndim - 1))

    def write_back(self) -> None:
        """Give every model what it has learnt: one has it already."""


def _weights(model: nn.Module) -> dict[str, Tensor]:
    """All that a model's logits depend on but its images, by name."""
    return {**dict(model.named_parameters()), **dict(model.named_buffers())}


class Together(Network):
    """Models of one kind, learning side by side in one pass.

    What learns is stacked, what is frozen is shared if it is the same, as it is for models of one
    checkpoint; the optimiser works entry by entry, so each model learns as it would alone, up to
    rounding, and to the masks if there is dropout. ``write_back`` gives the models what was learnt.
    """

    def __init__(self, models: Sequence[nn.Module]) -> None:
        self.size, self._models = len(models), models
        each = [_weights(model) for model in models]
        learning = super().learning()
        self._stacked = {
            n: nn.Parameter(torch.stack([weights[n].detach() for weights in each]))
            for n in learning
        }
        self._common, self._own = dict[str, Tensor](), dict[str, Tensor]()
        for name in [name for name in each[0] if name not in learning]:
            values = [weights[name].detach() for weights in each]
            if all(value.equal(values[0]) for value in values[1:]):
                self._common[name] = values[0]
            else:
                self._own[name] = torch.stack(values)
        names = (tuple(self._common), tuple(self._own), tuple(self._stacked))
        self._side_by_side = forward_of(models[0], names, True)

    def learning(self) -> dict[str, nn.Parameter]:
        """The stacks."""
        return self._stacked

    def slices(self, parameter: Tensor) -> Tensor:
        """The stack itself."""
        return parameter

    def logits(self, images: Tensor, shared: bool) -> Tensor:
        """Logits (size, batch, classes)."""
        given = self._common, self._own, self._stacked, images
        return self._side_by_side(*given, shared=shared)

    def train(self, mode: bool) -> None:
        """Switch dropout on or off."""
        self._side_by_side.train(mode)

    def refused(self, images: Tensor) -> str:
        """Why these models cannot learn side by side, each from its images; empty if they can."""
        plain = Forward(self._models[0], True)
        plain.train(True)
        given = self._common, self._own, self._stacked, images
        try:
            with torch.random.fork_rng(devices=[images.device] if images.is_cuda else []):
                logits = plain(*given, shared=False)
                torch.autograd.grad(logits.sum(), self.parameters(), allow_unused=True)
        except torch.OutOfMemoryError:
            raise
        except Exception as error:  # of any kind: each operation of a model's has its own
            return type(error).__name__
        finally:
            self._side_by_side.train(self._side_by_side.training)
        return ""

    @torch.no_grad()
    def write_back(self) -> None:
        """Give every model its own slice of what was learnt."""
        for place, model in enumerate(self._models):
            for name, parameter in model.named_parameters():
                if name in self._stacked:
                    parameter.copy_(self._stacked[name][place])
