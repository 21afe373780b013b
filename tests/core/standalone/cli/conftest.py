"""Two pictures, the stand-ins as models, and DWPose's stand-ins."""

import pytest
from PIL import Image

from fcvg_core.standalone.demo.scene import draw_sample_pair


@pytest.fixture(scope="session")
def pair(tmp_path_factory) -> list[str]:
    """Two sample frames, of a size that is no run's."""
    folder = tmp_path_factory.mktemp("frames")
    paths = [str(folder / "first.png"), str(folder / "last.png")]
    for path, frame in zip(paths, draw_sample_pair((96, 160)), strict=True):
        Image.fromarray(frame).save(path)
    return paths


@pytest.fixture
def models(stand_ins, monkeypatch) -> None:
    """The stand-ins are found as the models of every command."""
    monkeypatch.setenv("FCVG_MODELS", str(stand_ins))


@pytest.fixture
def dwpose(own_golden) -> list[str]:
    """Options of DWPose's stand-ins, which find two people in any picture."""
    folder = own_golden / "dwpose"
    return [
        "--dwpose-det",
        str(folder / "det_two.onnx"),
        "--dwpose-pose",
        str(folder / "pose_a.onnx"),
    ]
