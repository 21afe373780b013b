from pathlib import Path

import pytest
from stand_ins import UNET, write_stand_ins


@pytest.fixture(scope="session")
def stand_ins(tmp_path_factory) -> Path:
    """The stand-in models with half of the UNet's layers: training reads and runs them often."""
    folder = tmp_path_factory.mktemp("stand-ins") / "models"
    write_stand_ins(folder, UNET | {"layers_per_block": 1})
    return folder
