"""The models that know two clips, in ComfyUI: the pack's loaders take every file."""

import pytest
import torch
from learning_cases import TWO_CLIPS, learn_small
from safetensors.torch import load_file

from fcvg_core.models.svd import rename_unet

pytestmark = pytest.mark.seam


@pytest.fixture(scope="module", params=["committed", "just trained"])
def models(request, tmp_path_factory):
    if request.param == "committed":
        return TWO_CLIPS
    return learn_small(tmp_path_factory.mktemp("learn"), steps=1)


def test_every_file_is_loaded(load, load_controlnext, models):
    model = load("nodes.host.svd.loading").load_unet(
        str(models / "unet.safetensors"), None, "default"
    )
    wanted = rename_unet(load_file(models / "unet.safetensors"))
    found = model.model.diffusion_model.state_dict()
    assert found.keys() == wanted.keys()
    assert all(torch.equal(found[name].float(), wanted[name].float()) for name in wanted)
    control = load_controlnext(str(models / "controlnext.safetensors")).model.state_dict()
    wanted = load_file(models / "controlnext.safetensors")
    assert all(torch.equal(control[name].float(), wanted[name].float()) for name in wanted)
    encoders = load("nodes.host.svd.encoders")
    assert encoders.load_vae(str(models / "svd")).first_stage_model is not None
    assert encoders.load_image_encoder(str(models / "svd")) is not None
