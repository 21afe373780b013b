from math import prod

import pytest
from taesdv_cases import SHAPES, write_taesdv

from fcvg_core.catalogue.families import list_files, list_modes, modes_helped_by, modes_needing
from fcvg_core.catalogue.model_files import MissingModelsError
from fcvg_core.catalogue.taesdv import NAMES, TAESDV, find_taesdv


def test_helps_every_family_whose_latents_are_those_of_sd():
    """DropletVideo's latents have 16 channels."""
    assert modes_helped_by(TAESDV) == [mode for mode in list_modes() if mode != "droplet"]
    assert not modes_needing(TAESDV)
    assert TAESDV in list_files() and TAESDV not in list_files(needed=True)


def test_size_is_that_of_the_published_tensors():
    assert TAESDV.size == round(4 * sum(map(prod, SHAPES.values())) / 10**6)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("layout", ["folder", "comfyui"])
def test_is_found(tmp_path, name, layout):
    place = tmp_path / ("vae_approx" if layout == "comfyui" else "") / name
    write_taesdv(place)
    assert find_taesdv([(layout, tmp_path)]) == place


def test_missing(tmp_path):
    with pytest.raises(MissingModelsError, match="models --get --only taesdv"):
        find_taesdv([("folder", tmp_path)])
