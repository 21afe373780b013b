"""Files that are no checkpoint of DynamiCrafter are called what they are."""

import pytest
from dynamicrafter_bad_files import SAID, write_bad_file


@pytest.mark.parametrize("name", SAID)
def test_in_place_of_a_checkpoint(load, checkpoint, tmp_path, name):
    loading = load("nodes.host.dynamicrafter.loading")
    path = write_bad_file(tmp_path / name, checkpoint)
    for read in (loading.load_checkpoint, loading.load_unet):
        with pytest.raises(ValueError, match=rf"^{name} .*{SAID[name]}"):
            read(str(path), "auto", "default")
