"""Stories, folders of prompts and configuration files, whatever is in them."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mutation import as_json, changed, damaged, json_values, read_or_refuse

from fcvg_core.errors import UserError
from fcvg_core.standalone.media.official_config import read_model_config
from fcvg_core.standalone.media.prompt_folder import read_prompt_folder
from fcvg_core.standalone.spec import Shot
from fcvg_core.standalone.story import read_story

KEYS = ["shots", "prompt", "picture", "last", "frames", "fs", "seed", "negative_prompt"]
STORY = {"shots": [{"prompt": "a", "picture": "a.png", "fs": 5}, {"last": "b.png", "seed": 7}]}
CONFIG = b"model:\n  params:\n    base_scale: 0.7\n    parameterization: 'v'\n    a: [1, {b: c}]\n"


@pytest.fixture(autouse=True)
def no_warnings_in_the_log():
    """Readers tell what they leave out, hundreds of times here."""
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


def check_story(path: Path, content: bytes) -> None:
    shots = read_or_refuse(path, content, read_story)
    assert shots is None or (shots and all(type(shot) is Shot for shot in shots))


@given(data=st.data())
def test_changed_stories(tmp_path, data) -> None:
    check_story(tmp_path / "x.json", as_json(data.draw, data.draw(changed(STORY))))


@given(data=st.data())
def test_other_stories(tmp_path, data) -> None:
    shots: Any = {"shots": data.draw(st.lists(json_values(KEYS), max_size=3))}
    check_story(tmp_path / "x.json", as_json(data.draw, shots))


@given(data=st.data())
def test_damaged_stories(tmp_path, data) -> None:
    check_story(tmp_path / "x.json", data.draw(damaged(json.dumps(STORY).encode())))


@given(st.one_of(damaged(CONFIG), st.binary(max_size=60), st.text(max_size=60).map(str.encode)))
def test_configs(tmp_path, content) -> None:
    params = read_or_refuse(tmp_path / "x.yaml", content, read_model_config)
    assert params is None or isinstance(params, dict)


@given(st.one_of(st.binary(max_size=60), st.text("a \r\n\x0b\u2028", max_size=30).map(str.encode)))
def test_prompts(tmp_path, content) -> None:
    (tmp_path / "x.txt").write_bytes(content)
    for i in range(4):
        (tmp_path / f"{i}.png").write_bytes(b"")
    try:
        tasks = read_prompt_folder(tmp_path, in_pairs=False)
    except UserError as error:
        assert str(tmp_path) in str(error) and len(str(error)) < 1000
    else:
        assert tasks and all(task.prompt == task.prompt.strip() != "" for task in tasks)
        assert len({task.name for task in tasks}) == len(tasks)
