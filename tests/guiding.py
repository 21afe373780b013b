"""What the tests of the guiders share: a tiny steered SVD, its conditionings, one run."""

import importlib
import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from unittest import mock

import pytest
import torch

from fcvg_core.sampling import Window, plan_spans

FRAMES = 5


def random(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def conditioning(seed: int | None, size: int = 8, **more) -> list:
    """A keyframe's conditioning, or the unconditional one of no seed."""
    shapes = (1, 1, 64), (1, 4, size, size)
    made = [torch.zeros(shape) if seed is None else random(seed, *shape) for shape in shapes]
    values = {"fps": 7, "motion_bucket_id": 127, "augmentation_level": 0.02}
    return [[made[0], {**values, "concat_latent_image": made[1], **more}]]


@dataclass(frozen=True)
class MirroredWindow(Window):
    """A window of the video that runs backward: everything about it is counted from the end."""

    num_frames: int = 0

    @property
    def frames(self) -> slice:
        start = self.num_frames - self.start - self.length
        return slice(start, start + self.length)

    @property
    def control_frames(self) -> list[int]:
        return [self.num_frames - 1 - frame for frame in reversed(super().control_frames)]

    @property
    def counted(self) -> slice:
        return slice(0, self.length - super().counted.start)


def mirrored_windows(at: tuple[int, ...], window: int, overlap: int) -> list[Window]:
    """In place of `plan_spans` for a mirrored video: FCVG's windows begin at the first frame."""
    last, spans = at[-1], len(at) - 1
    forward = plan_spans([last - frame for frame in reversed(at)], window, overlap)
    return [
        MirroredWindow(
            found.start, found.length, found.begin, spans - 1 - found.span, num_frames=last + 1
        )
        for found in forward
    ]


class Rig:
    """Guiders over one model that is loaded once.

    Args:
        load: the fixture of this name.
        model, controlnext: as the pack's loaders give them.
        size: of the latents.
    """

    def __init__(self, load, model, controlnext, size: int = 8):
        self.load, self.model, self.controlnext, self.size = load, model, controlnext, size

    def steer(
        self,
        model=None,
        *,
        frames=FRAMES,
        flipped=False,
        strength=1.0,
        start=0.0,
        end=1.0,
        mask=None,
        feather=0,
    ):
        """A clone of a model under control frames, which act from `start` to `end` (0..1)."""
        pictures = torch.rand(
            frames, 8 * self.size, 8 * self.size, 3, generator=torch.Generator().manual_seed(0)
        )
        return self.load("nodes.host.controlnext.patch").steer(
            model or self.model,
            self.controlnext,
            pictures.flip(0) if flipped else pictures,
            strength=strength,
            start_percent=start,
            end_percent=end,
            mask=self.load("nodes.host.controlnext.mask").read_mask(mask, feather, frames),
        )

    def inbetween(
        self,
        model,
        *,
        flipped=False,
        window=25,
        overlap=2,
        guidance=(3.0, 3.0),
        seeds=(1, 3),
        at=(),
        **more,
    ):
        """The guider between keyframes, whose order may be turned round.

        Args:
            seeds: one for each keyframe.
            at: frames of three keyframes or more, before they are turned round.
        """
        guider = self.load("nodes.host.guider").InbetweenGuider(
            model,
            window=window,
            overlap=overlap,
            guidance_start=guidance[0],
            guidance_end=guidance[1],
            **more,
        )
        keyframes = [conditioning(seed, self.size) for seed in seeds][:: -1 if flipped else 1]
        if len(seeds) > 2:
            places = tuple(at[-1] - frame for frame in reversed(at)) if flipped else at
            keyframes = self.load("nodes.host.spans").mark_spans(keyframes, places)
        guider.set_conds(*keyframes, conditioning(None, self.size))
        return guider

    def animation(self, model, *, window=25, overlap=2, guidance=(3.0, 3.0), **more):
        """The guider away from one picture."""
        guider = self.load("nodes.host.guider").AnimationGuider(
            model,
            window=window,
            overlap=overlap,
            guidance_start=guidance[0],
            guidance_end=guidance[1],
            **more,
        )
        guider.set_conds(conditioning(1, self.size), conditioning(None, self.size))
        return guider

    def host(self, model, *, guidance=3.0, one_token=True):
        """The host's own guider over the same conditionings.

        Args:
            one_token: whether cross-attention is computed as in the guiders of the pack, so that
                their numbers can be compared to the last digits.
        """
        import comfy.samplers

        if one_token:
            model = model.clone()
            self.load("nodes.host.svd.one_token").use_one_token(model)
        guider = comfy.samplers.CFGGuider(model)
        guider.set_conds(conditioning(1, self.size), conditioning(None, self.size))
        guider.set_cfg(guidance)
        return guider

    def sample(self, guider, *, flipped=False, sampler="euler", steps=2, frames=FRAMES, **more):
        """Sampled latents; flipped noise gives a flipped video, which is turned round again."""
        import comfy.samplers

        noise = random(0, frames, 4, self.size, self.size)
        sampling = guider.model_patcher.get_model_object("model_sampling")
        chosen = comfy.samplers.sampler_object(sampler) if isinstance(sampler, str) else sampler
        run = {
            "sigmas": comfy.samplers.calculate_sigmas(sampling, "karras", steps),
            "latent_image": torch.zeros_like(noise),
            **more,
        }
        windows = mirrored_windows if flipped else plan_spans
        guiders = self.load("nodes.host.guider")
        with torch.inference_mode(), mock.patch.object(guiders, "plan_spans", windows):
            out = guider.sample(
                noise.flip(0) if flipped else noise,
                sampler=chosen,
                disable_pbar=True,
                seed=0,
                **run,
            )
        return out.flip(0) if flipped else out

    def asymmetry(self, make, **run) -> float:
        """How far swapped keyframes and flipped noise are from flipping the video, in deviations.

        Args:
            make: flipped -> guider.
        """
        videos = [self.sample(make(flipped), flipped=flipped, **run) for flipped in (False, True)]
        return float((videos[0] - videos[1]).abs().max() / videos[0].std())


@contextmanager
def counted_passes(model) -> Iterator[list[tuple[float, int]]]:
    """The noise level and the number of frames of each call of an SVD from now on."""
    calls = []
    handle = model.model.diffusion_model.register_forward_pre_hook(
        lambda module, args, kwargs: calls.append(
            (float(kwargs["transformer_options"]["sigmas"][0]), len(args[0]))
        ),
        with_kwargs=True,
    )
    try:
        yield calls
    finally:
        handle.remove()


def compute_in_half(monkeypatch) -> None:
    """Let the host choose the number formats that it chooses on a card: half precision."""
    import comfy.model_management as mm

    monkeypatch.setattr(mm, "unet_dtype", lambda *args, **kwargs: torch.float16)
    monkeypatch.setattr(mm, "unet_manual_cast", lambda *args, **kwargs: None)
    monkeypatch.setattr(mm, "vae_dtype", lambda *args, **kwargs: torch.bfloat16)
    monkeypatch.setattr(mm, "should_use_fp16", lambda *args, **kwargs: True)


def note_memory(monkeypatch) -> list[list[int]]:
    """The shapes of the latents for which the host looks for memory from now on."""
    from comfy import sampler_helpers

    estimate, shapes = sampler_helpers.estimate_memory, []

    def noted(model, shape, *args, **kwargs):
        shapes.append(list(shape))
        return estimate(model, shape, *args, **kwargs)

    monkeypatch.setattr(sampler_helpers, "estimate_memory", noted)
    return shapes


def patches_of(model) -> list:
    """The control patches of a steered model, in the order in which they act."""
    return model.model_options["transformer_options"]["patches"]["input_block_patch_after_skip"]


def apply_hook(module: str, name: str, model, *arguments):
    """What a node of the host makes of a model, in whichever of its two styles it is written."""
    node = getattr(importlib.import_module(f"comfy_extras.{module}"), name)
    if not hasattr(node, "define_schema"):
        return getattr(node(), node.FUNCTION)(model, *arguments)[0]
    made = node.execute(model, *arguments)
    return getattr(made, "args", made)[0]


def skip_without_windows() -> None:
    """Skip a test if context windows of the imported host can't take SVD's latents.

    In older hosts this node fails for every latent that has several frames in its batch.
    """
    from comfy.context_windows import IndexListContextHandler

    if "timestep[0]" not in inspect.getsource(IndexListContextHandler.set_step):
        pytest.skip("this ComfyUI has no windows for frames in a batch")


def with_windows(model, length: int, overlap: int, *, anchored: bool = False, dim: int = 0):
    """The host's node Context Windows (Manual).

    Args:
        anchored: whether a window begins with one more frame, which counts in no result: the
            default of newer hosts.
        dim: axis of the frames.
    """
    from comfy.context_windows import ContextFuseMethods, ContextSchedules
    from comfy_extras.nodes_context_windows import ContextWindowsManualNode

    known = inspect.signature(ContextWindowsManualNode.execute).parameters
    if anchored and "causal_window_fix" not in known:
        pytest.skip("this ComfyUI adds no frame to windows")
    given = {
        "context_length": length,
        "context_overlap": overlap,
        "context_schedule": ContextSchedules.STATIC_STANDARD,
        "context_stride": 1,
        "closed_loop": False,
        "fuse_method": ContextFuseMethods.PYRAMID,
        "dim": dim,
        "freenoise": False,
        "causal_window_fix": anchored,
    }
    given = {name: value for name, value in given.items() if name in known}
    return ContextWindowsManualNode.execute(model, **given).args[0]
