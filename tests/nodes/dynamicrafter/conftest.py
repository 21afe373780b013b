"""DynamiCrafter in the host: a tiny checkpoint, tiny models, and runs of them."""

from dataclasses import replace

import pytest
import torch
from dynamicrafter_runs import Rig, build_host_model
from dynamicrafter_stand_ins import write_dynamicrafter
from golden_cases import fill
from unet3d_cases import TINY, shapes, tiny_unet


@pytest.fixture(autouse=True)
def no_gradients():
    """As the host runs nodes."""
    with torch.inference_mode():
        yield


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory):
    """A tiny checkpoint in the official layout."""
    return write_dynamicrafter(tmp_path_factory.mktemp("dynamicrafter"), "512_interp")


@pytest.fixture(scope="session")
def loaded(load, checkpoint):
    """All parts of the tiny checkpoint."""
    loading = load("nodes.host.dynamicrafter.loading")
    with torch.inference_mode():
        return loading.load_checkpoint(str(checkpoint), "auto", "default")


@pytest.fixture(scope="session")
def build_model(load):
    """Builds a MODEL, see `build_host_model`; named values are of its variant."""
    known = load("fcvg_core.models.dynamicrafter.variants").VARIANTS["512"]
    kind = load("nodes.host.dynamicrafter.model").DynamiCrafterConfig

    def build(network, **variant):
        chosen = replace(known, **variant)
        return build_host_model(load, lambda sizes: kind(sizes, chosen), network)

    return build


@pytest.fixture(scope="session")
def tiny_network():
    """The smallest UNet, its weights so large that all inputs matter."""
    network = tiny_unet()
    network.load_state_dict(fill(shapes(network), {"salt": "host"}))
    return network


@pytest.fixture(scope="session")
def rig(load, build_model, tiny_network):
    return Rig(load, build_model(tiny_network))


@pytest.fixture(scope="session")
def framewise(load, build_model, tiny_network) -> Rig:
    """A model whose layers over frames change nothing, so that each frame stands alone."""
    weights = tiny_network.state_dict()
    for name in weights:
        last = "temopral_conv" in name and ".conv4." in name
        if last or (name.endswith(("proj_out.weight", "proj_out.bias")) and _is_temporal(name)):
            weights[name] = torch.zeros_like(weights[name])
    network = type(tiny_network)(tiny_network.config)
    network.load_state_dict(weights)
    return Rig(load, build_model(network))


def _is_temporal(name: str) -> bool:
    return name.startswith(("init_attn.0.", "middle_block.2.")) or ".2.proj_out" in name


@pytest.fixture
def control_net(host):
    """Builds the host's ControlNet of SD 2.1, tiny, with the hint of each frame."""
    import comfy.cldm.cldm
    import comfy.controlnet
    import comfy.ops

    sizes = {
        "model_channels": TINY.model_channels,
        "channel_mult": list(TINY.channel_mult),
        "num_res_blocks": [1, 1],
        "transformer_depth": [1, 0],
        "transformer_depth_middle": 1,
        "num_head_channels": TINY.head_channels,
        "context_dim": TINY.context_channels,
    }
    network = comfy.cldm.cldm.ControlNet(
        image_size=32,
        in_channels=4,
        hint_channels=3,
        use_spatial_transformer=True,
        use_linear_in_transformer=True,
        operations=comfy.ops.manual_cast,
        **sizes,
    )
    network.load_state_dict(fill(shapes(network), {"salt": "control"}))

    def build(frames: torch.Tensor, strength: float = 1.0):
        control = comfy.controlnet.ControlNet(
            network.eval(), load_device=torch.device("cpu"), manual_cast_dtype=None
        )
        return control.set_cond_hint(frames, strength, (0.0, 1.0))

    return build
