"""DropletVideo in the host: tiny models in the official layout, networks of the golden cases."""

import pytest
import torch
from dropletvideo_runs import Rig
from dropletvideo_stand_ins import write_droplet

from fcvg_core.models.dropletvideo.config import TransformerConfig
from fcvg_core.models.dropletvideo.network import DropletVideoTransformer


@pytest.fixture(autouse=True)
def no_gradients():
    """As the host runs nodes."""
    with torch.inference_mode():
        yield


@pytest.fixture(scope="session")
def droplet_folder(tmp_path_factory):
    """The tiny models in the official folder."""
    return write_droplet(tmp_path_factory.mktemp("dropletvideo"))


@pytest.fixture(scope="session")
def loading(load):
    return load("nodes.host.dropletvideo.loading")


@pytest.fixture(scope="session")
def loaded(loading, droplet_folder):
    """All networks of the tiny folder."""
    with torch.inference_mode():
        return loading.load_folder(str(droplet_folder), "default")


@pytest.fixture(scope="session")
def build_model(load):
    """Builds a MODEL in float32 around a network of the core, which gives sizes and weights."""

    def build(network, scaling_factor: float = 0.7):
        models = load("nodes.host.dropletvideo.model")
        configs = load("fcvg_core.models.dropletvideo.config")
        config = models.DropletVideoConfig(
            configs.TransformerConfig(**vars(network.config)),
            configs.ModelSettings(scaling_factor=scaling_factor),
        )
        config.set_inference_dtype(torch.float32, None)
        cpu = torch.device("cpu")
        model = config.get_model({}, device=cpu)
        model.diffusion_model.eval().load_state_dict(network.state_dict())
        return load("nodes.host.patchers").make_patcher(model, cpu, cpu)

    return build


@pytest.fixture(scope="session")
def build_vae(load):
    """Builds a VAE in float32 of sizes and of a function that gives weights for shapes."""

    def build(config, weights):
        sizes = load("fcvg_core.models.dropletvideo.config").VaeConfig(**vars(config))
        vae = load("nodes.host.dropletvideo.vae").DropletVideoVae(sizes)
        network = vae.first_stage_model
        shapes = {key: tuple(value.shape) for key, value in network.state_dict().items()}
        network.load_state_dict(weights(shapes))
        return vae

    return build


@pytest.fixture(scope="session")
def rig(load, build_model):
    """Runs of the smallest model, its weights so large that all inputs matter."""
    torch.manual_seed(0)
    sizes = {"layers": 1, "heads": 2, "head_channels": 16, "time_channels": 8, "text_channels": 12}
    network = DropletVideoTransformer(TransformerConfig(**sizes))
    for value in network.parameters():
        torch.nn.init.normal_(value, std=0.3)
    return Rig(load, build_model(network.requires_grad_(False)))
