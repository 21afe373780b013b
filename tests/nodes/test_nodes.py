"""The other nodes: their results, and their messages about bad input."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

MATCHING = (300, 15.0, 1000, 0.2, "opencv")  # the widgets of Match Lines


def picture(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(0))


class TestLines:
    def test_sample_frames_give_control_frames(self, node_classes, load):
        draw_sample_pair = load("fcvg_core.standalone.demo.scene").draw_sample_pair
        first, last = (torch.from_numpy(x)[None] / 255 for x in draw_sample_pair((128, 256)))
        matches, preview = node_classes["FCVG_MatchLines"].execute(first, last, *MATCHING).args
        assert preview.ndim == 4
        frames = node_classes["FCVG_DrawLines"].execute(matches, 7, 1, 0).args[0]
        assert frames.shape == (7, 128, 256, 3)
        assert frames.any()

    def test_blank_frames_give_black_ones(self, node_classes):
        blank = torch.full((1, 64, 96, 3), 0.5)
        matches, _ = node_classes["FCVG_MatchLines"].execute(blank, blank, *MATCHING).args
        assert not node_classes["FCVG_DrawLines"].execute(matches, 2, 1, 0).args[0].any()

    def test_last_frame_of_another_size_is_resized(self, node_classes, caplog):
        node = node_classes["FCVG_MatchLines"]
        caplog.set_level("INFO")
        matches = node.execute(picture(1, 64, 96, 3), picture(1, 128, 96, 3), *MATCHING).args[0]
        assert matches.size == (64, 96)
        assert (
            "last_frame: 96 x 128 -> 96 x 64: 32 pixels are cut off at the top and 32 at the "
            "bottom." in caplog.text
        )

    def test_what_it_says(self, node_classes, caplog):
        caplog.set_level("INFO")
        blank = torch.full((1, 64, 96, 3), 0.5)
        node_classes["FCVG_MatchLines"].execute(blank, blank, *MATCHING)
        said = [record.getMessage() for record in caplog.records]
        assert said == [
            "No lines match, by SIFT and optical flow (0 and 0 found).",
            "No line steers the video. Raise max_lines or lower min_length.",
            "GlueStick is not loaded: see Load GlueStick.",
        ]

    def test_ids_in_the_preview(self, node_classes, load):
        draw_sample_pair = load("fcvg_core.standalone.demo.scene").draw_sample_pair
        pair = [torch.from_numpy(x)[None] / 255 for x in draw_sample_pair((128, 256))]
        node = node_classes["FCVG_MatchLines"]
        plain, numbered = (
            node.execute(*pair, *MATCHING, show_ids=show).args[1] for show in (False, True)
        )
        assert plain.shape == numbered.shape and not torch.equal(plain, numbered)

    def test_tiny_frames(self, node_classes):
        with pytest.raises(ValueError, match="at least 64"):
            node_classes["FCVG_MatchLines"].execute(
                picture(1, 32, 32, 3), picture(1, 32, 32, 3), *MATCHING
            )


@pytest.fixture(scope="module")
def model(load, gluestick_files):
    """GlueStick, managed by the host."""
    return load("nodes.host.gluestick").load_gluestick(*map(str, gluestick_files))


class TestGlueStick:
    def test_nothing_but_the_hosts_layers(self, model):
        with_weights = [m for m in model.model.modules() if getattr(m, "weight", None) is not None]
        assert with_weights
        assert all(hasattr(module, "comfy_cast_weights") for module in with_weights)

    def test_matches_in_the_place_of_the_classic_one(self, node_classes, load, model):
        draw_sample_pair = load("fcvg_core.standalone.demo.scene").draw_sample_pair
        first, last = (torch.from_numpy(x)[None] / 255 for x in draw_sample_pair((128, 192)))
        with torch.inference_mode():
            matches, preview = (
                node_classes["FCVG_MatchLines"]
                .execute(first, last, 50, 15.0, 100, 0.0, "opencv", gluestick=model)
                .args
            )
        assert matches.size == (128, 192)
        assert len(matches.lines0) > 0
        assert ((matches.scores >= 0) & (matches.scores <= 1)).all()
        assert preview.shape == (1, 128, 384, 3)

    def test_frame_of_two_pairs_is_looked_at_once(self, node_classes, load, model):
        draw_scene = load("fcvg_core.standalone.demo.scene").draw_scene
        frames = [torch.from_numpy(draw_scene(seed, (64, 96)))[None] / 255 for seed in (1, 2, 3)]
        calls = []
        superpoint = model.model.superpoint
        handle = superpoint.register_forward_hook(lambda *args: calls.append(1))
        with torch.inference_mode():
            for pair in (frames[:2], frames[1:]):
                node_classes["FCVG_MatchLines"].execute(*pair, *MATCHING, gluestick=model)
        handle.remove()
        assert len(calls) == 3

    def test_blank_frames(self, node_classes, model):
        blank = torch.full((1, 64, 96, 3), 0.5)
        with torch.inference_mode():
            out = node_classes["FCVG_MatchLines"].execute(blank, blank, *MATCHING, gluestick=model)
        assert len(out.args[0].lines0) == 0

    def test_auto_without_files_is_nothing(self, node_classes, caplog):
        caplog.set_level("INFO")
        assert node_classes["FCVG_LoadGlueStick"].execute("auto", "auto").args == (None,)
        (said,) = caplog.messages
        files = "checkpoint_GlueStick_MD.tar and superpoint_v1.pth"
        assert said.startswith(f"models/gluestick lacks {files}: nothing is loaded.")

    def test_auto_takes_converted_files(self, load, gluestick_files, tmp_path, monkeypatch):
        """What `models --convert` wrote, where the official files are not there any more."""
        import folder_paths

        folders, host = load("nodes.host.folders"), load("nodes.host.gluestick")
        rows = load("fcvg_core.catalogue.gluestick").GLUESTICK_ROWS
        convert = load("fcvg_core.standalone.networks.convert").convert
        for path in gluestick_files:
            convert(Path(shutil.copy(path, tmp_path)))
            (tmp_path / path.name).unlink()
        monkeypatch.setitem(
            folder_paths.folder_names_and_paths,
            "gluestick",
            ([str(tmp_path)], {".tar", ".pth", ".safetensors"}),
        )
        found = folders.find_pair(("auto", "auto"), rows)
        assert [Path(path).suffix for path in found] == [".safetensors"] * 2
        expected = host.load_gluestick(*map(str, gluestick_files)).model.state_dict()
        weights = host.load_gluestick(*found).model.state_dict()
        assert all(torch.equal(weights[key], value) for key, value in expected.items())

    def test_missing_file(self, node_classes):
        with pytest.raises(ValueError, match="non-commercial research only"):
            node_classes["FCVG_LoadGlueStick"].execute("x.tar", "y.pth")

    def test_superpoint_in_the_place_of_gluestick(self, load, gluestick_files):
        with pytest.raises(ValueError, match="superpoint_v1.pth"):
            load("nodes.host.gluestick").load_gluestick(*[str(gluestick_files[1])] * 2)


class TestFilterLineMatches:
    @pytest.fixture
    def matches(self, load):
        lines = torch.tensor([[[0.0, 10], [30, 10]], [[50, 50], [50, 60]]])
        return load("fcvg_core.lines").LineMatches(lines, lines + 40, size=(100, 200))

    def test_by_length_with_a_preview(self, node_classes, matches):
        node = node_classes["FCVG_FilterLineMatches"]
        kept, preview = node.execute(matches, 0.0, 20.0, 1.0, "none", 20.0).args
        assert len(kept.lines0) == 1
        assert preview.shape == (1, 100, 400, 3)
        assert preview.any()

    def test_by_mask_on_either_frame(self, node_classes, matches):
        node = node_classes["FCVG_FilterLineMatches"]
        left = torch.zeros(1, 50, 100)
        left[:, :, :20] = 1
        for masks, count in (({"first_mask": left}, 1), ({"last_mask": left}, 0)):
            kept = node.execute(matches, 0.0, 0.0, 1.0, "none", 20.0, **masks).args[0]
            assert len(kept.lines0) == count

    @pytest.mark.parametrize(("use", "ids"), [("keep", [0]), ("remove", [1])])
    def test_what_a_mask_is_for(self, node_classes, matches, use, ids):
        left = torch.zeros(1, 50, 100)
        left[:, :, :20] = 1
        node = node_classes["FCVG_FilterLineMatches"]
        kept = node.execute(matches, 0.0, 0.0, 1.0, "none", 20.0, first_mask=left, mask=use).args[0]
        assert kept.ids.tolist() == ids and kept.num_matched == 2

    @pytest.mark.parametrize("shape", [(64, 64), (100, 200)])
    @pytest.mark.parametrize("use", ["keep", "remove"])
    def test_an_empty_mask_is_none(self, node_classes, matches, caplog, shape, use):
        """Load Image gives a mask of 64 x 64 zeros for a picture without alpha."""
        caplog.set_level("INFO")
        node = node_classes["FCVG_FilterLineMatches"]
        kept = node.execute(
            matches, 0.0, 0.0, 1.0, "none", 20.0, torch.zeros(1, *shape), mask=use
        ).args[0]
        assert len(kept.ids) == 2
        assert "first_mask is empty (no part is white), so it is not used." in caplog.text

    @pytest.mark.parametrize("size", [(576, 1024), (512, 512)])
    def test_mask_of_another_shape(self, node_classes, load, size):
        """A mask painted on a picture of 1920 x 1080 lies where the cropped picture is."""
        frames = load("fcvg_core.frames")
        picture = np.zeros((1080, 1920, 3), np.uint8)
        picture[:, 900:1300] = 255
        cropped = frames.crop_resize(picture, size)[..., 0] > 127
        rows, columns = np.meshgrid(*(range(8, x, 24) for x in size), indexing="ij")
        middles = torch.from_numpy(np.stack([columns, rows], -1).reshape(-1, 1, 2)).float()
        lines = middles + torch.tensor([[-4.0, 0.0], [4.0, 0.0]])
        given = load("fcvg_core.lines").LineMatches(lines, lines, size=size)
        node = node_classes["FCVG_FilterLineMatches"]
        mask = torch.from_numpy(picture[None, ..., 0] / 255).float()
        kept = node.execute(given, 0.0, 0.0, 1.0, "none", 20.0, mask).args[0]
        inside = torch.from_numpy(cropped[rows, columns].reshape(-1))
        assert torch.equal(kept.ids, inside.nonzero()[:, 0]) and 0 < len(kept.ids) < len(lines)

    def test_what_it_says(self, node_classes, matches, caplog):
        caplog.set_level("INFO")
        node = node_classes["FCVG_FilterLineMatches"]
        for length, left, few in (
            (20.0, "1 of 2 matches is left.", ["Only 1 line steers the video, which is few."]),
            (99.0, "0 of 2 matches are left.", ["No line steers the video."]),
            (0.0, "2 of 2 matches are left.", []),
        ):
            caplog.clear()
            node.execute(matches, 0.0, length, 1.0, "none", 20.0)
            remedy = "Change the settings so that fewer lines are removed."
            assert caplog.messages == [left, *(f"{text} {remedy}" for text in few)]

    def test_removed_lines_are_grey_and_the_others_keep_their_colour(self, node_classes, matches):
        """From Match Lines to the control frames."""
        node = node_classes["FCVG_FilterLineMatches"]
        kept, preview = node.execute(matches, 0.0, 20.0, 1.0, "none", 20.0).args
        whole, frames = (
            node_classes["FCVG_DrawLines"].execute(x, 3, 1, 0).args[0] for x in (matches, kept)
        )
        assert torch.equal(preview[0, 10, 15], whole[0, 10, 15])
        assert torch.equal(frames[0, 10, 15], whole[0, 10, 15]) and frames[0, 10, 15].any()
        grey = preview[0, 55, 50]
        assert grey.any() and (grey == grey[0]).all() and not frames[0, 55, 50].any()

    def test_frames_of_another_size(self, node_classes, matches):
        node = node_classes["FCVG_FilterLineMatches"]
        criteria = (0.0, 0.0, 1.0, "none", 20.0, None, None)
        small, right = (torch.full((1, *size, 4), 0.4) for size in ((64, 64), matches.size))
        found, wanted, black = (
            node.execute(matches, *criteria, *frames).args[1]
            for frames in ((small, small), (right, right), ())
        )
        assert found.shape == (1, 100, 400, 3) and torch.equal(found, wanted)
        assert not torch.equal(found, black)

    def test_choice_that_is_none(self, node_classes, matches):
        with pytest.raises(ValueError, match="got 'magic'"):
            node_classes["FCVG_FilterLineMatches"].execute(matches, 0.0, 0.0, 1.0, "magic", 20.0)


class TestLoaders:
    def test_weight_type_that_is_none(self, node_classes):
        with pytest.raises(ValueError, match="weight_dtype is 'int3'"):
            node_classes["FCVG_LoadModel"].execute("x", "int3")

    def test_choices_are_those_of_the_loader(self, load):
        formats = load("fcvg_core.choices").WEIGHT_FORMATS
        assert formats == tuple(load("nodes.host.patchers").WEIGHT_DTYPES)


class TestConditioning:
    def test_size_that_the_model_can_not_take(self, node_classes):
        with pytest.raises(ValueError, match="height must be a multiple of 64 .*, got 72"):
            node_classes["FCVG_EncodeKeyframes"].execute(
                None, None, None, None, 128, 72, 5, 7, 127, 0.02, 0
            )


class TestSampler:
    def test_sampler_that_is_none(self, load):
        settings = {
            "seed": 0,
            "steps": 1,
            "min_guidance": 3.0,
            "max_guidance": 3.0,
            "window": 25,
            "overlap": 6,
            "control_weight": 1.0,
            "width": 128,
            "height": 64,
            "num_frames": 5,
            "fps": 7,
            "motion_bucket_id": 127,
            "augmentation": 0.0,
            "noise_injection_steps": 0,
            "noise_injection_ratio": 0.0,
        }
        boxes = load("nodes.host.boxes")
        with pytest.raises(ValueError, match="Unknown sampler_name 'magic'"):
            boxes.BoxSettings.from_widgets(sampler_name="magic", scheduler="karras", **settings)
        with pytest.raises(ValueError, match="Unknown scheduler 'magic'"):
            boxes.BoxSettings.from_widgets(sampler_name="euler", scheduler="magic", **settings)
