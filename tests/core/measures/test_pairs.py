"""All measures of a clip, frame by frame."""

import weakref

import numpy as np
import pytest

from fcvg_core.measures import difference, jitter, measure_pairs, psnr, ssim


def clip(seed, count=5):
    return np.random.default_rng(seed).integers(0, 256, (count, 16, 20, 3), dtype=np.uint8)


def measured(truth, result, **more):
    return measure_pairs(zip(truth, result, strict=True), more)


class TestMeasurePairs:
    def test_equals_the_measures_of_whole_clips(self):
        truth, result = clip(1), clip(2)
        found = measured(truth, result)
        expected = {
            "psnr": psnr(truth, result),
            "ssim": ssim(truth, result),
            "difference": difference(truth, result),
            "jitter": jitter(result),
            "truth_jitter": jitter(truth),
        }
        assert found.keys() == expected.keys()
        for name, values in expected.items():
            np.testing.assert_array_equal(found[name], values)

    def test_further_measures(self):
        def brighter(truth, result):
            return (result.astype(int) - truth).mean(axis=(1, 2, 3))

        found = measured(clip(1), clip(1) // 2, brighter=brighter)["brighter"]
        assert found.shape == (5,) and (found < 0).all()

    @pytest.mark.parametrize("count", [1, 2])
    def test_few_frames_have_no_jitter(self, count):
        found = measured(clip(1, count), clip(2, count))
        assert found["psnr"].shape == found["jitter"].shape == (count,)
        assert np.isnan(found["jitter"]).all()

    def test_few_frames_are_in_memory(self):
        alive = []

        def pairs():
            for seed in range(20):
                frame = clip(seed, 1)[0]
                alive.append(weakref.ref(frame))
                yield frame, frame
                del frame
                assert sum(reference() is not None for reference in alive) <= 3

        assert len(measure_pairs(pairs(), {})["psnr"]) == 20
