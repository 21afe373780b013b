"""One training step of SVD under ControlNeXt: predictions of several passes, and their loss.

The networks, their inputs and the place where control acts are those of inference. Inference has
one noise level and one video in a batch; here each pass of a batch has its own.

Source: dvlab-research/ControlNeXt ControlNeXt-SVD-v2-Training/train_svd.py:1211-1322.
Differs: the ControlNeXt is that of inference. The official training code has another one, whose
    stem pads (`stem_padding` of its Config), so what it trains is not what runs.
"""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from ..errors import UserError
from ..models.controlnext import ControlNeXt, check_fit, control_features
from ..models.svd import noisy_deviation, timestep
from ..standalone.networks.passes import join_image
from ..standalone.networks.steering import steered_samples
from .clips import Clip
from .dropout import Kept
from .loss import add_noise, v_loss, v_target

UNET, CONTROLNEXT = "unet", "controlnext"  # beginnings of the parameters' names


@dataclass(frozen=True, eq=False)
class Pass:
    """A clip at a noise level, and what of its conditions is kept.

    Attributes:
        sigma: scalar, the same for all frames, float64 or float32.
        noise: [T, 4, h, w] unit variance, in the clip's order of time.
    """

    clip: Clip
    sigma: Tensor
    noise: Tensor
    kept: Kept = Kept()

    def __post_init__(self):
        if self.noise.shape != self.clip.latents.shape:
            got, expected = tuple(self.noise.shape), tuple(self.clip.latents.shape)
            raise ValueError(f"expected noise {expected} as the latents, got {got}")


class SteeredUnet(nn.Module):
    """SVD's UNet and the ControlNeXt that steers it, as one module: its parameters are trained.

    Names of its parameters begin with "unet." and "controlnext.". What follows are the names in
    the networks' files.

    Args:
        unet: diffusers' UNet of SVD.
        controlnext: version 2; None: nothing is steered.
        strength: factor of control's level; 1.0 as in the official code.

    Raises:
        UserError: the two networks do not fit each other, or the ControlNeXt can't be trained.
    """

    def __init__(self, unet: nn.Module, controlnext: ControlNeXt | None, *, strength: float = 1.0):
        super().__init__()
        if controlnext is not None:
            _check_trainable(controlnext)
            check_fit(controlnext, unet.config.block_out_channels)
        self.unet = unet
        self.controlnext = controlnext
        self.strength = strength
        self._saves_memory = False

    def save_memory(self) -> None:
        """Compute activations again on the way back, instead of keeping them.

        This is gradient checkpointing. The gradients are the same; a step takes longer. diffusers'
        own keeps what the layers over frames compute.
        """
        for block in (*self.unet.down_blocks, self.unet.mid_block, *self.unet.up_blocks):
            for layer in (*block.resnets, *getattr(block, "attentions", ())):
                layer.forward = partial(checkpoint, layer.forward, use_reentrant=False)
        self._saves_memory = True

    def forward(self, passes: Sequence[Pass]) -> Tensor:
        """v-predictions of passes.

        ControlNeXt runs once for passes that share control frames and a noise level, as the two
        directions of a clip do.

        Args:
            passes: at least one; latents, and control frames too, have one shape; they are on any
                device.

        Returns:
            [B, T, 4, h, w] float32 on the UNet's device, in the clips' order of time.

        Raises:
            ValueError: latents or control frames have different shapes, or there is no pass.
        """
        _check_shapes(passes)
        device, dtype = self.unet.device, self.unet.dtype
        sigmas = torch.stack([each.sigma for each in passes])
        context = torch.cat([_embedding(each) for each in passes]).to(device)
        sample = torch.stack([_sample(each, device) for each in passes])
        with self._steering(passes):
            out = self.unet(
                sample.to(dtype),
                timestep(sigmas).to(device),
                encoder_hidden_states=context.to(dtype),
                added_time_ids=sample.new_tensor([each.clip.ids for each in passes]),
                return_dict=False,
            )[0]
        return out.float()

    def _steering(self, passes: Sequence[Pass]):
        """The context in which each pass is steered by its own control frames."""
        if self.controlnext is None or not self.strength:
            return nullcontext()
        controls = self._controls(passes)
        if all(control is None for control in controls):
            return nullcontext()
        return steered_samples(self.unet, self.controlnext, controls, self.strength)

    def _controls(self, passes: Sequence[Pass]) -> list[Tensor | None]:
        """Prepared features [T, C, h, w] of each pass in its order of time; None: not steered."""
        keys = [_control_key(each) for each in passes]
        firsts = {key: each for key, each in zip(keys, passes, strict=True) if key}
        if not firsts:
            return [None] * len(passes)
        features = self._features(list(firsts.values())).split(len(passes[0].noise))
        found = dict(zip(firsts, features, strict=True))
        return [
            found[key].flip(0) if key and each.clip.backward else found.get(key)
            for key, each in zip(keys, passes, strict=True)
        ]

    def _features(self, passes: Sequence[Pass]) -> Tensor:
        """Prepared features [B * T, C, h, w] of the control frames of passes."""
        num_frames, _, *size = passes[0].noise.shape
        sigmas = torch.stack([each.sigma for each in passes])
        # One level is a scalar, as in inference: it is then rounded as there.
        sigmas = sigmas[0] if len(passes) == 1 else sigmas.repeat_interleave(num_frames)
        weight = next(self.controlnext.parameters())
        arguments = (
            self.controlnext,
            torch.cat([each.clip.control for each in passes]),
            sigmas,
            self.controlnext.config.hidden_size(tuple(size)),
            weight.device,
            weight.dtype,
        )
        if self._saves_memory:
            return checkpoint(control_features, *arguments, use_reentrant=False)
        return control_features(*arguments)


def training_loss(network: nn.Module, passes: Sequence[Pass]) -> Tensor:
    """The loss of each pass.

    Args:
        network: a `SteeredUnet`, or a module that wraps it.
        passes: see `SteeredUnet`.

    Returns:
        [B] float32 on the network's device. A step goes down the gradient of their mean.
    """
    prediction = network(passes)
    target = torch.stack([v_target(x.clip.latents, x.noise, x.sigma) for x in passes])
    return v_loss(prediction, target, _weights(passes))


def _weights(passes: Sequence[Pass]) -> Tensor | None:
    """[B, T, 1, h, w] of all passes; None if no clip has weights."""
    given = [each.clip.weights for each in passes]
    if all(weights is None for weights in given):
        return None
    plain = torch.ones_like(passes[0].clip.latents[:, :1])
    return torch.stack([plain if weights is None else weights.to(plain) for weights in given])


def _sample(each: Pass, device: torch.device) -> Tensor:
    """[T, 8, h, w], what the UNet sees of a pass."""
    clip = each.clip
    noisy = add_noise(clip.latents, each.noise, each.sigma) / noisy_deviation(each.sigma)
    return join_image(noisy.to(device), clip.images[0], share=float(each.kept.image))


def _embedding(each: Pass) -> Tensor:
    """[1, 1, D]."""
    return each.clip.images[0].embedding * float(each.kept.embedding)


def _control_key(each: Pass) -> tuple[int, float] | None:
    """The same for passes that need the same features of control frames; None: they need none."""
    if each.clip.control is None or not each.kept.control:
        return None
    return id(each.clip.control), float(each.sigma)


def _check_shapes(passes: Sequence[Pass]) -> None:
    shapes = {tuple(each.clip.latents.shape) for each in passes}
    if len(shapes) != 1:
        raise ValueError(f"expected passes over latents of one shape, got {sorted(shapes)}")
    controls = (each.clip.control for each in passes if each.clip.control is not None)
    kinds = {(tuple(control.shape), str(control.dtype)) for control in controls}
    if len(kinds) > 1:
        raise ValueError(f"expected control frames of one shape and type, got {sorted(kinds)}")


def _check_trainable(network: ControlNeXt) -> None:
    if network.config.learned_scale:
        raise UserError(
            f"This is ControlNeXt v{network.config.version}, which can't be trained here: its "
            "learned scale gets no gradient. Use a ControlNeXt v2, as FCVG and "
            "ControlNeXt-SVD-v2 have it."
        )
