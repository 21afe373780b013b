"""The command line and the host look for models in the same folders; names of any system."""

import asyncio

import pytest

from fcvg_core.catalogue.comfyui import model_roots

EXTRA = """
mine:
  base_path: $SHARED
  is_default: true
  unet: |
    here
    and/there
  controlnext: nets/
relative:
  base_path: beside
  dwpose: poses
without_base:
  diffusers: /absolute/svd
  checkpoints: relative
"""


def test_extra_model_paths(host, tmp_path, monkeypatch):
    import folder_paths
    from utils.extra_config import load_extra_path_config

    monkeypatch.setenv("SHARED", str(tmp_path / "shared"))
    monkeypatch.setattr(folder_paths, "folder_names_and_paths", {})
    file = tmp_path / "extra_model_paths.yaml"
    file.write_text(EXTRA, encoding="utf-8")
    load_extra_path_config(str(file))
    expected = {
        (f"comfyui/{kind}", path.rstrip("/"))
        for kind, (paths, _) in folder_paths.folder_names_and_paths.items()
        for path in paths
    }
    ours = [root for root in model_roots(tmp_path) if root[0].startswith("comfyui/")]
    assert {(kind, str(path)) for kind, path in ours} == expected


FILES = {
    "checkpoints": "model.ckpt",
    "diffusion_models": "unet.safetensors",
    "controlnext": "controlnext.safetensors",
    "gluestick": "checkpoint_GlueStick_MD.tar",
    "dwpose": "yolox_l.onnx",
    "vae": "vae.safetensors",
    "diffusers": "model_index.json",
}


@pytest.fixture
def in_a_folder(host, pack, tmp_path, monkeypatch) -> dict[str, str]:
    """Models two folders deep, and the name that a drop-down list has for each kind's."""
    import folder_paths

    for kind, file in FILES.items():
        path = tmp_path / kind / "video" / "sub" / file
        path.parent.mkdir(parents=True)
        path.touch()
        monkeypatch.setitem(
            folder_paths.folder_names_and_paths, kind, ([str(tmp_path / kind)], {path.suffix})
        )
    folder_paths.filename_list_cache.clear()
    yield {
        kind: "video/sub" if kind == "diffusers" else f"video/sub/{file}"
        for kind, file in FILES.items()
    }
    folder_paths.filename_list_cache.clear()


def drop_downs(pack, names: dict[str, str]) -> list[tuple]:
    """(node, input) of every list that offers one of these names."""
    nodes = asyncio.run(pack.extension.get_node_list())
    return [
        (node, one.id)
        for node in nodes
        for one in node.define_schema().inputs
        if set(names.values()) & set(getattr(one, "options", None) or ())
    ]


def given(one, names: set[str]):
    """A value of an input in a graph: a model if it is a list of models."""
    if models := names & set(getattr(one, "options", None) or ()):
        return min(models)
    return True if one.default is None else one.default


def test_every_list_of_models_takes_the_names_of_windows(pack, in_a_folder, monkeypatch):
    """As the host checks a graph, where its own look into the list would come first."""
    import execution

    import nodes

    found, names = drop_downs(pack, in_a_folder), set(in_a_folder.values())
    assert len(found) == 14
    for node, name in found:
        node_id = node.define_schema().node_id
        options = {one.id: one for one in node.define_schema().inputs}
        (there,) = names & set(options[name].options)
        monkeypatch.setitem(nodes.NODE_CLASS_MAPPINGS, node_id, node)
        values = ((there, True), (there.replace("/", "\\"), True), (f"no\\{there}", False))
        for value, valid in values:
            inputs = {x: given(one, names) for x, one in options.items() if hasattr(one, "default")}
            prompt = {"1": {"class_type": node_id, "inputs": inputs | {name: value}}}
            ok, errors, _ = asyncio.run(_validate(execution, prompt))
            assert ok is valid, (node_id, name, value, errors)
            assert valid or "was not found" in str(errors) and "not in list" not in str(errors)


async def _validate(execution, prompt: dict) -> tuple:
    """What the host says of a node: older hosts don't number the graphs."""
    try:
        return await execution.validate_inputs("graph", prompt, "1", {})
    except TypeError:
        return await execution.validate_inputs(prompt, "1", {})


@pytest.mark.parametrize("kind", sorted(set(FILES) - {"diffusers"}))
def test_files_by_the_names_of_either_system(load, in_a_folder, tmp_path, kind):
    folders = load("nodes.host.folders")
    name = in_a_folder[kind]
    expected = str(tmp_path / kind / name)
    for spelling in (name, name.replace("/", "\\"), name.replace("/", "\\", 1)):
        assert folders.find_file(kind, spelling) == expected
    (tmp_path / kind / "a\\b.tar").touch()  # Linux allows it, and then it is meant
    assert folders.find_file(kind, "a\\b.tar") == str(tmp_path / kind / "a\\b.tar")
    with pytest.raises(ValueError, match="5 was not found"):
        folders.find_file(kind, 5)


def test_folders_by_the_names_of_either_system(load, in_a_folder, tmp_path):
    find = load("nodes.host.folders").find_pipeline
    expected = str(tmp_path / "diffusers" / "video" / "sub")
    assert find("video/sub") == find("video\\sub") == expected
    for outside in ("..\\diffusers", "video\\..\\..", "\\", "..\\..\\diffusers\\video\\.."):
        with pytest.raises(ValueError, match="was not found"):
            find(outside)


@pytest.mark.parametrize("name", ["..", "../..", "/", "", "nowhere"])
def test_no_folder_outside_of_the_models(load, name):
    with pytest.raises(ValueError, match="was not found"):
        load("nodes.host.folders").find_pipeline(name)


def test_missing_file_says_which_and_where(load):
    folders = load("nodes.host.folders")
    with pytest.raises(
        ValueError,
        match="'x.safetensors' was not found in .*controlnext. Download .*: fcvg_con",
    ) as e:
        folders.find_file(folders.CONTROLNEXT, "x.safetensors")
    assert "github.com/Tian-one/FCVG" in str(e.value) and "models --get" in str(e.value)


def test_a_large_file_is_downloaded_by_its_key(load):
    """`models --get` alone leaves such a file out."""
    find = load("nodes.host.folders").find_file
    with pytest.raises(ValueError, match="'x.ckpt' was not found in .*checkpoints") as e:
        find("checkpoints", "x.ckpt")
    assert "models --get --only KEY` in a terminal" in str(e.value)
    assert "dynamicrafter_512_v1/model.ckpt (DynamiCrafter 512 " in str(e.value)
    assert "KEY: dynamicrafter-512)" in str(e.value)


@pytest.mark.parametrize("between", "/\\")
def test_a_known_name_is_the_only_file_in_the_message(load, between):
    find = load("nodes.host.folders").find_file
    with pytest.raises(ValueError, match="models --get --only dynamicrafter-512-interp` in") as e:
        find("checkpoints", f"dynamicrafter_512_interp_v1{between}model.ckpt")
    said = str(e.value)
    assert "put this model there: dynamicrafter_512_interp_v1/model.ckpt (DynamiCra" in said
    assert "about 10440 MB" in said and said.count("huggingface.co") == 1 and "KEY" not in said
