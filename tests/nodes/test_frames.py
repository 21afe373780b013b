"""Crop & Resize: pictures and their masks at the size of the video."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image


def picture(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def crop_resize(node_classes):
    def run(*given, **more) -> tuple[torch.Tensor, torch.Tensor]:
        return node_classes["FCVG_CropResize"].execute(*given, **more).args

    return run


@pytest.fixture
def painted() -> tuple[torch.Tensor, torch.Tensor]:
    """A picture of 160 x 90, black with a white part, and the mask of this part."""
    mask = torch.zeros(1, 90, 160)
    mask[:, 20:60, 60:130] = 1
    return mask[..., None].repeat(1, 1, 1, 3), mask


class TestPictures:
    @pytest.mark.parametrize("channels", [1, 3, 4])
    def test_any_picture(self, crop_resize, channels):
        """Grey becomes RGB, and alpha is left out."""
        image = picture(2, 90, 130, channels)
        found, wanted = (
            crop_resize(given, 128, 64)[0]
            for given in (image, image[..., :3].expand(-1, -1, -1, 3))
        )
        assert found.shape == (2, 64, 128, 3) and torch.equal(found, wanted)
        assert found.std() > 0.05

    def test_a_graph_without_fit_and_anchor_crops_the_centre(self, crop_resize, load):
        core = load("fcvg_core.frames")
        image = picture(1, 90, 130, 3)
        expected = core.to_image(core.crop_resize(core.to_uint8(image[0]), (64, 64))[None])
        assert torch.equal(crop_resize(image, 64, 64)[0], expected)
        assert torch.equal(crop_resize(image, 64, 64, "crop", "center")[0], expected)

    def test_fit_and_anchor(self, crop_resize):
        image = picture(1, 64, 192, 3)
        kept = crop_resize(image, 64, 64, anchor="right")[0]
        assert torch.allclose(kept, image[:, :, 128:], atol=0.5 / 255)
        padded = crop_resize(image, 192, 128, "pad", "bottom")[0]
        assert torch.allclose(padded[:, 64:], image, atol=0.5 / 255) and not padded[:, :64].any()
        assert crop_resize(image, 64, 64, "stretch")[0].shape == (1, 64, 64, 3)

    def test_what_is_cut_off_is_said_once(self, crop_resize, caplog):
        caplog.set_level("INFO")
        crop_resize(picture(3, 90, 160, 3), 64, 64)
        assert caplog.messages == [
            "image: 160 x 90 -> 64 x 64: 35 pixels are cut off at the left and 35 at the right."
        ]

    def test_right_size_is_not_mentioned(self, crop_resize, caplog):
        caplog.set_level("INFO")
        crop_resize(picture(1, 64, 64, 3), 64, 64, "pad")
        assert not caplog.messages

    @pytest.mark.parametrize(
        ("size", "message"),
        [
            ((100, 64), "The width must be a multiple of 64 .*, got 100: use 64 or 128."),
            ((64, 0), "The height must be .* got 0: use 64."),
            ((8192, 64), "The width must be .* from 64 to 4096, got 8192: use 4096."),
        ],
    )
    def test_sizes_of_links(self, crop_resize, size, message):
        with pytest.raises(ValueError, match=message):
            crop_resize(picture(1, 64, 64, 3), *size)

    def test_word_that_is_none(self, crop_resize):
        with pytest.raises(ValueError, match="Unknown fit 'magic': expected one of crop, pad"):
            crop_resize(picture(1, 64, 64, 3), 64, 64, "magic")


class TestMasks:
    @pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
    @pytest.mark.parametrize("anchor", ["center", "right", "bottom-left"])
    def test_lies_on_the_picture_as_before(self, crop_resize, painted, fit, anchor):
        image, mask = crop_resize(painted[0], 64, 64, fit, anchor, painted[1])
        assert mask.shape == (1, 64, 64) and mask.dtype == torch.float32
        assert 0 <= mask.min() < mask.max() <= 1
        assert ((mask > 0.5) != (image[..., 0] > 0.5)).float().mean() < 0.01

    def test_right_size_stays_exactly(self, crop_resize):
        mask = picture(2, 64, 128)
        assert torch.equal(crop_resize(picture(1, 64, 128, 3), 128, 64, mask=mask)[1], mask)

    def test_every_mask_of_a_batch(self, crop_resize, painted):
        image, mask = painted
        both = torch.cat([mask, 1 - mask])
        found = crop_resize(image, 64, 64, mask=both)[1]
        alone = [crop_resize(image, 64, 64, mask=one)[1] for one in both]
        assert torch.equal(found, torch.cat(alone)) and not torch.equal(*alone)

    def test_mask_of_another_size_is_stretched_to_the_picture(self, crop_resize, painted, caplog):
        image, mask = painted
        small = mask[:, ::2, ::2]
        expected = crop_resize(image, 64, 64, mask=mask)[1]
        found = crop_resize(image, 64, 64, mask=small)[1]
        assert ((found > 0.5) != (expected > 0.5)).float().mean() < 0.02
        assert not caplog.messages  # of the same shape: nothing to say
        crop_resize(image, 64, 64, mask=torch.ones(1, 90, 90))
        assert caplog.messages == [
            "mask has 90 x 90 pixels, the picture 160 x 90: the mask is stretched to the "
            "picture's proportions."
        ]

    @pytest.mark.parametrize("mask", [None, torch.zeros(64, 64), torch.zeros(1, 64, 64)])
    def test_no_mask_is_an_empty_mask(self, crop_resize, mask, caplog):
        """Load Image gives zeros of 64 x 64 for a picture without transparency."""
        found = crop_resize(picture(1, 90, 160, 3), 128, 64, mask=mask)[1]
        assert found.shape == (1, 64, 128) and not found.any()
        assert not caplog.messages

    def test_a_broken_mask_behind_the_first_is_found(self, crop_resize, painted):
        masks = torch.cat([painted[1], painted[1] * torch.nan])
        with pytest.raises(ValueError, match="mask holds NaN or infinite"):
            crop_resize(painted[0], 64, 64, mask=masks)


@pytest.mark.parametrize(
    ("node", "inputs"),
    [
        ("FCVG_DecodeFrames", {"vae": None, "frames_per_chunk": 2}),
        ("FCVG_DecodeDraft", {"decoder_name": "taesdv.pth"}),
    ],
)
def test_latents_of_a_video_with_sound(node_classes, node, inputs):
    latent = {"samples": SimpleNamespace(is_nested=True)}
    with pytest.raises(ValueError, match="The latent is several tensors"):
        node_classes[node].execute(latent=latent, **inputs)


def save(link: list) -> dict:
    return {"class_type": "SaveImage", "inputs": {"images": link, "filename_prefix": "fitted"}}


@pytest.mark.seam
def test_mask_of_load_image_and_size_of_video_settings(server):
    """What is transparent in a file is white in its mask, before and after."""
    pixels = np.zeros((108, 192, 4), np.uint8)
    pixels[20:80, 40:150, :3], pixels[..., 3] = 255, 255
    pixels[20:80, 40:150, 3] = 0
    Image.fromarray(pixels).save(server.base / "input" / "transparent.png")
    settings = {"width": 128, "height": 128, "num_frames": 5, "fps": 7.0}
    graph = {"size": {"class_type": "FCVG_VideoSettings", "inputs": settings}}
    for name in ("transparent", "first"):  # Load Image gives an empty mask of 64 x 64 for first
        graph |= {
            name: {"class_type": "LoadImage", "inputs": {"image": f"{name}.png"}},
            f"{name} fitted": {
                "class_type": "FCVG_CropResize",
                "inputs": {
                    "image": [name, 0],
                    "mask": [name, 1],
                    "width": ["size", 0],
                    "height": ["size", 1],
                    "fit": "pad",
                },
            },
            f"{name} mask": {
                "class_type": "MaskToImage",
                "inputs": {"mask": [f"{name} fitted", 1]},
            },
            f"{name} mask saved": save([f"{name} mask", 0]),
            f"{name} saved": save([f"{name} fitted", 0]),
        }
    history = server.run(graph)
    assert history["status"]["status_str"] == "success", history["status"]

    def saved(node: str) -> np.ndarray:
        (found,) = history["outputs"][node]["images"]
        return np.asarray(Image.open(server.base / "output" / found["filename"]).convert("L"))

    picture, mask = saved("transparent saved"), saved("transparent mask saved")
    assert mask.shape == (128, 128) and ((picture > 127) != (mask > 127)).mean() < 0.01
    assert 0.1 < (mask > 127).mean() < 0.9
    nothing = saved("first mask saved")
    assert nothing.shape == (128, 128) and not nothing.any() and saved("first saved").any()


@pytest.mark.seam
def test_size_that_no_widget_gives(server):
    graph = {
        "a": {"class_type": "LoadImage", "inputs": {"image": "first.png"}},
        "b": {
            "class_type": "FCVG_CropResize",
            "inputs": {"image": ["a", 0], "width": 100, "height": 64},
        },
        "c": save(["b", 0]),
    }
    status = server.run(graph)["status"]
    assert "got 100: use 64 or 128." in str(status["messages"])
