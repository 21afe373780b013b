"""One table of bounds, which the command line and the nodes read."""

import json
import math
from pathlib import Path

import pytest

from fcvg_core.bounds import Bounds
from fcvg_core.standalone.cli.options import parse_options

FACES = json.loads(
    (Path(__file__).parents[1] / "nodes" / "object_info.json").read_text(encoding="utf-8")
)
# Options and the nodes' inputs that set the same thing.
INBETWEEN = {
    "width": ("FCVG_EncodeKeyframes", "width"),
    "height": ("FCVG_CropResize", "height"),
    "frames": ("FCVG_EncodeKeyframes", "num_frames"),
    "fps": ("FCVG_Sampler", "fps"),
    "motion-bucket": ("FCVG_Sampler", "motion_bucket_id"),
    "augmentation": ("FCVG_Sampler", "augmentation"),
    "max-lines": ("FCVG_MatchLines", "max_lines"),
    "max-pts": ("FCVG_MatchLines", "max_keypoints"),
    "line-width": ("FCVG_DrawLines", "line_width"),
    "color-seed": ("FCVG_DrawLines", "color_seed"),
    "pose-width": ("FCVG_DrawPoses", "pose_width"),
    "control-weight": ("FCVG_ApplyControlNeXt", "strength"),
    "steps": ("FCVG_Sampler", "steps"),
    "min-guidance": ("FCVG_GuideInbetween", "min_guidance"),
    "max-guidance": ("FCVG_Sampler", "max_guidance"),
    "guidance-from": ("FCVG_GuideInbetween", "guidance_from"),
    "guidance-until": ("FCVG_Sampler", "guidance_until"),
    "forward-share": ("FCVG_GuideInbetween", "forward_share"),
    "cache": ("FCVG_SVDCache", "interval"),
    "window": ("FCVG_GuideInbetween", "window"),
    "overlap": ("FCVG_GuideInbetween", "overlap"),
    "seed": ("FCVG_Sampler", "seed"),
    "noise-injection-steps": ("FCVG_InjectNoise", "steps"),
    "noise-injection-ratio": ("FCVG_Sampler", "noise_injection_ratio"),
    "from-preview": ("FCVG_Sampler", "denoise"),
    "decode-chunk": ("FCVG_DecodeFrames", "frames_per_chunk"),
}
ANIMATE = {
    "frames": ("FCVG_EncodeReference", "num_frames"),
    "width": ("FCVG_AnimateSampler", "width"),
    "smoothing": ("FCVG_AlignPoses", "smoothing"),
    "control-weight": ("FCVG_AnimateSampler", "control_weight"),
    "guidance-from": ("FCVG_AnimateSampler", "guidance_from"),
    "guidance-until": ("FCVG_GuideAnimation", "guidance_until"),
    "window": ("FCVG_GuideAnimation", "window"),
}
DYNAMICRAFTER = {
    "height": ("FCVG_DynamiCrafterConditioning", "height"),
    "width": ("FCVG_StoryShot", "width"),
    "frames": ("FCVG_DynamiCrafterConditioning", "num_frames"),
    "fs": ("FCVG_DynamiCrafterConditioning", "fs"),
    "steps": ("FCVG_DDIMSchedule", "steps"),
    "eta": ("FCVG_DDIMSampler", "eta"),
    "guidance": ("FCVG_ThreeBranchGuider", "cfg"),
    "image-guidance": ("FCVG_ThreeBranchGuider", "cfg_image"),
    "rescale": ("FCVG_ClipGuidanceRescale", "rescale"),
}
SMCD = {
    "height": ("FCVG_SMCDConditioning", "height"),
    "width": ("FCVG_SMCDConditioning", "width"),
    "frames": ("FCVG_SMCDConditioning", "num_frames"),
    "pad-to": ("FCVG_SMCDConditioning", "pad_to"),
    "steps": ("FCVG_DDIMSchedule", "steps"),
    "guidance": ("FCVG_ThreeBranchGuider", "cfg"),
    "scene-guidance": ("FCVG_ThreeBranchGuider", "cfg_image"),
}
CAMERA = {
    "amount": ("FCVG_CameraMove", "amount"),
    "pan-x": ("FCVG_CameraMove", "pan_x"),
    "pan-y": ("FCVG_CameraMove", "pan_y"),
    "zoom": ("FCVG_CameraMove", "zoom"),
    "rotate": ("FCVG_CameraMove", "rotate"),
    "tilt-x": ("FCVG_CameraMove", "tilt_x"),
    "tilt-y": ("FCVG_CameraMove", "tilt_y"),
    "max-lines": ("FCVG_CameraMove", "max_lines"),
}
NEEDED = {"camera": ("photo.png", "-o", "moved")}  # what a command can't do without
BOTH = [("inbetween", *item) for item in INBETWEEN.items()]
BOTH += [("animate", *item) for item in ANIMATE.items()]
BOTH += [("dynamicrafter", *item) for item in DYNAMICRAFTER.items()]
BOTH += [("smcd", *item) for item in SMCD.items()]
BOTH += [("camera", *item) for item in CAMERA.items()]


@pytest.mark.parametrize(("command", "option", "widget"), BOTH)
def test_an_option_takes_what_its_widget_takes(command, option, widget) -> None:
    node, name = widget
    inputs = FACES[node]["input"]
    settings = {**inputs["required"], **inputs.get("optional", {})}[name][1]
    step = 0.001 if isinstance(settings["max"], float) else 1
    words = [command, *NEEDED.get(command, ())]
    for end in (settings["min"], settings["max"]):
        options = parse_options([*words, f"--{option}={end}"])
        assert getattr(options, option.replace("-", "_")) == end
    for beyond in (settings["min"] - step, settings["max"] + step):
        with pytest.raises(SystemExit):
            parse_options([*words, f"--{option}={beyond}"])


class TestBounds:
    def test_ends_are_within(self) -> None:
        assert all(value in Bounds(1, 5) for value in (1, 2.5, 5))

    @pytest.mark.parametrize("value", [0, 6, -math.inf, math.inf, math.nan, 10**400])
    def test_without(self, value) -> None:
        assert value not in Bounds(1, 5)

    def test_multiples(self) -> None:
        assert [n for n in range(0, 300, 32) if n in Bounds(64, 256, step=64)] == [
            64,
            128,
            192,
            256,
        ]

    def test_around(self) -> None:
        bounds = Bounds(64, 256, step=64)
        around = {-9: [64], 0: [64], 65: [64, 128], 200.5: [192, 256], 256: [256], 10**9: [256]}
        assert {value: bounds.around(value) for value in around} == around

    def test_widget(self) -> None:
        assert Bounds(0.5, 1.0).widget == {"min": 0.5, "max": 1.0}
        assert Bounds(64, 256, step=64).widget == {"min": 64, "max": 256, "step": 64}


@pytest.mark.parametrize(
    ("bounds", "words"),
    [
        (Bounds(1, 1000), "1 to 1000"),
        (Bounds(0.01, 1000.0), "0.01 to 1000"),
        (Bounds(64, 4096, step=64), "64 to 4096"),
    ],
)
def test_words(bounds: Bounds, words: str) -> None:
    assert str(bounds) == words
