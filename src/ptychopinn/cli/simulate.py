"""``ptychopinn simulate``."""

from typing import Any

from jsonargparse import Namespace

from ptychopinn.config import SimulationConfig
from ptychopinn.io import write_scan_npz
from ptychopinn.scan import Scan
from ptychopinn.simulation import simulate
from ptychopinn.simulation.streamed import StreamedPatterns
from ptychopinn.simulation.synthesis import prepare, scan_of

#: Patterns that take more than this, in bytes, are made while they are written.
MOST_IN_MEMORY = 2**29


def run(parsed: Namespace, settings: dict[str, Any]) -> int:
    """Make a synthetic scan and write it."""
    wanted = SimulationConfig.from_dict(settings["simulation"])
    scan = _streamed(wanted) if _bytes_of(wanted) > MOST_IN_MEMORY else simulate(wanted)
    write_scan_npz(parsed.output, scan)
    for sentence in scan.decisions:
        print(sentence)
    size = f"{scan.n} x {scan.n} pixels"
    print(f"{scan.n_patterns} patterns of {size}, with their truth: {parsed.output}")
    return 0


def _bytes_of(settings: SimulationConfig) -> int:
    return 4 * settings.patterns * settings.n**2


def _streamed(settings: SimulationConfig) -> Scan:
    """Return a scan whose patterns are made as they are read, once in all and once to write."""
    experiment = prepare(settings)
    return scan_of(settings, experiment, StreamedPatterns(experiment))
