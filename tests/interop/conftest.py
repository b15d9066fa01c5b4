"""The real scan, small and in the hands of Ptychodus; everything here skips without it."""

from dataclasses import replace

import numpy as np
import pytest

from ptychopinn.config import DataConfig
from ptychopinn.io import read_reference, read_scan
from ptychopinn.scan import Scan

collect_ignore_glob: list[str] = []


@pytest.fixture
def star(real_scan_files) -> Scan:
    """The 100 patterns in the middle of the real scan, with the reference as truth."""
    whole = read_scan(real_scan_files[0], DataConfig(probe=str(real_scan_files[1])))
    away = np.abs(whole.positions_px - np.median(whole.positions_px, axis=0)).max(axis=1)
    scan = whole.select(np.sort(np.argsort(away)[:100]))
    start = np.floor(scan.positions_px.min(axis=0)).astype(int) - scan.n // 2 - 3
    positions = scan.positions_px - start
    height, width = np.round(positions.min(axis=0) + positions.max(axis=0)).astype(int)
    reference = read_reference(real_scan_files[1])
    truth = reference[start[0] : start[0] + height, start[1] : start[1] + width]
    return replace(scan, positions_px=positions, canvas_shape=truth.shape, truth=truth)
