"""SMCD in the host: tiny files, tiny models, and runs of them."""

import pytest
import torch
from dynamicrafter_runs import build_host_model
from golden_cases import fill
from smcd_runs import SmcdRig
from smcd_stand_ins import CLIP_FILE, VAE_FILE
from unet3d_cases import TINY_SMCD, shapes, tiny_unet


@pytest.fixture(autouse=True)
def no_gradients():
    """As the host runs nodes."""
    with torch.inference_mode():
        yield


@pytest.fixture(scope="session")
def loading(load):
    return load("nodes.host.smcd.loading")


@pytest.fixture(scope="session")
def loaded(loading, smcd_folder):
    with torch.inference_mode():
        return loading.load_smcd(str(smcd_folder / "pytorch_model.bin"), "default")


@pytest.fixture(scope="session")
def clip(loading, modelscope):
    with torch.inference_mode():
        return loading.load_clip(str(modelscope / CLIP_FILE))


@pytest.fixture(scope="session")
def vae(loading, modelscope):
    with torch.inference_mode():
        return loading.load_vae(str(modelscope / VAE_FILE))


@pytest.fixture(scope="session")
def build_model(load):
    """Builds a MODEL, see `build_host_model`."""
    return lambda network: build_host_model(load, load("nodes.host.smcd.model").SmcdConfig, network)


@pytest.fixture(scope="session")
def rig(load, build_model):
    """The smallest UNet, its weights so large that all inputs matter."""
    network = tiny_unet(TINY_SMCD)
    weights = fill(shapes(network), {"salt": "smcd in the host"})
    learned = {key: torch.full_like(x, 0.5) for key, x in weights.items() if "alpha" in key}
    network.load_state_dict({**weights, **learned})
    return SmcdRig(load, build_model(network))
