"""What a reader gathers from its file, in the frame of this package, before anything was judged."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ptychopinn.io.frame import Frame
from ptychopinn.io.geometry import Geometry
from ptychopinn.scan import Patterns


@dataclass(frozen=True)
class Stage:
    """Where the probe stood, in metres, and what turns metres into pixels."""

    positions_m: np.ndarray
    """(K, 2) float64 (y, x) of the probe on the object: +y and +x are the directions in which
    rows and columns of the patterns run."""
    key: str
    """What the positions are called in the file."""
    geometry: Geometry
    """Wavelength, distance and detector pixel."""
    origin_px: tuple[float, float] | None = None
    """Canvas pixel (y, x) of the position 0 m; None = the file does not say."""
    canvas_shape: tuple[int, int] | None = None
    """(H, W) of the canvas, with `origin_px`."""
    pixel_known: bool = True
    """False: the lengths only serve to give pixels back; the size of one is not known."""
    wavelength_known: bool = True
    """False: the wavelength only serves for that, too."""


@dataclass(frozen=True)
class Measurement:
    """A scan as a file holds it, in the frame of this package, before anything was judged."""

    path: str | Path
    """The file, for messages."""
    patterns: Patterns
    """(K, N, N) real, zero frequency in the middle; may live on disk. Whole detector frames
    (K, rows, columns) are cut to squares afterwards."""
    patterns_key: str
    """What the patterns are called in the file."""
    frame: Frame | None = None
    """Positions in canvas pixels, and the canvas; None = `stage` has them."""
    stage: Stage | None = None
    """Positions in metres, where the file has them so."""
    center: tuple[float, float] | None = None
    """(row, column) of the zero frequency; None = the middle, index N // 2."""
    probe: np.ndarray | None = None
    """As stored, real or complex: (N, N), (P, N, N), (N, N, 1) or (coherent, P, N, N); None when
    the file has none."""
    probe_key: str = "probe"
    """What the probe is, or would be, called in the file."""
    marked: np.ndarray | None = None
    """(N, N) bool, True = bad, as the file says, of the whole frame; None when it says nothing."""
    domain: str = "auto"
    """``counts`` or ``amplitude`` where the format or the file says what patterns hold."""
    truth: np.ndarray | None = None
    """(H, W) complex64 object on the canvas, when it is known."""
    pixel_size_m: float | None = None
    """Side of a canvas pixel in metres, when known."""
    wavelength_m: float | None = None
    """Wavelength in metres, when known."""
    scan_index: np.ndarray | None = None
    """(K,) int64, which of several scans in the file a pattern belongs to; None = it is one."""
    decisions: tuple[str, ...] = field(default=())
    """Sentences that say what the reader decided."""
