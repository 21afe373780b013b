"""What both all-in-one samplers do besides what the nodes do one by one: ays, fast, checks."""

import importlib
import logging
from contextlib import contextmanager

import pytest
import torch

from fcvg_core.settings import FAST

pytestmark = pytest.mark.seam

SIZE = (64, 64)
BOXES = {"FCVG_Sampler": 28, "FCVG_AnimateSampler": 14}  # passes with `fast`


@pytest.fixture(scope="module")
def models(load, load_controlnext, stand_ins):
    """MODEL, CLIP_VISION, VAE and ControlNeXt of the host."""
    loading = load("nodes.host.svd.loading")
    return (
        loading.load_unet(str(stand_ins / "unet.safetensors"), None, "default"),
        *loading.load_svd_encoders(str(stand_ins / "svd")),
        load_controlnext(str(stand_ins / "controlnext.safetensors")),
    )


def pictures(count: int) -> torch.Tensor:
    return torch.rand(count, *SIZE, 3, generator=torch.Generator().manual_seed(count))


@pytest.fixture
def paint(node_classes, models):
    """Latents of a box over two frames, with the values that its widgets have in a new graph."""

    def run(
        name: str, *, control: bool = True, encoders: bool = True, model=None, **changed
    ) -> torch.Tensor:
        node = node_classes[name]
        inputs = node.define_schema().inputs
        given = {x.id: x.default for x in inputs if getattr(x, "default", None) is not None}
        given |= {"width": SIZE[1], "height": SIZE[0], **changed}
        if name == "FCVG_Sampler":
            images = (pictures(1), pictures(2))
            given["num_frames"] = 2
        else:
            images = (pictures(1),)
        if control:
            given |= {"controlnext": models[3], "control_frames": pictures(2)}
        clip_vision, vae = models[1:3] if encoders else (None, None)
        with torch.inference_mode():
            latent = node.execute(model or models[0], clip_vision, vae, *images, **given).args[0]
        return latent["samples"]

    return run


@pytest.fixture
def settings(load):
    """SamplingSettings of a box."""
    box_settings = load("nodes.host.box_settings")

    def make(**changed):
        widgets = {
            "seed": 0, "steps": 25, "sampler_name": "euler", "scheduler": "karras",
            "width": 64, "height": 64, "min_guidance": 3.0, "max_guidance": 3.0,
            "num_frames": 2, "window": 25, "overlap": 6,
            "control_weight": 1.0, "fps": 7, "motion_bucket_id": 127, "augmentation": 0.0,
            "noise_injection_steps": 0, "noise_injection_ratio": 0.0,
        }  # fmt: skip
        return box_settings.BoxSettings.from_widgets(**widgets | changed).sampling

    return make


@contextmanager
def counted_blocks(model):
    """Passes of two frames through the first block and through the middle block from now on."""
    unet, found = model.model.diffusion_model, {"all": 0, "whole": 0}

    def note(name):
        def add(module, args):
            found[name] += len(args[0]) // 2

        return add

    handles = [
        unet.input_blocks[0][0].register_forward_pre_hook(note("all")),
        unet.middle_block[0].register_forward_pre_hook(note("whole")),
    ]
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()


class TestSchedulers:
    @pytest.mark.parametrize("name", BOXES)
    def test_ays_is_the_last_of_the_list(self, node_classes, name):
        import comfy.samplers

        inputs = node_classes[name].define_schema().inputs
        (widget,) = (x for x in inputs if x.id == "scheduler")
        assert widget.options == [*comfy.samplers.SCHEDULER_NAMES, "ays"]
        assert widget.default == "karras"

    @pytest.mark.parametrize("steps", [1, 7, 10, 25])
    def test_ays_is_the_hosts(self, levels, steps):
        node = importlib.import_module("comfy_extras.nodes_align_your_steps")
        made = node.AlignYourStepsScheduler().get_sigmas("SVD", steps, 1.0)
        wanted = (getattr(made, "args", None) or made)[0]
        assert torch.equal(levels(scheduler="ays", steps=steps), wanted)

    def test_a_part_of_ays(self, levels):
        whole = levels(scheduler="ays", steps=8)
        assert torch.equal(levels(scheduler="ays", steps=4, denoise=0.5), whole[-5:])

    def test_samplers_that_leave_out_a_level(self, levels):
        """As the host leaves out the last level but one of its own schedulers."""
        whole = levels(scheduler="ays", steps=6)
        out = levels("dpm_2", scheduler="ays", steps=5)
        assert torch.equal(out, whole[[0, 1, 2, 3, 4, 6]])

    def test_the_hosts_schedulers(self, levels, models):
        import comfy.samplers

        sampling = models[0].get_model_object("model_sampling")
        wanted = comfy.samplers.calculate_sigmas(sampling, "exponential", 5)
        assert torch.equal(levels(scheduler="exponential", steps=5), wanted)

    @pytest.fixture
    def levels(self, load, models, settings):
        """Noise levels of a run."""
        box_settings = load("nodes.host.box_settings")

        def run(sampler: str = "euler", **changed) -> torch.Tensor:
            return box_settings.noise_levels(models[0], settings(**changed), sampler)

        return run

    @pytest.mark.parametrize("name", BOXES)
    def test_ays_with_one_step_says_so(self, paint, caplog, name):
        assert paint(name, scheduler="ays", steps=1).isfinite().all()
        said = [x for x in caplog.records if "Align Your Steps with 1 step" in x.getMessage()]
        assert [x.levelno for x in said] == [logging.WARNING]


class TestFast:
    @pytest.mark.parametrize(("name", "passes"), BOXES.items())
    def test_passes(self, paint, models, name, passes):
        with counted_blocks(models[0]) as found:
            assert paint(name, fast=True).isfinite().all()
        assert found["all"] == passes
        # Every second step is whole, and so is a step whose unconditional half begins.
        assert passes / 2 <= found["whole"] <= 0.65 * passes

    def test_is_the_settings_that_it_names(self, paint, node_classes, models):
        widgets = {"scheduler" if k == "schedule" else k: value for k, value in FAST.items()}
        interval = widgets.pop("cache_interval")
        cached = node_classes["FCVG_SVDCache"].execute(models[0], interval, 0.0, 1.0).args[0]
        wanted = paint("FCVG_Sampler", model=cached, **widgets)
        assert torch.equal(paint("FCVG_Sampler", fast=True, steps=3), wanted)

    def test_says_what_it_sets(self, settings, caplog):
        caplog.set_level(logging.INFO)
        settings(fast=True)
        assert [x.getMessage() for x in caplog.records] == [
            "Fast sets steps 10, scheduler ays, guidance_from 0.25, guidance_until 0.49, "
            "SVD Cache 2."
        ]

    @pytest.mark.parametrize(
        ("name", "control"), [("FCVG_Sampler", False), ("FCVG_AnimateSampler", True)]
    )
    def test_from_a_video(self, paint, models, name, control):
        start = {"samples": torch.ones(2, 4, SIZE[0] // 8, SIZE[1] // 8)}
        with counted_blocks(models[0]) as found:
            out = paint(name, control=control, fast=True, denoise=0.5, latent_image=start)
        assert out.isfinite().all()
        directions = BOXES[name] // 14
        assert 10 * directions < found["all"] < 20 * directions


class TestBadInput:
    @pytest.mark.parametrize("name", BOXES)
    def test_interval_before_any_model_runs(self, paint, name):
        with pytest.raises(ValueError, match="begins at 0.6 and ends at 0.4"):
            paint(name, encoders=False, guidance_from=0.6, guidance_until=0.4)

    def test_share_before_any_model_runs(self, paint):
        with pytest.raises(ValueError, match="forward_share is 1.5: set it to a number from"):
            paint("FCVG_Sampler", encoders=False, forward_share=1.5)
