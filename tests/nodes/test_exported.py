"""What training has learned, exported and loaded over SVD by the nodes: the same networks."""

import pytest
import torch
from export_cases import make_run, tensors

from fcvg_core.models.svd import rename_unet
from fcvg_core.training.export import export_run

pytestmark = pytest.mark.seam
FRAMES = 3


@pytest.fixture(scope="module")
def trained(stand_ins, tmp_path_factory):
    """The network that a run came to, in half precision, and the two files of its export."""
    folder = tmp_path_factory.mktemp("run") / "run"
    start = stand_ins / "controlnext.safetensors"
    network = make_run(folder, stand_ins / "svd", None, start)
    paths = [each.path for each in export_run(folder, ema=False)]
    return network.half().float(), *paths  # the host keeps SVD in half precision


@pytest.fixture(scope="module")
def loaded(load, stand_ins, trained):
    """Load FCVG Model's MODEL of the small file over SVD's own UNet."""
    loading = load("nodes.host.svd.loading")
    own = stand_ins / "svd" / "unet" / "diffusion_pytorch_model.safetensors"
    base = loading.load_unet(str(own), None, "default")
    return base, loading.load_unet(str(trained[1]), base, "default")


def test_every_weight(loaded, trained):
    base, model = loaded
    network, path, _ = trained
    learned = rename_unet(tensors(path))
    wanted = rename_unet(network.unet.state_dict())
    before = base.model.diffusion_model.state_dict()
    assert 0 < len(learned) < len(wanted) / 2
    for name, value in model.model.diffusion_model.state_dict().items():
        assert torch.equal(value.float(), wanted[name]), name
        assert torch.equal(value, before[name]) is (name not in learned), name


def test_controlnext(load_controlnext, trained):
    found = load_controlnext(str(trained[2])).model.state_dict()
    wanted = trained[0].controlnext.state_dict()
    assert found.keys() == wanted.keys()
    assert all(torch.equal(value.float(), wanted[name]) for name, value in found.items())


@torch.inference_mode()
def test_it_predicts_as_in_training(loaded, trained):
    chance = torch.Generator().manual_seed(0)
    sample = torch.randn(1, FRAMES, 8, 8, 8, generator=chance)
    context = torch.randn(1, 1, 64, generator=chance)
    ids, time = torch.tensor([[6.0, 127.0, 0.02]]), torch.tensor(0.5)
    wanted = trained[0].unet(
        sample, time, encoder_hidden_states=context, added_time_ids=ids, return_dict=False
    )[0]

    def apart(model) -> float:
        embedded = torch.cat([model.embedder(x) for x in ids[0].split(1)]).flatten()
        found = model.diffusion_model(
            sample[0],
            time.repeat(FRAMES),
            context=context.repeat(FRAMES, 1, 1),
            y=embedded.repeat(FRAMES, 1),
            num_video_frames=FRAMES,
            transformer_options={},
        )
        return float((found.float() - wanted[0]).abs().max() / wanted.std())

    base, model = (each.model for each in loaded)
    assert apart(model) <= 2e-3 < 0.1 < apart(base)  # the host rounds to half precision
