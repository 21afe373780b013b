"""Types of this pack that travel on a wire; their names are global in the host."""

from comfy_api.latest import io

LineMatchesSocket = io.Custom("FCVG_LINE_MATCHES")  # fcvg_core.lines.LineMatches
ControlNeXtSocket = io.Custom("FCVG_CONTROLNEXT")  # a ModelPatcher that holds a ControlNeXt
GlueStickSocket = io.Custom("FCVG_GLUESTICK")  # a ModelPatcher that holds GlueStick
