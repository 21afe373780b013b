"""The groups of settings that the jobs consist of; how a video is sampled is in `sampling`.

A function takes only the parts that it needs. Every default of the command line is a default here.
"""

from dataclasses import dataclass
from pathlib import Path

from ... import bounds
from ...choices import (
    ANCHORS,
    MATCHERS,
    MISSING_JOINTS,
    MISSING_PEOPLE,
    PICTURE_FITS,
    PRECISIONS,
    REFERENCE,
)
from .part import Part, setting
from .values import DEVICE, PATH, SIZE_KIND, SWITCH, TIMING, TWO_FILES, choice, number, whole


@dataclass(frozen=True, kw_only=True)
class ModelChoice(Part):
    """The models of a run; a model that is None is looked for in the known folders.

    Attributes:
        model: folder of SVD in diffusers' layout.
        unet: file of the UNet.
        controlnext: file of the ControlNeXt.
    """

    model: Path | None = setting(PATH, None)
    unet: Path | None = setting(PATH, None)
    controlnext: Path | None = setting(PATH, None)


@dataclass(frozen=True, kw_only=True)
class MatcherChoice(Part):
    """How the lines of both keyframes are matched.

    Attributes:
        matcher: gluestick, classic, or auto: GlueStick if both of its files are named or found.
        gluestick: file of GlueStick's weights; None looks in the known folders.
        superpoint: file of SuperPoint's weights; None looks in the known folders.
        max_lines: segments to look for in each frame, 1 to 3000.
        max_pts: keypoints to look for in each frame, 1 to 10000; classic uses none.
        matches: file of matches that were made before; with it no matcher runs.
    """

    matcher: str = setting(choice(*MATCHERS), MATCHERS[0])
    gluestick: Path | None = setting(PATH, None)
    superpoint: Path | None = setting(PATH, None)
    max_lines: int = setting(whole(bounds.MAX_LINES), 300)
    max_pts: int = setting(whole(bounds.MAX_KEYPOINTS), 1000)
    matches: Path | None = setting(PATH, None)


@dataclass(frozen=True, kw_only=True)
class PoseChoice(Part):
    """How people are found and how wide they are drawn.

    Attributes:
        dwpose_det: file of DWPose's person detector; None looks in the known folders.
        dwpose_pose: file of DWPose's pose network; None looks in the known folders.
        whole_frame: if nobody is found, take the whole picture for a person.
        pose_width: width of people's lines, in multiples of the width that the model was trained
            on, 0.1 to 10.
    """

    dwpose_det: Path | None = setting(PATH, None)
    dwpose_pose: Path | None = setting(PATH, None)
    whole_frame: bool = setting(SWITCH, False)
    pose_width: float = setting(number(bounds.POSE_WIDTH), 1.0)

    @property
    def detector(self) -> tuple[Path | None, Path | None, bool]:
        """What decides which detector is opened."""
        return self.dwpose_det, self.dwpose_pose, self.whole_frame


@dataclass(frozen=True, kw_only=True)
class InbetweenPoseChoice(PoseChoice):
    """How people of two keyframes are found and drawn.

    Attributes:
        poses: two files with the people of the first and of the last keyframe; False draws no
            people; None detects people if both files of DWPose are named or found.
    """

    poses: tuple[Path, Path] | bool | None = setting(TWO_FILES, None)


@dataclass(frozen=True, kw_only=True)
class Motion(Part):
    """How lines and people move from keyframe to keyframe, and how they are drawn.

    Attributes:
        timing: reference, uniform, ease-in, ease-out, ease-in-out, or 2 to 1024 numbers in 0..1:
            the progress of the motion, spread evenly over the video.
        line_width: width of lines in pixels, 1 to 32.
        color_seed: seed of the lines' colours, 0 to 2**32 - 1.
        missing_joints: joints that only one keyframe shows: hide, or hold beside the body.
        missing_people: people whom only one keyframe shows: fade, or drop.
        edits: file of what a person changed in the node Edit Motion: lines, people, paths and
            regions that stand still.
    """

    timing: str | tuple[float, ...] = setting(TIMING, REFERENCE)
    line_width: int = setting(whole(bounds.LINE_WIDTH), 1)
    color_seed: int = setting(whole(bounds.COLOR_SEED), 0)
    missing_joints: str = setting(choice(*MISSING_JOINTS), MISSING_JOINTS[0])
    missing_people: str = setting(choice(*MISSING_PEOPLE), MISSING_PEOPLE[0])
    edits: Path | None = setting(PATH, None, later=True)


@dataclass(frozen=True, kw_only=True)
class Driving(Part):
    """How a driving video moves the person of a picture.

    Attributes:
        drawn: whether the video shows people that are drawn already, whose frames are the control
            frames; None finds out.
        stride: use every N-th frame of the video, 1 to 1000; None takes 2 of a film, and 1 of a
            video of control frames.
        one_person: draw only the person who is seen most; otherwise everybody is drawn.
        smoothing: how strongly poses are smoothed over time, in frames, 0 to 20.
    """

    drawn: bool | None = setting(SWITCH, None)
    stride: int | None = setting(whole(bounds.STRIDE), None)
    one_person: bool = setting(SWITCH, True)
    smoothing: float = setting(number(bounds.SMOOTHING), 0.0)


@dataclass(frozen=True, kw_only=True)
class AnyMachine(Part):
    """Where networks run, whatever they are.

    Attributes:
        device: auto, or a device of PyTorch: cpu, cuda, cuda:1, mps ...
        dtype: bf16, fp16, fp32, or auto: bf16 or fp16 on a GPU and fp32 on a CPU.
        offload: keep a network on the device only while it is used.
    """

    device: str = setting(DEVICE, "auto")
    dtype: str = setting(choice(*PRECISIONS), PRECISIONS[0])
    offload: bool = setting(SWITCH, False)

    @property
    def loading(self) -> tuple[str | bool, ...]:
        """What decides how networks are loaded, beside the device itself."""
        return self.dtype, self.offload


@dataclass(frozen=True, kw_only=True)
class Machine(AnyMachine):
    """Where networks run whose VAE decodes frame by frame.

    Attributes:
        decode_chunk: frames that the VAE decodes or encodes at once, 1 to 256.
        draft: decode by a tiny decoder in place of the VAE, in a fraction of its time and at less
            quality.
    """

    decode_chunk: int = setting(whole(bounds.DECODE_CHUNK), 2)
    draft: bool = setting(SWITCH, False)

    @property
    def loading(self) -> tuple[str | bool, ...]:
        """What decides how networks are loaded, beside the device itself."""
        return *super().loading, self.draft


@dataclass(frozen=True, kw_only=True)
class Size(Part):
    """Size of the frames, and how pictures of another size are brought to it.

    Attributes:
        height: in pixels, a multiple of 64, up to 4096.
        width: in pixels, a multiple of 64, up to 4096.
        fit: crop what does not fit, pad with black, or stretch.
        anchor: the part that cropping keeps, or where a padded picture lies: center, top,
            bottom, left, right, top-left, top-right, bottom-left or bottom-right.
    """

    height: int = setting(SIZE_KIND, 576)
    width: int = setting(SIZE_KIND, 1024)
    fit: str = setting(choice(*PICTURE_FITS), PICTURE_FITS[0])
    anchor: str = setting(choice(*ANCHORS), ANCHORS[0])

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return self.height, self.width


@dataclass(frozen=True, kw_only=True)
class PreviewVideo(Size):
    """The preview of the motion between two keyframes.

    Attributes:
        frames: number of frames, both keyframes included, 2 to 1024.
        fps: frame rate of the file, 1 to 1000.
    """

    frames: int = setting(whole(bounds.FRAMES), 25)
    fps: int = setting(whole(bounds.FPS), 7)


@dataclass(frozen=True, kw_only=True)
class InbetweenVideo(PreviewVideo):
    """The video between two keyframes; the model gets its frame rate as a hint.

    Attributes:
        keep_keyframes: put all keyframes into the video unchanged.
        match_colors: bring the colours of each frame to an even ramp between the keyframes.
    """

    keep_keyframes: bool = setting(SWITCH, False)
    match_colors: bool = setting(SWITCH, False, later=True)


@dataclass(frozen=True, kw_only=True)
class AnimateVideo(Size):
    """The video that a driving video makes of a picture.

    Attributes:
        frames: maximum number of frames, 2 to 4096; the first shows the picture's own pose.
        fps: frames a second of the files, 0.001 to 1000; None takes the driving video's divided by
            the stride.
        audio: keep the driving video's sound.
    """

    height: int = setting(SIZE_KIND, 768)
    width: int = setting(SIZE_KIND, 512)
    frames: int = setting(whole(bounds.ANIMATION_FRAMES), 240)
    fps: float | None = setting(number(bounds.FILE_FPS), None)
    audio: bool = setting(SWITCH, True)
