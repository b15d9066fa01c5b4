"""Scans of whose detector and axes everything is known."""

from dataclasses import replace

from ptychopinn.config import SimulationConfig
from ptychopinn.scan import Scan
from ptychopinn.simulation import simulate
from ptychopinn.symmetry import Turn

SETTINGS = {
    "n": 64,
    "patterns": 120,
    "object": "dead_leaves",
    "photons": 1e6,
    "step_px": 4.0,
}


def simulated(**settings) -> Scan:
    return simulate(SimulationConfig(**{**SETTINGS, **settings}))


def with_patterns_turned(scan: Scan, turn: Turn) -> Scan:
    return replace(scan, patterns=turn.of_images(scan.patterns).copy())


def with_positions_turned(scan: Scan, turn: Turn) -> Scan:
    """Turn positions about their middle, on a canvas that holds them any way round."""
    middle = (scan.positions_px.min(axis=0) + scan.positions_px.max(axis=0)) / 2
    side = max(scan.canvas_shape) + scan.n
    places = turn.of_vectors(scan.positions_px - middle) + side / 2
    return replace(scan, positions_px=places, canvas_shape=(side, side), truth=None)
