import pytest

from fcvg_core.models.sizes import check_size


class TestCheckSize:
    def test_sizes_the_model_takes(self):
        check_size(576, 1024)
        check_size(64, 64)

    @pytest.mark.parametrize(
        ("height", "width", "message"),
        [
            (570, 1024, "height must be a multiple of 64 from 64 to 4096, got 570: use 512 or 576"),
            (576, 1000, "width must be a multiple of 64 .*, got 1000: use 960 or 1024"),
            (0, 64, "height must be .* got 0: use 64."),
            (64, 4160, "width must be .* got 4160: use 4096."),
            (-64, 64, "height must be .* got -64: use 64."),
        ],
    )
    def test_sizes_it_does_not(self, height, width, message):
        with pytest.raises(ValueError, match=message):
            check_size(height, width)
