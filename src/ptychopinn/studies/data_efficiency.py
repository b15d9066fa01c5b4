"""How many patterns a method must be trained on."""

from pathlib import Path
from typing import Any

from ptychopinn.report import Curve, CurveAxes, draw_curves
from ptychopinn.studies.grid_lines import lines_scan
from ptychopinn.studies.methods import all_methods
from ptychopinn.studies.outcome import Outcome
from ptychopinn.studies.records import Case, Study, StudySize

LAPTOP = StudySize(patterns=2048, patch_steps=120, points=(16, 64, 256, 1024))
FULL = StudySize(
    patterns=8464, patch_steps=20_000, patch_batch=64, width=1.0, learning_rate=1e-3,
    canvas_steps=2_000, points=(16, 32, 64, 128, 256, 512, 1024, 2048, 4096),
)  # fmt: skip

#: Phase SSIM in the paper's definition that counts as usable.
USABLE = 0.85
_FIGURE = "paper.phase.ssim"


def build(size: StudySize, architectures: tuple[str, ...], seed: int) -> Study:
    """Return the study; the lower half of the same scan is judged every time."""
    scan = lines_scan(size, seed)
    cases = tuple(
        Case(
            f"{int(count)}-patterns",
            train=scan,
            test=scan,
            training_patterns=int(count),
            values={"training_patterns": int(count)},
        )
        for count in size.points
    )
    methods = all_methods(architectures, size, seed)
    return Study("data-efficiency", cases, methods, draw, fewest_patterns)


def fewest_patterns(outcome: Outcome) -> dict[str, Any]:
    """Return the fewest training patterns of each method whose phase SSIM is usable.

    0 for what needs no training, None where no number that was tried is enough.
    """
    fewest = {}
    for method in outcome.methods:
        curve = outcome.curve(method, "training_patterns", _FIGURE)
        enough = next((int(count) for count, ssim in curve if ssim > USABLE), None)
        learns = any(cell.steps for (_, name), cell in outcome.cells.items() if name == method)
        fewest[method] = enough if learns or enough is None else 0
    return {f"fewest training patterns with {_FIGURE} > {USABLE}": fewest}


def draw(outcome: Outcome, path: Path) -> Path:
    """Draw quality over training patterns."""
    curves = [
        Curve(method, outcome.curve(method, "training_patterns", _FIGURE))
        for method in outcome.methods
    ]
    axes = CurveAxes("training patterns", "phase SSIM (paper's definition)", level=USABLE)
    return draw_curves(curves, axes, path)
