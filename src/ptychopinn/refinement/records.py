"""What a refinement gives back."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ptychopinn.scan import Scan


@dataclass(frozen=True)
class RefinedScan:
    """A scan whose probe or positions were refined, and how they were before."""

    scan: Scan
    """The same patterns; what was frozen is the very array that came in."""
    canvas: np.ndarray | None = None
    """(H, W) complex64 object that was found on the way; None = there was no way."""
    start_probe: np.ndarray | None = None
    """(P, N, N) complex64 before; None = the probe was frozen."""
    start_positions_px: np.ndarray | None = None
    """(K, 2) float64 before; None = the positions were frozen."""
    figures: dict[str, Any] = field(default_factory=dict)
    """Sweeps, seconds, misfit before and after, how far things moved; plain JSON values."""
