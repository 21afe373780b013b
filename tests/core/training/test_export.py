"""What a run has learned, as files: their tensors, names and metadata, and what refuses them."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from export_cases import make_run, open_network, save_checkpoint, tensors
from safetensors import safe_open
from safetensors.torch import save_file
from training_cases import make_clip, random

from fcvg_core.catalogue.stand_ins import is_stand_in
from fcvg_core.errors import UserError
from fcvg_core.training.export import export_run
from fcvg_core.training.record import RECORD
from fcvg_core.training.steps import Pass

OWN = "diffusion_pytorch_model.safetensors"


@pytest.fixture(scope="module")
def svd(stand_ins) -> Path:
    return stand_ins / "svd"


@pytest.fixture(scope="module")
def tuned(svd, tmp_path_factory) -> Path:
    """A whole UNet that differs from SVD's own in its residual blocks, as FCVG's may."""
    weights = tensors(svd / "unet" / OWN)
    tuned = {name: value + 0.1 if ".resnets." in name else value for name, value in weights.items()}
    path = tmp_path_factory.mktemp("tuned") / "unet.safetensors"
    save_file(tuned, path)
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory, svd, tuned, stand_ins):
    """A run from `tuned`, and the network that it came to. Not to be written to."""
    folder = tmp_path_factory.mktemp("run") / "run"
    return folder, make_run(folder, svd, tuned, stand_ins / "controlnext.safetensors")


@pytest.fixture
def copy(run, tmp_path) -> Path:
    return Path(shutil.copytree(run[0], tmp_path / "run"))


def predict(network) -> torch.Tensor:
    for parameter in network.parameters():
        # Mapped from a file it lies elsewhere in memory, where kernels round in other ways.
        parameter.data = parameter.data.clone()
    clip = make_clip()
    noise = random(9, *clip.latents.shape)
    with torch.no_grad():
        return network([Pass(clip, torch.tensor(2.0, dtype=torch.float64), noise)])


def changed_record(folder: Path, **changes) -> Path:
    """The folder of a run whose training.json has other values."""
    path = folder / RECORD
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    return folder


def test_it_paints_as_training_did(run, svd, tmp_path):
    folder, network = run
    unet, controlnext = export_run(folder, tmp_path, ema=False, half=False)
    assert [x.path.name for x in (unet, controlnext)] == [
        "unet.safetensors",
        "controlnext.safetensors",
    ]
    names = tensors(unet.path)
    assert all(".to_v." in x or ".to_out." in x or ".resnets." in x for x in names)
    assert len(names) == unet.tensors < len(network.unet.state_dict()) and not unet.whole
    exported = open_network(svd, unet.path, controlnext.path)
    assert torch.equal(predict(exported), predict(network))


def test_a_run_from_svd_gives_what_it_trained(svd, tmp_path):
    """A parameter that never got a gradient is where it was, and the file lacks it."""
    network = make_run(tmp_path, svd, None, None, trained="temporal-vo", still=("mid_block",))
    (unet,) = export_run(tmp_path, ema=False, half=False)
    assert unet.path == tmp_path / "export" / "unet.safetensors"
    names = tensors(unet.path)
    assert names and all("temporal" in x and "mid_block" not in x for x in names)
    assert torch.equal(predict(open_network(svd, unet.path, None)), predict(network))


def test_averages_in_half_precision(run, svd, tmp_path):
    folder, network = run
    unet, controlnext = export_run(folder, tmp_path)
    name = "mid_convs.1.bias"
    found = tensors(controlnext.path)[name]
    last = network.controlnext.state_dict()[name]
    start = tensors(json_of(folder)["controlnext"])[name]
    assert torch.equal(found, torch.lerp(start, last, 0.5).half().float())
    with safe_open(unet.path, "pt") as opened:
        assert {opened.get_tensor(key).dtype for key in opened.keys()} == {torch.float16}  # noqa: SIM118


def json_of(folder: Path) -> dict:
    table = json.loads((folder / RECORD).read_text())
    return {key: Path(value) if key == "controlnext" else value for key, value in table.items()}


def test_whole_unet(run, svd, tmp_path):
    """It needs no weights of SVD's UNet beneath it."""
    folder, network = run
    unet, controlnext = export_run(folder, tmp_path, ema=False, half=False, whole=True)
    bare = Path(shutil.copytree(svd, tmp_path / "svd"))
    (bare / "unet" / OWN).unlink()
    assert unet.whole and unet.tensors == len(network.unet.state_dict())
    exported = open_network(bare, unet.path, controlnext.path)
    assert torch.equal(predict(exported), predict(network))


def test_metadata(run, tmp_path):
    folder, _ = run
    unet, controlnext = export_run(folder, tmp_path)
    with safe_open(unet.path, "pt") as opened:
        found = opened.metadata()
    assert found["base"].startswith("SVD-XT-1.1") and found["start"] == "fcvg"
    assert found["start_sha256"] == json_of(folder)["files"][0]["sha256"]
    assert "made from SVD's" in found["licence"] and "clips" in found["licence"]
    recipe = json.loads(found["recipe"])
    assert (recipe["steps"], recipe["trained"], recipe["clips"]) == (4, "control+vo", 7)
    assert recipe["training"]["unet_rate"] == 1e-6 and "manifest" not in recipe["data"]
    assert str(tmp_path.parent) not in json.dumps(found)  # no path of this disk
    with safe_open(controlnext.path, "pt") as opened:
        assert opened.metadata()["base"] == "none: it is whole"
    assert is_stand_in(controlnext.path)  # it began with one


def test_a_controlnext_from_nothing(run, svd, stand_ins, tmp_path):
    """All its tensors come from the checkpoint."""
    start = stand_ins / "controlnext.safetensors"
    network = make_run(tmp_path, svd, None, start, trained="control")
    changed_record(tmp_path, controlnext=None, start="svd")
    (written,) = export_run(tmp_path, ema=False, half=False)
    assert tensors(written.path).keys() == network.controlnext.state_dict().keys()
    with safe_open(written.path, "pt") as opened:
        assert opened.metadata()["start"] == "random values"


def test_a_checkpoint_can_be_chosen(copy, tmp_path):
    newest = save_checkpoint(
        copy, 8, {"controlnext.time_embedding.linear_1.bias": torch.ones(2)}, None
    )
    with pytest.raises(UserError, match="the ControlNeXt of this run .*does not fit"):
        export_run(newest)
    unet, _ = export_run(newest.with_name("step-000004"))
    assert unet.path.parent == copy / "export"  # not in the checkpoint, which goes away


def test_nothing_is_overwritten(run, tmp_path):
    (tmp_path / "controlnext.safetensors").write_bytes(b"mine")
    with pytest.raises(UserError, match="controlnext.safetensors exists already, and nothing is"):
        export_run(run[0], tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["controlnext.safetensors"]


def test_all_files_or_none(copy, tmp_path):
    """ControlNeXt, the second file, has a number that float16 can't hold."""
    checkpoint = copy / "checkpoints" / "step-000004" / "trained.safetensors"
    trained = tensors(checkpoint)
    trained["controlnext.mid_convs.1.bias"][0] = 1e6
    save_file(trained, checkpoint)
    with pytest.raises(UserError, match="mid_convs.1.bias holds NaN.*--dtype fp32"):
        export_run(copy, tmp_path / "new", ema=False)
    assert not (tmp_path / "new").exists()
    assert len(export_run(copy, tmp_path / "new", ema=False, half=False)) == 2


class TestBadInput:
    def test_nothing_was_learned(self, svd, tmp_path):
        make_run(tmp_path, svd, None, None, trained="temporal-vo", still=("unet",))
        with pytest.raises(UserError, match="Step 4 of .* differs from SVD in no tensor"):
            export_run(tmp_path)
        assert not (tmp_path / "export").exists()

    def test_no_run(self, tmp_path):
        with pytest.raises(UserError, match="There is no checkpoint in .*checkpoints"):
            export_run(tmp_path)

    def test_no_record(self, copy):
        (copy / RECORD).unlink()
        with pytest.raises(UserError, match="is no run of training: it has no training.json"):
            export_run(copy)

    def test_another_version(self, copy):
        with pytest.raises(UserError, match="has the version 9, but this program reads version 1"):
            export_run(changed_record(copy, version=9))

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"trained": 3}, "trained is 3, but a text"),
            ({"model": None}, "model is None, but the path"),
            ({"unet": 5}, "unet is 5, but a path"),
            ({"files": [{"path": 1}]}, "path and sha256 of a file"),
            ({"files": 7}, "files is 7"),
            ({"spec": []}, "spec is no table"),
        ],
    )
    def test_a_changed_record(self, copy, changes, words):
        with pytest.raises(UserError, match=f"training.json was changed: .*{words}"):
            export_run(changed_record(copy, **changes))

    def test_the_start_has_changed(self, copy, tuned, tmp_path):
        other = Path(shutil.copy(tuned, tmp_path / "other.safetensors"))
        files = json_of(copy)["files"]
        files[0]["path"] = str(other)
        changed_record(copy, unet=str(other), files=files)
        assert export_run(copy, tmp_path / "one")
        save_file({**tensors(other), "conv_in.bias": torch.zeros(64)}, other)
        with pytest.raises(UserError, match="other.safetensors has changed since training began"):
            export_run(copy, tmp_path / "two")

    def test_svds_own_unet_is_missing(self, copy, svd, tmp_path):
        bare = Path(shutil.copytree(svd, tmp_path / "svd"))
        (bare / "unet" / OWN).unlink()
        changed_record(copy, model=str(bare))
        with pytest.raises(
            UserError, match="--only svd-unet.*or write the whole UNet with --whole"
        ):
            export_run(copy)
        assert export_run(copy, whole=True)
        with pytest.raises(UserError, match=r"--only svd-unet\)\.$"):
            export_run(changed_record(copy, unet=None), tmp_path / "new", whole=True)

    def test_a_base_of_other_sizes(self, copy, svd, tmp_path):
        other = Path(shutil.copytree(svd, tmp_path / "svd"))
        save_file({"conv_in.bias": torch.zeros(64)}, other / "unet" / OWN)
        with pytest.raises(UserError, match="has not the tensors that were trained: down_blocks"):
            export_run(changed_record(copy, model=str(other), unet=None))
