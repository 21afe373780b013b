"""`brighten`: a picture in, a brighter picture out."""

import argparse
from dataclasses import dataclass
from pathlib import Path

from fcvg_core.catalogue.comfyui import known_folders
from fcvg_core.errors import UserError
from fcvg_core.standalone.cli.option_groups import OUTPUT, options_of
from fcvg_core.standalone.spec import RunSpec
from fcvg_core.standalone.spec.part import setting
from fcvg_core.standalone.spec.values import PATH

HELP = "make a picture brighter"
DESCRIPTION = "Make a picture brighter. Writes picture.png to a new folder."
EXAMPLES = ("brighten picture.png -o result",)


@dataclass(frozen=True, kw_only=True)
class ToySpec(RunSpec):
    """A picture in, a brighter picture out."""

    picture: Path | None = setting(PATH, None)


SPEC = ToySpec


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    add = options_of(ToySpec, parser)
    add("picture", metavar="PICTURE", help="picture that is made brighter")
    add("-o", "--output", metavar="OUT", help=OUTPUT)
    add("--device", help="auto, cpu, cuda ... (%(default)s)")


def run(options: argparse.Namespace) -> None:
    """Load the network, run it and write the picture."""
    import torch

    from fcvg_core.files.claim import claim_folder
    from fcvg_core.files.weight_files import read_weights
    from fcvg_core.frames import to_image, to_uint8
    from fcvg_core.standalone.media.pictures import read_frame
    from fcvg_core.standalone.media.writing import write_picture
    from toy_family.catalogue import NETWORK
    from toy_family.network import build

    spec = ToySpec.from_options(vars(options))
    frame = read_frame(spec.picture)
    path = NETWORK.find(known_folders())
    if path is None:
        raise UserError("The toy's network is missing: python -m fcvg_core models says where.")
    network = build(read_weights(path), name=str(path))
    with claim_folder(spec.output) as claim, torch.no_grad():
        bright = network(to_image(frame[None]).movedim(-1, 1)).movedim(1, -1)
        write_picture(claim.path / "picture.png", to_uint8(bright)[0])
    print(claim.path / "picture.png")
