"""The words that a user can choose from: one list for the command line and for the nodes.

These words are keys of tables in the rooms. The first word of a list is the default, unless a face
names another word. This module imports nothing, so that help and widgets appear at once.
"""

# How the motion between the keyframes is spread over the video.
REFERENCE = "reference"
TIMINGS = (REFERENCE, "uniform", "ease-in", "ease-out", "ease-in-out")

# What happens to a joint, or to a person, that only one of the two keyframes shows.
MISSING_JOINTS = ("hide", "hold")
MISSING_PEOPLE = ("fade", "drop")

# The model for which people are drawn.
FCVG_STYLE, CONTROLNEXT_STYLE = "fcvg", "controlnext-svd-v2"
POSE_STYLES = (FCVG_STYLE, CONTROLNEXT_STYLE)

# The colours of drawn people: those of the training, OpenPose's for other models, or white.
FCVG_COLORS, OPENPOSE_COLORS, WHITE_COLORS = "fcvg", "openpose", "white"
POSE_COLORS = (FCVG_COLORS, OPENPOSE_COLORS, WHITE_COLORS)

# Which people of a driving video move the reference picture.
ONE_PERSON, EVERYBODY = "one person", "everybody"
DRIVING_PEOPLE = (ONE_PERSON, EVERYBODY)

# What matches lines; "auto" is GlueStick if both of its files are found, otherwise "classic".
MATCHERS = ("auto", "gluestick", "classic")

# What finds line segments.
LINE_DETECTORS = ("opencv", "pytlsd")

# How a picture of another shape is brought to the size of the video.
CROP, PAD, STRETCH = "crop", "pad", "stretch"
PICTURE_FITS = (CROP, PAD, STRETCH)
# The part of a picture that cropping keeps; for padding, where the picture lies.
ANCHORS = (
    "center",
    "top",
    "bottom",
    "left",
    "right",
    "top-left",
    "top-right",
    "bottom-left",
    "bottom-right",
)

# The motion that all line matches should follow.
FITS = ("none", "affine", "homography")

# What happens to line matches inside a mask.
KEEP, REMOVE = "keep", "remove"
MASK_USES = (KEEP, REMOVE)

# What moves between keyframes.
LINES, PEOPLE, PATHS = MOVING = ("lines", "people", "paths")

# How the camera moves over a picture.
CAMERA_MOVES = (
    "zoom-in",
    "zoom-out",
    "pan-left",
    "pan-right",
    "pan-up",
    "pan-down",
    "rotate-clockwise",
    "rotate-counterclockwise",
    "tilt-left",
    "tilt-right",
    "tilt-up",
    "tilt-down",
    "none",
)
# What a moved picture shows beyond its border: its mirror image, or nothing.
REFLECT, BLACK = BORDERS = ("reflect", "black")

# The timesteps that DynamiCrafter's schedule passes: from the noisiest timestep on; with whole
# strides; or with most steps at low noise levels.
TRAILING, UNIFORM, QUAD = SPACINGS = ("uniform_trailing", "uniform", "quad")

# The picture that DynamiCrafter's CLIP image encoder sees: as it is in the video, or uncropped.
AS_THE_VIDEO, WHOLE = "as the video", "whole"
CLIP_PICTURES = (AS_THE_VIDEO, WHOLE)

# Where the noise levels of SVD's steps come from: Karras et al., or Align Your Steps for few steps.
KARRAS, AYS = SCHEDULES = ("karras", "ays")

# How the command line samples the frames between two keyframes: along both directions at once, or
# along one after the other with SVD alone (MPD).
EULER, MPD = SAMPLERS = ("euler", "mpd")

# Number formats in which a UNet's weights are kept; "default" suits the device.
WEIGHT_FORMATS = ("default", "fp8_e4m3fn", "fp8_e5m2")

# Number formats in which the command line computes.
PRECISIONS = ("auto", "bf16", "fp16", "fp32")

# The families of networks: FCVG, which samples in both directions, and those that sample in one.
DYNAMICRAFTER, DROPLETVIDEO, SMCD = "dynamicrafter", "dropletvideo", "smcd"
FAMILIES = ("fcvg", "controlnext-svd", DYNAMICRAFTER, DROPLETVIDEO, SMCD)

# DynamiCrafter: which published model a file is; "auto" reads it from the file.
AUTO = "auto"
DYNAMICRAFTER_MODELS = (AUTO, "256", "512", "1024", "512_interp")
# What a clip shows: one picture that moves, the way from one picture to another, or a loop.
ANIMATE, INTERPOLATE, LOOP = CLIP_MODES = ("animate", "interpolate", "loop")
# Which image tokens a frame attends to; "auto": its own if the clip has 16 frames.
PER_FRAME, SHARED = "per frame", "shared"
IMAGE_TOKENS = (AUTO, PER_FRAME, SHARED)

# Training: the direction in time of a pass, and how often which noise level is drawn.
RANDOM, FORWARD, BOTH = DIRECTIONS = ("random", "forward", "both")
LOG_NORMAL, COSINE = NOISES = ("log-normal", "cosine")

# Which of DropletVideo's decoded frames are kept: those that were asked for (85), or all (88).
TRIMMED, OFFICIAL = KEPT_FRAMES = ("trimmed", "official")

# The four numbers of a box: two corners, or a corner with width and height; and their unit.
XYXY, XYWH = BOX_FORMS = ("xyxy", "xywh")
PIXELS, SHARES = BOX_UNITS = ("pixels", "0..1")
# Where a frame has no box of its own: between its neighbours, or as the box before it.
INTERPOLATED, HELD = BOX_FILLS = ("interpolated", "held")
# Data sets of videos whose objects have boxes, on which SMCD was trained and is measured.
GOT10K, YOUVIS = BOX_SETS = ("got10k", "youvis")
# To which number of objects their official evaluation fills up with absent ones.
PADDED = {GOT10K: 0, YOUVIS: 8}
# Files of boxes. auto: the text itself tells, or the name of GOT-10k's files.
BBOX_TXT, BOXES_JSON, MOT, YOUTUBE_VIS, GOT_10K = (
    "bbox.txt",
    "json",
    "mot",
    "youtube-vis",
    "got-10k",
)
BOX_FILES = (AUTO, BBOX_TXT, BOXES_JSON, MOT, YOUTUBE_VIS, GOT_10K)
