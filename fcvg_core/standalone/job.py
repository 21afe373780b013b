"""The models of a run and the machine that they run on."""

import argparse
import importlib.util
import logging

PACKAGES = ("torch", "diffusers", "transformers", "accelerate", "av")


class Job:
    """Chooses device, number format and files at once, and loads when it is told to.

    Args:
        options: `model`, `unet`, `controlnext`, `device`, `dtype` and `offload` of the command
            line.

    Raises:
        ModuleNotFoundError: a package is missing.
        ValueError: a file or the device is.
    """

    def __init__(self, options: argparse.Namespace):
        check_packages(PACKAGES)
        from .machine import choose_device, choose_dtype
        from .model_files import find_models
        from .stand_ins import is_stand_in_file

        self.device = choose_device(options.device)
        self.dtype = choose_dtype(options.dtype, self.device)
        self.offload = options.offload
        self.files = find_models(
            options.model, options.unet, options.controlnext, half=self.dtype.itemsize == 2
        )
        self.stand_ins = any(map(is_stand_in_file, (self.files.unet, self.files.controlnext)))
        if self.stand_ins:
            logging.warning("THESE ARE STAND-IN MODELS, NOT TRAINED: THE FRAMES WILL BE NOISE.")

    def load(self, progress):
        """The pipeline with all its models; progress is called as a `Bars` is."""
        from .loading import PARTS, Models, load_models
        from .pipeline import InbetweenPipeline

        loaded = {}
        progress("loading", 0, len(PARTS))
        files = self.files
        for name, network in load_models(files.svd, files.unet, files.controlnext, self.dtype):
            loaded[name] = network
            progress("loading", len(loaded), len(PARTS))
        return InbetweenPipeline(Models(**loaded), device=self.device, offload=self.offload)


def check_packages(names: tuple[str, ...]) -> None:
    """Raise ModuleNotFoundError for the first package that is missing, before any work."""
    for name in names:
        if importlib.util.find_spec(name) is None:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
