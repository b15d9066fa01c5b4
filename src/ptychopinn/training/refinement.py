"""Probe and positions made to agree with the patterns of the training, before it starts."""

from dataclasses import replace

from ptychopinn.config import Config
from ptychopinn.data.region import select_region
from ptychopinn.device import resolve_device
from ptychopinn.refinement import RefinedScan, refine, wants_refinement
from ptychopinn.scan import Scan


def refined_region(scan: Scan, config: Config) -> RefinedScan:
    """Refine a scan by the patterns of its training region alone; the others keep their places.

    The patterns that a training is judged on later stay unseen. Beforehand is better than a probe
    that learns with the weights: the networks would first learn to make up for the wrong one.

    Args:
        scan: In the gauge of the package.
        config: Settings of the run.

    Returns:
        The whole scan, with all of its positions before where they were refined.
    """
    if not wants_refinement(config.refinement):
        return RefinedScan(scan)
    chosen = select_region(scan, config.data.region, config.training.seed)
    device = resolve_device(config.training.device)
    part = refine(scan.select(chosen), config.refinement, device=device)
    positions, start = scan.positions_px, None
    if part.start_positions_px is not None:
        positions, start = positions.copy(), scan.positions_px
        positions[chosen] = part.scan.positions_px
    settled = replace(scan, probe=part.scan.probe, positions_px=positions)
    return replace(part, scan=settled, start_positions_px=start)
