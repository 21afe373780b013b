"""Clips of files -> clips of the cache: what is made, when it is made again, what is left out."""

import logging
from dataclasses import replace

import pytest
import torch
from encoding_cases import CPU, Opener, drawn_frames, make_encoders, open_pipeline
from encoding_cases import write_frames as write
from training_cases import generator
from videos import write_exactly

from fcvg_core.errors import UserError
from fcvg_core.training.config import Clips, Conditions, TrainingSpec
from fcvg_core.training.data.item import Item
from fcvg_core.training.data.prepare import Prepared, prepare
from fcvg_core.training.jobs import JOBS, Tools
from fcvg_core.training.jobs import inbetween as inbetween_job

COUNT = 4
JOB = JOBS["inbetween"]


@pytest.fixture(scope="module")
def pipeline():
    return open_pipeline(make_encoders())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Clips, one of each kind of source."""
    folder = tmp_path_factory.mktemp("clips")
    write(folder / "pictures", drawn_frames(COUNT + 1))
    write_exactly(folder / "video.mov", drawn_frames(COUNT, seed=1))
    return folder


@pytest.fixture
def tools(pipeline, tmp_path):
    model = tmp_path / "vae.safetensors"
    model.write_bytes(b"a model")
    return Tools(Opener(pipeline), (model,), roots=(), device=CPU)


@pytest.fixture
def spec(tmp_path):
    return TrainingSpec(
        output=tmp_path / "run",
        data=Clips(width=64, height=64, frames=COUNT, versions=2),
        conditions=Conditions(matcher="classic", people=False),
    )


def items_of(folder) -> list[Item]:
    return [
        Item(id="pictures", line=1, frames=folder / "pictures", weight=2.0),
        Item(id="video", line=2, video=folder / "video.mov"),
    ]


def files_of(prepared: Prepared) -> list[str]:
    return [clip.path.name for clip in prepared.clips]


@pytest.fixture
def cannot_read(monkeypatch):
    """Clips can't be read any more."""

    def refuse(*arguments, **options):
        raise AssertionError("a clip was decoded")

    return lambda: monkeypatch.setattr(inbetween_job, "read_clip", refuse)


def same(one, other) -> bool:
    return (
        torch.equal(one.latents, other.latents)
        and torch.equal(one.control, other.control)
        and all(
            torch.equal(a.latent, b.latent) and torch.equal(a.embedding, b.embedding)
            for a, b in zip(one.images, other.images, strict=True)
        )
    )


def test_the_second_time_nothing_is_decoded(folder, spec, tools, cannot_read):
    seen = []
    first = prepare(items_of(folder), spec, JOB, tools, progress=lambda *state: seen.append(state))
    assert seen == [("preparing", done, 2) for done in range(3)]
    assert [(clip.name, clip.weight) for clip in first.clips] == [("pictures", 2.0), ("video", 1.0)]
    assert tools.load_encoders.count == 1 and not first.faults
    cannot_read()
    again = prepare(items_of(folder), spec, JOB, tools)
    assert files_of(again) == files_of(first) and tools.load_encoders.count == 1
    for chance in (None, 3):
        one, other = (
            clip.clip(None if chance is None else generator(chance))
            for clip in (first.clips[0], again.clips[0])
        )
        assert same(one, other)


def test_a_damaged_file_is_made_again(folder, spec, tools, caplog):
    first = prepare(items_of(folder), spec, JOB, tools)
    before, path = first.clips[1].clip(None), first.clips[1].path
    path.write_bytes(path.read_bytes()[:-40])
    kept = first.clips[0].path.stat().st_mtime_ns
    again = prepare(items_of(folder), spec, JOB, tools)
    assert f"{path}, a file of the cache, is damaged: it is made again." in caplog.text
    assert files_of(again) == files_of(first) and same(again.clips[1].clip(None), before)
    assert first.clips[0].path.stat().st_mtime_ns == kept


def test_broken_clips_are_named_and_counted(folder, spec, tools, tmp_path, caplog):
    (tmp_path / "text.mp4").write_text("no video")
    (tmp_path / "matches.json").write_text("[]")
    black = write(tmp_path / "black", drawn_frames(COUNT) * 0)
    pictures, video = items_of(folder)
    items = [
        Item(id="gone", line=1, video=tmp_path / "gone.mp4"),
        replace(pictures, line=2),
        Item(id="text", line=3, video=tmp_path / "text.mp4"),
        Item(id="short", line=4, video=folder / "video.mov", start=1),
        Item(id="empty", line=5, frames=black),
        replace(pictures, id="wrong", line=6, matches=tmp_path / "matches.json"),
        replace(video, line=7),
    ]
    prepared = prepare(items, spec, JOB, tools)
    assert [clip.name for clip in prepared.clips] == ["pictures", "video"]
    found = {(fault.id, fault.line): fault.message for fault in prepared.faults}
    said = {
        ("gone", 1): "There is no file",
        ("text", 3): "text.mp4",
        ("short", 4): f"only 3 of {COUNT} frames",
        ("empty", 5): "nothing would steer this clip",
        ("wrong", 6): "matches.json",
    }
    assert found.keys() == said.keys()
    assert all(words in found[key] for key, words in said.items())
    assert "The clip short is left out" in caplog.text
    assert len(list((spec.output / "cache").iterdir())) == 2


def test_no_clip_is_left(spec, tools, tmp_path):
    items = [Item(id=f"clip{i}", line=i, video=tmp_path / f"{i}.mp4") for i in range(5)]
    with pytest.raises(UserError, match=r"(?s)None of the 5 clips.*clip2 \(line 2\).*and 2 more"):
        prepare(items, spec, JOB, tools)
    assert not spec.output.exists()


def test_a_missing_model_is_no_fault_of_a_clip(folder, spec, tools):
    def refuse():
        raise UserError("no VAE")

    with pytest.raises(UserError, match=r"^no VAE$"):
        prepare(items_of(folder), spec, JOB, replace(tools, load_encoders=refuse))


def test_a_cache_that_is_no_folder(folder, spec, tools, tmp_path):
    data = replace(spec.data, cache=tmp_path / "vae.safetensors")
    with pytest.raises(UserError, match="vae.safetensors already exists"):
        prepare(items_of(folder), replace(spec, data=data), JOB, tools)


def test_a_full_disk_is_no_fault_of_a_clip(folder, spec, tools, full_disk):
    with pytest.raises(UserError, match="is full"):
        prepare(items_of(folder), spec, JOB, tools)
    assert len(list((spec.output / "cache").iterdir())) == 1  # the clip that there was room for


def test_a_file_that_is_gone_when_a_step_needs_it(folder, spec, tools):
    clip, _ = prepare(items_of(folder), spec, JOB, tools).clips
    clip.path.unlink()
    with pytest.raises(UserError, match=r"a file of the cache, is missing.*start again"):
        clip.clip(None)


class Made(Exception):  # noqa: N818
    """A clip would be made."""


class TestKey:
    """What is made again if it changes, and what is not."""

    @pytest.fixture
    def is_known(self, folder, spec, tools, tmp_path):
        """Whether the first clip, or a changed one, is in the cache after it was made."""
        spec = replace(spec, data=replace(spec.data, cache=tmp_path / "shared"))
        item = items_of(folder)[0]
        made = prepare([item], spec, JOB, tools)

        def refuse():
            raise Made

        def ask(item=item, spec=spec, tools=tools) -> bool:
            try:
                found = prepare([item], spec, JOB, replace(tools, load_encoders=refuse))
            except Made:
                return False
            return files_of(found) == files_of(made)

        ask.item, ask.spec, ask.tools = item, spec, tools
        return ask

    def test_what_is_found_and_encoded(self, is_known, tmp_path):
        item, spec = is_known.item, is_known.spec
        assert is_known()
        changed = write(tmp_path / "changed", drawn_frames(COUNT + 1, seed=2))
        model = tmp_path / "other.safetensors"
        model.write_bytes(b"another")
        data = (
            {"width": 128},
            {"fit": "stretch"},
            {"frames": 5},
            {"versions": 3},
            {"augmentation": 0.1},
        )
        assert not any(
            [
                is_known(replace(item, start=1)),
                is_known(replace(item, frames=changed)),
                is_known(replace(item, matches=model)),
                is_known(tools=replace(is_known.tools, encoder_files=(model,))),
                *(is_known(spec=replace(spec, data=replace(spec.data, **each))) for each in data),
                *(
                    is_known(spec=replace(spec, conditions=replace(spec.conditions, **each)))
                    for each in ({"max_lines": 9}, {"true_share": 0.5})
                ),
            ]
        )

    def test_what_is_drawn_at_a_step(self, is_known, tmp_path):
        """And another place of the same files."""
        item, spec = is_known.item, is_known.spec
        same = write(tmp_path / "same", drawn_frames(COUNT + 1))
        assert is_known(replace(item, id="other", line=9, weight=3.0, frames=same))
        drawn = replace(spec.conditions, jitter=3.0, dropped=0.4, line_width=2, true_every=2)
        data = replace(spec.data, fps=12, motion_bucket_id=20, held_out=0.5)
        assert is_known(spec=replace(spec, conditions=drawn, data=data, output=tmp_path / "b"))


def test_the_log_says_nothing_if_all_is_well(folder, spec, tools, caplog):
    with caplog.at_level(logging.WARNING):
        prepare(items_of(folder)[:1], spec, JOB, tools)
    assert not caplog.records
