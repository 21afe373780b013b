"""The command line and the host look for models in the same folders."""

from fcvg_core.standalone.comfyui import model_roots

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
