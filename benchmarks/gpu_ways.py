"""Ways to sample with less work: their settings, their graphs, and how many passes they take."""

from gpu_graphs import SAMPLERS, node_of

# Ways that the server's graphs are run with, beside the plain way.
AYS, INTERVAL, CACHE, FAST = "AYS", "AYS and interval", "AYS and cache", "fast"
VIDEO_NODES = ("FCVG_DecodeFrames", "CreateVideo", "SaveVideo", "SaveImage")
BOTH_DIRECTIONS = 2


def plain_settings(frames: int, **other):
    """SamplingSettings of the official code, in one window.

    Args:
        frames: of the video.
        other: settings with other values.
    """
    from fcvg_core.choices import KARRAS
    from fcvg_core.settings import SamplingSettings

    official = {
        "num_frames": frames,
        "window": frames,
        "overlap": min(6, frames - 1),
        "steps": 25,
        "guidance_start": 3.0,
        "guidance_end": 3.0,
        "control_weight": 1.0,
        "fps": 7,
        "motion_bucket_id": 127,
        "augmentation": 0.02,
        "noise_injection_steps": 0,
        "noise_injection_ratio": 0.0,
        "denoise": 1.0,
        "schedule": KARRAS,
        "guidance_from": 0.0,
        "guidance_until": 1.0,
        "forward_share": 0.0,
        "cache_interval": 1,
    }
    return SamplingSettings(**official | other)


def settings_of(way: str, frames: int):
    """SamplingSettings of a way."""
    from fcvg_core.settings import FAST as ALL

    changed = {
        AYS: ("steps", "schedule"),
        INTERVAL: ("steps", "schedule", "guidance_from", "guidance_until"),
        CACHE: ("steps", "schedule", "cache_interval"),
        FAST: tuple(ALL),
    }
    return plain_settings(frames, **{name: ALL[name] for name in changed[way]})


def count_passes(settings) -> dict[str, int]:
    """Passes of the UNet that SamplingSettings ask for: all of them, and the whole ones."""
    from fcvg_core.standalone.networks.levels import passes_of

    passes = passes_of(settings, directions=BOTH_DIRECTIONS)
    return {"passes": passes.whole + passes.shallow, "whole_passes": passes.whole}


def use_way(prompt: dict, way: str, frames: int) -> dict:
    """A graph with an all-in-one sampler node, sampled in a way; it saves its latents alone."""
    sampler = node_of(prompt, *SAMPLERS)
    settings = settings_of(way, frames)
    widgets = {"steps": settings.steps, "scheduler": settings.schedule}
    if way == INTERVAL:
        widgets["guidance_from"] = settings.guidance_from
        widgets["guidance_until"] = settings.guidance_until
    if way == FAST:
        widgets = {"fast": True}
    inputs = {**prompt[sampler]["inputs"], **widgets}
    added = {}
    if way == CACHE:
        cached = {
            "model": inputs["model"],
            "interval": settings.cache_interval,
            "start_percent": 0.0,
            "end_percent": 1.0,
        }
        added["cache"] = {"class_type": "FCVG_SVDCache", "inputs": cached}
        inputs["model"] = ["cache", 0]
    kept = {key: node for key, node in prompt.items() if node["class_type"] not in VIDEO_NODES}
    return {
        **kept,
        **added,
        sampler: {"class_type": prompt[sampler]["class_type"], "inputs": inputs},
    }


def decode_graph(prompt: dict, chunk: int) -> dict:
    """A graph that decodes its frames in chunks of a size, and saves nothing."""
    decode = node_of(prompt, "FCVG_DecodeFrames")
    inputs = {**prompt[decode]["inputs"], "frames_per_chunk": chunk}
    kept = {
        key: node
        for key, node in prompt.items()
        if node["class_type"] not in (*VIDEO_NODES, "SaveLatent")
    }
    return {
        **kept,
        decode: {**prompt[decode], "inputs": inputs},
        # The host runs a node only if the node of an output asks for it.
        "seen": {"class_type": "PreviewAny", "inputs": {"source": [decode, 0]}},
    }
