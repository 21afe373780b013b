"""A family from outside: a line in the lists of families and of commands is all that it needs."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import save_file
from toy_family.catalogue import NETWORK, TOY
from toy_family.command import ToySpec
from toy_family.network import weights

from fcvg_core.catalogue import families
from fcvg_core.errors import UserError
from fcvg_core.files.claim import claim_folder
from fcvg_core.standalone.cli.commands import COMMANDS, load_command
from fcvg_core.standalone.cli.main import main
from fcvg_core.standalone.work import UnusableModels, Work


@pytest.fixture(autouse=True)
def toy(monkeypatch, tmp_path: Path) -> Path:
    """The family's two lines, and an empty folder of models."""
    monkeypatch.setenv("FCVG_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("COMFYUI_PATH", str(tmp_path / "no-comfyui"))
    monkeypatch.setattr(families, "FAMILIES", [*families.FAMILIES, TOY])
    monkeypatch.setitem(COMMANDS, "brighten", "toy_family.command")
    (tmp_path / "models").mkdir()
    return tmp_path


def put_network(folder: Path) -> None:
    save_file(weights(2.0), folder / "models" / "toy.safetensors")


def test_the_command_paints(toy, capsys):
    Image.new("RGB", (8, 4), (10, 100, 200)).save(toy / "a.png")
    put_network(toy)
    assert main(["brighten", str(toy / "a.png"), "-o", str(toy / "out")]) == 0
    assert capsys.readouterr().out.strip() == str(toy / "out" / "picture.png")
    painted = np.asarray(Image.open(toy / "out" / "picture.png"))
    assert painted.shape == (4, 8, 3) and (painted == (20, 200, 255)).all()


def test_a_missing_network_is_named(toy, capsys):
    Image.new("RGB", (8, 4)).save(toy / "a.png")
    assert main(["brighten", str(toy / "a.png"), "-o", str(toy / "out")]) == 2
    assert "The toy's network is missing" in capsys.readouterr().err
    assert not (toy / "out").exists()
    assert main(["models", "--mode", "brighten"]) == 0
    assert "MISSING the toy's network" in capsys.readouterr().out
    put_network(toy)
    assert main(["models", "--mode", "brighten"]) == 0
    assert "found   the toy's network" in capsys.readouterr().out
    assert NETWORK.find([("folder", toy / "models")])


def test_batch_can_do_its_jobs(toy):
    """A worker needs the module alone; the network of the first job stays for the second."""
    put_network(toy)
    module, network = load_command("brighten"), None
    for name, grey in (("a", 10), ("b", 20)):
        Image.new("RGB", (8, 4), (grey, grey, grey)).save(toy / f"{name}.png")
        work = module.WORK(module.SPEC.from_json({"picture": str(toy / f"{name}.png")}))
        work.check()
        before, network = network, work.open(network)
        assert before is None or network is before
        with claim_folder(toy / name) as claim:
            work.finish(network, work.prepare(work.open_preparer()), claim)
        assert np.asarray(Image.open(toy / name / "picture.png")).max() == 2 * grey
    assert issubclass(module.WORK, Work) and module.WORK.command == "brighten"
    with pytest.raises(UnusableModels, match="The toy's network is missing"):
        (toy / "models" / "toy.safetensors").unlink()
        work.open()


def test_help_and_wrong_options(capsys):
    for arguments, said in (
        (["--help"], "make a picture brighter"),
        (["brighten", "--help"], "brighten picture.png -o result"),
    ):
        with pytest.raises(SystemExit) as stop:
            main(arguments)
        assert stop.value.code == 0 and said in capsys.readouterr().out
    with pytest.raises(SystemExit) as stop:
        main(["brighten", "a.png", "--devise", "cpu"])
    assert stop.value.code == 2 and "perhaps --device" in capsys.readouterr().err


def test_its_job_goes_through_json():
    spec = ToySpec(picture="a.png", output="x")
    assert ToySpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec
    with pytest.raises(UserError, match="There is no option 'steps'"):
        ToySpec.from_json({**spec.to_json(), "steps": 3})


def test_no_file_of_the_product_knows_it():
    product = Path(families.__file__).parents[2]
    words = [word for folder in ("fcvg_core", "nodes") for word in (product / folder).rglob("*.py")]
    assert len(words) > 100
    assert not [path for path in words if "brighten" in path.read_text("utf-8").lower()]


def test_help_stays_quick():
    """The toy's command loads torch when it runs, as those of the product do."""
    code = (
        "import sys; from fcvg_core.standalone.cli.commands import COMMANDS, load_command\n"
        "COMMANDS['brighten'] = 'toy_family.command'\n"
        "load_command('brighten'); print('torch' in sys.modules)"
    )
    paths = [str(Path(__file__).parent), str(Path(families.__file__).parents[2])]
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.path[:0] = {paths!r}\n{code}"],
        capture_output=True,
        text=True,
    )
    assert done.stdout.strip() == "False", done.stderr
