"""GlueStick as the host's model: one matcher, whatever settings it is called with."""

import numpy as np
import pytest
import torch
from gluestick_cases import OWN_FOLDER
from gluestick_cases import load as load_case
from streaming import WAYS

CPU, META = torch.device("cpu"), torch.device("meta")


@pytest.fixture(autouse=True, params=WAYS, ids=WAYS)
def weights_are(request, host, monkeypatch):
    WAYS[request.param](monkeypatch)


@pytest.fixture
def gluestick(load):
    return load("nodes.host.gluestick")


@pytest.fixture
def model(gluestick, gluestick_files):
    return gluestick.load_gluestick(*(str(path) for path in gluestick_files))


@pytest.fixture(scope="module")
def frames() -> list[np.ndarray]:
    tensors = load_case(OWN_FOLDER / "e2e.json")[1]
    grays = [tensors[f"image{i}"][:112, :112] for i in (0, 1)]
    return [gray[:, :, None].expand(-1, -1, 3).contiguous().numpy() for gray in grays]


@pytest.fixture
def looked_at(load, monkeypatch) -> list:
    """Frames in which segments were looked for."""
    matcher = load("fcvg_core.lines.matcher")
    seen, detect = [], matcher.detect_lines
    monkeypatch.setattr(
        matcher, "detect_lines", lambda gray, **s: seen.append(gray) or detect(gray, **s)
    )
    return seen


@torch.no_grad()
def test_thresholds_look_at_each_frame_once(gluestick, model, frames, looked_at):
    counts = [
        len(gluestick.match_lines(model, *frames, threshold=i / 20).lines0) for i in range(20)
    ]
    assert len(looked_at) == 2
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[-1]


@torch.no_grad()
def test_what_is_remembered_is_bounded(gluestick, model, frames, looked_at):
    for max_lines in range(2, 7):
        gluestick.match_lines(model, *frames, max_lines=max_lines)
    assert len(looked_at) == 10
    matcher = gluestick._matcher(model)
    assert len(matcher._wireframes) <= 3
    assert gluestick._matcher(model) is matcher


def test_what_is_remembered_lies_in_main_memory(load, gluestick, model, frames, monkeypatch):
    module = load("fcvg_core.lines.matcher")
    matcher = gluestick._matcher(model).with_settings(device=META)
    moves = []
    monkeypatch.setattr(module, "_moved", lambda frame, device: moves.append(device) or frame)
    monkeypatch.setattr(type(matcher), "join_segments", lambda *args: "a wireframe")
    for _ in range(2):
        assert matcher.find_wireframe(frames[0][:, :, 0]) == "a wireframe"
    assert moves == [CPU, META, META]


def test_it_computes_where_the_host_wants(gluestick, model, monkeypatch):
    """Streamed weights lie in main memory, and are on the card only while they are used."""
    monkeypatch.setattr(model, "load_device", META)
    assert gluestick._matcher(model).device == META
