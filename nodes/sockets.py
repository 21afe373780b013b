"""Types of this pack's wires; their names are global in ComfyUI."""

from comfy_api.latest import io

LineMatchesSocket = io.Custom("FCVG_LINE_MATCHES")  # fcvg_core.lines.LineMatches
ControlNeXtSocket = io.Custom("FCVG_CONTROLNEXT")  # a ModelPatcher that holds a ControlNeXt
GlueStickSocket = io.Custom("FCVG_GLUESTICK")  # a ModelPatcher that holds GlueStick
DWPoseSocket = io.Custom("FCVG_DWPOSE")  # fcvg_core.pose.PoseDetector
# A list of frames in OpenPose's format, which several other packs read and write.
PoseKeypointSocket = io.Custom("POSE_KEYPOINT")
