"""`smcd-eval`: SMCD over a data set, or how well two files of boxes agree."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ....errors import UserError
from ....files.claim import made_folder, resolve_output
from ....files.writing import save_text
from ....quoting import quote
from ...spec import SmcdEvalSpec
from ..smcd_eval_options import add_evaluation

if TYPE_CHECKING:
    from ....box_sets import BoxVideo
    from ...evaluation.smcd import Similarity
    from ...smcd import SmcdPainter

HELP = "paint the videos of a data set with SMCD, and measure them"
DESCRIPTION = (
    "Paint the videos of GOT-10k or YouTube-VIS with SMCD from their first frame, boxes and "
    "prompt, as the official evaluation does, and measure them. Writes a folder with the official "
    "files for each video, and measures.json. docs/evaluation.md explains layout and measures."
)
EXAMPLES = (
    "smcd-eval --dataset got10k --path dataset --trained_ckpt_path weights -o evaluation",
    "smcd-eval --dataset youvis --path dataset --clip-vision open_clip_pytorch_model.bin -o out",
    "smcd-eval --measure-boxes tracker_results evaluation --form xywh",
)
RUN = "run.json"
# Options that may differ when an evaluation goes on.
FREE = ("output", "count", "clip_vision", "device", "offload", "version")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    add_evaluation(parser)


def prints_result(options: argparse.Namespace) -> bool:
    """Whether measures are printed, and no file is written."""
    return options.measure_boxes is not None


def run(options: argparse.Namespace) -> None:
    """Paint and measure the videos of a data set; or compare boxes."""
    if options.measure_boxes is not None:
        _compare_boxes(options)
        return
    from ...evaluation.smcd import evaluate_smcd
    from ...smcd import SmcdPainter
    from ..progress import Bars

    spec = SmcdEvalSpec.from_options(vars(options))
    folder = resolve_output(spec.output)
    windows = _windows(spec)  # what can't be read is known before the model is looked at
    _check_folder(folder, spec)
    painter = SmcdPainter(spec.painting)
    similarity = _similarity(spec, painter)
    with made_folder(folder), Bars() as bars:
        _save(folder, spec, painter)

        def paint(window: BoxVideo, first: Any, number: int) -> Any:
            return painter(
                first,
                window.tracks,
                prompt=window.prompt,
                seed=(painter.seed + number) % 2**64,
                embeddings=window.embeddings,
                progress=lambda stage, *done: bars(stage, *done) if stage == "loading" else None,
            )

        content = evaluate_smcd(
            windows,
            paint,
            folder,
            size=painter.size,
            fps=spec.result.fps,
            dataset=spec.dataset,
            similarity=similarity,
            progress=bars,
        )
    count = content["videos"]
    print(f"{folder}: {count} video{'' if count == 1 else 's'}, see measures.json")
    for name, value in content["mean"].items():
        print(f"  {name}: {value:.4f} ({content['units'][name]})")
    if painter.model.is_stand_in:
        print("The model was a stand-in: the frames are noise.")


def _windows(spec: SmcdEvalSpec) -> list[BoxVideo]:
    """The windows of the videos that are painted, as the official program chooses them."""
    from ....box_sets import official_windows, open_box_set
    from ...smcd import settle_config
    from ...spec.smcd_eval import COUNTS, SPLITS

    told = _told(spec)
    path, split = spec.path, spec.split
    if path is None and isinstance(told.get("path"), str):
        path = Path(told["path"])
    if path is None:
        raise UserError(
            "The data set is not named: give --path DIR, the folder that holds got-10k or youvis."
        )
    if split is None and spec.dataset == next(iter(SPLITS)) and isinstance(told.get("split"), str):
        split = told["split"]
    count, frames = spec.count or COUNTS[spec.dataset], spec.result.frames
    videos = open_box_set(path, spec.dataset, split or SPLITS[spec.dataset], least=frames)
    _, seed = settle_config(spec.painting)
    windows = list(official_windows(videos.first(count or len(videos)), frames, seed))
    logging.info("%s: %d of %d videos.", spec.dataset, len(windows), len(videos))
    return windows


def _told(spec: SmcdEvalSpec) -> dict[str, Any]:
    """What the configuration of the official code says of the data set."""
    from ...media.official_config import read_config

    path = spec.models.config
    told = read_config(path).get("eval_data") if path is not None and path.is_file() else None
    return told if isinstance(told, dict) else {}


def _check_folder(folder: Path, spec: SmcdEvalSpec) -> None:
    """Raise UserError unless a folder is new, empty, or of an evaluation with the same options."""
    from ..run_record import changed_inputs, read_run

    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not (folder / RUN).exists():
        raise UserError(
            f"{folder} holds something else than an evaluation; expected a new folder, or that of "
            "an evaluation that goes on: name another one with -o."
        )
    earlier, now = read_run(folder / RUN), spec.absolute().to_json()
    for key, value in now.items():
        before = earlier["options"].get(key)
        if key not in FREE and before != value:
            raise UserError(
                f"{folder} was begun with {key} {quote(before)}, and it is {quote(value)} now; "
                "expected the same options: give them, or name another folder with -o."
            )
    if changed := changed_inputs(earlier):
        raise UserError(
            f"{folder} was begun with another file {changed[0]} than the one that is there now: "
            "name another folder with -o."
        )


def _save(folder: Path, spec: SmcdEvalSpec, painter: SmcdPainter) -> None:
    """Write run.json: the options, and the files of the model that were found."""
    from ..run_record import save_spec

    files = {name: path for name, path in vars(painter.model.files).items() if path is not None}
    save_spec(
        folder,
        "smcd-eval",
        spec,
        {name: (path,) for name, path in files.items()},
        device=str(painter.model.device),
        dtype=str(painter.model.dtype),
        stand_ins=painter.model.is_stand_in,
    )


def _similarity(spec: SmcdEvalSpec, painter: SmcdPainter) -> Similarity | None:
    """CLIP, if a file of it is named."""
    if spec.clip_vision is None:
        return None
    from ...networks.clip_similarity import ClipSimilarity

    return ClipSimilarity(
        spec.clip_vision,
        tokenizer=painter.model.files.tokenizer,
        roots=painter.roots,
        device=painter.device,
    )


def _compare_boxes(options: argparse.Namespace) -> None:
    """Print how well boxes agree; write it as JSON if -o was typed."""
    from ...evaluation.box_files import agreement_lines, compare_boxes
    from ...evaluation.report import to_text

    content = compare_boxes(*options.measure_boxes, form=options.form)
    output = options.output
    if output != SmcdEvalSpec().output:
        if output.exists():
            raise UserError(f"{output} exists. Name a new file with -o.")
        with made_folder(output.parent):
            save_text(output, to_text(content))
    print("\n".join(agreement_lines(content)))
