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
    """The half of a scan that is reconstructed, and the pixels of it that count."""

    scan: Scan
    """The patterns of the lower half."""
    region: Region
    """Rows that no window of the upper half reaches."""
    weight: np.ndarray
    """(H, W) float64, 1 where the lower half has light enough, the same for every method."""

    __test__ = False  # to pytest this looks like a class of tests

    @classmethod
    def of(cls, scan: Scan) -> "TestPart":
        """Take the lower half of a scan."""
        upper = scan.positions_px[select_region(scan, "top")]
        first = int(np.floor(upper[:, 0].max())) - scan.n // 2 + scan.n
        lower = scan.select(select_region(scan, "bottom"))
        light = illumination(lower)
        weight = (light > LEAST_LIGHT * light.max()).astype(np.float64)
        if first >= scan.canvas_shape[0] or not weight[first:].any():
            raise ConfigError(
                f"{scan.name}: no row of the lower half lies beyond the windows of the upper half; "
                "make the scan larger."
            )
        return cls(lower, Region(y=(first, None)), weight)


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
