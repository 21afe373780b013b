"""One face of benchmarks/dynamicrafter.py in its own process: paints a clip, and measures it.

    python benchmarks/dynamicrafter_faces.py COMFYUI SETTINGS

SETTINGS is JSON: face, checkpoint, variant, size, steps, dtype, out (where the frames are saved).
The figures are printed as JSON.
"""

import importlib.util
import json
import statistics
import sys
import time
from pathlib import Path
from threading import Thread

import numpy as np
import psutil
import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from fcvg_core.models.dynamicrafter.variants import VARIANTS  # noqa: E402
from fcvg_core.progress import silent  # noqa: E402
from fcvg_core.standalone.demo.scene import draw_sample_pair  # noqa: E402

PROMPT = "a boat on a lake at sunset"
GUIDANCE, FRAMES, SEED = 7.5, 16, 123  # as in the official scripts
# The official scripts have 1. Without fresh noise both faces paint the same clip: the host draws
# the noise of steps on the card, and older hosts draw it from another seed.
ETA = 0.0
CHUNK = 4  # frames that are decoded together, and one by one
PACK = "custom_nodes_fcvg"  # the host's name for this pack


def main(comfyui: Path, face: str, out: str, **settings) -> None:
    """Paint a clip in this process, and print its figures as JSON."""
    painter = Standalone() if face == "standalone" else Native(comfyui, settings["dtype"])
    clip, clock, memory = Clip(settings), Clock(), Memory()
    with torch.inference_mode():
        clock.begin("loading")
        painter.load(clip)
        clock.end("loading")
        frames = painter.paint(clip, clock)
        most = memory.figures()
        height, width = clip.size
        latents = torch.randn(CHUNK, 4, height // 8, width // 8)
        apart = (painter.decode(latents, 1) - painter.decode(latents, CHUNK)).abs().max()
    np.save(out, frames)
    size = clip.checkpoint.stat().st_size
    print(json.dumps({**clock.figures(), **most, "file": size, "chunks": float(apart)}))


class Clip:
    """What is painted, with the settings of the official scripts."""

    def __init__(self, settings: dict):
        self.checkpoint, self.size = Path(settings["checkpoint"]), tuple(settings["size"])
        self.steps, self.dtype = settings["steps"], settings["dtype"]
        self.model = VARIANTS[settings["variant"]]
        self.mode = "interpolate" if self.model.interpolates else "animate"
        self.spacing, self.rescale = self.model.spacing, self.model.rescale
        self.first, last = draw_sample_pair(self.size)
        self.last = last if self.model.interpolates else None


class Clock:
    """Seconds of loading and decoding, and the moments at which steps have ended."""

    def __init__(self):
        self.begins, self.seconds, self.ends = {}, {}, []

    def begin(self, part: str) -> None:
        self.begins[part] = time.perf_counter()

    def end(self, part: str) -> None:
        self.seconds[part] = time.perf_counter() - self.begins[part]

    def note(self) -> None:
        self.ends.append(time.perf_counter())

    def figures(self) -> dict[str, float]:
        """Seconds of each part, and of a step after the first step."""
        pairs = zip(self.ends[:-1], self.ends[1:], strict=True)
        step = statistics.median(after - before for before, after in pairs)
        return {**self.seconds, "step": step}


class Standalone:
    """The face without ComfyUI."""

    def __init__(self):
        # Imported here, so that no import is measured as loading.
        from diffusers import AutoencoderKL  # noqa: F401
        from transformers import CLIPTextModel, CLIPTokenizer, CLIPVisionModel  # noqa: F401

        from fcvg_core.standalone.networks import device, dynamicrafter

        self.family, self.device = dynamicrafter, device.choose_device("auto")
        self.dtypes = device.DTYPES

    def load(self, clip: Clip) -> None:
        files = self.family.DynamiCrafterFiles(checkpoint=clip.checkpoint, variant=clip.model.word)
        checked = self.family.check_files(files, self.dtypes[clip.dtype])
        self.pipeline = checked.load(self.device, False, silent)

    def paint(self, clip: Clip, clock: Clock) -> np.ndarray:
        """uint8 [T, H, W, 3]."""

        def progress(stage: str, done: int, total: int) -> None:
            if stage == "denoising" and done:
                clock.note()
            if stage == "decoding" and not done:
                clock.begin("decoding")
            if stage == "decoding" and done == total:
                clock.end("decoding")

        request = self.family.ClipRequest(
            first=clip.first, last=clip.last, prompt=PROMPT, mode=clip.mode
        )
        settings = self.family.ClipSettings(
            num_frames=FRAMES,
            rate=clip.model.rate,
            steps=clip.steps,
            eta=ETA,
            spacing=clip.spacing,
            guidance=GUIDANCE,
            image_guidance=None,
            rescale=clip.rescale,
            image_tokens="auto",
            decode_chunk=1,
        )
        return self.pipeline(request, settings, seed=SEED, progress=progress)

    def decode(self, latents: torch.Tensor, chunk: int) -> torch.Tensor:
        """Frames [T, H, W, 3], 0..255."""
        frames = self.pipeline.decode(latents.to(self.device), chunk, silent)
        return torch.from_numpy(np.stack(list(frames))).float()


class Native:
    """The pack in a ComfyUI, without its server."""

    def __init__(self, comfyui: Path, dtype: str):
        sys.path.insert(0, str(comfyui.expanduser()))
        import comfy.cli_args

        arguments = comfy.cli_args.args
        arguments.cpu = not torch.cuda.is_available()
        setattr(arguments, f"{dtype}_unet", True)
        import comfy.samplers  # noqa: F401

        spec = importlib.util.spec_from_file_location(
            PACK, ROOT / "__init__.py", submodule_search_locations=[str(ROOT)]
        )
        sys.modules[PACK] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[PACK])
        parts = ("dynamicrafter.loading", "dynamicrafter.conditioning", "unet3d.sampling")
        self.loading, self.conditioning, self.sampling = (
            importlib.import_module(f"{PACK}.nodes.host.{part}") for part in parts
        )
        self.decoding = importlib.import_module(f"{PACK}.nodes.host.svd.decode")

    def load(self, clip: Clip) -> None:
        self.loaded = self.loading.load_checkpoint(str(clip.checkpoint), clip.model.word, "default")

    def paint(self, clip: Clip, clock: Clock) -> np.ndarray:
        """uint8 [T, H, W, 3]."""
        import comfy.sample
        import comfy.samplers

        model = self.sampling.rescale_clip_guidance(self.loaded.model, clip.rescale)
        positive, negative, latent = self._conditionings(clip)
        guider = comfy.samplers.CFGGuider(model)
        guider.set_conds(positive, negative)
        guider.set_cfg(GUIDANCE)
        latents = guider.sample(
            comfy.sample.prepare_noise(latent, SEED),
            latent,
            self.sampling.ddim_sampler(ETA),
            self.sampling.ddim_levels_of(model, clip.steps, clip.spacing),
            callback=lambda *told: clock.note(),
            disable_pbar=True,
            seed=SEED,
        )
        clock.begin("decoding")
        frames = self.decode(latents, 1)
        clock.end("decoding")
        return frames.round().byte().numpy()

    def decode(self, latents: torch.Tensor, chunk: int) -> torch.Tensor:
        """Frames [T, H, W, 3], 0..255."""
        return self.decoding.decode_frames(self.loaded.vae, latents, chunk) * 255

    def _conditionings(self, clip: Clip) -> tuple[list, list, torch.Tensor]:
        """CONDITIONINGs positive and negative, and an empty latent."""
        loaded = self.loaded
        settings = self.conditioning.ClipSettings(
            mode=clip.mode,
            size=clip.size,
            num_frames=FRAMES,
            rate=clip.model.rate,
            image_tokens="auto",
            clip_picture="as the video",
        )
        texts = (
            loaded.clip.encode_from_tokens_scheduled(loaded.clip.tokenize(text))
            for text in (PROMPT, "")
        )
        pictures = (None if x is None else as_image(x) for x in (clip.first, clip.last))
        positive, negative, _, latent = self.conditioning.condition_clip(
            *texts, loaded.projector, loaded.clip_vision, loaded.vae, *pictures, settings
        )
        return positive, negative, latent["samples"]


def as_image(frame: np.ndarray) -> torch.Tensor:
    """uint8 [H, W, 3] -> the host's IMAGE [1, H, W, 3]."""
    return torch.from_numpy(frame)[None].float() / 255


class Memory(Thread):
    """Peaks of memory beyond the memory in use before, in bytes, looked at 50 times a second.

    Attributes:
        own: without pages of mapped files, which the system can take back.
        whole: with these pages. On a card both are PyTorch's peak.
    """

    def __init__(self):
        super().__init__(daemon=True)
        self._before = self._now()
        self.own = self.whole = 0
        self.start()

    def run(self) -> None:
        while True:
            own, whole = (
                now - before for now, before in zip(self._now(), self._before, strict=True)
            )
            self.own, self.whole = max(self.own, own), max(self.whole, whole)
            time.sleep(0.02)

    def figures(self) -> dict[str, int]:
        return {"own": self.own, "whole": self.whole}

    @staticmethod
    def _now() -> tuple[int, int]:
        if torch.cuda.is_available():
            return (torch.cuda.max_memory_allocated(),) * 2
        found = psutil.Process().memory_info()
        # Other systems than Linux lack `shared`.
        return found.rss - getattr(found, "shared", 0), found.rss


if __name__ == "__main__":
    main(Path(sys.argv[1]), **json.loads(sys.argv[2]))
