"""The frame of pty-chi: from a scan and an image to what it takes, and back.

pty-chi counts a position from an origin that is given with the object, to the *middle* of the
window, which lies between two pixels where N is even:

    first pixel of the window = round(position) + origin - (N - 1) / 2

Ours are those of the pixel N // 2, without an origin, and are rounded down. With a whole number c
near the mean position,

    position = ours - c,     origin = c - N // 2 + (N - 1) / 2 + margin

and the same windows fall on the same pixels. The remaining fraction moves the probe, not the
object, in both; pty-chi moves the first mode only. Rounding to the nearest pixel can put a window
one pixel further than rounding down, hence a margin of one pixel around the object. Patterns and
mask are handed over with the zero frequency in the corner: `fftshift`, which pty-chi would use,
puts it elsewhere when N is odd. Its Fourier transform to the detector has no factor 1 / N, hence

    probe = ours / N

with the same centre and one more axis, for modes that vary from pattern to pattern.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import torch

from ptychopinn.axes import require_axes
from ptychopinn.iterative.records import Start
from ptychopinn.physics.fourier import to_corner
from ptychopinn.physics.refinement import orthogonal_modes
from ptychopinn.scan import Scan

#: Pixels around the object.
MARGIN_PX = 1


@dataclass(frozen=True)
class Frame:
    """Where pty-chi counts positions from."""

    centre_px: tuple[int, int]
    """c, (y, x) whole pixels of our canvas."""
    n: int
    """Side of a window."""

    @classmethod
    def of(cls, scan: Scan) -> Self:
        """Put the centre near the mean position, where single precision is finest."""
        y, x = np.round(scan.positions_px.mean(axis=0)).astype(int).tolist()
        return cls((y, x), scan.n)

    @property
    def origin_px(self) -> tuple[float, float]:
        """(y, x) of pty-chi's zero position on the object with its margin."""
        inset = MARGIN_PX - self.n // 2 + (self.n - 1) / 2
        return self.centre_px[0] + inset, self.centre_px[1] + inset

    def to_theirs(self, positions_px: np.ndarray) -> np.ndarray:
        """Return (K, 2) positions as pty-chi counts them."""
        return positions_px - np.array(self.centre_px, dtype=np.float64)

    def to_ours(self, positions_px: np.ndarray) -> np.ndarray:
        """Return (K, 2) float64 positions as we count them."""
        return positions_px.astype(np.float64) + np.array(self.centre_px, dtype=np.float64)


@dataclass(frozen=True)
class Handover:
    """What pty-chi is given."""

    frame: Frame
    """Where its positions are counted from."""
    patterns: np.ndarray
    """(K, N, N) float32 photons, zero frequency in the corner, bad pixels 0."""
    mask: np.ndarray
    """(N, N) bool, True = good, in the same order."""
    object: np.ndarray
    """(1, H + 2, W + 2) complex64: one slice, with the margin."""
    probe: np.ndarray
    """(1, P, N, N) complex64, ours over N: one set of modes for all patterns."""
    positions_px: np.ndarray
    """(K, 2) float64 (y, x) from the origin."""


def hand_over(start: Start) -> Handover:
    """Bring an image and its scan into the frame of pty-chi; all patterns are read into memory.

    Raises:
        ShapeError: The object is not complex, or not of the size of the canvas.
    """
    scan = start.scan
    height, width = scan.canvas_shape
    require_axes("object", start.object, "H W", kind="complex", H=height, W=width)
    frame = Frame.of(scan)
    padded = np.pad(start.object, MARGIN_PX, mode="edge")
    return Handover(
        frame=frame,
        patterns=to_corner(torch.from_numpy(scan.counts())).numpy(),
        mask=to_corner(torch.from_numpy(scan.mask)).numpy(),
        object=padded[None].astype(np.complex64),
        probe=scan.probe[None] / np.float32(scan.n),
        positions_px=frame.to_theirs(scan.positions_px),
    )


def object_of(theirs: np.ndarray) -> np.ndarray:
    """Return our (H, W) object of a (1, H + 2, W + 2) one."""
    inner = slice(MARGIN_PX, -MARGIN_PX)
    return np.ascontiguousarray(theirs[0, inner, inner], dtype=np.complex64)


def take_back(
    given: Handover, image: np.ndarray, probe: np.ndarray, positions_px: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bring what pty-chi found into our frame and gauge.

    The probe gets the power that it had, and the object what that takes: (q O, P / q) give the
    same patterns. Modes are made orthogonal, the strongest first. Windows stay on the canvas.

    Args:
        given: What was handed over.
        image: (1, H + 2, W + 2) complex object.
        probe: (1, P, N, N) complex.
        positions_px: (K, 2) from the origin.

    Returns:
        Object (H, W) complex64, probe (P, N, N) complex64, positions (K, 2) float64.
    """
    modes = orthogonal_modes(torch.from_numpy(probe[0])).numpy().astype(np.complex64)
    n = given.frame.n
    ratio = np.linalg.norm(given.probe) / np.linalg.norm(modes)
    back = object_of(image)
    most = np.nextafter(np.array(back.shape) - n + n // 2 + 1.0, 0)
    places = np.clip(given.frame.to_ours(positions_px), float(n // 2), most)
    return back / np.float32(ratio), modes * np.float32(n * ratio), places
