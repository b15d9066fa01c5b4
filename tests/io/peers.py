"""The scan of tests/io/data as other programs wrote it, and what it has to be read as."""

from pathlib import Path

import numpy as np

from ptychopinn.config import DataConfig
from ptychopinn.io import read_scan
from ptychopinn.scan import Scan

DATA = Path(__file__).parent / "data"
#: Only the bad pixels that the file marks, so that counts can be compared.
MARKED = DataConfig(bad_pixels="file")


def the_scan() -> Scan:
    """The scan that all files hold."""
    return read_scan(DATA / "scan.npz", MARKED)


def said(scan: Scan) -> str:
    return "\n".join(scan.decisions)


def assert_same_scan(
    found: Scan, wanted: Scan, *, probe: bool = True, mask: bool = True, lengths: bool = True
) -> None:
    """Require equal counts in the good pixels, and positions to a millionth of a pixel."""
    counts, expected = (np.asarray(scan.counts()) * wanted.mask for scan in (found, wanted))
    np.testing.assert_array_equal(counts, expected)
    assert found.domain == "counts"
    assert found.canvas_shape == wanted.canvas_shape
    np.testing.assert_allclose(found.positions_px, wanted.positions_px, rtol=0, atol=1e-6)
    if wanted.truth is not None:
        np.testing.assert_allclose(found.truth, wanted.truth, rtol=1e-6)
    if probe:
        np.testing.assert_allclose(found.probe, wanted.probe, rtol=1e-6)
    if mask:
        np.testing.assert_array_equal(found.mask, wanted.mask)
    if lengths:
        for name in ("pixel_size_m", "wavelength_m"):
            np.testing.assert_allclose(getattr(found, name), getattr(wanted, name), rtol=1e-6)
