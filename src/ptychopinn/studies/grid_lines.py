"""Random lines on a raster scan: how architectures compare, as a table and as a picture."""

from dataclasses import replace
from pathlib import Path

from ptychopinn.config import SimulationConfig
from ptychopinn.report import GalleryRow, draw_gallery
from ptychopinn.studies.methods import all_methods
from ptychopinn.studies.outcome import Outcome
from ptychopinn.studies.records import LARGE_FNO, Case, Study, StudySize

LAPTOP = StudySize(patch_steps=600)
FULL = StudySize(
    patterns=4096, patch_steps=20_000, patch_batch=64, width=1.0, fno=LARGE_FNO,
    learning_rate=1e-3, canvas_steps=2_000,
)  # fmt: skip


def lines_scan(size: StudySize, seed: int) -> SimulationConfig:
    """Return a raster scan of random lines with a structured probe; other studies vary it."""
    return SimulationConfig(
        object="lines",
        probe="zone_plate",
        scan="raster",
        n=size.n,
        patterns=size.patterns,
        step_px=size.step_px,
        photons=1e6,
        defocus_rad=6.0 * size.n / 64,
        seed=seed,
    )


def build(size: StudySize, architectures: tuple[str, ...], seed: int) -> Study:
    """Return the study."""
    scan = lines_scan(size, seed)
    case = Case("lines", scan, scan)
    return Study("grid-lines", (case,), all_methods(architectures, size, seed), draw)


def draw(outcome: Outcome, path: Path) -> Path:
    """Draw truth and every reconstruction, amplitude above phase, with the same contrast."""
    shown = tuple(m for m in outcome.methods if any((c, m) in outcome.cells for c in outcome.cases))
    rows = []
    for case in outcome.cases:
        found = outcome.reference(case)
        if found is None:
            continue
        reference, weight = found
        images = tuple(outcome.image(case, method) for method in shown)
        row = GalleryRow("amplitude", "amplitude", reference, images, weight)
        rows += [row, replace(row, name="phase", quantity="phase")]
    return draw_gallery(rows, ("truth", *shown), path)
