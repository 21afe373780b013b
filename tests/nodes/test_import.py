"""What importing the pack costs, and that it leaves the host alone."""

import dataclasses
import json
import os
import re
import subprocess
import sys

import pytest
from hosts import ROOT

pytestmark = pytest.mark.seam
HEAVY = ("cv2", "onnxruntime", "scipy", "diffusers", "transformers", "fcvg_core")
# Modules of the core that load nothing: what the schemas show, where model files lie and whether a
# folder of them is whole, tables of models, and sizes in words.
LIGHT = re.compile(
    r"fcvg_core(\.(bounds|canvas|choices|errors|json_text|quoting|settings"
    r"|catalogue(\.(?!download|diagnosis|integrity|find).*)?|files(\.(json|plain)_file)?"
    r"|models(\.dynamicrafter(\.variants)?|\.dropletvideo(\.rules)?)?))?"
)
SCRIPT = """
import asyncio, importlib.util, json, sys
sys.path.insert(0, {host!r})
import comfy.cli_args
comfy.cli_args.args.cpu = True
import nodes, comfy.samplers, latent_preview, comfy_api.latest
before = set(sys.modules)
spec = importlib.util.spec_from_file_location(
    "pack", {root!r} + "/__init__.py", submodule_search_locations=[{root!r}])
pack = importlib.util.module_from_spec(spec)
sys.modules["pack"] = pack
spec.loader.exec_module(pack)
extension = asyncio.run(pack.comfy_entrypoint())
for node in asyncio.run(extension.get_node_list()):
    node.GET_SCHEMA()
print("MODULES", json.dumps(sorted(set(sys.modules) - before)))
"""


def test_no_heavy_module_at_import(host):
    """Nothing but the nodes' own schemas: cv2, model code and the like come at first use."""
    script = SCRIPT.format(host=str(host), root=str(ROOT))
    env = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", script], env=env, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]
    line = next(x for x in done.stdout.splitlines() if x.startswith("MODULES"))
    loaded = [name.removeprefix("pack.") for name in json.loads(line.removeprefix("MODULES "))]
    assert not [x for x in loaded if x.split(".")[0] in HEAVY and not LIGHT.fullmatch(x)]
    assert "nodes.host.svd.loading" not in loaded


def test_model_folder_is_merged(load, host):
    import folder_paths

    folder_paths.folder_names_and_paths["controlnext"] = (["/elsewhere"], {".x"})
    load("nodes.host.folders").register_folders()
    paths, extensions = folder_paths.folder_names_and_paths["controlnext"]
    assert paths[0] == "/elsewhere"
    assert len(paths) == 2
    assert {".x", ".safetensors"} <= extensions


def test_folders_of_every_family(load, host, monkeypatch):
    """Those of the host's own kinds stay as they are, and a new family's is registered at once."""
    import folder_paths

    families, files = load("fcvg_core.catalogue.families"), load("fcvg_core.catalogue.model_files")
    known = dict(folder_paths.folder_names_and_paths)
    for kind in ("controlnext", "gluestick", "dwpose"):
        known.pop(kind, None)
    before = dict(known)
    monkeypatch.setattr(folder_paths, "folder_names_and_paths", known)
    row = files.ModelFile(
        key="toy",
        name="a toy",
        comfyui=("toys/toy.onnx", "toys/toy.safetensors"),
        folder=("toy.onnx",),
        downloads=(),
        licence="none",
        source="nowhere",
    )
    family = files.Family(mode="play", purpose="toys", needed=(row,))
    monkeypatch.setattr(families, "FAMILIES", [*families.FAMILIES, family])
    load("nodes.host.folders").register_folders()
    weights = folder_paths.supported_pt_extensions
    added = {kind: endings for kind, (_, endings) in known.items() if kind not in before}
    assert added == {
        "controlnext": weights,
        "gluestick": weights | {".tar"},
        "dwpose": {".onnx"},
        "toys": weights | {".onnx"},
    }
    assert all(known[kind] is value for kind, value in before.items())
    assert known["toys"][0] == [os.path.join(folder_paths.models_dir, "toys")]
    with pytest.raises(
        ValueError, match=r"'x' was not found in .*toys\. .*: toy\.onnx \(a toy, from"
    ):
        load("nodes.host.folders").find_file("toys", "x")


def test_what_only_newer_hosts_take(load, monkeypatch):
    """Hosts that do not know an argument would refuse the schema."""
    newer = load("nodes.newer")

    def old(id, tooltip=None): ...

    def new(id, tooltip=None, advanced=None): ...

    monkeypatch.setattr(newer.io, "Schema", dataclasses.make_dataclass("Schema", ["node_id"]))
    monkeypatch.setattr(newer.io.Int, "Input", old)
    assert newer.search_words("tween") == {}
    assert newer.shows_results() == {}
    assert newer.rarely_changed() == {}
    fields = ["search_aliases", "has_intermediate_output"]
    monkeypatch.setattr(newer.io, "Schema", dataclasses.make_dataclass("Schema", fields))
    monkeypatch.setattr(newer.io.Int, "Input", new)
    assert newer.search_words("tween", "dance") == {"search_aliases": ["tween", "dance"]}
    assert newer.shows_results() == {"has_intermediate_output": True}
    assert newer.rarely_changed() == {"advanced": True}


@pytest.mark.parametrize(
    ("version", "said"),
    [("0.3.63", "this one is 0.3.63"), ("0.3.64", ""), ("0.8.0", ""), ("1.0", ""), (None, "")],
)
def test_an_old_host_is_named(tmp_path, version, said):
    """Such a host passes the pack over without a word of why."""
    (tmp_path / "host").mkdir()
    if version:
        (tmp_path / "host" / "comfyui_version.py").write_text(f'__version__ = "{version}"\n')
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import importlib.util as u; s = u.spec_from_file_location("
            f"'pack', {str(ROOT / '__init__.py')!r}); s.loader.exec_module(u.module_from_spec(s))",
        ],
        env={**os.environ, "PYTHONPATH": str(tmp_path / "host")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert (said in done.stderr and "Update ComfyUI" in done.stderr) if said else not done.stderr
