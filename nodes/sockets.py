"""Types of this pack's wires; their names are global in ComfyUI."""

from comfy_api.latest import io

LineMatchesSocket = io.Custom("FCVG_LINE_MATCHES")  # fcvg_core.lines.LineMatches
MotionSocket = io.Custom("FCVG_MOTION")  # fcvg_core.motion.Motion
KeyframesSocket = io.Custom("FCVG_KEYFRAMES")  # nodes.host.keyframes.Keyframes
PathsSocket = io.Custom("FCVG_PATHS")  # a tuple of fcvg_core.paths.Path
ControlNeXtSocket = io.Custom("FCVG_CONTROLNEXT")  # a ModelPatcher that holds a ControlNeXt
GlueStickSocket = io.Custom("FCVG_GLUESTICK")  # a ModelPatcher that holds GlueStick
DWPoseSocket = io.Custom("FCVG_DWPOSE")  # fcvg_core.pose.PoseDetector
# nodes.host.dynamicrafter.loading.Projector: the network that turns a picture into tokens
ImageProjectorSocket = io.Custom("FCVG_IMAGE_PROJECTOR")
BoxTracksSocket = io.Custom("FCVG_BOXES")  # fcvg_core.boxes.BoxTracks
# nodes.host.smcd.loading.SmcdEncoders: the networks that turn boxes and a picture into tokens
SmcdEncodersSocket = io.Custom("FCVG_SMCD_ENCODERS")
# Types of newer releases of ComfyUI, and of older releases with another pack.
TracksSocket = io.Custom("TRACKS")  # places and visibility of points in every frame
BoundingBoxSocket = io.Custom("BOUNDING_BOX")  # see fcvg_core.boxes.list_detections
CurveSocket = io.Custom("CURVE")  # comfy_api.input.CurveInput
# A list of frames in OpenPose's format, which several other packs read and write.
PoseKeypointSocket = io.Custom("POSE_KEYPOINT")
