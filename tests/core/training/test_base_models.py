"""The models that training starts from: found, checked, read."""

from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file

from fcvg_core.catalogue.model_files import MissingModelsError
from fcvg_core.errors import UserError
from fcvg_core.models.controlnext import V1, ControlNeXt
from fcvg_core.training.base_models import open_base
from fcvg_core.training.config import Base, Training, TrainingSpec
from fcvg_core.training.loop import Place

CPU = Place(torch.device("cpu"), torch.float32)


@pytest.fixture
def roots(stand_ins):
    return [("folder", stand_ins)]


def spec(trained: str | None = None, **base) -> TrainingSpec:
    return TrainingSpec(base=Base(**base), training=Training(trained=trained))


def test_fcvg_in_half_precision_but_for_what_is_trained(roots, stand_ins):
    opened = open_base(spec(), roots, Place(torch.device("cpu"), torch.bfloat16))
    assert opened.start == "fcvg" and opened.stand_ins
    network = opened.load_network(seed=0)
    files = {x: load_file(stand_ins / f"{x}.safetensors") for x in ("unet", "controlnext")}
    for name, parameter in network.named_parameters():
        trained = opened.trained.holds(name)
        assert parameter.dtype == (torch.float32 if trained else torch.bfloat16)
        if trained:
            part, _, key = name.partition(".")
            assert torch.equal(parameter, files[part][key].float())
    assert {path.name for path in opened.weight_files} >= {
        "unet.safetensors",
        "controlnext.safetensors",
        "model.safetensors",
    }


def test_the_encoders_are_read_without_the_unet(roots):
    opened = open_base(spec(), roots, CPU)
    models = opened.load_encoders().models
    assert models.unet is None and models.vae.dtype == torch.float32
    assert next(opened.network.parameters()).is_meta
    assert opened.load_vae(torch.bfloat16).dtype == torch.bfloat16


def test_from_svd_controlnext_begins_with_values_of_the_seed(roots, stand_ins):
    def values(seed: int) -> torch.Tensor:
        opened = open_base(spec(start="svd"), roots, CPU)
        assert opened.files.unet is None and opened.files.controlnext is None
        network = opened.load_network(seed)
        own = load_file(stand_ins / "svd/unet/diffusion_pytorch_model.safetensors")
        assert torch.equal(network.unet.conv_in.weight, own["conv_in.weight"].float())
        return network.controlnext.mid_convs[1].weight

    first = values(1)
    torch.rand(1)  # chance elsewhere changes nothing
    assert torch.equal(first, values(1)) and not torch.equal(first, values(2))


def test_without_a_trained_controlnext_nothing_is_steered(roots, stand_ins):
    assert open_base(spec("temporal-vo", start="svd"), roots, CPU).network.controlnext is None
    named = spec("temporal-vo", start="svd", controlnext=stand_ins / "controlnext.safetensors")
    assert open_base(named, roots, CPU).network.controlnext is not None


def test_the_base_of_controlnext_svd_has_to_be_there(roots, stand_ins):
    wanted = spec(start="controlnext-svd-base")
    with pytest.raises(MissingModelsError, match=r"is missing: .*models --get --only .*\[base\]"):
        open_base(wanted, roots, CPU)
    named = replace(wanted, base=replace(wanted.base, unet=stand_ins / "unet.safetensors"))
    opened = open_base(named, roots, CPU)
    assert opened.files.controlnext is None and opened.network.controlnext is not None


def test_the_job_animate_starts_from_controlnext_svd(roots):
    with pytest.raises(MissingModelsError, match=r"ControlNeXt-SVD .*, \[base\] controlnext, or"):
        open_base(TrainingSpec(job="animate"), roots, CPU)


def test_what_can_not_be_trained_is_refused(roots, stand_ins, tmp_path):
    other, old = tmp_path / "other.safetensors", tmp_path / "old.safetensors"
    save_file({"init_attn.0.proj_in.weight": torch.zeros(1)}, other)
    save_file(ControlNeXt(replace(V1, out_channels=64)).state_dict(), old)
    cases = {
        "an unknown file|not fit": {"unet": other},
        "is ControlNeXt v1, which can't be trained": {"controlnext": old},
        "a ControlNeXt v2 network": {"unet": stand_ins / "controlnext.safetensors"},
        "There is no file": {"unet": tmp_path / "none.safetensors"},
        "is no folder": {"model": tmp_path / "none"},
    }
    for said, base in cases.items():
        with pytest.raises(UserError, match=said):
            open_base(spec(**base), roots, CPU)
    with pytest.raises(UserError, match="no trained set 'everything' of svd; there is: control,"):
        open_base(spec("everything"), roots, CPU)
