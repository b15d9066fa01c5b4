"""How many photons a method needs, with the Poisson likelihood and with amplitudes as loss."""

from dataclasses import replace
from pathlib import Path

from ptychopinn.config import TrainingConfig
from ptychopinn.report import Curve, CurveAxes, draw_curves
from ptychopinn.studies.grid_lines import lines_scan
from ptychopinn.studies.methods import all_methods
from ptychopinn.studies.outcome import Outcome
from ptychopinn.studies.records import LARGE_FNO, Case, Study, StudySize

_DECADES = (1e2, 1e3, 1e4, 1e5, 1e6)
LAPTOP = StudySize(patch_steps=100, canvas_steps=15, points=_DECADES)
FULL = StudySize(
    patterns=4096, patch_steps=20_000, patch_batch=64, width=1.0, fno=LARGE_FNO,
    learning_rate=1e-3, canvas_steps=2_000, points=_DECADES,
)  # fmt: skip

#: Resolution in cycles per pixel that no curve can exceed, however many the photons.
NYQUIST = 0.5
_LOSSES = (TrainingConfig(loss="poisson"), TrainingConfig(loss="amplitude_mae"))


def build(size: StudySize, architectures: tuple[str, ...], seed: int) -> Study:
    """Return the study; object and positions are the same at every dose."""
    base = lines_scan(size, seed)
    cases = []
    for photons in size.points:
        scan = replace(base, photons=photons)
        cases.append(Case(f"{photons:.0e}-photons", scan, scan, values={"photons": photons}))
    methods = all_methods(architectures, size, seed, _LOSSES)
    return Study("dose", tuple(cases), methods, draw)


def draw(outcome: Outcome, path: Path) -> Path:
    """Draw resolution over dose; amplitude losses are dashed."""
    curves = [
        Curve(method, outcome.curve(method, "photons", "frc.half"), dashed=method.endswith("-mae"))
        for method in outcome.methods
    ]
    axes = CurveAxes(
        *("photons in a pattern", "FRC = 0.5 (cycles/pixel)"),
        level=NYQUIST,
        level_name="Nyquist: nothing finer fits in the pixels",
    )
    return draw_curves(curves, axes, path)
