"""Painters: what they load and when, and that they paint what the command line paints."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from taesdv_cases import write_taesdv

from fcvg_core.catalogue import comfyui
from fcvg_core.catalogue.model_files import MissingModelsError
from fcvg_core.colors import ramp_colors
from fcvg_core.errors import UserError
from fcvg_core.standalone import frame_maker, painter, preview, run_models
from fcvg_core.standalone.animate import AnimationPainter
from fcvg_core.standalone.cli.main import main
from fcvg_core.standalone.demo.scene import draw_sample_pair
from fcvg_core.standalone.inbetween import InbetweenPainter
from fcvg_core.standalone.spec import AnimateSpec, InbetweenSpec

SIZE = (64, 128)
SMALL = {"height": SIZE[0], "width": SIZE[1], "frames": 3, "steps": 1, "device": "cpu"}
PAIR = draw_sample_pair((96, 160))


@pytest.fixture(autouse=True)
def models(stand_ins, monkeypatch) -> None:
    monkeypatch.setenv("FCVG_MODELS", str(stand_ins))


def make(**options) -> InbetweenPainter:
    return InbetweenPainter(InbetweenSpec.from_json({**SMALL, **options}))


class TestInbetweenPainter:
    def test_many_videos_of_models_loaded_once(self, monkeypatch) -> None:
        counts = {"matcher": 0, "models": 0}

        def counted(name, function):
            def call(*given, **more):
                counts[name] += 1
                return function(*given, **more)

            return call

        opened = counted("matcher", preview.open_matcher)
        monkeypatch.setattr(preview, "open_matcher", opened)
        loaded = counted("models", run_models.fill_models)
        monkeypatch.setattr(run_models, "fill_models", loaded)
        paint = make(seed=1)
        assert counts == {"matcher": 0, "models": 0}
        first, other, again = paint(*PAIR), paint(*PAIR, seed=2), paint(*PAIR, seed=1)
        assert counts == {"matcher": 1, "models": 1}
        assert first.shape == (3, *SIZE, 3) and first.dtype == np.uint8
        assert np.array_equal(first, again) and not np.array_equal(first, other)
        swapped = paint(PAIR[1], PAIR[0])
        assert not np.array_equal(swapped, first)

    @pytest.mark.parametrize(
        ("options", "passes"),
        [
            ({"steps": 3, "cache": 2}, "12 passes of the UNet (4 with kept features)"),
            ({"steps": 3, "frames": 5, "window": 3, "overlap": 1}, "24 passes of the UNet"),
            ({"steps": 3, "sampler": "mpd"}, "18 passes of the UNet"),
        ],
    )
    def test_the_log_says_what_a_run_needs_before_weights_are_read(
        self, options, passes, monkeypatch, caplog
    ) -> None:
        def stop(checked):
            raise InterruptedError

        monkeypatch.setattr(run_models, "fill_models", stop)
        caplog.set_level("INFO")
        with pytest.raises(InterruptedError):
            make(**options).paint(draw_sample_pair(SIZE), None)
        frames = options.get("frames", 3)
        assert caplog.messages[-1].startswith(f"{frames} frames of 128 x 64 in ")
        assert f", {passes}, need about " in caplog.messages[-1]

    @pytest.mark.parametrize("draft", [True, False])
    def test_a_draft_needs_no_memory_of_the_vae(self, monkeypatch, draft) -> None:
        def stop(run, device):
            raise InterruptedError(run.needs((576, 1024), 25, 2).whole)

        monkeypatch.setattr(run_models, "load_draft", lambda *given: None)
        monkeypatch.setattr(painter, "log_needs", stop)
        needs = []
        for chunk in (2, 256):
            with pytest.raises(InterruptedError) as stopped:
                make(frames=25, draft=draft, decode_chunk=chunk).paint(PAIR, None)
            needs.append(stopped.value.args[0])
        assert (needs[0] == needs[1]) is draft

    def test_paints_what_the_command_line_paints(self, tmp_path) -> None:
        for name, frame in zip("ab", PAIR, strict=True):
            Image.fromarray(frame).save(tmp_path / f"{name}.png")
        table = {**SMALL, "steps": 2, "seed": 5, "line_width": 2, "max_guidance": 1.5}
        table |= {"fit": "crop", "anchor": "bottom"}  # the pictures are higher than the video
        words = [f"--{key.replace('_', '-')}={value}" for key, value in table.items()]
        files = [str(tmp_path / "a.png"), str(tmp_path / "b.png")]
        assert main(["inbetween", *files, "-o", str(tmp_path / "out"), *words]) == 0
        frames = [np.array(Image.open(p)) for p in sorted((tmp_path / "out/frames").iterdir())]
        assert np.array_equal(make(**table)(*PAIR), np.stack(frames))

    def test_keyframes_are_kept(self) -> None:
        pair = draw_sample_pair(SIZE)
        video = make(keep_keyframes=True)(*pair)
        assert np.array_equal(video[0], pair[0]) and np.array_equal(video[-1], pair[1])

    def test_colours_are_matched(self) -> None:
        pair = draw_sample_pair(SIZE)
        plain, video = make()(*pair), make(match_colors=True)(*pair)
        exact = make(match_colors=True, keep_keyframes=True)(*pair)
        images = torch.from_numpy(plain).float() / 255
        known = [torch.from_numpy(picture).float() / 255 for picture in pair]
        ramp = torch.stack(list(ramp_colors(images, known, (0, len(plain) - 1))))
        assert np.array_equal(video, (ramp * 255).round().numpy().astype(np.uint8))
        assert np.array_equal(exact[1:-1], video[1:-1]) and (plain != video).any()
        assert np.array_equal(exact[0], pair[0]) and np.array_equal(exact[-1], pair[1])

    def test_progress(self) -> None:
        stages = []
        make()(*PAIR, progress=lambda stage, done, total: stages.append(stage))
        assert list(dict.fromkeys(stages)) == ["conditions", "loading", "denoising", "decoding"]

    def test_nothing_is_painted(self) -> None:
        paint = make(conditions_only=True)
        assert paint.models is None
        with pytest.raises(UserError, match="leave conditions_only out"):
            paint(*PAIR)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"frames": 30, "window": 9, "overlap": 0}, "overlap by 1 to 8 frames"),
            ({"gluestick": "/no/x.tar"}, "There is no file /no/x.tar"),
            ({"poses": ["/no/a", "/no/b"]}, "There is no file /no/a"),
            ({"unet": "/no/unet"}, "There is no file /no/unet"),
            ({"device": "quantum"}, "There is no device 'quantum'"),
        ],
    )
    def test_is_checked_at_once(self, options, message, caplog) -> None:
        with pytest.raises(UserError, match=message):
            make(**options)
        assert not caplog.text  # no word of models before the error

    @pytest.mark.parametrize(
        ("picture", "found"),
        [
            (PAIR[1].astype(float), r"\[96, 160, 3\] float64"),
            (PAIR[1][..., 0], r"\[96, 160\] uint8"),
            (torch.from_numpy(PAIR[1]), "a value of type Tensor"),
            (Image.fromarray(PAIR[1]), "a value of type Image"),
            (PAIR[1].tolist(), "a value of type list"),
            ("last.png", "a value of type str"),
            (None, "a value of type NoneType"),
        ],
    )
    def test_a_picture_that_is_none(self, picture, found) -> None:
        with pytest.raises(ValueError, match=rf"expected a frame \[H, W, 3\] uint8, got {found}"):
            make()(PAIR[0], picture)

    def test_control_frames_that_are_no_array(self) -> None:
        with pytest.raises(ValueError, match="expected frames .*, got a value of type list"):
            make().paint(draw_sample_pair(SIZE), [*draw_sample_pair(SIZE)])

    def test_from_the_preview(self) -> None:
        """A call draws the preview itself; step by step it is what `draw_start` returns."""
        pair = draw_sample_pair(SIZE)
        stages = []
        paint = make(from_preview=0.5)
        video = paint(*pair, progress=lambda stage, done, total: stages.append(stage))
        assert list(dict.fromkeys(stages)) == [
            "conditions",
            "preview",
            "loading",
            "encoding",
            "denoising",
            "decoding",
        ]
        found = paint.find_motion(pair)
        start = paint.draw_start(pair, found)
        assert np.array_equal(start, paint.draw_preview(pair, found))
        control = paint.draw_control(found)
        assert np.array_equal(paint.paint(pair, control, start=start), video)
        other = paint.paint(pair, control, start=255 - start)
        assert not np.array_equal(other, video)
        assert not np.array_equal(make()(*pair), video)

    def test_from_the_preview_at_the_ends(self) -> None:
        pair = draw_sample_pair(SIZE)
        whole = make(from_preview=1)
        assert np.array_equal(whole(*pair), make()(*pair))
        assert whole.draw_start(pair, whole.find_motion(pair)) is None
        nothing = make(from_preview=0)
        assert np.array_equal(nothing(*pair, seed=1), nothing(*pair, seed=2))

    def test_a_start_that_does_not_fit(self, monkeypatch) -> None:
        monkeypatch.setattr(InbetweenPainter, "load", lambda *a: pytest.fail("too early"))
        pair = draw_sample_pair(SIZE)
        frames = np.zeros((3, *SIZE, 3), np.uint8)
        with pytest.raises(UserError, match="from_preview 0.5 .* starts from frames"):
            make(from_preview=0.5).paint(pair, frames)
        with pytest.raises(UserError, match="from_preview is None: set it to"):
            make().paint(pair, frames, start=frames)
        with pytest.raises(ValueError, match=r"of shape \[3, 64, 128, 3\], got \[2, 64, 128, 3\]"):
            make(from_preview=0.5).paint(pair, frames, start=frames[:2])
        with pytest.raises(ValueError, match=r"expected frames \[T, H, W, 3\] uint8"):
            make(from_preview=0.5).paint(pair, frames, start=frames.astype(float))

    def test_svd_alone(self, stand_ins, tmp_path, monkeypatch) -> None:
        """A call draws no control frames, and FCVG's files need not be there."""
        (tmp_path / "svd").symlink_to(stand_ins / "svd")
        monkeypatch.setenv("FCVG_MODELS", str(tmp_path))
        monkeypatch.setattr(preview, "open_matcher", lambda *a, **b: pytest.fail("not needed"))
        pair = draw_sample_pair(SIZE)
        paint = make(sampler="mpd", steps=1)
        assert paint.models.stand_ins and paint.models.files.named == {"model": tmp_path / "svd"}
        video = paint(*pair)
        assert video.shape == (3, *SIZE, 3)
        assert not np.array_equal(paint.paint(pair, None, seed=1), video)
        with pytest.raises(ValueError, match="takes no control frames"):
            paint.paint(pair, video)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"guidance_from": 0.6, "guidance_until": 0.5}, "begins at 0.6 and ends at 0.5"),
            ({"cache": 2, "steps": 1}, "interval of the cache is 2, but there is 1 step"),
            ({"sampler": "mpd", "forward_share": 0.2}, "ignore forward_share: leave this setting"),
            (
                {"sampler": "mpd", "poses": False, "from_preview": 0.5},
                "mpd SVD alone paints, which would ignore poses, from_preview: leave these",
            ),
        ],
    )
    def test_settings_that_do_not_go_together(self, options, message, monkeypatch) -> None:
        monkeypatch.setenv("FCVG_MODELS", "/none")  # models are not looked for
        with pytest.raises(UserError, match=message):
            make(**options)

    def test_one_step_of_align_your_steps_is_said(self, caplog) -> None:
        make(schedule="ays", conditions_only=True)
        assert "Align Your Steps with 1 step" in caplog.text

    @pytest.mark.parametrize("seed", [-1, 2**64, 1.5, True, "1"])
    def test_a_seed_that_is_none(self, monkeypatch, seed) -> None:
        monkeypatch.setattr(preview, "open_matcher", lambda *a, **b: pytest.fail("too early"))
        with pytest.raises(UserError, match=f"seed is {seed!r}: expected a whole number"):
            make()(*PAIR, seed=seed)


class TestAnimationPainter:
    def test_pictures_and_arrays(self, stand_ins, own_golden) -> None:
        dwpose = own_golden / "dwpose"
        spec = AnimateSpec.from_json(
            {
                **SMALL,
                "frames": 4,
                "window": 3,
                "overlap": 1,
                "unet": str(stand_ins / "unet.safetensors"),
                "controlnext": str(stand_ins / "controlnext.safetensors"),
                "dwpose_det": str(dwpose / "det_one.onnx"),
                "dwpose_pose": str(dwpose / "pose_a.onnx"),
            }
        )
        paint = AnimationPainter(spec)
        rough = np.random.RandomState(0).randint(0, 256, (9, 90, 160, 3)).astype(np.uint8)
        videos = [paint(rough[0], iter(rough), seed=seed) for seed in (1, 2, 1)]
        assert videos[0].shape == (4, *SIZE, 3)  # of nine driving frames three
        assert np.array_equal(videos[0], videos[2]) and (videos[0] != videos[1]).any()

    def test_needs_dwpose(self, stand_ins) -> None:
        paint = AnimationPainter(AnimateSpec.from_json({**SMALL, "conditions_only": True}))
        with pytest.raises(UserError, match="DWPose needs two files: yolox_l.onnx"):
            paint(PAIR[0], [PAIR[1]])


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        (InbetweenPainter, AnimateSpec()),
        (AnimationPainter, InbetweenSpec()),
        (InbetweenPainter, None),
        (AnimationPainter, {"frames": 4}),
    ],
)
def test_a_spec_of_another_kind(kind, spec) -> None:
    with pytest.raises(ValueError, match=f"of type {type(spec).__name__}, but .*Spec is needed"):
        kind(spec)


def test_model_folders_are_listed_once_a_run(tmp_path, monkeypatch) -> None:
    calls = []

    def counted(folder: Path | None) -> list:
        calls.append(folder)
        return found(folder)

    found = comfyui.model_roots
    monkeypatch.setattr(comfyui, "model_roots", counted)
    assert frame_maker.known_folders is comfyui.known_folders
    for name, frame in zip("ab", PAIR, strict=True):
        Image.fromarray(frame).save(tmp_path / f"{name}.png")
    files = [str(tmp_path / "a.png"), str(tmp_path / "b.png")]
    words = [f"--{key}={value}" for key, value in SMALL.items()]
    assert main(["inbetween", *files, "-o", str(tmp_path / "out"), *words]) == 0
    assert len(calls) == 1


class TestDraft:
    def test_is_decoded_by_the_tiny_decoder(self, stand_ins, tmp_path, monkeypatch) -> None:
        """The latents are those of the other decoder, and the keyframes can be kept."""
        with pytest.raises(MissingModelsError, match="--only taesdv"):
            make(draft=True)
        for path in stand_ins.iterdir():
            (tmp_path / path.name).symlink_to(path)
        write_taesdv(tmp_path / "taesdv.pth")
        monkeypatch.setenv("FCVG_MODELS", str(tmp_path))
        paint, seen = make(draft=True, seed=1, keep_keyframes=True), []
        pair = draw_sample_pair(SIZE)
        video = paint(*pair, progress=lambda *state: seen.append(state))
        assert [state for state in seen if state[0] == "decoding"] == [
            ("decoding", i, 3) for i in range(4)
        ]
        assert np.array_equal(video[[0, -1]], pair)
        assert video[1].std() > 1 and not np.array_equal(video, make(seed=1)(*pair))
