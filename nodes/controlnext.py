"""ControlNeXt, which steers a model frame by frame: loaded and applied."""

from comfy_api.latest import io

from ..fcvg_core import bounds
from .host import folders
from .newer import rarely_changed, search_words
from .sockets import ControlNeXtSocket
from .widgets import FOR_CONTROL


class LoadControlNeXt(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_LoadControlNeXt",
            display_name="Load ControlNeXt",
            category="FCVG/loaders",
            **search_words("controlnet", "controlnext-svd"),
            description="FCVG's controlnext.safetensors, or ControlNeXt-SVD's, version 2 or 1.",
            inputs=[
                io.Combo.Input(
                    "controlnext_name",
                    options=folders.list_files(folders.CONTROLNEXT),
                    tooltip="A file in models/controlnext.",
                )
            ],
            outputs=[ControlNeXtSocket.Output(display_name="controlnext", tooltip=FOR_CONTROL)],
        )

    @classmethod
    def validate_inputs(cls, controlnext_name: str | None) -> bool | str:
        return folders.is_there(folders.find_file, folders.CONTROLNEXT, controlnext_name)

    @classmethod
    def execute(cls, controlnext_name: str) -> io.NodeOutput:
        from .host.controlnext.loading import load_controlnext

        path = folders.find_file(folders.CONTROLNEXT, controlnext_name)
        return io.NodeOutput(load_controlnext(path))


class ApplyControlNeXt(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_ApplyControlNeXt",
            display_name="Apply ControlNeXt",
            category="FCVG/conditioning",
            **search_words("controlnet", "apply control"),
            description="Steer the model frame by frame. The model that comes in is not changed.",
            inputs=[
                io.Model.Input("model", tooltip="From Load FCVG Model."),
                ControlNeXtSocket.Input("controlnext", tooltip="From Load ControlNeXt."),
                io.Image.Input(
                    "control_frames",
                    tooltip="One for each frame of the video: lines or people on black; "
                    "other sizes are stretched.",
                ),
                io.Float.Input(
                    "strength",
                    default=1.0,
                    **bounds.CONTROL_WEIGHT.widget,
                    step=0.05,
                    tooltip="FCVG's is 1.0; 0 is no control.",
                ),
                io.Float.Input(
                    "start_percent",
                    default=0.0,
                    **bounds.SHARE.widget,
                    step=0.01,
                    **rarely_changed(),
                    tooltip="Where control begins to act, 0 to 1 from pure noise to the "
                    "picture; by noise level, not by steps.",
                ),
                io.Float.Input(
                    "end_percent",
                    default=1.0,
                    **bounds.SHARE.widget,
                    step=0.01,
                    **rarely_changed(),
                    tooltip="Where control ceases to act; 0.8 leaves the last 3 of 25 "
                    "karras steps free.",
                ),
            ],
            outputs=[io.Model.Output(tooltip="For the Inbetween or the Animation Guider.")],
        )

    @classmethod
    def execute(
        cls,
        model,
        controlnext,
        control_frames,
        strength: float,
        start_percent: float,
        end_percent: float,
    ) -> io.NodeOutput:
        from .host.controlnext.patch import steer
        from .host.images import check_image

        return io.NodeOutput(
            steer(
                model,
                controlnext,
                check_image(control_frames, "control_frames"),
                strength=strength,
                start_percent=start_percent,
                end_percent=end_percent,
            )
        )


NODES = [LoadControlNeXt, ApplyControlNeXt]
