"""The folder of a run: every result in one place, whole or not at all."""

import csv
import json
import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from ptychopinn.cli.page import (
    METRICS_NAME,
    PAGE_NAME,
    PRODUCT_NAME,
    with_evidence,
    write_result_page,
)
from ptychopinn.config import Config
from ptychopinn.data import mean_pattern
from ptychopinn.errors import OutputError
from ptychopinn.io import replacing, staged_folder, write_product
from ptychopinn.processes import current
from ptychopinn.report import (
    draw_mask,
    draw_refinement,
    draw_uncertainty,
    refinement_of,
    write_pictures,
)
from ptychopinn.scan import BadPixels, Reconstruction, Scan

#: What is drawn of an image after it is kept; the five that every result has come first.
PICTURES = tuple(
    f"{name}.png"
    for name in (
        *("amplitude", "phase", "probe", "coverage", "loss"),
        *("refinement", "mask", "uncertainty", "comparison"),
    )
)
_COLUMNS = ("epoch", "step", "seconds", "train_loss", "val_loss", "learning_rate")


def command_line() -> str:
    """Return the command that is running, for provenance."""
    return shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]])


def write_history(path: Path, history: list[dict[str, Any]]) -> None:
    """Write one row an epoch as CSV; the header alone when nothing was trained."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, _COLUMNS)
        writer.writeheader()
        writer.writerows(history)


def write_metrics(path: Path, metrics: dict[str, Any]) -> None:
    """Write figures as JSON, replacing the file at once."""
    with replacing(path) as beside:
        Path(beside).write_text(json.dumps(metrics, indent=2) + "\n", encoding="utf-8")


def write_result(
    folder: str | Path,
    reconstruction: Reconstruction,
    history: list[dict[str, Any]],
    config: Config,
    scan: Scan | None = None,
) -> Path:
    """Write reconstruction.h5, pictures, metrics.json, history.csv, config.yaml and report.html.

    What was refined is drawn in refinement.png, standard deviations in uncertainty.png, and the bad
    pixels of a scan, with why they are bad, in mask.png. All are written beside the folder first
    and moved in when they are whole; the image and its figures before any picture is drawn, so that
    a failure to draw costs no result. Of several processes the first one writes.

    Raises:
        OutputError: Something cannot be written; the sentence says what is kept.
    """
    if not current().first:
        return Path(folder)
    provenance = {**reconstruction.provenance, "command": command_line()}
    whole = with_evidence(replace(reconstruction, provenance=provenance), scan, config)
    with staged_folder(folder, outdated=(*PICTURES, PAGE_NAME)) as stage:
        write_product(Path(stage) / PRODUCT_NAME, whole)
        write_history(Path(stage) / "history.csv", history)
        metrics = {"without_truth": whole.quality, "provenance": whole.provenance}
        write_metrics(Path(stage) / METRICS_NAME, metrics)
        (Path(stage) / "config.yaml").write_text(config.to_yaml(), encoding="utf-8")
    try:
        with staged_folder(folder) as stage:
            _draw(Path(stage), whole, history, scan)
            write_result_page(Path(stage), whole, history, config)
    except OutputError as error:
        kept = Path(folder) / PRODUCT_NAME
        raise OutputError(f"{error} The image is kept in {kept}; pictures are missing.") from error
    return Path(folder)


def _draw(
    place: Path, whole: Reconstruction, history: list[dict[str, Any]], scan: Scan | None
) -> None:
    """Draw all pictures of a result into a folder."""
    write_pictures(whole, history, place)
    if whole.start_probe is not None or whole.start_positions_px is not None:
        draw_refinement(refinement_of(whole), place / "refinement.png")
    if scan is not None and not scan.mask.all():
        bad = scan.bad_pixels or BadPixels({"marked": ~scan.mask})
        draw_mask(mean_pattern(scan), bad, place / "mask.png")
    if whole.amplitude_std is not None and whole.phase_std is not None:
        draw_uncertainty(
            *(whole.amplitude_std, whole.phase_std, whole.coverage),
            *(place / "uncertainty.png", whole.pixel_size_m),
        )
