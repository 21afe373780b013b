"""SMCD's three networks as training takes them: with dropout, and with less memory."""

from functools import partial

from torch import nn
from torch.utils.checkpoint import checkpoint

from ...models.smcd import PositionNet, VisualEncoder
from ...models.unet3d import UNet3D
from ...models.unet3d.layers import Layers, ResBlock

DROPOUT = 0.1  # share of zeros, in every residual block and in its convolutions over frames


class SmcdNetwork(nn.Module):
    """UNet, PositionNet and visual encoder; their names are the first part of parameters' names."""

    def __init__(self, unet: UNet3D, position_net: PositionNet, visual_encoder: VisualEncoder):
        super().__init__()
        self.unet = unet
        self.position_net = position_net
        self.visual_encoder = visual_encoder

    def add_dropout(self, share: float = DROPOUT) -> None:
        """Put dropout where the official UNet has it; it acts in training mode alone.

        The names of tensors stay as they are.

        Source: Mingxiao-Li/Animate-Your-Motion modelscope_t2v/unet_sd.py, ResBlock and
        TemporalConvBlock_v2. Its attention has a dropout of 0.
        """
        for block in self.unet.modules():
            if isinstance(block, ResBlock):
                over_frames = block.temopral_conv
                convs = (over_frames.conv2, over_frames.conv3, over_frames.conv4)
                for layers in (block.out_layers, *convs):
                    layers[2] = nn.Dropout(share)

    def save_memory(self) -> None:
        """Compute activations again on the way back, instead of keeping them.

        This is gradient checkpointing. The gradients are the same; a step takes longer.
        """
        unet = self.unet
        for layers in (*unet.input_blocks, unet.middle_block, *unet.output_blocks):
            for layer in layers if isinstance(layers, Layers) else (layers,):
                layer.forward = partial(checkpoint, layer.forward, use_reentrant=False)
