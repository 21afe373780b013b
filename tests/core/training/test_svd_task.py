"""Clips as the loop takes them: losses, weights, validation and painting."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from encoding_cases import CPU, SIZE, drawn_frames, make_encoders
from training_cases import FRAMES, generator, make_clip, make_network

from fcvg_core.standalone.networks.loading import Models
from fcvg_core.standalone.networks.pipeline import AnimationPipeline, InbetweenPipeline
from fcvg_core.training.clips import Clip
from fcvg_core.training.config import Clips, Training, TrainingSpec, Validation
from fcvg_core.training.data.encoded import encode_clip
from fcvg_core.training.drawing import BOTH, FORWARD, Draw, draw_passes
from fcvg_core.training.steps import SteeredUnet, training_loss
from fcvg_core.training.svd_task import SEED, Brush, SvdTask, painting_settings, to_frames


@dataclass
class Given:
    """A clip that is always the same."""

    name: str
    value: Clip
    weight: float = 1.0

    def clip(self, chance: torch.Generator | None) -> Clip:
        return self.value

    def frames(self) -> np.ndarray:
        return np.zeros((FRAMES, *SIZE, 3), np.uint8)


@pytest.fixture(scope="module")
def network() -> SteeredUnet:
    return make_network()


@pytest.fixture(scope="module")
def models(network) -> Models:
    return make_encoders(unet=network.unet, controlnext=network.controlnext)


def test_no_clip(network):
    with pytest.raises(ValueError, match="at least one clip"):
        SvdTask(network, [], Draw())


@pytest.mark.parametrize("directions", [FORWARD, BOTH])
def test_every_direction_of_a_clip_has_its_weight(network, directions):
    draw = Draw(directions=directions)
    clips = [Given("a", make_clip(1), 0.5), Given("b", make_clip(11), 3.0)]
    task = SvdTask(network, clips, draw)
    samples = [task.sample(i, generator(i)) for i in range(len(task))]
    losses = task.losses(network, samples, generator(5))
    passes = draw_passes([each.value for each in clips], draw, generator(5))
    times = len(passes) // 2
    weights = torch.tensor([0.5] * times + [3.0] * times)
    assert torch.equal(losses, training_loss(network, passes) * weights)


def test_clips_with_one_reference(network):
    clip = make_clip(control=None)
    one = Given("one", make_clip(images=clip.images[:1], control=None), 2.0)
    task = SvdTask(network, [one], Draw(directions=BOTH))
    assert len(task.losses(network, [task.sample(0, generator())] * 2, generator())) == 2


def test_loss_of_a_held_out_clip(network):
    clip = Given("kept", make_clip(3))
    task = SvdTask(network, [Given("a", make_clip())], Draw(), held_out=[clip])
    assert task.held_out() == ["kept"]
    found = [task.loss_at(network, 0, level, seed) for level, seed in ((2, 0), (2, 0), (9, 0))]
    assert found[0] == found[1] != found[2]
    assert found[0] != task.loss_at(network, 0, 2, 1)
    others = SvdTask(network, [Given("b", make_clip(5))], Draw(), held_out=[clip])
    assert found[0] == others.loss_at(network, 0, 2, 0)


def test_a_held_out_clip_is_painted_with_what_training_tells_the_networks():
    spec = TrainingSpec(
        data=Clips(frames=9, fps=12, motion_bucket_id=55, augmentation=0.07),
        training=Training(strength=0.4),
        validation=Validation(steps=7, guidance=1.5),
    )
    found = painting_settings(spec)
    assert (found.num_frames, found.fps, found.motion_bucket_id) == (9, 12, 55)
    assert (found.augmentation, found.control_weight, found.steps) == (0.07, 0.4, 7)
    assert found.guidance_start == found.guidance_end == 1.5


@pytest.mark.parametrize("kind", [InbetweenPipeline, AnimationPipeline])
def test_painting_is_that_of_inference(network, models, kind):
    frames, drawn = drawn_frames(FRAMES), drawn_frames(FRAMES, seed=1)
    at = (0, FRAMES - 1) if kind is InbetweenPipeline else (0,)
    spec = TrainingSpec(validation=Validation(steps=1, guidance=2.0))
    settings = replace(painting_settings(spec), num_frames=FRAMES)
    pipeline = kind(models, device=CPU, offload=False)
    encoded = encode_clip(pipeline, frames, at, versions=1, augmentation=0.02, seed=SEED)
    clip = make_clip(
        latents=encoded.mean,
        images=encoded.images(range(len(at)), None),
        control=torch.from_numpy(drawn).movedim(-1, 1),
    )
    task = SvdTask(
        network,
        [Given("other", make_clip(7))],
        Draw(),
        held_out=[Given("kept", clip)],
        brush=Brush(models.vae, settings),
    )
    painted = task.paint(0)
    given = (frames[0], frames[-1]) if len(at) == 2 else frames[0]
    expected = pipeline(given, drawn, settings, seed=SEED, decode_chunk=2)
    assert np.array_equal(painted.result, np.stack([*expected]))
    assert np.array_equal(painted.control, drawn) and painted.name == "kept"
    assert painted.truth.shape == (FRAMES, *SIZE, 3)


def test_control_frames_as_pictures():
    levels = torch.tensor([0, 100, 255], dtype=torch.uint8).reshape(1, 3, 1, 1).expand(2, 3, 4, 5)
    assert to_frames(levels).shape == (2, 4, 5, 3)
    assert np.array_equal(to_frames(levels), to_frames(levels / 255))


def test_nothing_to_paint_with(network):
    clip = Given("kept", make_clip())
    with pytest.raises(ValueError, match="a task with a brush"):
        SvdTask(network, [clip], Draw(), held_out=[clip]).paint(0)
