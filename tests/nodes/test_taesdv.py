"""TAESDV in the host: the node Decode Frames (draft), and the decoder of the moving preview."""

import os

import pytest
import torch
from safetensors.torch import save_file
from streaming import WAYS
from taesdv_cases import DECODER_SHAPES, taesdv_weights, write_taesdv

from fcvg_core.models.taesdv import Decoder

pytestmark = pytest.mark.seam

SCALE = 0.18215  # of SD's latents


@pytest.fixture(scope="module")
def taesdv(load):
    return load("nodes.host.taesdv")


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return str(write_taesdv(tmp_path_factory.mktemp("taesdv") / "taesdv.pth"))


@pytest.fixture(autouse=True)
def no_gradients():
    """As the host runs nodes."""
    with torch.inference_mode():
        yield


def latents(num_frames: int = 3) -> torch.Tensor:
    return torch.randn(num_frames, 4, 2, 3, generator=torch.Generator().manual_seed(2)) / SCALE


def expected(found: torch.Tensor) -> torch.Tensor:
    decoder = Decoder()
    decoder.load_state_dict(taesdv_weights())
    return decoder(found * SCALE)[0].movedim(1, -1)


@pytest.fixture(params=WAYS, ids=WAYS)
def weights_are(request, host, monkeypatch):
    """Loading in a host that streams weights, too."""
    WAYS[request.param](monkeypatch)


@pytest.mark.usefixtures("weights_are")
class TestDecodeDraft:
    @pytest.mark.parametrize("name", ["taesdv.pth", "taesdv.safetensors"])
    def test_the_frames_of_the_core(self, taesdv, tmp_path, name):
        patcher = taesdv.load_taesdv(str(write_taesdv(tmp_path / name)))
        frames = taesdv.decode_draft(patcher, latents())
        assert frames.shape == (3, 16, 24, 3) and frames.dtype == torch.float32
        torch.testing.assert_close(frames, expected(latents()))

    def test_in_half_precision(self, taesdv, file, monkeypatch):
        monkeypatch.setattr(taesdv.mm, "vae_dtype", lambda device, formats: torch.bfloat16)
        frames = taesdv.decode_draft(taesdv.load_taesdv(file), latents())
        assert frames.dtype == torch.float32
        assert not torch.equal(frames, expected(latents()))
        assert (frames - expected(latents())).abs().mean() < 0.02

    def test_the_model_is_loaded_by_the_host(self, taesdv, file, monkeypatch):
        loaded = []
        real = taesdv.mm.load_models_gpu
        monkeypatch.setattr(
            taesdv.mm, "load_models_gpu", lambda *a, **k: loaded.append((a, k)) or real(*a, **k)
        )
        patcher = taesdv.load_taesdv(file)
        taesdv.decode_draft(patcher, latents())
        (((models,), more),) = loaded
        assert models == [patcher]
        assert more["memory_required"] == 64 * 6 * 16 * 24 * 4


class TestRefused:
    @pytest.mark.parametrize("shape", [(4, 2, 3), (3, 16, 2, 3), (1, 4, 3, 2, 3), (0, 4, 2, 3)])
    def test_latents_of_another_model(self, taesdv, file, shape):
        with pytest.raises(ValueError, match="TAESDV decodes videos of SVD or DynamiCrafter"):
            taesdv.decode_draft(taesdv.load_taesdv(file), torch.zeros(shape))

    def test_latents_that_are_not_numbers(self, taesdv, file):
        broken = latents()
        broken[0, 0, 0, 0] = torch.inf
        with pytest.raises(ValueError, match="Sampling gave values that are not numbers"):
            taesdv.decode_draft(taesdv.load_taesdv(file), broken)

    def test_frames_that_are_not_numbers(self, taesdv, tmp_path):
        weights = taesdv_weights()
        broken = next(iter(weights))
        weights[broken] = torch.full_like(weights[broken], torch.nan)
        save_file(weights, tmp_path / "taesdv.safetensors")
        patcher = taesdv.load_taesdv(str(tmp_path / "taesdv.safetensors"))
        with pytest.raises(ValueError, match="TAESDV gave values that are not numbers: start"):
            taesdv.decode_draft(patcher, latents())

    def test_a_file_of_another_model(self, taesdv, tmp_path):
        path = tmp_path / "taesdv_of_tomorrow.safetensors"
        save_file({"1.weight": torch.zeros(1), "3.conv.0.weight": torch.zeros(1)}, path)
        with pytest.raises(ValueError, match="taesdv_of_tomorrow.safetensors is an unknown file"):
            taesdv.load_taesdv(str(path))

    def test_no_file_of_weights(self, taesdv, tmp_path):
        (tmp_path / "taesdv.pth").write_text("<html>")
        with pytest.raises(ValueError, match="taesdv.pth .*can't be read as model weights"):
            taesdv.load_taesdv(str(tmp_path / "taesdv.pth"))


def test_it_can_be_interrupted(taesdv, file, monkeypatch):
    """Before each frame, in a draft and in a preview."""
    asked = []

    def stop():
        asked.append(1)
        if len(asked) > 2:
            raise InterruptedError

    patcher = taesdv.load_taesdv(file)
    monkeypatch.setattr(taesdv.mm, "throw_exception_if_processing_interrupted", stop)
    for decode in (lambda x: taesdv.decode_draft(patcher, x), taesdv.TinyDecoder(file)):
        asked.clear()
        with pytest.raises(InterruptedError):
            decode(latents())
        assert len(asked) == 3


class TestTinyDecoder:
    def test_frames_of_scaled_latents(self, taesdv, file):
        frames = taesdv.TinyDecoder(file)(latents() * SCALE)
        torch.testing.assert_close(frames.movedim(1, -1), expected(latents()))

    def test_the_file_is_read_once_and_late(self, taesdv, tmp_path):
        path = write_taesdv(tmp_path / "taesdv.pth")
        decode = taesdv.TinyDecoder(str(path))
        before = decode(latents())
        os.remove(path)
        assert torch.equal(decode(latents()), before)
        with pytest.raises(ValueError, match="taesdv.pth"):
            taesdv.TinyDecoder(str(path))(latents())


class TestNode:
    @pytest.fixture
    def folder(self, host, tmp_path, monkeypatch):
        """The host's folder of small decoders."""
        import folder_paths

        folder = tmp_path / "vae_approx"
        folder.mkdir()
        kind = ([str(folder)], folder_paths.supported_pt_extensions)
        monkeypatch.setitem(folder_paths.folder_names_and_paths, "vae_approx", kind)
        folder_paths.filename_list_cache.clear()
        yield folder
        folder_paths.filename_list_cache.clear()

    def options(self, node_classes) -> list[str]:
        (_, chosen) = node_classes["FCVG_DecodeDraft"].define_schema().inputs
        return chosen.options

    def test_lists_its_files_alone(self, folder, node_classes):
        for name in ("taesdv.pth", "taesd_decoder.pth", "taehv.pth", "video/taesdv.safetensors"):
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).touch()
        assert sorted(self.options(node_classes)) == ["taesdv.pth", "video/taesdv.safetensors"]
        node = node_classes["FCVG_DecodeDraft"]  # the second name as on Windows
        assert node.validate_inputs(decoder_name="video\\taesdv.safetensors") is True

    def test_an_empty_list_says_what_to_do(self, folder, node_classes):
        node = node_classes["FCVG_DecodeDraft"]
        (said,) = self.options(node_classes)
        assert said == "(no file found in models/vae_approx: taesdv.pth)"
        answer = node.validate_inputs(decoder_name=said)
        assert "models --get --only taesdv`" in answer and "github.com/madebyollin/taesdv" in answer

    def test_decodes(self, folder, node_classes):
        write_taesdv(folder / "taesdv.pth")
        node = node_classes["FCVG_DecodeDraft"]
        assert node.validate_inputs(decoder_name="taesdv.pth") is True
        frames = node.execute({"samples": latents()}, "taesdv.pth").args[0]
        torch.testing.assert_close(frames, expected(latents()))


def test_shapes_of_the_cases(taesdv):
    """The files of these tests have the names and shapes of the published one."""
    assert {k: tuple(v.shape) for k, v in taesdv_weights().items()} == DECODER_SHAPES
