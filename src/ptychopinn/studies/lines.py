"""The table of the paper: random lines, one or four patterns a group, ideal or structured probe."""

from dataclasses import replace
from pathlib import Path

from ptychopinn.report import GalleryRow, draw_gallery
from ptychopinn.studies.grid_lines import lines_scan
from ptychopinn.studies.methods import all_methods
from ptychopinn.studies.outcome import Outcome
from ptychopinn.studies.records import LARGE_FNO, Case, Study, StudySize

LAPTOP = StudySize(patch_steps=150)
FULL = StudySize(
    patterns=2116, patch_steps=20_000, patch_batch=64, width=1.0, fno=LARGE_FNO,
    learning_rate=1e-3, canvas_steps=2_000,
)  # fmt: skip

#: Amplitude PSNR (dB) and SSIM of arXiv:2602.21361, in its own definitions, by C and probe.
PUBLISHED = {
    (1, "ideal"): (60.67, 0.620),
    (1, "structured"): (68.89, 0.904),
    (4, "ideal"): (71.34, 0.952),
    (4, "structured"): (73.03, 0.968),
}


def build(size: StudySize, architectures: tuple[str, ...], seed: int) -> Study:
    """Return the study: the ideal probe is a Gaussian with a flat phase."""
    structured = replace(lines_scan(size, seed), aberration_rad=1.0)
    ideal = replace(lines_scan(size, seed), probe="gaussian", defocus_rad=0.0)
    cases = tuple(
        Case(
            name=f"C{group_size}-{probe}",
            train=scan,
            test=scan,
            group_size=group_size,
            values={"C": group_size, "probe": probe},
            published={"paper.amplitude.psnr_db": psnr, "paper.amplitude.ssim": ssim},
        )
        for (group_size, probe), (psnr, ssim) in PUBLISHED.items()
        for scan in (ideal if probe == "ideal" else structured,)
    )
    return Study("lines", cases, all_methods(architectures, size, seed), draw)


def draw(outcome: Outcome, path: Path) -> Path:
    """Draw the amplitude of truth and reconstructions, a row for each case."""
    shown = tuple(m for m in outcome.methods if any((c, m) in outcome.cells for c in outcome.cases))
    found = {case: outcome.reference(case) for case in outcome.cases}
    rows = [
        GalleryRow(case, "amplitude", pair[0], _images(outcome, case, shown), pair[1])
        for case, pair in found.items()
        if pair is not None
    ]
    return draw_gallery(rows, ("truth", *shown), path)


def _images(outcome: Outcome, case: str, methods: tuple[str, ...]) -> tuple:
    return tuple(outcome.image(case, method) for method in methods)
