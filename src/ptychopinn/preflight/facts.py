"""What the checks look at, gathered once."""

from dataclasses import dataclass

import numpy as np
import torch

from ptychopinn.data import ScanDescriptors, describe_scan
from ptychopinn.io.zero_frequency import ZeroFrequency, find_zero_frequency
from ptychopinn.physics.fourier import fourier, intensity
from ptychopinn.scan import Scan

#: Patterns read at a time.
_CHUNK = 128


@dataclass(frozen=True)
class Facts:
    """A scan, and figures of it that several checks need."""

    scan: Scan
    descriptors: ScanDescriptors
    """Of the scan, see `data.descriptors`."""
    totals: np.ndarray
    """(J,) photons in the good pixels of patterns spread over the scan."""
    mean_light: np.ndarray
    """(N, N) their mean photons, 0 where bad."""
    probe_light: np.ndarray
    """(N, N) intensity of the probe, summed over its modes; its sum is 1."""
    far_light: np.ndarray
    """(N, N) the same of its far field."""
    zero_frequency: ZeroFrequency
    """Where the light of the patterns gathers."""

    @property
    def probe_diameter_px(self) -> float:
        """Diameter in pixels of the circle that holds 90 % of the probe's light."""
        return self.descriptors.probe_diameter * self.scan.n


def gather(scan: Scan, most: int) -> Facts:
    """Look at a scan.

    Args:
        scan: What was measured.
        most: Patterns that are read, at most.
    """
    count = scan.n_patterns
    numbers = np.unique(np.linspace(0, count - 1, min(count, most)).astype(int))
    totals, light = _light(scan, numbers)
    wave = torch.from_numpy(np.ascontiguousarray(scan.probe))
    near = (np.abs(scan.probe.astype(np.complex128)) ** 2).sum(axis=0)
    far = intensity(fourier(wave)).numpy().astype(np.float64)
    return Facts(
        scan=scan,
        descriptors=describe_scan(scan, float(totals.mean())),
        totals=totals,
        mean_light=light,
        probe_light=near / near.sum(),
        far_light=far / far.sum(),
        zero_frequency=find_zero_frequency(light),
    )


def _light(scan: Scan, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return photons of each pattern, and the mean photons of each pixel."""
    totals, light = [], np.zeros((scan.n, scan.n))
    for start in range(0, len(numbers), _CHUNK):
        counts = scan.counts(numbers[start : start + _CHUNK])
        totals.append(counts.sum(axis=(1, 2), dtype=np.float64))
        light += counts.sum(axis=0, dtype=np.float64)
    return np.concatenate(totals), light / len(numbers)


def frame_share(light: np.ndarray, width: int) -> float:
    """Return the share of (N, N) light in a frame of this width along the edges."""
    inner = light[width:-width, width:-width].sum(dtype=np.float64)
    return float(1 - inner / max(float(light.sum(dtype=np.float64)), 1e-300))
