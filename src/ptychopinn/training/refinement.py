"""Probe and positions made to agree with the patterns of a training: before it, and by it."""

from dataclasses import replace
from typing import Any

import numpy as np

from ptychopinn.config import Config
from ptychopinn.data.region import select_region
from ptychopinn.device import resolve_device
from ptychopinn.errors import ConfigError
from ptychopinn.refinement import (
    LearnedScan,
    RefinedScan,
    probe_change,
    refine,
    wants_refinement,
)
from ptychopinn.scan import Scan


def require_loss_on_patterns(config: Config) -> None:
    """Refuse a supervised training that is to refine: it never asks what patterns predict.

    Raises:
        ConfigError: Both are asked for.
    """
    if config.refinement.refine_while_training and config.training.objective == "supervised":
        raise ConfigError(
            "refinement.refine_while_training: supervised training has no loss on the patterns to "
            "refine by; leave it out, and probe and positions are refined before the training."
        )


def refined_region(scan: Scan, config: Config) -> RefinedScan:
    """Refine a scan by the patterns of its training region alone; the others keep their places.

    The patterns that a training is judged on later stay unseen. Here the object is that of all
    patterns together, solved for; what a training goes on with sees small groups of them and the
    object of a network (docs/decisions.md has the figures).

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


def learned_scan(region: Scan, config: Config) -> LearnedScan | None:
    """Return what a training goes on to refine; None where it does not.

    Args:
        region: The patterns that are trained on, after the refinement before the training.
        config: Settings of the run.
    """
    if not config.refinement.refine_while_training:
        return None
    return LearnedScan(region, config.refinement)


def after_training(
    refined: RefinedScan, learned: LearnedScan | None, region: Scan, chosen: np.ndarray
) -> RefinedScan:
    """Return the whole scan as a training left it; its start is that before all refinement.

    Args:
        refined: Before the training.
        learned: What the training refined, or None.
        region: The patterns that were trained on.
        chosen: Their numbers in the whole scan.
    """
    if learned is None:
        return refined
    scan, part = refined.scan, learned.applied_to(region)
    start_probe, start_positions = refined.start_probe, refined.start_positions_px
    figures: dict[str, Any] = {}
    positions = scan.positions_px
    if learned.probe_change is not None:
        start_probe = scan.probe if start_probe is None else start_probe
        figures["probe_change"] = probe_change(scan.probe, part.probe)
    if learned.affine_px is not None:
        start_positions = positions if start_positions is None else start_positions
        moved = np.linalg.norm(part.positions_px - region.positions_px, axis=1)
        figures["positions_moved_rms_px"] = float(np.sqrt((moved**2).mean()))
        figures["positions_moved_most_px"] = float(moved.max())
        positions = positions.copy()
        positions[chosen] = part.positions_px
    return RefinedScan(
        replace(scan, probe=part.probe, positions_px=positions),
        refined.canvas,
        start_probe,
        start_positions,
        {**refined.figures, "while_training": figures},
    )
