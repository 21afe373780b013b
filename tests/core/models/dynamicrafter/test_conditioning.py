import logging
import re

import pytest
import torch

from fcvg_core.errors import UserError
from fcvg_core.models.dynamicrafter.conditioning import (
    check_request,
    concat_latents,
    frame_tokens,
)
from fcvg_core.models.dynamicrafter.variants import VARIANTS

TOKENS = torch.arange(256).repeat_interleave(2).reshape(1, 256, 2)
FIRST, LAST = torch.full((1, 4, 2, 3), 1.0), torch.full((1, 4, 2, 3), 2.0)


class TestFrameTokens:
    @pytest.mark.parametrize("how", ["auto", "per frame"])
    def test_sixteen_frames_have_their_own(self, how):
        out = frame_tokens(TOKENS, 16, how)
        assert out.shape == (16, 16, 2)
        for frame in range(16):
            assert out[frame, :, 0].tolist() == list(range(16 * frame, 16 * frame + 16))

    @pytest.mark.parametrize(("num_frames", "how"), [(16, "shared"), (15, "auto"), (64, "auto")])
    def test_all_frames_share_all_tokens(self, num_frames, how):
        assert torch.equal(frame_tokens(TOKENS, num_frames, how), TOKENS)

    @pytest.mark.parametrize(
        ("num_frames", "nearest"),
        [
            (1, [0]),
            (2, [0, 15]),
            (3, [0, 8, 15]),
            (31, [(k + 1) // 2 for k in range(31)]),
            (4, [0, 5, 10, 15]),
        ],
    )
    def test_other_numbers_take_the_nearest_in_time(self, num_frames, nearest):
        out = frame_tokens(TOKENS, num_frames, "per frame")
        assert (out[:, 0, 0] // 16).tolist() == nearest


class TestConcatLatents:
    def test_animation_repeats_the_picture(self):
        out = concat_latents(FIRST, None, 3, "animate")
        assert torch.equal(out, torch.ones(3, 4, 2, 3))

    @pytest.mark.parametrize(("mode", "last"), [("interpolate", 2.0), ("loop", 1.0)])
    def test_zeros_stay_zeros_between_two_pictures(self, mode, last):
        out = concat_latents(FIRST, LAST, 4, mode)
        assert [frame.unique().tolist() for frame in out] == [[1.0], [0.0], [0.0], [last]]

    def test_format_and_input_are_kept(self):
        first = FIRST.half()
        assert concat_latents(first, None, 4, "loop").dtype == torch.float16
        out = concat_latents(first, None, 2, "animate")
        out.zero_()
        assert first.eq(1).all()


class TestCheckRequest:
    good = {"size": (320, 512), "num_frames": 16, "rate": 24, "mode": "animate"}

    @pytest.mark.parametrize("word", VARIANTS)
    def test_what_a_model_was_trained_for_is_silent(self, word, caplog):
        caplog.set_level(logging.INFO)
        variant = VARIANTS[word]
        mode = "loop" if variant.interpolates else "animate"
        check_request(variant, size=variant.size, num_frames=16, rate=variant.rate, mode=mode)
        assert not caplog.messages

    @pytest.mark.parametrize(
        ("changed", "message"),
        [
            ({"size": (576, 1024)}, "trained with 512 x 320 pixels, but the video has 1024 x 576"),
            ({"num_frames": 64}, "trained with 16 frames, but the video has 64"),
            ({"rate": 5}, "meant for fs .frames a second. 15 to 30, got 5: 24 is recommended"),
        ],
    )
    def test_what_a_model_was_not_trained_for_is_said_once(self, changed, message, caplog):
        caplog.set_level(logging.INFO)
        check_request(VARIANTS["512"], **{**self.good, **changed})
        assert len(caplog.messages) == 1
        assert re.search(message, caplog.messages[0])

    @pytest.mark.parametrize(
        ("word", "rate", "message"),
        [
            ("512_interp", 24, "is 24, as is usual for DynamiCrafter 512: 5 is recommended for"),
            ("1024", 5, "is 5, as is usual for DynamiCrafter 512 Interp: 10 is recommended for"),
            ("512_interp", 8, None),
            ("256", 5, None),  # a stride is no number of frames a second
        ],
    )
    def test_a_rate_that_belongs_to_another_model(self, word, rate, message, caplog):
        caplog.set_level(logging.INFO)
        variant = VARIANTS[word]
        mode = "loop" if variant.interpolates else "animate"
        check_request(variant, size=variant.size, num_frames=16, rate=rate, mode=mode)
        assert len(caplog.messages) == (message is not None)
        assert (message or "") in caplog.text

    def test_what_asks_for_a_change_comes_first(self, caplog):
        caplog.set_level(logging.INFO)
        check_request(VARIANTS["512"], size=(64, 64), num_frames=8, rate=5, mode="animate")
        assert len(caplog.messages) == 3 and "5: 24 is recommended" in caplog.messages[0]

    def test_one_picture_for_a_model_that_wants_two(self, caplog):
        caplog.set_level(logging.INFO)
        check_request(VARIANTS["512_interp"], **self.good)
        assert "trained with a first and a last picture" in caplog.text

    @pytest.mark.parametrize(
        ("word", "changed", "message"),
        [
            ("512", {"size": (320, 520)}, "width must be a multiple of 64 .*512 or 576"),
            ("512", {"num_frames": 1}, "from 2 to 1024 frames, got 1: 16 are recommended"),
            (
                "512",
                {"rate": 0},
                "fs .frames a second. must be .* 1 to 1000, got 0: 24 is recommended",
            ),
            (
                "256",
                {"rate": -3},
                "fs .a stride of frames. must be .* got -3: 3 is recommended",
            ),
            ("256", {"mode": "interpolate"}, "256 x 256. can't interpolate: load .*512 Interp"),
            ("1024", {"mode": "loop"}, "can't loop: .*512_interp_v1/model.ckpt.$"),
            ("512_interp", {"mode": "loop", "num_frames": 2}, "loop needs 3 frames or more, got 2"),
            ("512", {"mode": "loop"}, "If this is the file, choose the model 512_interp"),
        ],
    )
    def test_what_a_model_cannot_do(self, word, changed, message):
        with pytest.raises(UserError, match=message):
            check_request(VARIANTS[word], **{**self.good, **changed})
