"""``ptychopinn evaluate``."""

from pathlib import Path
from typing import Any

import numpy as np
from jsonargparse import Namespace
from rich.console import Console

from ptychopinn.cli.folder import write_metrics
from ptychopinn.cli.page import METRICS_NAME, read_figures, refresh_page
from ptychopinn.errors import DataError
from ptychopinn.evaluation import Comparison, compare
from ptychopinn.io import read_product, read_reference
from ptychopinn.io.atomic import require_folder_place
from ptychopinn.report import metrics_table

#: Share of the best illumination below which a pixel is not compared.
LEAST_COVERAGE = 0.1


def run(parsed: Namespace, settings: dict[str, Any]) -> int:  # noqa: ARG001
    """Compare a reconstruction with a reference, print and write the figures."""
    source = Path(parsed.reconstruction)
    folder = Path(parsed.output) if parsed.output else source.parent
    require_folder_place(folder)
    read_figures(folder / METRICS_NAME)
    result = read_product(source)
    reference = read_reference(parsed.reference)
    common = common_canvas(result.object, reference)
    comparison = compare(
        result.object[common],
        reference[common],
        weight=well_covered(result.coverage)[common],
        region=parsed.region,
        pixel_size_m=result.pixel_size_m,
    )
    place = record_comparison(folder, comparison, str(parsed.reference), parsed.region)
    refresh_page(folder)
    Console().print(metrics_table(comparison.to_dict()))
    print(f"figures: {place}")
    return 0


def common_canvas(image: np.ndarray, reference: np.ndarray) -> tuple[slice, slice]:
    """Return the pixels that both canvases have; pixel (0, 0) is the same in both.

    Canvases over the same positions differ in how far they reach beyond the last window.

    Raises:
        DataError: They differ by more than a tenth, so they hardly are of the same scan.
    """
    height, width = (min(a, b) for a, b in zip(image.shape, reference.shape, strict=True))
    largest = [max(a, b) for a, b in zip(image.shape, reference.shape, strict=True)]
    if height < 0.9 * largest[0] or width < 0.9 * largest[1]:
        raise DataError(
            f"reference: found a canvas of {reference.shape[0]} x {reference.shape[1]} pixels, "
            f"wanted about that of the reconstruction, {image.shape[0]} x {image.shape[1]}; give "
            "a reference in the frame of the same positions."
        )
    return slice(0, height), slice(0, width)


def well_covered(coverage: np.ndarray) -> np.ndarray:
    """Return 1 where an image deserves to be compared: a tenth of the best illumination."""
    return (coverage > LEAST_COVERAGE).astype(np.float64)


def record_comparison(folder: Path, comparison: Comparison, reference: str, region: str) -> Path:
    """Add the figures to metrics.json of a folder.

    Raises:
        DataError: There is one that cannot be read.
        OutputError: It cannot be written.
    """
    place = folder / METRICS_NAME
    known = read_figures(place)
    entry = {"reference": reference, "region": region, **comparison.to_dict()}
    write_metrics(place, {**known, "against_reference": entry})
    return place
