"""Story Shot: shots of a story, each from a picture or from the end of the shot before."""

import pytest
import torch

PICTURE = torch.rand(1, 64, 128, 3, generator=torch.Generator().manual_seed(0))
USUAL = {
    "prompt": "a balloon rises", "negative": "", "seed": 1, "steps": 1, "cfg": 2.0, "eta": 1.0,
    "spacing": "uniform_trailing", "rescale": 0.7, "width": 128, "height": 64, "num_frames": 3,
    "fs": 24,
}  # fmt: skip


@pytest.fixture(autouse=True)
def no_gradients():
    """As the host runs nodes."""
    with torch.inference_mode():
        yield


@pytest.fixture(scope="module")
def models(load, dynamicrafter_files) -> dict:
    """Models of Story Shot by the names of its inputs; those that interpolate have the key True."""
    loading = load("nodes.host.dynamicrafter.loading")
    with torch.inference_mode():
        whole = loading.load_checkpoint(str(dynamicrafter_files["512"]), "auto", "default")
        other = loading.load_unet(str(dynamicrafter_files["unet"]), "auto", "default")
    encoders = {"clip": whole.clip, "clip_vision": whole.clip_vision, "vae": whole.vae}
    return {
        key: {**encoders, "model": part.model, "image_projector": part.projector}
        for key, part in ((False, whole), (True, other))
    }


@pytest.fixture
def shoot(node_classes, models):
    """Runs the node; returns the frames so far, and the last frame."""

    def shoot(*, interpolates: bool = False, **given) -> tuple[torch.Tensor, torch.Tensor]:
        given = {**models[interpolates], **USUAL, **given}
        return node_classes["FCVG_StoryShot"].execute(**given).args

    return shoot


class TestStory:
    def test_a_frame_that_two_shots_share_is_shown_once(self, shoot):
        first, end = shoot(picture=PICTURE)
        assert first.shape == (3, 64, 128, 3) and torch.equal(end, first[-1:])
        whole, end = shoot(video=first, prompt="the balloon is gone", num_frames=4)
        assert len(whole) == 3 + 4 - 1
        assert torch.equal(whole[:3], first) and torch.equal(end, whole[-1:])
        # The same shot by itself, from the picture at the end of the shot before.
        alone, _ = shoot(picture=first[-1:], prompt="the balloon is gone", num_frames=4)
        assert torch.equal(whole[3:], alone[1:])

    def test_a_cut_keeps_every_frame(self, shoot):
        video = torch.zeros(5, 64, 128, 3)
        whole, _ = shoot(video=video, picture=PICTURE)
        assert len(whole) == 5 + 3 and torch.equal(whole[:5], video)
        assert torch.equal(whole[5:], shoot(picture=PICTURE)[0])

    def test_prompt_seed_and_last_picture_count(self, shoot):
        usual = shoot(picture=PICTURE)[0]
        for changed in ({"prompt": "rain"}, {"negative": "rain"}, {"seed": 2}, {"rescale": 0.0}):
            assert not torch.equal(shoot(picture=PICTURE, **changed)[0], usual), changed
        shots = [
            shoot(interpolates=True, picture=PICTURE, last_picture=last)[0]
            for last in (PICTURE, 1 - PICTURE)
        ]
        assert not torch.equal(*shots)

    def test_what_is_said(self, shoot, caplog):
        caplog.set_level("INFO")
        shoot(video=torch.zeros(5, 64, 128, 3))
        assert "3 frames of this shot, 7 frames so far." in caplog.messages

    def test_pictures_are_called_by_the_names_of_the_inputs(self, shoot, caplog):
        caplog.set_level("INFO")
        larger = torch.zeros(1, 128, 128, 3)
        shoot(interpolates=True, picture=larger, last_picture=larger)
        named = [line.split(":")[0] for line in caplog.messages if "128 x 128" in line]
        assert named == ["picture", "last_picture"]


class TestBadInput:
    @pytest.mark.parametrize(
        ("changed", "said"),
        [
            ({}, "The shot has nothing to start from: connect a picture to picture, or the shots"),
            (
                {"video": torch.zeros(2, 64, 64, 3)},
                "video has 64 x 64 pixels, but this shot is to have 128 x 64: set the same",
            ),
            ({"picture": PICTURE, "last_picture": PICTURE}, "512_interp"),
            ({"picture": PICTURE, "fs": 0}, "fs is 0, but it must be from 1 to 1000"),
            ({"picture": PICTURE, "steps": 0}, "steps is 0, but"),
            ({"picture": PICTURE, "cfg": -1.0}, "cfg is -1, but"),
            ({"picture": PICTURE, "eta": 2.0}, "eta is 2, but"),
            ({"picture": PICTURE, "rescale": -0.5}, "rescale is -0.5, but"),
            ({"picture": PICTURE, "num_frames": 0}, "num_frames is 0, but"),
            (
                {"picture": PICTURE, "width": 100},
                "width must be a multiple of 64 from 64 to 4096, got 100",
            ),
            ({"picture": PICTURE, "spacing": "karras"}, "karras"),
        ],
    )
    def test_what_can_not_be(self, shoot, changed, said):
        with pytest.raises(ValueError, match=said):
            shoot(**changed)

    def test_models_of_another_family(self, shoot, tiny_models):
        with pytest.raises(ValueError, match="connect the model of Load DynamiCrafter"):
            shoot(picture=PICTURE, model=tiny_models[0])
