"""Where control acts: a MASK, brought to the hidden state that ControlNeXt steers."""

import logging

from torch import Tensor

from ....fcvg_core.models.controlnext import check_num_masks, shrink_masks, soften_masks
from ..fitting import fit_masks
from ..images import check_masks

FULL, EMPTY = 1, 0


class ControlMask:
    """Masks of control frames, one for all frames or one for each frame.

    Args:
        masks: [B, H, W] in 0..1, on the CPU, of any size.
        feather: width of the masks' edges in pixels of the video.
        num_frames: of the video, T; B is 1 or T.
    """

    def __init__(self, masks: Tensor, feather: float, num_frames: int):
        self.masks = masks
        self.feather = feather
        self.num_frames = num_frames
        self._shrunk = None
        self._sizes = None

    @property
    def is_empty(self) -> bool:
        """Whether control acts nowhere."""
        return bool(self.masks.max() == EMPTY)

    def shrink(
        self, control: tuple[int, int], video: tuple[int, int], hidden: tuple[int, int]
    ) -> Tensor:
        """The share of control at each place of a hidden state, kept for the next call.

        Args:
            control: (height, width) of the control frames, on which the masks lie.
            video: (height, width) of the video, to which control frames are brought.
            hidden: (height, width) of the hidden state.

        Returns:
            [T, 1, *hidden] float32.
        """
        sizes = control, video, hidden
        if self._sizes != sizes:
            soft = soften_masks(fit_masks(self.masks, control, video, "mask"), self.feather)
            self._shrunk, self._sizes = shrink_masks(soft, self.num_frames, hidden), sizes
        return self._shrunk


def read_mask(mask: Tensor | None, feather: float, num_frames: int) -> ControlMask | None:
    """The mask of a node's inputs; None if control acts everywhere.

    Raises:
        ValueError: the input is no MASK, or there is another number of masks.
    """
    if mask is None:
        return None
    masks = check_masks(mask, "mask").cpu().clamp(EMPTY, FULL)
    check_num_masks(masks, num_frames)
    if masks.min() == FULL:  # resizing would round
        return None
    found = ControlMask(masks, feather, num_frames)
    if found.is_empty:
        logging.warning(
            "Control never acts, because mask is empty: paint white where it should act."
        )
    return found
