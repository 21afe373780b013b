"""The command line: arguments, progress bars, files in and out."""

import argparse
import importlib.util
import logging
import sys
from pathlib import Path

from .options import parse_options

PACKAGES = ("torch", "diffusers", "transformers", "accelerate", "av", "tqdm")
INSTALL = 'pip install -e ".[standalone]" in the folder of this project'
SAMPLE_NAMES = ("first.png", "last.png")
# Options that name files: they are kept as absolute paths, so that run.json works anywhere.
PATHS = ("first", "last", "output", "unet", "controlnext", "matches",
         "gluestick", "superpoint")  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: of the command line; by default those of the process.

    Returns:
        Exit code: 0, 2 for anything that the user can put right, 130 after an interrupt.
    """
    logging.basicConfig(format="%(message)s", level=logging.INFO, stream=sys.stderr)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        options = parse_options(arguments)
        COMMANDS[options.command](options)
    except KeyboardInterrupt:
        return _fail("Interrupted.", 130)
    except ModuleNotFoundError as error:
        return _fail(f"The package {error.name} is not installed. To install it: {INSTALL}", 2)
    except (ValueError, OSError) as error:
        return _fail(f"Error: {error}", 2)
    except RuntimeError as error:
        if type(error).__name__ != "OutOfMemoryError":  # torch's, which may not be imported
            raise
        return _fail("Error: The device's memory ran out. Try --offload, a smaller --window or a "
                     "smaller size.", 2)  # fmt: skip
    return 0


def make_inbetweens(options: argparse.Namespace) -> None:
    """`inbetween`: two frames in, the video between them out."""
    _check_packages(("tqdm",) if options.conditions_only else PACKAGES)
    options.first = options.image1_path or options.first
    options.last = options.image2_path or options.last
    if not (options.first and options.last):
        raise ValueError(
            "Two pictures are needed, the first frame and the last: "
            "python -m fcvg_core inbetween FIRST LAST -o OUT"
        )
    from ..models.fcvg import check_size
    from ..sampling import plan_windows
    from .keyframes import read_keyframes
    from .matching import choose_matcher
    from .output import claim_folder, write_frames

    size = (options.height, options.width)
    check_size(*size)
    plan_windows(options.frames, options.window, options.overlap)
    _warn_of_changes(options)
    keyframes = read_keyframes(options.first, options.last, size)
    match = choose_matcher(options, size)
    job = None if options.conditions_only else _Job(options)
    with _Bars() as bars:
        conditions = _conditions(keyframes, match, options, bars)
        pipeline = job and job.load(bars)
        folder = claim_folder(options.output)
        write_frames(folder / "condition", conditions)
        _write_run(folder, options, job)
        if pipeline:
            frames = _paint(pipeline, keyframes, conditions, options, bars)
            write_frames(folder / "frames", frames)
            _write_video(folder, frames, options)
    _report(folder, job)


def write_line_matches(options: argparse.Namespace) -> None:
    """`match`: the lines that two frames share, as JSON and as a picture."""
    from PIL import Image

    from ..lines import draw_matches
    from .keyframes import read_keyframes
    from .matches_file import write_matches
    from .matching import choose_matcher
    from .output import claim_folder

    size = (options.height, options.width)
    keyframes = read_keyframes(options.first, options.last, size)
    matches = choose_matcher(options, size)(*keyframes)
    folder = claim_folder(options.output)
    write_matches(folder / "matches.json", matches)
    Image.fromarray(draw_matches(*keyframes, matches, seed=0)).save(folder / "matches.png")
    print(f"{len(matches.lines0)} lines match")
    print(f"matches: {folder / 'matches.json'}")
    print(f"picture: {folder / 'matches.png'}")


def write_samples(options: argparse.Namespace) -> None:
    """`sample-frames`: two pictures to try the program on."""
    import numpy as np
    from PIL import Image

    from .keyframes import read_frame
    from .scene import draw_sample_pair

    options.folder.mkdir(parents=True, exist_ok=True)
    frames = draw_sample_pair((options.height, options.width))
    paths = [options.folder / name for name in SAMPLE_NAMES]
    for path, frame in zip(paths, frames, strict=True):
        if path.exists() and not np.array_equal(read_frame(path), frame):
            raise ValueError(f"{path} exists and is another picture: name another folder.")
    for path, frame in zip(paths, frames, strict=True):
        Image.fromarray(frame).save(path)
        print(path)


def write_models(options: argparse.Namespace) -> None:
    """`stand-ins`: tiny models to try the program with."""
    _check_packages(PACKAGES[:4])
    from .stand_ins import write_stand_ins

    write_stand_ins(options.folder)
    print(
        f"Untrained models, whose frames will be noise, are in {options.folder}. To use them: "
        f"FCVG_MODELS={options.folder} python -m fcvg_core inbetween FIRST LAST -o OUT"
    )


COMMANDS = {
    "inbetween": make_inbetweens,
    "match": write_line_matches,
    "stand-ins": write_models,
    "sample-frames": write_samples,
}


class _Job:
    """The models of a run and the machine that they run on."""

    def __init__(self, options: argparse.Namespace):
        from .machine import choose_device, choose_dtype
        from .model_files import find_models
        from .stand_ins import is_stand_in_file

        self.device = choose_device(options.device)
        self.dtype = choose_dtype(options.dtype, self.device)
        self.offload = options.offload
        self.files = find_models(
            options.model, options.unet, options.controlnext, half=self.dtype.itemsize == 2
        )
        self.stand_ins = any(map(is_stand_in_file, (self.files.unet, self.files.controlnext)))
        if self.stand_ins:
            logging.warning("THESE ARE STAND-IN MODELS, NOT TRAINED: THE FRAMES WILL BE NOISE.")

    def load(self, bars: "_Bars"):
        """The pipeline with all its models."""
        from .loading import PARTS, Models, load_models
        from .pipeline import InbetweenPipeline

        loaded = {}
        bars("loading", 0, len(PARTS))
        files = self.files
        for name, network in load_models(files.svd, files.unet, files.controlnext, self.dtype):
            loaded[name] = network
            bars("loading", len(loaded), len(PARTS))
        return InbetweenPipeline(Models(**loaded), device=self.device, offload=self.offload)


class _Bars:
    """A progress bar for each stage; call it with the stage, what is done, and of how many."""

    def __init__(self):
        self._bars = {}

    def __enter__(self) -> "_Bars":
        return self

    def __exit__(self, *exception) -> None:
        for bar in self._bars.values():
            bar.close()

    def __call__(self, stage: str, done: int, total: int) -> None:
        from tqdm import tqdm

        if stage not in self._bars:
            self._bars[stage] = tqdm(total=total, desc=stage)
        bar = self._bars[stage]
        bar.update(done - bar.n)
        if done == total:
            bar.close()


def _conditions(keyframes: tuple, match, options: argparse.Namespace, bars: _Bars):
    from .conditions import make_conditions

    return make_conditions(
        keyframes,
        match=match,
        num_frames=options.frames,
        line_width=options.line_width,
        seed=options.seed,
        progress=bars,
    )


def _paint(pipeline, keyframes: tuple, conditions, options: argparse.Namespace, bars: _Bars):
    from .denoising import Settings

    frames = pipeline(
        keyframes,
        conditions,
        Settings(
            num_frames=options.frames,
            window=options.window,
            overlap=options.overlap,
            steps=options.steps,
            min_guidance=options.min_guidance,
            max_guidance=options.max_guidance,
            control_weight=options.control_weight,
            fps=options.fps,
            motion_bucket_id=options.motion_bucket,
            augmentation=options.augmentation,
            noise_injection_steps=options.noise_injection_steps,
            noise_injection_ratio=options.noise_injection_ratio,
        ),
        seed=options.seed,
        decode_chunk=options.decode_chunk,
        progress=bars,
    )
    if options.keep_keyframes:
        frames[0], frames[-1] = keyframes
    return frames


def _write_video(folder: Path, frames, options: argparse.Namespace) -> None:
    from .output import write_video

    write_video(folder / "result.mp4", frames, options.fps)


def _write_run(folder: Path, options: argparse.Namespace, job: _Job | None) -> None:
    from .output import write_run

    saved = {key: value for key, value in vars(options).items() if key not in
             ("command", "run", "image1_path", "image2_path")}  # fmt: skip
    inputs = {"first": options.first, "last": options.last}
    inputs |= {name: vars(options)[name] for name in ("matches", "gluestick", "superpoint")
               if vars(options)[name]}  # fmt: skip
    facts = {}
    if job:
        saved |= {"unet": job.files.unet, "controlnext": job.files.controlnext}
        local = options.model is None or Path(options.model).is_dir()
        saved["model"] = str(job.files.svd.absolute()) if local else options.model
        inputs |= {"unet": job.files.unet, "controlnext": job.files.controlnext,
                   "model": job.files.svd}  # fmt: skip
        facts = {"device": str(job.device), "dtype": str(job.dtype), "stand_ins": job.stand_ins}
    saved |= {key: str(Path(saved[key]).absolute()) for key in PATHS if saved[key]}
    write_run(folder / "run.json", saved, inputs, **facts)


def _warn_of_changes(options: argparse.Namespace) -> None:
    """Say which files of the earlier run are not what they were."""
    if options.run is None:
        return
    from .output import changed_inputs, read_run

    for path in changed_inputs(read_run(options.run)):
        logging.warning("%s is not the file of the earlier run any more.", path)


def _report(folder: Path, job: _Job | None) -> None:
    """Where the results lie, on standard output."""
    if job:
        print(f"video:      {folder / 'result.mp4'}")
        print(f"frames:     {folder / 'frames'}")
    print(f"conditions: {folder / 'condition'}")
    if job and job.stand_ins:
        print("The models were stand-ins: the frames are noise.")


def _check_packages(names: tuple[str, ...]) -> None:
    """Raise ModuleNotFoundError for the first package that is missing, before any work."""
    for name in names:
        if importlib.util.find_spec(name) is None:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def _fail(message: str, code: int) -> int:
    print(message, file=sys.stderr)
    return code
