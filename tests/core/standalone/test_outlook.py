"""What the command line says of memory before weights are loaded, from much memory to none."""

import logging
from dataclasses import replace

import pytest
import torch

from fcvg_core.estimate import DYNAMICRAFTER, FCVG, GB, Passes, Video
from fcvg_core.standalone import outlook
from fcvg_core.standalone.outlook import Run, log_needs

CARD = torch.device("cuda", 0)
RUN = Run(
    video=Video((576, 1024), 25, 25, 6),
    networks=FCVG,
    dtype=torch.bfloat16,
    passes=Passes(14, shallow=14, steered=5),
    at_once=2,
    can_split=False,
    kept=0,
    offload=False,
    decode_chunk=2,
    window_option="--window",
)
SHORT = replace(RUN, video=Video((576, 1024), 4, 25, 6))  # shorter than its window
CLIP = replace(
    RUN,
    video=Video((576, 1024), 64, 64, 0),
    networks=DYNAMICRAFTER,
    passes=Passes(100, shallow=0, steered=0),
    can_split=True,
    window_option="--frames",
)


@pytest.fixture
def said(monkeypatch, caplog):
    """The level and the line that are logged for a run on a card with so many GB."""
    caplog.set_level(logging.INFO)

    def say(run: Run, gigabytes: float | None) -> tuple[int, str]:
        usable = None if gigabytes is None else int(gigabytes * GB)
        monkeypatch.setattr(outlook, "usable_memory", lambda device: usable)
        log_needs(run, CARD)
        return caplog.records[-1].levelno, caplog.messages[-1]

    return say


def test_it_fits(said):
    assert said(RUN, 16) == (
        logging.INFO,
        "25 frames of 1024 x 576 in one window, 28 passes of the UNet (14 with kept features), "
        "need about 14.2 GB of memory, and cuda:0 has 16.0 GB.",
    )


def test_nothing_is_compared_without_a_card(said):
    level, text = said(RUN, None)
    assert level == logging.INFO and text.endswith("need about 14.2 GB of memory.")
    assert outlook.usable_memory(torch.device("cpu")) is None


def test_passes_of_all_windows(said):
    long = replace(RUN, video=Video((576, 1024), 60, 25, 6), passes=Passes(100, 0, 25))
    assert ", 300 passes of the UNet, need about 14.2 GB" in said(long, 16)[1]


@pytest.mark.parametrize(
    ("run", "gigabytes", "remedy"),
    [
        (RUN, 13.5, "give --offload, which needs 12.9 GB."),
        (RUN, 8, "with --offload lower --window to 12, or lower the size to 704 x 384."),
        (replace(RUN, offload=True), 8, "lower --window to 12, or lower the size to 704 x 384."),
        (replace(RUN, offload=True, kept=4), 13, "lower --window to 24, or lower the size to "),
        (CLIP, 20, "give --offload, which needs 18.2 GB; the passes of guidance will run one by "),
        (replace(CLIP, offload=True), 20, "the passes of guidance will run one by one, which is"),
        (CLIP, 10, "with --offload lower --frames to "),
        (RUN, 0, "with --offload not even 8 frames of 448 x 256 fit, which need 3."),
        (SHORT, 0, "with --offload not even 4 frames of 448 x 256 fit, which need 3."),
    ],
)
def test_too_large(said, run, gigabytes, remedy):
    level, text = said(run, gigabytes)
    assert level == logging.WARNING
    assert f", but cuda:0 has {gigabytes:.1f} GB: {remedy}" in text


def test_memory_of_a_card(monkeypatch):
    """What is free, and what this process holds already, such as networks of an earlier run."""
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (3 * GB, 8 * GB))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda device: 2 * GB)
    assert outlook.usable_memory(CARD) == 5 * GB
