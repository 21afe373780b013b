import subprocess
import sys

import pytest
from hosts import ROOT

from fcvg_core import choices
from fcvg_core.models.dynamicrafter.variants import VARIANTS


def test_words_are_those_that_users_choose():
    assert (choices.AUTO, *VARIANTS) == choices.DYNAMICRAFTER_MODELS
    assert all(variant.word == word for word, variant in VARIANTS.items())


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
def test_what_the_official_configurations_say(variant):
    is_256 = variant.word == "256"
    assert (variant.prediction == "eps") is is_256 is variant.rate_is_stride
    assert variant.zero_snr is not is_256
    assert variant.base_scale == {"256": None, "1024": 0.3}.get(variant.word, 0.7)
    assert variant.interpolates is (variant.word == "512_interp")
    assert variant.rates[0] <= variant.rate <= variant.rates[1]
    assert all(side % 64 == 0 for side in variant.size)
    assert (variant.spacing, variant.rescale) == (
        ("uniform", 0.0) if is_256 else ("uniform_trailing", 0.7)
    )
    assert variant.rate_name == f"fs ({'a stride of frames' if is_256 else 'frames a second'})"


def test_needs_no_torch():
    """Nodes read the words when ComfyUI starts, and the command line for its help."""
    code = "import sys, fcvg_core.models.dynamicrafter.variants; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr
