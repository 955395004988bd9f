"""Models of one's own: loaded as saved, heads, targets and features found, nothing unpickled."""

import copy
import json
from importlib.util import find_spec

import pytest
import torch
from own_models import ARCHITECTURES, LABELS, SIDE, own_model, saved
from transformers import MobileNetV1Config, MobileNetV1ForImageClassification

from derive.errors import InputError
from transfer.learning.model import (
    ClassTokenViT,
    attention_projections,
    give_new_head,
    heads_of,
    only_head_learns,
    with_lora,
)
from transfer.learning.own import Classifier, classifier_of, load_own

IMAGES = torch.randn(4, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
ALL = ("query", "key", "value", "output")


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_what_was_saved_is_loaded(name, tmp_path, capfd):
    loaded = load_own(saved(tmp_path, name))
    assert type(loaded) is ARCHITECTURES[name][0]
    torch.testing.assert_close(loaded(IMAGES).logits, own_model(name)(IMAGES).logits)
    err = capfd.readouterr().err
    assert "Loading" not in err


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_targets_are_counted(name):
    model = own_model(name)
    layers, linear = ARCHITECTURES[name][3:]
    if layers:
        assert len(attention_projections(model, ALL)) == 4 * layers
        assert len(attention_projections(model, ("value",))) == layers
    else:  # of timm: one map for all of them
        with pytest.raises(InputError, match="give targets = 'all-linear'"):
            attention_projections(model, ("value",))
    assert len(attention_projections(model, "all-linear")) == linear
    assert not set(heads_of(model)) & set(attention_projections(model, "all-linear"))


def test_none_of_no_projections_is_none_that_was_expected():
    """A model without attention says no number of layers: 0 of 0 is not all of them."""
    config = MobileNetV1Config(num_labels=LABELS, depth_multiplier=0.25)
    with pytest.raises(InputError, match="matches 0 modules where some were expected"):
        attention_projections(MobileNetV1ForImageClassification(config), ("query", "value"))


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_head_on_the_features_gives_the_logits(name):
    model = own_model(name)
    whole = classifier_of(model)
    torch.testing.assert_close(whole.head(whole.features(IMAGES)), model(IMAGES).logits)
    assert isinstance(whole, ClassTokenViT if name == "vit" else Classifier)


@pytest.mark.parametrize("name", ARCHITECTURES)
@pytest.mark.parametrize("targets", [("query", "value"), "all-linear"])
def test_adapters_begin_at_the_logits_of_the_model_and_change_them(name, targets):
    if targets != "all-linear" and not ARCHITECTURES[name][3]:
        pytest.skip("query and value are one map")
    model = own_model(name)
    give_new_head(model, 5, seed=3)
    before = model(IMAGES).logits
    adapted = with_lora(copy.deepcopy(model), 2, 4.0, targets, seed=1).eval()
    whole = classifier_of(adapted)
    assert before.shape == (4, 5)
    torch.testing.assert_close(whole(IMAGES), before)
    learns = {n for n, p in adapted.named_parameters() if p.requires_grad}
    heads = {n for n in learns if "lora_" not in n}
    assert len(heads) == 2 * len(heads_of(model))  # weights and biases
    with torch.no_grad():
        for name_, parameter in adapted.named_parameters():
            if name_ in learns:
                parameter.add_(0.1)
    torch.testing.assert_close(whole.head(whole.features(IMAGES)), whole(IMAGES))
    assert (whole(IMAGES) - before).abs().min() > 1e-4


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_head_alone_learns(name):
    model = own_model(name)
    only_head_learns(model)
    found = [n.rpartition(".")[0] for n, p in model.named_parameters() if p.requires_grad]
    assert sorted(set(found)) == sorted(heads_of(model))
    assert len(heads_of(model)) == (2 if name == "deit-teacher" else 1)


def test_the_fast_way_is_left_where_its_logits_differ(monkeypatch):
    monkeypatch.setattr(ClassTokenViT, "features", lambda self, x: self.base.vit(x)[0][:, 1])
    assert isinstance(classifier_of(own_model("vit")), Classifier)


def sprung():
    raise AssertionError("a pickle was loaded")


class Trap:
    def __reduce__(self):
        return sprung, ()


def test_no_pickle_is_loaded(tmp_path):
    saved(tmp_path, "vit")
    for name in ("pytorch_model.bin", "training_args.bin", "optimizer.pt", "rng_state.pth"):
        torch.save(Trap(), tmp_path / name)
    torch.testing.assert_close(load_own(tmp_path)(IMAGES).logits, own_model("vit")(IMAGES).logits)
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(InputError, match="no pickle is loaded"):
        load_own(tmp_path)


def test_weights_that_are_missing_are_named(tmp_path):
    own_model("vit").vit.save_pretrained(tmp_path)  # no head
    with pytest.raises(InputError, match=r"lacks 2 weights, classifier\.bias among them"):
        load_own(tmp_path)


@pytest.mark.parametrize("name", ["model.safetensors", "config.json"])
def test_a_damaged_file_is_one_line(tmp_path, name):
    saved(tmp_path, "vit")
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:-100])
    with pytest.raises(InputError, match="cannot be loaded") as error:
        load_own(tmp_path)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 300


@pytest.mark.parametrize(
    "changes",
    [
        {"hidden_dropout_prob": [1]},
        {"id2label": "relu"},
        {"model_type": {}},
        {"model_type": "no such model"},
        {"hidden_act": "no such function"},
        {"num_attention_heads": 0},
        {"hidden_size": 24},
    ],
    ids=str,
)
def test_a_configuration_that_makes_no_sense_is_one_line(tmp_path, changes):
    """Each of them is another kind of error of transformers."""
    saved(tmp_path, "vit")
    path = tmp_path / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes), "utf-8")
    with pytest.raises(InputError, match="cannot be loaded"):
        load_own(tmp_path)


def test_a_model_that_has_changed_is_refused(tmp_path):
    saved(tmp_path, "vit")
    with pytest.raises(InputError, match="holds another model here"):
        load_own(tmp_path, "0" * 16)


def test_a_model_without_a_head_is_refused():
    model = own_model("vit")
    model.classifier = torch.nn.Identity()
    with pytest.raises(InputError, match=f"no linear head of {LABELS} classes"):
        heads_of(model)


@pytest.mark.skipif(find_spec("timm") is not None, reason="timm is there")
def test_a_model_of_timm_without_its_library_is_refused_in_a_line(tmp_path):
    saved(tmp_path, "vit")
    content = {"model_type": "timm_wrapper", "architecture": "vit_tiny_patch16_224"}
    content["architectures"] = ["TimmWrapperForImageClassification"]
    (tmp_path / "config.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"cannot be loaded .*timm") as error:
        load_own(tmp_path)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 300
