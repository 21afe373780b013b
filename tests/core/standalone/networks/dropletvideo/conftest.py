"""Tiny models of DropletVideo in the official folder and in single files."""

from pathlib import Path

import pytest
import torch
from dropletvideo_stand_ins import write_droplet

from fcvg_core.standalone.networks.dropletvideo import (
    DropletFiles,
    DropletPipeline,
    check_droplet,
)


@pytest.fixture(scope="session")
def official(tmp_path_factory) -> Path:
    """The official folder. A test that changes a file has its own copy."""
    return write_droplet(tmp_path_factory.mktemp("official"))


@pytest.fixture(scope="session")
def single(tmp_path_factory) -> Path:
    """A folder of models as ComfyUI has it, with a file for each network."""
    return write_droplet(tmp_path_factory.mktemp("single"), layout="single")


@pytest.fixture(scope="session")
def pipeline(official) -> DropletPipeline:
    """The pipeline of the official folder, in float32."""
    checked = check_droplet(DropletFiles(ckpt=official), torch.float32, [])
    return checked.load(torch.device("cpu"), False, lambda *state: None)
