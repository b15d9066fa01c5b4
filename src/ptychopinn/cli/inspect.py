"""``ptychopinn inspect``."""

from typing import Any

import numpy as np
from jsonargparse import Namespace
from rich.console import Console
from rich.table import Table
from scipy.spatial import cKDTree

from ptychopinn.config import DataConfig
from ptychopinn.data.normalisation import mean_counts
from ptychopinn.io import describe, read_scan, recognise
from ptychopinn.scan import Scan


def run(parsed: Namespace, settings: dict[str, Any]) -> int:
    """Print what a file holds and how it would be read."""
    console = Console()
    table = Table("array", "shape", "type", title=f"{parsed.scan}: {recognise(parsed.scan)}")
    for key, shape, dtype in describe(parsed.scan):
        table.add_row(key, " x ".join(map(str, shape)) or "scalar", str(dtype))
    console.print(table)
    scan = read_scan(parsed.scan, DataConfig.from_dict(settings["data"]))
    figures = Table("what", "found", title="as a scan")
    for name, value in _figures(scan).items():
        figures.add_row(name, value)
    console.print(figures)
    return 0


def _figures(scan: Scan) -> dict[str, str]:
    intensity = (np.abs(scan.probe) ** 2).sum(axis=0)
    # The area that holds the light, as a circle: (sum w)^2 / sum w^2 pixels.
    area = float(intensity.sum() ** 2 / (intensity**2).sum())
    diameter = 2 * np.sqrt(area / np.pi)
    figures = {
        "patterns": f"{scan.n_patterns} of {scan.n} x {scan.n} pixels",
        "probe modes": str(scan.n_modes),
        "canvas": f"{scan.canvas_shape[0]} x {scan.canvas_shape[1]} pixels",
        "photons per pattern": f"{mean_counts(scan):.4g}",
        "bad pixels": _bad_pixels(scan),
        "probe diameter": f"{diameter:.1f} px (circle of the same effective area)",
        "truth": "yes" if scan.truth is not None else "no",
    }
    if scan.n_patterns > 1:
        distance = cKDTree(scan.positions_px).query(scan.positions_px, k=2)[0][:, 1]
        step = float(np.median(distance))
        figures["step"] = f"{step:.2f} px to the nearest neighbour (median)"
        figures["linear overlap"] = f"{100 * max(0.0, 1 - step / diameter):.0f} %"
    return figures


def _bad_pixels(scan: Scan) -> str:
    """Return how many pixels are left out, and why."""
    found = f"{int((~scan.mask).sum())} ({100 * float((~scan.mask).mean()):.2f} %)"
    why = scan.bad_pixels.describe() if scan.bad_pixels else ""
    return f"{found}: {why}" if why else found
