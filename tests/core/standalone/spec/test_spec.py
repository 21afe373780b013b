"""A job as one value: there and back again, by pickle and by JSON."""

import json
import pickle
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fcvg_core.errors import UserError
from fcvg_core.settings import FAST, SamplingSettings
from fcvg_core.standalone.spec import (
    AnimateSampling,
    AnimateSpec,
    DropletSpec,
    DynamiCrafterSpec,
    InbetweenPoseChoice,
    InbetweenSampling,
    InbetweenSpec,
    InbetweenVideo,
    Machine,
    MatcherChoice,
    Motion,
    PreviewSpec,
    SmcdSpec,
    StorySpec,
)
from fcvg_core.standalone.spec.droplet import MOTION
from fcvg_core.standalone.spec.part import Part
from fcvg_core.standalone.spec.values import (
    DEVICE,
    KEYFRAMES,
    PATH,
    SEED_OR_DRAWN,
    SWITCH,
    TEXT,
    TIMING,
    TWO_FILES,
    Several,
)
from fcvg_core.timeline import TIMINGS

ROOT = Path(__file__).parents[4]
JOBS = (
    InbetweenSpec,
    PreviewSpec,
    AnimateSpec,
    DynamiCrafterSpec,
    StorySpec,
    DropletSpec,
    SmcdSpec,
)
paths = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=9)
paths = paths.map(Path)
VALUES = {
    PATH: paths,
    SWITCH: st.booleans(),
    TWO_FILES: st.just(False) | st.tuples(paths, paths),
    TEXT: st.text(max_size=9),
    SEED_OR_DRAWN: st.integers(0, 2**64 - 1),
    KEYFRAMES: st.lists(st.integers(0, 1023), min_size=2, max_size=5).map(tuple),
    DEVICE: st.sampled_from(["auto", "cpu", "cuda:1", "mps"]),
    MOTION: st.floats(0, 1000) | paths.map(lambda path: path / "a.mp4"),
    TIMING: st.sampled_from(TIMINGS) | st.lists(st.floats(0, 1), min_size=2, max_size=5).map(tuple),
}


def values_of(setting) -> st.SearchStrategy:
    """Every value that a setting of a part may have."""
    kind = setting.metadata["kind"]
    if kind.choices:
        found = st.sampled_from(kind.choices)
    elif kind.bounds:
        low, high, step = kind.bounds.minimum, kind.bounds.maximum, kind.bounds.step or 1
        found = st.integers(int(-(-low // step)), int(high // step)).map(lambda n: n * step)
        if float in kind.saved:
            found |= st.floats(low, high)
    elif isinstance(kind, Several):
        found = st.lists(VALUES[kind.item], min_size=1, max_size=4).map(tuple)
    else:
        found = VALUES[kind]
    return st.none() | found if setting.default is None else found


def parts(kind: type[Part]) -> st.SearchStrategy:
    """Every part of a kind, and so every job."""
    return st.builds(
        kind,
        **{
            each.name: values_of(each) if "kind" in each.metadata else parts(each.default_factory)
            for each in fields(kind)
        },
    )


@given(st.one_of(map(parts, JOBS)))
def test_there_and_back(spec) -> None:
    assert pickle.loads(pickle.dumps(spec)) == spec
    table = json.loads(json.dumps(spec.to_json()))
    assert type(spec).from_json(table) == spec and hash(spec)
    assert type(spec).from_options(spec.options()) == spec


@pytest.mark.parametrize("kind", JOBS)
def test_defaults_of_a_table(kind) -> None:
    assert kind.from_json({}) == kind() == kind.from_json({"version": 1})
    assert all(
        type(value) in (str, bool, int, float, list, type(None))
        for value in kind().to_json().values()
    )


def test_a_flat_table() -> None:
    """Its keys are the options of the command line, whatever the fields are called."""
    spec = InbetweenSpec(
        first="a.png",
        result=InbetweenVideo(height=64, width=128),
        motion=Motion(timing=[0, 0.5, 1]),
        sampling=InbetweenSampling(guidance_start=1, seed=2**64 - 1),
    )
    table = spec.to_json()
    assert table["first"] == "a.png" and table["timing"] == [0.0, 0.5, 1.0]
    assert (table["height"], table["min_guidance"], table["seed"]) == (64, 1, 2**64 - 1)
    assert not any(isinstance(value, dict) for value in table.values())
    assert spec.motion.timing == (0, 0.5, 1) and spec.first == Path("a.png")


def test_the_table_of_a_run_as_it_was_released() -> None:
    """What came later is in a table only where it is set."""
    later = {"between": ["b.png"], "at": [0, 9, 24], "edits": "e.json", "match_colors": True}
    assert InbetweenSpec().to_json().keys() & later.keys() == set()
    table = InbetweenSpec.from_json(later).to_json()
    assert {key: table[key] for key in later} == later
    unset = dict(InbetweenSpec().to_json(), between=[], at=None, edits=None, match_colors=False)
    assert InbetweenSpec.from_json({**unset, "between": ["b.png"]}).between == (Path("b.png"),)


@pytest.mark.parametrize("kind", JOBS)
@pytest.mark.parametrize("version", [2, 10**9, 0, -1, "1", None, True, 1.0])
def test_another_version(kind, version) -> None:
    with pytest.raises(UserError, match="knows version 1: update ComfyUI-FCVG"):
        kind.from_json({"version": version})


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"stepz": 1}, "There is no option 'stepz'"),
        ({1: 1}, "There is no option '1'"),
        ({"at": [0]}, "at is [0]: expected 2 numbers of frames or more, each 0 to 1023"),
        ({"at": [0, 1024]}, "at is [0, 1024]: expected 2 numbers"),
        ({"at": [0, 2.5]}, "at is [0, 2.5]: expected 2 numbers"),
        ({"between": "b.png", "at": "0,9"}, "at is '0,9': expected 2 numbers"),
        ({"steps": 0}, "steps is 0: expected a whole number from 1 to 1000"),
        ({"steps": True}, "steps is True: expected a whole number"),
        ({"seed": None}, "seed is None: expected a whole number"),
        ({"min_guidance": 31}, "(min_guidance) is 31: expected a number from 0 to 30"),
        ({"matcher": "lsd"}, "matcher is 'lsd': expected one of auto, gluestick, classic"),
        ({"width": 100}, "width is 100: expected a multiple of 64"),
        ({"poses": ["a"]}, "poses is ['a']: expected a list of 2"),
        ({"poses": True}, "poses is True: expected a list of 2"),
        ({"timing": [0, 2]}, "timing is [0, 2]: expected one of the timings reference"),
        ({"first": ""}, "first is '': expected a path"),
        ({"offload": 1}, "offload is 1: expected true or false"),
        ([], "expected a table of options, got []"),
    ],
)
def test_wrong_tables(table, message) -> None:
    with pytest.raises(UserError) as raised:
        InbetweenSpec.from_json(table)
    assert message in str(raised.value) and len(str(raised.value)) < 300


@pytest.mark.parametrize(
    ("part", "value"),
    [
        (InbetweenSampling, {"steps": 0}),
        (InbetweenSampling, {"seed": 1.0}),
        (Machine, {"dtype": "fp8"}),
        (MatcherChoice, {"gluestick": 5}),
        (InbetweenSampling, {"seed": 10**5000}),
        (InbetweenPoseChoice, {"poses": ("a", "b", "c")}),
        (Motion, {"timing": None}),
    ],
)
def test_a_part_checks_itself(part, value) -> None:
    with pytest.raises(UserError, match=f"^{next(iter(value))} is .*: expected "):
        part(**value)


@pytest.mark.parametrize("given", [AnimateSampling(), {"steps": 3}, None])
def test_a_part_of_another_kind(given) -> None:
    with pytest.raises(ValueError, match="^sampling is of type .*, but InbetweenSampling"):
        InbetweenSpec(sampling=given)


def test_a_part_that_has_more_settings() -> None:
    """Its JSON form would have an option that the job does not know."""
    with pytest.raises(ValueError, match="^poses is of type InbetweenPoseChoice, but PoseChoice"):
        AnimateSpec(poses=InbetweenPoseChoice())


def test_sampling_settings() -> None:
    spec = InbetweenSpec.from_json(
        {
            "min_guidance": 1.5,
            "frames": 9,
            "fps": 12,
            "seed": 4,
            "noise_injection_steps": 2,
            "noise_injection_ratio": 0.5,
        }
    )
    assert spec.sampling_settings() == SamplingSettings(
        num_frames=9,
        window=25,
        overlap=6,
        steps=25,
        guidance_start=1.5,
        guidance_end=3.0,
        control_weight=1.0,
        fps=12,
        motion_bucket_id=127,
        augmentation=0.02,
        noise_injection_steps=2,
        noise_injection_ratio=0.5,
        denoise=1.0,
        schedule="karras",
        guidance_from=0.0,
        guidance_until=1.0,
        forward_share=0.0,
        cache_interval=1,
    )
    options = {"cache" if key == "cache_interval" else key: value for key, value in FAST.items()}
    faster = InbetweenSpec.from_json({"forward_share": 0.2, **options}).sampling
    assert faster == InbetweenSampling(forward_share=0.2, **FAST)
    settings = faster.settings(num_frames=9, fps=7)
    assert (settings.schedule, settings.guidance_from, settings.guidance_until) == (
        "ays", 0.25, 0.49,
    )  # fmt: skip
    assert (settings.forward_share, settings.cache_interval) == (0.2, 2)
    from_preview = InbetweenSpec.from_json({"from_preview": 0.7})
    assert from_preview.sampling_settings().denoise == 0.7
    animation = AnimateSpec().sampling_settings(33)
    assert (animation.num_frames, animation.fps, animation.window) == (33, 7, 24)
    assert (animation.guidance_start, animation.noise_injection_steps) == (2.0, 0)


class TestWhatMpdIgnores:
    def test_nothing_of_other_samplers(self) -> None:
        assert InbetweenSpec.from_json({"control_weight": 2, "timing": "uniform"}).ignored() == []

    def test_settings_that_are_no_defaults(self) -> None:
        table = {"sampler": "mpd", "timing": "uniform", "from_preview": 0.5, "control_weight": 1}
        assert InbetweenSpec.from_json(table).ignored() == ["timing", "from_preview"]

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("guidance_from", 0.1), ("guidance_until", 0.9), ("forward_share", 0.2),
            ("min_guidance", 1), ("max_guidance", 1), ("noise_injection_steps", 1),
            ("noise_injection_ratio", 0.5), ("conditions_only", True), ("matches", "a"),
            ("poses", False), ("matcher", "classic"), ("max_lines", 9), ("line_width", 2),
            ("missing_people", "drop"), ("pose_width", 2), ("whole_frame", True), ("edits", "a"),
        ],
    )  # fmt: skip
    def test_each(self, key, value) -> None:
        assert InbetweenSpec.from_json({"sampler": "mpd", key: value}).ignored() == [key]

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("steps", 9), ("schedule", "ays"), ("cache", 2), ("augmentation", 0), ("window", 9),
            ("overlap", 2), ("seed", 1), ("motion_bucket", 9), ("frames", 9), ("fps", 9),
            ("keep_keyframes", True), ("match_colors", True), ("offload", True), ("draft", True),
            ("unet", "a"), ("controlnext", "a"), ("gluestick", "a"), ("dwpose_det", "a"),
        ],
    )  # fmt: skip
    def test_what_counts_and_files_that_may_be_named(self, key, value) -> None:
        assert InbetweenSpec.from_json({"sampler": "mpd", key: value}).ignored() == []

    def test_files_that_are_not_read(self) -> None:
        unused = InbetweenSpec.from_json({"sampler": "mpd"}).unused()
        assert "controlnext" in unused and "gluestick" in unused and "unet" not in unused


def test_paths() -> None:
    spec = InbetweenSpec.from_json({"first": "a", "poses": ["b", "c"], "model": "/d"})
    assert spec.paths() == {
        "output": (Path("results"),),
        "model": (Path("/d"),),
        "first": (Path("a"),),
        "poses": (Path("b"), Path("c")),
    }
    found = spec.absolute()
    assert found.first == Path("a").absolute() and found.models.model == Path("/d")
    assert found.poses.poses == (Path("b").absolute(), Path("c").absolute())
    assert InbetweenSpec(poses=InbetweenPoseChoice(poses=False)).absolute().poses.poses is False


def test_changed() -> None:
    spec = InbetweenSpec.from_json({"first": "a", "steps": 9})
    found = spec.changed({"steps": 10, "first": "b", "an_option_of_another_part": 1})
    assert found == InbetweenSpec.from_json({"first": "b", "steps": 10})
    assert spec.changed({}) is spec and spec.sampling.steps == 9
    with pytest.raises(UserError, match="steps is 0"):
        spec.changed({"steps": 0})


def test_needs_no_torch() -> None:
    code = (
        "import sys, json, pickle\nfrom fcvg_core.standalone.spec import InbetweenSpec as I\n"
        "I.from_json(json.loads(json.dumps(pickle.loads(pickle.dumps(I())).to_json())))\n"
        "print(sorted({'torch', 'numpy', 'cv2'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr
