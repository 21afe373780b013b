"""The recipe of a tiny model: clips whose motion is known, the clock, the verdict, all of a run."""

import json
import os
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from fcvg_core.errors import UserError
from fcvg_core.lines import interpolate_lines
from fcvg_core.models.controlnext import V2, ControlNeXt
from fcvg_core.standalone.demo.scene import paint_canvas
from recipes.tiny.__main__ import main
from recipes.tiny.clips import Scene, Shape, draw_clips
from recipes.tiny.judge import Verdict
from recipes.tiny.models import CLIP, Widths
from recipes.tiny.pace import Clock, EachMinute
from recipes.tiny.plan import BYTES, Plan, small_plan
from recipes.tiny.recipe import load_model, make_tiny_model
from recipes.tiny.supply import Supply
from recipes.tiny.things import move_points
from recipes.tiny.vae import VaeTraining

SHAPE = Shape(64, 128, 3)


@pytest.fixture(scope="module")
def canvas() -> np.ndarray:
    return paint_canvas(5, SHAPE.fine)


def make_scene(canvas: np.ndarray, seed: int = 0, **choices) -> Scene:
    return Scene(canvas, SHAPE, np.random.default_rng(seed), **choices)


class TestClips:
    def test_are_always_the_same(self):
        first, again = ([*draw_clips(3, SHAPE, 2)] for _ in range(2))
        for one, other in zip(first, again, strict=True):
            assert one.name == other.name
            assert np.array_equal(one.frames, other.frames)
            assert np.array_equal(one.control, other.control)
        assert one.frames.shape == one.control.shape == (3, 64, 128, 3)
        assert one.frames.dtype == one.control.dtype == np.uint8
        assert not np.array_equal(first[0].frames, first[1].frames)

    @pytest.mark.parametrize("seed", range(4))
    def test_lines_are_where_the_camera_shows_them(self, canvas, seed):
        scene = make_scene(canvas, seed, people=0)
        scene.things = []
        lines = interpolate_lines(scene.find_span().matches, torch.tensor([0.0, 0.5, 1.0]))
        places = move_points(np.linalg.inv(scene.start), 2 * lines[0].numpy())
        for line, time in zip(lines, (0, 0.5, 1), strict=True):
            true = move_points(scene.camera(time), places) / 2
            error = np.linalg.norm(line.numpy() - true, axis=-1)
            assert len(error) > 5
            assert np.median(error) < 1  # pixel; the ends wander a little
            assert error.max() < 3

    def test_a_person_is_painted_where_the_joints_are(self, canvas):
        height, width = SHAPE.fine

        def chests(scene) -> np.ndarray:
            joints = np.stack([scene.joints(time)[0] for time in (0, 0.5, 1)])
            return np.rint((joints[:, 1] + joints[:, [8, 11]].mean(1)) / 2).astype(int)

        def fits(scene) -> bool:
            alone = len(scene.people) == 1
            return alone and (np.abs(chests(scene) * 2 / (width, height) - 1) < 0.9).all()

        scene = next(filter(fits, (make_scene(canvas, seed) for seed in range(100))))
        for time, (x, y) in zip((0, 0.5, 1), chests(scene), strict=True):
            shirt = scene.paint(time)[y, x].astype(int)
            assert np.abs(shirt - scene.people[0].shirt).max() < 4
        for people, time in zip(scene.find_span().people, (0, 1), strict=True):
            places = people.keypoints[0, :18].numpy() * (width, height)
            assert np.allclose(places, scene.joints(time)[0] + 0.5)

    def test_a_twin_begins_alike_and_moves_the_other_way(self, canvas):
        one, twin = (make_scene(canvas, 2, people=0, opposite=x) for x in (False, True))
        move, back = (scene.end @ np.linalg.inv(scene.start) for scene in (one, twin))
        assert np.allclose(move @ back / (move @ back)[2, 2], np.eye(3), atol=1e-6)
        frames, others = (scene.draw_frames("uniform") for scene in (one, twin))
        assert np.array_equal(frames[0], others[0])
        assert not np.array_equal(frames[-1], others[-1])


class TestClock:
    def test_plans_the_steps_that_fit(self):
        now = [100.0]
        clock = Clock(200.0, now=lambda: now[0])

        def take(steps, progress):
            for step in range(steps):
                now[0] += 5.0 if step < 3 else 0.5  # the first ones are slow
                progress("", step + 1, steps)

        assert clock.plan_steps(0.5, 7, 9, take) == int(0.95 * (100 - 18) / 0.5)
        assert clock.plan_steps(0.1, 7, 9, take) == 1  # the time is over

    def test_without_a_limit_nothing_is_tried(self):
        assert Clock(None).plan_steps(0.5, 7, 9, pytest.fail) == 7
        assert Clock(None).left(0.5) is None

    def test_speaks_each_minute_and_at_the_end(self):
        now, said = [0.0], []
        progress = EachMinute(lambda *told: said.append(told), now=lambda: now[0])
        for done in range(1, 8):
            now[0] += 25
            progress("stage", done, 7)
        assert [done for _, done, _ in said] == [3, 6, 7]


class TestVerdict:
    GOOD = Verdict(cross_fade=14, vae=24, painted=16, twin=14, black=15, loss=0.05, ratio=1.4)

    def test_of_a_good_model(self):
        assert self.GOOD.faults == []

    @pytest.mark.parametrize(
        "change, fault",
        [
            ({"cross_fade": 15.0}, "1.00 dB above the cross-fade, 1.5 needed"),
            ({"twin": 15.5}, "0.50 dB lost with the twin's control frames, 1.5 needed"),
            ({"ratio": 1.0}, "1.00 times the loss with black control frames, 1.3 needed"),
            ({"ratio": float("nan")}, "nan times the loss with black control frames, 1.3 needed"),
        ],
    )
    def test_names_what_is_missing(self, change, fault):
        assert replace(self.GOOD, **change).faults == [fault]


def test_a_shipped_model_is_small_enough():
    from diffusers import AutoencoderKLTemporalDecoder, UNetSpatioTemporalConditionModel
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    widths: Widths = Plan().widths
    with torch.device("meta"):
        networks = (
            UNetSpatioTemporalConditionModel(**widths.unet_config()),
            AutoencoderKLTemporalDecoder(**widths.vae_config()),
            CLIPVisionModelWithProjection(CLIPVisionConfig(**CLIP)),
            ControlNeXt(replace(V2, out_channels=widths.unet[0])),
        )
    tensors = [tensor for network in networks for tensor in network.state_dict().values()]
    count = sum(tensor.numel() for tensor in tensors)
    assert 18e6 < count < 20e6
    # Two bytes a value, 250 for a tensor's line in the header, 8 KB of configs.
    assert 2 * count + 250 * len(tensors) + 8000 < BYTES


@pytest.mark.slow  # a process of Python starts
class TestSupply:
    def test_workers_draw_what_this_process_draws(self):
        with Supply(SHAPE, workers=1, most=2, moves=2) as supply:
            assert supply.draw()
            assert not supply.draw()
            ended = supply.call(os._exit, 1)
            with pytest.raises(UserError, match="A process that draws clips has ended"):
                ended()
        with Supply(SHAPE, workers=0, most=1, moves=2) as here:
            while here.draw():
                pass
        assert [each.name for each in supply.clips] == ["town-0-0", "town-0-1"]
        for one, other in zip(supply.clips, here.clips, strict=True):
            assert np.array_equal(one.frames, other.frames)


class TestCommand:
    def test_says_which_device_is_missing(self, tmp_path, capsys):
        assert main([str(tmp_path / "out"), "--device", "cpu:7"]) == 2
        assert capsys.readouterr().out.startswith("error: There is no device 'cpu:7' here")

    @pytest.mark.parametrize(
        "option, message",
        [
            (["--minutes", "0"], "argument --minutes: 0 is not above 0"),
            (["--minutes", "nan"], "argument --minutes: nan is not above 0"),
            (["--workers", "-1"], "argument --workers: -1 is not above -1"),
            (["--clips", "many"], "argument --clips: invalid number value: 'many'"),
        ],
    )
    def test_refuses_numbers_that_make_no_sense(self, tmp_path, capsys, option, message):
        with pytest.raises(SystemExit):
            main([str(tmp_path / "out"), *option])
        assert message in capsys.readouterr().err
        assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run in which every stage takes as few steps as it can, and what it said."""
    plan = small_plan(
        shape=SHAPE,
        clips=3,
        first_clips=2,
        workers=0,
        vae=VaeTraining(crop=64, batch=1),
        seconds=0.0,
        practice=2,
        cases=1,
        sampling_steps=1,
    )
    folder, said = tmp_path_factory.mktemp("tiny") / "made", []
    verdict = make_tiny_model(plan, folder, said.append)
    return plan, folder, said, verdict


@pytest.mark.slow  # everything is trained, and a town painted
class TestRun:
    def test_writes_a_model_that_loads(self, made):
        plan, folder, _, _ = made
        models = load_model(folder / "model", torch.device("cpu"))
        assert models.unet.config.block_out_channels == [*plan.widths.unet]
        assert models.controlnext.config.out_channels == plan.widths.unet[0]

    def test_says_whether_the_model_may_be_shipped(self, made):
        _, folder, said, verdict = made
        content = json.loads((folder / "verdict.json").read_text(encoding="utf-8"))
        assert not content["shipped"]  # noise
        assert content["faults"] == verdict.faults
        assert content["steps"] == 1
        assert content["clips"] == 3
        assert 20e6 < content["bytes"] < BYTES
        assert any("unseen towns: loss" in line for line in said)

    def test_shows_what_it_painted(self, made):
        picture = cv2.imread(str(made[1] / "unseen.png"))
        assert picture.shape == (64, 5 * 128, 3)

    def test_refuses_a_folder_that_holds_something(self, made):
        plan, folder, _, _ = made
        with pytest.raises(UserError, match="is not empty: name another folder"):
            make_tiny_model(plan, folder, print)
