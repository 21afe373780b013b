"""A real ComfyUI for the tests of its face: imported for parts, started for whole graphs.

`tests/run.py` runs this folder once for every ComfyUI it finds; $COMFYUI_PATH names it.
"""

import asyncio
import importlib.util
import json
import os
import shutil
import sys
from pathlib import Path

import pytest
import torch
from comfy_server import ComfyServer
from dropletvideo_stand_ins import write_droplet
from dynamicrafter_stand_ins import write_for_workflows
from editor import CLASSIC, NODES_2, Editor, has_nodes_2, open_browser
from golden_cases import fill
from hosts import ROOT
from smcd_stand_ins import write_modelscope, write_smcd
from stand_ins import levels, write_stand_ins, write_unet
from taesdv_cases import write_taesdv
from wan_stand_ins import write_wan


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items) -> None:
    """Mark what the shared server is started for, so that such tests are one suite."""
    for item in items:
        if "server" in getattr(item, "fixturenames", ()):
            item.add_marker("server")


@pytest.fixture(scope="session")
def host(tmp_path_factory) -> Path:
    """ComfyUI's folder, importable: before this pack's own, which has a `nodes` as well."""
    named = os.environ.get("COMFYUI_PATH")
    if not named:
        pytest.skip("needs ComfyUI: set COMFYUI_PATH")
    sys.path.insert(0, named)
    import comfy.cli_args

    comfy.cli_args.args.cpu = True
    import folder_paths

    folder_paths.set_temp_directory(str(tmp_path_factory.mktemp("temp")))  # for previews
    return Path(named)


@pytest.fixture(scope="session")
def pack(host):
    """The pack as the host loads it: by its path, under a name that is no package's."""
    name = "custom_nodes_x_fcvg"
    spec = importlib.util.spec_from_file_location(
        name, ROOT / "__init__.py", submodule_search_locations=[str(ROOT)]
    )
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    module.extension = asyncio.run(module.comfy_entrypoint())
    return module


@pytest.fixture(scope="session")
def load(pack):
    """Import a module of the pack: load("nodes.host.guider")."""
    return lambda name: importlib.import_module(f"{pack.__name__}.{name}")


@pytest.fixture(scope="session")
def node_classes(pack) -> dict:
    """Every node by its id."""
    classes = asyncio.run(pack.extension.get_node_list())
    return {node.define_schema().node_id: node for node in classes}


@pytest.fixture(scope="session")
def stand_ins(tmp_path_factory) -> Path:
    """A folder of tiny models in the official layouts."""
    folder = tmp_path_factory.mktemp("stand-ins")
    write_stand_ins(folder / "models")
    return folder / "models"


@pytest.fixture(scope="session")
def load_controlnext(load):
    """The loader of ControlNeXt files."""
    return load("nodes.host.controlnext.loading").load_controlnext


@pytest.fixture(scope="session")
def shallow_unet(tmp_path_factory) -> Path:
    """The file of a UNet with two of SVD's four levels.

    What guiders do is the same at every depth, and a step takes half as long.
    """
    path = tmp_path_factory.mktemp("two-levels") / "unet.safetensors"
    write_unet(path, levels(2))
    return path


@pytest.fixture(scope="session")
def tiny_models(load, load_controlnext, stand_ins, shallow_unet) -> tuple:
    """MODEL and ControlNeXt of small stand-ins, as the pack's loaders give them."""
    loading = load("nodes.host.svd.loading")
    return (
        loading.load_unet(str(shallow_unet), None, "default"),
        load_controlnext(str(stand_ins / "controlnext.safetensors")),
    )


@pytest.fixture(scope="session")
def gluestick_files(stand_ins, own_golden) -> tuple[Path, Path]:
    """GlueStick's two files in the official layouts, full size, beside the stand-ins."""
    names = json.loads((own_golden / "gluestick" / "keys.json").read_text(encoding="utf-8"))
    paths = stand_ins / "checkpoint_GlueStick_MD.tar", stand_ins / "superpoint_v1.pth"
    weights = fill({k: tuple(v) for k, v in names["gluestick"].items()}, {})
    nested = {f"matcher.module.{key}": value for key, value in weights.items()}
    torch.save({"model": nested, "epoch": 1}, paths[0])
    torch.save(fill({k: tuple(v) for k, v in names["superpoint"].items()}, {}), paths[1])
    return paths


@pytest.fixture(scope="session")
def dwpose_files(stand_ins, own_golden) -> tuple[Path, Path]:
    """DWPose's two files under their official names; they find two people in any picture."""
    paths = stand_ins / "yolox_l.onnx", stand_ins / "dw-ll_ucoco_384.onnx"
    for name, path in zip(("det_two.onnx", "pose_a.onnx"), paths, strict=True):
        shutil.copy(own_golden / "dwpose" / name, path)
    return paths


@pytest.fixture(scope="session")
def dynamicrafter_files(stand_ins) -> dict[str, Path]:
    """The workflows' files of DynamiCrafter, see `write_for_workflows`."""
    return write_for_workflows(stand_ins)


@pytest.fixture(scope="session")
def dropletvideo_folder(stand_ins) -> Path:
    """The official folder of DropletVideo, beside files of its transformer and its VAE alone."""
    write_droplet(stand_ins, layout="single")
    return write_droplet(stand_ins)


@pytest.fixture(scope="session")
def smcd_folder(stand_ins) -> Path:
    """The official folder of SMCD; beside it SMCD in one file."""
    write_smcd(stand_ins, layout="merged")
    return write_smcd(stand_ins)


@pytest.fixture(scope="session")
def modelscope(stand_ins) -> Path:
    """ModelScope's folder, which SMCD needs too."""
    return write_modelscope(stand_ins)


@pytest.fixture(scope="session")
def taesdv_file(stand_ins) -> Path:
    """The tiny decoder of drafts, beside the stand-ins."""
    return write_taesdv(stand_ins / "taesdv.pth")


@pytest.fixture(scope="session")
def wan_files(host, stand_ins) -> Path:
    """The folder with the tiny models of Wan, see `write_wan`."""
    write_wan(stand_ins)
    return stand_ins


@pytest.fixture(scope="session")
def model_files(
    stand_ins,
    gluestick_files,
    dwpose_files,
    dynamicrafter_files,
    dropletvideo_folder,
    smcd_folder,
    modelscope,
    taesdv_file,
    wan_files,
) -> Path:
    """The folder of all stand-ins that the workflows use."""
    return stand_ins


@pytest.fixture(scope="session")
def server(host, model_files, tmp_path_factory):
    """A started ComfyUI with the pack, the stand-ins and two pictures."""
    with ComfyServer(host, tmp_path_factory.mktemp("comfy"), model_files) as running:
        yield running


@pytest.fixture(scope="module")
def editors(host, server):
    """Opens the editor in a style; each is opened once."""
    found = {}
    with open_browser() as browser:

        def get(style: str) -> Editor:
            if style == NODES_2 and not has_nodes_2(host):
                pytest.skip("needs an editor with Nodes 2.0")
            if style not in found:
                found[style] = Editor(browser, server, style)
            return found[style]

        yield get


@pytest.fixture(scope="module", params=[CLASSIC, NODES_2])
def editor(request, editors) -> Editor:
    """The editor in each of its styles."""
    return editors(request.param)
