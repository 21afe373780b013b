"""Tiny checkpoints and a tiny tokenizer of DynamiCrafter."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

import pytest
import torch
from clip_tokenizer import write_tokenizer
from dynamicrafter_stand_ins import dynamicrafter_weights, write_dynamicrafter

from fcvg_core.standalone.networks.dynamicrafter import (
    ClipPipeline,
    ClipSettings,
    DynamiCrafterFiles,
    check_files,
)

SHORT = ClipSettings(
    num_frames=4,
    rate=24,
    steps=2,
    eta=1.0,
    spacing="uniform_trailing",
    guidance=7.5,
    image_guidance=None,
    rescale=0.7,
    image_tokens="auto",
    decode_chunk=4,
)


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    """A folder for the files of a session. A test that changes a file has its own."""
    return tmp_path_factory.mktemp("dynamicrafter")


@pytest.fixture(scope="session")
def tokenizer_folder(folder) -> Path:
    return write_tokenizer(folder / "tokenizer")


@pytest.fixture(scope="session")
def written(folder) -> Callable[..., Path]:
    """A function that writes a checkpoint once, and gives its path. See `write_dynamicrafter`."""

    @cache
    def write(variant: str, layout: str = "official", fmt: str = ".ckpt") -> Path:
        return write_dynamicrafter(folder / layout, variant, layout=layout, fmt=fmt)

    return write


@pytest.fixture(scope="session")
def weights() -> dict[str, torch.Tensor]:
    """All tensors of the checkpoint of the model 512, by their official names."""
    return dynamicrafter_weights("512")


@pytest.fixture(scope="session")
def checkpoint(written) -> Path:
    """The official checkpoint of the interpolating model, which takes all modes."""
    return written("512_interp")


@pytest.fixture(scope="session")
def pipeline(checkpoint, tokenizer_folder) -> ClipPipeline:
    """The pipeline of the interpolating model, in float32."""
    files = DynamiCrafterFiles(checkpoint=checkpoint, tokenizer=tokenizer_folder)
    return check_files(files, torch.float32).load(torch.device("cpu"), False, lambda *state: None)


@pytest.fixture(scope="session")
def settings() -> Callable[..., ClipSettings]:
    """The settings of a short run, with some of them changed."""
    return partial(replace, SHORT)
