"""The results of a study: one cell for each case and method, and what became of the others."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np

from ptychopinn.io import replacing

#: Version of the cell files; others are run again.
CELL_FORMAT = 1


@dataclass(frozen=True)
class Cell:
    """What one method made of one case; a JSON file, and its images beside it."""

    settings_hash: str
    """Of everything that the figures depend on."""
    settings: dict[str, Any]
    """Those settings."""
    method: str
    figures: dict[str, Any]
    """``standard`` and ``paper`` definitions, never mixed, and ``frc`` crossings."""
    seconds: dict[str, float]
    """``training`` and ``reconstruction``, with stitching, without loading."""
    steps: int
    """Optimiser steps; 0 when nothing was trained."""
    removed: dict[str, Any]
    """What `evaluation.align` took out before the comparison."""
    versions: dict[str, str]
    path: Path
    """Of the JSON file."""

    @classmethod
    def read(cls, path: Path, settings_hash: str) -> Self | None:
        """Read a cell; None when it is missing, half-written, or of other settings."""
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        if not isinstance(record, dict) or record.pop("format", None) != CELL_FORMAT:
            return None
        if record.get("settings_hash") != settings_hash or not _images(path).exists():
            return None
        try:
            return cls(**record, path=path)
        except TypeError:
            return None

    def write(self, images: dict[str, Any]) -> None:
        """Write the images, (h, w) by name, and then the record, which says that both are whole."""
        with replacing(_images(self.path)) as beside:
            np.savez_compressed(beside, allow_pickle=False, **images)
        record = {key: value for key, value in vars(self).items() if key != "path"}
        with replacing(self.path) as beside:
            text = json.dumps({"format": CELL_FORMAT, **record}, indent=2)
            Path(beside).write_text(text + "\n", encoding="utf-8")

    def images(self) -> dict[str, np.ndarray]:
        """Return ``image``, ``reference`` (h, w) complex64 and ``weight`` of the judged region."""
        with np.load(_images(self.path), allow_pickle=False) as file:
            return {key: file[key] for key in file.files}

    def figure(self, path: str) -> float | None:
        """Return a figure by its path, such as ``paper.phase.ssim``; None when it has no value."""
        value: Any = self.figures
        for key in path.split("."):
            value = value.get(key) if isinstance(value, dict) else None
        return None if value is None else float(value)


def _images(path: Path) -> Path:
    return path.with_suffix(".npz")


@dataclass(frozen=True)
class Outcome:
    """The cells of a study by names of case and method, as far as they are there."""

    study: str
    cases: tuple[str, ...]
    methods: tuple[str, ...]
    values: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What each case stands for, by its name."""
    published: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Published figures of each case, by its name."""
    cells: dict[tuple[str, str], Cell] = field(default_factory=dict)
    missing: dict[tuple[str, str], str] = field(default_factory=dict)
    """Why there is no cell: a sentence."""

    def figure(self, case: str, method: str, path: str) -> float | None:
        """Return a figure of a cell; None when there is no such cell or no value."""
        cell = self.cells.get((case, method))
        return None if cell is None else cell.figure(path)

    def image(self, case: str, method: str) -> np.ndarray | None:
        """Return the aligned image (h, w) of a cell."""
        cell = self.cells.get((case, method))
        return None if cell is None else cell.images()["image"]

    def reference(self, case: str) -> tuple[np.ndarray, np.ndarray] | None:
        """Return the truth (h, w) of a case and its weight, from any cell of it."""
        for method in self.methods:
            if (case, method) in self.cells:
                images = self.cells[case, method].images()
                return images["reference"], images["weight"]
        return None

    def curve(self, method: str, value: str, path: str) -> list[tuple[float, float]]:
        """Return (value of the case, figure) of a method for all cases that have both."""
        pairs = (
            (self.values[case].get(value), self.figure(case, method, path)) for case in self.cases
        )
        return sorted((float(x), y) for x, y in pairs if x is not None and y is not None)
