"""What DropletVideo's config files say beside sizes, checked against what this program does.

The released files could not be seen when this was written. Values that no file says are those of
CogVideoX-5B and CogVideoX-Fun, from which DropletVideo was trained.

Source: IEIT-AGI/DropletVideo transformer.py, vae.py, inference.py; diffusers DDIMScheduler.
"""

import logging
from collections.abc import Mapping
from functools import partial
from typing import Any

from ...errors import UserError
from ..config_rules import (
    Rule,
    Rules,
    about,
    exactly,
    is_number,
    read_config,
    value_text,
    wrong_value,
)
from .config import ModelSettings

MODEL = "DropletVideo-5B"  # for messages
# Part of the model -> its config file in the official folder.
FILES = {
    "transformer": "transformer/config.json",
    "vae": "vae/config.json",
    "scheduler": "scheduler/scheduler_config.json",
}
# How the name of a file of weights begins that has its part's config file beside it.
WEIGHTS_NAME = "diffusion_pytorch_model"
ROTARY = "use_rotary_positional_embeddings"
MOST_SCALING = 100.0  # published VAEs have factors from 0.13 to 1.6
_about = partial(about, model=MODEL)
_NOTHING = Rule(None, "null", lambda found: found is None)
_TRUTH = Rule(True, "true or false", lambda found: isinstance(found, bool))
_PATCH_IN_TIME = Rule(None, "null: CogVideoX-1.5 alone has it", lambda found: found is None)
TRANSFORMER: Rules = {
    "add_noise_in_inpaint_model": _TRUTH,
    ROTARY: Rule(
        True, "true: only 2B models have no rotary positions", lambda found: found is True
    ),
    "use_learned_positional_embeddings": exactly(False),
    "patch_size": exactly(2),
    "patch_size_t": _PATCH_IN_TIME,
    "ofs_embed_dim": _PATCH_IN_TIME,
    "attention_bias": exactly(True),
    "activation_fn": exactly("gelu-approximate"),
    "timestep_activation_fn": exactly("silu"),
    "flip_sin_to_cos": exactly(True),
    "freq_shift": exactly(0),
    "norm_elementwise_affine": exactly(True),
    "norm_eps": _about(1e-5),
    "temporal_compression_ratio": exactly(4),
}
VAE: Rules = {
    "scaling_factor": Rule(
        ModelSettings.scaling_factor,
        f"a number above 0, at most {MOST_SCALING:g}",
        lambda found: is_number(found) and 0 < found <= MOST_SCALING,
    ),
    "in_channels": exactly(3),
    "out_channels": exactly(3),
    "act_fn": exactly("silu"),
    "norm_eps": _about(1e-6),
    "temporal_compression_ratio": Rule(4, "4", lambda found: is_number(found) and found == 4),
    "shift_factor": _NOTHING,
    "latents_mean": _NOTHING,
    "latents_std": _NOTHING,
    "use_quant_conv": exactly(False),
    "use_post_quant_conv": exactly(False),
    "invert_scale_latents": exactly(False),
}
SCHEDULER: Rules = {
    "num_train_timesteps": exactly(1000),
    "beta_start": _about(0.00085),
    "beta_end": _about(0.012),
    "beta_schedule": exactly("scaled_linear"),
    "trained_betas": _NOTHING,
    "prediction_type": exactly("v_prediction"),
    "rescale_betas_zero_snr": exactly(True),
}
# These change the steps of a sampler, but not what the network's output means.
SAMPLING: Rules = {
    "timestep_spacing": exactly("trailing"),
    "set_alpha_to_one": exactly(True),
    "clip_sample": exactly(False),
    "thresholding": exactly(False),
}


def model_settings(configs: Mapping[str, Any]) -> ModelSettings:
    """What the config files of a folder say, or what holds without them.

    Args:
        configs: what each file holds, by part: "transformer", "vae", "scheduler"; parts whose
            files are missing are left out.

    Raises:
        UserError: a file says that its network computes otherwise than this program.
    """
    read = partial(_read, configs)
    transformer, vae = read("transformer", TRANSFORMER), read("vae", VAE)
    read("scheduler", SCHEDULER)
    _warn_about_sampling(configs.get("scheduler", {}))
    told = {
        field
        for field, part, key in (
            ("scaling_factor", "vae", "scaling_factor"),
            ("adds_noise", "transformer", "add_noise_in_inpaint_model"),
            ("schedule", "scheduler", "beta_schedule"),
        )
        if key in configs.get(part, {})
    }
    return ModelSettings(
        scaling_factor=float(vae["scaling_factor"]),
        adds_noise=transformer["add_noise_in_inpaint_model"],
        told=frozenset(told),
    )


def describe_settings(settings: ModelSettings) -> str:
    """A sentence for the log: which settings are used, and which of them no file has said."""
    noise = "with" if settings.adds_noise else "without"
    used = {
        "scaling_factor": f"latents are multiplied by {settings.scaling_factor:g}",
        "adds_noise": f"the model was trained {noise} noise on the given pictures",
        "schedule": "the noise schedule is CogVideoX-5B's",
    }
    told = [text for field, text in used.items() if field in settings.told]
    assumed = [text for field, text in used.items() if field not in settings.told]
    texts = [
        f"{source} {', '.join(found)}"
        for source, found in (("its config files say that", told), ("it is assumed that", assumed))
        if found
    ]
    return f"DropletVideo: {'; '.join(texts)}."


def _read(configs: Mapping[str, Any], part: str, rules: Rules) -> dict:
    """The values of a part's config file that have rules."""
    return read_config(configs.get(part, {}), rules, name=FILES[part], model=MODEL)


def _warn_about_sampling(scheduler: Mapping[str, Any]) -> None:
    """Log what a scheduler's file says about steps, if this program takes other steps."""
    for key, rule in SAMPLING.items():
        if key in scheduler and not rule.fits(scheduler[key]):
            logging.warning(
                "%s: %s is %s, but this program samples with %s, as the published model.",
                FILES["scheduler"],
                key,
                value_text(scheduler[key]),
                rule.expected,
            )


def check_rotary(told: Any) -> None:
    """Raise UserError if transformer/config.json says that positions are not rotary."""
    _read({"transformer": told}, "transformer", {ROTARY: TRANSFORMER[ROTARY]})


def check_told(told: Any, found: Mapping[str, Any], *, part: str, name: str) -> None:
    """Raise UserError if a config file contradicts what is known otherwise.

    Args:
        told: what the config file holds.
        found: what is known, by the names of the config file.
        part: of FILES.
        name: what has these values, for the message.
    """
    read_config(told, {}, name=FILES[part], model=MODEL)  # refuses what is no table
    for key, value in found.items():
        if key in told and told[key] != value:
            raise refuse_value(part, key, told[key], f"{value_text(value)}, as {name} has")


def refuse_value(part: str, key: str, value: Any, expected: str) -> UserError:
    """The error about a wrong value of a part's config file."""
    return wrong_value(FILES[part], key, value, expected, model=MODEL)
