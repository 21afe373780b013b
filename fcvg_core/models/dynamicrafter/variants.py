"""The table of the published DynamiCrafter models.

This module imports nothing heavy: nodes read it when ComfyUI starts.

Source: Doubiiu/DynamiCrafter README.md, configs/inference_*.yaml, gradio_app.py, scripts/run.sh.
"""

from dataclasses import dataclass

from ...canvas import in_words
from ...choices import TRAILING, UNIFORM

FRAMES = 16  # of a video with which the models were trained

EPS, V = "eps", "v"  # what the UNet predicts: noise or velocity


@dataclass(frozen=True, kw_only=True)
class Variant:
    """One published model.

    Attributes:
        word: how users choose the model.
        title: the model's name without its size.
        prediction: EPS or V.
        zero_snr: whether the last noise level is pure noise.
        base_scale: factor of the clean latents at noise levels from 400 on; None: always 1.
        size: (height, width) of the training, in pixels.
        rate: recommended rate.
        rates: (smallest, largest) rate for which the model is meant.
        rate_is_stride: whether the rate is a frame stride (a larger one means more motion);
            otherwise frames a second (a smaller one means more motion).
        interpolates: whether the model was trained with a first and a last picture.
        spacing: recommended spacing of timesteps, one of SPACINGS of `choices`.
        rescale: recommended share of the contrast before guidance that comes back, 0..1.
    """

    word: str
    title: str
    prediction: str = V
    zero_snr: bool = True
    base_scale: float | None = None
    size: tuple[int, int]
    rate: int
    rates: tuple[int, int]
    rate_is_stride: bool = False
    interpolates: bool = False
    spacing: str = TRAILING
    rescale: float = 0.7

    @property
    def name(self) -> str:
        """The model's name for people, with the size (width x height) of the training."""
        return f"{self.title} ({in_words(self.size)})"

    @property
    def rate_name(self) -> str:
        """The rate for messages: the name that both faces give it, and what it is."""
        return f"fs ({'a stride of frames' if self.rate_is_stride else 'frames a second'})"


VARIANTS = {
    variant.word: variant
    for variant in (
        Variant(
            word="256",
            title="DynamiCrafter",
            prediction=EPS,
            zero_snr=False,
            size=(256, 256),
            rate=3,
            rates=(1, 6),
            rate_is_stride=True,
            spacing=UNIFORM,
            rescale=0.0,
        ),
        Variant(
            word="512",
            title="DynamiCrafter 512",
            base_scale=0.7,
            size=(320, 512),
            rate=24,
            rates=(15, 30),
        ),
        Variant(
            word="1024",
            title="DynamiCrafter 1024",
            base_scale=0.3,
            size=(576, 1024),
            rate=10,
            rates=(5, 15),
        ),
        Variant(
            word="512_interp",
            title="DynamiCrafter 512 Interp",
            base_scale=0.7,
            size=(320, 512),
            rate=5,
            rates=(5, 30),
            interpolates=True,
        ),
    )
}
