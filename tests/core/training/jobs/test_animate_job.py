"""Clips of the job animate: a part of a video, and a reference from anywhere in it."""

import json

import numpy as np
import pytest
import torch
from encoding_cases import CPU, Opener, drawn_frames, make_encoders, open_pipeline, write_frames
from training_cases import generator

from fcvg_core.errors import UserError
from fcvg_core.training.config import Clips, Conditions, TrainingSpec
from fcvg_core.training.data.cache import Contents
from fcvg_core.training.data.encoded import EncodedClip
from fcvg_core.training.data.item import Item
from fcvg_core.training.data.prepare import prepare
from fcvg_core.training.jobs import JOBS, Tools
from fcvg_core.training.jobs import animate as animate_job

JOB = JOBS["animate"]
COUNT, FRAMES = 7, 4
AT = (0, 3, 6)
SPEC = TrainingSpec(
    job="animate",
    data=Clips(height=64, width=64, frames=FRAMES, versions=1, fps=7),
    conditions=Conditions(references=3, hand_weight=4.0),
)


def numbered(*shape: int) -> torch.Tensor:
    """Each part is its own number everywhere."""
    return torch.arange(shape[0]).reshape(-1, *[1] * (len(shape) - 1)).expand(shape).float()


def make_contents(**more) -> Contents:
    """Frame N of the latents, of the control frames and of the weights is N everywhere."""
    encoded = EncodedClip(
        mean=numbered(COUNT, 4, 8, 8),
        deviation=torch.zeros(COUNT, 4, 8, 8),
        at=AT,
        embeddings=torch.tensor(AT).reshape(3, 1, 1).float(),
        pictures=torch.tensor(AT).reshape(3, 1, 1, 1, 1).expand(3, 1, 4, 8, 8).float(),
    )
    control = np.broadcast_to(np.arange(COUNT, dtype=np.uint8)[:, None, None, None], (7, 8, 8, 3))
    return Contents(encoded, {**animate_job._pack(control), **more})


class TestClip:
    def test_the_reference_stands_before_a_part_of_the_video(self):
        seen = set()
        for seed in range(80):
            clip = JOB.clip(make_contents(), SPEC, generator(seed))
            numbers = clip.latents[:, 0, 0, 0].tolist()
            reference, second, *_ = numbers
            assert numbers[1:] == [second, second + 1, second + 2]
            assert clip.control[:, 0, 0, 0].tolist() == numbers
            assert len(clip.images) == 1 and clip.weights is None
            assert float(clip.images[0].embedding) == reference
            assert float(clip.images[0].latent.mean()) == reference
            seen.add((reference, second))
        assert seen == {(one, start + 1) for one in AT for start in range(COUNT - FRAMES + 1)}

    def test_without_chance(self):
        """A reference from elsewhere: with the first frame, its own people would be enough."""
        clip = JOB.clip(make_contents(), SPEC, None)
        assert clip.latents[:, 0, 0, 0].tolist() == [6, 1, 2, 3]
        assert clip.control.dtype == torch.uint8 and clip.control.shape == (FRAMES, 3, 8, 8)
        assert clip.ids == (6.0, 127.0, 0.02)

    def test_hands_count_more_but_not_those_of_the_reference(self):
        weights = 1 + numbered(COUNT, 1, 8, 8).half()
        clip = JOB.clip(make_contents(weights=weights), SPEC, None)
        assert clip.weights[:, 0, 0, 0].tolist() == [1, 2, 3, 4]
        assert weights[0].eq(1).all() and weights[6].eq(7).all()  # the cache is as it was


@pytest.fixture(scope="module")
def pipeline():
    return open_pipeline(make_encoders())


@pytest.fixture
def tools(pipeline):
    return Tools(Opener(pipeline), (), roots=(), device=CPU)


@pytest.fixture
def run(tools, tmp_path):
    """A function that prepares a clip."""

    def run(item: Item, **changes):
        return prepare([item], SPEC.changed({"output": tmp_path / "run", **changes}), JOB, tools)

    return run


@pytest.fixture
def video(tmp_path):
    return write_frames(tmp_path / "video", drawn_frames(COUNT))


def test_a_video_with_a_guide_and_hands(run, video, tmp_path):
    guide = write_frames(tmp_path / "guide", drawn_frames(COUNT, seed=1))
    hands = {"hands_boxes": [[[0.4, 0.4], [0.6, 0.6]]], "hands_score": [[0.9]]}
    details = tmp_path / "details.json"
    details.write_text(json.dumps([hands] * COUNT))
    (clip,) = run(Item(id="one", frames=video, guide=guide, details=details)).clips
    taken, found = [6, 1, 2, 3], clip.clip(None)
    expected = drawn_frames(COUNT, seed=1)[taken]
    assert np.array_equal(found.control.movedim(1, -1).numpy(), expected)
    assert np.array_equal(clip.frames(), drawn_frames(COUNT)[taken])
    assert found.weights[0].eq(1).all() and found.weights[1].max() == pytest.approx(4.2, abs=0.01)
    assert found.weights[1, 0, 0, 0] == 1 and found.latents.shape == (FRAMES, 4, 8, 8)


class Painter:
    """Finds a person in every frame, whom `find_driven` below draws as a copy of the frame."""

    released = 0

    def release(self) -> None:
        self.released += 1


def test_people_are_found_without_a_guide(run, video, monkeypatch):
    detector = Painter()
    monkeypatch.setattr(animate_job, "open_people_finder", lambda *given: detector)
    monkeypatch.setattr(animate_job, "find_driven", lambda frames, found: frames // 2)
    (clip,) = run(Item(id="one", frames=video)).clips
    expected = drawn_frames(COUNT)[[6, 1, 2, 3]] // 2
    assert np.array_equal(clip.clip(None).control.movedim(1, -1).numpy(), expected)
    assert detector.released == 1


def test_people_can_not_be_found(run, video):
    with pytest.raises(UserError, match="DWPose needs two files"):
        run(Item(id="one", frames=video))


def test_too_short(run, tmp_path):
    """The guide decides too: what it does not show can't be controlled."""
    video = write_frames(tmp_path / "long", drawn_frames(COUNT))
    guide = write_frames(tmp_path / "guide", drawn_frames(FRAMES - 1))
    with pytest.raises(UserError, match=r"one \(line 1\): The clip has 3 frames, but 4 are needed"):
        run(Item(id="one", frames=video, guide=guide))


def test_more_references_than_frames(run, video):
    (clip,) = run(Item(id="one", frames=video, guide=video), references=64).clips
    assert clip.clip(None).latents.shape == (FRAMES, 4, 8, 8)
    assert animate_job._spread(COUNT, 64) == tuple(range(COUNT))
    assert animate_job._spread(100, 3) == (0, 50, 99)
    assert animate_job._spread(5, 1) == (0,)
