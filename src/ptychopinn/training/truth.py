"""The true object of supervised training: where it comes from, and in which gauge."""

import logging
from dataclasses import replace

import numpy as np

from ptychopinn.data import GroupDataset, collate_groups, group_patterns
from ptychopinn.errors import ConfigError, DataError
from ptychopinn.io import read_reference
from ptychopinn.physics.view import BatchView
from ptychopinn.scan import Scan

_LOG = logging.getLogger(__name__)

#: Patterns that the scale of the truth is taken from.
_SAMPLE = 64
#: A truth whose canvas is smaller than that of the scan by more than this is of another scan.
_LEAST_SHARE = 0.9


def with_truth(scan: Scan, path: str | None) -> Scan:
    """Return the scan with the truth of a file, or with its own when no file is named.

    Raises:
        ConfigError: There is neither.
        DataError: The file holds no object, or one of another canvas.
    """
    if path is not None:
        return replace(scan, truth=_on_canvas(path, read_reference(path), scan.canvas_shape))
    if scan.truth is None:
        raise ConfigError(
            f"training.objective: supervised training wants the true object, and {scan.name} has "
            "none; make a scan that has one with 'ptychopinn simulate -o scan.npz', or let a "
            "reconstruction of this scan serve as truth with --truth FILE."
        )
    return scan


def _on_canvas(path: str, truth: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Return the part of the truth that lies on the scan's canvas; pixel (0, 0) is the same."""
    if any(side < _LEAST_SHARE * wanted for side, wanted in zip(truth.shape, shape, strict=True)):
        raise DataError(
            f"{path}: truth: found an object of {truth.shape[0]} x {truth.shape[1]} pixels, wanted "
            f"about the canvas of the scan, {shape[0]} x {shape[1]}; give an object in the frame "
            "of the same positions."
        )
    canvas = np.zeros(shape, dtype=np.complex64)
    height, width = (min(a, b) for a, b in zip(truth.shape, shape, strict=True))
    canvas[:height, :width] = truth[:height, :width]
    return canvas


def in_gauge(scan: Scan) -> Scan:
    """Scale the truth so that it predicts as many photons as were measured.

        T' = T * sqrt( sum I / sum lambda(T) )    over good pixels of evenly spread patterns

    The probe of the scan was scaled to the mean pattern, and the file of a truth may have another
    gauge yet; a network must not be asked for a factor that the data contradict.

    Args:
        scan: In the gauge of the package, with a truth.

    Raises:
        DataError: The truth is dark wherever light fell.
    """
    chosen = np.unique(np.linspace(0, scan.n_patterns - 1, _SAMPLE).astype(int))
    sample = scan.select(chosen)
    alone = group_patterns(sample.positions_px, 1, len(chosen), rng=np.random.default_rng(0))
    dataset = GroupDataset(sample, alone, with_truth=True)
    batch = collate_groups(dataset)([dataset[number] for number in range(len(dataset))])
    if scan.truth is None or batch.truth is None:
        raise DataError(f"{scan.name}: truth: found none, wanted one to scale.")
    predicted = float((BatchView(batch).predict(batch.truth) * batch.mask).sum())
    if not predicted > 0:
        raise DataError(
            f"{scan.name}: truth: found an object that is dark wherever light fell, wanted one in "
            "the frame of the positions; give another one with --truth FILE."
        )
    factor = float(np.sqrt(float(batch.counts.sum()) / predicted))
    _LOG.info("truth scaled by %.4g, so that it predicts the measured photons", factor)
    return replace(scan, truth=(scan.truth * factor).astype(np.complex64))
