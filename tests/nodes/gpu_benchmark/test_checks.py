"""What a benchmark that can't fail would let through."""

import numpy as np
import pytest


class TestChecks:
    """What a benchmark that can't fail would let through."""

    SIZE = (16, 32, 3, 2)

    @pytest.fixture
    def written(self, module, tmp_path):
        """Write a video as the host does, and check it."""
        from PIL import Image
        from safetensors.numpy import save_file

        graphs, server = module("gpu_graphs"), module("gpu_server")
        folder = tmp_path / "output"
        folder.mkdir()

        def write(latents: np.ndarray, frames: np.ndarray):
            names = [f"{i}.png" for i in range(len(frames))]
            save_file({"latent_tensor": latents}, folder / "l.latent")
            for name, frame in zip(names, frames, strict=True):
                Image.fromarray(frame).save(folder / name)
            files = {
                "latents": {"latents": [{"filename": "l.latent", "subfolder": ""}]},
                "frames": {"images": [{"filename": n, "subfolder": ""} for n in names]},
            }
            run = server.Run(outputs=files)
            return graphs.check_video(run, tmp_path, graphs.Size(*self.SIZE))

        write.graphs, write.error = graphs, server.PartFailedError
        return write

    def video(self) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(0)
        return (
            rng.normal(size=(3, 4, 2, 4)).astype(np.float32),
            rng.integers(0, 256, (3, 16, 32, 3), dtype=np.uint8),
        )

    def test_a_usual_video(self, written):
        latents, frames = self.video()
        found = written(latents, frames)
        assert np.array_equal(found.latents, latents)
        assert np.array_equal(found.frames, frames)

    @pytest.mark.parametrize("value", [np.nan, np.inf, 6e4])
    def test_a_value_that_half_precision_lost(self, written, value):
        latents, frames = self.video()
        latents[1, 2, 0, 0] = value
        with pytest.raises(written.error, match="not finite"):
            written(latents, frames)

    def test_a_black_frame(self, written):
        latents, frames = self.video()
        frames[2] = 0
        with pytest.raises(written.error, match=r"\[2\] have only one colour"):
            written(latents, frames)

    def test_latents_that_do_not_vary(self, written):
        _, frames = self.video()
        with pytest.raises(written.error, match="almost constant"):
            written(np.zeros((3, 4, 2, 4), np.float32), frames)

    def test_a_frame_too_few(self, written):
        latents, frames = self.video()
        with pytest.raises(written.error, match="2 frames were saved, not 3"):
            written(latents, frames[:2])

    def test_two_videos(self, written):
        latents, frames = self.video()
        first, same = (written.graphs.Video(latents.copy(), frames.copy()) for _ in range(2))
        assert written.graphs.compare(first, same) is None
        latents[0, 0, 0, 0] += 0.5
        other = written.graphs.Video(latents, frames)
        assert "latents differ by up to 0.5" in written.graphs.compare(first, other)
