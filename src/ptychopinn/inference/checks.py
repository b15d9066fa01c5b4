"""How far a reconstruction can be trusted, without any truth: two halves of the data."""

from collections.abc import Callable

import numpy as np
import torch

from ptychopinn.evaluation import align, crossing, fourier_ring_correlation
from ptychopinn.inference.batching import automatic_batch_size
from ptychopinn.inference.scan_view import ScanView
from ptychopinn.physics.fourier import to_corner
from ptychopinn.physics.likelihood import poisson_excess
from ptychopinn.scan import Scan

#: A half is judged where the other half's illumination exceeds this share of its maximum.
_SEEN = 0.1
#: Fewer pixels that both halves saw make no ring correlation.
_LEAST_PIXELS = 1024


def excess_deviance(scan: Scan, canvas: np.ndarray, device: torch.device) -> float:
    """Return the Poisson deviance per good pixel that an object leaves on the patterns of a scan.

        2 * mean( (lambda - I) - I log(lambda / I) )

    About 1 where photons are many and the model is right, less in the dark.

    Args:
        scan: In the gauge of the package.
        canvas: (H, W) complex64.
        device: Where the work is done.
    """
    size = automatic_batch_size(scan.n, scan.n_modes, device)
    mask = to_corner(torch.from_numpy(scan.mask.astype(np.float32)).to(device))
    with torch.inference_mode():
        view = ScanView(scan, size, device)
        image = torch.from_numpy(canvas).to(device)[None]
        total = sum(
            float(poisson_excess(predicted, counts, mask)) * len(counts)
            for predicted, counts in view.predictions(image)
        )
    return 2 * total / scan.n_patterns


def check_halves(
    scan: Scan,
    solve: Callable[[Scan, str], tuple[np.ndarray, np.ndarray]],
    device: torch.device,
) -> dict[str, float]:
    """Reconstruct two disjoint halves; judge each on the other's patterns, and compare both.

    Args:
        scan: In the gauge of the package.
        solve: From a scan and a word for progress to object and illumination, both (H, W).
        device: Where the work is done.

    Returns:
        ``held_out_excess_deviance``: mean over both directions, per pixel, on patterns that the
        object was not made from; ``half_data_frc_crossing``: frequency in cycles per pixel where
        the Fourier ring correlation of the halves falls below the half-bit curve, for one half.
    """
    order = np.random.default_rng(0).permutation(scan.n_patterns)
    halves = [scan.select(np.sort(order[start::2])) for start in (0, 1)]
    objects = []
    deviances = []
    covered = np.ones(scan.canvas_shape, dtype=bool)
    for number, half in enumerate(halves):
        canvas, illumination = solve(half, f"check, half {number + 1} of 2")
        objects.append(canvas)
        covered &= illumination > _SEEN * illumination.max()
        deviances.append(excess_deviance(halves[1 - number], canvas, device))
    quality = {"held_out_excess_deviance": float(np.mean(deviances))}
    if covered.sum() >= _LEAST_PIXELS:
        quality["half_data_frc_crossing"] = _crossing(objects[0], objects[1], covered)
    return quality


def _crossing(first: np.ndarray, second: np.ndarray, covered: np.ndarray) -> float:
    """Return where the halves part, in cycles per pixel, on the rectangle around both."""
    weight = covered.astype(np.float64)
    aligned = align(first, second, weight, register=False).image
    rows, columns = np.flatnonzero(covered.any(axis=1)), np.flatnonzero(covered.any(axis=0))
    cut = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
    curve = fourier_ring_correlation(aligned[cut], second[cut], weight[cut])
    return crossing(curve, "half_bit").cycles_per_px
