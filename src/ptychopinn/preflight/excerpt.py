"""A small, honest piece of a scan: neighbouring patterns, cut to where their light is."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.spatial import cKDTree

from ptychopinn.errors import DataError
from ptychopinn.physics.fourier import fourier, inverse_fourier
from ptychopinn.preflight.momentum import mean_momenta
from ptychopinn.scan import Scan, canvas_covering

#: Neighbouring patterns that are reconstructed.
PATTERNS = 100
#: Fewer patterns than this decide nothing.
LEAST_PATTERNS = 24
#: Share of the light that the cut detector holds.
_HELD_LIGHT = 0.95
#: Sides of the cut detector: quick to transform.
_SIDES = (32, 48, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512)
#: One in so many of the inner half of the patterns is held out.
_HELD_OUT_EVERY = 2
#: Patterns, spread over the scan, among which the liveliest place is looked for.
_SPREAD = 200
#: Amplitudes have no unit; this many photons in a pattern are assumed.
_ASSUMED_PHOTONS = 1e5


@dataclass(frozen=True)
class Excerpt:
    """Neighbouring patterns of a scan on a canvas of their own, all in memory."""

    counts: np.ndarray
    """(M, n, n) float32 photons, as stored, cut about the zero frequency."""
    positions_px: np.ndarray
    """(M, 2) float64 (y, x) on the canvas, in its pixels, N / n times those of the scan."""
    probe: np.ndarray
    """(P, n, n) complex64 in sqrt(photons) per pixel."""
    mask: np.ndarray
    """(n, n) bool, True = good."""
    held_out: np.ndarray
    """(M,) bool, patterns that are only judged: some of those in the middle of the others."""

    @property
    def n(self) -> int:
        """Side of a cut pattern."""
        return int(self.counts.shape[-1])


def excerpt(scan: Scan) -> Excerpt:
    """Take about 100 neighbouring patterns where the scan is liveliest.

    Detectors are cut to the smallest square that holds 95 % of the light: fewer pixels of the same
    field of view. Probe and positions are brought to the larger canvas pixels.

    Raises:
        DataError: There are too few patterns, or they hold no light.
    """
    if scan.n_patterns < LEAST_PATTERNS:
        raise DataError(
            f"{scan.name}: found {scan.n_patterns} patterns, wanted at least {LEAST_PATTERNS} to "
            "tell orientations apart; give a larger scan."
        )
    near, rank = _liveliest(scan)
    counts = scan.counts(near)
    if scan.domain == "amplitude":
        counts *= _ASSUMED_PHOTONS / max(float(counts.sum(axis=(1, 2)).mean()), 1e-30)
    side = _side(counts.mean(axis=0))
    cut = _middle(scan.n, side)
    counts, mask = counts[(slice(None), *cut)], scan.mask[cut]
    positions = scan.positions_px[near] * side / scan.n
    positions += side // 2 - np.floor(positions.min(axis=0))
    held_out = (rank < len(near) // 2) & (rank % _HELD_OUT_EVERY == 1)
    probe = _coarser_probe(scan.probe, side)
    photons = float(counts.sum(axis=(1, 2), dtype=np.float64).mean())
    if photons <= 0:
        raise DataError(f"{scan.name}: found no light in {len(near)} neighbouring patterns.")
    power = float((np.abs(probe) ** 2).sum(dtype=np.float64))
    probe = (probe * np.sqrt(photons / power)).astype(np.complex64)
    return Excerpt(np.ascontiguousarray(counts), positions, probe, mask, held_out)


def canvas_of(positions_px: np.ndarray, n: int) -> tuple[int, int]:
    """Return the canvas (H, W) that holds the windows of an excerpt."""
    return canvas_covering(positions_px, n)


def _liveliest(scan: Scan) -> tuple[np.ndarray, np.ndarray]:
    """Return pattern numbers, ascending, and how near each is to the middle of them (0 = nearest).

    Lively is where the mean momentum changes from pattern to pattern: a flat place tells nothing.
    """
    step = max(1, scan.n_patterns // _SPREAD)
    spread = np.arange(0, scan.n_patterns, step)
    momenta = mean_momenta(scan, spread)
    places = scan.positions_px[spread]
    count = min(len(spread), max(8, PATTERNS // step))
    _, around = cKDTree(places).query(places, k=count)
    change = np.nan_to_num(momenta[around].var(axis=1).sum(axis=1))
    middle = places[int(np.argmax(change))]
    most = min(PATTERNS, scan.n_patterns)
    _, near = cKDTree(scan.positions_px).query(middle, k=most)
    order = np.argsort(near)
    return near[order], np.arange(most)[order]


def _side(light: np.ndarray) -> int:
    """Return the side of the smallest square about the middle that holds 95 % of the light."""
    n = light.shape[0]
    wanted = _HELD_LIGHT * float(light.sum(dtype=np.float64))
    for side in _SIDES:
        if side >= n:
            break
        if float(light[_middle(n, side)].sum(dtype=np.float64)) >= wanted:
            return side
    return n


def _middle(n: int, side: int) -> tuple[slice, slice]:
    start = n // 2 - side // 2
    return slice(start, start + side), slice(start, start + side)


def _coarser_probe(probe: np.ndarray, side: int) -> np.ndarray:
    """Cut the far field of a probe: the same window in larger pixels."""
    n = probe.shape[-1]
    wave = torch.from_numpy(np.ascontiguousarray(probe, dtype=np.complex64))
    return inverse_fourier(fourier(wave)[(slice(None), *_middle(n, side))]).numpy()
