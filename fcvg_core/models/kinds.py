"""Recognises the kind of model in a file by the names of its tensors, and refuses a wrong file."""

from torch import nn

from ..errors import UserError
from ..quoting import first_names, in_short
from ..weights import Shapes, StateDict, misfits

# Sizes are read from files before the networks are made: a file that tells more than these is
# damaged, and a network of this size would take all memory. Published layers have up to 5120
# channels, published stacks up to 32 layers.
MOST_CHANNELS, MOST_LAYERS = 8192, 64
_UNET = "model.diffusion_model."  # prefix of a UNet in a checkpoint
_ATTENTION = "middle_block.1.transformer_blocks.0."
TAESDV = "the temporal decoder TAESDV"
DROPLET, COGVIDEO = "a DropletVideo transformer", "a CogVideoX transformer"
COGVIDEO_VAE = "a CogVideoX VAE"  # which DropletVideo has, too
_TEXT_TO_TOKENS, _TIME = "patch_embed.text_proj.weight", "time_embedding.linear_1.weight"
_T5 = "encoder.block.{}.layer.0.SelfAttention.{}.weight"
# Kind of model -> names of tensors that tell it; the first kind that fits counts.
_KINDS = (
    ("a ControlNeXt v1 network", ("scale", "mid_convs.1.weight")),
    ("a ControlNeXt v2 network", ("down_res.1.conv_shortcut.weight", "mid_convs.1.weight")),
    ("an SVD UNet", ("add_embedding.linear_1.weight", "conv_in.weight")),
    ("an SVD UNet", ("label_emb.0.0.weight", "input_blocks.1.0.time_stack.in_layers.0.weight")),
    (
        "a DynamiCrafter UNet",
        ("init_attn.0.proj_in.weight", f"{_ATTENTION}attn2.to_k_ip.weight"),
    ),
    ("an SMCD UNet", ("input_blocks.0.1.proj_in.weight", f"{_ATTENTION}gate_attn.alpha_attn")),
    (
        "a UNet of a text-to-video model",
        ("input_blocks.1.0.temopral_conv.conv1.0.weight",),
    ),
    (
        "a UNet without temporal layers (SD 1.5 or 2)",
        ("down_blocks.0.resnets.0.conv1.weight", "conv_in.weight"),
    ),
    (
        "a UNet without temporal layers (SD 1.5, 2 or XL)",
        ("input_blocks.1.0.in_layers.0.weight",),
    ),
    (
        "a DynamiCrafter checkpoint",
        (
            f"{_UNET}init_attn.0.proj_in.weight",
            f"{_UNET}{_ATTENTION}attn2.to_k_ip.weight",
        ),
    ),
    ("a whole checkpoint", ("model.diffusion_model.input_blocks.0.0.weight",)),
    ("a ControlNet", ("controlnet_cond_embedding.conv_in.weight",)),
    ("a VAE", ("decoder.conv_in.weight",)),
    (DROPLET, (_TEXT_TO_TOKENS, _TIME, "fps_embedding.linear_1.weight")),
    (COGVIDEO, (_TEXT_TO_TOKENS, _TIME)),
    (COGVIDEO, (_TEXT_TO_TOKENS, "time_embedding_linear_1.weight")),  # in ComfyUI's names
    (COGVIDEO_VAE, ("decoder.conv_in.conv.weight", "decoder.norm_out.norm_layer.weight")),
    ("a UMT5 text encoder", (_T5.format(1, "relative_attention_bias"), _T5.format(0, "q"))),
    ("a T5 text encoder", (_T5.format(0, "q"),)),
    ("an image projector of DynamiCrafter", ("latents", "layers.0.0.to_kv.weight")),
    ("SMCD's PositionNet", ("null_position_feature", "linears.0.weight")),
    ("SMCD's visual encoder", ("body.0.in_conv.weight", "body.0.block2.weight")),
    ("a CLIP image encoder", ("visual_projection.weight",)),
    (TAESDV, ("decoder.3.conv.0.weight", "decoder.7.weight", "decoder.19.weight")),
    (
        "a tiny decoder of another video model (TAEHV)",
        ("decoder.3.conv.0.weight", "decoder.7.conv.weight"),
    ),
    (
        "the decoder of TAESD, which knows no frame but its own",
        ("1.weight", "3.conv.0.weight", "6.conv.0.weight"),
    ),
    ("the encoder of TAESD", ("0.weight", "1.conv.0.weight", "4.conv.0.weight")),
)


def check_keys(
    state_dict: StateDict, expected: Shapes, *, name: str, partial: bool = False, sizes: str = ""
) -> None:
    """Raise UserError unless a file holds the expected tensors; the message names the first faults.

    Args:
        state_dict: tensors by the names that the network uses; the meta device is allowed.
        expected: shape of every tensor of the network.
        name: name of the file, for the message.
        partial: whether tensors may be missing.
        sizes: name of the file with the network's sizes, for the message.
    """
    wrong = misfits(state_dict, expected, partial=partial)
    if wrong or not state_dict:
        raise UserError(
            f"{name} does not fit{' the sizes of ' * bool(sizes)}{sizes}: it is "
            f"{describe_kind(state_dict)}. {in_short(wrong) or 'It holds no tensor'}."
        )


def check_network(state_dict: StateDict, network: nn.Module, *, name: str) -> None:
    """Raise UserError unless a file holds exactly the tensors of a network; see `check_keys`.

    Args:
        network: may be on the meta device.
    """
    expected = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    check_keys(state_dict, expected, name=name)


def told_size(shapes: Shapes, key: str, axis: int) -> int:
    """A size that a tensor tells; 0 if the tensor is missing or its size can't be right."""
    shape = shapes.get(key, ())
    return shape[axis] if axis < len(shape) and shape[axis] <= MOST_CHANNELS else 0


def told_count(shapes: Shapes, key: str) -> int:
    """How many tensors have a name with a number that counts up from 0; never far too many."""
    count = 0
    while count <= MOST_LAYERS and key.format(count) in shapes:
        count += 1
    return count


def describe_kind(state_dict: StateDict) -> str:
    """Kind of model in a file, in words for an error message."""
    for kind, marks in _KINDS:
        if all(mark in state_dict for mark in marks):
            return kind
    first = first_names(state_dict)
    return f"an unknown file of {len(state_dict)} tensors" + (f" ({first}, ...)" if first else "")
