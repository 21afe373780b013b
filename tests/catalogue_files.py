"""Empty files in the places where the catalogue looks for models."""

from pathlib import Path

from fcvg_core.catalogue.svd import SVD_PARTS


def put(root: Path, name: str) -> Path:
    """Make an empty file; for an index, also SVD's name in it and weights beside it."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    if path.suffix == ".json":
        path.write_text("StableVideoDiffusionPipeline")
        for part in SVD_PARTS:
            put(path.parent, f"{part}/model.safetensors")
    return path
