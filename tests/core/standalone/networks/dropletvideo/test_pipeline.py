"""From a picture and a prompt to frames."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from fcvg_core.errors import UserError
from fcvg_core.models.dropletvideo.rules import decoded_frames
from fcvg_core.standalone.networks.dropletvideo import DropletRequest, DropletSettings

SHORT = DropletSettings(num_frames=5, steps=1, guidance=6.0)


def picture(seed: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return generator.integers(0, 256, (32, 48, 3), dtype=np.uint8)


REQUEST = DropletRequest(
    first=picture(1), prompt="a boat on a lake", negative_prompt="blurry", fps=16
)


@pytest.fixture(scope="module")
def clip(pipeline) -> np.ndarray:
    return pipeline(REQUEST, SHORT, seed=5)


class TestFrames:
    @pytest.mark.parametrize("num_frames", [1, 5, 9])
    def test_all_decoded_frames(self, pipeline, num_frames):
        seen = []
        settings = replace(SHORT, num_frames=num_frames, steps=1)
        clip = pipeline(REQUEST, settings, seed=5, progress=lambda *state: seen.append(state))
        latents = (num_frames - 1) // 4 + 1
        assert clip.shape == (decoded_frames(latents), 32, 48, 3) and clip.dtype == np.uint8
        chunks = {"encoding": max(num_frames // 4, 1), "denoising": 1, "decoding": latents // 2}
        assert seen == [
            (stage, done, max(total, 1))
            for stage, total in chunks.items()
            for done in range(max(total, 1) + 1)
        ]

    def test_the_same_again(self, pipeline, clip):
        assert np.array_equal(pipeline(REQUEST, SHORT, seed=np.int64(5)), clip)
        assert not np.array_equal(pipeline(REQUEST, SHORT, seed=-5), clip)

    @pytest.mark.parametrize(
        "change",
        [
            {"first": picture(2)},
            {"last": picture(2)},
            {"prompt": "a bird"},
            {"negative_prompt": ""},
            {"fps": 4},
        ],
        ids=lambda change: next(iter(change)),
    )
    def test_what_changes_them(self, pipeline, clip, change):
        assert not np.array_equal(pipeline(replace(REQUEST, **change), SHORT, seed=5), clip)

    def test_without_guidance_the_negative_prompt_does_nothing(self, pipeline):
        settings = replace(SHORT, guidance=1.0)
        clips = [
            pipeline(replace(REQUEST, negative_prompt=text), settings, seed=5)
            for text in ("", "blurry")
        ]
        assert np.array_equal(*clips)

    def test_noise_on_the_picture_has_its_own_seed(self, pipeline):
        def beside(**change: float) -> torch.Tensor:
            return pipeline.encode(REQUEST, replace(SHORT, **change)).beside

        plain, noisy = beside(), beside(augmentation=0.1)
        assert not torch.equal(plain, noisy)
        assert torch.equal(noisy, beside(augmentation=0.1, augmentation_seed=2**64))
        assert not torch.equal(noisy, beside(augmentation=0.1, augmentation_seed=1))
        assert torch.equal(plain[:, 0], noisy[:, 0])  # the mask

    def test_offload_gives_the_same(self, pipeline, clip):
        pipeline.offload = True
        try:
            assert np.array_equal(pipeline(REQUEST, SHORT, seed=5), clip)
        finally:
            pipeline.offload = False


class TestFaults:
    def test_pictures_of_two_sizes(self):
        with pytest.raises(ValueError, match=r"one size, got \(32, 48, 3\) and \(16, 48, 3\)"):
            replace(REQUEST, last=picture(2)[:16])

    @pytest.mark.parametrize("steps", [0, 1001])
    def test_steps(self, pipeline, steps):
        with pytest.raises(UserError, match=f"Sampling takes 1 to 1000 steps, got {steps}"):
            pipeline(REQUEST, replace(SHORT, num_frames=1, steps=steps), seed=5)

    def test_an_end_picture_for_one_frame(self, pipeline):
        with pytest.raises(UserError, match="end picture must have 5 frames or more"):
            pipeline(replace(REQUEST, last=picture(2)), replace(SHORT, num_frames=1), seed=5)

    def test_an_overflow_is_told_at_once(self, pipeline):
        """Not by a black video after an hour."""
        weight = pipeline.networks.transformer.proj_out.bias
        kept = weight.clone()
        weight.fill_(float("inf"))
        try:
            with pytest.raises(UserError, match="not numbers. The transformer overflows.*bf16"):
                pipeline(REQUEST, replace(SHORT, num_frames=1), seed=5)
        finally:
            weight.copy_(kept)


class TestMemory:
    def test_branches_one_by_one(self, pipeline, clip, monkeypatch, caplog):
        transformer = pipeline.networks.transformer
        forward = type(transformer).forward

        def short_of_memory(self, x, *given, **more):
            if len(x) > 1:
                raise RuntimeError("CUDA out of memory")
            return forward(self, x, *given, **more)

        monkeypatch.setattr(type(transformer), "forward", short_of_memory)
        found = pipeline(REQUEST, SHORT, seed=5)
        assert np.abs(found.astype(int) - clip).max() <= 1
        assert [m for m in caplog.messages if "one by one" in m] == [
            "Memory ran out: the branches of guidance now run one by one."
        ]
