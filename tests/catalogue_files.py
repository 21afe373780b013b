"""Empty files in the places where the catalogue looks for models."""

from pathlib import Path

from fcvg_core.catalogue.model_files import ModelFile
from fcvg_core.catalogue.svd import SVD


def put(root: Path, name: str, folder: ModelFile = SVD) -> Path:
    """Make an empty file; for an index, also its pipeline's name and weights beside it."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    if path.suffix == ".json":
        path.write_text(folder.pipeline)
        for part in folder.parts:
            put(path.parent, f"{part}/model.safetensors")
    return path
