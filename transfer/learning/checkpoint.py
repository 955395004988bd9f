"""Checkpoints: tensors in safetensors files, with facts about them, written whole or not at all.

A file says which architecture and run it belongs to, and is refused elsewhere; an adapter says
which backbone it was trained on. A checksum holds tensors and facts together. No pickle is written
or read.
"""

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch
from peft import PeftModel, get_peft_model_state_dict, set_peft_model_state_dict
from safetensors.torch import load, save
from torch import Tensor, nn

from derive.command.files import open_regular, write_all
from derive.errors import InputError, abridged
from numerics.sweep.store import digest_of

Facts = Mapping[str, Any]


def write_tensors(path: Path, tensors: Mapping[str, Tensor], facts: Facts) -> None:
    """Write tensors and facts about them, atomically; raises ``InputError`` if there is no room.

    Arguments:
        path: of the file.
        tensors: by name.
        facts: that JSON can hold.
    """
    content = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    told = json.dumps({**facts, "checksum": _checksum(content, facts)}, sort_keys=True)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_all({path: save(content, {"facts": told})})
    except OSError as error:
        raise InputError(
            f"{path} cannot be written ({error.strerror}): make room there and run the same "
            "command again; what was finished is kept"
        ) from None


def read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read a file of ``write_tensors``; raises ``InputError`` if it is missing or damaged.

    One without a checksum, as files were written before there were any, is accepted.
    """
    try:
        with open_regular(path) as stream:
            content = stream.read()
    except OSError as error:
        raise InputError(
            f"checkpoint {abridged(path)} cannot be read ({error.strerror}): run the same command "
            "again"
        ) from None
    with suppress(Exception):  # a damaged header is text of any kind
        length = int.from_bytes(content[:8], "little")
        header = json.loads(content[8 : 8 + length])
        tensors, facts = load(content), json.loads(header["__metadata__"]["facts"])
        if facts.pop("checksum", None) in (None, _checksum(tensors, facts)):
            return tensors, facts
    raise damaged(path)


def damaged(path: Path) -> InputError:
    """The error to raise for a file that is not as it was written."""
    return InputError(
        f"checkpoint {abridged(path)} is damaged: remove it and run the same command again"
    )


def _checksum(tensors: Mapping[str, Tensor], facts: Facts) -> str:
    arrays = {name: tensor.numpy() for name, tensor in tensors.items()}
    return digest_of({**arrays, "": np.array(json.dumps(dict(facts), sort_keys=True))})


def restore(model: nn.Module, path: Path, expected: Facts) -> None:
    """Load a model's weights.

    Arguments:
        model: of the shape that was kept.
        path: of the file.
        expected: facts that the file must agree with, such as its architecture.

    Raises ``InputError`` for a checkpoint of another architecture or run.
    """
    tensors, facts = read_tensors(path)
    insist_on(path, facts, expected)
    try:
        model.load_state_dict(tensors, strict=True)
    except RuntimeError:
        raise InputError(
            f"checkpoint {abridged(path)} is of another architecture: choose another folder of "
            "results"
        ) from None


def insist_on(path: Path, facts: Facts, expected: Facts) -> None:
    """Raise ``InputError`` unless a file's facts agree with those expected.

    Arguments:
        path: of the file, for the error.
        facts: its own.
        expected: those that it must have.
    """
    for name, value in expected.items():
        if facts.get(name) != json.loads(json.dumps(value)):
            raise InputError(
                f"checkpoint {abridged(path)} has {name} {abridged(facts.get(name))}, the task "
                f"{abridged(value)}: choose another folder of results"
            )


def identity_of(model: nn.Module) -> str:
    """A hash of a model's weights, by name and value."""
    found = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        found.update(name.encode())
        found.update(np.ascontiguousarray(tensor.detach().cpu().numpy()).data)
    return found.hexdigest()[:32]


def write_adapter(model: PeftModel, path: Path, backbone: str, facts: Facts) -> None:
    """Write adapters and head.

    Arguments:
        model: with adapters.
        path: of the file, which is written whole or not at all.
        backbone: the ``identity_of`` the model they were put on.
        facts: what else the file says of them.
    """
    adapter = get_peft_model_state_dict(model)
    write_tensors(path, adapter, {**facts, "backbone": backbone})


def read_adapter(model: PeftModel, path: Path, backbone: str) -> None:
    """Load adapters and head into a model that has adapters of the same shape.

    Arguments:
        model: with adapters.
        path: of the file.
        backbone: the ``identity_of`` the model without them.

    Raises ``InputError`` for an adapter of another backbone or of another shape: loaded there, it
    would give other logits without a word.
    """
    tensors, facts = read_tensors(path)
    if facts.get("backbone") != backbone:
        raise InputError(
            f"adapter {abridged(path)} was trained on another backbone: load that one first"
        )
    own = get_peft_model_state_dict(model)
    if {n: t.shape for n, t in own.items()} != {n: t.shape for n, t in tensors.items()}:
        raise InputError(
            f"adapter {abridged(path)} matches no module here: build the model it was made for"
        )
    set_peft_model_state_dict(model, tensors)


def random_state(device: torch.device) -> dict[str, Tensor]:
    """The state of PyTorch's generators, of the CPU and of the device."""
    states = {"random.cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["random.device"] = torch.cuda.get_rng_state(device)
    return states


def restore_random_state(states: Mapping[str, Tensor], device: torch.device) -> None:
    """Put PyTorch's generators back into a state of ``random_state``."""
    torch.set_rng_state(states["random.cpu"])
    if "random.device" in states:
        torch.cuda.set_rng_state(states["random.device"], device)
