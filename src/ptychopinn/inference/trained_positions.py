"""Positions that were refined for a training, taken again for the same scan."""

import logging
from dataclasses import replace

import numpy as np

from ptychopinn.bundle import Bundle
from ptychopinn.config import RefinementConfig
from ptychopinn.scan import Scan

_LOG = logging.getLogger(__name__)

#: Positions that differ by less are the same, in pixels.
_SAME_PX = 1e-6


def with_trained_positions(scan: Scan, bundle: Bundle | None, wanted: RefinementConfig) -> Scan:
    """Return the scan with the positions that a bundle found for it, and a sentence that says so.

    It is the same scan when it has as many patterns, at the positions where the refinement of the
    training began. Any other scan comes back as it is, and so does one whose positions are to be
    refined again.

    Args:
        scan: As it was read.
        bundle: A trained model, or None.
        wanted: What is refined now.
    """
    if bundle is None or bundle.positions_px is None or bundle.start_positions_px is None:
        return scan
    if wanted.refine_positions != "none" or not _same(scan.positions_px, bundle.start_positions_px):
        return scan
    moved = np.linalg.norm(bundle.positions_px - bundle.start_positions_px, axis=1)
    said = (
        f"{int((moved > 0).sum())} of {len(moved)} positions are those that were refined for the "
        f"training of the bundle, {float(np.sqrt((moved**2).mean())):.2f} px rms from the given."
    )
    _LOG.info("%s: %s", scan.name, said)
    decisions = (*scan.decisions, said)
    return replace(scan, positions_px=bundle.positions_px, decisions=decisions)


def _same(found: np.ndarray, start: np.ndarray) -> bool:
    return found.shape == start.shape and bool(np.allclose(found, start, rtol=0, atol=_SAME_PX))
