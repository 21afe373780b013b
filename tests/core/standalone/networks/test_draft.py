"""A video decoded by TAESDV in the VAE's place."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from taesdv_cases import taesdv_weights, write_taesdv

from fcvg_core.catalogue.model_files import MissingModelsError
from fcvg_core.errors import UserError
from fcvg_core.models.taesdv import Decoder
from fcvg_core.progress import silent
from fcvg_core.standalone.networks.draft import decode_draft, load_draft
from fcvg_core.standalone.networks.vae import VaePipeline


def latents(num_frames: int = 3) -> torch.Tensor:
    return torch.randn(num_frames, 4, 2, 3, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def decoder(tmp_path_factory) -> Decoder:
    folder = tmp_path_factory.mktemp("draft")
    write_taesdv(folder / "taesdv.pth")
    return load_draft([("folder", folder)], torch.float32)


class TestLoadDraft:
    @pytest.mark.parametrize("place", ["vae_approx/taesdv.pth", "vae_approx/taesdv.safetensors"])
    def test_from_comfyui(self, tmp_path, place, decoder):
        write_taesdv(tmp_path / place)
        found = load_draft([("comfyui", tmp_path)], torch.float32)
        assert torch.equal(found(latents())[0], decoder(latents())[0])
        assert not found.training and not any(x.requires_grad for x in found.parameters())

    def test_in_half_precision(self, tmp_path):
        write_taesdv(tmp_path / "taesdv.pth")
        found = load_draft([("folder", tmp_path)], torch.bfloat16)
        assert {x.dtype for x in found.parameters()} == {torch.bfloat16}

    def test_missing(self, tmp_path):
        said = "taesdv.pth, which is missing. Download it with python -m fcvg_core models --get"
        with pytest.raises(MissingModelsError, match=f"{said} --only taesdv, or put it into"):
            load_draft([("folder", tmp_path)], torch.float32)

    def test_another_model(self, tmp_path):
        save_file({"decoder.conv_in.weight": torch.zeros(1)}, tmp_path / "taesdv.safetensors")
        with pytest.raises(UserError, match="taesdv.safetensors is a VAE, but the temporal"):
            load_draft([("folder", tmp_path)], torch.float32)

    def test_broken_off(self, tmp_path):
        whole = write_taesdv(tmp_path / "whole.pth").read_bytes()
        (tmp_path / "taesdv.pth").write_bytes(whole[: len(whole) // 2])
        with pytest.raises(UserError, match="taesdv.pth"):
            load_draft([("folder", tmp_path)], torch.float32)


class TestDecodeDraft:
    def test_frames_come_one_by_one(self, decoder):
        seen = []
        frames = decode_draft(decoder, latents(), lambda *state: seen.append(state))
        first = next(frames)
        assert first.shape == (16, 24, 3) and first.dtype == np.uint8
        assert seen == [("decoding", 0, 3)]
        expected = decoder(latents())[0].movedim(1, -1).mul(255).round().byte().numpy()
        assert np.array_equal(np.stack([first, *frames]), expected)
        assert seen == [("decoding", i, 3) for i in range(4)]

    @pytest.mark.parametrize("value", [torch.nan, torch.inf])
    def test_latents_that_are_not_numbers(self, decoder, value):
        broken = latents()
        broken[1, 0, 0, 0] = value
        with pytest.raises(UserError, match="Sampling gave .* not numbers.*--dtype fp32"):
            list(decode_draft(decoder, broken, silent))

    def test_frames_that_are_not_numbers(self):
        decoder = Decoder()
        decoder.load_state_dict({k: v.fill_(torch.nan) for k, v in taesdv_weights().items()})
        with pytest.raises(UserError, match="TAESDV gave .* not numbers.*--dtype fp32"):
            list(decode_draft(decoder, latents(), silent))


class TestPipeline:
    @pytest.mark.parametrize("offload", [False, True])
    def test_the_vae_rests(self, decoder, offload):
        vae = SimpleNamespace()  # has nothing that could be called
        pipeline = VaePipeline(vae, device=torch.device("cpu"), offload=offload)
        pipeline.draft = decoder
        frames = np.stack([*pipeline.decode(latents(), 2, silent)])
        assert np.array_equal(frames, np.stack([*decode_draft(decoder, latents(), silent)]))


def test_the_weights_of_these_tests_show_something():
    """Otherwise a decoder that gives black would pass."""
    decoder = Decoder()
    decoder.load_state_dict(taesdv_weights())
    assert decoder(latents())[0].std() > 0.1
