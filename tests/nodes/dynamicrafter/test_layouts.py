"""A checkpoint in any layout gives the same networks, and its missing parts are None."""

import pytest
import torch
from dynamicrafter_stand_ins import write_dynamicrafter

PARTS = ("clip", "clip_vision", "vae", "projector")


def tensors(loaded) -> dict[str, torch.Tensor]:
    """Weights of the UNet and of the projector."""
    networks = (loaded.model.model.diffusion_model, loaded.projector.patcher.model)
    return {
        f"{i} {key}": value
        for i, network in enumerate(networks)
        for key, value in network.state_dict().items()
    }


@pytest.mark.parametrize(
    ("layout", "fmt", "missing"),
    [
        ("deepspeed", ".ckpt", set()),
        ("pruned", ".safetensors", {"clip", "clip_vision"}),
        ("unet", ".ckpt", {"clip", "clip_vision", "vae"}),
    ],
)
def test_the_same_networks(load, loaded, tmp_path, layout, fmt, missing):
    loading = load("nodes.host.dynamicrafter.loading")
    path = write_dynamicrafter(tmp_path, "512_interp", layout=layout, fmt=fmt)
    found = loading.load_checkpoint(str(path), "auto", "default")
    assert {part for part in PARTS if getattr(found, part) is None} == missing
    assert found.projector.variant == loaded.projector.variant
    expected = tensors(loaded)
    assert tensors(found).keys() == expected.keys()
    assert all(torch.equal(x.float(), expected[k].float()) for k, x in tensors(found).items())


def test_an_older_pickle(load, loaded, checkpoint, tmp_path):
    """torch before 1.6 wrote no zip archive."""
    path = tmp_path / "dynamicrafter_512_interp.ckpt"
    content = torch.load(checkpoint, weights_only=True)
    torch.save(content, path, _use_new_zipfile_serialization=False)
    found = load("nodes.host.dynamicrafter.loading").load_unet(str(path), "auto", "default")
    assert found.clip is None and found.vae is None
    key = "0 out.2.weight"
    assert torch.equal(tensors(found)[key], tensors(loaded)[key])
