"""The table at the end: ratios, aims and losses from what the parts have found."""

import pytest

GB = 2**30


@pytest.fixture
def size(module):
    return module("gpu").FULL


def record(part: str, **facts) -> dict:
    return {"part": part, "status": "ok", "seconds": 1.0, **facts}


RECORDS = [
    record("chip: matrix rate", rates={"bf16": 700e12, "fp32": 50e12}),
    record(
        "chip: operations of a pass",
        operations=80e12,
        kinds={"convolution": 28e12, "attention": 16.8e12, "matmul": 35e12},
    ),
    record("default, bf16: fcvg_simple", steps=2, step_s=1.5, sampler_s=6.0, decode_s=2.5, vram=GB),
    record("default, bf16: fcvg_simple again", steps=2, step_s=1.0, sampler_s=2.5, decode_s=2.0),
    record(
        "default, bf16: fast",
        steps=10,
        step_s=0.4,
        sampler_s=4.5,
        passes=28,
        whole_passes=14,
        vram=None,
    ),
    record("headless: the reference's way", steps=2, step_s=7.0, decode_s=5.0, reserved=30 * GB),
    record("headless: bf16", steps=3, step_s=1.2, decode_s=3.0, reserved=16 * GB),
    record("default, bf16: controlnext_svd_simple", steps=2, step_s=0.8, sampler_s=2.0, decode_s=2),
    record("default, bf16: decoding", chunks_s={"1": 3.0, "2": 2.5}),
    record("conditions: GlueStick", frame_s=0.02, points=900, log=[]),
    record("kernels: layouts", ways_s={"plain": 0.3, "channels last": 0.25}),
    record("kernels: compiled UNet", ways_s={"plain": 0.3}, not_compiled="there is no gcc"),
    record("kernels: attention", attention_s={}, not_here={"cuDNN": "no such kernel"}),
    record(
        "kernels: profile of a pass",
        pass_s=0.31,
        profiled_s=0.3,
        groups_s={"convolution": 0.1, "attention": 0.06, "norms": 0.08, "matmul": 0.06},
        kernels=[{"name": "sm90_conv", "seconds": 0.09, "calls": 40}],
    ),
    {"part": "headless: fp16", "status": "failed", "seconds": 3.0, "why": "no"},
]


class TestTable:
    def test_a_clip_has_25_steps_or_those_of_its_way(self, module, size):
        runs = module("gpu_table").make_table(RECORDS, size)["runs"]
        assert runs["ComfyUI, bf16"]["clip_s"] == pytest.approx(25 * 1.0 + 0.5 + 2.5)
        assert runs["ComfyUI, fast"]["clip_s"] == pytest.approx(4.5 + 2.5)
        assert runs["without ComfyUI, bf16"]["clip_s"] == pytest.approx(25 * 1.2 + 3)
        assert "without ComfyUI, fp16" not in runs

    def test_ratios_are_those_of_clips(self, module, size):
        runs = module("gpu_table").make_table(RECORDS, size)["runs"]
        assert runs["the reference's way"]["ratio"] == 1
        assert runs["ComfyUI, bf16"]["ratio"] == pytest.approx(180 / 28)
        assert runs["ComfyUI, fast"]["ratio"] == pytest.approx(180 / 7)
        animated = runs["ControlNeXt-SVD, ComfyUI, bf16"]
        assert "ratio" not in animated  # the reference samples both directions

    def test_share_of_the_matrix_rate(self, module, size):
        runs = module("gpu_table").make_table(RECORDS, size)["runs"]
        step = 4 * 80e12 + 5.7e12
        assert runs["ComfyUI, bf16"]["share"] == pytest.approx(step / 700e12, rel=0.01)
        assert runs["the reference's way"]["share"] == pytest.approx(step / 7 / 50e12, rel=0.01)
        animated = runs["ControlNeXt-SVD, ComfyUI, bf16"]
        assert animated["share"] == pytest.approx((160e12 + 5.7e12) / 0.8 / 700e12, rel=0.01)
        assert "share" not in runs["ComfyUI, fast"]  # not all of its passes are whole

    def test_aims(self, module, size):
        table = module("gpu_table")
        met = {aim["aim"]: aim["met"] for aim in table.make_table(RECORDS, size)["aims"]}
        assert met == {
            "ComfyUI: 25 steps, against the reference": True,
            "ComfyUI: fast, against the reference": True,
            "ComfyUI: share of the matrix rate": False,
            "without ComfyUI: 25 steps, against the reference": False,
            "without ComfyUI: --fast, against the reference": None,
            "without ComfyUI: share of the matrix rate": False,
            "the clip in 8 GB": None,
        }

    def test_the_three_largest_losses(self, module, size):
        found = module("gpu_table").make_table(RECORDS, size)["losses"]
        assert [(loss["what"], round(loss["seconds"], 4)) for loss in found] == [
            ("norms", 0.08),
            ("convolution at 40% of the matrix rate", 0.06),
            ("attention at 40% of the matrix rate", 0.036),
        ]

    def test_losses_need_a_profile_of_kernels(self, module):
        find = module("gpu_losses").find_losses
        profile = {"groups_s": {"norms": 1.0}, "pass_s": 1.5, "profiled_s": 1.0}
        kinds = {"matmul": 1.0}
        assert [loss["what"] for loss in find(profile, kinds, 1.0)] == ["norms", "the GPU waits"]
        assert find({}, kinds, 1.0) == find(profile, {}, 1.0) == find(profile, kinds, None) == []
        assert find({**profile, "no_kernels": "none"}, kinds, 1.0) == []

    def test_text(self, module, size):
        table = module("gpu_table")
        text = "\n".join(table.format_table(table.make_table(RECORDS, size)))
        for part in (
            "Matrix rate in TFLOP a second: bf16 700, fp32 50",
            "A pass of the UNet: 80 TFLOP",
            "without ComfyUI: --fast, against the reference                         not measured",
            "A pass takes 310.0 ms, 37% of the matrix rate; by operation, in ms: convolution 100.0",
            "loss: norms, 80.0 ms of a pass",
            "note: kernels: compiled UNet: not compiled: there is no gcc",
            "note: kernels: attention: not here, cuDNN: no such kernel",
            "     90.00 ms     40 x  sm90_conv",
            "decoding, seconds by frames in a chunk: 1: 3.00, 2: 2.50",
            "GlueStick: frame_s 0.020, points 900",
        ):
            assert part in text
        (fast,) = [line for line in text.splitlines() if line.startswith("ComfyUI, fast")]
        assert fast.split()[2:] == ["0.40", "7.00", "25.71", "28,", "14"]

    def test_nothing_was_measured(self, module, size):
        table = module("gpu_table")
        found = table.make_table([record("inputs")], size)
        assert {aim["met"] for aim in found["aims"]} == {None}
        assert len(table.format_table(found)) == len(found["aims"])
