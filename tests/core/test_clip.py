import re

import pytest
import torch
from golden_cases import FOLDER, find_documents

from fcvg_core.clip import clip_pixels, normalize_for_clip

CASES = [
    (meta["config"], tensors["out_subsampled"])
    for _, meta, tensors in find_documents(FOLDER / "dynamicrafter")
    if "image" in meta["config"]
]


class TestClipPixels:
    def test_flat_pictures_stay_flat(self):
        out = clip_pixels(torch.full((1, 3, 300, 500), 0.25))
        torch.testing.assert_close(out, torch.full((1, 3, 224, 224), 0.25))

    @pytest.mark.parametrize("size", [(64, 64), (1, 1), (1, 500)])
    def test_small_pictures_are_enlarged(self, size):
        assert clip_pixels(torch.rand(1, 3, *size)).shape == (1, 3, 224, 224)

    def test_normalize(self):
        mean = torch.tensor([0.48145466, 0.4578275, 0.40821073]).reshape(1, 3, 1, 1)
        out = normalize_for_clip(mean.expand(1, 3, 224, 224))
        torch.testing.assert_close(out, torch.zeros(1, 3, 224, 224))


@pytest.mark.parametrize(("config", "expected"), CASES)
def test_official_preprocessing_of_dynamicrafter(config, expected):
    """The picture is a formula, whose size and phase are in the case's text."""
    size = re.search(r"h,w=\((\d+), (\d+)\)", config["image"]).groups()
    phase = float(re.search(r"ph=([\d.]+)", config["image"])[1])
    height, width = map(int, size)
    y = torch.linspace(-1, 1, height, dtype=torch.float64)[:, None]
    x = torch.linspace(-1, 1, width, dtype=torch.float64)[None]
    channels = (
        torch.sin(9 * x + phase) * torch.cos(7 * y),
        torch.sin(31 * x * y + phase),
        torch.sign(torch.sin(23 * x + 17 * y + phase)),
    )
    picture = torch.stack(channels)[None].clamp(-1, 1).float()
    found = normalize_for_clip(clip_pixels((picture + 1) / 2))[:, :, ::4, ::4]
    most = float(re.search(r"<= (\S+)", config["tolerance"])[1])
    assert (found - expected).abs().max() <= most
