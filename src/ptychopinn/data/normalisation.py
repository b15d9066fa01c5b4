"""The gauge of a scan: how its probe was scaled, and what its counts are."""

import logging
from dataclasses import dataclass, replace

import numpy as np
import torch

from ptychopinn.config import PhysicsConfig
from ptychopinn.errors import DataError
from ptychopinn.physics.gauge import LEAST_SEEN, scale_probe, share_on
from ptychopinn.scan import Scan

_LOG = logging.getLogger(__name__)

#: Patterns read at a time, to bound memory.
_CHUNK = 256
#: Patterns that the mean is taken over; more would read the whole file for the same figure.
_SAMPLE = 2048
#: A detector with a smaller share of good pixels measures no image.
LEAST_GOOD = 0.01


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

    Raises:
        DataError: Less than 1 % of the detector or less than 5 % of that light is good: nothing
            would be reconstructed but what the start was.
    """
    if scan.mask.all() or not scan.probe.any():
        return 1.0
    good = float(scan.mask.mean())
    if good < LEAST_GOOD:
        raise DataError(
            f"{scan.name}: mask: found {scan.mask.sum()} good pixels of {scan.mask.size} "
            f"({good:.2%}), wanted {LEAST_GOOD:.0%} at least; check --mask (True = bad in .npy "
            "files) and --bad-pixels."
        )
    mask = torch.from_numpy(scan.mask.astype(np.float32))
    share = share_on(torch.from_numpy(scan.probe), mask)
    if share < LEAST_SEEN:
        raise DataError(
            f"{scan.name}: mask: found {share:.2%} of the probe's own light on good pixels, wanted "
            f"{LEAST_SEEN:.0%} at least; check --mask and --bad-pixels, or give another probe with "
            "--probe FILE."
        )
    return share


def normalise(scan: Scan, physics: PhysicsConfig) -> MeasuredScan:
    """Scale the probe so that the object's amplitude is of order 1, and say by how much.

        sum over good pixels of |F(P)|^2 = mean photons of a pattern

    Raises:
        DataError: The probe has no power, the patterns no photons, or next to no pixel is good.
    """
    share = seen_share(scan)
    counts = mean_counts(scan)
    try:
        probe, factor = scale_probe(scan.probe, counts / share)
    except DataError as error:
        raise DataError(f"{scan.name}: {error}") from error
    if physics.probe_power == "keep":
        probe, factor = scan.probe, 1.0
    _LOG.info("%.4g photons in the mean pattern; probe scaled by %.4g", counts, factor)
    complex64 = np.ascontiguousarray(probe, dtype=np.complex64)
    return MeasuredScan(replace(scan, probe=complex64), counts, factor)
