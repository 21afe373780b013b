"""What the networks of each family need: numbers that they hold, and operations.

The constants were counted on PyTorch's meta device, which computes shapes and no values;
`tests/core/test_estimate.py` counts them again.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Networks:
    """What the networks of a family need.

    Attributes:
        unet, control, encoders, vae: numbers in the weights of the UNet, of the network that
            steers it, of the networks that encode pictures and text, and of the VAE.
        step: numbers that the UNet holds at once for each value (a pixel of a latent) of a frame.
        decoding: numbers that the VAE holds at once for each pixel of a frame that it decodes.
        linear: operations of the UNet for each pixel of the latents.
        attention: operations for each pair of pixels of the latents in one frame.
        steering: operations of the network that steers, for each pixel of the latents.
        directions: in which a video is sampled.
        kept: numbers that SVD Cache keeps for each pixel of the latents; 0: it can't be cached.
        control_step: numbers that the network that steers holds at once, as `step` counts them. It
            sees up to CONTROL_FRAMES at once, whatever the window.
        diffusers_decoding: what the VAE of the command line holds in the place of `decoding`; 0:
            the same.
        decode_chunk: frames that the VAE decodes at once, unless a run says another number.
        latent_frames: frames of the video in a frame of the latents; the first holds one.
        text: pixels of the latents that need as much as the text of the sequence.
        whole_attention: operations for each pair of pixels of the latents in one window, if
            attention sees all its frames at once.
        shallow_linear, shallow_attention: operations of a pass that uses kept features, counted as
            `linear` and `attention` are.
    """

    unet: int
    control: int
    encoders: int
    vae: int
    step: int
    decoding: int
    linear: float
    attention: float
    steering: float
    directions: int
    kept: int = 0
    control_step: int = 0
    shallow_linear: float = 0.0
    shallow_attention: float = 0.0
    diffusers_decoding: int = 0
    decode_chunk: int = 2
    latent_frames: int = 1
    text: int = 0
    whole_attention: float = 0.0

    @property
    def on_the_command_line(self) -> "Networks":
        """The same with what the VAE of the command line holds."""
        return replace(self, decoding=self.diffusers_decoding or self.decoding)

    def count_latents(self, frames: int) -> int:
        """Frames of the latents that hold so many frames of a video."""
        return (frames - 1) // self.latent_frames + 1

    def sequence(self, length: int, pixels: int) -> int:
        """Pixels of so many frames of the latents, and those that its text counts for."""
        return length * pixels + self.text


FCVG = Networks(
    unet=1_524_623_082,
    control=3_526_400,  # ControlNeXt's version 2; version 1 has 2 million more
    encoders=632_076_800,
    vae=97_742_847,
    step=8640,
    decoding=1024,
    linear=2.80e8,
    attention=7320,
    steering=2.47e7,
    directions=2,
    kept=320,
    control_step=8210,
    shallow_linear=5.04e7,
    shallow_attention=3827,
)
DYNAMICRAFTER = Networks(
    unet=1_438_854_980,
    control=0,
    encoders=1_034_896_897,
    vae=83_653_863,
    step=10470,
    decoding=768,
    linear=2.92e8,
    attention=6790,
    steering=0,
    directions=1,
)
CONTROLNEXT_SVD = replace(FCVG, directions=1)
# The encoders are the text encoder, and what makes tokens of objects and of the first frame.
SMCD = replace(
    DYNAMICRAFTER,
    unet=1_833_671_684,
    encoders=558_315_329,
    linear=3.87e8,
    attention=13797,
)
# A token is a square of 2 x 2 pixels of the latents, and the text has 400 tokens. The UNet is the
# transformer here.
DROPLETVIDEO = Networks(
    unet=5_572_328_000,
    control=0,
    encoders=4_762_310_656,
    vae=215_583_907,
    step=6290,
    decoding=1500,
    linear=2.379e9,
    attention=0,
    steering=0,
    directions=1,
    diffusers_decoding=2830,
    decode_chunk=8,
    latent_frames=4,
    text=4 * 400,
    whole_attention=32256,
)
