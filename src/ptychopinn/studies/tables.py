"""The results of a study as CSV, one row a cell, and as JSON, nested."""

import csv
import json
from pathlib import Path
from typing import Any

from ptychopinn.io import replacing
from ptychopinn.studies.outcome import Cell, Outcome


def flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested values by dotted path, such as ``paper.phase.ssim``."""
    found: dict[str, Any] = {}
    for key, value in values.items():
        path = f"{prefix}{key}"
        found.update(flat(value, f"{path}.") if isinstance(value, dict) else {path: value})
    return found


def write_tables(folder: Path, outcome: Outcome, summary: dict[str, Any]) -> None:
    """Write results.csv and results.json."""
    rows = table_rows(outcome)
    columns = list(dict.fromkeys(key for row in rows for key in row))
    with replacing(folder / "results.csv") as beside, beside.open("w", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    with replacing(folder / "results.json") as beside:
        text = json.dumps(record(outcome, summary), indent=2)
        Path(beside).write_text(text + "\n", encoding="utf-8")


def table_rows(outcome: Outcome) -> list[dict[str, Any]]:
    """Return a row for each cell, and for each that is missing one that says why."""
    rows = []
    for case in outcome.cases:
        for method in outcome.methods:
            cell = outcome.cells.get((case, method))
            rows.append(
                {
                    "case": case,
                    "method": method,
                    **dict(outcome.values[case]),
                    "missing": outcome.missing.get((case, method), ""),
                    **(_cell_row(cell) if cell else {}),
                }
            )
    return rows


def _cell_row(cell: Cell) -> dict[str, Any]:
    return {
        "steps": cell.steps,
        "training_seconds": cell.seconds["training"],
        "reconstruction_seconds": cell.seconds["reconstruction"],
        **flat(cell.figures),
        "settings_hash": cell.settings_hash,
    }


def record(outcome: Outcome, summary: dict[str, Any]) -> dict[str, Any]:
    """Return everything but the images as plain values."""
    return {
        "study": outcome.study,
        "summary": summary,
        "cases": {
            case: {
                "values": dict(outcome.values[case]),
                "published": dict(outcome.published[case]),
                "methods": {method: _result(outcome, case, method) for method in outcome.methods},
            }
            for case in outcome.cases
        },
    }


def _result(outcome: Outcome, case: str, method: str) -> dict[str, Any]:
    cell = outcome.cells.get((case, method))
    if cell is None:
        return {"missing": outcome.missing.get((case, method), "not run yet")}
    return {
        "figures": cell.figures,
        "seconds": cell.seconds,
        "steps": cell.steps,
        "removed": cell.removed,
        "settings": cell.settings,
        "settings_hash": cell.settings_hash,
        "versions": cell.versions,
    }
