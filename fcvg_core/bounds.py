"""The smallest and the largest value of each setting, for the options and the nodes' widgets.

A bound keeps mistakes out, such as a zero too many; no sensible value lies near a bound. Settings
of a single node have their bounds in that node.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Bounds:
    """The smallest and the largest value, both allowed.

    Attributes:
        step: values have to be multiples of it; None allows any number between the bounds.
    """

    minimum: float
    maximum: float
    step: int | None = None

    def __contains__(self, value: float) -> bool:
        """Whether a value is allowed; NaN is not."""
        return self.minimum <= value <= self.maximum and not (self.step and value % self.step)

    def __str__(self) -> str:
        """In words: "1 to 1000"."""
        ends = (self.minimum, self.maximum)
        return " to ".join(str(int(end) if end == int(end) else end) for end in ends)

    @property
    def widget(self) -> dict[str, float]:
        """Arguments of a node's Int or Float input."""
        step = {"step": self.step} if self.step else {}
        return {"min": self.minimum, "max": self.maximum, **step}


# The video.
SIZE = Bounds(64, 4096, step=64)  # pixels, of the height and of the width
FRAMES = Bounds(2, 1024)  # of a video between two keyframes, both included
ANIMATION_FRAMES = Bounds(2, 4096)
STRIDE = Bounds(1, 1000)  # frames of a driving video, of which the first counts
FILE_FPS = Bounds(0.001, 1000)  # frames a second of a video file, read or written
FPS = Bounds(1, 1000)  # frames a second that SVD is told: a whole number
MOTION_BUCKET = Bounds(1, 1023)  # SVD's measure of motion
AUGMENTATION = Bounds(0.0, 1.0)  # standard deviation of noise on pictures in -1..1

# Conditions.
MAX_LINES = Bounds(1, 3000)  # of a frame
MAX_KEYPOINTS = Bounds(1, 10000)  # of a frame
LINE_WIDTH = Bounds(1, 32)  # pixels
COLOR_SEED = Bounds(0, 2**32 - 1)
POSE_WIDTH = Bounds(0.1, 10.0)  # multiples of the width that a model was trained on
SMOOTHING = Bounds(0.0, 20.0)  # frames
CONTROL_WEIGHT = Bounds(0.0, 10.0)  # 1 is as trained

# Sampling.
STEPS = Bounds(1, 1000)
GUIDANCE = Bounds(0.0, 30.0)
WINDOW = Bounds(2, 1024)  # frames
OVERLAP = Bounds(0, 1023)  # frames; 0 is for a video of one window
SEED = Bounds(0, 2**64 - 1)
INJECTION_TIMES = Bounds(0, 20)  # how many more times a step is taken
SHARE = Bounds(0.0, 1.0)  # of a whole
DECODE_CHUNK = Bounds(1, 256)  # frames that the VAE decodes at once
