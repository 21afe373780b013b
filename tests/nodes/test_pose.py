"""Nodes for poses and control frames: their results, and their messages about bad input."""

import json
import logging
import sys

import numpy as np
import pytest
import torch
from golden_cases import load_arrays

FINDER = "_find_people"  # the function of Extract Poses that says what is found
CHOICES = {"missing_joints": "hide", "missing_people": "fade", "pose_width": 1.0}
LINES = {"line_width": 1, "color_seed": 0}
STEADY = {"timing": "reference", "custom_times": ""}


@pytest.fixture(scope="module")
def dwpose(load, dwpose_files):
    """The stand-ins, opened by the host's side."""
    return load("nodes.host.dwpose").load_dwpose(*map(str, dwpose_files))


@pytest.fixture(scope="module")
def image(own_golden) -> torch.Tensor:
    """The picture for which these stand-ins have golden numbers."""
    frame = load_arrays(own_golden / "dwpose" / "dwpose_odd.npz")["image"]
    return torch.from_numpy(frame)[None].float() / 255


def extract(node_classes, image, dwpose, nobody: str = "no poses") -> tuple:
    return node_classes["FCVG_ExtractPoses"].execute(image, nobody, dwpose).args


def draw(node_classes, first, last, num_frames: int = 5, **more):
    given = {**STEADY, **CHOICES, "style": "fcvg", "width": 0, "height": 0, **more}
    return (
        node_classes["FCVG_DrawPoses"]
        .execute(first_pose=first, last_pose=last, num_frames=num_frames, **given)
        .args
    )


def interpolate(node_classes, num_frames: int = 5, **given):
    given = {**LINES, **STEADY, **CHOICES, **given}
    return (
        node_classes["FCVG_InterpolateConditions"].execute(num_frames=num_frames, **given).args[0]
    )


def one(x: float = 50.0, **more) -> list:
    """Somebody in the form that other packs write, on a canvas of 512 x 288."""
    points = [n for i in range(18) for n in (x + i, 20.0 + 12 * i, 1.0)]
    return [
        {
            "people": [{"pose_keypoints_2d": points}],
            "canvas_width": 512,
            "canvas_height": 288,
            **more,
        }
    ]


class TestExtractPoses:
    def test_a_batch(self, node_classes, dwpose, image, load):
        poses, preview = extract(node_classes, image.repeat(3, 1, 1, 1), dwpose)
        assert [len(frame["people"]) for frame in poses] == [2, 2, 2]
        assert preview.shape == (3, *image.shape[1:]) and (preview[0] != image[0]).any()
        assert json.loads(json.dumps(poses)) == poses

    def test_golden(self, node_classes, dwpose, image, load, own_golden):
        case = load_arrays(own_golden / "dwpose" / "dwpose_odd.npz")
        poses = load("fcvg_core.pose").from_openpose(extract(node_classes, image, dwpose)[0][0])
        height, width = image.shape[1:3]
        points = poses.keypoints.numpy() * (width, height)
        assert (abs(points - case["kp134"]).max(-1) < 1e-3).mean() >= 0.97
        assert abs(poses.scores.numpy() - case["score134"]).max() < 1.5e-3

    @pytest.mark.parametrize("shape", [(1, 1, 1, 3), (1, 40, 60, 4), (2, 40, 60, 1)])
    def test_any_picture(self, node_classes, dwpose, shape):
        """Grey becomes RGB, and alpha is left out."""
        image = torch.rand(shape, generator=torch.Generator().manual_seed(0))
        poses, preview = extract(node_classes, image, dwpose)
        assert len(poses) == len(preview) == shape[0]
        rgb = image[..., :3].expand(-1, -1, -1, 3)
        wanted = extract(node_classes, rgb, dwpose)
        assert poses == wanted[0] and torch.equal(preview, wanted[1])

    def test_without_a_detector(self, node_classes, image, caplog):
        caplog.set_level(logging.INFO)
        poses, preview = extract(node_classes, image, None)
        assert poses[0]["people"] == [] and poses[0]["canvas_width"] == image.shape[2]
        assert preview.shape == image.shape
        (record,) = caplog.records
        assert record.levelname == "WARNING"
        assert "because DWPose is not loaded: see Load" in record.getMessage()

    def test_how_many(self, node_classes, dwpose, image, caplog):
        caplog.set_level(logging.INFO)
        extract(node_classes, image, dwpose)
        extract(node_classes, image.repeat(3, 1, 1, 1), dwpose)
        said = [record.getMessage() for record in caplog.records if record.funcName == FINDER]
        assert said == ["Poses of 2 people.", "Poses of 2 people in images 1-3."]

    @pytest.mark.parametrize(("count", "where"), [(1, "the image"), (3, "any of the 3 images")])
    def test_nobody(self, node_classes, load, own_golden, caplog, count, where):
        caplog.set_level(logging.INFO)
        files = [str(own_golden / "dwpose" / name) for name in ("det_none.onnx", "pose_a.onnx")]
        dwpose = load("nodes.host.dwpose").load_dwpose(*files)
        blank = torch.full((count, 64, 96, 3), 0.5)
        assert extract(node_classes, blank, dwpose)[0][0]["people"] == []
        assert f"Nobody is found in {where}." in caplog.text
        assert "set if_nobody to whole frame" in caplog.text
        caplog.clear()
        assert len(extract(node_classes, blank, dwpose, "whole frame")[0][0]["people"]) == 1
        assert "Poses of 1 person" in caplog.text and "Nobody" not in caplog.text

    def test_the_card_is_given_back(self, node_classes, dwpose, image):
        extract(node_classes, image, dwpose)
        assert dwpose.boxes._session is None and dwpose.points._session is None


class TestLoadDWPose:
    def test_auto_without_files(self, node_classes, monkeypatch, caplog):
        import folder_paths

        caplog.set_level(logging.INFO)
        monkeypatch.setattr(folder_paths, "get_full_path", lambda kind, name: None)
        assert node_classes["FCVG_LoadDWPose"].execute("auto", "auto").args == (None,)
        assert "models/dwpose lacks yolox_l.onnx and dw-ll_ucoco_384.onnx" in caplog.text

    def test_files_that_come_later(self, node_classes, dwpose_files, monkeypatch):
        """The host caches a node's result as long as its fingerprint stays."""
        import folder_paths

        node = node_classes["FCVG_LoadDWPose"]
        known = {"yolox_l.onnx": str(dwpose_files[0])}
        monkeypatch.setattr(folder_paths, "get_filename_list", lambda kind: list(known))
        monkeypatch.setattr(folder_paths, "get_full_path", lambda kind, name: known.get(name))
        names = {"boxes_name": "auto", "points_name": "auto"}
        before = node.fingerprint_inputs(**names)
        assert node.fingerprint_inputs(**names) == before
        known["dw-ll_ucoco_384.onnx"] = str(dwpose_files[1])
        assert node.fingerprint_inputs(**names) != before
        assert node.execute(**names).args[0] is not None

    def test_room_is_made_on_a_card_alone(self, load, dwpose_files, monkeypatch):
        import comfy.model_management as mm

        asked = []
        monkeypatch.setattr(mm, "free_memory", lambda *a, **k: asked.append(a))
        load("nodes.host.dwpose").load_dwpose(*map(str, dwpose_files))
        assert asked == []

    @pytest.mark.parametrize("names", [("none.onnx", "auto"), ("auto", "none.onnx")])
    def test_a_named_file_that_is_missing(self, node_classes, names):
        with pytest.raises(
            ValueError, match=r"was not found in .* there: yolox_l.onnx .*; dw-ll_ucoco_384"
        ):
            node_classes["FCVG_LoadDWPose"].execute(*names)

    def test_exchanged_files(self, load, dwpose_files):
        with pytest.raises(ValueError, match=r"dw-ll_ucoco_384.onnx is a different network: it"):
            load("nodes.host.dwpose").load_dwpose(*map(str, dwpose_files[::-1]))

    def test_no_network(self, load, dwpose_files, tmp_path):
        (tmp_path / "cut.onnx").write_bytes(dwpose_files[1].read_bytes()[:9999])
        with pytest.raises(ValueError, match=r"cut.onnx can't be opened as an ONNX network"):
            load("nodes.host.dwpose").load_dwpose(str(dwpose_files[0]), str(tmp_path / "cut.onnx"))

    def test_no_onnxruntime(self, load, node_classes, dwpose_files, monkeypatch):
        monkeypatch.setitem(sys.modules, "onnxruntime", None)
        with pytest.raises(ImportError, match="pip install onnxruntime-gpu"):
            load("nodes.host.dwpose").load_dwpose(*map(str, dwpose_files))
        assert draw(node_classes, one(), one())[0].any()  # all else goes on working


class TestDrawPoses:
    def test_from_one_keyframe_to_the_other(self, node_classes, dwpose, image):
        poses, _ = extract(node_classes, image.repeat(2, 1, 1, 1), dwpose)
        frames, track = draw(node_classes, poses, poses)
        assert frames.shape == (5, *image.shape[1:]) and frames.any()
        assert len(track) == 5 and all(len(frame["people"]) == 2 for frame in track)
        again, _ = draw(node_classes, track, track)  # its own output goes in as well
        assert torch.equal(again, frames)

    def test_size(self, node_classes):
        assert draw(node_classes, one(), one())[0].shape == (5, 288, 512, 3)
        assert draw(node_classes, one(), one(), width=640)[0].shape == (5, 288, 640, 3)
        frames, track = draw(node_classes, one(), one(), width=640, height=360)
        assert frames.shape == (5, 360, 640, 3) and track[0]["canvas_width"] == 640

    def test_only_what_is_used_is_read(self, node_classes):
        """Of several images the first one's and the last one's poses count."""
        first, last = one(50.0), one(400.0)
        alone = draw(node_classes, first, last)[0]
        broken = [{"animals": []}]
        assert torch.equal(draw(node_classes, first + broken, broken + last)[0], alone)

    @pytest.mark.parametrize(
        "form",
        [json.dumps, tuple, lambda poses: poses[0], lambda poses: "\ufeff" + json.dumps(poses)],
    )
    def test_other_forms(self, node_classes, form):
        alone = draw(node_classes, one(50.0), one(400.0))[0]
        assert torch.equal(draw(node_classes, form(one(50.0)), form(one(400.0)))[0], alone)

    def test_pixels_without_a_canvas(self, node_classes):
        """As OpenPose's own program writes them: the widgets tell the size."""
        poses = [{"people": frame["people"]} for frame in one()]
        told = draw(node_classes, poses, poses, width=512, height=288)[0]
        assert torch.equal(told, draw(node_classes, one(), one())[0])

    def test_a_part_that_can_not_be_read(self, node_classes, caplog):
        """The rest is drawn, and the log says which part of which input is left out."""
        odd = one()
        odd[0]["people"][0]["face_keypoints_2d"] = [100.0, 100.0, 1.0] * 69
        frames = draw(node_classes, odd, one())[0]
        assert torch.equal(frames, draw(node_classes, one(), one())[0])
        assert "first_pose: face_keypoints_2d has 207 numbers; expected 204 or 210" in caplog.text

    def test_parts_of_the_canvas_beside_pixels(self, node_classes):
        """A body in 0..1 and a face in pixels: each is drawn where it is."""
        pixels = one()
        pixels[0]["people"][0]["face_keypoints_2d"] = [60.0, 20.0, 1.0] * 70
        mixed = json.loads(json.dumps(pixels))
        body = mixed[0]["people"][0]["pose_keypoints_2d"]
        body[::3] = [x / 512 for x in body[::3]]
        body[1::3] = [y / 288 for y in body[1::3]]
        assert torch.equal(*(draw(node_classes, poses, poses)[0] for poses in (mixed, pixels)))

    def test_a_large_canvas_on_smaller_frames(self, node_classes):
        """The same person with 40 times the numbers on a canvas 40 times as large."""
        large = one(canvas_width=40 * 512, canvas_height=40 * 288)
        (body,) = (person["pose_keypoints_2d"] for person in large[0]["people"])
        body[:] = [number if i % 3 == 2 else 40 * number for i, number in enumerate(body)]
        found, wanted = (
            draw(node_classes, poses, poses, width=128, height=72)[0] for poses in (large, one())
        )
        assert found.shape == (5, 72, 128, 3) and found.any() and torch.equal(found, wanted)

    def test_an_editor_moved_a_joint(self, node_classes, dwpose, image):
        poses, _ = extract(node_classes, image, dwpose)
        before = draw(node_classes, poses, poses)[0]
        moved = json.loads(json.dumps(poses))
        body = moved[0]["people"][0]["pose_keypoints_2d"]
        joint = next(i for i in range(18) if body[3 * i + 2] == 1)
        body[3 * joint] += 40
        after = draw(node_classes, poses, moved)[0]
        assert torch.equal(after[0], before[0]) and (after[-1] != before[-1]).any()

    def test_timing(self, node_classes):
        first, last = one(50.0), one(400.0)
        steady = draw(node_classes, first, last)[0]
        own = draw(node_classes, first, last, timing="custom", custom_times="0, 0, 0.5, 1, 1")[0]
        assert torch.equal(steady, own)
        late = draw(node_classes, first, last, timing="ease-in")[0]
        assert torch.equal(late[0], steady[0]) and (late[2] != steady[2]).any()

    def test_nobody(self, node_classes, caplog):
        empty = [{"people": [], "canvas_width": 64, "canvas_height": 32}]
        frames, track = draw(node_classes, empty, empty)
        assert frames.shape == (5, 32, 64, 3) and not frames.any() and len(track) == 5
        assert "Nobody is drawn, so all control frames are black." in caplog.text

    def test_many_people(self, node_classes):
        """A crowd, and more people than a file may hold."""
        many = one()
        many[0]["people"] *= 200
        frames, track = draw(node_classes, many, many, num_frames=4, width=64, height=36)
        assert frames.any() and len(track[0]["people"]) == 200
        many[0]["people"] *= 10
        with pytest.raises(ValueError, match="2000 people; expected 1000 at most"):
            draw(node_classes, many, many)

    def test_bodies_of_25_points(self, node_classes):
        """OpenPose's own program: the middle of the hips is left out."""
        large = one()
        body = large[0]["people"][0]["pose_keypoints_2d"]
        hips, feet = [9.0, 9.0, 1.0], [0.0] * 18
        large[0]["people"] = [{"pose_keypoints_2d": [*body[:24], *hips, *body[24:], *feet]}]
        assert torch.equal(draw(node_classes, large, large)[0], draw(node_classes, one(), one())[0])

    def test_colors(self, node_classes):
        """White has no hue; OpenPose's colours are the trained ones with red and blue swapped."""
        own, trained, openpose, white = (
            draw(node_classes, one(), one(), **more)[0]
            for more in ({}, *({"colors": name} for name in ("fcvg", "openpose", "white")))
        )
        assert torch.equal(own, trained) and torch.equal(openpose, trained.flip(-1))
        assert white.any() and (white == white[..., :1]).all()

    def test_styles(self, node_classes):
        wide, narrow = (
            draw(node_classes, one(), one(), style=style)[0].count_nonzero()
            for style in ("fcvg", "controlnext-svd-v2")
        )
        assert wide > narrow

    @pytest.mark.parametrize(
        ("poses", "message"),
        [
            ([], "first_pose is an empty list"),
            ([{"animals": [], "canvas_width": 8, "canvas_height": 8}], "contain animals"),
            ([{**one()[0], "people": [{"pose_keypoints_2d": [1.0] * 5}]}], "has 5 numbers"),
            ([{"people": []}], "do not say how large their canvas is"),
            ([None], "a dictionary with `people`"),
            ("text", "first_pose is text, but not JSON"),
            ("[" * 100_000, "first_pose is text, but not JSON: it is nested too deeply"),
            ('{"people": [], "canvas_width": 1e400}', "not JSON: the number 1e400 is too large"),
            (one(canvas_width=10**6, canvas_height=10**6), "at least 1 and at most 65536"),
            (one(canvas_width=10**400), "at least 1 and at most 65536"),
            (
                one(canvas_width=20_000, canvas_height=64),
                "canvas has 20000 x 64 pixels, and frames of a video at most 4096 x 4096",
            ),
            (5, "a dictionary with `people`"),
        ],
    )
    def test_what_is_no_pose(self, node_classes, poses, message):
        with pytest.raises(ValueError, match=message):
            draw(node_classes, poses, poses)

    @pytest.mark.parametrize(
        ("more", "message"),
        [
            ({"timing": "fast"}, "expected one of the timings"),
            ({"timing": "custom", "custom_times": "soon"}, "got 'soon'"),
            ({"style": "openpose"}, "There is no style 'openpose'"),
            ({"colors": "red"}, "There are no colors 'red'; expected fcvg, openpose, white"),
            ({"missing_people": "stay"}, "missing_people to be one of fade, drop"),
        ],
    )
    def test_wrong_choice(self, node_classes, more, message):
        with pytest.raises(ValueError, match=message):
            draw(node_classes, one(), one(), **more)


@pytest.fixture(scope="module")
def matches(node_classes, load):
    """Lines of the sample frames."""
    pair = load("fcvg_core.standalone.demo.scene").draw_sample_pair((288, 512))
    first, last = (torch.from_numpy(frame)[None] / 255 for frame in pair)
    widgets = (300, 15.0, 1000, 0.2, "opencv")
    return node_classes["FCVG_MatchLines"].execute(first, last, *widgets).args[0]


class TestInterpolateConditions:
    def test_each_alone_is_what_its_own_node_draws(self, node_classes, matches):
        lines = interpolate(node_classes, line_matches=matches)
        assert torch.equal(lines, node_classes["FCVG_DrawLines"].execute(matches, 5, 1, 0).args[0])
        people = interpolate(node_classes, first_pose=one(), last_pose=one(300.0))
        assert torch.equal(people, draw(node_classes, one(), one(300.0))[0])

    def test_fused(self, node_classes, matches):
        given = {"first_pose": one(), "last_pose": one(300.0), "timing": "ease-out"}
        lines = interpolate(node_classes, line_matches=matches, timing="ease-out")
        people = interpolate(node_classes, **given)
        both = interpolate(node_classes, line_matches=matches, **given)
        assert torch.equal(both, torch.where(people != 0, people, lines))

    def test_the_size_is_that_of_the_lines(self, node_classes, matches, caplog):
        poses = one(canvas_width=512, canvas_height=512)
        frames = interpolate(node_classes, line_matches=matches, first_pose=poses, last_pose=poses)
        assert frames.shape == (5, 288, 512, 3)
        assert "canvas of 512 x 512 are stretched to 512 x 288" in caplog.text

    def test_nobody_and_nothing(self, node_classes, caplog):
        empty = [{"people": [], "canvas_width": 64, "canvas_height": 32}]
        assert not interpolate(node_classes, first_pose=empty, last_pose=empty).any()
        assert "nothing steers" in caplog.text

    @pytest.mark.parametrize(
        ("given", "message"),
        [
            ({}, "Nothing is connected"),
            ({"first_pose": one()}, "Poses of only one keyframe"),
            ({"last_pose": one()}, "Poses of only one keyframe"),
            ({"first_pose": [{"people": []}], "last_pose": [{"people": []}]}, "how large"),
        ],
    )
    def test_what_is_missing(self, node_classes, given, message):
        with pytest.raises(ValueError, match=message):
            interpolate(node_classes, **given)


class TestAlignPoses:
    def align(self, node_classes, driving, reference, **more) -> tuple:
        given = {
            "people": "one person",
            "smoothing": 0.0,
            "reference_first": True,
            "pose_width": 1.0,
            **more,
        }
        return node_classes["FCVG_AlignPoses"].execute(driving, reference, **given).args

    def test_a_video_drives_a_picture(self, node_classes, load):
        driving = [one(50.0 + 10 * i)[0] for i in range(6)]
        reference = one(30.0, canvas_width=256, canvas_height=512)
        frames, poses = self.align(node_classes, driving, reference)
        assert frames.shape == (7, 512, 256, 3) and len(poses) == 7
        read = load("fcvg_core.pose").from_openpose
        assert torch.equal(read(poses[0]).keypoints, read(reference[0]).keypoints)
        assert len(self.align(node_classes, driving, reference, reference_first=False)[1]) == 6
        again, _ = self.align(node_classes, driving, reference, smoothing=2.0)
        assert again.shape == frames.shape and torch.equal(again[0], frames[0])

    def test_everybody(self, node_classes):
        two = [{**one()[0], "people": one()[0]["people"] + one(300.0)[0]["people"]}]
        for people, count in (("one person", 1), ("everybody", 2)):
            _, poses = self.align(node_classes, [*two, *one()], one(), people=people)
            assert len(poses[1]["people"]) == count

    def test_colors(self, node_classes):
        driving = [one(50.0 + 10 * i)[0] for i in range(3)]
        own, white = (
            self.align(node_classes, driving, one(), **more)[0]
            for more in ({}, {"colors": "white"})
        )
        assert (own != own[..., :1]).any() and white.any() and (white == white[..., :1]).all()

    def test_a_canvas_that_is_not_told(self, node_classes):
        bare = [{"people": one()[0]["people"]}]
        with pytest.raises(ValueError, match="Set width and height in Load Pose JSON"):
            self.align(node_classes, bare, one())

    def test_a_video_without_a_person(self, node_classes):
        empty = {"people": [], "canvas_width": 64, "canvas_height": 32}
        with pytest.raises(ValueError, match="driving_poses shows nobody.*Connect Load DWPose"):
            self.align(node_classes, [empty] * 3, one())
        with pytest.raises(ValueError, match="reference_pose shows nobody.*models --get"):
            self.align(node_classes, one(), [empty])
        hidden = one()
        hidden[0]["people"] = [{"pose_keypoints_2d": [0.0] * 54}]
        with pytest.raises(ValueError, match="picture shows: nose, .*video shows: no joint"):
            self.align(node_classes, hidden, one())

    def test_only_the_reference_canvas_is_drawn(self, node_classes):
        """A driving video may be larger."""
        large = [{**one()[0], "canvas_width": 8000, "canvas_height": 4500}] * 2
        frames, _ = self.align(node_classes, large, one())
        assert frames.shape == (3, 288, 512, 3)
        with pytest.raises(ValueError, match="canvas has 8000 x 4500 pixels, and frames of a"):
            self.align(node_classes, one(), large)

    def test_no_frame(self, node_classes):
        with pytest.raises(ValueError, match="driving_poses is an empty list"):
            self.align(node_classes, [], one())


@pytest.fixture(scope="module")
def sdpose(host):
    """The host's own nodes for poses."""
    return pytest.importorskip("comfy_extras.nodes_sdpose", reason="needs a newer host")


class TestSDPose:
    """POSE_KEYPOINT of and for the nodes that newer hosts have themselves."""

    def draw(self, sdpose, poses) -> torch.Tensor:
        shown = (True, True, True, True, 4, 3, 0.3, True)
        return sdpose.SDPoseDrawKeypoints.execute(poses, *shown).args[0]

    def test_our_people_are_drawn(self, sdpose, node_classes, dwpose, image):
        poses, _ = extract(node_classes, image, dwpose)
        assert self.draw(sdpose, poses).any()

    def test_a_body_without_face_and_hands(self, sdpose, node_classes):
        _, track = draw(node_classes, one(), one(300.0))
        drawn = self.draw(sdpose, track)
        assert drawn.shape == (5, 288, 512, 3) and all(frame.any() for frame in drawn)
        boxes = sdpose.SDPoseFaceBBoxes.execute(track, 1.5, True).args[0]
        assert boxes == [[]] * 5

    def test_somebody_without_a_body(self, sdpose, node_classes):
        hand = one()
        hand[0]["people"] = [{"hand_left_keypoints_2d": [60.0, 60.0, 1.0] * 21}]
        _, track = draw(node_classes, hand, hand)
        assert self.draw(sdpose, track).any()

    def test_the_same_colors(self, sdpose, node_classes):
        """At every joint, where both draw a disk over the limbs."""
        frames, track = draw(node_classes, one(), one(), colors="openpose", pose_width=4.0)
        ours, theirs = frames[0], self.draw(sdpose, track)[0]
        for x, y in ((50 + i, 20 + 12 * i) for i in range(18)):
            assert torch.equal(ours[y, x], theirs[y, x].to(ours))

    def test_a_frame_without_people(self, sdpose, node_classes):
        empty = [{"people": [], "canvas_width": 64, "canvas_height": 32}]
        _, track = draw(node_classes, empty, empty)
        assert self.draw(sdpose, track).shape == (5, 32, 64, 3)

    def test_every_point_is_taken(self, sdpose, node_classes, load):
        random = np.random.default_rng(0)
        points = random.uniform(20, 200, (133, 2)).astype(np.float32)
        scores = random.uniform(0.5, 1.0, 133).astype(np.float32)
        (frame,) = sdpose._to_openpose_frames([[points]], [[scores]], 288, 512)
        read = load("fcvg_core.pose").from_openpose(frame)
        assert (read.scores > 0).all()
        nose = read.keypoints[0, 0].numpy() * (512, 288)
        assert np.allclose(nose, points[0], atol=1e-3)
        assert interpolate(node_classes, first_pose=[frame], last_pose=[frame]).shape == (
            5,
            288,
            512,
            3,
        )
