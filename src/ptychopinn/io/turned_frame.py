"""The frame of a scan whose axes are turned: positions, canvas and truth go together."""

import numpy as np

from ptychopinn.io.frame import Frame
from ptychopinn.symmetry import Turn


def turned_frame(
    frame: Frame, truth: np.ndarray | None, turn: Turn, n: int
) -> tuple[Frame, np.ndarray | None]:
    """Turn the positions of a scan, the canvas that they index, and the object on it.

        y' = H - 1 - y   where y is flipped, and alike for x, after the axes were swapped

    so that a point of the object stays under its position. A window of even side has one pixel
    more before its centre than behind it; the canvas grows by the pixel that it may then lack.

    Args:
        frame: As it was read.
        truth: (H, W) complex64 object on the canvas, or None.
        turn: What is done to (y, x).
        n: Side N of a pattern.
    """
    shape = np.array(frame.canvas_shape)
    shape = shape[::-1] if turn.transpose else shape
    middle = (shape - 1) / 2
    stored_middle = (np.array(frame.canvas_shape) - 1) / 2
    positions = turn.of_vectors(frame.positions_px - stored_middle) + middle
    start = np.floor(positions).astype(np.int64) - n // 2
    before = np.maximum(0, -start.min(axis=0))
    behind = np.maximum(0, (start + n).max(axis=0) - shape)
    height, width = (int(size) for size in shape + before + behind)
    object_ = None
    if truth is not None:
        sides = list(zip(before, behind, strict=True))
        object_ = np.pad(turn.of_images(truth), sides, mode="edge")
    return frame._replace(positions_px=positions + before, canvas_shape=(height, width)), object_
