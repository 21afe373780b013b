"""Nodes of paths, and what nodes of the host make of their results."""

import json
import logging

import pytest
import torch

POINTS = [{"x": 10, "y": 20}, {"x": 60, "y": 25}, {"x": 100, "y": 90}, {"x": 140, "y": 20}]
SPLINES = json.dumps([POINTS, [{"x": 5, "y": 6}] * 4])  # as Spline Editor gives two splines
EVEN = ("uniform", "")
TRACKS = {"track_path": torch.rand(9, 3, 2) * 100, "track_visibility": torch.ones(9, 3).bool()}


@pytest.fixture
def nodes(node_classes) -> dict:
    """The nodes of this file by the last part of their ids."""
    return {name.removeprefix("FCVG_"): node for name, node in node_classes.items()}


@pytest.fixture
def paths(nodes) -> tuple:
    return nodes["PathsFromSplines"].execute(SPLINES, max_error=0.0, scale=1.0).args[0]


def places(points: list[dict]) -> torch.Tensor:
    return torch.tensor([[point["x"], point["y"]] for point in points]).float()


class TestFromSplines:
    def test_points_are_passed_in_time(self, nodes, paths):
        tracks = nodes["PathsToTracks"].execute(paths, 832, 480, 4, *EVEN).args[0]
        assert torch.allclose(tracks["track_path"][:, 0], places(POINTS))
        assert tracks["track_path"][:, 1].tolist() == [[5, 6]] * 4

    def test_scaled_with_the_error_in_pixels_of_the_video(self, nodes, paths):
        execute = nodes["PathsFromSplines"].execute
        large = execute(SPLINES, max_error=0.0, scale=2.0).args[0]
        assert torch.equal(large[0].points, paths[0].points * 2)
        assert len(execute(SPLINES, max_error=1.0, scale=1.0).args[0][0].points) == 4

    def test_what_it_says(self, nodes, caplog):
        caplog.set_level(logging.INFO)
        nodes["PathsFromSplines"].execute(json.dumps(POINTS), max_error=0.0, scale=1.0)
        assert caplog.messages == [
            "Paths: 1, of 3 Bezier curves. Their points move by 207 to 207 pixels."
        ]

    def test_one_point_stands_still(self, nodes, caplog):
        nodes["PathsFromSplines"].execute(json.dumps(POINTS[:1]), max_error=1.0, scale=1.0)
        assert caplog.messages == ["Paths: 1, but none of their points moves."]

    @pytest.mark.parametrize(
        ("splines", "message"),
        [("", "splines does not hold splines"), ("[[1, 2]]", "point 1 of spline 1 is 1")],
    )
    def test_nonsense(self, nodes, splines, message):
        with pytest.raises(ValueError, match=message):
            nodes["PathsFromSplines"].execute(splines, max_error=1.0, scale=1.0)

    @pytest.mark.parametrize(("name", "value"), [("max_error", -1.0), ("scale", 0.0)])
    def test_values_of_a_link(self, nodes, name, value):
        widgets = {"max_error": 1.0, "scale": 1.0, name: value}
        for node, text in (("PathsFromSplines", SPLINES), ("PathsFromTracks", TRACKS)):
            with pytest.raises(ValueError, match=f"{name} is {value:g}, but it must be from"):
                nodes[node].execute(text, **widgets)


class TestTracks:
    def test_there_and_back(self, nodes):
        found = nodes["PathsFromTracks"].execute(TRACKS, max_error=0.0, scale=1.0).args[0]
        again = nodes["PathsToTracks"].execute(found, 832, 480, 9, *EVEN).args[0]
        assert torch.allclose(again["track_path"], TRACKS["track_path"], atol=1e-4)

    def test_nonsense(self, nodes):
        with pytest.raises(ValueError, match="tracks does not hold tracks"):
            nodes["PathsFromTracks"].execute({"track_path": 1}, max_error=0.0, scale=1.0)

    def test_no_tracks(self, nodes, caplog):
        empty = {"track_path": torch.zeros(9, 0, 2)}
        found = nodes["PathsFromTracks"].execute(empty, max_error=0.0, scale=1.0).args[0]
        assert found == () and caplog.messages == ["There are no paths."]

    def test_timing(self, nodes, paths):
        track = nodes["PathsToTracks"].execute(paths, 832, 480, 3, "custom", "0, 0, 1").args[0]
        assert torch.allclose(track["track_path"][:, 0], places([POINTS[0], POINTS[0], POINTS[3]]))

    def test_where_the_other_model_sees_them(self, nodes, paths):
        """A picture of 200 x 100 in a video of 64 x 64: half of its width is cut off."""
        picture = torch.zeros(1, 100, 200, 3)
        tracks = nodes["PathsToTracks"].execute(paths, 64, 64, 2, *EVEN, first_frame=picture)
        assert tracks.args[0]["track_path"][0, 0].tolist() == pytest.approx([-25.6, 12.8])

    def test_a_size_that_wan_does_not_take(self, nodes, paths):
        picture = torch.zeros(1, 100, 200, 3)
        with pytest.raises(ValueError, match="width is 840, but models of Wan .* 832 or 848"):
            nodes["PathsToTracks"].execute(paths, 840, 480, 5, *EVEN, first_frame=picture)


class TestMotion:
    @pytest.fixture
    def motion(self, load):
        types, lines = load("fcvg_core.motion"), load("fcvg_core.lines")
        pair = torch.tensor([[[[10, 10], [30, 10]]], [[[20, 40], [40, 40]]]]).float()
        path = load("fcvg_core.paths").Path(0, torch.tensor([[5.0, 5]]))
        span = types.Span(matches=lines.LineMatches(*pair, (64, 128)), paths=(path,))
        return types.Motion((64, 128), (span,))

    @pytest.mark.parametrize(
        ("points", "last"),
        [("everything", [[40, 80], [80, 80], [10, 10]]), ("paths", [[10, 10]])],
    )
    def test_in_pixels_of_the_video(self, nodes, motion, points, last):
        tracks = nodes["MotionToTracks"].execute(motion, points, 256, 128, 5, *EVEN).args[0]
        assert tracks["track_path"].shape == (5, len(last), 2)
        assert tracks["track_path"][-1].tolist() == last

    def test_nonsense(self, nodes, motion):
        with pytest.raises(ValueError, match="height is 100, but models of Wan .* 96 or 112"):
            nodes["MotionToTracks"].execute(motion, "lines", 256, 100, 5, *EVEN)
        with pytest.raises(ValueError, match="motion has no people in it: choose other points"):
            nodes["MotionToTracks"].execute(motion, "people", 256, 128, 5, *EVEN)


class TestHost:
    """Nodes of ComfyUI read the results."""

    def test_wan_move_reads_tracks_and_json(self, nodes, paths):
        wan_move = pytest.importorskip("comfy_extras.nodes_wanmove")
        text = nodes["PathsToJson"].execute(paths, 832, 480, 9, *EVEN, "Wan-Move").args[0]
        read, length = wan_move.WanMoveTracksFromCoords.execute(text).args
        tracks = nodes["PathsToTracks"].execute(paths, 832, 480, 9, *EVEN).args[0]
        assert length == 9
        assert torch.allclose(read["track_path"], tracks["track_path"], atol=0.006)
        assert torch.equal(read["track_visibility"], tracks["track_visibility"])
        joined = wan_move.WanMoveConcatTrack.execute(tracks, read).args[0]
        assert joined["track_path"].shape == (9, 4, 2)

    def test_wan_move_moves_features_along_them(self, nodes, paths):
        wan_move = pytest.importorskip("comfy_extras.nodes_wanmove")
        tracks = nodes["PathsToTracks"].execute(paths, 832, 480, 9, *EVEN).args[0]
        found = wan_move.create_pos_embeddings(
            tracks["track_path"], tracks["track_visibility"], [4, 8, 8], 96, 160
        )
        rows = sorted(found.tolist())
        assert rows[0] == [[0, 0]] * 3 and rows[1][0] == [2, 1] and rows[1][-1] == [2, 17]

    def test_paths_from_the_tracks_of_the_host(self, nodes):
        wan_move = pytest.importorskip("comfy_extras.nodes_wanmove")
        if not hasattr(wan_move, "GenerateTracks"):
            pytest.skip("needs a host with Generate Video Tracks")
        made = wan_move.GenerateTracks.execute(
            width=320,
            height=192,
            start_x=0.1,
            start_y=0.5,
            mid_x=0.5,
            mid_y=0.1,
            end_x=0.9,
            end_y=0.5,
            num_frames=33,
            num_tracks=3,
            track_spread=0.05,
            bezier=True,
            interpolation="ease_in_out",
        ).args[0]
        found = nodes["PathsFromTracks"].execute(made, max_error=0.5, scale=1.0).args[0]
        again = nodes["PathsToTracks"].execute(found, 320, 192, 33, *EVEN).args[0]
        assert (again["track_path"] - made["track_path"]).norm(dim=-1).max() <= 0.5
        assert all(len(path.points) <= 7 for path in found)  # two curves at most

    @pytest.mark.seam
    @pytest.mark.parametrize("num_frames", [5, 17, 49, 81])
    def test_ati_takes_a_place_for_each_frame(self, nodes, paths, num_frames):
        """All points are visible, and just where the paths are."""
        import comfy_extras.nodes_wan as wan
        import numpy as np

        text = nodes["PathsToJson"].execute(paths, 832, 480, num_frames, *EVEN, "ATI").args[0]
        padded = np.stack([wan.pad_pts(track) for track in wan.parse_json_tracks(text)])
        found = wan.process_tracks(padded, (160, 96), num_frames - 1)  # in -1..1 of the short side
        assert found.shape == (num_frames, 2, 4) and (found[..., 3] == 1).all()
        moved = found[..., 1:3] * 96 / 2 + torch.tensor([80, 48])
        wanted = nodes["PathsToTracks"].execute(paths, 832, 480, num_frames, *EVEN).args[0]
        assert torch.allclose(moved, wanted["track_path"], atol=0.01)


class TestSpeed:
    def test_of_all_paths(self, nodes, paths):
        slow = nodes["SetPathSpeed"].execute(paths, "ease-in", "").args[0]
        assert [path.speed for path in slow] == ["ease-in"] * 2
        assert paths[0].speed != "ease-in"  # the value of another node stays as it was
        custom = nodes["SetPathSpeed"].execute(paths, "custom", "0, 0.2 1").args[0]
        assert custom[0].speed == [0, 0.2, 1]

    def test_nonsense(self, nodes, paths):
        with pytest.raises(ValueError, match="for example 0, 0.2, 1; got 'fast'"):
            nodes["SetPathSpeed"].execute(paths, "custom", "fast")


class Curve:
    """A CURVE of a host: only `interp` is asked."""

    def __init__(self, height: float = 1.0):
        self.height = height

    def interp(self, x: float) -> float:
        return self.height * x**2


class TestTimesFromCurve:
    def test_heights_as_numbers(self, nodes, load):
        text = nodes["TimesFromCurve"].execute(Curve(), 5).args[0]
        assert text == "0, 0.0625, 0.25, 0.5625, 1"
        assert load("fcvg_core.timeline").parse_timing(text) == [0, 0.0625, 0.25, 0.5625, 1]

    def test_a_curve_of_the_host(self, nodes):
        editor = pytest.importorskip("comfy_extras.nodes_curve").CurveEditor
        points = {"points": [[0, 0], [0.5, 0.2], [1, 1]], "interpolation": "linear"}
        for curve in (points, editor.execute(points).args[0]):
            assert nodes["TimesFromCurve"].execute(curve, 5).args[0] == "0, 0.1, 0.2, 0.6, 1"

    @pytest.mark.parametrize(
        ("curve", "num_times", "message"),
        [
            ({"points": 3}, 5, "curve is of type dict, but a CURVE is expected"),
            ("0, 1", 5, "curve is of type str, but a CURVE is expected"),
            (Curve(1.5), 5, "heights from 0 to 1.5, but a motion lies in 0..1"),
            (Curve(float("nan")), 5, "heights from nan"),
            (Curve(), 1, "num_times is 1, but it must be from 2 to 1024"),
        ],
    )
    def test_nonsense(self, nodes, curve, num_times, message):
        with pytest.raises(ValueError, match=message):
            nodes["TimesFromCurve"].execute(curve, num_times)
