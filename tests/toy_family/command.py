"""`brighten`: a picture in, a brighter picture out."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fcvg_core.catalogue.comfyui import known_folders
from fcvg_core.errors import UserError
from fcvg_core.files.claim import Claim, claim_folder
from fcvg_core.progress import Progress, silent
from fcvg_core.standalone.cli.option_groups import OUTPUT, options_of
from fcvg_core.standalone.spec import RunSpec
from fcvg_core.standalone.spec.part import setting
from fcvg_core.standalone.spec.values import PATH
from fcvg_core.standalone.work import Work, about_models, setup_of

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


class ToyWork(Work[ToySpec]):
    """Makes a picture brighter."""

    command = "brighten"

    @property
    def setup(self) -> str:
        """All jobs need the same network."""
        return setup_of(self.command)

    def check(self) -> None:
        """Read the picture."""
        from fcvg_core.standalone.media.pictures import read_frame

        read_frame(self.spec.picture)

    def open(self, like: Any = None) -> Any:
        """The network, which is read once."""
        from fcvg_core.files.weight_files import read_weights
        from toy_family.catalogue import NETWORK
        from toy_family.network import Brightener, build

        if isinstance(like, Brightener):
            return like
        with about_models():
            path = NETWORK.find(known_folders())
            if path is None:
                raise UserError(
                    "The toy's network is missing: python -m fcvg_core models says where."
                )
            return build(read_weights(path), name=str(path))

    def finish(self, maker: Any, prepared: Any, claim: Claim, progress: Progress = silent) -> None:
        """Run the network and write the picture."""
        import torch

        from fcvg_core.frames import to_image, to_uint8
        from fcvg_core.standalone.media.pictures import read_frame
        from fcvg_core.standalone.media.writing import write_picture

        with torch.no_grad():
            image = to_image(read_frame(self.spec.picture)[None])
            bright = maker(image.movedim(-1, 1)).movedim(1, -1)
        write_picture(claim.path / "picture.png", to_uint8(bright)[0])


WORK = ToyWork


def read_spec(options: argparse.Namespace) -> ToySpec:
    """What the options say."""
    return ToySpec.from_options(vars(options))


def run(options: argparse.Namespace) -> None:
    """Load the network, run it and write the picture."""
    work = ToyWork(read_spec(options))
    work.check()
    maker = work.open()
    with claim_folder(work.spec.output) as claim:
        work.finish(maker, None, claim)
    print(claim.path / "picture.png")
