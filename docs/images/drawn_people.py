"""A pack for ComfyUI that finds a drawn person in the place of DWPose, whose files are not at hand.

`graphs.py` puts it beside this project's pack, with a file joints.npy: [T, 18, 2] in 0..1, the
joints of the person in each frame of a portrait video. A picture has the joints of the first frame;
nobody is in a landscape.
"""

import importlib
import sys
from pathlib import Path

import numpy as np
import torch
from server import PromptServer

NODE_CLASS_MAPPINGS = {}
JOINTS = torch.from_numpy(np.load(Path(__file__).with_name("joints.npy")))


def replace_finder(prompt: dict) -> dict:
    """Called with every graph, when all packs are loaded."""
    name = next(name for name in sys.modules if name.endswith("ComfyUI-FCVG"))
    pose = importlib.import_module(f"{name}.fcvg_core.pose")

    def find_people(detector, image, *, whole_frame):
        portrait = image.shape[1] > image.shape[2]
        for joints in JOINTS[: len(image)]:
            points = torch.zeros(1, pose.skeleton.NUM_POINTS, 2)
            scores = torch.zeros(1, pose.skeleton.NUM_POINTS)
            points[0, : len(joints)], scores[0, : len(joints)] = joints, 1.0
            yield pose.Poses(points, scores) if portrait else pose.nobody()

    importlib.import_module(f"{name}.nodes.host.dwpose").find_people = find_people
    return prompt


PromptServer.instance.add_on_prompt_handler(replace_finder)
