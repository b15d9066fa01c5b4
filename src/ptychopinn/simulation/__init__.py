"""Synthetic scans with known truth, made by the same physics that reconstructs them.

    scan = simulate(SimulationConfig(object="lines", photons=1e5))

Objects, probes, positions and the detector are made apart and can be used apart.
"""

from ptychopinn.simulation.detector import detector_mask, poisson_counts
from ptychopinn.simulation.objects import OBJECTS, make_object
from ptychopinn.simulation.positions import POSITIONS, make_positions
from ptychopinn.simulation.probes import PROBES, make_probe, spot_diameter
from ptychopinn.simulation.synthesis import (
    Experiment,
    expected_counts,
    pattern_batches,
    prepare,
    simulate,
)

__all__ = [
    "OBJECTS",
    "POSITIONS",
    "PROBES",
    "Experiment",
    "detector_mask",
    "expected_counts",
    "make_object",
    "make_positions",
    "make_probe",
    "pattern_batches",
    "poisson_counts",
    "prepare",
    "simulate",
    "spot_diameter",
]
