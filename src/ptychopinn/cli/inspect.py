"""``ptychopinn inspect``."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from jsonargparse import Namespace
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.tree import Tree
from scipy.spatial import cKDTree

from ptychopinn.config import DataConfig
from ptychopinn.data.normalisation import mean_counts
from ptychopinn.errors import DataError
from ptychopinn.io import MAP_NAMES, Branch, contents, read_scan, recognise
from ptychopinn.scan import Scan


def run(parsed: Namespace, settings: dict[str, Any]) -> int:
    """Print what a file holds and how it would be read."""
    console = Console()
    data = DataConfig.from_dict(settings["data"])
    for path, branches in contents(parsed.scan):
        tree = Tree(escape(str(path)))
        _grow(tree, branches)
        console.print(tree)
    if data.map and "patterns=" in data.map:
        console.print("read as --map says", highlight=False)
    else:
        try:
            console.print(f"recognised: {recognise(parsed.scan)}", highlight=False)
        except DataError:
            _teach_map(console)
            raise
    scan = read_scan(parsed.scan, data)
    figures = Table("what", "found", title="as a scan")
    for name, value in _figures(scan).items():
        figures.add_row(name, value)
    console.print(figures)
    return 0


def _grow(tree: Tree, branches: Iterable[Branch]) -> None:
    for branch in branches:
        grown = tree.add(f"{escape(branch.name)}  [dim]{escape(branch.text)}[/dim]")
        _grow(grown, branch.members)


def _teach_map(console: Console) -> None:
    """Print what --map takes, for a file of no known kind."""
    table = Table("name", "what it is", title='--map "NAME=VALUE NAME=VALUE"', title_justify="left")
    for name, meaning in MAP_NAMES.items():
        table.add_row(name, meaning)
    console.print(table)


def _figures(scan: Scan) -> dict[str, str]:
    intensity = (np.abs(scan.probe) ** 2).sum(axis=0)
    # The area that holds the light, as a circle: (sum w)^2 / sum w^2 pixels.
    area = float(intensity.sum() ** 2 / (intensity**2).sum())
    diameter = 2 * np.sqrt(area / np.pi)
    figures = {
        "patterns": f"{scan.n_patterns} of {scan.n} x {scan.n} pixels",
        "probe modes": str(scan.n_modes),
        "canvas": f"{scan.canvas_shape[0]} x {scan.canvas_shape[1]} pixels",
        "object pixel": _length(scan.pixel_size_m),
        "wavelength": _length(scan.wavelength_m),
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


def _length(value: float | None) -> str:
    """Return a length with a unit in which it is no long row of zeros."""
    if value is None:
        return "not known"
    for unit, size in (("um", 1e-6), ("nm", 1e-9)):
        if value >= size:
            return f"{value / size:.5g} {unit}"
    return f"{value / 1e-12:.5g} pm"


def _bad_pixels(scan: Scan) -> str:
    """Return how many pixels are left out, and why."""
    found = f"{int((~scan.mask).sum())} ({100 * float((~scan.mask).mean()):.2f} %)"
    why = scan.bad_pixels.describe() if scan.bad_pixels else ""
    return f"{found}: {why}" if why else found
