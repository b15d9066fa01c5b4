"""How many patterns a method must be trained on, and how many it needs for an image."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ptychopinn.report import Curve, CurveAxes, draw_curve_panels
from ptychopinn.studies.grid_lines import lines_scan
from ptychopinn.studies.methods import all_methods
from ptychopinn.studies.outcome import Outcome
from ptychopinn.studies.records import LARGE_FNO, Case, Study, StudySize

_PARTS = (4, 8, 16, 32, 64, 128, 256)
LAPTOP = StudySize(patterns=2048, patch_steps=120, points=(16, 64, 256, 1024), parts=_PARTS)
FULL = StudySize(
    patterns=8464, patch_steps=20_000, patch_batch=64, width=1.0, fno=LARGE_FNO,
    learning_rate=1e-3, canvas_steps=2_000, points=(16, 32, 64, 128, 256, 512, 1024, 2048, 4096),
    parts=_PARTS,
)  # fmt: skip

#: Phase SSIM in the paper's definition that counts as usable.
USABLE = 0.85
_FIGURE = "paper.phase.ssim"


def build(size: StudySize, architectures: tuple[str, ...], seed: int) -> Study:
    """Return the study: cases over training patterns, and cases over reconstructed ones.

    Over training patterns, the lower half of the same scan is judged every time. Over
    reconstructed ones, ever larger compact parts of it are: what trains has as many patterns as
    the study has at most, and so the question is also fair to what needs no training.
    """
    scan = lines_scan(size, seed)
    trained = tuple(
        Case(
            f"{int(count)}-patterns",
            train=scan,
            test=scan,
            training_patterns=int(count),
            values={"training_patterns": int(count)},
        )
        for count in size.points
    )
    most = int(max(size.points)) if size.points else None
    reconstructed = tuple(
        Case(
            f"{count}-reconstructed",
            train=scan,
            test=scan,
            training_patterns=most,
            test_patterns=count,
            values={"reconstructed_patterns": count},
        )
        for count in size.parts
    )
    methods = all_methods(architectures, size, seed)
    return Study("data-efficiency", trained + reconstructed, methods, draw, fewest_patterns)


def fewest_patterns(outcome: Outcome) -> dict[str, Any]:
    """Return the fewest training and reconstructed patterns of each method with a usable phase.

    Of training patterns 0 for what needs no training; None where no number that was tried is
    enough, or none was tried.
    """
    training = {}
    for method in outcome.methods:
        enough = _first_usable(outcome, method, "training_patterns")
        training[method] = enough if _learns(outcome, method) or enough is None else 0
    reconstructed = {
        method: _first_usable(outcome, method, "reconstructed_patterns")
        for method in outcome.methods
    }
    return {
        f"fewest training patterns with {_FIGURE} > {USABLE}": training,
        f"fewest reconstructed patterns with {_FIGURE} > {USABLE}": reconstructed,
    }


def _first_usable(outcome: Outcome, method: str, value: str) -> int | None:
    curve = outcome.curve(method, value, _FIGURE)
    return next((int(count) for count, ssim in curve if ssim > USABLE), None)


def _learns(outcome: Outcome, method: str) -> bool:
    return any(cell.steps for (_, name), cell in outcome.cells.items() if name == method)


def draw(outcome: Outcome, path: Path) -> Path:
    """Draw quality over training patterns, of what trains, and over reconstructed patterns."""
    trained = [method for method in outcome.methods if _learns(outcome, method)]
    panels = [
        _panel(outcome, trained, "training_patterns", "training patterns"),
        _panel(outcome, outcome.methods, "reconstructed_patterns", "reconstructed patterns"),
    ]
    return draw_curve_panels(panels if trained else panels[1:], path)


def _panel(
    outcome: Outcome, methods: Sequence[str], value: str, name: str
) -> tuple[list[Curve], CurveAxes]:
    curves = [Curve(method, outcome.curve(method, value, _FIGURE)) for method in methods]
    axes = CurveAxes(
        name, "phase SSIM (paper's definition)", level=USABLE, level_name=f"usable: {USABLE}"
    )
    return curves, axes
