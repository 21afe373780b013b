"""Stand-in models, written once for all tests of this room."""

from pathlib import Path

import pytest

from fcvg_core.standalone.stand_ins import write_stand_ins


@pytest.fixture(autouse=True)
def no_comfyui(tmp_path_factory, monkeypatch) -> None:
    """Keep the tests from the models of a ComfyUI that this pack may lie in."""
    monkeypatch.setenv("COMFYUI_PATH", str(tmp_path_factory.getbasetemp() / "no-comfyui"))


@pytest.fixture(scope="session")
def stand_ins(tmp_path_factory) -> Path:
    """A folder with svd/, unet.safetensors and controlnext.safetensors. Not to be written to."""
    folder = tmp_path_factory.mktemp("stand-ins") / "models"
    write_stand_ins(folder)
    return folder
