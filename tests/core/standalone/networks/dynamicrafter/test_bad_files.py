"""Files that are no checkpoint of DynamiCrafter are called what they are."""

import pytest
import torch
from dynamicrafter_bad_files import SAID, write_bad_file

from fcvg_core.errors import UserError
from fcvg_core.standalone.networks.dynamicrafter import DynamiCrafterFiles, check_files


@pytest.mark.parametrize("name", SAID)
def test_in_place_of_a_checkpoint(written, tokenizer_folder, tmp_path, name) -> None:
    path = write_bad_file(tmp_path / name, written("512"))
    with pytest.raises(UserError, match=rf"{name} .*{SAID[name]}"):
        check_files(DynamiCrafterFiles(checkpoint=path, tokenizer=tokenizer_folder), torch.float32)


def test_a_unet_alone(written, tokenizer_folder, tmp_path) -> None:
    """The projector is told first, because no other file gives it."""
    weights = torch.load(written("512"), weights_only=True)["state_dict"]
    path = tmp_path / "dynamicrafter_512.ckpt"
    torch.save({key: value for key, value in weights.items() if key.startswith("model.")}, path)
    with pytest.raises(UserError, match="512.ckpt holds no image projector of DynamiCrafter: use"):
        check_files(DynamiCrafterFiles(checkpoint=path, tokenizer=tokenizer_folder), torch.float32)
