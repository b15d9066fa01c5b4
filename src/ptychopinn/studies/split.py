"""Which part of a scan trains and which is judged: nothing is seen in both."""

from dataclasses import dataclass

import numpy as np
import torch

from ptychopinn.data.region import select_region
from ptychopinn.errors import ConfigError
from ptychopinn.evaluation import Region
from ptychopinn.physics.canvas import place_patches
from ptychopinn.physics.fourier import intensity
from ptychopinn.physics.probe import probes_at
from ptychopinn.scan import Scan

#: Light below this share of the most is too little to be judged by.
LEAST_LIGHT = 0.1
_CHUNK = 256


def training_part(scan: Scan, count: int | None = None) -> Scan:
    """Return the upper half of a scan, or the patterns of it that are nearest to its middle.

    Neighbours stay together, because without overlap there is nothing to learn from.

    Raises:
        ConfigError: The upper half has fewer patterns.
    """
    upper = select_region(scan, "top")
    if count is None:
        return scan.select(upper)
    if count > len(upper):
        raise ConfigError(
            f"{scan.name}: found {len(upper)} patterns in the upper half, wanted {count} to train "
            "on; make the scan larger."
        )
    positions = scan.positions_px[upper]
    distance = np.abs(positions - positions.mean(axis=0)).max(axis=1)
    return scan.select(np.sort(upper[np.argsort(distance, kind="stable")[:count]]))


@dataclass(frozen=True)
class TestPart:
    """The half of a scan, or less of it, that is reconstructed, and the pixels of it that count."""

    scan: Scan
    """The patterns of the lower half, or some neighbours of it."""
    region: Region
    """Rows that no window of the upper half reaches."""
    weight: np.ndarray
    """(H, W) float64, 1 where these patterns have light enough, the same for every method."""

    __test__ = False  # to pytest this looks like a class of tests

    @classmethod
    def of(cls, scan: Scan, count: int | None = None) -> "TestPart":
        """Take the lower half of a scan, or so many neighbours of it.

        Neighbours are those nearest to the middle of the rows that no window of the upper half
        reaches: the compact scan that somebody would have measured who stopped early, at the same
        overlap. It is judged where its own light is enough.

        Raises:
            ConfigError: The lower half has fewer patterns, or nothing of it can be judged.
        """
        upper = scan.positions_px[select_region(scan, "top")]
        first = int(np.floor(upper[:, 0].max())) - scan.n // 2 + scan.n
        chosen = select_region(scan, "bottom")
        if count is not None:
            chosen = _compact(scan, chosen, first, count)
        lower = scan.select(chosen)
        light = illumination(lower)
        weight = (light > LEAST_LIGHT * light.max()).astype(np.float64)
        if first >= scan.canvas_shape[0] or not weight[first:].any():
            raise ConfigError(
                f"{scan.name}: no row of the lower half lies beyond the windows of the upper half; "
                "make the scan larger."
            )
        return cls(lower, Region(y=(first, None)), weight)


def _compact(scan: Scan, lower: np.ndarray, first: int, count: int) -> np.ndarray:
    """Return the patterns nearest to the middle of the rows from the first on, in a square."""
    if count > len(lower):
        raise ConfigError(
            f"{scan.name}: found {len(lower)} patterns in the lower half, wanted {count} to "
            "reconstruct; make the scan larger."
        )
    positions = scan.positions_px[lower]
    low, high = positions.min(axis=0), positions.max(axis=0)
    middle = ((max(low[0], first) + high[0]) / 2, (low[1] + high[1]) / 2)
    distance = np.abs(positions - middle).max(axis=1)
    return np.sort(lower[np.argsort(distance, kind="stable")[:count]])


def illumination(scan: Scan) -> np.ndarray:
    """Return sum_k place(sum_p |P_kp|^2) of a scan, (H, W) float32."""
    total = torch.zeros(1, *scan.canvas_shape)
    probe = torch.from_numpy(scan.probe)
    for start in range(0, scan.n_patterns, _CHUNK):
        positions = torch.from_numpy(scan.positions_px[start : start + _CHUNK])[None]
        whole = positions.floor()
        light = intensity(probes_at(probe, positions - whole))
        corners = whole.long() - scan.n // 2
        total += place_patches(light.float(), corners, scan.canvas_shape)
    return total[0].numpy()
