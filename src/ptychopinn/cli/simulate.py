"""``ptychopinn simulate``."""

from typing import Any

from jsonargparse import Namespace

from ptychopinn.config import SimulationConfig
from ptychopinn.io import write_scan_npz
from ptychopinn.simulation import simulate


def run(parsed: Namespace, settings: dict[str, Any]) -> int:
    """Make a synthetic scan and write it."""
    scan = simulate(SimulationConfig.from_dict(settings["simulation"]))
    write_scan_npz(parsed.output, scan)
    for sentence in scan.decisions:
        print(sentence)
    size = f"{scan.n} x {scan.n} pixels"
    print(f"{scan.n_patterns} patterns of {size}, with their truth: {parsed.output}")
    return 0
