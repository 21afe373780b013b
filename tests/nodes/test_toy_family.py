"""A family from outside, in ComfyUI: a line in the list of modules and one in that of families."""

import asyncio
import os

import pytest
import torch


@pytest.fixture
def toy(load, monkeypatch):
    """The family's two lines in the pack as the host has loaded it."""
    from toy_family import catalogue, nodes

    families, files = load("fcvg_core.catalogue.families"), load("fcvg_core.catalogue.model_files")
    # The pack's own types: the host loads the pack under another name than the tests do.
    row = files.ModelFile(**vars(catalogue.NETWORK))
    family = files.Family(mode=catalogue.TOY.mode, purpose=catalogue.TOY.purpose, needed=(row,))
    monkeypatch.setattr(families, "FAMILIES", [*families.FAMILIES, family])
    monkeypatch.setattr(load("nodes"), "MODULES", [*load("nodes").MODULES, nodes])
    return nodes


@pytest.mark.seam
def test_its_node_is_the_last_one(pack, toy):
    listed = asyncio.run(pack.extension.get_node_list())
    assert listed[-1] is toy.Brighten and len(listed) > 20


@pytest.mark.seam
def test_its_node_runs_on_the_host_s_layers(pack, toy):
    image = torch.full((1, 4, 8, 3), 0.25)
    assert torch.equal(toy.Brighten.execute(image).args[0], image * 2)


def test_its_folder_is_registered(load, toy, monkeypatch):
    import folder_paths

    known = {k: v for k, v in folder_paths.folder_names_and_paths.items() if k != "toys"}
    before = dict(known)
    monkeypatch.setattr(folder_paths, "folder_names_and_paths", known)
    folders = load("nodes.host.folders")
    folders.register_folders()
    assert known.keys() - before.keys() == {"toys"}
    paths, endings = known["toys"]
    assert paths == [os.path.join(folder_paths.models_dir, "toys")]
    assert ".safetensors" in endings
    with pytest.raises(ValueError, match=r"'x' was not found in .*toys\. .*\(the toy's network"):
        folders.find_file("toys", "x")
