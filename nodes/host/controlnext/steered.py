"""Which chunks of a batch ControlNeXt steers at its conditional level."""

from ..passes import STEERED, refuse_areas


def name_the_steered(guider) -> None:
    """Name the conds that a patch steers at their conditional level: all but the negative ones.

    The order of the conds does not show it: some guiders of the host evaluate the negative conds
    first.
    """
    refuse_areas(guider.conds)
    guider.model_options["transformer_options"][STEERED] = frozenset(
        cond["uuid"]
        for name, conds in guider.conds.items()
        for cond in conds
        if "negative" not in (name, cond.get("prompt_type"))
    )


def conditional_chunks(transformer_options: dict) -> list[bool]:
    """For each chunk of a batch, whether it is conditional."""
    steered = transformer_options.get(STEERED)
    if steered is None:  # without a guider: the host's first cond is the positive one
        return [number == 0 for number in transformer_options["cond_or_uncond"]]
    return [uuid in steered for uuid in transformer_options["uuids"]]
