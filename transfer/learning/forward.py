"""Logits as a function of weights: of one model or of several side by side, compiled on a GPU.

Models of one kind share a function, which is compiled once, whatever weights it is given later:
those of every cell of a protocol. What cannot be compiled is computed as it is, and that is said.
"""

import sys
from collections.abc import Callable, Hashable, Mapping
from contextlib import AbstractContextManager, nullcontext
from types import FunctionType

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel

Weights = Mapping[str, Tensor]
Backend = str | Callable[..., object]
# Of PyTorch's compiler, by the kind of device. A CPU gains nothing by one.
BACKENDS: dict[str, Backend] = {"cuda": "inductor"}
_MOST_KINDS = 8  # each keeps a whole model in memory; one that is gone is compiled again
_known: dict[Hashable, "Forward"] = {}


class Forward:
    """Logits of models of one kind.

    Arguments:
        model: one of them, whose own weights are not used.
        several: whether models are side by side; one alone has weights that are not stacked.
        backend: of the compiler, if any.
    """

    def __init__(self, model: nn.Module, several: bool, backend: Backend = "") -> None:
        self._model, self.training = model, False
        self._drops = any(_drops(module) for module in model.modules())
        self._ways = {}
        for shared in (True, False):
            way = _way(model, several, shared)
            self._ways[shared] = Compiled(way, backend) if backend else way
        # PyTorch batches the fused forms of attention on a GPU, but not that of a CPU.
        self._on_gpu, self._several = next(model.parameters()).is_cuda, several

    def __call__(
        self, common: Weights, own: Weights, learning: Weights, images: Tensor, *, shared: bool
    ) -> Tensor:
        """Logits (models, batch, classes); of one model alone (batch, classes).

        Arguments:
            common: weights that all models share.
            own: what else each model has, stacked along a first axis.
            learning: what each model learns, likewise.
            images: (models, batch, ...), or (batch, ...) if they are ``shared``.
            shared: whether all models are given the same.
        """
        with self._attention():
            logits: Tensor = self._ways[shared](common, own, learning, images)
        return logits

    def train(self, mode: bool) -> None:
        """Switch dropout on or off; whoever used the model before may have left it otherwise."""
        self._model.train(mode)
        self.training = mode

    def _attention(self) -> AbstractContextManager[object]:
        """Masks of dropout are drawn for each model by the plain form of attention alone."""
        plain = self._several and (not self._on_gpu or (self._drops and self.training))
        return sdpa_kernel(SDPBackend.MATH) if plain else nullcontext()


def _drops(module: nn.Module) -> bool:
    return bool(
        getattr(module, "attention_dropout", 0) or (isinstance(module, nn.Dropout) and module.p)
    )


def forward_of(model: nn.Module, names: Hashable, several: bool) -> Forward:
    """The function of a model's kind: a known one on a device for which it is compiled.

    Arguments:
        model: on its device.
        names: of the weights: common ones, each model's own, and those that learn.
        several: whether models run side by side.
    """
    device = next(model.parameters()).device
    backend = BACKENDS.get(device.type, "")
    if not backend:
        return Forward(model, several)
    kind = (repr(model), _settings(model), names, several, str(device), backend)
    if kind not in _known:
        if len(_known) == _MOST_KINDS:
            _known.pop(next(iter(_known)))
        _known[kind] = Forward(model, several, backend)
    return _known[kind]


def _settings(model: nn.Module) -> str:
    """What a model's modules do not show: scales, and how attention is computed."""
    told = (
        getattr(part, name, "") for part in model.modules() for name in ("config", "peft_config")
    )
    each = {id(settings): settings for settings in told}  # layers share that of their model
    return "\n".join(map(str, each.values()))


def _way(model: nn.Module, several: bool, shared: bool) -> Callable[..., Tensor]:
    def one(common: Weights, own: Weights, learning: Weights, images: Tensor) -> Tensor:
        logits: Tensor = functional_call(model, {**common, **own, **learning}, (images,))
        return logits

    if not several:
        return one
    places = (None, 0, 0, None if shared else 0)
    side_by_side: Callable[..., Tensor] = vmap(one, in_dims=places, randomness="different")
    return side_by_side


class Compiled:
    """A function of weights and images, compiled; as it is from where that fails on, which is said.

    Each shape is tried forwards and backwards before it is relied on.
    """

    def __init__(self, function: Callable[..., Tensor], backend: Backend) -> None:
        self._plain, self._backend = function, backend
        self._fast: Callable[..., Tensor] | None = None
        self._tried: set[Hashable] = set()

    def __call__(self, *given: object) -> Tensor:
        """The same as that of the function, up to rounding."""
        images = given[-1]
        assert isinstance(images, Tensor)
        shape = (images.shape, torch.is_grad_enabled())
        if self._fast is not self._plain and shape not in self._tried:
            self._try(given, images.device)
            self._tried.add(shape)
        assert self._fast is not None
        return self._fast(*given)

    def _try(self, given: tuple[object, ...], device: torch.device) -> None:
        learning = given[-2]
        assert isinstance(learning, Mapping)
        try:
            self._fast = self._fast or _compiled(self._plain, self._backend)
            with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
                logits = self._fast(*given)
                if logits.requires_grad:
                    torch.autograd.grad(logits.sum(), [*learning.values()], allow_unused=True)
        except torch.OutOfMemoryError:
            raise
        except Exception as error:  # of any kind: from a missing compiler to one's own model
            print(f"not compiled ({type(error).__name__}): slower, the same up to rounding",
                  file=sys.stderr)  # fmt: skip
            self._fast = self._plain


def _compiled(function: Callable[..., Tensor], backend: Backend) -> Callable[..., Tensor]:
    def apart(*given: object) -> Tensor:
        return function(*given)

    # PyTorch keeps few versions of one code; without a code of its own each kind would add to them.
    own = FunctionType(apart.__code__.replace(), globals(), "apart", None, apart.__closure__)
    found: Callable[..., Tensor] = torch.compile(own, backend=backend, dynamic=False)
    return found
