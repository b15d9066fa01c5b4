"""What is left of a training when probe and object change."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from ptychopinn.config import SimulationConfig
from ptychopinn.report import Matrix, draw_matrices
from ptychopinn.studies.grid_lines import lines_scan
from ptychopinn.studies.methods import all_methods
from ptychopinn.studies.outcome import Outcome
from ptychopinn.studies.records import LARGE_FNO, Case, Study, StudySize

LAPTOP = StudySize(patch_steps=150)
FULL = StudySize(
    patterns=4096, patch_steps=20_000, patch_batch=64, width=1.0, fno=LARGE_FNO,
    learning_rate=1e-3, canvas_steps=2_000,
)  # fmt: skip

_FIGURE = "paper.phase.ssim"


def classes(size: StudySize, seed: int) -> dict[str, SimulationConfig]:
    """Return the kinds of scans, by name: object and probe."""
    base = lines_scan(size, seed)
    return {
        "lines+zone-plate": base,
        "leaves+gaussian": replace(
            base, object="dead_leaves", probe="gaussian", defocus_rad=base.defocus_rad / 2
        ),
        "noise+disk": replace(base, object="noise", probe="disk", defocus_rad=base.defocus_rad / 2),
    }


def build(size: StudySize, architectures: tuple[str, ...], seed: int) -> Study:
    """Return the study; on the diagonal training and test are halves of one scan."""
    kinds = classes(size, seed)
    cases = tuple(
        Case(
            f"{trained}-to-{tested}",
            train=kinds[trained],
            test=kinds[tested],
            values={"trained_on": trained, "tested_on": tested},
        )
        for trained in kinds
        for tested in kinds
    )
    return Study("transfer", cases, all_methods(architectures, size, seed), draw)


def draw(outcome: Outcome, path: Path) -> Path:
    """Draw a matrix for each method: a row for what was trained on, a column for the test."""
    rows, columns = (
        tuple(dict.fromkeys(str(outcome.values[case][key]) for case in outcome.cases))
        for key in ("trained_on", "tested_on")
    )
    matrices = [
        Matrix(method, _values(outcome, method, rows, columns))
        for method in outcome.methods
        if any((case, method) in outcome.cells for case in outcome.cases)
    ]
    label = "phase SSIM (paper's definition)"
    return draw_matrices(matrices, rows, columns, path, label=label)


def _values(
    outcome: Outcome, method: str, rows: tuple[str, ...], columns: tuple[str, ...]
) -> np.ndarray:
    """Return the figures of a method; NaN where there is no cell."""
    values = np.full((len(rows), len(columns)), np.nan)
    for case in outcome.cases:
        names = outcome.values[case]
        figure = outcome.figure(case, method, _FIGURE)
        if figure is not None:
            row, column = rows.index(names["trained_on"]), columns.index(names["tested_on"])
            values[row, column] = figure
    return values
