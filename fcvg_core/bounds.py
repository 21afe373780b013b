"""Smallest and largest value of each setting, for command-line options and for nodes' widgets.

The bounds keep out typing mistakes, for example a zero too many; useful values are far from
them. If only one node has a setting, the bounds of the setting are in this node.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Bounds:
    """Smallest and largest value of a setting; both are allowed.

    Attributes:
        step: values must be multiples of this number; None: any value between the bounds.
    """

    minimum: float
    maximum: float
    step: int | None = None

    def __contains__(self, value: float) -> bool:
        """Whether a value is allowed; NaN is not."""
        return self.minimum <= value <= self.maximum and not (self.step and value % self.step)

    def __str__(self) -> str:
        """The bounds as text: "1 to 1000"."""
        ends = (self.minimum, self.maximum)
        return " to ".join(str(int(end) if end == int(end) else end) for end in ends)

    def around(self, value: float) -> list[int]:
        """The one or two allowed multiples beside a number: 100 is between 64 and 128."""
        lower = value // self.step * self.step
        beside = (lower, lower + self.step)
        return sorted({int(min(max(x, self.minimum), self.maximum)) for x in beside})

    @property
    def widget(self) -> dict[str, float]:
        """Arguments `min`, `max` and `step` for a node's Int or Float input."""
        step = {"step": self.step} if self.step else {}
        return {"min": self.minimum, "max": self.maximum, **step}


# The video.
# Pixels, for height and width; latents are divided by 8 by the VAE and by 8 by the UNet.
SIZE = Bounds(64, 4096, step=64)
WAN_SIZE = Bounds(64, 4096, step=16)  # pixels of a side, for models of the family Wan
DROPLET_SIZE = Bounds(64, 4096, step=16)  # pixels of a side, for DropletVideo
FRAMES = Bounds(2, 1024)  # number of frames between two keyframes, both included
ANIMATION_FRAMES = Bounds(2, 4096)
STRIDE = Bounds(1, 1000)  # one frame of this many frames of a driving video is used
FILE_FPS = Bounds(0.001, 1000)  # frames a second of a video file, read or written
FPS = Bounds(1, 1000)  # frames a second, given to SVD as a hint: a whole number
MOTION_BUCKET = Bounds(1, 1023)  # SVD's measure of motion
RATE = Bounds(1, 1000)  # DynamiCrafter's hint for motion: frames a second, or a stride of frames
DROPLET_FRAMES = Bounds(1, 1021)  # of DropletVideo; rounded down to 4k + 1
DROPLET_FPS = Bounds(1, 60)  # DropletVideo's hint for motion: fewer move more from frame to frame
DISPLACEMENT = Bounds(0.0, 1000.0)  # of pixels over a video, as a share of the diagonal
AUGMENTATION = Bounds(0.0, 1.0)  # standard deviation of noise on pictures in -1..1

# Control frames.
MAX_LINES = Bounds(1, 3000)  # per frame
MAX_KEYPOINTS = Bounds(1, 10000)  # per frame
LINE_WIDTH = Bounds(1, 32)  # pixels
COLOR_SEED = Bounds(0, 2**32 - 1)
POSE_WIDTH = Bounds(0.1, 10.0)  # multiples of the width with which a model was trained
SMOOTHING = Bounds(0.0, 20.0)  # frames
CONTROL_WEIGHT = Bounds(0.0, 10.0)  # 1: as trained
OBJECTS = Bounds(0, 8)  # of SMCD; a video with fewer can be filled up with absent ones
FEATHER = Bounds(0, 1024)  # pixels; width of a mask's edge

# A move of the camera, between two keyframes.
PAN = Bounds(-2.0, 2.0)  # widths or heights of the frame
ZOOM = Bounds(0.1, 10.0)
ROTATION = Bounds(-360.0, 360.0)  # degrees
TILT = Bounds(-30.0, 30.0)  # degrees; all of the first keyframe stays before the camera

# Sampling.
STEPS = Bounds(1, 1000)
GUIDANCE = Bounds(0.0, 30.0)
IMAGE_GUIDANCE = GUIDANCE  # DynamiCrafter's guidance by the picture alone
GUIDANCE_RESCALE = Bounds(0.0, 1.0)  # share of the contrast before guidance that comes back
ETA = Bounds(0.0, 1.0)  # share of fresh noise in a step of DDIM
WINDOW = Bounds(2, 1024)  # frames
OVERLAP = Bounds(0, 1023)  # frames; 0 is possible only for a video of one window
SEED = Bounds(0, 2**64 - 1)
VIDEOS = Bounds(1, 1_000_000)  # of a data set
SAMPLES = Bounds(1, 1000)  # videos of one run, each with a seed of its own
INJECTION_TIMES = Bounds(0, 20)  # extra repetitions of a step
CACHE_INTERVAL = Bounds(1, 100)  # every N-th evaluation of the UNet is whole; 1: every one is
SHARE = Bounds(0.0, 1.0)  # fraction of a whole
DECODE_CHUNK = Bounds(1, 256)  # frames that the VAE decodes or encodes at once
