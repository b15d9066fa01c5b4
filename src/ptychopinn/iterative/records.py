"""What an iterative solver starts from, what it tells on the way, and what it gives back."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ptychopinn.scan import Reconstruction, Scan


@dataclass(frozen=True)
class Start:
    """An image, and the scan that it is to agree with."""

    scan: Scan
    """In the gauge of the package, with the probe and the positions to start from; its canvas is
    that of the object."""
    object: np.ndarray
    """(H, W) complex64."""


@dataclass(frozen=True)
class Epoch:
    """One pass over all patterns."""

    number: int
    """1 is the first."""
    seconds: float
    """Since the solver was called, handing over included."""
    loss: float | None = None
    """The misfit that the solver itself reports; engines define it differently, None = unknown."""


@dataclass(frozen=True)
class Solution:
    """What a solver found, in the frame of the package and with the power of the given probe."""

    object: np.ndarray
    """(H, W) complex64."""
    probe: np.ndarray
    """(P, N, N) complex64; the very array that was given when it was not refined."""
    positions_px: np.ndarray
    """(K, 2) float64; the very array that was given when they were not refined."""
    epochs: tuple[Epoch, ...]
    """In their order."""
    library: dict[str, str]
    """Version by name of what did the work, besides this package."""


@dataclass(frozen=True)
class GoneOn:
    """A reconstruction that a solver went on with."""

    made: Reconstruction
    """In the gauge of the package."""
    epochs: tuple[Epoch, ...]
    """What the solver took."""


#: Called after every epoch with what is known of it by then, and a function that returns the object
#: (H, W) as it is then; None from an engine that shows it only in the end. An exception ends the
#: solver.
Watch = Callable[[Epoch, Callable[[], np.ndarray] | None], None]
