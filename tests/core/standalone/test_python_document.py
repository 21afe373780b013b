"""The code of docs/python.md, run word by word on stand-in models; with fewer pixels and steps."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from clip_cases import use_fake_models
from droplet_fakes import use_fake_droplet
from PIL import Image
from smcd_fakes import use_fake_smcd

from fcvg_core.standalone import spec as specs
from fcvg_core.standalone.demo.scene import draw_sample_pair
from fcvg_core.standalone.media.writing import write_video
from fcvg_core.standalone.spec import InbetweenSpec, Sampling

TEXT = (Path(__file__).parents[3] / "docs" / "python.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
SMALLER = {"height=320, width=512": "height=64, width=128", "height=768, width=512": "height=64, "
           "width=64", "frames=13": "frames=3"}  # fmt: skip


@pytest.fixture
def folder(tmp_path, stand_ins, own_golden, monkeypatch) -> Path:
    """The files that the document names, and all models."""
    for name, frame in zip(("first", "last"), draw_sample_pair((96, 160)), strict=True):
        Image.fromarray(frame).save(tmp_path / f"{name}.png")
    rough = np.random.RandomState(0).randint(0, 256, (17, 90, 160, 3)).astype(np.uint8)
    write_video(tmp_path / "dance.mp4", rough, 30)
    Image.fromarray(rough[0]).save(tmp_path / "person.png")
    models = tmp_path / "models"
    (models / "controlnext-svd").mkdir(parents=True)
    for name in ("svd", "unet.safetensors", "controlnext.safetensors"):
        (models / name).symlink_to(stand_ins / name)
    for name, target in (
        ("controlnext-svd/unet.safetensors", stand_ins / "unet.safetensors"),
        ("controlnext-svd/controlnet.safetensors", stand_ins / "controlnext.safetensors"),
        ("yolox_l.onnx", own_golden / "dwpose" / "det_one.onnx"),
        ("dw-ll_ucoco_384.onnx", own_golden / "dwpose" / "pose_a.onnx"),
    ):
        (models / name).symlink_to(target)
    monkeypatch.setenv("FCVG_MODELS", str(models))
    settings = Sampling.settings
    monkeypatch.setattr(Sampling, "settings", lambda *a, **b: replace(settings(*a, **b), steps=1))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def smaller(code: str) -> str:
    for text, other in SMALLER.items():
        code = code.replace(text, other)
    return code


def test_every_block_runs(folder, monkeypatch) -> None:
    names: dict = {}
    fake = use_fake_models(monkeypatch, folder / "models")
    droplet = use_fake_droplet(monkeypatch, folder / "models")
    smcd = use_fake_smcd(monkeypatch, folder / "models")
    shapes = []
    for block in BLOCKS:
        code = compile(smaller(block), "docs/python.md", "exec")
        exec(code, names)  # noqa: S102 (our own document)
        shapes.append(getattr(names.get("video"), "shape", None))
    assert shapes[0] == shapes[2] == (3, 64, 128, 3) and names["video"].dtype == np.uint8
    assert names["video"].shape == (9, 64, 64, 3)
    assert all((folder / f"take{seed}.mp4").stat().st_size > 1000 for seed in range(3))
    assert [asked.request.prompt for asked in fake.clips] == [
        "a boat leaves the harbour",
        "it leaves",
        "it comes back",
        "a boat leaves",
        "it comes back",
    ]
    assert names["clip"].shape == (31, 320, 512, 3)
    assert names["moving"].shape == (85, 384, 672, 3)
    assert [request.fps for request, _, _ in droplet.videos] == [4, 32]
    assert names["walk"].shape == names["shown"].shape == (8, 256, 256, 3)
    ((request, _, seed),) = smcd.videos
    assert (request.tracks.labels, request.tracks.num_frames, seed) == (["dog"], 8, 1)
    assert names["control"].any() and names["preview"].shape == (3, 64, 128, 3)


def test_ten_lines() -> None:
    code = [line for line in BLOCKS[0].splitlines() if line and "import" not in line]
    assert len(BLOCKS[0].splitlines()) <= 12 and len(code) <= 6
    assert all(text in "".join(BLOCKS) for text in SMALLER)


def test_table_of_parts() -> None:
    """Every part and nearly every setting of a spec is named, and no other."""
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \| (.*?) \|$", TEXT, re.MULTILINE)
    spec = InbetweenSpec()
    parts = {name for name, value in vars(spec).items() if isinstance(value, specs.part.Part)}
    assert {name for name, _, _ in rows} == parts
    for name, kind, words in rows:
        part = getattr(spec, name)
        assert type(part) is getattr(specs, kind)
        named = set(re.findall(r"\w+", words.split(":")[0].replace("and more", "")))
        assert named <= vars(part).keys(), named - vars(part).keys()
        assert named == vars(part).keys() or "and more" in words
