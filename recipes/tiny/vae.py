"""Trains SVD's VAE of a few channels from nothing, on pictures.

The decoder's temporal blocks stay exact identities, so a frame is decoded the same alone and among
others. Training passes them over. At the finest level, where a layer costs most, one block of the
encoder and one of the decoder are trained; the others are identities too.

At the end the latents are scaled so that SVD's `scaling_factor` holds for them: the last layer of
the encoder and the first layer of the decoder take the factor in.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from fcvg_core.progress import Progress, silent


@dataclass(frozen=True, kw_only=True)
class VaeTraining:
    """How the VAE is trained.

    Attributes:
        steps: of the optimiser.
        batch: crops of a step.
        crop: side of a crop in pixels, a multiple of 8.
        rate: highest learning rate; it rises over `warmup` steps and falls as a cosine.
        spread: weight of the KL divergence, which keeps latents together.
        centred: weight of the squared mean of each channel of the latents.
        noise: most noise on the latents while the decoder alone is trained, in deviations.
    """

    steps: int = 400
    batch: int = 8
    crop: int = 80
    rate: float = 2e-3
    warmup: int = 50
    spread: float = 1e-6
    centred: float = 1e-3
    noise: float = 0.1

    def rate_at(self, step: int) -> float:
        """Learning rate of a step, counted from 0."""
        rising = min((step + 1) / self.warmup, 1)
        return self.rate * rising * (1 + math.cos(math.pi * step / self.steps)) / 2


Draw = Callable[[torch.Generator], Tensor]  # a batch [B, 3, H, W] in -1..1, on the CPU


def train_vae(
    vae: nn.Module,
    draw: Draw,
    training: VaeTraining,
    *,
    seed: int,
    device: torch.device | None = None,
    half: bool = False,
    progress: Progress = silent,
) -> None:
    """Train a VAE in place; its latents are not scaled yet, see `scale_latents`.

    Args:
        vae: from `make_vae`; it comes to the device.
        draw: makes the next batch.
        seed: of all chance.
        device: None is the CPU.
        half: whether to compute in bfloat16.
        progress: gets "vae", the steps that are done, and all.
    """
    vae.to(device or torch.device("cpu"))
    rest(vae)
    chance = torch.Generator().manual_seed(seed)

    def loss() -> Tensor:
        pixels = draw(chance).to(vae.device)
        with torch.autocast(vae.device.type, torch.bfloat16, enabled=half):
            return vae_loss(vae, pixels, chance, training)

    _descend(vae, loss, training, lambda done: progress("vae", done, training.steps))


def train_decoder(
    vae: nn.Module,
    draw: Draw,
    training: VaeTraining,
    *,
    seed: int,
    half: bool = False,
    progress: Progress = silent,
) -> None:
    """Train the decoder of a trained VAE further; the latents stay what they are.

    The decoder sees latents with some noise, as a UNet that is not perfect gives them. The UNet
    can learn meanwhile, because it needs the encoder alone.

    Args:
        vae: after `scale_latents`, on its device.
        draw, seed, half: as for `train_vae`.
        progress: gets "decoder", the steps that are done, and all.
    """
    rest(vae)
    vae.encoder.requires_grad_(False)
    vae.quant_conv.requires_grad_(False)
    chance = torch.Generator().manual_seed(seed)

    def loss() -> Tensor:
        pixels = draw(chance).to(vae.device)
        with torch.autocast(vae.device.type, torch.bfloat16, enabled=half):
            with torch.no_grad():
                latents = vae.quant_conv(encode(vae.encoder, pixels)).float()[:, :4]
            noise = torch.randn(latents.shape, generator=chance).to(latents)
            share = torch.rand(len(latents), 1, 1, 1, generator=chance).to(latents)
            noise *= share * training.noise / vae.config.scaling_factor
            return closeness(decode(vae.decoder, latents + noise).float(), pixels)

    _descend(vae, loss, training, lambda done: progress("decoder", done, training.steps))


def _descend(
    vae: nn.Module, loss: Callable[[], Tensor], training: VaeTraining, report: Callable[[int], None]
) -> None:
    """Take all steps down the gradient of a loss, in what is not frozen."""
    vae.train()
    opened = [value for value in vae.parameters() if value.requires_grad]
    optimiser = torch.optim.AdamW(opened, lr=training.rate, betas=(0.9, 0.99))
    for step in range(training.steps):
        for group in optimiser.param_groups:
            group["lr"] = training.rate_at(step)
        optimiser.zero_grad()
        loss().backward()
        nn.utils.clip_grad_norm_(opened, 1.0)
        optimiser.step()
        report(step + 1)
    vae.eval()


def vae_loss(vae: nn.Module, pixels: Tensor, chance: torch.Generator, how: VaeTraining) -> Tensor:
    """How far decoded pixels are from the true ones, and what keeps the latents in order."""
    mean, log_variance = vae.quant_conv(encode(vae.encoder, pixels)).float().chunk(2, 1)
    log_variance = log_variance.clamp(-30, 20)
    noise = torch.randn(mean.shape, generator=chance).to(mean)
    decoded = decode(vae.decoder, mean + (log_variance / 2).exp() * noise).float()
    spread = (mean**2 + log_variance.exp() - 1 - log_variance).flatten(1).sum(1).mean() / 2
    centred = (mean.mean((0, 2, 3)) ** 2).sum()
    return closeness(decoded, pixels) + how.spread * spread + how.centred * centred


def closeness(decoded: Tensor, pixels: Tensor) -> Tensor:
    """L1, squared error, and half the L1 of the gradients."""
    error = decoded - pixels
    edges = sum(error.diff(dim=axis).abs().mean() for axis in (2, 3))
    return error.abs().mean() + (error**2).mean() + edges / 2


@torch.no_grad()
def rest(vae: nn.Module) -> None:
    """Make every block that is not trained an exact identity, and freeze it."""
    decoder = vae.decoder
    for name, module in decoder.named_modules():
        if name.endswith("temporal_res_block"):
            _make_identity(module)
        if name.endswith("time_mixer"):
            module.requires_grad_(False)
    decoder.time_conv_out.requires_grad_(False)
    decoder.time_conv_out.weight.zero_()
    decoder.time_conv_out.bias.zero_()
    for channel in range(len(decoder.time_conv_out.weight)):
        decoder.time_conv_out.weight[channel, channel, 1] = 1
    for block in vae.encoder.down_blocks[0].resnets[1:]:
        _make_identity(block)
    for block in decoder.up_blocks[-1].resnets[1:]:
        _make_identity(block.spatial_res_block)


def encode(encoder: nn.Module, pixels: Tensor) -> Tensor:
    """What the encoder gives, without its blocks that rest: [B, 3, 8 h, 8 w] -> [B, 8, h, w]."""
    hidden = encoder.conv_in(pixels)
    for block in encoder.down_blocks:
        for resnet in block.resnets:
            hidden = _through(resnet, hidden)
        for sampler in block.downsamplers or ():
            hidden = sampler(hidden)
    hidden = encoder.mid_block(hidden)
    return encoder.conv_out(encoder.conv_act(encoder.conv_norm_out(hidden)))


def decode(decoder: nn.Module, latents: Tensor) -> Tensor:
    """What the decoder gives, without its blocks that rest: [B, 4, h, w] -> [B, 3, 8 h, 8 w]."""
    hidden = decoder.conv_in(latents)
    first, *others = decoder.mid_block.resnets
    hidden = _through(first.spatial_res_block, hidden)
    for attention, resnet in zip(decoder.mid_block.attentions, others, strict=True):
        hidden = _through(resnet.spatial_res_block, attention(hidden))
    for block in decoder.up_blocks:
        for resnet in block.resnets:
            hidden = _through(resnet.spatial_res_block, hidden)
        for sampler in block.upsamplers or ():
            hidden = sampler(hidden)
    return decoder.conv_out(decoder.conv_act(decoder.conv_norm_out(hidden)))


def _through(resnet: nn.Module, hidden: Tensor) -> Tensor:
    rests = not resnet.conv2.weight.requires_grad and not resnet.conv2.weight.any()
    return hidden if rests else resnet(hidden, None)


def _make_identity(resnet: nn.Module) -> None:
    """A residual block that adds nothing."""
    resnet.requires_grad_(False)
    resnet.conv2.weight.zero_()
    resnet.conv2.bias.zero_()


@torch.no_grad()
def scale_latents(vae: nn.Module, pictures: np.ndarray) -> float:
    """Give the latents of pictures the deviation that SVD's `scaling_factor` expects.

    Args:
        vae: trained.
        pictures: uint8 [N, H, W, 3].

    Returns:
        The deviation that the latents had.
    """
    parameter = next(vae.parameters())
    deviation = torch.cat(
        [vae.encode(to_batch([each]).to(parameter)).latent_dist.mode() for each in pictures]
    ).std()
    factor = 1 / (deviation * vae.config.scaling_factor)
    mean, spread = slice(0, 4), slice(4, 8)
    vae.quant_conv.weight[mean] *= factor
    vae.quant_conv.bias[mean] *= factor
    vae.quant_conv.bias[spread] += 2 * factor.log()
    vae.decoder.conv_in.weight /= factor
    return float(deviation)


def to_batch(pictures: Sequence[np.ndarray]) -> Tensor:
    """uint8 pictures [H, W, 3] -> [B, 3, H, W] in -1..1."""
    return torch.from_numpy(np.stack(pictures)).movedim(-1, 1) / 127.5 - 1


def draw_crops(
    pictures: Sequence[np.ndarray], batch: int, side: int, chance: torch.Generator
) -> Tensor:
    """Crops of random pictures, mirrored at random: [batch, 3, side, side] in -1..1.

    Args:
        pictures: uint8 [H, W, 3], at least `side` high and wide.
    """
    crops = []
    for _ in range(batch):
        picture = pictures[_below(len(pictures), chance)]
        top, left = (_below(length - side + 1, chance) for length in picture.shape[:2])
        crop = picture[top : top + side, left : left + side]
        crops.append(crop[:, ::-1] if _below(2, chance) else crop)
    return to_batch(crops)


def _below(count: int, chance: torch.Generator) -> int:
    return int(torch.randint(count, (), generator=chance))
