import logging
import math

import pytest

from fcvg_core.errors import UserError
from fcvg_core.models.dropletvideo.rules import (
    check_fps,
    check_prompt,
    check_size,
    count_latents,
    decoded_frames,
    kept_frames,
    padded_size,
    round_frames,
    whole_prompt,
)


class TestLengths:
    @pytest.mark.parametrize(
        ("num_frames", "latents", "decoded", "trimmed"),
        [
            (1, 1, 1, (0, 1)),
            (5, 2, 8, (3, 8)),
            (9, 3, 9, (0, 9)),
            (13, 4, 16, (3, 16)),
            (49, 13, 49, (0, 49)),
            (85, 22, 88, (3, 88)),
        ],
    )
    def test_of_a_video(self, num_frames, latents, decoded, trimmed):
        assert count_latents(num_frames) == latents
        assert decoded_frames(latents) == decoded
        assert kept_frames(num_frames, trim=True) == slice(*trimmed)
        assert kept_frames(num_frames, trim=False) == slice(0, decoded)

    @pytest.mark.parametrize("num_frames", [1, 5, 85, 1021])
    def test_4k_plus_1_stays(self, num_frames, caplog):
        assert round_frames(num_frames) == num_frames
        assert not caplog.messages

    @pytest.mark.parametrize(("num_frames", "rounded"), [(6, 5), (8, 5), (84, 81), (88, 85)])
    def test_others_are_rounded_down(self, num_frames, rounded, caplog):
        assert round_frames(num_frames) == rounded
        (message,) = caplog.messages
        assert f"5, 9, 13 ... frames: {num_frames} are rounded down to {rounded}." in message

    @pytest.mark.parametrize("num_frames", [-3, 0, 2, 3, 4, 1022, 10**9])
    def test_no_video(self, num_frames):
        with pytest.raises(UserError, match=f"5 to 1021 frames, got {num_frames}: 85 are recom"):
            round_frames(num_frames)


class TestSize:
    @pytest.mark.parametrize("size", [(384, 672), (512, 512), (640, 1120), (1120, 640), (896, 896)])
    def test_trained_sizes_are_silent(self, size, caplog):
        check_size(size)
        assert not caplog.messages

    @pytest.mark.parametrize("size", [(64, 64), (912, 896), (496, 512)])
    def test_others_are_told(self, size, caplog):
        check_size(size)
        assert f"video has {size[1]} x {size[0]}: it may look worse." in caplog.text

    @pytest.mark.parametrize(
        ("size", "message"),
        [
            ((384, 680), "width must be a multiple of 16 .* got 680: use 672 or 688, or let .*pad"),
            (
                (375, 672),
                "height must be .* from 64 to 4096, got 375: use 368 or 384",
            ),
            ((0, 672), "got 0: use 64.$"),
            ((48, 672), "got 48: use 64.$"),
            ((384, 100_000), "got 100000: use 4096.$"),
        ],
    )
    def test_wrong_sizes(self, size, message):
        with pytest.raises(UserError, match=message):
            check_size(size)

    def test_any_size_can_be_padded(self):
        check_size((65, 4095), pad=True)
        assert padded_size((65, 4095)) == (80, 4096)
        assert padded_size((64, 672)) == (64, 672)
        with pytest.raises(UserError, match="height must be .* got 63: use 64"):
            check_size((63, 672), pad=True)


class TestFps:
    @pytest.mark.parametrize("fps", [4, 16, 32])
    def test_published_ones_are_silent(self, fps, caplog):
        caplog.set_level(logging.INFO)
        check_fps(fps)
        assert not caplog.messages

    @pytest.mark.parametrize("fps", [1, 3, 33, 60])
    def test_others_are_told(self, fps, caplog):
        caplog.set_level(logging.INFO)
        check_fps(fps)
        assert f"from 4 to 32, but FPS is {fps}" in caplog.text

    @pytest.mark.parametrize("fps", [0, -1, 61, 1000, math.nan])
    def test_wrong_ones(self, fps):
        with pytest.raises(UserError, match=f"from 1 to 60, got {fps}: .* 16 is recommended"):
            check_fps(fps)


class TestPrompt:
    def test_quality(self):
        whole = whole_prompt("A cat.")
        assert whole.startswith("A cat. The video is of high quality, and the view is very clear.")
        assert whole.endswith("ultra-detailed, fantastic.")
        assert whole_prompt("A cat.", quality=False) == "A cat."

    @pytest.mark.parametrize("prompt", ["", " \n"])
    def test_an_empty_prompt_is_told(self, prompt, caplog):
        check_prompt(prompt)
        assert "prompt is empty: DropletVideo was trained with descriptions" in caplog.text

    def test_a_prompt_is_silent(self, caplog):
        check_prompt("A cat.")
        assert not caplog.messages
