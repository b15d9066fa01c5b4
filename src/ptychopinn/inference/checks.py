"""How far a reconstruction can be trusted, without any truth: two halves of the data."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch

from ptychopinn.evaluation import RingCorrelation, align, crossing, fourier_ring_correlation
from ptychopinn.inference.pattern_fit import Judgement, judge, pattern_fit
from ptychopinn.processes import ALONE, Processes
from ptychopinn.scan import PatternFit, Scan

#: A half is judged where the other half's illumination exceeds this share of its maximum.
_SEEN = 0.1
#: Fewer pixels that both halves saw make no ring correlation.
_LEAST_PIXELS = 1024


class Fit(NamedTuple):
    """How an object explains the patterns of a scan, each a mean over the good pixels."""

    deviance: float
    """Poisson deviance."""
    expected: float
    """The deviance that photon noise alone would leave at the predicted counts."""
    counts: float
    """Measured photons."""

    @property
    def misfit(self) -> float:
        """Relative error of the predicted amplitudes beyond photon noise, whatever the dose.

            R = sqrt( sum (sqrt(lambda) - sqrt(lambda_true))^2 / sum lambda_true )

        estimated from the deviance that photon noise does not explain, which is about
        4 (sqrt(lambda) - sqrt(lambda_true))^2 in a pixel.
        """
        unexplained = max(0.0, self.deviance - self.expected)
        return math.sqrt(unexplained / (4 * self.counts)) if self.counts else 0.0


class HalvesCheck(NamedTuple):
    """What two halves of the data say of each other."""

    quality: dict[str, float]
    """Figures, see `check_halves`."""
    pattern_fit: PatternFit
    """Every pattern against what the other half's object predicts."""
    ring_correlation: np.ndarray | None = None
    """(3, R) frequency in cycles per pixel, correlation, Fourier samples of each ring; None where
    too few pixels were seen by both."""


def fit(scan: Scan, canvas: np.ndarray, device: torch.device) -> Fit:
    """Compare the patterns of a scan with what an object predicts.

    Args:
        scan: In the gauge of the package.
        canvas: (H, W) complex64.
        device: Where the work is done.
    """
    return _mean_fit(judge(scan, canvas, np.arange(scan.n_patterns), device))


def _mean_fit(found: Judgement) -> Fit:
    """Average over the patterns."""
    means = (found.deviance, found.expected, found.counts)
    return Fit(*(float(values.mean(dtype=np.float64)) for values in means))


def excess_deviance(scan: Scan, canvas: np.ndarray, device: torch.device) -> float:
    """Return the Poisson deviance per good pixel that an object leaves on the patterns of a scan.

        2 * mean( (lambda - I) - I log(lambda / I) )

    About 1 where photons are many and the model is right, less in the dark; arguments as `fit`.
    """
    return fit(scan, canvas, device).deviance


def check_halves(
    scan: Scan,
    solve: Callable[[Scan, str], tuple[np.ndarray, np.ndarray]],
    device: torch.device,
    processes: Processes = ALONE,
) -> HalvesCheck:
    """Reconstruct two disjoint halves; judge each on the other's patterns, and compare both.

    Args:
        scan: In the gauge of the package.
        solve: From a scan and a word for progress to object and illumination, both (H, W).
        device: Where the work is done.
        processes: Who shares the patterns that are judged.

    The figures of the result:
        ``held_out_excess_deviance``: per pixel, on patterns that the object was not made from, as
        all these a mean over both directions.
        ``held_out_deviance_ratio``: the same over what photon noise alone would leave; 1 = nothing
        but noise, whatever the dose.
        ``held_out_misfit``: relative amplitude error of the prediction beyond photon noise, see
        `Fit.misfit`.
        ``held_out_photon_misfit``: the part of it that photon noise makes by way of the object,
        sqrt(covered pixels / photons). Half of the photons give a pixel the variance
        2 pixels / photons, of which moduli see half.
        ``half_data_frc_crossing``: frequency in cycles per pixel where the Fourier ring
        correlation of the halves falls below the half-bit curve, for one half; only where enough
        pixels were seen by both.
    """
    order = np.random.default_rng(0).permutation(scan.n_patterns)
    if scan.scan_index is not None:  # each scan gives half of its patterns to either side
        order = order[np.argsort(scan.scan_index[order], kind="stable")]
    halves = [np.sort(order[start::2]) for start in (0, 1)]
    solved = [
        solve(scan.select(half), f"check, half {number + 1} of 2")
        for number, half in enumerate(halves)
    ]
    covered = np.logical_and.reduce([light > _SEEN * light.max() for _, light in solved])
    canvases = [solved[1][0], solved[0][0]]
    judged = [judge(scan, *pair, device, processes) for pair in zip(canvases, halves, strict=True)]
    quality = _quality([_mean_fit(found) for found in judged], scan, covered)
    explained = pattern_fit(scan, canvases, judged, device, held_out=True, processes=processes)
    if covered.sum() < _LEAST_PIXELS:
        return HalvesCheck(quality, explained)
    curve = _ring_correlation(solved[0][0], solved[1][0], covered)
    quality["half_data_frc_crossing"] = crossing(curve, "half_bit").cycles_per_px
    rings = np.stack([curve.frequency, curve.correlation, curve.n.astype(np.float64)])
    return HalvesCheck(quality, explained, rings)


def _quality(fits: list[Fit], scan: Scan, covered: np.ndarray) -> dict[str, float]:
    """Return the figures of both directions as one."""
    return {
        "held_out_excess_deviance": float(np.mean([f.deviance for f in fits])),
        "held_out_deviance_ratio": float(
            sum(f.deviance for f in fits) / max(sum(f.expected for f in fits), 1e-12)
        ),
        "held_out_misfit": float(np.sqrt(np.mean([f.misfit**2 for f in fits]))),
        "held_out_photon_misfit": math.sqrt(covered.sum() / max(_photons(scan, fits), 1.0)),
    }


def _photons(scan: Scan, fits: list[Fit]) -> float:
    """Return all photons in the good pixels of a scan."""
    return float(np.mean([f.counts for f in fits])) * float(scan.mask.sum()) * scan.n_patterns


def _ring_correlation(
    first: np.ndarray, second: np.ndarray, covered: np.ndarray
) -> RingCorrelation:
    """Correlate the halves on the rectangle around what both saw."""
    weight = covered.astype(np.float64)
    aligned = align(first, second, weight, register=False).image
    rows, columns = np.flatnonzero(covered.any(axis=1)), np.flatnonzero(covered.any(axis=0))
    cut = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    return fourier_ring_correlation(aligned[cut], second[cut], weight[cut])
