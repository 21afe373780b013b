"""The largest losses of a pass: time that a chip at its matrix rate would not need."""

MOST = 3
COUNTED = ("convolution", "attention", "matmul")  # kinds whose operations are counted
IDLE = "the GPU waits"


def find_losses(profile: dict, operations: dict[str, float], rate: float | None) -> list[dict]:
    """The three largest losses of a pass of the UNet.

    The loss of convolutions, attention and products of matrices is what they take longer than
    their operations would take at the matrix rate. All other kernels are lost time, and so is the
    time without a kernel.

    Args:
        profile: of `Kernels.profile`; empty if it was not measured.
        operations: of a pass, by kind.
        rate: operations a second of large matrices; None if it was not measured.

    Returns:
        "what" and "seconds" of each loss, the largest first.
    """
    if not profile or not operations or not rate or "no_kernels" in profile:
        return []
    losses = {}
    for kind, seconds in profile["groups_s"].items():
        ideal = operations.get(kind, 0) / rate if kind in COUNTED else 0.0
        share = f" at {ideal / seconds:.0%} of the matrix rate" if ideal else ""
        losses[f"{kind}{share}"] = seconds - ideal
    losses[IDLE] = profile["pass_s"] - profile["profiled_s"]
    found = sorted(losses.items(), key=lambda item: -item[1])[:MOST]
    return [{"what": what, "seconds": seconds} for what, seconds in found if seconds > 0]
