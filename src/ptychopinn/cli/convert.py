"""``ptychopinn convert``."""

from typing import Any

from jsonargparse import Namespace

from ptychopinn.config import DataConfig
from ptychopinn.io import read_scan, recognise, write_scan
from ptychopinn.io.registry import format_to_write


def run(parsed: Namespace, settings: dict[str, Any]) -> int:
    """Read a scan and write it in another format."""
    format_to_write(parsed.output, parsed.format)  # refuses an unknown one before the work
    data = DataConfig.from_dict(settings["data"])
    scan = read_scan(parsed.scan, data)
    source = "as --map says" if data.map and "patterns=" in data.map else recognise(parsed.scan)
    name = write_scan(parsed.output, scan, parsed.format)
    size = f"{scan.n_patterns} patterns of {scan.n} x {scan.n} pixels"
    print(f"{size}: {parsed.scan} ({source}) -> {parsed.output} ({name})")
    if scan.domain == "amplitude" and name != "PtychoPINN NPZ":
        print("amplitudes were written as counts, their squares")
    if scan.scan_index is not None and name != "PtychoPINN NPZ":
        print("which of several scans a pattern belongs to was left out; only .npz can hold it")
    return 0
