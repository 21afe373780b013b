"""A story of several shots, painted with DynamiCrafter: one node a shot."""

from comfy_api.latest import io

from ..fcvg_core import bounds
from ..fcvg_core.models.dynamicrafter.variants import FRAMES
from .clip_widgets import (
    CLIP_VISION,
    IMAGE_PROJECTOR,
    MODEL,
    clip_size_inputs,
    eta_input,
    fs_input,
    guidance_input,
    prompt_input,
    rescale_input,
    spacing_input,
    steps_input,
)
from .messages import shows_log
from .newer import search_words, shows_results
from .sockets import ImageProjectorSocket
from .widgets import SEED, check_linked

# What a link may bring beside fs; the size is checked with the model.
LIMITS = {
    "seed": bounds.SEED,
    "steps": bounds.STEPS,
    "cfg": bounds.GUIDANCE,
    "eta": bounds.ETA,
    "rescale": bounds.GUIDANCE_RESCALE,
    "num_frames": bounds.FRAMES,
}


class StoryShot(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="FCVG_StoryShot",
            display_name="Story Shot",
            category="FCVG/sampling",
            **search_words(
                "dynamicrafter", "image to video", "i2v", "storytelling", "extend video"
            ),
            **shows_results(),
            description="Animates a picture by a prompt as one shot of a story (DynamiCrafter), "
            "and adds the shot to the shots before: conditioning, sampling and decoding in one "
            "node. A shot begins with a picture, or with the last frame of the shot before. "
            "Connect a node for each shot in a row.",
            inputs=[
                io.Model.Input("model", tooltip=MODEL),
                io.Clip.Input(
                    "clip", tooltip="The text encoder, from Load DynamiCrafter or Load CLIP."
                ),
                io.ClipVision.Input("clip_vision", tooltip=CLIP_VISION),
                io.Vae.Input("vae", tooltip="The VAE, from Load DynamiCrafter or Load VAE."),
                ImageProjectorSocket.Input("image_projector", tooltip=IMAGE_PROJECTOR),
                io.Image.Input(
                    "video",
                    optional=True,
                    tooltip="The shots before: video of another Story Shot, or frames of any "
                    "video. Without picture the shot begins with the last frame, which is shown "
                    "once.",
                ),
                io.Image.Input(
                    "picture",
                    optional=True,
                    tooltip="The picture that the shot begins with. A picture of another size is "
                    "cropped and resized; of a batch the first picture is used. Needed by the "
                    "first shot of a story.",
                ),
                io.Image.Input(
                    "last_picture",
                    optional=True,
                    tooltip="The picture that the shot ends with; needs the model 512_interp, for "
                    "which fs 5 is recommended. A picture of another size is cropped and resized; "
                    "of a batch the first picture is used.",
                ),
                prompt_input("prompt", "What happens in this shot."),
                prompt_input(
                    "negative",
                    "What the shot should not show. The official code uses an empty text.",
                ),
                io.Int.Input(
                    "seed",
                    default=0,
                    **bounds.SEED.widget,
                    control_after_generate=True,
                    tooltip=SEED,
                ),
                steps_input(),
                guidance_input(
                    "cfg",
                    "How closely the shot follows prompt and picture. DynamiCrafter uses 7.5; 1 "
                    "switches guidance off and takes about half the time.",
                ),
                eta_input(),
                spacing_input(),
                rescale_input(),
                *clip_size_inputs(),
                io.Int.Input(
                    "num_frames",
                    default=FRAMES,
                    **bounds.FRAMES.widget,
                    tooltip="Number of frames of this shot. DynamiCrafter was trained on 16; other "
                    "numbers work, but the motion may be worse.",
                ),
                fs_input(),
            ],
            outputs=[
                io.Image.Output(
                    display_name="video",
                    tooltip="All shots so far, one picture a frame, for the next Story Shot or "
                    "Create Video.",
                ),
                io.Image.Output(
                    display_name="last_frame", tooltip="The last frame of this shot alone."
                ),
            ],
        )

    @classmethod
    @shows_log
    def execute(
        cls,
        model,
        clip,
        clip_vision,
        vae,
        image_projector,
        prompt: str,
        negative: str,
        width: int,
        height: int,
        fs: int,
        video=None,
        picture=None,
        last_picture=None,
        **numbers,
    ) -> io.NodeOutput:
        from .host.dynamicrafter.story import Shot, ShotModels, ShotSettings, paint_shot

        check_linked("fs", fs, bounds.RATE)
        for name, allowed in LIMITS.items():
            check_linked(name, numbers[name], allowed)
        frames = paint_shot(
            ShotModels(model, clip, clip_vision, vae, image_projector),
            Shot.from_inputs(prompt, negative, video, picture, last_picture),
            ShotSettings(size=(height, width), rate=fs, **numbers),
        )
        return io.NodeOutput(frames, frames[-1:])


NODES = [StoryShot]
