"""The command `export`: what it writes, prints and refuses."""

import shutil
from pathlib import Path

import pytest
import torch
from export_cases import make_run
from safetensors import safe_open

from fcvg_core.standalone.cli.main import main


@pytest.fixture(scope="module")
def run(tmp_path_factory, stand_ins) -> Path:
    """A run that trained ControlNeXt and a few parameters of SVD's own UNet."""
    folder = tmp_path_factory.mktemp("run") / "run"
    start = stand_ins / "controlnext.safetensors"
    make_run(folder, stand_ins / "svd", None, start, still=("resnets", "attentions.1"))
    return folder


def test_files_and_how_to_use_them(run, tmp_path, capsys):
    folder = tmp_path / "my model"
    assert main(["export", str(run), "-o", str(folder)]) == 0
    unet, controlnext = (folder / f"{name}.safetensors" for name in ("unet", "controlnext"))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"{unet}: ") and lines[0].endswith(" MB (part, over SVD)")
    assert lines[1].startswith(f"{controlnext}: ") and lines[1].endswith(" MB (whole network)")
    assert f"--unet '{unet}'" in lines[2] or f'--unet "{unet}"' in lines[2]
    with safe_open(controlnext, "pt") as opened:
        assert opened.get_tensor("mid_convs.1.bias").dtype == torch.float16
    before = unet.read_bytes()
    assert main(["export", str(run), "-o", str(folder)]) == 2
    assert "unet.safetensors exists already" in capsys.readouterr().err
    assert unet.read_bytes() == before


def test_options(run, tmp_path):
    copy = Path(shutil.copytree(run, tmp_path / "run"))
    assert main(["export", str(copy), "--no-ema", "--dtype", "fp32", "--whole"]) == 0
    with safe_open(copy / "export" / "unet.safetensors", "pt") as opened:
        assert "conv_in.bias" in opened.keys()  # noqa: SIM118  not trained
        assert opened.get_tensor("conv_in.bias").dtype == torch.float32
        assert '"averaged": false' in opened.metadata()["recipe"]


def test_no_run(tmp_path, capsys):
    assert main(["export", str(tmp_path)]) == 2
    assert "There is no checkpoint in" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
