"""Whether a folder holds the whole result of the same scan with the same settings already."""

import hashlib
import json
from pathlib import Path

from ptychopinn.bundle import Bundle, package_versions
from ptychopinn.cli.folder import PICTURES
from ptychopinn.cli.page import METRICS_NAME, PAGE_NAME, PRODUCT_NAME
from ptychopinn.config import Config
from ptychopinn.errors import PtychoError
from ptychopinn.inference.identity import weights_digest
from ptychopinn.io import read_product

#: Pictures that every result has.
_ALWAYS_DRAWN = PICTURES[:5]


def fingerprint_of(scan: str, config: Config, weights: Bundle | None) -> str:
    """Return what an image depends on, in one word: files, settings, weights and versions.

    Files are told by size and time: a scan that was touched is another one, which costs a
    reconstruction and never an image of the wrong scan.

    Args:
        scan: File or folder.
        config: Settings of the command.
        weights: The bundle, or the weights that come with the package.
    """
    named = {"scan": scan, "probe": config.data.probe, "mask": config.data.mask}
    told = {
        "files": {what: _signature(Path(place)) for what, place in named.items() if place},
        "settings": config.to_dict(),
        "bundle": weights.config.to_dict() if weights else None,
        "weights": weights_digest(weights.generator) if weights else None,
        "versions": package_versions(),
    }
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _signature(place: Path) -> list[tuple[str, int, int]]:
    """Return name, size and time of a file, or of every file below a folder."""
    files = sorted(place.rglob("*")) if place.is_dir() else [place]
    known = [(item.name, item.stat()) for item in files if item.is_file()]
    return [(name, status.st_size, status.st_mtime_ns) for name, status in known]


def holds_whole_result(folder: Path, wanted: str, *, page: bool) -> bool:
    """Tell whether a folder holds every file of the result with this fingerprint.

    Args:
        folder: Of results.
        wanted: The fingerprint.
        page: Whether report.html is one of the files.
    """
    try:
        made = read_product(folder / PRODUCT_NAME)
        figures = json.loads((folder / METRICS_NAME).read_text(encoding="utf-8"))
    except (PtychoError, OSError, ValueError):
        return False
    if not isinstance(figures, dict) or figures.get("provenance") != made.provenance:
        return False
    drawn = [*_ALWAYS_DRAWN, *(["uncertainty.png"] if made.phase_std is not None else [])]
    there = all((folder / name).exists() for name in (*drawn, *([PAGE_NAME] if page else [])))
    return there and made.provenance.get("fingerprint") == wanted
