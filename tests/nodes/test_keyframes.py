"""Nodes for more than two keyframes: where they stand, what moves, what is drawn and painted."""

import json

import numpy as np
import pytest
import torch
from hosts import ROOT

SIZE = (96, 160)
AT = (0, 4, 9)


@pytest.fixture(scope="module")
def pictures(load) -> torch.Tensor:
    """First, middle and last picture of the sample shot."""
    scene = load("fcvg_core.standalone.demo.scene")
    first, last = scene.draw_sample_pair(SIZE)
    frames = np.stack([first, scene.draw_sample_middle(SIZE), last])
    return torch.from_numpy(frames) / 255


@pytest.fixture
def run(node_classes):
    """Runs a node, with the values that its widgets have in a new graph."""

    def execute(name: str, **given) -> tuple:
        node = node_classes[name]
        inputs = node.define_schema().inputs
        values = {x.id: x.default for x in inputs if getattr(x, "default", None) is not None}
        return node.execute(**values | given).args

    return execute


@pytest.fixture
def keyframes(run, pictures):
    return run("FCVG_Keyframe", image=pictures[1:2], frame=AT[1])[0]


@pytest.fixture(scope="module")
def matched(node_classes, pictures):
    """What moves over three keyframes, and the node's preview."""
    node = node_classes["FCVG_MatchKeyframes"]
    inputs = node.define_schema().inputs
    values = {x.id: x.default for x in inputs if getattr(x, "default", None) is not None}
    (middle,) = node_classes["FCVG_Keyframe"].execute(pictures[1:2], AT[1]).args
    given = {"first_frame": pictures[:1], "last_frame": pictures[2:], "keyframes": middle}
    return node.execute(**values | given).args


@pytest.fixture(scope="module")
def models(load, load_controlnext, stand_ins):
    loading = load("nodes.host.svd.loading")
    return (
        loading.load_unet(str(stand_ins / "unet.safetensors"), None, "default"),
        *loading.load_svd_encoders(str(stand_ins / "svd")),
    )


class TestKeyframe:
    def test_a_chain_in_any_order(self, run, pictures):
        later = run("FCVG_Keyframe", image=pictures[2:], frame=40)[0]
        both = run("FCVG_Keyframe", image=pictures[1:], frame=20, keyframes=later)[0]
        assert both.frames == (20, 40) and later.frames == (40,)
        assert torch.equal(torch.cat(both.images), pictures[1:])
        assert both.at(50) == (0, 20, 40, 49)

    @pytest.mark.parametrize(
        ("frame", "message"),
        [(24, "Two keyframes are at frame 24"), (26, "frame 24 to .* frame 26 there are 3 frames")],
    )
    def test_two_too_near_to_each_other(self, run, pictures, frame, message):
        first = run("FCVG_Keyframe", image=pictures[:1], frame=24)[0]
        with pytest.raises(ValueError, match=message):
            run("FCVG_Keyframe", image=pictures[:1], frame=frame, keyframes=first)

    @pytest.mark.parametrize("frame", [-3, 0, 2, 1021, 10**7])
    def test_a_linked_frame_that_no_video_has(self, run, pictures, frame):
        with pytest.raises(ValueError, match="frame is .*, but it must be from 3 to 1020"):
            run("FCVG_Keyframe", image=pictures[:1], frame=frame)

    @pytest.mark.parametrize(
        ("num_frames", "message"),
        [(4, "at frame 4, but the video has 4"), (5, "place of last_frame"), (7, "3 frames")],
    )
    def test_a_video_that_is_too_short(self, keyframes, num_frames, message):
        with pytest.raises(ValueError, match=message):
            keyframes.at(num_frames)


class TestBatch:
    @pytest.mark.parametrize("frames", ["0, 24, 60", "0 24 60", "", "0,3,6"])
    def test_first_last_between_and_length(self, run, pictures, frames):
        first, last, between, num_frames = run(
            "FCVG_KeyframesFromBatch", images=pictures, frames=frames
        )
        assert torch.equal(torch.cat([first, *between.images, last]), pictures)
        at = [int(word) for word in frames.replace(",", " ").split()] or [0, 24, 48]
        assert between.frames == (at[1],) and num_frames == at[2] + 1

    def test_two_pictures_are_a_video_between_two_keyframes(self, run, pictures):
        between, num_frames = run("FCVG_KeyframesFromBatch", images=pictures[:2])[2:]
        assert num_frames == 25 and between.at(25) == (0, 24)

    @pytest.mark.parametrize(
        ("frames", "message"),
        [
            ("0, 24", "there are 3 pictures: write 3 whole numbers"),
            ("0, 24, x", "'0, 24, x', but there are 3 pictures"),
            ("0, 24.5, 60", "whole numbers"),
            ("0, 60, 24", "are at frames 0, 60, 24: sort them"),
            ("0, 24, 24", "Two keyframes are at frame 24"),
            ("1, 24, 60", "begins and ends with a keyframe"),
            ("0, 24, 26", "there are 3 frames, both included, but 4 are needed"),
            ("0, 24, 5000", "at frame 5000, but a video has at most 1024"),
        ],
    )
    def test_bad_frames(self, run, pictures, frames, message):
        with pytest.raises(ValueError, match=message):
            run("FCVG_KeyframesFromBatch", images=pictures, frames=frames)

    def test_more_pictures_than_a_video_has_room_for(self, run, pictures):
        with pytest.raises(ValueError, match="last of 60 pictures is at frame 1416, .* at most"):
            run("FCVG_KeyframesFromBatch", images=pictures[:1].expand(60, -1, -1, -1))

    def test_one_picture(self, run, pictures):
        with pytest.raises(ValueError, match="images is one picture"):
            run("FCVG_KeyframesFromBatch", images=pictures[:1])


class TestMatch:
    def test_each_span_is_what_match_lines_finds(self, run, pictures, matched):
        motion, preview = matched
        assert motion.size == SIZE and motion.num_keyframes == 3 and len(preview) == 2
        for i, span in enumerate(motion.spans):
            ends = {"first_frame": pictures[i : i + 1], "last_frame": pictures[i + 1 : i + 2]}
            matches, shown = run("FCVG_MatchLines", **ends)
            assert len(matches.ids) and span.people is None
            assert torch.equal(span.matches.lines0, matches.lines0)
            assert torch.equal(span.matches.lines1, matches.lines1)
            assert torch.equal(preview[i], shown[0])

    def test_it_says_which_span_has_how_many_lines(self, run, pictures, keyframes, caplog):
        caplog.set_level("INFO")
        ends = {"first_frame": pictures[:1], "last_frame": pictures[2:]}
        run("FCVG_MatchKeyframes", **ends, keyframes=keyframes)
        assert "first_frame to keyframe 4: " in caplog.text
        assert "keyframe 4 to last_frame: " in caplog.text
        assert caplog.text.count("GlueStick is not loaded") == 1

    def test_keyframes_of_other_sizes_become_the_firsts(self, run, pictures, load):
        large = torch.nn.functional.interpolate(pictures[1:2].movedim(-1, 1), scale_factor=2.0)
        middle = run("FCVG_Keyframe", image=large.movedim(1, -1), frame=4)[0]
        ends = {"first_frame": pictures[:1], "last_frame": pictures[2:, 8:]}
        motion = run("FCVG_MatchKeyframes", **ends, keyframes=middle)[0]
        assert motion.size == SIZE and all(span.matches.size == SIZE for span in motion.spans)

    def test_people_where_dwpose_is(self, run, load, pictures, keyframes, dwpose_files, caplog):
        caplog.set_level("INFO")
        dwpose = load("nodes.host.dwpose").load_dwpose(*map(str, dwpose_files))
        ends = {"first_frame": pictures[:1], "last_frame": pictures[2:]}
        motion = run("FCVG_MatchKeyframes", **ends, keyframes=keyframes, dwpose=dwpose)[0]
        counts = [[poses.num_people for poses in span.people] for span in motion.spans]
        assert counts == [[2, 2], [2, 2]]
        assert motion.spans[0].people[1] is motion.spans[1].people[0]
        assert "Poses of 2 people" in caplog.text

    def test_joined_motions_are_the_motion_over_all(self, run, pictures, matched):
        motions = [
            run("FCVG_MatchKeyframes", first_frame=first[None], last_frame=last[None])[0]
            for first, last in zip(pictures, pictures[1:], strict=False)
        ]
        (joined,) = run("FCVG_JoinMotions", first_motion=motions[0], second_motion=motions[1])
        drawn = [
            run("FCVG_InterpolateConditions", motion=motion, num_frames=10)[0]
            for motion in (joined, matched[0])
        ]
        assert torch.equal(*drawn)


class TestInterpolate:
    def test_two_keyframes_are_drawn_as_matched_lines(self, run, pictures):
        ends = {"first_frame": pictures[:1], "last_frame": pictures[2:]}
        motion, matches = run("FCVG_MatchKeyframes", **ends)[0], run("FCVG_MatchLines", **ends)[0]
        drawn = [
            run("FCVG_InterpolateConditions", num_frames=6, **given)[0]
            for given in ({"motion": motion}, {"line_matches": matches})
        ]
        assert drawn[0].any() and torch.equal(*drawn)

    def test_keyframes_show_their_own_lines(self, run, load, matched, keyframes):
        drawn = run(
            "FCVG_InterpolateConditions",
            motion=matched[0],
            keyframes=keyframes,
            num_frames=10,
            timing="uniform",
        )[0]
        lines = load("fcvg_core.lines")
        assert drawn.shape == (10, *SIZE, 3)
        for span, frame, ends in ((0, 0, "lines0"), (1, 9, "lines1")):
            matches = matched[0].spans[span].matches
            track = getattr(matches, ends)[None]
            white = np.full((track.shape[1], 3), 255, np.uint8)
            wanted = lines.draw_lines(track, SIZE, line_width=1, colors=white)[0].any(-1)
            assert np.array_equal(drawn[frame].numpy().any(-1), wanted)

    def test_without_keyframes_they_are_spread_evenly(self, run, matched, pictures):
        middle = run("FCVG_Keyframe", image=pictures[1:2], frame=6)[0]
        drawn = [
            run("FCVG_InterpolateConditions", motion=matched[0], num_frames=13, **given)[0]
            for given in ({}, {"keyframes": middle})
        ]
        assert torch.equal(*drawn)

    def test_bad_input(self, run, load, matched, keyframes, pictures):
        motion = matched[0]
        path = load("fcvg_core.paths").Path(0, torch.tensor([[5.0, 5]]))
        empty = run("FCVG_EditMotion", first_frame=pictures[:1])[0]
        ends = {"first_frame": pictures[:1], "last_frame": pictures[2:]}
        matches = run("FCVG_MatchLines", **ends)[0]
        for given, message in (
            ({"motion": motion, "line_matches": matches}, "motion takes the place of line_matches"),
            ({"motion": motion, "paths": (path,)}, "between two keyframes, but motion has 3"),
            ({"paths": (path,)}, "connect first_frame too"),
            (
                {"line_matches": matches, "keyframes": keyframes},
                "between 2 keyframes, but with",
            ),
            ({"motion": motion, "keyframes": keyframes, "num_frames": 4}, "video has 4 frames"),
            ({"motion": motion, "num_frames": 6}, "3 keyframes need at least 7 frames"),
            ({"motion": empty}, "motion is empty: connect line_matches"),
            ({"motion": motion, "num_frames": 1}, "at least 2 frames"),
            ({"paths": (), "first_frame": pictures[:1]}, "Nothing is connected"),
            ({}, "Nothing is connected"),
        ):
            with pytest.raises(ValueError, match=message):
                run("FCVG_InterpolateConditions", **{"num_frames": 10} | given)

    def test_paths_that_edit_motion_gives_twice_are_drawn_once(self, run, load, pictures):
        """Other paths get ids of their own."""
        types = load("fcvg_core.motion")
        paths = [
            load("fcvg_core.paths").Path(0, torch.tensor([[x, 20.0], [x, 30], [x, 40], [x, 50]]))
            for x in (30.0, 90.0)
        ]
        motion = types.Motion(SIZE, (types.Span(paths=(paths[0],)),))
        collect = load("nodes.host.motion").collect_motion
        joined = collect(motion, None, (None, None), paths, None)
        assert [path.id for path in joined.spans[0].paths] == [0, 1]


class TestConditioning:
    @pytest.fixture
    def condition(self, run, models, pictures):
        def make(**given) -> tuple:
            ends = {"first_frame": pictures[:1], "last_frame": pictures[2:]}
            size = {"width": 128, "height": 64, "num_frames": 10}
            with torch.inference_mode():
                return run(
                    "FCVG_EncodeKeyframes",
                    clip_vision=models[1],
                    vae=models[2],
                    **ends | size | given,
                )

        return make

    def test_an_entry_for_each_span(self, condition, keyframes):
        first, last, negative, latent = condition(keyframes=keyframes)
        assert [values["fcvg_span"] for _, values in first] == [0, 1]
        assert {values["fcvg_at"] for _, values in first + last} == {AT}
        assert first[1][0] is last[0][0]  # the middle keyframe is encoded once
        assert len(negative) == 1 and len(latent["samples"]) == 10
        plain = condition()
        assert torch.equal(plain[0][0][0], first[0][0]) and torch.equal(plain[1][0][0], last[1][0])

    def test_two_keyframes_have_no_more_keys_than_before(self, condition, run, pictures):
        between = run("FCVG_KeyframesFromBatch", images=pictures[:2])[2]
        for given in ({}, {"keyframes": between}):
            for conditioning in condition(**given)[:3]:
                ((_, values),) = conditioning
                assert not [key for key in values if key.startswith("fcvg_")]

    def test_a_keyframe_outside_the_video(self, condition, keyframes):
        with pytest.raises(ValueError, match="at frame 4, but the video has 4 frames"):
            condition(keyframes=keyframes, num_frames=4)

    def test_one_box_is_the_same_as_guider_and_conditioning(
        self, run, load, models, condition, keyframes, pictures
    ):
        import comfy.samplers

        noise = load("fcvg_core.sampling").draw_noise(3, (64, 128), 10)
        first, last, negative, latent = condition(keyframes=keyframes, augmentation=0.0)
        (guider,) = run(
            "FCVG_GuideInbetween", model=models[0], first=first, last=last, negative=negative
        )
        sampling = models[0].get_model_object("model_sampling")
        with torch.inference_mode():
            wanted = guider.sample(
                noise.latents,
                latent["samples"],
                comfy.samplers.sampler_object("euler"),
                comfy.samplers.calculate_sigmas(sampling, "karras", 2),
                disable_pbar=True,
                seed=3,
            )
            box = run(
                "FCVG_Sampler",
                model=models[0],
                clip_vision=models[1],
                vae=models[2],
                first_frame=pictures[:1],
                last_frame=pictures[2:],
                keyframes=keyframes,
                width=128,
                height=64,
                num_frames=10,
                steps=2,
                seed=3,
                augmentation=0.0,
            )[0]["samples"]
        assert len(box) == 10 and (box - wanted).abs().max() <= 1e-5 * wanted.std()


def test_a_graph_of_three_pictures_has_25_and_24_frames():
    """25 + 24 * (N - 2) frames for N keyframes, 25 from each keyframe to the next."""
    graph = json.loads((ROOT / "workflows/api/fcvg_keyframes.json").read_text(encoding="utf-8"))
    settings = [x["inputs"] for x in graph.values() if x["class_type"] == "FCVG_VideoSettings"]
    places = [x["inputs"]["frame"] for x in graph.values() if x["class_type"] == "FCVG_Keyframe"]
    assert (settings[0]["num_frames"], places) == (25 + 24, [24])
