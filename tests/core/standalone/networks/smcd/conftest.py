"""Tiny models of SMCD, and the networks around them."""

from pathlib import Path

import pytest
import torch
from clip_tokenizer import write_tokenizer
from smcd_stand_ins import write_modelscope, write_smcd

from fcvg_core.standalone.networks.smcd import SmcdFiles, SmcdPipeline, check_smcd


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    """A folder for the files of a session. A test that changes a file has its own."""
    return tmp_path_factory.mktemp("smcd")


@pytest.fixture(scope="session")
def official(folder) -> Path:
    """The folder with the three official files."""
    return write_smcd(folder)


@pytest.fixture(scope="session")
def merged(folder) -> Path:
    """One file with all three networks, in half precision."""
    return write_smcd(folder, layout="merged")


@pytest.fixture(scope="session")
def files(official, folder) -> SmcdFiles:
    return SmcdFiles(
        ckpt=official,
        modelscope=write_modelscope(folder),
        tokenizer=write_tokenizer(folder / "tokenizer"),
    )


@pytest.fixture(scope="session")
def pipeline(files) -> SmcdPipeline:
    """The pipeline of the official files, in float32."""
    checked = check_smcd(files, torch.float32, [])
    return checked.load(torch.device("cpu"), False, lambda *state: None)
