"""Which model files there are, and where they are found."""

from pathlib import Path

import pytest
from catalogue_files import put

from fcvg_core.catalogue.families import (
    list_files,
    modes_choosing,
    modes_helped_by,
    modes_needing,
)
from fcvg_core.catalogue.model_files import DRIVE, HUB
from fcvg_core.catalogue.svd import SVD

CATALOGUE = list_files()


class TestCatalogue:
    def test_every_file_is_for_something(self) -> None:
        for file in CATALOGUE:
            assert modes_needing(file) or modes_choosing(file) or modes_helped_by(file)
            assert file.size and file.licence and file.source and file.comfyui and file.folder

    @pytest.mark.parametrize("kind", ["comfyui", "folder"])
    def test_found_where_it_says(self, tmp_path: Path, kind: str) -> None:
        for file in CATALOGUE:
            for i, name in enumerate(getattr(file, kind)):
                root = tmp_path / f"{CATALOGUE.index(file)}_{i}"
                folder = file if file.pipeline else SVD
                path = put(root, name.replace("*", "safetensors"), folder)
                for one in file.downloads:
                    if one.name and not file.pipeline:  # files that must lie together
                        (path.parent / one.name).touch()
                assert file.find([(kind, root)]) == path


def test_addresses() -> None:
    for file in CATALOGUE:
        for one in file.downloads:
            assert one.url.startswith((HUB, DRIVE, "https://github.com/")), one.url
            assert not one.sha256 or len(one.sha256) == 64
