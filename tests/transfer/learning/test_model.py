"""The model: equal logits by two ways, counts by hand, a frozen backbone, heads and adapters."""

import copy
import json

import numpy as np
import pytest
import torch
from peft import PeftModel
from safetensors.torch import save
from torch import nn

from derive.errors import InputError
from transfer.experiment.task import PRESETS, Model
from transfer.learning.checkpoint import (
    identity_of,
    read_adapter,
    read_tensors,
    restore,
    write_adapter,
    write_tensors,
)
from transfer.learning.model import (
    ClassTokenViT,
    attention_projections,
    give_new_head,
    only_head_learns,
    vision_transformer,
    with_lora,
)

SHAPE = (1, 28, 28)
ALL = ("query", "key", "value", "output")
SIZES = [PRESETS["tiny"], Model(patch=14, width=12, depth=1, heads=3), PRESETS["paper"]]


def images(count=5, shape=SHAPE):
    return torch.randn(count, *shape, generator=torch.Generator().manual_seed(1))


def vit(sizes=PRESETS["tiny"], shape=SHAPE, classes=10, seed=0):
    return vision_transformer(sizes, shape, classes, seed)


def shaken(model):
    """The model with every parameter moved, so that no zero hides a mistake."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return model


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("shape", [SHAPE, (3, 28, 28)])
def test_the_class_token_alone_gives_the_logits_of_transformers(sizes, shape):
    model = shaken(vit(sizes, shape)).eval()
    taken = images(shape=shape)
    torch.testing.assert_close(ClassTokenViT(model)(taken), model(taken).logits)
    adapted = shaken(with_lora(model, 2, 4.0, ALL, seed=1)).eval()
    torch.testing.assert_close(ClassTokenViT(adapted)(taken), adapted(taken).logits)


def test_the_class_token_alone_gives_the_gradients_of_transformers():
    model = shaken(vit())
    fast = copy.deepcopy(model)
    model(images()).logits.square().sum().backward()
    ClassTokenViT(fast)(images()).square().sum().backward()
    for (name, one), other in zip(model.named_parameters(), fast.parameters(), strict=True):
        assert one.grad is not None, name
        torch.testing.assert_close(other.grad, one.grad, rtol=1e-3, atol=1e-4)


def test_dropout_is_as_strong_as_in_transformers():
    model = shaken(vit(Model(patch=14, width=16, depth=2, heads=2, dropout=0.2)))
    model.train()
    taken = images(1).expand(4000, -1, -1, -1)
    with torch.no_grad():
        plain, fast = model(taken).logits, ClassTokenViT(model)(taken)
    assert fast.std(dim=0).min() > 0
    torch.testing.assert_close(fast.mean(0), plain.mean(0), rtol=0, atol=0.1)
    torch.testing.assert_close(fast.std(0), plain.std(0), rtol=0.1, atol=0)


def by_hand(sizes, channels, side, classes):
    width, patch = sizes.width, sizes.patch
    tokens = (side // patch) ** 2
    embedding = channels * patch**2 * width + width + width + (tokens + 1) * width
    layer = 4 * (width**2 + width) + 2 * 4 * width**2 + 4 * width + width + 4 * width
    return embedding + sizes.depth * layer + 2 * width + width * classes + classes


@pytest.mark.parametrize("sizes", SIZES)
def test_parameters_as_counted_by_hand(sizes):
    model = vit(sizes, classes=7)
    assert sum(p.numel() for p in model.parameters()) == by_hand(sizes, 1, 28, 7)
    rank, width = 3, sizes.width
    adapted = with_lora(model, rank, 6.0, ("query", "value"), seed=0)
    learning = sum(p.numel() for p in adapted.parameters() if p.requires_grad)
    assert learning == sizes.depth * 2 * rank * 2 * width + width * 7 + 7


@pytest.mark.parametrize("targets", [("query",), ("query", "value"), ALL])
def test_projections_are_found_once_in_every_layer(targets):
    model = vit(PRESETS["paper"])
    found = attention_projections(model, targets)
    assert len(found) == len(set(found)) == 6 * len(targets)
    assert all(isinstance(model.get_submodule(name), nn.Linear) for name in found)


def test_an_adapter_that_matches_no_module_is_one_line():
    model = vit()
    for layer in model.vit.layers:
        layer.attention.renamed = layer.attention.q_proj
        del layer.attention.q_proj
    with pytest.raises(InputError, match="matches 0 modules where 2 were expected"):
        attention_projections(model, ("query",))


def test_adapters_change_nothing_before_they_learn_and_are_seeded():
    model = vit().eval()
    before = model(images()).logits
    one, same, other = (with_lora(copy.deepcopy(model), 2, 4.0, ALL, seed=s) for s in (1, 1, 2))
    torch.testing.assert_close(one.eval()(images()).logits, before, rtol=0, atol=0)
    assert identity_of(one) == identity_of(same) != identity_of(other)


def test_the_update_is_alpha_over_rank_times_b_a():
    model = vit().eval()
    adapted = shaken(with_lora(copy.deepcopy(model), 2, 6.0, ("query",), seed=1)).eval()
    state = adapted.state_dict()
    by_hand = copy.deepcopy(adapted).unload()
    with torch.no_grad():
        for place, layer in enumerate(by_hand.vit.layers):
            name = f"base_model.model.vit.layers.{place}.attention.q_proj.lora_"
            update = state[f"{name}B.default.weight"] @ state[f"{name}A.default.weight"]
            layer.attention.q_proj.weight += 6.0 / 2 * update
        by_hand.classifier = adapted.get_base_model().classifier
        expected = by_hand.eval()(images()).logits
        torch.testing.assert_close(adapted(images()).logits, expected, rtol=1e-4, atol=1e-4)


def learn(model, steps=3):
    network = ClassTokenViT(model).train()
    optimiser = torch.optim.AdamW((p for p in model.parameters() if p.requires_grad), lr=0.05)
    for _ in range(steps):
        optimiser.zero_grad()
        nn.functional.cross_entropy(network(images()), torch.arange(5)).backward()
        optimiser.step()


def test_fine_tuning_leaves_the_backbone_bit_identical_and_moves_the_head():
    model = vit()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    adapted = with_lora(model, 2, 4.0, ("query", "value"), seed=0)
    head = adapted.get_base_model().classifier.weight.detach().clone()
    learn(adapted)
    assert not torch.equal(adapted.get_base_model().classifier.weight, head)
    moved = [
        name for name, tensor in adapted.named_parameters() if "lora_B" in name and tensor.any()
    ]
    assert len(moved) == 4
    for name, tensor in adapted.unload().state_dict().items():
        if "classifier" not in name:
            assert torch.equal(tensor, before[name]), name


def test_a_probe_moves_the_head_alone():
    model = vit()
    only_head_learns(model)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    learn(model)
    changed = {n for n, tensor in model.state_dict().items() if not torch.equal(tensor, before[n])}
    assert changed == {"classifier.weight", "classifier.bias"}


def test_a_new_head_is_new_even_for_as_many_classes_and_seeded():
    model = vit(classes=10)
    old = model.classifier.weight.clone()
    give_new_head(model, 10, seed=1)
    new = model.classifier.weight.clone()
    give_new_head(model, 10, seed=1)
    assert not torch.equal(new, old)
    assert torch.equal(model.classifier.weight, new)
    give_new_head(model, 4, seed=1)
    assert model.eval()(images()).logits.shape == (5, 4)


def test_adapter_and_head_survive_a_round_trip(tmp_path):
    model = vit()
    adapted = with_lora(copy.deepcopy(model), 2, 4.0, ALL, seed=0)
    learn(adapted)
    path = tmp_path / "adapter.safetensors"
    write_adapter(adapted, path, identity_of(model), {})
    other = with_lora(copy.deepcopy(model), 2, 4.0, ALL, seed=9)
    read_adapter(other, path, identity_of(model))
    assert isinstance(other, PeftModel)
    with torch.no_grad():
        assert torch.equal(other.eval()(images()).logits, adapted.eval()(images()).logits)


def test_an_adapter_is_refused_on_another_backbone_or_shape(tmp_path):
    model, foreign = vit(), vit(seed=1)
    path = tmp_path / "adapter.safetensors"
    write_adapter(with_lora(copy.deepcopy(model), 2, 4.0, ALL, 0), path, identity_of(model), {})
    with pytest.raises(InputError, match="trained on another backbone"):
        read_adapter(with_lora(foreign, 2, 4.0, ALL, 0), path, identity_of(vit(seed=1)))
    with pytest.raises(InputError, match="matches no module here"):
        read_adapter(with_lora(copy.deepcopy(model), 3, 4.0, ALL, 0), path, identity_of(model))


def test_a_checkpoint_that_cannot_be_written_says_what_is_kept(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match=r"cannot be written .*; what was finished is kept"):
        write_tensors(tmp_path / "file" / "x.safetensors", {}, {})


def test_a_damaged_checkpoint_is_refused_or_the_same(tmp_path):
    """Flipped bits, in the weights as well as in what is told of them; files of old are read."""
    path, facts = tmp_path / "state.safetensors", {"run": "a", "step": 17, "curves": [0.5, 0.25]}
    tensors = {"w": torch.randn(5, 4), "random.cpu": torch.get_rng_state()[:64]}
    write_tensors(path, tensors, facts)
    whole, stream, refused = path.read_bytes(), np.random.default_rng(0), 0
    for _ in range(400):
        content = bytearray(whole)
        content[stream.integers(len(content))] ^= 1 << int(stream.integers(8))
        path.write_bytes(content)
        try:
            found, told = read_tensors(path)
        except InputError:
            refused += 1
        else:
            assert all((found[name] == tensor).all() for name, tensor in tensors.items())
            assert {name: told[name] for name in facts} == facts
    assert refused > 350
    path.write_bytes(save(tensors, {"facts": json.dumps(facts)}))
    assert read_tensors(path)[1] == facts
    for header in (b"[" * 20_000, b'{"__metadata__": []}', b'{"__metadata__": {"facts": "7"}}'):
        path.write_bytes(len(header).to_bytes(8, "little") + header)
        with pytest.raises(InputError, match="is damaged"):
            read_tensors(path)


def test_checkpoints_of_another_architecture_or_run_and_damaged_ones_are_refused(tmp_path):
    model, path = vit(), tmp_path / "model.safetensors"
    write_tensors(path, model.state_dict(), {"model": "tiny", "run": "a"})
    restore(vit(seed=1), path, {"run": "a"})
    with pytest.raises(InputError, match="has run a, the task b"):
        restore(vit(), path, {"run": "b"})
    with pytest.raises(InputError, match="another architecture"):
        restore(vit(PRESETS["paper"]), path, {})
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(InputError, match="is damaged"):
        restore(vit(), path, {})
    path.write_bytes(b"\x80\x04}q\x00.")  # a pickle
    with pytest.raises(InputError, match="is damaged"):
        restore(vit(), path, {})
    with pytest.raises(InputError, match="cannot be read"):
        restore(vit(), tmp_path / "absent", {})


def test_images_that_are_no_squares_are_refused():
    with pytest.raises(InputError, match="give squares"):
        vision_transformer(Model(patch=7, width=16, depth=1, heads=2), (1, 28, 14), 3, seed=0)
