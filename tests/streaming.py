"""Simulates on a CPU a host that streams weights (dynamic VRAM).

On a card such a host does not load weights: it keeps a file's tensors as read-only memory maps,
and moves each one to the card when it is used. A CPU shows all but the moving: layers that are
built without weights, tensors in the file's number format, and memory that can't be written to.
"""

import importlib.util
import shutil
from pathlib import Path

import pytest

# Settings that a server makes when it has found a GPU, and functions that need a GPU.
_AFTER_IMPORTS = """
import comfy_aimdo.model_vbar
comfy.memory_management.aimdo_enabled = True
comfy.model_patcher.CoreModelPatcher = comfy.model_patcher.ModelPatcherDynamic
comfy_aimdo.model_vbar.vbars_analyze = lambda *arguments: 0
comfy_aimdo.model_vbar.vbars_reset_watermark_limits = lambda *arguments: None
comfy_aimdo.control.analyze = lambda *arguments: None
logging.info('Weights are streamed.')
"""
_LAST_IMPORT = "import comfy.model_patcher\n"


def stream_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the imported host stream weights until the test ends; skip hosts that can't stream."""
    if importlib.util.find_spec("comfy.memory_management") is None:
        pytest.skip("this ComfyUI does not stream weights")
    import comfy.memory_management
    import comfy.model_patcher
    import comfy_aimdo.control

    comfy_aimdo.control.init("cuda")
    import comfy_aimdo.model_vbar

    monkeypatch.setattr(comfy.memory_management, "aimdo_enabled", True, raising=False)
    dynamic = comfy.model_patcher.ModelPatcherDynamic
    monkeypatch.setattr(comfy.model_patcher, "CoreModelPatcher", dynamic)
    monkeypatch.setattr(comfy_aimdo.model_vbar, "vbars_analyze", lambda *arguments: 0)


def stream_as_on_a_card(monkeypatch: pytest.MonkeyPatch) -> None:
    """`stream_weights`, and patchers that work as on a card, though the device is the CPU.

    The host replaces them by plain ones there. They give a network the file's own memory maps,
    move only what is small, and convert all else when it is used.
    """
    stream_weights(monkeypatch)
    import comfy.model_patcher
    import comfy_aimdo.host_buffer

    class NoPinnedMemory:
        def __init__(self, *sizes: int):
            self.size = 0

    class StreamingPatcher(comfy.model_patcher.ModelPatcherDynamic):
        def __new__(cls, *arguments, **named):
            return object.__new__(cls)

        def partially_unload(self, device_to, memory_to_free=0, force_patch_weights=False):
            restore = getattr(self, "restore_loaded_backups", int)  # all that there is to free
            return restore()

    monkeypatch.setattr(comfy_aimdo.host_buffer, "HostBuffer", NoPinnedMemory)
    monkeypatch.setattr(comfy.model_patcher, "CoreModelPatcher", StreamingPatcher)


def make_streaming_host(host: Path, folder: Path) -> Path:
    """A copy of a host's folder whose server streams weights; skip hosts that can't stream."""
    text = (host / "main.py").read_text(encoding="utf-8")
    if _LAST_IMPORT not in text or not (host / "comfy" / "memory_management.py").exists():
        pytest.skip("this ComfyUI does not stream weights")
    copy = folder / "ComfyUI"

    def left_out(path: str, names: list[str]) -> set[str]:
        return {".git", "models", "input", "output"} if Path(path) == host else set()

    shutil.copytree(host, copy, ignore=left_out)
    start = "import comfy_aimdo.control\ncomfy_aimdo.control.init('cuda')\n"
    text = start + text.replace(_LAST_IMPORT, _LAST_IMPORT + _AFTER_IMPORTS, 1)
    (copy / "main.py").write_text(text, encoding="utf-8")
    return copy


# Ways in which a host gives weights to a network, for tests that run in each way.
WAYS = {
    "plain": lambda monkeypatch: None,
    "streamed": stream_weights,
    "streamed as on a card": stream_as_on_a_card,
}
