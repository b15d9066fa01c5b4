"""How far off each pixel is likely to be: the reconstruction, repeated on data of its own."""

import math
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from scipy.ndimage import gaussian_filter

from ptychopinn.device import automatic_batch_size
from ptychopinn.evaluation import align
from ptychopinn.inference.scan_view import ScanView, Streaming
from ptychopinn.scan import Scan

#: Pixels are judged where the illumination exceeds this share of its maximum.
_COVERED = 0.1
#: The squared errors are averaged over a Gaussian window of this standard deviation.
_WINDOW_PX = 6.0
#: Standard deviations of the Gaussians that part an image into octaves.
_OCTAVES_PX = (1, 2, 4, 8, 16)
#: No octave is believed to have shrunk to less than this share.
_LEAST_KEPT = 0.8
#: Standard deviation of a phase about which nothing is known.
_NO_PHASE_RAD = float(np.pi / np.sqrt(3))
#: Simulated patterns beyond this many bytes are kept in a temporary file.
_IN_MEMORY_BYTES = 2**29


@dataclass(frozen=True)
class Uncertainty:
    """Standard deviations of a reconstruction; NaN where too little light fell."""

    amplitude_std: np.ndarray
    """(H, W) float32, no unit."""
    phase_std: np.ndarray
    """(H, W) float32, rad, at most pi / sqrt(3): any phase."""


def estimate_uncertainty(
    scan: Scan,
    canvas: np.ndarray,
    illumination: np.ndarray,
    solve: Callable[[Scan, str], tuple[np.ndarray, np.ndarray]],
    device: torch.device,
) -> Uncertainty:
    """Estimate errors by a parametric bootstrap.

    The object o is taken for the truth: patterns are drawn from the counts that it predicts, and
    reconstructed in the same way, to z. The error z - o has everything that the error o - truth
    has: photon noise, the bias of square roots of few counts, and what too few sweeps leave. Two
    halves of the data show the noise alone. What a reconstruction shrinks it shrinks twice in z,
    so in every octave of spatial frequencies the error is divided by what was kept of it,

        S = <z, o> / <o, o>

    The squares are averaged over a window of some pixels.

    Args:
        scan: In the gauge of the package.
        canvas: (H, W) complex64, the reconstruction of the scan.
        illumination: (H, W) real, photons per pixel.
        solve: From a scan and a word for progress to object and illumination, both (H, W).
        device: Where the work is done.

    Costs as much as the reconstruction. Cannot see what both reconstructions get wrong in the same
    way: a wrong probe or wrong positions (`trust` does), and errors of long wavelength after very
    few sweeps. Coverage of the intervals: docs/uncertainty.md.
    Source: Efron & Tibshirani, An Introduction to the Bootstrap, chapter 6 (1993).
    Tested: tests/inference/test_uncertainty.py.
    """
    with repeated(scan, canvas, device) as again:
        made, _ = solve(again, "uncertainty")
    covered = illumination > _COVERED * illumination.max()
    weight = covered.astype(np.float64)
    other = align(made, canvas, weight, register=False).image
    amplitude = np.abs(canvas).astype(np.float64)
    mean = np.sum(weight * canvas)
    phase = np.angle(canvas * np.conj(mean if mean else 1.0))
    of_amplitude = _spread(np.abs(other) - amplitude, amplitude, weight)
    of_phase = _spread(np.angle(other * np.conj(canvas)), phase, weight)
    return Uncertainty(
        np.where(covered, of_amplitude, np.nan).astype(np.float32),
        np.where(covered, np.minimum(of_phase, _NO_PHASE_RAD), np.nan).astype(np.float32),
    )


@contextmanager
def repeated(scan: Scan, canvas: np.ndarray, device: torch.device, seed: int = 0) -> Iterator[Scan]:
    """Give the scan that would have been measured if an object were the truth.

    Args:
        scan: In the gauge of the package; its patterns are not read.
        canvas: (H, W) complex64.
        device: Where the work is done.
        seed: Of the photon noise.
    """
    rng = np.random.default_rng(seed)
    shape = (scan.n_patterns, scan.n, scan.n)
    with tempfile.TemporaryDirectory(prefix="ptychopinn-") as folder, torch.inference_mode():
        counts = (
            np.empty(shape, dtype=np.float32)
            if 4 * math.prod(shape) <= _IN_MEMORY_BYTES
            else np.memmap(Path(folder) / "counts", np.float32, "w+", shape=shape)
        )
        size = automatic_batch_size(scan.n, scan.n_modes, device)
        view = ScanView(scan, Streaming(size, device))
        image = torch.from_numpy(canvas).to(device)[None]
        first = 0
        for predicted, _ in view.predictions(image):
            rates = torch.fft.fftshift(predicted, dim=(-2, -1)).cpu().numpy()
            counts[first : first + len(rates)] = rng.poisson(rates)
            first += len(rates)
        yield replace(scan, patterns=counts, domain="counts", truth=None)


def _spread(error: np.ndarray, quantity: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the local root mean square of (H, W) errors, after undoing what was shrunk."""
    total = np.zeros_like(error)
    middle = np.sum(weight * quantity) / np.sum(weight)
    whole = zip(_octaves(quantity - middle, weight), _octaves(error, weight), strict=True)
    for wanted, wrong in whole:
        power = np.sum(wanted**2)
        kept = 1 + np.sum(wanted * wrong) / power if power > 0 else 1.0
        total += wrong / np.clip(kept, _LEAST_KEPT, 1)
    return np.sqrt(_smooth(total**2, weight, _WINDOW_PX))


def _octaves(image: np.ndarray, weight: np.ndarray) -> Iterator[np.ndarray]:
    """Part (H, W) values into bands of spatial frequency that add up to weight * values."""
    finer = image * weight
    for sigma in _OCTAVES_PX:
        coarser = _smooth(image, weight, sigma) * weight
        yield finer - coarser
        finer = coarser
    yield finer


def _smooth(values: np.ndarray, weight: np.ndarray, sigma_px: float) -> np.ndarray:
    """Return the weighted mean over a Gaussian window."""
    total = gaussian_filter(values * weight, sigma_px, mode="constant")
    return total / np.maximum(gaussian_filter(weight, sigma_px, mode="constant"), 1e-9)
