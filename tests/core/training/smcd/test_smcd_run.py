"""Runs of smcd-train: checkpoints in the official layout, and how a run goes on."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from smcd_stand_ins import smcd_weights

from fcvg_core.errors import UserError
from fcvg_core.files.weight_files import read_pickle
from fcvg_core.models.smcd.rules import FILE_NAMES, NETWORKS
from fcvg_core.standalone.networks.smcd import SmcdFiles, check_smcd
from fcvg_core.training.smcd.layout import open_resumed
from fcvg_core.training.trained_sets import SMCD, find_trained_set

FILES = dict(zip(NETWORKS, FILE_NAMES[0], strict=True))
TWICE = ("--steps", "2", "--every", "1", "--drop-picture", "--log-every", "1")


def tensors(folder: Path) -> dict[str, torch.Tensor]:
    """All tensors of a checkpoint."""
    found = {part: read_pickle(folder / name) for part, name in FILES.items()}
    return {f"{part}.{key}": x for part, table in found.items() for key, x in table.items()}


def same(one: Path, other: Path) -> bool:
    found = [tensors(folder) for folder in (one, other)]
    states = [json.loads((folder / "state.json").read_text()) for folder in (one, other)]
    moments = [(folder / "optimizer.safetensors").read_bytes() for folder in (one, other)]
    return (
        found[0].keys() == found[1].keys()
        and all(torch.equal(x, found[1][key]) for key, x in found[0].items())
        and moments[0] == moments[1]
        and states[0]["step"] == states[1]["step"]
    )


@pytest.fixture(scope="module")
def trained(places, tmp_path_factory) -> Path:
    """A run of two steps from a first stage, with a checkpoint after each."""
    folder = tmp_path_factory.mktemp("trained")
    places.train(folder, "--tune-from", str(places.first_stage), *TWICE)
    return folder


@pytest.fixture
def copied(trained, tmp_path) -> Path:
    """The run after its first checkpoint."""
    folder = shutil.copytree(trained, tmp_path / "run")
    shutil.rmtree(folder / "checkpoint-2")
    return folder


def test_checkpoints_are_models(trained, places):
    """The official names and files; the stage's list has changed, and nothing else has."""
    found = tensors(trained / "checkpoint-2")
    names = {f"{part}.{key}" for part, table in smcd_weights(2).items() for key in table}
    assert {key for key in found if not key.startswith("visual_encoder")} == {
        key for key in names if not key.startswith("visual_encoder")
    }
    before = {f"{p}.{k}": x for p, table in smcd_weights(1).items() for k, x in table.items()}
    holds = find_trained_set(SMCD, "picture").holds
    frozen = {key for key in before if not holds(key)}
    assert frozen and all(torch.equal(found[key], before[key]) for key in frozen)
    earlier = tensors(trained / "checkpoint-1")
    assert {key for key in found if not torch.equal(found[key], earlier[key])} <= set(
        filter(holds, found)
    )
    assert not torch.equal(
        found["unet.input_blocks.0.0.bias"], before["unet.input_blocks.0.0.bias"]
    )
    files = SmcdFiles(
        ckpt=trained / "checkpoint-2",
        modelscope=places.modelscope,
        tokenizer=places.tokenizer,
    )
    check_smcd(files, torch.float32, [])


def test_what_else_a_run_writes(trained):
    options = json.loads((trained / "options.json").read_text())
    assert options["steps"] == 2 and options["datasets"] == ["got10k", "youvis"]
    lines = [json.loads(line) for line in (trained / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2]
    assert lines[0]["lr"] == {"unet": 5e-5, "visual_encoder": 5e-5}


class TestResume:
    def test_equals_the_run_that_never_ended(self, copied, trained, places):
        places.train(copied, "--resume", "latest", *TWICE)
        assert same(copied / "checkpoint-2", trained / "checkpoint-2")

    def test_into_another_folder(self, tmp_path, trained, places):
        places.train(tmp_path, "--resume_from_checkpoint", str(trained / "checkpoint-1"), *TWICE)
        assert same(tmp_path / "checkpoint-2", trained / "checkpoint-2")

    def test_a_checkpoint_of_accelerate(self, copied, trained, places):
        """The official optimiser numbers all parameters, trained or not, network by network."""
        folder = copied / "checkpoint-1"
        write_accelerate(folder)
        places.train(copied, "--resume", "checkpoint-1", *TWICE)
        assert same(copied / "checkpoint-2", trained / "checkpoint-2")

    def test_an_optimiser_of_other_networks(self, copied):
        folder = copied / "checkpoint-1"
        write_accelerate(folder, drop=1)
        with pytest.raises(UserError, match="parameters, but the networks beside it have"):
            open_resumed("latest", copied).optimizer()
        (folder / "optimizer.bin").unlink()
        with pytest.raises(UserError, match=r"no optimizer.bin.*--tune-from"):
            open_resumed("latest", copied).optimizer()

    def test_unknown_and_later_checkpoints(self, trained, tmp_path):
        with pytest.raises(
            UserError, match="no checkpoint checkpoint-7.*There is: checkpoint-2, checkpoint-1"
        ):
            open_resumed("checkpoint-7", trained)
        with pytest.raises(UserError, match="holds checkpoint-2, which is later than checkpoint-1"):
            open_resumed("checkpoint-1", trained)
        with pytest.raises(UserError, match="no checkpoint in .*Begin with --tune-from"):
            open_resumed("latest", tmp_path)

    def test_a_damaged_checkpoint(self, copied, caplog):
        path = copied / "checkpoint-1/pytorch_model.bin"
        path.write_bytes(path.read_bytes()[:-1])
        with pytest.raises(UserError, match="None of the 1 checkpoints"):
            open_resumed("latest", copied)
        assert "pytorch_model.bin has" in caplog.text


def write_accelerate(folder: Path, drop: int = 0) -> None:
    """Turn a checkpoint into one of the official program, with the state of its optimiser."""
    from safetensors.torch import load_file

    moments = load_file(folder / "optimizer.safetensors")
    names = [
        f"{part}.{key}"
        for part in (NETWORKS[0], NETWORKS[2], NETWORKS[1])
        for key in read_pickle(folder / FILES[part])
    ]
    state = {
        number: {kind: moments[f"{kind}/{name}"] for kind in ("step", "exp_avg", "exp_avg_sq")}
        for number, name in enumerate(names)
        if f"exp_avg/{name}" in moments
    }
    groups = [{"lr": 5e-5, "params": list(range(len(names) - drop))}]
    torch.save({"state": state, "param_groups": groups}, folder / "optimizer.bin")
    (folder / "random_states_0.pkl").write_bytes(b"a pickle that is never read")
    for name in ("state.json", "optimizer.safetensors"):
        (folder / name).unlink()
