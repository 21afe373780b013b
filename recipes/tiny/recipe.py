"""A tiny model from nothing: clips, the VAE, then UNet and ControlNeXt, then the verdict."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import torch

from fcvg_core.errors import UserError
from fcvg_core.files.writing import explained, save_text
from fcvg_core.standalone.networks.loading import Models, check_models, fill_models
from fcvg_core.standalone.networks.pipeline import VideoPipeline
from fcvg_core.training.loop import Place, open_place

from .clips import DrawnClip
from .judge import Case, Verdict, draw_cases, judge
from .models import make_networks, save_half, write_svd
from .pace import Clock, EachMinute, Say
from .plan import BYTES, Plan
from .samples import Sample, encode_clips
from .supply import Supply
from .teach import Lesson, teach_vae

MADE_BY = "ComfyUI-FCVG, recipes/tiny: trained from nothing on clips that are drawn by code"


def make_tiny_model(plan: Plan, output: Path, say: Say) -> Verdict:
    """Draw, train, write and judge a tiny model.

    Args:
        output: folder that is made: model/ has the model's files, run/ is the loop's, unseen.png
            shows unseen towns (control, truth, painted; the twin's control, painted with it), and
            verdict.json says whether the model may be shipped.
        say: gets a line for each stage and each minute.

    Raises:
        UserError: the folder holds something, or see `train`.
    """
    _check_empty(output)
    clock, place = Clock(plan.seconds), open_place(plan.machine)

    def tell(text: str) -> None:
        minutes, seconds = divmod(int(clock.passed), 60)
        say(f"{minutes}:{seconds:02d}  {text}")

    torch.backends.cudnn.benchmark = True  # all batches of a network have one shape
    tell(f"{place.device}, {place.dtype}, {plan.workers} processes that draw")
    with Supply(plan.shape, workers=plan.workers, most=plan.clips) as supply:
        judged = supply.call(draw_cases, plan.shape, plan.cases)
        while len(supply.clips) < plan.first_clips and supply.draw():
            pass
        vae = teach_vae(plan, supply, place, clock, tell)
        while plan.seconds is None and supply.draw():
            pass
        cases, clips = judged(), supply.clips[: plan.clips]
    models = make_networks(plan.widths, vae, plan.seed)
    samples = _encode(models, clips, plan, place, tell)
    held_out = _encode(models, [case.clip for case in cases], plan, place, tell)
    tell(f"{len(samples)} clips and {len(held_out)} unseen towns are encoded")
    steps = Lesson(plan, samples, held_out, output / "run").teach(models, clock, tell)
    write_model(output / "model", plan, models)
    verdict = _judge(output, plan, place, cases, held_out)
    tell(str(verdict))
    facts = {"steps": steps, "clips": len(samples), "seconds": round(clock.passed)}
    _write_verdict(output, verdict, {**facts, "device": str(place.device), "seed": plan.seed})
    return verdict


def _check_empty(output: Path) -> None:
    """Raise UserError now rather than when the first file is written, minutes later."""
    with explained(output):
        output.mkdir(parents=True, exist_ok=True)
        if any(output.iterdir()):
            raise UserError(f"{output} is not empty: name another folder for the tiny model.")


def _encode(
    models: Models, clips: Sequence[DrawnClip], plan: Plan, place: Place, say: Say
) -> list[Sample]:
    for network in (models.vae, models.image_encoder):
        network.to(place.device)
    pipeline = VideoPipeline(models, device=place.device, offload=False)
    progress = EachMinute(lambda stage, done, total: say(f"{stage}: clip {done} of {total}"))
    return list(encode_clips(pipeline, clips, seed=plan.seed, progress=progress))


def write_model(folder: Path, plan: Plan, models: Models) -> None:
    """Write the files of a model in half precision, as both faces load them."""
    with explained(folder):
        write_svd(folder / "svd", plan.widths, models, MADE_BY)
        for name in ("unet", "controlnext"):
            network = getattr(models, name)
            save_half(folder / f"{name}.safetensors", network.state_dict(), MADE_BY)


def load_model(folder: Path, device: torch.device) -> Models:
    """The networks of a written model, in float32 on a device."""
    files = folder / "svd", folder / "unet.safetensors", folder / "controlnext.safetensors"
    networks = dict(fill_models(check_models(*files, torch.float32)))
    return Models(**{name: network.to(device) for name, network in networks.items()})


def _judge(
    output: Path, plan: Plan, place: Place, cases: list[Case], held_out: list[Sample]
) -> Verdict:
    """The verdict on the files: rounding to half precision is part of the model."""
    return judge(
        load_model(output / "model", place.device),
        cases,
        held_out,
        device=place.device,
        steps=plan.sampling_steps,
        pictures=output / "unseen.png",
    )


def _write_verdict(output: Path, verdict: Verdict, facts: dict) -> None:
    files = [path for path in (output / "model").rglob("*") if path.is_file()]
    size = sum(path.stat().st_size for path in files)
    faults = list(verdict.faults)
    if size > BYTES:
        faults.append(f"{size} bytes, at most {BYTES} allowed")
    content = {"shipped": not faults, "faults": faults, "bytes": size, **asdict(verdict), **facts}
    save_text(output / "verdict.json", json.dumps(content, indent=1) + "\n")
