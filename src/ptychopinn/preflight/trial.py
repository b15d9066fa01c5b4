"""One hypothesis tried: reconstruct from most of an excerpt, judge on the rest."""

from dataclasses import dataclass

import numpy as np
import torch

from ptychopinn.physics.diffraction import predict_counts
from ptychopinn.physics.fourier import fourier, intensity
from ptychopinn.physics.likelihood import expected_deviance, poisson_deviance
from ptychopinn.physics.subsets import most_subsets
from ptychopinn.preflight.excerpt import Excerpt, canvas_of
from ptychopinn.preflight.momentum import momenta_of
from ptychopinn.refinement.patterns import PatternBatches
from ptychopinn.refinement.solver import JointSolver
from ptychopinn.scan import PatternBatch, Scan
from ptychopinn.symmetry import STORED, Turn

#: Sweeps of a trial; after the first the probe may move.
SWEEPS = 6
_SUBSETS = 8
_BATCH = 64


@dataclass(frozen=True)
class Trial:
    """How a hypothesis explains the patterns that were held out."""

    deviance: np.ndarray
    """(H,) Poisson deviance of each held-out pattern, mean over the good pixels."""
    expected: np.ndarray
    """(H,) what photon noise alone would leave at the predicted counts."""


def try_turns(
    piece: Excerpt,
    patterns: Turn,
    probe: Turn = STORED,
    *,
    refine_probe: bool,
    device: torch.device,
) -> Trial:
    """Reconstruct a piece of a scan with its patterns, and its probe, turned.

    Args:
        piece: What was measured.
        patterns: How patterns are turned against the positions.
        probe: How the probe is turned against the positions.
        refine_probe: Let the probe follow the patterns, so that a rough guess is enough.
        device: Where the work is done.
    """
    counts = np.ascontiguousarray(patterns.of_images(piece.counts))
    scan = Scan(
        patterns=counts,
        positions_px=piece.positions_px,
        probe=np.ascontiguousarray(probe.of_images(piece.probe)),
        mask=np.ascontiguousarray(patterns.of_images(piece.mask)),
        canvas_shape=canvas_of(piece.positions_px, piece.n),
    )
    solver = _solved(scan.select(np.flatnonzero(~piece.held_out)), device, refine_probe)
    return _judged(scan.select(np.flatnonzero(piece.held_out)), solver, device)


def _solved(scan: Scan, device: torch.device, refine_probe: bool) -> JointSolver:
    subsets = min(_SUBSETS, most_subsets(max(2, scan.n_patterns // 4)))
    batches = PatternBatches(scan, subsets, _BATCH, device, cache_bytes=2**30)
    solver = JointSolver(scan, scan.probe, _ramp(scan), batches, device)
    for sweep in range(SWEEPS):
        solver.sweep(subsets, refine_probe=refine_probe and sweep > 0)
    return solver


def _ramp(scan: Scan) -> np.ndarray:
    """Return the (H, W) object of amplitude 1 that puts the probe's light where the patterns' is.

        O[r] = exp(2 pi i (<q>_patterns - <q>_probe) . r / N)

    A flip of even N moves the zero frequency by a pixel. As a ramp over the object explains that,
    no hypothesis may pay for it.
    """
    wave = torch.from_numpy(np.ascontiguousarray(scan.probe))
    light = np.stack([scan.counts().mean(axis=0), intensity(fourier(wave)).numpy() * scan.mask])
    measured, expected = np.nan_to_num(momenta_of(light))
    slope = 2j * np.pi * (measured - expected) / scan.n
    rows, columns = (
        np.exp(slope[axis] * np.arange(size)) for axis, size in enumerate(scan.canvas_shape)
    )
    return np.outer(rows, columns).astype(np.complex64)


@torch.inference_mode()
def _judged(scan: Scan, solver: JointSolver, device: torch.device) -> Trial:
    whole = np.floor(scan.positions_px)
    batch = PatternBatch(
        counts=torch.from_numpy(scan.counts())[None],
        corners=torch.from_numpy((whole - scan.n // 2).astype(np.int64))[None],
        fractions=torch.from_numpy((scan.positions_px - whole).astype(np.float32))[None],
        probe=solver.probe,
        mask=torch.from_numpy(scan.mask.astype(np.float32)),
        canvas_shape=scan.canvas_shape,
    ).on(device)
    predicted = predict_counts(solver.canvas, batch)[0]
    kinds = (poisson_deviance(predicted, batch.counts[0]), expected_deviance(predicted))
    found = [(kind * batch.mask).sum(dim=(1, 2)) / batch.mask.sum() for kind in kinds]
    deviance, expected = (values.double().cpu().numpy() for values in found)
    return Trial(deviance, expected)
