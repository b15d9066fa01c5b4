"""A measurement as Ptychodus 1.7.0 holds it: patterns, bad pixels, product."""

import numpy as np
from ptychodus.api.geometry import PixelGeometry
from ptychodus.api.object import Object, ObjectCenter
from ptychodus.api.probe import ProbeSequence
from ptychodus.api.probe_positions import ProbePosition, ProbePositionSequence
from ptychodus.api.product import Product, ProductMetadata
from ptychodus.api.reconstruct import ReconstructInput

from ptychopinn.scan import Scan

PIXEL_M = 1e-8


def ptychodus_input(scan: Scan, image: np.ndarray, bad_pixels: np.ndarray) -> ReconstructInput:
    """Patterns as stored, and a product whose object is an image on an array about the scan.

    Args:
        scan: Positions of the centre pixel N // 2 on the image.
        image: (H, W) complex; its centre is where Ptychodus places it.
        bad_pixels: (N, N) bool, True = bad.
    """
    middles = scan.positions_px - (scan.n // 2 - (scan.n - 1) / 2)
    centre = (np.array(image.shape) - 1) / 2
    points = [
        ProbePosition(index, (x - centre[1]) * PIXEL_M, (y - centre[0]) * PIXEL_M)
        for index, (y, x) in enumerate(middles)
    ]
    pixel = PixelGeometry(PIXEL_M, PIXEL_M)
    product = Product(
        metadata=ProductMetadata("star", "", 2.0, 8000.0, 1e6, 0.1, 0.0, 0.0),
        probe_positions=ProbePositionSequence(points),
        probes=ProbeSequence(scan.probe[None], None, pixel),
        object_=Object(image, pixel, ObjectCenter(0.0, 0.0)),
        losses=[],
    )
    return ReconstructInput(np.asarray(scan.patterns[:]), bad_pixels, product)


def object_shape(scan: Scan) -> tuple[int, int]:
    """(H, W) of the array whose middle is the middle of the scan: round(2 * mid + 1)."""
    middles = scan.positions_px - (scan.n // 2 - (scan.n - 1) / 2)
    height, width = np.round(middles.min(axis=0) + middles.max(axis=0) + 1).astype(int)
    return int(height), int(width)
