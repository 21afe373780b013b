"""Chunks of a video, with a VAE that fails in every way that a VAE can fail."""

import weakref

import pytest
import torch

from fcvg_core.errors import UserError
from fcvg_core.sampling import decode_in_chunks, encode_in_chunks


class Vae:
    """Decodes by doubling; keeps a note of each call, and weak references to the latents' copies.

    Args:
        memory: frames that fit at once.
        overflows: number formats in which the results are infinite.
    """

    def __init__(self, memory: int = 99, overflows: tuple[torch.dtype, ...] = ()):
        self.memory, self.overflows = memory, overflows
        self.calls, self.freed, self.held = [], [], []

    def decode(self, latents: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        self.calls.append((len(latents), dtype))
        activations = latents.clone()
        self.held.append(weakref.ref(activations))
        if len(latents) > self.memory:
            raise MemoryError("the memory is full")
        return activations * (torch.inf if dtype in self.overflows else 2)

    def free(self) -> None:
        """Notes how many chunks' activations are still in memory."""
        self.freed.append(sum(held() is not None for held in self.held))

    def run(self, latents: torch.Tensor, chunk: int, dtype=torch.float16) -> list[torch.Tensor]:
        return list(
            decode_in_chunks(
                latents,
                chunk,
                dtype=dtype,
                decode=self.decode,
                is_out_of_memory=lambda error: isinstance(error, MemoryError),
                free_memory=self.free,
                remedy="Try another one.",
            )
        )


LATENTS = torch.arange(5.0)[:, None]


def sizes(vae: Vae) -> list[int]:
    return [size for size, _ in vae.calls]


def test_chunk_by_chunk():
    vae = Vae()
    frames = vae.run(LATENTS, 2)
    assert [len(chunk) for chunk in frames] == sizes(vae) == [2, 2, 1]
    assert torch.equal(torch.cat(frames), LATENTS * 2)


def test_nothing_is_decoded_before_it_is_asked_for():
    vae = Vae()
    chunks = decode_in_chunks(
        LATENTS,
        2,
        dtype=torch.float32,
        decode=vae.decode,
        is_out_of_memory=lambda error: False,
        free_memory=vae.free,
        remedy="",
    )
    assert not vae.calls
    next(chunks)
    assert sizes(vae) == [2]


class TestMemory:
    def test_chunks_are_halved_and_stay_so(self, caplog):
        vae = Vae(memory=1)
        frames = vae.run(LATENTS, 4)
        assert sizes(vae) == [4, 2, 1, 1, 1, 1, 1]
        assert torch.equal(torch.cat(frames), LATENTS * 2)
        assert "Memory ran out: frames that are decoded at once reduced to 2." in caplog.text

    def test_the_failed_chunk_is_not_held_while_memory_is_freed(self):
        vae = Vae(memory=1)
        vae.run(LATENTS, 4)
        assert vae.freed == [0, 0]

    def test_not_even_one_frame(self):
        with pytest.raises(MemoryError):
            Vae(memory=0).run(LATENTS, 4)

    def test_other_errors_pass_through_at_once(self):
        vae = Vae()
        vae.decode = lambda latents, dtype: 1 / 0
        with pytest.raises(ZeroDivisionError):
            vae.run(LATENTS, 4)


class TestNoNumbers:
    def test_overflow_is_decoded_in_float32(self, caplog):
        vae = Vae(overflows=(torch.float16,))
        assert torch.equal(torch.cat(vae.run(LATENTS + 1, 5)), (LATENTS + 1) * 2)
        assert vae.calls == [(5, torch.float16), (5, torch.float32)]
        assert "The VAE overflowed in torch.float16: decoding in float32." in caplog.text

    @pytest.mark.parametrize("dtype", [torch.float16, torch.float32])
    def test_overflow_in_float32_too(self, dtype):
        vae = Vae(overflows=(torch.float16, torch.float32))
        with pytest.raises(UserError, match="The VAE gave values that are not numbers, in float32"):
            vae.run(LATENTS + 1, 5, dtype)
        assert len(vae.calls) == (2 if dtype == torch.float16 else 1)

    def test_latents(self):
        vae = Vae()
        with pytest.raises(
            UserError, match=r"^Sampling gave values .* numbers\. Try another one\."
        ):
            vae.run(LATENTS * torch.nan, 2)
        assert not vae.calls


class TestEncoding:
    """It shares the work with decoding; its words and its input are its own."""

    def encode(self, vae: Vae, frames: torch.Tensor, chunk: int) -> torch.Tensor:
        chunks = encode_in_chunks(
            frames,
            chunk,
            dtype=torch.float16,
            encode=lambda frames, dtype: vae.decode(frames.float(), dtype),
            is_out_of_memory=lambda error: isinstance(error, MemoryError),
            free_memory=vae.free,
        )
        return torch.cat(list(chunks))

    def test_frames_of_whole_numbers(self):
        vae = Vae()
        assert torch.equal(self.encode(vae, LATENTS.byte(), 2), LATENTS * 2)
        assert sizes(vae) == [2, 2, 1]

    def test_words(self, caplog):
        vae = Vae(memory=2, overflows=(torch.float16,))
        self.encode(vae, LATENTS + 1, 4)
        assert "Memory ran out: frames that are encoded at once reduced to 2." in caplog.text
        assert "The VAE overflowed in torch.float16: encoding in float32." in caplog.text
