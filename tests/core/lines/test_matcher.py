"""Two frames -> line matches by GlueStick, with given and with found segments."""

import numpy as np
import pytest
import torch
from gluestick_cases import OWN_FOLDER, cases, load, weights

from fcvg_core.control import draw_moving_lines
from fcvg_core.errors import UserError
from fcvg_core.lines import (
    GlueStickLineMatcher,
    LineSegments,
    build_gluestick,
    gluestick_dtype,
    interpolate_lines,
    matcher,
)
from fcvg_core.lines.lsd import opencv_segments
from fcvg_core.lines.matcher import match_wireframes
from fcvg_core.timeline import inbetween_times

FLOATS = {"rtol": 0, "atol": 1e-5}
LOGS = {"rtol": 0, "atol": 1e-3}


def make_matcher(config: dict, *, dtype=None, **settings) -> GlueStickLineMatcher:
    states = weights("gluestick", config), weights("superpoint", config)
    model = build_gluestick(*states, dtype=dtype)
    wanted = {
        "max_keypoints": config["max_num_keypoints"],
        "max_lines": config["max_n_lines"],
        "min_length": config["min_length"],
        "threshold": config["filter_threshold"],
        "keypoint_threshold": config["detection_threshold"],
    }
    return GlueStickLineMatcher(model, **{**wanted, **settings})


def given_segments(tensors: dict, which: int) -> LineSegments:
    return LineSegments(tensors[f"lsd_lines{which}"][0], tensors[f"lsd_scores{which}"][0])


def as_frame(gray: torch.Tensor) -> np.ndarray:
    return gray[:, :, None].expand(-1, -1, 3).contiguous().numpy()


@pytest.fixture(scope="module", params=cases("e2e"), ids=lambda path: path.stem)
def case(request):
    config, tensors = load(request.param)
    return make_matcher(config), tensors


@pytest.fixture(scope="module")
def own():
    """A matcher and two frames, whichever set of golden cases is in use."""
    config, tensors = load(OWN_FOLDER / "e2e.json")
    return make_matcher(config), as_frame(tensors["image0"]), as_frame(tensors["image1"])


class TestGolden:
    def wireframes(self, case):
        found, tensors = case
        return [
            found.join_segments(tensors[f"image{i}"].numpy(), given_segments(tensors, i))
            for i in (0, 1)
        ]

    def test_wireframes(self, case):
        _, tensors = case
        for i, found in enumerate(self.wireframes(case)):
            assert torch.equal(found.line_points, tensors[f"lines_junc_idx{i}"][0])
            for name, theirs in (
                ("points", "keypoints"),
                ("scores", "keypoint_scores"),
                ("descriptors", "descriptors"),
                ("lines", "lines"),
                ("line_scores", "line_scores"),
            ):
                if f"{theirs}{i}" in tensors:
                    expected = tensors[f"{theirs}{i}"][0]
                    torch.testing.assert_close(getattr(found, name), expected, **FLOATS)

    @torch.no_grad()
    def test_log_probabilities(self, case):
        matching, tensors = case
        log = matching.model.matcher(*self.wireframes(case))
        torch.testing.assert_close(log, tensors["line_log_assignment"][0], **LOGS)

    def test_matches_and_track(self, case, monkeypatch):
        matching, tensors = case
        grays = [tensors[f"image{i}"].numpy() for i in (0, 1)]

        def detect(gray, **settings):
            return given_segments(tensors, int(np.array_equal(gray, grays[1])))

        monkeypatch.setattr(matcher, "detect_lines", detect)
        matching._wireframes.clear()
        found = matching(*(as_frame(tensors[f"image{i}"]) for i in (0, 1)))
        matching._wireframes.clear()
        assert found.size == tuple(grays[0].shape)
        for name in ("lines0", "lines1"):
            expected = tensors[f"matched_{name}"]
            assert getattr(found, name).shape == expected.shape
            torch.testing.assert_close(getattr(found, name), expected, **FLOATS)
        partners = tensors["line_matches0"][0]
        expected = tensors["line_match_scores0"][0][partners >= 0]
        torch.testing.assert_close(found.scores, expected, **LOGS)
        if "interp_lines" in tensors:
            track = interpolate_lines(found, inbetween_times(len(tensors["interp_lines"])))
            # The official code forgets to swap the ends in its last frame.
            torch.testing.assert_close(track[:-1], tensors["interp_lines"][:-1], **FLOATS)

    @pytest.mark.parametrize("empty", [0, 1])
    def test_no_segments_in_one_frame(self, case, empty):
        matching, tensors = case
        wireframes = self.wireframes(case)
        none = LineSegments(torch.zeros(0, 2, 2), torch.zeros(0))
        wireframes[empty] = matching.join_segments(tensors[f"image{empty}"].numpy(), none)
        found = match_wireframes(matching.model.matcher, *wireframes, threshold=0.0)
        assert found.lines0.shape == found.lines1.shape == (0, 2, 2)


@pytest.mark.parametrize("path", cases("e2e"), ids=lambda path: path.stem)
def test_opencv_finds_what_pytlsd_found(path):
    config, tensors = load(path)
    near, count = 0, 0
    for which in (0, 1):
        scale = config["tensors"][f"lsd_raw{which}"]["scale"]
        mine = torch.from_numpy(opencv_segments(tensors[f"image{which}"].numpy(), scale)[0]).float()
        theirs = tensors[f"lsd_lines{which}"][0]
        apart = (theirs[:, None] - mine).norm(dim=-1).amax(dim=-1).amin(dim=1)  # the farther end
        near, count = near + (apart < 2).sum().item(), count + len(theirs)
    assert near >= 0.86 * count  # as on photographs


@torch.no_grad()
def test_half_precision_keeps_the_matches():
    """What the faces run on GPUs; on our own case, for another may lie on the threshold."""
    config, tensors = load(OWN_FOLDER / "e2e.json")
    matching = make_matcher(config, dtype=gluestick_dtype(fast_half=True))
    frames = [
        matching.join_segments(tensors[f"image{i}"].numpy(), given_segments(tensors, i))
        for i in (0, 1)
    ]
    found = match_wireframes(matching.model.matcher, *frames, threshold=matching.threshold)
    for name in ("lines0", "lines1"):
        torch.testing.assert_close(getattr(found, name), tensors[f"matched_{name}"], **FLOATS)
    assert found.scores.dtype == torch.float32


class TestMatcher:
    def test_sequence_looks_at_each_frame_once(self, own, monkeypatch):
        matching, first, second = own
        matching._wireframes.clear()
        seen = []
        detect = matcher.detect_lines
        monkeypatch.setattr(
            matcher, "detect_lines", lambda gray, **s: seen.append(gray) or detect(gray, **s)
        )
        third = np.ascontiguousarray(first[:, ::-1])
        found = matching(first, second)
        matching(second.copy(), third)
        assert len(seen) == 3
        again = matching(first, second)
        assert len(seen) == 3
        matching(third, np.ascontiguousarray(second[:, ::-1]))
        matching(first, first)
        assert len(seen) == 5  # forgotten meanwhile
        for name in ("lines0", "lines1", "scores"):
            assert torch.equal(getattr(found, name), getattr(again, name))

    def test_settings_are_part_of_what_is_remembered(self, own):
        matching, first, _ = own
        few = GlueStickLineMatcher(matching.model, max_lines=5)
        few(first, first)
        few.max_lines = 9
        assert len(few.find_wireframe(first[:, :, 0]).lines) == 9

    def test_other_settings_of_the_same_matcher(self, own, monkeypatch):
        matching, first, second = own
        matching._wireframes.clear()
        seen = []
        detect = matcher.detect_lines
        monkeypatch.setattr(
            matcher, "detect_lines", lambda gray, **s: seen.append(gray) or detect(gray, **s)
        )
        found = [matching.with_settings(threshold=i / 20)(first, second).scores for i in range(20)]
        assert len(seen) == 2  # no wireframe depends on it
        for i, scores in enumerate(found):
            assert torch.equal(scores, found[0][found[0] > i / 20])
        names = ("max_keypoints", "max_lines", "min_length", "keypoint_threshold")
        mine = {name: getattr(matching, name) for name in names}
        for changes in (
            {"max_lines": 7},
            {"min_length": 30.0},
            {"max_keypoints": 50},
            {"keypoint_threshold": 0.1},
        ):
            count = len(seen)
            other = matching.with_settings(**changes)
            alone = GlueStickLineMatcher(matching.model, **{**mine, **changes})
            assert torch.equal(
                other.find_wireframe(first[:, :, 0]).points,
                alone.find_wireframe(first[:, :, 0]).points,
            )
            assert len(seen) == count + 2
        assert len(matching._wireframes) <= matcher.KEPT_FRAMES
        assert mine == {name: getattr(matching, name) for name in names}

    def test_settings_that_there_are_not(self, own):
        with pytest.raises(TypeError, match="unknown matcher settings: treshold"):
            own[0].with_settings(treshold=0.1)
        with pytest.raises(ValueError, match="detectors opencv, pytlsd, got 'x'"):
            own[0].with_settings(detector="x")

    @pytest.mark.parametrize("size", [(64, 64), (71, 90), (200, 133)])
    def test_sizes(self, own, size):
        matching, first, second = own
        found = matching(np.ascontiguousarray(first[: size[0], : size[1]]), second)
        assert found.size == tuple(first[: size[0], : size[1]].shape[:2])
        assert len(found.lines0) == len(found.lines1) == len(found.scores)

    def test_a_frame_matches_itself(self, own):
        matching, first, _ = own
        found = matching(first, first)
        assert len(found.lines0) and torch.equal(found.lines0, found.lines1)
        assert (found.scores > matching.threshold).all()

    @pytest.mark.parametrize("which", [(0,), (1,), (0, 1)])
    def test_blank(self, own, which):
        matching, *frames = own
        for i in which:
            frames[i] = np.full_like(frames[i], 128)
        found = matching(*frames)
        assert found.lines0.shape == (0, 2, 2) and found.scores.shape == (0,)
        assert not draw_moving_lines(found, inbetween_times(5), line_width=1, seed=0).any()

    def test_no_keypoints(self, own):
        matching, first, second = own
        strict = GlueStickLineMatcher(matching.model, keypoint_threshold=1.0)
        wireframe = strict.find_wireframe(first[:, :, 0])
        assert len(wireframe.points) == wireframe.line_points.max() + 1  # junctions alone
        found = strict(first, second)
        assert len(found.lines0) == len(found.lines1)

    def test_bad_frames(self, own):
        matching, first, _ = own
        with pytest.raises(UserError, match=r"320 x 63 pixels .* at least 64 pixels a side"):
            matching(first[:63], first)
        with pytest.raises(ValueError, match=r"expected a frame \[H, W, 3\] uint8"):
            matching(first, first.astype(np.float32))

    def test_bad_settings(self, own):
        model = own[0].model
        with pytest.raises(ValueError, match="detectors opencv, pytlsd, got 'x'"):
            GlueStickLineMatcher(model, detector="x")
        with pytest.raises(ValueError, match="at least 1, got 0 and 300"):
            GlueStickLineMatcher(model, max_keypoints=0)


class TestBuild:
    def test_forgotten_superpoint(self):
        config, _ = load(OWN_FOLDER / "e2e.json")
        with pytest.raises(ValueError, match="superpoint_v1.pth is missing.*non-commercial"):
            build_gluestick(weights("gluestick", config), None)

    def test_layers_are_the_hosts(self):
        config, _ = load(OWN_FOLDER / "e2e.json")

        class Operations:
            class Linear(torch.nn.Linear):
                pass

            class Conv2d(torch.nn.Conv2d):
                pass

        model = build_gluestick(
            weights("gluestick", config), weights("superpoint", config), operations=Operations
        )
        with_weights = [m for m in model.modules() if list(m.parameters(recurse=False))]
        assert all(isinstance(m, (Operations.Linear, Operations.Conv2d)) for m in with_weights)
        assert not any(p.requires_grad for p in model.parameters())
        assert not model.training

    def test_layers_that_wait_for_their_weights(self):
        """They take the number format that they are given, so it has to be the right one."""
        config, _ = load(OWN_FOLDER / "e2e.json")

        class Linear(torch.nn.Linear):
            def __init__(self, *sizes: int, dtype=None, device=None):
                torch.nn.Module.__init__(self)
                self.weight = self.bias = None

            def _load_from_state_dict(self, state_dict: dict, prefix: str, *others):
                for name in ("weight", "bias"):
                    setattr(self, name, torch.nn.Parameter(state_dict[prefix + name].clone()))

        class Operations:
            Conv2d = torch.nn.Conv2d

        Operations.Linear = Linear
        model = build_gluestick(
            weights("gluestick", config),
            weights("superpoint", config),
            operations=Operations,
            dtype=torch.float16,
        )
        assert {p.dtype for p in model.parameters()} == {torch.float16}
        assert {x.dtype for x in model.buffers()} == {torch.float32}


def test_number_format() -> None:
    assert gluestick_dtype(fast_half=True) == torch.float16
    assert gluestick_dtype(fast_half=False) == torch.float32
