"""What DropletVideo's config files have to say beside sizes."""

import logging
import math

import pytest

from fcvg_core.errors import UserError
from fcvg_core.models.dropletvideo.config import ModelSettings
from fcvg_core.models.dropletvideo.settings import (
    FILES,
    SAMPLING,
    SCHEDULER,
    TRANSFORMER,
    VAE,
    describe_settings,
    model_settings,
)

PARTS = {"transformer": TRANSFORMER, "vae": VAE, "scheduler": SCHEDULER}
NEVER_RIGHT = ("text", -1, [], {}, [None], 10**9, 1e300, math.nan, math.inf, "1")
TOLD = frozenset({"scaling_factor", "adds_noise", "schedule"})


def test_without_files():
    assert model_settings({}) == ModelSettings(scaling_factor=0.7, adds_noise=True)


def test_files_that_say_everything():
    configs = {
        part: {key: rule.default for key, rule in rules.items()} for part, rules in PARTS.items()
    }
    assert model_settings(configs) == ModelSettings(told=TOLD)


def test_what_may_differ():
    configs = {
        "transformer": {"add_noise_in_inpaint_model": False, "sample_width": 90},
        "vae": {"scaling_factor": 1},
    }
    expected = ModelSettings(scaling_factor=1.0, adds_noise=False, told=TOLD - {"schedule"})
    assert model_settings(configs) == expected


@pytest.mark.parametrize(
    ("part", "key"), [(part, key) for part, rules in PARTS.items() for key in rules]
)
def test_never_right(part, key):
    for value in NEVER_RIGHT:
        with pytest.raises(UserError, match=f"^{FILES[part]}: {key} is .*; expected ") as error:
            model_settings({part: {key: value}})
        assert len(str(error.value)) < 400


@pytest.mark.parametrize(
    ("part", "key", "value"),
    [
        ("transformer", "use_rotary_positional_embeddings", False),  # CogVideoX-2B
        ("transformer", "patch_size_t", 2),  # CogVideoX-1.5
        ("transformer", "activation_fn", "gelu"),
        ("vae", "scaling_factor", 0),
        ("vae", "scaling_factor", True),
        ("vae", "use_quant_conv", True),
        ("scheduler", "prediction_type", "epsilon"),
        ("scheduler", "rescale_betas_zero_snr", False),
        ("scheduler", "beta_end", 0.02),
    ],
)
def test_other_models(part, key, value):
    with pytest.raises(UserError, match=f"{FILES[part]}: {key} is .*Use the folder of DropletVid"):
        model_settings({part: {key: value}})


@pytest.mark.parametrize("content", [None, [], "text", 3])
def test_no_table(content):
    with pytest.raises(UserError, match=r"vae/config.json holds a \w+; expected DropletVideo-5B's"):
        model_settings({"vae": content})


def test_other_steps_are_said(caplog):
    """The output of the network means the same, so a run is possible."""
    configs = {"scheduler": {"timestep_spacing": "leading", "clip_sample": False, "set_alpha": 1}}
    assert model_settings(configs) == ModelSettings()
    assert caplog.messages == [
        "scheduler/scheduler_config.json: timestep_spacing is 'leading', but this program samples "
        "with 'trailing', as the published model."
    ]


def test_sampling_as_published_is_not_said(caplog):
    caplog.set_level(logging.INFO)
    model_settings({"scheduler": {key: rule.default for key, rule in SAMPLING.items()}})
    assert not caplog.messages


def test_description():
    assert describe_settings(ModelSettings(told=frozenset({"adds_noise"}))) == (
        "DropletVideo: its config files say that the model was trained with noise on the given "
        "pictures; it is assumed that latents are multiplied by 0.7, the noise schedule is "
        "CogVideoX-5B's."
    )
    assert "trained without noise" in describe_settings(ModelSettings(adds_noise=False))
