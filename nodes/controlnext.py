"""ControlNeXt, which steers a model frame by frame: loaded and applied."""

from comfy_api.latest import io

from ..fcvg_core import bounds
from .host import folders
from .messages import shown_log, shows_log
from .newer import rarely_changed, search_words, shows_results
from .pass_widgets import LEVELS
from .sockets import ControlNeXtSocket
from .widgets import FOR_CONTROL, check_linked


class LoadControlNeXt(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_LoadControlNeXt",
            display_name="Load ControlNeXt",
            category="FCVG/loaders",
            **search_words("controlnet", "controlnext-svd"),
            **shows_results(),
            description="Loads a ControlNeXt, the small network through which control frames steer "
            "the model: FCVG's, or ControlNeXt-SVD's of version 1 or 2.",
            inputs=[
                io.Combo.Input(
                    "controlnext_name",
                    options=folders.list_files(folders.CONTROLNEXT),
                    tooltip="A file in models/controlnext, for example FCVG's "
                    "controlnext.safetensors: .safetensors, .bin or .pt. Choose the file that "
                    "belongs to the UNet in Load FCVG Model.",
                )
            ],
            outputs=[
                ControlNeXtSocket.Output(
                    display_name="controlnext", tooltip=f"The ControlNeXt, {FOR_CONTROL}"
                )
            ],
        )

    @classmethod
    def validate_inputs(cls, controlnext_name: str | None) -> bool | str:
        return folders.is_there(folders.find_file, folders.CONTROLNEXT, controlnext_name)

    @classmethod
    @shows_log
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
            **shows_results(),
            description="Lets control frames steer the model, frame by frame. The model that comes "
            "in is not changed.",
            inputs=[
                io.Model.Input("model", tooltip="The model to steer, from Load FCVG Model."),
                ControlNeXtSocket.Input(
                    "controlnext",
                    tooltip="A ControlNeXt that belongs to the model, from Load ControlNeXt.",
                ),
                io.Image.Input(
                    "control_frames",
                    tooltip="One picture for each frame of the video: lines or people on black. "
                    "Pictures of another size are cropped and resized to the size of the video.",
                ),
                io.Float.Input(
                    "strength",
                    default=1.0,
                    **bounds.CONTROL_WEIGHT.widget,
                    step=0.05,
                    tooltip="How strongly the control frames steer the model. The official value "
                    "is 1.0; 0.5 to 0.8 leaves the model more freedom, 0 is no control.",
                ),
                io.Float.Input(
                    "start_percent",
                    default=0.0,
                    **bounds.SHARE.widget,
                    step=0.01,
                    **rarely_changed(),
                    tooltip=f"Where control begins to act, {LEVELS}. Keep 0, the "
                    "official value, because the first steps set the motion. A number above "
                    "end_percent switches control off.",
                ),
                io.Float.Input(
                    "end_percent",
                    default=1.0,
                    **bounds.SHARE.widget,
                    step=0.01,
                    **rarely_changed(),
                    tooltip=f"Where control ceases to act, {LEVELS}. Keep 1, the "
                    "official value, for control in every step. With 25 steps and the "
                    "scheduler karras, 0.8 switches control off for the last 3 steps, and 0.5 for "
                    "the last 7 steps.",
                ),
                io.Mask.Input(
                    "mask",
                    optional=True,
                    tooltip="Where control acts: 1 is full control, 0 is none. One mask for all "
                    "frames, or one for each frame. It lies on control_frames, and a mask of "
                    "another shape is stretched to them. The model sees about 16 x 16 pixels as "
                    "one place. Without a mask control acts everywhere.",
                ),
                io.Int.Input(
                    "feather",
                    default=0,
                    **bounds.FEATHER.widget,
                    optional=True,
                    **rarely_changed(),
                    tooltip="Only with a mask: pixels over which control fades at the edge of the "
                    "mask, half of them inside and half outside. 32 to 64 hide the edge.",
                ),
            ],
            outputs=[
                io.Model.Output(
                    tooltip="The steered model, for Inbetween Guider or Animation Guider."
                )
            ],
        )

    @classmethod
    @shows_log
    def execute(
        cls,
        model,
        controlnext,
        control_frames,
        strength: float,
        start_percent: float,
        end_percent: float,
        mask=None,
        feather: int = 0,
    ) -> io.NodeOutput:
        from .host.controlnext.mask import read_mask
        from .host.controlnext.patch import steer
        from .host.images import check_image

        check_linked("feather", feather, bounds.FEATHER)
        frames = check_image(control_frames, "control_frames")
        return io.NodeOutput(
            steer(
                model,
                controlnext,
                frames,
                strength=strength,
                start_percent=start_percent,
                end_percent=end_percent,
                mask=read_mask(mask, feather, len(frames)),
                shown=shown_log,  # by the sampler, which is no node of this pack
            )
        )


NODES = [LoadControlNeXt, ApplyControlNeXt]
