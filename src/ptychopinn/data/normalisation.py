"""The gauge of a scan: how its probe was scaled, and what its counts are."""

import logging
from dataclasses import dataclass, replace

import numpy as np
import torch

from ptychopinn.config import PhysicsConfig
from ptychopinn.physics.fourier import fourier, intensity
from ptychopinn.physics.gauge import scale_probe
from ptychopinn.scan import Scan

_LOG = logging.getLogger(__name__)

#: Patterns read at a time, to bound memory.
_CHUNK = 256
#: Patterns that the mean is taken over; more would read the whole file for the same figure.
_SAMPLE = 2048
#: A probe whose own light falls on bad pixels nearly everywhere says nothing about its power.
_LEAST_SEEN = 0.1


@dataclass(frozen=True)
class MeasuredScan:
    """A scan in the gauge of the package, with the figures that fixed it."""

    scan: Scan
    """Its probe is in sqrt(photons) per pixel."""
    pattern_counts: float
    """Mean photons of a pattern."""
    probe_factor: float
    """What the probe of the file was multiplied by."""


def mean_counts(scan: Scan) -> float:
    """Return the mean photons of a pattern, over evenly spread patterns, read in chunks."""
    step = max(1, scan.n_patterns // _SAMPLE)
    chosen = np.arange(0, scan.n_patterns, step)
    total = sum(
        float(scan.counts(chosen[start : start + _CHUNK]).sum(dtype=np.float64))
        for start in range(0, len(chosen), _CHUNK)
    )
    return total / len(chosen)


def mean_pattern(scan: Scan) -> np.ndarray:
    """Return the (N, N) mean photons of every pixel, over evenly spread patterns; 0 where bad."""
    step = max(1, scan.n_patterns // _CHUNK)
    return scan.counts(np.arange(0, scan.n_patterns, step)).mean(axis=0, dtype=np.float64)


def seen_share(scan: Scan) -> float:
    """Return the share of the probe's own light that falls on good detector pixels.

    What a detector gap takes away must not make the probe weaker. The object scatters little of
    the light far, so that the far field of the probe tells where most of it is missing; a share
    below a tenth is not believed, and 1.
    """
    if scan.mask.all():
        return 1.0
    light = intensity(fourier(torch.from_numpy(scan.probe))).numpy()
    total = float(light.sum(dtype=np.float64))
    seen = float(light[scan.mask].sum(dtype=np.float64))
    return seen / total if seen > _LEAST_SEEN * total else 1.0


def normalise(scan: Scan, physics: PhysicsConfig) -> MeasuredScan:
    """Scale the probe so that the object's amplitude is of order 1, and say by how much.

        sum over good pixels of |F(P)|^2 = mean photons of a pattern

    Raises:
        DataError: The probe has no power, or the patterns no photons.
    """
    counts = mean_counts(scan)
    probe, factor = scale_probe(scan.probe, counts / seen_share(scan))
    if physics.probe_power == "keep":
        probe, factor = scan.probe, 1.0
    _LOG.info("%.4g photons in the mean pattern; probe scaled by %.4g", counts, factor)
    complex64 = np.ascontiguousarray(probe, dtype=np.complex64)
    return MeasuredScan(replace(scan, probe=complex64), counts, factor)
