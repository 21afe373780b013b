"""What a run takes from its clips and from its folder, with stand-ins for both."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from fcvg_core.errors import UserError
from fcvg_core.training import assembly
from fcvg_core.training.config import Clips, TrainingSpec
from fcvg_core.training.data.item import Item
from fcvg_core.training.data.manifest import read_manifest
from fcvg_core.training.data.prepare import Prepared, PreparedClip
from fcvg_core.training.jobs import JOBS
from fcvg_core.training.loop import Place
from fcvg_core.training.record import RunRecord, describe_file, save_record

ON_CPU = Place(torch.device("cpu"), torch.float32)


@pytest.fixture
def spec(tmp_path) -> TrainingSpec:
    rows = [{"id": f"clip {number}", "video": "a.mp4"} for number in range(12)]
    manifest = tmp_path / "clips.jsonl"
    manifest.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return TrainingSpec(output=tmp_path / "run", data=Clips(manifest=manifest))


def prepare_only(spec, monkeypatch, usable) -> assembly.SplitClips:
    """The clips of a run if only some of them can be used."""

    def prepare(items: list[Item], *arguments, **named) -> Prepared:
        return Prepared([PreparedClip(x, Path(x.id), None, spec) for x in items if usable(x)])

    monkeypatch.setattr(assembly, "prepare", prepare)
    items = read_manifest(spec.data.manifest)
    opened = SimpleNamespace(spec=spec, job=None, tools=None, place=ON_CPU, items=items)
    return assembly.prepare_clips(opened)


class TestSplit:
    def test_clips_that_are_left_out_leave_some_for_validation(self, spec, monkeypatch):
        """Those that would have been kept for validation are the broken ones."""
        first = {clip.name for clip in prepare_only(spec, monkeypatch, lambda _: True).held_out}
        clips = prepare_only(spec, monkeypatch, lambda item: item.id not in first)
        assert first and len(clips.held_out) == 1
        assert len(clips.trained) == 12 - len(first) - 1

    def test_clips_that_are_left_out_leave_some_for_training(self, spec, monkeypatch):
        first = {clip.name for clip in prepare_only(spec, monkeypatch, lambda _: True).held_out}
        clips = prepare_only(spec, monkeypatch, lambda item: item.id in first)
        assert clips.trained and len(clips.trained) + len(clips.held_out) == len(first)

    def test_what_the_manifest_says_holds(self, spec, monkeypatch):
        """The only clip for training is broken."""
        rows = [{"id": f"{n}", "video": "a.mp4", "split": "held out"} for n in range(2)]
        rows.append({"id": "2", "video": "b.mp4", "split": "train"})
        spec.data.manifest.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
        assert len(read_manifest(spec.data.manifest)) == 3
        with pytest.raises(UserError, match="none is left to be trained on"):
            prepare_only(spec, monkeypatch, lambda item: item.id != "2")


class TestResume:
    @pytest.fixture
    def opened(self, spec, tmp_path) -> SimpleNamespace:
        """A run that began with a UNet and had SVD's own beside it."""
        weights = tmp_path / "unet.safetensors"
        weights.write_bytes(b"weights")
        own = tmp_path / "own.safetensors"
        own.write_bytes(b"SVD's")
        spec.output.mkdir()
        record = RunRecord(
            job=spec.job,
            family="svd",
            trained="control+vo",
            start="fcvg",
            model=tmp_path,
            unet=weights,
            controlnext=None,
            files=(describe_file(weights), describe_file(own)),
            clips=1,
            spec={},
        )
        save_record(spec.output, record)
        files = SimpleNamespace(svd=tmp_path, unet=weights, controlnext=None)
        base = SimpleNamespace(start="fcvg", files=files, weight_files=(weights, own))
        return SimpleNamespace(
            spec=spec, job=JOBS[spec.job], trained="control+vo", base=base, place=ON_CPU
        )

    def test_the_same_weights_may_lie_elsewhere(self, opened, tmp_path):
        first, own = opened.base.weight_files
        opened.base.weight_files = (first.rename(tmp_path / "moved.safetensors"), own)
        assembly.check_output(opened, resume=True)

    def test_other_weights_are_refused(self, opened):
        """Trained weights belong to the frozen ones beside them."""
        first, own = opened.base.weight_files
        opened.base.weight_files = (own, own)
        with pytest.raises(UserError, match="or this file has changed since"):
            assembly.check_output(opened, resume=True)
        opened.base.weight_files = (first, own)
        first.write_bytes(b"WEIGHTS")
        with pytest.raises(UserError, match="or this file has changed since"):
            assembly.check_output(opened, resume=True)
