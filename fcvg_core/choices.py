"""The words that a user can choose from: one list for the command line and for the nodes.

Tables of the rooms have these words as keys. The first word of a list is the default, unless a
face names another one. This module loads nothing, so that help and widgets come at once.
"""

# How the motion between the keyframes is spread over the video.
REFERENCE = "reference"
TIMINGS = (REFERENCE, "uniform", "ease-in", "ease-out", "ease-in-out")

# What becomes of a joint that only one keyframe shows, and of a person that only one shows.
MISSING_JOINTS = ("hide", "hold")
MISSING_PEOPLE = ("fade", "drop")

# For which model people are drawn.
FCVG_STYLE, CONTROLNEXT_STYLE = "fcvg", "controlnext-svd-v2"
POSE_STYLES = (FCVG_STYLE, CONTROLNEXT_STYLE)

# Which people of a driving video move the reference picture.
ONE_PERSON, EVERYBODY = "one person", "everybody"
DRIVING_PEOPLE = (ONE_PERSON, EVERYBODY)

# What matches lines; "auto" is GlueStick where both of its files are there.
MATCHERS = ("auto", "gluestick", "classic")

# What finds line segments.
LINE_DETECTORS = ("opencv", "pytlsd")

# The motion that all line matches should follow.
FITS = ("none", "affine", "homography")

# Number formats in which a UNet's weights are kept; "default" suits the device.
WEIGHT_FORMATS = ("default", "fp8_e4m3fn", "fp8_e5m2")

# Number formats in which the command line computes.
PRECISIONS = ("auto", "bf16", "fp16", "fp32")
