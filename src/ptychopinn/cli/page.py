"""The page of a run: what its folder holds, told in one file."""

import csv
import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ptychopinn.bundle import BUNDLE_NAME, Bundle, load_bundle, package_versions
from ptychopinn.config import Config
from ptychopinn.errors import DataError
from ptychopinn.inference import fit_of
from ptychopinn.io import read_product
from ptychopinn.io.refusal import bytes_in_words, refusal, said_briefly
from ptychopinn.report.page import PageSource, write_page
from ptychopinn.scan import Reconstruction, Scan

PAGE_NAME = "report.html"
PRODUCT_NAME = "reconstruction.h5"
METRICS_NAME = "metrics.json"
#: Larger files are not hashed: it would take longer than the reconstruction.
_MOST_HASHED = 2**27


def with_evidence(made: Reconstruction, scan: Scan | None, config: Config) -> Reconstruction:
    """Add what a page needs besides the image: how it explains the patterns, files, and the time.

    Patterns are held against the image only where no halves of the data were, and only for a page.
    """
    told = {**made.provenance, "written": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")}
    if scan is not None:
        told["files"] = _fingerprints(scan.name, config)
    made = replace(made, provenance=told)
    if scan is None or made.pattern_fit is not None or config.inference.report == "none":
        return made
    return replace(made, pattern_fit=fit_of(scan, made, config.inference.device))


def write_result_page(
    folder: Path, made: Reconstruction, history: list[dict[str, Any]], config: Config
) -> None:
    """Write report.html of a reconstruction, unless the settings leave it out."""
    if config.inference.report == "none":
        return
    source = PageSource(
        title=str(made.provenance.get("scan", "reconstruction")),
        image=made,
        history=history,
        settings=config.to_dict(),
        provenance=made.provenance,
    )
    write_page(folder / PAGE_NAME, source)


def write_training_page(folder: Path, bundle: Bundle, command: str) -> None:
    """Write report.html of a training, unless the settings leave it out."""
    if bundle.config.training.report == "none":
        return
    write_page(folder / PAGE_NAME, _training_source(bundle, command))


def _training_source(bundle: Bundle, command: str) -> PageSource:
    told = {
        **bundle.statistics,
        "generator": bundle.config.generator.name,
        "versions": package_versions(),
        "command": command,
    }
    return PageSource(
        title=str(bundle.statistics.get("scan", "training")),
        probe=bundle.probe,
        start_probe=bundle.start_probe,
        history=bundle.history,
        settings=bundle.config.to_dict(),
        provenance=told,
    )


def page_again(folder: Path) -> Path:
    """Write report.html from what a folder of results holds.

    Raises:
        DataError: The folder holds neither a reconstruction nor a bundle.
    """
    source = _source_of(folder)
    return write_page(folder / PAGE_NAME, source)


def refresh_page(folder: Path) -> None:
    """Write report.html anew where there is one beside its reconstruction."""
    if (folder / PAGE_NAME).exists() and (folder / PRODUCT_NAME).exists():
        page_again(folder)


def _source_of(folder: Path) -> PageSource:
    product, bundle = folder / PRODUCT_NAME, folder / BUNDLE_NAME
    if product.exists():
        return _result_source(folder, read_product(product))
    if bundle.exists():
        return _training_source(load_bundle(bundle), "")
    raise refusal(
        folder,
        "",
        f"neither {PRODUCT_NAME} nor {BUNDLE_NAME}",
        "the folder of a run",
        "give the folder that stood after -o",
    )


def _result_source(folder: Path, made: Reconstruction) -> PageSource:
    config = folder / "config.yaml"
    figures = read_figures(folder / METRICS_NAME)
    return PageSource(
        title=str(made.provenance.get("scan", "reconstruction")),
        image=made,
        history=_history(folder / "history.csv"),
        settings=Config.load(config).to_dict() if config.exists() else {},
        provenance=made.provenance,
        comparison=figures.get("against_reference", {}),
    )


def read_figures(path: Path) -> dict[str, Any]:
    """Return what a metrics.json holds; nothing when there is none.

    Raises:
        DataError: It is not readable, or holds no named figures.
    """
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError, OSError) as error:
        raise DataError(
            f"{path}: found a file that is not readable as JSON ({said_briefly(error)}), wanted "
            "the figures of a run; remove it."
        ) from error
    if not isinstance(found, dict):
        raise DataError(
            f"{path}: found {type(found).__name__} in it, wanted the named figures of a run; "
            "remove it."
        )
    return found


def _history(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a history.csv with numbers for words; an empty field is None."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    try:
        return [{key: float(value) if value else None for key, value in r.items()} for r in rows]
    except (TypeError, ValueError) as error:
        raise DataError(f"{path}: not the history of a training ({error}); remove it.") from error


def _fingerprints(scan: str, config: Config) -> dict[str, dict[str, str]]:
    """Return path and SHA-256 of the files that a reconstruction was made from."""
    named = {"scan": scan, "probe": config.data.probe, "mask": config.data.mask}
    paths = {what: Path(name) for what, name in named.items() if name}
    return {
        what: {"path": str(path), "sha256": _fingerprint(path)}
        for what, path in paths.items()
        if path.is_file()
    }


def _fingerprint(path: Path) -> str:
    size = path.stat().st_size
    if size > _MOST_HASHED:
        return f"not hashed: {bytes_in_words(size)}"
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
