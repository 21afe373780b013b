"""The files of an SMCD model -> its networks; all faults are found before weights are read.

Training writes three files into a folder; one file may hold all three networks. Text encoder and
VAE were trained by others.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from .... import estimate
from ....catalogue.model_files import Roots
from ....catalogue.stand_ins import is_stand_in
from ....errors import UserError
from ....models.smcd import PositionNet, VisualEncoder
from ....models.smcd.keys import (
    OFFICIAL,
    WORDS,
    position_net_config,
    smcd_unet_config,
    visual_encoder_config,
)
from ....models.smcd.rules import (
    FILE_NAMES,
    NETWORKS,
    POSITION_NET,
    UNET,
    VISUAL_ENCODER,
    names_beside,
    split_merged,
)
from ....models.unet3d import UNet3D
from ....progress import Progress
from ..clip_text import Tokenizer
from ..other_parts import check_width
from ..parts import CheckedPart, PartFile, check_part, fill_parts, open_part
from .encoders import TEXT, VAE, EncoderFiles, check_encoders
from .pipeline import Networks, SmcdPipeline

_KINDS = {  # network -> what reads its sizes, and its class
    UNET: (smcd_unet_config, UNet3D),
    POSITION_NET: (position_net_config, PositionNet),
    VISUAL_ENCODER: (visual_encoder_config, VisualEncoder),
}


@dataclass(frozen=True, kw_only=True)
class SmcdFiles(EncoderFiles):
    """The files of a model; those of its encoders are in `EncoderFiles`.

    Attributes:
        ckpt: the folder with the three files, the UNet's file, or a file with all three networks.
        position_net: PositionNet's file. None, here and for the next one: it is in `ckpt`, or
            beside the UNet's file.
        visual_encoder: the visual encoder's file.
    """

    ckpt: Path
    position_net: Path | None = None
    visual_encoder: Path | None = None


@dataclass(frozen=True, eq=False)
class CheckedSmcd:
    """A model whose files fit each other, before weights are read.

    Attributes:
        files: where its parts are, also those that were found.
        is_stand_in: whether it is a stand-in, which paints noise.
    """

    files: SmcdFiles
    is_stand_in: bool
    _tokenizer: Tokenizer
    _parts: dict[str, CheckedPart]

    def networks(self) -> estimate.Networks:
        """What the networks need, with the sizes of the model's own. Call this before `load`."""
        sizes = {name: part.size for name, part in self._parts.items()}
        encoders = sum(sizes[x] for x in (TEXT, POSITION_NET, VISUAL_ENCODER))
        return replace(estimate.SMCD, unet=sizes[UNET], encoders=encoders, vae=sizes[VAE])

    def load(self, device: torch.device, offload: bool, progress: Progress) -> SmcdPipeline:
        """A pipeline with all networks. Call this only once: the checked networks are used up.

        Args:
            device, offload: see `DevicePipeline`.

        Raises:
            UserError: a file can't be read, or a weight is no finite number.
        """
        networks = Networks(**fill_parts(self._parts, progress), tokenizer=self._tokenizer)
        return SmcdPipeline(networks, device=device, offload=offload)


def check_smcd(files: SmcdFiles, dtype: torch.dtype, roots: Roots) -> CheckedSmcd:
    """Check the files of a model by their headers.

    Args:
        dtype: number format in which the UNet, the text encoder and the VAE compute.
        roots: known folders, where text encoder, VAE and tokenizer are looked for.

    Raises:
        MissingModelsError: a part is in no file.
        UserError: a file is missing, damaged, holds another network or is of the first stage of
            training, or two files do not fit each other.
    """
    checked, own = check_own(files, dtype)
    others, tokenizer = check_encoders(files, dtype, roots, holder=checked[UNET].file.path)
    checked |= others
    _check_text(checked)
    found = {name: part.file.path for name, part in others.items()}
    return CheckedSmcd(
        replace(files, tokenizer=tokenizer.folder, **own, **found),
        any(is_stand_in(part.file.path) for part in checked.values()),
        tokenizer,
        checked,
    )


def check_own(
    files: SmcdFiles, dtype: torch.dtype
) -> tuple[dict[str, CheckedPart], dict[str, Path]]:
    """SMCD's own networks, and the files of those that are not in the UNet's file.

    Args:
        dtype: number format of the UNet; both other networks compute in float32.

    Returns:
        The networks and the files, each by its name in `rules.NETWORKS`.

    Raises:
        UserError: see `check_smcd`.
    """
    path = _find_unet(files.ckpt)
    part = open_part(path)
    # Whoever names a wrong UNet is told so before being asked for other files.
    checked = {UNET: _check(UNET, part, dtype)}
    found = {x: getattr(files, x) for x in NETWORKS[1:]}
    inside, beside = split_merged(part.tensors), names_beside(path.name)
    lacking = [x for x, own in found.items() if own is None and x not in inside]
    if lacking and beside is None:
        raise _no_neighbour(path, lacking)
    for network in lacking:
        found[network] = path.parent / beside[network]
        if not found[network].is_file():
            raise _lacks(path.parent, network, beside[network])
    # Both networks run once, and the visual encoder has no norms, which would keep its values in
    # the range of half precision.
    for network, own in found.items():
        checked[network] = _check(network, open_part(own) if own else part, torch.float32)
    position_net, visual_encoder = (checked[x].network.config for x in NETWORKS[1:])
    _check_width(checked, POSITION_NET, position_net.out_channels)
    _check_width(checked, VISUAL_ENCODER, visual_encoder.channels[-1])
    return checked, {network: own for network, own in found.items() if own}


def _find_unet(ckpt: Path) -> Path:
    """The UNet's file: in a folder, that of the released names."""
    if not ckpt.is_dir():
        return ckpt
    found = [ckpt / names[0] for names in FILE_NAMES if (ckpt / names[0]).is_file()]
    if not found:
        raise _lacks(ckpt, UNET, FILE_NAMES[0][0])
    return found[0]


def _check(network: str, part: PartFile, dtype: torch.dtype) -> CheckedPart:
    """One of SMCD's own networks, in a file of its own or in a file with all of them."""
    if keys := split_merged(part.tensors).get(network):
        part = PartFile(part.file, {name: part.tensors[x] for name, x in keys.items()}, keys)
    read_config, kind = _KINDS[network]
    built = kind(read_config(part.tensors, name=part.name), device="meta")
    return check_part(built, part, dtype, what=f"the {WORDS[network]} of SMCD")


def _check_text(checked: Mapping[str, CheckedPart]) -> None:
    """Raise UserError unless both networks that read texts take those of the text encoder."""
    unet, position_net = checked[UNET], checked[POSITION_NET]
    for network, taker, wanted in (
        (POSITION_NET, position_net, position_net.network.config.in_channels),
        (UNET, unet, unet.network.config.context_channels),
    ):
        text = checked[TEXT]
        check_width(
            *("text encoder", text, text.network.config.hidden_size),
            *(WORDS[network], taker, wanted),
            "CLIP ViT-H's text encoder",
        )


def _check_width(checked: Mapping[str, CheckedPart], network: str, given: int) -> None:
    """Raise UserError unless the UNet takes the tokens of width `given` of a network."""
    what, unet = WORDS[network], checked[UNET]
    wanted = unet.network.config.context_channels
    use = f"the {what} of this model"
    check_width(what, checked[network], given, WORDS[UNET], unet, wanted, use)


def _lacks(folder: Path, network: str, name: str) -> UserError:
    remedy = "" if network == UNET else f", or give --{network.replace('_', '-')} FILE"
    return UserError(
        f"{folder} lacks {name}, SMCD's {WORDS[network]}. Put {OFFICIAL[network]} there{remedy}."
    )


def _no_neighbour(path: Path, networks: list[str]) -> UserError:
    words = " and no ".join(WORDS[network] for network in networks)
    options = " and ".join(f"--{network.replace('_', '-')} FILE" for network in networks)
    return UserError(
        f"{path} holds no {words}: give {options}, or the folder with {', '.join(FILE_NAMES[0])}."
    )
