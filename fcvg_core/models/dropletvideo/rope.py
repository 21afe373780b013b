"""Rotary positions of DropletVideo's tokens: frame, row and column.

Rows and columns do not count from 0: the grid of tokens is fitted into the grid of 720 x 480
pixels, keeping its shape, and lies in the middle of this grid.

Source: IEIT-AGI/DropletVideo pipeline.py:50-68, 574-600; huggingface/diffusers
embeddings.py get_3d_rotary_pos_embed.
"""

import functools

import torch
from torch import Tensor

BASE_GRID = (30, 45)  # rows and columns of tokens of 720 x 480 pixels
THETA = 10000.0
HEAD_MULTIPLE = 16  # the channels of a head divide into 2/8, 3/8 and 3/8, each even


@functools.lru_cache(maxsize=1)
@torch.inference_mode(False)  # the table may be used in training later
def rotary_table(frames: int, grid: tuple[int, int], head_channels: int) -> tuple[Tensor, Tensor]:
    """Cosines and sines by which the channels of a head are turned, two by two.

    The table of the last call is kept: don't write into it.

    Args:
        frames: latent frames.
        grid: (rows, columns) of the tokens of a frame.
        head_channels: a multiple of 16.

    Returns:
        Two tensors [frames * rows * columns, head_channels] float32, in this order of tokens. The
        first quarter of the channels tells the frame, the next three eighths the row, the last
        three eighths the column.

    Raises:
        ValueError: the channels are no multiple of 16.
    """
    if head_channels % HEAD_MULTIPLE or head_channels < 1:
        raise ValueError(f"got {head_channels} channels, expected a multiple of {HEAD_MULTIPLE}")
    rows, columns = (
        _angles(positions, head_channels // 8 * 3) for positions in _grid_positions(grid)
    )
    times = _angles(torch.arange(frames, dtype=torch.float32), head_channels // 4)
    shape = (frames, *grid)
    angles = torch.cat(
        [
            times[:, None, None].expand(*shape, -1),
            rows[None, :, None].expand(*shape, -1),
            columns[None, None, :].expand(*shape, -1),
        ],
        dim=-1,
    ).flatten(0, 2)
    return angles.cos().repeat_interleave(2, 1), angles.sin().repeat_interleave(2, 1)


def _angles(positions: Tensor, channels: int) -> Tensor:
    """[n] positions -> [n, channels / 2] angles."""
    # The order of these operations is the official one: another order rounds differently.
    exponents = torch.arange(0, channels, 2, dtype=torch.float32) / channels
    return torch.outer(positions, 1.0 / (THETA**exponents))


def _grid_positions(grid: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Positions of rows [rows] and of columns [columns]."""
    height, width = grid
    most_rows, most_columns = BASE_GRID
    if height / width > most_rows / most_columns:
        fitted = most_rows, round(most_rows / height * width)
    else:
        fitted = round(most_columns / width * height), most_columns
    positions = []
    for count, most, size in zip(grid, BASE_GRID, fitted, strict=True):
        start = round((most - size) / 2)
        # The step depends on where the grid begins: official, though hardly meant.
        end = (start + size) * (count - 1) / count
        positions.append(torch.linspace(start, end, count, dtype=torch.float32))
    return positions[0], positions[1]
