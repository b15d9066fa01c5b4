"""``ptychopinn compare``."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from jsonargparse import Namespace
from rich.console import Console
from rich.table import Table

from ptychopinn.cli.earlier_result import EarlierResult, open_result
from ptychopinn.cli.folder import command_line
from ptychopinn.io import read_reference, staged_folder
from ptychopinn.io.atomic import require_folder_place
from ptychopinn.report import Curve, SideBySideColumn, draw_side_by_side
from ptychopinn.scan import Scan
from ptychopinn.side_by_side import Contestant, SideBySide, side_by_side

#: What the figures are called and how many digits they get, in the order of the tables.
_FIGURES = {
    "generator": ("made by", ""),
    "patterns": ("patterns", ""),
    "seconds": ("seconds", ".2f"),
    "seconds_in_all": ("seconds, earlier results included", ".2f"),
    "deviance": ("deviance on its patterns, per pixel", ".4f"),
    "deviance_of_noise": ("photon noise alone would leave", ".4f"),
    "phase_rmse_rad": ("phase RMSE (rad)", ".4f"),
    "phase_ssim": ("phase SSIM", ".4f"),
    "amplitude_rmse": ("amplitude RMSE", ".4f"),
    "amplitude_ssim": ("amplitude SSIM", ".4f"),
    "frc_half_cycles_per_px": ("FRC 1/2 (cycles/px)", ".3f"),
}


def run(parsed: Namespace, settings: dict[str, Any]) -> int:  # noqa: ARG001
    """Compare results, print the tables, and write them with a picture."""
    folder = Path(parsed.output)
    require_folder_place(folder)
    results = [open_result(place) for place in parsed.results]
    scans = _scans(results, parsed.scan)
    contestants = [
        Contestant(name, result.made, scan)
        for name, result, scan in zip(_names(results), results, scans, strict=True)
    ]
    reference = read_reference(parsed.reference) if parsed.reference else None
    found = side_by_side(contestants, reference=reference, region=parsed.region)
    console = Console()
    console.print(_results_table(found))
    if len(found.names) > 1:
        console.print(_pairs_table(found))
    if None in scans:
        print("deviance is left out where the scan of a result is not found; name it with --scan.")
    _write(folder, found, results[0].made.pixel_size_m, str(parsed.reference or ""))
    print(f"table and picture: {folder}")
    return 0


def _names(results: Sequence[EarlierResult]) -> list[str]:
    """Return the names of folders; where two are alike, as they were written."""
    names = [result.name for result in results]
    return [
        str(result.place) if names.count(name) > 1 else name
        for name, result in zip(names, results, strict=True)
    ]


def _scans(results: Sequence[EarlierResult], named: str | None) -> list[Scan | None]:
    """Return the scan of each result, read once where they share it; None where it is not found."""
    read: dict[tuple[str, str], Scan] = {}
    found: list[Scan | None] = []
    for result in results:
        place = Path(named) if named else result.scan_path
        if place is None:
            found.append(None)
            continue
        key = (str(place), str(result.config.data))
        if key not in read:
            read[key] = result.read_scan(str(place))
        found.append(read[key] if read[key].n_patterns == len(result.made.positions_px) else None)
    return found


def _results_table(found: SideBySide) -> Table:
    """Return a column for each result; figures that nobody has are left out."""
    table = Table("", *found.names)
    for key, (name, digits) in _FIGURES.items():
        values = [row.get(key) for row in found.rows]
        if any(value is not None for value in values):
            table.add_row(name, *(_cell(value, digits) for value in values))
    return table


def _pairs_table(found: SideBySide) -> Table:
    """Return a line for every two results; against a reference they stand in the other table."""
    shown = ("phase_rmse_rad", "phase_ssim", "amplitude_rmse", "frc_half_cycles_per_px")
    table = Table("pair", *(_FIGURES[key][0] for key in shown))
    for pair in found.pairs:
        if pair["aligned_to"] != "reference":
            figures = (_cell(pair[key], _FIGURES[key][1]) for key in shown)
            table.add_row(f"{pair['image']} and {pair['aligned_to']}", *figures)
    return table


def _cell(value: Any, digits: str) -> str:
    if value is None:
        return "-"
    return format(value, digits) if digits else str(value)


def _write(folder: Path, found: SideBySide, pixel_size_m: float | None, reference: str) -> None:
    with staged_folder(folder) as stage:
        place = Path(stage)
        whole = {"command": command_line(), "reference": reference, **found.to_dict()}
        (place / "comparison.json").write_text(json.dumps(whole, indent=2) + "\n", encoding="utf-8")
        _write_csv(place / "comparison.csv", found.rows)
        _write_csv(place / "pairs.csv", found.pairs)
        draw_side_by_side(
            _titled(found), found.coverage, _curves(found), place / "comparison.png",
            pixel_size_m=pixel_size_m,
        )  # fmt: skip


def _write_csv(path: Path, rows: Sequence[dict[str, Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(dict.fromkeys(key for row in rows for key in row)))
        writer.writeheader()
        writer.writerows(rows)


def _titled(found: SideBySide) -> list[SideBySideColumn]:
    titles = [_title(row) for row in found.rows]
    if len(found.images) > len(titles):
        titles.insert(0, "reference")
    return [SideBySideColumn(*pair) for pair in zip(titles, found.images, strict=True)]


def _title(row: dict[str, Any]) -> str:
    said = [row["name"]]
    if row["seconds_in_all"] is not None:
        said.append(f"{row['seconds_in_all']:.1f} s")
    if row["deviance"] is not None:
        said.append(f"deviance {row['deviance']:.3f}")
    if row.get("phase_rmse_rad") is not None:
        said.append(f"phase RMSE {row['phase_rmse_rad']:.3f} rad")
    return "\n".join(said)


def _curves(found: SideBySide) -> list[Curve]:
    return [
        Curve(
            f"{image} and {other}",
            list(zip(c.frc.frequency.tolist(), c.frc.correlation.tolist(), strict=True)),
            dashed=other != "reference",
        )
        for (image, other), c in found.comparisons.items()
    ]
